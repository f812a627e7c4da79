/*
 * The file that compressed data is unpacked into, and its limits: see spool.h.
 */
#include "libkvm/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libkvm/sparse.h"

static uint64_t
limit(uint64_t packed_len, uint64_t ratio, uint64_t free_len)
{
	uint64_t max;

	if (getenv(SPOOL_NOLIMIT) != NULL ||
	    __builtin_mul_overflow(packed_len, ratio, &max) ||
	    __builtin_add_overflow(max, free_len, &max))
		return (UINT64_MAX);
	return (max);
}

static uint64_t
limit_len(uint64_t packed_len, uint64_t short_max)
{
	uint64_t max = limit(packed_len, SPOOL_LEN_RATIO, SPOOL_LEN_FREE);

	if (max == UINT64_MAX || packed_len >= SPOOL_SHORT_LEN)
		return (max);
	return (short_max);
}

bool
spool_open(struct spool *spl, uint64_t packed_len, uint64_t short_max)
{
	const char *dir = getenv("TMPDIR");
	char path[1024];

	*spl = (struct spool){ .spl_fd = -1,
		.spl_max_len = limit_len(packed_len, short_max),
		.spl_max_disk =
		    limit(packed_len, SPOOL_DISK_RATIO, SPOOL_DISK_FREE),
		.spl_keep_len = UINT64_MAX };
	if (dir == NULL || dir[0] == '\0')
		dir = "/var/tmp"; /* where large files belong */
	if ((size_t)snprintf(path, sizeof(path), "%s/vmcore.XXXXXX", dir) >=
	    sizeof(path)) {
		errno = ENAMETOOLONG;
		return (false);
	}
	if ((spl->spl_fd = mkstemp(path)) >= 0)
		(void)unlink(path);
	return (spl->spl_fd >= 0);
}

/* How many of the first len bytes are kept. */
static uint64_t
kept(const struct spool *spl, uint64_t len)
{
	return (len < spl->spl_keep_len ? len : spl->spl_keep_len);
}

enum spool_result
spool_put(struct spool *spl, const uint8_t *bytes, size_t len)
{
	uint64_t off = spl->spl_len;

	if (spl->spl_disk > spl->spl_max_disk || len > spl->spl_max_len - off)
		return (SPOOL_LIMIT);
	if (!sparse_write(spl->spl_fd, off, bytes,
		(size_t)(kept(spl, off + len) - kept(spl, off)),
		&spl->spl_disk))
		return (SPOOL_ERROR);
	spl->spl_len += len;
	return (SPOOL_OK);
}

enum spool_result
spool_seek(struct spool *spl, uint64_t off)
{
	if (off > spl->spl_max_len)
		return (SPOOL_LIMIT);
	if (off < kept(spl, spl->spl_len) &&
	    ftruncate(spl->spl_fd, (off_t)off) != 0)
		return (SPOOL_ERROR);
	spl->spl_len = off;
	return (SPOOL_OK);
}

bool
spool_end(struct spool *spl)
{
	return (ftruncate(spl->spl_fd, (off_t)kept(spl, spl->spl_len)) == 0);
}
