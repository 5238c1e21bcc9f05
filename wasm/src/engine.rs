//! One opened release with the bytes that have arrived so far, and the statements under way.

use std::sync::Arc;

use portolan::{
    ErrorKind,
    bytes::RangeCache,
    release::ReleaseIndex,
    router::{Catalog, Fanout, Outcome, Preview, ResultSet, Step},
};
use wasm_bindgen::prelude::*;

use crate::{
    failure::Failure,
    request::Request,
    value::{self, Plain},
};

/// A release that can be asked. The host brings bytes with [`provide`](Self::provide) and steps statements.
#[wasm_bindgen]
pub struct Engine {
    catalog: Arc<Catalog>,
    files: Vec<RangeCache>,
    /// By number; few at a time.
    statements: Vec<(u32, Statement)>,
    last_statement: u32,
}

/// A statement under way, and what it takes to begin it again.
struct Statement {
    request: String,
    fanout: Fanout,
}

#[wasm_bindgen]
impl Engine {
    /// Opens a release from the bytes of its `release.json`.
    ///
    /// # Errors
    /// When they are not what an export writes.
    #[wasm_bindgen(constructor)]
    pub fn new(release_json: &[u8]) -> Result<Engine, Failure> {
        let catalog = Arc::new(Catalog::open(release_json)?);
        let files = nothing_resident(catalog.index());
        Ok(Self { catalog, files, statements: Vec::new(), last_statement: 0 })
    }

    /// The release's files as an array of `{name, bytes, blake3}`. A file's place is its number.
    pub fn files(&self) -> JsValue {
        value::list(self.catalog.index().files().map(|file| {
            let bytes = JsValue::from_f64(file.bytes as f64);
            value::object([
                ("name", JsValue::from_str(&file.name)),
                ("bytes", bytes),
                ("blake3", JsValue::from_str(&file.blake3)),
            ])
        }))
    }

    /// Keeps bytes of a file, which begin at `start`. Ranges that were not asked for are fine, whole files too.
    ///
    /// # Errors
    /// When the release has no file of that number.
    pub fn provide(&mut self, file: usize, start: f64, bytes: Vec<u8>) -> Result<(), Failure> {
        let cache =
            self.files.get_mut(file).ok_or_else(|| Failure::misuse("there is no file of that number"))?;
        cache.insert(start as u64, bytes);
        Ok(())
    }

    /// How many bytes of the release are held.
    pub fn resident_bytes(&self) -> f64 {
        self.files.iter().map(RangeCache::resident_bytes).sum::<u64>() as f64
    }

    /// What a request needs of the page: `{collections: [name], texts: [{text, model, dimension}]}`.
    ///
    /// # Errors
    /// When the statement is wrong, or names what the release does not hold.
    pub fn preview(&self, request: &str) -> Result<JsValue, Failure> {
        let preview = Preview::new(&self.catalog, &Request::parse(request)?.plan)?;
        Ok(value::from_preview(&preview))
    }

    /// Begins a request; gives the number to step it with.
    ///
    /// # Errors
    /// When the statement is wrong, or names what the release does not hold.
    pub fn start(&mut self, request: String) -> Result<u32, Failure> {
        let fanout = Request::parse(&request)?.begin(&self.catalog)?;
        self.last_statement = self.last_statement.wrapping_add(1);
        self.statements.push((self.last_statement, Statement { request, fanout }));
        Ok(self.last_statement)
    }

    /// Goes as far as the bytes allow. Gives `{needs: [[file, start, end], ...]}`, or the result, with which the
    /// statement ends. An error ends it too. Damage, told by an error or by a failed collection, also drops all bytes
    /// that arrived, so that asking again fetches again; the other statements under way begin anew.
    ///
    /// # Errors
    /// Damaged files, and vectors or texts that the collections cannot take.
    pub fn step(&mut self, statement: u32) -> Result<JsValue, Failure> {
        let ended = || Failure::misuse("the statement has ended");
        let mut running = self.take(statement).ok_or_else(ended)?;
        match running.fanout.step(&self.files) {
            Ok(Step::Done(result)) => {
                if met_damage(&result) {
                    self.forget()?;
                }
                Ok(result.to_tree::<Plain>().0)
            }
            Ok(Step::Need(ranges)) => {
                self.statements.push((statement, running));
                Ok(value::from_needs(&ranges))
            }
            Err(error) => {
                if error.kind() == ErrorKind::Damaged {
                    self.forget()?;
                }
                Err(error.into())
            }
        }
    }

    /// Ends a statement that will not be stepped again.
    pub fn cancel(&mut self, statement: u32) {
        self.take(statement);
    }
}

impl Engine {
    fn take(&mut self, statement: u32) -> Option<Statement> {
        let place = self.statements.iter().position(|(number, _)| *number == statement)?;
        Some(self.statements.swap_remove(place).1)
    }

    /// Drops all bytes, and with them the catalog, which remembers the blocks that matched their checksums.
    fn forget(&mut self) -> Result<(), Failure> {
        self.catalog = Arc::new(self.catalog.fresh());
        self.files = nothing_resident(self.catalog.index());
        for (_, statement) in &mut self.statements {
            statement.fanout = Request::parse(&statement.request)?.begin(&self.catalog)?;
        }
        Ok(())
    }
}

/// Whether a collection failed because of its file.
fn met_damage(result: &ResultSet) -> bool {
    let damaged = |outcome: &Outcome| matches!(outcome, Outcome::Failed { code: 4000..5000, .. });
    result.collections.iter().any(|report| damaged(&report.outcome))
}

fn nothing_resident(index: &ReleaseIndex) -> Vec<RangeCache> {
    index.files().map(|file| RangeCache::new(file.bytes)).collect()
}
