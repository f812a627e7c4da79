#include "tests/support/temp.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void
need(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

static int
create(const void *bytes, size_t len, char path[TEMP_PATH_LEN])
{
	const char *dir = getenv("TMPDIR");
	const uint8_t *p = bytes;
	int fd;

	(void)snprintf(path, TEMP_PATH_LEN, "%s/vmcore-test.XXXXXX",
	    dir != NULL ? dir : "/tmp");
	fd = mkstemp(path);
	need(fd >= 0, path);
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		need(n > 0, path);
		p += n;
		len -= (size_t)n;
	}
	return (fd);
}

int
temp_file(const void *bytes, size_t len)
{
	char path[TEMP_PATH_LEN];
	int fd = create(bytes, len, path);

	(void)unlink(path);
	return (fd);
}

void
temp_named(const void *bytes, size_t len, char path[TEMP_PATH_LEN])
{
	(void)close(create(bytes, len, path));
}
