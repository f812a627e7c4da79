/*
 * The full dump: an ELF core with one PT_LOAD for each segment of memory.
 *
 * Set as FreeBSD leaves them: EI_OSABI is 255, e_version 0, p_vaddr equal to
 * p_paddr.
 *
 * QEMU makes a segment for each run of mappings instead, where the file has all
 * of memory: some of it is in two of them, some is in none.  First comes a note
 * for each CPU's registers, then one for the rest of its state.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/gen/gen.h"

#define ET_CORE	      4
#define PT_LOAD	      1
#define PT_NOTE	      4
#define PF_R	      4
#define PT_DUMP_DELTA 0x6fb5d000

#define CHUNK_LEN ((size_t)1 << 20)

#define MAX_PHDRS (3 * GEN_MAX_SEGS + 1)

#define NOTE_HDR_LEN	 20 /* with a name of four letters */
#define QEMU_LEN	 440
#define QEMU_GS_BASE	 264
#define QEMU_CR3	 416
#define QEMU_CR4	 424
#define CR3_PCID	 0x805
#define CR4_PAE_AND_PCID 0x20020

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

static bool
elfcore_is_qemu(const struct gen *g)
{
	return ((g->g_spec.gs_flags & GEN_QEMU) != 0);
}

static uint64_t
elfcore_notes_len(const struct gen *g)
{
	if (!elfcore_is_qemu(g))
		return (0);
	return (g->g_spec.gs_ncpus *
	    (NOTE_HDR_LEN + GEN_PRSTATUS_LEN + NOTE_HDR_LEN + QEMU_LEN));
}

/* Add the pages from one to another of a segment's. */
static void
elfcore_add_load(const struct gen *g, unsigned seg, uint64_t from, uint64_t to,
    struct phdr phdrs[MAX_PHDRS], unsigned *n)
{
	uint64_t off = from * gen_page_size(g);
	uint64_t pa = g->g_phys.segs[seg].start + off;

	phdrs[(*n)++] = (struct phdr){
		.type = PT_LOAD,
		.off = elfcore_seg_off(g, seg) + off,
		.va = pa,
		.pa = pa,
		.len = (to - from) * gen_page_size(g),
	};
}

/* The headers; how many there are. */
static unsigned
elfcore_phdrs(const struct gen *g, struct phdr phdrs[MAX_PHDRS])
{
	unsigned n = 0;

	if (elfcore_is_qemu(g))
		phdrs[n++] = (struct phdr){
			.type = PT_NOTE,
			.off = g->g_sec.pages_off - elfcore_notes_len(g),
			.len = elfcore_notes_len(g),
		};
	for (unsigned i = 0; i < g->g_phys.nsegs; i++) {
		const struct gen_seg *seg = &g->g_phys.segs[i];
		uint64_t end = (seg->end - seg->start) / gen_page_size(g);

		if (!elfcore_is_qemu(g) || end < 4) {
			elfcore_add_load(g, i, 0, end, phdrs, &n);
			continue;
		}
		elfcore_add_load(g, i, end / 4, end / 2, phdrs, &n);
		elfcore_add_load(g, i, 0, end / 3, phdrs, &n);
		elfcore_add_load(g, i, end * 3 / 4, end, phdrs, &n);
	}
	if (elfcore_has_delta(g))
		phdrs[n++] = (struct phdr){
			.type = PT_DUMP_DELTA,
			.va = g->g_lay.gl_image_va,
			.pa = g->g_lay.gl_image_pa,
		};
	return (n);
}

void
elfcore_plan(struct gen *g)
{
	struct phdr phdrs[MAX_PHDRS];
	unsigned n = elfcore_phdrs(g, phdrs);
	uint64_t len = elfcore_is_64(g) ? 64 + 56 * n : 52 + 32 * n;

	/* QEMU leaves no room. */
	if (elfcore_is_qemu(g))
		g->g_sec.pages_off = len + elfcore_notes_len(g);
	else
		g->g_sec.pages_off = gen_round_page(g, len);
	g->g_sec.file_len = elfcore_seg_off(g, g->g_phys.nsegs);
}

static void
elfcore_put_ehdr(const struct gen *g, uint8_t *p, unsigned nphdrs)
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
	gen_put(g, flags + 8, 2, nphdrs);
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

static uint8_t *
elfcore_put_note(const struct gen *g, uint8_t *p, const char *name,
    unsigned type, unsigned len)
{
	gen_put(g, p, 4, 5);
	gen_put(g, p + 4, 4, len);
	gen_put(g, p + 8, 4, type);
	memcpy(p + 12, name, 5);
	return (p + NOTE_HDR_LEN);
}

/* The CPUs in another order than the kernel's: GS tells. */
static void
elfcore_put_notes(const struct gen *g, uint8_t *p)
{
	for (unsigned i = g->g_spec.gs_ncpus; i-- > 0;) {
		p = elfcore_put_note(g, p, "CORE", 1, GEN_PRSTATUS_LEN);
		memcpy(p, g->g_prstatus[i], GEN_PRSTATUS_LEN);
		p += GEN_PRSTATUS_LEN;
	}
	for (unsigned i = g->g_spec.gs_ncpus; i-- > 0;) {
		p = elfcore_put_note(g, p, "QEMU", 0, QEMU_LEN);
		gen_put(g, p, 4, 1);
		gen_put(g, p + 4, 4, QEMU_LEN);
		gen_put(g, p + QEMU_GS_BASE, 8, g->g_pcpu[i]);
		gen_put(g, p + QEMU_CR3, 8, g->g_tables.root_pa | CR3_PCID);
		gen_put(g, p + QEMU_CR4, 8, CR4_PAE_AND_PCID);
		p += QEMU_LEN;
	}
}

static int
elfcore_write_headers(const struct gen *g, int fd)
{
	unsigned phdr_len = elfcore_is_64(g) ? 56 : 32;
	size_t len = (size_t)g->g_sec.pages_off;
	uint8_t *buf = gen_zalloc(1, len);
	uint8_t *p = buf + (elfcore_is_64(g) ? 64 : 52);
	struct phdr phdrs[MAX_PHDRS];
	unsigned n = elfcore_phdrs(g, phdrs);
	int error;

	elfcore_put_ehdr(g, buf, n);
	for (unsigned i = 0; i < n; i++, p += phdr_len)
		elfcore_put_phdr(g, p, &phdrs[i]);
	if (elfcore_is_qemu(g))
		elfcore_put_notes(g, p);
	error = out_bytes(fd, 0, buf, len);
	free(buf);
	return (error);
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
