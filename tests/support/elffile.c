#include "tests/support/elffile.h"

#include <stdlib.h>
#include <string.h>

#define SHT_NOBITS 8

/* Fields are put one after the other. */
struct writer {
	const struct elffile *ef;
	uint8_t *at;
};

static void
put(struct writer *w, uint64_t v, unsigned int len)
{
	for (unsigned int i = 0; i < len; i++) {
		unsigned int byte = w->ef->big_endian ? len - 1 - i : i;

		w->at[i] = (uint8_t)(v >> 8 * byte);
	}
	w->at += len;
}

/* A field as wide as an address. */
static void
put_word(struct writer *w, uint64_t v)
{
	put(w, v, w->ef->is64 ? 8 : 4);
}

static uint64_t
align(uint64_t off, uint64_t to)
{
	return (to != 0 ? (off + to - 1) / to * to : off);
}

static size_t
header_len(const struct elffile *ef)
{
	return (ef->is64 ? 64 : 52);
}

static size_t
segment_len(const struct elffile *ef)
{
	return (ef->is64 ? 56 : 32);
}

/* Where a section lies; or, if there is no such, what follows the last. */
static uint64_t
section_off(const struct elffile *ef, size_t section)
{
	uint64_t off = header_len(ef) + ef->nsegments * segment_len(ef);

	for (size_t i = 1; i < ef->nsections; i++) {
		off = align(off, ef->sections[i].align);
		if (i == section)
			break;
		if (ef->sections[i].type != SHT_NOBITS)
			off += ef->sections[i].len;
	}
	return (off);
}

static uint64_t
section_headers_off(const struct elffile *ef)
{
	return (align(section_off(ef, ef->nsections), ef->is64 ? 8 : 4));
}

static uint32_t
name_of(const struct elffile *ef, const char *name)
{
	const char *names = ef->sections[ef->names].bytes;
	const char *p = names;

	while (strcmp(p, name) != 0)
		p += strlen(p) + 1;
	return ((uint32_t)(p - names));
}

static void
put_header(struct writer *w)
{
	const struct elffile *ef = w->ef;
	const uint8_t ident[16] = { 0x7f, 'E', 'L', 'F', ef->is64 ? 2 : 1,
		ef->big_endian ? 2 : 1, 1, 9 /* FreeBSD */ };

	memcpy(w->at, ident, sizeof(ident));
	w->at += sizeof(ident);
	put(w, ef->type, 2);
	put(w, ef->machine, 2);
	put(w, 1, 4);
	put_word(w, ef->entry);
	put_word(w, ef->nsegments != 0 ? header_len(ef) : 0);
	put_word(w, section_headers_off(ef));
	put(w, ef->flags, 4);
	put(w, header_len(ef), 2);
	put(w, ef->nsegments != 0 ? segment_len(ef) : 0, 2);
	put(w, ef->nsegments, 2);
	put(w, ef->is64 ? 64 : 40, 2);
	put(w, ef->nsections, 2);
	put(w, ef->names, 2);
}

static void
put_segment(struct writer *w, const struct elffile_segment *seg)
{
	const struct elffile_section *sec = &w->ef->sections[seg->section];

	put(w, seg->type, 4);
	if (w->ef->is64)
		put(w, seg->flags, 4);
	put_word(w, section_off(w->ef, seg->section));
	put_word(w, sec->va);
	put_word(w, sec->va);
	put_word(w, sec->type == SHT_NOBITS ? 0 : sec->len);
	put_word(w, sec->len);
	if (!w->ef->is64)
		put(w, seg->flags, 4);
	put_word(w, sec->align);
}

static void
put_section(struct writer *w, size_t i)
{
	const struct elffile_section *sec = &w->ef->sections[i];

	put(w, i != 0 ? name_of(w->ef, sec->name) : 0, 4);
	put(w, sec->type, 4);
	put_word(w, sec->flags);
	put_word(w, sec->va);
	put_word(w, i != 0 ? section_off(w->ef, i) : 0);
	put_word(w, sec->len);
	put(w, sec->link, 4);
	put(w, sec->info, 4);
	put_word(w, sec->align);
	put_word(w, sec->entry_len);
}

size_t
elffile_symbol_len(const struct elffile *ef)
{
	return (ef->is64 ? 24 : 16);
}

void
elffile_put_symbol(const struct elffile *ef, uint8_t *table, size_t i,
    const struct elffile_symbol *sym)
{
	struct writer w = { ef, table + i * elffile_symbol_len(ef) };

	put(&w, sym->name, 4);
	if (!ef->is64) {
		put(&w, sym->va, 4);
		put(&w, sym->len, 4);
	}
	put(&w, sym->info, 1);
	put(&w, 0, 1);
	put(&w, sym->section, 2);
	if (ef->is64) {
		put(&w, sym->va, 8);
		put(&w, sym->len, 8);
	}
}

size_t
elffile_len(const struct elffile *ef)
{
	return ((size_t)section_headers_off(ef) +
	    ef->nsections * (ef->is64 ? 64 : 40));
}

size_t
elffile_write(const struct elffile *ef, uint8_t *buf, size_t size)
{
	struct writer w = { ef, buf };
	size_t len = elffile_len(ef);

	if (len > size)
		abort();
	memset(buf, 0, len);
	put_header(&w);
	for (size_t i = 0; i < ef->nsegments; i++)
		put_segment(&w, &ef->segments[i]);
	for (size_t i = 1; i < ef->nsections; i++) {
		const struct elffile_section *sec = &ef->sections[i];

		if (sec->bytes != NULL && sec->type != SHT_NOBITS)
			memcpy(buf + section_off(ef, i), sec->bytes,
			    (size_t)sec->len);
	}
	w.at = buf + section_headers_off(ef);
	for (size_t i = 0; i < ef->nsections; i++)
		put_section(&w, i);
	return (len);
}
