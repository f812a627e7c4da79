/*
 * "monitor" commands: see serve_monitor.h.
 *
 *	COMMAND [TID [COUNT]]
 *
 * A thread is named as debuggers name it; without a name it is the one that
 * crashed or dumped.  Which one the user has selected is not known here: a
 * debugger that has a thread's registers need not tell.
 */
#include "cli/serve_monitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/backtrace.h"
#include "cli/bounded_text.h"
#include "cli/gdb_frames.h"
#include "cli/gdb_unwinder.h"
#include "cli/number.h"
#include "cli/serve_modules.h"

/*
 * The longest answer, in MB: 65536 frames are half of it if names are short.  The
 * client's buffer takes twice as much, as the protocol sends hexadecimal digits.
 */
#define ANSWER_MAX 32

/* A command and its thread; svt_nthreads if there is no such thread. */
struct monitor_request {
	const struct serve_target *mrq_target;
	size_t mrq_thread;
	uint64_t mrq_count; /* of threads, from that one on; 0: not given */
	FILE *mrq_out;
};

static const struct kdebug_thread *
find_thread(const struct monitor_request *rq)
{
	const struct serve_target *st = rq->mrq_target;

	if (rq->mrq_thread < st->svt_nthreads)
		return (&st->svt_threads[rq->mrq_thread]);
	fputs("no such thread\n", rq->mrq_out);
	return (NULL);
}

static void
say_backtrace(const struct monitor_request *rq)
{
	const struct kdebug_thread *td = find_thread(rq);
	uint64_t left = KDEBUG_TRACE_MAX;

	if (td != NULL)
		backtrace_print(rq->mrq_out, rq->mrq_target->svt_dump, td,
		    &left);
}

static void
say_frames(const struct monitor_request *rq)
{
	const struct kdebug_thread *td = find_thread(rq);

	if (td == NULL)
		return;
	if (!backtrace_print_frames(rq->mrq_out, rq->mrq_target->svt_dump, td,
		(size_t)ANSWER_MAX << 20))
		fputs("out of memory", rq->mrq_out);
	putc('\n', rq->mrq_out);
}

static void
say_notes(const struct monitor_request *rq)
{
	const char *const *notes;
	size_t nnotes = kdebug_notes(rq->mrq_target->svt_dump->d_kdb, &notes);

	for (size_t i = 0; i < nnotes; i++)
		fprintf(rq->mrq_out, "%s\n", notes[i]);
	if (nnotes == 0)
		fputs("nothing was wrong so far\n", rq->mrq_out);
}

/* All frames of a thread, or where some threads stand. */
static void
say_stacks(const struct monitor_request *rq)
{
	const struct serve_target *st = rq->mrq_target;
	size_t max = rq->mrq_count == 0 ? SIZE_MAX : GDB_FRAMES_FIRST;
	uint64_t left = rq->mrq_count == 0 ? 1 : rq->mrq_count;

	if (find_thread(rq) == NULL)
		return;
	for (size_t i = rq->mrq_thread; i < st->svt_nthreads && left > 0; i++) {
		gdb_frames_print(rq->mrq_out, st->svt_dump, &st->svt_threads[i],
		    st->svt_shown[i].rth_id, max);
		left--;
	}
}

static void
say_unwinder(const struct monitor_request *rq)
{
	fputs(gdb_unwinder, rq->mrq_out);
}

static void
say_gdb_modules(const struct monitor_request *rq)
{
	serve_modules_gdb(rq->mrq_out, rq->mrq_target->svt_dump);
}

static void
say_lldb_modules(const struct monitor_request *rq)
{
	serve_modules_lldb(rq->mrq_out, rq->mrq_target->svt_dump);
}

static void say_help(const struct monitor_request *rq);

static const struct monitor_command {
	const char *name;
	void (*say)(const struct monitor_request *rq);
	bool counts; /* it takes a COUNT */
	const char *synopsis;
	const char *help;
} commands[] = {
	{ "bt", say_backtrace, false, "[TID]",
	    "a thread's backtrace; that of the one that crashed" },
	{ "frames", say_frames, false, "[TID]",
	    "the same as JSON, with the registers of each frame" },
	{ "gdb-modules", say_gdb_modules, false, "",
	    "commands for gdb that read the modules' files" },
	{ "help", say_help, false, "", "this text" },
	{ "lldb-modules", say_lldb_modules, false, "",
	    "commands for lldb that do the same" },
	{ "notes", say_notes, false, "", "what the dump lacks" },
	{ "stacks", say_stacks, true, "[TID [COUNT]]",
	    "frames for the unwinder, of one or more threads" },
	{ "unwinder", say_unwinder, false, "",
	    "Python for gdb, so that its own bt is right" },
};

#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
say_help(const struct monitor_request *rq)
{
	for (size_t i = 0; i < NCOMMANDS; i++)
		fprintf(rq->mrq_out, "monitor %s %-*s  %s\n", commands[i].name,
		    19 - (int)strlen(commands[i].name), commands[i].synopsis,
		    commands[i].help);
}

/* ---- the command line ---- */

/* The thread with this id; svt_nthreads if there is none. */
static size_t
parse_thread(const struct serve_target *st, const char *text)
{
	uint64_t id;
	size_t thread;

	if (!number_parse_decimal(text, UINT64_MAX, &id))
		return (st->svt_nthreads);
	for (thread = 0; thread < st->svt_nthreads; thread++) {
		if (st->svt_shown[thread].rth_id == id)
			break;
	}
	return (thread);
}

static const struct monitor_command *
parse_command(const char *name)
{
	for (size_t i = 0; i < NCOMMANDS; i++) {
		if (name != NULL && strcmp(commands[i].name, name) == 0)
			return (&commands[i]);
	}
	return (NULL);
}

/* line is cut into words. */
static void
run(struct monitor_request *rq, char *line)
{
	char *rest;
	const struct monitor_command *command =
	    parse_command(strtok_r(line, " ", &rest));
	const char *tid = strtok_r(NULL, " ", &rest);
	const char *count = tid != NULL ? strtok_r(NULL, " ", &rest) : NULL;
	bool good = command != NULL && strtok_r(NULL, " ", &rest) == NULL;

	if (tid != NULL)
		rq->mrq_thread = parse_thread(rq->mrq_target, tid);
	if (count != NULL)
		good = good && command->counts &&
		    number_parse_decimal(count, UINT64_MAX, &rq->mrq_count);
	if (good)
		command->say(rq);
	else
		fputs("no such command: \"monitor help\" lists them\n",
		    rq->mrq_out);
}

char *
serve_monitor(const struct serve_target *target, const char *command)
{
	struct monitor_request rq = {
		.mrq_target = target,
		.mrq_thread = target->svt_rsp.rt_first,
	};
	char *line = strdup(command);
	struct bounded_text said;
	char *text = NULL;

	if (line != NULL && bounded_text_begin(&said, ANSWER_MAX) == 0) {
		rq.mrq_out = said.bnd_out;
		run(&rq, line);
		text = bounded_text_end(&said);
	}
	free(line);
	return (text);
}
