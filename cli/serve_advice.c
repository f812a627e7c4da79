/*
 * The commands that attach a debugger: see serve_advice.h.
 *
 * lldb up to version 19 looks for the ELF header of its kernel's file in the
 * target's memory, at the first segment's address, and crashes when it is not
 * there.  A kernel may overwrite that page (arm64's does) or not load it.  Such
 * a dump is attached first and gets its file after that.
 */
#include "cli/serve_advice.h"

#include <stdlib.h>
#include <string.h>

#include "cli/gdb_start.h"
#include "cli/quote.h"
#include "cli/text.h"

/*
 * lldb takes no commands from a server, but its Python can ask for them and
 * have them carried out.
 */
static const char lldb_modules[] =
    "script r = lldb.SBCommandReturnObject(); "
    "lldb.debugger.GetCommandInterpreter().HandleCommand("
    "'process plugin packet monitor lldb-modules', r); "
    "[lldb.debugger.HandleCommand(line) for line in r.GetOutput().splitlines()"
    " if line.startswith('target modules ')]";

/*
 * A command line, to be copied.  words ends with NULL.  Of a name that a
 * terminal would obey the line shows what it is, but does not work.
 */
static void
print_words(FILE *out, const char *const *words)
{
	char *text = NULL;
	size_t len;
	FILE *line = open_memstream(&text, &len);

	if (line == NULL)
		return;
	for (; *words != NULL; words++) {
		putc(' ', line);
		quote_put(line, *words);
	}
	if (fclose(line) == 0) {
		putc(' ', out);
		text_put(out, text);
		putc('\n', out);
	}
	free(text);
}

/* Does the dump hold the ELF header of the kernel's file? */
static bool
header_in_memory(const struct dump *dump)
{
	static const char magic[] = { 0x7f, 'E', 'L', 'F' };
	kvaddr_t base = dump->d_core->kc_exec_base;
	char bytes[sizeof(magic)];

	return (base != 0 &&
	    kvm_read2(dump->d_kd, base, bytes, sizeof(bytes)) ==
		(kssize_t)sizeof(bytes) &&
	    memcmp(bytes, magic, sizeof(magic)) == 0);
}

/* "head KERNEL tail" as a command of lldb's; the caller frees it. */
static char *
kernel_command(const char *head, const char *kernel, const char *tail)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return (NULL);
	fputs(head, out);
	quote_put(out, kernel);
	fputs(tail, out);
	if (fclose(out) == 0)
		return (text);
	free(text);
	return (NULL);
}

/* Is there a module whose symbols lldb can be given? */
static bool
has_module_file(const struct dump *dump)
{
	const struct kdebug_module *mods;
	size_t nmods = kdebug_modules(dump->d_kdb, &mods);
	const char *why;

	for (size_t i = 0; i < nmods; i++) {
		if (kdebug_module_file(dump->d_kdb, i, &why) != NULL)
			return (true);
	}
	return (false);
}

/* As GDB_NO_SCRIPTS, for those that lldb would look for beside a file. */
static const char lldb_no_scripts[] =
    "settings set target.load-script-from-symbol-file false";

static void
print_lldb(FILE *out, const struct dump *dump, const char *connect)
{
	const char *kernel = dump->d_core->kc_exec_path;
	const char *option = has_module_file(dump) ? "-o" : NULL;
	char *add, *load;

	if (header_in_memory(dump)) {
		print_words(out,
		    (const char *const[]){ "lldb", "-O", lldb_no_scripts,
			kernel, "-o", connect, option, lldb_modules, NULL });
		return;
	}
	add = kernel_command("target modules add ", kernel, "");
	load =
	    kernel_command("target modules load --file ", kernel, " --slide 0");
	if (add != NULL && load != NULL)
		print_words(out,
		    (const char *const[]){ "lldb", "-O", lldb_no_scripts, "-o",
			connect, "-o", add, "-o", load, option, lldb_modules,
			NULL });
	free(load);
	free(add);
}

static void
print_gdb(FILE *out, const struct dump *dump, const char *remote)
{
	const char *gdb = kvm_native(dump->d_kd) ? "gdb" : "gdb-multiarch";

	print_words(out,
	    (const char *const[]){ gdb, "-iex", GDB_NO_SCRIPTS, "-iex",
		GDB_NO_OSABI, "-ex", remote, dump->d_core->kc_exec_path,
		NULL });
}

void
serve_advice(FILE *out, const struct listener *ln, const struct dump *dump,
    size_t nthreads)
{
	const char *path = ln->ln_file.skf_path;
	char remote[256], connect[256];

	if (path != NULL) {
		snprintf(remote, sizeof(remote), "target remote %s", path);
		snprintf(connect, sizeof(connect),
		    "process connect unix-connect://%s", path);
	} else {
		snprintf(remote, sizeof(remote), "target remote 127.0.0.1:%u",
		    ln->ln_port);
		snprintf(connect, sizeof(connect), "gdb-remote 127.0.0.1:%u",
		    ln->ln_port);
	}
	text_put(out, dump->d_core->kc_core_path);
	fprintf(out, ": %s, %zu thread%s.  Attach with one of\n",
	    dump->d_core->kc_arch_name, nthreads, nthreads == 1 ? "" : "s");
	print_gdb(out, dump, remote);
	print_lldb(out, dump, connect);
}
