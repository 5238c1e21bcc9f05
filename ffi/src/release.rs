//! The release: a folder of snapshots, opened to be asked.

use engine::{
    local::{Advice, LocalRelease},
    plan::Plan,
    query::Params,
    release::CollectionEntry,
};
use safer_ffi::prelude::*;

use crate::{
    error::{ErrorObject, Fault},
    options::Settings,
    panic::{guard, or_default},
    params::Bound,
    result::Answer,
    text::{argument, Chars, Text},
    Place,
};

/// An opened release. Immutable: share one among as many threads as you like. Free it with `portolan_release_free`.
#[derive_ReprC(rename = "portolan_release")]
#[repr(opaque)]
#[derive(Debug)]
pub struct Release {
    engine: LocalRelease,
    id: Text,
    names: Vec<Text>,
}

impl Release {
    fn open(folder: &str) -> Result<Self, Fault> {
        let engine = LocalRelease::open(folder)?;
        let index = engine.catalog().index();
        let names = index.collections.iter().map(|entry| Text::new(&entry.schema.collection)).collect();
        Ok(Self { id: Text::new(&index.id), names, engine })
    }

    fn collection(&self, place: usize) -> Option<&CollectionEntry> {
        self.engine.catalog().index().collections.get(place)
    }
}

/// Opens the release in `folder`, a path in UTF-8.
///
/// The files are mapped, not read; keep them unchanged while the release is open.
///
/// @param out    receives the release on success; free it with `portolan_release_free`
/// @param error  receives the reason on failure, unless NULL; free it with `portolan_error_free`
/// @return       0, or the error's number
#[ffi_export]
pub fn portolan_release_open(
    folder: Option<char_p::Ref<'_>>,
    out: Place<'_, Release>,
    error: Place<'_, ErrorObject>,
) -> u32 {
    guard(error, || {
        let folder = argument("folder", folder)?;
        let out = out.ok_or_else(|| Fault::null("out"))?;
        out.write(Some(Box::new(Release::open(folder)?).into()));
        Ok(())
    })
}

/// Answers one statement without parameters, such as
/// `SELECT id, document FROM * USING EMBEDDING (TEXT 'a bird that cannot fly') TOPK 10`.
///
/// Text from outside does not belong into the statement, where it would need quoting: write `TEXT ?`, bind it, and call
/// `portolan_query_with`.
///
/// @param sql    the statement, in UTF-8
/// @param out    receives the result on success; free it with `portolan_result_free`
/// @param error  receives the reason on failure, unless NULL; free it with `portolan_error_free`
/// @return       0, or the error's number
#[ffi_export]
pub fn portolan_query(
    release: Option<&Release>,
    sql: Option<char_p::Ref<'_>>,
    out: Place<'_, Answer>,
    error: Place<'_, ErrorObject>,
) -> u32 {
    portolan_query_with(release, sql, None, None, out, error)
}

/// Answers one statement with values for its `?` and `:name`, and as the options say.
///
/// @param sql      the statement, in UTF-8
/// @param params   the values; NULL for none
/// @param options  how to run it; NULL for options with nothing set
/// @param out      receives the result on success; free it with `portolan_result_free`
/// @param error    receives the reason on failure, unless NULL; free it with `portolan_error_free`
/// @return         0, or the error's number
#[ffi_export]
pub fn portolan_query_with(
    release: Option<&Release>,
    sql: Option<char_p::Ref<'_>>,
    params: Option<&Bound>,
    options: Option<&Settings>,
    out: Place<'_, Answer>,
    error: Place<'_, ErrorObject>,
) -> u32 {
    guard(error, || {
        let release = release.ok_or_else(|| Fault::null("release"))?;
        let sql = argument("sql", sql)?;
        let out = out.ok_or_else(|| Fault::null("out"))?;
        let none = Params::none();
        let plan = Plan::parse_with(sql, params.map_or(&none, |bound| &bound.params));
        let plan = plan.map_err(engine::Error::from)?;
        let answer = match options {
            Some(settings) => settings.run(&release.engine, plan)?,
            None => release.engine.run(plan)?,
        };
        out.write(Some(Box::new(Answer::new(answer)).into()));
        Ok(())
    })
}

/// What a program is going to do with a release.
#[derive_ReprC(rename = "portolan_advice")]
#[ffi_export]
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warmth {
    /// Nothing in particular: how a release is opened.
    Normal = 0,
    /// Search it: what every search reads is brought now, in the background; vectors and records one by one when they
    /// are asked for, so that memory smaller than the files is not spent on what nobody asked for.
    Search = 1,
    /// Search it without ever waiting for the disk: all of it is brought now, in the background.
    All = 2,
}

/// Tells the operating system what the release is opened for. Changes no answer, and does not wait for the disk; where the
/// operating system takes no advice, it does nothing.
///
/// @param advice  one of `portolan_advice_t`
/// @param error   receives the reason on failure, unless NULL; free it with `portolan_error_free`
/// @return        0, or the error's number
#[ffi_export]
pub fn portolan_release_advise(release: Option<&Release>, advice: u32, error: Place<'_, ErrorObject>) -> u32 {
    guard(error, || {
        let release = release.ok_or_else(|| Fault::null("release"))?;
        let known =
            [(Warmth::Normal, Advice::Normal), (Warmth::Search, Advice::Search), (Warmth::All, Advice::All)];
        let found = known.into_iter().find(|(number, _)| *number as u32 == advice);
        let (_, advice) = found.ok_or_else(|| Fault::argument("advice", "is none of portolan_advice_t"))?;
        Ok(release.engine.advise(advice)?)
    })
}

/// Reads every byte of the release and checks it against its checksums and hashes.
///
/// @param error  receives the first thing that is wrong, unless NULL; free it with `portolan_error_free`
/// @return       0 when all is as it was written, or the error's number
#[ffi_export]
pub fn portolan_release_verify(release: Option<&Release>, error: Place<'_, ErrorObject>) -> u32 {
    guard(error, || {
        let release = release.ok_or_else(|| Fault::null("release"))?;
        Ok(release.engine.verify(|_, _| ())?)
    })
}

/// The release's id: equal ids, equal content. NULL for NULL. A view: it lives as long as the release.
#[ffi_export]
pub fn portolan_release_id(release: Option<&Release>) -> *const Chars {
    release.map_or(std::ptr::null(), |release| release.id.as_ptr())
}

/// How many collections the release holds; 0 for NULL.
#[ffi_export]
pub fn portolan_release_collection_count(release: Option<&Release>) -> usize {
    release.map_or(0, |release| release.names.len())
}

/// The name of a collection; collections are sorted by name. NULL when there is no such collection. A view: it lives
/// as long as the release.
#[ffi_export]
pub fn portolan_release_collection_name(release: Option<&Release>, collection: usize) -> *const Chars {
    let name = release.and_then(|release| release.names.get(collection));
    name.map_or(std::ptr::null(), Text::as_ptr)
}

/// How many records a collection holds; 0 when there is no such collection.
#[ffi_export]
pub fn portolan_release_collection_rows(release: Option<&Release>, collection: usize) -> u64 {
    release.and_then(|release| release.collection(collection)).map_or(0, |entry| entry.statistics.rows)
}

/// Closes a release. No other thread may be using it. Its results stay. NULL is fine.
#[ffi_export]
pub fn portolan_release_free(release: Option<repr_c::Box<Release>>) {
    or_default(|| drop(release));
}

/// The promise of the header: any number of threads may use one handle.
const _: () = {
    const fn shareable<T: Send + Sync>() {}
    shareable::<Release>();
    shareable::<Answer>();
    shareable::<Bound>();
    shareable::<Settings>();
    shareable::<ErrorObject>();
};
