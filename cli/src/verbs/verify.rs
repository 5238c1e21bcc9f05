//! `portolan verify`: checks every byte of a release, or of one file.

use std::path::PathBuf;

use clap::Args;
use portolan::{
    bytes::MappedFile,
    error::StoreError,
    local::LocalRelease,
    snapshot::{Verified, verify},
};
use serde_json::json;

use crate::{
    outcome::{Failure, Outcome},
    output, progress,
};

/// Check every block of a release, or of one file, against its checksums and hashes.
///
/// Exit code 4 names the first damaged section and where it lies.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portolan verify release
  portolan verify release/noun.animal-1f0c5d2a9b3e4f60.portolan")]
pub struct Verify {
    /// A release folder, or a .portolan file.
    #[arg(value_name = "PATH")]
    path: PathBuf,
}

impl Verify {
    pub fn run(self, json: bool) -> Result<Outcome, Failure> {
        let verified = if self.path.is_dir() { self.release(json)? } else { vec![self.file()?] };
        let (rows, blocks): (u64, u64) = verified.iter().fold((0, 0), |(r, b), v| (r + v.rows, b + v.blocks));
        if json {
            let files: Vec<_> = verified.iter().map(describe).collect();
            output::line(json!({"ok": true, "files": files, "blocks": blocks}));
        } else {
            output::line(format_args!(
                "{}: {} files, {blocks} blocks, {rows} rows, all as written",
                self.path.display(),
                verified.len()
            ));
        }
        Ok(Outcome::Done)
    }

    fn release(&self, json: bool) -> Result<Vec<Verified>, Failure> {
        let release = LocalRelease::open(&self.path)?;
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

    fn file(&self) -> Result<Verified, Failure> {
        let path = self.path.clone();
        let map = MappedFile::open(&path).map_err(|source| StoreError::File { action: "open", path, source });
        Ok(verify(map.map_err(portolan::Error::from)?.bytes())?)
    }
}

fn describe(verified: &Verified) -> serde_json::Value {
    json!({
        "names": verified.names,
        "rows": verified.rows,
        "blocks": verified.blocks,
        "content_id": verified.content_id,
    })
}
