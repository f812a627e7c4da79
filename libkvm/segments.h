/*
 * The segments of physical memory in an ELF core.
 *
 * With the option "paging", QEMU's dump-guest-memory makes a segment for each
 * run of the guest's mappings.  A page that is mapped twice has two segments,
 * and a page that is not mapped, such as a page table, has none.  The file
 * still holds all of memory, block after block.  So if two segments are as far
 * apart in the file as in memory, the bytes between them are memory too.
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

/* The kind of bytes between two segments of one block. */
enum segments_gap { SEGMENTS_GAP_HOLE, SEGMENTS_GAP_MEMORY };

/*
 * Sort the *n segments by address and join those of one block, for a binary
 * search.  false: two segments have the same memory at different places in the
 * file; list[0] and list[1] are the first such pair.
 */
bool segments_join(struct elf_segment *list, size_t *n, enum segments_gap gap);

#endif
