/*
 * Writes to a file of which all that is zero is a hole.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tests/gen/gen.h"

#define OUT_BLOCK 4096

static bool
out_is_zero(const uint8_t *p, size_t len)
{
	return (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

static int
out_write(int fd, uint64_t off, const uint8_t *p, size_t len)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, (off_t)off);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return (-1);
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return (0);
}

/* The next piece of p: all zero, or without a block of zeros. */
static size_t
out_piece(const uint8_t *p, size_t len, bool *zero)
{
	size_t done = 0;

	while (done < len) {
		size_t n = len - done < OUT_BLOCK ? len - done : OUT_BLOCK;
		bool is_zero = out_is_zero(p + done, n);

		if (done == 0)
			*zero = is_zero;
		else if (is_zero != *zero)
			break;
		done += n;
	}
	return (done);
}

int
out_bytes(int fd, uint64_t off, const void *buf, size_t len)
{
	const uint8_t *p = buf;

	while (len > 0) {
		bool zero = false;
		size_t n = out_piece(p, len, &zero);

		if (!zero && out_write(fd, off, p, n) == -1)
			return (-1);
		p += n;
		off += n;
		len -= n;
	}
	return (0);
}
