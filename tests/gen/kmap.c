/*
 * The kernel map: runs of equal mappings, planned at random.
 *
 * The kernel's image and arena come first.  Then the present pages that are
 * nobody's are cut into chunks, the chunks shuffled, and mapped one after the
 * other with holes between them; now and then something else comes instead:
 * a larger page, a page that is absent, an address that is no memory.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/gen/gen.h"

#define MAX_BIG	 8 /* of the larger pages in one map */
#define MAX_GIGA 2

/* Pages pool[start] ... pool[start + len - 1]. */
struct chunk {
	uint32_t start;
	uint32_t len;
};

struct plan {
	uint64_t *pool; /* numbers of the pages to map, ascending */
	size_t npool;
	struct chunk *chunks;
	size_t nchunks;
	uint64_t target; /* present pages, all told */
	unsigned nbig;
	unsigned ngiga;
};

void
kmap_init(struct gen *g)
{
	g->g_kmap = (struct kmap){ 0 };
}

void
kmap_fini(struct gen *g)
{
	free(g->g_kmap.runs);
}

/* What the page tables will really allow. */
static uint8_t
kmap_prot(const struct gen *g, const struct kmap_run *run)
{
	const struct gen_layout *lay = &g->g_lay;
	unsigned prot = run->gm_prot | GEN_PROT_READ | lay->gl_prot_always;

	if (lay->gl_prot_expanded != 0 && run->gm_shift > lay->gl_page_shift)
		prot = lay->gl_prot_expanded;
	if (run->gm_shift == lay->gl_mid_shift)
		prot &= ~(unsigned)GEN_PROT_EXECUTE;
	return ((uint8_t)prot);
}

/* Add a run, or make the last one longer. */
void
kmap_add(struct gen *g, const struct kmap_run *run)
{
	struct kmap *kmap = &g->g_kmap;
	uint8_t prot = kmap_prot(g, run);

	if (kmap->nruns > 0) {
		struct kmap_run *last = &kmap->runs[kmap->nruns - 1];

		if (run->gm_va == last->gm_va + last->gm_len &&
		    run->gm_pa == last->gm_pa + last->gm_len &&
		    run->gm_shift == last->gm_shift && prot == last->gm_prot &&
		    run->gm_dmap == last->gm_dmap) {
			last->gm_len += run->gm_len;
			return;
		}
	}
	if (kmap->nruns == kmap->maxruns)
		kmap->runs =
		    gen_grow(kmap->runs, &kmap->maxruns, sizeof(*kmap->runs));
	kmap->runs[kmap->nruns] = *run;
	kmap->runs[kmap->nruns++].gm_prot = prot;
}

/* Kernel addresses that nobody has; 0 when there are no more. */
uint64_t
kmap_reserve(struct gen *g, uint64_t len, uint64_t align)
{
	struct kmap *kmap = &g->g_kmap;
	uint64_t left = g->g_lay.gl_kmem_len - kmap->next;
	uint64_t pad, va = g->g_lay.gl_kmem_va + kmap->next;

	pad = -va & (align - 1);
	if (pad > left || len > left - pad)
		return (0);
	kmap->next += pad + len;
	return (va + pad);
}

static uint8_t
kmap_random_prot(struct gen *g)
{
	static const uint8_t prots[] = { GEN_PROT_READ | GEN_PROT_WRITE,
		GEN_PROT_READ | GEN_PROT_WRITE, GEN_PROT_READ,
		GEN_PROT_READ | GEN_PROT_EXECUTE, GEN_PROT_ALL };

	return (prots[rng_below(&g->g_rng, sizeof(prots))]);
}

/* Map one page of 1 << shift bytes, somewhere new. */
static void
kmap_one(struct gen *g, uint64_t pa, unsigned shift)
{
	struct kmap_run run = {
		.gm_pa = pa,
		.gm_len = (uint64_t)1 << shift,
		.gm_shift = (uint8_t)shift,
		.gm_prot = kmap_random_prot(g),
	};

	run.gm_va = kmap_reserve(g, run.gm_len, run.gm_len);
	if (run.gm_va != 0)
		kmap_add(g, &run);
}

static void
kmap_chunk(struct gen *g, const struct plan *plan, const struct chunk *chunk)
{
	uint64_t size = gen_page_size(g);
	struct kmap_run run = {
		.gm_len = size,
		.gm_shift = (uint8_t)g->g_lay.gl_page_shift,
		.gm_prot = kmap_random_prot(g),
	};

	if ((run.gm_va = kmap_reserve(g, chunk->len * size, size)) == 0)
		return;
	for (uint32_t i = 0; i < chunk->len; i++) {
		uint64_t n = plan->pool[chunk->start + i];

		phys_take(g, n);
		run.gm_pa = phys_addr(g, n);
		kmap_add(g, &run);
		run.gm_va += size;
	}
}

/* Any address below the machine's last, aligned to len. */
static uint64_t
kmap_random_pa(struct gen *g, uint64_t len)
{
	return (rng_below(&g->g_rng, g->g_lay.gl_pa_end / len) * len);
}

/* A larger page: over memory, over memory all present, or anywhere. */
static void
kmap_large(struct gen *g, struct plan *plan, unsigned shift)
{
	uint64_t len = (uint64_t)1 << shift;
	uint64_t n, pa;

	n = rng_below(&g->g_rng, g->g_phys.npages);
	pa = phys_addr(g, n) & ~(len - 1);
	switch (rng_below(&g->g_rng, 4)) {
	case 0:
		pa = kmap_random_pa(g, len);
		break;
	case 1:
	case 2:
		n = len >> g->g_lay.gl_page_shift;
		if (g->g_phys.npresent + n < plan->target)
			phys_show(g, pa, len);
		break;
	}
	kmap_one(g, pa, shift);
}

/* Large pages with no hole in them, as many as the spec asks for. */
static void
kmap_solid(struct gen *g, const struct plan *plan)
{
	unsigned shift = g->g_lay.gl_big_shift;
	uint64_t npages = (uint64_t)1 << (shift - g->g_lay.gl_page_shift);
	uint64_t left = plan->target * g->g_spec.gs_big_percent / 100;

	for (; left >= npages; left -= npages)
		kmap_one(g, phys_take_run(g, npages, (uint64_t)1 << shift),
		    shift);
}

/* A page of a hole between two segments, or of no memory at all. */
static uint64_t
kmap_device_pa(struct gen *g)
{
	const struct phys *phys = &g->g_phys;
	uint64_t n, pa, size = gen_page_size(g);
	unsigned i;

	i = (unsigned)rng_below(&g->g_rng, phys->nsegs);
	pa = gen_round_page(g, phys->segs[i].end) +
	    size * rng_below(&g->g_rng, 16);
	while (pa >= g->g_lay.gl_pa_end || phys_number(g, pa, &n))
		pa = kmap_random_pa(g, size);
	return (pa);
}

/* A page that a reader must refuse. */
static void
kmap_stray(struct gen *g)
{
	uint64_t pa;

	if (rng_once_in(&g->g_rng, 2) || !phys_find_absent(g, &pa))
		pa = kmap_device_pa(g);
	kmap_one(g, pa, g->g_lay.gl_page_shift);
}

static void
kmap_hole(struct gen *g)
{
	uint64_t size = gen_page_size(g);

	if (rng_once_in(&g->g_rng, 4))
		kmap_reserve(g, size * rng_range(&g->g_rng, 1, 8), size);
	else if (rng_once_in(&g->g_rng, 64))
		kmap_reserve(g, size, (uint64_t)1 << g->g_lay.gl_big_shift);
}

static void
kmap_big(struct gen *g, struct plan *plan)
{
	if (plan->nbig++ < MAX_BIG)
		kmap_large(g, plan, g->g_lay.gl_big_shift);
}

/*
 * Over the last of the memory, or over none: were all of it mapped by one
 * such page, there would be nothing that only the direct map reaches.
 */
static void
kmap_giga(struct gen *g, struct plan *plan)
{
	uint64_t pa = phys_addr(g, g->g_phys.npages - 1) & ~(GB - 1);

	if (g->g_lay.gl_giga_shift == 0 || plan->ngiga++ >= MAX_GIGA)
		return;
	if (plan->ngiga > 1 || pa <= phys_addr(g, 0))
		pa = kmap_random_pa(g, GB);
	kmap_one(g, pa, g->g_lay.gl_giga_shift);
}

/* In a small kernel map it comes last: it may take all that is left. */
static bool
kmap_giga_can_wait(const struct gen *g)
{
	return (g->g_lay.gl_kmem_len - g->g_kmap.next < 4 * GB);
}

static void
kmap_mid(struct gen *g, struct plan *plan)
{
	if (g->g_lay.gl_mid_shift != 0)
		kmap_large(g, plan, g->g_lay.gl_mid_shift);
}

/* What else a kernel map holds. */
static void
kmap_extra(struct gen *g, struct plan *plan)
{
	struct rng *rng = &g->g_rng;

	kmap_hole(g);
	switch (rng_below(rng, 24)) {
	case 0:
		kmap_big(g, plan);
		break;
	case 1:
		if (!kmap_giga_can_wait(g))
			kmap_giga(g, plan);
		break;
	case 2:
		kmap_mid(g, plan);
		break;
	case 3:
	case 4:
		kmap_stray(g);
		break;
	case 5:
		if ((g->g_spec.gs_flags & GEN_ALIASES) != 0)
			kmap_chunk(g, plan,
			    &plan->chunks[rng_below(rng, plan->nchunks)]);
		break;
	}
}

/* The present pages that nobody has. */
static void
plan_pool(struct gen *g, struct plan *plan)
{
	const struct phys *phys = &g->g_phys;

	plan->pool = gen_zalloc((size_t)phys->npresent, sizeof(*plan->pool));
	for (uint64_t n = 0; n < phys->npages; n++)
		if (phys_is_present(g, n) && !phys_is_taken(g, n))
			plan->pool[plan->npool++] = n;
}

static void
plan_chunks(struct gen *g, struct plan *plan)
{
	uint32_t len, start = 0;

	plan->chunks = gen_zalloc(plan->npool, sizeof(*plan->chunks));
	while (start < plan->npool) {
		len = (uint32_t)rng_range(&g->g_rng, 1, g->g_spec.gs_run_max);
		if (len > plan->npool - start)
			len = (uint32_t)(plan->npool - start);
		plan->chunks[plan->nchunks++] = (struct chunk){ start, len };
		start += len;
	}
	for (size_t i = plan->nchunks; i > 1; i--) {
		size_t j = (size_t)rng_below(&g->g_rng, i);
		struct chunk chunk = plan->chunks[i - 1];

		plan->chunks[i - 1] = plan->chunks[j];
		plan->chunks[j] = chunk;
	}
}

/* Make the pages present that the map will use; tables need some too. */
static void
plan_fill(struct gen *g, const struct plan *plan)
{
	uint64_t left, want, tables;

	if (plan->target <= g->g_phys.npresent)
		return;
	left = plan->target - g->g_phys.npresent;
	want = left * g->g_spec.gs_map_percent / 100;
	tables = g->g_geom.gt_nlevels > 1 ? want / 500 + 16 : 0;
	if (want + tables > left)
		want = left > tables ? left - tables : 0;
	phys_fill(g, g->g_phys.npresent + want);
}

/* The direct map of a full dump is part of its page tables. */
static void
kmap_direct(struct gen *g)
{
	const struct gen_layout *lay = &g->g_lay;
	const struct gen_seg *last = &g->g_phys.segs[g->g_phys.nsegs - 1];
	struct kmap_run run = {
		.gm_va = lay->gl_dmapbase,
		.gm_pa = lay->gl_dmapphys,
		.gm_len = GB,
		.gm_shift = 21,
		.gm_prot = GEN_PROT_READ | GEN_PROT_WRITE,
		.gm_dmap = true,
	};

	while (run.gm_pa < last->end) {
		kmap_add(g, &run);
		run.gm_va += GB;
		run.gm_pa += GB;
		run.gm_shift = 30;
	}
}

void
kmap_plan(struct gen *g)
{
	struct plan plan = { 0 };
	bool plain = (g->g_spec.gs_flags & GEN_PLAIN) != 0;

	plan.target = g->g_spec.gs_mem_len >> g->g_lay.gl_page_shift;
	kmap_solid(g, &plan);
	plan_fill(g, &plan);
	plan_pool(g, &plan);
	plan_chunks(g, &plan);
	if (!plain) {
		kmap_big(g, &plan);
		kmap_mid(g, &plan);
		kmap_stray(g);
	}
	for (size_t i = 0; i < plan.nchunks; i++) {
		kmap_chunk(g, &plan, &plan.chunks[i]);
		if (!plain)
			kmap_extra(g, &plan);
	}
	if (!plain && plan.ngiga == 0)
		kmap_giga(g, &plan);
	if (g->g_spec.gs_format == GEN_FULL && g->g_lay.gl_dmapend != 0)
		kmap_direct(g);
	free(plan.pool);
	free(plan.chunks);
}

static int
kmap_compare(const void *pa, const void *pb)
{
	const struct kmap_run *a = pa, *b = pb;

	return (a->gm_va < b->gm_va ? -1 : a->gm_va > b->gm_va);
}

void
kmap_sort(struct gen *g)
{
	qsort(g->g_kmap.runs, g->g_kmap.nruns, sizeof(*g->g_kmap.runs),
	    kmap_compare);
}

/* The run that holds va, or NULL. */
const struct kmap_run *
kmap_find(const struct gen *g, uint64_t va)
{
	const struct kmap *kmap = &g->g_kmap;
	size_t lo = 0, hi = kmap->nruns;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct kmap_run *run = &kmap->runs[mid];

		if (va < run->gm_va)
			hi = mid;
		else if (va - run->gm_va >= run->gm_len)
			lo = mid + 1;
		else
			return (run);
	}
	return (NULL);
}
