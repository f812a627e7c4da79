/*
 * Where clients of the remote server come from, and how it waits for them.
 *
 * SIGINT, SIGTERM and SIGHUP end a server that listens, wherever it waits;
 * they are held back while it works.
 */
#ifndef CLI_SERVE_NET_H
#define CLI_SERVE_NET_H

#include <sys/select.h>

#include <stdbool.h>
#include <stdint.h>

#include "cli/sockfile.h"

/* From now on the signals end only waits, and SIGPIPE ends nothing. */
void serve_signals(void);

/* A listening socket.  ln_fd is -1 when there is none. */
struct listener {
	int ln_fd;
	uint16_t ln_port;	 /* TCP, on 127.0.0.1 */
	struct sockfile ln_file; /* Unix; none for TCP */
};

/*
 * Listen on a port of 127.0.0.1, 0 for any that is free, or on a new socket
 * file, which only this user can connect to: at path, or for NULL where
 * sockfile_bind_private() puts it.  0, or -1 with errno.
 */
int listener_open_tcp(struct listener *ln, uint16_t port);
int listener_open_unix(struct listener *ln, const char *path);

/* Stop listening; the socket file goes. */
void listener_close(struct listener *ln);

/*
 * A client that has come, as a descriptor that does not block.  -1 with errno:
 * none, and EAGAIN, EINTR and ECONNABORTED are no reason to give up.
 */
int listener_accept(const struct listener *ln);

/* Descriptors to wait for, and then those that are ready.  Start with zeros. */
struct waits {
	fd_set wt_read;
	fd_set wt_write;
	int wt_max;
};

/* Wait for fd, below FD_SETSIZE, until it can be read from, or written to. */
void waits_add(struct waits *waits, int fd, bool to_write);

/*
 * Wait until one of them is ready.  false: a signal came, or errno tells why.
 */
bool waits_wait(struct waits *waits);
bool waits_ready(const struct waits *waits, int fd);

/* Did one of the signals come? */
bool serve_stopped(void);

#endif
