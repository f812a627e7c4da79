/*
 * Sockets and signals of the remote server: see serve_net.h.
 *
 * The only wait is one pselect(2), the only place where the signals are let
 * through: one that comes at any other time is seen by the next wait, so none
 * is lost between a check and a system call that blocks.
 */
#include "cli/serve_net.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stopped;
static sigset_t wait_mask;     /* holds back what it did before, */
static const sigset_t *let_in; /* &wait_mask, once signals are held back */

/* ---- signals and waiting ---- */

static void
stop(int signo)
{
	(void)signo;
	stopped = 1;
}

void
serve_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = stop };
	struct sigaction old;
	sigset_t held;

	sigemptyset(&held);
	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		/* nohup(1) and the like had their reasons. */
		sigaction(signals[i], NULL, &old);
		if (old.sa_handler == SIG_IGN)
			continue;
		sigaddset(&held, signals[i]);
		sigaction(signals[i], &sa, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &held, &wait_mask);
	let_in = &wait_mask;
}

bool
serve_stopped(void)
{
	return (stopped != 0);
}

void
waits_add(struct waits *wt, int fd, bool to_write)
{
	FD_SET(fd, to_write ? &wt->wt_write : &wt->wt_read);
	if (fd > wt->wt_max)
		wt->wt_max = fd;
}

bool
waits_ready(const struct waits *wt, int fd)
{
	return (FD_ISSET(fd, &wt->wt_read) || FD_ISSET(fd, &wt->wt_write));
}

bool
waits_wait(struct waits *wt)
{
	const struct waits asked = *wt;
	int n = -1;

	while (!serve_stopped()) {
		*wt = asked;
		n = pselect(wt->wt_max + 1, &wt->wt_read, &wt->wt_write, NULL,
		    wt->wt_limit, let_in);
		if (n >= 0 || errno != EINTR)
			break;
	}
	return (n >= 0);
}

/* ---- listening ---- */

/* A socket that can be waited for.  0, or -1 with errno. */
static int
make_socket(struct listener *ln, int family)
{
	*ln = LISTENER_NONE;
	ln->ln_fd = socket(family, SOCK_STREAM, 0);
	if (ln->ln_fd < FD_SETSIZE)
		return (ln->ln_fd < 0 ? -1 : 0);
	errno = EMFILE;
	return (-1);
}

/* Listen on a socket that is bound. */
static int
start(struct listener *ln)
{
	ln->ln_spare = dup(ln->ln_fd);
	if (ln->ln_spare < 0 || listen(ln->ln_fd, SOMAXCONN) != 0)
		return (-1);
	/* A client may have gone before it is accepted. */
	return (fcntl(ln->ln_fd, F_SETFL, O_NONBLOCK));
}

/* Close what could not be opened.  -1, with errno as it was. */
static int
give_up(struct listener *ln)
{
	int error = errno;

	listener_close(ln);
	errno = error;
	return (-1);
}

int
listener_open_tcp(struct listener *ln, uint16_t port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);
	int on = 1;

	if (make_socket(ln, AF_INET) != 0)
		return (give_up(ln));
	setsockopt(ln->ln_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(ln->ln_fd, (struct sockaddr *)&addr, len) != 0 ||
	    start(ln) != 0 ||
	    getsockname(ln->ln_fd, (struct sockaddr *)&addr, &len) != 0)
		return (give_up(ln));
	ln->ln_port = ntohs(addr.sin_port);
	return (0);
}

int
listener_open_unix(struct listener *ln, const char *path)
{
	int status;

	if (make_socket(ln, AF_UNIX) != 0)
		return (give_up(ln));
	status = path != NULL ? sockfile_bind(&ln->ln_file, ln->ln_fd, path) :
				sockfile_bind_private(&ln->ln_file, ln->ln_fd);
	if (status != 0 || start(ln) != 0)
		return (give_up(ln));
	return (0);
}

void
listener_close(struct listener *ln)
{
	sockfile_remove(&ln->ln_file);
	if (ln->ln_fd >= 0)
		close(ln->ln_fd);
	if (ln->ln_spare >= 0)
		close(ln->ln_spare);
	*ln = LISTENER_NONE;
}

/*
 * There is no client, for the reason in errno.  accept(2) lists errors of the
 * client's connection, and others that go away: what ends the server is an error of
 * its own socket.
 */
static enum accepted
no_client(void)
{
	switch (errno) {
	case EAGAIN:
#if EWOULDBLOCK != EAGAIN
	case EWOULDBLOCK:
#endif
	case EINTR:
	case ECONNABORTED:
		return (ACCEPTED_NONE);
	case EBADF:
	case EFAULT:
	case EINVAL:
	case ENOTSOCK:
		return (ACCEPTED_FAILURE);
	default:
		return (ACCEPTED_LATER);
	}
}

/*
 * Without a free descriptor a client gets the spare one, to hang up on it: it
 * would keep the listener ready otherwise.
 */
static enum accepted
turn_away(struct listener *ln, int error)
{
	enum accepted done = ACCEPTED_AWAY;
	int fd;

	if (ln->ln_spare >= 0)
		close(ln->ln_spare);
	fd = accept(ln->ln_fd, NULL, NULL);
	if (fd >= 0) {
		close(fd);
	} else {
		error = errno;
		done = no_client();
	}
	ln->ln_spare = dup(ln->ln_fd);
	errno = error;
	return (done);
}

enum accepted
listener_accept(struct listener *ln, int *fd)
{
	int on = 1;

	*fd = accept(ln->ln_fd, NULL, NULL);
	if (*fd < 0 && (errno == EMFILE || errno == ENFILE))
		return (turn_away(ln, errno));
	if (*fd < 0)
		return (no_client());
	if (*fd >= FD_SETSIZE) {
		close(*fd);
		errno = EMFILE;
		return (ACCEPTED_AWAY);
	}
	/* A client that does not read must not hold us up. */
	fcntl(*fd, F_SETFL, O_NONBLOCK);
	if (ln->ln_file.skf_path == NULL)
		setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return (ACCEPTED_CLIENT);
}
