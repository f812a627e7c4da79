/*
 * The full dump: an ELF core with one PT_LOAD for each segment of memory.
 *
 * Set as FreeBSD leaves them: EI_OSABI is 255, e_version 0, p_vaddr equal to
 * p_paddr.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/gen/gen.h"

#define MB ((uint64_t)1 << 20)

#define ET_CORE	      4
#define PT_LOAD	      1
#define PF_R	      4
#define PT_DUMP_DELTA 0x6fb5d000

#define CHUNK_LEN ((size_t)1 << 20)

/* A program header in either class: what to put where. */
struct phdr {
	uint32_t type;
	uint64_t off, va, pa, len;
};

static bool
elfcore_is_64(const struct gen *g)
{
	return (g->g_lay.gl_ptr_len == 8);
}

static bool
elfcore_has_delta(const struct gen *g)
{
	return ((g->g_spec.gs_flags & GEN_DUMP_DELTA) != 0);
}

/* Where the bytes of segment i start: they follow one another. */
uint64_t
elfcore_seg_off(const struct gen *g, unsigned i)
{
	uint64_t off = g->g_sec.pages_off;

	while (i-- > 0)
		off += g->g_phys.segs[i].end - g->g_phys.segs[i].start;
	return (off);
}

void
elfcore_plan(struct gen *g)
{
	unsigned n = g->g_phys.nsegs + elfcore_has_delta(g);
	uint64_t len = elfcore_is_64(g) ? 64 + 56 * n : 52 + 32 * n;

	g->g_sec.pages_off = gen_round_page(g, len);
	g->g_sec.file_len = elfcore_seg_off(g, g->g_phys.nsegs);
}

static void
elfcore_put_ehdr(const struct gen *g, uint8_t *p)
{
	bool is_64 = elfcore_is_64(g);
	unsigned len = g->g_lay.gl_ptr_len;
	uint8_t *flags = p + 24 + 3 * len;

	memcpy(p, "\177ELF", 4);
	p[4] = is_64 ? 2 : 1;
	p[5] = g->g_lay.gl_big_endian ? 2 : 1;
	p[6] = 1;   /* EI_VERSION */
	p[7] = 255; /* EI_OSABI: standalone */
	gen_put(g, p + 16, 2, ET_CORE);
	gen_put(g, p + 18, 2, g->g_arch->ga_machine);
	gen_put(g, p + 24 + len, len, is_64 ? 64 : 52); /* e_phoff */
	gen_put(g, flags + 4, 2, is_64 ? 64 : 52);	/* e_ehsize */
	gen_put(g, flags + 6, 2, is_64 ? 56 : 32);	/* e_phentsize */
	gen_put(g, flags + 8, 2, g->g_phys.nsegs + elfcore_has_delta(g));
	gen_put(g, flags + 10, 2, is_64 ? 64 : 40); /* e_shentsize */
}

static void
elfcore_put_phdr(const struct gen *g, uint8_t *p, const struct phdr *ph)
{
	unsigned len = g->g_lay.gl_ptr_len;
	uint8_t *fields = p + len;

	gen_put(g, p, 4, ph->type);
	gen_put(g, elfcore_is_64(g) ? p + 4 : p + 24, 4, PF_R);
	gen_put(g, fields, len, ph->off);
	gen_put(g, fields + len, len, ph->va);
	gen_put(g, fields + 2 * len, len, ph->pa);
	gen_put(g, fields + 3 * len, len, ph->len); /* p_filesz */
	gen_put(g, fields + 4 * len, len, ph->len); /* p_memsz */
	gen_put(g, elfcore_is_64(g) ? p + 48 : p + 28, len, gen_page_size(g));
}

static int
elfcore_write_headers(const struct gen *g, int fd)
{
	unsigned phdr_len = elfcore_is_64(g) ? 56 : 32;
	uint8_t buf[64 + 56 * (GEN_MAX_SEGS + 1)] = { 0 };
	uint8_t *p = buf + (elfcore_is_64(g) ? 64 : 52);
	struct phdr delta = {
		.type = PT_DUMP_DELTA,
		.va = g->g_lay.gl_image_va,
		.pa = g->g_lay.gl_image_pa,
	};

	elfcore_put_ehdr(g, buf);
	for (unsigned i = 0; i < g->g_phys.nsegs; i++, p += phdr_len) {
		const struct gen_seg *seg = &g->g_phys.segs[i];
		struct phdr load = {
			.type = PT_LOAD,
			.off = elfcore_seg_off(g, i),
			.va = seg->start,
			.pa = seg->start,
			.len = seg->end - seg->start,
		};

		elfcore_put_phdr(g, p, &load);
	}
	if (elfcore_has_delta(g))
		elfcore_put_phdr(g, p, &delta);
	return (out_bytes(fd, 0, buf, sizeof(buf)));
}

/* The file keeps nothing of a page that is not there: it is a hole. */
static int
elfcore_write_page(const struct gen *g, int fd, uint64_t n)
{
	uint64_t off, pa = phys_addr(g, n);
	uint8_t *page;
	int error;

	if (!phys_is_present(g, n) && g->g_phys.over[n] == NULL)
		return (0);
	if (!gen_page_off(g, pa, &off))
		return (0);
	page = gen_zalloc(1, (size_t)gen_page_size(g));
	phys_copy(g, pa, page, (size_t)gen_page_size(g));
	error = out_bytes(fd, off, page, (size_t)gen_page_size(g));
	free(page);
	return (error);
}

int
elfcore_write(struct gen *g, int fd)
{
	if (ftruncate(fd, (off_t)g->g_sec.file_len) == -1 ||
	    elfcore_write_headers(g, fd) == -1)
		return (-1);
	for (uint64_t n = 0; n < g->g_phys.npages; n++)
		if (elfcore_write_page(g, fd, n) == -1)
			return (-1);
	return (0);
}
