/*
 * Small ELF files for tests, of either class and byte order: one section of
 * bytes, one without, and a symbol table.
 */
#ifndef TESTS_SUPPORT_KERNFILE_H
#define TESTS_SUPPORT_KERNFILE_H

#include "format/minidump.h"

/* Where a symbol is: the sections below, or nowhere. */
enum kernfile_section {
	KERNFILE_UNDEF,
	KERNFILE_DATA,
	KERNFILE_BSS,
	KERNFILE_ABS
};

struct kernfile_symbol {
	const char *name;
	uint64_t va;
	uint64_t len;
	enum kernfile_section section;
	uint8_t type; /* STT_*: 0 none, 1 object, 2 function, 3 section */
	bool local;
};

struct kernfile {
	enum dump_arch arch;
	enum byte_order order;
	uint16_t machine; /* 0: that of the architecture */
	uint16_t type;	  /* 0: an executable */
	uint64_t data_va;
	const void *data;
	size_t data_len;
	uint64_t bss_va;
	size_t bss_len;
	const struct kernfile_symbol *symbols;
	size_t nsymbols;
	bool no_symtab;
	bool stripped; /* its symbols are in .dynsym only */
	bool data_is_code;
};

/* Write it into buf.  Returns its length; a buf that is too small aborts. */
size_t kernfile_write(const struct kernfile *kf, uint8_t *buf, size_t size);

#endif
