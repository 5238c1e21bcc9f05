//! What failed to be embedded, in YAML files beside the store: one for each model and commit in which something failed.
//!
//! They are for people and for monitoring; nothing reads them back. A file says which rows failed and why, how many tokens
//! they have, and where the run stood, which is where the next one goes on.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Value as Json, json};

use super::yaml;
use crate::error::StoreError;
use crate::time::format_time;

/// The folder inside the store.
const FOLDER: &str = "errors";
/// Rows that one file shows.
const MOST_ROWS: usize = 1000;
/// Bytes of a text that are shown.
const TEXT_BYTES: usize = 4096;

/// A record whose text failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedRow {
    /// Its id.
    pub id: String,
    /// Its model.
    pub model: String,
    /// The text.
    pub text: Arc<str>,
    /// Its tokens, where the embedder can say.
    pub tokens: Option<usize>,
    /// How often it has failed, this time counted.
    pub attempts: i32,
    /// Why.
    pub reason: String,
}

/// Where a run stood.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The collection.
    pub collection: &'a str,
    /// The embedder's name.
    pub embedder: &'a str,
    /// Its fingerprint.
    pub fingerprint: &'a str,
    /// Records of the collection that are settled in this run.
    pub done: u64,
    /// Of how many.
    pub total: u64,
    /// Why the run did not go on with the collection, if it did not.
    pub stopped: Option<&'a str>,
}

/// Writes a file for each model with failed rows, and one without rows if the run stopped; gives their paths.
///
/// # Errors
/// [`StoreError::File`].
pub fn write(dir: &Path, at: &Standing<'_>, rows: &[FailedRow]) -> Result<Vec<PathBuf>, StoreError> {
    let mut by_model: BTreeMap<Option<&str>, Vec<&FailedRow>> = BTreeMap::new();
    if at.stopped.is_some() && rows.is_empty() {
        by_model.insert(None, Vec::new());
    }
    for row in rows {
        by_model.entry(Some(&row.model)).or_default().push(row);
    }
    let mut paths = Vec::new();
    for (model, rows) in by_model {
        let micros = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros();
        let timestamp = format_time(i64::try_from(micros).unwrap_or(i64::MAX));
        let text = yaml::document(&payload(&timestamp, model, at, &rows));
        let name = model.unwrap_or(at.collection);
        let path = save(&dir.join(FOLDER), &stem(&timestamp, name), &text);
        paths.push(path.map_err(|(path, source)| StoreError::File { action: "write", path, source })?);
    }
    Ok(paths)
}

fn payload(timestamp: &str, model: Option<&str>, at: &Standing<'_>, rows: &[&FailedRow]) -> Json {
    let tokens: Option<usize> = rows.iter().map(|row| row.tokens).sum();
    let reason = if at.stopped.is_some() { "embedder-away" } else { "text-refused" };
    let message = at.stopped.or(rows.first().map(|row| row.reason.as_str())).unwrap_or_default();
    json!({
        "timestamp": timestamp,
        "model": model,
        "collection": at.collection,
        // Records stand in collections; which partition brought them is the manifest's to say.
        "partition": null,
        "embedder": {"name": at.embedder, "fingerprint": at.fingerprint},
        "reason": reason,
        "batch": {"size": rows.len(), "token_total": tokens},
        "resume_state": {"done": at.done, "total": at.total, "command": "run `portolan embed` again"},
        "exception": {"type": reason, "message": message},
        "rows_left_out": rows.len().saturating_sub(MOST_ROWS),
        "rows": rows.iter().take(MOST_ROWS).map(|row| described(row)).collect::<Vec<_>>(),
    })
}

fn described(row: &FailedRow) -> Json {
    let cut = row.text.floor_char_boundary(TEXT_BYTES);
    json!({
        "id": row.id,
        "token_count": row.tokens,
        "attempts": row.attempts,
        "reason": row.reason,
        "text": row.text.get(..cut),
        "text_bytes": row.text.len(),
    })
}

/// `20260131T120000000000Z_model`.
fn stem(timestamp: &str, name: &str) -> String {
    let (seconds, fraction) =
        timestamp.trim_end_matches('Z').split_once('.').unwrap_or((timestamp, "000000"));
    let seconds: String = seconds.chars().filter(|c| c.is_ascii_digit() || *c == 'T').collect();
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    format!("{seconds}{fraction}Z_{name:.80}")
}

/// The file appears whole, under a name of its own.
fn save(folder: &Path, stem: &str, text: &str) -> Result<PathBuf, (PathBuf, io::Error)> {
    let fail = |path: &Path| {
        let path = path.to_path_buf();
        move |error| (path, error)
    };
    fs::create_dir_all(folder).map_err(fail(folder))?;
    let free = |number: u32| {
        let suffix = if number == 0 { String::new() } else { format!("-{number}") };
        Some(folder.join(format!("{stem}{suffix}.yaml"))).filter(|path| !path.exists())
    };
    let path = (0..10_000).find_map(free).unwrap_or_else(|| folder.join(format!("{stem}.yaml")));
    let temporary = path.with_extension("tmp");
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, &path)?;
        File::open(folder)?.sync_all()
    });
    written.map_err(fail(&path))?;
    Ok(path)
}
