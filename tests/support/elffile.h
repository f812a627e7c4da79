/*
 * ELF files of either class and byte order, out of their sections.
 *
 * In the file: the header, program headers, the sections in their order, the
 * section headers.
 */
#ifndef TESTS_SUPPORT_ELFFILE_H
#define TESTS_SUPPORT_ELFFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elffile_section {
	const char *name; /* is looked up in the section of names */
	uint32_t type;
	uint32_t flags;
	uint64_t va;
	const void *bytes; /* NULL: zeros */
	uint64_t len;
	uint32_t link;
	uint32_t info;
	uint32_t align; /* in the file, too; a power of two, or 0 as 1 */
	uint32_t entry_len;
};

/* A program header that maps one section. */
struct elffile_segment {
	unsigned int section;
	uint32_t type;
	uint32_t flags;
};

struct elffile {
	bool is64;
	bool big_endian;
	uint16_t type;
	uint16_t machine;
	uint32_t flags;
	uint64_t entry;
	const struct elffile_section *sections; /* the first is of no type */
	size_t nsections;
	unsigned int names; /* the section with their names */
	const struct elffile_segment *segments;
	size_t nsegments;
};

struct elffile_symbol {
	uint32_t name; /* offset into the strings */
	uint8_t info;
	uint16_t section;
	uint64_t va;
	uint64_t len;
};

/* Bytes that one symbol takes. */
size_t elffile_symbol_len(const struct elffile *ef);

/* Put a symbol as the i-th of a table. */
void elffile_put_symbol(const struct elffile *ef, uint8_t *table, size_t i,
    const struct elffile_symbol *sym);

/* The file's length. */
size_t elffile_len(const struct elffile *ef);

/* Write it into buf.  Returns its length; a buf that is too small aborts. */
size_t elffile_write(const struct elffile *ef, uint8_t *buf, size_t size);

#endif
