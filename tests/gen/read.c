/*
 * The oracle: what a correct reader returns, and what it must refuse.
 */
#include <string.h>

#include "tests/gen/gen.h"

/* Where the file keeps page n. */
static uint64_t
read_page_off(const struct gen *g, uint64_t n)
{
	const struct phys *phys = &g->g_phys;
	unsigned i = 0;

	if (g->g_spec.gs_format == GEN_MINIDUMP)
		return (g->g_sec.pages_off +
		    (phys_rank(g, n) << g->g_lay.gl_page_shift));
	while (n >= phys->first[i + 1])
		i++;
	return (elfcore_seg_off(g, i) +
	    ((n - phys->first[i]) << g->g_lay.gl_page_shift));
}

bool
gen_page_off(const struct gen *g, uint64_t pa, uint64_t *off)
{
	uint64_t n;

	if (!phys_is_dumped(g, pa, &n))
		return (false);
	*off = read_page_off(g, n);
	return (true);
}

static bool
read_is_dmap(const struct gen *g, uint64_t va)
{
	return (g->g_spec.gs_format == GEN_MINIDUMP &&
	    va >= g->g_lay.gl_dmapbase && va < g->g_lay.gl_dmapend);
}

static enum gen_result
read_translate(const struct gen *g, uint64_t va, uint64_t *pa)
{
	const struct kmap_run *run;

	if (read_is_dmap(g, va)) {
		*pa = va - g->g_lay.gl_dmapbase + g->g_lay.gl_dmapphys;
		return (GEN_OK);
	}
	if ((run = kmap_find(g, va)) == NULL)
		return (GEN_UNMAPPED);
	/* Large pages have their entry in the root, which is never lost. */
	if (run->gm_shift == g->g_lay.gl_page_shift && tables_lost(g, va))
		return (GEN_TABLE_MISSING);
	*pa = run->gm_pa + (va - run->gm_va);
	return (GEN_OK);
}

/* The bytes at pa that one page holds. */
static enum gen_result
read_piece(const struct gen *g, uint64_t pa, void *buf, size_t len)
{
	uint64_t n;

	if (!phys_is_dumped(g, pa, &n))
		return (GEN_NOT_DUMPED);
	phys_copy(g, pa, buf, len);
	return (GEN_OK);
}

static size_t
read_piece_len(const struct gen *g, uint64_t addr, size_t len)
{
	uint64_t left = gen_page_size(g) - (addr - gen_trunc_page(g, addr));

	return (len < left ? len : (size_t)left);
}

enum gen_result
gen_read(const struct gen *g, uint64_t va, void *buf, size_t len, size_t *got)
{
	enum gen_result result;
	uint8_t *p = buf;
	uint64_t pa;

	for (*got = 0; *got < len;) {
		size_t n = read_piece_len(g, va + *got, len - *got);

		if (va + *got < va)
			return (GEN_UNMAPPED);
		result = read_translate(g, va + *got, &pa);
		if (result == GEN_OK)
			result = read_piece(g, pa, p + *got, n);
		if (result != GEN_OK)
			return (result);
		*got += n;
	}
	return (GEN_OK);
}

enum gen_result
gen_read_phys(const struct gen *g, uint64_t pa, void *buf, size_t len,
    size_t *got)
{
	enum gen_result result;
	uint8_t *p = buf;

	for (*got = 0; *got < len;) {
		size_t n = read_piece_len(g, pa + *got, len - *got);

		result = read_piece(g, pa + *got, p + *got, n);
		if (result != GEN_OK)
			return (result);
		*got += n;
	}
	return (GEN_OK);
}

/* What comes of reading the page at off into the run. */
static enum gen_result
read_state(const struct gen *g, const struct kmap_run *run, uint64_t off)
{
	enum gen_result result;
	uint64_t n, pa;

	result = read_translate(g, run->gm_va + off, &pa);
	if (result == GEN_OK && !phys_is_dumped(g, pa, &n))
		result = GEN_NOT_DUMPED;
	return (result);
}

static struct gen_mapping
read_mapping(const struct gen *g, const struct kmap_run *run, uint64_t off)
{
	return ((struct gen_mapping){
	    .va = run->gm_va + off,
	    .pa = run->gm_pa + off,
	    .len = gen_page_size(g),
	    .leaf_len = (uint64_t)1 << run->gm_shift,
	    .prot = run->gm_prot,
	    .state = read_state(g, run, off),
	});
}

bool
gen_mapping_at(const struct gen *g, uint64_t va, struct gen_mapping *m)
{
	const struct kmap_run *run = kmap_find(g, va);

	if (run == NULL)
		return (false);
	*m = read_mapping(g, run, gen_trunc_page(g, va) - run->gm_va);
	return (true);
}

/* Cut the run where the state of its pages changes. */
static bool
read_foreach_piece(const struct gen *g, const struct kmap_run *run,
    gen_mapping_cb *cb, void *arg)
{
	uint64_t start = 0, size = gen_page_size(g);

	while (start < run->gm_len) {
		struct gen_mapping m = read_mapping(g, run, start);

		while (start + m.len < run->gm_len &&
		    read_state(g, run, start + m.len) == m.state)
			m.len += size;
		if (!cb(&m, arg))
			return (false);
		start += m.len;
	}
	return (true);
}

bool
gen_foreach_mapping(const struct gen *g, gen_mapping_cb *cb, void *arg)
{
	for (size_t i = 0; i < g->g_kmap.nruns; i++)
		if (!read_foreach_piece(g, &g->g_kmap.runs[i], cb, arg))
			return (false);
	return (true);
}

/* Note for each present page the lowest address that maps it. */
static bool
read_note_va(const struct gen_mapping *m, void *arg)
{
	struct gen *g = arg;
	uint64_t n, size = gen_page_size(g);

	if (m->state != GEN_OK)
		return (true);
	for (uint64_t off = 0; off < m->len; off += size) {
		uint64_t *va;

		if (!phys_number(g, m->pa + off, &n) || !phys_is_present(g, n))
			continue;
		va = &g->g_phys.kmap_va[phys_rank(g, n)];
		if (*va == 0)
			*va = m->va + off;
	}
	return (true);
}

void
read_index(struct gen *g)
{
	gen_foreach_mapping(g, read_note_va, g);
}

static uint64_t
read_dmap_va(const struct gen *g, uint64_t pa)
{
	const struct gen_layout *lay = &g->g_lay;

	if (lay->gl_dmapend == 0)
		return (0);
	return (lay->gl_dmapbase + (pa - lay->gl_dmapphys));
}

bool
gen_foreach_page(const struct gen *g, gen_page_cb *cb, void *arg)
{
	for (uint64_t n = 0; n < g->g_phys.npages; n++) {
		uint64_t pa = phys_addr(g, n);
		struct gen_page page = {
			.pa = pa,
			.dmap_va = read_dmap_va(g, pa),
		};

		if (!gen_page_off(g, pa, &page.off))
			continue;
		if (phys_is_present(g, n))
			page.kmap_va = g->g_phys.kmap_va[phys_rank(g, n)];
		if (!cb(&page, arg))
			return (false);
	}
	return (true);
}
