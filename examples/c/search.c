/* Prints the ten records of a release that are nearest to a text.
 *
 *     cargo build -p portolan-ffi
 *     cc -Iinclude examples/c/search.c -Ltarget/debug -lportolan -Wl,-rpath,$PWD/target/debug -o search
 *     ./search RELEASE_DIR [TEXT]
 */
#include <portolan.h>
#include <stdio.h>

int main(int argc, char **argv) {
    const char *sql = "SELECT document FROM * USING EMBEDDING (TEXT ?) TOPK 10";
    portolan_release_t *release = NULL;
    portolan_params_t *params = portolan_params_new();
    portolan_result_t *result = NULL;
    portolan_error_t *error = NULL;
    portolan_params_bind_text(params, NULL, argc > 2 ? argv[2] : "a bird that cannot fly");
    if (portolan_release_open(argc > 1 ? argv[1] : ".", &release, &error) != 0 ||
        portolan_query_with(release, sql, params, NULL, &result, &error) != 0) {
        fprintf(stderr, "%s\n", portolan_error_message(error));
    }
    for (size_t row = 0; row < portolan_result_row_count(result); row++) {
        portolan_value_t document;
        portolan_result_value(result, row, 0, &document);
        printf("%-16s %-10s %.3f  %s\n", portolan_result_row_collection(result, row),
               portolan_result_row_id(result, row), portolan_result_row_distance(result, row), document.text);
    }
    int status = result == NULL;
    portolan_result_free(result);
    portolan_params_free(params);
    portolan_release_free(release);
    portolan_error_free(error);
    return status;
}
