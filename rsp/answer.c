/*
 * Answers packets about the threads, registers and memory of a dead kernel, and
 * refuses those that would run it: see rsp.h.  Queries, which have names, are in
 * answer_query.c.
 *
 * A packet is one letter and its arguments.  A letter that is not in the table
 * gets an empty reply, which tells clients that the packet is not supported.
 */
#include "rsp/rsp.h"

#include <string.h>

#include "rsp/rsp_int.h"

/* Memory is read in pieces of this many bytes, which fit on the stack. */
#define READ_PIECE 1024

#define CANNOT_RUN    "this is a crash dump: the kernel is dead and cannot run"
#define CANNOT_CHANGE "this is a crash dump: it cannot be changed"

/* ---- threads ---- */

/*
 * LLDB numbers threads in the order in which they are reported.  So the first of
 * the list is reported first and the others follow in order; LLDB selects the
 * thread that has a reason.
 */
static void
answer_stop(struct rsp *rsp, struct rsp_cursor *cur, struct rsp_reply *reply)
{
	(void)cur;
	rsp_put_stop(rsp, reply, rsp->rss_lldb ? 0 : rsp->rss_stopped);
}

/* Hg ID selects the thread for g and p; Hc ID the one to run, -1 for all. */
static void
answer_select(struct rsp *rsp, struct rsp_cursor *cur, struct rsp_reply *reply)
{
	size_t thread = rsp->rss_target->rt_first;
	bool to_run = rsp_take(cur, "c");
	bool everyone = to_run && rsp_take(cur, "-1");

	if (!to_run && !rsp_take(cur, "g"))
		rsp_error(reply, RSP_EINVAL);
	else if (!everyone && !rsp_take_thread(rsp, cur, &thread))
		rsp_error(reply, RSP_ENOENT);
	else {
		*(to_run ? &rsp->rss_running : &rsp->rss_thread) = thread;
		rsp_put(reply, "OK");
	}
}

static void
answer_alive(struct rsp *rsp, struct rsp_cursor *cur, struct rsp_reply *reply)
{
	size_t thread;

	if (rsp_take_thread(rsp, cur, &thread))
		rsp_put(reply, "OK");
	else
		rsp_error(reply, RSP_ENOENT);
}

/* ---- registers ---- */

/* A register of the selected thread, as the dump has it. */
static bool
saved_reg(const struct rsp *rsp, size_t reg, uint64_t *value)
{
	const struct rsp_target *t = rsp->rss_target;

	return (t->rt_reg(t->rt_arg, rsp->rss_thread, reg, value));
}

/*
 * The same, with a value for the registers that gdb needs.  gdb does not attach
 * if the first thread has no program counter: it is 0 then.  The mode register
 * has the kernel's mode in a thread that has a program counter.
 */
static bool
get_reg(const struct rsp *rsp, size_t reg, uint64_t *value)
{
	const struct rsp_target *t = rsp->rss_target;
	const struct rsp_tdesc *tdesc = &t->rt_tdesc;
	uint64_t pc;

	if (saved_reg(rsp, reg, value))
		return (true);
	if (reg == tdesc->rtd_mode) {
		*value = tdesc->rtd_mode_value;
		return (saved_reg(rsp, tdesc->rtd_pc, &pc));
	}
	*value = 0;
	return (rsp->rss_thread == t->rt_first && reg == tdesc->rtd_pc);
}

/*
 * The bytes of a register's value, in the target's order.  Registers of the x87
 * are longer than a value, but their contents are never known.
 */
static void
put_value(const struct rsp_target *t, struct rsp_reply *reply, uint64_t value,
    unsigned int len)
{
	uint8_t bytes[sizeof(value)];

	if (len > sizeof(bytes))
		len = sizeof(bytes);
	for (unsigned int i = 0; i < len; i++) {
		bytes[t->rt_order == ORDER_LITTLE ? i : len - 1 - i] =
		    (uint8_t)(value >> 8 * i);
	}
	rsp_put_hex(reply, bytes, len);
}

/*
 * All registers; an x stands for each digit of one that is not known.  LLDB would
 * take these for values: it gets an error, and asks for single registers.
 */
static void
answer_regs(struct rsp *rsp, struct rsp_cursor *cur, struct rsp_reply *reply)
{
	const struct rsp_target *t = rsp->rss_target;
	uint64_t value;
	unsigned int len;

	if (!rsp_at_end(cur) || rsp->rss_lldb) {
		rsp_error(reply, RSP_EINVAL);
		return;
	}
	for (size_t i = 0; i < t->rt_tdesc.rtd_nregs; i++) {
		len = t->rt_tdesc.rtd_regs[i].rrg_len;
		if (get_reg(rsp, i, &value)) {
			put_value(t, reply, value, len);
			continue;
		}
		for (unsigned int byte = 0; byte < len; byte++)
			rsp_put(reply, "xx");
	}
}

/*
 * One register.  One that is not known is the single byte xx, which gdb and
 * LLDB both understand.  LLDB would take a full-length row of x for a value,
 * and an error on register 0 as "this server has no p packet".
 */
static void
answer_reg(struct rsp *rsp, struct rsp_cursor *cur, struct rsp_reply *reply)
{
	const struct rsp_target *t = rsp->rss_target;
	uint64_t reg, value;

	if (!rsp_take_hex(cur, &reg) || !rsp_at_end(cur) ||
	    reg >= t->rt_tdesc.rtd_nregs)
		rsp_error(reply, RSP_ENOENT);
	else if (get_reg(rsp, (size_t)reg, &value))
		put_value(t, reply, value, t->rt_tdesc.rtd_regs[reg].rrg_len);
	else
		rsp_put(reply, "xx");
}

/* ---- memory ---- */

/* ADDR,LEN */
static bool
take_range(struct rsp_cursor *cur, uint64_t *addr, uint64_t *len)
{
	return (rsp_take_hex(cur, addr) && rsp_take(cur, ",") &&
	    rsp_take_hex(cur, len) && rsp_at_end(cur));
}

/*
 * Append memory, as bytes or as digits: at most len bytes, fewer if a later one
 * cannot be read or does not fit.  Returns how many.
 */
static uint64_t
put_memory(const struct rsp_target *t, struct rsp_reply *reply, uint64_t addr,
    uint64_t len, bool digits)
{
	uint8_t piece[READ_PIECE];
	uint64_t done = 0;
	size_t want, got;

	if (len > rsp_room(reply) / (digits ? 2 : 1))
		len = rsp_room(reply) / (digits ? 2 : 1);
	while (done < len) {
		want = len - done < sizeof(piece) ? (size_t)(len - done) :
						    sizeof(piece);
		got = t->rt_read(t->rt_arg, addr + done, piece, want);
		if (digits)
			rsp_put_hex(reply, piece, got);
		else
			rsp_put_bytes(reply, piece, got);
		done += got;
		if (got < want)
			break;
	}
	return (done);
}

static void
answer_memory(struct rsp *rsp, struct rsp_cursor *cur, struct rsp_reply *reply)
{
	uint64_t addr, len;

	if (!take_range(cur, &addr, &len))
		rsp_error(reply, RSP_EINVAL);
	else if (put_memory(rsp->rss_target, reply, addr, len, true) == 0 &&
	    len > 0)
		rsp_error(reply, RSP_EFAULT);
}

/* LLDB's form of m, with bytes instead of digits; length 0 asks for support. */
static void
answer_memory_binary(struct rsp *rsp, struct rsp_cursor *cur,
    struct rsp_reply *reply)
{
	uint64_t addr, len;

	if (!take_range(cur, &addr, &len))
		rsp_error(reply, RSP_EINVAL);
	else if (len == 0)
		rsp_put(reply, "OK");
	else if (put_memory(rsp->rss_target, reply, addr, len, false) == 0)
		rsp_error(reply, RSP_EFAULT);
}

/* ---- the end, and what a dead kernel cannot do ---- */

static void
answer_detach(struct rsp *rsp, struct rsp_cursor *cur, struct rsp_reply *reply)
{
	(void)cur;
	rsp->rss_over = true;
	rsp_put(reply, "OK");
}

/* gdb does not wait for this reply; LLDB wants to hear that the target died. */
static void
answer_kill(struct rsp *rsp, struct rsp_cursor *cur, struct rsp_reply *reply)
{
	(void)cur;
	rsp->rss_over = true;
	rsp_put(reply, "X09");
}

/*
 * gdb takes an error for a stop and shows its text.  LLDB would drop the
 * connection: it gets a stop, with the text as the reason.
 */
static void
refuse_run(struct rsp *rsp, struct rsp_cursor *cur, struct rsp_reply *reply)
{
	(void)cur;
	if (rsp->rss_lldb) {
		rsp->rss_stopped = rsp->rss_running;
		rsp->rss_reason = CANNOT_RUN;
		rsp_put_stop(rsp, reply, rsp->rss_stopped);
	} else
		rsp_refuse(rsp, reply, CANNOT_RUN);
}

static void
refuse_change(struct rsp *rsp, struct rsp_cursor *cur, struct rsp_reply *reply)
{
	(void)cur;
	rsp_refuse(rsp, reply, CANNOT_CHANGE);
}

/* Packets with long names.  vMustReplyEmpty is one that is not known. */
static void
answer_named(struct rsp *rsp, struct rsp_cursor *cur, struct rsp_reply *reply)
{
	if (rsp_take(cur, "Kill")) {
		rsp->rss_over = true;
		rsp_put(reply, "OK");
	} else if (rsp_take(cur, "Run") || rsp_take(cur, "Attach") ||
	    rsp_take(cur, "Cont;"))
		rsp_refuse(rsp, reply, CANNOT_RUN);
}

static const struct {
	char letter;
	rsp_answer_fn *answer;
} packets[] = {
	{ '?', answer_stop },
	{ 'C', refuse_run },
	{ 'D', answer_detach },
	{ 'G', refuse_change },
	{ 'H', answer_select },
	{ 'M', refuse_change },
	{ 'P', refuse_change },
	{ 'Q', rsp_answer_query },
	{ 'R', refuse_run },
	{ 'S', refuse_run },
	{ 'T', answer_alive },
	{ 'X', refuse_change },
	{ 'Z', refuse_change },
	{ 'c', refuse_run },
	{ 'g', answer_regs },
	{ 'k', answer_kill },
	{ 'm', answer_memory },
	{ 'p', answer_reg },
	{ 'q', rsp_answer_query },
	{ 's', refuse_run },
	{ 'v', answer_named },
	{ 'x', answer_memory_binary },
	{ 'z', refuse_change },
};

void
rsp_init(struct rsp *rsp, const struct rsp_target *target)
{
	*rsp = (struct rsp){
		.rss_target = target,
		.rss_thread = target->rt_first,
		.rss_running = target->rt_first,
		.rss_stopped = target->rt_first,
		.rss_reason = target->rt_reason,
	};
}

size_t
rsp_answer(struct rsp *rsp, const char *pkt, size_t len, char *reply,
    size_t cap)
{
	struct rsp_reply out = { .rp_base = reply, .rp_cap = cap };
	struct rsp_cursor cur = { pkt, pkt + len };

	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		if (len > 0 && pkt[0] == packets[i].letter) {
			/* A query's name begins with its letter. */
			if (packets[i].answer != rsp_answer_query)
				cur.rc_next++;
			packets[i].answer(rsp, &cur, &out);
			break;
		}
	}
	return (out.rp_len);
}

size_t
rsp_answer_bad(char *reply, size_t cap)
{
	struct rsp_reply out = { .rp_base = reply, .rp_cap = cap };

	rsp_error(&out, RSP_EINVAL);
	return (out.rp_len);
}
