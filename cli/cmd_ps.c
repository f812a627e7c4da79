/*
 * vmcore ps: the processes and threads of the dumped kernel, in its list's
 * order.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/cmd.h"
#include "cli/open.h"
#include "cli/thread.h"

static const struct option ps_long[] = {
	OPTIONS_LONG,
	OPTIONS_JSON,
	{ NULL, 0, NULL, 0 },
};

const struct syntax ps_syntax = {
	.sy_name = "ps",
	.sy_synopsis = "[--json] [-N kernel] core",
	.sy_help =
	    "List the threads of a dumped kernel with their processes.\n"
	    "\n"
	    "      --json         one array of objects, registers included\n",
	.sy_short = OPTIONS_SHORT,
	.sy_long = ps_long,
};

/* Returns how many there are; *status is an exit status. */
static size_t
print_json(const struct dump *dump, int *status)
{
	const struct kdebug_thread *threads;
	size_t nthreads = kdebug_threads(dump->d_kdb, &threads);
	struct json_stream jst = { 0 };

	json_begin(&jst, NULL, '[');
	for (size_t i = 0; i < nthreads; i++)
		json_put(&jst, NULL, thread_json(dump->d_kdb, &threads[i]));
	json_end(&jst, ']');
	*status = json_finish(&jst);
	return (nthreads);
}

/* The state of a thread when the dump was made. */
static const char *
state_text(const struct kdebug_thread *td)
{
	const char *run = kdebug_run_name(td->kt_run);

	if (td->kt_unstopped)
		return ("running (not stopped)");
	if (td->kt_dumped && td->kt_state != KDEBUG_CRASHED)
		return ("dumping");
	if (td->kt_state == KDEBUG_STOPPED && run != NULL)
		return (run);
	return (kdebug_state_name(td->kt_state));
}

/* The widths of columns that vary; 0: the column is left out. */
struct widths {
	size_t wi_state;
	size_t wi_wmesg;
};

static struct widths
find_widths(const struct kdebug_thread *threads, size_t nthreads)
{
	struct widths wi = { .wi_state = strlen("stopped ") };

	for (size_t i = 0; i < nthreads; i++) {
		const struct kdebug_thread *td = &threads[i];
		size_t state = strlen(state_text(td));
		size_t wmesg = td->kt_wmesg != NULL ? strlen(td->kt_wmesg) : 0;

		if (state > wi.wi_state)
			wi.wi_state = state;
		if (wmesg > wi.wi_wmesg)
			wi.wi_wmesg = wmesg;
	}
	if (wi.wi_wmesg != 0 && wi.wi_wmesg < strlen("WMESG"))
		wi.wi_wmesg = strlen("WMESG");
	return (wi);
}

static void
print_wmesg(const struct widths *wi, const char *text)
{
	if (wi->wi_wmesg != 0)
		printf("  %-*s", (int)wi->wi_wmesg, text);
}

static void
print_thread(const struct widths *wi, const struct kdebug_thread *td)
{
	printf("%7d %7d %-*s ", td->kt_pid, td->kt_tid, (int)wi->wi_state,
	    state_text(td));
	if (td->kt_cpu < 0)
		printf("%3s", "-");
	else
		printf("%3d", td->kt_cpu);
	print_wmesg(wi, td->kt_wmesg != NULL ? td->kt_wmesg : "-");
	printf("  %-19s %s\n", td->kt_comm, td->kt_name);
}

/* Returns how many there are. */
static size_t
print_threads(const struct dump *dump)
{
	const struct kdebug_thread *threads;
	size_t nthreads = kdebug_threads(dump->d_kdb, &threads);
	struct widths wi = find_widths(threads, nthreads);

	printf("%7s %7s %-*s %3s", "PID", "TID", (int)wi.wi_state, "STATE",
	    "CPU");
	print_wmesg(&wi, "WMESG");
	printf("  %-19s %s\n", "COMM", "NAME");
	for (size_t i = 0; i < nthreads; i++)
		print_thread(&wi, &threads[i]);
	return (nthreads);
}

static int
show(struct dump *dump, const struct args *args)
{
	int status = EX_OK;
	size_t shown;

	if (args->a_json)
		shown = print_json(dump, &status);
	else
		shown = print_threads(dump);
	open_warn(dump);
	if (status == EX_OK && shown == 0)
		status = open_no_threads(dump, args);
	return (status);
}

int
cmd_ps(int argc, char **argv)
{
	return (open_and_show(&ps_syntax, argc, argv, show));
}
