/*
 * In and out of the debugger, and its command line.
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
#include "kernel/sys/cons.h"
#include "kernel/sys/kdb.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"

#define LINE_LEN 256

SET_DECLARE(db_command_set, const struct db_command);

volatile bool kdb_active;
const char *kdb_why;
struct trapframe *kdb_frame;
struct thread *kdb_thread;

static bool leave; /* "continue" was given */

/* Where to go on when a command faults, while one runs. */
static struct pcb command_pcb;
static bool command_runs;

/* ddb.script of the command line runs when it is entered first. */
static bool script_done;

static const char *
skip_blanks(const char *s)
{
	while (*s == ' ')
		s++;
	return (s);
}

/*
 * Does line start with the words of name?  Then what follows them, a modifier
 * with its slash included.
 */
static const char *
match(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(line, name, len) != 0 ||
	    (line[len] != '\0' && line[len] != ' ' && line[len] != '/'))
		return (NULL);
	return (skip_blanks(line + len));
}

static void
run_command(const struct db_command *dc, const char *args)
{
	if (setctx(&command_pcb) == 0) {
		command_runs = true;
		dc->dbc_func(args);
	}
	command_runs = false;
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

static void
execute_one(const char *line)
{
	const struct db_command *const *dc;

	line = skip_blanks(line);
	if (*line == '\0')
		return;
	SET_FOREACH(dc, db_command_set) {
		const char *args = match(line, (*dc)->dbc_name);

		if (args != NULL) {
			run_command(*dc, args);
			return;
		}
	}
	printf("No such command: \"%s\"; use \"help\"\n", line);
}

/* Commands are parted by semicolons: take the first; what is left. */
static const char *
take_command(const char *commands, char line[LINE_LEN])
{
	const char *end = strchr(commands, ';');
	size_t len = end != NULL ? (size_t)(end - commands) : strlen(commands);

	strlcpy(line, commands, len < LINE_LEN ? len + 1 : LINE_LEN);
	return (end != NULL ? end + 1 : commands + len);
}

static void
execute(const char *commands)
{
	char line[LINE_LEN];

	while (*commands != '\0' && !leave) {
		commands = take_command(commands, line);
		execute_one(line);
	}
}

/* As if somebody typed it. */
static void
execute_script(const char *commands)
{
	char line[LINE_LEN];

	while (*commands != '\0' && !leave) {
		commands = take_command(commands, line);
		printf("db> %s\n", line);
		execute_one(line);
	}
}

static void
db_continue(const char *args)
{
	(void)args;
	leave = true;
}
DB_COMMAND(continue, "continue", db_continue, "leave the debugger");
DB_COMMAND(c, "c", db_continue, "the same");

static void
db_help(const char *args)
{
	const struct db_command *const *dc;

	(void)args;
	SET_FOREACH(dc, db_command_set)
	printf("%-18s %s\n", (*dc)->dbc_name, (*dc)->dbc_help);
}
DB_COMMAND(help, "help", db_help, "list the commands");

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
	*rest = skip_blanks(end);
	return (true);
}

static void
command_loop(void)
{
	char line[LINE_LEN];
	const char *script = kern_getenv("ddb.script");

	leave = false;
	if (script != NULL && !script_done) {
		script_done = true;
		execute_script(script);
	}
	while (!leave) {
		printf("db> ");
		cngets(line, sizeof(line));
		execute(line);
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
