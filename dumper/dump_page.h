/*
 * The calls of a kernel's allocators: which pages dumps take.
 *
 * They change the machine's own set, which dump_pages_install() names at boot;
 * before that they do nothing.  Any CPU, any context, no lock.  pa is any
 * address in the page, and one that is not memory is ignored.
 */
#ifndef DUMPER_DUMP_PAGE_H
#define DUMPER_DUMP_PAGE_H

#include <stdint.h>

/* The kernel needs it: always, though no page table leads there. */
void dump_add_page(uint64_t pa);

/* It grows with the machine: left out of a dump that must be small. */
void dump_add_bulk(uint64_t pa);

/* Only when it is asked for. */
void dump_add_user(uint64_t pa);

/* In no minidump, even if a page table leads there. */
void dump_add_never(uint64_t pa);

/* Out of all of these. */
void dump_drop_page(uint64_t pa);

#endif
