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
#include <time.h>

#include "cli/sockfile.h"

/* From now on the signals end only waits, and SIGPIPE ends nothing. */
void serve_signals(void);

/* A listening socket.  Start with LISTENER_NONE. */
struct listener {
	int ln_fd;		 /* below FD_SETSIZE; -1: it does not listen */
	int ln_spare;		 /* a descriptor that a client may be given */
	uint16_t ln_port;	 /* TCP, on 127.0.0.1 */
	struct sockfile ln_file; /* Unix; none for TCP */
};

#define LISTENER_NONE ((struct listener){ .ln_fd = -1, .ln_spare = -1 })

/*
 * Listen on a port of 127.0.0.1, 0 for any that is free, or on a new socket
 * file, which only this user can connect to: at path, or for NULL where
 * sockfile_bind_private() puts it.  0, or -1 with errno.
 */
int listener_open_tcp(struct listener *ln, uint16_t port);
int listener_open_unix(struct listener *ln, const char *path);

/* Stop listening; the socket file goes. */
void listener_close(struct listener *ln);

/* The outcome of listener_accept(). */
enum accepted {
	ACCEPTED_CLIENT,
	ACCEPTED_NONE,	 /* the client has gone */
	ACCEPTED_AWAY,	 /* hung up on; errno is why */
	ACCEPTED_LATER,	 /* none could be taken now; errno is why */
	ACCEPTED_FAILURE /* there can be no more clients; errno is why */
};

/*
 * Take the next client, as a descriptor that does not block and is below
 * FD_SETSIZE.  One that there is no such descriptor for is hung up on.
 */
enum accepted listener_accept(struct listener *ln, int *fd);

/* Descriptors to wait for, and then those that are ready. */
struct waits {
	fd_set wt_read;
	fd_set wt_write;
	int wt_max;
	const struct timespec *wt_limit; /* NULL: as long as it takes */
};

#define WAITS_NONE ((struct waits){ .wt_max = -1 })

/* Wait for fd, below FD_SETSIZE, until it can be read from, or written to. */
void waits_add(struct waits *waits, int fd, bool to_write);

/*
 * Wait until one of them is ready or the limit is over.  false: a signal came, or
 * errno tells why.
 */
bool waits_wait(struct waits *waits);
bool waits_ready(const struct waits *waits, int fd);

/* Did one of the signals come? */
bool serve_stopped(void);

#endif
