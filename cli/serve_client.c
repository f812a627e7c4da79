/*
 * A client of the remote server: see serve_client.h.
 */
#include "cli/serve_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
client_open(struct client *cl, int in, int out, const struct rsp_target *target)
{
	*cl = (struct client){ .cl_in = in, .cl_out = out };
	cl->cl_session = malloc(sizeof(*cl->cl_session));
	if (cl->cl_session == NULL)
		return (-1);
	rsp_session_init(cl->cl_session, target);
	return (0);
}

void
client_close(struct client *cl)
{
	close(cl->cl_in);
	if (cl->cl_out != cl->cl_in)
		close(cl->cl_out);
	free(cl->cl_session);
	free(cl->cl_answer);
	*cl = (struct client){ .cl_in = -1, .cl_out = -1 };
}

void
client_wait(const struct client *cl, struct waits *waits)
{
	if (cl->cl_len > 0)
		waits_add(waits, cl->cl_out, true);
	else
		waits_add(waits, cl->cl_in, false);
}

/* Is the last failure one after which waiting helps? */
static bool
try_again(void)
{
	return (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK);
}

/* ---- what it asks ---- */

/* A piece of an answer, which waits until the client takes it. */
static bool
add_answer(void *arg, const void *bytes, size_t len)
{
	struct client *cl = arg;
	size_t room = cl->cl_room;
	char *answer;

	while (room - cl->cl_len < len)
		room += room / 4 + BUFSIZ;
	if (room != cl->cl_room) {
		answer = realloc(cl->cl_answer, room);
		if (answer == NULL)
			return (false);
		cl->cl_answer = answer;
		cl->cl_room = room;
	}
	memcpy(cl->cl_answer + cl->cl_len, bytes, len);
	cl->cl_len += len;
	return (true);
}

/* Take input up to the first packet that has an answer. */
static void
take_packet(struct client *cl)
{
	while (cl->cl_taken < cl->cl_have && cl->cl_len == 0 && !cl->cl_over) {
		if (!rsp_session_input(cl->cl_session,
			&cl->cl_input[cl->cl_taken++], 1, add_answer, cl))
			cl->cl_over = true;
	}
}

/* false: there is no more input. */
static bool
receive(struct client *cl)
{
	ssize_t n = read(cl->cl_in, cl->cl_input, sizeof(cl->cl_input));

	if (n < 0 && try_again())
		return (true);
	if (n <= 0)
		return (false);
	cl->cl_taken = 0;
	cl->cl_have = (size_t)n;
	take_packet(cl);
	return (true);
}

/* ---- what it is told ---- */

/* false: the client is gone. */
static bool
send_answer(struct client *cl)
{
	ssize_t n = write(cl->cl_out, cl->cl_answer + cl->cl_sent,
	    cl->cl_len - cl->cl_sent);

	if (n < 0)
		return (try_again());
	cl->cl_sent += (size_t)n;
	if (cl->cl_sent < cl->cl_len)
		return (true);
	free(cl->cl_answer);
	cl->cl_answer = NULL;
	cl->cl_sent = cl->cl_len = cl->cl_room = 0;
	take_packet(cl);
	return (true);
}

bool
client_work(struct client *cl, const struct waits *waits)
{
	bool there = true;

	if (cl->cl_len > 0) {
		if (waits_ready(waits, cl->cl_out))
			there = send_answer(cl);
	} else if (waits_ready(waits, cl->cl_in)) {
		there = receive(cl);
	}
	return (there && (cl->cl_len > 0 || !cl->cl_over));
}
