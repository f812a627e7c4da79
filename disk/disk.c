/*
 * Reads and writes at offsets of a disk or an image: see disk.h.
 *
 * Only whole transfers inside of the disk succeed, so a caller never checks for
 * short ones.
 */
#include "disk/disk.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#ifdef __FreeBSD__
#include <sys/disk.h>
#include <sys/ioctl.h>
#endif

/* A disk's length, and its sector's if the system tells. */
static bool
measure_device(struct disk *dk)
{
#ifdef __FreeBSD__
	off_t media_len;
	u_int sector_len;

	if (ioctl(dk->dk_fd, DIOCGMEDIASIZE, &media_len) != 0 ||
	    ioctl(dk->dk_fd, DIOCGSECTORSIZE, &sector_len) != 0)
		return (false);
	dk->dk_len = (uint64_t)media_len;
	dk->dk_sector_len = sector_len;
	return (true);
#else
	off_t end = lseek(dk->dk_fd, 0, SEEK_END);

	if (end < 0)
		return (false);
	dk->dk_len = (uint64_t)end;
	return (true);
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
	if (S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode))
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

bool
disk_read(const struct disk *dk, uint64_t off, void *buf, size_t len)
{
	uint8_t *p = buf;

	if (!in_disk(dk, off, len))
		return (false);
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

bool
disk_write(const struct disk *dk, uint64_t off, const void *buf, size_t len)
{
	const uint8_t *p = buf;

	if (!in_disk(dk, off, len))
		return (false);
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
