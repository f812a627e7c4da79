/*
 * Page tables that say what the kernel map says.
 *
 * One shape fits all: a root, and below it tables in physical memory, each
 * level with a shift of its own.  The page-table section of a minidump is
 * such a root, as long as the kernel map and kept outside of the machine's
 * memory; the root of a full dump is a page like the rest.  A leaf that is
 * larger than the entries of the lowest level that can hold it is spelt out
 * there, entry by entry, as FreeBSD's dump writer does it.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gen/gen.h"

/* The address in an entry that leads to a table, on every machine we have. */
#define TABLE_FRAME 0x0000fffffffff000

/* Where the root lies in a full dump. */
static uint64_t
tables_place_root(struct gen *g)
{
	const char *name = g->g_arch->ga_root_table;
	uint64_t pa, va;

	if (name != NULL) {
		va = kimage_symbol(g, name, SEC_BSS, gen_page_size(g),
		    gen_page_size(g));
		return (va - g->g_lay.gl_image_va + g->g_lay.gl_image_pa);
	}
	/* A 32-bit machine cannot load an address above 4 GB. */
	for (unsigned try = 0; try < 10000; try++)
		if ((pa = phys_take_any(g)) < UINT32_MAX)
			return (pa);
	errx(1, "generator: no page below 4 GB");
}

/* Make the page at pa an empty table for the addresses from va on. */
static uint8_t *
tables_add_page(struct gen *g, uint64_t pa, uint64_t va)
{
	struct tables *tables = &g->g_tables;
	size_t max = tables->maxpages;
	uint8_t *page = phys_over(g, pa);

	memset(page, 0, (size_t)gen_page_size(g));
	if (tables->npages == max) {
		tables->pages = gen_grow(tables->pages, &tables->maxpages,
		    sizeof(*tables->pages));
		tables->page_va =
		    gen_grow(tables->page_va, &max, sizeof(*tables->page_va));
	}
	tables->pages[tables->npages] = pa;
	tables->page_va[tables->npages++] = va;
	return (page);
}

void
tables_init(struct gen *g)
{
	struct tables *tables = &g->g_tables;
	struct geometry *geom = &g->g_geom;

	if (geom->gt_root_in_memory) {
		tables->root_pa = tables_place_root(g);
		tables->root = tables_add_page(g, tables->root_pa, 0);
	} else {
		geom->gt_base = g->g_lay.gl_kernbase;
		geom->gt_nentries = g->g_lay.gl_kva_len >> geom->gt_shift[0];
		tables->root_len =
		    (size_t)(geom->gt_nentries * geom->gt_entry_len);
		if ((g->g_spec.gs_flags & GEN_ODD_TABLES) == 0)
			tables->root_len =
			    (size_t)gen_round_page(g, tables->root_len);
		tables->root = gen_zalloc(1, tables->root_len);
		if (geom->gt_nlevels == 2)
			tables->lost = gen_zalloc((size_t)geom->gt_nentries, 1);
		/* There is one, but readers of minidumps must not use it. */
		tables->root_pa = rng_range(&g->g_rng, 1, 1000)
		    << g->g_lay.gl_page_shift;
	}
	kimage_label(g, "kernbase", SEC_ABS, g->g_lay.gl_kernbase_sym, 0);
	if (g->g_arch->ga_root != NULL)
		g->g_arch->ga_root(g);
}

void
tables_fini(struct gen *g)
{
	struct tables *tables = &g->g_tables;

	if (!g->g_geom.gt_root_in_memory)
		free(tables->root);
	free(tables->lost);
	free(tables->pages);
	free(tables->page_va);
}

/* Which entry of a table of this level maps va. */
static uint64_t
tables_index(const struct gen *g, unsigned level, uint64_t va)
{
	const struct geometry *geom = &g->g_geom;
	uint64_t i = (va - geom->gt_base) >> geom->gt_shift[level];

	if (level == 0)
		return (i % geom->gt_nentries);
	return (i &
	    (((uint64_t)1 << (geom->gt_shift[level - 1] -
		  geom->gt_shift[level])) -
		1));
}

/* The table that the entry leads to; makes it if there is none. */
static uint8_t *
tables_descend(struct gen *g, uint8_t *entry, unsigned level, uint64_t va)
{
	unsigned len = g->g_geom.gt_entry_len;
	uint64_t pa;

	if (gen_get(g, entry, len) == 0) {
		pa = phys_take_any(g);
		tables_add_page(g, pa, va);
		gen_put(g, entry, len, g->g_arch->ga_table(g, level, pa));
	}
	return (phys_over(g, gen_get(g, entry, len) & TABLE_FRAME));
}

/* Enter one leaf of 1 << shift bytes. */
static void
tables_enter(struct gen *g, const struct kmap_run *run, uint64_t off)
{
	const struct geometry *geom = &g->g_geom;
	uint64_t va = run->gm_va + off;
	unsigned len = geom->gt_entry_len, level = 0;
	uint8_t *entry, *table = g->g_tables.root;
	struct leaf leaf;

	entry = table + tables_index(g, level, va) * len;
	while (geom->gt_shift[level] > run->gm_shift) {
		table = tables_descend(g, entry, level++, va);
		entry = table + tables_index(g, level, va) * len;
	}
	leaf = (struct leaf){
		.va = va,
		.pa = run->gm_pa + off,
		.entry_shift = geom->gt_shift[level],
		.page_shift = run->gm_shift,
		.prot = run->gm_prot,
	};
	if ((g->g_spec.gs_flags & GEN_HIGH_BITS) != 0)
		leaf.bits = rng_next(&g->g_rng);
	for (uint64_t done = 0; done >> run->gm_shift == 0; entry += len) {
		gen_put(g, entry, len, g->g_arch->ga_leaf(g, &leaf));
		leaf.pa += (uint64_t)1 << leaf.entry_shift;
		done += (uint64_t)1 << leaf.entry_shift;
	}
}

void
tables_build(struct gen *g)
{
	const struct kmap *kmap = &g->g_kmap;

	for (size_t i = 0; i < kmap->nruns; i++) {
		const struct kmap_run *run = &kmap->runs[i];
		uint64_t len = (uint64_t)1 << run->gm_shift;

		for (uint64_t off = 0; off < run->gm_len; off += len)
			tables_enter(g, run, off);
	}
}

/* What the tables must keep, or there is no kernel to look at. */
static bool
tables_is_vital(const struct gen *g, uint64_t va, uint64_t len)
{
	const struct kimage *image = &g->g_image;

	return (va - image->arena_va < image->arena_len ||
	    image->arena_va - va < len ||
	    va - g->g_lay.gl_image_va < image->len ||
	    g->g_lay.gl_image_va - va < len);
}

/* Leave some tables out of the dump, and at least one if any can be. */
void
tables_lose(struct gen *g)
{
	const struct geometry *geom = &g->g_geom;
	struct tables *tables = &g->g_tables;
	uint64_t n, va, len = (uint64_t)1 << geom->gt_shift[0];
	bool any = false;

	if ((g->g_spec.gs_flags & GEN_LOSE_TABLES) == 0 ||
	    geom->gt_root_in_memory || geom->gt_nlevels != 2)
		return;
	for (size_t i = tables->npages; i > 0; i--) {
		va = tables->page_va[i - 1] & ~(len - 1);
		if (tables_is_vital(g, va, len) ||
		    (any && !rng_once_in(&g->g_rng, 8)) ||
		    !phys_number(g, tables->pages[i - 1], &n))
			continue;
		phys_forget(g, n);
		tables->lost[tables_index(g, 0, va)] = 1;
		any = true;
	}
}

size_t
gen_tables(const struct gen *g, const uint64_t **pas)
{
	*pas = g->g_tables.pages;
	return (g->g_tables.npages);
}

/* The table that maps va is not in the dump. */
bool
tables_lost(const struct gen *g, uint64_t va)
{
	return (g->g_tables.lost != NULL &&
	    g->g_tables.lost[tables_index(g, 0, va)] != 0);
}
