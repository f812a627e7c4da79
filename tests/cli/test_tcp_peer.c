/*
 * Whose a connection is, also where the lists of connections lack a line at times,
 * as Linux's may while others close.  cli/tcp_peer.c opens the lists with what
 * fopen() is here.
 */
#include "cli/tcp_peer.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/unit.h"

static unsigned int nempty; /* so many of the next lists have no line */
static int no_ipv6;	    /* the errno of opening its list; 0: it opens */

FILE *
fopen(const char *path, const char *mode)
{
	int fd;

	if (no_ipv6 != 0 && strcmp(path, "/proc/net/tcp6") == 0) {
		errno = no_ipv6;
		return (NULL);
	}
	fd = open(nempty > 0 ? "/dev/null" : path, O_RDONLY);
	nempty -= nempty > 0;
	return (fd < 0 ? NULL : fdopen(fd, mode));
}

/* What the client does before it is asked for. */
enum act { ACT_NONE, ACT_SHUT, ACT_CLOSE };

static const struct row {
	const char *name;
	int family;
	enum act act;
	unsigned int nempty;
	int no_ipv6;
	enum tcp_peer want;
} rows[] = {
	{ "no line is skipped", AF_INET, ACT_NONE, 0, 0, TCP_PEER_OURS },
	{ "a line is skipped once", AF_INET, ACT_NONE, 2, 0, TCP_PEER_OURS },
	{ "a line is skipped seven times", AF_INET, ACT_NONE, 14, 0,
	    TCP_PEER_OURS },
	{ "there is no line", AF_INET, ACT_NONE, 1000, 0, TCP_PEER_GONE },
	{ "it writes no more", AF_INET, ACT_SHUT, 0, 0, TCP_PEER_OURS },
	{ "it is closed", AF_INET, ACT_CLOSE, 0, 0, TCP_PEER_GONE },
	{ "of IPv6", AF_INET6, ACT_NONE, 0, 0, TCP_PEER_OURS },
	{ "of IPv6: a line is skipped once", AF_INET6, ACT_NONE, 2, 0,
	    TCP_PEER_OURS },
	{ "of IPv6: it writes no more", AF_INET6, ACT_SHUT, 0, 0,
	    TCP_PEER_OURS },
	{ "of IPv6: it is closed", AF_INET6, ACT_CLOSE, 0, 0, TCP_PEER_GONE },
	{ "a host without IPv6", AF_INET, ACT_NONE, 0, ENOENT, TCP_PEER_OURS },
	{ "a host without IPv6: there is no line", AF_INET, ACT_NONE, 1000,
	    ENOENT, TCP_PEER_GONE },
	{ "the list cannot be read", AF_INET6, ACT_NONE, 0, EMFILE,
	    TCP_PEER_FAILED },
};

/* Connect to a port of IPv4's loopback interface.  false: there is no IPv6. */
static bool
connect_to(int *client, int family, struct sockaddr_in at)
{
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6,
		.sin6_port = at.sin_port,
		.sin6_addr.s6_addr = { [10] = 0xff, 0xff, 127, 0, 0, 1 } };

	*client = socket(family, SOCK_STREAM, 0);
	if (family == AF_INET6 &&
	    (*client < 0 || access("/proc/net/tcp6", R_OK) != 0))
		return (false);
	if (family == AF_INET6)
		assert_int_equal(connect(*client, (struct sockaddr *)&mapped,
				     sizeof(mapped)),
		    0);
	else
		assert_int_equal(connect(*client, (struct sockaddr *)&at,
				     sizeof(at)),
		    0);
	return (true);
}

/* A connection over the loopback interface: the end that was accepted; -1: none. */
static int
accepted(int *client, int family)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int fd = -1;

	assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len),
	    0);
	if (connect_to(client, family, at)) {
		fd = accept(listener, NULL, NULL);
		assert_true(fd >= 0);
	}
	(void)close(listener);
	return (fd);
}

static void
test_peer(void **state)
{
	const struct row *row = *state;
	enum tcp_peer found;
	int client, fd;

	if (access("/proc/net/tcp", R_OK) != 0)
		skip();
	fd = accepted(&client, row->family);
	if (fd < 0)
		skip();
	if (row->act == ACT_SHUT)
		assert_int_equal(shutdown(client, SHUT_WR), 0);
	else if (row->act == ACT_CLOSE)
		(void)close(client);
	nempty = row->nempty;
	no_ipv6 = row->no_ipv6;
	errno = 0;
	found = tcp_peer(fd);
	assert_int_equal(found, row->want);
	if (found == TCP_PEER_FAILED)
		assert_int_equal(errno, row->no_ipv6);
	nempty = 0;
	no_ipv6 = 0;
	(void)close(fd);
	if (row->act != ACT_CLOSE)
		(void)close(client);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(rows)];
	size_t n = 0;

	ADD_ROWS(tests, n, rows, test_peer);
	return (RUN_TESTS(tests, n));
}
