/*
 * The places, in the mapped file, of pages that are read often: 4 KB pages of a
 * minidump.
 *
 * A read spends most of its time waiting for memory, and meanwhile the
 * processor executes the next reads as far as its window reaches.  So each
 * instruction that is saved here counts several times.
 *
 * There are two ways from an address to the bytes:
 *
 *   - An address of the direct map is a physical address.  For each 64 pages (a
 *     group) there is one word that says which of them are in the dump, and
 *     where in the file the first one is; the others follow it.
 *   - Elsewhere, 2 MB of addresses (a span) that were used often have a table
 *     of the places of their 512 pages: page numbers in the file.  A page table
 *     or a large page may map them.
 *
 * These are always true, so that hot_find() needs no other check:
 *
 *   - An address that has a place is mapped to that page by kd_root, the page
 *     is in the dump, and all of its bytes are inside of the file's length as
 *     it was when the file was mapped.
 *   - The bytes that the places were made from were settled (image.h): they
 *     came from the file.
 *   - Everything else has no place: holes, edges of segments and of the direct
 *     map, pages past the end of a short file.  translate() finds them, or says
 *     why it cannot.
 *
 * Memory: 2 KB for a span, at most 32 MB; 16 bytes for a group in which there
 * are pages, at most 64 MB, which is 1/16384 of the dumped machine's memory.
 */
#ifndef LIBKVM_HOTPAGES_H
#define LIBKVM_HOTPAGES_H

#include "format/minidump.h"
#include "libkvm/kvm.h"
#include "libkvm/pageindex.h"

#define HOT_PAGE_SHIFT 12
#define HOT_PAGE_LEN   4096

#define HOT_SPAN_SHIFT 21
#define HOT_SPAN_PAGES 512
#define HOT_NSPANS     16384 /* a power of two */

#define HOT_GROUP_SHIFT 18

/* The number of uses after which places are looked up. */
#define HOT_OFTEN 32

/* 2 MB of addresses. */
struct hot_span {
	uint64_t hs_tag;     /* the span's number plus 1; 0: empty */
	uint32_t *hs_places; /* owned; 0, the header's page: no place */
};

/* 64 pages of the direct map. */
struct hot_group {
	uint64_t hg_present; /* a bit for each page, the first is the lowest */
	const uint8_t *hg_base; /* in the mapping, of the place before them */
};

struct hotpages {
	const uint8_t *hp_base;		  /* of the mapping; borrowed */
	const struct mapping *hp_mapping; /* borrowed */
	kvaddr_t hp_direct_va;		  /* of the first group */
	uint64_t hp_direct_len;		  /* bytes; 0: no groups yet */
	struct hot_group *hp_groups;	  /* owned */

	struct pageindex *hp_index;   /* borrowed; NULL: nothing gets hot */
	kpaddr_t hp_direct_pa;	      /* of the first group */
	uint64_t hp_ngroups;	      /* to be made */
	uint64_t hp_uses_before_made; /* of the direct map; 0: not to be made */

	struct hot_span hp_spans[HOT_NSPANS];
};

/*
 * Allow pages of this minidump to become hot, if they have 4 KB and the file is
 * mapped.  Before this call hp is all zeros, and nothing becomes hot.  The
 * index is borrowed.
 */
void hotpages_allow(struct hotpages *hp, struct pageindex *pi,
    const struct minidump_hdr *hdr);

/*
 * A span was used HOT_OFTEN times: look up the places of its pages, whose
 * physical addresses are given; HOT_NO_PA: not mapped.  The page tables that
 * these were read from lie before end in the file.
 */
void hotpages_add_span(struct hotpages *hp, uint64_t span,
    const kpaddr_t pa[HOT_SPAN_PAGES], uint64_t end);
#define HOT_NO_PA UINT64_MAX

/* Count a use of the direct map, which becomes hot after enough of them. */
void hotpages_use_direct(struct hotpages *hp);

void hotpages_fini(struct hotpages *hp);

/* Forget all spans: their mappings may have changed. */
void hotpages_forget_spans(struct hotpages *hp);

static inline const uint8_t *
hot_find_direct(const struct hotpages *hp, uint64_t in_direct)
{
	const struct hot_group *group =
	    &hp->hp_groups[in_direct >> HOT_GROUP_SHIFT];
	uint64_t page = in_direct >> HOT_PAGE_SHIFT & 63;
	/* The pages up to this one, which becomes the highest bit. */
	uint64_t upto = group->hg_present << (63 - page);

	if (upto >> 63 == 0)
		return (NULL);
	return (group->hg_base +
	    ((uint64_t)__builtin_popcountll(upto) << HOT_PAGE_SHIFT) +
	    in_direct % HOT_PAGE_LEN);
}

static inline const uint8_t *
hot_find_in_span(const struct hotpages *hp, kvaddr_t va)
{
	uint64_t span = va >> HOT_SPAN_SHIFT;
	const struct hot_span *slot = &hp->hp_spans[span % HOT_NSPANS];
	uint64_t place;

	if (slot->hs_tag != span + 1)
		return (NULL);
	place = slot->hs_places[va >> HOT_PAGE_SHIFT & (HOT_SPAN_PAGES - 1)];
	if (place == 0)
		return (NULL);
	return (hp->hp_base + (place << HOT_PAGE_SHIFT) + va % HOT_PAGE_LEN);
}

/*
 * The byte of va in the mapped file, followed by the rest of its page; NULL:
 * not hot.  As with any byte of the mapping, what is read there must be settled
 * before it is used.
 */
static inline const uint8_t *
hot_find(const struct hotpages *hp, kvaddr_t va)
{
	uint64_t in_direct = va - hp->hp_direct_va;

	if (in_direct < hp->hp_direct_len)
		return (hot_find_direct(hp, in_direct));
	return (hot_find_in_span(hp, va));
}

#endif
