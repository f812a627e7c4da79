/*
 * The segments of physical memory in an ELF core.
 *
 * QEMU's dump-guest-memory, when it is asked for "paging", makes a segment for
 * each run of the guest's mappings: of pages that are mapped twice there are
 * two, and of those that are in no mapping, as page tables may be, there is
 * none.  The file holds all of memory all the same, one block after the other.
 * So where two segments lie as far apart in the file as in memory, what is
 * between them is memory as well.
 */
#ifndef LIBKVM_SEGMENTS_H
#define LIBKVM_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "libkvm/kvm.h"

struct elf_segment {
	kpaddr_t es_start;
	kpaddr_t es_end;
	uint64_t es_off; /* bytes into the file */
};

/* What is between two segments of one block. */
enum segments_gap { SEGMENTS_GAP_HOLE, SEGMENTS_GAP_MEMORY };

/*
 * Sort the *n segments by address and join those that are of one block, so
 * that one can be found by halving.  false: list[0] and list[1] are the first
 * that overlap and have the same memory at two places.
 */
bool segments_join(struct elf_segment *list, size_t *n, enum segments_gap gap);

#endif
