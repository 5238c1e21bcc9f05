/* Asks the release of ffi/tests/it/sample.rs with options: strictness, threads, timeout, routing files, a router of its
 * own; and pages through it with cursors.
 *
 *     options RELEASE_DIR DAMAGED_RELEASE_DIR
 *
 * In the damaged one, the file of `deeds` is altered. Exit code 0 when every answer is what the options ask for.
 */
#include <portolan.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int wrong = 0;

static void check(int holds, const char *what, int line) {
    if (!holds) {
        fprintf(stderr, "line %d: %s\n", line, what);
        wrong++;
    }
}
#define CHECK(condition) check((condition), #condition, __LINE__)

static const char *const NEAREST = "SELECT id FROM * USING EMBEDDING (TEXT 'furry cat') TOPK 60";

/* A rule: ask the collections whose names begin with a letter; count the calls. */
struct rule {
    char letter;
    size_t calls;
    size_t seen;
    uint32_t refusal;
};

static uint32_t choose(void *context, const char *const *names, size_t count, bool *ask) {
    struct rule *rule = context;
    rule->calls++;
    rule->seen = count;
    for (size_t i = 0; i < count; i++) {
        ask[i] = names[i][0] == rule->letter;
    }
    return rule->refusal;
}

static void check_router(const portolan_release_t *release) {
    struct rule rule = {'d', 0, 0, 0};
    portolan_options_t *options = portolan_options_new();
    portolan_result_t *result = NULL;
    portolan_error_t *error = NULL;
    portolan_collection_t beasts;
    CHECK(portolan_options_set_router(options, choose, &rule) == PORTOLAN_CODE_OK);
    CHECK(portolan_query_with(release, NEAREST, NULL, options, &result, NULL) == PORTOLAN_CODE_OK);
    CHECK(rule.calls == 1 && rule.seen == 2 && portolan_result_asked_count(result) == 1);
    CHECK(portolan_result_row_count(result) == 20);
    CHECK(strcmp(portolan_result_row_collection(result, 0), "deeds") == 0);
    CHECK(portolan_result_collection(result, 0, &beasts) == PORTOLAN_CODE_OK);
    CHECK(beasts.outcome == PORTOLAN_OUTCOME_SKIPPED && strstr(beasts.reason, "router") != NULL);
    portolan_result_free(result);
    result = NULL;
    rule.refusal = 77;
    CHECK(portolan_query_with(release, NEAREST, NULL, options, &result, &error) == PORTOLAN_CODE_ROUTER_REFUSED);
    CHECK(result == NULL && strstr(portolan_error_message(error), "77") != NULL);
    portolan_error_free(error);
    CHECK(portolan_options_set_router(options, NULL, NULL) == PORTOLAN_CODE_OK);
    CHECK(portolan_query_with(release, NEAREST, NULL, options, &result, NULL) == PORTOLAN_CODE_OK);
    CHECK(rule.calls == 2 && portolan_result_asked_count(result) == 2);
    portolan_result_free(result);
    portolan_options_free(options);
}

/* A rule that takes longer than the millisecond that the statement is allowed. */
static uint32_t dawdle(void *context, const char *const *names, size_t count, bool *ask) {
    (void)context, (void)names;
    struct timespec start, now;
    timespec_get(&start, TIME_UTC);
    do {
        timespec_get(&now, TIME_UTC);
    } while ((now.tv_sec - start.tv_sec) * 1000000000LL + now.tv_nsec - start.tv_nsec < 2000000);
    memset(ask, true, count);
    return 0;
}

static void check_timeout(const portolan_release_t *release) {
    portolan_options_t *options = portolan_options_new();
    portolan_result_t *result = NULL;
    CHECK(portolan_options_set_router(options, dawdle, NULL) == PORTOLAN_CODE_OK);
    CHECK(portolan_options_set_timeout_ms(options, 1) == PORTOLAN_CODE_OK);
    CHECK(portolan_query_with(release, NEAREST, NULL, options, &result, NULL) == PORTOLAN_CODE_TIMED_OUT);
    CHECK(portolan_options_set_timeout_ms(options, 0) == PORTOLAN_CODE_OK);
    CHECK(portolan_query_with(release, NEAREST, NULL, options, &result, NULL) == PORTOLAN_CODE_OK);
    portolan_result_free(result);
    portolan_options_free(options);
}

static void check_routing(const portolan_release_t *release) {
    const char *file = "{\"discriminator\": \"tame\", \"model_to_collections\": {\"true\": [\"deeds\"]},"
                       " \"collection_to_models\": {\"beasts\": [false], \"deeds\": [true]}}";
    const char *tame = "SELECT id FROM * WHERE metadata.tame = TRUE";
    portolan_options_t *options = portolan_options_new();
    portolan_result_t *result = NULL;
    portolan_error_t *error = NULL;
    CHECK(portolan_options_set_routing(options, file, false, &error) == PORTOLAN_CODE_OK && error == NULL);
    CHECK(portolan_query_with(release, tame, NULL, options, &result, NULL) == PORTOLAN_CODE_OK);
    CHECK(portolan_result_asked_count(result) == 1 && portolan_result_row_count(result) == 10);
    portolan_result_free(result);
    result = NULL;
    CHECK(portolan_query_with(release, NEAREST, NULL, options, &result, NULL) == PORTOLAN_CODE_UNROUTED);
    CHECK(portolan_options_set_routing(options, file, true, NULL) == PORTOLAN_CODE_OK);
    CHECK(portolan_query_with(release, NEAREST, NULL, options, &result, NULL) == PORTOLAN_CODE_OK);
    CHECK(portolan_result_asked_count(result) == 2);
    portolan_result_free(result);
    CHECK(portolan_options_set_routing(options, "{}", true, &error) == PORTOLAN_CODE_BAD_ROUTING);
    CHECK(portolan_error_code(error) == PORTOLAN_CODE_BAD_ROUTING);
    portolan_error_free(error);
    portolan_options_free(options);
}

static void check_threads(const portolan_release_t *release) {
    portolan_options_t *options = portolan_options_new();
    portolan_result_t *one = NULL, *many = NULL;
    CHECK(portolan_options_set_threads(options, 1) == PORTOLAN_CODE_OK);
    CHECK(portolan_query_with(release, NEAREST, NULL, options, &one, NULL) == PORTOLAN_CODE_OK);
    CHECK(portolan_options_set_threads(options, 0) == PORTOLAN_CODE_OK);
    CHECK(portolan_query_with(release, NEAREST, NULL, options, &many, NULL) == PORTOLAN_CODE_OK);
    CHECK(portolan_result_row_count(one) == 60 && portolan_result_row_count(many) == 60);
    for (size_t row = 0; row < 60; row++) {
        CHECK(strcmp(portolan_result_row_id(one, row), portolan_result_row_id(many, row)) == 0);
    }
    portolan_result_free(one);
    portolan_result_free(many);
    portolan_options_free(options);
}

static void check_strict(const portolan_release_t *damaged) {
    portolan_options_t *options = portolan_options_new();
    portolan_result_t *result = NULL;
    portolan_collection_t deeds;
    CHECK(portolan_query_with(damaged, NEAREST, NULL, options, &result, NULL) == PORTOLAN_CODE_CHECKSUM);
    CHECK(result == NULL && portolan_options_set_strict(options, false) == PORTOLAN_CODE_OK);
    CHECK(portolan_query_with(damaged, NEAREST, NULL, options, &result, NULL) == PORTOLAN_CODE_OK);
    CHECK(portolan_result_row_count(result) == 40);
    CHECK(portolan_result_failed_count(result) == 1 && portolan_result_asked_count(result) == 1);
    CHECK(portolan_result_collection(result, 1, &deeds) == PORTOLAN_CODE_OK);
    CHECK(deeds.outcome == PORTOLAN_OUTCOME_FAILED && deeds.code == PORTOLAN_CODE_CHECKSUM);
    CHECK(strcmp(deeds.name, "deeds") == 0 && strlen(deeds.reason) > 0);
    portolan_result_free(result);
    result = NULL;
    const char *alone = "SELECT id FROM deeds USING EMBEDDING (TEXT 'furry cat')";
    CHECK(portolan_query_with(damaged, alone, NULL, options, &result, NULL) == PORTOLAN_CODE_CHECKSUM);
    portolan_options_free(options);
}

/* All 60 records, seven a page. */
static void check_pages(const portolan_release_t *release) {
    const char *first = "SELECT id, distance FROM * USING EMBEDDING (TEXT :text) LIMIT 7";
    const char *next = "SELECT id, distance FROM * USING EMBEDDING (TEXT :text) LIMIT 7 AFTER :cursor";
    portolan_result_t *all = NULL, *page = NULL;
    portolan_params_t *params = portolan_params_new();
    CHECK(portolan_params_bind_text(params, "text", "furry cat") == PORTOLAN_CODE_OK);
    CHECK(portolan_query(release, NEAREST, &all, NULL) == PORTOLAN_CODE_OK);
    CHECK(portolan_query_with(release, first, params, NULL, &page, NULL) == PORTOLAN_CODE_OK);
    size_t row = 0, pages = 1;
    while (page != NULL) {
        for (size_t i = 0; i < portolan_result_row_count(page); i++, row++) {
            CHECK(row < 60 && strcmp(portolan_result_row_id(page, i), portolan_result_row_id(all, row)) == 0);
        }
        portolan_result_t *last = page;
        page = NULL;
        if (portolan_result_cursor(last) != NULL && pages < 20) {
            CHECK(portolan_params_bind_text(params, "cursor", portolan_result_cursor(last)) == PORTOLAN_CODE_OK);
            CHECK(portolan_query_with(release, next, params, NULL, &page, NULL) == PORTOLAN_CODE_OK);
            pages++;
        }
        portolan_result_free(last);
    }
    CHECK(row == 60 && pages == 9);
    const char *other = "SELECT id FROM deeds USING EMBEDDING (TEXT :text) LIMIT 7 AFTER :cursor";
    CHECK(portolan_query_with(release, other, params, NULL, &page, NULL) == PORTOLAN_CODE_BAD_CURSOR);
    portolan_params_free(params);
    portolan_result_free(all);
}

static void check_sets(const portolan_release_t *release) {
    const char *sql = "SELECT item, id FROM * USING EMBEDDING BATCH (TEXT 'cat', TEXT 'bird run') TOPK 3";
    const char *grouped = "SELECT metadata.tame, COUNT(*) FROM deeds GROUP BY metadata.tame";
    const char *fused = "SELECT id, score FROM * USING EMBEDDING BATCH (TEXT 'cat', TEXT 'bird') FUSE BY RRF TOPK 3";
    portolan_result_t *result = NULL;
    portolan_set_t set;
    CHECK(portolan_query(release, sql, &result, NULL) == PORTOLAN_CODE_OK);
    CHECK(portolan_result_set_count(result) == 2 && portolan_result_row_count(result) == 6);
    CHECK(portolan_result_set(result, 1, &set) == PORTOLAN_CODE_OK);
    CHECK(set.item == 1 && set.first == 3 && set.rows == 3);
    CHECK(portolan_result_row_item(result, 2) == 0 && portolan_result_row_item(result, 3) == 1);
    portolan_result_free(result);
    CHECK(portolan_query(release, grouped, &result, NULL) == PORTOLAN_CODE_OK);
    CHECK(portolan_result_row_count(result) == 2 && portolan_result_row_item(result, 0) == -1);
    CHECK(portolan_result_row_id(result, 0) == NULL && portolan_result_row_collection(result, 0) == NULL);
    portolan_result_free(result);
    CHECK(portolan_query(release, fused, &result, NULL) == PORTOLAN_CODE_OK);
    CHECK(portolan_result_set_count(result) == 0 && portolan_result_row_item(result, 0) == -1);
    double distance = portolan_result_row_distance(result, 0);
    CHECK(portolan_result_row_score(result, 0) > 0 && distance == distance);
    portolan_result_free(result);
    CHECK(portolan_query(release, "EXPLAIN ANALYZE SELECT id FROM deeds", &result, NULL) == PORTOLAN_CODE_OK);
    CHECK(portolan_result_plan(result) != NULL && portolan_result_row_count(result) == 20);
    portolan_result_free(result);
}

/* Advice changes no answer; what is no advice is refused. */
static void check_advice(const portolan_release_t *release) {
    portolan_result_t *before = NULL, *after = NULL;
    portolan_error_t *error = NULL;
    CHECK(portolan_query(release, NEAREST, &before, NULL) == PORTOLAN_CODE_OK);
    for (uint32_t advice = PORTOLAN_ADVICE_NORMAL; advice <= PORTOLAN_ADVICE_ALL; advice++) {
        CHECK(portolan_release_advise(release, advice, NULL) == PORTOLAN_CODE_OK);
        CHECK(portolan_query(release, NEAREST, &after, NULL) == PORTOLAN_CODE_OK);
        CHECK(portolan_result_row_count(after) == portolan_result_row_count(before));
        CHECK(strcmp(portolan_result_row_id(after, 0), portolan_result_row_id(before, 0)) == 0);
        portolan_result_free(after);
        after = NULL;
    }
    portolan_result_free(before);
    CHECK(portolan_release_advise(release, 99, &error) == PORTOLAN_CODE_BAD_ARGUMENT);
    CHECK(strstr(portolan_error_message(error), "portolan_advice_t") != NULL);
    portolan_error_free(error);
}

int main(int argc, char **argv) {
    portolan_release_t *release = NULL, *damaged = NULL;
    if (argc != 3 || portolan_release_open(argv[1], &release, NULL) != PORTOLAN_CODE_OK ||
        portolan_release_open(argv[2], &damaged, NULL) != PORTOLAN_CODE_OK) {
        fprintf(stderr, "usage: %s RELEASE_DIR DAMAGED_RELEASE_DIR\n", argv[0]);
        portolan_release_free(release);
        return 2;
    }
    check_router(release);
    check_routing(release);
    check_timeout(release);
    check_threads(release);
    check_strict(damaged);
    check_pages(release);
    check_sets(release);
    check_advice(release);
    portolan_release_free(release);
    portolan_release_free(damaged);
    return wrong != 0;
}
