/*
 * The options that all commands share: see options.h.
 */
#include "cli/options.h"

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "libkvm/kvm_core.h"

static const char core_help[] =
    "  -N, --kernel FILE  the kernel's ELF file (default: \"kernel.N\" or\n"
    "                     \"kernel\" beside the core, then the booted kernel\n"
    "                     on FreeBSD)\n"
    "  -M, --core FILE    the dump, instead of the last argument\n"
    "      --force        open it with a kernel of another build, too\n";

static void
print_help(const struct syntax *syntax)
{
	printf("usage: vmcore %s %s\n\n%s%s"
	       "  -h, --help         print this text\n",
	    syntax->sy_name, syntax->sy_synopsis, syntax->sy_help,
	    syntax->sy_no_core ? "" : core_help);
}

int
options_usage(const struct syntax *syntax)
{
	fprintf(stderr, "usage: vmcore %s %s\n", syntax->sy_name,
	    syntax->sy_synopsis);
	return (EX_USAGE);
}

/* Say what is wrong with the option that getopt_long() stopped at. */
static void
complain(const struct syntax *syntax, int ch, char **argv)
{
	const char *word = argv[optind - 1];
	bool is_long = strncmp(word, "--", 2) == 0;

	/* A word may hold several letters; optopt is the one in question. */
	if (ch == ':' && !is_long)
		warnx("%s: -%c needs an argument", syntax->sy_name, optopt);
	else if (ch == ':')
		warnx("%s: %s needs an argument", syntax->sy_name, word);
	else if (!is_long)
		warnx("%s: unknown option -%c", syntax->sy_name, optopt);
	else if (optopt != 0)
		warnx("%s: %.*s takes no argument", syntax->sy_name,
		    (int)strcspn(word, "="), word);
	else
		warnx("%s: unknown option %s", syntax->sy_name, word);
}

int
options_next(const struct syntax *syntax, int argc, char **argv,
    struct args *args)
{
	int ch;

	opterr = 0;
	for (;;) {
		ch = getopt_long(argc, argv, syntax->sy_short, syntax->sy_long,
		    NULL);
		switch (ch) {
		case 'M':
			args->a_core = optarg;
			break;
		case 'N':
			args->a_kernel = optarg;
			break;
		case OPT_FORCE:
			args->a_force = true;
			break;
		case OPT_JSON:
			args->a_json = true;
			break;
		case 'h':
			print_help(syntax);
			args->a_status = EX_OK;
			return ('?');
		case ':':
		case '?':
			complain(syntax, ch, argv);
			args->a_status = options_usage(syntax);
			return ('?');
		default:
			return (ch);
		}
	}
}

/*
 * Take the core, and a kernel before it, off the end of the arguments that the
 * options left.
 */
static void
take_files(const struct syntax *syntax, int *argc, char ***argv,
    struct args *args)
{
	*argc -= optind;
	*argv += optind;
	if (args->a_core != NULL)
		return;
	if (args->a_kernel == NULL && syntax->sy_max_args == 0 && *argc == 2 &&
	    kvm_is_program((*argv)[0])) {
		args->a_kernel = *(*argv)++;
		--*argc;
	}
	if (*argc > 0)
		args->a_core = (*argv)[--*argc];
}

/* Why there may be an argument too many. */
static const char *
too_many(const struct args *args, bool named)
{
	if (named)
		return ("-M has named the core");
	if (kvm_is_program(args->a_core))
		return ("the kernel comes before the core, or -N names it");
	return ("-N names the kernel");
}

bool
options_core(const struct syntax *syntax, int *argc, char ***argv,
    struct args *args)
{
	bool named = args->a_core != NULL;

	take_files(syntax, argc, argv, args);
	if (args->a_core == NULL)
		warnx("%s: no core file named: it is the last argument, or -M "
		      "names it",
		    syntax->sy_name);
	else if (*argc < syntax->sy_min_args)
		warnx("%s: no %s named, but a core: %s", syntax->sy_name,
		    syntax->sy_args, args->a_core);
	else if (*argc > syntax->sy_max_args)
		warnx("%s: one argument too many: %s: %s", syntax->sy_name,
		    (*argv)[syntax->sy_max_args], too_many(args, named));
	else
		return (true);
	options_usage(syntax);
	return (false);
}
