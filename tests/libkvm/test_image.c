/*
 * Images: the bytes of a file, mapped and by pread(2), whole and cut short.
 *
 * No byte of the file is 0, but for the second half of its third page, so that
 * a zero in the place of what is gone shows.
 */
#include "libkvm/image.h"

#include <string.h>
#include <unistd.h>

#include "tests/support/child.h"
#include "tests/support/temp.h"
#include "tests/support/unit.h"

#define NPAGES	  6
#define ZERO_PAGE 2

static size_t page_len;
static size_t file_len;

static uint8_t
byte_at(size_t off)
{
	size_t page = off / page_len;

	if (page == ZERO_PAGE && off % page_len >= page_len / 2)
		return (0);
	return ((uint8_t)(1 + (off * 7 + page * 31) % 255));
}

static int
make_file(void)
{
	uint8_t *bytes = malloc(file_len);
	int fd;

	assert_non_null(bytes);
	for (size_t i = 0; i < file_len; i++)
		bytes[i] = byte_at(i);
	fd = temp_file(bytes, file_len);
	free(bytes);
	return (fd);
}

/* fd is the image's; the caller may use it to cut the file. */
static struct image *
open_file(enum image_access access, int *fd)
{
	struct image *im;

	*fd = make_file();
	assert_int_equal(image_create(*fd, access, &im), 0);
	assert_int_equal(im->im_len, file_len);
	assert_int_equal(im->im_base != NULL, access == IMAGE_MAPPED);
	return (im);
}

/* As readers do it: see image.h. */
static bool
read_settled(struct image *im, size_t off, uint8_t *buf, size_t len)
{
	bool ok;

	do {
		ok = image_read(im, off, buf, len);
	} while (!image_settle(im, ok ? off + len : im->im_len));
	return (ok);
}

/* A read that works gives the file's bytes. */
static bool
reads_right(struct image *im, size_t off, size_t len)
{
	uint8_t *buf = malloc(len + 1);
	bool ok;

	assert_non_null(buf);
	ok = read_settled(im, off, buf, len);
	for (size_t i = 0; ok && i < len; i++)
		assert_int_equal(buf[i], byte_at(off + i));
	free(buf);
	return (ok);
}

/* ---- a file that stays as it is ---- */

/* Bounds, as pages and bytes: page * page_len + byte. */
static const struct range_row {
	const char *name;
	size_t page;
	ptrdiff_t byte;
	uint64_t pages, bytes;
	bool ok;
} range_rows[] = {
	{ "all of it", 0, 0, NPAGES, 0, true },
	{ "nothing at the start", 0, 0, 0, 0, true },
	{ "nothing at the end", NPAGES, 0, 0, 0, true },
	{ "the first byte", 0, 0, 0, 1, true },
	{ "the last byte", NPAGES, -1, 0, 1, true },
	{ "across the end of a page", 1, -3, 0, 8, true },
	{ "zeros of the file's own", ZERO_PAGE + 1, -8, 0, 8, true },
	{ "one byte too many", 0, 0, NPAGES, 1, false },
	{ "one byte past the end", NPAGES, 0, 0, 1, false },
	{ "nothing past the end", NPAGES, 1, 0, 0, false },
	{ "offset and length wrap", NPAGES, -1, 0, UINT64_MAX - 64, false },
};

static void
check_range(const struct range_row *row, enum image_access access)
{
	uint64_t off = row->page * page_len + (uint64_t)row->byte;
	uint64_t len = row->pages * page_len + row->bytes;
	struct image *im;
	uint8_t *buf;
	int fd;

	im = open_file(access, &fd);
	if (row->ok) {
		assert_true(reads_right(im, (size_t)off, (size_t)len));
	} else {
		buf = malloc(file_len);
		assert_non_null(buf);
		im->im_errno = -1;
		assert_false(image_read(im, off, buf, (size_t)len));
		assert_int_equal(im->im_errno, 0);
		free(buf);
	}
	assert_int_equal(im->im_base != NULL, access == IMAGE_MAPPED);
	image_destroy(im);
}

static void
test_range(void **state)
{
	check_range(*state, IMAGE_MAPPED);
	check_range(*state, IMAGE_PREAD);
}

static const struct view_row {
	const char *name;
	size_t off, len;
	bool ok;
} view_rows[] = {
	{ "view: the start", 0, 4096, true },
	{ "view: one byte", 5000, 1, true },
	{ "view: across two blocks", 4090, 12, true },
	{ "view: as much as there may be", 100, IMAGE_VIEW_MAX, true },
	{ "view: the end, which is no whole block", 20001, 99, true },
	{ "view: nothing", 20100, 0, true },
	{ "view: one byte too many", 20001, 100, false },
	{ "view: past the end", 20100, 1, false },
	{ "view: far past the end", SIZE_MAX - 4, 16, false },
};

#define VIEW_FILE_LEN 20100

static void
check_view(const struct view_row *row, enum image_access access)
{
	static uint8_t bytes[VIEW_FILE_LEN];
	static uint8_t scratch[IMAGE_VIEW_MAX];
	struct image *im;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = byte_at(i);
	assert_int_equal(image_create(temp_file(bytes, sizeof(bytes)), access,
			     &im),
	    0);
	/* The second answer comes from a cache. */
	for (int i = 0; i < 2; i++) {
		const uint8_t *p;

		memset(scratch, 0xee, sizeof(scratch));
		p = image_view(im, row->off, row->len, scratch);
		assert_int_equal(p != NULL, row->ok);
		if (row->ok)
			assert_memory_equal(p, bytes + row->off, row->len);
		else
			assert_int_equal(im->im_errno, 0);
	}
	image_destroy(im);
}

static void
test_view(void **state)
{
	check_view(*state, IMAGE_MAPPED);
	check_view(*state, IMAGE_PREAD);
}

/* Blocks that share a place in the cache do not take each other's bytes. */
static void
test_view_far_apart(void **state)
{
	enum { NBLOCKS = 200, BLOCK = 4096 };
	uint8_t *bytes = malloc((size_t)NBLOCKS * BLOCK);
	struct image *im;
	uint8_t scratch[8];

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < NBLOCKS; i++)
		memset(bytes + i * BLOCK, (int)i + 1, BLOCK);
	assert_int_equal(image_create(temp_file(bytes, NBLOCKS * BLOCK),
			     IMAGE_PREAD, &im),
	    0);
	for (size_t i = 0; i < 5 * (size_t)NBLOCKS; i++) {
		size_t block = i * 64 % NBLOCKS;
		const uint8_t *p =
		    image_view(im, block * BLOCK + 40, 8, scratch);

		assert_non_null(p);
		assert_memory_equal(p, bytes + block * BLOCK + 40, 8);
	}
	image_destroy(im);
	free(bytes);
}

static void
test_empty(void **state)
{
	static const enum image_access ways[] = { IMAGE_AUTO, IMAGE_MAPPED,
		IMAGE_PREAD };
	uint8_t byte;

	(void)state;
	for (size_t i = 0; i < NROWS(ways); i++) {
		struct image *im;

		assert_int_equal(image_create(temp_file("", 0), ways[i], &im),
		    0);
		assert_int_equal(im->im_len, 0);
		assert_false(image_read(im, 0, &byte, 1));
		assert_true(image_read(im, 0, &byte, 0));
		image_destroy(im);
	}
	image_destroy(NULL);
}

/* More images than can be mapped at once: all of them can be read. */
static void
test_many(void **state)
{
	struct image *im[100];
	size_t nmapped = 0;

	(void)state;
	for (size_t i = 0; i < NROWS(im); i++) {
		assert_int_equal(image_create(make_file(), IMAGE_MAPPED,
				     &im[i]),
		    0);
		nmapped += im[i]->im_base != NULL;
	}
	assert_in_range(nmapped, 1, NROWS(im) - 1);
	for (size_t i = 0; i < NROWS(im); i++) {
		assert_true(reads_right(im[i], 0, file_len));
		image_destroy(im[i]);
	}
	/* The places are free again. */
	assert_int_equal(image_create(make_file(), IMAGE_MAPPED, &im[0]), 0);
	assert_non_null(im[0]->im_base);
	image_destroy(im[0]);
}

/* ---- a file that is cut short while it is open ---- */

static const struct cut_row {
	const char *name;
	size_t cut_page, cut_byte; /* where the file ends now */
	size_t page;		   /* what is read */
	ptrdiff_t byte;
	size_t len;
	bool ok;
} cut_rows[] = {
	{ "cut at a page: the page before", 3, 0, 2, 0, 100, true },
	{ "cut at a page: up to the cut", 4, 0, 3, 0, 0, true },
	{ "cut at a page: the last byte before", 4, 0, 4, -1, 1, true },
	{ "cut at a page: the first byte past it", 3, 0, 3, 0, 1, false },
	{ "cut at a page: across the cut", 3, 0, 3, -4, 8, false },
	{ "cut at a page: a later page", 3, 0, 5, 0, 8, false },
	{ "cut in a page: before the cut", 3, 100, 3, 0, 50, true },
	{ "cut in a page: up to the cut", 3, 100, 3, 0, 100, true },
	{ "cut in a page: one byte across the cut", 3, 100, 3, 0, 101, false },
	{ "cut in a page: the first byte past it", 3, 100, 3, 100, 1, false },
	{ "cut in a page: the page's last byte", 3, 100, 4, -1, 1, false },
	{ "cut in a page: across its end", 3, 100, 4, -4, 8, false },
	{ "cut in a page: a later page", 3, 100, 5, 9, 8, false },
	{ "cut in a page: the page before", 3, 100, 1, 0, 100, true },
	{ "cut in the file's own zeros: zeros that are left", 2, 4000, 2, 3000,
	    1000, true },
	{ "cut in the file's own zeros: zeros that are gone", 2, 4000, 2, 3000,
	    1001, false },
	{ "cut in the last page: before the cut", 5, 10, 5, 0, 10, true },
	{ "cut in the last page: past the cut", 5, 10, 5, 0, 11, false },
	{ "cut to one byte: it", 0, 1, 0, 0, 1, true },
	{ "cut to one byte: the next one", 0, 1, 0, 1, 1, false },
	{ "cut to nothing: the first byte", 0, 0, 0, 0, 1, false },
	{ "cut to nothing: the last byte", 0, 0, 6, -1, 1, false },
};

static void
check_cut(const struct cut_row *row, enum image_access access)
{
	size_t off = row->page * page_len + (size_t)row->byte;
	size_t cut = row->cut_page * page_len + row->cut_byte;
	struct image *im;
	int fd;

	im = open_file(access, &fd);
	assert_int_equal(ftruncate(fd, (off_t)cut), 0);
	/* The second time the image knows, and says the same. */
	for (int i = 0; i < 2; i++)
		assert_int_equal(reads_right(im, off, row->len), row->ok);
	/* The rest of the file can be read whatever happened before. */
	assert_true(reads_right(im, 0, cut));
	assert_false(reads_right(im, cut, 1));
	image_destroy(im);
}

static void
cut_mapped(const void *row)
{
	check_cut(row, IMAGE_MAPPED);
}

static void
test_cut(void **state)
{
	check_cut(*state, IMAGE_PREAD);
	assert_int_equal(run_child(cut_mapped, *state), CHILD_OK);
}

/* Page after page, and the file ends earlier and earlier meanwhile. */
static void
shrink(const void *arg)
{
	struct image *im;
	int fd;

	(void)arg;
	im = open_file(IMAGE_MAPPED, &fd);
	for (size_t page = 0; page < NPAGES; page++) {
		size_t left = (NPAGES - page) * page_len - 1;
		bool ok = (page + 1) * page_len <= left;

		assert_int_equal(ftruncate(fd, (off_t)left), 0);
		assert_int_equal(reads_right(im, page * page_len, page_len),
		    ok);
	}
	assert_null(im->im_base);
	image_destroy(im);
}

/* A cut of one file is not another's. */
static void
cut_one_of_two(const void *arg)
{
	struct image *cut, *whole, *again;
	int fd, other;

	(void)arg;
	cut = open_file(IMAGE_MAPPED, &fd);
	whole = open_file(IMAGE_MAPPED, &other);
	assert_int_equal(image_create(dup(fd), IMAGE_MAPPED, &again), 0);
	assert_int_equal(ftruncate(fd, (off_t)page_len), 0);
	assert_false(reads_right(cut, 0, file_len));
	assert_true(reads_right(whole, 0, file_len));
	assert_false(reads_right(again, 2 * page_len, 1));
	assert_null(cut->im_base);
	assert_null(again->im_base);
	assert_non_null(whole->im_base);
	image_destroy(cut);
	assert_true(reads_right(whole, 0, file_len));
	image_destroy(whole);
	image_destroy(again);
}

/* Bytes are used only after image_settle(), which is false once. */
static void
settle_once(const void *arg)
{
	uint8_t scratch[8];
	struct image *im;
	int fd;

	(void)arg;
	im = open_file(IMAGE_MAPPED, &fd);
	assert_true(image_settle(im, 0));
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_non_null(image_view(im, 3 * page_len, 8, scratch));
	assert_int_equal(*image_view(im, 3 * page_len, 8, scratch), 0);
	assert_false(image_settle(im, 0));
	assert_null(image_view(im, 3 * page_len, 8, scratch));
	assert_true(image_settle(im, 0));
	assert_int_equal(im->im_len, 0);
	image_destroy(im);
}

static const struct child_row {
	const char *name;
	void (*func)(const void *arg);
} child_rows[] = {
	{ "cut again and again during reads", shrink },
	{ "cut one of two files", cut_one_of_two },
	{ "a cut shows once, when it settles", settle_once },
};

static void
test_in_child(void **state)
{
	const struct child_row *row = *state;

	assert_int_equal(run_child(row->func, NULL), CHILD_OK);
}

int
main(void)
{
	struct CMUnitTest tests[64];
	size_t n = 0;

	page_len = (size_t)sysconf(_SC_PAGESIZE);
	file_len = NPAGES * page_len;
	/* In children: this process must not have the handler yet. */
	ADD_ROWS(tests, n, cut_rows, test_cut);
	ADD_ROWS(tests, n, child_rows, test_in_child);
	ADD_ROWS(tests, n, range_rows, test_range);
	ADD_ROWS(tests, n, view_rows, test_view);
	tests[n++] = row_test("view: many blocks", test_view_far_apart, NULL);
	tests[n++] = row_test("an empty file", test_empty, NULL);
	tests[n++] = row_test("more images than mappings", test_many, NULL);
	return (RUN_TESTS(tests, n));
}
