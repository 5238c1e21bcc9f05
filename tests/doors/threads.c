/* Shares one release handle among four threads a core, and checks that all of them see the same answers.
 *
 *     threads RELEASE_DIR STATEMENT [ROUNDS]
 *
 * Each thread asks STATEMENT again and again; between the rounds it makes calls that fail. Exit code 0 when every
 * answer is the first one.
 */
#define _POSIX_C_SOURCE 200809L
#include <portolan.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct task {
    const portolan_release_t *release;
    const portolan_result_t *expected;
    const char *sql;
    int rounds;
    int wrong;
};

/* Whether a result has the rows and distances of the expected one. */
static int same(const portolan_result_t *result, const portolan_result_t *expected) {
    size_t rows = portolan_result_row_count(result);
    int equal = rows == portolan_result_row_count(expected);
    for (size_t row = 0; equal && row < rows; row++) {
        equal = strcmp(portolan_result_row_id(result, row), portolan_result_row_id(expected, row)) == 0 &&
                portolan_result_row_distance(result, row) == portolan_result_row_distance(expected, row);
    }
    return equal;
}

static int fails_cleanly(const portolan_release_t *release) {
    portolan_result_t *result = NULL;
    portolan_error_t *error = NULL;
    uint32_t code = portolan_query(release, "not a statement", &result, &error);
    int clean = code != 0 && result == NULL && portolan_error_code(error) == code;
    portolan_error_free(error);
    return clean;
}

static void *work(void *argument) {
    struct task *task = argument;
    for (int round = 0; round < task->rounds; round++) {
        portolan_result_t *result = NULL;
        if (portolan_query(task->release, task->sql, &result, NULL) != 0 || !same(result, task->expected)) {
            task->wrong++;
        }
        if (!fails_cleanly(task->release)) {
            task->wrong++;
        }
        portolan_result_free(result);
    }
    return NULL;
}

/* Runs `count` threads; returns how many answers were wrong, threads that did not start included. */
static int run(struct task task, size_t count) {
    pthread_t *threads = calloc(count, sizeof *threads);
    struct task *tasks = calloc(count, sizeof *tasks);
    size_t started = 0;
    int wrong = 0;
    while (threads != NULL && tasks != NULL && started < count) {
        tasks[started] = task;
        if (pthread_create(&threads[started], NULL, work, &tasks[started]) != 0) {
            break;
        }
        started++;
    }
    for (size_t i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
        wrong += tasks[i].wrong;
    }
    free(threads);
    free(tasks);
    return wrong + (int)(count - started);
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: %s RELEASE_DIR STATEMENT [ROUNDS]\n", argv[0]);
        return 2;
    }
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = 4 * (size_t)(cores > 0 ? cores : 1);
    portolan_release_t *release = NULL, *other = NULL;
    portolan_result_t *expected = NULL;
    portolan_error_t *error = NULL;
    int wrong = 1;
    /* The expected answer comes from a handle of its own, so that the threads meet one that nobody has warmed up. */
    if (portolan_release_open(argv[1], &other, &error) == 0 && portolan_release_open(argv[1], &release, &error) == 0 &&
        portolan_query(other, argv[2], &expected, &error) == 0) {
        struct task task = {release, expected, argv[2], argc > 3 ? atoi(argv[3]) : 20, 0};
        wrong = run(task, count);
        printf("%lu threads, %d rounds each, %d wrong\n", (unsigned long)count, task.rounds, wrong);
    } else {
        fprintf(stderr, "%s\n", portolan_error_message(error));
    }
    portolan_result_free(expected);
    portolan_error_free(error);
    portolan_release_free(release);
    portolan_release_free(other);
    return wrong != 0;
}
