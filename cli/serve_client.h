/*
 * One client of the remote server: its session, and the bytes to and from it.
 *
 * A client is read from while nothing waits to be sent to it, so that a client
 * that asks but does not read takes the memory of one answer.
 */
#ifndef CLI_SERVE_CLIENT_H
#define CLI_SERVE_CLIENT_H

#include "cli/serve_net.h"
#include "rsp/session.h"

struct client {
	int cl_in; /* the same descriptor twice, when it came over a socket */
	int cl_out;
	struct rsp_session *cl_session; /* ours */
	bool cl_over;			/* it goes when all is sent */

	char cl_input[512]; /* taken from cl_taken on */
	size_t cl_taken;
	size_t cl_have;

	char *cl_answer; /* ours; sent from cl_sent on */
	size_t cl_sent;
	size_t cl_len;
	size_t cl_room;
};

/*
 * Start a session.  0: the descriptors are the client's from then on.  -1 with
 * errno ENOMEM: they stay the caller's.
 */
int client_open(struct client *cl, int in, int out,
    const struct rsp_target *target);
void client_close(struct client *cl);

/* Wait for what this client has to do next. */
void client_wait(const struct client *cl, struct waits *waits);

/*
 * Do what can be done after the wait without waiting again.  false: the client
 * is gone.
 */
bool client_work(struct client *cl, const struct waits *waits);

#endif
