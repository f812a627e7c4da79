/*
 * The kernel and the dump that the tests of kvm.h open: the small machine with
 * these mappings, from SMALL_KERNBASE on.
 *
 *	0x1000	page 1
 *	0x2000	page 3: next to page 1 in virtual memory only
 *	0x3000	page 2, read-only, software bits set
 *	0x4000	page 4, which is not in the dump
 *	0x5000	page 7, where no memory is
 *	0x6000	nothing
 *	0x7000	page 5, executable
 *	0x8000	page 6: next to page 5 in all ways
 *	0xa000	page 18, whose address has bits above the 16th
 *	0x200000	a table in page 9, which is not in the dump
 *	0x400000	2 MB from physical 0 on, most of which is no memory
 *	the last page	page 10
 *
 * Memory is the pages 1-6, 8-12, 18 and those of the tables; in the dump are
 * all of them but 4, 9 and 11.  Symbols and variables are in dumps.c.
 */
#ifndef TESTS_LIBKVM_DUMPS_H
#define TESTS_LIBKVM_DUMPS_H

#include "libkvm/kvm_core.h"
#include "tests/libkvm/small.h"
#include "tests/support/temp.h"
#include "tests/support/unit.h"

/* The kernel's va of its n'th page. */
#define KVA(page) (SMALL_KERNBASE + UINT64_C(0x1000) * (page))
/* The direct map's. */
#define DVA(page) (SMALL_DMAPBASE + UINT64_C(0x1000) * (page))

#define LAST_PAGE_VA UINT64_C(0xfffffffffffff000)

struct dumps {
	struct small machine;
	char kernel[TEMP_PATH_LEN];
	char core[TEMP_PATH_LEN];
	uint8_t bytes[SMALL_FILE_MAX]; /* of the core */
	size_t len;
};

/* Make the machine, to be changed before dumps_write(). */
void dumps_init(struct dumps *d);

/* Write the kernel and the minidump, or the full dump. */
void dumps_write(struct dumps *d);
void dumps_write_full(struct dumps *d);

/* Make the machine's root table, which only full dumps have otherwise. */
void dumps_put_root(struct dumps *d);

/* Write the core's bytes again: the test has changed d->bytes or d->len. */
void dumps_rewrite(struct dumps *d);

/* Open what was written; a failure is the test's. */
kvm_t *dumps_open(const struct dumps *d);

/* Remove the files. */
void dumps_fini(struct dumps *d);

/* Append the test of a row under a name that says how it is tested; 99 at most. */
void add_as(struct CMUnitTest *tests, size_t *n, const char *how,
    const char *name, CMUnitTestFunction func, const void *row);

#endif
