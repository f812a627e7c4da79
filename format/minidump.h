/*
 * The minidump: FreeBSD's dump of the pages that the kernel uses.
 *
 * Sections follow each other, each rounded up to the page size of the dump:
 *
 *   header | message buffer | dump_avail | bitmap | page tables | pages
 *
 * In dumps of our own kernel, owners of pages follow (format/owner.h).
 *
 * One exception: arm's kernel does not round the page tables up, so that the
 * pages may start in the middle of a page (minidump_choose_layout()).
 *
 * dump_avail is there in the newer versions only (md_dumpavail_len != 0).  The
 * bitmap has a bit for each page of the machine (format/dumpset.h says which)
 * and the pages are those whose bits are set, in ascending order.
 *
 * Facts: FreeBSD's sys/<arch>/include/minidump.h and
 * sys/<arch>/<arch>/minidump_machdep.c.
 */
#ifndef FORMAT_MINIDUMP_H
#define FORMAT_MINIDUMP_H

#include "format/arch.h"
#include "format/bytes.h"
#include "format/owner.h"
#include "format/paging.h"

/* Every minidump starts with this, and no other dump does. */
#define MINIDUMP_PREFIX	    "minidump"
#define MINIDUMP_PREFIX_LEN 8

/* The part of the file that minidump_decode() looks at, in bytes. */
#define MINIDUMP_HDR_LEN 4096

/* The sections, in the order of the file. */
enum minidump_section {
	MINIDUMP_HEADER,
	MINIDUMP_MSGBUF,
	MINIDUMP_AVAIL,
	MINIDUMP_BITMAP,
	MINIDUMP_MAP,
	MINIDUMP_PAGES,
	MINIDUMP_OWNERS,
	MINIDUMP_NSECTIONS
};

/* "header", "message buffer", "dump_avail", ... */
extern const char *const minidump_section_names[MINIDUMP_NSECTIONS];

/* Formats of ARM page tables, md_mmuformat. */
enum { ARM_MMU_UNKNOWN, ARM_MMU_V4, ARM_MMU_V6, ARM_MMU_V6_LPAE };

/* A decoded header.  Fields that an architecture or version lacks are 0. */
struct minidump_hdr {
	enum dump_arch md_arch;
	enum byte_order md_order;
	uint32_t md_version;
	uint32_t md_page_size;	/* bytes: 4096 or 16384 */
	uint32_t md_msgbuf_len; /* bytes, not rounded */
	uint32_t md_dumpavail_len;
	uint32_t md_bitmap_len;
	uint32_t md_pmap_len; /* the page-table section */
	uint64_t md_kernbase; /* first address of that section */
	uint64_t md_dmapbase; /* direct map; base == end: none */
	uint64_t md_dmapend;
	uint64_t md_dmapphys;  /* physical address at md_dmapbase */
	uint32_t md_paemode;   /* i386: 1 if PTEs have 8 bytes */
	uint32_t md_mmuformat; /* arm: ARM_MMU_* */

	/* Where the sections start: bytes from the start of the file. */
	uint64_t md_msgbuf_off;
	uint64_t md_dumpavail_off;
	uint64_t md_bitmap_off;
	uint64_t md_pmap_off;
	uint64_t md_pages_off;

	/*
	 * Owners of pages, which come after the pages.  oh_len is 0 if there are
	 * none, or if what is said of them cannot be.
	 */
	struct owners_hdr md_owners;
};

/* Does file start as minidumps do? */
bool minidump_is(struct span file);

/* The architecture that the magic names; false: none that is known. */
bool minidump_find_arch(struct span file, enum dump_arch *arch);

/*
 * Decode the header at the start of a minidump: file holds its first
 * MINIDUMP_HDR_LEN bytes or more.  order is that of the kernel; it matters for
 * arm only, the others are little-endian.
 *
 * No address has two meanings then: kernbase is where an entry's addresses start,
 * and the direct map starts at a page and has none of the section's addresses.
 *
 * Whether the sections lie inside the file is for the caller to check.  On
 * failure *why is a short constant text that says what is wrong.
 */
bool minidump_decode(struct span file, enum byte_order order,
    struct minidump_hdr *out, const char **why);

/*
 * Encode a header, for which the section offsets need not be filled in.  false
 * and *why: minidump_decode() would refuse it.
 */
bool minidump_encode(const struct minidump_hdr *hdr,
    uint8_t page[MINIDUMP_HDR_LEN], const char **why);

/*
 * Fill in the offsets of sections up to the pages, from the lengths and the page
 * size.
 */
void minidump_place(struct minidump_hdr *hdr);

/*
 * Is the dump of arm, with a page-table section that is not a whole number of
 * pages?  FreeBSD's kernel then writes the pages directly after it, and
 * md_pages_off says so.  Other programs, FreeBSD's libkvm among them, expect
 * them at the next multiple of a page.
 */
bool minidump_has_two_layouts(const struct minidump_hdr *hdr);

/*
 * Of the two layouts, choose the one that makes the whole file file_len bytes
 * long, npages being the number of pages in the dump: set md_pages_off.  false:
 * neither does, and md_pages_off stays as it was.
 */
bool minidump_choose_layout(struct minidump_hdr *hdr, uint64_t npages,
    uint64_t file_len);

/*
 * The level of the entries in the page-table section.  0: one for each page; 1:
 * page-directory entries, as amd64 has since version 2.
 */
unsigned int minidump_map_level(const struct minidump_hdr *hdr);

/* The form of those page tables. */
const struct paging *minidump_paging(const struct minidump_hdr *hdr);

#endif
