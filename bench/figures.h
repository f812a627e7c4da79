/*
 * Clocks for benchmarks, and the lines in which they print their results.
 */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stddef.h>

#define FIGURES_MAXROUNDS 16

/* A result.  The texts are written into JSON unchanged. */
struct figures {
	const char *fg_bench;
	const char *fg_about; /* further members, each followed by ", " */
	const char *fg_unit;
	const char *fg_limit_is;
};

/* Seconds, from any moment on. */
double figures_now(void);

/*
 * Seconds of CPU time of this process: other programs on the machine do not
 * count.  For work that never waits for a disk; waiting does not count either.
 */
double figures_cpu_now(void);

/*
 * Print one JSON object on a line of its own: the medians of ours and of the
 * limit over n rounds, n <= FIGURES_MAXROUNDS, and the median, the lowest and
 * the highest of the rounds' ratios.
 */
void figures_print(const struct figures *fg, const double *ours,
    const double *limit, size_t n);

#endif
