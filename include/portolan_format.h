/*
 * The fixed-size parts of Portolan's files, format version 1; docs/format.md says what the numbers mean.
 *
 * Generated from core/src/snapshot/ondisk.rs by `cargo xtask headers`. Do not edit.
 *
 * For programs that read the format without libportolan: nothing here needs a library. Numbers are little-endian, so on
 * a big-endian machine these structs are not the file's. Check every offset and count against the length of the file
 * before you use it.
 */

#ifndef PORTOLAN_FORMAT_H
#define PORTOLAN_FORMAT_H

#include <stdint.h>

/**
 * The first eight bytes of every file, "PORTOLAN", as a number.
 */
#define PORTOLAN_FORMAT_MAGIC 5638872112045379408

/**
 * The version of the format that this header describes.
 */
#define PORTOLAN_FORMAT_VERSION 1

/**
 * Bytes of a `portolan_format_header_t`.
 */
#define PORTOLAN_FORMAT_HEADER_BYTES 128

/**
 * Bytes of a `portolan_format_section_t`.
 */
#define PORTOLAN_FORMAT_SECTION_BYTES 48

/**
 * Sections begin at multiples of this.
 */
#define PORTOLAN_FORMAT_ALIGNMENT 64

/**
 * Bytes of the checksum at the end of every block: the first eight of blake3 over the block's offset in the file (u64)
 * and the block's bytes before the checksum.
 */
#define PORTOLAN_FORMAT_CHECKSUM_BYTES 8

/**
 * File kind: collections.
 */
#define PORTOLAN_FORMAT_FILE_COLLECTIONS 1

/**
 * File kind: a static embedder.
 */
#define PORTOLAN_FORMAT_FILE_EMBEDDER 2

/**
 * Feature: the vectors are in clusters.
 */
#define PORTOLAN_FORMAT_FEATURE_CLUSTERS 1

/**
 * Feature: a row may stand in two clusters.
 */
#define PORTOLAN_FORMAT_FEATURE_SOFT 2

/**
 * Feature: several collections.
 */
#define PORTOLAN_FORMAT_FEATURE_PACKED 4

/**
 * Feature: extended codes.
 */
#define PORTOLAN_FORMAT_FEATURE_EXTENDED 8

/**
 * Feature: a graph that a reader has to know. Nothing writes it: the sections of a graph are optional.
 */
#define PORTOLAN_FORMAT_FEATURE_GRAPH 16

/**
 * Metric, the description's second value: cosine.
 */
#define PORTOLAN_FORMAT_METRIC_COSINE 0

/**
 * Metric: inner product.
 */
#define PORTOLAN_FORMAT_METRIC_INNER_PRODUCT 1

/**
 * Metric: squared Euclidean.
 */
#define PORTOLAN_FORMAT_METRIC_L2 2

/**
 * Encoding of vectors, the description's third value: f32.
 */
#define PORTOLAN_FORMAT_ENCODING_F32 0

/**
 * Encoding: f16.
 */
#define PORTOLAN_FORMAT_ENCODING_F16 1

/**
 * Encoding: a scale (f32) and a signed byte a component, filled up with zeros to a multiple of four.
 */
#define PORTOLAN_FORMAT_ENCODING_I8 2

/**
 * Encoding: there are no vectors, only codes.
 */
#define PORTOLAN_FORMAT_ENCODING_NONE 3

/**
 * Section: vectors as they were given, or nearly so.
 */
#define PORTOLAN_FORMAT_KIND_VECTORS 1

/**
 * Section: the values of a field.
 */
#define PORTOLAN_FORMAT_KIND_COLUMN 2

/**
 * Section: the distinct texts of a field, as a table of texts.
 */
#define PORTOLAN_FORMAT_KIND_DICTIONARY 3

/**
 * Section: the ids, as a table of texts.
 */
#define PORTOLAN_FORMAT_KIND_IDS 4

/**
 * Section: ids, documents and metadata.
 */
#define PORTOLAN_FORMAT_KIND_PAYLOAD 5

/**
 * Section: what routing knows of a collection.
 */
#define PORTOLAN_FORMAT_KIND_STATISTICS 6

/**
 * Section: the centres of the clusters.
 */
#define PORTOLAN_FORMAT_KIND_CENTROIDS 7

/**
 * Section: which slots of a cluster belong to which collection.
 */
#define PORTOLAN_FORMAT_KIND_MEMBERS 8

/**
 * Section: sign codes, in cells.
 */
#define PORTOLAN_FORMAT_KIND_CODES 9

/**
 * Section: extended codes.
 */
#define PORTOLAN_FORMAT_KIND_EXTENDED 10

/**
 * Section: the vocabulary of an embedder.
 */
#define PORTOLAN_FORMAT_KIND_VOCABULARY 16

/**
 * Section: the rows of an embedder's tokens.
 */
#define PORTOLAN_FORMAT_KIND_TOKEN_ROWS 17

/**
 * Section: the lines of the tokens in the vocabulary as it was given.
 */
#define PORTOLAN_FORMAT_KIND_TOKEN_NUMBERS 18

/**
 * Kinds from this one on may be passed over by who does not know them.
 */
#define PORTOLAN_FORMAT_KIND_OPTIONAL 32768

/**
 * Section, optional: what searches of the graph cost, `portolan_format_graph_cost_t`.
 */
#define PORTOLAN_FORMAT_KIND_GRAPH 32769

/**
 * Section, optional: the neighbours of each row in the graph.
 */
#define PORTOLAN_FORMAT_KIND_LINKS 32770

/**
 * The field of a section that belongs to no field.
 */
#define PORTOLAN_FORMAT_NO_FIELD 65535

/**
 * Slots of a cell of sign codes.
 */
#define PORTOLAN_FORMAT_CELL_SLOTS 32

/**
 * The row of a slot that is empty.
 */
#define PORTOLAN_FORMAT_EMPTY_SLOT 4294967295

/**
 * Rows whose neighbours are in a block of links.
 */
#define PORTOLAN_FORMAT_LINK_ROWS 64

/**
 * What stands behind a row's last neighbour.
 */
#define PORTOLAN_FORMAT_NO_LINK 4294967295

/**
 * The seed of the signs of the rotation.
 */
#define PORTOLAN_FORMAT_ROTATION_SEED 8101820099073958254

/**
 * The first 128 bytes of a file.
 */
typedef struct {
  /**
   * `PORTOLAN_FORMAT_MAGIC`.
   */
  uint64_t magic;
  /**
   * The version that the file was written in.
   */
  uint16_t version;
  /**
   * The oldest version whose readers may open the file.
   */
  uint16_t oldest_reader;
  /**
   * `PORTOLAN_FORMAT_FILE_...`.
   */
  uint32_t file_kind;
  /**
   * `PORTOLAN_FORMAT_FEATURE_...`: a reader refuses a file with a bit that it does not know.
   */
  uint64_t features;
  /**
   * The length of the file.
   */
  uint64_t file_bytes;
  /**
   * The length of the head: this header, the directory, the table of lengths, the description.
   */
  uint64_t head_bytes;
  /**
   * How many sections the directory, right after the header, has.
   */
  uint32_t sections;
  /**
   * How many lengths (u32) the table after the directory has.
   */
  uint32_t lengths;
  /**
   * Records of all collections, or tokens of an embedder.
   */
  uint64_t rows;
  /**
   * The first eight bytes of blake3 over the head, this field counted as zero.
   */
  uint64_t checksum;
  /**
   * blake3 of the file, this field and the checksum counted as zero.
   */
  uint8_t content_id[32];
  /**
   * Zero.
   */
  uint8_t reserved[32];
} portolan_format_header_t;

/**
 * An entry of the directory.
 */
typedef struct {
  /**
   * `PORTOLAN_FORMAT_KIND_...`.
   */
  uint16_t kind;
  /**
   * The field that it belongs to, or `PORTOLAN_FORMAT_NO_FIELD`.
   */
  uint16_t field;
  /**
   * Rows of a block; 0 for one block a collection, or one for the file.
   */
  uint32_t rows_per_block;
  /**
   * The length of every block, its checksum included; 0 where the lengths are in the table.
   */
  uint32_t block_bytes;
  /**
   * The place of the first block's length in the table.
   */
  uint32_t first_length;
  /**
   * How many blocks.
   */
  uint32_t blocks;
  /**
   * Zero.
   */
  uint32_t reserved;
  /**
   * Where the section begins in the file.
   */
  uint64_t offset;
  /**
   * The length of the section.
   */
  uint64_t bytes;
  /**
   * The rows that it holds.
   */
  uint64_t rows;
} portolan_format_section_t;

/**
 * What follows the sign codes of a cell. The codes: for every four components 16 bytes, of which byte j holds those of
 * slot j in its low half, those of slot j + 16 in its high half, the first component in the lowest bit.
 */
typedef struct {
  /**
   * What is added to an estimate of a slot, as f16, in units of `a_scale`.
   */
  uint16_t offset[32];
  /**
   * What the product of the codes is multiplied with, as f16, in units of `f_scale`.
   */
  uint16_t factor[32];
  /**
   * The row in the file, or `PORTOLAN_FORMAT_EMPTY_SLOT`.
   */
  uint32_t row[32];
} portolan_format_cell_factors_t;

/**
 * An entry of the members of a collection: the slots of a cluster that are its own.
 */
typedef struct {
  /**
   * The cluster.
   */
  uint32_t cluster;
  /**
   * The first slot, counted from the cluster's first.
   */
  uint32_t first_slot;
  /**
   * How many slots.
   */
  uint32_t slots;
} portolan_format_member_t;

/**
 * What stands before the packed components of an extended code.
 */
typedef struct {
  /**
   * The row's first cluster.
   */
  uint32_t cluster;
  /**
   * What is added to the estimate.
   */
  float offset;
  /**
   * What the product of the codes is multiplied with.
   */
  float factor;
} portolan_format_extended_factors_t;

/**
 * What stands before the components of a row in bytes: of an `i8` vector and of an embedder's token.
 */
typedef struct {
  /**
   * The value of a component is this times its byte.
   */
  float scale;
} portolan_format_row_scale_t;

/**
 * The block of the section graph: each for 10, 100 and 1000 nearest rows at the recalls 0.80, 0.90, 0.95 and 0.99.
 */
typedef struct {
  /**
   * The recall at which clusters are read for the rows that a search begins with.
   */
  float entry[12];
  /**
   * How many rows a search keeps in view.
   */
  float width[12];
  /**
   * What it costs, in slots that are scanned.
   */
  float walk[12];
  /**
   * What a search by clusters alone costs.
   */
  float clusters[12];
} portolan_format_graph_cost_t;

#endif  /* PORTOLAN_FORMAT_H */
