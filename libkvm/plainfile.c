/*
 * Looking at a file before it is opened, and again after: see plainfile.h.
 */
#include "libkvm/plainfile.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

int
plainfile_open(const char *path)
{
	struct stat st;
	int fd;

	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return (-1);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	/* It may have been replaced meanwhile. */
	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		(void)close(fd);
		return (-1);
	}
	return (fd);
}
