/*
 * The kernel's own memory: its image, and the room for what it allocates.
 *
 *	image   text, rodata, data and bss, contiguous in both address spaces
 *	arena   kernel-map addresses, each page wherever memory was free
 *	heap    contiguous memory that is reached through the direct map
 *
 * All of it is in the dump.  Symbols live in the image.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gen/gen.h"

#define KB ((uint64_t)1 << 10)

#define IMAGE_LEN  MB
#define TEXT_LEN   (64 * KB)
#define RODATA_LEN (16 * KB)
#define DATA_LEN   (32 * KB)

/* Per process: four threads with stacks, on the average. */
#define PROC_LEN (4 * (8 * KB + 4 * KB) + 4 * KB)

static void
kimage_lay_out(struct gen *g)
{
	struct kimage *image = &g->g_image;
	uint64_t va = g->g_lay.gl_image_va;

	image->len = IMAGE_LEN;
	image->sec_len[SEC_TEXT] = TEXT_LEN;
	image->sec_len[SEC_RODATA] = RODATA_LEN;
	image->sec_len[SEC_DATA] = DATA_LEN;
	image->sec_len[SEC_BSS] = IMAGE_LEN - TEXT_LEN - RODATA_LEN - DATA_LEN;
	for (unsigned i = SEC_TEXT; i < SEC_NSECTIONS; i++) {
		image->sec_va[i] = va;
		va += image->sec_len[i];
	}
}

/* Load the image: where the layout says, or at any multiple of 2 MB. */
static const char *
kimage_place(struct gen *g)
{
	struct gen_layout *lay = &g->g_lay;
	uint64_t n, pa = lay->gl_image_pa;

	for (unsigned try = 0; pa == 0 && try < 10000; try++) {
		n = rng_below(&g->g_rng, g->g_phys.npages);
		pa = phys_addr(g, n) & ~(2 * MB - 1);
		if (pa <= 2 * MB || pa > 4 * GB - IMAGE_LEN ||
		    !phys_is_ram(g, pa, IMAGE_LEN))
			pa = 0;
	}
	if (pa == 0 || !phys_is_ram(g, pa, IMAGE_LEN))
		return ("no segment holds the kernel's image");
	lay->gl_image_pa = pa;
	for (uint64_t off = 0; off < IMAGE_LEN; off += gen_page_size(g)) {
		if (phys_number(g, pa + off, &n))
			phys_take(g, n);
		if (off >= TEXT_LEN)
			memset(phys_over(g, pa + off), 0,
			    (size_t)gen_page_size(g));
	}
	return (NULL);
}

/* The image by large pages where it is aligned so. */
static void
kimage_map(struct gen *g)
{
	const struct gen_layout *lay = &g->g_lay;
	uint64_t big = (uint64_t)1 << lay->gl_big_shift;
	uint64_t below = lay->gl_image_va - lay->gl_kernbase_sym;
	bool large = (g->g_spec.gs_flags & GEN_PLAIN) == 0 &&
	    (lay->gl_image_va - lay->gl_image_pa) % big == 0;
	struct kmap_run run = {
		.gm_va = lay->gl_image_va,
		.gm_pa = lay->gl_image_pa,
		.gm_len = gen_round_up(IMAGE_LEN, large ? big : 1),
		.gm_shift =
		    (uint8_t)(large ? lay->gl_big_shift : lay->gl_page_shift),
		.gm_prot = GEN_PROT_ALL,
	};

	kmap_add(g, &run);
	if (!large || below == 0)
		return;
	/* What lies below the image: the start of memory, if it was moved. */
	run.gm_va -= below;
	run.gm_len = below;
	run.gm_pa =
	    (g->g_spec.gs_flags & GEN_RELOCATED) != 0 ? 0 : run.gm_pa - below;
	kmap_add(g, &run);
}

static void
kimage_map_arena(struct gen *g)
{
	struct kimage *image = &g->g_image;
	uint64_t npages, size = gen_page_size(g);
	uint64_t len = 192 * KB + 2 * g->g_spec.gs_msgbuf_len +
	    g->g_spec.gs_nprocs * PROC_LEN +
	    (uint64_t)g->g_spec.gs_recursion * GEN_FRAME_ROOM;
	struct kmap_run run = {
		.gm_len = size,
		.gm_shift = (uint8_t)g->g_lay.gl_page_shift,
		.gm_prot = GEN_PROT_READ | GEN_PROT_WRITE,
	};

	npages = gen_round_page(g, len) / size;
	image->arena_len = npages * size;
	image->arena_va = kmap_reserve(g, image->arena_len, size);
	image->arena_pa = gen_zalloc((size_t)npages, sizeof(uint64_t));
	for (uint64_t i = 0; i < npages; i++) {
		image->arena_pa[i] = phys_take_any(g);
		run.gm_pa = image->arena_pa[i];
		run.gm_va = image->arena_va + i * size;
		kmap_add(g, &run);
	}
}

const char *
kimage_init(struct gen *g)
{
	struct kimage *image = &g->g_image;
	const char *why;

	kimage_lay_out(g);
	if ((why = kimage_place(g)) != NULL)
		return (why);
	kimage_map(g);
	/* The heap is one run, so it comes before the arena's scattered pages. */
	if (g->g_lay.gl_dmapend != 0) {
		image->heap_len = gen_round_page(g,
		    64 * KB + g->g_spec.gs_nprocs * PROC_LEN / 4);
		image->heap_pa =
		    phys_take_run(g, image->heap_len >> g->g_lay.gl_page_shift,
			gen_page_size(g));
	}
	kimage_map_arena(g);
	return (NULL);
}

void
kimage_fini(struct gen *g)
{
	free(g->g_image.syms);
	free(g->g_image.arena_pa);
}

/* A symbol at an address that is known. */
void
kimage_label(struct gen *g, const char *name, enum section section, uint64_t va,
    size_t len)
{
	struct kimage *image = &g->g_image;

	if (image->nsyms == image->maxsyms)
		image->syms = gen_grow(image->syms, &image->maxsyms,
		    sizeof(*image->syms));
	image->syms[image->nsyms++] = (struct symbol){
		.sy_name = name,
		.sy_va = va,
		.sy_len = len,
		.sy_section = section,
		/* It was static once. */
		.sy_local = g->g_spec.gs_osreldate < 1400000 &&
		    strcmp(name, "dumppcb") == 0,
	};
}

/* Room for a symbol of len bytes in a section of the image. */
uint64_t
kimage_symbol(struct gen *g, const char *name, enum section section, size_t len,
    size_t align)
{
	struct kimage *image = &g->g_image;
	uint64_t used = gen_round_up(image->sec_used[section], align);
	uint64_t va = image->sec_va[section] + used;

	if (used + len > image->sec_len[section])
		errx(1, "generator: no room for %s", name);
	image->sec_used[section] = used + len;
	kimage_label(g, name, section, va, len);
	return (va);
}

void
kimage_int(struct gen *g, const char *name, enum section section, int value)
{
	kimage_poke(g, kimage_symbol(g, name, section, 4, 4), 4,
	    (uint32_t)value);
}

void
kimage_ptr(struct gen *g, const char *name, enum section section,
    uint64_t value)
{
	unsigned len = g->g_lay.gl_ptr_len;

	kimage_poke(g, kimage_symbol(g, name, section, len, len), len, value);
}

void
kimage_string(struct gen *g, const char *name, enum section section,
    const char *text)
{
	size_t len = strlen(text) + 1;

	kimage_store(g, kimage_symbol(g, name, section, len, 1), text, len);
}

const struct symbol *
kimage_find(const struct gen *g, const char *name)
{
	for (size_t i = 0; i < g->g_image.nsyms; i++)
		if (strcmp(g->g_image.syms[i].sy_name, name) == 0)
			return (&g->g_image.syms[i]);
	return (NULL);
}

/* The function that pc is in, or NULL. */
const struct symbol *
kimage_function(const struct gen *g, uint64_t pc)
{
	for (size_t i = 0; i < g->g_image.nsyms; i++) {
		const struct symbol *sym = &g->g_image.syms[i];

		if (sym->sy_section == SEC_TEXT &&
		    pc - sym->sy_va < sym->sy_len)
			return (sym);
	}
	return (NULL);
}

bool
gen_symbol(const struct gen *g, const char *name, uint64_t *va)
{
	const struct symbol *sym = kimage_find(g, name);

	if (sym != NULL)
		*va = sym->sy_va;
	return (sym != NULL);
}

/* Kernel-map memory for the kernel's data. */
uint64_t
kimage_alloc_arena(struct gen *g, size_t len, size_t align)
{
	struct kimage *image = &g->g_image;
	uint64_t used = gen_round_up(image->arena_used, align);

	if (used + len > image->arena_len)
		errx(1, "generator: the kernel's arena is full");
	image->arena_used = used + len;
	return (image->arena_va + used);
}

/* The same from the arena or, where there is a direct map, from the heap. */
uint64_t
kimage_alloc(struct gen *g, size_t len, size_t align)
{
	struct kimage *image = &g->g_image;
	uint64_t used = gen_round_up(image->heap_used, align);

	if (used + len > image->heap_len || rng_once_in(&g->g_rng, 2))
		return (kimage_alloc_arena(g, len, align));
	image->heap_used = used + len;
	return (g->g_lay.gl_dmapbase +
	    (image->heap_pa + used - g->g_lay.gl_dmapphys));
}

/* The physical address behind an address of the image, arena or heap. */
static uint64_t
kimage_pa(const struct gen *g, uint64_t va)
{
	const struct kimage *image = &g->g_image;
	const struct gen_layout *lay = &g->g_lay;
	uint64_t off, heap_va;

	if (va - lay->gl_image_va < image->len)
		return (lay->gl_image_pa + (va - lay->gl_image_va));
	if ((off = va - image->arena_va) < image->arena_len)
		return (image->arena_pa[off >> lay->gl_page_shift] +
		    (va - gen_trunc_page(g, va)));
	heap_va = lay->gl_dmapbase + (image->heap_pa - lay->gl_dmapphys);
	if (va - heap_va < image->heap_len)
		return (image->heap_pa + (va - heap_va));
	abort();
}

/* The kernel's memory at va, to the end of the page. */
uint8_t *
kimage_bytes(struct gen *g, uint64_t va)
{
	return (phys_over(g, kimage_pa(g, va)) + (va - gen_trunc_page(g, va)));
}

void
kimage_store(struct gen *g, uint64_t va, const void *buf, size_t len)
{
	const uint8_t *p = buf;

	while (len > 0) {
		uint64_t left = gen_trunc_page(g, va) + gen_page_size(g) - va;
		size_t n = len < left ? len : (size_t)left;

		memcpy(kimage_bytes(g, va), p, n);
		va += n;
		p += n;
		len -= n;
	}
}

/* An integer of len bytes. */
void
kimage_poke(struct gen *g, uint64_t va, unsigned len, uint64_t value)
{
	uint8_t b[8];

	gen_put(g, b, len, value);
	kimage_store(g, va, b, len);
}

void
kimage_poke_ptr(struct gen *g, uint64_t va, uint64_t value)
{
	kimage_poke(g, va, g->g_lay.gl_ptr_len, value);
}
