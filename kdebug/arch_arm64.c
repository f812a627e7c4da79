/*
 * arm64.  Facts: FreeBSD's sys/arm64/include/pcb.h and frame.h,
 * sys/arm64/arm64/exception.S; names and order as gdb's
 * org.gnu.gdb.aarch64.core.
 */
#include <string.h>

#include "kdebug/kdebug_int.h"

/* 0 to 30 are x0 to x30. */
enum { FP = 29, LR = 30, SP = 31, PC = 32, CPSR = 33 };

/* clang-format off */
static const struct kdebug_reg_desc regs[] = {
	{ "x0", 8 }, { "x1", 8 }, { "x2", 8 }, { "x3", 8 }, { "x4", 8 },
	{ "x5", 8 }, { "x6", 8 }, { "x7", 8 }, { "x8", 8 }, { "x9", 8 },
	{ "x10", 8 }, { "x11", 8 }, { "x12", 8 }, { "x13", 8 }, { "x14", 8 },
	{ "x15", 8 }, { "x16", 8 }, { "x17", 8 }, { "x18", 8 }, { "x19", 8 },
	{ "x20", 8 }, { "x21", 8 }, { "x22", 8 }, { "x23", 8 }, { "x24", 8 },
	{ "x25", 8 }, { "x26", 8 }, { "x27", 8 }, { "x28", 8 }, { "x29", 8 },
	{ "x30", 8 }, { "sp", 8 }, { "pc", 8 }, { "cpsr", 4 },
};
/* clang-format on */

/*
 * pcb until 14.0: a slot for each of x0 to x29, all shown, as in other
 * debuggers.  After a switch only those that a call preserves, x19 and up, are
 * the thread's.  pc is the lr of the routine that saved them.
 */
static const struct reg_run pcb_old_runs[] = {
	{ 0, 8, 0, 30 },
	{ 240, 8, PC, 1 },
	{ 256, 8, SP, 1 },
};

/* pcb since 14.0: what a call preserves. */
static const struct reg_run pcb_runs[] = {
	{ 0, 8, 19, 11 },
	{ 88, 8, PC, 1 },
	{ 96, 8, SP, 1 },
};

static const struct reg_run trapframe_old_runs[] = {
	{ 0, 8, SP, 1 },
	{ 8, 8, LR, 1 },
	{ 16, 8, PC, 1 },
	{ 24, 4, CPSR, 1 },
	/* esr */
	{ 32, 8, 0, 30 },
};

/* Since 14.0: spsr and esr have 64 bits, and far is there. */
static const struct reg_run trapframe_runs[] = {
	{ 0, 8, SP, 1 },
	{ 8, 8, LR, 1 },
	{ 16, 8, PC, 1 },
	{ 24, 4, CPSR, 1 },
	/* esr, far */
	{ 48, 8, 0, 30 },
};

/* Linux's struct elf_prstatus: pr_reg, a struct user_pt_regs. */
static const struct reg_run prstatus_runs[] = {
	{ 112, 8, 0, 33 }, /* x0 to x30, sp, pc */
	{ 376, 4, CPSR, 1 },
};

static const struct reg_layout prstatus = {
	.rl_runs = prstatus_runs,
	.rl_nruns = NITEMS(prstatus_runs),
	.rl_len = 380,
};

static const struct reg_layout pcb_old = {
	.rl_runs = pcb_old_runs,
	.rl_nruns = NITEMS(pcb_old_runs),
	.rl_len = 264,
};

static const struct reg_layout pcb = {
	.rl_runs = pcb_runs,
	.rl_nruns = NITEMS(pcb_runs),
	.rl_len = 104,
};

/* Trap frames, and where in them esr, which says why, is. */
static const struct frame_layout {
	struct reg_layout frl_regs;
	unsigned int frl_esr_off;
	unsigned int frl_esr_len;
} frames[] = {
	{ { trapframe_runs, NITEMS(trapframe_runs), 288 }, 32, 8 },
	{ { trapframe_old_runs, NITEMS(trapframe_old_runs), 272 }, 28, 4 },
};

/* sizeof(struct pcb) was 1376 before 14.0, and has been less since. */
#define PCB_OLD_LEN 1376

/*
 * SPSR_EL1: M[3:0] is 0 if the exception level that was interrupted is EL0.
 * Then M[4] is 1 for AArch32, and the masks of A, I and F are 0.
 */
#define PSR_EL_MASK	0xf
#define PSR_USER_ZEROES 0x1cf

/* ESR_EL1.EC, exception classes. */
#define ESR_EC(esr) ((esr) >> 26 & 0x3f)
#define EC_SVC32    0x11
#define EC_SVC64    0x15

/* Addresses of user mode have zeros from this bit on. */
#define USER_VA_BITS 55

static const char *const handlers[] = {
	"handle_el1h_irq",
	"handle_el1h_sync",
};

/* Handlers of user mode, and where a new thread begins. */
static const char *const user_handlers[] = {
	"fork_trampoline",
	"handle_el0_error",
	"handle_el0_irq",
	"handle_el0_sync",
};

static const struct reg_layout *
pcb_layout(const struct kernel_layout *lo)
{
	uint32_t len = lo->kl_const[LO_PCB_LEN];
	bool old;

	if (lo->kl_osreldate != 0)
		old = lo->kl_osreldate < OSREL_ARM64_PCB;
	else
		old = len != LAYOUT_NONE && len >= PCB_OLD_LEN;
	if (!old)
		return (&pcb);
	return (&pcb_old);
}

/*
 * The address and the layout of a trap frame by the i-th guess.  Handlers set
 * x29 to the end of the frame, which tells the two layouts apart.  sp, which
 * points to its start, is tried too, but may not be known (see struct cursor).
 * The layout of the kernel's release comes first.
 */
#define NGUESSES (2 * NITEMS(frames))

static kvaddr_t
guess(const struct kdebug *kdb, const struct cursor *cur, size_t i,
    const struct frame_layout **fl)
{
	const uint64_t *value = cur->cu_regs.rs_value;
	uint32_t osreldate = kdb->kdb_layout.kl_osreldate;
	size_t first = osreldate != 0 && osreldate < OSREL_ARM64_PCB ? 1 : 0;

	*fl = &frames[(first + i) % NITEMS(frames)];
	return (i < NITEMS(frames) ? value[FP] - (*fl)->frl_regs.rl_len :
				     value[SP]);
}

/*
 * Is this a trap frame of the kernel, at va?  A handler moves sp down by the
 * frame and a little more, so the sp that it saved is just above.
 */
static bool
is_kernel_frame(const struct kdebug_regs *tf, kvaddr_t va,
    const struct frame_layout *fl)
{
	uint64_t end = va + fl->frl_regs.rl_len;

	return (tf->rs_value[SP] >= end && tf->rs_value[SP] - end <= 512 &&
	    (tf->rs_value[CPSR] & PSR_EL_MASK) != 0);
}

/*
 * If several guesses look like a frame, the one whose pc is in a function is
 * best; without one, a wild pc may be the cause of the crash.
 */
static enum trap_kind
trap_kernel(struct kdebug *kdb, const struct cursor *cur, struct trap *out)
{
	enum trap_kind kind = TRAP_NONE;

	for (size_t i = 0; i < NGUESSES; i++) {
		const struct frame_layout *fl;
		kvaddr_t va = guess(kdb, cur, i, &fl);
		struct kdebug_regs tf;
		struct func victim;

		if (!regs_read(kdb, va, &fl->frl_regs, &tf) ||
		    !is_kernel_frame(&tf, va, fl))
			continue;
		if (kind == TRAP_NONE)
			out->tp_regs = tf;
		kind = TRAP_KERNEL;
		if (func_at(kdb, tf.rs_value[PC], &victim)) {
			out->tp_regs = tf;
			break;
		}
	}
	return (kind);
}

/* Is this a trap frame of user mode?  A new kernel thread's is empty. */
static bool
is_user_frame(const struct kdebug_regs *tf)
{
	kvaddr_t pc = tf->rs_value[PC];
	kvaddr_t sp = tf->rs_value[SP];

	return (pc != 0 && pc >> USER_VA_BITS == 0 && sp >> USER_VA_BITS == 0 &&
	    (tf->rs_value[CPSR] & PSR_USER_ZEROES) == 0);
}

/* Why the handler was entered, with the frame at va. */
static bool
read_entry(struct kdebug *kdb, kvaddr_t va, const struct frame_layout *fl,
    const char *handler, struct trap *out)
{
	uint8_t esr[8] = { 0 };
	uint64_t ec;

	if (!mem_read(kdb, va + fl->frl_esr_off, esr, fl->frl_esr_len))
		return (false);
	out->tp_number = (int64_t)le64dec(esr);
	ec = ESR_EC(le64dec(esr));
	if (strcmp(handler, "handle_el0_irq") == 0)
		out->tp_entry = KDEBUG_ENTRY_INTERRUPT;
	else if (ec == EC_SVC64 || ec == EC_SVC32)
		out->tp_entry = KDEBUG_ENTRY_SYSCALL;
	else
		out->tp_entry = KDEBUG_ENTRY_TRAP;
	return (true);
}

static enum trap_kind
trap_user(struct kdebug *kdb, const struct cursor *cur, const char *handler,
    struct trap *out)
{
	for (size_t i = 0; i < NGUESSES; i++) {
		const struct frame_layout *fl;
		kvaddr_t va = guess(kdb, cur, i, &fl);

		if (regs_read(kdb, va, &fl->frl_regs, &out->tp_regs) &&
		    is_user_frame(&out->tp_regs) &&
		    read_entry(kdb, va, fl, handler, out))
			return (TRAP_USER);
	}
	return (TRAP_END);
}

static enum trap_kind
trap(struct kdebug *kdb, const struct cursor *cur, const struct func *fn,
    struct trap *out)
{
	if (name_in(fn->fn_name, user_handlers, NITEMS(user_handlers)))
		return (trap_user(kdb, cur, fn->fn_name, out));
	if (name_in(fn->fn_name, handlers, NITEMS(handlers)))
		return (trap_kernel(kdb, cur, out));
	return (TRAP_NONE);
}

/* "add x29, sp, #n", of which "mov x29, sp" is the case n = 0. */
static bool
sets_fp(uint32_t insn)
{
	return ((insn & 0xff8003ff) == 0x910003fd);
}

/* Until a function sets x29, both x29 and lr have the caller's values. */
static bool
prologue(struct kdebug *kdb, const struct cursor *cur, const struct func *fn,
    struct kdebug_regs *out)
{
	kvaddr_t pc = cur->cu_regs.rs_value[PC];
	uint8_t code[4];

	if (!cur->cu_trapped || !regs_has(&cur->cu_regs, LR))
		return (false);
	if (mem_code(kdb, pc, code, sizeof(code))) {
		if (fn == NULL || pc - fn->fn_va > 64)
			return (false);
		for (kvaddr_t va = fn->fn_va; va < pc; va += 4) {
			if (!mem_code(kdb, va, code, sizeof(code)) ||
			    sets_fp(le32dec(code)))
				return (false);
		}
	}
	*out = cur->cu_regs;
	regs_set(out, PC, cur->cu_regs.rs_value[LR]);
	return (true);
}

const struct arch kdb_arch_arm64 = {
	.ar_regs = regs,
	.ar_nregs = NITEMS(regs),
	.ar_pc = PC,
	.ar_sp = SP,
	.ar_fp = FP,
	.ar_lr = LR,
	.ar_syscall = 8,
	.ar_syscall_arg = 0,
	.ar_va_first = UINT64_C(0xffff000000000000),
	.ar_kept = KEPT(19, 13),
	.ar_chain_fp = 0,
	.ar_chain_ra = 8,
	.ar_chain_sp = 16,
	.ar_chain_sp_exact = false,
	.ar_ndwarf = 32,
	.ar_pac = true,
	.ar_pcb = pcb_layout,
	.ar_prstatus = &prstatus,
	.ar_trap = trap,
	.ar_prologue = prologue,
};
