/*
 * The handle, and the texts that describe the kernel: version and panic.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kdebug/buildid.h"
#include "kdebug/debugfile.h"
#include "kdebug/escape.h"
#include "kdebug/kdebug_int.h"
#include "libkvm/array.h"

/* The longest text of the kernel that is read, in bytes. */
#define TEXT_LEN 1024

/* Bytes.  Disks fail in whole sectors, and each page begins at one. */
#define SECTOR_LEN 512

/* Make one line of a text: a single space for each run of white space. */
static size_t
join_lines(char *text, size_t len)
{
	size_t out = 0;

	for (size_t i = 0; i < len; i++) {
		bool space =
		    text[i] == '\n' || text[i] == '\t' || text[i] == ' ';

		if (!space)
			text[out++] = text[i];
		else if (out > 0 && text[out - 1] != ' ')
			text[out++] = ' ';
	}
	while (out > 0 && text[out - 1] == ' ')
		out--;
	return (out);
}

/* The string at va as text of the arena. */
static struct kdebug_text
read_text(struct kdebug *kdb, kvaddr_t va)
{
	char text[TEXT_LEN];
	struct kdebug_text out = { .kx_why = KDEBUG_WHY_UNREADABLE };
	size_t len;

	if (!mem_read(kdb, va, text, 1)) {
		out.kx_why = KDEBUG_WHY_NOT_DUMPED;
		return (out);
	}
	len = mem_string(kdb, va, text, sizeof(text));
	len = join_lines(text, len);
	if (len != 0)
		out.kx_text = arena_text(&kdb->kdb_arena, text, len);
	if (out.kx_text != NULL)
		out.kx_why = KDEBUG_WHY_KNOWN;
	return (out);
}

/*
 * The version text in the kernel's file, on one line.  The section may end soon
 * after it.  false: it is in none, or is no text.
 */
static bool
read_file_version(struct kdebug *kdb, kvaddr_t va, char text[TEXT_LEN])
{
	size_t len = TEXT_LEN;

	while (len >= 64 &&
	    kvm_read_exec(kdb->kdb_kd, va, text, len) != (kssize_t)len)
		len /= 2;
	if (len < 64 || text[0] == '\0' || memchr(text, '\0', len) == NULL)
		return (false);
	text[join_lines(text, strlen(text))] = '\0';
	return (escape_is_clean(text));
}

/* Does the dump have a text there?  A number may look like a short one. */
static bool
is_text(struct kdebug *kdb, const struct kvm_symbol *sym)
{
	char text[TEXT_LEN + 1];
	size_t len = mem_string(kdb, sym->ksy_va, text, TEXT_LEN);

	if ((sym->ksy_len == 4 || sym->ksy_len == 8) && len + 1 < sym->ksy_len)
		return (false);
	text[join_lines(text, len)] = '\0';
	return (escape_is_clean(text));
}

/*
 * Some kernels call something else "version", a number or a pointer.  It is the
 * kernel's version if the dump or the kernel's file has a text there.
 */
static struct kdebug_text
read_version(struct kdebug *kdb, const struct kvm_symbol *sym)
{
	struct kdebug_text out = read_text(kdb, sym->ksy_va);
	char file[TEXT_LEN];

	if (out.kx_text != NULL && !is_text(kdb, sym))
		out = (struct kdebug_text){ .kx_why = KDEBUG_WHY_UNREADABLE };
	if (out.kx_why == KDEBUG_WHY_UNREADABLE &&
	    !read_file_version(kdb, sym->ksy_va, file))
		out.kx_why = KDEBUG_WHY_NO_SYMBOL;
	return (out);
}

/* Has the dump the build id of the kernel's file? */
static bool
is_same_build(struct kdebug *kdb)
{
	struct buildid file, dump;

	return (buildid_compare(kdb->kdb_kd, &file, &dump) == BUILDID_SAME);
}

static void
note_damaged(struct kdebug *kdb, const char *what)
{
	kdb_note(kdb,
	    "%s is damaged in the dump, which has the build id of the kernel's file",
	    what);
}

/*
 * Has the dump only the beginning of text at va?  A sector that could not be read
 * is zeros, and a page may be missing.
 */
static bool
is_cut(struct kdebug *kdb, kvaddr_t va, const char *text)
{
	char dumped[TEXT_LEN];
	size_t len = mem_string(kdb, va, dumped, sizeof(dumped));

	return ((va + len) % SECTOR_LEN == 0 &&
	    strncmp(text, dumped, join_lines(dumped, len)) == 0);
}

/*
 * Compare the versions in the kernel's file and in the dump, both at va.  In the
 * dump of another kernel there is anything, but a page of zeros is what somebody
 * has left out.  Returns whether the dump has only the version's beginning.
 */
static bool
compare_versions(struct kdebug *kdb, kvaddr_t va)
{
	const char *dumped = kdb->kdb_version.kx_text;
	char file[TEXT_LEN];
	uint8_t first;

	if (!mem_read(kdb, va, &first, 1) || first == 0 ||
	    !read_file_version(kdb, va, file))
		return (false);
	if (dumped != NULL && strcmp(file, dumped) == 0) {
		kdb->kdb_pairing = KDEBUG_SAME_KERNEL;
		return (false);
	}
	if (is_cut(kdb, va, file))
		return (true);
	if (is_same_build(kdb)) {
		kdb->kdb_pairing = KDEBUG_SAME_KERNEL;
		note_damaged(kdb, "the version");
		return (false);
	}
	kdb->kdb_pairing = KDEBUG_OTHER_KERNEL;
	kdb_note(kdb,
	    "the dump is of another kernel than the file: the file is %s",
	    file);
	return (false);
}

/*
 * Without the version in the dump: the constants of another kernel lie elsewhere,
 * so that the dump has anything in their place.  has_some: of the version.
 */
static void
compare_rest(struct kdebug *kdb, bool has_some)
{
	const char *other = layout_mismatch(kdb);
	enum kdebug_why why = kdb->kdb_version.kx_why;

	if (is_same_build(kdb)) {
		kdb->kdb_pairing = KDEBUG_SAME_KERNEL;
		if (other != NULL)
			note_damaged(kdb, other);
	} else if (other != NULL) {
		kdb->kdb_pairing = KDEBUG_OTHER_KERNEL;
		kdb_note(kdb,
		    "the dump is of another kernel than the file: %s is not the same in both",
		    other);
	} else if (has_some) {
		kdb_note(kdb,
		    "the dump may be of another kernel than the file: only the beginning of its version is in the dump");
	} else if (why == KDEBUG_WHY_NOT_DUMPED ||
	    why == KDEBUG_WHY_UNREADABLE) {
		kdb_note(kdb,
		    "the dump may be of another kernel than the file: its version is not in the dump");
	}
}

/* The panic string.  panicstr, at va, is NULL until the kernel panics. */
static struct kdebug_text
read_panic(struct kdebug *kdb, kvaddr_t va)
{
	struct kdebug_text out = { .kx_why = KDEBUG_WHY_NONE };
	kvaddr_t str_va;

	if (!mem_word(kdb, va, &str_va)) {
		out.kx_why = KDEBUG_WHY_NOT_DUMPED;
		return (out);
	}
	if (str_va == 0)
		return (out);
	out = read_text(kdb, str_va);
	if (out.kx_text == NULL)
		kdb_note(kdb, "the panic string at %#jx %s", (uintmax_t)str_va,
		    out.kx_why == KDEBUG_WHY_NOT_DUMPED ? "is not in the dump" :
							  "is no text");
	return (out);
}

/* A file that has symbols, and none that every kernel has, is of something else. */
static void
note_no_kernel(struct kdebug *kdb)
{
	static const char *const names[] = { "version", "panicstr", "allproc" };
	kvaddr_t va;

	if (kdb->kdb_core->kc_exec_path == NULL ||
	    !kvm_has_symbols(kdb->kdb_kd))
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (layout_symbol(kdb, names[i], &va))
			return;
	kdb_note(kdb,
	    "%s may be no kernel: it has none of the symbols version, panicstr and allproc",
	    kdb->kdb_core->kc_exec_path);
}

static void
read_texts(struct kdebug *kdb)
{
	const struct kdebug_text unknown = {
		.kx_why = kdb->kdb_core->kc_exec_path == NULL ?
		    KDEBUG_WHY_NO_KERNEL :
		    kvm_has_symbols(kdb->kdb_kd) ? KDEBUG_WHY_NO_SYMBOL :
						   KDEBUG_WHY_STRIPPED,
	};
	struct kvm_symbol sym;
	bool has_some = false;
	kvaddr_t va;

	kdb->kdb_version = kdb->kdb_panic = unknown;
	if (kvm_symbol_find(kdb->kdb_kd, "version", &sym)) {
		kdb->kdb_version = read_version(kdb, &sym);
		has_some = compare_versions(kdb, sym.ksy_va);
	}
	if (kdb->kdb_pairing == KDEBUG_UNKNOWN_KERNEL &&
	    kdb->kdb_core->kc_exec_path != NULL)
		compare_rest(kdb, has_some);
	if (layout_symbol(kdb, "panicstr", &va))
		kdb->kdb_panic = read_panic(kdb, va);
}

struct kdebug *
kdebug_create(kvm_t *kd)
{
	struct kdebug *kdb = calloc(1, sizeof(*kdb));

	if (kdb == NULL)
		return (NULL);
	kdb->kdb_kd = kd;
	kdb->kdb_idpages = BUILDID_BUDGET;
	kdb->kdb_core = kvm_core(kd);
	if (kdb->kdb_core == NULL) {
		kdb_note(kdb, "%s", kvm_geterr(kd));
		return (kdb);
	}
	kdb->kdb_arch = arch_find(kdb->kdb_core->kc_arch);
	layout_load(kdb);
	read_texts(kdb);
	note_no_kernel(kdb);
	return (kdb);
}

void
kdebug_destroy(struct kdebug *kdb)
{
	if (kdb == NULL)
		return;
	modules_fini(kdb);
	cpus_fini(kdb);
	debugfile_close(kdb->kdb_debugfile);
	debugfile_end_helper(kdb->kdb_debughelper);
	free(kdb->kdb_threads.ts_list);
	free(kdb->kdb_notes.no_text);
	arena_fini(&kdb->kdb_arena);
	free(kdb);
}

size_t
kdebug_reg_of(const struct kdebug *kdb, enum kdebug_role role)
{
	const struct arch *arch = kdb->kdb_arch;

	switch (role) {
	case KDEBUG_PC:
		return (arch->ar_pc);
	case KDEBUG_SP:
		return (arch->ar_sp);
	case KDEBUG_FP:
		break;
	}
	return (arch->ar_fp);
}

size_t
kdebug_reg_descs(const struct kdebug *kdb, const struct kdebug_reg_desc **descs)
{
	if (kdb->kdb_arch == NULL) {
		*descs = NULL;
		return (0);
	}
	*descs = kdb->kdb_arch->ar_regs;
	return (kdb->kdb_arch->ar_nregs);
}

const struct kdebug_text *
kdebug_panic(const struct kdebug *kdb)
{
	return (&kdb->kdb_panic);
}

const struct kdebug_text *
kdebug_version(const struct kdebug *kdb)
{
	return (&kdb->kdb_version);
}

enum kdebug_pairing
kdebug_pairing(const struct kdebug *kdb)
{
	return (kdb->kdb_pairing);
}
