/*
 * Opening what may be compressed: see unpack.h.  This file has the table of
 * packers; each has a file with its decoder.
 */
#include "libkvm/unpack.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/bytes.h"
#include "libkvm/holes.h"
#include "libkvm/unpack_int.h"

/* A kind of compression. */
struct packing {
	const char *pk_name;
	const char *pk_suffix;
	uint8_t pk_magic[6];
	size_t pk_magic_len;
	void (*pk_unpack)(struct unpack *u); /* NULL: not in this build */
	const char *pk_library;		     /* which then is missing */
	uint64_t pk_short_max;		     /* bytes; see spool_open() */
	uint64_t pk_pad_unit;		     /* zeros between pieces come in
						multiples of it */
};

#ifndef HAVE_LIBLZMA
#define unpack_xz NULL
#endif
#ifndef HAVE_LIBBZ2
#define unpack_bzip2 NULL
#endif
#ifndef HAVE_LIBLZ4
#define unpack_lz4 NULL
#endif

#define GB	   (UINT64_C(1) << 30)
#define NO_PADDING UINT64_MAX

/* Each takes about five seconds of an older CPU for its longest file. */
static const struct packing packings[] = {
	{ "gzip", ".gz", { 0x1f, 0x8b }, 2, unpack_gzip, NULL, 2 * GB,
	    NO_PADDING },
	{ "zstd", ".zst", { 0x28, 0xb5, 0x2f, 0xfd }, 4, unpack_zstd, NULL,
	    4 * GB, NO_PADDING },
	{ "xz", ".xz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, unpack_xz, "liblzma",
	    GB, 4 }, /* The .xz File Format, "Stream Padding" */
	{ "bzip2", ".bz2", { 'B', 'Z', 'h' }, 3, unpack_bzip2, "libbz2", GB / 4,
	    NO_PADDING },
	{ "lz4", ".lz4", { 0x04, 0x22, 0x4d, 0x18 }, 4, unpack_lz4, "liblz4",
	    2 * GB, NO_PADDING },
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

/* ---- the file ---- */

/*
 * zstd and lz4 files may begin with frames that hold no data, as those of pzstd
 * do: a magic number, then a length, both of 32 bits.  Their number is bounded,
 * since a file can be full of them.
 */
#define SKIPPABLE_HEAD_LEN 8
#define SKIPPABLE_MAX	   64

/* Where the first frame with data is. */
static off_t
skip_frames(int fd)
{
	uint8_t head[SKIPPABLE_HEAD_LEN];
	off_t at = 0;

	for (int i = 0; i < SKIPPABLE_MAX; i++) {
		if (pread(fd, head, sizeof(head), at) != sizeof(head) ||
		    !unpack_is_skippable(le32dec(head)))
			break;
		at += SKIPPABLE_HEAD_LEN + (off_t)le32dec(head + 4);
	}
	return (at);
}

/* How the file is packed; NULL: not at all.  false: errno says why not. */
static bool
find_packing(int fd, const struct packing **out)
{
	uint8_t magic[sizeof(packings[0].pk_magic)] = { 0 };
	ssize_t n = pread(fd, magic, sizeof(magic), skip_frames(fd));

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
	u->up_next = u->up_in;
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
	unpack_doubt_places(u);
	return (u->up_errno == 0);
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
	u->up_pad_unit = packing->pk_pad_unit;
	if (packing->pk_unpack == NULL)
		return (unpack_fail(u, EINVAL,
		    "compressed with %s, which this build without %s cannot unpack: unpack it first",
		    packing->pk_name, packing->pk_library));
	if (getenv(SPOOL_NOLIMIT) == NULL &&
	    holes_is_hollow(u->up_in_fd, HOLES_LEN_MAX))
		return (unpack_fail(u, EINVAL,
		    "nearly all of the compressed file is a hole: " SPOOL_NOLIMIT
		    "=1 in the environment unpacks it all the same"));
	u->up_in_len = (uint64_t)st.st_size;
	if (!spool_open(&u->up_spool, u->up_in_len, packing->pk_short_max))
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

/* holes_data_len(), but never 0: that of a disk is not known. */
static uint64_t
packed_len(int fd)
{
	uint64_t len = holes_data_len(fd);

	return (len != 0 ? len : 1);
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
		.up_ask_len = UNPACK_CHUNK_LEN,
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
	out->upk_packing = packing->pk_name;
	out->upk_packed_len = packed_len(out->upk_fd);
	u.up_in_fd = out->upk_fd;
	if (!unpack(&u, packing))
		damage_fini(&out->upk_damage);
	(void)close(u.up_in_fd);
	out->upk_fd = u.up_errno == 0 ? u.up_spool.spl_fd : -1;
	return (u.up_errno);
}
