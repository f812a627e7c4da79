/*
 * The page index, and a walk's page set, against a model that counts bits one
 * by one.
 *
 * Each row is a machine: segments of memory, and a bitmap of random runs.  It
 * is asked at random places in random order, in both byte orders and in both
 * ways of reading, so that counts are made in every order too.
 */
#include "libkvm/walkset.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/support/peak.h"
#include "tests/support/temp.h"
#include "tests/support/unit.h"

#define PAGE_SHIFT 12
#define PAGE_LEN   (UINT64_C(1) << PAGE_SHIFT)

/* Offsets that are not rounded: nothing in the index may need that. */
#define BITMAP_OFF 24
#define PAGES_OFF  UINT64_C(0x123450000)

#define MAXSEGS	 4
#define NQUERIES 3000

static const struct machine_row {
	const char *name;
	struct {
		uint64_t start, npages; /* in page numbers */
	} segs[MAXSEGS];
	size_t nsegs;
	uint64_t bitmap_len; /* bytes */
	uint64_t max_run;    /* pages that are alike in a row */
} machine_rows[] = {
	{ "one page", { { 0, 1 } }, 1, 8, 1 },
	{ "64 pages, one word", { { 0, 64 } }, 1, 8, 9 },
	{ "65 pages, bits after the last one are set", { { 7, 65 } }, 1, 16,
	    9 },
	{ "511 pages", { { 0, 511 } }, 1, 64, 40 },
	{ "512 pages, one block", { { 0, 512 } }, 1, 64, 40 },
	{ "513 pages", { { 0, 513 } }, 1, 72, 40 },
	{ "65535 pages", { { 16, 65535 } }, 1, 8192, 700 },
	{ "65536 pages, one group of blocks", { { 16, 65536 } }, 1, 8192, 700 },
	{ "65537 pages", { { 16, 65537 } }, 1, 8200, 700 },
	{ "three groups of blocks, few runs", { { 0, 200000 } }, 1, 25000,
	    70000 },
	{ "three groups of blocks, single pages", { { 0, 200000 } }, 1, 25000,
	    2 },
	{ "segments with gaps, bits meet inside of a word",
	    { { 0, 159 }, { 260, 1000 }, { 1300, 1 }, { 9000, 777 } }, 4, 248,
	    30 },
	{ "segments that touch", { { 5, 100 }, { 105, 100 } }, 2, 32, 250 },
	{ "a segment above 4 GB", { { 0, 100 }, { UINT64_C(1) << 40, 100 } }, 2,
	    32, 20 },
	{ "more pages than bits", { { 0, 1000 } }, 1, 64, 30 },
	{ "the bitmap ends in the first of two segments",
	    { { 0, 1000 }, { 2000, 50 } }, 2, 64, 30 },
	{ "more bits than pages", { { 3, 100 } }, 1, 4096, 30 },
};

struct model {
	const struct machine_row *row;
	enum byte_order order;
	uint64_t nbits; /* of pages that have one */
	uint8_t *set;	/* a byte for each bit of the bitmap */
	uint64_t *rank; /* set bits before each */
	uint64_t random;
};

/* ---- the model ---- */

/* Marsaglia's xorshift64. */
static uint64_t
next_random(struct model *m)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return (m->random);
}

static uint64_t
random_below(struct model *m, uint64_t n)
{
	return (next_random(m) % n);
}

static void
model_init(struct model *m, const struct machine_row *row,
    enum byte_order order)
{
	size_t nbits = (size_t)row->bitmap_len * 8;
	uint64_t npages = 0;
	uint64_t left = 0;
	uint8_t value = 0;

	*m = (struct model){ .row = row,
		.order = order,
		.random = 0x9e3779b9 + row->bitmap_len };
	for (size_t i = 0; i < row->nsegs; i++)
		npages += row->segs[i].npages;
	m->nbits = npages < nbits ? npages : nbits;
	m->set = calloc(nbits, sizeof(*m->set));
	m->rank = calloc(nbits + 1, sizeof(*m->rank));
	assert_non_null(m->set);
	assert_non_null(m->rank);
	for (size_t bit = 0; bit < nbits; bit++) {
		if (left == 0) {
			left = 1 + random_below(m, row->max_run);
			value = (uint8_t)(next_random(m) >> 20 & 1);
		}
		m->set[bit] = bit < m->nbits ? value : 1;
		m->rank[bit + 1] = m->rank[bit] + m->set[bit];
		left--;
	}
}

static void
model_fini(struct model *m)
{
	free(m->set);
	free(m->rank);
}

/* The model's answer for a page: its bit, if it has one. */
struct place {
	enum page_state state;
	uint64_t bit;
	size_t seg;
};

static struct place
model_place(const struct model *m, uint64_t pfn)
{
	uint64_t first_bit = 0;

	for (size_t i = 0; i < m->row->nsegs; i++) {
		uint64_t start = m->row->segs[i].start;
		uint64_t npages = m->row->segs[i].npages;
		struct place p = { PAGE_ABSENT, first_bit + (pfn - start), i };

		if (pfn >= start && pfn - start < npages) {
			if (p.bit < m->nbits && m->set[p.bit] != 0)
				p.state = PAGE_PRESENT;
			return (p);
		}
		first_bit += npages;
	}
	return ((struct place){ .state = PAGE_GAP });
}

/* The bitmap as the kernel would have written it. */
static int
model_file(const struct model *m)
{
	size_t len = BITMAP_OFF + (size_t)m->row->bitmap_len;
	uint8_t *bytes = calloc(1, len);
	int fd;

	assert_non_null(bytes);
	for (size_t bit = 0; bit < (size_t)m->row->bitmap_len * 8; bit++) {
		size_t byte = bit / 8;

		if (m->order == ORDER_BIG)
			byte ^= 3; /* within a word of 32 bits */
		if (m->set[bit] != 0)
			bytes[BITMAP_OFF + byte] |= (uint8_t)(1 << bit % 8);
	}
	fd = temp_file(bytes, len);
	free(bytes);
	return (fd);
}

static struct pageindex *
model_index(const struct model *m, struct image *im)
{
	struct dump_seg *segs = calloc(MAXSEGS, sizeof(*segs));
	struct pageindex_desc desc = {
		.set = { .set_segs = segs,
		    .set_nsegs = m->row->nsegs,
		    .set_page_shift = PAGE_SHIFT },
		.segs = segs,
		.order = m->order,
		.bitmap_off = BITMAP_OFF,
		.bitmap_len = m->row->bitmap_len,
		.pages_off = PAGES_OFF,
	};
	struct pageindex *pi;

	assert_non_null(segs);
	for (size_t i = 0; i < m->row->nsegs; i++) {
		segs[i].seg_start = m->row->segs[i].start;
		segs[i].seg_end =
		    m->row->segs[i].start + m->row->segs[i].npages;
		segs[i].seg_bit = desc.set.set_nbits;
		desc.set.set_nbits += m->row->segs[i].npages;
	}
	pi = pageindex_create(im, &desc);
	assert_non_null(pi);
	return (pi);
}

/* ---- the questions ---- */

/* An address near a segment, and a length that may leave it. */
static uint64_t
random_address(struct model *m, uint64_t *len)
{
	size_t seg = (size_t)random_below(m, m->row->nsegs);
	uint64_t start = m->row->segs[seg].start;
	uint64_t pfn = start + random_below(m, m->row->segs[seg].npages + 20);

	*len = 1 + random_below(m, PAGE_LEN << random_below(m, 10));
	if (random_below(m, 8) == 0)
		pfn = start > 10 ? start - 10 : 0;
	return (pfn * PAGE_LEN + random_below(m, PAGE_LEN));
}

/* Do all pages of an answer have what it says, and does the next one not? */
static void
check_run(const struct model *m, uint64_t pa, uint64_t len,
    const struct page_run *run)
{
	uint64_t pfn = pa / PAGE_LEN;
	uint64_t last = (pa + run->run_len - 1) / PAGE_LEN;
	struct place first = model_place(m, pfn);
	struct place next = model_place(m, last + 1);

	assert_int_equal(run->run_state, first.state);
	assert_true(run->run_len > 0);
	assert_true(run->run_len <= len);
	if (run->run_state == PAGE_PRESENT) {
		assert_int_equal(run->run_bit, first.bit);
		assert_int_equal(run->run_off,
		    PAGES_OFF + m->rank[first.bit] * PAGE_LEN + pa % PAGE_LEN);
	}
	for (uint64_t i = 1; i <= last - pfn; i++) {
		struct place p = model_place(m, pfn + i);

		assert_int_equal(p.state, first.state);
		if (p.state == PAGE_PRESENT)
			assert_int_equal(m->rank[p.bit],
			    m->rank[first.bit] + i);
	}
	if (run->run_len == len)
		return;
	/* It ends early only at the end of a page, and only for a reason. */
	assert_int_equal((pa + run->run_len) % PAGE_LEN, 0);
	assert_true(next.state != first.state || next.seg != first.seg ||
	    next.bit == m->nbits);
}

static void
ask_find(struct model *m, struct pageindex *pi)
{
	uint64_t len;
	uint64_t pa = random_address(m, &len);
	struct page_run run = pageindex_find(pi, pa, len);

	check_run(m, pa, len, &run);
}

static void
ask_count(struct model *m, struct pageindex *pi)
{
	uint64_t npages = 1;

	assert_true(pageindex_count(pi, &npages));
	assert_int_equal(npages, m->rank[m->nbits]);
}

static void
ask_all(struct model *m, enum image_access access)
{
	struct image *im;
	struct pageindex *pi;

	assert_int_equal(image_create(model_file(m), access, &im), 0);
	pi = model_index(m, im);
	for (size_t i = 0; i < NQUERIES; i++) {
		if (random_below(m, 100) < 99)
			ask_find(m, pi);
		else
			ask_count(m, pi);
	}
	pageindex_destroy(pi);
	image_destroy(im);
}

static void
test_machine(void **state)
{
	static const enum byte_order orders[] = { ORDER_LITTLE, ORDER_BIG };
	static const enum image_access ways[] = { IMAGE_MAPPED, IMAGE_PREAD };

	for (size_t i = 0; i < NROWS(orders); i++) {
		for (size_t k = 0; k < NROWS(ways); k++) {
			struct model m;

			model_init(&m, *state, orders[i]);
			ask_all(&m, ways[k]);
			model_fini(&m);
		}
	}
}

/* Questions about all there is, one after the other, cover it exactly. */
static void
test_sweep(void **state)
{
	const struct machine_row *row = *state;
	size_t last = row->nsegs - 1;
	uint64_t end = row->segs[last].start + row->segs[last].npages;
	struct pageindex *pi;
	struct image *im;
	struct model m;
	uint64_t npresent = 0;

	model_init(&m, row, ORDER_LITTLE);
	assert_int_equal(image_create(model_file(&m), IMAGE_AUTO, &im), 0);
	pi = model_index(&m, im);
	for (uint64_t pa = 0; pa < end * PAGE_LEN;) {
		struct page_run run =
		    pageindex_find(pi, pa, end * PAGE_LEN - pa);

		if (run.run_state == PAGE_PRESENT)
			npresent += run.run_len / PAGE_LEN;
		assert_int_equal(run.run_len % PAGE_LEN, 0);
		assert_int_not_equal(run.run_len, 0);
		pa += run.run_len;
	}
	assert_int_equal(npresent, m.rank[m.nbits]);
	pageindex_destroy(pi);
	image_destroy(im);
	model_fini(&m);
}

/* ---- what a walk has yet to come to ---- */

/* The bit that a walk takes for a page, and where it then says the page is. */
static void
ask_bit(struct model *m, const struct walkset *ws)
{
	uint64_t len;
	uint64_t pfn = random_address(m, &len) / PAGE_LEN;
	struct place p = model_place(m, pfn);
	uint64_t want = ws->ws_nbits;

	if (p.state != PAGE_GAP && p.bit < m->nbits)
		want = p.bit;
	assert_int_equal(walkset_bit(ws, pfn), want);
	walkset_prefetch(ws, want);
	if (p.state == PAGE_PRESENT)
		assert_int_equal(walkset_off(ws, p.bit),
		    PAGES_OFF + m->rank[p.bit] * PAGE_LEN);
}

/* How many of n consecutive bits are pages of the model? */
static uint64_t
model_count(const struct model *m, uint64_t bit, uint64_t n)
{
	uint64_t present = 0;

	for (uint64_t i = bit; i < bit + n && i < m->nbits; i++)
		present += m->set[i];
	return (present);
}

/* Pages that were taken are no longer in the model. */
static void
model_take(struct model *m, uint64_t bit, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		m->set[bit + i] = 0;
}

/* Where to take a run: every other time, where it may cross a block's end. */
static uint64_t
random_bit(struct model *m, const struct walkset *ws)
{
	if (ws->ws_nbits <= WALKSET_BLOCK_BITS || random_below(m, 2) == 0)
		return (random_below(m, ws->ws_nbits));
	return (WALKSET_BLOCK_BITS - 1 - random_below(m, 64));
}

static void
take_some(struct model *m, struct walkset *ws)
{
	uint64_t bit = random_bit(m, ws);
	uint64_t n = 1 + random_below(m, 64);
	bool whole;

	if (bit + n > ws->ws_nbits)
		n = ws->ws_nbits - bit;
	whole = model_count(m, bit, n) == n;
	assert_int_equal(walkset_count_left(ws, bit, n),
	    model_count(m, bit, n));
	assert_int_equal(walkset_take_run(ws, bit, n), whole);
	if (whole)
		model_take(m, bit, n);
	bit = random_below(m, ws->ws_nbits);
	whole = model_count(m, bit, 1) == 1;
	assert_int_equal(walkset_take(ws, bit), whole);
	if (whole)
		model_take(m, bit, 1);
}

/* Take all that is left, in runs whose pages are in a row. */
static void
take_rest(struct model *m, struct walkset *ws)
{
	uint64_t bit, n, pa;

	for (bit = walkset_next(ws, 0); bit < ws->ws_nbits;
	     bit = walkset_next(ws, bit + 1)) {
		n = walkset_run(ws, bit, &pa);
		assert_in_range(n, 1, 64);
		for (uint64_t i = 0; i < n; i++)
			assert_int_equal(model_place(m, pa / PAGE_LEN + i).bit,
			    bit + i);
		assert_int_equal(model_count(m, bit, n), n);
		assert_true(walkset_take_run(ws, bit, n));
		assert_false(walkset_take(ws, bit));
		model_take(m, bit, n);
	}
	assert_int_equal(model_count(m, 0, m->nbits), 0);
}

static void
test_walkset(void **state)
{
	static const enum byte_order orders[] = { ORDER_LITTLE, ORDER_BIG };
	static const enum image_access ways[] = { IMAGE_MAPPED, IMAGE_PREAD };

	for (size_t i = 0; i < NROWS(orders) * NROWS(ways); i++) {
		struct walkset ws;
		struct pageindex *pi;
		struct image *im;
		struct model m;

		model_init(&m, *state, orders[i / 2]);
		assert_int_equal(image_create(model_file(&m), ways[i % 2], &im),
		    0);
		pi = model_index(&m, im);
		assert_int_equal(walkset_init(&ws, pi), 0);
		for (size_t k = 0; k < NQUERIES; k++)
			ask_bit(&m, &ws);
		for (size_t k = 0; k < NQUERIES / 100; k++)
			take_some(&m, &ws);
		take_rest(&m, &ws);
		walkset_fini(&ws);
		pageindex_destroy(pi);
		image_destroy(im);
		model_fini(&m);
	}
}

/* ---- a bitmap that is not there ---- */

/* The file ends in the second block; the first one counts. */
static void
test_cut(void **state)
{
	static const struct machine_row row = { "", { { 0, 131072 } }, 1, 16384,
		30 };
	enum image_access access = *(const enum image_access *)*state;
	uint64_t present = UINT64_MAX;
	uint64_t npages;
	struct walkset ws;
	struct pageindex *pi;
	struct image *im;
	struct model m;
	int fd;

	model_init(&m, &row, ORDER_LITTLE);
	fd = model_file(&m);
	assert_int_equal(ftruncate(fd, BITMAP_OFF + 8192 + 256), 0);
	assert_int_equal(image_create(fd, access, &im), 0);
	pi = model_index(&m, im);
	for (uint64_t bit = 0; bit < 2048 && present == UINT64_MAX; bit++)
		if (m.set[bit] != 0)
			present = bit;
	assert_int_equal(pageindex_find(pi, present * PAGE_LEN, 1).run_state,
	    PAGE_PRESENT);
	assert_int_equal(pageindex_find(pi, 100000 * PAGE_LEN, 1).run_state,
	    PAGE_UNREADABLE);
	assert_false(pageindex_count(pi, &npages));
	assert_int_equal(pageindex_find(pi, present * PAGE_LEN, 1).run_state,
	    PAGE_PRESENT);
	assert_int_equal(walkset_init(&ws, pi), EIO);
	walkset_fini(&ws);
	pageindex_destroy(pi);
	image_destroy(im);
	model_fini(&m);
}

/* ---- a bitmap that is mostly a hole ---- */

#define HOLE_BITMAP_LEN UINT64_C(0x20000000) /* bytes */

/* The only pages that are there, one in each of these bytes of the bitmap. */
static const uint64_t hole_bytes[] = { 0, 12345, HOLE_BITMAP_LEN / 2,
	HOLE_BITMAP_LEN / 2 + 1, HOLE_BITMAP_LEN - 1 };

static int
hole_file(void)
{
	int fd = temp_file("", 0);

	assert_int_equal(ftruncate(fd, BITMAP_OFF + HOLE_BITMAP_LEN), 0);
	for (size_t i = 0; i < NROWS(hole_bytes); i++)
		assert_int_equal(pwrite(fd, "\x80", 1,
				     (off_t)(BITMAP_OFF + hole_bytes[i])),
		    1);
	return (fd);
}

static struct pageindex *
hole_index(struct image *im)
{
	struct dump_seg *segs = calloc(1, sizeof(*segs));
	struct pageindex_desc desc = { .segs = segs,
		.order = ORDER_LITTLE,
		.bitmap_off = BITMAP_OFF,
		.bitmap_len = HOLE_BITMAP_LEN,
		.pages_off = PAGES_OFF };
	struct pageindex *pi;

	assert_non_null(segs);
	desc.set = dumpset_dense(HOLE_BITMAP_LEN * 8, PAGE_SHIFT, segs);
	assert_non_null(pi = pageindex_create(im, &desc));
	return (pi);
}

static void
ask_hole(struct pageindex *pi)
{
	for (uint64_t i = 0; i < NROWS(hole_bytes); i++) {
		uint64_t pa = (hole_bytes[i] * 8 + 7) * PAGE_LEN;
		struct page_run run = pageindex_find(pi, pa, PAGE_LEN);

		assert_int_equal(run.run_state, PAGE_PRESENT);
		assert_int_equal(run.run_off, PAGES_OFF + i * PAGE_LEN);
		assert_int_equal(
		    pageindex_find(pi, pa - PAGE_LEN, PAGE_LEN).run_state,
		    PAGE_ABSENT);
	}
}

/* A walk finds all of these pages. */
static void
walk_hole(struct pageindex *pi)
{
	uint64_t bit = 0;
	struct walkset ws;

	assert_int_equal(walkset_init(&ws, pi), 0);
	assert_false(walkset_take_run(&ws, ws.ws_nbits - 1, 2));
	for (uint64_t i = 0; i < NROWS(hole_bytes); i++) {
		bit = walkset_next(&ws, bit);
		assert_int_equal(bit, hole_bytes[i] * 8 + 7);
		assert_false(walkset_take(&ws, bit - 1));
		assert_int_equal(walkset_off(&ws, bit),
		    PAGES_OFF + i * PAGE_LEN);
		assert_true(walkset_take(&ws, bit));
	}
	assert_int_equal(walkset_next(&ws, 0), ws.ws_nbits);
	assert_false(walkset_take(&ws, ws.ws_nbits));
	walkset_fini(&ws);
}

/* Counting, looking up and walking cost no memory for what is not there. */
static void
test_hole(void **state)
{
	enum image_access access = *(const enum image_access *)*state;
	long before = peak_memory();
	struct pageindex *pi;
	struct image *im;
	uint64_t npages;

	assert_int_equal(image_create(hole_file(), access, &im), 0);
	pi = hole_index(im);
	assert_true(pageindex_count(pi, &npages));
	assert_int_equal(npages, NROWS(hole_bytes));
	ask_hole(pi);
	assert_true(pageindex_fill(pi));
	ask_hole(pi);
	walk_hole(pi);
	assert_in_range(peak_memory() - before, 0, PEAK_GROWTH_MAX);
	pageindex_destroy(pi);
	image_destroy(im);
}

static void
test_destroy_nothing(void **state)
{
	(void)state;
	pageindex_destroy(NULL);
}

int
main(void)
{
	static const enum image_access mapped = IMAGE_MAPPED;
	static const enum image_access by_pread = IMAGE_PREAD;
	static char names[NROWS(machine_rows)][80];
	static char walk_names[NROWS(machine_rows)][80];
	struct CMUnitTest tests[64];
	size_t n = 0;

	ADD_ROWS(tests, n, machine_rows, test_machine);
	for (size_t i = 0; i < NROWS(machine_rows); i++) {
		(void)snprintf(names[i], sizeof(names[i]), "sweep: %s",
		    machine_rows[i].name);
		tests[n++] = row_test(names[i], test_sweep, &machine_rows[i]);
		(void)snprintf(walk_names[i], sizeof(walk_names[i]), "walk: %s",
		    machine_rows[i].name);
		tests[n++] =
		    row_test(walk_names[i], test_walkset, &machine_rows[i]);
	}
	tests[n++] = row_test("a bitmap cut short, mapped", test_cut, &mapped);
	tests[n++] =
	    row_test("a bitmap cut short, by pread", test_cut, &by_pread);
	tests[n++] = row_test("a bitmap of holes, mapped", test_hole, &mapped);
	tests[n++] =
	    row_test("a bitmap of holes, by pread", test_hole, &by_pread);
	tests[n++] = row_test("destroy nothing", test_destroy_nothing, NULL);
	return (RUN_TESTS(tests, n));
}
