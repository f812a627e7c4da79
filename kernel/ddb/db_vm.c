/*
 * The debugger's view of memory.
 */
#include "kernel/ddb/ddb.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/uma.h"
#include "kernel/vm/vm_page.h"

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
DB_COMMAND(show_zones, "show zones", db_show_zones, "UMA's zones");

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
	    "page %p pa %#jx: flags %#x wired %u owner %p order %u pool %u\n",
	    (void *)m, (uintmax_t)trunc_page(addr), page.flags, page.wire_count,
	    page.object, page.order, page.pool);
}
DB_COMMAND(show_page, "show page", db_show_page, "ADDR: its vm_page");

static void
db_show_memory(const char *args)
{
	(void)args;
	printf("pages %ju free %ju wired %ju\n", (uintmax_t)vm_cnt.v_page_count,
	    (uintmax_t)vm_cnt.v_free_count, (uintmax_t)vm_cnt.v_wire_count);
}
DB_COMMAND(show_memory, "show memory", db_show_memory, "counts of pages");
