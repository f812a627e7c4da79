/*
 * Backtraces.  From a frame to its caller there are four ways, tried in this
 * order:
 *
 *  1. The function is a trap handler: the frame that the machine pushed tells
 *     all registers of the code that was interrupted.
 *  2. The kernel's file has unwind tables for the function: exact.
 *  3. The code was interrupted before the function made its frame: its return
 *     address is still where the call put it.
 *  4. The chain of frame pointers, which FreeBSD's kernels keep.
 *
 * The stack is the dump's, so it can be anything.  Frames move up one stack;
 * going over to another is legal (an NMI has a stack of its own) but may happen
 * only a few times, and never back into one that was walked.
 */
#include "kdebug/debugfile.h"
#include "kdebug/kdebug_int.h"

/* No frame is as large: kernel stacks have some ten pages. */
#define FRAME_MAX 262144 /* bytes */

#define STACKS_MAX 8

/* Walked part of a stack: from the first frame's sp to the last one's. */
struct stack {
	kvaddr_t st_low;
	kvaddr_t st_high; /* inclusive */
};

struct unwinder {
	struct kdebug *uw_kdb;
	const struct arch *uw_arch;
	struct cursor uw_cur;
	struct stack uw_stacks[STACKS_MAX];
	size_t uw_nstacks;
};

/*
 * An address inside of the code that cur stands in.  A return address may be
 * one past the end of it, when a function ends in a call that never returns.
 */
static kvaddr_t
code_va(const struct unwinder *uw, const struct cursor *cur)
{
	return (cur->cu_regs.rs_value[uw->uw_arch->ar_pc] -
	    (cur->cu_exact ? 0 : 1));
}

/* Kernels of 64 bits live in the upper half; those of 32 can be anywhere. */
static bool
is_kernel_va(const struct unwinder *uw, kvaddr_t va)
{
	return (uw->uw_kdb->kdb_core->kc_ptr_len == 4 || va >> 63 == 1);
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
enter_stack(struct unwinder *uw, kvaddr_t sp)
{
	struct stack *last = &uw->uw_stacks[uw->uw_nstacks - 1];

	if (sp >= last->st_high && sp - last->st_high <= FRAME_MAX) {
		/* Only what was interrupted may have no frame at all. */
		if (sp == last->st_high && !uw->uw_cur.cu_exact)
			return (false);
		last->st_high = sp;
		return (true);
	}
	for (size_t i = 0; i < uw->uw_nstacks; i++) {
		if (sp >= uw->uw_stacks[i].st_low &&
		    sp <= uw->uw_stacks[i].st_high)
			return (false);
	}
	if (uw->uw_nstacks == STACKS_MAX)
		return (false);
	uw->uw_stacks[uw->uw_nstacks++] =
	    (struct stack){ .st_low = sp, .st_high = sp };
	return (true);
}

/*
 * The outermost frame of a chain has no frame pointer to give its caller.  What
 * is behind it is a caller only if it is code: fork_trampoline, by its symbol.
 */
static bool
is_caller(struct unwinder *uw, kvaddr_t ra, kvaddr_t fp)
{
	struct func fn;

	return (fp != 0 || func_at(uw->uw_kdb, ra - 1, &fn));
}

/* The caller by the chain of frame pointers. */
static bool
step_chain(struct unwinder *uw, struct kdebug_regs *out)
{
	const struct arch *arch = uw->uw_arch;
	const struct kdebug_regs *regs = &uw->uw_cur.cu_regs;
	kvaddr_t fp = regs->rs_value[arch->ar_fp];
	kvaddr_t caller_fp, ra;

	if (!regs_has(regs, arch->ar_fp) || fp == 0 || !is_kernel_va(uw, fp) ||
	    fp % uw->uw_kdb->kdb_core->kc_ptr_len != 0)
		return (false);
	if (!mem_word(uw->uw_kdb, fp + (kvaddr_t)arch->ar_chain_fp,
		&caller_fp) ||
	    !mem_word(uw->uw_kdb, fp + (kvaddr_t)arch->ar_chain_ra, &ra))
		return (false);
	ra = strip_pac(arch, ra);
	if (!is_kernel_va(uw, ra) || !is_caller(uw, ra, caller_fp))
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
step_tables(struct unwinder *uw, struct kdebug_regs *out)
{
	const struct arch *arch = uw->uw_arch;
	kvaddr_t va = code_va(uw, &uw->uw_cur);
	struct debugfile *df = debugfile_at(uw->uw_kdb, va);
	enum unwind_result result = UNWIND_NONE;

	if (df != NULL)
		result = debugfile_unwind(df, uw->uw_kdb, va, &uw->uw_cur, out);
	if (result == UNWIND_DONE) {
		kvaddr_t ra = strip_pac(arch, out->rs_value[arch->ar_pc]);

		regs_set(out, arch->ar_pc, ra);
		if (!is_kernel_va(uw, ra))
			result = UNWIND_NONE;
	}
	return (result);
}

/* Of all of a frame's registers in out, only those that are its caller's. */
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
step_frameless(struct unwinder *uw, const struct func *fn,
    struct kdebug_regs *out)
{
	const struct arch *arch = uw->uw_arch;
	struct func caller;
	kvaddr_t va;

	if (!uw->uw_cur.cu_exact ||
	    !arch->ar_prologue(uw->uw_kdb, &uw->uw_cur, fn, out))
		return (false);
	keep_regs(arch, out);
	va = out->rs_value[arch->ar_pc] - 1;
	return (func_at(uw->uw_kdb, va, &caller) ||
	    modules_find(uw->uw_kdb, va) != NULL);
}

/* The caller, in whichever way it can be found; fn is NULL if unknown. */
static bool
step_caller(struct unwinder *uw, const struct func *fn, struct kdebug_regs *out)
{
	switch (step_tables(uw, out)) {
	case UNWIND_DONE:
		return (true);
	case UNWIND_END:
		return (false);
	case UNWIND_NONE:
		break;
	}
	return (step_frameless(uw, fn, out) || step_chain(uw, out));
}

/* Go to what the trap interrupted. */
static bool
step_trap(struct unwinder *uw, const struct kdebug_regs *regs)
{
	if (!enter_stack(uw, regs->rs_value[uw->uw_arch->ar_sp]))
		return (false);
	uw->uw_cur = (struct cursor){
		.cu_regs = *regs,
		.cu_exact = true,
		.cu_trapped = true,
	};
	return (true);
}

static bool
step(struct unwinder *uw)
{
	const struct arch *arch = uw->uw_arch;
	struct cursor next = { 0 };
	struct func fn;
	bool known;

	known = func_at(uw->uw_kdb, code_va(uw, &uw->uw_cur), &fn);
	if (known) {
		switch (arch->ar_trap(uw->uw_kdb, &uw->uw_cur, &fn,
		    &next.cu_regs)) {
		case TRAP_KERNEL:
			return (step_trap(uw, &next.cu_regs));
		case TRAP_END:
			return (false);
		case TRAP_NONE:
			break;
		}
	}
	if (!step_caller(uw, known ? &fn : NULL, &next.cu_regs))
		return (false);
	if (next.cu_regs.rs_value[arch->ar_pc] == 0 ||
	    !enter_stack(uw, next.cu_regs.rs_value[arch->ar_sp]))
		return (false);
	uw->uw_cur = next;
	return (true);
}

size_t
kdebug_backtrace(struct kdebug *kdb, const struct kdebug_thread *td,
    struct kdebug_frame *frames, size_t max)
{
	struct unwinder uw = {
		.uw_kdb = kdb,
		.uw_arch = kdb->kdb_arch,
		.uw_cur = { .cu_regs = td->kt_regs, .cu_exact = true },
		.uw_nstacks = 1,
	};
	kvaddr_t sp;
	size_t n = 0;

	if (uw.uw_arch == NULL || !regs_has(&td->kt_regs, uw.uw_arch->ar_pc))
		return (0);
	sp = td->kt_regs.rs_value[uw.uw_arch->ar_sp];
	uw.uw_stacks[0] = (struct stack){ .st_low = sp, .st_high = sp };
	if (max > KDEBUG_MAXFRAMES)
		max = KDEBUG_MAXFRAMES;
	while (n < max) {
		frames[n] = (struct kdebug_frame){
			.kf_pc = uw.uw_cur.cu_regs.rs_value[uw.uw_arch->ar_pc],
			.kf_trap = uw.uw_cur.cu_trapped,
			.kf_regs = uw.uw_cur.cu_regs,
		};
		symbolize(kdb, code_va(&uw, &uw.uw_cur), &frames[n++]);
		if (n < max && !step(&uw))
			break;
	}
	return (n);
}
