/*
 * Where clients of the remote server come from, and the bytes to and from one:
 * a socket, or standard input and output.
 *
 * SIGINT, SIGTERM and SIGHUP end a server that listens, wherever it waits;
 * they are held back while it works.
 */
#ifndef CLI_SERVE_NET_H
#define CLI_SERVE_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From now on the signals end only waits, and SIGPIPE ends nothing. */
void serve_signals(void);

/* A listening socket.  ln_fd is -1 when there is none. */
struct listener {
	int ln_fd;
	uint16_t ln_port;    /* TCP, on 127.0.0.1 */
	const char *ln_path; /* Unix; the caller's */
};

/*
 * Listen on a port of 127.0.0.1, 0 for any that is free, or on a new socket
 * file, which only this user can connect to.  0, or -1 with errno.
 */
int listener_open_tcp(struct listener *ln, uint16_t port);
int listener_open_unix(struct listener *ln, const char *path);

/* Stop listening; the socket file goes. */
void listener_close(struct listener *ln);

/* A client.  Both are the same descriptor when it came over a socket. */
struct client {
	int cl_in;
	int cl_out;
};

/* Wait for the next client.  false: a signal came, or errno tells why. */
bool listener_accept(const struct listener *ln, struct client *cl);
void client_close(struct client *cl);

/* Read what there is, up to len bytes.  0: the client is gone, or a signal. */
size_t client_receive(const struct client *cl, void *buf, size_t len);

/* Send all of len bytes.  false: the client is gone, or a signal came. */
bool client_send(const struct client *cl, const void *buf, size_t len);

/* Did one of the signals come? */
bool serve_stopped(void);

#endif
