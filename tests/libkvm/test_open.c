/* Opening a kernel and a core: each refusal alone, and where its text goes. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/libkvm/dumps.h"
#include "tests/support/hex.h"
#include "tests/support/unit.h"

#define ERR_LEN 2048

static struct dumps minidump, full;

/* ---- arguments ---- */

static const char *
missing(const struct dumps *d)
{
	(void)d;
	return ("/nonexistent/file");
}

static const char *
nothing(const struct dumps *d)
{
	(void)d;
	return (NULL);
}

static const char *
folder(const struct dumps *d)
{
	(void)d;
	return ("/tmp");
}

static const char *
device(const struct dumps *d)
{
	(void)d;
	return ("/dev/zero");
}

static const char *
program(const struct dumps *d)
{
	(void)d;
	return ("/bin/sh");
}

static char text_path[TEMP_PATH_LEN];

static const char *
text(const struct dumps *d)
{
	(void)d;
	return (text_path);
}

static const char *
too_long(const struct dumps *d)
{
	static char path[8192];

	(void)d;
	memset(path, 'k', sizeof(path) - 1);
	return (path);
}

static const char *
kernel_of(const struct dumps *d)
{
	return (d->kernel);
}

static const char *
core_of(const struct dumps *d)
{
	return (d->core);
}

static const struct arg_row {
	const char *name;
	const char *(*kernel)(const struct dumps *d);
	const char *(*core)(const struct dumps *d);
	int flags;
	const char *why;
	int error; /* errno, where it says something */
} arg_rows[] = {
	{ "refuses: no core", kernel_of, nothing, O_RDONLY, "no core file",
	    EINVAL },
	{ "refuses: O_CREAT", kernel_of, core_of, O_RDONLY | O_CREAT,
	    "bad flags", EINVAL },
	{ "refuses: the name of the kernel is too long", too_long, core_of,
	    O_RDONLY, "too long", ENAMETOOLONG },
	{ "refuses: no such kernel", missing, core_of, O_RDONLY,
	    "/nonexistent/file: No such file", ENOENT },
	{ "refuses: a folder as kernel", folder, core_of, O_RDONLY,
	    "/tmp: not a regular file", 0 },
	{ "refuses: a dump as kernel", core_of, core_of, O_RDONLY,
	    "not an ELF file, but a minidump: name the kernel", 0 },
	{ "refuses: no such core", kernel_of, missing, O_RDONLY,
	    "/nonexistent/file: No such file", ENOENT },
	{ "refuses: a folder as core", kernel_of, folder, O_RDONLY,
	    "/tmp: not a regular file", 0 },
	{ "refuses: the kernel as core", kernel_of, kernel_of, O_RDONLY,
	    "not a core: name the dump in its place", 0 },
	{ "refuses: no such kernel, a device as core", missing, device,
	    O_RDONLY, "/nonexistent/file: No such file", ENOENT },
	{ "refuses: a device as core", kernel_of, device, O_RDONLY,
	    "/dev/zero: not a regular file", 0 },
	{ "refuses: a text as core", kernel_of, text, O_RDONLY,
	    "neither a minidump nor an ELF core", 0 },
	{ "refuses: a text as kernel", text, program, O_RDONLY,
	    "not an ELF file", 0 },
	{ "refuses: the default kernel is not on this host", nothing, core_of,
	    O_RDONLY, "/boot/kernel/kernel: No such file", ENOENT },
};

static void
assert_why(const char *got, const char *want)
{
	if (strstr(got, want) == NULL)
		fail_msg("refused, but because of: %s", got);
	assert_null(strchr(got, '\n'));
}

static void
test_arg(void **state)
{
	const struct arg_row *row = *state;
	const char *kernel = row->kernel(&minidump);
	const char *core = row->core(&minidump);
	char why[ERR_LEN] = "";

	errno = 0;
	assert_null(kvm_open2(kernel, core, row->flags, why, NULL));
	if (row->error != 0)
		assert_int_equal(errno, row->error);
	assert_why(why, row->why);
	why[0] = '\0';
	assert_null(kvm_openfiles(kernel, core, NULL, row->flags, why));
	assert_why(why, row->why);
	assert_null(kvm_openfiles(kernel, core, NULL, row->flags, NULL));
	assert_null(kvm_open(kernel, core, NULL, row->flags, NULL));
}

/* ---- what the core holds ---- */

static const struct core_row {
	const char *name;
	const struct dumps *dump;
	const char *change; /* hex.h */
	off_t len;	    /* of the file; 0: as it is */
	const char *why;
} core_rows[] = {
	{ "refuses: one byte", &minidump, "", 1, "neither a minidump nor" },
	{ "refuses: another magic", &minidump, "@0 'M'", 0,
	    "neither a minidump nor" },
	{ "refuses: a minidump of one byte less than a page", &minidump, "",
	    4095, "shorter than a header page" },
	{ "refuses: a minidump of another architecture", &minidump,
	    "@17 'arm64'", 0, "a minidump of arm64, but" },
	{ "refuses: a minidump of an unknown architecture", &minidump,
	    "@17 'vax64'", 0, "not a minidump of a known architecture" },
	{ "refuses: a minidump header that is wrong", &minidump, "@24 07000000",
	    0, "unknown minidump version" },
	{ "refuses: 2 MB of addresses with two entries", &minidump, "@41 10", 0,
	    "kernbase is inside of what one page-table entry maps" },
	{ "refuses: addresses of the direct map with entries", &minidump,
	    "@48 00100080 ffffffff @56 00200080 ffffffff", 0,
	    "direct map overlaps the kernel map" },
	{ "refuses: dump_avail longer than the file", &minidump,
	    "@64 00000100 @32 08000000", 20000, "cut short" },
	{ "refuses: dump_avail longer than any", &minidump, "@64 00001100",
	    4194304, "too many" },
	{ "refuses: dump_avail that overlaps", &minidump,
	    "@8200 00a0010000000000", 0, "overlap or descend" },
	{ "refuses: dump_avail without a segment", &minidump,
	    "@8200 0000000000000000", 0, "empty" },
	{ "refuses: a bitmap longer than the file", &minidump, "@32 00f0ffff",
	    0, "page bitmap: 4294963200 bytes" },
	{ "refuses: a bitmap that is cut short", &minidump, "", 12289,
	    "page bitmap: 4096 bytes at file offset 0x3000" },
	{ "refuses: an ELF core of another machine", &full, "@18 b700", 0,
	    "another machine (183)" },
	{ "refuses: an ELF file that is no core", &full, "@16 0200", 0,
	    "not a core" },
	{ "refuses: an ELF core without its header", &full, "", 63,
	    "shorter than an ELF header" },
	{ "refuses: program headers past the end", &full,
	    "@32 0000001000000000", 0, "program header" },
	{ "refuses: program headers at the largest offset", &full,
	    "@32 ffffffffffffffff", 0, "program header" },
	{ "refuses: huge program headers", &full, "@54 ffff", 0,
	    "program headers of 65535 bytes" },
	{ "refuses: no segments", &full, "@56 0000", 0, "no memory segments" },
	{ "refuses: no loadable segment", &full, "@64 04000000", 0,
	    "no memory segments" },
	{ "refuses: an empty segment", &full, "@96 0000000000000000", 0,
	    "no memory segments" },
	{ "refuses: a segment that wraps", &full, "@88 00f0ffffffffffff", 0,
	    "wraps" },
	{ "refuses: a segment whose offset wraps", &full,
	    "@72 00f0ffffffffffff", 0, "wraps" },
	{ "refuses: two segments of the same memory", &full,
	    "@56 0200 @120 01000000 @152 01", 0, "overlap" },
	{ "refuses: page tables that are not there", &full,
	    "@0x2160 0000000000000000", 0, "page tables cannot be found" },
	{ "refuses: page tables that lead elsewhere", &full,
	    "@0x2160 00a0000000000000", 0, "page tables cannot be found" },
	{ "refuses: page tables that map their symbol elsewhere", &full,
	    "@0x1c008 0320000000000080", 0, "page tables cannot be found" },
	{ "refuses: page tables with a direct map of other memory", &full,
	    "@0x7000 8300004000000000 @0x1df80 0360000000000000 "
	    "@0x1dff8 0000000000000000",
	    0, "page tables cannot be found" },
	{ "refuses: a full dump cut short before its tables", &full, "", 8192,
	    "page tables cannot be found" },
};

static void
test_core(void **state)
{
	const struct core_row *row = *state;
	struct dumps d = *row->dump;
	char core[TEMP_PATH_LEN];
	char why[ERR_LEN] = "";

	hex_patch(row->change, d.bytes, d.len);
	temp_named(d.bytes, d.len, core);
	if (row->len != 0)
		assert_int_equal(truncate(core, row->len), 0);
	assert_null(kvm_open2(d.kernel, core, O_RDONLY, why, NULL));
	(void)unlink(core);
	assert_why(why, row->why);
	if (strncmp(why, core, strlen(core)) != 0 &&
	    strstr(why, "dump_avail") == NULL)
		fail_msg("does not name the file: %s", why);
}

static void
test_empty(void **state)
{
	char core[TEMP_PATH_LEN];
	char why[ERR_LEN] = "";

	(void)state;
	temp_named("", 0, core);
	errno = 0;
	assert_null(kvm_open2(minidump.kernel, core, O_RDONLY, why, NULL));
	assert_int_equal(errno, EINVAL);
	assert_why(why, "empty file");
	(void)unlink(core);
}

/*
 * A segment that claims all of memory, of which the file has a little: that
 * must not be searched for ever.
 */
static void
test_endless_search(void **state)
{
	struct dumps d = full;
	char why[ERR_LEN] = "";

	(void)state;
	hex_patch("@96 00000000000000ff @0x2160 0000000000000000", d.bytes,
	    d.len);
	temp_named(d.bytes, d.len, d.core);
	(void)alarm(20);
	assert_null(kvm_open2(d.kernel, d.core, O_RDONLY, why, NULL));
	(void)alarm(0);
	(void)unlink(d.core);
	assert_why(why, "page tables cannot be found");
}

/* ---- good ones ---- */

static void
test_good(void **state)
{
	static const int flags[] = { O_RDONLY, O_WRONLY, O_RDWR };
	const struct dumps *d = *state;

	for (size_t i = 0; i < NROWS(flags); i++) {
		char why[ERR_LEN] = "";
		kvm_t *kd = kvm_open2(d->kernel, d->core, flags[i], why, NULL);

		assert_non_null(kd);
		assert_string_equal(why, "");
		assert_string_equal(kvm_geterr(kd), "");
		assert_int_equal(kvm_write(kd, 0, NULL, 0), -1);
		assert_string_not_equal(kvm_geterr(kd), "");
		assert_int_equal(kvm_close(kd), 0);
	}
}

static void
test_close_nothing(void **state)
{
	(void)state;
	errno = 0;
	assert_int_equal(kvm_close(NULL), -1);
	assert_int_equal(errno, EINVAL);
	assert_string_equal(kvm_geterr(NULL), "");
	/* In FreeBSD these forget what they know of CPUs and swap. */
	assert_null(kvm_getpcpu(NULL, 0));
	assert_int_equal(kvm_getswapinfo(NULL, NULL, 0, 0), 0);
}

/* Nothing that was opened stays open, whether that worked or not. */
static void
test_no_leak(void **state)
{
	struct dumps d = minidump;
	int before = dup(0);
	int after;

	(void)state;
	(void)close(before);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(kvm_close(dumps_open(&d)), 0);
		assert_null(kvm_open2(d.kernel, "/tmp", O_RDONLY, NULL, NULL));
		assert_null(kvm_open2(d.core, d.core, O_RDONLY, NULL, NULL));
	}
	after = dup(0);
	(void)close(after);
	assert_int_equal(after, before);
}

static void
test_describe(void **state)
{
	kvm_t *kd = dumps_open(&minidump);
	const struct kvm_core *core = kvm_core(kd);

	(void)state;
	assert_non_null(core);
	assert_string_equal(core->kc_format, "minidump");
	assert_string_equal(core->kc_arch_name, "amd64");
	assert_int_equal(core->kc_arch, ARCH_AMD64);
	assert_int_equal(core->kc_order, ORDER_LITTLE);
	assert_int_equal(core->kc_ptr_len, 8);
	assert_int_equal(core->kc_page_size, 4096);
	assert_string_equal(core->kc_exec_path, minidump.kernel);
	assert_string_equal(core->kc_core_path, minidump.core);
	assert_int_equal(core->kc_file_len, minidump.len);
	assert_int_equal(core->kc_file_short, 0);
	assert_int_equal(core->kc_npages,
	    (minidump.len - SMALL_PAGES_OFF) / SMALL_PAGE);
	assert_non_null(core->kc_minidump);
	(void)kvm_close(kd);

	kd = dumps_open(&full);
	core = kvm_core(kd);
	assert_string_equal(core->kc_format, "elf");
	assert_int_equal(core->kc_npages, SMALL_NPAGES);
	assert_int_equal(core->kc_file_short, 0);
	assert_null(core->kc_minidump);
	(void)kvm_close(kd);
}

/* A dump whose end is missing opens, and says how much is. */
static void
test_short(void **state)
{
	static const size_t missing_bytes[] = { 1, 4096, 10000 };
	struct dumps d = minidump;

	(void)state;
	for (size_t i = 0; i < NROWS(missing_bytes); i++) {
		kvm_t *kd;

		temp_named(d.bytes, d.len - missing_bytes[i], d.core);
		kd = dumps_open(&d);
		assert_int_equal(kvm_core(kd)->kc_file_short, missing_bytes[i]);
		(void)kvm_close(kd);
		(void)unlink(d.core);
	}
}

/* ---- kvm_open()'s way of complaining ---- */

static void
fail_to_open(const char *errstr)
{
	assert_null(kvm_open(minidump.kernel, "/tmp", NULL, O_RDONLY, errstr));
}

static void
fail_to_read(const char *errstr)
{
	kvm_t *kd =
	    kvm_open(minidump.kernel, minidump.core, NULL, O_RDONLY, errstr);
	char byte;

	assert_non_null(kd);
	assert_int_equal(kvm_read2(kd, 0, &byte, 1), -1);
	assert_int_equal(kvm_write(kd, 0, &byte, 1), -1);
	(void)kvm_close(kd);
}

/* The output of func on stderr. */
static void
printed(void (*func)(const char *errstr), const char *errstr, char *got,
    size_t size)
{
	int saved = dup(STDERR_FILENO);
	int fd = temp_file("", 0);
	ssize_t n;

	(void)fflush(stderr);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	func(errstr);
	(void)fflush(stderr);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	n = pread(fd, got, size - 1, 0);
	assert_true(n >= 0);
	got[n] = '\0';
	(void)close(fd);
	(void)close(saved);
}

static void
test_errstr(void **state)
{
	char got[ERR_LEN];

	(void)state;
	printed(fail_to_open, "prog", got, sizeof(got));
	assert_string_equal(got, "prog: /tmp: not a regular file or a disk\n");
	printed(fail_to_open, NULL, got, sizeof(got));
	assert_string_equal(got, "");
	printed(fail_to_read, "prog", got, sizeof(got));
	assert_string_equal(got, "");
}

int
main(void)
{
	struct CMUnitTest tests[64];
	size_t n = 0;
	int failed;

	dumps_init(&minidump);
	dumps_write(&minidump);
	dumps_init(&full);
	dumps_write_full(&full);
	temp_named("this is a text\n", 15, text_path);
	ADD_ROWS(tests, n, arg_rows, test_arg);
	ADD_ROWS(tests, n, core_rows, test_core);
	tests[n++] = row_test("refuses: an empty core", test_empty, NULL);
	tests[n++] = row_test("refuses: a segment that is larger than any disk",
	    test_endless_search, NULL);
	tests[n++] =
	    row_test("a minidump, with all flags", test_good, &minidump);
	tests[n++] = row_test("a full dump, with all flags", test_good, &full);
	tests[n++] = row_test("close nothing", test_close_nothing, NULL);
	tests[n++] = row_test("no descriptor stays", test_no_leak, NULL);
	tests[n++] = row_test("what the core is", test_describe, NULL);
	tests[n++] = row_test("a dump that is cut short", test_short, NULL);
	tests[n++] = row_test("kvm_open() prints", test_errstr, NULL);
	failed = RUN_TESTS(tests, n);
	dumps_fini(&minidump);
	dumps_fini(&full);
	(void)unlink(text_path);
	return (failed);
}
