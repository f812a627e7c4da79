/*
 * Parts that the answers to several packets share: errors, the thread that a
 * packet names, and the reply that says that a thread is stopped.
 */
#include "rsp/rsp_int.h"

#define SIGNAL_TRAP 5

void
rsp_error(struct rsp_reply *reply, unsigned int number)
{
	uint8_t byte = (uint8_t)number;

	rsp_reply_reset(reply);
	rsp_put(reply, "E");
	rsp_put_hex(reply, &byte, sizeof(byte));
}

void
rsp_refuse(struct rsp *rsp, struct rsp_reply *reply, const char *text)
{
	rsp_reply_reset(reply);
	if (rsp->rss_lldb) {
		rsp_error(reply, RSP_EINVAL);
		rsp_put(reply, ";");
		rsp_put_hex_text(reply, text);
	} else {
		rsp_put(reply, "E.");
		rsp_put(reply, text);
	}
}

bool
rsp_take_thread(struct rsp *rsp, struct rsp_cursor *cur, size_t *thread)
{
	const struct rsp_target *t = rsp->rss_target;
	uint64_t id;

	if (!rsp_take_hex(cur, &id) || !rsp_at_end(cur))
		return (false);
	if (id == 0) {
		*thread = rsp->rss_thread;
		return (true);
	}
	for (size_t i = 0; i < t->rt_nthreads; i++) {
		if (t->rt_threads[i].rth_id == id) {
			*thread = i;
			return (true);
		}
	}
	return (false);
}

/*
 * gdb ignores keys that it does not know; LLDB takes the thread's name and its
 * reason from them.  A thread with a reason has a signal, others have none.
 */
void
rsp_put_stop(struct rsp *rsp, struct rsp_reply *reply, size_t thread)
{
	const struct rsp_thread *td = &rsp->rss_target->rt_threads[thread];
	const char *reason =
	    thread == rsp->rss_stopped ? rsp->rss_reason : NULL;
	uint8_t signal_no = reason != NULL ? SIGNAL_TRAP : 0;

	rsp_put(reply, "T");
	rsp_put_hex(reply, &signal_no, sizeof(signal_no));
	rsp_put(reply, "thread:");
	rsp_put_num(reply, td->rth_id);
	rsp_put(reply, ";hexname:");
	rsp_put_hex_text(reply, td->rth_name);
	if (reason != NULL) {
		rsp_put(reply, ";reason:exception;description:");
		rsp_put_hex_text(reply, reason);
	}
	rsp_put(reply, ";");
}
