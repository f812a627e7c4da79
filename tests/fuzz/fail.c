#include "tests/fuzz/fail.h"

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

static unsigned long left[FAIL_NKINDS]; /* calls until one fails; 0: none */
static struct fail_bad bad;

void
fail_set(enum fail_kind kind, unsigned long n)
{
	left[kind] = n;
}

void
fail_places(const struct fail_bad *places)
{
	bad = *places;
}

void
fail_clear(void)
{
	bad.fb_n = 0;
	for (int i = 0; i < FAIL_NKINDS; i++)
		left[i] = 0;
}

/* Does this call fail? */
static bool
fails(enum fail_kind kind)
{
	if (left[kind] == 0 || --left[kind] != 0)
		return (false);
	errno = kind == FAIL_MEMORY ? ENOMEM : EIO;
	return (true);
}

/* Does a read meet bytes that cannot be read? */
static bool
is_bad(uint64_t off, uint64_t len)
{
	uint64_t i = 0; /* the first place from off on */

	if (bad.fb_n == 0 || bad.fb_step == 0)
		return (false);
	if (off > bad.fb_start)
		i = (off - bad.fb_start - 1) / bad.fb_step + 1;
	if (i >= bad.fb_n || bad.fb_start + i * bad.fb_step - off >= len)
		return (false);
	errno = EIO;
	return (true);
}

/* A call of that name: what it returns, how it fails, what it takes. */
#define CALL(kind, type, failure, name, params, args)                          \
	type __real_##name params;                                             \
	type __wrap_##name params;                                             \
	type __wrap_##name params                                              \
	{                                                                      \
		return (fails(kind) ? (failure) : __real_##name args);         \
	}

CALL(FAIL_MEMORY, void *, NULL, malloc, (size_t len), (len))
CALL(FAIL_MEMORY, void *, NULL, calloc, (size_t n, size_t len), (n, len))
CALL(FAIL_MEMORY, void *, NULL, realloc, (void *p, size_t len), (p, len))
CALL(FAIL_MEMORY, char *, NULL, strdup, (const char *s), (s))

CALL(FAIL_MEMORY, int, ENOMEM, posix_memalign,
    (void **p, size_t align, size_t len), (p, align, len))

CALL(FAIL_FILES, ssize_t, -1, read, (int fd, void *buf, size_t len),
    (fd, buf, len))
CALL(FAIL_FILES, ssize_t, -1, write, (int fd, const void *buf, size_t len),
    (fd, buf, len))
CALL(FAIL_FILES, ssize_t, -1, pwrite64,
    (int fd, const void *buf, size_t len, off_t off), (fd, buf, len, off))
CALL(FAIL_FILES, int, -1, dup, (int fd), (fd))
CALL(FAIL_FILES, FILE *, NULL, fdopen, (int fd, const char *mode), (fd, mode))
CALL(FAIL_FILES, DIR *, NULL, fdopendir, (int fd), (fd))
CALL(FAIL_FILES, int, -1, flock, (int fd, int how), (fd, how))
CALL(FAIL_FILES, int, -1, fsync, (int fd), (fd))
CALL(FAIL_FILES, int, -1, ftruncate64, (int fd, off_t len), (fd, len))
CALL(FAIL_FILES, int, -1, symlinkat, (const char *to, int fd, const char *from),
    (to, fd, from))
CALL(FAIL_FILES, int, -1, renameat,
    (int fd, const char *from, int to_fd, const char *to),
    (fd, from, to_fd, to))
CALL(FAIL_FILES, void *, (void *)-1, mmap64,
    (void *addr, size_t len, int prot, int flags, int fd, off_t off),
    (addr, len, prot, flags, fd, off))

CALL(FAIL_PLACES, int, -1, fstat64, (int fd, struct stat *st), (fd, st))
CALL(FAIL_PLACES, int, -1, fstatvfs64, (int fd, struct statvfs *fs), (fd, fs))
CALL(FAIL_PLACES, off_t, -1, lseek64, (int fd, off_t off, int whence),
    (fd, off, whence))
CALL(FAIL_PLACES, int, -1, mkstemp64, (char *path), (path))

ssize_t __real_pread64(int fd, void *buf, size_t len, off_t off);
ssize_t __wrap_pread64(int fd, void *buf, size_t len, off_t off);

ssize_t
__wrap_pread64(int fd, void *buf, size_t len, off_t off)
{
	if (fails(FAIL_FILES) || is_bad((uint64_t)off, len))
		return (-1);
	return (__real_pread64(fd, buf, len, off));
}

int __real_openat64(int dir, const char *name, int flags, ...);
int __wrap_openat64(int dir, const char *name, int flags, ...);

int
__wrap_openat64(int dir, const char *name, int flags, ...)
{
	va_list ap;
	int mode;

	va_start(ap, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(ap, int) : 0;
	va_end(ap);
	if (fails(FAIL_FILES))
		return (-1);
	return (__real_openat64(dir, name, flags, mode));
}
