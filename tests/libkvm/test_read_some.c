/* Reads up to the first byte that cannot be read. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/libkvm/dumps.h"
#include "tests/support/unit.h"

static struct dumps minidump;

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

static const struct CMUnitTest single_tests[] = {
	{ .name = "up to a hole: dumps that are cut short",
	    .test_func = test_some_short },
	{ .name = "up to a hole: arguments", .test_func = test_some_args },
};

int
main(void)
{
	struct CMUnitTest tests[NROWS(single_tests) + NROWS(some_rows)];
	size_t n = NROWS(single_tests);
	int failed;

	memcpy(tests, single_tests, sizeof(single_tests));
	ADD_ROWS(tests, n, some_rows, test_some);
	dumps_init(&minidump);
	dumps_write(&minidump);
	failed = RUN_TESTS(tests, n);
	dumps_fini(&minidump);
	return (failed);
}
