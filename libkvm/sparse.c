/*
 * Files whose zeros take no room: see sparse.h.
 */
#include "libkvm/sparse.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* File systems with larger blocks write a few zeros; none writes fewer. */
#define BLOCK_LEN 4096

static bool
is_zero(const uint8_t *p, size_t len)
{
	return (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

static bool
write_at(int fd, uint64_t off, const uint8_t *p, size_t len)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, (off_t)off);

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

/*
 * How many of the first bytes, which go to off, are holes or are none, as *hole
 * tells.
 */
static size_t
run_length(uint64_t off, const uint8_t *p, size_t len, bool *hole)
{
	size_t done = 0;

	while (done < len) {
		size_t n = BLOCK_LEN - (off + done) % BLOCK_LEN;
		bool zero;

		if (n > len - done)
			n = len - done;
		zero = is_zero(p + done, n);
		if (done == 0)
			*hole = zero;
		else if (zero != *hole)
			break;
		done += n;
	}
	return (done);
}

bool
sparse_write(int fd, uint64_t off, const void *buf, size_t len,
    uint64_t *written)
{
	const uint8_t *p = buf;

	while (len > 0) {
		bool hole = false;
		size_t n = run_length(off, p, len, &hole);

		if (!hole && !write_at(fd, off, p, n))
			return (false);
		if (!hole && written != NULL)
			*written += n;
		p += n;
		off += n;
		len -= n;
	}
	return (true);
}
