/*
 * All clients of the remote server, side by side in one process: the dump and
 * what was found out about it are there once.
 */
#ifndef CLI_SERVE_LOOP_H
#define CLI_SERVE_LOOP_H

#include "cli/serve_client.h"
#include "cli/serve_net.h"

/* Those who come when there are as many are hung up on. */
#define SERVE_CLIENTS_MAX 16

/*
 * Serve who comes to the listener until a signal comes; with once, only the
 * first one, until it goes.  The listener is closed, at the latest at the end.
 * EX_OK, or another exit status after a message.
 */
int serve_listener(struct listener *ln, const struct rsp_target *target,
    bool once);

/* Serve one client, on standard input and output, until it goes. */
int serve_stdio(const struct rsp_target *target);

#endif
