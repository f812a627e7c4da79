/*
 * Entering and leaving the debugger, and its command line.
 *
 * Inside, the other CPUs are stopped, interrupts are off and locks do nothing.
 * A fault in a command is caught where memory is read (safe_copy()), or ends
 * the command; inside of a dump it is a second panic.
 */
#include "kernel/ddb/ddb.h"
#include "kernel/machine/cpufunc.h"
#include "kernel/machine/frame.h"
#include "kernel/machine/pcb.h"
#include "kernel/machine/pcpu.h"
#include "kernel/sys/command.h"
#include "kernel/sys/cons.h"
#include "kernel/sys/kdb.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"

volatile bool kdb_active;
const char *kdb_why;
struct trapframe *kdb_frame;
struct thread *kdb_thread;

static bool leave; /* "continue" was given */

/* Where to continue when the running command faults. */
static struct pcb command_pcb;
static bool command_runs;

/* ddb.script was run, which happens when the debugger is first entered. */
static bool script_done;

/* A fault in the command ends it: kdb_fault() comes back here. */
static bool
run_command(const struct console_command *cc, const char *args)
{
	if (setctx(&command_pcb) == 0) {
		command_runs = true;
		cc->cc_func(args);
	}
	command_runs = false;
	return (!leave);
}

void
kdb_fault(const char *what, const struct trapframe *frame)
{
	if (!command_runs || dumping > 0)
		return;
	printf("KDB: %s at ", what);
	db_printsym(frame->tf_rip);
	printf(", address %#jx\n", (uintmax_t)frame->tf_addr);
	resumectx(&command_pcb);
}

void
kdb_stuck(const char *wmesg)
{
	if (!command_runs || dumping > 0)
		return;
	printf("KDB: it would wait for \"%s\" for ever\n", wmesg);
	resumectx(&command_pcb);
}

static void
db_continue(const char *args)
{
	(void)args;
	leave = true;
}
COMMAND(continue, "continue", CMD_DDB, db_continue, "leave the debugger");
COMMAND(c, "c", CMD_DDB, db_continue, "leave the debugger");

bool
db_expression(const char *s, uint64_t *out, const char **rest)
{
	const char *end = s;
	uint64_t v = strtouq(s, &end);

	if (end == s) {
		while (*end != '\0' && *end != ' ' && *end != '+')
			end++;
		if (end == s || !db_symbol_value(s, (size_t)(end - s), &v))
			return (false);
	}
	if (*end == '+') {
		const char *off = end + 1;

		v += strtouq(off, &end);
		if (end == off)
			return (false);
	}
	*out = v;
	while (*end == ' ')
		end++;
	*rest = end;
	return (true);
}

static void
command_loop(void)
{
	char line[COMMAND_LEN];
	const char *script = kern_getenv("ddb.script");

	leave = false;
	if (script != NULL && !script_done) {
		script_done = true;
		command_run(script, CMD_DDB, "db> ", run_command);
	}
	while (!leave) {
		printf("db> ");
		cngets(line, sizeof(line));
		command_run(line, CMD_DDB, NULL, run_command);
	}
}

static void
enter(const char *why, struct trapframe *frame)
{
	bool stopped = stop_cpus_hard();

	kdb_why = why;
	kdb_frame = frame;
	kdb_thread = curthread;
	kdb_active = true;
	cngrab();
	printf("KDB: enter: %s\n[ thread pid %d tid %d ]\n", why,
	    curproc->p_pid, curthread->td_tid);
	command_loop();
	cnungrab();
	kdb_active = false;
	kdb_frame = NULL;
	if (stopped)
		restart_cpus();
}

void
kdb_trap(const char *why, struct trapframe *frame)
{
	if (kdb_active) {
		printf("KDB: %s inside the debugger\n", why);
		return;
	}
	enter(kdb_why != NULL ? kdb_why : why, frame);
	kdb_why = NULL;
}

void
kdb_enter(const char *why, const char *fmt, ...)
{
	va_list ap;

	if (kdb_active)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	kdb_why = why;
	breakpoint();
}
