/*
 * Section names and symbol names share one table of strings.
 */
#include "tests/support/kernfile.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/elffile.h"

enum { SEC_NULL, SEC_DATA, SEC_BSS, SEC_STRTAB, SEC_SYMTAB, NSECTIONS };

#define SHN_ABS 0xfff1

static const char section_names[] = "\0.data\0.bss\0.strtab\0.symtab";

static uint16_t
machine_of(const struct kernfile *kf)
{
	static const uint16_t machines[ARCH_COUNT] = {
		[ARCH_AMD64] = 62,
		[ARCH_ARM] = 40,
		[ARCH_ARM64] = 183,
		[ARCH_I386] = 3,
		[ARCH_RISCV] = 243,
	};

	return (kf->machine != 0 ? kf->machine : machines[kf->arch]);
}

static uint32_t
symtab_type(const struct kernfile *kf)
{
	if (kf->no_symtab)
		return (1);		/* SHT_PROGBITS */
	return (kf->stripped ? 11 : 2); /* SHT_DYNSYM, SHT_SYMTAB */
}

static void *
allocate(size_t len)
{
	void *p = calloc(1, len);

	if (p == NULL)
		abort();
	return (p);
}

/* Bytes of all strings. */
static size_t
strings_len(const struct kernfile *kf)
{
	size_t len = sizeof(section_names);

	for (size_t i = 0; i < kf->nsymbols; i++)
		len += strlen(kf->symbols[i].name) + 1;
	return (len);
}

static void
put_symbols(const struct kernfile *kf, const struct elffile *ef, char *strings,
    uint8_t *symbols)
{
	static const uint16_t indexes[] = {
		[KERNFILE_UNDEF] = 0,
		[KERNFILE_DATA] = SEC_DATA,
		[KERNFILE_BSS] = SEC_BSS,
		[KERNFILE_ABS] = SHN_ABS,
	};
	size_t at = sizeof(section_names);

	memcpy(strings, section_names, sizeof(section_names));
	for (size_t i = 0; i < kf->nsymbols; i++) {
		const struct kernfile_symbol *sym = &kf->symbols[i];
		size_t len = strlen(sym->name) + 1;

		memcpy(strings + at, sym->name, len);
		elffile_put_symbol(ef, symbols, i + 1,
		    &(struct elffile_symbol){
			.name = (uint32_t)at,
			.info =
			    (uint8_t)((sym->local ? 0 : 1 << 4) | sym->type),
			.section = indexes[sym->section],
			.va = sym->va,
			.len = sym->len,
		    });
		at += len;
	}
}

size_t
kernfile_write(const struct kernfile *kf, uint8_t *buf, size_t size)
{
	struct elffile ef = {
		.is64 = kf->arch != ARCH_I386 && kf->arch != ARCH_ARM,
		.big_endian = kf->order == ORDER_BIG,
		.type = kf->type != 0 ? kf->type : 2,
		.machine = machine_of(kf),
		.entry = kf->data_va,
		.nsections = NSECTIONS,
		.names = SEC_STRTAB,
	};
	size_t sym_len = elffile_symbol_len(&ef);
	size_t syms_len = (kf->nsymbols + 1) * sym_len;
	char *strings = allocate(strings_len(kf));
	uint8_t *symbols = allocate(syms_len);
	const struct elffile_section sections[NSECTIONS] = {
		[SEC_DATA] = { ".data", 1, kf->data_is_code ? 6 : 3,
		    kf->data_va, kf->data, kf->data_len, 0, 0, 1, 0 },
		[SEC_BSS] = { ".bss", 8, 3, kf->bss_va, NULL, kf->bss_len, 0, 0,
		    1, 0 },
		[SEC_STRTAB] = { ".strtab", 3, 0, 0, strings, strings_len(kf),
		    0, 0, 8, 0 },
		[SEC_SYMTAB] = { ".symtab", symtab_type(kf), 0, 0, symbols,
		    syms_len, SEC_STRTAB, 1, 8, (uint32_t)sym_len },
	};

	put_symbols(kf, &ef, strings, symbols);
	ef.sections = sections;
	size = elffile_write(&ef, buf, size);
	free(strings);
	free(symbols);
	return (size);
}
