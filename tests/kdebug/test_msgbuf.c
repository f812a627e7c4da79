/* The message buffer: from memory, from the minidump's copy, or not at all. */
#include <string.h>

#include "tests/kdebug/kernel.h"
#include "tests/support/unit.h"

#define MSGBUFP_VA UINT64_C(0xffffffff81400000)
#define STRUCT_VA  UINT64_C(0xfffff80000101000)
#define RING_VA	   UINT64_C(0xfffff80000100ff8) /* crosses into a page */
#define RING_LEN   16

/* What was handed out. */
struct got {
	char text[64];
	size_t len;
};

static void
collect(void *arg, const char *bytes, size_t len)
{
	struct got *got = arg;

	assert_true(len > 0 && len <= sizeof(got->text) - got->len);
	memcpy(got->text + got->len, bytes, len);
	got->len += len;
}

/* The text of a part must be this. */
static void
expect_text(struct kernel *k, enum kdebug_msgbuf_part part, const char *want)
{
	struct got got = { .len = 0 };

	assert_int_equal(kdebug_msgbuf(kernel_open(k), part, collect, &got),
	    strlen(want));
	assert_int_equal(got.len, strlen(want));
	assert_memory_equal(got.text, want, got.len);
}

/* struct msgbuf, LP64; the kernel has written wseq bytes. */
static void
encode(uint8_t bytes[40], uint32_t wseq, uint32_t rseq)
{
	memset(bytes, 0, 40);
	le64enc(bytes, RING_VA);
	le32enc(bytes + 8, 0x063062);
	le32enc(bytes + 12, RING_LEN);
	le32enc(bytes + 16, wseq);
	le32enc(bytes + 20, rseq);
	le32enc(bytes + 28, 16 * RING_LEN);
}

static void
setup(struct kernel *k, const char ring[RING_LEN + 1], uint32_t wseq,
    uint32_t rseq)
{
	uint8_t bytes[40];

	kernel_init(k, ARCH_AMD64);
	fake_symbol(k->k_kd, "msgbufp", MSGBUFP_VA, 8);
	fake_word(k->k_kd, MSGBUFP_VA, STRUCT_VA + 0x100);
	encode(bytes, wseq, rseq);
	fake_put(k->k_kd, STRUCT_VA + 0x100, bytes, sizeof(bytes));
	fake_put(k->k_kd, RING_VA, ring, RING_LEN);
}

static const struct text_row {
	const char *name;
	const char *ring; /* . is NUL */
	uint32_t wseq, rseq;
	enum kdebug_msgbuf_part part;
	const char *text;
	const char *note; /* NULL: none is asked for */
} text_rows[] = {
	{ "not full yet", "hello.world.....", 12, 0, KDEBUG_MSGBUF_ALL,
	    "helloworld", NULL },
	{ "gone round", "67890abcdef12345", 27, 0, KDEBUG_MSGBUF_ALL,
	    "1234567890abcdef", NULL },
	{ "unread", "67890abcdef12345", 27, 20, KDEBUG_MSGBUF_UNREAD, "0abcdef",
	    NULL },
	{ "unread, over the end", "67890abcdef12345", 21, 13,
	    KDEBUG_MSGBUF_UNREAD, "34567890", NULL },
	{ "all read", "67890abcdef12345", 27, 27, KDEBUG_MSGBUF_UNREAD, "",
	    "nothing unread" },
	{ "empty", "................", 0, 0, KDEBUG_MSGBUF_ALL, "",
	    "nothing in the message" },
};

static void
test_text(void **state)
{
	const struct text_row *row = *state;
	char ring[RING_LEN + 1];
	struct kernel k;

	for (size_t i = 0; i <= RING_LEN; i++)
		ring[i] = row->ring[i] == '.' ? '\0' : row->ring[i];
	setup(&k, ring, row->wseq, row->rseq);
	expect_text(&k, row->part, row->text);
	assert_true(row->note == NULL || has_note(k.k_kdb, row->note));
	kernel_fini(&k);
}

/* Half of the ring is not in memory: the other half is shown. */
static void
test_half(void **state)
{
	struct kernel k;
	(void)state;
	setup(&k, "12345678abcdefgh", 16, 0);
	fake_drop(k.k_kd, RING_VA);
	expect_text(&k, KDEBUG_MSGBUF_ALL, "abcdefgh");
	assert_true(has_note(k.k_kdb, "parts of it"));
	kernel_fini(&k);
}

static void
test_ring_from_section(void **state)
{
	struct kernel k;
	(void)state;
	setup(&k, "12345678abcdefgh", 20, 0);
	fake_drop(k.k_kd, RING_VA);
	fake_set_msgbuf(k.k_kd, "12345678abcdefgh", RING_LEN, "", 1);
	expect_text(&k, KDEBUG_MSGBUF_ALL, "5678abcdefgh1234");
	kernel_fini(&k);
}

static void
test_struct_from_section(void **state)
{
	uint8_t bytes[40];
	struct kernel k;
	(void)state;
	kernel_init(&k, ARCH_AMD64);
	encode(bytes, 20, 0);
	fake_set_msgbuf(k.k_kd, "12345678abcdefgh", RING_LEN, bytes,
	    sizeof(bytes));
	expect_text(&k, KDEBUG_MSGBUF_ALL, "5678abcdefgh1234");
	kernel_fini(&k);
}

static void
test_no_struct(void **state)
{
	struct kernel k;
	(void)state;
	kernel_init(&k, ARCH_AMD64);
	fake_set_msgbuf(k.k_kd, "12345678abcdefgh", RING_LEN, "", 1);
	expect_text(&k, KDEBUG_MSGBUF_ALL, "12345678abcdefgh");
	assert_true(has_note(k.k_kdb, "no symbol msgbufp"));
	assert_true(has_note(k.k_kdb, "from its start"));
	kernel_fini(&k);
}

/* What was not read is not known, and no other text is given for it. */
static void
test_no_struct_unread(void **state)
{
	struct got got = { .len = 0 };
	struct kernel k;

	(void)state;
	kernel_init(&k, ARCH_AMD64);
	fake_set_msgbuf(k.k_kd, "12345678abcdefgh", RING_LEN, "", 1);
	assert_int_equal(kdebug_msgbuf(kernel_open(&k), KDEBUG_MSGBUF_UNREAD,
			     collect, &got),
	    -1);
	assert_int_equal(got.len, 0);
	assert_true(has_note(k.k_kdb, "only struct msgbuf"));
	kernel_fini(&k);
}

/* An empty ring is empty, wherever it starts. */
static void
test_no_struct_empty(void **state)
{
	static const char zeros[RING_LEN];
	struct kernel k;

	(void)state;
	kernel_init(&k, ARCH_AMD64);
	fake_set_msgbuf(k.k_kd, zeros, RING_LEN, "", 1);
	expect_text(&k, KDEBUG_MSGBUF_ALL, "");
	assert_true(has_note(k.k_kdb, "nothing in the message buffer"));
	assert_false(has_note(k.k_kdb, "from its start"));
	kernel_fini(&k);
}

/* Nor is one that is not in the dump called empty. */
static void
test_no_ring(void **state)
{
	struct got got = { .len = 0 };
	struct kernel k;

	(void)state;
	setup(&k, "12345678abcdefgh", 16, 0);
	fake_u64(k.k_kd, STRUCT_VA + 0x100, RING_VA + 0x100000);
	assert_int_equal(kdebug_msgbuf(kernel_open(&k), KDEBUG_MSGBUF_ALL,
			     collect, &got),
	    -1);
	assert_true(has_note(k.k_kdb, "message buffer: not in the dump"));
	assert_false(has_note(k.k_kdb, "nothing in"));
	kernel_fini(&k);
}

/* Of a ring of 255 MB the last 16 are shown. */
static void
test_long_ring(void **state)
{
	const uint32_t ring_len = 255u << 20;
	struct kernel k;

	(void)state;
	setup(&k, "newest!!too old.", 8, 0);
	fake_u32(k.k_kd, STRUCT_VA + 0x100 + 12, ring_len);
	fake_u32(k.k_kd, STRUCT_VA + 0x100 + 28, ring_len);
	fake_string(k.k_kd, RING_VA + 0x10000, "too old");
	fake_string(k.k_kd, RING_VA + ring_len - 0x10000, "new enough, ");
	expect_text(&k, KDEBUG_MSGBUF_ALL, "new enough, newest!!");
	assert_true(has_note(k.k_kdb, "only its newest 16 MiB"));
	kernel_fini(&k);
}

static void
zero_magic(struct kernel *k)
{
	fake_u32(k->k_kd, STRUCT_VA + 0x100 + 8, 0);
}

static void
huge_ring(struct kernel *k)
{
	fake_u32(k->k_kd, STRUCT_VA + 0x100 + 12, 0x80000000);
	fake_u32(k->k_kd, STRUCT_VA + 0x100 + 28, 0x80000000);
}

static void
no_memory(struct kernel *k)
{
	fake_drop(k->k_kd, MSGBUFP_VA);
}

static const struct none_row {
	const char *name;
	void (*change)(struct kernel *);
	const char *note;
} none_rows[] = {
	{ "a wrong magic number", zero_magic, "wrong magic" },
	{ "a ring of 2 GB", huge_ring, "too large" },
	{ "the pointer is missing", no_memory, "not in the dump" },
};

static void
test_none(void **state)
{
	const struct none_row *row = *state;
	struct got got = { .len = 0 };
	struct kernel k;

	setup(&k, "12345678abcdefgh", 16, 0);
	row->change(&k);
	assert_int_equal(kdebug_msgbuf(kernel_open(&k), KDEBUG_MSGBUF_ALL,
			     collect, &got),
	    -1);
	assert_true(has_note(k.k_kdb, row->note));
	kernel_fini(&k);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(text_rows) + NROWS(none_rows) + 8] = {
		cmocka_unit_test(test_half),
		cmocka_unit_test(test_ring_from_section),
		cmocka_unit_test(test_struct_from_section),
		cmocka_unit_test(test_no_struct),
		cmocka_unit_test(test_no_struct_unread),
		cmocka_unit_test(test_no_struct_empty),
		cmocka_unit_test(test_no_ring),
		cmocka_unit_test(test_long_ring),
	};
	size_t n = 8;

	ADD_ROWS(tests, n, text_rows, test_text);
	ADD_ROWS(tests, n, none_rows, test_none);
	return (RUN_TESTS(tests, n));
}
