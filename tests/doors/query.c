/* Answers statements through the C library, for the conformance test.
 *
 *     query RELEASE_DIR STATEMENTS_FILE
 *
 * STATEMENTS_FILE has one statement a line, and after a tab its parameters as JSON, if it has any. Prints one line of JSON a statement: the result, or
 * {"error": {"code": N, "message": "..."}}. Exit code 0 when every statement got its line, whatever it says.
 */
#include <portolan.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_string(const char *text) {
    putchar('"');
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\') {
            printf("\\%c", byte);
        } else if (byte < 0x20) {
            printf("\\u%04x", byte);
        } else {
            putchar(byte);
        }
    }
    putchar('"');
}

static void print_error(const portolan_error_t *error) {
    printf("{\"error\": {\"code\": %lu, \"message\": ", (unsigned long)portolan_error_code(error));
    print_string(portolan_error_message(error));
    puts("}}");
}

static void answer(const portolan_release_t *release, char *line) {
    portolan_params_t *params = NULL;
    portolan_result_t *result = NULL;
    portolan_error_t *error = NULL;
    char *json = strchr(line, '\t');
    if (json != NULL) {
        *json++ = '\0';
    }
    if ((json == NULL || portolan_params_from_json(json, &params, &error) == PORTOLAN_CODE_OK) &&
        portolan_query_with(release, line, params, NULL, &result, &error) == PORTOLAN_CODE_OK) {
        puts(portolan_result_json(result));
    } else {
        print_error(error);
    }
    portolan_result_free(result);
    portolan_params_free(params);
    portolan_error_free(error);
}

/* The next line without its end, to be freed; NULL after the last one. */
static char *read_line(FILE *file) {
    size_t length = 0, room = 256;
    char *line = malloc(room);
    int c = EOF;
    while (line != NULL && (c = getc(file)) != EOF && c != '\n') {
        line[length++] = (char)c;
        if (length == room) {
            char *longer = realloc(line, room *= 2);
            if (longer == NULL) {
                free(line);
            }
            line = longer;
        }
    }
    if (line == NULL || (c == EOF && length == 0)) {
        free(line);
        return NULL;
    }
    line[length] = '\0';
    return line;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s RELEASE_DIR STATEMENTS_FILE\n", argv[0]);
        return 2;
    }
    FILE *statements = fopen(argv[2], "rb");
    portolan_release_t *release = NULL;
    portolan_error_t *error = NULL;
    if (statements == NULL) {
        perror(argv[2]);
        return 2;
    }
    if (portolan_release_open(argv[1], &release, &error) != PORTOLAN_CODE_OK) {
        fprintf(stderr, "%s\n", portolan_error_message(error));
    } else {
        for (char *line; (line = read_line(statements)) != NULL; free(line)) {
            answer(release, line);
        }
    }
    int failed = release == NULL;
    portolan_error_free(error);
    portolan_release_free(release);
    fclose(statements);
    return failed;
}
