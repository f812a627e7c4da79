/*
 * The minidump file: header, message buffer, dump_avail, bitmap, page tables,
 * pages.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/gen/gen.h"

#define CHUNK_LEN ((size_t)1 << 20)

/* Bits of the bitmap: by page number, or by physical address from 0. */
static uint64_t
minidump_nbits(const struct gen *g)
{
	const struct phys *phys = &g->g_phys;

	if (g->g_lay.gl_dump_avail)
		return (phys->npages);
	return (gen_round_page(g, phys->segs[phys->nsegs - 1].end) >>
	    g->g_lay.gl_page_shift);
}

/*
 * Writers round the bitmap to a page.  Before there was dump_avail some seeds
 * take it by the word: readers must go by the stated length alone.
 */
static uint64_t
minidump_bitmap_len(const struct gen *g)
{
	uint64_t len = (minidump_nbits(g) + 7) / 8;

	if (g->g_lay.gl_dump_avail || g->g_spec.gs_seed % 2 == 0)
		return (gen_round_page(g, len));
	return (gen_round_up(len, 8));
}

void
minidump_plan(struct gen *g)
{
	struct sections *sec = &g->g_sec;
	uint64_t size = gen_page_size(g);

	sec->msgbuf_off = size;
	sec->msgbuf_len = g->g_spec.gs_msgbuf_len;
	sec->avail_off = sec->msgbuf_off + gen_round_page(g, sec->msgbuf_len);
	sec->avail_len = g->g_lay.gl_dump_avail ? size : 0;
	sec->bitmap_off = sec->avail_off + sec->avail_len;
	sec->bitmap_len = minidump_bitmap_len(g);
	sec->pmap_off = sec->bitmap_off + gen_round_page(g, sec->bitmap_len);
	sec->pmap_len = g->g_tables.root_len;
	sec->pages_off = sec->pmap_off + sec->pmap_len;
	if ((g->g_spec.gs_flags & GEN_ODD_TABLES) == 0 ||
	    (g->g_spec.gs_flags & GEN_ROUNDED) != 0)
		sec->pages_off = gen_round_page(g, sec->pages_off);
	sec->file_len =
	    sec->pages_off + (g->g_phys.npresent << g->g_lay.gl_page_shift);
}

/* Where this machine keeps what; magic, version and lengths come before. */
static void
minidump_put_machine(const struct gen *g, uint8_t *page)
{
	const struct gen_layout *lay = &g->g_lay;
	const struct {
		uint64_t value;
		unsigned len;
	} fields[] = {
		[HDR_KERNBASE] = { lay->gl_kernbase, lay->gl_ptr_len },
		[HDR_DMAPBASE] = { lay->gl_dmapbase, lay->gl_ptr_len },
		[HDR_DMAPEND] = { lay->gl_dmapend, lay->gl_ptr_len },
		[HDR_DMAPPHYS] = { lay->gl_dmapphys, lay->gl_ptr_len },
		[HDR_AVAIL] = { g->g_sec.avail_len, 4 },
		[HDR_EXTRA_0] = { lay->gl_extra[0], 4 },
		[HDR_EXTRA_1] = { lay->gl_extra[1], 4 },
	};
	unsigned off = 40;

	for (unsigned i = 0; i < GEN_MAX_HDR; i++) {
		enum hdr_field field = g->g_arch->ga_hdr[i];

		gen_put(g, page + off, fields[field].len, fields[field].value);
		off += fields[field].len;
	}
}

static int
minidump_write_header(const struct gen *g, int fd)
{
	const struct arch *arch = g->g_arch;
	uint8_t page[1024] = { 0 };

	snprintf((char *)page, 24, "minidump FreeBSD/%s",
	    arch->ga_hdr_name != NULL ? arch->ga_hdr_name : arch->ga_name);
	gen_put(g, page + 24, 4, g->g_spec.gs_version);
	gen_put(g, page + 28, 4, g->g_sec.msgbuf_len);
	gen_put(g, page + 32, 4, g->g_sec.bitmap_len);
	gen_put(g, page + 36, 4, g->g_sec.pmap_len);
	minidump_put_machine(g, page);
	return (out_bytes(fd, 0, page, sizeof(page)));
}

/* The ring; struct msgbuf follows it as far as the page goes. */
static int
minidump_write_msgbuf(const struct gen *g, int fd)
{
	uint64_t len = g->g_sec.msgbuf_len;
	uint64_t room = gen_round_page(g, len) - len;

	if (out_bytes(fd, g->g_sec.msgbuf_off, g->g_ring, (size_t)len) == -1)
		return (-1);
	if (room > g->g_msgbuf_len)
		room = g->g_msgbuf_len;
	return (out_bytes(fd, g->g_sec.msgbuf_off + len, g->g_msgbuf,
	    (size_t)room));
}

static int
minidump_write_avail(const struct gen *g, int fd)
{
	uint8_t pairs[GEN_MAX_SEGS * 16] = { 0 };

	for (unsigned i = 0; i < g->g_phys.nsegs; i++) {
		gen_put(g, pairs + 16 * i, 8, g->g_phys.segs[i].start);
		gen_put(g, pairs + 16 * i + 8, 8, g->g_phys.segs[i].end);
	}
	if (!g->g_lay.gl_dump_avail)
		return (0);
	return (out_bytes(fd, g->g_sec.avail_off, pairs, sizeof(pairs)));
}

/* Bit n of the kernel's map, an array of its longs. */
static void
minidump_set_bit(const struct gen *g, uint8_t *map, uint64_t n)
{
	uint64_t byte = n / 8;

	if (g->g_lay.gl_big_endian)
		byte ^= g->g_lay.gl_ptr_len - 1;
	map[byte] |= (uint8_t)(1 << n % 8);
}

static int
minidump_write_bitmap(const struct gen *g, int fd)
{
	uint64_t pfn;
	uint8_t *map;
	int error;

	map = gen_zalloc(1, (size_t)g->g_sec.bitmap_len);
	for (uint64_t n = 0; n < g->g_phys.npages; n++) {
		if (!phys_is_present(g, n))
			continue;
		pfn = phys_addr(g, n) >> g->g_lay.gl_page_shift;
		minidump_set_bit(g, map, g->g_lay.gl_dump_avail ? n : pfn);
	}
	error = out_bytes(fd, g->g_sec.bitmap_off, map,
	    (size_t)g->g_sec.bitmap_len);
	free(map);
	return (error);
}

static int
minidump_write_pages(const struct gen *g, int fd)
{
	uint64_t off = g->g_sec.pages_off, size = gen_page_size(g);
	size_t len = 0;
	uint8_t *buf;
	int error = 0;

	buf = gen_zalloc(1, CHUNK_LEN);
	for (uint64_t n = 0; n < g->g_phys.npages && error == 0; n++) {
		if (!phys_is_present(g, n))
			continue;
		phys_copy(g, phys_addr(g, n), buf + len, (size_t)size);
		len += (size_t)size;
		if (len == CHUNK_LEN) {
			error = out_bytes(fd, off, buf, len);
			off += len;
			len = 0;
		}
	}
	if (error == 0 && len > 0)
		error = out_bytes(fd, off, buf, len);
	free(buf);
	return (error);
}

int
minidump_write(struct gen *g, int fd)
{
	if (ftruncate(fd, (off_t)g->g_sec.file_len) == -1 ||
	    minidump_write_header(g, fd) == -1 ||
	    minidump_write_msgbuf(g, fd) == -1 ||
	    minidump_write_avail(g, fd) == -1 ||
	    minidump_write_bitmap(g, fd) == -1 ||
	    out_bytes(fd, g->g_sec.pmap_off, g->g_tables.root,
		g->g_tables.root_len) == -1)
		return (-1);
	return (minidump_write_pages(g, fd));
}
