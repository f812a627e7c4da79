/*
 * Commands about modules: see serve_modules.h.
 *
 * Names of sections and paths come out of files and dumps, and a debugger
 * carries out what is printed here.  So a section whose name is more than a
 * word is left out, and a module whose path has characters that cannot be
 * printed.
 */
#include "cli/serve_modules.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/quote.h"
#include "kdebug/escape.h"

/* How a debugger's commands begin, and what comes before a section's name. */
struct form {
	const char *fm_add;    /* for a path; NULL: no such command is needed */
	const char *fm_load;   /* for a path, sections and their addresses */
	const char *fm_before; /* a section's name */
};

static const struct form gdb_form = {
	.fm_before = " -s ",
	.fm_load = "add-symbol-file ",
};

static const struct form lldb_form = {
	.fm_before = " ",
	.fm_load = "target modules load --file ",
	.fm_add = "target modules add ",
};

static bool
is_word(const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._$";

	return (*name != '\0' && name[strspn(name, plain)] == '\0');
}

static void
print_command(FILE *out, const char *command, const char *path)
{
	fputs(command, out);
	quote_put(out, path);
}

/* The absolute path of the idx'th module's file.  NULL: none, or unprintable. */
static char *
module_path(const struct dump *dump, size_t idx)
{
	const char *why;
	const char *file = kdebug_module_file(dump->d_kdb, idx, &why);
	char *path = file != NULL ? realpath(file, NULL) : NULL;

	if (path != NULL && escape_is_clean(path))
		return (path);
	free(path);
	return (NULL);
}

static void
print_module(FILE *out, const struct dump *dump, size_t idx, const char *path,
    const struct form *fm)
{
	const char *name;
	kvaddr_t va;
	size_t pos = 0;

	if (fm->fm_add != NULL) {
		print_command(out, fm->fm_add, path);
		putc('\n', out);
	}
	print_command(out, fm->fm_load, path);
	while (kdebug_module_section(dump->d_kdb, idx, &pos, &name, &va)) {
		if (is_word(name))
			fprintf(out, "%s%s 0x%" PRIx64, fm->fm_before, name,
			    va);
	}
	putc('\n', out);
}

static void
print_modules(FILE *out, const struct dump *dump, const struct form *fm)
{
	const struct kdebug_module *mods;
	size_t nmods = kdebug_modules(dump->d_kdb, &mods);

	for (size_t i = 0; i < nmods; i++) {
		char *path = module_path(dump, i);

		if (path != NULL)
			print_module(out, dump, i, path, fm);
		free(path);
	}
}

void
serve_modules_gdb(FILE *out, const struct dump *dump)
{
	print_modules(out, dump, &gdb_form);
}

void
serve_modules_lldb(FILE *out, const struct dump *dump)
{
	print_modules(out, dump, &lldb_form);
}
