/*
 * Owners of pages, in a dump and of those that it left out.  The small machine's
 * memory is the pages 1-6, 8-12, 18 and its tables; bits count these alone, so
 * page 4 has bit 3, page 9 has bit 7 and page 11 has bit 9.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/bytes.h"
#include "tests/libkvm/dumps.h"
#include "tests/support/unit.h"

#define LEN (SMALL_PAGE * 4)

/* With a section of these first bytes, dislocated by that much, and cut. */
static const struct row {
	const char *name;
	uint8_t owners[8];
	int dislocated;
	size_t cut;
	uint64_t want[OWNER_COUNT];
	const char *why4, *why9; /* after "is not in the dump" */
	uint64_t missing;
} rows[] = {
	{ "user, free and file",
	    { 0x77, 0x27, 0x77, 0x17, 0x37, 0x77, 0x77, 0x77 }, 0, 0,
	    { [OWNER_USER] = 1, [OWNER_FREE] = 1, [OWNER_FILE] = 1 },
	    ": a page of user memory", ": a free page", 0 },
	{ "not said of some", { 0, 0x20 }, 0, 0, { [OWNER_USER] = 1 },
	    ": a page of user memory", "", 0 },
	{ "numbers that are not known", { 0, 0xf0, 0, 0xf0, 0xf0 }, 0, 0, { 0 },
	    "", "", 0 },
	{ "cut in its midst", { 0, 0x20, 0, 0x20 }, 0, LEN - 3,
	    { [OWNER_USER] = 1 }, ": a page of user memory", "", LEN - 3 },
	{ "cut off", { 0, 0x20 }, 0, LEN, { 0 }, "", "", LEN },
	{ "a page too late", { 0, 0x20 }, SMALL_PAGE, 0, { 0 }, "", "", 0 },
	{ "inside of the pages", { 0, 0x20 }, -SMALL_PAGE, 0, { 0 }, "", "",
	    0 },
};

/* Say that the section is at off. */
static void
put_header(struct dumps *d, uint64_t off)
{
	memcpy(d->bytes + 4032, "vmcore owners", 14);
	le64enc(d->bytes + 4048, off);
	le64enc(d->bytes + 4056, LEN);
}

/* Put the section at the end of the file. */
static void
add_owners(struct dumps *d, const struct row *row)
{
	put_header(d, d->len + (uint64_t)(int64_t)row->dislocated);
	memset(d->bytes + d->len, 0, LEN);
	memcpy(d->bytes + d->len, row->owners, sizeof(row->owners));
	d->len += LEN - row->cut;
	dumps_rewrite(d);
}

/*
 * More memory, none of which is in the dump, and of the section only the first
 * page and the last one: between them is a hole.
 */
static void
add_hollow_owners(struct dumps *d)
{
	enum { NPAGES = 24600 };
	uint8_t *pair = d->bytes + SMALL_AVAIL_OFF;
	uint64_t off = d->len;
	int fd = open(d->core, O_RDWR);

	assert_true(fd >= 0);
	while (le64dec(pair + 8) != 0)
		pair += 16;
	le64enc(pair, 0x100000);
	le64enc(pair + 8, 0x100000 + NPAGES * SMALL_PAGE);
	put_header(d, off);
	assert_int_equal(pwrite(fd, d->bytes, off, 0), off);
	assert_int_equal(ftruncate(fd, (off_t)(off + LEN)), 0);
	/* Page 4, and two of the last that were added. */
	assert_int_equal(pwrite(fd, "\0\x20", 2, (off_t)off), 2);
	assert_int_equal(pwrite(fd, "\x31", 1, (off_t)(off + 3 * 4096)), 1);
	(void)close(fd);
}

static void
check_why(kvm_t *kd, uint64_t pa, const char *why)
{
	char want[128], c;

	snprintf(want, sizeof(want),
	    "physical address %#jx is not in the dump%s", (uintmax_t)pa, why);
	assert_int_equal(kvm_read_phys(kd, pa, &c, 1), -1);
	assert_string_equal(kvm_geterr(kd), want);
}

static void
check_row(const struct row *row)
{
	uint64_t npages[OWNER_COUNT];
	struct dumps *d = calloc(1, sizeof(*d));
	bool cut = row->cut != 0 || row->dislocated != 0;
	kvm_t *kd;

	assert_non_null(d);
	dumps_init(d);
	dumps_write(d);
	add_owners(d, row);
	kd = dumps_open(d);
	check_why(kd, 0x4000, row->why4);
	check_why(kd, 0x9000, row->why9);
	assert_int_equal(kvm_page_owner(kd, 0x7000), OWNER_UNKNOWN);
	assert_int_equal(kvm_left_out(kd, npages), !cut);
	if (!cut)
		assert_memory_equal(npages, row->want, sizeof(npages));
	assert_int_equal(kvm_core(kd)->kc_file_short, row->missing);
	(void)kvm_close(kd);
	dumps_fini(d);
	free(d);
}

static void
test_owners(void **state)
{
	check_row(*state);
	assert_int_equal(setenv("KVM_NOMAP", "1", 1), 0);
	check_row(*state);
	assert_int_equal(unsetenv("KVM_NOMAP"), 0);
}

static void
check_hollow(void)
{
	static const uint64_t want[OWNER_COUNT] = { [OWNER_USER] = 1,
		[OWNER_FREE] = 1,
		[OWNER_FILE] = 1 };
	uint64_t npages[OWNER_COUNT];
	struct dumps *d = calloc(1, sizeof(*d));
	kvm_t *kd;

	assert_non_null(d);
	dumps_init(d);
	dumps_write(d);
	add_hollow_owners(d);
	kd = dumps_open(d);
	assert_true(kvm_left_out(kd, npages));
	assert_memory_equal(npages, want, sizeof(npages));
	(void)kvm_close(kd);
	dumps_fini(d);
	free(d);
}

static void
test_hollow(void **state)
{
	(void)state;
	check_hollow();
	assert_int_equal(setenv("KVM_NOMAP", "1", 1), 0);
	check_hollow();
	assert_int_equal(unsetenv("KVM_NOMAP"), 0);
}

/* Nothing of it, in a dump of FreeBSD's and in a full one. */
static void
test_none(void **state)
{
	uint64_t npages[OWNER_COUNT];
	struct dumps *d = calloc(1, sizeof(*d));
	kvm_t *kd;

	(void)state;
	assert_non_null(d);
	for (int full = 0; full <= 1; full++) {
		dumps_init(d);
		(full ? dumps_write_full : dumps_write)(d);
		kd = dumps_open(d);
		assert_false(kvm_left_out(kd, npages));
		assert_int_equal(kvm_page_owner(kd, 0x4000), OWNER_UNKNOWN);
		(void)kvm_close(kd);
		dumps_fini(d);
	}
	free(d);
}

int
main(void)
{
	struct CMUnitTest tests[16];
	size_t n = 0;

	ADD_ROWS(tests, n, rows, test_owners);
	tests[n++] = row_test("a hole in the section", test_hollow, NULL);
	tests[n++] = row_test("none are said", test_none, NULL);
	return (RUN_TESTS(tests, n));
}
