/*
 * The kernel's own symbol table, which ksyms.py makes from a first link:
 *
 *	_ksyms	count, offset of the names
 *		address - KERNBASE, offset of the name	(ascending, count times)
 *		names, each with a NUL
 */
#include "format/search.h"
#include "kernel/ddb/ddb.h"
#include "kernel/machine/vmparam.h"
#include "kernel/sys/image.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/systm.h"

struct ksym {
	uint32_t ks_addr; /* less KERNBASE */
	uint32_t ks_name; /* offset into the names */
};

struct ksyms {
	uint32_t ks_count;
	uint32_t ks_names_off; /* from the start of this structure */
	struct ksym ks_syms[];
};

static const struct ksyms *
table(void)
{
	return ((const struct ksyms *)(const void *)_ksyms);
}

static const char *
name_of(const struct ksym *sym)
{
	return (_ksyms + table()->ks_names_off + sym->ks_name);
}

static uint64_t
sym_addr(const void *syms, size_t i)
{
	return (((const struct ksym *)syms)[i].ks_addr);
}

const char *
db_symbol(vm_offset_t va, vm_offset_t *off)
{
	const struct ksyms *t = table();
	size_t n;

	if (va < (vm_offset_t)_text || va >= (vm_offset_t)_ksyms)
		return (NULL);
	n = search_upto(t->ks_syms, t->ks_count, sym_addr, va - KERNBASE);
	if (n == 0)
		return (NULL);
	*off = va - KERNBASE - t->ks_syms[n - 1].ks_addr;
	return (name_of(&t->ks_syms[n - 1]));
}

bool
db_symbol_value(const char *name, size_t len, vm_offset_t *out)
{
	const struct ksyms *t = table();

	for (uint32_t i = 0; i < t->ks_count; i++) {
		const char *s = name_of(&t->ks_syms[i]);

		if (strncmp(s, name, len) == 0 && s[len] == '\0') {
			*out = KERNBASE + t->ks_syms[i].ks_addr;
			return (true);
		}
	}
	return (false);
}

void
db_printsym(vm_offset_t va)
{
	vm_offset_t off;
	const char *name = db_symbol(va, &off);

	if (name == NULL)
		printf("%#jx", (uintmax_t)va);
	else
		printf("%s+%#jx", name, (uintmax_t)off);
}
