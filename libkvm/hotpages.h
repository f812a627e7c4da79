/*
 * Where pages that are read often lie in the mapped file: a minidump's, of
 * 4 KB.
 *
 * A read waits for memory most of its time, and the processor runs ahead into
 * the next read as far as its window reaches.  So each instruction that is
 * saved here counts several times.
 *
 * 2 MB of addresses (a span) that were used often have the places of their 512
 * pages: numbers of pages in the file.  It does not matter whether a page table
 * or a large page maps them.
 *
 * What is kept true, so that hot_find() needs no other check:
 *
 *   - An address that has a place is mapped to that page by kd_root, the page
 *     is in the dump, and all of its bytes are inside of the file's length as
 *     it was when the file was mapped.
 *   - What the places were made from was settled (image.h): it is the file's
 *     own.
 *   - Everything else has no place: holes, pages past the end of a short file.
 *     The way through translate() finds them, or says why not.
 *
 * Memory: 2 KB for a span, at most 32 MB.
 */
#ifndef LIBKVM_HOTPAGES_H
#define LIBKVM_HOTPAGES_H

#include "libkvm/kvm.h"
#include "libkvm/pageindex.h"

#define HOT_PAGE_SHIFT 12
#define HOT_PAGE_LEN   4096

#define HOT_SPAN_SHIFT 21
#define HOT_SPAN_PAGES 512
#define HOT_NSPANS     16384 /* a power of two */

/* Uses of anything after which its places are looked up. */
#define HOT_OFTEN 32

/* 2 MB of addresses. */
struct hot_span {
	uint64_t hs_tag;     /* the span's number plus 1; 0: empty */
	uint32_t *hs_places; /* owned; 0, the header's page: no place */
};

struct hotpages {
	const uint8_t *hp_base;		  /* of the mapping; borrowed */
	const struct mapping *hp_mapping; /* borrowed */
	struct pageindex *hp_index;	  /* borrowed; NULL: nothing gets hot */

	struct hot_span hp_spans[HOT_NSPANS];
};

/*
 * From now on pages of this minidump may become hot: if its pages have 4 KB
 * and the file is mapped.  hp was all zeros: nothing is hot.  The index is
 * borrowed.
 */
void hotpages_allow(struct hotpages *hp, struct pageindex *pi);

/*
 * A span was used HOT_OFTEN times: find the places of its pages, which are at
 * these physical addresses; HOT_NO_PA: not mapped.  end: the tables that say so
 * were read from the file up to there.
 */
void hotpages_add_span(struct hotpages *hp, uint64_t span,
    const kpaddr_t pa[HOT_SPAN_PAGES], uint64_t end);
#define HOT_NO_PA UINT64_MAX

void hotpages_fini(struct hotpages *hp);

/* Spans are mapped in another way now, or it is not known how. */
void hotpages_forget_spans(struct hotpages *hp);

/*
 * The byte of va in the mapped file, with the rest of its page behind it; NULL:
 * not hot.  As with any byte of the mapping, what is read there must be settled
 * before it is believed.
 */
static inline const uint8_t *
hot_find(const struct hotpages *hp, kvaddr_t va)
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

#endif
