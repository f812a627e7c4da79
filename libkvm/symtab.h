/*
 * The symbols of an ELF file, a kernel's or a module's, by name and by address.
 */
#ifndef LIBKVM_SYMTAB_H
#define LIBKVM_SYMTAB_H

#include <libelf.h>

#include "libkvm/kvm_core.h"

struct symtab;

/* The reason that is no failure: the file has no symbols. */
extern const char symtab_none[];

/* Where a section of the file is in memory. */
struct symtab_section {
	bool sts_loaded;    /* it is there, which the rest is about */
	bool sts_code;	    /* it holds instructions */
	kvaddr_t sts_start; /* half-open */
	kvaddr_t sts_end;
	kvaddr_t sts_bias; /* what to add to the value of a symbol in it */
};

/*
 * Read the symbols of elf, which must outlive the result: .symtab or, in a file
 * that was stripped of it, .dynsym.  sections describes each of its n sections
 * and is not kept.  NULL: *why is the reason.
 */
struct symtab *symtab_create(Elf *elf, const struct symtab_section *sections,
    size_t n, const char **why);
void symtab_destroy(struct symtab *stb);

/*
 * See kvm_symbol_find() and kvm_symbol_at().  Symbols of a section that is not
 * loaded are not found.
 */
bool symtab_find(const struct symtab *stb, const char *name,
    struct kvm_symbol *out);
bool symtab_at(struct symtab *stb, kvaddr_t va, struct kvm_symbol *out);

/*
 * The string at off of a table of strings; it is the table's, and untrusted.
 * NULL: it is longer than max bytes or has no end, or the table cannot be read.
 */
const char *symtab_string(const Elf_Data *table, size_t off, size_t max);

#endif
