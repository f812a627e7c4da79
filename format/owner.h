/*
 * What each page of the machine was, in a section at the end of a minidump: 4
 * bits a page, also for pages that the dump does not hold.
 *
 * Page n, as the bitmap counts them, has the low half of byte n / 2 if n is
 * even, and else the high half.  So the section is four times as long as the
 * bitmap.  It comes after the pages, where readers that do not know it do not
 * look; the end of the header page says where that is:
 *
 *	4032  16  "vmcore owners", filled with NULs
 *	4048   8  offset into the file, a multiple of the page size
 *	4056   8  bytes
 *
 * The numbers have the byte order of the header's.  Numbers of owners never
 * change their meaning.
 */
#ifndef FORMAT_OWNER_H
#define FORMAT_OWNER_H

#include "format/bytes.h"

enum page_owner {
	OWNER_UNKNOWN, /* not said, or the page is no memory */
	OWNER_FREE,
	OWNER_USER,	  /* memory of programs that has no file */
	OWNER_FILE,	  /* what is cached of files */
	OWNER_OBJECT,	  /* of another VM object */
	OWNER_IMAGE,	  /* the kernel's program and data */
	OWNER_BOOT,	  /* taken while the kernel started */
	OWNER_HEAP,	  /* the kernel's allocators */
	OWNER_STACK,	  /* a kernel stack */
	OWNER_TABLE,	  /* a page table of the kernel */
	OWNER_USER_TABLE, /* a page table of a program */
	OWNER_PV,	  /* reverse maps: from pages to their mappings */
	OWNER_VM,	  /* what describes user memory otherwise */
	OWNER_ARRAY,	  /* the page array */
	OWNER_NEVER,	  /* what the kernel keeps out of dumps */
	OWNER_COUNT
};

#define OWNER_BITS 4

/* Bytes of the section for each byte of the bitmap. */
#define OWNERS_PER_BITMAP 4

/* Where the header page says that there is such a section. */
#define OWNERS_HDR_OFF 4032
#define OWNERS_HDR_LEN 32

/* What it says there. */
struct owners_hdr {
	uint64_t oh_off; /* bytes into the file */
	uint64_t oh_len;
};

/* p has OWNERS_HDR_LEN bytes.  false: it says nothing of owners. */
bool owners_decode(const uint8_t *p, enum byte_order order,
    struct owners_hdr *out);
void owners_encode(const struct owners_hdr *hdr, enum byte_order order,
    uint8_t *p);

/* The owner of page n, whose byte of the section is given. */
static inline enum page_owner
owner_decode(uint8_t byte, uint64_t n)
{
	unsigned int owner = byte >> (n % 2 * OWNER_BITS) & 0xf;

	return (owner < OWNER_COUNT ? (enum page_owner)owner : OWNER_UNKNOWN);
}

/* Into a byte whose half for page n is 0. */
static inline uint8_t
owner_encode(uint8_t byte, uint64_t n, enum page_owner owner)
{
	return ((uint8_t)(byte | (unsigned int)owner << n % 2 * OWNER_BITS));
}

/* "free", "user", "file cache": a word or two, for tables. */
const char *owner_name(enum page_owner owner);

/* "a free page", "a page of user memory"; NULL: OWNER_UNKNOWN. */
const char *owner_phrase(enum page_owner owner);

#endif
