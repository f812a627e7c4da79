/*
 * A progress bar on the standard error: see progress.h.
 */
#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FIRST_MS  1000 /* shorter work is not worth a bar */
#define REDRAW_MS 100

#define BAR_LEN	     30
#define NAME_MAX_LEN 30

static struct timespec
from_now(long ms)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += ms % 1000 * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	return (ts);
}

static bool
is_past(struct timespec ts)
{
	struct timespec now = from_now(0);

	return (now.tv_sec != ts.tv_sec ? now.tv_sec > ts.tv_sec :
					  now.tv_nsec >= ts.tv_nsec);
}

void
progress_start(struct progress *pr, const char *verb, const char *what)
{
	const char *slash = strrchr(what, '/');

	*pr = (struct progress){
		.pr_verb = verb,
		.pr_what = slash == NULL ? what : slash + 1,
		.pr_terminal = isatty(STDERR_FILENO) == 1,
		.pr_next = from_now(FIRST_MS),
	};
}

static void
draw(const struct progress *pr, uint64_t done, uint64_t total)
{
	double part = total == 0 ? 1 : (double)done / (double)total;
	char bar[BAR_LEN + 1];

	if (part > 1)
		part = 1;
	memset(bar, '.', BAR_LEN);
	memset(bar, '#', (size_t)(part * BAR_LEN));
	bar[BAR_LEN] = '\0';
	fprintf(stderr, "\r%s %.*s [%s] %3d%%", pr->pr_verb, NAME_MAX_LEN,
	    pr->pr_what, bar, (int)(part * 100));
	fflush(stderr);
}

void
progress_report(void *arg, uint64_t done, uint64_t total)
{
	struct progress *pr = arg;

	if (!pr->pr_terminal || !is_past(pr->pr_next))
		return;
	draw(pr, done, total);
	pr->pr_shown = true;
	pr->pr_next = from_now(REDRAW_MS);
}

void
progress_end(struct progress *pr)
{
	if (pr->pr_shown)
		fprintf(stderr, "\r%*s\r", 79, "");
	pr->pr_shown = false;
}
