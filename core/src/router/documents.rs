//! Documents that a WHERE tests. They have no column: the payload blocks of the rows that depend on them are read.

use crate::{
    bytes::{ByteRange, ByteSource},
    error::SnapshotError,
    filter::{ColumnBlock, ColumnData, Mask},
    snapshot::{Collection, PayloadBlock, layout::malformed},
};

/// The payload blocks of a run of rows, as far as they are needed.
#[derive(Debug)]
pub(super) struct DocumentBlocks {
    rows: usize,
    /// The place of the first row, and the block.
    blocks: Vec<(usize, PayloadBlock)>,
    /// Their length in the file.
    pub(super) bytes: u64,
    /// What is not resident.
    pub(super) missing: Vec<ByteRange>,
}

/// The documents of a run of rows; null where they were not needed.
#[derive(Debug)]
pub(super) struct Documents<'b> {
    texts: Vec<&'b str>,
    valid: Vec<u8>,
}

impl DocumentBlocks {
    /// Reads the documents of the rows in `wanted`, the first of which has the number `first_row`.
    pub(super) fn read(
        collection: &Collection,
        source: &dyn ByteSource,
        first_row: u64,
        wanted: &Mask,
    ) -> Result<Self, SnapshotError> {
        let mut read = Self { rows: wanted.rows(), blocks: Vec::new(), bytes: 0, missing: Vec::new() };
        let mut behind = 0;
        for place in wanted.iter() {
            if place < behind {
                continue;
            }
            let row = first_row + place as u64;
            let range = collection.payload_range(row)?;
            let start = place.saturating_sub(collection.place_in_payload(row));
            match collection.payload_block(source, row)? {
                Some((block, _)) => {
                    behind = start + block.rows();
                    read.bytes += range.len();
                    read.blocks.push((start, block));
                }
                None => {
                    behind = place + 1;
                    if read.missing.last() != Some(&range) {
                        read.missing.push(range);
                    }
                }
            }
        }
        Ok(read)
    }

    /// The texts, viewed.
    pub(super) fn documents(&self) -> Result<Documents<'_>, SnapshotError> {
        let mut documents = Documents { texts: vec![""; self.rows], valid: vec![0; self.rows.div_ceil(8)] };
        for (start, block) in &self.blocks {
            for place in 0..block.rows() {
                let document = block.document(place);
                let document =
                    document.ok_or_else(|| malformed("payload", 0, "a document cannot be read"))?;
                let row = start + place;
                if let (Some(text), Some(slot)) = (document, documents.texts.get_mut(row)) {
                    *slot = text;
                    documents.valid.get_mut(row / 8).into_iter().for_each(|byte| *byte |= 1 << (row % 8));
                }
            }
        }
        Ok(documents)
    }
}

impl Documents<'_> {
    /// The documents as a column.
    pub(super) fn block(&self) -> ColumnBlock<'_> {
        ColumnBlock { rows: self.texts.len(), valid: &self.valid, data: ColumnData::Plain(&self.texts) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        bytes::{RangeCache, Resident},
        metric::{Encoding, Metric},
        schema::{Record, Schema},
        snapshot::write_collection,
    };

    fn file() -> Vec<u8> {
        let schema = Schema {
            collection: "c".into(),
            dimension: 1,
            metric: Metric::L2,
            embedder: None,
            fields: vec![],
        };
        let record = |number: usize| Record {
            id: format!("{number:03}"),
            document: (number != 201).then(|| format!("document {number}")),
            metadata: BTreeMap::new(),
            vector: vec![1.0],
        };
        write_collection(&schema, Encoding::F32, (0..300).map(record).collect()).unwrap()
    }

    #[test]
    fn only_the_blocks_of_wanted_rows_are_read() {
        let file = file();
        let collection = Collection::open(&file, file.len() as u64).unwrap();
        let mut cache = RangeCache::new(file.len() as u64);
        // Rows 70, 71 and 201 to 299 of the file, counted from row 64.
        let wanted = Mask::new(236, vec![0b1100_0000, 0, u64::MAX << 9, u64::MAX]);
        let read = DocumentBlocks::read(&collection, &cache, 64, &wanted).unwrap();
        let expected = [70, 201, 256].map(|row| collection.payload_range(row).unwrap());
        assert_eq!((read.missing.as_slice(), read.bytes), (&expected[..], 0));
        for range in expected {
            cache.insert(range.start, Resident(&file).get(range).unwrap().to_vec());
        }
        let read = DocumentBlocks::read(&collection, &cache, 64, &wanted).unwrap();
        assert_eq!(read.missing, []);
        assert_eq!(read.bytes, expected.iter().map(ByteRange::len).sum::<u64>());
        let documents = read.documents().unwrap();
        let ColumnBlock { rows, valid, data: ColumnData::Plain(texts) } = documents.block() else { panic!() };
        for row in wanted.iter() {
            assert_eq!(valid[row / 8] >> (row % 8) & 1 == 1, row + 64 != 201);
            let text = if row + 64 == 201 { String::new() } else { format!("document {}", row + 64) };
            assert_eq!(texts[row], text);
        }
        assert_eq!((rows, texts.len(), texts[64], valid[64 / 8]), (236, 236, "", 0));
    }
}
