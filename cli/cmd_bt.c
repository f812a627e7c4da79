/*
 * vmcore bt: backtraces of threads; by default the one that crashed or dumped.
 */
#include <err.h>
#include <limits.h>
#include <stdio.h>
#include <sysexits.h>

#include "cli/backtrace.h"
#include "cli/cmd.h"
#include "cli/number.h"
#include "cli/open.h"

static const struct option bt_long[] = {
	OPTIONS_LONG,
	OPTIONS_JSON,
	{ "all", no_argument, NULL, 'a' },
	{ "thread", required_argument, NULL, 't' },
	{ NULL, 0, NULL, 0 },
};

const struct syntax bt_syntax = {
	.sy_name = "bt",
	.sy_synopsis = "[-a | -t TID] [--json] [-N kernel] core",
	.sy_help =
	    "Show how threads of a dumped kernel got to where they stood:"
	    " the one that\n"
	    "crashed or dumped, unless -a or -t says otherwise.\n"
	    "\n"
	    "  -a, --all          every thread\n"
	    "  -t, --thread TID   the thread with this id (see vmcore ps)\n"
	    "      --json         one array of objects, registers included\n",
	.sy_short = OPTIONS_SHORT "at:",
	.sy_long = bt_long,
};

/* Which threads. */
struct selection {
	enum { BT_DUMPED, BT_ALL, BT_TID } bs_which;
	int bs_tid; /* BT_TID */
};

static bool
selected(const struct selection *sel, const struct kdebug_thread *td)
{
	switch (sel->bs_which) {
	case BT_DUMPED:
		return (td->kt_dumped);
	case BT_TID:
		return (td->kt_tid == sel->bs_tid);
	case BT_ALL:
		break;
	}
	return (true);
}

/* Say that no thread was selected, and what could be done. */
static int
none_selected(const struct dump *dump, const struct selection *sel,
    const struct args *args)
{
	const struct kdebug_thread *threads;

	if (kdebug_threads(dump->d_kdb, &threads) == 0)
		return (open_no_threads(dump, args));
	switch (sel->bs_which) {
	case BT_DUMPED:
		warnx(
		    "%s: no thread is known to have crashed or dumped: try -a",
		    args->a_core);
		break;
	case BT_TID:
		warnx("%s: no thread %d: see vmcore ps", args->a_core,
		    sel->bs_tid);
		break;
	case BT_ALL:
		break;
	}
	return (EX_DATAERR);
}

/* ---- text ---- */

/* Returns how many were printed. */
static size_t
print_selected(const struct dump *dump, const struct selection *sel)
{
	const struct kdebug_thread *threads;
	size_t nthreads = kdebug_threads(dump->d_kdb, &threads);
	uint64_t left = backtrace_budget(dump);
	size_t printed = 0;

	for (size_t i = 0; i < nthreads; i++) {
		if (!selected(sel, &threads[i]))
			continue;
		if (printed++ > 0)
			putchar('\n');
		backtrace_print(stdout, dump, &threads[i], &left);
	}
	return (printed);
}

/* ---- JSON ---- */

/* Returns how many were printed; *status is an exit status. */
static size_t
print_json(const struct dump *dump, const struct selection *sel, int *status)
{
	const struct kdebug_thread *threads;
	size_t nthreads = kdebug_threads(dump->d_kdb, &threads);
	uint64_t left = backtrace_budget(dump);
	struct json_stream jst = { 0 };
	size_t printed = 0;

	json_begin(&jst, NULL, '[');
	for (size_t i = 0; i < nthreads; i++) {
		if (!selected(sel, &threads[i]))
			continue;
		backtrace_put(&jst, dump, &threads[i], &left);
		printed++;
	}
	json_end(&jst, ']');
	*status = json_finish(&jst);
	return (printed);
}

/* ---- the command ---- */

static int
show(struct dump *dump, const struct selection *sel, const struct args *args)
{
	int status = EX_OK;
	size_t shown;

	if (args->a_json)
		shown = print_json(dump, sel, &status);
	else
		shown = print_selected(dump, sel);
	open_warn(dump);
	if (status == EX_OK && shown == 0)
		status = none_selected(dump, sel, args);
	return (status);
}

static bool
parse_tid(const char *text, int *tid)
{
	uint64_t value;

	if (!number_parse_decimal(text, INT_MAX, &value))
		return (false);
	*tid = (int)value;
	return (true);
}

int
cmd_bt(int argc, char **argv)
{
	struct selection sel = { .bs_which = BT_DUMPED };
	struct args args = { 0 };
	struct dump dump = { 0 };
	bool all = false, one = false;
	int ch, status;

	while ((ch = options_next(&bt_syntax, argc, argv, &args)) != -1) {
		switch (ch) {
		case 'a':
			all = true;
			break;
		case 't':
			if (!parse_tid(optarg, &sel.bs_tid)) {
				warnx("bt: not a thread id: %s", optarg);
				return (options_usage(&bt_syntax));
			}
			one = true;
			break;
		default:
			return (args.a_status);
		}
	}
	if (all && one) {
		warnx("bt: -a and -t exclude each other");
		return (options_usage(&bt_syntax));
	}
	if (all || one)
		sel.bs_which = all ? BT_ALL : BT_TID;
	if (!options_core(&bt_syntax, &argc, &argv, &args))
		return (EX_USAGE);

	status = open_debug(&args, &dump);
	if (status == EX_OK)
		status = show(&dump, &sel, &args);
	open_close(&dump);
	return (status);
}
