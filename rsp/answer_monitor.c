/*
 * The user's commands: "monitor COMMAND" in gdb, "process plugin packet monitor
 * COMMAND" in LLDB.  The target defines and executes them.
 *
 * The command comes as hexadecimal digits.  Its output goes back in replies of O
 * and digits, as many as are needed, and a last one, OK.
 */
#include <string.h>

#include "rsp/rsp_int.h"

/* The longest command, in bytes. */
#define COMMAND_MAX 255

/* The rest of the packet as text.  false: it is not text, or too long. */
static bool
take_command(struct rsp_cursor *cur, char command[COMMAND_MAX + 1])
{
	size_t len = 0;
	int high, low;

	for (; !rsp_at_end(cur); cur->rc_next += 2) {
		if (cur->rc_end - cur->rc_next < 2 || len == COMMAND_MAX)
			return (false);
		high = rsp_digit(cur->rc_next[0]);
		low = rsp_digit(cur->rc_next[1]);
		if (high < 0 || low < 0 || (high == 0 && low == 0))
			return (false);
		command[len++] = (char)(high << 4 | low);
	}
	command[len] = '\0';
	return (true);
}

/* As much of the remaining output as fits, or the last reply. */
static void
put_console(struct rsp *rsp, struct rsp_reply *reply)
{
	size_t room = (rsp_room(reply) - 1) / 2;
	size_t len = strnlen(rsp->rss_console, room);

	if (len == 0) {
		rsp->rss_console = NULL;
		rsp_put(reply, "OK");
		return;
	}
	rsp_put(reply, "O");
	rsp_put_hex(reply, rsp->rss_console, len);
	rsp->rss_console += len;
}

void
rsp_answer_monitor(struct rsp *rsp, struct rsp_cursor *cur,
    struct rsp_reply *reply)
{
	const struct rsp_target *t = rsp->rss_target;
	char command[COMMAND_MAX + 1];

	if (!rsp_take(cur, ",") || !take_command(cur, command)) {
		rsp_error(reply, RSP_EINVAL);
		return;
	}
	rsp->rss_console = t->rt_monitor(t->rt_arg, command);
	if (rsp->rss_console != NULL)
		put_console(rsp, reply);
	else
		rsp_error(reply, RSP_ENOMEM);
}

bool
rsp_answer_more(struct rsp *rsp, char *reply, size_t cap, size_t *len)
{
	struct rsp_reply out = { .rp_base = reply, .rp_cap = cap };

	if (rsp->rss_console == NULL)
		return (false);
	put_console(rsp, &out);
	*len = out.rp_len;
	return (true);
}
