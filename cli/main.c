/*
 * vmcore: look into the crash dump of a FreeBSD kernel, on any host.
 *
 * This file picks the command.  It is the only one that exits.
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/completion.h"
#include "cli/open.h"
#include "cli/progress.h"
#include "cli/self.h"
#include "cli/version.h"

static const struct command commands[] = {
	{ &bt_syntax, "backtraces: the crashed thread, one, or all", cmd_bt },
	{ &dmesg_syntax, "the message buffer, oldest line first", cmd_dmesg },
	{ &gdb_syntax, "run gdb on the dump", cmd_gdb },
	{ &info_syntax, "format, architecture, sizes, panic string", cmd_info },
	{ &modules_syntax, "loaded kernel modules and their files",
	    cmd_modules },
	{ &ps_syntax, "processes and threads", cmd_ps },
	{ &read_syntax, "memory at an address or symbol", cmd_read },
	{ &save_syntax, "bring a dump from a disk or its image into a file",
	    cmd_save },
	{ &serve_syntax, "the gdb remote protocol, for gdb and lldb",
	    cmd_serve },
};

#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (strcmp(commands[i].c_syntax->sy_name, name) == 0)
			return (&commands[i]);
	return (NULL);
}

/* The first words that are no commands: what to do with a line that has one. */
struct word {
	const char *wd_name;
	const char *wd_usage; /* NULL: the same as the one before */
	const char *wd_help;
	int (*wd_run)(int argc, char **argv);
};

static int run_help(int argc, char **argv);
static int run_completion(int argc, char **argv);

static const char help_help[] =
    "List the commands, or tell the options of one.\n";
static const char completion_help[] =
    "Print the script by which a shell completes commands and options.\n";
static const char version_help[] = "Tell the version and what can be opened.\n"
				   "\n"
				   "      --json         one object\n";

static const struct word words[] = {
	{ "help", "help [command]", help_help, run_help },
	{ "--help", NULL, NULL, run_help },
	{ "-h", NULL, NULL, run_help },
	{ "completion", "completion bash | zsh", completion_help,
	    run_completion },
	{ "--version", "--version [--json]", version_help, version_print },
	{ "-V", NULL, NULL, version_print },
};

#define NWORDS (sizeof(words) / sizeof(words[0]))

static const struct word *
find_word(const char *name)
{
	for (size_t i = 0; i < NWORDS; i++)
		if (strcmp(words[i].wd_name, name) == 0)
			return (&words[i]);
	return (NULL);
}

static void
print_usage(FILE *out)
{
	fprintf(out, "usage: vmcore command [options] core\n");
	for (size_t i = 0; i < NWORDS; i++)
		if (words[i].wd_usage != NULL)
			fprintf(out, "       vmcore %s\n", words[i].wd_usage);
}

static int
print_help(void)
{
	print_usage(stdout);
	printf("\nLook into the crash dump of a FreeBSD kernel.\n\n");
	for (size_t i = 0; i < NCOMMANDS; i++)
		printf("  %-8s%s\n", commands[i].c_syntax->sy_name,
		    commands[i].c_summary);
	printf("\n\"vmcore help command\" tells the options of a command.\n");
	return (EX_OK);
}

static int
unknown_command(const char *name)
{
	if (name[0] == '-')
		warnx("unknown option %s: a command's options come after it",
		    name);
	else
		warnx("unknown command: %s", name);
	print_usage(stderr);
	return (EX_USAGE);
}

/* ---- words that are no commands ---- */

static int
print_word_help(const struct word *word)
{
	while (word->wd_usage == NULL)
		word--;
	printf("usage: vmcore %s\n\n%s", word->wd_usage, word->wd_help);
	return (EX_OK);
}

/* vmcore help [command] */
static int
run_help(int argc, char **argv)
{
	const struct command *cmd;
	const struct word *word;
	char help[] = "--help";
	char *help_argv[] = { NULL, help, NULL };

	if (argc < 2)
		return (print_help());
	cmd = find_command(argv[1]);
	word = find_word(argv[1]);
	if (cmd == NULL && word == NULL)
		return (unknown_command(argv[1]));
	if (argc > 2) {
		warnx("help: one argument too many: %s", argv[2]);
		print_usage(stderr);
		return (EX_USAGE);
	}
	if (word != NULL)
		return (print_word_help(word));
	help_argv[0] = argv[1];
	return (cmd->c_run(2, help_argv));
}

static int
run_completion(int argc, char **argv)
{
	return (completion_print(commands, NCOMMANDS, argc, argv));
}

/* ---- the command line ---- */

static bool
wants_help(int argc, char **argv)
{
	return (argc == 2 &&
	    (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0));
}

/* argv[0] is the first word after the program's name. */
static int
run(int argc, char **argv)
{
	const struct word *word = find_word(argv[0]);
	const struct command *cmd = find_command(argv[0]);

	if (word != NULL && wants_help(argc, argv))
		return (print_word_help(word));
	if (word != NULL)
		return (word->wd_run(argc, argv));
	if (cmd == NULL)
		return (unknown_command(argv[0]));
	progress_signals(argv[0]);
	return (cmd->c_run(argc, argv));
}

/*
 * A file that we open must not get the number of the standard output or error,
 * where these are closed: messages would go into a disk.  /dev/null stands for
 * them, read only, so that writing fails as before.
 */
static bool
fill_standard_files(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
			return (false);
	return (true);
}

int
main(int argc, char **argv)
{
	int status;

	if (!fill_standard_files())
		return (EX_OSERR);
	if (argc < 2) {
		warnx("no command named: \"vmcore help\" lists them");
		print_usage(stderr);
		return (EX_USAGE);
	}
	self_init(argv[0]);
	/* A file that may not grow is a write's error, and has a name. */
	(void)signal(SIGXFSZ, SIG_IGN);
	status = open_verdict(run(argc - 1, argv + 1));
	if ((fflush(stdout) != 0 || ferror(stdout)) && status == EX_OK) {
		warn("standard output");
		status = EX_IOERR;
	}
	return (status);
}
