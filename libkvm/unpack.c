/*
 * One loop reads the packed file and feeds a decoder; the decoder's output
 * goes to the temporary file, holes for zeros.
 */
#include "libkvm/unpack.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "libkvm/sparse.h"

#define CHUNK_LEN 262144

struct unpack {
	int in_fd;  /* borrowed */
	int out_fd; /* borrowed */
	uint64_t in_len;
	uint64_t in_done;
	uint64_t out_done;
	const struct kvm_progress *progress; /* may be NULL */
	char *why;
	size_t why_len;
	uint8_t *in;  /* CHUNK_LEN */
	uint8_t *out; /* CHUNK_LEN */
};

/* Both decoders: unpack all of u->in_fd.  false: u->why. */
struct packing {
	const char *name;
	const char *suffix;
	uint8_t magic[4];
	size_t magic_len;
	bool (*unpack)(struct unpack *u);
};

static bool fail(struct unpack *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static bool
fail(struct unpack *u, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(u->why, u->why_len, fmt, ap);
	va_end(ap);
	return (false);
}

/* The next bytes of the packed file: how many, 0 at its end, -1 on error. */
static ssize_t
read_packed(struct unpack *u)
{
	ssize_t n;

	if (u->progress != NULL)
		u->progress->kpr_report(u->progress->kpr_arg, u->in_done,
		    u->in_len);
	do {
		n = read(u->in_fd, u->in, CHUNK_LEN);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		(void)fail(u, "cannot read: %s", strerror(errno));
	else
		u->in_done += (uint64_t)n;
	return (n);
}

/* Write the first len bytes of u->out. */
static bool
put_unpacked(struct unpack *u, size_t len)
{
	if (!sparse_write(u->out_fd, u->out_done, u->out, len))
		return (fail(u,
		    "cannot unpack into a temporary file (set TMPDIR to a roomier folder): %s",
		    strerror(errno)));
	u->out_done += len;
	return (true);
}

/* ---- gzip ---- */

/* As gzip(1) does: a tape or a disk has put them behind the last member. */
static void
skip_zeros(z_stream *z)
{
	while (z->avail_in > 0 && *z->next_in == 0) {
		z->next_in++;
		z->avail_in--;
	}
}

static bool
gzip_feed(struct unpack *u, z_stream *z, bool *at_end)
{
	do {
		int error;

		/* Members may follow each other. */
		if (*at_end) {
			skip_zeros(z);
			if (z->avail_in == 0)
				return (true);
			(void)inflateReset(z);
		}
		z->next_out = u->out;
		z->avail_out = CHUNK_LEN;
		error = inflate(z, Z_NO_FLUSH);
		*at_end = error == Z_STREAM_END;
		if (error != Z_OK && error != Z_STREAM_END &&
		    error != Z_BUF_ERROR)
			return (fail(u, "gzip data is damaged: %s",
			    z->msg != NULL ? z->msg : zError(error)));
		if (!put_unpacked(u, CHUNK_LEN - z->avail_out))
			return (false);
	} while (z->avail_in > 0 || z->avail_out == 0);
	return (true);
}

static bool
gzip_unpack(struct unpack *u)
{
	z_stream z = { .zalloc = Z_NULL };
	bool at_end = false;
	bool ok = true;
	ssize_t n;

	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return (fail(u, "zlib: out of memory"));
	while (ok && (n = read_packed(u)) != 0) {
		if (n < 0) {
			ok = false;
			break;
		}
		z.next_in = u->in;
		z.avail_in = (uInt)n;
		ok = gzip_feed(u, &z, &at_end);
	}
	(void)inflateEnd(&z);
	return (ok);
}

/* ---- zstd ---- */

static bool
zstd_feed(struct unpack *u, ZSTD_DStream *z, size_t len)
{
	ZSTD_inBuffer in = { .src = u->in, .size = len };
	ZSTD_outBuffer out;

	do {
		size_t error;

		out = (ZSTD_outBuffer){ .dst = u->out, .size = CHUNK_LEN };
		error = ZSTD_decompressStream(z, &out, &in);
		if (ZSTD_isError(error))
			return (fail(u, "zstd data is damaged: %s",
			    ZSTD_getErrorName(error)));
		if (!put_unpacked(u, out.pos))
			return (false);
	} while (in.pos < in.size || out.pos == out.size);
	return (true);
}

static bool
zstd_unpack(struct unpack *u)
{
	ZSTD_DStream *z = ZSTD_createDStream();
	bool ok = true;
	ssize_t n;

	if (z == NULL)
		return (fail(u, "zstd: out of memory"));
	while (ok && (n = read_packed(u)) != 0)
		ok = n > 0 && zstd_feed(u, z, (size_t)n);
	(void)ZSTD_freeDStream(z);
	return (ok);
}

/* ---- the file ---- */

static const struct packing packings[] = {
	{ "gzip", ".gz", { 0x1f, 0x8b }, 2, gzip_unpack },
	{ "zstd", ".zst", { 0x28, 0xb5, 0x2f, 0xfd }, 4, zstd_unpack },
};

#define NPACKINGS (sizeof(packings) / sizeof(packings[0]))

const char *
unpack_name(size_t i)
{
	return (i < NPACKINGS ? packings[i].name : NULL);
}

const char *
unpack_suffix(size_t i)
{
	return (i < NPACKINGS ? packings[i].suffix : NULL);
}

static const struct packing *
find_packing(int fd)
{
	uint8_t magic[4];

	if (pread(fd, magic, sizeof(magic), 0) != (ssize_t)sizeof(magic))
		return (NULL);
	for (size_t i = 0; i < NPACKINGS; i++)
		if (memcmp(magic, packings[i].magic, packings[i].magic_len) ==
		    0)
			return (&packings[i]);
	return (NULL);
}

/* An unlinked file in $TMPDIR, else in /var/tmp, where large files belong. */
static int
create_temporary(void)
{
	const char *dir = getenv("TMPDIR");
	char path[1024];
	int fd;

	if (dir == NULL || dir[0] == '\0')
		dir = "/var/tmp";
	if ((size_t)snprintf(path, sizeof(path), "%s/vmcore.XXXXXX", dir) >=
	    sizeof(path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	if ((fd = mkstemp(path)) >= 0)
		(void)unlink(path);
	return (fd);
}

static bool
unpack_all(struct unpack *u, const struct packing *packing)
{
	struct stat st;
	bool ok;

	if (fstat(u->in_fd, &st) != 0)
		return (fail(u, "%s", strerror(errno)));
	u->in_len = (uint64_t)st.st_size;
	u->in = malloc(CHUNK_LEN);
	u->out = malloc(CHUNK_LEN);
	if (u->in == NULL || u->out == NULL)
		ok = fail(u, "out of memory");
	else
		ok = packing->unpack(u);
	free(u->in);
	free(u->out);
	/* A hole at the end does not make the file longer by itself. */
	if (ok && ftruncate(u->out_fd, (off_t)u->out_done) != 0)
		ok = fail(u, "%s", strerror(errno));
	return (ok);
}

/* The temporary file with what fd holds, or -1; fd is closed. */
static int
unpack_fd(int fd, const struct packing *packing,
    const struct kvm_progress *progress, char *why, size_t len)
{
	struct unpack u = { .in_fd = fd,
		.progress = progress,
		.why = why,
		.why_len = len };
	bool ok;

	if ((u.out_fd = create_temporary()) < 0) {
		(void)fail(&u,
		    "cannot create a temporary file to unpack into (set TMPDIR): %s",
		    strerror(errno));
		(void)close(fd);
		return (-1);
	}
	ok = unpack_all(&u, packing);
	(void)close(fd);
	if (!ok) {
		(void)close(u.out_fd);
		return (-1);
	}
	if (progress != NULL)
		progress->kpr_report(progress->kpr_arg, u.in_len, u.in_len);
	return (u.out_fd);
}

int
unpack_open(const char *path, const struct kvm_progress *progress, char *why,
    size_t len)
{
	const struct packing *packing;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st) != 0) {
		(void)snprintf(why, len, "%s", strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return (-1);
	}
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		(void)snprintf(why, len, "not a regular file or a disk");
		(void)close(fd);
		return (-1);
	}
	packing = find_packing(fd);
	return (packing == NULL ? fd :
				  unpack_fd(fd, packing, progress, why, len));
}

bool
unpack_is_packed(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool packed = fd >= 0 && find_packing(fd) != NULL;

	if (fd >= 0)
		(void)close(fd);
	return (packed);
}
