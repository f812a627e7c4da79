/*
 * What a minidump is made of: how many bytes for what, as "show pageset" of the
 * debugger prints it.
 *
 * What a page is for, its owner tells (kern_owner.h).
 */
#include "kernel/kern/kern_dump.h"
#include "kernel/kern/kern_dumpconf.h"
#include "kernel/kern/kern_dumppages.h"
#include "kernel/kern/kern_owner.h"
#include "kernel/machine/bootmem.h"
#include "kernel/machine/vmparam.h"
#include "kernel/sys/command.h"
#include "kernel/sys/image.h"
#include "kernel/sys/systm.h"

enum account_kind {
	ACCOUNT_TEXT,
	ACCOUNT_DATA,	/* of the image, constant or not, and its symbols */
	ACCOUNT_UMA,	/* zones and malloc() */
	ACCOUNT_STACK,	/* of threads and of CPUs' own */
	ACCOUNT_ARRAY,	/* the page array, as far as it is in the dump */
	ACCOUNT_TABLE,	/* page tables: pages, and a dump's own copies */
	ACCOUNT_MSGBUF, /* a dump's own copy */
	ACCOUNT_OTHER,	/* headers, bitmap, owners, what was taken at boot */
	ACCOUNT_NKINDS
};

struct account {
	uint64_t ac_bytes[ACCOUNT_NKINDS];
	uint64_t ac_total; /* the sum */
};

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

static enum account_kind
kind_of(vm_paddr_t pa)
{
	if (pa < (vm_offset_t)etext - KERNBASE &&
	    pa >= (vm_offset_t)_text - KERNBASE)
		return (ACCOUNT_TEXT);
	switch (page_owner(pa)) {
	case OWNER_IMAGE:
		return (ACCOUNT_DATA);
	case OWNER_HEAP:
		return (ACCOUNT_UMA);
	case OWNER_STACK:
		return (ACCOUNT_STACK);
	case OWNER_ARRAY:
		return (ACCOUNT_ARRAY);
	case OWNER_TABLE:
	case OWNER_USER_TABLE:
		return (ACCOUNT_TABLE);
	default:
		return (ACCOUNT_OTHER);
	}
}

/* Account for the minidump that was chosen last, whose sizes are in res. */
static void
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
			    res->res_bitmap_bytes + res->res_owner_bytes,
		},
	};
	while (dump_pages_next(dp, &next, &pa))
		ac->ac_bytes[kind_of(pa)] += DUMP_PAGE_SIZE;
	for (int kind = 0; kind < ACCOUNT_NKINDS; kind++)
		ac->ac_total += ac->ac_bytes[kind];
}

/* What a minidump would be made of now, to the byte. */
static void
db_show_pageset(const char *args)
{
	struct dump_result full, res;
	struct account ac;
	const struct dump_pages *dp = &kernel_dump_pages;
	int error = dumpsys_estimate(DUMP_FORMAT_FULL, &full);

	(void)args;
	if (error == 0)
		error = dumpsys_estimate(dumpconf_minidump(), &res);
	if (error != 0) {
		printf("no estimate: error %d\n", error);
		return;
	}
	account_dump(dp, &res, &ac);
	for (int kind = 0; kind < ACCOUNT_NKINDS; kind++)
		printf("%-16s %12ju\n", names[kind],
		    (uintmax_t)ac.ac_bytes[kind]);
	printf("%-16s %12ju\n", "minidump", (uintmax_t)res.res_bytes);
	if (ac.ac_total != res.res_bytes)
		printf("%-16s %12ju: an error in the account\n", "sum",
		    (uintmax_t)ac.ac_total);
	printf("%-16s %12ju\n", "full dump", (uintmax_t)full.res_bytes);
	printf("%-16s %12ju\n", "memory", (uintmax_t)realmem);
	printf("pages registered as core %ju, bulk %ju, user %ju, never %ju; "
	       "%ju calls for what is no memory\n",
	    (uintmax_t)dump_pages_count(dp, DUMP_CLASS_CORE),
	    (uintmax_t)dump_pages_count(dp, DUMP_CLASS_BULK),
	    (uintmax_t)dump_pages_count(dp, DUMP_CLASS_USER),
	    (uintmax_t)dump_pages_count(dp, DUMP_CLASS_NEVER),
	    (uintmax_t)dp->dp_ignored);
}
COMMAND(show_pageset, "show pageset", CMD_DDB, db_show_pageset,
    "what a minidump is made of, bytes");
