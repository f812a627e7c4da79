/*
 * A generated machine from its spec: the order of the steps, the defaults,
 * and the little that all of them share.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/gen/gen.h"

static const struct arch *const arches[] = {
	&arch_amd64,
	&arch_i386,
	&arch_arm64,
	&arch_riscv64,
	&arch_arm,
};
#define NARCHES (sizeof(arches) / sizeof(arches[0]))

bool
gen_arch_info(unsigned i, struct gen_arch_info *info)
{
	if (i >= NARCHES)
		return (false);
	*info = (struct gen_arch_info){
		.name = arches[i]->ga_name,
		.max_version = arches[i]->ga_max_version,
		.flags = arches[i]->ga_flags,
		.full = arches[i]->ga_full,
	};
	return (true);
}

void *
gen_zalloc(size_t n, size_t len)
{
	void *p;

	if ((p = calloc(n != 0 ? n : 1, len)) == NULL)
		err(1, "generator: %zu elements of %zu bytes", n, len);
	return (p);
}

/* Room for twice as many elements of len bytes. */
void *
gen_grow(void *p, size_t *max, size_t len)
{
	*max = *max == 0 ? 64 : *max * 2;
	if ((p = realloc(p, *max * len)) == NULL)
		err(1, "generator: %zu elements of %zu bytes", *max, len);
	return (p);
}

/* An integer in the byte order of the generated machine. */
void
gen_put(const struct gen *g, void *p, unsigned len, uint64_t value)
{
	uint8_t *b = p;

	for (unsigned i = 0; i < len; i++) {
		unsigned at = g->g_lay.gl_big_endian ? len - 1 - i : i;

		b[at] = (uint8_t)(value >> (8 * i));
	}
}

uint64_t
gen_get(const struct gen *g, const void *p, unsigned len)
{
	const uint8_t *b = p;
	uint64_t value = 0;

	for (unsigned i = 0; i < len; i++) {
		unsigned at = g->g_lay.gl_big_endian ? i : len - 1 - i;

		value = value << 8 | b[at];
	}
	return (value);
}

static void
store_le64(uint8_t *p, uint64_t x)
{
	for (unsigned i = 0; i < 8; i++)
		p[i] = (uint8_t)(x >> (8 * i));
}

void
gen_fill(uint64_t seed, uint64_t pa, void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len > 0) {
		uint8_t word[8];
		size_t n, skip = pa % 8;

		for (; skip == 0 && len >= 8; p += 8, pa += 8, len -= 8)
			store_le64(p, gen_word(seed, pa));
		n = len < 8 - skip ? len : 8 - skip;
		store_le64(word, gen_word(seed, pa - skip));
		memcpy(p, word + skip, n);
		p += n;
		pa += n;
		len -= n;
	}
}

/* Newest formats come from releases on both sides of ABI changes. */
static unsigned
gen_default_release(struct gen *g)
{
	static const unsigned releases[] = { 1400050, 1400097, 1500035 };

	if (g->g_spec.gs_version < g->g_arch->ga_max_version)
		return (1203000);
	return (releases[rng_below(&g->g_rng, 3)]);
}

/* What the spec leaves open. */
static const char *
gen_defaults(struct gen *g)
{
	struct gen_spec *spec = &g->g_spec;
	const struct arch *arch = g->g_arch;

	if (spec->gs_version == 0)
		spec->gs_version = arch->ga_max_version;
	if (spec->gs_version > arch->ga_max_version)
		return ("no such minidump version");
	if (spec->gs_format == GEN_FULL && !arch->ga_full)
		return ("no full dumps of this architecture");
	spec->gs_flags &= arch->ga_flags | GEN_UNALIGNED | GEN_ALIASES |
	    GEN_PLAIN | GEN_WRAPPED | GEN_HIGH_BITS | GEN_LIVE | GEN_STRIPPED |
	    GEN_NO_LIST;
	/* The chunks of an ELF core are whole pages. */
	if (spec->gs_format == GEN_FULL)
		spec->gs_flags &= ~(unsigned)GEN_UNALIGNED;
	else
		spec->gs_flags &= ~(unsigned)GEN_QEMU;
	/* The kernel does not know that it was dumped. */
	if ((spec->gs_flags & GEN_QEMU) != 0)
		spec->gs_flags |= GEN_LIVE;
	if (spec->gs_osreldate == 0)
		spec->gs_osreldate = gen_default_release(g);
	if (spec->gs_mem_len == 0)
		spec->gs_mem_len = 16 * MB;
	if (spec->gs_map_percent == 0)
		spec->gs_map_percent = 75;
	if (spec->gs_map_percent > 100 || spec->gs_big_percent > 100)
		return ("more than all pages mapped");
	if (spec->gs_run_max == 0)
		spec->gs_run_max = 32;
	if (spec->gs_ncpus == 0)
		spec->gs_ncpus = 1 + (unsigned)rng_below(&g->g_rng, 8);
	if (spec->gs_nsegs > GEN_MAX_SEGS)
		return ("too many segments");
	return (NULL);
}

/* The kernel map's length, by the spec if that says so, and where it ends. */
static const char *
gen_kva_len(struct gen *g)
{
	struct gen_layout *lay = &g->g_lay;

	if (lay->gl_kva_max == 0)
		return (NULL);
	if (g->g_spec.gs_kva_len != 0)
		lay->gl_kva_len = g->g_spec.gs_kva_len;
	if (lay->gl_kva_len < lay->gl_kva_min ||
	    lay->gl_kva_len > lay->gl_kva_max)
		return ("kernel map too small or too large");
	lay->gl_kmem_len = lay->gl_kernbase + lay->gl_kva_len - lay->gl_kmem_va;
	return (NULL);
}

/* The architecture's tables, and what the spec changes in them. */
static const char *
gen_layout(struct gen *g)
{
	const struct arch *arch = g->g_arch;
	struct abi *abi = &g->g_abi;
	unsigned word_len = arch->ga_lay.gl_ptr_len;
	const char *why;

	g->g_lay = arch->ga_lay;
	g->g_abi = arch->ga_abi;
	g->g_geom = g->g_spec.gs_format == GEN_FULL ? arch->ga_fulldump :
						      arch->ga_minidump;
	if ((why = arch->ga_adjust(g)) != NULL ||
	    (why = gen_kva_len(g)) != NULL)
		return (why);
	if (abi->kern_frame_len == 0)
		abi->kern_frame_len = abi->frame_len;
	regs_parse(abi->pcb, abi->pcb_text, word_len);
	regs_parse(abi->frame, abi->frame_text, word_len);
	if (abi->prstatus_text != NULL)
		regs_parse(abi->prstatus, abi->prstatus_text, word_len);
	return (NULL);
}

/* Every step in turn; see gen.h. */
static const char *
gen_build(struct gen *g)
{
	const char *why;
	uint64_t target;

	if ((why = gen_defaults(g)) != NULL || (why = gen_layout(g)) != NULL)
		return (why);
	if (g->g_spec.gs_msgbuf_len == 0)
		g->g_spec.gs_msgbuf_len =
		    g->g_lay.gl_ptr_len == 8 ? 0x1fb8 : 0x1fc8;
	if (g->g_spec.gs_ncpus > GEN_MAX_CPUS ||
	    g->g_spec.gs_ncpus > g->g_abi.maxcpus)
		return ("too many CPUs");
	if ((why = phys_init(g)) != NULL)
		return (why);
	kmap_init(g);
	if ((why = kimage_init(g)) != NULL)
		return (why);
	tables_init(g);
	msgbuf_init(g);
	kdata_init(g);
	module_init(g);
	proc_init(g);
	target = g->g_spec.gs_mem_len >> g->g_lay.gl_page_shift;
	kmap_plan(g);
	tables_build(g);
	tables_lose(g);
	phys_fill(g, target);
	kmap_sort(g);
	phys_freeze(g);
	read_index(g);
	if (g->g_spec.gs_format == GEN_FULL)
		elfcore_plan(g);
	else
		minidump_plan(g);
	return (NULL);
}

struct gen *
gen_create(const struct gen_spec *spec, const char **why)
{
	struct gen *g;

	g = gen_zalloc(1, sizeof(*g));
	g->g_spec = *spec;
	g->g_rng.state = spec->gs_seed;
	*why = "no such architecture";
	for (size_t i = 0; i < NARCHES; i++)
		if (strcmp(arches[i]->ga_name, spec->gs_arch) == 0)
			g->g_arch = arches[i];
	if (g->g_arch == NULL || (*why = gen_build(g)) != NULL) {
		gen_destroy(g);
		return (NULL);
	}
	return (g);
}

void
gen_destroy(struct gen *g)
{
	if (g == NULL)
		return;
	proc_fini(g);
	msgbuf_fini(g);
	tables_fini(g);
	kmap_fini(g);
	kimage_fini(g);
	phys_fini(g);
	free(g);
}

int
gen_write_core(struct gen *g, const char *path)
{
	int error, fd;

	if ((fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644)) == -1)
		return (-1);
	if (g->g_spec.gs_format == GEN_FULL)
		error = elfcore_write(g, fd);
	else
		error = minidump_write(g, fd);
	if (close(fd) == -1)
		return (-1);
	return (error);
}

void
gen_facts(const struct gen *g, struct gen_facts *facts)
{
	*facts = (struct gen_facts){
		.page_size = (unsigned)gen_page_size(g),
		.version = g->g_spec.gs_version,
		.file_len = g->g_sec.file_len,
		.npages = g->g_spec.gs_format == GEN_FULL ? g->g_phys.npages :
							    g->g_phys.npresent,
		.ntables = g->g_tables.npages,
		.kernbase = g->g_lay.gl_kernbase,
		.dmapbase = g->g_lay.gl_dmapbase,
		.dmapend = g->g_lay.gl_dmapend,
		.dmapphys = g->g_lay.gl_dmapphys,
		.kernel_pa = g->g_lay.gl_image_pa,
		.msgbuf_off = g->g_sec.msgbuf_off,
		.msgbuf_len = g->g_sec.msgbuf_len,
		.avail_off = g->g_sec.avail_off,
		.avail_len = g->g_sec.avail_len,
		.bitmap_off = g->g_sec.bitmap_off,
		.bitmap_len = g->g_sec.bitmap_len,
		.pmap_off = g->g_sec.pmap_off,
		.pmap_len = g->g_sec.pmap_len,
		.pages_off = g->g_sec.pages_off,
		.nsegs = g->g_phys.nsegs,
		.segs = g->g_phys.segs,
	};
}
