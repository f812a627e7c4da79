/*
 * Reads and writes at offsets of a disk or an image: see disk.h.
 *
 * Only whole transfers inside of the disk succeed, so a caller never checks for
 * short ones.  FreeBSD's disks read and write whole sectors at multiples of
 * them; the sectors at both ends of a request that does not fit go through a
 * buffer.  Elsewhere any bytes will do.
 */
#define _GNU_SOURCE 1 /* SEEK_DATA */
#include "disk/disk.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __FreeBSD__
#include <sys/disk.h>
#include <sys/ioctl.h>
#endif

const uint32_t disk_sector_lens[DISK_NSECTOR_LENS] = { 512, 1024, 2048,
	DISK_USUAL_MAX_SECTOR_LEN };

/* A disk's length, and its sector's if the system tells. */
static bool
measure_device(struct disk *dk)
{
#ifdef __FreeBSD__
	off_t media_len;
	u_int sector_len;

	if (ioctl(dk->dk_fd, DIOCGMEDIASIZE, &media_len) != 0 ||
	    ioctl(dk->dk_fd, DIOCGSECTORSIZE, &sector_len) != 0) {
		if (errno == ENOTTY)
			errno = ENODEV;
		return (false);
	}
	dk->dk_len = (uint64_t)media_len;
	dk->dk_sector_len = sector_len;
	if (sector_len == 0 || sector_len > DISK_MAX_SECTOR_LEN) {
		errno = ENODEV;
		return (false);
	}
	return (true);
#else
	off_t end = lseek(dk->dk_fd, 0, SEEK_END);

	/* Some systems give a length of 0 to devices like /dev/zero. */
	if (end == 0 || (end < 0 && errno == ESPIPE))
		errno = ENODEV;
	if (end <= 0)
		return (false);
	dk->dk_len = (uint64_t)end;
	return (true);
#endif
}

/* Linux has a length for some character devices, but none of them is a disk. */
static bool
may_be_disk(mode_t mode)
{
#ifdef __linux__
	return (S_ISBLK(mode));
#else
	return (S_ISBLK(mode) || S_ISCHR(mode));
#endif
}

static bool
measure(struct disk *dk)
{
	struct stat st;

	if (fstat(dk->dk_fd, &st) != 0)
		return (false);
	if (S_ISREG(st.st_mode)) {
		dk->dk_len = (uint64_t)st.st_size;
		return (true);
	}
	if (may_be_disk(st.st_mode))
		return (measure_device(dk));
	errno = ENODEV;
	return (false);
}

bool
disk_open(struct disk *dk, const char *path, int flags)
{
	int error;

	*dk = (struct disk){ .dk_fd = -1 };
	/* Without O_NONBLOCK a fifo would be waited for. */
	dk->dk_fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);
	if (dk->dk_fd < 0)
		return (false);
	if (measure(dk))
		return (true);
	error = errno;
	disk_close(dk);
	errno = error;
	return (false);
}

void
disk_close(struct disk *dk)
{
	if (dk->dk_fd >= 0)
		(void)close(dk->dk_fd);
	dk->dk_fd = -1;
}

/* Does the disk have these bytes? */
static bool
in_disk(const struct disk *dk, uint64_t off, size_t len)
{
	if (off <= dk->dk_len && len <= dk->dk_len - off)
		return (true);
	errno = ENXIO;
	return (false);
}

static bool
read_all(const struct disk *dk, uint64_t off, void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = pread(dk->dk_fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = ENXIO; /* it has become shorter */
		if (n <= 0)
			return (false);
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return (true);
}

static bool
write_all(const struct disk *dk, uint64_t off, const void *buf, size_t len)
{
	const uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = pwrite(dk->dk_fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return (false);
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return (true);
}

/* Where a request meets the disk first: whole sectors, or a part of one. */
struct meeting {
	bool mt_whole;
	uint64_t mt_sector_off;
	size_t mt_skip; /* bytes of the sector before the request */
	size_t mt_len;
};

/* How many bytes from off on are whole sectors. */
static size_t
whole_sectors(const struct disk *dk, uint64_t off, size_t len)
{
	if (dk->dk_sector_len == 0)
		return (len);
	return (off % dk->dk_sector_len != 0 ? 0 :
					       len - len % dk->dk_sector_len);
}

static struct meeting
meet(const struct disk *dk, uint64_t off, size_t len)
{
	size_t whole = whole_sectors(dk, off, len);
	size_t skip, left;

	if (whole > 0)
		return ((struct meeting){ .mt_whole = true,
		    .mt_sector_off = off,
		    .mt_len = whole });
	skip = (size_t)(off % dk->dk_sector_len);
	left = dk->dk_sector_len - skip;
	return ((struct meeting){ .mt_sector_off = off - skip,
	    .mt_skip = skip,
	    .mt_len = len < left ? len : left });
}

/* The sector that a request meets a part of; the caller frees it. */
static uint8_t *
read_sector(const struct disk *dk, const struct meeting *mt)
{
	uint8_t *sector = malloc(dk->dk_sector_len);

	if (sector != NULL &&
	    read_all(dk, mt->mt_sector_off, sector, dk->dk_sector_len))
		return (sector);
	free(sector);
	return (NULL);
}

static bool
read_met(const struct disk *dk, const struct meeting *mt, void *buf)
{
	uint8_t *sector;

	if (mt->mt_whole)
		return (read_all(dk, mt->mt_sector_off, buf, mt->mt_len));
	sector = read_sector(dk, mt);
	if (sector == NULL)
		return (false);
	memcpy(buf, sector + mt->mt_skip, mt->mt_len);
	free(sector);
	return (true);
}

static bool
write_met(const struct disk *dk, const struct meeting *mt, const void *buf)
{
	uint8_t *sector;
	bool written;

	if (mt->mt_whole)
		return (write_all(dk, mt->mt_sector_off, buf, mt->mt_len));
	sector = read_sector(dk, mt);
	if (sector == NULL)
		return (false);
	memcpy(sector + mt->mt_skip, buf, mt->mt_len);
	written = write_all(dk, mt->mt_sector_off, sector, dk->dk_sector_len);
	free(sector);
	return (written);
}

bool
disk_read(const struct disk *dk, uint64_t off, void *buf, size_t len)
{
	uint8_t *p = buf;
	struct meeting mt;

	if (!in_disk(dk, off, len))
		return (false);
	for (size_t done = 0; done < len; done += mt.mt_len) {
		mt = meet(dk, off + done, len - done);
		if (!read_met(dk, &mt, p + done))
			return (false);
	}
	return (true);
}

bool
disk_write(const struct disk *dk, uint64_t off, const void *buf, size_t len)
{
	const uint8_t *p = buf;
	struct meeting mt;

	if (!in_disk(dk, off, len))
		return (false);
	for (size_t done = 0; done < len; done += mt.mt_len) {
		mt = meet(dk, off + done, len - done);
		if (!write_met(dk, &mt, p + done))
			return (false);
	}
	return (true);
}

const char *
disk_error(void)
{
	return (errno == ENXIO ? "the disk ends before" : strerror(errno));
}

bool
disk_flush(const struct disk *dk)
{
	return (fsync(dk->dk_fd) == 0);
}

void
disk_forget(const struct disk *dk, uint64_t off, uint64_t len)
{
#ifdef POSIX_FADV_DONTNEED
	(void)posix_fadvise(dk->dk_fd, (off_t)off, (off_t)len,
	    POSIX_FADV_DONTNEED);
#else
	(void)dk;
	(void)off;
	(void)len;
#endif
}

uint64_t
disk_next_data(const struct disk *dk, uint64_t off)
{
#ifdef SEEK_DATA
	off_t next = lseek(dk->dk_fd, (off_t)off, SEEK_DATA);

	if (next >= 0)
		return ((uint64_t)next);
	if (errno == ENXIO)
		return (dk->dk_len);
#else
	(void)dk;
#endif
	return (off);
}

uint64_t
disk_next_hole(const struct disk *dk, uint64_t off)
{
#ifdef SEEK_HOLE
	off_t next = lseek(dk->dk_fd, (off_t)off, SEEK_HOLE);

	if (next >= 0 && (uint64_t)next > off && (uint64_t)next < dk->dk_len)
		return ((uint64_t)next);
#else
	(void)off;
#endif
	return (dk->dk_len);
}

uint64_t
disk_run_len(const struct disk *dk, uint64_t off, uint64_t len, bool *hole)
{
	uint64_t end = disk_next_data(dk, off);

	*hole = end > off;
	if (!*hole)
		end = disk_next_hole(dk, off);
	return (end - off < len ? end - off : len);
}
