//! The file's fixed-size parts as C sees them: `include/portolan_format.h` is generated from this module alone.
//!
//! For programs that read the format without this library; docs/format.md says what every number means. All numbers are
//! little-endian, so on a big-endian machine these structs are not the file. This library itself reads field by field
//! (`layout`), never through a cast; a test holds the two together.

/// The first eight bytes of every file, "PORTOLAN", as a number.
pub const FORMAT_MAGIC: u64 = 0x4e41_4c4f_5452_4f50;
/// The version of the format that this header describes.
pub const FORMAT_VERSION: u16 = 1;
/// Bytes of a `portolan_format_header_t`.
pub const FORMAT_HEADER_BYTES: u32 = 128;
/// Bytes of a `portolan_format_section_t`.
pub const FORMAT_SECTION_BYTES: u32 = 48;
/// Sections begin at multiples of this.
pub const FORMAT_ALIGNMENT: u32 = 64;
/// Bytes of the checksum at the end of every block: the first eight of blake3 over the block's offset in the file (u64)
/// and the block's bytes before the checksum.
pub const FORMAT_CHECKSUM_BYTES: u32 = 8;

/// File kind: collections.
pub const FORMAT_FILE_COLLECTIONS: u32 = 1;
/// File kind: a static embedder.
pub const FORMAT_FILE_EMBEDDER: u32 = 2;

/// Feature: the vectors are in clusters.
pub const FORMAT_FEATURE_CLUSTERS: u64 = 1;
/// Feature: a row may stand in two clusters.
pub const FORMAT_FEATURE_SOFT: u64 = 2;
/// Feature: several collections.
pub const FORMAT_FEATURE_PACKED: u64 = 4;
/// Feature: extended codes.
pub const FORMAT_FEATURE_EXTENDED: u64 = 8;
/// Feature: a graph that a reader has to know. Nothing writes it: the sections of a graph are optional.
pub const FORMAT_FEATURE_GRAPH: u64 = 16;

/// Metric, the description's second value: cosine.
pub const FORMAT_METRIC_COSINE: u8 = 0;
/// Metric: inner product.
pub const FORMAT_METRIC_INNER_PRODUCT: u8 = 1;
/// Metric: squared Euclidean.
pub const FORMAT_METRIC_L2: u8 = 2;
/// Encoding of vectors, the description's third value: f32.
pub const FORMAT_ENCODING_F32: u8 = 0;
/// Encoding: f16.
pub const FORMAT_ENCODING_F16: u8 = 1;
/// Encoding: a scale (f32) and a signed byte a component, filled up with zeros to a multiple of four.
pub const FORMAT_ENCODING_I8: u8 = 2;
/// Encoding: there are no vectors, only codes.
pub const FORMAT_ENCODING_NONE: u8 = 3;

/// Section: vectors as they were given, or nearly so.
pub const FORMAT_KIND_VECTORS: u16 = 1;
/// Section: the values of a field.
pub const FORMAT_KIND_COLUMN: u16 = 2;
/// Section: the distinct texts of a field, as a table of texts.
pub const FORMAT_KIND_DICTIONARY: u16 = 3;
/// Section: the ids, as a table of texts.
pub const FORMAT_KIND_IDS: u16 = 4;
/// Section: ids, documents and metadata.
pub const FORMAT_KIND_PAYLOAD: u16 = 5;
/// Section: what routing knows of a collection.
pub const FORMAT_KIND_STATISTICS: u16 = 6;
/// Section: the centres of the clusters.
pub const FORMAT_KIND_CENTROIDS: u16 = 7;
/// Section: which slots of a cluster belong to which collection.
pub const FORMAT_KIND_MEMBERS: u16 = 8;
/// Section: sign codes, in cells.
pub const FORMAT_KIND_CODES: u16 = 9;
/// Section: extended codes.
pub const FORMAT_KIND_EXTENDED: u16 = 10;
/// Section: the vocabulary of an embedder.
pub const FORMAT_KIND_VOCABULARY: u16 = 16;
/// Section: the rows of an embedder's tokens.
pub const FORMAT_KIND_TOKEN_ROWS: u16 = 17;
/// Section: the lines of the tokens in the vocabulary as it was given.
pub const FORMAT_KIND_TOKEN_NUMBERS: u16 = 18;
/// Kinds from this one on may be passed over by who does not know them.
pub const FORMAT_KIND_OPTIONAL: u16 = 0x8000;
/// Section, optional: what searches of the graph cost, `portolan_format_graph_cost_t`.
pub const FORMAT_KIND_GRAPH: u16 = 0x8001;
/// Section, optional: the neighbours of each row in the graph.
pub const FORMAT_KIND_LINKS: u16 = 0x8002;
/// The field of a section that belongs to no field.
pub const FORMAT_NO_FIELD: u16 = 0xffff;

/// Slots of a cell of sign codes.
pub const FORMAT_CELL_SLOTS: u32 = 32;
/// The row of a slot that is empty.
pub const FORMAT_EMPTY_SLOT: u32 = 0xffff_ffff;
/// Rows whose neighbours are in a block of links.
pub const FORMAT_LINK_ROWS: u32 = 64;
/// What stands behind a row's last neighbour.
pub const FORMAT_NO_LINK: u32 = 0xffff_ffff;
/// The seed of the signs of the rotation.
pub const FORMAT_ROTATION_SEED: u64 = 0x706f_7274_6f6c_616e;

/// The first 128 bytes of a file.
#[repr(C)]
pub struct FormatHeader {
    /// `PORTOLAN_FORMAT_MAGIC`.
    pub magic: u64,
    /// The version that the file was written in.
    pub version: u16,
    /// The oldest version whose readers may open the file.
    pub oldest_reader: u16,
    /// `PORTOLAN_FORMAT_FILE_...`.
    pub file_kind: u32,
    /// `PORTOLAN_FORMAT_FEATURE_...`: a reader refuses a file with a bit that it does not know.
    pub features: u64,
    /// The length of the file.
    pub file_bytes: u64,
    /// The length of the head: this header, the directory, the table of lengths, the description.
    pub head_bytes: u64,
    /// How many sections the directory, right after the header, has.
    pub sections: u32,
    /// How many lengths (u32) the table after the directory has.
    pub lengths: u32,
    /// Records of all collections, or tokens of an embedder.
    pub rows: u64,
    /// The first eight bytes of blake3 over the head, this field counted as zero.
    pub checksum: u64,
    /// blake3 of the file, this field and the checksum counted as zero.
    pub content_id: [u8; 32],
    /// Zero.
    pub reserved: [u8; 32],
}

/// An entry of the directory.
#[repr(C)]
pub struct FormatSection {
    /// `PORTOLAN_FORMAT_KIND_...`.
    pub kind: u16,
    /// The field that it belongs to, or `PORTOLAN_FORMAT_NO_FIELD`.
    pub field: u16,
    /// Rows of a block; 0 for one block a collection, or one for the file.
    pub rows_per_block: u32,
    /// The length of every block, its checksum included; 0 where the lengths are in the table.
    pub block_bytes: u32,
    /// The place of the first block's length in the table.
    pub first_length: u32,
    /// How many blocks.
    pub blocks: u32,
    /// Zero.
    pub reserved: u32,
    /// Where the section begins in the file.
    pub offset: u64,
    /// The length of the section.
    pub bytes: u64,
    /// The rows that it holds.
    pub rows: u64,
}

/// What follows the sign codes of a cell. The codes: for every four components 16 bytes, of which byte j holds those of
/// slot j in its low half, those of slot j + 16 in its high half, the first component in the lowest bit.
#[repr(C)]
pub struct FormatCellFactors {
    /// What is added to an estimate of a slot, as f16, in units of `a_scale`.
    pub offset: [u16; 32],
    /// What the product of the codes is multiplied with, as f16, in units of `f_scale`.
    pub factor: [u16; 32],
    /// The row in the file, or `PORTOLAN_FORMAT_EMPTY_SLOT`.
    pub row: [u32; 32],
}

/// An entry of the members of a collection: the slots of a cluster that are its own.
#[repr(C)]
pub struct FormatMember {
    /// The cluster.
    pub cluster: u32,
    /// The first slot, counted from the cluster's first.
    pub first_slot: u32,
    /// How many slots.
    pub slots: u32,
}

/// What stands before the packed components of an extended code.
#[repr(C)]
pub struct FormatExtendedFactors {
    /// The row's first cluster.
    pub cluster: u32,
    /// What is added to the estimate.
    pub offset: f32,
    /// What the product of the codes is multiplied with.
    pub factor: f32,
}

/// What stands before the components of a row in bytes: of an `i8` vector and of an embedder's token.
#[repr(C)]
pub struct FormatRowScale {
    /// The value of a component is this times its byte.
    pub scale: f32,
}

/// The block of the section graph: each for 10, 100 and 1000 nearest rows at the recalls 0.80, 0.90, 0.95 and 0.99.
#[repr(C)]
pub struct FormatGraphCost {
    /// The recall at which clusters are read for the rows that a search begins with.
    pub entry: [f32; 12],
    /// How many rows a search keeps in view.
    pub width: [f32; 12],
    /// What it costs, in slots that are scanned.
    pub walk: [f32; 12],
    /// What a search by clusters alone costs.
    pub clusters: [f32; 12],
}

#[cfg(test)]
mod tests {
    use std::mem::{offset_of, size_of};

    use super::{
        super::{
            clusters,
            layout::{self, FileKind, Header, SectionEntry, SectionKind},
        },
        *,
    };

    /// The number that stands at a place of a struct's bytes.
    fn number(bytes: &[u8], at: usize, width: usize) -> u64 {
        bytes[at..at + width].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    #[test]
    fn a_header_is_where_the_struct_says() {
        let header = Header {
            kind: FileKind::Embedder,
            file_bytes: 0x1111_1111_1111,
            head_bytes: 0x0222_2222_2222,
            sections: 0x3333,
            lengths: 0x4444_4444,
            rows: 0x5555_5555_5555,
            features: 3,
            checksum: 0x6666_6666_6666_6666,
            content_id: [7; 32],
        };
        let bytes = header.encode();
        assert_eq!(bytes.len(), size_of::<FormatHeader>());
        assert_eq!(bytes.len(), FORMAT_HEADER_BYTES as usize);
        for (at, width, expected) in [
            (offset_of!(FormatHeader, magic), 8, FORMAT_MAGIC),
            (offset_of!(FormatHeader, version), 2, FORMAT_VERSION.into()),
            (offset_of!(FormatHeader, oldest_reader), 2, layout::OLDEST_FORMAT.into()),
            (offset_of!(FormatHeader, file_kind), 4, FORMAT_FILE_EMBEDDER.into()),
            (offset_of!(FormatHeader, features), 8, FORMAT_FEATURE_CLUSTERS | FORMAT_FEATURE_SOFT),
            (offset_of!(FormatHeader, file_bytes), 8, header.file_bytes),
            (offset_of!(FormatHeader, head_bytes), 8, header.head_bytes),
            (offset_of!(FormatHeader, sections), 4, header.sections.into()),
            (offset_of!(FormatHeader, lengths), 4, header.lengths.into()),
            (offset_of!(FormatHeader, rows), 8, header.rows),
            (offset_of!(FormatHeader, checksum), 8, header.checksum),
        ] {
            assert_eq!(number(&bytes, at, width), expected, "{at}");
        }
        let id = offset_of!(FormatHeader, content_id);
        assert_eq!(bytes[id..offset_of!(FormatHeader, reserved)], header.content_id);
    }

    #[test]
    fn an_entry_of_the_directory_is_where_the_struct_says() {
        let entry = SectionEntry {
            kind: SectionKind::TokenNumbers,
            field: FORMAT_NO_FIELD,
            rows_per_block: 0x1111_1111,
            block_bytes: 0x2222_2222,
            first_length: 0x3333_3333,
            blocks: 0x4444_4444,
            offset: 0x5555_5555_5555_5555,
            bytes: 0x6666_6666_6666_6666,
            rows: 0x7777_7777_7777_7777,
        };
        let bytes = entry.encode();
        assert_eq!(bytes.len(), size_of::<FormatSection>());
        assert_eq!(bytes.len(), FORMAT_SECTION_BYTES as usize);
        for (at, width, expected) in [
            (offset_of!(FormatSection, kind), 2, FORMAT_KIND_TOKEN_NUMBERS.into()),
            (offset_of!(FormatSection, field), 2, layout::NO_FIELD.into()),
            (offset_of!(FormatSection, rows_per_block), 4, entry.rows_per_block.into()),
            (offset_of!(FormatSection, block_bytes), 4, entry.block_bytes.into()),
            (offset_of!(FormatSection, first_length), 4, entry.first_length.into()),
            (offset_of!(FormatSection, blocks), 4, entry.blocks.into()),
            (offset_of!(FormatSection, reserved), 4, 0),
            (offset_of!(FormatSection, offset), 8, entry.offset),
            (offset_of!(FormatSection, bytes), 8, entry.bytes),
            (offset_of!(FormatSection, rows), 8, entry.rows),
        ] {
            assert_eq!(number(&bytes, at, width), expected, "{at}");
        }
    }

    #[test]
    fn kinds_have_the_numbers_of_the_library() {
        let kinds = [
            (SectionKind::Vectors, FORMAT_KIND_VECTORS),
            (SectionKind::Column, FORMAT_KIND_COLUMN),
            (SectionKind::Dictionary, FORMAT_KIND_DICTIONARY),
            (SectionKind::Ids, FORMAT_KIND_IDS),
            (SectionKind::Payload, FORMAT_KIND_PAYLOAD),
            (SectionKind::Statistics, FORMAT_KIND_STATISTICS),
            (SectionKind::Centroids, FORMAT_KIND_CENTROIDS),
            (SectionKind::Members, FORMAT_KIND_MEMBERS),
            (SectionKind::Codes, FORMAT_KIND_CODES),
            (SectionKind::Extended, FORMAT_KIND_EXTENDED),
            (SectionKind::Vocabulary, FORMAT_KIND_VOCABULARY),
            (SectionKind::TokenRows, FORMAT_KIND_TOKEN_ROWS),
            (SectionKind::TokenNumbers, FORMAT_KIND_TOKEN_NUMBERS),
            (SectionKind::GRAPH, FORMAT_KIND_GRAPH),
            (SectionKind::LINKS, FORMAT_KIND_LINKS),
        ];
        for (kind, number) in kinds {
            let mut entry = [0; layout::SECTION_BYTES];
            entry[..2].copy_from_slice(&number.to_le_bytes());
            assert_eq!(SectionEntry::decode(&entry, 0).unwrap().kind, kind);
        }
        let known =
            FORMAT_FEATURE_CLUSTERS | FORMAT_FEATURE_SOFT | FORMAT_FEATURE_PACKED | FORMAT_FEATURE_EXTENDED;
        assert_eq!((known, FORMAT_KIND_OPTIONAL), (layout::KNOWN_FEATURES, layout::OPTIONAL_KINDS));
        assert_eq!(FORMAT_ALIGNMENT, layout::ALIGNMENT as u32);
        assert_eq!(FORMAT_CHECKSUM_BYTES, layout::CHECKSUM_BYTES as u32);
    }

    #[test]
    fn metrics_and_encodings_have_the_numbers_of_a_file() {
        use crate::{
            metric::{Encoding, Metric},
            schema::Schema,
            snapshot::{SnapshotFile, write_collection},
        };
        for (metric, encoding, numbers) in [
            (Metric::Cosine, Encoding::F32, [FORMAT_METRIC_COSINE, FORMAT_ENCODING_F32]),
            (Metric::InnerProduct, Encoding::F16, [FORMAT_METRIC_INNER_PRODUCT, FORMAT_ENCODING_F16]),
            (Metric::L2, Encoding::I8, [FORMAT_METRIC_L2, FORMAT_ENCODING_I8]),
            (Metric::L2, Encoding::None, [FORMAT_METRIC_L2, FORMAT_ENCODING_NONE]),
        ] {
            let schema =
                Schema { collection: "c".into(), dimension: 9, metric, embedder: None, fields: Vec::new() };
            let file = write_collection(&schema, encoding, Vec::new()).unwrap();
            let opened = SnapshotFile::open(&file, file.len() as u64).unwrap();
            assert_eq!(opened.head().description()[..3], [9, numbers[0], numbers[1]]);
        }
    }

    #[test]
    fn a_graph_has_the_numbers_of_the_library() {
        use super::super::graph;
        assert_eq!((FORMAT_LINK_ROWS, FORMAT_NO_LINK), (graph::LINK_ROWS, graph::NO_LINK));
        assert_eq!(size_of::<FormatGraphCost>(), graph::COST_BYTES);
        assert_eq!(offset_of!(FormatGraphCost, clusters), 3 * 12 * 4);
    }

    #[test]
    fn cells_and_codes_end_with_the_structs() {
        assert_eq!(
            (FORMAT_CELL_SLOTS, FORMAT_EMPTY_SLOT),
            (clusters::CELL_SLOTS as u32, clusters::EMPTY_SLOT)
        );
        assert_eq!(clusters::cell_bytes(24), 4 * 24 + size_of::<FormatCellFactors>());
        assert_eq!(clusters::extended_bytes(24, 5), size_of::<FormatExtendedFactors>() + 24 * 5 / 8);
        let rows = offset_of!(FormatCellFactors, row);
        let mut cell = vec![0_u8; clusters::cell_bytes(24)];
        cell[4 * 24 + rows..][..4].copy_from_slice(&77_u32.to_le_bytes());
        assert_eq!(clusters::slot_rows(&cell).next(), Some(77));
    }
}
