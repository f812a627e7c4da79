/*
 * Command lines: the options that all commands share, the way to a command's
 * own, its --help, and the core file as the last argument.
 *
 *	static const struct option bt_long[] = {
 *		OPTIONS_LONG,
 *		{ "all", no_argument, NULL, 'a' },
 *		{ NULL, 0, NULL, 0 },
 *	};
 *	const struct syntax bt_syntax = {
 *		.sy_name = "bt", .sy_short = OPTIONS_SHORT "a",
 *		.sy_long = bt_long, ...
 *	};
 *
 *	while ((ch = options_next(&bt_syntax, argc, argv, &args)) != -1) {
 *		switch (ch) {
 *		case 'a': ...
 *		default:
 *			return (args.a_status);
 *		}
 *	}
 *	if (!options_core(&bt_syntax, &argc, &argv, &args))
 *		return (EX_USAGE);
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

/* Codes of long options that have no letter; a command's own from OPT_OWN. */
enum { OPT_JSON = 256, OPT_FORCE, OPT_OWN };

#define OPTIONS_SHORT ":hM:N:"

/* Entries of a command's long options; OPTIONS_JSON if it can print JSON. */
/* clang-format off */
#define OPTIONS_LONG                               \
	{ "core", required_argument, NULL, 'M' },  \
	{ "force", no_argument, NULL, OPT_FORCE }, \
	{ "help", no_argument, NULL, 'h' },        \
	{ "kernel", required_argument, NULL, 'N' }
#define OPTIONS_JSON { "json", no_argument, NULL, OPT_JSON }
/* clang-format on */

/* The command line that a command understands. */
struct syntax {
	const char *sy_name;	      /* "bt" */
	const char *sy_synopsis;      /* "[-a | -t TID] [-N kernel] core" */
	const char *sy_help;	      /* what it does, then an option a line */
	const char *sy_short;	      /* OPTIONS_SHORT and its own */
	const struct option *sy_long; /* OPTIONS_LONG, its own, zeros */
	bool sy_no_core;	      /* it opens no dump: neither -M nor -N */
	const char *sy_args; /* "address", before the core; NULL: none */
	int sy_min_args;     /* how many there must be, and may be */
	int sy_max_args;
};

/* The values of the common options.  Start with zeros. */
struct args {
	const char *a_kernel; /* -N; NULL: not named */
	const char *a_core;   /* -M, or from options_core() */
	bool a_json;
	bool a_force; /* the kernel may be of another build */
	int a_status; /* why options_next() ended early */
};

/*
 * The next option of the command's own, as getopt_long(3) returns it; -1 at
 * the end.  Shared ones go into args.  '?' after --help or a mistake: there
 * is nothing left to do but to return args->a_status.
 */
int options_next(const struct syntax *syntax, int argc, char **argv,
    struct args *args);

/*
 * After the options: take the core from the end of the arguments, unless -M
 * named it, and leave the others in argc and argv, counted from 0.  If there
 * are two files and neither -M nor -N, and the command has no arguments of its
 * own, the first file is the kernel, provided it is an ELF program.  false,
 * after a message and the usage: there is no core, or there are too few or too
 * many other arguments.
 */
bool options_core(const struct syntax *syntax, int *argc, char ***argv,
    struct args *args);

/* Print the usage line to stderr.  Returns EX_USAGE. */
int options_usage(const struct syntax *syntax);

#endif
