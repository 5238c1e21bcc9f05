/* Binds parameters of every type over the release of ffi/tests/it/sample.rs, and reads all that a result says.
 *
 *     params RELEASE_DIR
 *
 * Exit code 0 when every answer is what the statement asks for.
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

/* The answer; a failure is told and is wrong. Takes the parameters. */
static portolan_result_t *ask(const portolan_release_t *release, const char *sql, portolan_params_t *params) {
    portolan_result_t *result = NULL;
    portolan_error_t *error = NULL;
    if (portolan_query_with(release, sql, params, NULL, &result, &error) != PORTOLAN_CODE_OK) {
        fprintf(stderr, "%s: %s\n", sql, portolan_error_message(error));
        wrong++;
    }
    portolan_error_free(error);
    portolan_params_free(params);
    return result;
}

/* Whether the answer has one row, with this id. Takes the answer. */
static int is_row(portolan_result_t *result, const char *id) {
    int is = portolan_result_row_count(result) == 1 && strcmp(portolan_result_row_id(result, 0), id) == 0;
    portolan_result_free(result);
    return is;
}

static void check_scalars(const portolan_release_t *release) {
    portolan_params_t *params = portolan_params_new();
    CHECK(portolan_params_bind_text(params, NULL, "deeds-0004") == PORTOLAN_CODE_OK);
    CHECK(portolan_params_bind_int(params, NULL, 4) == PORTOLAN_CODE_OK);
    CHECK(portolan_params_bind_float(params, NULL, 4.5) == PORTOLAN_CODE_OK);
    CHECK(portolan_params_bind_bool(params, NULL, true) == PORTOLAN_CODE_OK);
    CHECK(portolan_params_bind_time(params, NULL, 4000000) == PORTOLAN_CODE_OK);
    const char *sql = "SELECT id FROM deeds WHERE id = ? AND metadata.size = ? AND metadata.weight = ? "
                      "AND metadata.tame = ? AND metadata.born = ?";
    CHECK(is_row(ask(release, sql, params), "deeds-0004"));
}

/* Nothing equals null, and a text stays a text whatever is in it. */
static void check_null_and_quotes(const portolan_release_t *release) {
    portolan_params_t *params = portolan_params_new();
    CHECK(portolan_params_bind_null(params, "nothing") == PORTOLAN_CODE_OK);
    CHECK(portolan_params_bind_text(params, "id", "' OR id = \"deeds-0004\" --\\") == PORTOLAN_CODE_OK);
    const char *sql = "SELECT id FROM deeds WHERE metadata.size = :nothing OR id = :id";
    portolan_result_t *result = ask(release, sql, params);
    CHECK(portolan_result_row_count(result) == 0);
    portolan_result_free(result);
}

static void check_json(const portolan_release_t *release) {
    portolan_params_t *params = portolan_params_new();
    CHECK(portolan_params_bind_json(params, "sizes", "[4, {\"int\": \"5\"}, null]", NULL) == PORTOLAN_CODE_OK);
    CHECK(portolan_params_bind_json(params, "noise", "\"me\\u0000ow\"", NULL) == PORTOLAN_CODE_OK);
    /* The last value of a name counts. */
    CHECK(portolan_params_bind_int(params, "most", 7) == PORTOLAN_CODE_OK);
    CHECK(portolan_params_bind_int(params, "most", 1) == PORTOLAN_CODE_OK);
    const char *sql =
        "SELECT id FROM deeds WHERE metadata.size IN :sizes AND metadata.noise = :noise LIMIT :most OFFSET 1";
    CHECK(is_row(ask(release, sql, params), "deeds-0005"));
    CHECK(portolan_params_from_json("[[\"deeds-0002\"]]", &params, NULL) == PORTOLAN_CODE_OK);
    CHECK(is_row(ask(release, "SELECT id FROM deeds WHERE id IN ?", params), "deeds-0002"));
}

/* The answers' JSON also says how long each took. */
static int same_rows(const portolan_result_t *result, const portolan_result_t *expected) {
    size_t rows = portolan_result_row_count(result);
    int equal = rows == portolan_result_row_count(expected);
    for (size_t row = 0; equal && row < rows; row++) {
        equal = strcmp(portolan_result_row_id(result, row), portolan_result_row_id(expected, row)) == 0 &&
                portolan_result_row_distance(result, row) == portolan_result_row_distance(expected, row);
    }
    return equal;
}

static void check_vector_and_text(const portolan_release_t *release) {
    float vector[8] = {1, 0, 0.5f, -1, 0, 0, 0, 2};
    portolan_params_t *params = portolan_params_new();
    CHECK(portolan_params_bind_vector(params, NULL, vector, 8) == PORTOLAN_CODE_OK);
    memset(vector, 0, sizeof vector); /* what was bound is a copy */
    portolan_result_t *bound = ask(release, "SELECT id, distance FROM * USING EMBEDDING (VECTOR ?) TOPK 3", params);
    const char *written = "SELECT id, distance FROM * USING EMBEDDING (VECTOR [1, 0, 0.5, -1, 0, 0, 0, 2]) TOPK 3";
    portolan_result_t *literal = ask(release, written, NULL);
    CHECK(portolan_result_row_count(bound) == 3);
    CHECK(same_rows(bound, literal));
    portolan_result_free(bound);
    portolan_result_free(literal);
    params = portolan_params_new();
    CHECK(portolan_params_bind_text(params, "text", "furry cat") == PORTOLAN_CODE_OK);
    bound = ask(release, "SELECT id FROM * USING EMBEDDING (TEXT :text) TOPK 5", params);
    CHECK(portolan_result_row_count(bound) == 5);
    portolan_result_free(bound);
}

static uint32_t refused(const portolan_release_t *release, const char *sql, const char *json) {
    portolan_params_t *params = NULL;
    portolan_result_t *result = NULL;
    portolan_error_t *error = NULL;
    CHECK(portolan_params_from_json(json, &params, NULL) == PORTOLAN_CODE_OK);
    uint32_t code = portolan_query_with(release, sql, params, NULL, &result, &error);
    CHECK(result == NULL && portolan_error_line(error) == 1 && portolan_error_column(error) > 1);
    CHECK(strlen(portolan_error_hint(error)) > 0);
    portolan_error_free(error);
    portolan_params_free(params);
    return code;
}

static void check_refusals(const portolan_release_t *release) {
    CHECK(refused(release, "SELECT id FROM deeds LIMIT ?", "[]") == PORTOLAN_CODE_MISSING_PARAMETER);
    CHECK(refused(release, "SELECT id FROM deeds LIMIT ?", "[1, 2]") == PORTOLAN_CODE_UNUSED_PARAMETER);
    CHECK(refused(release, "SELECT id FROM deeds LIMIT :n", "{\"n\": \"1\"}") == PORTOLAN_CODE_PARAMETER_TYPE);
    CHECK(refused(release, "SELECT id FROM deeds LIMIT 1 OFFSET :n", "{\"m\": 1}") ==
          PORTOLAN_CODE_MISSING_PARAMETER);
}

static void check_report(const portolan_release_t *release) {
    portolan_params_t *params = portolan_params_new();
    CHECK(portolan_params_bind_text(params, NULL, "deeds-0004") == PORTOLAN_CODE_OK);
    portolan_result_t *result = ask(release, "SELECT id FROM beasts, deeds WHERE id = ?", params);
    portolan_collection_t beasts, deeds;
    CHECK(portolan_result_collection_count(result) == 2);
    CHECK(portolan_result_collection(result, 0, &beasts) == PORTOLAN_CODE_OK);
    CHECK(portolan_result_collection(result, 1, &deeds) == PORTOLAN_CODE_OK);
    CHECK(strcmp(beasts.name, "beasts") == 0 && beasts.outcome == PORTOLAN_OUTCOME_SKIPPED);
    CHECK(strlen(beasts.reason) > 0 && beasts.rows == 0 && beasts.code == 0);
    CHECK(strcmp(deeds.name, "deeds") == 0 && deeds.outcome == PORTOLAN_OUTCOME_ASKED);
    CHECK(deeds.rows == 1 && deeds.bytes > 0 && strcmp(deeds.reason, "") == 0);
    CHECK(portolan_result_asked_count(result) == 1 && portolan_result_failed_count(result) == 0);
    CHECK(portolan_result_plan(result) == NULL && portolan_result_set_count(result) == 0);
    CHECK(portolan_result_row_item(result, 0) == -1);
    portolan_result_free(result);
    result = ask(release, "EXPLAIN SELECT id FROM deeds", NULL);
    CHECK(portolan_result_plan(result) != NULL && portolan_result_plan(result)[0] == '{');
    portolan_result_free(result);
}

int main(int argc, char **argv) {
    portolan_release_t *release = NULL;
    if (argc != 2 || portolan_release_open(argv[1], &release, NULL) != PORTOLAN_CODE_OK) {
        fprintf(stderr, "usage: %s RELEASE_DIR\n", argv[0]);
        return 2;
    }
    check_scalars(release);
    check_null_and_quotes(release);
    check_json(release);
    check_vector_and_text(release);
    check_refusals(release);
    check_report(release);
    portolan_release_free(release);
    return wrong != 0;
}
