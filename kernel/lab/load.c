/*
 * Load on the memory system, from the shell: memory that stands in for user
 * land and file cache, objects in a zone, and threads that allocate and free as
 * fast as they can.
 */
#include "kernel/machine/pcpu.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/command.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/malloc.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/uma.h"
#include "kernel/vm/vm_page.h"

/* An object, and what must still be in it in a dump. */
struct item {
	struct item *it_next;
	uint64_t it_number;
	uint64_t it_check; /* of the two above */
	uint64_t it_pad[5];
};

#define ITEM_MAGIC UINT64_C(0x5851f42d4c957f2d)

/* Slabs that come and go, of each kind. */
#define FREED_ITEMS 12

/* The most items that a thread of the storm holds at a time. */
#define STORM_ITEMS 64

static uma_zone_t item_zone;
static struct item *item_list;
static uint64_t nitems_made;
static volatile bool storm_over;

/* A thread that has run this many rounds panics; 0: none does. */
static uint64_t storm_rounds;
static int storm_cpu;		 /* that it was called on, and that is spared */
static uint64_t storm_nexpected; /* threads; rounds count once all are there */
static uint64_t storm_nrunning;	 /* atomic */

static MALLOC_DEFINE(M_STORM, "storm", "of threads that allocate");

/*
 * Pages that only their owner would map: first bytes are their address.  A page
 * that is not written to costs an emulator's host nothing.
 */
static void
sh_user(const char *args)
{
	const char *end;
	uint64_t left = atop(strtouq(args, &end)), n = 0;
	bool untouched = strcmp(*end == ' ' ? end + 1 : end, "untouched") == 0;
	vm_paddr_t pa = 0;
	vm_page_t m;

	if (end == args)
		left = UINT64_MAX;
	for (; n < left; n++) {
		m = vm_page_alloc_noobj(VM_ALLOC_NORMAL | VM_ALLOC_USER |
		    VM_ALLOC_WIRED);
		if (m == NULL)
			break;
		pa = VM_PAGE_TO_PHYS(m);
		if (!untouched)
			*(uint64_t *)PHYS_TO_DMAP(pa) = pa;
	}
	printf("user: %ju pages, %ju free, the last at %#jx\n", (uintmax_t)n,
	    (uintmax_t)vm_free_count(), (uintmax_t)pa);
}
COMMAND(user, "user", CMD_SHELL, sh_user,
    "[BYTES] [untouched]: fill memory as user land would, or all of it");

static uint64_t
item_sum(const struct item *it)
{
	return (((uint64_t)(uintptr_t)it->it_next ^ it->it_number) *
	    ITEM_MAGIC);
}

static void
sh_items(const char *args)
{
	const char *end;
	uint64_t n = strtouq(args, &end);

	if (item_zone == NULL)
		item_zone = uma_zcreate("items", sizeof(struct item), NULL,
		    NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	while (n-- > 0) {
		struct item *it = uma_zalloc(item_zone, M_WAITOK | M_ZERO);

		it->it_next = item_list;
		it->it_number = nitems_made++;
		it->it_check = item_sum(it);
		item_list = it;
	}
	printf("items: %ju, the last at %p\n", (uintmax_t)nitems_made,
	    (void *)item_list);
}
COMMAND(items, "items", CMD_SHELL, sh_items, "N: objects in a zone, in a list");

/* Slabs of a zone that comes and goes: where they were. */
static void
use_and_free(const char *name, size_t size)
{
	uma_zone_t zone =
	    uma_zcreate(name, size, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	void *items[FREED_ITEMS];

	printf("freed: %s:", name);
	for (size_t i = 0; i < nitems(items); i++) {
		items[i] = uma_zalloc(zone, M_WAITOK);
		printf(" %#jx",
		    (uintmax_t)pmap_kextract((vm_offset_t)items[i]));
	}
	printf("\n");
	for (size_t i = 0; i < nitems(items); i++)
		uma_zfree(zone, items[i]);
	uma_zdestroy(zone);
}

static void
sh_freed(const char *args)
{
	(void)args;
	use_and_free("direct map", PAGE_SIZE);
	use_and_free("kernel map", 3 * PAGE_SIZE);
}
COMMAND(freed, "freed", CMD_SHELL, sh_freed,
    "slabs that are used, and free again");

static MALLOC_DEFINE(M_SECRET, "secret", "what is never dumped");

#define SECRET UINT64_C(0x7365637265742121)

/* SECRET itself is in the kernel's text. */
static void
fill_secret(const char *what, void *mem, size_t len)
{
	uint64_t *words = mem;

	for (size_t i = 0; i < len / sizeof(*words); i++)
		words[i] = SECRET ^ (uintptr_t)&words[i];
	printf("secret: %s at %p\n", what, mem);
}

static void *
secret_item(const char *name, size_t size)
{
	uma_zone_t zone = uma_zcreate(name, size, NULL, NULL, NULL, NULL,
	    UMA_ALIGN_PTR, UMA_ZONE_NODUMP);

	return (uma_zalloc(zone, M_WAITOK));
}

/* Allocate memory that is never dumped, in every way. */
static void
sh_secret(const char *args)
{
	static const size_t sizes[] = { 64, 3 * PAGE_SIZE };

	(void)args;
	for (size_t i = 0; i < nitems(sizes); i++) {
		fill_secret("item", secret_item("secret", sizes[i]), sizes[i]);
		fill_secret("malloc",
		    malloc(sizes[i], M_SECRET, M_WAITOK | M_NODUMP), sizes[i]);
	}
}
COMMAND(secret, "secret", CMD_SHELL, sh_secret, "memory that is never dumped");

static MALLOC_DEFINE(M_DRAIN, "drain", "all memory that there is");

/*
 * Allocate until there is nothing left; the list of it, and free pages.  An
 * allocation that fails wakes the page daemon, which may find a page in UMA's
 * caches.  So memory is at its end when a whole turn got nothing.
 */
static vm_pindex_t
drain(void ***list, size_t size, int flags)
{
	void **before, **mem;

	do {
		before = *list;
		while ((mem = malloc(size, M_DRAIN, flags)) != NULL) {
			*mem = *list;
			*list = mem;
		}
	} while (*list != before);
	return (vm_free_count());
}

static void
sh_drain(const char *args)
{
	void **list = NULL;
	vm_pindex_t left;

	(void)args;
	(void)drain(&list, 64 * PAGE_SIZE, M_NOWAIT);
	(void)drain(&list, 2 * PAGE_SIZE, M_NOWAIT);
	left = drain(&list, PAGE_SIZE, M_NOWAIT);
	printf("drain: %ju pages are left, ", (uintmax_t)left);
	left = drain(&list, PAGE_SIZE, M_NOWAIT | M_USE_RESERVE);
	printf("%ju of the reserve\n", (uintmax_t)left);
	while (list != NULL) {
		void **mem = list;

		list = *mem;
		free(mem, M_DRAIN);
	}
}
COMMAND(drain, "drain", CMD_SHELL, sh_drain,
    "allocate all memory, then the reserve; free it again");

/* Does a thread that has run that many rounds end the storm? */
static bool
storm_breaks(uint64_t rounds)
{
	return (storm_rounds != 0 && rounds >= storm_rounds &&
	    curcpu != storm_cpu);
}

static void
storm_thread(void *arg)
{
	void *held[STORM_ITEMS] = { NULL };
	uint32_t v = (uint32_t)(uintptr_t)arg;
	uint64_t rounds = 0;

	__atomic_add_fetch(&storm_nrunning, 1, __ATOMIC_RELAXED);
	while (!storm_over) {
		void **slot;

		if (storm_nrunning >= storm_nexpected)
			rounds++;
		if (storm_breaks(rounds))
			panic("storm: after %ju rounds", (uintmax_t)rounds);
		v = v * 1664525 + 1013904223;
		slot = &held[v >> 26];
		free(*slot, M_STORM);
		*slot = malloc(v >> 13 & 0x1fff, M_STORM, M_WAITOK);
	}
	for (size_t i = 0; i < STORM_ITEMS; i++)
		free(held[i], M_STORM);
	__atomic_sub_fetch(&storm_nrunning, 1, __ATOMIC_RELAXED);
}

static void
sh_storm(const char *args)
{
	const char *end;
	uint64_t n = strtouq(args, &end);

	storm_over = end == args;
	while (*end == ' ')
		end++;
	storm_rounds = strtouq(end, &end);
	storm_cpu = curcpu;
	storm_nexpected = storm_nrunning + n;
	for (uint64_t i = 0; i < n; i++)
		kproc_kthread_add(storm_thread, (void *)(uintptr_t)(i + 1),
		    NULL, NULL, "storm", "storm %ju", (uintmax_t)i);
}
COMMAND(storm, "storm", CMD_SHELL, sh_storm,
    "N [ROUNDS]: threads that allocate, until one panics; without N: end them");
