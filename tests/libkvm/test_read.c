/* Reading memory, by each of the calls that do. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/libkvm/dumps.h"
#include "tests/support/unit.h"

static struct dumps minidump, full;

/* The bytes that a good read gives: of up to two pages of memory. */
static const struct read_row {
	const char *name;
	uint64_t va;
	size_t len;
	unsigned int page, next; /* next: past the end of page */
	const char *why;	 /* or why it fails */
} read_rows[] = {
	{ "a page", KVA(1), 4096, 1, 0, NULL },
	{ "inside of a page", KVA(1) + 100, 50, 1, 0, NULL },
	{ "a page's last byte", KVA(2) - 1, 1, 1, 0, NULL },
	{ "nothing", KVA(1), 0, 1, 0, NULL },
	{ "nothing, where nothing is", KVA(6), 0, 0, 0, NULL },
	{ "across pages that are apart in memory", KVA(2) - 8, 16, 1, 3, NULL },
	{ "two such pages", KVA(1), 8192, 1, 3, NULL },
	{ "back to a page before", KVA(3) - 8, 16, 3, 2, NULL },
	{ "across pages that lie together", KVA(8) - 8, 16, 5, 6, NULL },
	{ "two such pages at once", KVA(7), 8192, 5, 6, NULL },
	{ "the top of the address space", LAST_PAGE_VA, 4096, 10, 0, NULL },
	{ "its last byte", UINT64_MAX, 1, 10, 0, NULL },
	{ "a large page", SMALL_KERNBASE + 0x400000 + 0x8000, 4096, 8, 0,
	    NULL },
	{ "a large page, across small ones", SMALL_KERNBASE + 0x400000 + 0x5ff8,
	    8, 5, 0, NULL },
	{ "the direct map", DVA(3), 4096, 3, 0, NULL },
	{ "the direct map: a page that nothing else maps", DVA(12), 4096, 12, 0,
	    NULL },
	{ "the direct map, across pages", DVA(2) - 8, 16, 1, 2, NULL },
	{ "fails: one byte past the top", LAST_PAGE_VA, 4097, 0, 0,
	    "past the end of the address space" },
	{ "fails: the largest length", KVA(1), SIZE_MAX, 0, 0,
	    "too many to read at once" },
	{ "fails: a page that is not in the dump", KVA(4), 1, 0, 0,
	    "physical address 0x4000 is not in the dump" },
	{ "fails: into a page that is not in the dump", KVA(4) - 8, 16, 0, 0,
	    "physical address 0x4000 is not in the dump" },
	{ "fails: no memory there", KVA(5) + 8, 1, 0, 0,
	    "physical address 0x7008 is not memory of the dumped machine" },
	{ "fails: not mapped", KVA(6) + 8, 1, 0, 0,
	    "address 0xffffffff80006008 is not mapped" },
	{ "fails: into what is not mapped", KVA(9) - 8, 16, 0, 0,
	    "address 0xffffffff80009000 is not mapped" },
	{ "fails: no page table", SMALL_KERNBASE + 0x600000, 1, 0, 0,
	    "address 0xffffffff80600000 is not mapped" },
	{ "fails: a page table that is not in the dump",
	    SMALL_KERNBASE + 0x200000, 1, 0, 0,
	    "physical address 0x9000 is not in the dump" },
	{ "fails: a large page, where there is no memory",
	    SMALL_KERNBASE + 0x400000 + 0x20000, 1, 0, 0, "0x20000 is not" },
	{ "fails: from a large page's part to what is missing",
	    SMALL_KERNBASE + 0x400000 + 0x3000, 8192, 0, 0, "0x4000 is not" },
	{ "fails: before the kernel map", SMALL_KERNBASE - 1, 1, 0, 0,
	    "is not a kernel address" },
	{ "fails: the first address", 0, 1, 0, 0, "is not a kernel address" },
	{ "fails: the direct map, not in the dump", DVA(9), 1, 0, 0,
	    "physical address 0x9000 is not in the dump" },
	{ "fails: the direct map, a gap", DVA(7), 1, 0, 0,
	    "is not memory of the dumped machine" },
	{ "fails: before the direct map", SMALL_DMAPBASE - 1, 1, 0, 0,
	    "is not a kernel address" },
	{ "fails: past the direct map", SMALL_DMAPEND, 1, 0, 0,
	    "is not a kernel address" },
	{ "fails: out of the direct map", SMALL_DMAPEND - 8, 16, 0, 0,
	    "is not a kernel address" },
};

static void
check_bytes(const struct dumps *d, const struct read_row *row,
    const uint8_t *got)
{
	size_t off = row->va % SMALL_PAGE;
	size_t first = SMALL_PAGE - off;

	if (first > row->len)
		first = row->len;
	assert_memory_equal(got, d->machine.mem[row->page] + off, first);
	if (row->len > first)
		assert_memory_equal(got + first, d->machine.mem[row->next],
		    row->len - first);
}

static void
check_read(kvm_t *kd, const struct dumps *d, const struct read_row *row)
{
	static uint8_t buf[3 * SMALL_PAGE];
	kssize_t n = kvm_read2(kd, row->va, buf, row->len);

	if (row->why == NULL) {
		if (n < 0)
			fail_msg("%s", kvm_geterr(kd));
		assert_int_equal(n, row->len);
		check_bytes(d, row, buf);
		return;
	}
	assert_int_equal(n, -1);
	if (strstr(kvm_geterr(kd), row->why) == NULL)
		fail_msg("failed, but because of: %s", kvm_geterr(kd));
}

static void
test_read(void **state)
{
	kvm_t *kd = dumps_open(&minidump);

	check_read(kd, &minidump, *state);
	(void)kvm_close(kd);
}

static void
test_read_by_pread(void **state)
{
	kvm_t *kd;

	assert_int_equal(setenv("KVM_NOMAP", "1", 1), 0);
	kd = dumps_open(&minidump);
	assert_int_equal(unsetenv("KVM_NOMAP"), 0);
	check_read(kd, &minidump, *state);
	(void)kvm_close(kd);
}

/*
 * After each other on one handle, until all that can get hot is: what one
 * leaves behind is not another's.
 */
static void
test_read_all(void **state)
{
	kvm_t *kd = dumps_open(&minidump);

	(void)state;
	for (size_t i = 0; i < 20 * NROWS(read_rows); i++)
		check_read(kd, &minidump, &read_rows[i * 7 % NROWS(read_rows)]);
	(void)kvm_close(kd);
}

/*
 * A dump that had lost its end before it was opened: every read is right or
 * refused, as often as it is asked for.
 */
static void
check_short(struct dumps *d, size_t len)
{
	static uint8_t buf[3 * SMALL_PAGE];
	kvm_t *kd;

	temp_named(d->bytes, len, d->core);
	kd = dumps_open(d);
	for (size_t i = 0; i < 2 * NROWS(read_rows); i++) {
		const struct read_row *row = &read_rows[i % NROWS(read_rows)];
		kssize_t n = kvm_read2(kd, row->va, buf, row->len);

		if (n < 0) {
			assert_string_not_equal(kvm_geterr(kd), "");
			continue;
		}
		assert_null(row->why);
		assert_int_equal(n, row->len);
		check_bytes(d, row, buf);
	}
	(void)kvm_close(kd);
	(void)unlink(d->core);
}

static void
test_read_short(void **state)
{
	struct dumps d = minidump;

	(void)state;
	for (size_t len = SMALL_PMAP_OFF; len < d.len; len += 1000)
		check_short(&d, len);
}

/*
 * The kernel's addresses start inside of the 2 MB that are remembered together:
 * that those after them were used does not make those before them the kernel's.
 * The entries of version 1 are for pages, all of which the machine has.
 */
static void
test_read_base(void **state)
{
	static struct dumps d;
	uint8_t buf[8];
	kvm_t *kd;

	(void)state;
	dumps_init(&d);
	small_init(&d.machine, UINT32_MAX, UINT32_MAX);
	dumps_write(&d);
	le32enc(d.bytes + 24, 1);
	le32enc(d.bytes + 28, SMALL_BITMAP_OFF - SMALL_MSGBUF_OFF);
	le64enc(d.bytes + 40, KVA(3));
	for (size_t i = 0; i < 1024; i++)
		le64enc(d.bytes + SMALL_PMAP_OFF + i * 8, 0x2000 | SMALL_V);
	dumps_rewrite(&d);
	kd = dumps_open(&d);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(kvm_read2(kd, KVA(3), buf, 8), 8);
		assert_memory_equal(buf, d.machine.mem[2], 8);
		assert_int_equal(kvm_read2(kd, KVA(2), buf, 8), -1);
		assert_non_null(strstr(kvm_geterr(kd),
		    "is not a kernel address"));
	}
	(void)kvm_close(kd);
	dumps_fini(&d);
}

/*
 * The kernel's own tables map page n at DVA(n), before the direct map and on
 * into it, where they do not count: the direct map has page 0 at DVA(2).
 */
static const struct before_row {
	const char *name;
	uint64_t
	    entry[3]; /* of tables in pages 6, 8 and 12; the last: of all */
} before_rows[] = {
	{ "before the direct map: a page of 1 GB", { SMALL_V | SMALL_PS } },
	{ "before the direct map: a page of 2 MB",
	    { 0x8000 | SMALL_V, SMALL_V | SMALL_PS } },
	{ "before the direct map: pages in a row",
	    { 0x8000 | SMALL_V, 0xc000 | SMALL_V, SMALL_V } },
};

static void
test_read_before_direct(void **state)
{
	const struct before_row *row = *state;
	static struct dumps d;
	uint8_t buf[16];
	kvm_t *kd;

	dumps_init(&d);
	d.machine.memory |= 1;
	d.machine.present |= 1;
	dumps_put_root(&d);
	small_map_root(&d.machine, SMALL_DMAPBASE, 0x6000 | SMALL_V);
	small_poke64(&d.machine, 0x6000, row->entry[0]);
	small_poke64(&d.machine, 0x8000, row->entry[1]);
	for (uint64_t n = 0; n < 512; n++)
		small_poke64(&d.machine, 0xc000 + n * 8,
		    row->entry[2] | n * SMALL_PAGE);
	dumps_write(&d);
	le64enc(d.bytes + 48, DVA(2));
	dumps_rewrite(&d);
	kd = dumps_open(&d);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(kvm_read2(kd, DVA(2) - 8, buf, 16), 16);
		assert_memory_equal(buf, d.machine.mem[1] + SMALL_PAGE - 8, 8);
		assert_memory_equal(buf + 8, d.machine.mem[0], 8);
		assert_int_equal(kvm_read2(kd, DVA(2), buf, 8), 8);
		assert_memory_equal(buf, d.machine.mem[0], 8);
	}
	(void)kvm_close(kd);
	dumps_fini(&d);
}

/*
 * The root's entry for the kernel is gone.  The one for the direct map is not:
 * a table in page 6 maps 1 GB.
 */
static void
test_read_half_root(void **state)
{
	static const uint64_t root_off = 4096 + (SMALL_NPAGES - 4) * 4096;
	static struct dumps d;
	char byte;
	kvm_t *kd;

	(void)state;
	dumps_init(&d);
	memset(d.machine.mem[6], 0, SMALL_PAGE);
	small_poke64(&d.machine, 0x6000, SMALL_V | SMALL_RW | SMALL_PS);
	dumps_write_full(&d);
	le64enc(d.bytes + root_off + 511 * 8, UINT64_C(0x7ff) << 40);
	le64enc(d.bytes + root_off + 496 * 8, 0x6000 | SMALL_V | SMALL_RW);
	dumps_rewrite(&d);
	kd = dumps_open(&d);
	assert_int_equal(kvm_read2(kd, DVA(8) + 5, &byte, 1), 1);
	assert_int_equal((uint8_t)byte, small_byte(0x8005));
	assert_int_equal(kvm_read2(kd, KVA(1), &byte, 1), -1);
	(void)kvm_close(kd);
	dumps_fini(&d);
}

/* In a full dump all pages are there, and the tables map them as before. */
static void
test_read_full(void **state)
{
	static const struct read_row rows[] = {
		{ "", KVA(1), 8192, 1, 3, NULL },
		{ "", KVA(4), 4096, 4, 0, NULL },
		{ "", KVA(5), 4096, 7, 0, NULL },
		{ "", SMALL_KERNBASE + 0x400000 + 0x8ff0, 32, 8, 9, NULL },
		{ "", LAST_PAGE_VA, 4096, 10, 0, NULL },
		{ "", KVA(6), 1, 0, 0, "is not mapped" },
		{ "", SMALL_KERNBASE + 0x400000 + 0x20000, 1, 0, 0,
		    "0x20000 is not in the dump" },
		{ "", SMALL_KERNBASE - 1, 1, 0, 0, "is not mapped" },
		{ "", 0x1000, 1, 0, 0, "is not a kernel address" },
	};
	kvm_t *kd = dumps_open(&full);

	(void)state;
	for (size_t i = 0; i < NROWS(rows); i++)
		check_read(kd, &full, &rows[i]);
	(void)kvm_close(kd);
}

/* ---- the other calls that read ---- */

static void
test_read_native(void **state)
{
	kvm_t *kd = dumps_open(&minidump);
	uint8_t buf[8];

	(void)state;
	assert_int_equal(kvm_read(kd, (unsigned long)KVA(1), buf, 8),
	    sizeof(long) == 8 ? 8 : -1);
	assert_int_equal(kvm_write(kd, (unsigned long)KVA(1), buf, 8), -1);
	assert_non_null(strstr(kvm_geterr(kd), "kvm_write not implemented"));
	assert_int_equal(kvm_kerndisp(kd), 0);
#ifdef __x86_64__
	assert_int_equal(kvm_native(kd), 1);
#else
	assert_int_equal(kvm_native(kd), 0);
#endif
	(void)kvm_close(kd);
}

static void
test_read_phys(void **state)
{
	kvm_t *kd = dumps_open(&minidump);
	uint8_t buf[8192];

	(void)state;
	assert_int_equal(kvm_read_phys(kd, 0x2000, buf, 8192), 8192);
	assert_memory_equal(buf, minidump.machine.mem[2], 8192);
	assert_int_equal(kvm_read_phys(kd, 0x3000, buf, 8192), -1);
	assert_non_null(strstr(kvm_geterr(kd), "0x4000 is not in the dump"));
	assert_int_equal(kvm_read_phys(kd, UINT64_MAX, buf, 2), -1);
	assert_int_equal(kvm_read_phys(kd, UINT64_MAX, buf, 1), -1);
	(void)kvm_close(kd);
}

static void
test_read_msgbuf(void **state)
{
	kvm_t *kd = dumps_open(&minidump);
	uint8_t buf[4096];

	(void)state;
	assert_int_equal(kvm_read_msgbuf(kd, 26, buf, 52), 52);
	assert_memory_equal(buf, "abcdefghijklmnopqrstuvwxyz", 26);
	/* To the end of the section, which is a whole page. */
	assert_int_equal(kvm_read_msgbuf(kd, 2000, buf, 4096), 2096);
	assert_int_equal(kvm_read_msgbuf(kd, 4095, buf, 1), 1);
	assert_int_equal(kvm_read_msgbuf(kd, 4096, buf, 1), 0);
	assert_int_equal(kvm_read_msgbuf(kd, UINT64_MAX, buf, 4096), 0);
	(void)kvm_close(kd);

	kd = dumps_open(&full);
	assert_int_equal(kvm_read_msgbuf(kd, 0, buf, 1), -1);
	assert_non_null(strstr(kvm_geterr(kd), "no message buffer"));
	(void)kvm_close(kd);
}

static void
test_read_exec(void **state)
{
	kvm_t *kd = dumps_open(&minidump);
	char buf[9];

	(void)state;
	assert_int_equal(kvm_read_exec(kd, SMALL_KERNBASE, buf, 9), 9);
	assert_string_equal(buf, "constant");
	assert_int_equal(kvm_read_exec(kd, SMALL_KERNBASE, buf, 10), -1);
	assert_non_null(strstr(kvm_geterr(kd), "no section holds 10 bytes"));
	(void)kvm_close(kd);
}

static const struct CMUnitTest single_tests[] = {
	{ .name = "one after the other", .test_func = test_read_all },
	{ .name = "dumps that are cut short", .test_func = test_read_short },
	{ .name = "a base inside of a table", .test_func = test_read_base },
	{ .name = "a full dump", .test_func = test_read_full },
	{ .name = "a full dump, the kernel's own root entry gone",
	    .test_func = test_read_half_root },
	{ .name = "native calls", .test_func = test_read_native },
	{ .name = "physical memory", .test_func = test_read_phys },
	{ .name = "the message buffer", .test_func = test_read_msgbuf },
	{ .name = "the kernel file", .test_func = test_read_exec },
};

int
main(void)
{
	struct CMUnitTest tests[NROWS(single_tests) + 2 * NROWS(read_rows) +
	    NROWS(before_rows)];
	size_t n = NROWS(single_tests);
	int failed;

	memcpy(tests, single_tests, sizeof(single_tests));
	ADD_ROWS(tests, n, read_rows, test_read);
	for (size_t i = 0; i < NROWS(read_rows); i++)
		add_as(tests, &n, "by pread", read_rows[i].name,
		    test_read_by_pread, &read_rows[i]);
	ADD_ROWS(tests, n, before_rows, test_read_before_direct);
	dumps_init(&minidump);
	dumps_write(&minidump);
	dumps_init(&full);
	dumps_write_full(&full);
	failed = RUN_TESTS(tests, n);
	dumps_fini(&minidump);
	dumps_fini(&full);
	return (failed);
}
