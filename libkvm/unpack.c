/*
 * Opening what may be compressed: see unpack.h.  The decoders are in files of
 * their own; here is what they share, and which there are.
 */
#include "libkvm/unpack.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/foreign.h"
#include "libkvm/unpack_int.h"

/* A kind of compression. */
struct packing {
	const char *pk_name;
	const char *pk_suffix;
	uint8_t pk_magic[6];
	size_t pk_magic_len;
	void (*pk_unpack)(struct unpack *u); /* NULL: not in this build */
	const char *pk_library;		     /* which then is missing */
};

#ifndef HAVE_LIBLZMA
#define unpack_xz NULL
#endif
#ifndef HAVE_LIBARCHIVE
#define unpack_archive NULL
#endif

static const struct packing packings[] = {
	{ "gzip", ".gz", { 0x1f, 0x8b }, 2, unpack_gzip, NULL },
	{ "zstd", ".zst", { 0x28, 0xb5, 0x2f, 0xfd }, 4, unpack_zstd, NULL },
	{ "xz", ".xz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, unpack_xz,
	    "liblzma" },
	{ "bzip2", ".bz2", { 'B', 'Z', 'h' }, 3, unpack_archive, "libarchive" },
	{ "lz4", ".lz4", { 0x04, 0x22, 0x4d, 0x18 }, 4, unpack_archive,
	    "libarchive" },
};

#define NPACKINGS (sizeof(packings) / sizeof(packings[0]))

/* The i-th of those that this build has; NULL: there are no more. */
static const struct packing *
nth_packing(size_t i)
{
	for (size_t j = 0; j < NPACKINGS; j++)
		if (packings[j].pk_unpack != NULL && i-- == 0)
			return (&packings[j]);
	return (NULL);
}

const char *
unpack_name(size_t i)
{
	const struct packing *packing = nth_packing(i);

	return (packing != NULL ? packing->pk_name : NULL);
}

const char *
unpack_suffix(size_t i)
{
	const struct packing *packing = nth_packing(i);

	return (packing != NULL ? packing->pk_suffix : NULL);
}

/* ---- for the decoders ---- */

bool
unpack_fail(struct unpack *u, int error, const char *fmt, ...)
{
	va_list ap;

	if (u->up_errno != 0)
		return (false);
	u->up_errno = error;
	va_start(ap, fmt);
	(void)vsnprintf(u->up_why, u->up_why_len, fmt, ap);
	va_end(ap);
	return (false);
}

size_t
unpack_read(struct unpack *u)
{
	const struct kvm_progress *progress = u->up_how->uh_progress;
	ssize_t n;

	if (progress != NULL)
		progress->kpr_report(progress->kpr_arg, u->up_in_done,
		    u->up_in_len);
	do {
		n = read(u->up_in_fd, u->up_in, UNPACK_CHUNK_LEN);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		(void)unpack_fail(u, EIO, "cannot read: %s", strerror(errno));
		return (0);
	}
	u->up_in_done += (uint64_t)n;
	return ((size_t)n);
}

bool
unpack_read_at(struct unpack *u, uint64_t off)
{
	if (lseek(u->up_in_fd, (off_t)off, SEEK_SET) < 0)
		return (unpack_fail(u, EIO, "cannot read: %s",
		    strerror(errno)));
	u->up_in_done = off;
	return (true);
}

static bool
spooled(struct unpack *u, enum spool_result result)
{
	if (result == SPOOL_ERROR)
		return (unpack_fail(u, EIO,
		    "cannot unpack into a temporary file (set TMPDIR to a roomier folder): %s",
		    strerror(errno)));
	if (result == SPOOL_LIMIT)
		return (unpack_fail(u, EINVAL,
		    "unpacks to more than %" PRIu64 " MB, or than %" PRIu64
		    " MB with its zeros, which no dump does: " SPOOL_NOLIMIT
		    "=1 in the environment unpacks it all the same",
		    u->up_spool.spl_max_disk >> 20,
		    u->up_spool.spl_max_len >> 20));
	return (true);
}

/* Ask whether a file that starts like this is wanted.  false: it is not. */
static bool
check_start(struct unpack *u)
{
	uint8_t start[FOREIGN_HEAD_LEN];
	ssize_t n;

	u->up_is_checked = true;
	if (u->up_how->uh_wanted == NULL)
		return (true);
	n = pread(u->up_spool.spl_fd, start, sizeof(start), 0);
	/* Zeros at the end are not in the file yet: they decide nothing. */
	u->up_is_unwanted =
	    n >= 0 && !u->up_how->uh_wanted((struct span){ start, (size_t)n });
	return (!u->up_is_unwanted);
}

bool
unpack_put(struct unpack *u, size_t len)
{
	uint64_t max = u->up_how->uh_len_max;

	if (!spooled(u, spool_put(&u->up_spool, u->up_out, len)))
		return (false);
	if (!u->up_is_checked && u->up_spool.spl_len >= FOREIGN_HEAD_LEN &&
	    !check_start(u))
		return (false);
	return (max == 0 || u->up_spool.spl_len < max);
}

bool
unpack_put_at(struct unpack *u, uint64_t off)
{
	return (spooled(u, spool_seek(&u->up_spool, off)));
}

void
unpack_note(struct unpack *u, enum unpack_end end, uint64_t in_off,
    const char *detail)
{
	struct damage *dm = u->up_damage;

	if (dm->dmg_where[0] != '\0')
		return;
	if (end == UNPACK_CUT)
		(void)snprintf(dm->dmg_where, sizeof(dm->dmg_where),
		    "%s data is cut short at byte %" PRIu64, u->up_name,
		    u->up_in_len);
	else
		(void)snprintf(dm->dmg_where, sizeof(dm->dmg_where),
		    "%s data from byte %" PRIu64 " on is damaged%s%s",
		    u->up_name, in_off, detail != NULL ? ": " : "",
		    detail != NULL ? detail : "");
}

void
unpack_suspect(struct unpack *u, uint64_t out_start, uint64_t out_end,
    enum damage_kind kind)
{
	if (!damage_add(u->up_damage, out_start, out_end, kind))
		(void)unpack_fail(u, ENOMEM, "out of memory");
}

/* ---- the file ---- */

/* How the file is packed; NULL: not at all.  false: errno says why not. */
static bool
find_packing(int fd, const struct packing **out)
{
	uint8_t magic[sizeof(packings[0].pk_magic)] = { 0 };
	ssize_t n = pread(fd, magic, sizeof(magic), 0);

	*out = NULL;
	if (n < 0)
		return (false);
	/* All of them, also those for which there is no decoder. */
	for (size_t i = 0; i < NPACKINGS; i++)
		if (n > (ssize_t)packings[i].pk_magic_len - 1 && n >= 4 &&
		    memcmp(magic, packings[i].pk_magic,
			packings[i].pk_magic_len) == 0)
			*out = &packings[i];
	return (true);
}

static void
decode(struct unpack *u, const struct packing *packing)
{
	u->up_in = malloc(UNPACK_CHUNK_LEN);
	u->up_out = malloc(UNPACK_CHUNK_LEN);
	if (u->up_in == NULL || u->up_out == NULL)
		(void)unpack_fail(u, ENOMEM, "out of memory");
	else
		packing->pk_unpack(u);
	free(u->up_in);
	free(u->up_out);
}

/* Is what was unpacked worth anything? */
static bool
judge(struct unpack *u)
{
	const struct damage *dm = u->up_damage;

	if (u->up_errno != 0)
		return (false);
	if (dm->dmg_where[0] != '\0' && u->up_how->uh_whole)
		return (unpack_fail(u, EINVAL, "%s: get another copy",
		    dm->dmg_where));
	if (dm->dmg_where[0] != '\0' && u->up_spool.spl_len == 0)
		return (unpack_fail(u, EINVAL, "%s", dm->dmg_where));
	/* A hole at the end does not make the file longer by itself. */
	if (!spool_end(&u->up_spool))
		return (unpack_fail(u, EIO, "cannot write a temporary file: %s",
		    strerror(errno)));
	return (true);
}

/* Unpack what u->up_in_fd holds.  false: u->up_errno. */
static bool
unpack(struct unpack *u, const struct packing *packing)
{
	const struct kvm_progress *progress = u->up_how->uh_progress;
	struct stat st;

	if (fstat(u->up_in_fd, &st) != 0)
		return (unpack_fail(u, EIO, "%s", strerror(errno)));
	u->up_name = packing->pk_name;
	if (packing->pk_unpack == NULL)
		return (unpack_fail(u, EINVAL,
		    "compressed with %s, which this build without %s cannot unpack: unpack it first",
		    packing->pk_name, packing->pk_library));
	u->up_in_len = (uint64_t)st.st_size;
	if (!spool_open(&u->up_spool, u->up_in_len))
		return (unpack_fail(u, EIO,
		    "cannot create a temporary file to unpack into (set TMPDIR): %s",
		    strerror(errno)));
	decode(u, packing);
	if (!judge(u)) {
		(void)close(u->up_spool.spl_fd);
		return (false);
	}
	if (progress != NULL)
		progress->kpr_report(progress->kpr_arg, u->up_in_len,
		    u->up_in_len);
	return (true);
}

/* Open what may be read.  Returns an errno, and then a text in why. */
static int
open_file(const char *path, int *fd, char *why, size_t len)
{
	struct stat st;
	int error = 0;

	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0 || fstat(*fd, &st) != 0) {
		error = errno;
		(void)snprintf(why, len, "%s", strerror(error));
	} else if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		error = EINVAL;
		(void)snprintf(why, len, "not a regular file or a disk");
	}
	if (error != 0 && *fd >= 0)
		(void)close(*fd);
	return (error);
}

int
unpack_open(const char *path, const struct unpack_how *how,
    struct unpacked *out, char *why, size_t len)
{
	struct unpack u = { .up_how = how,
		.up_damage = &out->upk_damage,
		.up_why = why,
		.up_why_len = len };
	const struct packing *packing;
	int error;

	*out = (struct unpacked){ .upk_fd = -1 };
	error = open_file(path, &out->upk_fd, why, len);
	if (error != 0)
		return (error);
	if (!find_packing(out->upk_fd, &packing)) {
		(void)snprintf(why, len, "%s", strerror(errno));
		(void)close(out->upk_fd);
		out->upk_fd = -1;
		return (EIO);
	}
	if (packing == NULL)
		return (0);
	u.up_in_fd = out->upk_fd;
	if (!unpack(&u, packing))
		damage_fini(&out->upk_damage);
	(void)close(u.up_in_fd);
	out->upk_fd = u.up_errno == 0 ? u.up_spool.spl_fd : -1;
	return (u.up_errno);
}
