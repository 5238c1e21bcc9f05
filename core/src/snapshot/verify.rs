//! Reading a whole file the way a suspicious person would: every block, every table, the content id.

use std::sync::Arc;

use super::{
    clusters::{Clusters, EMPTY_SLOT, check_slots, slot_rows},
    collection::Collection,
    embedder::EmbedderFile,
    file::SnapshotFile,
    graph::Graph,
    head::{Head, Section, compute_content_id},
    layout::{ALIGNMENT, CHECKSUM_BYTES, FileKind, HEADER_BYTES, Header, SectionKind, malformed},
    payload,
    statistics::statistics,
    strings::Strings,
    values,
};
use crate::{
    bytes::{ByteRange, ByteSource, Resident},
    embed::Embedder,
    error::{Result, SnapshotError},
    filter::{ColumnBlock, ColumnData, ItemData, ListData},
    json,
    metric::Encoding,
    schema::Value,
};

/// What a verified file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// A collection or an embedder.
    pub kind: FileKind,
    /// The names of its collections, or of the embedder.
    pub names: Vec<String>,
    /// Records or tokens.
    pub rows: u64,
    /// How many blocks matched their checksums.
    pub blocks: u64,
    /// The content id, hexadecimal.
    pub content_id: String,
}

/// Checks every byte of a file: head, blocks, gaps, content id, dictionaries, statistics, payload records and their ids,
/// vectors that are numbers, clusters that hold every row, an embedder's fingerprint.
///
/// # Errors
/// The first thing that is wrong, with section and offset.
pub fn verify(file: &[u8]) -> Result<Verified> {
    let source = Resident(file);
    let header = Header::decode(file)?;
    let (blocks, names) = match header.kind {
        FileKind::Collection => {
            let opened = SnapshotFile::open(file, file.len() as u64)?;
            let blocks = check_blocks(opened.head(), &source)?;
            for number in 0..opened.collections().len() {
                let collection = opened.collection(number);
                check_records(&collection.ok_or_else(|| malformed("directory", 0, "a gap"))?, &source)?;
            }
            check_clusters(&opened, &source)?;
            if let Some(graph) = Graph::open(&opened, &source)? {
                graph.check(&source)?;
            }
            (blocks, opened.collections().iter().map(|part| part.name.clone()).collect())
        }
        FileKind::Embedder => {
            let embedder = EmbedderFile::open(file, file.len() as u64)?;
            let blocks = check_blocks(embedder.head(), &source)?;
            check_fingerprint(&embedder, &source)?;
            (blocks, vec![embedder.id().name.clone()])
        }
    };
    if compute_content_id(file) != header.content_id {
        return Err(
            SnapshotError::Checksum { section: "content id".into(), offset: HEADER_BYTES as u64 }.into()
        );
    }
    let content_id = blake3::Hash::from(header.content_id).to_hex().to_string();
    Ok(Verified { kind: header.kind, names, rows: header.rows, blocks, content_id })
}

/// Every block against its checksum, and every gap between sections against zero. Gives the number of blocks.
fn check_blocks(head: &Head, source: &dyn ByteSource) -> Result<u64> {
    let (mut free_from, mut blocks) = (head.header().head_bytes, 0);
    for section in head.sections() {
        let start = section.range.start;
        let gap = source.get(ByteRange { start: free_from, end: start }).unwrap_or_default();
        if gap.len() as u64 != free_from.next_multiple_of(ALIGNMENT) - free_from
            || !start.is_multiple_of(ALIGNMENT)
            || gap.iter().any(|byte| *byte != 0)
        {
            return Err(malformed("padding", free_from, "bytes that belong to no section").into());
        }
        for block in 0..section.blocks {
            if head.block(source, &section, block)?.is_none() {
                return Err(malformed(section.kind.name(), start, "the block is not in the file").into());
            }
        }
        blocks += u64::from(section.blocks);
        free_from = section.range.end;
    }
    if free_from != head.header().file_bytes {
        return Err(malformed("padding", free_from, "bytes after the last section").into());
    }
    Ok(blocks)
}

/// Dictionaries are sorted, columns are as wide as their rows, every record's payload can be read, and statistics are
/// those of the records.
fn check_records(collection: &Collection, source: &dyn ByteSource) -> Result<()> {
    let schema = collection.schema();
    for field in &schema.fields {
        if let Some(section) = collection.dictionary(&field.path) {
            check_texts(collection, source, section, None)?;
        }
        if let Some((field, section)) = collection.column(&field.path) {
            for block in 0..section.blocks {
                let values = collection.column_block(source, (field, section), block)?;
                check_codes(collection, source, &field.path, values)?;
            }
        }
    }
    if let Some(ids) = collection.ids() {
        check_texts(collection, source, ids, Some(collection.rows()))?;
    }
    check_vectors(collection, source)?;
    let payload = collection.sections().find(|section| section.kind == SectionKind::Payload);
    (0..payload.map_or(0, |section| section.blocks))
        .try_for_each(|block| check_payload(collection, source, block))?;
    check_statistics(collection, source)
}

/// The statistics are those of the columns and ids. Of fields without a column they say how many nulls there are, which
/// records cannot tell: what is null at one path may be an object because of another.
fn check_statistics(collection: &Collection, source: &dyn ByteSource) -> Result<()> {
    let section = collection.sections().find(|section| section.kind == SectionKind::Statistics);
    let at = section.map_or(0, |section| section.range.start);
    let wrong = |what: &str| malformed("statistics", at, format!("those of {what} are not of its values"));
    let said = collection.statistics(source)?.ok_or_else(|| wrong("the collection"))?;
    let records = values::records(collection, source)?;
    let counted = statistics(collection.schema(), &records);
    if said.id != counted.id {
        return Err(wrong("the ids").into());
    }
    for (said, mut counted) in said.fields.iter().zip(counted.fields) {
        if collection.column(&said.path).is_none() {
            counted.nulls = said.nulls.min(collection.rows());
        }
        if *said != counted {
            return Err(wrong(&format!("metadata.{}", said.path)).into());
        }
    }
    Ok(())
}

/// A table of texts is sorted, and has as many as it should.
fn check_texts(
    collection: &Collection,
    source: &dyn ByteSource,
    section: &Section,
    count: Option<u64>,
) -> Result<()> {
    let strings = collection.strings(source, section)?;
    let whole =
        |strings: Strings<'_>| strings.is_sorted() && count.is_none_or(|n| n == u64::from(strings.count()));
    match strings.is_some_and(whole) {
        true => Ok(()),
        false => {
            Err(malformed(section.kind.name(), section.range.start, "texts are missing or not sorted").into())
        }
    }
}

/// Every row of the file stands in clusters as the format asks; the lists of members say the same.
fn check_clusters(file: &Arc<SnapshotFile>, source: &dyn ByteSource) -> Result<()> {
    let Some(clusters) = file.clusters(source)? else { return Ok(()) };
    let section = file.head().require(SectionKind::Codes)?;
    let wrong = |reason: String| malformed("codes", section.range.start, reason);
    let cell = |number| file.head().block(source, &section, number).ok().flatten();
    let rows = usize::try_from(file.rows()).map_err(|_| wrong("too many rows".into()))?;
    let slots =
        check_slots(&clusters.table().first_cells, &cell, (rows, clusters.info().soft)).map_err(wrong)?;
    let entry = file.head().directory().iter().find(|entry| entry.kind == SectionKind::Codes);
    if entry.is_none_or(|entry| entry.rows != slots) {
        return Err(wrong(format!("{slots} slots hold rows, the directory says otherwise")).into());
    }
    for row in (0..file.rows()).filter_map(|row| u32::try_from(row).ok()) {
        let Some(code) = clusters.extended(source, row)? else { break };
        if !is_sound(code, clusters.table().count()) {
            let at = clusters.extended_range(row).map_or(0, |range| range.start);
            return Err(malformed("extended codes", at, "there is no such cluster, or no such factor").into());
        }
    }
    check_members(file, source, &clusters)
}

/// Whether an extended code has a cluster that there is, and finite factors.
fn is_sound(code: &[u8], clusters: usize) -> bool {
    let [cluster, a, f, ..] = code.as_chunks::<4>().0 else { return false };
    let finite = |factor: &[u8; 4]| f32::from_le_bytes(*factor).is_finite();
    (u32::from_le_bytes(*cluster) as usize) < clusters && finite(a) && finite(f)
}

/// The lists of members of all collections name each slot of each cluster once, with a row of the collection in it.
fn check_members(file: &Arc<SnapshotFile>, source: &dyn ByteSource, clusters: &Clusters) -> Result<()> {
    let mut named = 0;
    for number in 0..file.collections().len() {
        let Some(collection) = file.collection(number) else { continue };
        let Some(members) = collection.members(source, clusters)? else { return Ok(()) };
        let rows = collection.first_row()..collection.first_row() + collection.rows();
        for member in members.iter() {
            let cells =
                clusters.cells(source, clusters.table().cells_of(member.cluster))?.unwrap_or_default();
            let content =
                |cell| <[u8]>::split_last_chunk::<CHECKSUM_BYTES>(cell).map_or(cell, |(cell, _)| cell);
            let slots = cells.chunks(clusters.cell_stride()).flat_map(|cell| slot_rows(content(cell)));
            let own = slots.skip(member.first_slot as usize).take(member.slots as usize);
            if !own.into_iter().all(|row| row != EMPTY_SLOT && rows.contains(&row.into())) {
                let at = collection.members_range().map_or(0, |range| range.start);
                return Err(malformed("members", at, "a slot of another collection").into());
            }
            named += u64::from(member.slots);
        }
    }
    let slots = file.head().directory().iter().find(|entry| entry.kind == SectionKind::Codes);
    match slots.is_some_and(|entry| entry.rows == named) {
        true => Ok(()),
        false => Err(malformed("members", 0, "they leave slots out").into()),
    }
}

/// Texts stand in the dictionary of their field.
fn check_codes(
    collection: &Collection,
    source: &dyn ByteSource,
    path: &str,
    block: Option<ColumnBlock<'_>>,
) -> Result<()> {
    let (Some(block), Some(section)) = (block, collection.dictionary(path)) else { return Ok(()) };
    let texts = collection.strings(source, section)?.map_or(0, |strings| strings.count());
    let known = |code: &[u8; 4]| u32::from_le_bytes(*code) < texts;
    let present = |row: usize| block.valid.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1);
    let all_known = match block.data {
        ColumnData::Text(codes) => (0..).zip(codes).all(|(row, code)| !present(row) || known(code)),
        ColumnData::List(ListData { items: ItemData::Text(codes), .. }) => codes.iter().all(known),
        _ => true,
    };
    if all_known {
        return Ok(());
    }
    Err(malformed(
        "column",
        section.range.start,
        format!("metadata.{path} has a text that its dictionary lacks"),
    )
    .into())
}

/// The parts of an embedder are those that its fingerprint was made of.
fn check_fingerprint(embedder: &EmbedderFile, source: &dyn ByteSource) -> Result<()> {
    if embedder.restore(source)?.is_some_and(|restored| restored.id() == embedder.id()) {
        return Ok(());
    }
    let at = embedder.head().header().head_bytes;
    Err(malformed("token rows", at, "vocabulary and rows are not those of the fingerprint").into())
}

fn check_vectors(collection: &Collection, source: &dyn ByteSource) -> Result<()> {
    let Some(section) = collection.vectors() else { return Ok(()) };
    let filled = Encoding::I8.row_bytes(collection.schema().dimension as usize);
    for row in 0..collection.rows() {
        let vector = collection.vector(source, row)?;
        let mut sound = vector.is_ok_and(|vector| vector.iter().all(|x| x.is_finite()));
        if collection.encoding() == Encoding::I8 {
            let row = collection.head().block(source, section, row as u32)?.unwrap_or_default();
            let used = 4 + collection.schema().dimension as usize;
            sound &= row.len() == filled && row.iter().skip(used).all(|byte| *byte == 0);
        }
        if !sound {
            let reason = format!("row {row} is not made of finite numbers");
            return Err(malformed("vectors", section.range.start, reason).into());
        }
    }
    Ok(())
}

fn check_payload(collection: &Collection, source: &dyn ByteSource, block: u32) -> Result<()> {
    let first_row = u64::from(block) * u64::from(payload::ROWS_PER_BLOCK);
    let ids = match collection.ids() {
        Some(section) => collection.strings(source, section)?,
        None => None,
    };
    let readable = collection.payload_block(source, first_row)?.is_some_and(|(records, _)| {
        (0..records.rows()).all(|place| {
            let Some(row) = records.row(place) else { return false };
            let metadata = json::parse(row.metadata).is_ok_and(|value| matches!(value, Value::Object(_)));
            let number = u32::try_from(first_row + place as u64);
            let id = ids.zip(number.ok()).and_then(|(ids, number)| ids.text(number));
            metadata && id == Some(row.id)
        })
    });
    if readable {
        return Ok(());
    }
    let at = collection.payload_range(first_row)?.start;
    Err(malformed("payload", at, "a record cannot be read or has another id").into())
}
