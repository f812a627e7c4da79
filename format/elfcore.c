/*
 * The layout of ELF cores, in both classes and byte orders: see elfcore.h.
 */
#include "format/elfcore.h"

#include <string.h>

#define EI_CLASS   4
#define EI_DATA	   5
#define EI_VERSION 6
#define EI_OSABI   7

#define FIELD_TYPE 16

#define CLASS_32  1
#define CLASS_64  2
#define DATA_LSB  1
#define DATA_MSB  2
#define TYPE_CORE 4

#define IDENT_VERSION	 1
#define OSABI_STANDALONE 255
#define FLAG_READ	 4

#define EHDR32_LEN 52
#define EHDR64_LEN 64
#define PHDR32_LEN 32
#define PHDR64_LEN 56

/* The length of a section header, and the offset of sh_info. */
#define SHDR32_LEN  40
#define SHDR32_INFO 28
#define SHDR64_LEN  ELFCORE_SHDR_LEN
#define SHDR64_INFO 44

bool
elfcore_is(struct span file)
{
	return (file.len >= ELFCORE_IDENT_LEN &&
	    memcmp(file.base, "\177ELF", 4) == 0);
}

static bool
decode_ident(const uint8_t *p, struct elfcore_hdr *hdr)
{
	if (p[EI_CLASS] != CLASS_32 && p[EI_CLASS] != CLASS_64)
		return (false);
	if (p[EI_DATA] != DATA_LSB && p[EI_DATA] != DATA_MSB)
		return (false);
	hdr->eh_is64 = p[EI_CLASS] == CLASS_64;
	hdr->eh_order = p[EI_DATA] == DATA_LSB ? ORDER_LITTLE : ORDER_BIG;
	return (true);
}

bool
elfcore_has_type(struct span file)
{
	struct elfcore_hdr hdr;

	return (file.len >= FIELD_TYPE + 2 && elfcore_is(file) &&
	    decode_ident(file.base, &hdr) &&
	    dec16(hdr.eh_order, file.base + FIELD_TYPE) == TYPE_CORE);
}

bool
elfcore_decode(struct span file, struct elfcore_hdr *out, const char **why)
{
	struct elfcore_hdr hdr;
	const uint8_t *p = file.base;

	if (!elfcore_is(file) || !decode_ident(p, &hdr)) {
		*why = "not an ELF file";
		return (false);
	}
	if (file.len < (hdr.eh_is64 ? EHDR64_LEN : EHDR32_LEN)) {
		*why = "shorter than an ELF header";
		return (false);
	}
	if (!elfcore_has_type(file)) {
		*why =
		    "an ELF file, but not a core: name the dump in its place, and a kernel with -N";
		return (false);
	}
	hdr.eh_machine = dec16(hdr.eh_order, p + 18);
	if (hdr.eh_is64) {
		hdr.eh_phoff = dec64(hdr.eh_order, p + 32);
		hdr.eh_shoff = dec64(hdr.eh_order, p + 40);
		hdr.eh_phentsize = dec16(hdr.eh_order, p + 54);
		hdr.eh_phnum = dec16(hdr.eh_order, p + 56);
	} else {
		hdr.eh_phoff = dec32(hdr.eh_order, p + 28);
		hdr.eh_shoff = dec32(hdr.eh_order, p + 32);
		hdr.eh_phentsize = dec16(hdr.eh_order, p + 42);
		hdr.eh_phnum = dec16(hdr.eh_order, p + 44);
	}
	if (hdr.eh_phentsize < (hdr.eh_is64 ? PHDR64_LEN : PHDR32_LEN)) {
		*why = "program headers are too short";
		return (false);
	}
	*out = hdr;
	return (true);
}

bool
elfcore_phnum_decode(const struct elfcore_hdr *hdr, struct span entry,
    uint32_t *out)
{
	if (entry.len < (hdr->eh_is64 ? SHDR64_LEN : SHDR32_LEN))
		return (false);
	*out = dec32(hdr->eh_order,
	    entry.base + (hdr->eh_is64 ? SHDR64_INFO : SHDR32_INFO));
	return (true);
}

bool
elfcore_phdr_decode(const struct elfcore_hdr *hdr, struct span entry,
    struct elfcore_phdr *out)
{
	enum byte_order order = hdr->eh_order;
	const uint8_t *p = entry.base;

	if (entry.len < (hdr->eh_is64 ? PHDR64_LEN : PHDR32_LEN))
		return (false);
	if (hdr->eh_is64) {
		*out = (struct elfcore_phdr){
			.ph_type = dec32(order, p),
			.ph_off = dec64(order, p + 8),
			.ph_va = dec64(order, p + 16),
			.ph_pa = dec64(order, p + 24),
			.ph_file_len = dec64(order, p + 32),
			.ph_mem_len = dec64(order, p + 40),
		};
	} else {
		*out = (struct elfcore_phdr){
			.ph_type = dec32(order, p),
			.ph_off = dec32(order, p + 4),
			.ph_va = dec32(order, p + 8),
			.ph_pa = dec32(order, p + 12),
			.ph_file_len = dec32(order, p + 16),
			.ph_mem_len = dec32(order, p + 20),
		};
	}
	return (true);
}

void
elfcore_encode(uint16_t machine, uint16_t phnum, uint8_t hdr[ELFCORE_HDR_LEN])
{
	memset(hdr, 0, ELFCORE_HDR_LEN);
	memcpy(hdr, "\177ELF", 4);
	hdr[EI_CLASS] = CLASS_64;
	hdr[EI_DATA] = DATA_LSB;
	hdr[EI_VERSION] = IDENT_VERSION;
	hdr[EI_OSABI] = OSABI_STANDALONE;
	le16enc(hdr + 16, TYPE_CORE);
	le16enc(hdr + 18, machine);
	le64enc(hdr + 32, EHDR64_LEN);
	le16enc(hdr + 52, EHDR64_LEN);
	le16enc(hdr + 54, PHDR64_LEN);
	le16enc(hdr + 56, phnum);
	le16enc(hdr + 58, SHDR64_LEN);
}

void
elfcore_phdr_encode(const struct elfcore_phdr *ph,
    uint8_t entry[ELFCORE_PHDR_LEN])
{
	memset(entry, 0, ELFCORE_PHDR_LEN);
	le32enc(entry, ph->ph_type);
	le32enc(entry + 4, FLAG_READ);
	le64enc(entry + 8, ph->ph_off);
	le64enc(entry + 16, ph->ph_va);
	le64enc(entry + 24, ph->ph_pa);
	le64enc(entry + 32, ph->ph_file_len);
	le64enc(entry + 40, ph->ph_mem_len);
	le64enc(entry + 48, ELFCORE_ALIGN);
}
