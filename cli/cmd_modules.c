/*
 * vmcore modules: the modules that the dumped kernel had loaded, as kldstat(8)
 * lists them, and the files on this host that their symbols come from.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/open.h"
#include "cli/text.h"

static const struct option modules_long[] = {
	OPTIONS_LONG,
	OPTIONS_JSON,
	{ NULL, 0, NULL, 0 },
};

const struct syntax modules_syntax = {
	.sy_name = "modules",
	.sy_synopsis = "[--json] [-N kernel] core",
	.sy_help =
	    "List the modules of a dumped kernel, itself first, and where"
	    " their symbols\n"
	    "come from.\n"
	    "\n"
	    "      --json         one array of objects\n",
	.sy_short = OPTIONS_SHORT,
	.sy_long = modules_long,
};

/* A row of the list. */
struct module_row {
	const struct kdebug_module *mr_module;
	const char *mr_file;	/* on this host; NULL: none was found */
	const char *mr_refused; /* what was found instead, and why not taken */
};

typedef bool row_fn(const struct dump *dump, const struct module_row *row,
    void *arg);

/* The exit status when the system did not open or read a file. */
static int
status_of(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return (EX_OSERR);
	default:
		return (EX_IOERR);
	}
}

/*
 * Call fn for the kernel, then for each module, until it returns false.  *status
 * is of the last file that the system did not open.
 */
static bool
for_each_row(const struct dump *dump, row_fn *fn, void *arg, int *status)
{
	const struct kdebug_module *mods;
	size_t nmods = kdebug_modules(dump->d_kdb, &mods);
	struct module_row row = {
		.mr_module = kdebug_kernel_module(dump->d_kdb),
		.mr_file = dump->d_kernel,
	};

	if (row.mr_module != NULL && !fn(dump, &row, arg))
		return (false);
	for (size_t i = 0; i < nmods; i++) {
		row.mr_module = &mods[i];
		row.mr_file =
		    kdebug_module_file(dump->d_kdb, i, &row.mr_refused);
		if (row.mr_file == NULL && errno != 0)
			*status = status_of(errno);
		if (!fn(dump, &row, arg))
			return (false);
	}
	return (true);
}

/* ---- text ---- */

static void
print_heading(const struct dump *dump)
{
	int width = (int)dump->d_core->kc_ptr_len * 2 + 2;

	printf("%2s %4s %-*s %8s %-16s %-32s %s\n", "Id", "Refs", width,
	    "Address", "Size", "Name", "Path", "File");
}

static bool
print_row(const struct dump *dump, const struct module_row *row, void *arg)
{
	const struct kdebug_module *km = row->mr_module;
	int digits = (int)dump->d_core->kc_ptr_len * 2;
	size_t *shown = arg;

	if (*shown == 0)
		print_heading(dump);
	printf("%2d %4d 0x%0*" PRIx64 " %8" PRIx64 " %-16s %-32s ", km->km_id,
	    km->km_refs, digits, km->km_base, km->km_len, km->km_name,
	    km->km_path);
	if (row->mr_file != NULL)
		text_put(stdout, row->mr_file);
	else if (row->mr_refused != NULL) {
		fputs("refused: ", stdout);
		text_put(stdout, row->mr_refused);
	} else
		fputs("not found", stdout);
	putchar('\n');
	(*shown)++;
	return (true);
}

/* ---- JSON ---- */

static bool
append_row(const struct dump *dump, const struct module_row *row, void *arg)
{
	const struct kdebug_module *km = row->mr_module;
	unsigned int ptr_len = dump->d_core->kc_ptr_len;

	return (json_array_append_new(arg,
		    json_pack("{s:i, s:i, s:o, s:I, s:o, s:o, s:o, s:o}", "id",
			km->km_id, "refs", km->km_refs, "address",
			json_hex(km->km_base, ptr_len), "size",
			(json_int_t)km->km_len, "name", json_text(km->km_name),
			"path", json_text(km->km_path), "file",
			json_text(row->mr_file), "refused",
			json_text(row->mr_refused))) == 0);
}

static int
print_json(const struct dump *dump, size_t *shown)
{
	json_t *array = json_array();
	int status = EX_OK, printed;

	if (array != NULL && !for_each_row(dump, append_row, array, &status)) {
		json_decref(array);
		array = NULL;
	}
	*shown = json_array_size(array);
	printed = json_print(array);
	return (printed != EX_OK ? printed : status);
}

/* ---- the command ---- */

static int
show(struct dump *dump, const struct args *args)
{
	int status = EX_OK;
	size_t shown = 0;

	if (args->a_json)
		status = print_json(dump, &shown);
	else
		(void)for_each_row(dump, print_row, &shown, &status);
	open_warn(dump);
	return (status == EX_OK && shown == 0 ? EX_DATAERR : status);
}

int
cmd_modules(int argc, char **argv)
{
	return (open_and_show(&modules_syntax, argc, argv, show));
}
