/*
 * The gdb remote protocol for a kernel that is dead: answers one packet at a
 * time about threads, registers and memory, and refuses, in words that the
 * debugger shows, whatever would run or change the target.
 *
 * It knows no dump and does no I/O: what it serves is a struct rsp_target, and
 * the bytes come and go through session.h.
 *
 * Facts: Debugging with GDB, appendix "GDB Remote Serial Protocol"; LLDB's
 * docs/resources/lldbgdbremote.md.
 */
#ifndef RSP_RSP_H
#define RSP_RSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/bytes.h"
#include "rsp/tdesc.h"

struct rsp_thread {
	uint64_t rth_id;      /* not 0, and no other thread's */
	const char *rth_name; /* as a debugger shows it */
};

/* The target of a session.  It does not change during the session. */
struct rsp_target {
	struct rsp_tdesc rt_tdesc;
	enum byte_order rt_order; /* of registers and memory */
	const struct rsp_thread *rt_threads;
	size_t rt_nthreads;    /* at least 1: clients want one to stand on */
	size_t rt_first;       /* the thread a client starts on */
	const char *rt_reason; /* why that thread stopped, or NULL */

	/* A register's value.  false: the dump does not hold it. */
	bool (*rt_reg)(void *arg, size_t thread, size_t reg, uint64_t *value);

	/* Read memory.  Returns how many bytes from addr on can be read. */
	size_t (*rt_read)(void *arg, uint64_t addr, void *buf, size_t len);

	/*
	 * Execute a command of the user's, "monitor" in gdb.  Returns its
	 * output, valid until the next command; NULL: no memory.
	 */
	const char *(*rt_monitor)(void *arg, const char *command);
	void *rt_arg;
};

/* One client's session.  Set up by rsp_init(); nothing to free. */
struct rsp {
	const struct rsp_target *rss_target;
	size_t rss_thread;	/* that g and p are about: Hg */
	size_t rss_running;	/* that the client would run: Hc */
	size_t rss_stopped;	/* that stopped last, */
	const char *rss_reason; /* and why; NULL: that is not known */
	size_t rss_listed;	/* threads told by qfThreadInfo, qsThreadInfo */
	size_t rss_mark;	/* a thread, and where its text starts in the */
	uint64_t rss_mark_off;	/* document of threads; 0: not known yet */
	const char *rss_console; /* left to show of a command, or NULL */
	bool rss_noack;		 /* both sides do without + and - */
	bool rss_lldb;		 /* the client is LLDB */
	bool rss_over;		 /* the client is done with us */
};

void rsp_init(struct rsp *rsp, const struct rsp_target *target);

/*
 * Answer the packet pkt of len bytes.  Writes at most cap bytes to reply and
 * returns how many; 0, an empty reply, means "not supported".
 */
size_t rsp_answer(struct rsp *rsp, const char *pkt, size_t len, char *reply,
    size_t cap);

/*
 * Some answers are several replies.  Call this after each: false if it was the
 * last, else the next one is in reply, *len bytes.
 */
bool rsp_answer_more(struct rsp *rsp, char *reply, size_t cap, size_t *len);

/* The answer to a packet that came damaged, or longer than was agreed. */
size_t rsp_answer_bad(char *reply, size_t cap);

#endif
