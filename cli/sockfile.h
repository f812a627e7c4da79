/*
 * The file of a Unix socket that we listen on: made, found again, removed.
 *
 * A file at its path that was not made here is neither replaced nor removed.
 * The exception is a socket of the same user without a server, which a killed
 * server leaves.
 */
#ifndef CLI_SOCKFILE_H
#define CLI_SOCKFILE_H

#include <sys/types.h>

#include <stdbool.h>

/* All zeros: none. */
struct sockfile {
	char *skf_path;	 /* ours; NULL: there is no file */
	bool skf_folder; /* its folder was made for it */
	dev_t skf_dev;	 /* what was made there */
	ino_t skf_ino;
};

/*
 * Bind a socket to a new file at path that only this user can connect to.  0,
 * or -1 with errno: EEXIST if a file lies there that is no socket, EADDRINUSE
 * if somebody listens on it.
 */
int sockfile_bind(struct sockfile *skf, int fd, const char *path);

/*
 * The same in a new folder that only this user can look into: in
 * $XDG_RUNTIME_DIR, else in $TMPDIR, else in /tmp.
 */
int sockfile_bind_private(struct sockfile *skf, int fd);

/*
 * Remove the file, if it still is the one that was made, and the folder.  To be
 * called before the socket is closed: only until then the file's number is not
 * another's.
 */
void sockfile_remove(struct sockfile *skf);

#endif
