/*
 * The file, in this order: header, data, strings, symbols, section headers.
 * Section names and symbol names share one table of strings.
 */
#include "tests/support/kernfile.h"

#include <stdlib.h>
#include <string.h>

enum { SEC_NULL, SEC_DATA, SEC_BSS, SEC_STRTAB, SEC_SYMTAB, NSECTIONS };

#define SHN_ABS 0xfff1

struct writer {
	const struct kernfile *kf;
	bool is64;
	uint8_t *buf;
	size_t size;
	size_t len;
};

struct section {
	const char *name;
	uint32_t type;
	uint32_t flags;
	uint64_t va, off, len;
	uint32_t link, info;
	uint64_t entry_len;
};

static void
put(struct writer *w, uint64_t v, unsigned int len)
{
	if (w->size - w->len < len)
		abort();
	for (unsigned int i = 0; i < len; i++) {
		unsigned int byte =
		    w->kf->order == ORDER_LITTLE ? i : len - 1 - i;

		w->buf[w->len + i] = (uint8_t)(v >> 8 * byte);
	}
	w->len += len;
}

/* A field as wide as an address. */
static void
put_word(struct writer *w, uint64_t v)
{
	put(w, v, w->is64 ? 8 : 4);
}

static void
put_bytes(struct writer *w, const void *p, size_t len)
{
	if (w->size - w->len < len)
		abort();
	if (len > 0)
		memcpy(w->buf + w->len, p, len);
	w->len += len;
}

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

static void
put_header(struct writer *w, uint64_t shoff)
{
	uint8_t ident[16] = { 0x7f, 'E', 'L', 'F', w->is64 ? 2 : 1,
		w->kf->order == ORDER_LITTLE ? 1 : 2, 1, 9 /* FreeBSD */ };

	put_bytes(w, ident, sizeof(ident));
	put(w, w->kf->type != 0 ? w->kf->type : 2, 2);
	put(w, machine_of(w->kf), 2);
	put(w, 1, 4);
	put_word(w, w->kf->data_va); /* entry */
	put_word(w, 0);		     /* no program headers */
	put_word(w, shoff);
	put(w, 0, 4);
	put(w, w->is64 ? 64 : 52, 2);
	put(w, 0, 2);
	put(w, 0, 2);
	put(w, w->is64 ? 64 : 40, 2);
	put(w, NSECTIONS, 2);
	put(w, SEC_STRTAB, 2);
}

/* A string, and where it is in the table that started at off. */
static uint32_t
put_string(struct writer *w, size_t off, const char *s)
{
	uint32_t at = (uint32_t)(w->len - off);

	put_bytes(w, s, strlen(s) + 1);
	return (at);
}

static void
put_symbol(struct writer *w, const struct kernfile_symbol *sym, uint32_t name)
{
	static const uint16_t indexes[] = {
		[KERNFILE_UNDEF] = 0,
		[KERNFILE_DATA] = SEC_DATA,
		[KERNFILE_BSS] = SEC_BSS,
		[KERNFILE_ABS] = SHN_ABS,
	};
	uint8_t info = (uint8_t)((sym->local ? 0 : 1 << 4) | sym->type);

	put(w, name, 4);
	if (w->is64) {
		put(w, info, 1);
		put(w, 0, 1);
		put(w, indexes[sym->section], 2);
		put(w, sym->va, 8);
		put(w, sym->len, 8);
	} else {
		put(w, sym->va, 4);
		put(w, sym->len, 4);
		put(w, info, 1);
		put(w, 0, 1);
		put(w, indexes[sym->section], 2);
	}
}

static void
put_section(struct writer *w, const struct section *sec, uint32_t name)
{
	put(w, name, 4);
	put(w, sec->type, 4);
	put_word(w, sec->flags);
	put_word(w, sec->va);
	put_word(w, sec->off);
	put_word(w, sec->len);
	put(w, sec->link, 4);
	put(w, sec->info, 4);
	put_word(w, 1);
	put_word(w, sec->entry_len);
}

static void
align(struct writer *w)
{
	while (w->len % 8 != 0)
		put(w, 0, 1);
}

/* The strings and symbols; fills in where they are. */
static void
put_symbols(struct writer *w, struct section *sections, uint32_t *names)
{
	static const struct kernfile_symbol none;
	const struct kernfile *kf = w->kf;
	struct section *strings = &sections[SEC_STRTAB];
	struct section *symbols = &sections[SEC_SYMTAB];
	uint32_t *at = calloc(kf->nsymbols + 1, sizeof(*at));

	if (at == NULL)
		abort();
	strings->off = w->len;
	put(w, 0, 1);
	for (size_t i = 1; i < NSECTIONS; i++)
		names[i] =
		    put_string(w, (size_t)strings->off, sections[i].name);
	for (size_t i = 0; i < kf->nsymbols; i++)
		at[i] =
		    put_string(w, (size_t)strings->off, kf->symbols[i].name);
	strings->len = w->len - strings->off;
	align(w);

	symbols->off = w->len;
	put_symbol(w, &none, 0);
	for (size_t i = 0; i < kf->nsymbols; i++)
		put_symbol(w, &kf->symbols[i], at[i]);
	symbols->len = w->len - symbols->off;
	free(at);
}

static uint32_t
symtab_type(const struct kernfile *kf)
{
	if (kf->no_symtab)
		return (1);		/* SHT_PROGBITS */
	return (kf->stripped ? 11 : 2); /* SHT_DYNSYM, SHT_SYMTAB */
}

size_t
kernfile_write(const struct kernfile *kf, uint8_t *buf, size_t size)
{
	bool is64 = kf->arch != ARCH_I386 && kf->arch != ARCH_ARM;
	struct writer w = { .kf = kf, .is64 = is64, .buf = buf, .size = size };
	uint32_t names[NSECTIONS] = { 0 };
	struct section sections[NSECTIONS] = {
		[SEC_DATA] = { ".data", 1, kf->data_is_code ? 6 : 3,
		    kf->data_va, is64 ? 64 : 52, kf->data_len, 0, 0, 0 },
		[SEC_BSS] = { ".bss", 8, 3, kf->bss_va, is64 ? 64 : 52,
		    kf->bss_len, 0, 0, 0 },
		[SEC_STRTAB] = { ".strtab", 3, 0, 0, 0, 0, 0, 0, 0 },
		[SEC_SYMTAB] = { ".symtab", symtab_type(kf), 0, 0, 0, 0,
		    SEC_STRTAB, 1, is64 ? 24 : 16 },
	};
	size_t end;

	put_header(&w, 0);
	put_bytes(&w, kf->data, kf->data_len);
	align(&w);
	put_symbols(&w, sections, names);
	align(&w);
	end = w.len;
	for (size_t i = 0; i < NSECTIONS; i++)
		put_section(&w, &sections[i], names[i]);
	size = w.len;
	/* The header once more, now that it is known where the sections are. */
	w.len = 0;
	put_header(&w, end);
	return (size);
}
