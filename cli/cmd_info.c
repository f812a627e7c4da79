/*
 * vmcore info: what kind of dump this is, how much is in it, and what the
 * kernel's last words were.
 *
 * Without the kernel's file the core alone has to do: then the version and
 * the panic string, which only its symbols find, stay unknown.
 */
#include <err.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/leftout.h"
#include "cli/number.h"
#include "cli/open.h"
#include "cli/sumcheck.h"
#include "cli/text.h"

enum { OPT_CHECK = OPT_OWN };

static const struct option info_long[] = {
	OPTIONS_LONG,
	OPTIONS_JSON,
	{ "check", no_argument, NULL, OPT_CHECK },
	{ NULL, 0, NULL, 0 },
};

const struct syntax info_syntax = {
	.sy_name = "info",
	.sy_synopsis = "[--check] [--json] [-N kernel] core",
	.sy_help = "Describe a dump: format, machine, sizes, kernel version,"
		   " panic string.\n"
		   "The kernel is needed for the last two only.\n"
		   "\n"
		   "      --check        only tell whether the file is still as"
		   " it was saved, by the\n"
		   "                     SHA-256 in the info.N beside it\n"
		   "      --json         one object\n",
	.sy_short = OPTIONS_SHORT,
	.sy_long = info_long,
};

/* The facts about a dump. */
struct info {
	const struct kvm_core *inf_core;
	const struct kdebug_text *inf_version;
	const struct kdebug_text *inf_panic;
	enum kdebug_pairing inf_pairing;
	bool inf_says_left; /* what was left out: */
	uint64_t inf_left[OWNER_COUNT];
};

/* Why a text is not known: for JSON, and for people. */
static const struct {
	const char *name;
	const char *text;
} reasons[] = {
	[KDEBUG_WHY_NONE] = { "none", "none" },
	[KDEBUG_WHY_NOT_DUMPED] = { "not dumped", "not in the dump" },
	[KDEBUG_WHY_NO_SYMBOL] = { "no symbol",
	    "not known: the kernel file has no symbol for it" },
	[KDEBUG_WHY_STRIPPED] = { "no symbol",
	    "not known: the kernel file has no symbols" },
	[KDEBUG_WHY_UNREADABLE] = { "unreadable",
	    "not known: what is there is no text" },
	[KDEBUG_WHY_NO_KERNEL] = { "header only",
	    "not known without the kernel (-N)" },
};

static uint64_t
dumped_bytes(const struct kvm_core *core)
{
	return (core->kc_npages * core->kc_page_size);
}

/* ---- JSON ---- */

/* Add what only minidumps have.  -1: no memory. */
static int
add_minidump(json_t *object, const struct kvm_core *core)
{
	const struct minidump_hdr *hdr = core->kc_minidump;
	unsigned int len = core->kc_ptr_len;
	int error = 0;

	error |= json_object_set_new(object, "version",
	    json_integer(hdr->md_version));
	error |= json_object_set_new(object, "msgbuf_bytes",
	    json_integer(hdr->md_msgbuf_len));
	error |= json_object_set_new(object, "bitmap_bytes",
	    json_integer(hdr->md_bitmap_len));
	error |= json_object_set_new(object, "pmap_bytes",
	    json_integer(hdr->md_pmap_len));
	error |= json_object_set_new(object, "kernbase",
	    json_hex(hdr->md_kernbase, len));
	if (hdr->md_dmapbase != hdr->md_dmapend) {
		error |= json_object_set_new(object, "dmapbase",
		    json_hex(hdr->md_dmapbase, len));
		error |= json_object_set_new(object, "dmapend",
		    json_hex(hdr->md_dmapend, len));
	}
	return (error);
}

/* Say why the panic string is not known.  -1: no memory. */
static int
add_panic_why(json_t *object, const struct kdebug_text *panic)
{
	if (panic->kx_text != NULL)
		return (0);
	return (json_object_set_new(object, "panic_why",
	    json_string(reasons[panic->kx_why].name)));
}

/* Add what is wrong with a compressed file, or would not be noticed.  -1: no memory. */
static int
add_damage(json_t *object, const struct kvm_core *core)
{
	int error = 0;

	if (core->kc_unsummed)
		error |=
		    json_object_set_new(object, "verifiable", json_false());
	if (core->kc_damage == NULL)
		return (error);
	error |=
	    json_object_set_new(object, "damage", json_string(core->kc_damage));
	error |= json_object_set_new(object, "lost_bytes",
	    json_integer((json_int_t)core->kc_lost_len));
	error |= json_object_set_new(object, "unverified_bytes",
	    json_integer((json_int_t)core->kc_unverified_len));
	return (error);
}

/* Add what was left out, if the dump says it.  -1: no memory. */
static int
add_left_out(json_t *object, const struct info *info)
{
	if (!info->inf_says_left)
		return (0);
	return (json_object_set_new(object, "left_out",
	    leftout_json(info->inf_left, info->inf_core->kc_page_size)));
}

/* true or false; null: not known. */
static json_t *
json_pairing(enum kdebug_pairing pairing)
{
	switch (pairing) {
	case KDEBUG_SAME_KERNEL:
		return (json_true());
	case KDEBUG_OTHER_KERNEL:
		return (json_false());
	case KDEBUG_UNKNOWN_KERNEL:
		break;
	}
	return (json_null());
}

static json_t *
info_json(const struct info *info)
{
	const struct kvm_core *core = info->inf_core;
	json_t *object;

	object =
	    json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}",
		"format", core->kc_format, "arch", core->kc_arch_name,
		"page_size", (json_int_t)core->kc_page_size, "dumped_pages",
		(json_int_t)core->kc_npages, "dumped_bytes",
		(json_int_t)dumped_bytes(core), "file_bytes",
		(json_int_t)core->kc_file_len, "missing_bytes",
		(json_int_t)core->kc_file_short, "panic",
		json_text(info->inf_panic->kx_text), "kernel",
		json_text(info->inf_version->kx_text), "kernel_file",
		json_text(core->kc_exec_path), "kernel_matches",
		json_pairing(info->inf_pairing));
	if (object == NULL)
		return (NULL);
	if (add_damage(object, core) != 0 ||
	    add_panic_why(object, info->inf_panic) != 0 ||
	    add_left_out(object, info) != 0 ||
	    (core->kc_minidump != NULL && add_minidump(object, core) != 0)) {
		json_decref(object);
		return (NULL);
	}
	return (object);
}

/* ---- text ---- */

static void
row(const char *key, const char *fmt, ...)
{
	va_list ap;

	printf("%-16s", key);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static void
row_name(const char *key, const char *path)
{
	printf("%-16s", key);
	text_put(stdout, path);
	putchar('\n');
}

static void
row_size(const char *key, uint64_t bytes)
{
	char human[NUMBER_HUMAN_LEN];

	row(key, "%s", number_human(bytes, human));
}

static void
row_text(const char *key, const struct kdebug_text *text)
{
	row(key, "%s",
	    text->kx_text != NULL ? text->kx_text : reasons[text->kx_why].text);
}

static void
print_minidump(const struct kvm_core *core)
{
	const struct minidump_hdr *hdr = core->kc_minidump;
	int digits = (int)(2 * core->kc_ptr_len);

	row_size("message buffer:", hdr->md_msgbuf_len);
	row_size("page bitmap:", hdr->md_bitmap_len);
	row_size("page tables:", hdr->md_pmap_len);
	row("kernel base:", "0x%0*" PRIx64, digits, hdr->md_kernbase);
	if (hdr->md_dmapbase != hdr->md_dmapend)
		row("direct map:", "0x%0*" PRIx64 " to 0x%0*" PRIx64, digits,
		    hdr->md_dmapbase, digits, hdr->md_dmapend);
}

static void
print_info(const struct info *info)
{
	const struct kvm_core *core = info->inf_core;
	char human[NUMBER_HUMAN_LEN];

	row_name("core:", core->kc_core_path);
	if (core->kc_minidump != NULL)
		row("format:", "%s, version %" PRIu32, core->kc_format,
		    core->kc_minidump->md_version);
	else
		row("format:", "%s, all of memory", core->kc_format);
	row("architecture:", "%s", core->kc_arch_name);
	row("file size:", "%s (%" PRIu64 " bytes)",
	    number_human(core->kc_file_len, human), core->kc_file_len);
	if (core->kc_file_short != 0)
		row("missing:", "%s (%" PRIu64 " bytes) at the end",
		    number_human(core->kc_file_short, human),
		    core->kc_file_short);
	if (core->kc_damage != NULL)
		row("damage:", "%s", core->kc_damage);
	if (core->kc_unsummed)
		row("checksums:",
		    "not for all of the compressed file: damage may go unnoticed");
	row("memory:", "%s (%" PRIu64 " pages of %" PRIu32 " bytes)",
	    number_human(dumped_bytes(core), human), core->kc_npages,
	    core->kc_page_size);
	if (info->inf_says_left) {
		printf("%-16s", "left out:");
		leftout_print(stdout, info->inf_left, core->kc_page_size);
	}
	if (core->kc_minidump != NULL)
		print_minidump(core);
	row_name("kernel file:",
	    core->kc_exec_path != NULL ? core->kc_exec_path : "none");
	row_text("kernel:", info->inf_version);
	row_text("panic:", info->inf_panic);
}

/* ---- the command ---- */

static int
show(const struct info *info, const struct args *args)
{
	if (args->a_json)
		return (json_print(info_json(info)));
	print_info(info);
	return (EX_OK);
}

static int
describe(const struct args *args)
{
	struct dump dump = { 0 };
	int status = open_core(args, &dump);

	if (status == EX_OK) {
		struct info info = { .inf_core = dump.d_core,
			.inf_version = kdebug_version(dump.d_kdb),
			.inf_panic = kdebug_panic(dump.d_kdb),
			.inf_pairing = kdebug_pairing(dump.d_kdb) };

		info.inf_says_left = kvm_left_out(dump.d_kd, info.inf_left);
		status = show(&info, args);
		open_warn(&dump);
	}
	open_close(&dump);
	return (status);
}

int
cmd_info(int argc, char **argv)
{
	struct args args = { 0 };
	bool check = false;
	int ch;

	while ((ch = options_next(&info_syntax, argc, argv, &args)) != -1) {
		if (ch != OPT_CHECK)
			return (args.a_status);
		check = true;
	}
	if (!options_core(&info_syntax, &argc, &argv, &args))
		return (EX_USAGE);
	return (check ? sumcheck(args.a_core, args.a_json) : describe(&args));
}
