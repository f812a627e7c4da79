/*
 * riscv64.  Facts: FreeBSD's sys/riscv/include/pcb.h and frame.h; names and
 * order as gdb's org.gnu.gdb.riscv.cpu.
 */
#include <string.h>

#include "kdebug/kdebug_int.h"

/* x0 to x31 under the names of the calling convention, then pc. */
/* clang-format off */
enum {
	ZERO, RA, SP, GP, TP, T0, T1, T2, FP, S1,
	A0, A1, A2, A3, A4, A5, A6, A7,
	S2, S3, S4, S5, S6, S7, S8, S9, S10, S11,
	T3, T4, T5, T6, PC
};

static const struct kdebug_reg_desc regs[] = {
	{ "zero", 8 }, { "ra", 8 }, { "sp", 8 }, { "gp", 8 }, { "tp", 8 },
	{ "t0", 8 }, { "t1", 8 }, { "t2", 8 }, { "fp", 8 }, { "s1", 8 },
	{ "a0", 8 }, { "a1", 8 }, { "a2", 8 }, { "a3", 8 }, { "a4", 8 },
	{ "a5", 8 }, { "a6", 8 }, { "a7", 8 }, { "s2", 8 }, { "s3", 8 },
	{ "s4", 8 }, { "s5", 8 }, { "s6", 8 }, { "s7", 8 }, { "s8", 8 },
	{ "s9", 8 }, { "s10", 8 }, { "s11", 8 }, { "t3", 8 }, { "t4", 8 },
	{ "t5", 8 }, { "t6", 8 }, { "pc", 8 },
};
/* clang-format on */

/* In both pcbs the saved ra is where the thread continues: its pc. */
static const struct reg_run pcb_runs[] = {
	{ 0, 8, PC, 1 },
	{ 8, 8, SP, 3 },
	{ 32, 8, FP, 2 },
	{ 48, 8, S2, 10 },
};

static const struct reg_run pcb_old_runs[] = {
	{ 0, 8, PC, 1 },
	{ 8, 8, SP, 3 },
	{ 32, 8, T0, 3 },
	{ 56, 8, T3, 4 },
	{ 88, 8, FP, 2 },
	{ 104, 8, S2, 10 },
	{ 184, 8, A0, 8 },
};

static const struct reg_run trapframe_runs[] = {
	{ 0, 8, RA, 4 },
	{ 32, 8, T0, 3 },
	{ 56, 8, T3, 4 },
	{ 88, 8, FP, 2 },
	{ 104, 8, S2, 10 },
	{ 184, 8, A0, 8 },
	{ 248, 8, PC, 1 },
};

static const struct reg_layout pcb = {
	.rl_runs = pcb_runs,
	.rl_nruns = NITEMS(pcb_runs),
	.rl_len = 128,
};

static const struct reg_layout pcb_old = {
	.rl_runs = pcb_old_runs,
	.rl_nruns = NITEMS(pcb_old_runs),
	.rl_len = 248,
};

static const struct reg_layout trapframe = {
	.rl_runs = trapframe_runs,
	.rl_nruns = NITEMS(trapframe_runs),
	.rl_len = 256,
};

/* sizeof(struct pcb) is 664 now; with the t and a registers it was 784. */
#define PCB_OLD_LEN 784

/*
 * After the registers.  sstatus.SPP says that the kernel was interrupted, and
 * scause by what: "Supervisor Cause Register" in the Privileged Architecture.
 */
#define TF_SSTATUS	 256
#define TF_SCAUSE	 272
#define SSTATUS_SPP	 0x100
#define SCAUSE_INTERRUPT (UINT64_C(1) << 63)
#define SCAUSE_ECALL	 8 /* from user mode */

static const char *const handlers[] = {
	"cpu_exception_handler_supervisor",
	"cpu_exception_handler_user",
	"fork_trampoline",
};

static const struct reg_layout *
pcb_layout(const struct kernel_layout *lo)
{
	uint32_t len = lo->kl_const[LO_PCB_LEN];

	return (len != LAYOUT_NONE && len >= PCB_OLD_LEN ? &pcb_old : &pcb);
}

static enum kdebug_entry
entry_of(uint64_t scause)
{
	if ((scause & SCAUSE_INTERRUPT) != 0)
		return (KDEBUG_ENTRY_INTERRUPT);
	return (scause == SCAUSE_ECALL ? KDEBUG_ENTRY_SYSCALL :
					 KDEBUG_ENTRY_TRAP);
}

/* A new kernel thread finds an empty frame in fork_trampoline. */
static enum trap_kind
trap(struct kdebug *kdb, const struct cursor *cur, const struct func *fn,
    struct trap *out)
{
	kvaddr_t va = cur->cu_regs.rs_value[SP];
	kvaddr_t sstatus, scause;

	if (!name_in(fn->fn_name, handlers, NITEMS(handlers)))
		return (TRAP_NONE);
	if (!regs_read(kdb, va, &trapframe, &out->tp_regs) ||
	    !mem_word(kdb, va + TF_SSTATUS, &sstatus) ||
	    !mem_word(kdb, va + TF_SCAUSE, &scause))
		return (TRAP_END);
	out->tp_entry = entry_of(scause);
	out->tp_number = (int64_t)scause;
	if (strcmp(fn->fn_name, "fork_trampoline") == 0)
		return (out->tp_regs.rs_value[PC] != 0 ? TRAP_USER : TRAP_END);
	return ((sstatus & SSTATUS_SPP) == 0 ? TRAP_USER : TRAP_KERNEL);
}

/* At a function's first instruction, or where there is no code: ra holds. */
static bool
prologue(struct kdebug *kdb, const struct cursor *cur, const struct func *fn,
    struct kdebug_regs *out)
{
	kvaddr_t pc = cur->cu_regs.rs_value[PC];
	uint8_t code[2];

	if (!cur->cu_trapped || !regs_has(&cur->cu_regs, RA))
		return (false);
	if (mem_code(kdb, pc, code, sizeof(code)) &&
	    (fn == NULL || pc != fn->fn_va))
		return (false);
	*out = cur->cu_regs;
	regs_set(out, PC, cur->cu_regs.rs_value[RA]);
	return (true);
}

/* fp is the sp that the function was called with; the pair lies below it. */
const struct arch kdb_arch_riscv = {
	.ar_regs = regs,
	.ar_nregs = NITEMS(regs),
	.ar_pc = PC,
	.ar_sp = SP,
	.ar_fp = FP,
	.ar_lr = RA,
	.ar_syscall = T0,
	.ar_syscall_arg = A0,
	.ar_va_first = UINT64_C(0xffff800000000000), /* Sv48's */
	.ar_kept = KEPT(RA, 4) | KEPT(FP, 2) | KEPT(S2, 10),
	.ar_chain_fp = -16,
	.ar_chain_ra = -8,
	.ar_chain_sp = 0,
	.ar_chain_sp_exact = true,
	.ar_ndwarf = 32,
	.ar_pcb = pcb_layout,
	.ar_trap = trap,
	.ar_prologue = prologue,
};
