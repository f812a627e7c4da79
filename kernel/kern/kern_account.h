/*
 * What a minidump is made of: how many bytes for what.
 */
#ifndef KERNEL_KERN_KERN_ACCOUNT_H
#define KERNEL_KERN_KERN_ACCOUNT_H

#include "dumper/dumper.h"

enum account_kind {
	ACCOUNT_TEXT,
	ACCOUNT_DATA,	/* of the image, constant or not, and its symbols */
	ACCOUNT_UMA,	/* zones and malloc() */
	ACCOUNT_STACK,	/* of threads and of CPUs' own */
	ACCOUNT_ARRAY,	/* the page array, as far as it is in the dump */
	ACCOUNT_TABLE,	/* page tables: pages, and a dump's own copies */
	ACCOUNT_MSGBUF, /* a dump's own copy */
	ACCOUNT_OTHER,	/* headers, bitmap, what was taken at boot */
	ACCOUNT_NKINDS
};

struct account {
	uint64_t ac_bytes[ACCOUNT_NKINDS];
	uint64_t ac_total; /* the sum */
};

/* Account for the minidump that was chosen last, whose sizes are in res. */
void account_dump(const struct dump_pages *dp, const struct dump_result *res,
    struct account *ac);

/* "UMA" and so on. */
const char *account_name(enum account_kind kind);

#endif
