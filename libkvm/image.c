/* SEEK_DATA and SEEK_HOLE, which glibc has for programs of its own only. */
#define _GNU_SOURCE 1

#include "libkvm/image.h"

#include <sys/stat.h>
#if defined(__linux__)
#include <sys/vfs.h>
#else
#include <sys/param.h>
#include <sys/mount.h>
#endif

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Blocks of the file that image_view() used recently: page tables and bitmap,
 * which nearly every access needs, while data is read only once.  The cache is
 * large enough for the page tables of 16 GB, so that a read is one pread(2),
 * for the data.  A block is allocated when it is first used.
 */
#define CACHE_BLOCK_LEN 4096
#define CACHE_NBLOCKS	8192

struct image_cache {
	struct {
		uint64_t off;	/* of what bytes holds; UINT64_MAX: nothing */
		uint8_t *bytes; /* owned; NULL: not used yet */
	} block[CACHE_NBLOCKS];
};

/* ---- reading with pread(2) ---- */

void
image_set_damage(struct image *im, struct damage *damage, bool strict)
{
	im->im_damage = *damage;
	im->im_is_strict = strict;
	*damage = (struct damage){ .dmg_runs = NULL };
}

/* How many of len bytes at off come before the first that may not be read. */
static size_t
clip_damage(struct image *im, uint64_t off, size_t len)
{
	size_t done = 0;

	while (done < len) {
		uint64_t n = len - done;
		enum damage_kind kind;

		if (damage_at(&im->im_damage, off + done, &n, &kind)) {
			im->im_is_lost =
			    kind == DAMAGE_LOST || im->im_is_strict;
			im->im_met_lost |= im->im_is_lost;
			if (im->im_is_lost)
				break;
			im->im_gave_unverified = true;
		}
		done += (size_t)n;
	}
	return (done);
}

/* The system refuses to read at off: errno says why. */
static void
set_error(struct image *im, uint64_t off)
{
	im->im_errno = errno;
	if (im->im_error != 0)
		return;
	im->im_error = errno;
	im->im_error_off = off;
}

size_t
image_pread_some(struct image *im, uint64_t off, void *buf, size_t len)
{
	size_t done = 0;

	im->im_errno = 0;
	im->im_is_lost = false;
	if (off > im->im_len)
		return (0);
	if (len > im->im_len - off)
		len = (size_t)(im->im_len - off);
	len = clip_damage(im, off, len);
	while (done < len) {
		ssize_t n = pread(im->im_fd, (uint8_t *)buf + done, len - done,
		    (off_t)(off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			set_error(im, off + done);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return (done);
}

bool
image_pread(struct image *im, uint64_t off, void *buf, size_t len)
{
	im->im_errno = 0;
	im->im_is_lost = false;
	if (off > im->im_len || len > im->im_len - off)
		return (false);
	return (image_pread_some(im, off, buf, len) == len);
}

static void
cache_destroy(struct image_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < CACHE_NBLOCKS; i++)
		free(cache->block[i].bytes);
	free(cache);
}

/* The block at off, a multiple of its length; NULL: not a whole block there. */
static const uint8_t *
cache_block(struct image *im, uint64_t off)
{
	size_t slot = (off / CACHE_BLOCK_LEN) % CACHE_NBLOCKS;
	uint8_t **bytes = &im->im_cache->block[slot].bytes;

	if (*bytes == NULL) {
		im->im_cache->block[slot].off = UINT64_MAX;
		if ((*bytes = malloc(CACHE_BLOCK_LEN)) == NULL)
			return (NULL);
	}
	if (im->im_cache->block[slot].off != off) {
		bool met_lost = im->im_met_lost;

		im->im_cache->block[slot].off = UINT64_MAX;
		if (!image_pread(im, off, *bytes, CACHE_BLOCK_LEN)) {
			/* It may be bytes that were not asked for. */
			im->im_met_lost = met_lost;
			return (NULL);
		}
		im->im_cache->block[slot].off = off;
	}
	return (*bytes);
}

const uint8_t *
image_fetch(struct image *im, uint64_t off, size_t len, uint8_t *scratch)
{
	uint8_t *dst = scratch;

	if (im->im_cache == NULL)
		return (image_pread(im, off, scratch, len) ? scratch : NULL);
	while (len > 0) {
		size_t in = off % CACHE_BLOCK_LEN;
		size_t n = CACHE_BLOCK_LEN - in;
		const uint8_t *block = cache_block(im, off - in);

		if (n > len)
			n = len;
		if (block != NULL)
			memcpy(dst, block + in, n);
		else if (!image_pread(im, off, dst, n))
			return (NULL);
		dst += n;
		off += n;
		len -= n;
	}
	return (scratch);
}

/* ---- holes ---- */

static uint64_t
current_len(const struct image *im)
{
	off_t len = lseek(im->im_fd, 0, SEEK_END);

	return (len < 0 ? 0 : (uint64_t)len);
}

struct image_extent
image_next_data(struct image *im, uint64_t off)
{
	struct image_extent all = { .ext_start = off, .ext_end = im->im_len };
#if defined(SEEK_DATA) && defined(SEEK_HOLE)
	/* Lost bytes are a hole in the file, too. */
	if (im->im_damage.dmg_nruns > 0)
		return (all);
	off_t start = lseek(im->im_fd, (off_t)off, SEEK_DATA);
	off_t end;

	if (start < 0 && errno == ENXIO) {
		/* The file may have been truncated since it was opened. */
		uint64_t len = current_len(im);

		return ((struct image_extent){ len, len });
	}
	if (start < 0 || (end = lseek(im->im_fd, start, SEEK_HOLE)) <= start)
		return (all);
	return ((struct image_extent){ (uint64_t)start, (uint64_t)end });
#else
	return (all);
#endif
}

uint64_t
image_hole_len(struct image *im, struct image_extent *data, uint64_t off)
{
	uint64_t end;

	if (off >= data->ext_end)
		*data = image_next_data(im, off);
	end = data->ext_start < im->im_len ? data->ext_start : im->im_len;
	return (end > off ? end - off : 0);
}

/* ---- a mapping that may have lost its end ---- */

/*
 * Is there a byte other than 0 from end to the end of its page?  Then the file
 * reaches to there, and the zeros before that byte are the file's.
 */
static bool
page_goes_on(const struct image *im, uint64_t end)
{
	uint64_t limit = ((end - 1) | im->im_page_mask) + 1;
	const uint8_t *rest = im->im_base + end;

	if (limit > im->im_len)
		limit = im->im_len;
	return (limit > end &&
	    (rest[0] != 0 ||
		memcmp(rest, rest + 1, (size_t)(limit - end) - 1) != 0));
}

bool
image_settle_slowly(struct image *im, uint64_t end)
{
	uint64_t len;

	if (!mapping_torn(im->im_mapping) && end > 0 && page_goes_on(im, end))
		return (true);
	len = current_len(im);
	if (!mapping_torn(im->im_mapping) && len >= end)
		return (true);
	im->im_base = NULL;
	if (len < im->im_len)
		im->im_len = len;
	im->im_cache = calloc(1, sizeof(*im->im_cache));
	return (false);
}

/* ---- to map or not to map ---- */

static bool
is_network_fs(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) != 0)
		return (true);
#if defined(__linux__)
	/* Source: linux/magic.h and the file systems' own sources. */
	switch ((uint32_t)fs.f_type) {
	case 0x6969:	 /* NFS */
	case 0x517b:	 /* SMB */
	case 0xff534d42: /* CIFS */
	case 0xfe534d42: /* SMB2 */
	case 0x01021997: /* 9p */
	case 0x00c36400: /* Ceph */
	case 0x5346414f: /* AFS */
	case 0x65735546: /* FUSE: sshfs and its like */
		return (true);
	default:
		return (false);
	}
#else
	return ((fs.f_flags & MNT_LOCAL) == 0);
#endif
}

static bool
is_larger_than_memory(uint64_t len)
{
	long npages = sysconf(_SC_PHYS_PAGES);
	long page_size = sysconf(_SC_PAGESIZE);

	return (npages > 0 && page_size > 0 &&
	    len / (uint64_t)page_size > (uint64_t)npages);
}

static bool
should_map(const struct image *im, enum image_access access)
{
	/* A 32-bit host has address space for a small dump only. */
	if (im->im_len == 0 || im->im_len > SIZE_MAX / 4)
		return (false);
	if (access != IMAGE_AUTO)
		return (access == IMAGE_MAPPED);
	return (!is_larger_than_memory(im->im_len) &&
	    !is_network_fs(im->im_fd));
}

int
image_create(int fd, enum image_access access, struct image **out)
{
	struct image *im = calloc(1, sizeof(*im));

	if (im == NULL) {
		(void)close(fd);
		return (ENOMEM);
	}
	im->im_fd = fd;
	im->im_len = current_len(im);
	im->im_page_mask = (uint64_t)sysconf(_SC_PAGESIZE) - 1;
	if (should_map(im, access))
		im->im_mapping = mapping_create(fd, (size_t)im->im_len);
	if (im->im_mapping != NULL)
		im->im_base = atomic_load(&im->im_mapping->mp_base);
	else
		im->im_cache = calloc(1, sizeof(*im->im_cache));
	*out = im;
	return (0);
}

void
image_destroy(struct image *im)
{
	if (im == NULL)
		return;
	mapping_destroy(im->im_mapping);
	cache_destroy(im->im_cache);
	damage_fini(&im->im_damage);
	(void)close(im->im_fd);
	free(im);
}
