/*
 * Files of which one may be the debug information of another: where it lies,
 * what its name, checksum and build id are, and what it holds.
 *
 * The first byte says what the kernel says of it, the second one is its place in
 * the table below.  The name follows, with a NUL, then the bytes of the file.
 */
#include "libkvm/debuglink.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "format/bytes.h"

#define HAS_NAME     0x01
#define HAS_CRC	     0x02
#define HAS_BUILD_ID 0x04
#define SHORT_ID     0x08
#define LONG_ID	     0x10
#define NO_KERNEL    0x20

#define NITEMS(table) (sizeof(table) / sizeof((table)[0]))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The build id that the seeds' files have. */
static const uint8_t build_id[100] = { 0x12, 0x34, 0x56, 0x78 };
#define BUILD_ID_LEN 4

#define KERNEL "boot/kernel/kernel"

static const char *const folders[] = { "boot", "boot/kernel",
	"boot/kernel/.debug", "boot/kernel/kernel.symbols", "usr", "usr/lib",
	"usr/lib/debug", "usr/lib/debug/boot", "usr/lib/debug/boot/kernel",
	"usr/lib/debug/.build-id", "usr/lib/debug/.build-id/12" };

/* Where the file is put; "": in the kernel's own place. */
static const char *const places[] = { "boot/kernel/kernel.debug",
	"boot/kernel/kernel.dbg", "boot/kernel/.debug/kernel.debug",
	"usr/lib/debug/boot/kernel/kernel.debug",
	"usr/lib/debug/.build-id/12/345678.debug", "boot/kernel/elsewhere" };

static char root[64];

static const char *
in_root(const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	return (path);
}

static void
put_file(const char *name, const void *bytes, size_t len)
{
	int fd = open(in_root(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || close(fd) != 0)
		abort();
}

static void
fini(void)
{
	(void)unlink(in_root(KERNEL));
	for (size_t i = NITEMS(folders); i-- > 0;)
		(void)rmdir(in_root(folders[i]));
	(void)rmdir(root);
}

static void
init(void)
{
	(void)snprintf(root, sizeof(root), "%s/vmcore-fuzz.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(root) == NULL)
		abort();
	for (size_t i = 0; i < NITEMS(folders); i++)
		if (mkdir(in_root(folders[i]), 0700) != 0)
			abort();
	put_file(KERNEL, "kernel", 6);
	(void)unsetenv("DEBUGINFOD_URLS");
	(void)atexit(fini);
}

static void
look(const struct debuglink *dl)
{
	char *path = NULL;
	int fd = debuglink_open(dl, &path);

	if (fd < 0)
		return;
	if (path == NULL)
		abort();
	free(path);
	(void)close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char kernel[256];
	struct debuglink dl = { .dl_path = kernel };
	const char *place;
	const uint8_t *end;
	size_t len;

	if (size < 3 || (end = memchr(data + 2, '\0', size - 2)) == NULL)
		return (0);
	if (root[0] == '\0')
		init();
	(void)snprintf(kernel, sizeof(kernel), "%s/%s", root,
	    (data[0] & NO_KERNEL) != 0 ? "nothing" : KERNEL);
	len = size - (size_t)(end + 1 - data);
	place = places[data[1] % NITEMS(places)];
	put_file(place, end + 1, len);
	if ((data[0] & HAS_NAME) != 0)
		dl.dl_name = (const char *)data + 2;
	if ((data[0] & HAS_CRC) != 0)
		dl.dl_crc = (uint32_t)crc32(0, end + 1, (uInt)len);
	if ((data[0] & HAS_BUILD_ID) != 0) {
		dl.dl_build_id = build_id;
		dl.dl_build_id_len = (data[0] & SHORT_ID) != 0 ? 1 :
		    (data[0] & LONG_ID) != 0		       ? 100 :
								 BUILD_ID_LEN;
	}
	look(&dl);
	(void)unlink(in_root(place));
	return (0);
}
