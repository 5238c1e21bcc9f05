//! Reading a whole file the way a suspicious person would: every block, every table, the content id.

use super::{
    collection::Collection,
    embedder::EmbedderFile,
    head::{Head, compute_content_id},
    layout::{ALIGNMENT, FileKind, HEADER_BYTES, Header, SectionKind, malformed},
};
use crate::{
    bytes::{ByteRange, ByteSource, Resident},
    embed::Embedder,
    error::{Result, SnapshotError},
    filter::{ColumnBlock, ColumnData, ItemData, ListData},
    json,
    schema::Value,
};

/// What a verified file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// A collection or an embedder.
    pub kind: FileKind,
    /// Its name.
    pub name: String,
    /// Records or tokens.
    pub rows: u64,
    /// How many blocks matched their checksums.
    pub blocks: u32,
    /// The content id, hexadecimal.
    pub content_id: String,
}

/// Checks every byte of a file: head, blocks, gaps, content id, dictionaries, payload records and their ids, vectors
/// that are numbers, an embedder's fingerprint.
///
/// # Errors
/// The first thing that is wrong, with section and offset.
pub fn verify(file: &[u8]) -> Result<Verified> {
    let source = Resident(file);
    let header = Header::decode(file)?;
    let (head, name) = match header.kind {
        FileKind::Collection => {
            let collection = Collection::open(file, file.len() as u64)?;
            check_blocks(collection.head(), &source)?;
            check_records(&collection, &source)?;
            (collection.head().header().clone(), collection.schema().collection.clone())
        }
        FileKind::Embedder => {
            let embedder = EmbedderFile::open(file, file.len() as u64)?;
            check_blocks(embedder.head(), &source)?;
            check_fingerprint(&embedder, &source)?;
            (embedder.head().header().clone(), embedder.id().name.clone())
        }
    };
    if compute_content_id(file) != head.content_id {
        return Err(
            SnapshotError::Checksum { section: "content id".into(), offset: HEADER_BYTES as u64 }.into()
        );
    }
    let content_id = blake3::Hash::from(head.content_id).to_hex().to_string();
    Ok(Verified { kind: head.kind, name, rows: head.rows, blocks: head.blocks, content_id })
}

/// Every block against its checksum, and every gap between sections against zero.
fn check_blocks(head: &Head, source: &dyn ByteSource) -> Result<()> {
    let mut free_from = head.header().head_bytes;
    for section in head.sections() {
        let gap = source.get(ByteRange { start: free_from, end: section.offset }).unwrap_or_default();
        if gap.len() as u64 >= ALIGNMENT || gap.iter().any(|byte| *byte != 0) {
            return Err(malformed("padding", free_from, "bytes that belong to no section").into());
        }
        for block in 0..section.blocks {
            if head.block(source, section, block)?.is_none() {
                return Err(
                    malformed(section.kind.name(), section.offset, "the block is not in the file").into()
                );
            }
        }
        free_from = section.offset + section.bytes;
    }
    if free_from != head.header().file_bytes {
        return Err(malformed("padding", free_from, "bytes after the last section").into());
    }
    Ok(())
}

/// Dictionaries are sorted, columns are as wide as their rows, every record's payload can be read.
fn check_records(collection: &Collection, source: &dyn ByteSource) -> Result<()> {
    for section in collection.head().sections() {
        match section.kind {
            SectionKind::Dictionary | SectionKind::Ids => {
                let strings = collection.strings(source, section)?;
                let rows = strings.map_or(0, |s| u64::from(s.count()));
                let complete = section.kind != SectionKind::Ids || rows == collection.rows();
                if !complete || !strings.is_some_and(|s| s.is_sorted()) {
                    return Err(malformed(
                        section.kind.name(),
                        section.offset,
                        "texts are missing or not sorted",
                    )
                    .into());
                }
            }
            SectionKind::Column => {
                let field = collection.schema().fields.get(usize::from(section.index));
                let field =
                    field.ok_or_else(|| malformed("column", section.offset, "a column without a field"))?;
                for block in 0..section.blocks {
                    let values = collection.column_block(source, (field, section), block)?;
                    check_codes(collection, source, &field.path, values)?;
                }
            }
            _ => {}
        }
    }
    check_vectors(collection, source)?;
    let payload = collection.head().require(SectionKind::Payload, 0)?;
    (0..payload.blocks).try_for_each(|block| check_payload(collection, source, block))
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
    Err(malformed("column", section.offset, format!("metadata.{path} has a text that its dictionary lacks"))
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
    let offset = collection.vectors()?.offset;
    for row in 0..collection.rows() {
        let finite = collection.vector(source, row)?.is_ok_and(|vector| vector.iter().all(|x| x.is_finite()));
        if !finite {
            return Err(
                malformed("vectors", offset, format!("row {row} is not made of finite numbers")).into()
            );
        }
    }
    Ok(())
}

fn check_payload(collection: &Collection, source: &dyn ByteSource, block: u32) -> Result<()> {
    let payload = collection.head().require(SectionKind::Payload, 0)?;
    let first_row = u64::from(block) * u64::from(payload.rows_per_block);
    let ids = match collection.ids() {
        Some(section) => collection.strings(source, section)?,
        None => None,
    };
    let readable = collection.payload_block(source, first_row)?.is_some_and(|(records, _)| {
        (0..collection.rows_in(payload, block)).all(|place| {
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
    Err(malformed(
        "payload",
        collection.payload_range(first_row)?.start,
        "a record cannot be read or has another id",
    )
    .into())
}
