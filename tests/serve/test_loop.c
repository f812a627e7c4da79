/*
 * A server whose accept(2) fails a few times before there is a client: with errors
 * that go away it serves the client, and says once what there was.
 */
#define _GNU_SOURCE 1 /* RTLD_NEXT */
#include "cli/serve_loop.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "tests/rsp/fake_target.h"
#include "tests/support/unit.h"

#define FAILURES 2

static int failure;	       /* the errno of accept(2) */
static unsigned int nfailures; /* so many of its next calls fail */

typedef int accept_t(int, struct sockaddr *, socklen_t *);

int
accept(int fd, struct sockaddr *addr, socklen_t *len)
{
	if (nfailures == 0)
		return (((accept_t *)dlsym(RTLD_NEXT, "accept"))(fd, addr,
		    len));
	nfailures--;
	errno = failure;
	return (-1);
}

static const struct row {
	const char *name;
	int failure;
	int status;
	unsigned int nmessages;
} rows[] = {
	{ "the client has gone", ECONNABORTED, EX_OK, 0 },
	{ "a signal", EINTR, EX_OK, 0 },
	{ "no memory", ENOMEM, EX_OK, 1 },
	{ "no buffers", ENOBUFS, EX_OK, 1 },
	{ "no descriptors", EMFILE, EX_OK, 1 },
	{ "no descriptors of the host", ENFILE, EX_OK, 1 },
	{ "an error of the protocol", EPROTO, EX_OK, 1 },
	{ "a firewall", EPERM, EX_OK, 1 },
	{ "no network", ENETDOWN, EX_OK, 1 },
	{ "no such operation", EOPNOTSUPP, EX_OK, 1 },
	{ "no socket", ENOTSOCK, EX_OSERR, 1 },
	{ "no listening socket", EINVAL, EX_OSERR, 1 },
	{ "no descriptor", EBADF, EX_OSERR, 1 },
};

/* A client that detaches; the server has not accepted it yet. */
static int
client_of(const struct listener *ln)
{
	static const char packet[] = "$D#44";
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(addr.sun_path, ln->ln_file.skf_path,
	    strlen(ln->ln_file.skf_path));
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)),
	    0);
	assert_int_equal(write(fd, packet, strlen(packet)), strlen(packet));
	return (fd);
}

static unsigned int
count_lines(FILE *file)
{
	unsigned int n = 0;
	int ch;

	rewind(file);
	while ((ch = getc(file)) != EOF)
		n += ch == '\n';
	return (n);
}

/* Its messages go to a file. */
static int
serve_quietly(struct listener *ln, FILE *messages)
{
	int error = dup(STDERR_FILENO);
	int status;

	assert_true(dup2(fileno(messages), STDERR_FILENO) >= 0);
	status =
	    serve_listener(ln, fake_target(ARCH_AMD64, ORDER_LITTLE), true);
	assert_true(dup2(error, STDERR_FILENO) >= 0);
	(void)close(error);
	return (status);
}

static void
test_accept(void **state)
{
	const struct row *row = *state;
	FILE *messages = tmpfile();
	char answer[16] = "";
	struct listener ln;
	int client;

	assert_non_null(messages);
	assert_int_equal(listener_open_unix(&ln, NULL), 0);
	client = client_of(&ln);
	failure = row->failure;
	nfailures = FAILURES;
	assert_int_equal(serve_quietly(&ln, messages), row->status);
	nfailures = 0;
	if (row->status == EX_OK) {
		assert_true(read(client, answer, sizeof(answer) - 1) > 0);
		assert_string_equal(answer, "+$OK#9a");
	}
	assert_int_equal(count_lines(messages), row->nmessages);
	(void)fclose(messages);
	(void)close(client);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(rows)];
	size_t n = 0;

	ADD_ROWS(tests, n, rows, test_accept);
	return (RUN_TESTS(tests, n));
}
