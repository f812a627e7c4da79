/* memguard and redzone: each mistake is found where it is made, or at free. */
#include <setjmp.h>
#include <signal.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/sim.h"

#include "kernel/sys/errno.h"
#include "kernel/sys/malloc.h"
#include "kernel/vm/memguard.h"
#include "kernel/vm/redzone.h"
#include "kernel/vm/uma.h"
#include "kernel/vm/vm_kern.h"
#include "kernel/vm/vm_page.h"

static MALLOC_DEFINE(M_GUARDED, "guarded", "what memguard has");
static MALLOC_DEFINE(M_OTHER, "other", "what it has not");

static const struct memguard_config guarded = {
	.mgc_desc = "guarded",
	.mgc_options = MG_GUARD_AROUND,
	.mgc_divisor = 4,
};

static void
boot_with(const struct memguard_config *config)
{
	memguard_config = *config;
	sim_boot(&sim_small);
}

static int
halt(void **state)
{
	(void)state;
	redzone_enable = redzone_panic = 0;
	memguard_config = (struct memguard_config){ .mgc_divisor = 10 };
	sim_halt();
	return (0);
}

/*
 * Faults.
 */

static sigjmp_buf fault_jmp;
static vm_offset_t fault_addr;

static void
on_fault(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	fault_addr = (vm_offset_t)info->si_addr;
	siglongjmp(fault_jmp, 1);
}

/* Does an access to this byte fault, and at it? */
__attribute__((__no_sanitize__("address"))) static bool
faults(volatile uint8_t *at)
{
	struct sigaction act = { .sa_sigaction = on_fault,
		.sa_flags = SA_SIGINFO | SA_NODEFER },
			 before[2];
	volatile bool faulted = true;

	sigaction(SIGSEGV, &act, &before[0]);
	sigaction(SIGBUS, &act, &before[1]);
	if (sigsetjmp(fault_jmp, 1) == 0) {
		(void)*at;
		faulted = false;
	}
	sigaction(SIGSEGV, &before[0], NULL);
	sigaction(SIGBUS, &before[1], NULL);
	assert_true(!faulted || fault_addr == (vm_offset_t)at);
	return (faulted);
}

static const struct fault_row {
	const char *name;
	size_t size;
	int options;
	long off; /* from the start */
	bool freed;
	bool faults;
} fault_rows[] = {
	{ "fault: none on the first byte", 100, 1, 0, false, false },
	{ "fault: none on the last byte", 100, 1, 99, false, false },
	{ "fault: past the end, aligned", 96, 1, 96, false, true },
	{ "fault: past the end, a whole page", 4096, 1, 4096, false, true },
	{ "fault: past the end, two pages", 5008, 1, 5008, false, true },
	{ "fault: before a whole page", 4096, 1, -1, false, true },
	{ "fault: before a small item", 96, MG_GUARD_AROUND | MG_GUARD_UNDERRUN,
	    -1, false, true },
	{ "fault: a free item", 100, 1, 0, true, true },
	{ "fault: a free item's last byte", 5000, 1, 4999, true, true },
	{ "fault: a free item, without guards", 100, 0, 50, true, true },
};

static void
test_fault(void **state)
{
	const struct fault_row *row = *state;
	struct memguard_config config = guarded;
	uint8_t *p;

	config.mgc_options = row->options;
	boot_with(&config);
	p = malloc(row->size, M_GUARDED, M_WAITOK | M_ZERO);
	assert_true(is_memguard_addr(p));
	assert_int_equal(malloc_usable_size(p), row->size);
	memset(p, 1, row->size);
	if (row->freed)
		free(p, M_GUARDED);
	assert_int_equal(faults(p + row->off), row->faults);
	assert_true(memguard_describe((vm_offset_t)(p + row->off)));
	halt(NULL);
}

/*
 * What free finds.
 */

static uint8_t *bug_item;
static size_t bug_size;
static uma_zone_t bug_zone;

static void
overrun(void *arg)
{
	(void)arg;
	bug_item[bug_size] = 0;
	free(bug_item, M_GUARDED);
}

static void
underrun(void *arg)
{
	(void)arg;
	bug_item[-1] = 0;
	free(bug_item, M_GUARDED);
}

static void
free_twice(void *arg)
{
	(void)arg;
	free(bug_item, M_GUARDED);
	free(bug_item, M_GUARDED);
}

static void
free_inside(void *arg)
{
	(void)arg;
	free(bug_item + 16, M_GUARDED);
}

static void
free_as_other(void *arg)
{
	(void)arg;
	free(bug_item, M_OTHER);
}

static const struct bug_row {
	const char *name;
	void (*func)(void *arg);
	const char *guard_said, *redzone_said;
} bug_rows[] = {
	{ "bug: overrun", overrun, "overrun of guarded",
	    "overflow: 1 bytes corrupted after" },
	{ "bug: underrun", underrun, "underrun of guarded",
	    "underflow: 1 bytes corrupted before" },
	{ "bug: free twice", free_twice, "was freed before", NULL },
	{ "bug: free a pointer into an item", free_inside,
	    "was never allocated", NULL },
	{ "bug: free as of another type", free_as_other, "is freed as of other",
	    "is freed as of other" },
};

static void
check_said(const char *said, const char *want)
{
	assert_non_null(said);
	if (strstr(said, want) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", want, said);
}

static void
test_guard_bug(void **state)
{
	const struct bug_row *row = *state;

	boot_with(&guarded);
	bug_size = 100;
	bug_item = malloc(bug_size, M_GUARDED, M_WAITOK);
	check_said(sim_expect_panic(row->func, NULL), row->guard_said);
	halt(NULL);
}

static void
test_redzone_bug(void **state)
{
	const struct bug_row *row = *state;

	if (row->redzone_said == NULL)
		return; /* only memguard sees it */
	redzone_enable = redzone_panic = 1;
	sim_boot(&sim_small);
	bug_size = 100;
	bug_item = malloc(bug_size, M_GUARDED, M_WAITOK);
	assert_false(is_memguard_addr(bug_item));
	check_said(sim_expect_panic(row->func, NULL), row->redzone_said);
	halt(NULL);
}

/* Each byte of the red zones that are promised, on both sides. */
static void
test_redzone_edges(void **state)
{
	static const size_t sizes[] = { 0, 1, 16, 100, 256, 1000, 4096, 9000 };

	(void)state;
	for (size_t i = 0; i < NROWS(sizes); i++) {
		for (long edge = -16; edge < 16; edge++) {
			redzone_enable = redzone_panic = 1;
			sim_boot(&sim_small);
			bug_size = sizes[i];
			bug_item = malloc(bug_size, M_GUARDED, M_WAITOK);
			bug_item[edge < 0 ? edge : (long)bug_size + edge] ^= 1;
			check_said(sim_expect_panic(free_as_other, NULL),
			    edge < 0 ? "underflow: 1 " : "overflow: 1 ");
			halt(NULL);
		}
	}
}

/* Red zones change nothing for those who make no mistakes. */
static void
test_redzone_quiet(void **state)
{
	(void)state;
	redzone_enable = redzone_panic = 1;
	sim_boot(&sim_small);
	for (size_t size = 0; size < 20000; size += 1 + size / 3) {
		uint8_t *p = malloc(size, M_OTHER, M_WAITOK | M_ZERO);

		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		assert_int_equal((uintptr_t)p % 16, 0);
		assert_true(size < PAGE_SIZE || (uintptr_t)p % PAGE_SIZE == 0);
		memset(p, 0x5a, size);
		p = realloc(p, 2 * size + 1, M_OTHER, M_WAITOK);
		assert_true(size == 0 || p[size - 1] == 0x5a);
		memset(p, 0xa5, 2 * size + 1);
		free(p, M_OTHER);
	}
	assert_null(malloc(SIZE_MAX, M_OTHER, M_NOWAIT));
	assert_int_equal(kmem_used(), 0);
	halt(NULL);
}

/*
 * What is guarded.
 */

static const struct choice_row {
	const char *name;
	struct memguard_config config;
	size_t size;
	bool type, other, zone; /* which of them are */
} choice_rows[] = {
	{ "choice: none", { .mgc_divisor = 4 }, 100, false, false, false },
	{ "choice: a type", { .mgc_desc = "guarded" }, 100, true, false,
	    false },
	{ "choice: a zone", { .mgc_desc = "zone" }, 100, false, false, true },
	{ "choice: by size", { .mgc_desc = "guarded", .mgc_minsize = 101 }, 100,
	    false, false, false },
	{ "choice: all large ones", { .mgc_options = MG_GUARD_ALLLARGE }, 4096,
	    true, true, true },
	{ "choice: large ones, and these are not",
	    { .mgc_options = MG_GUARD_ALLLARGE }, 4095, false, false, false },
	{ "choice: always at random", { .mgc_frequency = 100000 }, 100, true,
	    true, true },
	{ "choice: a divisor that is none",
	    { .mgc_desc = "guarded", .mgc_divisor = -1 }, 100, true, false,
	    false },
};

static void
test_choice(void **state)
{
	const struct choice_row *row = *state;
	uma_zone_t zone;
	void *p;

	boot_with(&row->config);
	zone = uma_zcreate("zone", row->size, NULL, NULL, NULL, NULL,
	    UMA_ALIGN_PTR, 0);
	p = malloc(row->size, M_GUARDED, M_WAITOK);
	assert_int_equal(is_memguard_addr(p), row->type);
	free(p, M_GUARDED);
	p = malloc(row->size, M_OTHER, M_WAITOK);
	assert_int_equal(is_memguard_addr(p), row->other);
	free(p, M_OTHER);
	p = uma_zalloc(zone, M_WAITOK);
	assert_int_equal(is_memguard_addr(p), row->zone);
	uma_zfree(zone, p);
	halt(NULL);
}

/* About a tenth, from all over. */
static void
test_frequency(void **state)
{
	const struct memguard_config config = { .mgc_frequency = 10000 };
	int n = 0;

	(void)state;
	boot_with(&config);
	for (int i = 0; i < 2000; i++) {
		void *p = malloc(64, M_OTHER, M_WAITOK);

		n += is_memguard_addr(p);
		free(p, M_OTHER);
	}
	assert_in_range(n, 120, 280);
	halt(NULL);
}

/* No addresses, or no pages: what would be guarded is allocated without. */
static void
test_exhausted(void **state)
{
	static void *items[8000];
	size_t n = 0, nguarded = 0;
	vm_size_t used;

	(void)state;
	boot_with(&guarded);
	used = kmem_used();
	do {
		items[n] = malloc(64, M_GUARDED, M_WAITOK);
		nguarded += is_memguard_addr(items[n]);
	} while (++n < NROWS(items));
	assert_true(nguarded > 1000);
	assert_true(nguarded < n);
	assert_true(memguard_counts.mgn_fail_kva +
		memguard_counts.mgn_fail_pgs >
	    0);
	while (n > 0)
		free(items[--n], M_GUARDED);
	assert_int_equal(kmem_used(), used);
	assert_null(malloc(SIZE_MAX, M_GUARDED, M_NOWAIT));
	halt(NULL);
}

/* memguard_init() without addresses costs nothing, and works when there are some. */
static void
test_no_addresses(void **state)
{
	vm_size_t half, used;
	vm_offset_t va;

	(void)state;
	boot_with(&(struct memguard_config){ .mgc_divisor = 1 });
	half = round_page(kva_size() / 2);
	va = kva_alloc(half);
	memguard_config = guarded;
	memguard_config.mgc_divisor = 1;
	memguard_init();
	used = kmem_used();
	memguard_init();
	assert_int_equal(kmem_used(), used);
	assert_int_equal(memguard_mapsize, 0);
	kva_free(va, half);
	memguard_config.mgc_divisor = 2;
	memguard_init();
	assert_int_not_equal(memguard_mapsize, 0);
	assert_true(is_memguard_addr(malloc(64, M_GUARDED, M_WAITOK)));
	halt(NULL);
}

/*
 * Two threads free the same item: one of them panics.  The item is small, so each
 * of them checks most of a page on its way.
 */

static struct {
	void *addr;
	unsigned int nready; /* atomic */
	const char *said[2];
} both;

static void
free_both(void *arg)
{
	(void)arg;
	free(both.addr, M_GUARDED);
}

static void
free_at_once(void *arg)
{
	const char **said = arg;

	__atomic_fetch_add(&both.nready, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&both.nready, __ATOMIC_ACQUIRE) != 2)
		continue;
	*said = sim_expect_panic(free_both, NULL);
}

static void
test_free_at_once(void **state)
{
	(void)state;
	for (int round = 0; round < 100; round++) {
		struct simthread *threads[2];

		boot_with(&guarded);
		both.addr = malloc(1, M_GUARDED, M_WAITOK);
		both.nready = 0;
		for (size_t i = 0; i < 2; i++)
			threads[i] = sim_start(free_at_once, &both.said[i]);
		for (size_t i = 0; i < 2; i++)
			sim_join(threads[i]);
		assert_true((both.said[0] == NULL) != (both.said[1] == NULL));
		assert_non_null(strstr(both.said[both.said[0] == NULL],
		    "was freed before"));
		halt(NULL);
	}
}

/*
 * Items of zones, with callbacks.
 */

static int ninits, nctors;

static int
item_init(void *mem, int size, int flags)
{
	(void)flags;
	memset(mem, 0x11, (size_t)size);
	ninits++;
	return (0);
}

static void
item_fini(void *mem, int size)
{
	assert_int_equal(((uint8_t *)mem)[size - 1], 0x11);
	ninits--;
}

static int
item_ctor(void *mem, int size, void *arg, int flags)
{
	(void)size, (void)flags;
	assert_int_equal(*(uint8_t *)mem, 0x11);
	if (arg != NULL)
		return (ENOMEM);
	nctors++;
	return (0);
}

static void
item_dtor(void *mem, int size, void *arg)
{
	(void)arg;
	memset(mem, 0x11, (size_t)size);
	nctors--;
}

static void
test_zone(void **state)
{
	uint8_t *item;

	(void)state;
	ninits = nctors = 0;
	boot_with(&guarded);
	bug_zone = uma_zcreate("guarded", 48, item_ctor, item_dtor, item_init,
	    item_fini, UMA_ALIGN_PTR, 0);
	item = uma_zalloc(bug_zone, M_WAITOK);
	assert_true(is_memguard_addr(item));
	assert_true(faults(item + 48));
	uma_zfree(bug_zone, item);
	assert_true(faults(item));
	assert_int_equal(ninits, 0);
	assert_int_equal(nctors, 0);
	item = uma_zalloc(bug_zone, M_WAITOK | M_ZERO);
	assert_int_equal(item[47], 0);
	uma_zfree(bug_zone, item);
	assert_null(uma_zalloc_arg(bug_zone, &ninits, M_WAITOK));
	assert_int_equal(nctors, 0);
	uma_zdestroy(bug_zone);
	assert_int_equal(ninits, 0);
	halt(NULL);
}

/* Addresses are used again late: a stale pointer faults for long. */
static void
test_reuse(void **state)
{
	uint8_t *first, *p;
	size_t n = 0;

	(void)state;
	boot_with(&guarded);
	first = malloc(64, M_GUARDED, M_WAITOK);
	free(first, M_GUARDED);
	do {
		assert_true(faults(first));
		p = malloc(64, M_GUARDED, M_WAITOK);
		free(p, M_GUARDED);
		n++;
	} while (p != first);
	assert_true(n > atop(memguard_mapsize) / 3 - 2);
	halt(NULL);
}

int
main(void)
{
	static const struct CMUnitTest single[] = {
		cmocka_unit_test(test_redzone_edges),
		cmocka_unit_test(test_redzone_quiet),
		cmocka_unit_test(test_frequency),
		cmocka_unit_test(test_exhausted),
		cmocka_unit_test(test_no_addresses),
		cmocka_unit_test(test_free_at_once),
		cmocka_unit_test(test_zone),
		cmocka_unit_test(test_reuse),
	};
	static struct CMUnitTest tests[64];
	size_t n = 0;

	for (; n < NROWS(single); n++)
		tests[n] = single[n];
	ADD_ROWS(tests, n, fault_rows, test_fault);
	ADD_ROWS(tests, n, bug_rows, test_guard_bug);
	ADD_ROWS(tests, n, bug_rows, test_redzone_bug);
	ADD_ROWS(tests, n, choice_rows, test_choice);
	return (RUN_TESTS(tests, n));
}
