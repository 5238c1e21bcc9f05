//! What may become of an altered file: an error, or an answer that does not depend on how its bytes came in.

use std::sync::Arc;

use portolan::{
    Error,
    bytes::{ByteSource, RangeCache, Resident},
    plan::Plan,
    release::{BuiltRelease, ReleaseBuilder},
    router::{Catalog, Fanout, FileRange, ResultSet, Step},
    snapshot::verify,
};

/// Statements that between them read every section. The vector has the dimension of no file or of one.
const STATEMENTS: [&str; 7] = [
    "SELECT * FROM * LIMIT 50",
    "SELECT id FROM * WHERE metadata.name IS NOT NULL ORDER BY id DESC LIMIT 9",
    "SELECT id, metadata FROM * WHERE metadata.size > 0 OR metadata.part = 3 OR metadata.tags CONTAINS 'red' LIMIT 9",
    "SELECT id, document, distance FROM * USING EMBEDDING (TEXT 'the cats and dogs') TOPK 5",
    "SELECT id, distance FROM * USING EMBEDDING (VECTOR [1, 2]) TOPK 5",
    "SELECT id, document, distance FROM * USING EMBEDDING (VECTOR [1, 0, 2, 0, 1, 0, 2, 0, 1, 0, 2, 0, 1, 0, 2, 0]) TOPK 5",
    "SELECT id, document, distance FROM * WHERE metadata.part < 5 \
     USING EMBEDDING (VECTOR [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0]) TOPK 5",
];
/// How statements begin that read ids alone: from the table of ids in a whole file, from records by ranges. A forged file may
/// say two things.
const IDS_ALONE: &str = "SELECT id, distance";
/// More waves than any statement takes.
const MOST_WAVES: usize = 12;

/// Asks a release of a file of collections and an embedder, of which `altered` is one.
pub fn check(collections: &[u8], embedder: &[u8], altered: &[u8]) {
    let sound = verify(altered).is_ok();
    let built = match build(collections, embedder) {
        Ok(built) => built,
        Err(error) => {
            assert!(!sound, "a file that verifies cannot be released: {error}");
            return;
        }
    };
    let files = Vec::from([&built.heads, collections, embedder].map(Resident));
    for sql in STATEMENTS {
        let resident = run(&built, sql, |fanout| fanout.run(&files));
        let ranged = run(&built, sql, |fanout| by_ranges(fanout, &files));
        let damaged =
            [&resident, &ranged].into_iter().any(|answer| matches!(answer, Err(Error::Snapshot(_))));
        assert!(!(sound && damaged), "{sql}: a file that verifies gives {resident:?}, by ranges {ranged:?}");
        // Which damage is met first depends on what is read first.
        assert!(damaged || resident.is_ok() == ranged.is_ok(), "{sql}: {resident:?}, by ranges {ranged:?}");
        let forged = !sound && sql.starts_with(IDS_ALONE);
        let alike = damaged || forged || resident.is_err() || resident.ok() == ranged.ok();
        assert!(alike, "{sql}: other rows by ranges");
    }
}

fn build(collections: &[u8], embedder: &[u8]) -> Result<BuiltRelease, Error> {
    let mut release = ReleaseBuilder::new();
    release.add_collection("collections.portolan", collections)?;
    release.add_embedder("embedder.portolan", embedder)?;
    release.finish()
}

/// The rows as text.
fn run(
    built: &BuiltRelease,
    sql: &str,
    answer: impl FnOnce(Fanout) -> Result<ResultSet, Error>,
) -> Result<String, Error> {
    let fanout = Fanout::new(Arc::new(Catalog::open(&built.json)?), Plan::parse(sql)?)?;
    Ok(answer(fanout)?.to_json()["rows"].to_string())
}

fn by_ranges(mut fanout: Fanout, files: &[Resident<&[u8]>]) -> Result<ResultSet, Error> {
    let mut caches: Vec<_> = files.iter().map(|file| RangeCache::new(file.len())).collect();
    let mut waves = 0;
    loop {
        assert!(waves < MOST_WAVES, "the statement does not end");
        waves += 1;
        match fanout.step(&caches)? {
            Step::Done(result) => return Ok(result),
            Step::Need(ranges) => {
                for FileRange { file, range } in ranges {
                    let bytes = files[file].get(range);
                    assert!(bytes.is_some(), "{range:?} of a file of {}", files[file].len());
                    caches[file].insert(range.start, bytes.unwrap_or_default().to_vec());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statements_are_statements() {
        for sql in STATEMENTS {
            assert!(Plan::parse(sql).is_ok(), "{sql}");
        }
    }
}
