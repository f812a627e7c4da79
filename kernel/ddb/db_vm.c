/*
 * The debugger's view of memory.
 */
#include "kernel/ddb/ddb.h"
#include "kernel/sys/command.h"
#include "kernel/sys/malloc.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/memguard.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/uma.h"
#include "kernel/vm/vm_kern.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_phys.h"

static void
print_zone(const struct uma_stat *stat, void *arg)
{
	(void)arg;
	printf("%-20s %6u %9ju %9ju %8ju %11ju %5ju %6ju %8ju\n",
	    stat->ust_name, stat->ust_size, (uintmax_t)stat->ust_used,
	    (uintmax_t)stat->ust_free, (uintmax_t)stat->ust_limit,
	    (uintmax_t)stat->ust_requests, (uintmax_t)stat->ust_fails,
	    (uintmax_t)stat->ust_sleeps, (uintmax_t)stat->ust_pages);
}

static void
show_zones(const char *args)
{
	(void)args;
	printf("%-20s %6s %9s %9s %8s %11s %5s %6s %8s\n", "zone", "size",
	    "used", "free", "limit", "requests", "fails", "sleeps", "pages");
	uma_stats_foreach(print_zone, NULL);
}
COMMAND(show_zones, "show zones", CMD_SHELL | CMD_DDB, show_zones,
    "UMA's zones");

static void
print_type(const struct malloc_type_stats *stats, void *arg)
{
	(void)arg;
	printf("%-20s %9ju %12ju %9ju\n", stats->mts_name,
	    (uintmax_t)stats->mts_inuse, (uintmax_t)stats->mts_memuse,
	    (uintmax_t)stats->mts_requests);
}

static void
db_show_malloc(const char *args)
{
	(void)args;
	printf("%-20s %9s %12s %9s\n", "type", "used", "bytes", "requests");
	malloc_stats_foreach(print_type, NULL);
}
COMMAND(show_malloc, "show malloc", CMD_DDB, db_show_malloc,
    "malloc(9)'s types");

/* The number that is all of args; false, with a message, if it is not. */
static bool
number_argument(const char *args, const char *usage, uint64_t *n)
{
	const char *rest;

	if (db_expression(args, n, &rest) && *rest == '\0')
		return (true);
	printf("%s\n", usage);
	return (false);
}

/* m may be no page, or not mapped; arg is what was asked for. */
static void
print_page(vm_page_t m, uint64_t arg)
{
	struct vm_page page;

	if (m == NULL || !safe_copy(&page, m, sizeof(page))) {
		printf("%#jx: not memory\n", (uintmax_t)arg);
		return;
	}
	printf(
	    "page %p pa %#jx: flags %#x wired %u owner %p index %#x busy %#x "
	    "valid %#x dirty %#x act %u\n",
	    (void *)m, (uintmax_t)VM_PAGE_TO_PHYS(m), page.flags,
	    page.wire_count, page.object, page.pindex, page.busy, page.valid,
	    page.dirty, page.act_count);
}

/* A page's address, kernel or physical. */
static void
db_show_page(const char *args)
{
	uint64_t addr;

	if (!number_argument(args, "show page ADDRESS", &addr))
		return;
	if (pmap_kextract(addr) != 0)
		addr = pmap_kextract(addr);
	print_page(PHYS_TO_VM_PAGE(trunc_page(addr)), addr);
}
COMMAND(show_page, "show page", CMD_DDB, db_show_page, "ADDR: its vm_page");

/* A struct vm_page, by its address or its index in the page array. */
static void
db_show_vmpage(const char *args)
{
	vm_offset_t array = (vm_offset_t)vm_page_array;
	uint64_t arg, i;

	if (!number_argument(args, "show vmpage ADDRESS|INDEX", &arg))
		return;
	i = arg;
	if (arg >= array && (arg - array) % sizeof(struct vm_page) == 0)
		i = (arg - array) / sizeof(struct vm_page);
	print_page(i < vm_page_array_size ? &vm_page_array[i] : NULL, arg);
}
COMMAND(show_vmpage, "show vmpage", CMD_DDB, db_show_vmpage,
    "ADDR|INDEX: that vm_page");

static void
db_show_memguard(const char *args)
{
	uint64_t addr;

	if (number_argument(args, "show memguard ADDRESS", &addr) &&
	    !memguard_describe(addr))
		printf("%#jx: not guarded\n", (uintmax_t)addr);
}
COMMAND(show_memguard, "show memguard", CMD_DDB, db_show_memguard,
    "ADDR: the guarded allocation there, and its stacks");

static void
db_show_memory(const char *args)
{
	(void)args;
	printf("pages %ju free %ju wired %ju\n", (uintmax_t)vm_cnt.v_page_count,
	    (uintmax_t)vm_free_count(), (uintmax_t)vm_wire_count());
	printf("kernel map: %ju bytes of addresses, %ju of them with memory\n",
	    (uintmax_t)kva_used(), (uintmax_t)kmem_used());
}
COMMAND(show_memory, "show memory", CMD_DDB, db_show_memory, "counts of pages");

static void
db_show_freepages(const char *args)
{
	(void)args;
	printf("%9s %9s %9s\n", "pages", "default", "direct");
	for (int order = VM_NFREEORDER - 1; order >= 0; order--)
		printf("%9u %9ju %9ju\n", 1u << order,
		    (uintmax_t)vm_phys_free_blocks(VM_FREEPOOL_DEFAULT, order),
		    (uintmax_t)vm_phys_free_blocks(VM_FREEPOOL_DIRECT, order));
}
COMMAND(show_freepages, "show freepages", CMD_DDB, db_show_freepages,
    "free blocks by size and pool");
