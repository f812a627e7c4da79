/*
 * vmcore gdb: stock gdb on the dump, with nothing to set up.
 *
 * gdb is started on the kernel's file and told to speak to "vmcore serve"
 * through a pipe.  It replaces this process, so that the terminal and its
 * signals are gdb's; the dump is unpacked, and served, by the server alone.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/gdb_start.h"
#include "cli/open.h"
#include "cli/quote.h"
#include "cli/self.h"

static const struct option gdb_long[] = {
	OPTIONS_LONG,
	{ "gdb", required_argument, NULL, 'g' },
	{ NULL, 0, NULL, 0 },
};

const struct syntax gdb_syntax = {
	.sy_name = "gdb",
	.sy_synopsis = "[--gdb PROGRAM] [-N kernel] core [-- gdb argument ...]",
	.sy_help = "Run gdb on a dumped kernel, on the thread that crashed or"
		   " dumped.  What follows\n"
		   "-- goes to gdb, for example: -- -batch -ex 'info threads'"
		   " -ex bt\n"
		   "\n"
		   "  -g, --gdb PROGRAM  instead of gdb-multiarch or gdb\n",
	.sy_short = OPTIONS_SHORT "g:",
	.sy_long = gdb_long,
};

/* Arrays, because execvp(3) takes pointers to char that is not const. */
static char gdb_multiarch[] = "gdb-multiarch";
static char gdb_native[] = "gdb";

/* In the order in which they are tried. */
static char *const gdb_programs[] = { gdb_multiarch, gdb_native };

#define NPROGRAMS (sizeof(gdb_programs) / sizeof(gdb_programs[0]))

static char now[] = "-iex"; /* before the kernel is read */
static char then[] = "-ex"; /* after it */

/*
 * What gdb is told first.  Nothing can be lost, so it need not ask.  The server
 * answers nothing while it unpacks a dump, which may take minutes.
 */
static char no_questions[] = "set confirm off";
static char no_scripts[] = GDB_NO_SCRIPTS;
static char patience[] = "set remotetimeout 3600";
#ifndef __FreeBSD__
static char no_system[] = GDB_NO_OSABI;
#endif

/*
 * The server has a script by which gdb sees the frames that vmcore bt sees.  A
 * gdb without Python, and thus without the functions that are written in it,
 * is told to do nothing instead, lest it complain; and one that could not
 * attach has nobody to ask.
 */
static char choose_unwinder[] =
    "set $_vmcore = $_isvoid($_strlen) ? \"echo\" : \"python "
    "exec(gdb.execute('monitor unwinder', False, True)"
    " if gdb.selected_thread() else '', {})\"";
static char load_unwinder[] = "eval \"%s\", $_vmcore";

/* The arguments of gdb. */
struct session {
	char *gs_program; /* --gdb; NULL: the usual ones */
	char **gs_argv;	  /* for gdb, ended by NULL */
	int gs_argc;
	bool gs_force; /* --force, for the server */
};

/* ---- the shell command that gdb runs ---- */

/* "target remote | vmcore serve ...".  The caller frees it.  NULL: errno. */
static char *
target_command(const struct session *gs, const char *self, const char *kernel,
    const char *core)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return (NULL);
	fputs("target remote | exec ", out);
	quote_put(out, self);
	fputs(" serve --stdio", out);
	if (gs->gs_force)
		fputs(" --force", out);
	fputs(" -N ", out);
	quote_put(out, kernel);
	fputs(" -M ", out);
	quote_put(out, core);
	if (fclose(out) != 0) {
		free(text);
		return (NULL);
	}
	return (text);
}

/* ---- starting gdb ---- */

/* Become gdb.  Returns only if that fails: an exit status. */
static int
exec_gdb(const struct session *gs, char *kernel, char *target)
{
	char *head[] = { NULL, now, no_questions, now, patience, now,
		no_scripts,
#ifndef __FreeBSD__
		now, no_system,
#endif
		now, choose_unwinder, kernel, then, target, then,
		load_unwinder };
	size_t nhead = sizeof(head) / sizeof(head[0]);
	char **argv = calloc(nhead + (size_t)gs->gs_argc + 1, sizeof(*argv));

	if (argv == NULL) {
		warn("gdb");
		return (EX_OSERR);
	}
	memcpy(argv, head, sizeof(head));
	for (int i = 0; i < gs->gs_argc; i++)
		argv[nhead + (size_t)i] = gs->gs_argv[i];
	if (gs->gs_program != NULL) {
		argv[0] = gs->gs_program;
		execvp(argv[0], argv);
		warn("%s", argv[0]);
	} else {
		for (size_t i = 0; i < NPROGRAMS; i++) {
			argv[0] = gdb_programs[i];
			execvp(argv[0], argv);
		}
		warnx("neither gdb-multiarch nor gdb can be run: "
		      "install one, or name it with --gdb");
	}
	free(argv);
	return (EX_UNAVAILABLE);
}

/* An absolute path, since gdb may change directories.  NULL: a message. */
static char *
absolute(const char *path)
{
	char *real = realpath(path, NULL);

	if (real == NULL)
		warn("%s", path);
	return (real);
}

static int
run(const struct session *gs, const char *kernel, const char *core)
{
	char *kernel_path = absolute(kernel);
	char *core_path = absolute(core);
	char *self = self_path();
	char *target = NULL;
	int status = EX_NOINPUT;

	if (kernel_path == NULL || core_path == NULL)
		goto done;
	status = EX_OSERR;
	if (self == NULL) {
		warnx("cannot find my own program file");
		goto done;
	}
	target = target_command(gs, self, kernel_path, core_path);
	if (target == NULL)
		warn("gdb");
	else
		status = exec_gdb(gs, kernel_path, target);
done:
	free(target);
	free(self);
	free(core_path);
	free(kernel_path);
	return (status);
}

/* ---- the command ---- */

/*
 * Cut argv at "--": what follows is gdb's.  Done before getopt_long(3), which
 * would leave no trace of it.
 */
static void
take_gdb_arguments(int *argc, char **argv, struct session *gs)
{
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--") != 0)
			continue;
		gs->gs_argv = argv + i + 1;
		gs->gs_argc = *argc - i - 1;
		argv[i] = NULL;
		*argc = i;
		return;
	}
}

static int
start(const struct session *gs, const struct args *args)
{
	char *kernel;
	int status = open_check(args->a_core);

	if (status != EX_OK)
		return (status);
	kernel = open_find_kernel(args);
	if (kernel == NULL)
		return (open_no_kernel(args));
	status = open_check(kernel);
	if (status == EX_OK)
		status = open_check_build(args, kernel);
	if (status == EX_OK)
		status = run(gs, kernel, args->a_core);
	free(kernel);
	return (status);
}

int
cmd_gdb(int argc, char **argv)
{
	struct session gs = { 0 };
	struct args args = { 0 };
	int ch;

	take_gdb_arguments(&argc, argv, &gs);
	while ((ch = options_next(&gdb_syntax, argc, argv, &args)) != -1) {
		switch (ch) {
		case 'g':
			gs.gs_program = optarg;
			break;
		default:
			return (args.a_status);
		}
	}
	if (!options_core(&gdb_syntax, &argc, &argv, &args))
		return (EX_USAGE);
	gs.gs_force = args.a_force;
	return (start(&gs, &args));
}
