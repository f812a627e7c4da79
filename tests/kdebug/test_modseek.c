/* Which file is that of a module: where it is looked for, and what is refused. */
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "format/bytes.h"
#include "tests/kdebug/frames.h"
#include "tests/kdebug/linker.h"
#include "tests/kdebug/modulefile.h"
#include "tests/support/hex.h"
#include "tests/support/notefile.h"

/* Symbols may also be in the half that was split off. */
static void
test_split_off(void **state)
{
	struct kdebug_frame frame;
	const char *why;
	struct kernel k;

	(void)state;
	module_make_dir();
	module_write(module_path("zfs.ko.debug"), ELFCLASS64);
	linker_setup(&k);
	fake_set_exec(k.k_kd, module_path("kernel"));
	kernel_open(&k);
	frame = frame_at(&k, BASE(1) + 4);
	assert_string_equal(frame.kf_symbol, "zfs_init");
	assert_string_equal(kdebug_module_file(k.k_kdb, 0, &why),
	    module_path("zfs.ko.debug"));
	assert_null(kdebug_module_file(k.k_kdb, 2, &why));
	kernel_fini(&k);
	module_remove_dir();
}

/* The module is in the last directory of linker_path. */
static const struct dirs_row {
	const char *name;
	const char *first; /* those before it, this often */
	int count;
	bool numbered;
	bool found;
} dirs_rows[] = {
	{ "linker_path: alone", "", 0, false, true },
	{ "linker_path: none that are relative", "..", 100, true, true },
	{ "linker_path: one directory counts once", "/", 400, false, true },
	{ "linker_path: the sixteenth", "/nonexistent/", 15, true, true },
	{ "linker_path: the seventeenth", "/nonexistent/", 16, true, false },
};

/* Write what linker_path is for the row. */
static void
write_dirs(const struct dirs_row *row, char *path, size_t len)
{
	int end = 0;

	for (int i = 0; i < row->count; i++) {
		end +=
		    snprintf(path + end, len - (size_t)end, "%s", row->first);
		if (row->numbered)
			end += snprintf(path + end, len - (size_t)end, "%d", i);
		end += snprintf(path + end, len - (size_t)end, ";");
	}
	snprintf(path + end, len - (size_t)end, "%s", module_dir);
}

static void
test_dirs(void **state)
{
	const struct dirs_row *row = *state;
	char path[1024];
	const char *why;
	struct kernel k;

	module_make_dir();
	module_write(module_path("zfs.ko"), ELFCLASS64);
	linker_setup(&k);
	write_dirs(row, path, sizeof(path));
	fake_symbol(k.k_kd, "linker_path", FILES_VA + 0x100, sizeof(path));
	fake_string(k.k_kd, FILES_VA + 0x100, path);
	fake_set_exec(k.k_kd, "/nonexistent/kernel");
	kernel_open(&k);
	assert_int_equal(kdebug_module_file(k.k_kdb, 0, &why) != NULL,
	    row->found);
	assert_int_equal(has_note(k.k_kdb,
			     "linker_path: only 16 of its directories"),
	    !row->found);
	kernel_fini(&k);
	module_remove_dir();
}

/* Both modules lead to one file: a second name, a link, the same name. */
static const struct twin_row {
	const char *name;
	int (*make)(const char *file, const char *twin);
	const char *second; /* the second module's name */
} twin_rows[] = {
	{ "twin: another name", link, "if_em.ko" },
	{ "twin: a symbolic link", symlink, "if_em.ko" },
	{ "twin: the same name", NULL, "zfs.ko" },
};

/* It is given to the first that asks for it. */
static void
test_twin(void **state)
{
	const struct twin_row *row = *state;
	char twin[sizeof(module_dir) + 16];
	struct kernel k;
	const char *why;

	module_make_dir();
	module_write(module_path("zfs.ko"), ELFCLASS64);
	snprintf(twin, sizeof(twin), "%s/%s", module_dir, row->second);
	if (row->make != NULL)
		assert_int_equal(row->make(module_path("zfs.ko"), twin), 0);
	linker_setup(&k);
	fake_string(k.k_kd, NAME(2), row->second);
	fake_set_exec(k.k_kd, module_path("kernel"));
	kernel_open(&k);
	assert_non_null(kdebug_module_file(k.k_kdb, 0, &why));
	assert_null(kdebug_module_file(k.k_kdb, 1, &why));
	assert_int_equal(errno, 0);
	assert_non_null(strstr(why, "tried for another module, zfs.ko"));
	kernel_fini(&k);
	if (row->make != NULL)
		unlink(twin);
	module_remove_dir();
}

static void
larger_than_loaded(struct kernel *k)
{
	fake_word(k->k_kd, LF(0) + LF_ADDRESS + 8, 0x19c);
	module_write(module_path("zfs.ko"), ELFCLASS64);
}

static void
other_class(struct kernel *k)
{
	(void)k;
	module_write(module_path("zfs.ko"), ELFCLASS32);
}

/* Write the module, with another value in a field of its header. */
static void
write_changed(off_t off, uint8_t value)
{
	int fd;

	module_write(module_path("zfs.ko"), ELFCLASS64);
	fd = open(module_path("zfs.ko"), O_WRONLY);
	assert_int_equal(pwrite(fd, &value, 1, off), 1);
	close(fd);
}

static void
other_machine(struct kernel *k)
{
	(void)k;
	write_changed(offsetof(Elf64_Ehdr, e_machine), EM_AARCH64);
}

static void
other_order(struct kernel *k)
{
	(void)k;
	write_changed(EI_DATA, ELFDATA2MSB);
}

static void
executable(struct kernel *k)
{
	(void)k;
	write_changed(offsetof(Elf64_Ehdr, e_type), ET_EXEC);
}

static void
many_sections(struct kernel *k)
{
	(void)k;
	module_write_large(module_path("zfs.ko"), ELFCLASS64, 16384);
}

static void
no_elf(struct kernel *k)
{
	int fd = open(module_path("zfs.ko"), O_WRONLY | O_CREAT, 0600);

	(void)k;
	assert_int_equal(write(fd, "hello", 5), 5);
	close(fd);
}

/* A file of some bytes says that it is long: a hole costs nothing. */
static void
hollow(struct kernel *k)
{
	no_elf(k);
	assert_int_equal(truncate(module_path("zfs.ko"), 1 << 20), 0);
}

/* A name out of the dump must not make us wait for a writer. */
static void
fifo(struct kernel *k)
{
	(void)k;
	assert_int_equal(mkfifo(module_path("zfs.ko"), 0600), 0);
}

static void
path_in_name(struct kernel *k)
{
	module_write(module_path("zfs.ko"), ELFCLASS64);
	fake_string(k->k_kd, NAME(1), "./zfs.ko");
}

/* The system opens no file more. */
static void
no_descriptor(struct kernel *k)
{
	struct rlimit few = { 0, 0 };

	(void)k;
	module_write(module_path("zfs.ko"), ELFCLASS64);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &few), 0);
	few.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
}

static const struct refusal_row {
	const char *name;
	void (*change)(struct kernel *);
	const char *module;
	const char *note;
	int error; /* the system's; 0: the file is at fault */
} refusal_rows[] = {
	{ "the file is larger than the module", larger_than_loaded, "zfs.ko",
	    "larger than the module", 0 },
	{ "the file is of another class", other_class, "zfs.ko",
	    "for another machine", 0 },
	{ "the file is of another machine", other_machine, "zfs.ko",
	    "for another machine", 0 },
	{ "the file is of another byte order", other_order, "zfs.ko",
	    "for another machine", 0 },
	{ "the file is an executable", executable, "zfs.ko", "not a module",
	    0 },
	{ "the file has too many sections", many_sections, "zfs.ko",
	    "too many sections", 0 },
	{ "the file is no ELF file", no_elf, "zfs.ko", "not an ELF file", 0 },
	{ "the file is a hole", hollow, "zfs.ko", "nearly all of the file is a",
	    0 },
	{ "the file is a FIFO", fifo, "zfs.ko", NULL, 0 },
	{ "no descriptor is free", no_descriptor, "zfs.ko",
	    "Too many open files", EMFILE },
	{ "the name is a path", path_in_name, "./zfs.ko", NULL, 0 },
};

static void
test_refusal(void **state)
{
	const struct refusal_row *row = *state;
	struct kdebug_frame frame;
	struct rlimit old;
	const char *why;
	struct kernel k;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	module_make_dir();
	linker_setup(&k);
	row->change(&k);
	fake_set_exec(k.k_kd, module_path("kernel"));
	kernel_open(&k);
	frame = frame_at(&k, BASE(1) + 4);
	assert_string_equal(frame.kf_module, row->module);
	assert_null(frame.kf_symbol);
	assert_null(kdebug_module_file(k.k_kdb, 0, &why));
	assert_int_equal(errno, row->error);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	if (row->note != NULL) {
		assert_true(has_note(k.k_kdb, row->note));
		assert_non_null(strstr(why, row->note));
	} else
		assert_null(why);
	kernel_fini(&k);
	module_remove_dir();
}

/*
 * A module that is a shared object has its build id in memory: where its file
 * says, or elsewhere if it is of another build.
 */
static const struct build_row {
	const char *name;
	const char *file;
	uint64_t off; /* of the dump's note, from the module's base */
	const char *dump;
	bool taken;
} build_rows[] = {
	{ "build: the same", NOTE_ID, 0x400, NOTE_ID, true },
	{ "build: another", NOTE_ID, 0x400, NOTE_NEWER, false },
	{ "build: another, with its note elsewhere", NOTE_ID, 0x800, NOTE_NEWER,
	    false },
	{ "build: no note in the dump", NOTE_ID, 0x400, "", true },
	{ "build: no note in the file", "", 0x400, NOTE_ID, true },
	{ "build: another module's note", NOTE_ID, 0x1400, NOTE_NEWER, true },
};

/* Write a shared object whose notes are loaded at 0x400. */
static void
write_shared(const char *path, const char *notes)
{
	enum { E_TYPE = 16, LOAD_VA = 64 + 16, NOTES_VA = 64 + 56 + 16 };
	uint8_t bytes[NOTEFILE_LEN];
	FILE *file = fopen(path, "w");

	notefile_write(notes, 0, 0x1000, bytes);
	bytes[E_TYPE] = ET_DYN;
	le64enc(bytes + LOAD_VA, 0);
	le64enc(bytes + NOTES_VA, 0x400);
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, sizeof(bytes), 1, file), 1);
	assert_int_equal(fclose(file), 0);
}

static void
test_build(void **state)
{
	const struct build_row *row = *state;
	uint8_t notes[NOTEFILE_NOTES_LEN];
	const char *why;
	struct kernel k;

	module_make_dir();
	write_shared(module_path("zfs.ko"), row->file);
	linker_setup(&k);
	fake_set_exec(k.k_kd, module_path("kernel"));
	hex_decode(row->dump, notes, sizeof(notes));
	fake_put(k.k_kd, BASE(1) + row->off, notes, sizeof(notes));
	kernel_open(&k);
	assert_int_equal(kdebug_module_file(k.k_kdb, 0, &why) != NULL,
	    row->taken);
	if (!row->taken)
		assert_non_null(strstr(why,
		    "another build: its build-id is a1b2c3d4, the dump's 01020304"));
	kernel_fini(&k);
	module_remove_dir();
}

/* The dump names folders, also such as its reader may not search. */
static void
test_closed_folder(void **state)
{
	uid_t user = geteuid();
	const char *why;
	struct kernel k;

	(void)state;
	module_make_dir();
	write_shared(module_path("zfs.ko"), NOTE_ID);
	linker_setup(&k);
	fake_set_exec(k.k_kd, module_path("kernel"));
	kernel_open(&k);
	assert_int_equal(chmod(module_dir, 0), 0);
	assert_int_equal(user == 0 ? seteuid(65534) : 0, 0);
	assert_null(kdebug_module_file(k.k_kdb, 0, &why));
	assert_int_equal(geteuid() != user ? seteuid(user) : 0, 0);
	assert_null(why);
	assert_int_equal(chmod(module_dir, 0700), 0);
	kernel_fini(&k);
	module_remove_dir();
}

/* Where a large module was searched for its id, the next one is not. */
static void
test_search_budget(void **state)
{
	uint8_t notes[NOTEFILE_NOTES_LEN];
	const char *why;
	struct kernel k;

	(void)state;
	module_make_dir();
	write_shared(module_path("zfs.ko"), NOTE_ID);
	write_shared(module_path("if_em.ko"), NOTE_ID);
	linker_setup(&k);
	linker_put(&k, LF(0), LF(1), NAME(1), "zfs.ko", BASE(1), 0x10000000);
	fake_set_exec(k.k_kd, module_path("kernel"));
	hex_decode(NOTE_NEWER, notes, sizeof(notes));
	fake_put(k.k_kd, BASE(0) + 0x800, notes, sizeof(notes));
	kernel_open(&k);
	assert_non_null(kdebug_module_file(k.k_kdb, 0, &why));
	assert_non_null(kdebug_module_file(k.k_kdb, 1, &why));
	kernel_fini(&k);
	module_remove_dir();
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(dirs_rows) + NROWS(twin_rows) +
	    NROWS(build_rows) + NROWS(refusal_rows) + 3] = {
		cmocka_unit_test(test_split_off),
		cmocka_unit_test(test_closed_folder),
		cmocka_unit_test(test_search_budget),
	};
	size_t n = 3;

	ADD_ROWS(tests, n, dirs_rows, test_dirs);
	ADD_ROWS(tests, n, twin_rows, test_twin);
	ADD_ROWS(tests, n, build_rows, test_build);
	ADD_ROWS(tests, n, refusal_rows, test_refusal);
	return (RUN_TESTS(tests, n));
}
