/*
 * Blocks of a device, by the run.
 *
 *	level 2				[17]		the longest run below
 *	level 1		[17]		[ 0]	...	of 16 each
 *	level 0		[3] [17] ...			of a word
 *	words		.x. .xx...			64 blocks: bit set, free
 *
 * Keeps true: a number of level 0 is the longest run of bits of its word, and one
 * above it the largest of the 16 below it.
 */
#include "kernel/sys/blist.h"

#include "kernel/sys/libkern.h"
#include "kernel/sys/malloc.h"
#include "kernel/sys/systm.h"

#define WORD   64
#define FANOUT 16
#define LEVELS 8 /* 16^7 words of 64 blocks are more than 2^32 */

struct blist {
	uint32_t bl_nblocks;
	uint32_t bl_avail;
	uint32_t bl_cursor; /* the word where the last run was found */
	unsigned int bl_nlevels;
	uint32_t bl_len[LEVELS];
	uint8_t *bl_run[LEVELS]; /* in the same allocation as all of this */
	uint64_t bl_words[];
};

static MALLOC_DEFINE(M_SWAP, "swap", "blocks of swap");

/* Where n bits in a row are set, by the first of them. */
static uint64_t
run_starts(uint64_t bits, unsigned int n)
{
	for (unsigned int have = 1; have < n;) {
		unsigned int more = have < n - have ? have : n - have;

		bits &= bits >> more;
		have += more;
	}
	return (bits);
}

static uint8_t
longest_run(uint64_t bits)
{
	unsigned int len = 0;

	if (bits == UINT64_MAX)
		return (WORD);
	for (unsigned int more = WORD / 2; more > 0; more /= 2) {
		if (run_starts(bits, len + more) != 0)
			len += more;
	}
	return ((uint8_t)len);
}

/* n bits from position first of a word on. */
static uint64_t
mask(unsigned int first, unsigned int n)
{
	return (UINT64_MAX >> (WORD - n) << first);
}

static uint8_t
largest_child(const struct blist *bl, unsigned int level, uint32_t idx)
{
	const uint8_t *run = bl->bl_run[level - 1];
	uint32_t end = (idx + 1) * FANOUT;
	uint8_t largest = 0;

	if (end > bl->bl_len[level - 1])
		end = bl->bl_len[level - 1];
	for (uint32_t i = idx * FANOUT; i < end; i++) {
		if (run[i] > largest)
			largest = run[i];
	}
	return (largest);
}

/* A word has changed. */
static void
update(blist_t bl, uint32_t word)
{
	uint8_t run = longest_run(bl->bl_words[word]);
	uint32_t idx = word;

	for (unsigned int level = 0; bl->bl_run[level][idx] != run;) {
		bl->bl_run[level][idx] = run;
		if (++level == bl->bl_nlevels)
			break;
		idx /= FANOUT;
		run = largest_child(bl, level, idx);
	}
}

/* The first word from start on that has such a run; its number, or the end. */
static uint32_t
find_word(const struct blist *bl, uint32_t start, unsigned int count)
{
	unsigned int level = 0;
	uint32_t idx = start;

	/* Up: to the end of a group, and to its parent's next one. */
	for (;;) {
		uint32_t end = (idx / FANOUT + 1) * FANOUT;

		if (end > bl->bl_len[level])
			end = bl->bl_len[level];
		while (idx < end && bl->bl_run[level][idx] < count)
			idx++;
		if (idx < end)
			break;
		if (++level == bl->bl_nlevels)
			return (bl->bl_len[0]);
		idx = howmany(end, FANOUT);
	}
	while (level-- > 0) {
		for (idx *= FANOUT; bl->bl_run[level][idx] < count;)
			idx++;
	}
	return (idx);
}

/* ---- Calls ---- */

static size_t
size_of(uint32_t nblocks, struct blist *lens)
{
	uint32_t len = howmany(nblocks, WORD);
	size_t size = sizeof(struct blist) + len * sizeof(uint64_t);

	lens->bl_nlevels = 0;
	for (;;) {
		lens->bl_len[lens->bl_nlevels++] = len;
		size += len;
		if (len <= 1)
			return (size);
		len = howmany(len, FANOUT);
	}
}

blist_t
blist_create(uint32_t nblocks)
{
	struct blist lens = { .bl_nblocks = nblocks };
	size_t size = size_of(nblocks, &lens);
	blist_t bl = malloc(size, M_SWAP, M_WAITOK | M_ZERO);
	uint8_t *next;

	*bl = lens;
	next = (uint8_t *)&bl->bl_words[bl->bl_len[0]];
	for (unsigned int level = 0; level < bl->bl_nlevels; level++) {
		bl->bl_run[level] = next;
		next += bl->bl_len[level];
	}
	return (bl);
}

void
blist_destroy(blist_t bl)
{
	free(bl, M_SWAP);
}

uint32_t
blist_alloc(blist_t bl, unsigned int count)
{
	uint32_t word = find_word(bl, bl->bl_cursor, count);
	unsigned int first;

	KASSERT(count > 0 && count <= BLIST_MAX_ALLOC,
	    ("%s: %u blocks", __func__, count));
	if (word == bl->bl_len[0])
		word = find_word(bl, 0, count);
	if (word == bl->bl_len[0])
		return (BLIST_NONE);
	first = (unsigned int)__builtin_ctzll(run_starts(bl->bl_words[word],
	    count));
	bl->bl_words[word] &= ~mask(first, count);
	bl->bl_avail -= count;
	bl->bl_cursor = word;
	update(bl, word);
	return (word * WORD + first);
}

static void
free_in_word(blist_t bl, uint32_t blkno, unsigned int count)
{
	uint64_t bits = mask(blkno % WORD, count);
	uint64_t *word = &bl->bl_words[blkno / WORD];

	KASSERT((*word & bits) == 0,
	    ("%s: %u blocks from %u: some are free", __func__, count, blkno));
	*word |= bits;
	bl->bl_avail += count;
	update(bl, blkno / WORD);
}

void
blist_free(blist_t bl, uint32_t blkno, uint32_t count)
{
	KASSERT(blkno < bl->bl_nblocks && count <= bl->bl_nblocks - blkno,
	    ("%s: %u blocks from %u of %u", __func__, count, blkno,
		bl->bl_nblocks));
	while (count > 0) {
		uint32_t n = WORD - blkno % WORD;

		if (n > count)
			n = count;
		free_in_word(bl, blkno, n);
		blkno += n;
		count -= n;
	}
}

uint32_t
blist_avail(const struct blist *bl)
{
	return (bl->bl_avail);
}
