//! `portolan verify`: checks every byte of a release, of one file, or what a store prepared.

use std::path::{Path, PathBuf};

use clap::Args;
use portolan::{
    bytes::MappedFile,
    error::StoreError,
    local::LocalRelease,
    native::{
        pipeline::{StoreCheck, check_store},
        store::{Mode, Store},
    },
    snapshot::{Verified, verify},
};
use serde_json::json;

use crate::{
    outcome::{Failure, Outcome},
    output, progress,
};

/// Check every block of a release, or of one file, against its checksums and hashes.
///
/// Exit code 4 names the first damaged section and where it lies. Of a store it checks the manifest, the partitions, their keys and that
/// the documents are those that the partitions say; exit code 1 if something is not so.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portolan verify release
  portolan verify --store store
  portolan verify release/noun.animal-1f0c5d2a9b3e4f60.portolan")]
pub struct Verify {
    /// A release folder, or a .portolan file.
    #[arg(value_name = "PATH", required_unless_present = "store")]
    path: Option<PathBuf>,
    /// A store.
    #[arg(long, value_name = "DIR", conflicts_with = "path")]
    store: Option<PathBuf>,
}

impl Verify {
    pub async fn run(self, json: bool) -> Result<Outcome, Failure> {
        if let Some(folder) = &self.store {
            let store = Store::open(folder, Mode::Read).await?;
            return Ok(show(&check_store(&store).await?, json));
        }
        let path = self.path.unwrap_or_default();
        let verified = if path.is_dir() { release(&path, json)? } else { vec![file(path.clone())?] };
        let (rows, blocks): (u64, u64) = verified.iter().fold((0, 0), |(r, b), v| (r + v.rows, b + v.blocks));
        if json {
            let files: Vec<_> = verified.iter().map(describe).collect();
            output::line(json!({"ok": true, "files": files, "blocks": blocks}));
        } else {
            output::line(format_args!(
                "{}: {} files, {blocks} blocks, {rows} rows, all as written",
                path.display(),
                verified.len()
            ));
        }
        Ok(Outcome::Done)
    }
}

fn release(path: &Path, json: bool) -> Result<Vec<Verified>, Failure> {
    let release = LocalRelease::open(path)?;
    let bar = progress::bar(release.catalog().index().files().count() as u64, "files", json);
    let mut all = Vec::new();
    release.verify(|file, verified| {
        bar.inc(1);
        bar.set_message(file.name.clone());
        all.extend(verified.cloned());
    })?;
    bar.finish_and_clear();
    Ok(all)
}

fn file(path: PathBuf) -> Result<Verified, Failure> {
    let map = MappedFile::open(&path).map_err(|source| StoreError::File { action: "open", path, source });
    Ok(verify(map.map_err(portolan::Error::from)?.bytes())?)
}

fn show(check: &StoreCheck, json: bool) -> Outcome {
    if json {
        output::line(json!({
            "ok": check.problems == 0, "partitions": check.partitions, "documents": check.documents,
            "unfinished": check.unfinished, "problems": check.problems, "told": check.told,
        }));
    } else {
        check.told.iter().for_each(output::line);
        let rest = match check.unfinished {
            0 => String::new(),
            count => format!("; {count} left for `portolan apply`"),
        };
        output::line(format_args!(
            "{} partitions, {} documents of them, {} problems{rest}",
            check.partitions, check.documents, check.problems
        ));
    }
    if check.problems == 0 { Outcome::Done } else { Outcome::CheckFailed }
}

fn describe(verified: &Verified) -> serde_json::Value {
    json!({
        "names": verified.names,
        "rows": verified.rows,
        "blocks": verified.blocks,
        "content_id": verified.content_id,
    })
}
