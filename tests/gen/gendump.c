/*
 * gendump: make a dump of a machine that never was.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "tests/gen/dumpgen.h"

enum {
	OPT_ARCH = 256,
	OPT_VARIANT,
	OPT_LIST,
	OPT_FULL,
	OPT_VERSION,
	OPT_SEED,
	OPT_MEM,
	OPT_PHYS,
	OPT_MAPPED,
	OPT_BIG,
	OPT_RUN,
	OPT_PROCS,
	OPT_THREADS,
	OPT_CPUS,
	OPT_RELEASE,
	OPT_MSGBUF,
	OPT_RECURSION,
	OPT_JSON,
	OPT_FLAG, /* and up: the flags in the order of their table */
};

static const struct {
	const char *name;
	unsigned flag;
	const char *help;
} flags[] = {
	{ "pae", GEN_PAE, "i386: three-level page tables" },
	{ "big-endian", GEN_BIG_ENDIAN, "arm: a big-endian kernel" },
	{ "16k", GEN_PAGE_16K, "arm64 version 3: 16 KiB pages" },
	{ "relocated", GEN_RELOCATED, "amd64 full: kernel not at 2 MB" },
	{ "dump-delta", GEN_DUMP_DELTA, "amd64 full: headers tell where" },
	{ "identity", GEN_IDENTITY, "i386 full: kernel image at va = pa" },
	{ "unaligned", GEN_UNALIGNED, "segment bounds inside pages" },
	{ "aliases", GEN_ALIASES, "some pages mapped twice" },
	{ "lose-tables", GEN_LOSE_TABLES, "amd64: some tables absent" },
	{ "plain", GEN_PLAIN, "small pages only, all present" },
	{ "wrapped", GEN_WRAPPED, "the message buffer has wrapped" },
	{ "high-bits", GEN_HIGH_BITS, "software bits in page tables" },
	{ "odd-tables", GEN_ODD_TABLES, "arm: tables end inside a page" },
	{ "rounded", GEN_ROUNDED, "arm: pages after them page aligned" },
	{ "live", GEN_LIVE, "no panic, and no CPU was stopped" },
	{ "stripped", GEN_STRIPPED, "the kernel's file has .dynsym alone" },
	{ "qemu", GEN_QEMU, "amd64 full: QEMU's core of its mappings" },
	{ "no-list", GEN_NO_LIST, "the kernel has no allproc" },
};
#define NFLAGS (sizeof(flags) / sizeof(flags[0]))

/* The command line. */
struct args {
	struct gen_spec spec;
	const char *core, *kernel, *json;
};

static void
usage(FILE *to, int status)
{
	fprintf(to,
	    "usage: gendump --arch ARCH | --variant NAME [options] "
	    "[-o core] [-k kernel] [--json file]\n"
	    "  --arch A        amd64, i386, arm64, riscv64 or arm\n"
	    "  --variant NAME  architecture, format and flags by one name\n"
	    "  --list          list these names\n"
	    "  --full          an ELF full dump, not a minidump\n"
	    "  --version N     of the minidump; the newest\n"
	    "  --seed N        what all chance depends on; 0\n"
	    "  --mem SIZE      pages in the dump; 16M\n"
	    "  --phys SIZE     physical memory\n"
	    "  --mapped N      percent of the pages in the kernel map; 75\n"
	    "  --big N         percent of the pages in larger pages, besides; 0\n"
	    "  --run N         pages in a run of mappings, at most; 32\n"
	    "  --procs N       processes; none\n"
	    "  --threads       the same as --procs 12\n"
	    "  --recursion N   frames of one, in the crashed thread; none\n"
	    "  --cpus N        CPUs; 1 to 8\n"
	    "  --release N     __FreeBSD_version\n"
	    "  --msgbuf SIZE   the message buffer's ring\n");
	for (size_t i = 0; i < NFLAGS; i++)
		fprintf(to, "  --%-13s %s\n", flags[i].name, flags[i].help);
	exit(status);
}

static void
list_variants(void)
{
	unsigned n;
	const struct gen_variant *variant = gen_variants(&n);

	for (; n > 0; n--, variant++)
		printf("%s\n", variant->gv_name);
	exit(EX_OK);
}

static void
parse_variant(struct gen_spec *spec, const char *name)
{
	const struct gen_variant *variant;
	struct gen_spec from;

	if ((variant = gen_variant_find(name)) == NULL)
		errx(EX_USAGE, "%s: no such variant; see --list", name);
	from = gen_variant_spec(variant, spec->gs_seed);
	spec->gs_arch = from.gs_arch;
	spec->gs_format = from.gs_format;
	spec->gs_version = from.gs_version;
	spec->gs_flags |= from.gs_flags;
}

/* A number with K, M, G or T. */
static uint64_t
parse_size(const char *text)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end;
	uint64_t n;

	n = strtoull(text, &end, 0);
	if (end == text)
		errx(EX_USAGE, "%s: not a number", text);
	if (*end == '\0')
		return (n);
	if ((unit = strchr(units, *end)) == NULL || end[1] != '\0')
		errx(EX_USAGE, "%s: not a size", text);
	return (n << (10 * (unit - units + 1)));
}

/* True if opt was one of those that take a number. */
static bool
parse_number(struct gen_spec *spec, int opt, const char *text)
{
	uint64_t n = parse_size(text);

	switch (opt) {
	case OPT_VERSION:
		spec->gs_version = (unsigned)n;
		return (true);
	case OPT_SEED:
		spec->gs_seed = n;
		return (true);
	case OPT_MEM:
		spec->gs_mem_len = n;
		return (true);
	case OPT_PHYS:
		spec->gs_phys_len = n;
		return (true);
	case OPT_MAPPED:
		spec->gs_map_percent = (unsigned)n;
		return (true);
	case OPT_BIG:
		spec->gs_big_percent = (unsigned)n;
		return (true);
	case OPT_RUN:
		spec->gs_run_max = (unsigned)n;
		return (true);
	case OPT_PROCS:
		spec->gs_nprocs = (unsigned)n;
		return (true);
	case OPT_RECURSION:
		spec->gs_recursion = (unsigned)n;
		return (true);
	case OPT_CPUS:
		spec->gs_ncpus = (unsigned)n;
		return (true);
	case OPT_RELEASE:
		spec->gs_osreldate = (unsigned)n;
		return (true);
	case OPT_MSGBUF:
		spec->gs_msgbuf_len = (uint32_t)n;
		return (true);
	}
	return (false);
}

static void
parse_option(struct args *args, int opt, const char *text)
{
	switch (opt) {
	case 'h':
		usage(stdout, EX_OK);
		break;
	case 'o':
		args->core = text;
		break;
	case 'k':
		args->kernel = text;
		break;
	case OPT_JSON:
		args->json = text;
		break;
	case OPT_ARCH:
		args->spec.gs_arch = text;
		break;
	case OPT_VARIANT:
		parse_variant(&args->spec, text);
		break;
	case OPT_LIST:
		list_variants();
		break;
	case OPT_FULL:
		args->spec.gs_format = GEN_FULL;
		break;
	case OPT_THREADS:
		args->spec.gs_nprocs = 12;
		break;
	default:
		if (opt >= OPT_FLAG)
			args->spec.gs_flags |= flags[opt - OPT_FLAG].flag;
		else if (text == NULL || !parse_number(&args->spec, opt, text))
			usage(stderr, EX_USAGE);
	}
}

static void
parse_args(struct args *args, int argc, char **argv)
{
	static const struct option options[] = {
		{ "arch", required_argument, NULL, OPT_ARCH },
		{ "variant", required_argument, NULL, OPT_VARIANT },
		{ "list", no_argument, NULL, OPT_LIST },
		{ "full", no_argument, NULL, OPT_FULL },
		{ "version", required_argument, NULL, OPT_VERSION },
		{ "seed", required_argument, NULL, OPT_SEED },
		{ "mem", required_argument, NULL, OPT_MEM },
		{ "phys", required_argument, NULL, OPT_PHYS },
		{ "mapped", required_argument, NULL, OPT_MAPPED },
		{ "big", required_argument, NULL, OPT_BIG },
		{ "run", required_argument, NULL, OPT_RUN },
		{ "procs", required_argument, NULL, OPT_PROCS },
		{ "threads", no_argument, NULL, OPT_THREADS },
		{ "cpus", required_argument, NULL, OPT_CPUS },
		{ "recursion", required_argument, NULL, OPT_RECURSION },
		{ "release", required_argument, NULL, OPT_RELEASE },
		{ "msgbuf", required_argument, NULL, OPT_MSGBUF },
		{ "json", required_argument, NULL, OPT_JSON },
		{ "help", no_argument, NULL, 'h' },
	};
	enum { NOPTIONS = sizeof(options) / sizeof(options[0]) };
	struct option all[NOPTIONS + NFLAGS + 1] = { 0 };
	int opt;

	memcpy(all, options, sizeof(options));
	for (size_t i = 0; i < NFLAGS; i++)
		all[NOPTIONS + i] = (struct option){ flags[i].name, no_argument,
			NULL, OPT_FLAG + (int)i };
	while ((opt = getopt_long(argc, argv, "ho:k:", all, NULL)) != -1)
		parse_option(args, opt, optarg);
	if (optind != argc || args->spec.gs_arch == NULL)
		usage(stderr, EX_USAGE);
}

int
main(int argc, char **argv)
{
	struct args args = { 0 };
	const char *why;
	struct gen *g;

	parse_args(&args, argc, argv);
	if ((g = gen_create(&args.spec, &why)) == NULL)
		errx(EX_USAGE, "%s: %s", args.spec.gs_arch, why);
	if (args.core != NULL && gen_write_core(g, args.core) == -1)
		err(EX_IOERR, "%s", args.core);
	if (args.kernel != NULL && gen_write_kernel(g, args.kernel) == -1)
		err(EX_IOERR, "%s", args.kernel);
	if (args.json != NULL && gen_write_json(g, args.json) == -1)
		err(EX_IOERR, "%s", args.json);
	gen_destroy(g);
	return (EX_OK);
}
