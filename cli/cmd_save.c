/*
 * vmcore save: brings the dump that a kernel has left on its disk into a file,
 * as savecore(8) does on FreeBSD when it boots.
 */
#include <sys/stat.h>

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/digest.h"
#include "cli/dumpinfo.h"
#include "cli/interrupt.h"
#include "cli/number.h"
#include "cli/options.h"
#include "cli/rawcommand.h"
#include "cli/save_dump.h"
#include "cli/text.h"
#include "format/imagekind.h"

/* Not of sysexits(3): there is no dump, which is no mistake of anybody. */
#define STATUS_NONE 1

enum { OPT_OFFSET = OPT_OWN, OPT_LENGTH };

static const struct option save_long[] = {
	{ "check", no_argument, NULL, 'C' },
	{ "clear", no_argument, NULL, 'c' },
	{ "force", no_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ "keep", no_argument, NULL, 'k' },
	{ "length", required_argument, NULL, OPT_LENGTH },
	{ "max", required_argument, NULL, 'm' },
	{ "offset", required_argument, NULL, OPT_OFFSET },
	{ "verbose", no_argument, NULL, 'v' },
	{ NULL, 0, NULL, 0 },
};

const struct syntax save_syntax = {
	.sy_name = "save",
	.sy_synopsis = "[-C | -c] [-fkv] [option ...] device-or-image"
		       " [directory]",
	.sy_help =
	    "Find a crash dump on a disk, or in its image, and save it as"
	    " vmcore.N.\n"
	    "\n"
	    "  -C, --check        only tell whether there is a dump\n"
	    "  -c, --clear        only mark the dump as saved\n"
	    "  -f, --force        also dumps that are damaged or were saved"
	    " before;\n"
	    "                     zeros where the disk cannot be read\n"
	    "  -k, --keep         do not mark the dump as saved\n"
	    "  -m, --max N        number dumps from 0 to N-1, then from 0"
	    " again\n"
	    "  -v, --verbose      print the dump's header\n"
	    "  --offset START     look for dumps from this byte on, wherever they"
	    " are;\n"
	    "                     K, M or G may follow the number\n"
	    "  --length BYTES     the offset is that of a partition of this"
	    " length\n",
	.sy_short = ":Ccfhkm:v",
	.sy_long = save_long,
	.sy_no_core = true,
};

enum action { ACTION_SAVE, ACTION_CHECK, ACTION_CLEAR };

/* The request, and its outcome so far. */
struct save_request {
	const char *srq_device;
	enum action srq_action;
	bool srq_force;
	bool srq_keep;
	bool srq_verbose;
	uint32_t srq_max; /* 0: no limit */

	bool srq_has_offset;
	uint64_t srq_offset, srq_length; /* bytes; length 0: to the end */

	uint64_t srq_data_len;	 /* bytes that the disk has outside holes */
	uint64_t srq_data_used;	 /* of those, bytes of dumps so far */
	uint64_t srq_holes_left; /* bytes of holes to count into sums */

	struct crashdir srq_dir;
	struct dumpdev *srq_dev;
	unsigned int srq_nfound;
	uint32_t srq_nsaved;
	uint32_t srq_nhandled; /* saved or marked, or tried to */
	bool srq_any_cleared;
};

/* The device's name, with the partition that the dump was found in. */
struct source_name {
	char sn_text[1100];
};

static const char *
name_source(const struct save_request *rq, const struct dumpdev_dump *dump,
    struct source_name *name)
{
	size_t len = sizeof(name->sn_text);

	(void)snprintf(name->sn_text, len, "%s%s%s", rq->srq_device,
	    dump->dmp_where[0] == '\0' ? "" : " ", dump->dmp_where);
	return (name->sn_text);
}

/* ---- what is done with a dump ---- */

static int
clear(const struct save_request *rq, const struct save_source *src)
{
	struct trouble tr = { 0 };

	if (dumpdev_clear(rq->srq_dev, src->src_dump, &tr))
		return (EX_OK);
	warnx("%s: not marked as saved: %s", src->src_name, tr.trb_text);
	return (save_status(&tr));
}

static int
check(const struct save_source *src)
{
	const struct kerneldump_hdr *kh = &src->src_dump->dmp_hdr;
	char human[NUMBER_HUMAN_LEN];

	text_put(stdout, src->src_name);
	printf(": a %s of %s\n", kerneldump_is_text(kh) ? "textdump" : "dump",
	    number_human(kh->kh_dump_len, human));
	return (EX_OK);
}

/*
 * All dumps together have no more bytes than the disk, unless they lie on each
 * other: a header costs nothing, and each may claim the whole disk.
 */
static bool
take_data(struct save_request *rq, uint64_t data_len)
{
	uint64_t used = rq->srq_data_used + data_len;

	if (used > rq->srq_data_len)
		return (false);
	rq->srq_data_used = used;
	return (true);
}

/* Is a sum worth its time?  That grows with the holes. */
static bool
take_holes(struct save_request *rq, const struct save_source *src,
    uint64_t data_len)
{
	uint64_t len = src->src_dump->dmp_hdr.kh_dump_len;
	uint64_t holes = len > data_len ? len - data_len : 0;

	if (holes > rq->srq_holes_left) {
		warnx(
		    "warning: %s: no SHA-256 of the dump: almost all of it is a hole of the image",
		    src->src_name);
		return (false);
	}
	rq->srq_holes_left -= holes;
	return (true);
}

static int
save(struct save_request *rq, struct save_source *src)
{
	uint64_t data_len = dumpdev_data_len(src->src_dev, src->src_dump);
	char core[CRASHNAME_LEN];
	int status;

	if (!take_data(rq, data_len)) {
		warnx(
		    "%s: not saved: it overlaps dumps that were saved before (--offset and --length save it alone)",
		    src->src_name);
		return (EX_DATAERR);
	}
	if (rq->srq_max != 0 && rq->srq_nsaved == rq->srq_max) {
		warnx(
		    "%s: not saved: with -m %u it would replace a dump saved right now",
		    src->src_name, rq->srq_max);
		return (EX_CANTCREAT);
	}
	src->src_has_sum = take_holes(rq, src, data_len);
	status = save_dump(&rq->srq_dir, src, rq->srq_max, core);
	if (status != EX_OK)
		return (status);
	rq->srq_nsaved++;
	text_put(stdout, rq->srq_dir.cd_path);
	printf("/%s\n", core);
	if (rq->srq_keep || src->src_dump->dmp_cleared)
		return (EX_OK);
	return (clear(rq, src));
}

static bool
is_over(const struct save_request *rq)
{
	return (interrupt_came() || rq->srq_nhandled > CRASHDIR_MAX_DUMPS);
}

/* May one more be saved or marked?  If not, another run goes on. */
static bool
take_turn(struct save_request *rq, const struct save_source *src)
{
	if (rq->srq_action == ACTION_CHECK ||
	    ++rq->srq_nhandled <= CRASHDIR_MAX_DUMPS)
		return (true);
	warnx(
	    "%s: this dump and all after it are left: one run takes %d dumps (--offset %ju goes on here)",
	    src->src_name, CRASHDIR_MAX_DUMPS,
	    (uintmax_t)src->src_dump->dmp_place.kpl_first_off);
	return (false);
}

/* Say which options save a dump that was refused. */
static void
say_refused(const struct save_source *src)
{
	const struct dumpdev_dump *dump = src->src_dump;
	uint64_t off = dump->dmp_place.kpl_last_off;

	if (dump->dmp_ambiguous)
		warnx(
		    "%s: %s (with -f, --offset %ju takes it for the first one, --offset 0 --length %ju for the last one)",
		    src->src_name, dump->dmp_why, (uintmax_t)off,
		    (uintmax_t)(off + KERNELDUMP_HDR_LEN));
	else
		warnx("%s: %s%s", src->src_name, dump->dmp_why,
		    dump->dmp_status == DUMPDEV_DOUBTFUL ?
			" (-f saves it all the same, marked as bad)" :
			"");
}

/* Shall it be left alone?  *status is how that ends. */
static bool
is_refused(struct save_request *rq, const struct save_source *src, int *status)
{
	const struct dumpdev_dump *dump = src->src_dump;

	*status = EX_OK;
	if (dump->dmp_cleared &&
	    (rq->srq_action == ACTION_CLEAR || !rq->srq_force)) {
		rq->srq_any_cleared = true;
		return (true);
	}
	/* A dump in an unknown format may still be cleared. */
	if (dump->dmp_status == DUMPDEV_GOOD || rq->srq_action == ACTION_CLEAR)
		return (false);
	if (dump->dmp_status == DUMPDEV_DOUBTFUL && rq->srq_force) {
		warnx("warning: %s: %s", src->src_name, dump->dmp_why);
		return (false);
	}
	say_refused(src);
	*status =
	    dump->dmp_first_lost || dump->dmp_last_lost ? EX_IOERR : EX_DATAERR;
	return (true);
}

static int
handle(struct save_request *rq, const struct dumpdev_dump *dump)
{
	struct source_name name;
	struct save_source src = { .src_dev = rq->srq_dev,
		.src_dump = dump,
		.src_name = name_source(rq, dump, &name),
		.src_salvage = rq->srq_force };
	const struct dumpinfo di = { .di_dump = dump,
		.di_device = src.src_name };
	int status;

	if (rq->srq_verbose && dump->dmp_status != DUMPDEV_BAD)
		dumpinfo_print(stderr, &di);
	if (is_refused(rq, &src, &status))
		return (status);
	rq->srq_nfound++;
	if (!take_turn(rq, &src))
		return (EX_TEMPFAIL);
	switch (rq->srq_action) {
	case ACTION_CHECK:
		return (check(&src));
	case ACTION_CLEAR:
		return (clear(rq, &src));
	case ACTION_SAVE:
		break;
	}
	return (save(rq, &src));
}

/* ---- the device ---- */

/* Options that may still find a dump when the first look failed. */
static const char *
advice(const struct save_request *rq, enum trouble_kind kind)
{
	bool forces = kind == TROUBLE_IO && !rq->srq_force;

	if (rq->srq_has_offset)
		return (forces && rq->srq_length != 0 ?
			" (-f looks for the header before a dump)" :
			"");
	return (forces ?
		" (-f looks for the header before a dump, --offset 0 -f for any dump on the disk)" :
		" (--offset 0 looks for dumps without it)");
}

/* Dumps lie whole sectors from the place that was named. */
static bool
say_no_sector(const struct save_request *rq)
{
	uint64_t offset_over = rq->srq_offset % KERNELDUMP_HDR_LEN;
	uint64_t length_over = rq->srq_length % KERNELDUMP_HDR_LEN;

	if (offset_over != 0)
		warnx(
		    "%s: no dump whole sectors after byte %ju (--offset %ju is the start of that sector)",
		    rq->srq_device, (uintmax_t)rq->srq_offset,
		    (uintmax_t)(rq->srq_offset - offset_over));
	else if (length_over != 0)
		warnx(
		    "%s: no dump whole sectors before byte %ju (--length is not a multiple of %d)",
		    rq->srq_device,
		    (uintmax_t)(rq->srq_offset + rq->srq_length),
		    KERNELDUMP_HDR_LEN);
	return (offset_over != 0 || length_over != 0);
}

/* An image that is all hole has nothing that could be searched. */
static void
say_none(const struct save_request *rq)
{
	const char *kind = dumpdev_file_kind(rq->srq_dev);

	if (rq->srq_any_cleared)
		warnx("%s: no dump but one that was saved before",
		    rq->srq_device);
	else if (say_no_sector(rq))
		return;
	else if (kind != NULL)
		warnx("%s: no dump on it: it is %s", rq->srq_device, kind);
	else if (rq->srq_has_offset || rq->srq_data_len == 0 ||
	    dumpdev_has_table(rq->srq_dev))
		warnx("%s: no dump", rq->srq_device);
	else
		warnx(
		    "%s: no dump at its end, and no partition table (--offset 0 searches all of it)",
		    rq->srq_device);
}

/* The exit status if nothing was found. */
static int
found_none(const struct save_request *rq)
{
	const struct trouble *tr = dumpdev_trouble(rq->srq_dev);

	if (tr->trb_kind == TROUBLE_NONE) {
		say_none(rq);
		return (STATUS_NONE);
	}
	warnx("%s: %s%s", rq->srq_device, tr->trb_text,
	    advice(rq, tr->trb_kind));
	return (save_status(tr));
}

/* All dumps of the device.  The first that fails decides the exit status. */
static int
handle_all(struct save_request *rq)
{
	struct dumpdev_dump dump;
	int first = EX_OK;

	while (!is_over(rq) && dumpdev_next(rq->srq_dev, &dump)) {
		int status = handle(rq, &dump);

		if (first == EX_OK)
			first = status;
	}
	if (first != EX_OK)
		return (first);
	if (rq->srq_nfound == 0)
		return (found_none(rq));
	if (dumpdev_trouble(rq->srq_dev)->trb_kind != TROUBLE_NONE)
		warnx("warning: %s: %s", rq->srq_device,
		    dumpdev_trouble(rq->srq_dev)->trb_text);
	return (EX_OK);
}

/* Say what the image is, with a line for the shell that makes it a raw one. */
static void
say_kind(const struct save_request *rq, const struct imagekind *kind)
{
	char *command = rawcommand(kind, rq->srq_device);

	if (command != NULL)
		warnx("%s: %s; %s", rq->srq_device, kind->ik_name, command);
	free(command);
}

/* Whoever says where to look knows what the image is. */
static bool
is_right(struct save_request *rq)
{
	const struct imagekind *kind;

	if (rq->srq_force)
		dumpdev_salvage(rq->srq_dev, interrupt_came);
	if (rq->srq_has_offset) {
		if (dumpdev_limit(rq->srq_dev, rq->srq_offset, rq->srq_length,
			interrupt_came))
			return (true);
		warnx("%s: %s", rq->srq_device,
		    dumpdev_trouble(rq->srq_dev)->trb_text);
		return (false);
	}
	kind = dumpdev_image_kind(rq->srq_dev);
	if (kind != NULL)
		say_kind(rq, kind);
	return (kind == NULL);
}

static int
open_device(struct save_request *rq)
{
	bool writes = rq->srq_action == ACTION_CLEAR ||
	    (rq->srq_action == ACTION_SAVE && !rq->srq_keep);
	struct trouble tr = { 0 };
	bool only_reads;

	rq->srq_dev = dumpdev_open(rq->srq_device,
	    writes ? DUMPDEV_CLEAR : DUMPDEV_READ, &tr);
	if (rq->srq_dev == NULL) {
		only_reads = access(rq->srq_device, R_OK) == 0 &&
		    access(rq->srq_device, W_OK) != 0;
		warnx("%s: %s%s", rq->srq_device, tr.trb_text,
		    writes && only_reads ? " (-k saves without writing to it)" :
					   "");
		return (tr.trb_kind == TROUBLE_IO ? EX_IOERR : EX_NOINPUT);
	}
	return (is_right(rq) ? EX_OK : EX_DATAERR);
}

/* How much work the disk is worth, by what is there of it. */
static void
set_limits(struct save_request *rq)
{
	rq->srq_data_len = dumpdev_disk_data_len(rq->srq_dev);
	rq->srq_holes_left = digest_holes_max(rq->srq_data_len);
}

static int
run(struct save_request *rq, const char *directory)
{
	int status = open_device(rq);

	rq->srq_dir = CRASHDIR_NONE;
	if (status == EX_OK && rq->srq_action == ACTION_SAVE)
		status = crashdir_open(&rq->srq_dir, directory,
		    dumpdev_fd(rq->srq_dev));
	if (status == EX_OK) {
		set_limits(rq);
		interrupt_hold();
		status = handle_all(rq);
	}
	crashdir_close(&rq->srq_dir);
	dumpdev_close(rq->srq_dev);
	/* Whatever has come is let through when all is put in order. */
	interrupt_release();
	return (status);
}

static bool
parse_max(const char *text, uint32_t *out)
{
	uint64_t value;

	if (!number_parse(text, &value) || value == 0 || value > UINT32_MAX) {
		warnx("save: bad number of dumps: %s", text);
		return (false);
	}
	*out = (uint32_t)value;
	return (true);
}

/* The argument of --offset or --length. */
static bool
parse_bytes(const char *option, const char *text, uint64_t *out)
{
	if (number_parse_size(text, out))
		return (true);
	warnx("save: bad number of bytes for %s: %s", option, text);
	return (false);
}

static bool
parse_place(int ch, struct save_request *rq)
{
	if (ch == OPT_LENGTH)
		return (parse_bytes("--length", optarg, &rq->srq_length));
	rq->srq_has_offset = true;
	return (parse_bytes("--offset", optarg, &rq->srq_offset));
}

/*
 * Only look, or only mark?  Marking writes to the disk, which -C and -k promise
 * not to do.
 */
static bool
choose_action(bool check, bool clear, struct save_request *rq)
{
	if (clear && (check || rq->srq_keep)) {
		warnx("save: -c excludes -C and -k");
		return (false);
	}
	if (rq->srq_length != 0 && !rq->srq_has_offset) {
		warnx("save: --length needs --offset");
		return (false);
	}
	if (check)
		rq->srq_action = ACTION_CHECK;
	else if (clear)
		rq->srq_action = ACTION_CLEAR;
	return (true);
}

/* false: args->a_status says how it ends. */
static bool
parse(int argc, char **argv, struct args *args, struct save_request *rq)
{
	bool check = false, clear = false;
	int ch;

	while ((ch = options_next(&save_syntax, argc, argv, args)) != -1) {
		switch (ch) {
		case 'C':
			check = true;
			break;
		case 'c':
			clear = true;
			break;
		case 'f':
			rq->srq_force = true;
			break;
		case 'k':
			rq->srq_keep = true;
			break;
		case 'm':
			if (parse_max(optarg, &rq->srq_max))
				break;
			args->a_status = options_usage(&save_syntax);
			return (false);
		case 'v':
			rq->srq_verbose = true;
			break;
		case OPT_OFFSET:
		case OPT_LENGTH:
			if (parse_place(ch, rq))
				break;
			args->a_status = options_usage(&save_syntax);
			return (false);
		default:
			return (false);
		}
	}
	if (choose_action(check, clear, rq))
		return (true);
	args->a_status = options_usage(&save_syntax);
	return (false);
}

static bool
is_directory(const char *path)
{
	struct stat st;

	return (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

/*
 * A device and a directory, or, as savecore(8) has it, the other way round.
 * false: that is not what argv has.
 */
static bool
take_names(int argc, char **argv, struct save_request *rq,
    const char **directory)
{
	bool swapped = argc > 0 && is_directory(argv[0]);

	if (argc > 2) {
		warnx("save: one argument too many: %s", argv[2]);
		return (false);
	}
	if (argc == 0 || (argc == 1 && swapped)) {
		warnx("save: no device or image named%s%s",
		    argc == 0 ? "" : ", only the directory ",
		    argc == 0 ? "" : argv[0]);
		return (false);
	}
	swapped = swapped && argc == 2 && !is_directory(argv[1]);
	rq->srq_device = argv[swapped ? 1 : 0];
	*directory = argc == 1 ? "." : argv[swapped ? 0 : 1];
	return (true);
}

int
cmd_save(int argc, char **argv)
{
	struct save_request rq = { .srq_action = ACTION_SAVE };
	struct args args = { 0 };
	const char *directory;

	if (!parse(argc, argv, &args, &rq))
		return (args.a_status);
	if (!take_names(argc - optind, argv + optind, &rq, &directory))
		return (options_usage(&save_syntax));
	return (run(&rq, directory));
}
