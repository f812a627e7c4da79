/*
 * ELF core files as a dying kernel writes them: a header, program headers, and
 * the physical memory that they describe.  Decoded by hand, because the same
 * definitions serve the writer, which runs where there is no library.
 *
 * Facts: FreeBSD's kern_dump.c; System V ABI, "Program Header".  e_version is
 * 0 in such files, EI_OSABI is 255.
 */
#ifndef FORMAT_ELFCORE_H
#define FORMAT_ELFCORE_H

#include "format/bytes.h"

#define ELFCORE_IDENT_LEN 16
#define ELFCORE_HDR_LEN	  64 /* of the larger class */
#define ELFCORE_PHDR_LEN  56
#define ELFCORE_ALIGN	  4096 /* of segments, in memory and in the file */

#define ELFCORE_PT_LOAD	      1
#define ELFCORE_PT_NOTE	      4
#define ELFCORE_PT_DUMP_DELTA 0x6fb5d000 /* where the kernel was loaded */

/* ELF machine numbers of the architectures here. */
enum {
	ELFCORE_EM_386 = 3,
	ELFCORE_EM_ARM = 40,
	ELFCORE_EM_X86_64 = 62,
	ELFCORE_EM_AARCH64 = 183,
	ELFCORE_EM_RISCV = 243
};

struct elfcore_hdr {
	bool eh_is64;
	enum byte_order eh_order;
	uint16_t eh_machine;
	uint64_t eh_phoff; /* bytes from the start of the file */
	uint16_t eh_phentsize;
	uint16_t eh_phnum;
	uint64_t eh_shoff;
};

/* In eh_phnum: the number is too large for it; see elfcore_phnum_decode(). */
#define ELFCORE_PN_XNUM	 0xffff
#define ELFCORE_SHDR_LEN 64 /* of the larger class */

struct elfcore_phdr {
	uint32_t ph_type;
	uint64_t ph_off;
	uint64_t ph_va;
	uint64_t ph_pa;
	uint64_t ph_file_len;
	uint64_t ph_mem_len;
};

/* Does file start as ELF files do? */
bool elfcore_is(struct span file);

/* Is it of the type that cores have?  file holds its first 18 bytes or more. */
bool elfcore_has_type(struct span file);

/*
 * Decode the header; file holds its first ELFCORE_HDR_LEN bytes, or all of it.
 * On failure *why is a short constant text.
 */
bool elfcore_decode(struct span file, struct elfcore_hdr *out,
    const char **why);

/*
 * Encode a 64-bit little-endian core's header, whose phnum program headers
 * follow it, and one of them.
 */
void elfcore_encode(uint16_t machine, uint16_t phnum,
    uint8_t hdr[ELFCORE_HDR_LEN]);
void elfcore_phdr_encode(const struct elfcore_phdr *ph,
    uint8_t entry[ELFCORE_PHDR_LEN]);

/*
 * The number of program headers, from the first section header, which is at
 * eh_shoff.  false: too short.
 */
bool elfcore_phnum_decode(const struct elfcore_hdr *hdr, struct span entry,
    uint32_t *out);

/* Decode one program header of eh_phentsize bytes.  false: too short. */
bool elfcore_phdr_decode(const struct elfcore_hdr *hdr, struct span entry,
    struct elfcore_phdr *out);

#endif
