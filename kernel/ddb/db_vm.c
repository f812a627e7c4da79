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
	printf("%-20s %6zu %9ju %9ju %8ju\n", stat->ust_name,
	    (size_t)stat->ust_size,
	    (uintmax_t)(stat->ust_requests - stat->ust_frees),
	    (uintmax_t)stat->ust_requests, (uintmax_t)stat->ust_pages);
}

static void
db_show_zones(const char *args)
{
	(void)args;
	printf("%-20s %6s %9s %9s %8s\n", "zone", "size", "used", "requests",
	    "pages");
	uma_stats_foreach_locked(print_zone, NULL);
}
COMMAND(show_zones, "show zones", CMD_DDB, db_show_zones, "UMA's zones");

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

/* A page's address, kernel or physical. */
static void
db_show_page(const char *args)
{
	struct vm_page page;
	const char *rest;
	uint64_t addr;
	vm_page_t m;

	if (!db_expression(args, &addr, &rest) || *rest != '\0') {
		printf("show page ADDRESS\n");
		return;
	}
	if (pmap_kextract(addr) != 0)
		addr = pmap_kextract(addr);
	m = PHYS_TO_VM_PAGE(trunc_page(addr));
	if (m == NULL || !safe_copy(&page, m, sizeof(page))) {
		printf("%#jx: not memory\n", (uintmax_t)addr);
		return;
	}
	printf(
	    "page %p pa %#jx: flags %#x wired %u owner %p index %#x busy %#x "
	    "valid %#x dirty %#x act %u\n",
	    (void *)m, (uintmax_t)trunc_page(addr), page.flags, page.wire_count,
	    page.object, page.pindex, page.busy, page.valid, page.dirty,
	    page.act_count);
}
COMMAND(show_page, "show page", CMD_DDB, db_show_page, "ADDR: its vm_page");

static void
db_show_memguard(const char *args)
{
	const char *rest;
	uint64_t addr;

	if (!db_expression(args, &addr, &rest) || *rest != '\0')
		printf("show memguard ADDRESS\n");
	else if (!memguard_describe(addr))
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
