/* Spans and integers. */
#include "format/bytes.h"

#include "tests/support/unit.h"

static const struct span_row {
	const char *name;
	uint64_t off, n;
	bool ok;
} span_rows[] = {
	{ "span: all of it", 0, 8, true },
	{ "span: nothing at its end", 8, 0, true },
	{ "span: its last byte", 7, 1, true },
	{ "span: one past the end", 8, 1, false },
	{ "span: one too many", 0, 9, false },
	{ "span: starts past the end", 9, 0, false },
	{ "span: off + n wraps", UINT64_MAX, 2, false },
	{ "span: n is the largest", 1, UINT64_MAX, false },
};

static void
test_span(void **state)
{
	const struct span_row *row = *state;
	static const uint8_t bytes[8];
	struct span s = { .base = bytes, .len = sizeof(bytes) };
	struct span out = { .base = NULL, .len = 99 };

	assert_int_equal(span_sub(s, row->off, row->n, &out), row->ok);
	if (row->ok) {
		assert_ptr_equal(out.base, bytes + row->off);
		assert_int_equal(out.len, row->n);
	} else {
		assert_null(out.base);
		assert_int_equal(out.len, 99);
	}
}

static const uint8_t digits[] = { 0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7,
	0xf8 };

static void
test_decode_little(void **state)
{
	(void)state;
	assert_int_equal(dec16(ORDER_LITTLE, digits), 0x9281);
	assert_int_equal(dec32(ORDER_LITTLE, digits), 0xb4a39281);
	assert_true(dec64(ORDER_LITTLE, digits) ==
	    UINT64_C(0xf8e7d6c5b4a39281));
}

static void
test_decode_big(void **state)
{
	(void)state;
	assert_int_equal(dec16(ORDER_BIG, digits), 0x8192);
	assert_int_equal(dec32(ORDER_BIG, digits), 0x8192a3b4);
	assert_true(dec64(ORDER_BIG, digits) == UINT64_C(0x8192a3b4c5d6e7f8));
}

static void
test_encode(void **state)
{
	uint8_t buf[8];

	(void)state;
	le64enc(buf, UINT64_C(0xf8e7d6c5b4a39281));
	assert_memory_equal(buf, digits, 8);
	be64enc(buf, UINT64_C(0x8192a3b4c5d6e7f8));
	assert_memory_equal(buf, digits, 8);
	le32enc(buf, 0xb4a39281);
	be32enc(buf + 4, 0xc5d6e7f8);
	assert_memory_equal(buf, digits, 8);
	le16enc(buf, 0x9281);
	assert_memory_equal(buf, digits, 8);
}

int
main(void)
{
	struct CMUnitTest tests[32];
	size_t n = 0;

	ADD_ROWS(tests, n, span_rows, test_span);
	tests[n++] =
	    row_test("decode, little-endian", test_decode_little, NULL);
	tests[n++] = row_test("decode, big-endian", test_decode_big, NULL);
	tests[n++] = row_test("encode", test_encode, NULL);
	return (RUN_TESTS(tests, n));
}
