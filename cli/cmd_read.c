/*
 * vmcore read: memory of the dumped kernel, as a hex dump or as raw bytes.
 */
#include <ctype.h>
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/cmd.h"
#include "cli/hexdump.h"
#include "cli/number.h"
#include "cli/open.h"

/*
 * The default length is the symbol's, up to a limit, or this without a symbol.
 */
#define DEFAULT_LEN	64
#define MAX_DEFAULT_LEN 4096

#define CHUNK_LEN 8192

enum { OPT_RAW = OPT_OWN, OPT_CPU, OPT_VNET };

static const struct option read_long[] = {
	OPTIONS_LONG,
	{ "cpu", required_argument, NULL, OPT_CPU },
	{ "length", required_argument, NULL, 'l' },
	{ "physical", no_argument, NULL, 'p' },
	{ "raw", no_argument, NULL, OPT_RAW },
	{ "vnet", required_argument, NULL, OPT_VNET },
	{ NULL, 0, NULL, 0 },
};

const struct syntax read_syntax = {
	.sy_name = "read",
	.sy_synopsis = "[-p] [-l length] [--raw] [--cpu n] [--vnet n]"
		       " [-N kernel] address | symbol[+offset] [length] core",
	.sy_help = "Show memory of a dumped kernel.  Numbers are decimal, or"
		   " hexadecimal after 0x;\n"
		   "lengths may end in K, M or G.\n"
		   "\n"
		   "  -l, --length LEN   how many bytes (default: the symbol's"
		   " size, or 64)\n"
		   "  -p, --physical     the address is physical\n"
		   "      --raw          the bytes as they are, no hex dump\n"
		   "      --cpu N        the symbol's copy of CPU N (default:"
		   " 0)\n"
		   "      --vnet N       the symbol's copy of network stack N,"
		   " or of that at\n"
		   "                     address N (default: 0)\n",
	.sy_short = OPTIONS_SHORT "l:p",
	.sy_long = read_long,
	.sy_args = "address or symbol",
	.sy_min_args = 1,
	.sy_max_args = 2,
};

typedef kssize_t reader_t(kvm_t *kd, uint64_t addr, void *buf, size_t len,
    uint64_t *bad);

/* The memory to read, and how to print it. */
struct read_request {
	const struct args *rrq_args;
	const char *rrq_where; /* "hz", "panic+0x10", "0xffffffff80000000" */
	bool rrq_physical;
	bool rrq_raw;
	bool rrq_len_given;
	uint64_t rrq_len;
	bool rrq_cpu_given;
	uint64_t rrq_cpu;
	bool rrq_vnet_given;
	uint64_t rrq_vnet; /* see kvm_vnet_select() */

	/* Known once the dump is open. */
	reader_t *rrq_read;
	uint64_t rrq_addr;
};

/* ---- where, and how much ---- */

/* Split "base+offset" into an allocated base and a number. */
static char *
split_offset(const char *where, uint64_t *offset)
{
	const char *plus = strrchr(where, '+');

	*offset = 0;
	if (plus == NULL)
		return (strdup(where));
	if (!number_parse(plus + 1, offset))
		return (NULL);
	return (strndup(where, (size_t)(plus - where)));
}

/* The address of the selected copy of a DPCPU or VNET variable called base. */
static int
find_copy(kvm_t *kd, const struct read_request *rq, const char *base,
    uint64_t *addr)
{
	enum kvm_copies copies;

	if (kvm_copy_find(kd, addr, &copies) != 0) {
		warnx("%s: %s: %s", kvm_core(kd)->kc_core_path, base,
		    kvm_geterr(kd));
		return (EX_DATAERR);
	}
	if (rq->rrq_cpu_given && copies != KVM_PER_CPU) {
		warnx("read: --cpu: %s is not a per-CPU (DPCPU) variable",
		    base);
		return (EX_USAGE);
	}
	if (rq->rrq_vnet_given && copies != KVM_PER_VNET) {
		warnx("read: --vnet: %s is not a variable of network stacks",
		    base);
		return (EX_USAGE);
	}
	return (EX_OK);
}

static int
cannot_select(kvm_t *kd, const char *option)
{
	warnx("%s: %s: %s", kvm_core(kd)->kc_core_path, option, kvm_geterr(kd));
	return (EX_DATAERR);
}

/* Select the CPU and the network stack whose copies are read. */
static int
select_copies(kvm_t *kd, const struct read_request *rq)
{
	if (rq->rrq_cpu_given &&
	    kvm_dpcpu_setcpu(kd, (unsigned int)rq->rrq_cpu) != 0)
		return (cannot_select(kd, "--cpu"));
	if (rq->rrq_vnet_given && kvm_vnet_select(kd, rq->rrq_vnet) != 0)
		return (cannot_select(kd, "--vnet"));
	return (EX_OK);
}

/*
 * A symbol of the kernel or, if it has none of that name, of a module.  The version
 * of a damaged dump is not looked at for the first: it may be in the damage, and
 * then the exit status would tell of that, and not of what is read.
 */
static int
find_symbol(struct dump *dump, const struct read_request *rq, const char *name,
    struct kvm_symbol *sym)
{
	bool found = kvm_variable_find(dump->d_kd, name, sym);
	int status;

	if (found && dump->d_core->kc_damage != NULL)
		return (EX_OK);
	status = open_kernel(dump);
	if (status == EX_OK)
		status = open_check_version(rq->rrq_args, dump);
	if (status != EX_OK || found ||
	    kdebug_module_symbol(dump->d_kdb, name, sym))
		return (status);
	open_warn(dump);
	warnx("%s: no symbol %s, nor in a module", dump->d_kernel, name);
	return (EX_DATAERR);
}

/*
 * The address of base, and how much is left of that symbol after offset; 0
 * if it is an address, or the symbol's length is not known.
 */
static int
find_base(struct dump *dump, const struct read_request *rq, const char *base,
    uint64_t offset, uint64_t *addr, uint64_t *left)
{
	struct kvm_symbol sym;
	int status;

	*left = 0;
	if (base[0] == '\0') {
		warnx("read: neither an address nor a symbol: \"%s\"",
		    rq->rrq_where);
		return (EX_USAGE);
	}
	if (isdigit((unsigned char)base[0]) &&
	    (rq->rrq_cpu_given || rq->rrq_vnet_given)) {
		warnx("read: --cpu and --vnet need a symbol: %s", base);
		return (EX_USAGE);
	}
	if (isdigit((unsigned char)base[0])) {
		if (number_parse(base, addr))
			return (EX_OK);
		warnx("read: bad address: %s (hexadecimal starts with 0x)",
		    base);
		return (EX_USAGE);
	}
	if (rq->rrq_physical) {
		warnx("read: -p needs an address, not a symbol: %s", base);
		return (EX_USAGE);
	}
	status = find_symbol(dump, rq, base, &sym);
	if (status != EX_OK)
		return (status);
	*addr = sym.ksy_va;
	if (offset < sym.ksy_len)
		*left = sym.ksy_len - offset;
	return (find_copy(dump->d_kd, rq, base, addr));
}

static uint64_t
default_length(uint64_t symbol_left)
{
	if (symbol_left == 0)
		return (DEFAULT_LEN);
	return (symbol_left < MAX_DEFAULT_LEN ? symbol_left : MAX_DEFAULT_LEN);
}

static int
resolve(struct dump *dump, struct read_request *rq)
{
	uint64_t offset, left, last;
	char *base = split_offset(rq->rrq_where, &offset);
	int status;

	if (base == NULL) {
		warnx("read: bad offset: %s", rq->rrq_where);
		return (EX_USAGE);
	}
	status = find_base(dump, rq, base, offset, &rq->rrq_addr, &left);
	free(base);
	if (status != EX_OK)
		return (status);
	if (!rq->rrq_len_given)
		rq->rrq_len = default_length(left);
	if (__builtin_add_overflow(rq->rrq_addr, offset, &rq->rrq_addr) ||
	    (rq->rrq_len != 0 &&
		__builtin_add_overflow(rq->rrq_addr, rq->rrq_len - 1, &last))) {
		warnx("read: %s: goes past the end of memory", rq->rrq_where);
		return (EX_USAGE);
	}
	return (EX_OK);
}

/* ---- reading ---- */

static kssize_t
chunk_len(uint64_t left)
{
	return (left < CHUNK_LEN ? (kssize_t)left : CHUNK_LEN);
}

/* Print the bytes up to the first that cannot be read.  Returns how many. */
static uint64_t
print_memory(const struct dump *dump, const struct read_request *rq)
{
	uint8_t buf[CHUNK_LEN];
	struct hexdump hd;
	uint64_t done = 0;
	kssize_t want, got;

	hexdump_init(&hd, rq->rrq_addr, dump->d_core->kc_ptr_len);
	do {
		want = chunk_len(rq->rrq_len - done);
		got = rq->rrq_read(dump->d_kd, rq->rrq_addr + done, buf,
		    (size_t)want, NULL);
		if (rq->rrq_raw)
			fwrite(buf, 1, (size_t)got, stdout);
		else
			hexdump_add(&hd, buf, (size_t)got);
		done += (uint64_t)got;
	} while (got == want && done < rq->rrq_len && !ferror(stdout));
	if (!rq->rrq_raw)
		hexdump_fini(&hd);
	return (done);
}

static int
run(struct dump *dump, struct read_request *rq)
{
	uint64_t off;
	int status;

	rq->rrq_read = rq->rrq_physical ? kvm_read_phys_some : kvm_read_some;
	status = select_copies(dump->d_kd, rq);
	if (status == EX_OK)
		status = resolve(dump, rq);
	if (status != EX_OK)
		return (status);

	if (print_memory(dump, rq) == rq->rrq_len || ferror(stdout))
		return (EX_OK);
	fflush(stdout);
	/* open_close() names the byte that the system failed to read. */
	if (kvm_read_error(dump->d_kd, &off) == 0)
		warnx("%s: %s", dump->d_core->kc_core_path,
		    kvm_geterr(dump->d_kd));
	return (EX_DATAERR);
}

static bool
set_length(struct read_request *rq, const char *text)
{
	if (!number_parse_size(text, &rq->rrq_len)) {
		warnx("read: bad length: %s", text);
		return (false);
	}
	rq->rrq_len_given = true;
	return (true);
}

/* The number of a CPU or network stack. */
static bool
set_number(const char *option, uint64_t max, uint64_t *out)
{
	if (number_parse(optarg, out) && *out <= max)
		return (true);
	warnx("read: %s: not a number: %s", option, optarg);
	return (false);
}

/* An option of this command.  false: its argument is wrong. */
static bool
set_option(struct read_request *rq, int ch)
{
	switch (ch) {
	case 'l':
		return (set_length(rq, optarg));
	case 'p':
		rq->rrq_physical = true;
		return (true);
	case OPT_RAW:
		rq->rrq_raw = true;
		return (true);
	case OPT_CPU:
		rq->rrq_cpu_given = true;
		return (set_number("--cpu", UINT32_MAX, &rq->rrq_cpu));
	case OPT_VNET:
		rq->rrq_vnet_given = true;
		return (set_number("--vnet", UINT64_MAX, &rq->rrq_vnet));
	}
	return (false);
}

int
cmd_read(int argc, char **argv)
{
	struct read_request rq = { 0 };
	struct args args = { 0 };
	struct dump dump = { 0 };
	int ch, status;

	while ((ch = options_next(&read_syntax, argc, argv, &args)) != -1) {
		if (ch == '?')
			return (args.a_status);
		if (!set_option(&rq, ch))
			return (options_usage(&read_syntax));
	}
	if (!options_core(&read_syntax, &argc, &argv, &args))
		return (EX_USAGE);
	if (argc == 2 && rq.rrq_len_given) {
		warnx("read: a length after -l: %s", argv[1]);
		return (options_usage(&read_syntax));
	}
	if (argc == 2 && !set_length(&rq, argv[1]))
		return (options_usage(&read_syntax));
	rq.rrq_where = argv[0];
	rq.rrq_args = &args;

	status = open_dump(&args, &dump);
	if (status == EX_OK)
		status = run(&dump, &rq);
	open_close(&dump);
	return (status);
}
