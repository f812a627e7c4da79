/*
 * Counting the bytes of a file that are in no hole, by lseek(2): see holes.h.
 */

/* glibc shows SEEK_DATA, which POSIX has since 2024, only with this. */
#define _GNU_SOURCE
#include "libkvm/holes.h"

#include <sys/stat.h>

#include <errno.h>
#include <unistd.h>

/* How many times longer than what is there a longer file may be. */
#define HOLLOW_RATIO 16

/* The length of a plain file; 0 of anything else. */
static uint64_t
plain_len(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < 0)
		return (0);
	return ((uint64_t)st.st_size);
}

#ifdef SEEK_DATA
/* The data that starts at or after *off, which becomes its end; -1: errno. */
static int64_t
next_data(int fd, off_t *off)
{
	off_t start = lseek(fd, *off, SEEK_DATA);

	if (start < 0)
		return (-1);
	*off = lseek(fd, start, SEEK_HOLE);
	if (*off <= start)
		return (-1);
	return ((int64_t)(*off - start));
}
#endif

uint64_t
holes_data_len(int fd)
{
	uint64_t len = plain_len(fd);
#ifdef SEEK_DATA
	int saved = errno;
	uint64_t sum = 0;
	off_t off = 0;
	int64_t n;

	errno = 0;
	while (len > 0 && (n = next_data(fd, &off)) > 0)
		sum += (uint64_t)n;
	/* ENXIO: there are no more.  All else: the file system cannot tell. */
	if (errno == ENXIO)
		len = sum;
	(void)lseek(fd, 0, SEEK_SET);
	errno = saved;
#endif
	return (len);
}

bool
holes_is_hollow(int fd, uint64_t len_max)
{
	uint64_t len = plain_len(fd);

	return (len > len_max && holes_data_len(fd) < len / HOLLOW_RATIO);
}
