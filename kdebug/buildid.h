/*
 * Are this kernel and this dump of one build?
 *
 * The linker gives each build an id, and puts it into the file as an ELF note,
 * which is loaded with the rest: a dump has it where the kernel's file says, if
 * the dump has that page and the file is the right one.  In a dump of another
 * build it may lie elsewhere, so all of what the file describes is searched.
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
	BUILDID_OTHER
};

struct modfile;

/* Compare the ids of the kernel's file and of the dump that kd has open. */
enum buildid_match buildid_compare(kvm_t *kd, struct buildid *file,
    struct buildid *dump);

/*
 * The same of a module.  The note of one that is a relocatable object is never
 * loaded: BUILDID_UNKNOWN.
 */
enum buildid_match buildid_compare_module(kvm_t *kd, const struct modfile *mf,
    struct buildid *file, struct buildid *dump);

#endif
