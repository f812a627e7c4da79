/*
 * The clients of the remote server: see serve_loop.h.
 *
 * No client holds up another one by being silent or deaf.  A command of the
 * user's, such as "monitor bt", is carried out at once and does.
 */
#include "cli/serve_loop.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/tcp_peer.h"

struct loop {
	struct listener *lp_listener; /* the caller's; ln_fd may be -1 */
	const struct rsp_target *lp_target;
	bool lp_once;		   /* only one client is accepted */
	bool lp_rests;		   /* no client is accepted for a while */
	int lp_error;		   /* why it rested last; 0: it did not */
	struct client *lp_clients; /* owned; SERVE_CLIENTS_MAX */
	size_t lp_nclients;
};

/* A client that cannot be accepted now keeps the listener ready all the while. */
static const struct timespec rest = { .tv_nsec = 100000000 };

/* Room for clients.  0, or -1 after a message. */
static int
make_room(struct loop *lp)
{
	lp->lp_clients = calloc(SERVE_CLIENTS_MAX, sizeof(*lp->lp_clients));
	if (lp->lp_clients != NULL)
		return (0);
	warn("serve");
	return (-1);
}

/* waits: who else is waited for. */
static bool
wait_for_clients(const struct loop *lp, struct waits *waits)
{
	for (size_t i = 0; i < lp->lp_nclients; i++)
		client_wait(&lp->lp_clients[i], waits);
	return (waits_wait(waits));
}

static void
work_for_clients(struct loop *lp, const struct waits *waits)
{
	for (size_t i = lp->lp_nclients; i-- > 0;) {
		struct client *cl = &lp->lp_clients[i];

		if (client_work(cl, waits))
			continue;
		client_close(cl);
		*cl = lp->lp_clients[--lp->lp_nclients];
	}
}

/* ---- newcomers ---- */

/*
 * A client that has closed is noticed once the packets that it sent are answered, one
 * in two rounds.
 */
#define ROUNDS_MAX 16

/* Is there room for one more, now or when those that have closed are gone? */
static bool
is_room(struct loop *lp)
{
	static const struct timespec at_once = { 0 };

	for (int i = 0; i < ROUNDS_MAX && lp->lp_nclients == SERVE_CLIENTS_MAX;
	     i++) {
		struct waits waits = WAITS_NONE;

		waits.wt_limit = &at_once;
		if (!wait_for_clients(lp, &waits))
			break;
		work_for_clients(lp, &waits);
	}
	return (lp->lp_nclients < SERVE_CLIENTS_MAX);
}

/* Take in a client.  0, or -1 after a message. */
static int
add_client(struct loop *lp, int in, int out)
{
	struct client *cl;

	if (!is_room(lp)) {
		warnx("serve: a client was turned away: there are %d",
		    SERVE_CLIENTS_MAX);
		return (-1);
	}
	cl = &lp->lp_clients[lp->lp_nclients];
	if (client_open(cl, in, out, lp->lp_target) != 0) {
		warn("serve");
		return (-1);
	}
	lp->lp_nclients++;
	return (0);
}

/* Did another user of this host open it, or may one have? */
static bool
is_strange(const struct loop *lp, int fd)
{
	enum tcp_peer peer = TCP_PEER_OURS;

	if (lp->lp_listener->ln_file.skf_path == NULL)
		peer = tcp_peer(fd);
	if (peer == TCP_PEER_OTHER)
		warnx("serve: another user's client was turned away");
	if (peer == TCP_PEER_GONE)
		warnx("serve: a client of an unknown user was turned away");
	if (peer == TCP_PEER_FAILED)
		warn("serve: a client of an unknown user was turned away");
	return (peer != TCP_PEER_OURS && peer != TCP_PEER_UNTOLD);
}

/* The reason, in errno, is said once and not each time. */
static void
rest_from_accepting(struct loop *lp)
{
	int error = errno;

	if (error != lp->lp_error)
		warn("serve: no client can be accepted now");
	lp->lp_error = error;
	lp->lp_rests = true;
}

/* Accept a client.  0, or -1 with errno: there will be no more. */
static int
accept_client(struct loop *lp)
{
	int fd;

	switch (listener_accept(lp->lp_listener, &fd)) {
	case ACCEPTED_NONE:
		return (0);
	case ACCEPTED_AWAY:
		warn("serve: a client was turned away");
		return (0);
	case ACCEPTED_LATER:
		rest_from_accepting(lp);
		return (0);
	case ACCEPTED_FAILURE:
		return (-1);
	case ACCEPTED_CLIENT:
		break;
	}
	lp->lp_error = 0;
	if (is_strange(lp, fd) || add_client(lp, fd, fd) != 0)
		close(fd);
	else if (lp->lp_once)
		listener_close(lp->lp_listener);
	return (0);
}

/* ---- all of them ---- */

static bool
wait_for_all(struct loop *lp, struct waits *waits)
{
	int fd = lp->lp_listener->ln_fd;

	*waits = WAITS_NONE;
	if (lp->lp_rests)
		waits->wt_limit = &rest;
	else if (fd >= 0)
		waits_add(waits, fd, false);
	lp->lp_rests = false;
	return (wait_for_clients(lp, waits));
}

/* Runs until no client is left and none can come.  0, or -1 with errno. */
static int
run(struct loop *lp)
{
	struct waits waits;

	while (lp->lp_listener->ln_fd >= 0 || lp->lp_nclients > 0) {
		int fd = lp->lp_listener->ln_fd;

		if (!wait_for_all(lp, &waits))
			return (serve_stopped() ? 0 : -1);
		work_for_clients(lp, &waits);
		if (fd >= 0 && waits_ready(&waits, fd) &&
		    accept_client(lp) != 0)
			return (-1);
	}
	return (0);
}

/* To the end, whatever it is. */
static int
run_and_close(struct loop *lp)
{
	int status = EX_OK;

	if (run(lp) != 0) {
		warn("serve");
		status = EX_OSERR;
	}
	while (lp->lp_nclients > 0)
		client_close(&lp->lp_clients[--lp->lp_nclients]);
	free(lp->lp_clients);
	listener_close(lp->lp_listener);
	return (status);
}

int
serve_listener(struct listener *ln, const struct rsp_target *target, bool once)
{
	struct loop lp = {
		.lp_listener = ln,
		.lp_target = target,
		.lp_once = once,
	};

	if (make_room(&lp) != 0) {
		listener_close(ln);
		return (EX_OSERR);
	}
	return (run_and_close(&lp));
}

/*
 * gdb runs us in a pipe, and a ^C at its prompt reaches us too; it is not
 * meant for us.
 */
int
serve_stdio(const struct rsp_target *target)
{
	struct listener none = LISTENER_NONE;
	struct loop lp = { .lp_listener = &none, .lp_target = target };

	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (make_room(&lp) != 0)
		return (EX_OSERR);
	if (add_client(&lp, STDIN_FILENO, STDOUT_FILENO) != 0) {
		free(lp.lp_clients);
		return (EX_OSERR);
	}
	return (run_and_close(&lp));
}
