/*
 * Backtraces.  There are four ways from a frame to its caller, which are tried
 * in this order:
 *
 *  1.  The function is a trap handler: the frame that the machine pushed tells
 *  all registers of the code that was interrupted. 2.  The kernel's file has
 *  unwind tables for the function: exact. 3.  The code was interrupted before
 *  the function made its frame: its return address is still where the call put
 *  it. 4.  The chain of frame pointers, which FreeBSD's kernels keep.
 *
 * The stack is the dump's, so it can be anything.  Frames move up one stack;
 * going over to another is legal (an NMI has a stack of its own) but may happen
 * only a few times, and never back into one that was walked.
 *
 * A trace ends where the kernel was entered from user mode, which
 * kdebug_trace_user() describes, or where a new thread began: in
 * fork_trampoline.
 */
#include <stdlib.h>

#include "kdebug/debugfile.h"
#include "kdebug/kdebug_int.h"

/* Larger than any frame: kernel stacks have some ten pages. */
#define FRAME_MAX 262144 /* bytes */

#define STACKS_MAX 8

/* Functions that run after the result of a system call was stored. */
static const char *const way_back[] = {
	"ast",
	"ast_handler",
	"fork_return",
	"syscallret",
	"userret",
};

/*
 * The part of a stack that was walked: from the first frame's sp to the last.
 */
struct stack {
	kvaddr_t stk_low;
	kvaddr_t stk_high; /* inclusive */
};

struct kdebug_trace {
	struct kdebug *tr_kdb;
	const struct arch *tr_arch;
	const struct kdebug_thread *tr_td;
	kvaddr_t tr_va_first; /* no address of the kernel is lower */
	struct cursor tr_cur; /* the frame that was handed out last */
	struct stack tr_stacks[STACKS_MAX];
	size_t tr_nstacks;
	size_t tr_nframes; /* handed out */
	size_t tr_limit;   /* how many may be */
	bool tr_named;	   /* one of the frames is in a known function */
	bool tr_back;	   /* one of the frames leads back to user mode */
	struct kdebug_user tr_user;
	bool tr_has_user;
	bool tr_done;
	bool tr_cut;
};

/* Is this return address the start of a function that is not called? */
static bool
is_landing(const struct kdebug_trace *tr, kvaddr_t ra)
{
	const struct arch *arch = tr->tr_arch;
	struct func fn;

	return (arch->ar_nlandings != 0 && func_at(tr->tr_kdb, ra, &fn) &&
	    fn.fn_va == ra &&
	    name_in(fn.fn_name, arch->ar_landings, arch->ar_nlandings));
}

/*
 * An address inside of the function of cur.  A return address may be one past
 * its end, if the function ends in a call that never returns.
 */
static kvaddr_t
code_va(const struct kdebug_trace *tr, const struct cursor *cur)
{
	kvaddr_t pc = cur->cu_regs.rs_value[tr->tr_arch->ar_pc];

	return (cur->cu_exact || is_landing(tr, pc) ? pc : pc - 1);
}

/*
 * The lowest address that can be the kernel's.  Most 64-bit kernels have the
 * upper half; one whose file starts below can have any, as 32-bit ones can.
 */
static kvaddr_t
first_va(const struct kdebug *kdb)
{
	kvaddr_t base = kdb->kdb_core->kc_exec_base;
	kvaddr_t first = kdb->kdb_arch->ar_va_first;

	return (base != 0 && base < first ? 0 : first);
}

static bool
is_kernel_va(const struct kdebug_trace *tr, kvaddr_t va)
{
	return (va >= tr->tr_va_first);
}

/*
 * Can this be a return address?  Where a kernel that could have the upper half
 * does not, code is what its file or a module has.
 */
static bool
is_return(const struct kdebug_trace *tr, kvaddr_t ra)
{
	uint8_t byte;

	if (tr->tr_va_first != 0 || tr->tr_arch->ar_va_first == 0)
		return (is_kernel_va(tr, ra));
	return (kvm_read_exec(tr->tr_kdb->kdb_kd, ra - 1, &byte, 1) == 1 ||
	    modules_find(tr->tr_kdb, ra - 1) != NULL);
}

/* A return address without its signature, which replaces copies of bit 55. */
static kvaddr_t
strip_pac(const struct arch *arch, kvaddr_t va)
{
	const kvaddr_t high = UINT64_MAX << 48;

	return (arch->ar_pac && (va >> 55 & 1) != 0 ? va | high : va);
}

/* May a frame's sp follow those that were walked?  If so, it joins them. */
static bool
enter_stack(struct kdebug_trace *tr, kvaddr_t sp)
{
	struct stack *last = &tr->tr_stacks[tr->tr_nstacks - 1];

	if (sp >= last->stk_high && sp - last->stk_high <= FRAME_MAX) {
		/* Only code that was interrupted may have no frame at all. */
		if (sp == last->stk_high && !tr->tr_cur.cu_exact)
			return (false);
		last->stk_high = sp;
		return (true);
	}
	for (size_t i = 0; i < tr->tr_nstacks; i++) {
		if (sp >= tr->tr_stacks[i].stk_low &&
		    sp <= tr->tr_stacks[i].stk_high)
			return (false);
	}
	if (tr->tr_nstacks == STACKS_MAX)
		return (false);
	tr->tr_stacks[tr->tr_nstacks++] =
	    (struct stack){ .stk_low = sp, .stk_high = sp };
	return (true);
}

/*
 * The outermost frame of a chain has no frame pointer for its caller.  The word
 * after it is a return address only if it is in a known function, which is
 * fork_trampoline.
 */
static bool
is_caller(struct kdebug_trace *tr, kvaddr_t ra, kvaddr_t fp)
{
	struct func fn;

	return (fp != 0 || func_at(tr->tr_kdb, ra - 1, &fn));
}

/* The caller by the chain of frame pointers. */
static bool
step_chain(struct kdebug_trace *tr, struct kdebug_regs *out)
{
	const struct arch *arch = tr->tr_arch;
	const struct kdebug_regs *regs = &tr->tr_cur.cu_regs;
	kvaddr_t fp = regs->rs_value[arch->ar_fp];
	kvaddr_t caller_fp, ra;

	if (!regs_has(regs, arch->ar_fp) || fp == 0 || !is_kernel_va(tr, fp) ||
	    fp % tr->tr_kdb->kdb_core->kc_ptr_len != 0)
		return (false);
	if (!mem_word(tr->tr_kdb, fp + (kvaddr_t)arch->ar_chain_fp,
		&caller_fp) ||
	    !mem_word(tr->tr_kdb, fp + (kvaddr_t)arch->ar_chain_ra, &ra))
		return (false);
	ra = strip_pac(arch, ra);
	if (!is_return(tr, ra) || !is_caller(tr, ra, caller_fp))
		return (false);
	*out = (struct kdebug_regs){ 0 };
	regs_set(out, arch->ar_pc, ra);
	regs_set(out, arch->ar_fp, caller_fp);
	out->rs_value[arch->ar_sp] = fp + (kvaddr_t)arch->ar_chain_sp;
	if (arch->ar_chain_sp_exact)
		regs_set(out, arch->ar_sp, out->rs_value[arch->ar_sp]);
	return (true);
}

/* The caller by the unwind tables of the kernel's or a module's file. */
static enum unwind_result
step_tables(struct kdebug_trace *tr, struct kdebug_regs *out)
{
	const struct arch *arch = tr->tr_arch;
	kvaddr_t va = code_va(tr, &tr->tr_cur);
	struct debugfile *df = debugfile_at(tr->tr_kdb, va);
	enum unwind_result result = UNWIND_NONE;

	if (df != NULL)
		result = debugfile_unwind(df, tr->tr_kdb, va, &tr->tr_cur, out);
	if (result == UNWIND_DONE) {
		kvaddr_t ra = strip_pac(arch, out->rs_value[arch->ar_pc]);

		regs_set(out, arch->ar_pc, ra);
		if (!is_return(tr, ra))
			result = UNWIND_NONE;
	}
	return (result);
}

/* Keep only those registers in out that calls preserve. */
static void
keep_regs(const struct arch *arch, struct kdebug_regs *out)
{
	out->rs_valid &=
	    arch->ar_kept | KEPT(arch->ar_pc, 1) | KEPT(arch->ar_sp, 1);
	if (arch->ar_lr != REG_NONE)
		out->rs_valid &= ~KEPT(arch->ar_lr, 1);
}

/* The caller of code that has no frame, which must look like code itself. */
static bool
step_frameless(struct kdebug_trace *tr, const struct func *fn,
    struct kdebug_regs *out)
{
	const struct arch *arch = tr->tr_arch;
	struct func caller;
	kvaddr_t va;

	if (!tr->tr_cur.cu_exact ||
	    !arch->ar_prologue(tr->tr_kdb, &tr->tr_cur, fn, out))
		return (false);
	keep_regs(arch, out);
	va = out->rs_value[arch->ar_pc] - 1;
	return (func_at(tr->tr_kdb, va, &caller) ||
	    modules_find(tr->tr_kdb, va) != NULL);
}

/*
 * Does the chain of frame pointers leave out the caller?  It does if the frame
 * pointer is still the caller's, as in an entry from a trap that was written in
 * assembly: then the function that was interrupted is left out.
 *
 * A function without a name may be such an entry.  That means nothing if none
 * has a name, as in a file without symbols of functions.
 */
static bool
may_skip_caller(const struct kdebug_trace *tr, const struct func *fn)
{
	const struct arch *arch = tr->tr_arch;
	kvaddr_t va = code_va(tr, &tr->tr_cur);

	if (fn == NULL)
		return (tr->tr_named && modules_find(tr->tr_kdb, va) == NULL);
	return (arch->ar_makes_frame != NULL &&
	    !arch->ar_makes_frame(tr->tr_kdb, fn, va));
}

/* The caller, by the first way that works; fn is NULL if unknown. */
static bool
step_caller(struct kdebug_trace *tr, const struct func *fn, struct cursor *next)
{
	struct kdebug_regs *out = &next->cu_regs;

	switch (step_tables(tr, out)) {
	case UNWIND_DONE:
		return (true);
	case UNWIND_END:
		return (false);
	case UNWIND_NONE:
		break;
	}
	if (step_frameless(tr, fn, out))
		return (true);
	next->cu_gap = may_skip_caller(tr, fn);
	return (step_chain(tr, out));
}

/*
 * Are these registers of user mode?  sp is checked too, because a kernel that
 * jumped to a wild address is still on its own stack.
 */
static bool
is_user(const struct kdebug_trace *tr, const struct kdebug_regs *regs)
{
	const struct arch *arch = tr->tr_arch;

	return (tr->tr_va_first == 0 ||
	    (!is_kernel_va(tr, regs->rs_value[arch->ar_pc]) &&
		!is_kernel_va(tr, regs->rs_value[arch->ar_sp])));
}

/* The trace ends in user mode. */
static void
enter_user(struct kdebug_trace *tr, const struct trap *tp)
{
	struct kdebug_user *user = &tr->tr_user;

	tr->tr_has_user = true;
	*user = (struct kdebug_user){
		.ku_regs = tp->tp_regs,
		.ku_entry = tp->tp_entry,
		.ku_trap = -1,
		.ku_syscall = -1,
	};
	if (tp->tp_entry == KDEBUG_ENTRY_TRAP)
		user->ku_trap = tp->tp_number;
	if (tp->tp_entry == KDEBUG_ENTRY_SYSCALL)
		syscall_find(tr->tr_kdb, tr->tr_td,
		    tr->tr_back ? SYSCALL_BACK : SYSCALL_IN, user);
}

/* Go to what the trap interrupted. */
static bool
step_trap(struct kdebug_trace *tr, const struct kdebug_regs *regs)
{
	if (!enter_stack(tr, regs->rs_value[tr->tr_arch->ar_sp]))
		return (false);
	tr->tr_cur = (struct cursor){
		.cu_regs = *regs,
		.cu_exact = true,
		.cu_trapped = true,
		.cu_cpu = tr->tr_td->kt_cpu,
	};
	return (true);
}

static bool
step(struct kdebug_trace *tr)
{
	const struct arch *arch = tr->tr_arch;
	struct cursor next = { .cu_cpu = tr->tr_td->kt_cpu };
	struct trap tp = { 0 };
	struct func fn;
	bool known;

	known = func_at(tr->tr_kdb, code_va(tr, &tr->tr_cur), &fn);
	if (known) {
		tr->tr_named = true;
		if (name_in(fn.fn_name, way_back, NITEMS(way_back)))
			tr->tr_back = true;
		switch (arch->ar_trap(tr->tr_kdb, &tr->tr_cur, &fn, &tp)) {
		case TRAP_KERNEL:
			return (step_trap(tr, &tp.tp_regs));
		case TRAP_USER:
			if (is_user(tr, &tp.tp_regs))
				enter_user(tr, &tp);
			return (false);
		case TRAP_END:
			return (false);
		case TRAP_NONE:
			break;
		}
	}
	if (!step_caller(tr, known ? &fn : NULL, &next))
		return (false);
	if (next.cu_regs.rs_value[arch->ar_pc] == 0 ||
	    !enter_stack(tr, next.cu_regs.rs_value[arch->ar_sp]))
		return (false);
	tr->tr_cur = next;
	return (true);
}

/* Start at the thread's innermost frame.  false: there is none. */
static bool
begin(struct kdebug_trace *tr)
{
	const struct kdebug_regs *regs = &tr->tr_td->kt_regs;
	kvaddr_t sp;

	if (tr->tr_arch == NULL || !regs_has(regs, tr->tr_arch->ar_pc))
		return (false);
	/*
	 * Not if the kernel can be at any address: they cannot be told apart.
	 */
	if (tr->tr_va_first != 0 && is_user(tr, regs)) {
		enter_user(tr,
		    &(struct trap){
			.tp_regs = *regs,
			.tp_entry = KDEBUG_ENTRY_NONE,
		    });
		return (false);
	}
	tr->tr_cur = (struct cursor){
		.cu_regs = *regs,
		.cu_exact = true,
		.cu_cpu = tr->tr_td->kt_cpu,
	};
	sp = regs->rs_value[tr->tr_arch->ar_sp];
	tr->tr_stacks[0] = (struct stack){ .stk_low = sp, .stk_high = sp };
	tr->tr_nstacks = 1;
	return (true);
}

struct kdebug_trace *
kdebug_trace_create(struct kdebug *kdb, const struct kdebug_thread *td)
{
	struct kdebug_trace *tr = calloc(1, sizeof(*tr));

	if (tr == NULL)
		return (NULL);
	tr->tr_kdb = kdb;
	tr->tr_arch = kdb->kdb_arch;
	tr->tr_td = td;
	if (tr->tr_arch != NULL)
		tr->tr_va_first = first_va(kdb);
	tr->tr_limit = KDEBUG_TRACE_MAX;
	tr->tr_done = !begin(tr);
	return (tr);
}

void
kdebug_trace_destroy(struct kdebug_trace *tr)
{
	free(tr);
}

void
kdebug_trace_limit(struct kdebug_trace *tr, uint64_t n)
{
	if (n < tr->tr_limit)
		tr->tr_limit = (size_t)n;
}

bool
kdebug_trace_next(struct kdebug_trace *tr, struct kdebug_frame *frame)
{
	if (!tr->tr_done && tr->tr_nframes > 0 && !step(tr))
		tr->tr_done = true;
	if (!tr->tr_done && tr->tr_nframes == tr->tr_limit)
		tr->tr_done = tr->tr_cut = true;
	if (tr->tr_done)
		return (false);
	*frame = (struct kdebug_frame){
		.kf_pc = tr->tr_cur.cu_regs.rs_value[tr->tr_arch->ar_pc],
		.kf_trap = tr->tr_cur.cu_trapped,
		.kf_gap = tr->tr_cur.cu_gap,
		.kf_regs = tr->tr_cur.cu_regs,
	};
	symbolize(tr->tr_kdb, code_va(tr, &tr->tr_cur), frame);
	tr->tr_nframes++;
	return (true);
}

bool
kdebug_trace_cut(const struct kdebug_trace *tr)
{
	return (tr->tr_cut);
}

const struct kdebug_user *
kdebug_trace_user(const struct kdebug_trace *tr)
{
	return (tr->tr_has_user ? &tr->tr_user : NULL);
}
