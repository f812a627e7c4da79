/*
 * The search for a module's file, by names that come out of the dump.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kdebug/buildid.h"
#include "kdebug/debugfile.h"
#include "kdebug/kdebug_int.h"
#include "kdebug/modfile.h"
#include "libkvm/array.h"
#include "libkvm/plainfile.h"

/*
 * Keep the reason why the file at path cannot be the module's.  error: the
 * system's, 0: the file is at fault.  What the system did not open may be the
 * module's file: that counts for more.
 */
static void
refuse_file(struct kdebug *kdb, struct modmap *mm, const char *path,
    const char *why, int error)
{
	char text[4 * KPATH_LEN + 512];
	int n = snprintf(text, sizeof(text), "%s: %s", path, why);

	if (n < 0 || (size_t)n >= sizeof(text))
		return;
	kdb_note(kdb, "%s", text);
	if (mm->mm_error != 0)
		return;
	mm->mm_why = arena_text(&kdb->kdb_arena, text, (size_t)n);
	mm->mm_error = error;
}

/*
 * Is the file of another build than the module in the dump, or may be?  errno is
 * then 0, or the system's reason why it cannot be told.
 */
static bool
is_other_build(struct kdebug *kdb, const struct modfile *mf, char *why,
    size_t len)
{
	struct buildid file, dump;

	switch (buildid_compare_module(kdb->kdb_kd, mf, &kdb->kdb_idpages,
	    &file, &dump)) {
	case BUILDID_OTHER:
		errno = 0;
		snprintf(why, len,
		    "another build: its build-id is %s, the dump's %s",
		    file.bi_text, dump.bi_text);
		return (true);
	case BUILDID_UNREAD:
		snprintf(why, len, "its build-id: %s", strerror(errno));
		return (true);
	case BUILDID_UNKNOWN:
	case BUILDID_SAME:
		break;
	}
	return (false);
}

/* NULL: there is no such file, or it is refused. */
static struct modfile *
open_file(struct kdebug *kdb, struct modmap *mm, const char *path)
{
	const struct modfile_place place = {
		.mfp_base = mm->mm_start,
		.mfp_len = mm->mm_end - mm->mm_start,
		.mfp_ptr_len = kdb->kdb_core->kc_ptr_len,
		.mfp_order = kdb->kdb_core->kc_order,
		.mfp_machine =
		    arch_facts(kdb->kdb_core->kc_arch)->af_elf_machine,
		.mfp_unwind = kdb->kdb_arch != NULL ?
		    kdb->kdb_arch->ar_unwind_section :
		    0,
	};
	char other[64 + 4 * BUILDID_MAX];
	const char *why;
	struct modfile *mf = modfile_open(path, &place, &why);
	int error = mf == NULL ? errno : 0;

	if (mf != NULL && is_other_build(kdb, mf, other, sizeof(other))) {
		error = errno;
		modfile_close(mf);
		mf = NULL;
		why = other;
	}
	if (mf == NULL && why != NULL)
		refuse_file(kdb, mm, path, why, error);
	return (mf);
}

/* Keep in mind that the file is tried for the module. */
static bool
add_tried(struct modules *ms, const struct stat *st, size_t idx)
{
	struct tried_file *list = array_reserve(ms->ms_tried, ms->ms_ntried + 1,
	    &ms->ms_tried_room, sizeof(*list));

	if (list == NULL)
		return (false);
	ms->ms_tried = list;
	list[ms->ms_ntried++] =
	    (struct tried_file){ st->st_dev, st->st_ino, idx };
	return (true);
}

/* NULL: the file was tried for no module. */
static const struct tried_file *
find_tried(const struct modules *ms, const struct stat *st)
{
	for (size_t i = 0; i < ms->ms_ntried; i++) {
		const struct tried_file *tf = &ms->ms_tried[i];

		if (tf->mtf_ino == st->st_ino && tf->mtf_dev == st->st_dev)
			return (tf);
	}
	return (NULL);
}

static void
refuse_tried(struct kdebug *kdb, struct modmap *mm, const char *path,
    const struct tried_file *tf)
{
	const char *first = kdb->kdb_modules.ms_list[tf->mtf_idx].km_name;
	char why[KPATH_LEN + 32];

	(void)snprintf(why, sizeof(why), "tried for another module, %s", first);
	refuse_file(kdb, mm, path, why, 0);
}

/*
 * Is there a file at path that was not tried yet?  The kernel loads a file once:
 * it is tried for the first module that leads to it, and for no other.
 */
static bool
is_new_file(struct kdebug *kdb, struct modmap *mm, const char *path)
{
	struct modules *ms = &kdb->kdb_modules;
	const struct tried_file *tf;
	struct stat st;

	if (plainfile_look(path, &st) != 0) {
		/* A folder that we may not search: nothing tells of a file there. */
		if (errno != ENOENT && errno != EACCES)
			refuse_file(kdb, mm, path, strerror(errno), errno);
		return (false);
	}
	if ((tf = find_tried(ms, &st)) != NULL) {
		if (tf->mtf_idx != mm->mm_idx && mm->mm_why == NULL)
			refuse_tried(kdb, mm, path, tf);
		return (false);
	}
	if (add_tried(ms, &st, mm->mm_idx))
		return (true);
	refuse_file(kdb, mm, path, strerror(ENOMEM), ENOMEM);
	return (false);
}

#define PATH_LEN ((size_t)4 * KPATH_LEN)

/* Open the module's file, or the file that its symbols were split off into. */
static bool
try_path(struct kdebug *kdb, struct modmap *mm, const char *dir, size_t dir_len,
    const char *name)
{
	static const char *const suffixes[] = { "", ".debug", ".symbols" };
	char *path = malloc(PATH_LEN);

	mm->mm_file = NULL;
	if (path == NULL) {
		refuse_file(kdb, mm, name, strerror(ENOMEM), ENOMEM);
		return (false);
	}
	for (size_t i = 0; mm->mm_file == NULL && i < NITEMS(suffixes); i++) {
		int n = snprintf(path, PATH_LEN, "%.*s%s%s%s", (int)dir_len,
		    dir, dir_len != 0 ? "/" : "", name, suffixes[i]);

		if (n >= 0 && (size_t)n < PATH_LEN &&
		    is_new_file(kdb, mm, path))
			mm->mm_file = open_file(kdb, mm, path);
	}
	free(path);
	return (mm->mm_file != NULL);
}

static bool
has_dir(const struct module_dirs *mdr, const char *dir)
{
	for (size_t i = 0; i < mdr->mdr_count; i++) {
		if (strcmp(mdr->mdr_list[i], dir) == 0)
			return (true);
	}
	return (false);
}

/* Split linker_path, each directory once. */
static void
split_dirs(struct kdebug *kdb, struct module_dirs *mdr)
{
	char *rest = mdr->mdr_text, *dir;

	while ((dir = strsep(&rest, ";")) != NULL) {
		if (dir[0] != '/' || has_dir(mdr, dir))
			continue;
		if (mdr->mdr_count == MODULE_DIRS_MAX) {
			kdb_note(kdb,
			    "linker_path: only %d of its directories are searched",
			    MODULE_DIRS_MAX);
			break;
		}
		mdr->mdr_list[mdr->mdr_count++] = dir;
	}
}

static void
load_dirs(struct kdebug *kdb, struct module_dirs *mdr)
{
	kvaddr_t va;

	if (mdr->mdr_done)
		return;
	mdr->mdr_done = true;
	if (!layout_symbol(kdb, "linker_path", &va))
		return;
	mdr->mdr_text[mem_string(kdb, va, mdr->mdr_text, KPATH_LEN)] = '\0';
	split_dirs(kdb, mdr);
}

static bool
try_linker_path(struct kdebug *kdb, struct modmap *mm, const char *name)
{
	struct module_dirs *mdr = &kdb->kdb_modules.ms_dirs;

	load_dirs(kdb, mdr);
	for (size_t i = 0; i < mdr->mdr_count; i++) {
		const char *dir = mdr->mdr_list[i];

		if (try_path(kdb, mm, dir, strlen(dir), name))
			return (true);
	}
	return (false);
}

/*
 * Find the module's file: beside the kernel's, or where it was on the dumped
 * machine, which may be this one.
 */
void
modseek_file(struct kdebug *kdb, struct modmap *mm)
{
	const struct kdebug_module *km = &kdb->kdb_modules.ms_list[mm->mm_idx];
	const char *kernel = kdb->kdb_core->kc_exec_path;
	const char *slash = kernel != NULL ? strrchr(kernel, '/') : NULL;
	bool found;

	mm->mm_sought = true;
	if (km->km_name[0] == '\0' || strchr(km->km_name, '/') != NULL)
		return;
	if (slash != NULL)
		found = try_path(kdb, mm, kernel, (size_t)(slash - kernel),
		    km->km_name);
	else
		found = try_path(kdb, mm, ".", 1, km->km_name);
	if (!found)
		found = try_linker_path(kdb, mm, km->km_name);
	if (!found && km->km_path[0] == '/')
		found = try_path(kdb, mm, "", 0, km->km_path);
	if (found)
		mm->mm_debug = debugfile_open_module(kdb, mm->mm_file);
}
