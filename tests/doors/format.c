/* Reads a file of collections with nothing but the header of the format.
 *
 *     format FILE ROW
 *
 * Prints the number of rows, a line for each section (kind, blocks, rows, bytes), and the id of a row of the first
 * collection. Exit code 1 for anything that is not as docs/format.md says; no checksum is verified.
 */
#include <portolan_format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(portolan_format_header_t) == PORTOLAN_FORMAT_HEADER_BYTES, "header");
_Static_assert(sizeof(portolan_format_section_t) == PORTOLAN_FORMAT_SECTION_BYTES, "section");
_Static_assert(sizeof(portolan_format_cell_factors_t) == 8 * PORTOLAN_FORMAT_CELL_SLOTS, "cell");
_Static_assert(sizeof(portolan_format_extended_factors_t) == 12, "extended code");

typedef struct {
    const unsigned char *bytes;
    uint64_t length;
} span_t;

static void require(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

/* A part of a span, checked. */
static span_t part(span_t whole, uint64_t offset, uint64_t length) {
    require(offset <= whole.length && length <= whole.length - offset, "a part lies outside");
    span_t found = {whole.bytes + offset, length};
    return found;
}

static uint32_t number(span_t span, uint64_t place) {
    uint32_t value;
    memcpy(&value, part(span, 4 * place, 4).bytes, 4);
    return value;
}

static span_t read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    require(file != NULL && fseek(file, 0, SEEK_END) == 0, "the file cannot be opened");
    long length = ftell(file);
    require(length > 0 && fseek(file, 0, SEEK_SET) == 0, "the file is empty");
    unsigned char *bytes = malloc((size_t)length);
    require(bytes != NULL && fread(bytes, 1, (size_t)length, file) == (size_t)length, "the file cannot be read");
    fclose(file);
    span_t span = {bytes, (uint64_t)length};
    return span;
}

static portolan_format_header_t read_header(span_t file) {
    portolan_format_header_t header;
    memcpy(&header, part(file, 0, sizeof header).bytes, sizeof header);
    require(header.magic == PORTOLAN_FORMAT_MAGIC, "not a file of Portolan");
    require(header.oldest_reader <= PORTOLAN_FORMAT_VERSION, "the file is too new");
    require(header.file_kind == PORTOLAN_FORMAT_FILE_COLLECTIONS, "not a file of collections");
    require(header.file_bytes == file.length && header.head_bytes <= header.file_bytes, "the file was cut");
    return header;
}

/* The first block of a section, without its checksum. */
static span_t first_block(span_t file, const portolan_format_header_t *header, const portolan_format_section_t *section) {
    uint64_t table = PORTOLAN_FORMAT_HEADER_BYTES + (uint64_t)header->sections * PORTOLAN_FORMAT_SECTION_BYTES;
    span_t lengths = part(file, table, 4 * (uint64_t)header->lengths);
    uint32_t length = section->block_bytes != 0 ? section->block_bytes : number(lengths, section->first_length);
    require(length >= PORTOLAN_FORMAT_CHECKSUM_BYTES && length <= section->bytes, "a block has no room");
    return part(file, section->offset, length - PORTOLAN_FORMAT_CHECKSUM_BYTES);
}

/* Text `row` of a table of texts: how many, where each ends, the texts. */
static span_t text(span_t table, uint32_t row) {
    uint32_t count = number(table, 0);
    require(row < count, "there is no such row");
    uint32_t start = row == 0 ? 0 : number(table, row), end = number(table, 1 + (uint64_t)row);
    require(start <= end, "a text ends before it begins");
    return part(table, 4 + 4 * (uint64_t)count + start, end - start);
}

int main(int argc, char **argv) {
    require(argc == 3, "usage: format FILE ROW");
    span_t file = read_file(argv[1]), id = {NULL, 0};
    portolan_format_header_t header = read_header(file);
    printf("rows %llu\n", (unsigned long long)header.rows);
    for (uint32_t i = 0; i < header.sections; i++) {
        portolan_format_section_t section;
        uint64_t at = PORTOLAN_FORMAT_HEADER_BYTES + (uint64_t)i * sizeof section;
        memcpy(&section, part(file, at, sizeof section).bytes, sizeof section);
        printf("section %u blocks %u rows %llu bytes %llu\n", section.kind, section.blocks,
               (unsigned long long)section.rows, (unsigned long long)section.bytes);
        if (section.kind == PORTOLAN_FORMAT_KIND_IDS) {
            id = text(first_block(file, &header, &section), (uint32_t)strtoul(argv[2], NULL, 10));
        }
    }
    require(id.bytes != NULL, "there are no ids");
    printf("id %.*s\n", (int)id.length, (const char *)id.bytes);
    free((void *)file.bytes);
    return 0;
}
