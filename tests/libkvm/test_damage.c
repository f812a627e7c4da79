/* What is damaged of a file, and how an image reads around it. */
#include "libkvm/damage.h"

#include <string.h>

#include "libkvm/image.h"
#include "tests/support/temp.h"
#include "tests/support/unit.h"

/* 0 to 100: good, unverified to 200, good, lost from 300 to 400, good. */
static void
make(struct damage *dm)
{
	*dm = (struct damage){ .dmg_runs = NULL };
	assert_true(damage_add(dm, 100, 200, DAMAGE_UNVERIFIED));
	assert_true(damage_add(dm, 250, 250, DAMAGE_LOST));
	assert_true(damage_add(dm, 300, 400, DAMAGE_LOST));
	assert_int_equal(dm->dmg_nruns, 2);
	assert_int_equal(damage_total(dm, DAMAGE_UNVERIFIED), 100);
	assert_int_equal(damage_total(dm, DAMAGE_LOST), 100);
}

static const struct at_row {
	const char *name;
	uint64_t off, len;
	bool inside;
	uint64_t alike;
	enum damage_kind kind;
} at_rows[] = {
	{ "before all", 0, 50, false, 50, 0 },
	{ "up to a run", 0, 1000, false, 100, 0 },
	{ "the first byte of a run", 100, 1, true, 1, DAMAGE_UNVERIFIED },
	{ "the rest of a run", 150, 1000, true, 50, DAMAGE_UNVERIFIED },
	{ "the last byte of a run", 199, 2, true, 1, DAMAGE_UNVERIFIED },
	{ "between runs", 200, 1000, false, 100, 0 },
	{ "the next run", 300, 1000, true, 100, DAMAGE_LOST },
	{ "after all", 400, 1000, false, 1000, 0 },
};

static void
test_at(void **state)
{
	const struct at_row *row = *state;
	struct damage dm;
	uint64_t len = row->len;
	enum damage_kind kind = DAMAGE_LOST;

	make(&dm);
	assert_int_equal(damage_at(&dm, row->off, &len, &kind), row->inside);
	assert_int_equal(len, row->alike);
	if (row->inside)
		assert_int_equal(kind, row->kind);
	damage_fini(&dm);
}

static const struct read_row {
	const char *name;
	uint64_t off;
	size_t len;
	bool strict;
	size_t got;
	bool lost, unverified;
} read_rows[] = {
	{ "reads good bytes", 0, 100, false, 100, false, false },
	{ "reads unverified bytes, and remembers", 50, 100, false, 100, false,
	    true },
	{ "strict: reads up to what is unverified", 50, 100, true, 50, true,
	    false },
	{ "reads up to what is lost", 250, 100, false, 50, true, false },
	{ "reads nothing of what is lost", 399, 1, false, 0, true, false },
	{ "reads after what is lost", 400, 100, false, 100, false, false },
	{ "reads up to the end of the file", 450, 100, false, 50, false,
	    false },
};

static void
test_read(void **state)
{
	const struct read_row *row = *state;
	uint8_t bytes[500], buf[100], scratch[100];
	struct image *im;
	struct damage dm;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	make(&dm);
	assert_int_equal(image_create(temp_file(bytes, sizeof(bytes)),
			     IMAGE_PREAD, &im),
	    0);
	image_set_damage(im, &dm, row->strict);
	assert_int_equal(image_pread_some(im, row->off, buf, row->len),
	    row->got);
	assert_memory_equal(buf, bytes + row->off, row->got);
	assert_int_equal(im->im_is_lost, row->lost);
	assert_int_equal(im->im_gave_unverified, row->unverified);
	assert_int_equal(im->im_met_lost, row->lost);
	/* The other ways agree. */
	assert_int_equal(image_read(im, row->off, buf, row->len),
	    row->got == row->len);
	assert_int_equal(im->im_is_lost, row->lost);
	assert_int_equal(image_view(im, row->off, row->len, scratch) != NULL,
	    row->got == row->len);
	assert_int_equal(im->im_is_lost, row->lost);
	image_destroy(im);
}

/* What was lost is a hole of the file, but not of zeros. */
static void
test_holes(void **state)
{
	static uint8_t bytes[65536];
	struct image_extent data;
	struct image *im;
	struct damage dm;

	(void)state;
	make(&dm);
	assert_int_equal(image_create(temp_file(bytes, sizeof(bytes)),
			     IMAGE_PREAD, &im),
	    0);
	image_set_damage(im, &dm, false);
	data = image_next_data(im, 0);
	assert_int_equal(data.ext_start, 0);
	assert_int_equal(data.ext_end, sizeof(bytes));
	image_destroy(im);
}

/* What was found again is all in doubt, whatever was known of it. */
static void
test_doubt(void **state)
{
	enum damage_kind kind;
	uint64_t len = 500;
	struct damage dm;

	(void)state;
	make(&dm);
	assert_true(damage_doubt(&dm, 250, 500));
	assert_false(damage_at(&dm, 200, &len, &kind));
	assert_int_equal(len, 50);
	len = 500;
	assert_true(damage_at(&dm, 250, &len, &kind));
	assert_int_equal(len, 250);
	assert_int_equal(kind, DAMAGE_UNVERIFIED);
	damage_fini(&dm);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(at_rows) + NROWS(read_rows) + 2];
	size_t n = 0;

	ADD_ROWS(tests, n, at_rows, test_at);
	ADD_ROWS(tests, n, read_rows, test_read);
	tests[n++] = row_test("lost bytes are no hole", test_holes, NULL);
	tests[n++] = row_test("found again, and in doubt", test_doubt, NULL);
	return (RUN_TESTS(tests, n));
}
