//! Golden files made anew from the JSON beside them.

use std::{collections::BTreeMap, fs, path::Path};

use portolan::{
    cluster::{CodeBits, OneThread, Options, of_draft},
    embed::{Embedder, StaticEmbedder},
    release::{INDEX_NAME, ReleaseBuilder},
    schema::{EmbedderId, Record, Schema},
    snapshot::{
        ClusterSections, Draft, SnapshotFile,
        layout::{CHECKSUM_BYTES, SectionKind},
        write_embedder,
    },
};
use serde_json::Value as Json;

use super::source::{self, Content, Source};
use crate::doors::setting::Failure;

/// The name of the embedder's file.
pub const EMBEDDER: &str = "tiny.portolan";

/// Every file of the release in `folder` with its bytes, made from the sources there.
pub fn release(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let embedder = embedder()?;
    let (mut release, mut files) = (ReleaseBuilder::new(), Vec::new());
    for source in source::all(folder)? {
        let bytes =
            snapshot(folder, &source, &embedder).map_err(|error| format!("{}: {error}", source.file))?;
        release.add_collection(&source.file, &bytes)?;
        files.push((source.file, bytes));
    }
    let bytes = write_embedder(&embedder)?;
    release.add_embedder(EMBEDDER, &bytes)?;
    files.push((EMBEDDER.into(), bytes));
    let built = release.finish()?;
    files.push((built.index.heads.name.clone(), built.heads));
    files.push((INDEX_NAME.into(), built.json));
    Ok(files)
}

/// An embedder of some words, among them an accent, a carriage return and two equal lines.
pub fn embedder() -> Result<StaticEmbedder, Failure> {
    let vocab = "[PAD]\n[UNK]\n[CLS]\na\ncat\n##s\ndog\nruns\nred\nthe\nfish\r\nswims\nsleeps\nand\nun\n##believ\n\
                 ##able\nzoë\n日\n本\ncat\n.";
    let tokens = vocab.lines().count();
    let rows = (0..tokens * 8).map(|i| (i * i * 37 + i * 11) as u8).collect();
    let scales = (0..tokens).map(|i| 0.25 + i as f32 / 64.0).collect();
    Ok(StaticEmbedder::new("tiny".into(), vocab, rows, scales, 8)?)
}

/// The file of a source. Clusters are those of the golden file, if it is there.
fn snapshot(folder: &Path, source: &Source, embedder: &StaticEmbedder) -> Result<Vec<u8>, Failure> {
    let made_by = source.embedded.then(|| embedder.id().clone());
    let collections = source.collections.iter().map(|content| {
        let records = content.records.iter().map(|json| record(content, json, embedder));
        Ok((schema(source, content, made_by.clone()), records.collect::<Result<Vec<_>, Failure>>()?))
    });
    let draft = Draft::new(collections.collect::<Result<Vec<_>, Failure>>()?, source.encoding)?;
    let Some((soft, bits)) = source.clusters else { return Ok(draft.write(None)?) };
    let clusters = match fs::read(folder.join(&source.file)) {
        Ok(golden) => held_clusters(&golden)?,
        Err(_) => {
            let bits = CodeBits::new(bits.max(1)).ok_or("the bits of a code are 1 to 8")?;
            of_draft(&draft, Options { clusters: None, soft, bits }, &OneThread)?
        }
    };
    Ok(draft.write(Some(&clusters))?)
}

/// The clusters of a file, to be written again: how to find good ones may change, how to write them may not.
fn held_clusters(file: &[u8]) -> Result<ClusterSections, Failure> {
    let opened = SnapshotFile::open(file, file.len() as u64)?;
    let content = |kind| -> Option<Vec<u8>> {
        let section = opened.head().section(kind)?;
        let bytes = file.get(section.range.start as usize..section.range.end as usize)?;
        let blocks = bytes.chunks(bytes.len() / section.blocks.max(1) as usize);
        Some(blocks.flat_map(|block| &block[..block.len() - CHECKSUM_BYTES]).copied().collect())
    };
    Ok(ClusterSections {
        info: opened.description().clusters.ok_or("no clusters")?,
        centroids: content(SectionKind::Centroids).ok_or("no centroids")?,
        codes: content(SectionKind::Codes).ok_or("no codes")?,
        extended: content(SectionKind::Extended).unwrap_or_default(),
    })
}

fn schema(source: &Source, content: &Content, embedder: Option<EmbedderId>) -> Schema {
    Schema {
        collection: content.name.clone(),
        dimension: source.dimension,
        metric: source.metric,
        embedder,
        fields: content.fields.clone(),
    }
}

fn record(content: &Content, json: &Json, embedder: &StaticEmbedder) -> Result<Record, Failure> {
    let document = json["document"].as_str();
    let vector = match source::vector(json) {
        Some(vector) => vector,
        None => embedder.embed(&[document.ok_or("neither text nor vector")?]).remove(0)?,
    };
    let mut metadata = BTreeMap::new();
    for field in &content.fields {
        if let Some(value) = json["metadata"].get(&field.path) {
            metadata.insert(field.path.clone(), source::value(&field.kind, value)?);
        }
    }
    let id = json["id"].as_str().ok_or("no id")?.to_owned();
    Ok(Record { id, document: document.map(String::from), metadata, vector })
}
