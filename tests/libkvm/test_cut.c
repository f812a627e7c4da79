/*
 * A dump that is cut short while it is open: what is gone is an error, and what
 * is left is still right.  Each case is a process of its own, see child.h.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/libkvm/dumps.h"
#include "tests/support/child.h"
#include "tests/support/unit.h"

static struct dumps dump;

/* The table of the mappings at SMALL_KERNBASE, in the file. */
#define TABLE_PA UINT64_C(0x1b000)

/* Where a page of the dump is in the file, and a byte in it. */
#define OFF(pa, byte) (small_page_off(&dump.machine, pa) + (byte))

static void
cut(size_t len)
{
	assert_int_equal(truncate(dump.core, (off_t)len), 0);
}

static void
assert_cut(kvm_t *kd, uint64_t va, size_t len)
{
	uint8_t buf[2 * SMALL_PAGE];

	assert_int_equal(kvm_read2(kd, va, buf, len), -1);
	if (strstr(kvm_geterr(kd), "cut short") == NULL)
		fail_msg("failed, but because of: %s", kvm_geterr(kd));
}

static void
assert_page(kvm_t *kd, uint64_t va, unsigned int page)
{
	uint8_t buf[SMALL_PAGE];

	if (kvm_read2(kd, va, buf, sizeof(buf)) < 0)
		fail_msg("%s", kvm_geterr(kd));
	assert_memory_equal(buf, dump.machine.mem[page], sizeof(buf));
}

/*
 * Bytes that were read before may be remembered, and are still right then; a
 * page that is wrong is never given.
 */
static void
assert_cut_or_page(kvm_t *kd, uint64_t va, unsigned int page)
{
	uint8_t buf[8];

	if (kvm_read2(kd, va, buf, sizeof(buf)) == (kssize_t)sizeof(buf))
		assert_memory_equal(buf, dump.machine.mem[page], sizeof(buf));
	else if (strstr(kvm_geterr(kd), "cut short") == NULL)
		fail_msg("failed, but because of: %s", kvm_geterr(kd));
}

/* Everything from page 6 on is gone; the direct map needs no tables. */
static void
cut_at_page(const void *arg)
{
	kvm_t *kd = dumps_open(&dump);

	(void)arg;
	assert_page(kd, DVA(6), 6);
	cut(OFF(0x6000, 0));
	assert_page(kd, DVA(5), 5);
	assert_cut(kd, DVA(6), 1);
	assert_cut(kd, DVA(6) - 8, 16);
	assert_cut(kd, DVA(10), 8);
	assert_page(kd, DVA(5), 5);
	assert_page(kd, DVA(1), 1);
	(void)kvm_close(kd);
}

static void
cut_in_page(const void *arg)
{
	kvm_t *kd = dumps_open(&dump);
	uint8_t buf[100];
	kvaddr_t bad;

	(void)arg;
	cut(OFF(0x5000, 100));
	assert_int_equal(kvm_read2(kd, DVA(5), buf, 100), 100);
	assert_memory_equal(buf, dump.machine.mem[5], 100);
	assert_cut(kd, DVA(5), 101);
	assert_int_equal(kvm_read_some(kd, DVA(5) + 1, buf, 100, &bad), 99);
	assert_memory_equal(buf, dump.machine.mem[5] + 1, 99);
	assert_true(bad == DVA(5) + 100);
	assert_non_null(strstr(kvm_geterr(kd), "cut short"));
	assert_cut(kd, DVA(5) + 100, 1);
	assert_cut(kd, DVA(5) + 4095, 1);
	assert_page(kd, DVA(3), 3);
	(void)kvm_close(kd);
}

/* The same through a table that was used often, so that it is known whole. */
static void
cut_after_many_reads(const void *arg)
{
	kvm_t *kd = dumps_open(&dump);

	(void)arg;
	for (int i = 0; i < 100; i++) {
		assert_page(kd, KVA(7), 5);
		assert_page(kd, KVA(10), 18);
	}
	cut(OFF(0x6000, 100));
	assert_cut(kd, KVA(8) + 100, 1);
	assert_cut(kd, KVA(8) + 90, 16);
	assert_cut(kd, KVA(8) - 8, 300);
	assert_cut(kd, KVA(10), 8);
	assert_page(kd, DVA(5), 5);
	(void)kvm_close(kd);
}

static void
cut_to_nothing(const void *arg)
{
	kvm_t *kd = dumps_open(&dump);
	uint8_t buf[8];

	(void)arg;
	cut(0);
	assert_cut(kd, DVA(5), 8);
	assert_cut(kd, KVA(1), 8);
	assert_int_equal(kvm_read_msgbuf(kd, 0, buf, 8), -1);
	assert_null(kvm_core(kd));
	(void)kvm_close(kd);
}

/* The tables are after the pages that they map, which are still there. */
static void
cut_tables(const void *arg)
{
	kvm_t *kd = dumps_open(&dump);

	(void)arg;
	assert_page(kd, KVA(1), 1);
	cut(OFF(TABLE_PA, 0));
	assert_cut_or_page(kd, KVA(1), 1);
	assert_cut_or_page(kd, KVA(3), 2);
	assert_page(kd, DVA(1), 1);
	(void)kvm_close(kd);
}

/*
 * Inside of an entry: the two lower bytes of 0x12003 are left, and with zeros
 * for the others they would map page 2.
 */
static void
cut_inside_of_entry(const void *arg)
{
	kvm_t *kd = dumps_open(&dump);

	(void)arg;
	cut(OFF(TABLE_PA, 8 * 10 + 2));
	assert_cut(kd, KVA(10), 8);
	assert_page(kd, KVA(8), 6);
	(void)kvm_close(kd);
}

/* The same when the table was used before. */
static void
cut_inside_of_used_entry(const void *arg)
{
	kvm_t *kd = dumps_open(&dump);

	(void)arg;
	assert_page(kd, KVA(10), 18);
	cut(OFF(TABLE_PA, 8 * 10 + 2));
	assert_cut_or_page(kd, KVA(10), 18);
	assert_page(kd, KVA(8), 6);
	(void)kvm_close(kd);
}

/*
 * Inside of a directory's entry: the two lower bytes of 0x19003 are left, and
 * with zeros for the others they lead to page 9, where an entry maps page 5.
 * Translations that were remembered must not be used again.
 */
static void
cut_inside_of_directory_entry(const void *arg)
{
	static struct dumps full;
	uint64_t va = SMALL_KERNBASE + 0x601000;
	uint8_t byte;
	kvm_t *kd;

	(void)arg;
	dumps_init(&full);
	small_map(&full.machine, va, 0xc000 | SMALL_V);
	small_poke64(&full.machine, 0x9008, 0x5000 | SMALL_V);
	dumps_write_full(&full);
	kd = dumps_open(&full);
	assert_int_equal(truncate(full.core, SMALL_PAGE + 0x1e000 + 3 * 8 + 2),
	    0);
	if (kvm_read2(kd, va, &byte, 1) == 1)
		assert_int_equal(byte, full.machine.mem[12][0]);
	else
		assert_non_null(strstr(kvm_geterr(kd), "cut short"));
	(void)kvm_close(kd);
	dumps_fini(&full);
}

static void
cut_bitmap(const void *arg)
{
	kvm_t *kd = dumps_open(&dump);

	(void)arg;
	cut(SMALL_BITMAP_OFF + 1);
	assert_null(kvm_core(kd));
	assert_non_null(strstr(kvm_geterr(kd), "cut short"));
	assert_cut(kd, DVA(1), 8);
	(void)kvm_close(kd);
}

/* Counted before the cut, asked for after it. */
static void
cut_counted_bitmap(const void *arg)
{
	kvm_t *kd = dumps_open(&dump);

	(void)arg;
	assert_page(kd, DVA(10), 10);
	cut(SMALL_BITMAP_OFF);
	assert_cut(kd, DVA(1), 8);
	assert_cut(kd, KVA(1), 8);
	(void)kvm_close(kd);
}

static void
cut_msgbuf(const void *arg)
{
	kvm_t *kd = dumps_open(&dump);
	uint8_t buf[100];

	(void)arg;
	cut(SMALL_MSGBUF_OFF + 50);
	assert_int_equal(kvm_read_msgbuf(kd, 0, buf, 50), 50);
	assert_int_equal(kvm_read_msgbuf(kd, 0, buf, 51), -1);
	assert_non_null(strstr(kvm_geterr(kd), "cut short"));
	(void)kvm_close(kd);
}

struct walked {
	size_t n;
	size_t cut_after; /* 0: never */
	uint64_t sum;	  /* of all that was reported */
	kvm_t *reader;	  /* reads after the cut, unless NULL */
};

static int
on_page(struct kvm_page *page, void *arg)
{
	struct walked *w = arg;

	w->sum = w->sum * 31 + page->kp_paddr + page->kp_kmap_vaddr;
	if (++w->n == w->cut_after) {
		cut(OFF(TABLE_PA, 8 * 10 + 2));
		if (w->reader != NULL)
			assert_cut(w->reader, DVA(30), 8);
	}
	return (1);
}

/* A walk says that it was complete only if the cut did not change it. */
static void
cut_during_walk(const void *reads)
{
	kvm_t *kd = dumps_open(&dump);
	struct walked whole = { .n = 0 };
	struct walked w = { .cut_after = 2,
		.reader = reads != NULL ? kd : NULL };

	assert_int_equal(kvm_walk_pages(kd, on_page, &whole), 1);
	if (kvm_walk_pages(kd, on_page, &w) == 1)
		assert_true(w.sum == whole.sum);
	else
		assert_non_null(strstr(kvm_geterr(kd), "cut short"));
	(void)kvm_close(kd);
}

static void
cut_before_walk(const void *arg)
{
	kvm_t *kd = dumps_open(&dump);
	struct walked w = { .n = 0 };

	(void)arg;
	cut(SMALL_PMAP_OFF + 6);
	assert_int_equal(kvm_walk_pages(kd, on_page, &w), 0);
	assert_non_null(strstr(kvm_geterr(kd), "cut short"));
	(void)kvm_close(kd);
}

/*
 * One read of many pieces, and what is found out about the cut in its second
 * half must not make good what the first half got.  The uppermost page is the
 * last one of the file; a table is looked at as a whole at its 32nd use.
 */
static void
cut_long_read(const void *arg)
{
	static uint8_t buf[64 * SMALL_PAGE];
	struct dumps d;
	kvm_t *kd;

	(void)arg;
	dumps_init(&d);
	for (uint64_t i = 0; i < 64; i++) {
		uint64_t page = i % 2 == 0 ? 1 : i < 32 ? 31 : 3;

		small_map(&d.machine, KVA(64 + i),
		    page * SMALL_PAGE | SMALL_V | SMALL_NX);
	}
	dumps_write(&d);
	kd = dumps_open(&d);
	assert_int_equal(truncate(d.core,
			     (off_t)small_page_off(&d.machine, 0x1f000)),
	    0);
	assert_cut(kd, DVA(31), 8);
	(void)kvm_close(kd);

	dumps_rewrite(&d);
	kd = dumps_open(&d);
	assert_int_equal(truncate(d.core,
			     (off_t)small_page_off(&d.machine, 0x1f000)),
	    0);
	assert_int_equal(kvm_read2(kd, KVA(64), buf, sizeof(buf)), -1);
	assert_non_null(strstr(kvm_geterr(kd), "cut short"));
	(void)kvm_close(kd);
	dumps_fini(&d);
}

static const struct cut_row {
	const char *name;
	void (*func)(const void *arg);
	const char *arg;
} cut_rows[] = {
	{ "at a page", cut_at_page, NULL },
	{ "inside of a page", cut_in_page, NULL },
	{ "inside of a page that was read often", cut_after_many_reads, NULL },
	{ "to nothing", cut_to_nothing, NULL },
	{ "before the page tables", cut_tables, NULL },
	{ "inside of a page-table entry", cut_inside_of_entry, NULL },
	{ "inside of an entry of a table in use", cut_inside_of_used_entry,
	    NULL },
	{ "inside of a directory's entry", cut_inside_of_directory_entry,
	    NULL },
	{ "before the last page, during a read of many", cut_long_read, NULL },
	{ "inside of the bitmap", cut_bitmap, NULL },
	{ "before the bitmap, which was counted", cut_counted_bitmap, NULL },
	{ "inside of the message buffer", cut_msgbuf, NULL },
	{ "inside of a page table, during a walk", cut_during_walk, NULL },
	{ "and the callback's own reads notice first", cut_during_walk,
	    "reads" },
	{ "inside of the page directory, before a walk", cut_before_walk,
	    NULL },
};

/* Mapped, and by pread. */
static void
test_cut(void **state)
{
	const struct cut_row *row = *state;

	dumps_rewrite(&dump);
	assert_int_equal(run_child(row->func, row->arg), CHILD_OK);
	dumps_rewrite(&dump);
	assert_int_equal(setenv("KVM_NOMAP", "1", 1), 0);
	assert_int_equal(run_child(row->func, row->arg), CHILD_OK);
	assert_int_equal(unsetenv("KVM_NOMAP"), 0);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(cut_rows)];
	size_t n = 0;
	int failed;

	dumps_init(&dump);
	dumps_write(&dump);
	ADD_ROWS(tests, n, cut_rows, test_cut);
	failed = RUN_TESTS(tests, n);
	dumps_fini(&dump);
	return (failed);
}
