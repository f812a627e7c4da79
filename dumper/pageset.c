/*
 * The page set: a bit for each page of memory, in each class.
 *
 * Bits are numbered as in a version 3 minidump (format/dumpset.h), so a set's
 * size depends on how much memory there is, not on its addresses.  The bitmaps
 * of the classes change while the kernel lives, by atomic operations alone;
 * base and frozen belong to the dump that is being written.
 *
 *	mem: | segments | core | bulk | user | never | base | frozen |
 */
#include "dumper/dumper_int.h"

#define NBITMAPS (DUMP_NCLASSES + 2)

static struct dump_pages *machine_pages;

/* The number of pages in the ranges; 0: no set can be made of them. */
static uint64_t
count_pages(const struct dump_range *ranges, size_t nranges)
{
	uint64_t npages = 0;
	uint64_t end = 0;

	for (size_t i = 0; i < nranges; i++) {
		const struct dump_range *r = &ranges[i];

		if (((r->r_start | r->r_end) & PAGE_MASK) != 0 ||
		    r->r_start >= r->r_end || r->r_start < end)
			return (0);
		end = r->r_end;
		npages += (r->r_end - r->r_start) >> PAGE_SHIFT;
	}
	return (npages);
}

size_t
dump_pages_len(const struct dump_range *ranges, size_t nranges)
{
	uint64_t nwords = (count_pages(ranges, nranges) + 63) / 64;

	if (nwords == 0)
		return (0);
	return (nranges * sizeof(struct dump_seg) +
	    NBITMAPS * (size_t)nwords * sizeof(uint64_t));
}

int
dump_pages_init(struct dump_pages *dp, const struct dump_range *ranges,
    size_t nranges, void *mem, size_t len)
{
	size_t need = dump_pages_len(ranges, nranges);
	struct dump_seg *segs = mem;
	uint64_t nbits = 0;
	uint64_t *words;

	if (need == 0 || len < need || (uintptr_t)mem % sizeof(*words) != 0)
		return (DUMP_EINVAL);
	memset(mem, 0, need);
	for (size_t i = 0; i < nranges; i++) {
		segs[i].seg_start = ranges[i].r_start >> PAGE_SHIFT;
		segs[i].seg_end = ranges[i].r_end >> PAGE_SHIFT;
		segs[i].seg_bit = nbits;
		nbits += segs[i].seg_end - segs[i].seg_start;
	}
	*dp = (struct dump_pages){ .dp_set = { .set_segs = segs,
				       .set_nsegs = nranges,
				       .set_nbits = nbits,
				       .set_page_shift = PAGE_SHIFT },
		.dp_nwords = (nbits + 63) / 64 };
	words = (uint64_t *)(void *)(segs + nranges);
	for (int class = 0; class < DUMP_NCLASSES; class++) {
		dp->dp_class[class] = words;
		words += dp->dp_nwords;
	}
	dp->dp_base = words;
	dp->dp_frozen = words + dp->dp_nwords;
	return (0);
}

/* The page's bit.  false: pa is not memory. */
static inline bool
find_bit(const struct dump_pages *dp, uint64_t pa, uint64_t *bit)
{
	const struct dump_seg *seg =
	    dumpset_find(&dp->dp_set, pa >> PAGE_SHIFT);

	if (seg == NULL)
		return (false);
	*bit = dump_seg_bit(seg, pa >> PAGE_SHIFT);
	return (true);
}

static inline uint64_t
mask_of(uint64_t bit)
{
	return (UINT64_C(1) << bit % 64);
}

static void
ignore(struct dump_pages *dp)
{
	__atomic_fetch_add(&dp->dp_ignored, 1, __ATOMIC_RELAXED);
}

void
dump_pages_add(struct dump_pages *dp, uint64_t pa, enum dump_class class)
{
	uint64_t bit;

	if (!find_bit(dp, pa, &bit)) {
		ignore(dp);
		return;
	}
	__atomic_fetch_or(&dp->dp_class[class][bit / 64], mask_of(bit),
	    __ATOMIC_SEQ_CST);
}

/* Nearly all pages are in one class only: look before an atomic write. */
void
dump_pages_drop(struct dump_pages *dp, uint64_t pa)
{
	uint64_t bit;

	if (!find_bit(dp, pa, &bit)) {
		ignore(dp);
		return;
	}
	for (int class = 0; class < DUMP_NCLASSES; class++) {
		uint64_t *word = &dp->dp_class[class][bit / 64];

		if ((__atomic_load_n(word, __ATOMIC_SEQ_CST) & mask_of(bit)) !=
		    0)
			__atomic_fetch_and(word, ~mask_of(bit),
			    __ATOMIC_SEQ_CST);
	}
}

bool
dump_pages_has(const struct dump_pages *dp, uint64_t pa, enum dump_class class)
{
	uint64_t bit;

	return (find_bit(dp, pa, &bit) &&
	    (__atomic_load_n(&dp->dp_class[class][bit / 64], __ATOMIC_SEQ_CST) &
		mask_of(bit)) != 0);
}

uint64_t
dump_pages_count(const struct dump_pages *dp, enum dump_class class)
{
	uint64_t n = 0;

	for (uint64_t word = 0; word < dp->dp_nwords; word++)
		n += count_bits(__atomic_load_n(&dp->dp_class[class][word],
		    __ATOMIC_RELAXED));
	return (n);
}

bool
dump_pages_next(const struct dump_pages *dp, uint64_t *next, uint64_t *pa)
{
	uint64_t bit = *next;

	while (bit < dp->dp_set.set_nbits) {
		uint64_t word = dp->dp_frozen[bit / 64] >> bit % 64;

		if (word == 0) {
			bit = (bit | 63) + 1;
			continue;
		}
		bit += (unsigned int)__builtin_ctzll(word);
		*next = bit + 1;
		return (dumpset_pa(&dp->dp_set, bit, pa));
	}
	return (false);
}

void
dump_pages_install(struct dump_pages *dp)
{
	machine_pages = dp;
}

void
dump_add_page(uint64_t pa)
{
	if (machine_pages != NULL)
		dump_pages_add(machine_pages, pa, DUMP_CLASS_CORE);
}

void
dump_add_bulk(uint64_t pa)
{
	if (machine_pages != NULL)
		dump_pages_add(machine_pages, pa, DUMP_CLASS_BULK);
}

void
dump_add_user(uint64_t pa)
{
	if (machine_pages != NULL)
		dump_pages_add(machine_pages, pa, DUMP_CLASS_USER);
}

void
dump_add_never(uint64_t pa)
{
	if (machine_pages != NULL)
		dump_pages_add(machine_pages, pa, DUMP_CLASS_NEVER);
}

void
dump_drop_page(uint64_t pa)
{
	if (machine_pages != NULL)
		dump_pages_drop(machine_pages, pa);
}

/* ---- For the writer ---- */

/* Bits start to start + n of a word, n > 0, as far as they are in it. */
static inline uint64_t
word_mask(uint64_t start, uint64_t n)
{
	uint64_t mask = n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;

	return (mask << start % 64);
}

/* Mask of [bit, end) in the word of bit; *next is the first bit after it. */
static inline uint64_t
next_word(uint64_t bit, uint64_t end, uint64_t *next)
{
	uint64_t word_end = (bit | 63) + 1;

	*next = word_end < end ? word_end : end;
	return (word_mask(bit, *next - bit));
}

/* The bits of those pages from pfn to end that are in seg; false: none. */
static bool
seg_bits(const struct dump_seg *seg, uint64_t pfn, uint64_t end,
    uint64_t *first, uint64_t *last)
{
	uint64_t start = pfn > seg->seg_start ? pfn : seg->seg_start;

	if (end > seg->seg_end)
		end = seg->seg_end;
	if (start >= end)
		return (false);
	*first = dump_seg_bit(seg, start);
	*last = dump_seg_bit(seg, end);
	return (true);
}

bool
pages_any(const struct attempt *at, const uint64_t *bitmap,
    const struct dump_range *r)
{
	const struct dumpset *set = &at->at_pages->dp_set;
	uint64_t start = r->r_start >> PAGE_SHIFT;
	uint64_t end = (r->r_end >> PAGE_SHIFT) + ((r->r_end & PAGE_MASK) != 0);
	uint64_t bit, bit_end, next;

	for (size_t i = 0; i < set->set_nsegs; i++) {
		if (!seg_bits(&set->set_segs[i], start, end, &bit, &bit_end))
			continue;
		for (; bit < bit_end; bit = next) {
			uint64_t mask = next_word(bit, bit_end, &next);

			if ((bitmap[bit / 64] & mask) != 0)
				return (true);
		}
	}
	return (false);
}

/* A page belongs to the base unless it is in other classes only. */
static void
mark_word(struct dump_pages *dp, uint64_t word, uint64_t mask)
{
	const uint64_t *bulk = &dp->dp_class[DUMP_CLASS_BULK][word];
	const uint64_t *user = &dp->dp_class[DUMP_CLASS_USER][word];

	dp->dp_base[word] |= mask &
	    ~(__atomic_load_n(bulk, __ATOMIC_RELAXED) |
		__atomic_load_n(user, __ATOMIC_RELAXED));
}

bool
pages_mark(struct attempt *at, uint64_t pfn, uint64_t npages)
{
	struct dump_pages *dp = at->at_pages;
	const struct dumpset *set = &dp->dp_set;
	uint64_t bit, end, next;
	bool any = false;

	for (size_t i = 0; i < set->set_nsegs; i++) {
		if (!seg_bits(&set->set_segs[i], pfn, pfn + npages, &bit, &end))
			continue;
		any = true;
		for (; bit < end; bit = next) {
			uint64_t mask = next_word(bit, end, &next);

			mark_word(dp, bit / 64, mask);
		}
	}
	return (any);
}

void
pages_force(struct attempt *at, uint64_t pfn)
{
	uint64_t bit;

	if (find_bit(at->at_pages, pfn << PAGE_SHIFT, &bit))
		at->at_pages->dp_base[bit / 64] |= mask_of(bit);
}

bool
pages_memory(const struct attempt *at, uint64_t pfn)
{
	return (dumpset_find(&at->at_pages->dp_set, pfn) != NULL);
}
