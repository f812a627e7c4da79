/*
 * Progress of long work on the standard error: see progress.h.
 */
#include "cli/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kdebug/escape.h"

#define FIRST_MS  1000 /* shorter work is not worth a bar */
#define REDRAW_MS 100

#define BAR_LEN 30

/* For the signal handler. */
static const char *running;		  /* the command */
static struct timespec started;		  /* when it was */
static struct progress *volatile current; /* NULL: nothing to tell of */

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
		.pr_terminal = isatty(STDERR_FILENO) == 1,
		.pr_next = from_now(FIRST_MS),
	};
	if (slash != NULL)
		what = slash + 1;
	(void)escape_text(pr->pr_what, sizeof(pr->pr_what), what, strlen(what),
	    "");
	current = pr;
}

/* From 0 to 1. */
static double
part_of(uint64_t done, uint64_t total)
{
	return (done >= total ? 1 : (double)done / (double)total);
}

static void
draw(const struct progress *pr, uint64_t done, uint64_t total)
{
	double part = part_of(done, total);
	char bar[BAR_LEN + 1];

	memset(bar, '.', BAR_LEN);
	memset(bar, '#', (size_t)(part * BAR_LEN));
	bar[BAR_LEN] = '\0';
	fprintf(stderr, "\r%s %s [%s] %3d%%", pr->pr_verb, pr->pr_what, bar,
	    (int)(part * 100));
	fflush(stderr);
}

void
progress_report(void *arg, uint64_t done, uint64_t total)
{
	struct progress *pr = arg;

	pr->pr_percent = (sig_atomic_t)(part_of(done, total) * 100);
	pr->pr_total = (sig_atomic_t)(total >> 20);
	if (!pr->pr_terminal || !is_past(pr->pr_next))
		return;
	draw(pr, done, total);
	pr->pr_shown = true;
	pr->pr_next = from_now(REDRAW_MS);
}

void
progress_end(struct progress *pr)
{
	current = NULL;
	if (pr->pr_shown)
		fprintf(stderr, "\r%*s\r", 79, "");
	pr->pr_shown = false;
}

/* ---- signals ---- */

/* A line that the signal handler writes; it must not call printf(3). */
struct answer_line {
	char al_text[200];
	size_t al_len;
};

static void
add_text(struct answer_line *al, const char *text)
{
	while (*text != '\0' && al->al_len < sizeof(al->al_text))
		al->al_text[al->al_len++] = *text++;
}

static void
add_number(struct answer_line *al, uint64_t value)
{
	char digits[21];
	char *p = &digits[sizeof(digits) - 1];

	*p = '\0';
	do {
		*--p = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	add_text(al, p);
}

static void
add_progress(struct answer_line *al, const struct progress *pr)
{
	add_text(al, pr->pr_verb);
	add_text(al, " ");
	add_text(al, pr->pr_what);
	add_text(al, ": ");
	add_number(al, (uint64_t)pr->pr_percent);
	add_text(al, "% of ");
	add_number(al, (uint64_t)pr->pr_total);
	add_text(al, " MB, ");
}

static void
answer(int sig)
{
	const struct progress *pr = current;
	struct answer_line al = { .al_len = 0 };
	int saved = errno;

	(void)sig;
	add_text(&al, pr != NULL && pr->pr_shown ? "\nvmcore: " : "vmcore: ");
	add_text(&al, running);
	add_text(&al, ": ");
	if (pr != NULL)
		add_progress(&al, pr);
	add_number(&al, (uint64_t)(from_now(0).tv_sec - started.tv_sec));
	add_text(&al, " s");
	if (al.al_len == sizeof(al.al_text))
		al.al_len--;
	add_text(&al, "\n");
	(void)!write(STDERR_FILENO, al.al_text, al.al_len);
	errno = saved;
}

void
progress_signals(const char *command)
{
	struct sigaction act = { .sa_handler = answer, .sa_flags = SA_RESTART };

	running = command;
	started = from_now(0);
	(void)sigemptyset(&act.sa_mask);
	(void)sigaction(SIGUSR1, &act, NULL);
#ifdef SIGINFO
	(void)sigaction(SIGINFO, &act, NULL);
#endif
}
