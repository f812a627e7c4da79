/*
 * A thread's backtrace as text and as JSON: see backtrace.h.
 */
#include "cli/backtrace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cli/fold.h"
#include "cli/thread.h"

/* How a thread came from user mode. */
static const char *const entry_names[] = {
	[KDEBUG_ENTRY_NONE] = "user",
	[KDEBUG_ENTRY_TRAP] = "trap",
	[KDEBUG_ENTRY_INTERRUPT] = "interrupt",
	[KDEBUG_ENTRY_SYSCALL] = "syscall",
};

/* Bytes of the dump for each frame after the first KDEBUG_TRACE_MAX. */
#define FRAME_SHARE 256

uint64_t
backtrace_budget(const struct dump *dump)
{
	return (KDEBUG_TRACE_MAX + kvm_data_len(dump->d_kd) / FRAME_SHARE);
}

/* A trace of td that has at most left frames.  NULL: no memory. */
static struct kdebug_trace *
start_trace(const struct dump *dump, const struct kdebug_thread *td,
    uint64_t left)
{
	struct kdebug_trace *tr = kdebug_trace_create(dump->d_kdb, td);

	if (tr != NULL)
		kdebug_trace_limit(tr, left);
	return (tr);
}

/* ---- text ---- */

/* Where frames are printed. */
struct printer {
	FILE *bp_out;
	int bp_digits; /* of an address */
};

static void
print_frame(void *arg, size_t n, const struct kdebug_frame *frame)
{
	const struct printer *bp = arg;
	FILE *out = bp->bp_out;

	if (frame->kf_trap && n > 0)
		fprintf(out, "--- trap ---\n");
	if (frame->kf_gap)
		fprintf(out, "--- a frame may be missing ---\n");
	fprintf(out, "#%-2zu 0x%0*" PRIx64 " in ", n, bp->bp_digits,
	    frame->kf_pc);
	if (frame->kf_symbol != NULL)
		fprintf(out, "%s+0x%" PRIx64, frame->kf_symbol,
		    frame->kf_offset);
	else
		fprintf(out, "??");
	if (frame->kf_module != NULL)
		fprintf(out, " [%s]", frame->kf_module);
	if (frame->kf_file != NULL)
		fprintf(out, " at %s:%d", frame->kf_file, frame->kf_line);
	putc('\n', out);
}

/* "[... 5310 more frames of foo <- bar ...]" */
static void
print_repeats(void *arg, size_t n, const struct kdebug_frame *const *cycle,
    size_t ncycle)
{
	const struct printer *bp = arg;

	fprintf(bp->bp_out, "[... %zu more frames of ", n);
	for (size_t i = 0; i < ncycle; i++)
		fprintf(bp->bp_out, "%s%s", i > 0 ? " <- " : "",
		    cycle[i]->kf_symbol != NULL ? cycle[i]->kf_symbol : "??");
	fprintf(bp->bp_out, " ...]\n");
}

/* "syscall (4, FreeBSD ELF64, write)", as ddb has it. */
static void
print_entry(FILE *out, const struct kdebug_user *user)
{
	fputs(entry_names[user->ku_entry], out);
	if (user->ku_trap >= 0)
		fprintf(out, " 0x%" PRIx64, (uint64_t)user->ku_trap);
	if (user->ku_syscall < 0)
		return;
	fprintf(out, " (%" PRId64, user->ku_syscall);
	if (user->ku_abi != NULL)
		fprintf(out, ", %s", user->ku_abi);
	if (user->ku_syscall_name != NULL)
		fprintf(out, ", %s", user->ku_syscall_name);
	putc(')', out);
}

/* The last line of a thread that came from user mode. */
static void
print_user(FILE *out, const struct kdebug *kdb, const struct kdebug_user *user)
{
	static const enum kdebug_role roles[] = { KDEBUG_PC, KDEBUG_SP,
		KDEBUG_FP };
	const struct kdebug_reg_desc *descs;

	kdebug_reg_descs(kdb, &descs);
	fputs("--- ", out);
	print_entry(out, user);
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		size_t reg = kdebug_reg_of(kdb, roles[i]);

		fprintf(out, ", %s = 0x%" PRIx64, descs[reg].rd_name,
		    user->ku_regs.rs_value[reg]);
	}
	fputs(" ---\n", out);
}

/* The line after the last of n frames, if the stack goes on. */
static void
print_cut(FILE *out, size_t n)
{
	fprintf(out, "[... the stack goes on after %zu frames", n);
	if (n < KDEBUG_TRACE_MAX)
		fprintf(out,
		    ": more of all threads than the dump's size"
		    " allows for");
	fprintf(out, " ...]\n");
}

static void
print_frames(FILE *out, const struct dump *dump, struct kdebug_trace *tr,
    uint64_t *left)
{
	struct printer bp = {
		.bp_out = out,
		.bp_digits = (int)dump->d_core->kc_ptr_len * 2,
	};
	struct fold *fo = calloc(1, sizeof(*fo));
	const struct kdebug_user *user;
	struct kdebug_frame frame;
	size_t nframes;

	if (fo == NULL) {
		fprintf(out, "no frames: out of memory\n");
		return;
	}
	fo->fo_show = print_frame;
	fo->fo_repeat = print_repeats;
	fo->fo_arg = &bp;
	while (kdebug_trace_next(tr, &frame))
		fold_add(fo, &frame);
	fold_end(fo);
	nframes = fo->fo_nframes;
	free(fo);
	*left -= nframes;
	user = kdebug_trace_user(tr);
	if (kdebug_trace_cut(tr))
		print_cut(out, nframes);
	else if (nframes == 0 && user == NULL)
		fprintf(out, "no frames: its registers are not in the dump\n");
	if (user != NULL)
		print_user(out, dump->d_kdb, user);
}

void
backtrace_print(FILE *out, const struct dump *dump,
    const struct kdebug_thread *td, uint64_t *left)
{
	struct kdebug_trace *tr = start_trace(dump, td, *left);

	fprintf(out, "thread %d %s\n", td->kt_tid, td->kt_display_name);
	if (tr != NULL)
		print_frames(out, dump, tr, left);
	else
		fprintf(out, "no frames: out of memory\n");
	kdebug_trace_destroy(tr);
}

/* ---- JSON ---- */

static json_t *
frame_json(const struct dump *dump, const struct kdebug_frame *frame)
{
	bool symbol = frame->kf_symbol != NULL;
	bool file = frame->kf_file != NULL;

	return (json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:o}", "pc",
	    json_hex(frame->kf_pc, dump->d_core->kc_ptr_len), "symbol",
	    json_text(frame->kf_symbol), "offset",
	    symbol ? json_integer((json_int_t)frame->kf_offset) : json_null(),
	    "file", json_text(frame->kf_file), "line",
	    file ? json_integer(frame->kf_line) : json_null(), "module",
	    json_text(frame->kf_module), "trap", (int)frame->kf_trap,
	    "gap_before", (int)frame->kf_gap, "registers",
	    registers_json(dump->d_kdb, &frame->kf_regs)));
}

/* The brackets, and "cut" in the last frame; bytes. */
#define FRAMES_END_LEN 32

#define FRAME_FLAGS (JSON_COMPACT | JSON_ENSURE_ASCII)

/*
 * Frames on their way out.  The last one waits until it is known whether there is
 * room for one more.
 */
struct frames_out {
	FILE *fro_out;
	size_t fro_room;  /* bytes that may still be printed */
	json_t *fro_last; /* not printed yet; NULL: none */
	bool fro_bad;	  /* no memory */
};

/* Print the last one; after says what follows it. */
static void
print_last(struct frames_out *fo, char after)
{
	if (fo->fro_last != NULL &&
	    json_dumpf(fo->fro_last, fo->fro_out, FRAME_FLAGS) != 0)
		fo->fro_bad = true;
	putc(after, fo->fro_out);
	json_decref(fo->fro_last);
	fo->fro_last = NULL;
}

/* Take one more.  false: there is no room for it, or no memory. */
static bool
add_frame(struct frames_out *fo, json_t *frame)
{
	/* With the comma before it, or the bracket. */
	size_t len = json_dumpb(frame, NULL, 0, FRAME_FLAGS) + 1;

	if (len == 1 || len > fo->fro_room) {
		fo->fro_bad = len == 1;
		json_decref(frame);
		if (fo->fro_last != NULL)
			(void)json_object_set_new(fo->fro_last, "cut",
			    json_true());
		return (false);
	}
	if (fo->fro_last != NULL)
		print_last(fo, ',');
	fo->fro_room -= len;
	fo->fro_last = frame;
	return (!fo->fro_bad);
}

bool
backtrace_print_frames(FILE *out, const struct dump *dump,
    const struct kdebug_thread *td, size_t max)
{
	struct kdebug_trace *tr = kdebug_trace_create(dump->d_kdb, td);
	struct frames_out fo = { .fro_out = out,
		.fro_room = max - FRAMES_END_LEN,
		.fro_bad = tr == NULL };
	struct kdebug_frame frame;

	putc('[', out);
	while (!fo.fro_bad && kdebug_trace_next(tr, &frame))
		if (!add_frame(&fo, frame_json(dump, &frame)))
			break;
	print_last(&fo, ']');
	kdebug_trace_destroy(tr);
	return (!fo.fro_bad);
}

/* A number that is -1 if it is not known. */
static json_t *
number_json(int64_t number)
{
	return (number < 0 ? json_null() : json_integer((json_int_t)number));
}

static json_t *
user_reg_json(const struct dump *dump, const struct kdebug_user *user,
    enum kdebug_role role)
{
	size_t reg = kdebug_reg_of(dump->d_kdb, role);

	return (json_hex(user->ku_regs.rs_value[reg],
	    dump->d_core->kc_ptr_len));
}

/* The user program; null if the trace does not end at an entry from it. */
static json_t *
user_json(const struct dump *dump, const struct kdebug_user *user)
{
	if (user == NULL)
		return (json_null());
	return (json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "pc",
	    user_reg_json(dump, user, KDEBUG_PC), "sp",
	    user_reg_json(dump, user, KDEBUG_SP), "entry",
	    entry_names[user->ku_entry], "trap", number_json(user->ku_trap),
	    "syscall", number_json(user->ku_syscall), "syscall_abi",
	    json_text(user->ku_abi), "syscall_name",
	    json_text(user->ku_syscall_name), "registers",
	    registers_json(dump->d_kdb, &user->ku_regs)));
}

/* The keys about the thread's trace. */
static void
put_trace(struct json_stream *jst, const struct dump *dump,
    struct kdebug_trace *tr, uint64_t *left)
{
	struct kdebug_frame frame;

	json_begin(jst, "frames", '[');
	while (jst->jst_status == EX_OK && kdebug_trace_next(tr, &frame)) {
		json_put(jst, NULL, frame_json(dump, &frame));
		--*left;
	}
	json_end(jst, ']');
	json_put(jst, "user", user_json(dump, kdebug_trace_user(tr)));
	if (kdebug_trace_cut(tr))
		json_put(jst, "frames_cut", json_true());
}

void
backtrace_put(struct json_stream *jst, const struct dump *dump,
    const struct kdebug_thread *td, uint64_t *left)
{
	struct kdebug_trace *tr = start_trace(dump, td, *left);

	json_begin(jst, NULL, '{');
	if (tr != NULL) {
		json_put_members(jst, thread_json(dump->d_kdb, td));
		put_trace(jst, dump, tr, left);
	} else
		json_put(jst, NULL, NULL);
	json_end(jst, '}');
	kdebug_trace_destroy(tr);
}
