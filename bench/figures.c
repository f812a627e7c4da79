/*
 * Clocks, medians and lines of JSON for benchmarks: see figures.h.
 */
#include "bench/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double
read_clock(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return ((double)ts.tv_sec + (double)ts.tv_nsec * 1e-9);
}

double
figures_now(void)
{
	return (read_clock(CLOCK_MONOTONIC));
}

double
figures_cpu_now(void)
{
	return (read_clock(CLOCK_PROCESS_CPUTIME_ID));
}

static int
compare_double(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return ((x > y) - (x < y));
}

static double
median(const double *values, size_t n)
{
	double sorted[FIGURES_MAXROUNDS];

	memcpy(sorted, values, n * sizeof(*values));
	qsort(sorted, n, sizeof(*sorted), compare_double);
	return (sorted[n / 2]);
}

void
figures_print(const struct figures *fg, const double *ours, const double *limit,
    size_t n)
{
	double ratio[FIGURES_MAXROUNDS];

	for (size_t i = 0; i < n; i++)
		ratio[i] = ours[i] / limit[i];
	qsort(ratio, n, sizeof(*ratio), compare_double);
	printf("{\"bench\":\"%s\", %s\"unit\":\"%s\", \"ours\":%.4g, "
	       "\"limit\":%.4g, \"limit_is\":\"%s\", \"ratio\":%.3f, "
	       "\"ratio_min\":%.3f, \"ratio_max\":%.3f}\n",
	    fg->fg_bench, fg->fg_about, fg->fg_unit, median(ours, n),
	    median(limit, n), fg->fg_limit_is, ratio[n / 2], ratio[0],
	    ratio[n - 1]);
	(void)fflush(stdout);
}
