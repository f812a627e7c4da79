/*
 * The kernel's message buffer: lines of text in a ring, and struct msgbuf
 * right behind it.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/gen/gen.h"

#define MSG_MAGIC   0x063062
#define MSG_NEEDNL  1
#define MSG_WRAPPED 2

/* Sequence numbers run to this many times the size of the ring. */
#define SEQ_ROUNDS 16

static const char *const words[] = { "ada0:", "attached", "at", "bus", "cpu",
	"device", "em0:", "failed", "interrupt", "link", "memory", "mounted",
	"pci0:", "port", "state", "to", "UP", "usbus0", "vtnet0", "with" };
#define NWORDS (sizeof(words) / sizeof(words[0]))

/* One line, its length at most max; some have a priority or a time. */
static size_t
msgbuf_line(struct gen *g, char *line, size_t max)
{
	struct rng *rng = &g->g_rng;
	unsigned n = (unsigned)rng_range(rng, 2, 9);
	size_t len = 0;

	if (rng_once_in(rng, 8))
		len += (size_t)snprintf(line, max, "<%u>",
		    (unsigned)rng_below(rng, 192));
	if (rng_once_in(rng, 3))
		len += (size_t)snprintf(line + len, max - len, "[%u] ",
		    (unsigned)rng_below(rng, 99999));
	while (n-- > 0)
		len += (size_t)snprintf(line + len, max - len, "%s%s",
		    words[rng_below(rng, NWORDS)], n > 0 ? " " : "\n");
	return (len);
}

/* Text for the ring: half of it, or more than it holds. */
static void
msgbuf_write_text(struct gen *g)
{
	size_t size = g->g_spec.gs_msgbuf_len;
	size_t want = size / 2, len = 0;
	char line[128];

	if ((g->g_spec.gs_flags & GEN_WRAPPED) != 0)
		want = size + size / 2;
	g->g_text = gen_zalloc(1, want + sizeof(line));
	while (len < want) {
		size_t n = msgbuf_line(g, line, sizeof(line));

		memcpy(g->g_text + len, line, n);
		len += n;
	}
	/* The last line may lack its end, or the ring be full to the byte. */
	g->g_text_len = want;
}

/* Put the text into the ring from sequence number seq on; returns the next. */
static uint32_t
msgbuf_fill_ring(struct gen *g, uint32_t seq)
{
	uint32_t size = g->g_spec.gs_msgbuf_len;
	size_t skip = g->g_text_len > size ? g->g_text_len - size : 0;

	for (size_t i = 0; i < g->g_text_len; i++) {
		g->g_ring[seq % size] = (uint8_t)g->g_text[i];
		seq = (seq + 1) % (SEQ_ROUNDS * size);
	}
	memmove(g->g_text, g->g_text + skip, g->g_text_len - skip);
	g->g_text_len -= skip;
	return (seq);
}

static int
msgbuf_flags(const struct gen *g)
{
	int flags = 0;

	if (g->g_text[g->g_text_len - 1] != '\n')
		flags |= MSG_NEEDNL;
	/* Older kernels have no such flag. */
	if ((g->g_spec.gs_flags & GEN_WRAPPED) != 0 &&
	    g->g_spec.gs_osreldate >= 1300000)
		flags |= MSG_WRAPPED;
	return (flags);
}

static void
msgbuf_put_struct(struct gen *g, uint32_t wseq)
{
	unsigned len = g->g_lay.gl_ptr_len;
	uint32_t size = g->g_spec.gs_msgbuf_len, sum = 0;
	uint8_t *p = g->g_msgbuf;

	for (uint32_t i = 0; i < size; i++)
		sum += g->g_ring[i];
	gen_put(g, p, len, g->g_ring_va);
	gen_put(g, p + len, 4, MSG_MAGIC);
	gen_put(g, p + len + 4, 4, size);
	gen_put(g, p + len + 8, 4, wseq);
	gen_put(g, p + len + 12, 4, wseq / 2);
	gen_put(g, p + len + 16, 4, sum);
	gen_put(g, p + len + 20, 4, SEQ_ROUNDS * size);
	gen_put(g, p + len + 24, 4, UINT32_MAX); /* last priority: -1 */
	gen_put(g, p + len + 28, 4, (uint32_t)msgbuf_flags(g));
}

void
msgbuf_init(struct gen *g)
{
	uint32_t size = g->g_spec.gs_msgbuf_len, seq = 0;
	uint64_t va;

	g->g_msgbuf_len = g->g_lay.gl_ptr_len == 8 ? 72 : 56;
	g->g_ring = gen_zalloc(1, size);
	g->g_ring_va =
	    kimage_alloc_arena(g, size + g->g_msgbuf_len, gen_page_size(g));
	msgbuf_write_text(g);
	if ((g->g_spec.gs_flags & GEN_WRAPPED) != 0)
		seq = (uint32_t)rng_below(&g->g_rng, SEQ_ROUNDS * size);
	msgbuf_put_struct(g, msgbuf_fill_ring(g, seq));
	va = g->g_ring_va + size;
	kimage_store(g, g->g_ring_va, g->g_ring, size);
	kimage_store(g, va, g->g_msgbuf, g->g_msgbuf_len);
	kimage_ptr(g, "msgbufp", SEC_BSS, va);
}

void
msgbuf_fini(struct gen *g)
{
	free(g->g_ring);
	free(g->g_text);
}

const char *
gen_msgbuf_text(const struct gen *g, size_t *len)
{
	*len = g->g_text_len;
	return (g->g_text);
}
