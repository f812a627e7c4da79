/*
 * 32-bit arm.  Facts: FreeBSD's sys/arm/include/pcb.h and frame.h; names and
 * order as gdb's org.gnu.gdb.arm.core.
 */
#include <string.h>

#include "kdebug/kdebug_int.h"

/* 0 to 12 are r0 to r12. */
enum { FP = 11, SP = 13, LR = 14, PC = 15, CPSR = 16 };

/* clang-format off */
static const struct kdebug_reg_desc regs[] = {
	{ "r0", 4 }, { "r1", 4 }, { "r2", 4 }, { "r3", 4 }, { "r4", 4 },
	{ "r5", 4 }, { "r6", 4 }, { "r7", 4 }, { "r8", 4 }, { "r9", 4 },
	{ "r10", 4 }, { "r11", 4 }, { "r12", 4 }, { "sp", 4 }, { "lr", 4 },
	{ "pc", 4 }, { "cpsr", 4 },
};
/* clang-format on */

/* r4 to r12, then sp, lr and pc. */
static const struct reg_run pcb_runs[] = {
	{ 0, 4, 4, 12 },
};

/* The sp and lr are those of supervisor mode, in which the kernel runs. */
static const struct reg_run trapframe_runs[] = {
	{ 0, 4, CPSR, 1 },
	{ 4, 4, 0, 13 },
	/* user sp and lr */
	{ 64, 4, SP, 3 },
};

/* From user mode: its own sp and lr. */
static const struct reg_run trapframe_user_runs[] = {
	{ 0, 4, CPSR, 1 },
	{ 4, 4, 0, 13 },
	{ 56, 4, SP, 2 }, /* and lr */
	{ 72, 4, PC, 1 },
};

static const struct reg_layout pcb = {
	.rl_runs = pcb_runs,
	.rl_nruns = NITEMS(pcb_runs),
	.rl_len = 48,
};

static const struct reg_layout trapframe = {
	.rl_runs = trapframe_runs,
	.rl_nruns = NITEMS(trapframe_runs),
	.rl_len = 76,
};

static const struct reg_layout trapframe_user = {
	.rl_runs = trapframe_user_runs,
	.rl_nruns = NITEMS(trapframe_user_runs),
	.rl_len = 76,
};

/* The mode bits of a status register, and user mode's. */
#define PSR_MODE      0x1f
#define PSR_MODE_USER 0x10

static const char *const handlers[] = {
	"data_abort_entry",
	"exception_exit",
	"irq_entry",
	"prefetch_abort_entry",
	"undefined_entry",
};

/*
 * Handlers of user mode.  A new thread goes from fork_exit to swi_exit too; a
 * kernel thread has an empty frame there.
 */
static const char *const user_handlers[] = {
	"fork_trampoline",
	"swi_entry",
	"swi_exit",
};

/*
 * fork_exit returns to swi_exit; cpu_switch, into a new thread, to the other.
 */
static const char *const landings[] = {
	"fork_trampoline",
	"swi_exit",
};

static const struct reg_layout *
pcb_layout(const struct kernel_layout *lo)
{
	(void)lo;
	return (&pcb);
}

/* Why a handler was entered from user mode. */
static enum kdebug_entry
entry_of(const char *name)
{
	if (name_in(name, user_handlers, NITEMS(user_handlers)))
		return (KDEBUG_ENTRY_SYSCALL);
	return (strcmp(name, "irq_entry") == 0 ? KDEBUG_ENTRY_INTERRUPT :
						 KDEBUG_ENTRY_TRAP);
}

static enum trap_kind
trap(struct kdebug *kdb, const struct cursor *cur, const struct func *fn,
    struct trap *out)
{
	kvaddr_t va = cur->cu_regs.rs_value[SP];
	bool user = name_in(fn->fn_name, user_handlers, NITEMS(user_handlers));

	if (!user && !name_in(fn->fn_name, handlers, NITEMS(handlers)))
		return (TRAP_NONE);
	if (!regs_read(kdb, va, &trapframe, &out->tp_regs))
		return (TRAP_END);
	if ((out->tp_regs.rs_value[CPSR] & PSR_MODE) != PSR_MODE_USER)
		return (user ? TRAP_END : TRAP_KERNEL);
	out->tp_entry = entry_of(fn->fn_name);
	out->tp_number = -1;
	return (regs_read(kdb, va, &trapframe_user, &out->tp_regs) ? TRAP_USER :
								     TRAP_END);
}

/* They have no frame, and save their own pc, not that of their caller. */
static const char *const savers[] = {
	"cpu_switch",
	"savectx",
};

/*
 * At a function's first instruction, at an address without code, and in the
 * functions that save a pcb, lr and the other registers are the caller's.
 */
static bool
is_frameless(struct kdebug *kdb, const struct cursor *cur,
    const struct func *fn)
{
	kvaddr_t pc = cur->cu_regs.rs_value[PC];
	uint8_t code[4];

	if (!cur->cu_trapped)
		return (fn != NULL &&
		    name_in(fn->fn_name, savers, NITEMS(savers)));
	return (!mem_code(kdb, pc, code, sizeof(code)) ||
	    (fn != NULL && pc == fn->fn_va));
}

static bool
prologue(struct kdebug *kdb, const struct cursor *cur, const struct func *fn,
    struct kdebug_regs *out)
{
	if (!regs_has(&cur->cu_regs, LR) || !is_frameless(kdb, cur, fn))
		return (false);
	*out = cur->cu_regs;
	regs_set(out, PC, cur->cu_regs.rs_value[LR]);
	return (true);
}

/* The chain is AAPCS's: r11 points at the pair of saved r11 and lr. */
const struct arch kdb_arch_arm = {
	.ar_regs = regs,
	.ar_nregs = NITEMS(regs),
	.ar_pc = PC,
	.ar_sp = SP,
	.ar_fp = FP,
	.ar_lr = LR,
	.ar_syscall = 7,
	.ar_syscall_arg = 0,
	.ar_kept = KEPT(4, 8) | KEPT(SP, 2),
	.ar_chain_fp = 0,
	.ar_chain_ra = 4,
	.ar_chain_sp = 8,
	.ar_chain_sp_exact = true,
	.ar_ndwarf = 16,
	.ar_pcb = pcb_layout,
	.ar_trap = trap,
	.ar_landings = landings,
	.ar_nlandings = NITEMS(landings),
	.ar_prologue = prologue,
};
