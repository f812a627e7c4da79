/*
 * Generated dumps with a few changes, for fuzzers: far more of a reader is
 * reached through a dump that is nearly right than through any bytes.
 *
 * An input is text of this kind, in bytes:
 *
 *	which dump; the highest bit is the target's
 *	how it is cut: 0 not at all, else after cut / 255 of it
 *	changes: op, where (3 bytes), then what that op needs
 *
 * The low three bits of op are a length minus 1.  The next two say what is
 * changed: 0 the first header page, 1 any section before the pages, 2 a word of
 * the kernel's own data (page tables, structures, stacks), by its number among
 * these: with that many bytes that follow.  3: such a word gets the value of
 * another one, whose number (3 bytes) follows.
 */
#ifndef TESTS_FUZZ_BASE_H
#define TESTS_FUZZ_BASE_H

#include <stddef.h>
#include <stdint.h>

#include "tests/fuzz/memfile.h"

struct base {
	struct memfile ba_core; /* changed */
	struct memfile ba_good; /* as it was generated */
	struct memfile ba_kernel;
	uint64_t ba_len;       /* bytes of the core */
	uint64_t ba_pages_off; /* where its sections end */
	uint32_t *ba_words;    /* offsets of the kernel's own data */
	size_t ba_nwords;
	uint32_t *ba_blocks; /* numbers of blocks of 4 KB that are not zero */
	size_t ba_nblocks;
};

/* How many dumps there are. */
size_t base_count(void);

/* The dump with that number, modulo how many there are, as it is now. */
const struct base *base_get(size_t which);

/*
 * The dump that an input asks for, changed as it says.  Belongs to this module;
 * base_restore() undoes the changes.  NULL: the input is too short to be one.
 */
const struct base *base_apply(const uint8_t *data, size_t size);
void base_restore(const struct base *ba);

#endif
