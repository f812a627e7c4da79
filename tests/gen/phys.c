/*
 * Physical memory: its segments, which pages are present, and what a page
 * holds.
 *
 * Pages are numbered through all segments in ascending order, a page that is
 * only partly in a segment included, the holes left out.  This is also how a
 * minidump with a dump_avail section numbers the bits of its bitmap.
 *
 * Two bits tell the state of a page:
 *
 *	present  taken
 *	   -       -    nobody has decided; phys_fill() may make it present
 *	   +       -    in the dump, free for the kernel map to use
 *	   +       +    in the dump, and somebody's
 *	   -       +    absent for good
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gen/gen.h"

static bool
bit_test(const uint64_t *map, uint64_t n)
{
	return ((map[n / 64] >> (n % 64) & 1) != 0);
}

static void
bit_set(uint64_t *map, uint64_t n)
{
	map[n / 64] |= (uint64_t)1 << (n % 64);
}

static uint64_t
phys_default_len(const struct gen *g)
{
	uint64_t len, least;

	if (g->g_spec.gs_format == GEN_FULL)
		least = 192 * MB;
	else if (g->g_lay.gl_ptr_len == 4)
		least = 256 * MB;
	else
		least = GB + 300 * MB;
	len = 2 * g->g_spec.gs_mem_len;
	return (gen_round_page(g, len > least ? len : least));
}

/* Of all segments but the last: a random part of what is left. */
static uint64_t
phys_seg_len(struct gen *g, uint64_t left, unsigned nth)
{
	uint64_t len;

	if (nth == 0) /* holds the kernel's image */
		len = left / 3 > 48 * MB ? left / 3 : 48 * MB;
	else
		len = rng_range(&g->g_rng, left / 8, left / 2);
	len = gen_round_page(g, len);
	return (len < left ? len : left);
}

static uint64_t
phys_hole_len(struct gen *g)
{
	struct rng *rng = &g->g_rng;
	uint64_t most = g->g_lay.gl_ptr_len == 4 ? 4 * MB : 64 * MB;

	if (g->g_lay.gl_pa_end > 64 * GB && rng_once_in(rng, 4))
		most = GB;
	else if (rng_once_in(rng, 3))
		most = 4 * gen_page_size(g);
	return (gen_round_page(g, rng_range(rng, 1, most)));
}

static void
phys_add_seg(struct gen *g, uint64_t start, uint64_t end)
{
	struct phys *phys = &g->g_phys;

	phys->segs[phys->nsegs++] = (struct gen_seg){ start, end };
}

/* Random segments; on a PC the first one ends below the video memory. */
static void
phys_plan_segs(struct gen *g)
{
	uint64_t left = g->g_spec.gs_phys_len;
	uint64_t len, pa = g->g_lay.gl_ram_base;
	unsigned n = (unsigned)rng_range(&g->g_rng, 2, 7);

	if (pa == 0) {
		phys_add_seg(g, 0, 0x9f000);
		left -= 0x9f000;
		pa = MB;
	}
	for (unsigned i = 0; i < n && left > 0; i++) {
		len = i == n - 1 ? left : phys_seg_len(g, left, i);
		phys_add_seg(g, pa, pa + len);
		pa += len + phys_hole_len(g);
		left -= len;
	}
}

/* Move each bound by less than a page, outwards at ends only. */
static void
phys_unalign(struct gen *g)
{
	uint64_t some = gen_page_size(g) / 8;

	for (unsigned i = 0; i < g->g_phys.nsegs; i++) {
		struct gen_seg *seg = &g->g_phys.segs[i];

		if (seg->start != 0)
			seg->start += some * rng_range(&g->g_rng, 4, 7);
		seg->end += some * rng_range(&g->g_rng, 1, 3);
	}
}

static const char *
phys_number_segs(struct gen *g)
{
	struct phys *phys = &g->g_phys;
	uint64_t size = gen_page_size(g);

	for (unsigned i = 0; i < phys->nsegs; i++) {
		const struct gen_seg *seg = &phys->segs[i];

		if (seg->start >= seg->end ||
		    (i > 0 && seg->start < seg[-1].end))
			return ("segments out of order");
		if (seg->end > g->g_lay.gl_pa_end)
			return ("more memory than the machine can address");
		phys->first[i] = phys->npages;
		phys->npages +=
		    (seg->end + size - 1) / size - seg->start / size;
	}
	phys->first[phys->nsegs] = phys->npages;
	return (NULL);
}

/*
 * The first page of a segment that starts inside it is nobody's: it has a
 * bit, but its address is below the segment.
 */
static void
phys_forget_partial(struct gen *g)
{
	const struct phys *phys = &g->g_phys;

	for (unsigned i = 0; i < phys->nsegs; i++)
		if (phys->segs[i].start % gen_page_size(g) != 0)
			phys_forget(g, phys->first[i]);
}

const char *
phys_init(struct gen *g)
{
	struct phys *phys = &g->g_phys;
	struct gen_spec *spec = &g->g_spec;
	const char *why;
	size_t nwords;

	if (spec->gs_phys_len == 0)
		spec->gs_phys_len = phys_default_len(g);
	if (spec->gs_phys_len < 64 * MB && spec->gs_nsegs == 0)
		return ("less than 64 MB of memory");
	if (spec->gs_nsegs != 0) {
		phys->nsegs = spec->gs_nsegs;
		memcpy(phys->segs, spec->gs_segs,
		    spec->gs_nsegs * sizeof(phys->segs[0]));
	} else {
		phys_plan_segs(g);
		if ((spec->gs_flags & GEN_UNALIGNED) != 0)
			phys_unalign(g);
	}
	if ((why = phys_number_segs(g)) != NULL)
		return (why);
	nwords = (size_t)(phys->npages / 64 + 2);
	phys->present = gen_zalloc(nwords, sizeof(*phys->present));
	phys->taken = gen_zalloc(nwords, sizeof(*phys->taken));
	phys->rank = gen_zalloc(nwords, sizeof(*phys->rank));
	phys->over = gen_zalloc((size_t)phys->npages, sizeof(*phys->over));
	phys_forget_partial(g);
	return (NULL);
}

void
phys_fini(struct gen *g)
{
	struct phys *phys = &g->g_phys;

	for (uint64_t n = 0; phys->over != NULL && n < phys->npages; n++)
		free(phys->over[n]);
	free(phys->over);
	free(phys->present);
	free(phys->taken);
	free(phys->rank);
	free(phys->kmap_va);
}

/* The number of the page that holds pa; false outside of every segment. */
bool
phys_number(const struct gen *g, uint64_t pa, uint64_t *n)
{
	const struct phys *phys = &g->g_phys;
	uint64_t page_pa = gen_trunc_page(g, pa);

	for (unsigned i = 0; i < phys->nsegs; i++) {
		const struct gen_seg *seg = &phys->segs[i];

		if (page_pa < seg->start || page_pa >= seg->end)
			continue;
		*n = phys->first[i] +
		    ((page_pa - gen_trunc_page(g, seg->start)) >>
			g->g_lay.gl_page_shift);
		return (true);
	}
	return (false);
}

uint64_t
phys_addr(const struct gen *g, uint64_t n)
{
	const struct phys *phys = &g->g_phys;
	unsigned i = 0;

	while (n >= phys->first[i + 1])
		i++;
	return (gen_trunc_page(g, phys->segs[i].start) +
	    ((n - phys->first[i]) << g->g_lay.gl_page_shift));
}

/* All of [pa, pa + len) lies in one segment. */
bool
phys_is_ram(const struct gen *g, uint64_t pa, uint64_t len)
{
	const struct phys *phys = &g->g_phys;

	for (unsigned i = 0; i < phys->nsegs; i++)
		if (pa >= phys->segs[i].start && pa < phys->segs[i].end &&
		    phys->segs[i].end - pa >= len)
			return (true);
	return (false);
}

bool
phys_is_present(const struct gen *g, uint64_t n)
{
	return (bit_test(g->g_phys.present, n));
}

bool
phys_is_taken(const struct gen *g, uint64_t n)
{
	return (bit_test(g->g_phys.taken, n));
}

/* The page at pa is in the dump; sets *n to its number. */
bool
phys_is_dumped(const struct gen *g, uint64_t pa, uint64_t *n)
{
	if (!phys_number(g, pa, n))
		return (false);
	return (g->g_spec.gs_format == GEN_FULL || phys_is_present(g, *n));
}

static void
phys_add(struct gen *g, uint64_t n)
{
	if (!phys_is_present(g, n)) {
		bit_set(g->g_phys.present, n);
		g->g_phys.npresent++;
	}
}

void
phys_take(struct gen *g, uint64_t n)
{
	phys_add(g, n);
	bit_set(g->g_phys.taken, n);
}

void
phys_forget(struct gen *g, uint64_t n)
{
	struct phys *phys = &g->g_phys;

	if (phys_is_present(g, n)) {
		phys->present[n / 64] &= ~((uint64_t)1 << (n % 64));
		phys->npresent--;
	}
	bit_set(phys->taken, n);
}

/* A page of which nothing is decided yet. */
static bool
phys_find_undecided(struct gen *g, uint64_t *found)
{
	uint64_t n, npages = g->g_phys.npages;

	n = rng_below(&g->g_rng, npages);
	for (uint64_t i = 0; i < npages; i++) {
		if (!phys_is_present(g, n) && !phys_is_taken(g, n)) {
			*found = n;
			return (true);
		}
		n = i < 64 ? rng_below(&g->g_rng, npages) : (n + 1) % npages;
	}
	return (false);
}

uint64_t
phys_take_any(struct gen *g)
{
	uint64_t n;

	/* A full machine still has pages that the kernel map did not use. */
	if (!phys_find_undecided(g, &n))
		for (n = 0; n < g->g_phys.npages && phys_is_taken(g, n); n++)
			continue;
	if (n == g->g_phys.npages)
		errx(1, "generator: the machine has too little memory");
	phys_take(g, n);
	return (phys_addr(g, n));
}

/* Pages n ... n + npages - 1 are in one segment, and nobody's. */
static bool
phys_run_is_free(const struct gen *g, uint64_t n, uint64_t npages)
{
	uint64_t len = npages << g->g_lay.gl_page_shift;

	if (!phys_is_ram(g, phys_addr(g, n), len))
		return (false);
	for (uint64_t i = 0; i < npages; i++)
		if (phys_is_taken(g, n + i))
			return (false);
	return (true);
}

/* npages of contiguous memory, from a multiple of align bytes on. */
uint64_t
phys_take_run(struct gen *g, uint64_t npages, uint64_t align)
{
	uint64_t n, pa;

	for (unsigned try = 0; try < 100000; try++) {
		n = rng_below(&g->g_rng, g->g_phys.npages);
		pa = phys_addr(g, n) & ~(align - 1);
		if (!phys_number(g, pa, &n) || !phys_run_is_free(g, n, npages))
			continue;
		for (uint64_t i = 0; i < npages; i++)
			phys_take(g, n + i);
		return (pa);
	}
	errx(1, "generator: no %ju pages in a row", (uintmax_t)npages);
}

/* Whatever of [pa, pa + len) is memory and nobody's becomes present. */
void
phys_show(struct gen *g, uint64_t pa, uint64_t len)
{
	uint64_t n;

	for (uint64_t off = 0; off < len; off += gen_page_size(g))
		if (phys_number(g, pa + off, &n) && !phys_is_taken(g, n))
			phys_add(g, n);
}

bool
phys_find_absent(struct gen *g, uint64_t *pa)
{
	uint64_t n;

	if (!phys_find_undecided(g, &n))
		return (false);
	phys_forget(g, n);
	*pa = phys_addr(g, n);
	return (true);
}

static uint64_t
phys_run_len(struct gen *g)
{
	struct rng *rng = &g->g_rng;

	if (rng_once_in(rng, 2))
		return (1);
	return (rng_range(rng, 2, rng_once_in(rng, 16) ? 1024 : 64));
}

/* Make pages present, in runs and singles, until there are npresent. */
void
phys_fill(struct gen *g, uint64_t npresent)
{
	struct phys *phys = &g->g_phys;
	uint64_t n, run;

	while (phys->npresent < npresent && phys_find_undecided(g, &n)) {
		for (run = phys_run_len(g); run > 0; run--, n++) {
			if (n == phys->npages || phys->npresent >= npresent)
				break;
			if (!phys_is_taken(g, n))
				phys_add(g, n);
		}
	}
}

/* What stands in for the words of the page at pa, which must be memory. */
uint8_t *
phys_over(struct gen *g, uint64_t pa)
{
	uint64_t n, size = gen_page_size(g);
	uint8_t **over;

	if (!phys_number(g, pa, &n))
		abort();
	over = &g->g_phys.over[n];
	if (*over == NULL) {
		*over = gen_zalloc(1, (size_t)size);
		gen_fill(g->g_spec.gs_seed, phys_addr(g, n), *over,
		    (size_t)size);
	}
	return (*over);
}

/* Nothing becomes present after this. */
void
phys_freeze(struct gen *g)
{
	struct phys *phys = &g->g_phys;
	uint64_t count = 0;

	for (uint64_t i = 0; i <= phys->npages / 64; i++) {
		phys->rank[i] = count;
		count += (uint64_t)__builtin_popcountll(phys->present[i]);
	}
	phys->kmap_va =
	    gen_zalloc((size_t)phys->npresent, sizeof(*phys->kmap_va));
}

/* How many present pages come before page n. */
uint64_t
phys_rank(const struct gen *g, uint64_t n)
{
	uint64_t below =
	    g->g_phys.present[n / 64] & (((uint64_t)1 << (n % 64)) - 1);

	return (g->g_phys.rank[n / 64] + (uint64_t)__builtin_popcountll(below));
}

/* The bytes of memory at pa; they all lie in one page. */
void
phys_copy(const struct gen *g, uint64_t pa, void *buf, size_t len)
{
	uint64_t n;

	if (!phys_number(g, pa, &n))
		abort();
	if (g->g_phys.over[n] != NULL)
		memcpy(buf, g->g_phys.over[n] + (pa - gen_trunc_page(g, pa)),
		    len);
	else if (phys_is_present(g, n))
		gen_fill(g->g_spec.gs_seed, pa, buf, len);
	else
		memset(buf, 0, len);
}
