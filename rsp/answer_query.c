/*
 * Queries: packets with a name after q or Q, about the connection, the list of
 * threads and the documents (target description, thread list) that clients read
 * piece by piece.
 *
 * Some queries are left out on purpose: the empty reply makes clients use the
 * next best packet, which is here.
 *	qRegisterInfo		clients read target.xml instead
 *	qMemoryRegionInfo	LLDB would walk the gaps of a 64-bit address space
 *				one answer at a time
 *	jThreadsInfo		clients ask qThreadStopInfo for each thread
 */
#include <string.h>

#include "rsp/packet.h"
#include "rsp/rsp_int.h"

/* Clients want a process id, and no process of FreeBSD is the kernel. */
#define KERNEL_PID 1

/* ---- the connection ---- */

static void
answer_supported(struct rsp *rsp, struct rsp_cursor *cur,
    struct rsp_reply *reply)
{
	(void)rsp;
	(void)cur;
	rsp_put(reply, "PacketSize=");
	rsp_put_num(reply, RSP_PAYLOAD_MAX);
	rsp_put(reply,
	    ";QStartNoAckMode+;qXfer:features:read+;"
	    "qXfer:threads:read+");
}

static void
answer_noack(struct rsp *rsp, struct rsp_cursor *cur, struct rsp_reply *reply)
{
	(void)cur;
	rsp->rss_noack = true;
	rsp_put(reply, "OK");
}

/* Allow errors with a text.  Only LLDB asks for it. */
static void
answer_error_strings(struct rsp *rsp, struct rsp_cursor *cur,
    struct rsp_reply *reply)
{
	(void)cur;
	rsp->rss_lldb = true;
	rsp_put(reply, "OK");
}

static void
answer_ok(struct rsp *rsp, struct rsp_cursor *cur, struct rsp_reply *reply)
{
	(void)rsp;
	(void)cur;
	rsp_put(reply, "OK");
}

/* 1: we attached to an existing process, so a client that quits detaches. */
static void
answer_attached(struct rsp *rsp, struct rsp_cursor *cur,
    struct rsp_reply *reply)
{
	(void)rsp;
	(void)cur;
	rsp_put(reply, "1");
}

/* ---- the machine, for LLDB ---- */

static void
put_machine(const struct rsp_target *t, struct rsp_reply *reply)
{
	rsp_put(reply, "triple:");
	rsp_put_hex_text(reply, t->rt_tdesc.rtd_lldb);
	rsp_put_hex_text(reply, "-unknown-freebsd");
	rsp_put(reply, ";ptrsize:");
	rsp_put_num(reply, t->rt_tdesc.rtd_ptr_len);
	rsp_put(reply, ";endian:");
	rsp_put(reply, t->rt_order == ORDER_LITTLE ? "little" : "big");
	rsp_put(reply, ";");
}

static void
answer_host(struct rsp *rsp, struct rsp_cursor *cur, struct rsp_reply *reply)
{
	(void)cur;
	put_machine(rsp->rss_target, reply);
}

static void
answer_process(struct rsp *rsp, struct rsp_cursor *cur, struct rsp_reply *reply)
{
	(void)cur;
	rsp_put(reply, "pid:");
	rsp_put_num(reply, KERNEL_PID);
	rsp_put(reply, ";");
	put_machine(rsp->rss_target, reply);
}

/* ---- threads ---- */

static void
answer_current(struct rsp *rsp, struct rsp_cursor *cur, struct rsp_reply *reply)
{
	(void)cur;
	rsp_put(reply, "QC");
	rsp_put_num(reply, rsp->rss_target->rt_threads[rsp->rss_thread].rth_id);
}

/* m and as many ids as fit, or l after the last. */
static void
answer_next_threads(struct rsp *rsp, struct rsp_cursor *cur,
    struct rsp_reply *reply)
{
	const struct rsp_target *t = rsp->rss_target;
	const size_t longest = sizeof(",0123456789abcdef") - 1;
	bool first = true;

	(void)cur;
	if (rsp->rss_listed == t->rt_nthreads) {
		rsp_put(reply, "l");
		return;
	}
	rsp_put(reply, "m");
	while (rsp->rss_listed < t->rt_nthreads && rsp_room(reply) >= longest) {
		if (!first)
			rsp_put(reply, ",");
		rsp_put_num(reply, t->rt_threads[rsp->rss_listed].rth_id);
		rsp->rss_listed++;
		first = false;
	}
}

static void
answer_first_threads(struct rsp *rsp, struct rsp_cursor *cur,
    struct rsp_reply *reply)
{
	rsp->rss_listed = 0;
	answer_next_threads(rsp, cur, reply);
}

static void
answer_thread_name(struct rsp *rsp, struct rsp_cursor *cur,
    struct rsp_reply *reply)
{
	size_t thread;

	if (rsp_take(cur, ",") && rsp_take_thread(rsp, cur, &thread))
		rsp_put_hex_text(reply,
		    rsp->rss_target->rt_threads[thread].rth_name);
	else
		rsp_error(reply, RSP_ENOENT);
}

static void
answer_thread_stop(struct rsp *rsp, struct rsp_cursor *cur,
    struct rsp_reply *reply)
{
	size_t thread;

	if (rsp_take_thread(rsp, cur, &thread))
		rsp_put_stop(rsp, reply, thread);
	else
		rsp_error(reply, RSP_ENOENT);
}

/* ---- documents ---- */

static void
put_target_xml(struct rsp *rsp, struct rsp_reply *reply)
{
	rsp_tdesc_put(&rsp->rss_target->rt_tdesc, reply);
}

static void
put_thread_xml(const struct rsp_thread *td, struct rsp_reply *reply)
{
	rsp_put(reply, "<thread id=\"");
	rsp_put_num(reply, td->rth_id);
	rsp_put(reply, "\" name=\"");
	rsp_put_xml(reply, td->rth_name);
	rsp_put(reply, "\"/>\n");
}

/*
 * Clients read on where the last piece ended.  The thread whose text is there is
 * marked, so that a document of many threads takes no time of their square.
 */
static void
put_threads_xml(struct rsp *rsp, struct rsp_reply *reply)
{
	const struct rsp_target *t = rsp->rss_target;
	uint64_t off = reply->rp_skip;
	size_t i = 0;

	if (rsp->rss_mark_off != 0 && rsp->rss_mark_off <= off) {
		reply->rp_skip -= rsp->rss_mark_off;
		i = rsp->rss_mark;
	} else {
		rsp_put(reply, "<?xml version=\"1.0\"?>\n<threads>\n");
	}
	for (; i < t->rt_nthreads && !reply->rp_cut; i++) {
		/* After what was skipped, the piece starts at off. */
		rsp->rss_mark = i;
		rsp->rss_mark_off = off - reply->rp_skip + reply->rp_len;
		put_thread_xml(&t->rt_threads[i], reply);
	}
	rsp_put(reply, "</threads>\n");
}

static const struct {
	const char *name; /* object:read:annex: */
	void (*put)(struct rsp *rsp, struct rsp_reply *reply);
} documents[] = {
	{ "features:read:target.xml:", put_target_xml },
	{ "threads:read::", put_threads_xml },
};

/*
 * Append the len bytes at off of a document.  The document is written anew each
 * time, through a window on it.  The reply starts with m if more follows, and
 * with l at its end.
 */
static void
put_piece(struct rsp *rsp, struct rsp_reply *reply, size_t doc, uint64_t off,
    uint64_t len)
{
	struct rsp_reply window = { .rp_skip = off };

	rsp_put(reply, "l");
	window.rp_base = reply->rp_base + reply->rp_len;
	window.rp_cap = rsp_room(reply);
	if (len < window.rp_cap)
		window.rp_cap = (size_t)len;
	documents[doc].put(rsp, &window);
	reply->rp_len += window.rp_len;
	if (window.rp_cut)
		reply->rp_base[0] = 'm';
}

static void
answer_document(struct rsp *rsp, struct rsp_cursor *cur,
    struct rsp_reply *reply)
{
	uint64_t off, len;

	if (!rsp_take(cur, ":"))
		return;
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		if (!rsp_take(cur, documents[i].name))
			continue;
		if (rsp_take_hex(cur, &off) && rsp_take(cur, ",") &&
		    rsp_take_hex(cur, &len) && rsp_at_end(cur))
			put_piece(rsp, reply, i, off, len);
		else
			rsp_error(reply, RSP_EINVAL);
		return;
	}
	rsp_error(reply, RSP_ENOENT);
}

/* ---- names ---- */

static const struct {
	const char *name;
	rsp_answer_fn *answer;
} queries[] = {
	{ "QEnableErrorStrings", answer_error_strings },
	{ "QStartNoAckMode", answer_noack },
	{ "qAttached", answer_attached },
	{ "qC", answer_current },
	{ "qHostInfo", answer_host },
	{ "qProcessInfo", answer_process },
	{ "qRcmd", rsp_answer_monitor },
	{ "qSupported", answer_supported },
	{ "qSymbol", answer_ok },
	{ "qThreadExtraInfo", answer_thread_name },
	{ "qXfer", answer_document },
	{ "qfThreadInfo", answer_first_threads },
	{ "qsThreadInfo", answer_next_threads },
};

/* A name ends before the first byte that cannot be part of one. */
static size_t
name_len(const struct rsp_cursor *cur)
{
	const char *p;

	for (p = cur->rc_next; p < cur->rc_end; p++) {
		if (*p == ':' || *p == ',' || *p == ';')
			break;
	}
	return ((size_t)(p - cur->rc_next));
}

void
rsp_answer_query(struct rsp *rsp, struct rsp_cursor *cur,
    struct rsp_reply *reply)
{
	size_t len = name_len(cur);

	/* The only query whose argument follows its name without a separator. */
	if (rsp_take(cur, "qThreadStopInfo")) {
		answer_thread_stop(rsp, cur, reply);
		return;
	}
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		if (strlen(queries[i].name) == len &&
		    rsp_take(cur, queries[i].name)) {
			queries[i].answer(rsp, cur, reply);
			return;
		}
	}
}
