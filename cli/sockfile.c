/*
 * Files of Unix sockets: see sockfile.h.
 */
#include "cli/sockfile.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what lies there ---- */

/* Does somebody listen on the socket at addr?  In doubt, yes. */
static bool
is_alive(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	bool alive = true;

	if (fd < 0)
		return (true);
	/* One whose clients wait in a row would have us wait, too. */
	if (fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
		alive = connect(fd, (const struct sockaddr *)addr,
			    sizeof(*addr)) == 0 ||
		    errno != ECONNREFUSED;
	close(fd);
	return (alive);
}

/* Remove what a killed server left at addr.  0, or -1 with errno: it stays. */
static int
remove_stale(const struct sockaddr_un *addr)
{
	struct stat st;

	if (lstat(addr->sun_path, &st) != 0)
		return (-1);
	errno = EADDRINUSE;
	if (!S_ISSOCK(st.st_mode))
		errno = EEXIST;
	else if (st.st_uid == geteuid() && !is_alive(addr))
		return (unlink(addr->sun_path));
	return (-1);
}

/* ---- making it ---- */

static int
bind_to(int fd, const struct sockaddr_un *addr)
{
	mode_t mask = umask(S_IRWXG | S_IRWXO);
	int status = bind(fd, (const struct sockaddr *)addr, sizeof(*addr));

	umask(mask);
	return (status);
}

int
sockfile_bind(struct sockfile *skf, int fd, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct stat st;
	char *copy;

	*skf = (struct sockfile){ 0 };
	if (strlen(path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	memcpy(addr.sun_path, path, strlen(path));
	copy = strdup(path);
	if (copy == NULL)
		return (-1);
	if ((bind_to(fd, &addr) != 0 &&
		(errno != EADDRINUSE || remove_stale(&addr) != 0 ||
		    bind_to(fd, &addr) != 0)) ||
	    lstat(path, &st) != 0) {
		free(copy);
		return (-1);
	}
	*skf = (struct sockfile){
		.skf_path = copy,
		.skf_dev = st.st_dev,
		.skf_ino = st.st_ino,
	};
	return (0);
}

/* In a new folder below parent. */
static int
bind_below(struct sockfile *skf, int fd, const char *parent)
{
	char folder[PATH_MAX], path[PATH_MAX];
	int n = snprintf(folder, sizeof(folder), "%s/vmcore-XXXXXX", parent);

	if (n < 0 || (size_t)n >= sizeof(folder)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	if (mkdtemp(folder) == NULL)
		return (-1);
	n = snprintf(path, sizeof(path), "%s/socket", folder);
	if (n > 0 && (size_t)n < sizeof(path) &&
	    sockfile_bind(skf, fd, path) == 0) {
		skf->skf_folder = true;
		return (0);
	}
	rmdir(folder);
	return (-1);
}

int
sockfile_bind_private(struct sockfile *skf, int fd)
{
	const char *const parents[] = { getenv("XDG_RUNTIME_DIR"),
		getenv("TMPDIR"), "/tmp" };

	for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++) {
		/* A debugger need not run in the folder that we do. */
		if (parents[i] != NULL && parents[i][0] == '/' &&
		    bind_below(skf, fd, parents[i]) == 0)
			return (0);
	}
	return (-1);
}

/* ---- removing it ---- */

void
sockfile_remove(struct sockfile *skf)
{
	struct stat st;

	if (skf->skf_path == NULL)
		return;
	if (lstat(skf->skf_path, &st) == 0 && st.st_dev == skf->skf_dev &&
	    st.st_ino == skf->skf_ino)
		unlink(skf->skf_path);
	if (skf->skf_folder) {
		*strrchr(skf->skf_path, '/') = '\0';
		rmdir(skf->skf_path);
	}
	free(skf->skf_path);
	*skf = (struct sockfile){ 0 };
}
