/*
 * Are this kernel and this dump of the same build?
 *
 * The linker gives each build an id, and puts it into the file as an ELF note
 * that is loaded with the kernel.  With the right file, a dump has the note at
 * the address that the file says, if that page was dumped.  In a dump of
 * another build it may be elsewhere, so all addresses of the file are searched.
 */
#ifndef KDEBUG_BUILDID_H
#define KDEBUG_BUILDID_H

#include "libkvm/kvm.h"

#define BUILDID_MAX 64 /* bytes; SHA-1 has 20 */

/* As hexadecimal digits; "" is unknown. */
struct buildid {
	char bi_text[2 * BUILDID_MAX + 1];
};

enum buildid_match {
	BUILDID_UNKNOWN, /* the file or the dump has no id */
	BUILDID_SAME,
	BUILDID_OTHER,
	BUILDID_UNREAD /* the system refuses to read the file: errno */
};

struct modfile;

/*
 * Pages of the dump that are searched for an id that is not where the file says: a
 * kernel's image, of 256 MB at most, and as much for all modules together.
 */
#define BUILDID_PAGE_LEN 4096
#define BUILDID_BUDGET	 ((UINT64_C(256) << 20) / BUILDID_PAGE_LEN)

/* Compare the ids of the kernel's file and of the dump that kd has open. */
enum buildid_match buildid_compare(kvm_t *kd, struct buildid *file,
    struct buildid *dump);

/*
 * The same for a module.  A module that is a relocatable object never has its
 * note in memory: BUILDID_UNKNOWN.  budget: pages that may be searched still, of
 * BUILDID_BUDGET; those of a module that has more are not, and its id is unknown.
 */
enum buildid_match buildid_compare_module(kvm_t *kd, const struct modfile *mf,
    uint64_t *budget, struct buildid *file, struct buildid *dump);

#endif
