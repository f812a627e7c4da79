#ifdef __linux__
#define _GNU_SOURCE 1 /* memfd_create(2) */
#endif

#include "tests/fuzz/memfile.h"

#include <sys/types.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/fuzz/need.h"

void
memfile_create(struct memfile *mf)
{
#ifdef __linux__
	mf->fd = memfd_create("fuzz", MFD_CLOEXEC);
	need(mf->fd >= 0, "memfd_create");
	(void)snprintf(mf->path, sizeof(mf->path), "/proc/self/fd/%d", mf->fd);
#else
	(void)snprintf(mf->path, sizeof(mf->path), "/tmp/fuzz.XXXXXX");
	mf->fd = mkstemp(mf->path);
	need(mf->fd >= 0, mf->path);
#endif
}

void
memfile_set(const struct memfile *mf, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	off_t off = 0;

	need(ftruncate(mf->fd, 0) == 0, mf->path);
	while (len > 0) {
		ssize_t n = pwrite(mf->fd, p, len, off);

		need(n > 0, mf->path);
		p += n;
		off += n;
		len -= (size_t)n;
	}
}
