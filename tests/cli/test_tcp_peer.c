/*
 * Whose a connection is, where the list of connections lacks a line at times, as
 * Linux's may while others close.  cli/tcp_peer.c opens the list with what fopen()
 * is here.
 */
#include "cli/tcp_peer.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/support/unit.h"

static unsigned int nempty; /* so many of the next lists have no line */

FILE *
fopen(const char *path, const char *mode)
{
	int fd = open(nempty > 0 ? "/dev/null" : path, O_RDONLY);

	nempty -= nempty > 0;
	return (fd < 0 ? NULL : fdopen(fd, mode));
}

static const struct skip_row {
	const char *name;
	unsigned int nempty;
	enum tcp_peer want;
} skip_rows[] = {
	{ "no line is skipped", 0, TCP_PEER_OURS },
	{ "a line is skipped once", 1, TCP_PEER_OURS },
	{ "a line is skipped seven times", 7, TCP_PEER_OURS },
	{ "there is no line", 1000, TCP_PEER_GONE },
};

/* A connection over the loopback interface: the end that was accepted. */
static int
accepted(int *client)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int fd;

	*client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len),
	    0);
	assert_int_equal(connect(*client, (struct sockaddr *)&at, len), 0);
	fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	(void)close(listener);
	return (fd);
}

static void
test_skipped(void **state)
{
	const struct skip_row *row = *state;
	int client, fd;

	if (access("/proc/net/tcp", R_OK) != 0)
		skip();
	fd = accepted(&client);
	nempty = row->nempty;
	assert_int_equal(tcp_peer(fd), row->want);
	nempty = 0;
	(void)close(fd);
	(void)close(client);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(skip_rows)];
	size_t n = 0;

	ADD_ROWS(tests, n, skip_rows, test_skipped);
	return (RUN_TESTS(tests, n));
}
