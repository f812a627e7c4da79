/*
 * Compressed files: what they unpack to, and what is said of those that cannot
 * be unpacked.
 */
#include "libkvm/unpack.h"

#include <sys/stat.h>

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "tests/support/child.h"
#include "tests/support/temp.h"
#include "tests/support/unit.h"

#define DATA_LEN 400000
#define PACK_MAX (2 * DATA_LEN + 1000)

/* unpack.c reads so much at once; what ends there is a case of its own. */
#define CHUNK_LEN 262144

static uint8_t data[DATA_LEN]; /* what the files hold */

struct packed {
	uint8_t bytes[PACK_MAX];
	size_t len;
};

/* Nothing that can be made smaller, so that no cut loses all of it. */
static void
make_data(void)
{
	uint64_t random = 88172645463325252;

	for (size_t i = 0; i < sizeof(data); i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		data[i] = (uint8_t)(random >> 32);
	}
}

/* ---- packing ---- */

/* A gzip member, made longer by as many bytes of a file name. */
static void
add_gzip(struct packed *out, const uint8_t *p, size_t len, size_t name_len)
{
	z_stream z = { .zalloc = Z_NULL };
	gz_header header = { .os = 3 };
	uint8_t *name = calloc(1, name_len + 1);

	assert_non_null(name);
	memset(name, 'n', name_len);
	header.name = name_len > 0 ? name : Z_NULL;
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8,
			     Z_DEFAULT_STRATEGY),
	    Z_OK);
	assert_int_equal(deflateSetHeader(&z, &header), Z_OK);
	z.next_in = (uint8_t *)(uintptr_t)p;
	z.avail_in = (uInt)len;
	z.next_out = out->bytes + out->len;
	z.avail_out = (uInt)(PACK_MAX - out->len);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->len = PACK_MAX - z.avail_out;
	(void)deflateEnd(&z);
	free(name);
}

static void
add_zstd(struct packed *out, const uint8_t *p, size_t len)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();
	size_t n;

	assert_non_null(z);
	(void)ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	n = ZSTD_compress2(z, out->bytes + out->len, PACK_MAX - out->len, p,
	    len);
	assert_false(ZSTD_isError(n));
	out->len += n;
	(void)ZSTD_freeCCtx(z);
}

static void
pack_plain(struct packed *out)
{
	memcpy(out->bytes, data, DATA_LEN);
	out->len = DATA_LEN;
}

static void
pack_gzip(struct packed *out)
{
	add_gzip(out, data, DATA_LEN, 0);
}

static void
pack_gzip_members(struct packed *out)
{
	add_gzip(out, data, 1000, 0);
	add_gzip(out, data + 1000, 0, 0);
	add_gzip(out, data + 1000, DATA_LEN - 1000, 0);
}

/* The first member ends exactly where the first chunk does. */
static void
pack_gzip_at_chunk(struct packed *out)
{
	size_t half = DATA_LEN / 2;

	add_gzip(out, data, half, 0);
	assert_in_range(out->len, 1, CHUNK_LEN - 2);
	half = CHUNK_LEN - out->len - 1; /* the name's NUL */
	out->len = 0;
	add_gzip(out, data, DATA_LEN / 2, half);
	assert_int_equal(out->len, CHUNK_LEN);
	add_gzip(out, data + DATA_LEN / 2, DATA_LEN - DATA_LEN / 2, 0);
}

static void
pack_zstd(struct packed *out)
{
	add_zstd(out, data, DATA_LEN);
}

static void
pack_zstd_frames(struct packed *out)
{
	static const uint8_t skippable[] = { 0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0,
		'x', 'y', 'z' };

	add_zstd(out, data, 1000);
	memcpy(out->bytes + out->len, skippable, sizeof(skippable));
	out->len += sizeof(skippable);
	add_zstd(out, data + 1000, DATA_LEN - 1000);
}

static void
cut_in_half(struct packed *out)
{
	out->len /= 2;
}

static void
cut_end(struct packed *out)
{
	out->len -= 3;
}

static void
damage_middle(struct packed *out)
{
	out->bytes[out->len / 2] ^= 0x10;
}

static void
damage_tail(struct packed *out)
{
	memcpy(out->bytes + out->len, "this is no member and no frame", 30);
	out->len += 30;
}

/* More than one read's worth. */
static void
pad(struct packed *out)
{
	memset(out->bytes + out->len, 0, CHUNK_LEN + 512);
	out->len += CHUNK_LEN + 512;
}

static void
pad_and_damage(struct packed *out)
{
	pad(out);
	damage_tail(out);
}

static void
one_byte_short_of_magic(struct packed *out)
{
	out->len = 3;
}

/* ---- unpacking ---- */

static int
unpack(const struct packed *packed, const struct kvm_progress *progress,
    char why[256])
{
	char path[TEMP_PATH_LEN];
	int fd;

	why[0] = '\0';
	temp_named(packed->bytes, packed->len, path);
	fd = unpack_open(path, progress, why, 256);
	(void)unlink(path);
	return (fd);
}

/* How much of data the file holds; it holds nothing else. */
static size_t
length_of(int fd)
{
	static uint8_t got[DATA_LEN + 1];
	ssize_t n = pread(fd, got, sizeof(got), 0);

	assert_in_range(n, 0, DATA_LEN);
	assert_memory_equal(got, data, (size_t)n);
	return ((size_t)n);
}

static const struct pack_row {
	const char *name;
	void (*pack)(struct packed *out);
	void (*change)(struct packed *out); /* may be NULL */
	size_t min_len, max_len;	    /* what is left of data */
	const char *why;		    /* or why it is refused */
} pack_rows[] = {
	{ "plain", pack_plain, NULL, DATA_LEN, DATA_LEN, NULL },
	{ "gzip", pack_gzip, NULL, DATA_LEN, DATA_LEN, NULL },
	{ "gzip: three members, one of them empty", pack_gzip_members, NULL,
	    DATA_LEN, DATA_LEN, NULL },
	{ "gzip: a member ends where a read does", pack_gzip_at_chunk, NULL,
	    DATA_LEN, DATA_LEN, NULL },
	{ "gzip: zeros after the last member", pack_gzip, pad, DATA_LEN,
	    DATA_LEN, NULL },
	{ "zstd", pack_zstd, NULL, DATA_LEN, DATA_LEN, NULL },
	{ "zstd: two frames and one to skip", pack_zstd_frames, NULL, DATA_LEN,
	    DATA_LEN, NULL },
	{ "gzip: cut in half", pack_gzip, cut_in_half, 1, DATA_LEN - 1, NULL },
	{ "zstd: cut in half", pack_zstd, cut_in_half, 1, DATA_LEN - 1, NULL },
	{ "gzip: its last bytes are missing", pack_gzip, cut_end, DATA_LEN,
	    DATA_LEN, NULL },
	{ "zstd: its last bytes are missing", pack_zstd, cut_end, 1, DATA_LEN,
	    NULL },
	{ "three bytes are too few to be packed", pack_plain,
	    one_byte_short_of_magic, 3, 3, NULL },
	{ "refuses: gzip damaged in the middle", pack_gzip, damage_middle, 0, 0,
	    "gzip data is damaged" },
	{ "refuses: zstd damaged in the middle", pack_zstd, damage_middle, 0, 0,
	    "zstd data is damaged" },
	{ "refuses: text after the last gzip member", pack_gzip, damage_tail, 0,
	    0, "gzip data is damaged" },
	{ "refuses: text after zeros after gzip", pack_gzip, pad_and_damage, 0,
	    0, "gzip data is damaged" },
	{ "refuses: text after the last zstd frame", pack_zstd, damage_tail, 0,
	    0, "zstd data is damaged" },
};

static void
test_pack(void **state)
{
	const struct pack_row *row = *state;
	static struct packed packed;
	char why[256];
	int fd;

	packed.len = 0;
	row->pack(&packed);
	if (row->change != NULL)
		row->change(&packed);
	fd = unpack(&packed, NULL, why);
	if (row->why != NULL) {
		assert_int_equal(fd, -1);
		if (strstr(why, row->why) == NULL)
			fail_msg("refused, but because of: %s", why);
		return;
	}
	if (fd < 0)
		fail_msg("%s", why);
	assert_in_range(length_of(fd), row->min_len, row->max_len);
	(void)close(fd);
}

/* A dump is mostly zeros; they take no space, wherever they are. */
static void
test_holes(void **state)
{
	enum { LEN = 16 * 1048576, AT = 5000001 };
	uint8_t *bytes = calloc(1, LEN);
	uint8_t *got = malloc(LEN);
	static struct packed packed;
	struct stat st;
	char why[256];
	int fd;

	(void)state;
	assert_non_null(bytes);
	assert_non_null(got);
	memcpy(bytes + AT, data, 10000);
	packed.len = 0;
	add_zstd(&packed, bytes, LEN);
	fd = unpack(&packed, NULL, why);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, LEN);
	assert_in_range(st.st_blocks, 1, LEN / 512 / 4);
	assert_int_equal(pread(fd, got, LEN, 0), LEN);
	assert_memory_equal(got, bytes, LEN);
	(void)close(fd);
	free(got);
	free(bytes);
}

/* ---- progress ---- */

struct reports {
	uint64_t first, last, total;
	unsigned int n;
	bool goes_back;
};

static void
on_report(void *arg, uint64_t done, uint64_t total)
{
	struct reports *r = arg;

	if (r->n++ == 0)
		r->first = done;
	r->goes_back = r->goes_back || done < r->last;
	r->last = done;
	r->total = total;
}

static void
test_progress(void **state)
{
	struct reports r = { .first = 99 };
	struct kvm_progress progress = { .kpr_report = on_report,
		.kpr_arg = &r };
	static struct packed packed;
	char why[256];
	int fd;

	(void)state;
	packed.len = 0;
	pack_gzip(&packed);
	fd = unpack(&packed, &progress, why);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_in_range(r.n, 3, 100);
	assert_int_equal(r.first, 0);
	assert_int_equal(r.last, packed.len);
	assert_int_equal(r.total, packed.len);
	assert_false(r.goes_back);
	/* A file that is not packed is no long operation. */
	r.n = 0;
	packed.len = 0;
	pack_plain(&packed);
	(void)close(unpack(&packed, &progress, why));
	assert_int_equal(r.n, 0);
}

/* ---- where it unpacks to ---- */

static size_t
count_files(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return (n - 2);
}

static void
unpack_in(const void *arg)
{
	const char *dir = arg;
	static struct packed packed;
	char path[TEMP_PATH_LEN];
	char why[256];
	int fd;

	pack_gzip(&packed);
	temp_named(packed.bytes, packed.len, path);
	assert_int_equal(setenv("TMPDIR", dir, 1), 0);
	fd = unpack_open(path, NULL, why, sizeof(why));
	(void)unlink(path);
	if (fd < 0) {
		assert_non_null(strstr(why, "TMPDIR"));
		_exit(2);
	}
	assert_int_equal(length_of(fd), DATA_LEN);
}

static void
test_tmpdir(void **state)
{
	char dir[] = "/tmp/vmcore-test.XXXXXX";
	char none[sizeof(dir) + 8];

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(none, sizeof(none), "%s/none", dir);
	assert_int_equal(run_child(unpack_in, dir), CHILD_OK);
	assert_int_equal(count_files(dir), 0);
	assert_int_equal(run_child(unpack_in, none), 2);
	assert_int_equal(run_child(unpack_in, ""), CHILD_OK);
	assert_int_equal(rmdir(dir), 0);
}

static void
test_tmpdir_too_long(void **state)
{
	static char dir[2000];

	(void)state;
	memset(dir, 'd', sizeof(dir) - 1);
	assert_int_equal(run_child(unpack_in, dir), 2);
}

/* ---- what is no file ---- */

static void
open_special(const void *path)
{
	char why[256];

	assert_int_equal(unpack_open(path, NULL, why, sizeof(why)), -1);
	(void)alarm(0);
	_exit(strstr(why, "not a regular file") != NULL	   ? 2 :
		strstr(why, "No such file or dir") != NULL ? 3 :
							     4);
}

/* Nobody writes to the FIFO: waiting for that would be for ever. */
static void
test_special(void **state)
{
	char dir[] = "/tmp/vmcore-test.XXXXXX";
	char fifo[sizeof(dir) + 8];

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	assert_int_equal(run_child(open_special, fifo), 3);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(run_child(open_special, fifo), 2);
	assert_int_equal(run_child(open_special, dir), 2);
	assert_int_equal(run_child(open_special, "/dev/null"), 2);
	assert_int_equal(unlink(fifo), 0);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	struct CMUnitTest tests[32];
	size_t n = 0;

	make_data();
	ADD_ROWS(tests, n, pack_rows, test_pack);
	tests[n++] = row_test("zeros become holes", test_holes, NULL);
	tests[n++] = row_test("progress", test_progress, NULL);
	tests[n++] =
	    row_test("TMPDIR: left empty, missing, unset", test_tmpdir, NULL);
	tests[n++] = row_test("TMPDIR: too long", test_tmpdir_too_long, NULL);
	tests[n++] = row_test("FIFO, directory, device, nothing: refused",
	    test_special, NULL);
	return (RUN_TESTS(tests, n));
}
