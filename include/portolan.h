/*
 * Portolan 0.1.0: vector search over release folders, in C and C++.
 *
 * Generated from the Rust sources by `cargo run -p portolan-ffi --features headers --bin generate_headers`.
 * Do not edit.
 *
 * Objects. portolan_release_t, portolan_params_t, portolan_options_t, portolan_result_t and portolan_error_t are
 * handles: you get one through an out-parameter or from a _new function and give it back to its _free function, once.
 * _free(NULL) is fine.
 *
 * Views. Every `const char *` that a function returns, and every text in a struct that it fills, is a view into the
 * handle it came from: never free it, never use it after that handle was freed. A result owns all it shows; it may
 * outlive its release and its parameters. What goes in is copied, and is yours again when the call returns.
 *
 * Errors. Functions that can fail return 0 or a number of portolan_code. They write an out-parameter only on success
 * and *error only on failure. `error` may be NULL when the number is enough. No call crashes on a NULL handle: it
 * fails with PORTOLAN_CODE_NULL_ARGUMENT, or returns what its comment says.
 *
 * Threads. Releases, results and errors never change once made; parameters and options only through their functions.
 * A function that takes a `const` handle may be called from any number of threads on the same handle at the same time,
 * without a lock. _free, and a function that takes a handle without `const`, needs it for itself.
 *
 * Text. UTF-8, with a NUL after the last byte, in both directions. A text that itself holds a NUL seems to end there:
 * read such ids through portolan_result_value, which gives the length, or from the JSON, and bind such texts as JSON.
 */
#ifndef PORTOLAN_H
#define PORTOLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The version of this header; compare with portolan_version_number(). */
#define PORTOLAN_VERSION "0.1.0"
#define PORTOLAN_VERSION_MAJOR 0
#define PORTOLAN_VERSION_MINOR 1
#define PORTOLAN_VERSION_PATCH 0
#define PORTOLAN_VERSION_NUMBER 1000

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version ---- */

/** The library's version, such as "0.1.0". The header's is `PORTOLAN_VERSION`. Never freed. */
const char *portolan_version(void);

/**
 * The library's version as a number that grows: major * 1000000 + minor * 1000 + patch. The header's is
 * `PORTOLAN_VERSION_NUMBER`.
 */
uint32_t portolan_version_number(void);

/* ---- Errors ---- */

/**
 * What went wrong, exactly. Numbers are never reused; a newer library may return numbers that are not listed here.
 *
 * 1000 to 1999: the statement. 2000 to 2999: a name that is not there. 3000 to 3999: a vector or text that cannot
 * be accepted. 4000 to 4999: a file. 5000 to 5999: the operating system. 6000 to 6999: the call.
 */
enum portolan_code {
    /** No error. */
    PORTOLAN_CODE_OK = 0,
    /** A token that the grammar does not allow there. */
    PORTOLAN_CODE_UNEXPECTED_TOKEN = 1001,
    /** The statement ends too early. */
    PORTOLAN_CODE_UNEXPECTED_END = 1002,
    /** A character that begins no token. */
    PORTOLAN_CODE_UNEXPECTED_CHARACTER = 1003,
    /** A string or quoted name without its closing quote. */
    PORTOLAN_CODE_UNTERMINATED_STRING = 1004,
    /** An escape that denotes no character. */
    PORTOLAN_CODE_BAD_STRING_ESCAPE = 1005,
    /** A number that is not written as one. */
    PORTOLAN_CODE_BAD_NUMBER = 1006,
    /** A number that does not fit its type. */
    PORTOLAN_CODE_NUMBER_OUT_OF_RANGE = 1007,
    /** A vector without numbers. */
    PORTOLAN_CODE_EMPTY_VECTOR = 1008,
    /** A comment without its end. */
    PORTOLAN_CODE_UNTERMINATED_COMMENT = 1009,
    /** A clause that stands twice. */
    PORTOLAN_CODE_DUPLICATE_CLAUSE = 1010,
    /** A part of SQL that this language does not have. */
    PORTOLAN_CODE_NOT_SUPPORTED = 1011,
    /** A field that no record has. */
    PORTOLAN_CODE_UNKNOWN_FIELD = 1012,
    /** The statement is longer than 1 MiB. */
    PORTOLAN_CODE_STATEMENT_TOO_LONG = 1013,
    /** Too many parentheses inside each other. */
    PORTOLAN_CODE_NESTING_TOO_DEEP = 1014,
    /** Too many items in one list. */
    PORTOLAN_CODE_LIST_TOO_LONG = 1015,
    /** A quoted name with nothing in it. */
    PORTOLAN_CODE_EMPTY_NAME = 1016,
    /** TOPK without USING EMBEDDING. */
    PORTOLAN_CODE_TOPK_NEEDS_EMBEDDING = 1101,
    /** TOPK of zero or less. */
    PORTOLAN_CODE_TOPK_NOT_POSITIVE = 1102,
    /** LIMIT below zero. */
    PORTOLAN_CODE_LIMIT_NEGATIVE = 1103,
    /** OFFSET below zero. */
    PORTOLAN_CODE_OFFSET_NEGATIVE = 1104,
    /** Two output columns of the same name. */
    PORTOLAN_CODE_DUPLICATE_COLUMN = 1105,
    /** `document` compared with something that is no text. */
    PORTOLAN_CODE_DOCUMENT_PREDICATE_KIND = 1106,
    /** A field that WHERE cannot test. */
    PORTOLAN_CODE_FIELD_NOT_FILTERABLE = 1107,
    /** TEXT without a text. */
    PORTOLAN_CODE_EMPTY_TEXT = 1108,
    /** `id` compared with something that is no text. */
    PORTOLAN_CODE_ID_VALUE_TYPE = 1109,
    /** `id` in a list that holds something that is no text. */
    PORTOLAN_CODE_ID_IN_TYPE = 1110,
    /** ORDER BY, GROUP BY or an aggregate of `distance` without USING EMBEDDING. */
    PORTOLAN_CODE_ORDER_DISTANCE_NEEDS_EMBEDDING = 1111,
    /** ORDER BY, GROUP BY or an aggregate of `score` where neither MMR nor RRF gives one. */
    PORTOLAN_CODE_SCORE_NEEDS_RANKING = 1112,
    /** ORDER BY, GROUP BY or an aggregate of `item` without BATCH, or where FUSE BY joins its items. */
    PORTOLAN_CODE_ITEM_NEEDS_BATCH = 1113,
    /** A value beside GROUP BY or an aggregate that is not one for the whole group. */
    PORTOLAN_CODE_NOT_GROUPED = 1114,
    /** An aggregate in WHERE or GROUP BY, or in the ORDER BY of rows. */
    PORTOLAN_CODE_AGGREGATE_NOT_ALLOWED = 1115,
    /** `embedding` or the whole of `metadata` where values are compared: ORDER BY, GROUP BY, aggregates. */
    PORTOLAN_CODE_NO_ORDER = 1116,
    /** Arithmetic, SUM or AVG with a field that is never a number. */
    PORTOLAN_CODE_NOT_A_NUMBER = 1117,
    /** FUSE BY RRF without BATCH. */
    PORTOLAN_CODE_FUSE_NEEDS_BATCH = 1118,
    /** RERANK BY MMR without USING EMBEDDING, or together with FUSE BY. */
    PORTOLAN_CODE_RERANK_NOT_POSSIBLE = 1119,
    /** WITH SCORE THRESHOLD without USING EMBEDDING. */
    PORTOLAN_CODE_THRESHOLD_NEEDS_EMBEDDING = 1120,
    /** RECALL that is not above 0 and at most 1. */
    PORTOLAN_CODE_RECALL_OUT_OF_RANGE = 1121,
    /** CANDIDATES below 1; candidates of MMR below 1 or above 10,000. */
    PORTOLAN_CODE_CANDIDATES_OUT_OF_RANGE = 1122,
    /** MMR's lambda outside of 0 to 1. */
    PORTOLAN_CODE_LAMBDA_OUT_OF_RANGE = 1123,
    /** The constant of RRF is zero or less. */
    PORTOLAN_CODE_RRF_K_NOT_POSITIVE = 1124,
    /** A parameter of MMR that it does not have, or one given twice. */
    PORTOLAN_CODE_MMR_OPTION = 1125,
    /** TOP of zero or less, after GROUP BY. */
    PORTOLAN_CODE_TOP_NOT_POSITIVE = 1126,
    /** ORDER BY a name that is neither a field nor an output column. */
    PORTOLAN_CODE_UNKNOWN_ORDER_KEY = 1127,
    /** LIKE, ILIKE, REGEX or STARTS WITH something that is no text. */
    PORTOLAN_CODE_PATTERN_NOT_TEXT = 1128,
    /** A pattern that cannot be read. */
    PORTOLAN_CODE_BAD_PATTERN = 1129,
    /** A `?` or `:name` for which no value was given. */
    PORTOLAN_CODE_MISSING_PARAMETER = 1130,
    /** A value for a `?` or `:name` that the statement does not have. */
    PORTOLAN_CODE_UNUSED_PARAMETER = 1131,
    /** The value of a parameter has a type that cannot stand there. */
    PORTOLAN_CODE_PARAMETER_TYPE = 1132,
    /** AFTER together with BATCH, MMR, GROUP BY, an aggregate or OFFSET. */
    PORTOLAN_CODE_CURSOR_NOT_POSSIBLE = 1133,
    /** AFTER a text that is no cursor of this statement. */
    PORTOLAN_CODE_BAD_CURSOR = 1134,
    /** A literal of another type than the column it is compared with. */
    PORTOLAN_CODE_TYPE_MISMATCH = 1201,
    /** A column of lists in WHERE. */
    PORTOLAN_CODE_LIST_NOT_FILTERABLE = 1202,
    /** A text compared with a time column that is no ISO 8601 date or time. */
    PORTOLAN_CODE_BAD_TIME = 1203,
    /** An order asked of a column of booleans. */
    PORTOLAN_CODE_BOOL_HAS_NO_ORDER = 1204,
    /** A column of JSON in WHERE. */
    PORTOLAN_CODE_JSON_NOT_FILTERABLE = 1205,
    /** No collection of that name. */
    PORTOLAN_CODE_UNKNOWN_COLLECTION = 2001,
    /** None of the asked collections has that column. */
    PORTOLAN_CODE_UNKNOWN_COLUMN = 2002,
    /** No model of that name. */
    PORTOLAN_CODE_UNKNOWN_MODEL = 2003,
    /** A file of the release is not in its folder. */
    PORTOLAN_CODE_MISSING_FILE = 2004,
    /** TEXT was asked, but the release carries no embedder for the collection. */
    PORTOLAN_CODE_NO_EMBEDDER = 2005,
    /** The release holds no collections. */
    PORTOLAN_CODE_EMPTY_RELEASE = 2006,
    /** MODEL names an embedder that did not make the collection's vectors. */
    PORTOLAN_CODE_OTHER_EMBEDDER = 2007,
    /** The asked collections differ in metric, dimension or embedder. */
    PORTOLAN_CODE_MIXED_SPACES = 2008,
    /** A collection is filled by an embedder that the registry does not declare. */
    PORTOLAN_CODE_UNDECLARED_EMBEDDER = 2009,
    /** A routing file that cannot be used. */
    PORTOLAN_CODE_BAD_ROUTING = 2010,
    /** Routing is strict, and the statement does not say which collections it needs. */
    PORTOLAN_CODE_UNROUTED = 2011,
    /** SIMILARITY asks for a metric that the stored vectors do not allow. */
    PORTOLAN_CODE_SIMILARITY_NOT_POSSIBLE = 2012,
    /** The statement took longer than allowed. */
    PORTOLAN_CODE_TIMED_OUT = 2013,
    /** The statement was stopped by its caller. */
    PORTOLAN_CODE_STOPPED = 2014,
    /** The statement needs vectors, and the collection was exported without. */
    PORTOLAN_CODE_NO_VECTORS = 2015,
    /** The query's vector does not have the collection's dimension. */
    PORTOLAN_CODE_WRONG_DIMENSION = 3001,
    /** A number of a vector is NaN or infinite. */
    PORTOLAN_CODE_NOT_FINITE = 3002,
    /** A vector of zeros, under cosine. */
    PORTOLAN_CODE_ZERO_VECTOR = 3003,
    /** The text has no word that the embedder knows. */
    PORTOLAN_CODE_NOTHING_TO_EMBED = 3004,
    /** The embedder's files do not fit together. */
    PORTOLAN_CODE_BAD_EMBEDDER = 3005,
    /** A number of a vector is too large for the encoding. */
    PORTOLAN_CODE_OUT_OF_RANGE = 3006,
    /** Not a Portolan file. */
    PORTOLAN_CODE_BAD_MAGIC = 4001,
    /** The file needs a newer library. */
    PORTOLAN_CODE_TOO_NEW = 4002,
    /** The file's format is no longer read. */
    PORTOLAN_CODE_TOO_OLD = 4003,
    /** The file needs features that this library does not know. */
    PORTOLAN_CODE_UNKNOWN_FEATURES = 4004,
    /** The file is shorter or longer than it should be. */
    PORTOLAN_CODE_WRONG_LENGTH = 4005,
    /** A checksum does not match. */
    PORTOLAN_CODE_CHECKSUM = 4006,
    /** A value in the file contradicts another. */
    PORTOLAN_CODE_MALFORMED = 4007,
    /** release.json cannot be read, or describes other files. */
    PORTOLAN_CODE_BAD_RELEASE = 4008,
    /** A snapshot cannot be written. */
    PORTOLAN_CODE_CANNOT_WRITE = 4009,
    /** A file cannot be read. */
    PORTOLAN_CODE_FILE = 5001,
    /** An argument is NULL that must not be. */
    PORTOLAN_CODE_NULL_ARGUMENT = 6001,
    /** A text argument is not UTF-8. */
    PORTOLAN_CODE_NOT_UTF8 = 6002,
    /** The library has a bug: it panicked. The handles stay usable. */
    PORTOLAN_CODE_PANIC = 6003,
    /** There is no such row, column, set or collection in the result. */
    PORTOLAN_CODE_NO_SUCH_CELL = 6004,
    /** An argument is not what it must be: JSON that is no parameter, a length that no array has. The message says why. */
    PORTOLAN_CODE_BAD_ARGUMENT = 6005,
    /** The program's own router refused the statement. */
    PORTOLAN_CODE_ROUTER_REFUSED = 6006,
};
typedef uint32_t portolan_code_t;

/** Whose turn it is after an error. */
enum portolan_kind {
    /** No error. */
    PORTOLAN_KIND_NONE = 0,
    /** The caller must change the request. */
    PORTOLAN_KIND_USAGE = 1,
    /** Something named does not exist. */
    PORTOLAN_KIND_NOT_FOUND = 2,
    /** The file needs another version of this library. */
    PORTOLAN_KIND_UNSUPPORTED = 3,
    /** The file's bytes are not what was written. */
    PORTOLAN_KIND_DAMAGED = 4,
    /** The operating system refused. */
    PORTOLAN_KIND_IO = 5,
    /** The library has a bug; please report it. */
    PORTOLAN_KIND_INTERNAL = 6,
};
typedef uint32_t portolan_kind_t;

/** Why a call failed. Free it with `portolan_error_free`. */
typedef struct portolan_error portolan_error_t;

/** The error's number, one of the `PORTOLAN_CODE_` constants; 0 for NULL. */
uint32_t portolan_error_code(const portolan_error_t *error);

/** Whose turn it is after the error; `PORTOLAN_KIND_NONE` for NULL. */
portolan_kind_t portolan_error_kind(const portolan_error_t *error);

/** What happened, where, and what to do, in English; "" for NULL. A view: it lives as long as the error. */
const char *portolan_error_message(const portolan_error_t *error);

/** The line of the statement where it is wrong, from 1; 0 for an error that is not about the statement's text. */
uint32_t portolan_error_line(const portolan_error_t *error);

/** The column of that line, from 1, in characters; 0 for an error that is not about the statement's text. */
uint32_t portolan_error_column(const portolan_error_t *error);

/**
 * What to write instead, which is also the end of the message; "" where there is no more to say. A view: it lives as
 * long as the error.
 */
const char *portolan_error_hint(const portolan_error_t *error);

/** Frees an error and its message. NULL is fine. */
void portolan_error_free(portolan_error_t *error);

/* ---- Releases ---- */

/** An opened release. Immutable: share one among as many threads as you like. Free it with `portolan_release_free`. */
typedef struct portolan_release portolan_release_t;

/**
 * Opens the release in `folder`, a path in UTF-8.
 *
 * The files are mapped, not read; keep them unchanged while the release is open.
 *
 * @param out    receives the release on success; free it with `portolan_release_free`
 * @param error  receives the reason on failure, unless NULL; free it with `portolan_error_free`
 * @return       0, or the error's number
 */
uint32_t portolan_release_open(const char *folder, portolan_release_t **out, portolan_error_t **error);

/** The release's id: equal ids, equal content. NULL for NULL. A view: it lives as long as the release. */
const char *portolan_release_id(const portolan_release_t *release);

/** How many collections the release holds; 0 for NULL. */
size_t portolan_release_collection_count(const portolan_release_t *release);

/**
 * The name of a collection; collections are sorted by name. NULL when there is no such collection. A view: it lives
 * as long as the release.
 */
const char *portolan_release_collection_name(const portolan_release_t *release, size_t collection);

/** How many records a collection holds; 0 when there is no such collection. */
uint64_t portolan_release_collection_rows(const portolan_release_t *release, size_t collection);

/** What a program is going to do with a release. */
enum portolan_advice {
    /** Nothing in particular: how a release is opened. */
    PORTOLAN_ADVICE_NORMAL = 0,
    /**
     * Search it: what every search reads is brought now, in the background; vectors and records one by one when they
     * are asked for, so that memory smaller than the files is not spent on what nobody asked for.
     */
    PORTOLAN_ADVICE_SEARCH = 1,
    /** Search it without ever waiting for the disk: all of it is brought now, in the background. */
    PORTOLAN_ADVICE_ALL = 2,
};
typedef uint32_t portolan_advice_t;

/**
 * Tells the operating system what the release is opened for. Changes no answer, and does not wait for the disk; where the
 * operating system takes no advice, it does nothing.
 *
 * @param advice  one of `portolan_advice_t`
 * @param error   receives the reason on failure, unless NULL; free it with `portolan_error_free`
 * @return        0, or the error's number
 */
uint32_t portolan_release_advise(
    const portolan_release_t *release,
    uint32_t advice,
    portolan_error_t **error);

/**
 * Reads every byte of the release and checks it against its checksums and hashes.
 *
 * @param error  receives the first thing that is wrong, unless NULL; free it with `portolan_error_free`
 * @return       0 when all is as it was written, or the error's number
 */
uint32_t portolan_release_verify(const portolan_release_t *release, portolan_error_t **error);

/** Closes a release. No other thread may be using it. Its results stay. NULL is fine. */
void portolan_release_free(portolan_release_t *release);

/* ---- Parameters ---- */

/**
 * The values of a statement's `?` and `:name`. Collect them with `portolan_params_bind_...`, use them for as many
 * statements as you like, free them with `portolan_params_free`.
 *
 * A bound value needs no quoting and can never become syntax. Every `bind` copies what it is given, and takes a `name`:
 * that of `:name`, without the colon, or NULL for the next `?`. Of values of one name the last counts. Whether a value
 * fits its place is known when the statement is asked.
 */
typedef struct portolan_params portolan_params_t;

/** An empty set of parameters; NULL only if the library panicked. Free it with `portolan_params_free`. */
portolan_params_t *portolan_params_new(void);

/**
 * Binds null.
 *
 * @return  0, `PORTOLAN_CODE_NULL_ARGUMENT` or `PORTOLAN_CODE_NOT_UTF8`
 */
uint32_t portolan_params_bind_null(portolan_params_t *params, const char *name);

/**
 * Binds a boolean.
 *
 * @return  0, `PORTOLAN_CODE_NULL_ARGUMENT` or `PORTOLAN_CODE_NOT_UTF8`
 */
uint32_t portolan_params_bind_bool(portolan_params_t *params, const char *name, bool value);

/**
 * Binds an integer.
 *
 * @return  0, `PORTOLAN_CODE_NULL_ARGUMENT` or `PORTOLAN_CODE_NOT_UTF8`
 */
uint32_t portolan_params_bind_int(portolan_params_t *params, const char *name, int64_t value);

/**
 * Binds a number. NaN and infinity are refused when the statement is asked.
 *
 * @return  0, `PORTOLAN_CODE_NULL_ARGUMENT` or `PORTOLAN_CODE_NOT_UTF8`
 */
uint32_t portolan_params_bind_float(portolan_params_t *params, const char *name, double value);

/**
 * Binds a text in UTF-8, up to its NUL. One that itself holds a NUL is bound as JSON.
 *
 * @return  0, `PORTOLAN_CODE_NULL_ARGUMENT` or `PORTOLAN_CODE_NOT_UTF8`
 */
uint32_t portolan_params_bind_text(portolan_params_t *params, const char *name, const char *value);

/**
 * Binds a time, in microseconds since 1970-01-01T00:00:00Z.
 *
 * @return  0, `PORTOLAN_CODE_NULL_ARGUMENT` or `PORTOLAN_CODE_NOT_UTF8`
 */
uint32_t portolan_params_bind_time(portolan_params_t *params, const char *name, int64_t microseconds);

/**
 * Binds a query vector of `length` numbers, for VECTOR. NaN, infinity and a length of 0 are refused when the statement
 * is asked.
 *
 * @return  0, `PORTOLAN_CODE_NULL_ARGUMENT`, `PORTOLAN_CODE_NOT_UTF8` or `PORTOLAN_CODE_BAD_ARGUMENT`
 */
uint32_t portolan_params_bind_vector(
    portolan_params_t *params,
    const char *name,
    const float *numbers,
    size_t length);

/**
 * Binds a value that is written as JSON, as in `portolan_params_from_json`: a list such as `["a", "b"]`, or any other.
 *
 * @param json   one value, in UTF-8
 * @param error  receives the reason on failure, unless NULL; free it with `portolan_error_free`
 * @return       0, or the error's number
 */
uint32_t portolan_params_bind_json(
    portolan_params_t *params,
    const char *name,
    const char *json,
    portolan_error_t **error);

/**
 * All parameters of a statement, written as JSON: an array for `?`, an object for `:name`.
 *
 * A value is null, a boolean, a number (an integer if it has neither point nor exponent), a text, or an array of these
 * for IN, CONTAINS and VECTOR. `{"time": "2024-05-01T12:00:00Z"}` is a time, `{"int": "9007199254740993"}` an integer that
 * a program keeps as text, `{"vector": [0.5, 1]}` a query vector.
 *
 * @param json   the text, in UTF-8
 * @param out    receives the parameters on success; free them with `portolan_params_free`
 * @param error  receives the reason on failure, unless NULL; free it with `portolan_error_free`
 * @return       0, or the error's number
 */
uint32_t portolan_params_from_json(const char *json, portolan_params_t **out, portolan_error_t **error);

/** Frees parameters. NULL is fine. */
void portolan_params_free(portolan_params_t *params);

/* ---- Options ---- */

/**
 * How statements are run. Set it up with `portolan_options_set_...`, use it for as many statements as you like, free it
 * with `portolan_options_free`.
 */
typedef struct portolan_options portolan_options_t;

/**
 * Options with nothing set: strict, no timeout, as many threads as there are processors, no router. NULL only if the
 * library panicked. Free them with `portolan_options_free`.
 */
portolan_options_t *portolan_options_new(void);

/**
 * Whether one collection that cannot be searched fails the statement; otherwise it is reported as failed, and the rows of
 * the others are the answer. If none can be searched the statement fails all the same. At first: true.
 *
 * @return  0 or `PORTOLAN_CODE_NULL_ARGUMENT`
 */
uint32_t portolan_options_set_strict(portolan_options_t *options, bool strict);

/**
 * The longest a statement may take, in milliseconds from the call on; then it fails with `PORTOLAN_CODE_TIMED_OUT`. 0 is no
 * limit, as at first.
 *
 * @return  0 or `PORTOLAN_CODE_NULL_ARGUMENT`
 */
uint32_t portolan_options_set_timeout_ms(portolan_options_t *options, uint64_t milliseconds);

/**
 * The most threads that one statement is searched with, the caller's included. The answer does not depend on it, and small
 * statements take one whatever is said here. 0 is as many as there are processors, as at first.
 *
 * @return  0 or `PORTOLAN_CODE_NULL_ARGUMENT`
 */
uint32_t portolan_options_set_threads(portolan_options_t *options, size_t threads);

/**
 * Has a routing file say which collections a statement needs: docs/routing.md says what is in it. Takes the place of a
 * router that was set before.
 *
 * @param json      the text of the file, in UTF-8; NULL for no routing
 * @param fallback  whether a statement that does not say which collections it needs asks all of them; otherwise it fails
 * with `PORTOLAN_CODE_UNROUTED`
 * @param error     receives the reason on failure, unless NULL; free it with `portolan_error_free`
 * @return          0, or the error's number
 */
uint32_t portolan_options_set_routing(
    portolan_options_t *options,
    const char *json,
    bool fallback,
    portolan_error_t **error);

/**
 * Has a function of yours say which collections a statement asks. Takes the place of routing that was set before.
 *
 * The function is called once for each statement, on the thread that asks, with `context`, the names of the collections
 * that FROM stands for, their count, and as many places, all false: it sets those to true that are to be asked. A
 * collection may be left out only if it holds no matching record, for its rows will be missing. The names live as long as
 * the call. The function returns 0, or any other number, which fails the statement with `PORTOLAN_CODE_ROUTER_REFUSED`. It
 * must not unwind or jump out of the call; it may ask the same release. If threads share the options, it is called from all
 * of them, with the same `context`.
 *
 * @param callback  the function; NULL for none
 * @param context   passed to the function as it is, and never looked at
 * @return          0 or `PORTOLAN_CODE_NULL_ARGUMENT`
 */
uint32_t portolan_options_set_router(
    portolan_options_t *options,
    uint32_t (*callback)(void *, const char *const *, size_t, bool *),
    void *context);

/** Frees options. NULL is fine. */
void portolan_options_free(portolan_options_t *options);

/* ---- Queries and their results ---- */

/**
 * The answer to one statement. Immutable: threads may share it. It owns all its texts. Free it with
 * `portolan_result_free`.
 */
typedef struct portolan_result portolan_result_t;

/**
 * Answers one statement without parameters, such as
 * `SELECT id, document FROM * USING EMBEDDING (TEXT 'a bird that cannot fly') TOPK 10`.
 *
 * Text from outside does not belong into the statement, where it would need quoting: write `TEXT ?`, bind it, and call
 * `portolan_query_with`.
 *
 * @param sql    the statement, in UTF-8
 * @param out    receives the result on success; free it with `portolan_result_free`
 * @param error  receives the reason on failure, unless NULL; free it with `portolan_error_free`
 * @return       0, or the error's number
 */
uint32_t portolan_query(
    const portolan_release_t *release,
    const char *sql,
    portolan_result_t **out,
    portolan_error_t **error);

/**
 * Answers one statement with values for its `?` and `:name`, and as the options say.
 *
 * @param sql      the statement, in UTF-8
 * @param params   the values; NULL for none
 * @param options  how to run it; NULL for options with nothing set
 * @param out      receives the result on success; free it with `portolan_result_free`
 * @param error    receives the reason on failure, unless NULL; free it with `portolan_error_free`
 * @return         0, or the error's number
 */
uint32_t portolan_query_with(
    const portolan_release_t *release,
    const char *sql,
    const portolan_params_t *params,
    const portolan_options_t *options,
    portolan_result_t **out,
    portolan_error_t **error);

/**
 * The whole answer as JSON: `columns`, `rows` (an object per row), `row_ids` (null for a group), `collections` (those
 * `asked`, `skipped` and `failed`), `waves`, `notes`; `sets` for a BATCH, `cursor` where there is a next page, `explanation`
 * and `plan` for an EXPLAIN. NULL for NULL. A view: it lives as long as the result.
 */
const char *portolan_result_json(const portolan_result_t *result);

/** How many rows the answer has; 0 for NULL. */
size_t portolan_result_row_count(const portolan_result_t *result);

/**
 * The id of a row's record, selected or not; NULL when there is no such row, or the row stands for a group. A view:
 * it lives as long as the result.
 */
const char *portolan_result_row_id(const portolan_result_t *result, size_t row);

/**
 * The collection that a row comes from; NULL when there is no such row, or the row stands for a group. A view: it lives
 * as long as the result.
 */
const char *portolan_result_row_collection(const portolan_result_t *result, size_t row);

/** A row's distance to the query; NaN when the statement searched for nothing, or there is no such row. */
double portolan_result_row_distance(const portolan_result_t *result, size_t row);

/** What RRF or MMR ranked a row by, larger is better; NaN without either, or when there is no such row. */
double portolan_result_row_score(const portolan_result_t *result, size_t row);

/**
 * Which item of a BATCH a row answers, from 0; -1 without BATCH, when its items were fused, or when there is no such
 * row.
 */
int64_t portolan_result_row_item(const portolan_result_t *result, size_t row);

/** How many columns the statement selected; 0 for NULL. */
size_t portolan_result_column_count(const portolan_result_t *result);

/** The name of a column; NULL when there is no such column. A view: it lives as long as the result. */
const char *portolan_result_column_name(const portolan_result_t *result, size_t column);

/** The type of a value. */
enum portolan_type {
    /** Missing or unknown. */
    PORTOLAN_TYPE_NULL = 0,
    /** True or false, in `boolean`. */
    PORTOLAN_TYPE_BOOL = 1,
    /** An integer, in `integer`, and in `number` as near as a double comes. */
    PORTOLAN_TYPE_INT = 2,
    /** A finite number, in `number`. */
    PORTOLAN_TYPE_FLOAT = 3,
    /** Text, in `text`. */
    PORTOLAN_TYPE_TEXT = 4,
    /** A time, in `integer` as microseconds since 1970-01-01T00:00:00Z and in `text` as ISO 8601. */
    PORTOLAN_TYPE_TIME = 5,
    /** A list, in `text` as JSON. */
    PORTOLAN_TYPE_LIST = 6,
    /** A nested object, in `text` as JSON. */
    PORTOLAN_TYPE_OBJECT = 7,
};
typedef uint32_t portolan_type_t;

/** One cell of a result. Fields that the type does not name are zero; `text` is always there. */
typedef struct portolan_value {
    /** Which of the fields holds the value. */
    portolan_type_t type;
    /** The value of a boolean. */
    bool boolean;
    /** The value of an integer or a time. */
    int64_t integer;
    /** The value of a number; an integer or a float. */
    double number;
    /**
     * The value as text: a text as it is, a time as ISO 8601, all else as JSON. NUL after the last byte. A view: it
     * lives as long as the result.
     */
    const char *text;
    /** The length of `text` in bytes, for texts that contain NULs. */
    size_t text_bytes;
} portolan_value_t;

/**
 * The value of a row in a column.
 *
 * @param out    receives the value on success; its text is a view that lives as long as the result
 * @return       0, or `PORTOLAN_CODE_NO_SUCH_CELL`, or `PORTOLAN_CODE_NULL_ARGUMENT`
 */
uint32_t portolan_result_value(
    const portolan_result_t *result,
    size_t row,
    size_t column,
    portolan_value_t *out);

/** The rows that answer one item of a BATCH: they stand together, in their order. */
typedef struct portolan_set {
    /** The item, from 0. */
    uint32_t item;
    /** Its first row. */
    size_t first;
    /** How many rows it has; there may be none. */
    size_t rows;
} portolan_set_t;

/** How many items of a BATCH the rows answer; 0 without BATCH, when its items were fused, and for NULL. */
size_t portolan_result_set_count(const portolan_result_t *result);

/**
 * Which rows answer one item of a BATCH.
 *
 * @param out    receives the place of the rows on success
 * @return       0, or `PORTOLAN_CODE_NO_SUCH_CELL`, or `PORTOLAN_CODE_NULL_ARGUMENT`
 */
uint32_t portolan_result_set(const portolan_result_t *result, size_t set, portolan_set_t *out);

/** How many remarks the answer carries: what a reader of the rows should know. 0 for NULL. */
size_t portolan_result_note_count(const portolan_result_t *result);

/** A remark; NULL when there is no such remark. A view: it lives as long as the result. */
const char *portolan_result_note(const portolan_result_t *result, size_t note);

/**
 * Where the next page begins: the same statement with AFTER and this text gives it. NULL when there is no further page,
 * or the statement cannot be paged. A view: it lives as long as the result.
 */
const char *portolan_result_cursor(const portolan_result_t *result);

/**
 * The plan for people, when the statement was an EXPLAIN; else NULL. With EXPLAIN ANALYZE it says what was done, beside
 * the rows. A view: it lives as long as the result.
 */
const char *portolan_result_explanation(const portolan_result_t *result);

/** The plan as JSON, when the statement was an EXPLAIN; else NULL. A view: it lives as long as the result. */
const char *portolan_result_plan(const portolan_result_t *result);

/** What became of a collection that FROM names. */
enum portolan_outcome {
    /** It was searched. */
    PORTOLAN_OUTCOME_ASKED = 0,
    /** It provably holds no matching record, so it was left out. */
    PORTOLAN_OUTCOME_SKIPPED = 1,
    /** It could not be searched, and the statement was not strict: its rows are missing. */
    PORTOLAN_OUTCOME_FAILED = 2,
};
typedef uint32_t portolan_outcome_t;

/** One collection in the report of a result. Fields that the outcome does not name are zero; texts are never NULL. */
typedef struct portolan_collection {
    /** Its name. A view: it lives as long as the result. */
    const char *name;
    /** What became of it. */
    portolan_outcome_t outcome;
    /** How many of the answer's rows are its own, if it was asked. */
    uint64_t rows;
    /** How many bytes of it were read, if it was asked. */
    uint64_t bytes;
    /** How many microseconds the search of it took, if it was asked and the time was taken; else -1. */
    int64_t micros;
    /** The number of the error, if it failed. */
    uint32_t code;
    /** Why it was skipped, or how it failed; else "". A view: it lives as long as the result. */
    const char *reason;
} portolan_collection_t;

/** How many collections FROM names; 0 for NULL. */
size_t portolan_result_collection_count(const portolan_result_t *result);

/**
 * What became of a collection that FROM names, in the order of FROM.
 *
 * @param out    receives the report on success; its texts are views that live as long as the result
 * @return       0, or `PORTOLAN_CODE_NO_SUCH_CELL`, or `PORTOLAN_CODE_NULL_ARGUMENT`
 */
uint32_t portolan_result_collection(
    const portolan_result_t *result,
    size_t collection,
    portolan_collection_t *out);

/** How many collections were asked; those that provably hold no match are skipped. 0 for NULL. */
size_t portolan_result_asked_count(const portolan_result_t *result);

/** How many collections failed: without `strict` their rows are missing from the answer. 0 for NULL. */
size_t portolan_result_failed_count(const portolan_result_t *result);

/** Frees a result and everything that was seen through it. NULL is fine. */
void portolan_result_free(portolan_result_t *result);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* PORTOLAN_H */
