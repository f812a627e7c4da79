/* Reading memory, and walking over it. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/libkvm/dumps.h"
#include "tests/support/peak.h"
#include "tests/support/unit.h"

static struct dumps minidump, full;

/* ---- reading ---- */

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

/* ---- reading up to the first byte that cannot be read ---- */

typedef kssize_t all_fn(kvm_t *kd, uint64_t addr, void *buf, size_t len);
typedef kssize_t some_fn(kvm_t *kd, uint64_t addr, void *buf, size_t len,
    uint64_t *bad);

/* The two memories, read in both ways. */
static const struct memory {
	all_fn *all;
	some_fn *some;
} virtual = { kvm_read2, kvm_read_some },
  physical = { kvm_read_phys, kvm_read_phys_some };

/* How many of len bytes can be read, found out one by one. */
static size_t
count_good(kvm_t *kd, const struct memory *m, uint64_t addr, uint8_t *buf,
    size_t len)
{
	size_t n = 0;

	while (n < len && addr + n >= addr &&
	    m->all(kd, addr + n, buf + n, 1) == 1)
		n++;
	return (n);
}

/*
 * One request gives what reading byte by byte does, and the same reason.
 * Returns how many bytes that is.
 */
static size_t
check_some(kvm_t *kd, const struct memory *m, uint64_t addr, size_t len)
{
	static uint8_t got[3 * SMALL_PAGE], want[3 * SMALL_PAGE];
	const uint64_t untouched = 0xbad;
	uint64_t bad = untouched;
	size_t good = count_good(kd, m, addr, want, len);
	char why[2048] = "";

	(void)snprintf(why, sizeof(why), "%s", kvm_geterr(kd));
	assert_int_equal(m->some(kd, addr, got, len, &bad), good);
	assert_memory_equal(got, want, good);
	assert_true(bad == (good == len ? untouched : addr + good));
	if (good == len)
		return (good);
	if (addr + good < addr)
		assert_non_null(strstr(kvm_geterr(kd), "past the end of the"));
	else if (strstr(why, "cut short") != NULL)
		assert_non_null(strstr(kvm_geterr(kd), "cut short"));
	else
		assert_string_equal(kvm_geterr(kd), why);
	return (good);
}

/* Holes at every place of a request; what is before them is counted by hand. */
static const struct some_row {
	const char *name;
	const struct memory *memory;
	uint64_t addr;
	size_t len, good;
} some_rows[] = {
	{ "no hole", &virtual, KVA(1), 8192, 8192 },
	{ "nothing asked", &virtual, KVA(4), 0, 0 },
	{ "a hole at the first byte", &virtual, KVA(4), 100, 0 },
	{ "a hole at the second byte", &virtual, KVA(4) - 1, 100, 1 },
	{ "a hole at the last byte", &virtual, KVA(4) - 99, 100, 99 },
	{ "a hole after the last byte", &virtual, KVA(4) - 100, 100, 100 },
	{ "a hole after three pages that are apart", &virtual, KVA(1),
	    3 * SMALL_PAGE, 3 * SMALL_PAGE },
	{ "a hole at the third page", &virtual, KVA(2), 3 * SMALL_PAGE,
	    2 * SMALL_PAGE },
	{ "an address that is not mapped, after pages in a row", &virtual,
	    KVA(7) + 8, 3 * SMALL_PAGE, 2 * SMALL_PAGE - 8 },
	{ "a hole inside of a large page", &virtual,
	    SMALL_KERNBASE + 0x400000 + 0x2ff0, 3 * SMALL_PAGE, 0x1010 },
	{ "no memory inside of a large page", &virtual,
	    SMALL_KERNBASE + 0x400000 + 0x12800, 3 * SMALL_PAGE, 0x800 },
	{ "a hole in the direct map", &virtual, DVA(2) + 8, 3 * SMALL_PAGE,
	    2 * SMALL_PAGE - 8 },
	{ "the end of the direct map", &virtual, SMALL_DMAPEND - 8, 100, 8 },
	{ "the end of the address space", &virtual, LAST_PAGE_VA + 1, 4096,
	    4095 },
	{ "its last byte, and one more", &virtual, UINT64_MAX, 2, 1 },
	{ "physical: no hole", &physical, 0x2000, 8192, 8192 },
	{ "physical: a hole", &physical, 0x2001, 3 * SMALL_PAGE, 8191 },
	{ "physical: a hole at the first byte", &physical, 0x4000, 1, 0 },
	{ "physical: the end of the address space", &physical, UINT64_MAX, 2,
	    0 },
};

static void
test_some(void **state)
{
	const struct some_row *row = *state;
	kvm_t *kd = dumps_open(&minidump);

	/* Until what is read often is known to be hot. */
	for (int i = 0; i < 2; i++)
		assert_int_equal(check_some(kd, row->memory, row->addr,
				     row->len),
		    row->good);
	(void)kvm_close(kd);
}

/* Files that are cut at any place, also read with pread(2). */
static void
test_some_short(void **state)
{
	struct dumps d = minidump;

	(void)state;
	for (size_t len = SMALL_PMAP_OFF; len < d.len; len += 1777) {
		kvm_t *kd;

		if (len % 2 == 0)
			assert_int_equal(setenv("KVM_NOMAP", "1", 1), 0);
		temp_named(d.bytes, len, d.core);
		kd = dumps_open(&d);
		for (size_t i = 0; i < NROWS(some_rows); i++)
			(void)check_some(kd, some_rows[i].memory,
			    some_rows[i].addr, some_rows[i].len);
		(void)kvm_close(kd);
		(void)unlink(d.core);
		assert_int_equal(unsetenv("KVM_NOMAP"), 0);
	}
}

static void
test_some_args(void **state)
{
	kvm_t *kd = dumps_open(&minidump);
	kvaddr_t bad = 1;
	char buf[8];

	(void)state;
	assert_int_equal(kvm_read_some(kd, KVA(1), buf, SIZE_MAX, &bad), -1);
	assert_non_null(strstr(kvm_geterr(kd), "too many to read at once"));
	assert_int_equal(bad, 1);
	assert_int_equal(kvm_read_some(kd, KVA(4) - 4, buf, 8, NULL), 4);
	(void)kvm_close(kd);
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

/* ---- walking ---- */

#define MAX_WALK 1000

struct walked {
	struct kvm_page page[MAX_WALK];
	size_t n;
	size_t stop_after;
};

static int
on_page(struct kvm_page *page, void *arg)
{
	struct walked *w = arg;

	assert_int_equal(page->kp_version, LIBKVM_WALK_PAGES_VERSION);
	assert_in_range(w->n, 0, MAX_WALK - 1);
	w->page[w->n++] = *page;
	return (w->n != w->stop_after);
}

/* The calls for the mappings of dumps.h, in order. */
static const struct walk_row {
	uint64_t pa, va;
	bool present;
	uint64_t len;
	vm_prot_t prot;
} walk_rows[] = {
	{ 0x1000, KVA(1), true, 4096, 3 },
	{ 0x3000, KVA(2), true, 4096, 3 },
	{ 0x2000, KVA(3), true, 4096, 1 },
	{ 0x4000, KVA(4), false, 4096, 3 },
	{ 0x7000, KVA(5), false, 4096, 3 },
	{ 0x5000, KVA(7), true, 8192, 5 },
	{ 0x12000, KVA(10), true, 4096, 3 },
	/* The large page, without those pages of it that came before. */
	{ 0x0000, SMALL_KERNBASE + 0x400000, false, 4096, 3 },
	{ 0x4000, SMALL_KERNBASE + 0x404000, false, 4096, 3 },
	{ 0x7000, SMALL_KERNBASE + 0x407000, false, 4096, 3 },
	{ 0x8000, SMALL_KERNBASE + 0x408000, true, 4096, 3 },
	{ 0x9000, SMALL_KERNBASE + 0x409000, false, 4096, 3 },
	{ 0xa000, SMALL_KERNBASE + 0x40a000, true, 4096, 3 },
	{ 0xb000, SMALL_KERNBASE + 0x40b000, false, 4096, 3 },
	{ 0xc000, SMALL_KERNBASE + 0x40c000, true, 4096, 3 },
};

static void
test_walk(void **state)
{
	static struct walked w;
	kvm_t *kd = dumps_open(&minidump);

	(void)state;
	w.n = 0;
	w.stop_after = 0;
	assert_int_equal(kvm_walk_pages(kd, on_page, &w), 1);
	assert_in_range(w.n, NROWS(walk_rows), MAX_WALK);
	for (size_t i = 0; i < NROWS(walk_rows); i++) {
		const struct walk_row *row = &walk_rows[i];
		const struct kvm_page *page = &w.page[i];

		assert_true(page->kp_paddr == row->pa);
		assert_true(page->kp_kmap_vaddr == row->va);
		assert_true(page->kp_dmap_vaddr == SMALL_DMAPBASE + row->pa);
		assert_int_equal(page->kp_len, row->len);
		assert_int_equal(page->kp_prot, row->prot);
		assert_true(page->kp_offset ==
		    (row->present ?
			    (off_t)small_page_off(&minidump.machine, row->pa) :
			    -1));
	}
	(void)kvm_close(kd);
}

/*
 * Small pages in a row.  Behind the calls of a row comes one for the machine's
 * page tables, pages 27 to 31.
 */
#define RW	   (SMALL_V | SMALL_RW | SMALL_NX)
#define RX	   SMALL_V
#define MAX_MAPPED 4

static const struct run_row {
	const char *name;
	uint32_t memory, present; /* a bit for each page */
	struct {
		unsigned int va, pa; /* page numbers */
		uint64_t flags;
	} map[MAX_MAPPED];
	struct {
		unsigned int va, pa, npages; /* va 0: in the direct map only */
		bool present;
	} want[MAX_MAPPED];
} run_rows[] = {
	{ "one call", 0xfff, 0xfff, { { 1, 1, RW }, { 2, 2, RW } },
	    { { 1, 1, 2, true }, { 0, 0, 1, true }, { 0, 3, 9, true } } },
	{ "not in a row in memory", 0x1e, 0x1e,
	    { { 1, 1, RW }, { 2, 3, RW }, { 3, 2, RW }, { 4, 4, RW } },
	    { { 1, 1, 1, true }, { 2, 3, 1, true }, { 3, 2, 1, true },
		{ 4, 4, 1, true } } },
	{ "a hole between them", 0x6, 0x6, { { 1, 1, RW }, { 3, 2, RW } },
	    { { 1, 1, 1, true }, { 3, 2, 1, true } } },
	{ "other permissions", 0x6, 0x6, { { 1, 1, RW }, { 2, 2, RX } },
	    { { 1, 1, 1, true }, { 2, 2, 1, true } } },
	{ "one is not in the dump", 0xe, 0xa,
	    { { 1, 1, RW }, { 2, 2, RW }, { 3, 3, RW } },
	    { { 1, 1, 1, true }, { 2, 2, 1, false }, { 3, 3, 1, true } } },
	{ "none is in the dump", 0xe, 0, { { 1, 1, RW }, { 2, 2, RW } },
	    { { 1, 1, 2, false } } },
	{ "over a gap whose ends have bits in a row", 0x12, 0x12,
	    { { 1, 1, RW }, { 2, 2, RW }, { 3, 3, RW }, { 4, 4, RW } },
	    { { 1, 1, 1, true }, { 2, 2, 2, false }, { 4, 4, 1, true } } },
	{ "into a gap", 0x12, 0x12, { { 1, 1, RW }, { 2, 2, RW } },
	    { { 1, 1, 1, true }, { 2, 2, 1, false }, { 0, 4, 1, true } } },
	{ "one was met before", 0xe, 0xe,
	    { { 1, 2, RW }, { 2, 1, RW }, { 3, 2, RW }, { 4, 3, RW } },
	    { { 1, 2, 1, true }, { 2, 1, 1, true }, { 4, 3, 1, true } } },
	{ "in the direct map only", 0xee, 0xce, { { 0 } },
	    { { 0, 1, 3, true }, { 0, 6, 2, true } } },
};

static void
check_calls(const struct dumps *d, const struct walked *w,
    const struct run_row *row)
{
	size_t n = 0;

	for (; n < MAX_MAPPED && row->want[n].npages != 0; n++) {
		const struct kvm_page *page = &w->page[n];
		uint64_t pa = row->want[n].pa * UINT64_C(4096);
		unsigned int va = row->want[n].va;

		assert_in_range(n, 0, w->n - 1);
		assert_int_equal(page->kp_paddr, pa);
		assert_true(page->kp_kmap_vaddr == (va == 0 ? 0 : KVA(va)));
		assert_int_equal(page->kp_len, row->want[n].npages * 4096);
		assert_int_equal(page->kp_offset,
		    row->want[n].present ?
			(off_t)small_page_off(&d->machine, pa) :
			-1);
	}
	assert_int_equal(w->n, n + 1);
	assert_int_equal(w->page[n].kp_paddr, 27 * 4096);
	assert_int_equal(w->page[n].kp_len, 5 * 4096);
}

static void
test_walk_runs(void **state)
{
	const struct run_row *row = *state;
	static struct dumps d;
	static struct walked w;
	kvm_t *kd;

	dumps_init(&d);
	small_init(&d.machine, row->memory, row->present);
	small_map(&d.machine, KVA(0), 0);
	for (size_t i = 0; i < MAX_MAPPED && row->map[i].flags != 0; i++)
		small_map(&d.machine, KVA(row->map[i].va),
		    row->map[i].pa * UINT64_C(4096) | row->map[i].flags);
	dumps_write(&d);
	kd = dumps_open(&d);
	w.n = 0;
	w.stop_after = 0;
	assert_int_equal(kvm_walk_pages(kd, on_page, &w), 1);
	check_calls(&d, &w, row);
	(void)kvm_close(kd);
	dumps_fini(&d);
}

/* Whatever maps it, each page of the dump is there once, with its bytes. */
static void
test_walk_complete(void **state)
{
	static struct walked w;
	kvm_t *kd = dumps_open(&minidump);
	uint32_t seen = 0;

	(void)state;
	w.n = 0;
	w.stop_after = 0;
	assert_int_equal(kvm_walk_pages(kd, on_page, &w), 1);
	for (size_t i = 0; i < w.n; i++) {
		uint64_t pa = w.page[i].kp_paddr;
		off_t off = w.page[i].kp_offset;

		if (off < 0)
			continue;
		for (size_t k = 0; k < w.page[i].kp_len; k += SMALL_PAGE) {
			uint64_t n = (pa + k) / SMALL_PAGE;

			assert_in_range(n, 0, SMALL_NPAGES - 1);
			assert_int_equal(seen >> n & 1, 0);
			seen |= UINT32_C(1) << n;
			assert_memory_equal(minidump.bytes + off + k,
			    minidump.machine.mem[n], SMALL_PAGE);
		}
	}
	assert_int_equal(seen, minidump.machine.present);
	(void)kvm_close(kd);
}

/* Without the large page, some pages are in the direct map only. */
static void
test_walk_direct(void **state)
{
	static const struct {
		uint64_t pa;
		size_t npages;
	} want[] = { { 0x8000, 1 }, { 0xc000, 1 }, { 0x1a000, 6 } };
	static struct dumps d;
	static struct walked w;
	kvm_t *kd;
	size_t i = 0;

	(void)state;
	dumps_init(&d);
	small_map_directory(&d.machine, SMALL_KERNBASE + 0x400000, 0);
	dumps_write(&d);
	kd = dumps_open(&d);
	w.n = 0;
	w.stop_after = 0;
	assert_int_equal(kvm_walk_pages(kd, on_page, &w), 1);
	while (i < w.n && w.page[i].kp_kmap_vaddr != 0)
		i++;
	assert_int_equal(w.n - i, NROWS(want));
	assert_true(w.page[i - 1].kp_kmap_vaddr == LAST_PAGE_VA);
	for (size_t k = 0; k < NROWS(want); k++) {
		const struct kvm_page *page = &w.page[i + k];

		assert_true(page->kp_paddr == want[k].pa);
		assert_true(page->kp_kmap_vaddr == 0);
		assert_true(page->kp_dmap_vaddr ==
		    SMALL_DMAPBASE + page->kp_paddr);
		assert_int_equal(page->kp_prot, VM_PROT_READ | VM_PROT_WRITE);
		assert_int_equal(page->kp_len, want[k].npages * 4096);
		assert_true(page->kp_offset ==
		    (off_t)small_page_off(&d.machine, page->kp_paddr));
	}
	(void)kvm_close(kd);
	dumps_fini(&d);
}

/* A direct map that ends amid the pages of a call has an address for none. */
static void
test_walk_direct_end(void **state)
{
	static struct dumps d;
	static struct walked w;
	kvm_t *kd;
	bool seen_whole = false, seen_cut = false;

	(void)state;
	dumps_init(&d);
	dumps_write(&d);
	le64enc(d.bytes + 56, DVA(28));
	dumps_rewrite(&d);
	kd = dumps_open(&d);
	w.n = 0;
	w.stop_after = 0;
	assert_int_equal(kvm_walk_pages(kd, on_page, &w), 1);
	for (size_t i = 0; i < w.n; i++) {
		const struct kvm_page *page = &w.page[i];
		bool cut = page->kp_paddr + page->kp_len > 28 * SMALL_PAGE;

		assert_true(page->kp_dmap_vaddr ==
		    (cut ? 0 : SMALL_DMAPBASE + page->kp_paddr));
		if (cut)
			seen_cut = true;
		else
			seen_whole = true;
	}
	assert_true(seen_cut && seen_whole);
	(void)kvm_close(kd);
	dumps_fini(&d);
}

static void
test_walk_stopped(void **state)
{
	static struct walked w;
	kvm_t *kd = dumps_open(&minidump);

	(void)state;
	for (size_t i = 1; i <= NROWS(walk_rows); i++) {
		w.n = 0;
		w.stop_after = i;
		assert_int_equal(kvm_walk_pages(kd, on_page, &w), 0);
		assert_int_equal(w.n, i);
		assert_string_equal(kvm_geterr(kd), "");
	}
	(void)kvm_close(kd);

	kd = dumps_open(&full);
	assert_int_equal(kvm_walk_pages(kd, on_page, &w), 0);
	assert_non_null(strstr(kvm_geterr(kd), "cannot be walked"));
	(void)kvm_close(kd);
}

/* ---- a directory that maps the same memory again and again ---- */

/* All that a directory has: its entries map from SMALL_KERNBASE on. */
#define NDIRECTORY 1024

static const struct bomb_row {
	const char *name;
	uint32_t present; /* a bit for each page of memory */
	bool is_large;
} bomb_rows[] = {
	{ "a table of missing pages", 0, false },
	{ "a large page, every other page of it missing", 0x5555555, true },
};

static int
count_call(struct kvm_page *page, void *arg)
{
	size_t *ncalls = arg;

	(void)page;
	++*ncalls;
	return (1);
}

/* Neighbours of the table map pages that are not neighbours. */
static void
make_bomb(struct dumps *d, const struct bomb_row *row)
{
	uint64_t entry = SMALL_V | SMALL_PS;

	dumps_init(d);
	small_init(&d->machine, UINT32_MAX, row->present);
	if (!row->is_large) {
		for (unsigned int i = 0; i < 512; i++)
			small_map(&d->machine, KVA(i),
			    (i * 7 % 20) * UINT64_C(4096) | SMALL_V);
		entry = d->machine.next_table + 1;
		entry = entry * SMALL_PAGE | SMALL_V;
	}
	for (uint64_t i = 0; i < NDIRECTORY; i++)
		small_map_directory(&d->machine, SMALL_KERNBASE + (i << 21),
		    entry);
	dumps_write(d);
}

/* The calls are bounded by the bytes of the dump. */
static void
test_walk_bomb(void **state)
{
	static struct dumps d;
	size_t ncalls = 0;
	kvm_t *kd;

	make_bomb(&d, *state);
	kd = dumps_open(&d);
	assert_int_equal(kvm_walk_pages(kd, count_call, &ncalls), 0);
	assert_non_null(strstr(kvm_geterr(kd), "too many mappings for"));
	assert_in_range(ncalls, 1, d.len / 4);
	(void)kvm_close(kd);
	dumps_fini(&d);
}

/* ---- a directory that is a hole of the file ---- */

#define HOLE_LEN      UINT32_C(0x10000000) /* bytes */
#define HOLE_KERNBASE UINT64_C(0x8000000000000000)
#define HOLE_LAST_VA  (HOLE_KERNBASE + ((HOLE_LEN / 8 - UINT64_C(1)) << 21))

/* The machine's dump, with a directory of which only the last entry is there. */
static void
write_hole(struct dumps *d)
{
	const off_t end = SMALL_PMAP_OFF + (off_t)HOLE_LEN;
	const size_t len = d->len - SMALL_PAGES_OFF;
	uint8_t entry[8];
	int fd;

	le32enc(d->bytes + 36, HOLE_LEN);
	le64enc(d->bytes + 40, HOLE_KERNBASE);
	le64enc(entry, SMALL_V | SMALL_PS);
	dumps_rewrite(d);
	assert_true((fd = open(d->core, O_WRONLY)) >= 0);
	assert_int_equal(ftruncate(fd, SMALL_PMAP_OFF), 0);
	assert_int_equal(pwrite(fd, entry, 8, end - 8), 8);
	assert_int_equal(pwrite(fd, d->bytes + SMALL_PAGES_OFF, len, end), len);
	close(fd);
}

/* A walk does not touch the hole. */
static void
test_walk_hole(void **state)
{
	static struct dumps d;
	static struct walked w;
	long before = peak_memory();
	kvm_t *kd;

	(void)state;
	dumps_init(&d);
	dumps_write(&d);
	write_hole(&d);
	kd = dumps_open(&d);
	assert_int_equal(kvm_walk_pages(kd, on_page, &w), 1);
	assert_true(w.page[0].kp_kmap_vaddr == HOLE_LAST_VA);
	assert_true(w.page[1].kp_kmap_vaddr == HOLE_LAST_VA + SMALL_PAGE);
	assert_true(w.page[1].kp_offset == SMALL_PMAP_OFF + (off_t)HOLE_LEN);
	assert_in_range(peak_memory() - before, 0, PEAK_GROWTH_MAX);
	(void)kvm_close(kd);
	dumps_fini(&d);
}

static const struct CMUnitTest single_tests[] = {
	{ .name = "one after the other", .test_func = test_read_all },
	{ .name = "dumps that are cut short", .test_func = test_read_short },
	{ .name = "up to a hole: dumps that are cut short",
	    .test_func = test_some_short },
	{ .name = "up to a hole: arguments", .test_func = test_some_args },
	{ .name = "a base inside of a table", .test_func = test_read_base },
	{ .name = "a full dump", .test_func = test_read_full },
	{ .name = "a full dump, the kernel's own root entry gone",
	    .test_func = test_read_half_root },
	{ .name = "native calls", .test_func = test_read_native },
	{ .name = "physical memory", .test_func = test_read_phys },
	{ .name = "the message buffer", .test_func = test_read_msgbuf },
	{ .name = "the kernel file", .test_func = test_read_exec },
	{ .name = "walk: calls in order", .test_func = test_walk },
	{ .name = "walk: each page once", .test_func = test_walk_complete },
	{ .name = "walk: pages in the direct map only",
	    .test_func = test_walk_direct },
	{ .name = "walk: pages at the direct map's end",
	    .test_func = test_walk_direct_end },
	{ .name = "walk: a directory in a hole", .test_func = test_walk_hole },
	{ .name = "walk: stopped", .test_func = test_walk_stopped },
};

/* Append the test of a row under the name that says how it is tested. */
static void
add_as(struct CMUnitTest *tests, size_t *n, const char *how, const char *name,
    CMUnitTestFunction func, const void *row)
{
	static char names[NROWS(read_rows) + NROWS(run_rows) + NROWS(bomb_rows)]
			 [80];
	static size_t nnames;
	char *text = names[nnames++];

	(void)snprintf(text, sizeof(names[0]), "%s: %s", how, name);
	tests[(*n)++] = row_test(text, func, row);
}

int
main(void)
{
	struct CMUnitTest tests[160];
	size_t n = NROWS(single_tests);
	int failed;

	memcpy(tests, single_tests, sizeof(single_tests));
	ADD_ROWS(tests, n, read_rows, test_read);
	for (size_t i = 0; i < NROWS(read_rows); i++)
		add_as(tests, &n, "by pread", read_rows[i].name,
		    test_read_by_pread, &read_rows[i]);
	ADD_ROWS(tests, n, some_rows, test_some);
	ADD_ROWS(tests, n, before_rows, test_read_before_direct);
	for (size_t i = 0; i < NROWS(run_rows); i++)
		add_as(tests, &n, "walk: pages in a row", run_rows[i].name,
		    test_walk_runs, &run_rows[i]);
	for (size_t i = 0; i < NROWS(bomb_rows); i++)
		add_as(tests, &n, "walk: again and again", bomb_rows[i].name,
		    test_walk_bomb, &bomb_rows[i]);
	dumps_init(&minidump);
	dumps_write(&minidump);
	dumps_init(&full);
	dumps_write_full(&full);
	failed = RUN_TESTS(tests, n);
	dumps_fini(&minidump);
	dumps_fini(&full);
	return (failed);
}
