/*
 * The names of files that are not a dump or a kernel: see refuse.h.
 */
#include "libkvm/refuse.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/elfcore.h"
#include "format/foreign.h"
#include "format/kerneldump.h"
#include "format/minidump.h"

/* The file's bytes at off, fewer at its end.  false: errno says why not. */
static bool
read_span(int fd, uint64_t off, size_t len, uint8_t *buf, struct span *out)
{
	ssize_t n = pread(fd, buf, len, (off_t)off);

	*out = (struct span){ .base = buf, .len = n < 0 ? 0 : (size_t)n };
	return (n >= 0);
}

/* Does fd hold the key of an encrypted dump? */
static bool
is_key(int fd)
{
	uint8_t head[KERNELDUMP_KEY_HEAD_LEN];
	struct span bytes;

	return (read_span(fd, 0, sizeof(head), head, &bytes) &&
	    kerneldump_is_key(bytes));
}

/* Where the number of vmcore.7 or vmcore.7.zst is in a name; NULL: there is none. */
static const char *
find_number(const char *name)
{
	const char *found = NULL;

	while ((name = strchr(name, '.')) != NULL) {
		size_t n = strspn(++name, "0123456789");

		if (n > 0 && (name[n] == '\0' || name[n] == '.'))
			found = name;
	}
	return (found);
}

/* Open key.N beside the dump whose name has that number; -1: it is not there. */
static int
open_key(const char *path, const char *name, const char *number)
{
	size_t size = strlen(path) + sizeof("key.");
	char *key = malloc(size);
	int fd;

	if (key == NULL)
		return (-1);
	(void)snprintf(key, size, "%.*skey.%.*s", (int)(name - path), path,
	    (int)strspn(number, "0123456789"), number);
	fd = open(key, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	free(key);
	return (fd);
}

/*
 * Does what fd holds look encrypted?  Half of such bytes have the highest bit set;
 * few of a text, and of the tables and zeros that dumps begin with.
 */
static bool
is_noise(int fd)
{
	uint8_t buf[2048];
	size_t nhigh = 0;
	struct span start;

	if (!read_span(fd, 0, sizeof(buf), buf, &start))
		return (false);
	for (size_t i = 0; i < start.len; i++)
		nhigh += start.base[i] >> 7;
	return (nhigh > start.len / 4);
}

#define DECRYPT                                                                \
	"an encrypted dump: decryptcore(8) makes a vmcore.N of it, with "
#define WITH_KEY "the key.N beside it and your private key"
#define NO_KEY	 "its key.N, which is not beside it, and your private key"
#define IS_KEY	 "the key of an encrypted dump: name the dump in its place"

/*
 * An encrypted dump looks like nothing, so that only its name tells, or a key
 * beside it.
 */
static const char *
refuse_encrypted(int fd, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	const char *number = find_number(name);
	bool named = strncmp(name, "vmcore_encrypted", 16) == 0;
	int key_fd;
	bool has_key;

	if (is_key(fd))
		return (IS_KEY);
	if (!is_noise(fd))
		return (NULL);
	key_fd = number != NULL ? open_key(path, name, number) : -1;
	/* A key that only its owner may read is there as well. */
	has_key = named ? key_fd >= 0 || (number != NULL && errno == EACCES) :
			  key_fd >= 0 && is_key(key_fd);
	if (key_fd >= 0)
		(void)close(key_fd);
	if (has_key)
		return (named ? DECRYPT WITH_KEY : "may be " DECRYPT WITH_KEY);
	return (named ? DECRYPT NO_KEY : NULL);
}

/* So many zeros at a file's start are looked behind. */
#define ZEROS_MAX (UINT64_C(1) << 20)

/* The place of the first byte that is not 0; ZEROS_MAX: there is none before. */
static uint64_t
skip_zeros(int fd)
{
	uint8_t buf[512];
	struct span span;

	for (uint64_t off = 0; off < ZEROS_MAX; off += span.len) {
		if (!read_span(fd, off, sizeof(buf), buf, &span) ||
		    span.len == 0)
			break;
		for (size_t i = 0; i < span.len; i++)
			if (buf[i] != 0)
				return (off + i);
	}
	return (ZEROS_MAX);
}

/* A dump that only zeros keep from being opened.  NULL: it is none. */
static const char *
refuse_zeros(int fd, char text[REFUSE_LEN])
{
	uint64_t off = skip_zeros(fd);
	uint8_t buf[64];
	const char *name;
	struct span start;

	if (off == 0 || off >= ZEROS_MAX ||
	    !read_span(fd, off, sizeof(buf), buf, &start) ||
	    (name = foreign_name_after_zeros(start)) == NULL)
		return (NULL);
	(void)snprintf(text, REFUSE_LEN,
	    "zeros, then %s at byte %" PRIu64 ": remove the zeros first", name,
	    off);
	return (text);
}

const char *
refuse_core(int fd, uint64_t len, const char *path, char text[REFUSE_LEN])
{
	uint8_t buf[FOREIGN_HEAD_LEN];
	uint64_t end_off = len > sizeof(buf) ? len - sizeof(buf) : 0;
	const char *name;
	struct span span;

	if (!read_span(fd, 0, sizeof(buf), buf, &span))
		return (strerror(errno));
	name = refuse_zeros(fd, text);
	if (name == NULL)
		name = foreign_name(span);
	if (name == NULL && !read_span(fd, end_off, sizeof(buf), buf, &span))
		return (strerror(errno));
	if (name == NULL)
		name = foreign_name_by_end(span);
	return (name != NULL ? name : refuse_encrypted(fd, path));
}

const char *
refuse_kernel(int fd)
{
	uint8_t buf[FOREIGN_HEAD_LEN];
	const char *name;
	struct span start;

	if (!read_span(fd, 0, sizeof(buf), buf, &start))
		return (strerror(errno));
	name = foreign_name(start);
	if (minidump_is(start))
		return (
		    "not an ELF file, but a minidump: name the kernel in its place");
	return (name != NULL ? name : "not an ELF file");
}
