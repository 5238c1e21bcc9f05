/* Calls every function the wrong way: NULL handles, NULL places, numbers out of range, text that is not UTF-8.
 *
 *     misuse RELEASE_DIR STATEMENT
 *
 * Exit code 0 when each call failed as the header says, and nothing was written that must not be.
 */
#include <portolan.h>
#include <stdio.h>
#include <string.h>

static int wrong = 0;

static void check(int holds, const char *what, int line) {
    if (!holds) {
        fprintf(stderr, "line %d: %s\n", line, what);
        wrong++;
    }
}
#define CHECK(condition) check((condition), #condition, __LINE__)

/* The code, if the error object tells the same; frees the object. */
static uint32_t told(uint32_t code, portolan_error_t **error) {
    CHECK(portolan_error_code(*error) == code);
    CHECK(strlen(portolan_error_message(*error)) > 0);
    CHECK(portolan_error_kind(*error) != PORTOLAN_KIND_NONE);
    portolan_error_free(*error);
    *error = NULL;
    return code;
}

static void check_null_handles(void) {
    portolan_release_free(NULL);
    portolan_result_free(NULL);
    portolan_error_free(NULL);
    portolan_params_free(NULL);
    portolan_options_free(NULL);
    CHECK(portolan_error_code(NULL) == PORTOLAN_CODE_OK);
    CHECK(portolan_error_line(NULL) == 0 && portolan_error_column(NULL) == 0);
    CHECK(strcmp(portolan_error_hint(NULL), "") == 0);
    CHECK(portolan_error_kind(NULL) == PORTOLAN_KIND_NONE);
    CHECK(strcmp(portolan_error_message(NULL), "") == 0);
    CHECK(portolan_release_id(NULL) == NULL);
    CHECK(portolan_release_collection_count(NULL) == 0);
    CHECK(portolan_release_collection_name(NULL, 0) == NULL);
    CHECK(portolan_release_collection_rows(NULL, 0) == 0);
    CHECK(portolan_release_advise(NULL, PORTOLAN_ADVICE_ALL, NULL) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(portolan_release_verify(NULL, NULL) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(portolan_result_json(NULL) == NULL);
    CHECK(portolan_result_row_count(NULL) == 0);
    CHECK(portolan_result_column_count(NULL) == 0);
    CHECK(portolan_result_asked_count(NULL) == 0);
    CHECK(portolan_result_column_name(NULL, 0) == NULL);
    CHECK(portolan_result_row_id(NULL, 0) == NULL);
    CHECK(portolan_result_row_collection(NULL, 0) == NULL);
    CHECK(portolan_result_explanation(NULL) == NULL);
    CHECK(portolan_result_plan(NULL) == NULL);
    CHECK(portolan_result_cursor(NULL) == NULL);
    CHECK(portolan_result_note(NULL, 0) == NULL && portolan_result_note_count(NULL) == 0);
    CHECK(portolan_result_set_count(NULL) == 0 && portolan_result_row_item(NULL, 0) == -1);
    CHECK(portolan_result_collection_count(NULL) == 0 && portolan_result_failed_count(NULL) == 0);
    double distance = portolan_result_row_distance(NULL, 0), score = portolan_result_row_score(NULL, 0);
    CHECK(distance != distance && score != score);
}

static void check_null_params(void) {
    float number = 1;
    portolan_params_t *params = portolan_params_new();
    portolan_error_t *error = NULL;
    CHECK(params != NULL);
    CHECK(portolan_params_bind_null(NULL, NULL) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(portolan_params_bind_bool(NULL, NULL, true) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(portolan_params_bind_int(NULL, NULL, 1) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(portolan_params_bind_float(NULL, NULL, 1) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(portolan_params_bind_time(NULL, NULL, 1) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(portolan_params_bind_vector(NULL, NULL, &number, 1) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(portolan_params_bind_vector(params, NULL, NULL, 1) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(portolan_params_bind_vector(params, NULL, &number, (size_t)-1) == PORTOLAN_CODE_BAD_ARGUMENT);
    CHECK(portolan_params_bind_text(params, NULL, NULL) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(portolan_params_bind_text(params, NULL, "\xff") == PORTOLAN_CODE_NOT_UTF8);
    CHECK(portolan_params_bind_int(params, "\xff", 1) == PORTOLAN_CODE_NOT_UTF8);
    CHECK(told(portolan_params_bind_json(params, NULL, NULL, &error), &error) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(told(portolan_params_bind_json(params, "a", "1, 2", &error), &error) == PORTOLAN_CODE_BAD_ARGUMENT);
    portolan_params_t *parsed = NULL;
    CHECK(told(portolan_params_from_json("[[[]]]", &parsed, &error), &error) == PORTOLAN_CODE_BAD_ARGUMENT);
    CHECK(told(portolan_params_from_json("[]", NULL, &error), &error) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(portolan_params_from_json(NULL, &parsed, NULL) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(parsed == NULL);
    portolan_params_free(params);
}

static uint32_t never(void *context, const char *const *names, size_t count, bool *ask) {
    (void)context, (void)names, (void)count, (void)ask;
    return 1;
}

static void check_null_options(const portolan_release_t *release, const char *sql) {
    portolan_options_t *options = portolan_options_new();
    portolan_result_t *result = NULL;
    portolan_error_t *error = NULL;
    CHECK(options != NULL);
    CHECK(portolan_options_set_strict(NULL, true) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(portolan_options_set_timeout_ms(NULL, 1) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(portolan_options_set_threads(NULL, 1) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(portolan_options_set_router(NULL, never, NULL) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(told(portolan_options_set_routing(NULL, "{}", true, &error), &error) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(told(portolan_options_set_routing(options, "\xff", true, &error), &error) == PORTOLAN_CODE_NOT_UTF8);
    CHECK(told(portolan_options_set_routing(options, "[", true, &error), &error) == PORTOLAN_CODE_BAD_ROUTING);
    CHECK(portolan_options_set_routing(options, NULL, true, NULL) == PORTOLAN_CODE_OK);
    CHECK(portolan_query_with(release, sql, NULL, options, &result, NULL) == PORTOLAN_CODE_OK);
    portolan_result_free(result);
    result = NULL;
    CHECK(portolan_options_set_router(options, never, NULL) == PORTOLAN_CODE_OK);
    CHECK(told(portolan_query_with(release, sql, NULL, options, &result, &error), &error) ==
          PORTOLAN_CODE_ROUTER_REFUSED);
    CHECK(result == NULL);
    portolan_options_free(options);
}

/* None of the calls that failed may have left a value behind: one too many would be refused. */
static void check_nothing_was_bound(const portolan_release_t *release, const char *sql) {
    portolan_params_t *params = portolan_params_new();
    portolan_result_t *result = NULL;
    CHECK(portolan_params_bind_text(params, NULL, "\xff") == PORTOLAN_CODE_NOT_UTF8);
    CHECK(portolan_params_bind_json(params, NULL, "nothing", NULL) == PORTOLAN_CODE_BAD_ARGUMENT);
    CHECK(portolan_query_with(release, sql, params, NULL, &result, NULL) == PORTOLAN_CODE_OK);
    portolan_result_free(result);
    portolan_params_free(params);
}

static void check_null_places(const portolan_release_t *release, const char *folder, const char *sql) {
    portolan_error_t *error = NULL;
    CHECK(told(portolan_release_open(folder, NULL, &error), &error) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(told(portolan_query(release, sql, NULL, &error), &error) == PORTOLAN_CODE_NULL_ARGUMENT);
    portolan_result_t *result = NULL;
    CHECK(told(portolan_query(release, NULL, &result, &error), &error) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(told(portolan_query(NULL, sql, &result, &error), &error) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(portolan_query(NULL, NULL, NULL, NULL) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(result == NULL);
}

static void check_bad_text(const portolan_release_t *release) {
    portolan_error_t *error = NULL;
    portolan_release_t *opened = NULL;
    portolan_result_t *result = NULL;
    CHECK(told(portolan_release_open("no/such\xff", &opened, &error), &error) == PORTOLAN_CODE_NOT_UTF8);
    CHECK(told(portolan_release_open("no/such/folder", &opened, &error), &error) == PORTOLAN_CODE_FILE);
    CHECK(told(portolan_query(release, "SELECT \xc3\x28", &result, &error), &error) == PORTOLAN_CODE_NOT_UTF8);
    uint32_t code = told(portolan_query(release, "", &result, &error), &error);
    CHECK(code >= 1000 && code < 2000);
    CHECK(portolan_query(release, "", &result, NULL) == code);
    CHECK(portolan_query(release, "SELECT\n id FORM x", &result, &error) == PORTOLAN_CODE_UNEXPECTED_TOKEN);
    CHECK(portolan_error_line(error) == 2 && portolan_error_column(error) == 5);
    CHECK(strstr(portolan_error_message(error), portolan_error_hint(error)) != NULL);
    portolan_error_free(error);
    error = NULL;
    CHECK(opened == NULL && result == NULL);
}

static void check_ranges(const portolan_release_t *release, const char *sql) {
    portolan_result_t *result = NULL;
    portolan_value_t value = {0};
    value.integer = 7;
    CHECK(portolan_query(release, sql, &result, NULL) == PORTOLAN_CODE_OK);
    size_t rows = portolan_result_row_count(result), columns = portolan_result_column_count(result);
    CHECK(rows > 0 && columns > 0);
    CHECK(portolan_result_value(result, rows, 0, &value) == PORTOLAN_CODE_NO_SUCH_CELL);
    CHECK(portolan_result_value(result, 0, columns, &value) == PORTOLAN_CODE_NO_SUCH_CELL);
    CHECK(portolan_result_value(result, (size_t)-1, (size_t)-1, &value) == PORTOLAN_CODE_NO_SUCH_CELL);
    CHECK(portolan_result_value(result, 0, 0, NULL) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(portolan_result_value(NULL, 0, 0, &value) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(value.integer == 7 && value.text == NULL);
    portolan_set_t set = {0};
    portolan_collection_t report = {0};
    CHECK(portolan_result_set(result, portolan_result_set_count(result), &set) == PORTOLAN_CODE_NO_SUCH_CELL);
    CHECK(portolan_result_set(result, 0, NULL) == PORTOLAN_CODE_NULL_ARGUMENT);
    CHECK(portolan_result_set(NULL, 0, &set) == PORTOLAN_CODE_NULL_ARGUMENT);
    size_t collections = portolan_result_collection_count(result);
    CHECK(portolan_result_collection(result, collections, &report) == PORTOLAN_CODE_NO_SUCH_CELL);
    CHECK(portolan_result_collection(NULL, 0, &report) == PORTOLAN_CODE_NULL_ARGUMENT && report.name == NULL);
    CHECK(portolan_result_note(result, portolan_result_note_count(result)) == NULL);
    CHECK(portolan_result_row_item(result, rows) == -1);
    CHECK(portolan_result_row_id(result, rows) == NULL);
    CHECK(portolan_result_row_collection(result, rows) == NULL);
    CHECK(portolan_result_column_name(result, columns) == NULL);
    double distance = portolan_result_row_distance(result, rows);
    CHECK(distance != distance);
    CHECK(portolan_release_collection_name(release, (size_t)-1) == NULL);
    CHECK(portolan_release_collection_rows(release, (size_t)-1) == 0);
    portolan_result_free(result);
}

static void check_version(void) {
    CHECK(strcmp(portolan_version(), PORTOLAN_VERSION) == 0);
    CHECK(portolan_version_number() == PORTOLAN_VERSION_NUMBER);
    CHECK(PORTOLAN_VERSION_NUMBER ==
          PORTOLAN_VERSION_MAJOR * 1000000 + PORTOLAN_VERSION_MINOR * 1000 + PORTOLAN_VERSION_PATCH);
    char text[64];
    sprintf(text, "%d.%d.%d", PORTOLAN_VERSION_MAJOR, PORTOLAN_VERSION_MINOR, PORTOLAN_VERSION_PATCH);
    CHECK(strcmp(text, PORTOLAN_VERSION) == 0);
}

int main(int argc, char **argv) {
    portolan_release_t *release = NULL;
    if (argc != 3 || portolan_release_open(argv[1], &release, NULL) != PORTOLAN_CODE_OK) {
        fprintf(stderr, "usage: %s RELEASE_DIR STATEMENT\n", argv[0]);
        return 2;
    }
    check_null_handles();
    check_null_params();
    check_null_options(release, argv[2]);
    check_nothing_was_bound(release, argv[2]);
    check_null_places(release, argv[1], argv[2]);
    check_bad_text(release);
    check_ranges(release, argv[2]);
    check_version();
    portolan_release_free(release);
    return wrong != 0;
}
