/*
 * amd64.  Facts: FreeBSD's sys/amd64/include/pcb.h and frame.h; the registers'
 * names and order are those of gdb's org.gnu.gdb.i386.core.
 */
#include <string.h>

#include "kdebug/arch_x86.h"
#include "kdebug/kdebug_int.h"

/* The ABI's SHT_X86_64_UNWIND, the type that clang gives .eh_frame. */
#define UNWIND_SECTION 0x70000001

/* clang-format off */
enum {
	RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP,
	R8, R9, R10, R11, R12, R13, R14, R15,
	RIP, EFLAGS, CS, SS, DS, ES, FS, GS
};
/* clang-format on */

static const struct kdebug_reg_desc regs[] = {
	[RAX] = { "rax", 8 },
	[RBX] = { "rbx", 8 },
	[RCX] = { "rcx", 8 },
	[RDX] = { "rdx", 8 },
	[RSI] = { "rsi", 8 },
	[RDI] = { "rdi", 8 },
	[RBP] = { "rbp", 8 },
	[RSP] = { "rsp", 8 },
	[R8] = { "r8", 8 },
	[R9] = { "r9", 8 },
	[R10] = { "r10", 8 },
	[R11] = { "r11", 8 },
	[R12] = { "r12", 8 },
	[R13] = { "r13", 8 },
	[R14] = { "r14", 8 },
	[R15] = { "r15", 8 },
	[RIP] = { "rip", 8 },
	[EFLAGS] = { "eflags", 4 },
	[CS] = { "cs", 4 },
	[SS] = { "ss", 4 },
	[DS] = { "ds", 4 },
	[ES] = { "es", 4 },
	[FS] = { "fs", 4 },
	[GS] = { "gs", 4 },
};

static const struct reg_run pcb_runs[] = {
	{ 0, 8, R15, 1 },
	{ 8, 8, R14, 1 },
	{ 16, 8, R13, 1 },
	{ 24, 8, R12, 1 },
	{ 32, 8, RBP, 2 }, /* and rsp */
	{ 48, 8, RBX, 1 },
	{ 56, 8, RIP, 1 },
};

static const struct reg_run trapframe_runs[] = {
	{ 0, 8, RDI, 1 },
	{ 8, 8, RSI, 1 },
	{ 16, 8, RDX, 1 },
	{ 24, 8, RCX, 1 },
	{ 32, 8, R8, 2 },
	{ 48, 8, RAX, 2 }, /* and rbx */
	{ 64, 8, RBP, 1 },
	{ 72, 8, R10, 6 },
	/* trap number, fs, gs; fault address; flags, es, ds; error code */
	{ 152, 8, RIP, 1 },
	{ 160, 4, CS, 1 },
	{ 168, 4, EFLAGS, 1 },
	{ 176, 8, RSP, 1 },
	{ 184, 4, SS, 1 },
};

/* Linux's struct elf_prstatus: pr_reg, a struct user_regs_struct. */
static const struct reg_run prstatus_runs[] = {
	{ 112, 8, R15, 1 },
	{ 120, 8, R14, 1 },
	{ 128, 8, R13, 1 },
	{ 136, 8, R12, 1 },
	{ 144, 8, RBP, 1 },
	{ 152, 8, RBX, 1 },
	{ 160, 8, R11, 1 },
	{ 168, 8, R10, 1 },
	{ 176, 8, R9, 1 },
	{ 184, 8, R8, 1 },
	{ 192, 8, RAX, 1 },
	{ 200, 8, RCX, 2 }, /* and rdx */
	{ 216, 8, RSI, 2 }, /* and rdi */
	/* rax of a system call */
	{ 240, 8, RIP, 1 },
	{ 248, 4, CS, 1 },
	{ 256, 4, EFLAGS, 1 },
	{ 264, 8, RSP, 1 },
	{ 272, 4, SS, 1 },
	/* bases of fs and gs */
	{ 296, 4, DS, 1 },
	{ 304, 4, ES, 1 },
	{ 312, 4, FS, 1 },
	{ 320, 4, GS, 1 },
};

static const struct reg_layout prstatus = {
	.rl_runs = prstatus_runs,
	.rl_nruns = NITEMS(prstatus_runs),
	.rl_len = 328,
};

static const struct reg_layout pcb = {
	.rl_runs = pcb_runs,
	.rl_nruns = NITEMS(pcb_runs),
	.rl_len = 64,
};

static const struct reg_layout trapframe = {
	.rl_runs = trapframe_runs,
	.rl_nruns = NITEMS(trapframe_runs),
	.rl_len = 192,
};

/* System V ABI, AMD64 supplement: DWARF Register Number Mapping. */
/* clang-format off */
static const uint8_t dwarf[] = {
	RAX, RDX, RCX, RBX, RSI, RDI, RBP, RSP,
	R8, R9, R10, R11, R12, R13, R14, R15, RIP,
};
/* clang-format on */

/* Functions with a trap frame at sp that are not made by IDTVEC(). */
static const char *const handlers[] = {
	"calltrap",
	"doreti_ast",
	"fast_syscall_common",
	"fork_trampoline",
	"int0x80_syscall_common",
	"mchk_calltrap",
	"nmi_calltrap",
	"nmi_fromuserspace",
};

/* In the trap frame. */
#define TF_TRAPNO 120 /* 4 bytes */

static const struct reg_layout *
pcb_layout(const struct kernel_layout *lo)
{
	(void)lo;
	return (&pcb);
}

/*
 * An entry that was interrupted itself, before its first instruction.  The
 * words that the CPU pushed are at sp, with or without an error code, and no
 * register has changed yet.
 */
static bool
read_pushed(struct kdebug *kdb, const struct cursor *cur,
    struct kdebug_regs *out)
{
	static const unsigned int pushed[] = { RIP, CS, EFLAGS, RSP, SS };
	kvaddr_t va = cur->cu_regs.rs_value[RSP];
	kvaddr_t word;

	/* The selector in the second word, or the address of the code? */
	if (!mem_word(kdb, va + 8, &word))
		return (false);
	if (word == 0 || word > UINT16_MAX)
		va += 8;
	*out = cur->cu_regs;
	for (size_t i = 0; i < NITEMS(pushed); i++) {
		if (!mem_word(kdb, va + i * 8, &word))
			return (false);
		regs_set(out, pushed[i], word);
	}
	return (true);
}

/*
 * The trap frame is at sp in the handler that called C.  A thread that never
 * ran has not returned to fork_trampoline yet.
 */
static bool
read_frame(struct kdebug *kdb, const struct cursor *cur, const struct func *fn,
    struct trap *out)
{
	bool at_start = cur->cu_regs.rs_value[RIP] == fn->fn_va;
	kvaddr_t va = cur->cu_regs.rs_value[RSP];
	uint32_t trapno = 0;

	if (at_start && x86_is_idtvec(fn->fn_name))
		return (read_pushed(kdb, cur, &out->tp_regs));
	if (at_start && strcmp(fn->fn_name, "fork_trampoline") == 0)
		va += 8;
	if (!regs_read(kdb, va, &trapframe, &out->tp_regs) ||
	    !mem_u32(kdb, va + TF_TRAPNO, &trapno))
		return (false);
	out->tp_number = trapno;
	return (true);
}

static enum trap_kind
trap(struct kdebug *kdb, const struct cursor *cur, const struct func *fn,
    struct trap *out)
{
	if (!x86_is_idtvec(fn->fn_name) &&
	    !name_in(fn->fn_name, handlers, NITEMS(handlers)))
		return (TRAP_NONE);
	/* SYSCALL pushes nothing: there is no frame yet, or an older one. */
	if (cur->cu_trapped && strncmp(fn->fn_name, "Xfast_syscall", 13) == 0)
		return (TRAP_END);
	if (!read_frame(kdb, cur, fn, out))
		return (TRAP_END);
	return (x86_trap_kind(fn, out, out->tp_regs.rs_value[CS]));
}

static bool
prologue(struct kdebug *kdb, const struct cursor *cur, const struct func *fn,
    struct kdebug_regs *out)
{
	return (x86_prologue(kdb, cur, fn, 8, out));
}

const struct arch kdb_arch_amd64 = {
	.ar_regs = regs,
	.ar_nregs = NITEMS(regs),
	.ar_pc = RIP,
	.ar_sp = RSP,
	.ar_fp = RBP,
	.ar_lr = REG_NONE,
	.ar_syscall = RAX,
	.ar_syscall_arg = RDI,
	.ar_syscall_is_result = true,
	.ar_va_first = UINT64_C(0xff00000000000000), /* LA57's */
	.ar_kept = KEPT(RBX, 1) | KEPT(RBP, 2) | KEPT(R12, 4),
	.ar_chain_fp = 0,
	.ar_chain_ra = 8,
	.ar_chain_sp = 16,
	.ar_chain_sp_exact = true,
	.ar_dwarf = dwarf,
	.ar_ndwarf = NITEMS(dwarf),
	.ar_pcb = pcb_layout,
	.ar_prstatus = &prstatus,
	.ar_gs_is_pcpu = true,
	.ar_unwind_section = UNWIND_SECTION,
	.ar_trap = trap,
	.ar_prologue = prologue,
	.ar_makes_frame = x86_makes_frame,
};
