/*
 * What a minidump is made of.
 *
 * A page is of the image, or its vm_page says what it is.  What was not there
 * before the free lists, and is neither table nor stack, is UMA's: nobody else
 * takes pages that a dump holds.
 *
 * This runs in a dying kernel: the page array is read as if it were not there.
 */
#include "kernel/kern/kern_account.h"

#include "kernel/machine/pmap.h"
#include "kernel/machine/vmparam.h"
#include "kernel/sys/image.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_page.h"

static bool
in_image(vm_paddr_t pa, const char *start, const char *end)
{
	return (pa >= (vm_offset_t)start - KERNBASE &&
	    pa < (vm_offset_t)end - KERNBASE);
}

static enum account_kind
kind_of(const struct dump_pages *dp, vm_paddr_t pa)
{
	struct vm_page page;

	if (in_image(pa, _text, etext))
		return (ACCOUNT_TEXT);
	if (in_image(pa, etext, _end))
		return (ACCOUNT_DATA);
	if (dump_pages_has(dp, pa, DUMP_CLASS_BULK))
		return (ACCOUNT_ARRAY);
	if (pmap_is_boot_table(pa))
		return (ACCOUNT_TABLE);
	if (!safe_copy(&page, PHYS_TO_VM_PAGE(pa), sizeof(page)) ||
	    (page.flags & VPG_BOOT) != 0)
		return (ACCOUNT_OTHER);
	if ((page.flags & VPG_TABLE) != 0)
		return (ACCOUNT_TABLE);
	return ((page.flags & VPG_STACK) != 0 ? ACCOUNT_STACK : ACCOUNT_UMA);
}

void
account_dump(const struct dump_pages *dp, const struct dump_result *res,
    struct account *ac)
{
	uint64_t nheaders = res->res_format == DUMP_FORMAT_MINIDUMP3 ? 2 : 1;
	uint64_t next = 0, pa;

	*ac = (struct account){
		.ac_bytes = {
			[ACCOUNT_TABLE] = res->res_table_bytes,
			[ACCOUNT_MSGBUF] = res->res_msgbuf_bytes,
			[ACCOUNT_OTHER] = nheaders * DUMP_PAGE_SIZE +
			    res->res_bitmap_bytes,
		},
	};
	while (dump_pages_next(dp, &next, &pa))
		ac->ac_bytes[kind_of(dp, pa)] += DUMP_PAGE_SIZE;
	for (int kind = 0; kind < ACCOUNT_NKINDS; kind++)
		ac->ac_total += ac->ac_bytes[kind];
}

const char *
account_name(enum account_kind kind)
{
	static const char *const names[ACCOUNT_NKINDS] = {
		[ACCOUNT_TEXT] = "kernel text",
		[ACCOUNT_DATA] = "kernel data",
		[ACCOUNT_UMA] = "UMA",
		[ACCOUNT_STACK] = "stacks",
		[ACCOUNT_ARRAY] = "page array",
		[ACCOUNT_TABLE] = "page tables",
		[ACCOUNT_MSGBUF] = "message buffer",
		[ACCOUNT_OTHER] = "other",
	};

	return (names[kind]);
}
