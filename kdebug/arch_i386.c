/*
 * i386.  Facts: FreeBSD's sys/i386/include/pcb.h, frame.h and asmacros.h,
 * sys/i386/i386/exception.S; names and order as gdb's org.gnu.gdb.i386.core.
 */
#include <string.h>

#include "kdebug/arch_x86.h"
#include "kdebug/kdebug_int.h"

/* clang-format off */
enum {
	EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI,
	EIP, EFLAGS, CS, SS, DS, ES, FS, GS
};
/* clang-format on */

static const struct kdebug_reg_desc regs[] = {
	[EAX] = { "eax", 4 },
	[ECX] = { "ecx", 4 },
	[EDX] = { "edx", 4 },
	[EBX] = { "ebx", 4 },
	[ESP] = { "esp", 4 },
	[EBP] = { "ebp", 4 },
	[ESI] = { "esi", 4 },
	[EDI] = { "edi", 4 },
	[EIP] = { "eip", 4 },
	[EFLAGS] = { "eflags", 4 },
	[CS] = { "cs", 4 },
	[SS] = { "ss", 4 },
	[DS] = { "ds", 4 },
	[ES] = { "es", 4 },
	[FS] = { "fs", 4 },
	[GS] = { "gs", 4 },
};

/* Since 10.1; before, these fields were elsewhere. */
static const struct reg_run pcb_runs[] = {
	{ 0, 4, EDI, 1 },
	{ 4, 4, ESI, 1 },
	{ 8, 4, EBP, 1 },
	{ 12, 4, ESP, 1 },
	{ 16, 4, EBX, 1 },
	{ 20, 4, EIP, 1 },
};

/* A trap out of the kernel pushes neither esp nor ss: they are left out. */
static const struct reg_run trapframe_runs[] = {
	{ 0, 4, FS, 1 },
	{ 4, 4, ES, 1 },
	{ 8, 4, DS, 1 },
	{ 12, 4, EDI, 1 },
	{ 16, 4, ESI, 1 },
	{ 20, 4, EBP, 1 },
	/* esp, as pusha stored it */
	{ 28, 4, EBX, 1 },
	{ 32, 4, EDX, 1 },
	{ 36, 4, ECX, 1 },
	{ 40, 4, EAX, 1 },
	/* trap number, error code */
	{ 52, 4, EIP, 1 },
	{ 56, 4, CS, 1 },
	{ 60, 4, EFLAGS, 1 },
};

#define TRAPFRAME_KERNEL_LEN 64 /* bytes, without esp and ss */

/* In the trap frame. */
#define TF_TRAPNO 44
#define TF_CS	  56
#define TF_ESP	  64 /* from user mode only */

/* Linux's struct elf_prstatus: pr_reg, a struct user_regs_struct. */
static const struct reg_run prstatus_runs[] = {
	{ 72, 4, EBX, 1 },
	{ 76, 4, ECX, 2 }, /* and edx */
	{ 84, 4, ESI, 2 }, /* and edi */
	{ 92, 4, EBP, 1 },
	{ 96, 4, EAX, 1 },
	{ 100, 4, DS, 4 }, /* and es, fs, gs */
	/* eax of a system call */
	{ 120, 4, EIP, 1 },
	{ 124, 4, CS, 1 },
	{ 128, 4, EFLAGS, 1 },
	{ 132, 4, ESP, 1 },
	{ 136, 4, SS, 1 },
};

static const struct reg_layout prstatus = {
	.rl_runs = prstatus_runs,
	.rl_nruns = NITEMS(prstatus_runs),
	.rl_len = 140,
};

/* The selector of the kernel's code. */
#define SEL_KERNEL_CODE 0x20

static const struct reg_layout pcb = {
	.rl_runs = pcb_runs,
	.rl_nruns = NITEMS(pcb_runs),
	.rl_len = 24,
};

static const struct reg_layout trapframe = {
	.rl_runs = trapframe_runs,
	.rl_nruns = NITEMS(trapframe_runs),
	.rl_len = TRAPFRAME_KERNEL_LEN,
};

/*
 * A task state segment, where the CPU leaves all registers when it switches
 * tasks: Intel SDM vol. 3, "Task-State Segment (TSS)".
 */
static const struct reg_run tss_runs[] = {
	{ 32, 4, EIP, 1 }, { 36, 4, EFLAGS, 1 }, { 40, 4, EAX, 8 }, /* to edi */
	{ 72, 4, ES, 1 }, { 76, 4, CS, 1 }, { 80, 4, SS, 1 }, { 84, 4, DS, 1 },
	{ 88, 4, FS, 2 }, /* and gs */
};

static const struct reg_layout tss = {
	.rl_runs = tss_runs,
	.rl_nruns = NITEMS(tss_runs),
	.rl_len = 96,
};

/* sys/i386/include/segments.h: a CPU's descriptors, and its TSS's of them. */
#define GDT_LEN	  19 /* NGDT */
#define GDT_TSS	  9  /* GPROC0_SEL */
#define DESC_LEN  8
#define DESC_TYPE 0x1f
#define TYPE_TSS  0x09
#define TYPE_BUSY 0x02 /* its task was left for another one, or runs */

/* System V ABI, Intel386 supplement: DWARF Register Number Mapping. */
static const uint8_t dwarf[] = {
	EAX,
	ECX,
	EDX,
	EBX,
	ESP,
	EBP,
	ESI,
	EDI,
	EIP,
};

/* Handlers that call C with no argument below the trap frame. */
static const char *const handlers_bare[] = {
	"Xcpustop",
	"Xipi_intr_bitmap_handler",
	"Xlazypmap",
	"Xrendezvous",
};

/* Handlers that pass the trap frame, by reference or by value. */
static const char *const handlers_frame[] = {
	"Xint0x80_syscall",
	"Xlcall_syscall",
	"Xtimerint",
	"calltrap",
};

static const struct reg_layout *
pcb_layout(const struct kernel_layout *lo)
{
	(void)lo;
	return (&pcb);
}

/*
 * Does calltrap push the frame's address for trap()?  It does since FreeBSD 7:
 * its first instruction is "push %esp".
 */
static kvaddr_t
reference_len(struct kdebug *kdb)
{
	kvaddr_t va;
	uint8_t insn;

	if (layout_symbol(kdb, "calltrap", &va) && mem_code(kdb, va, &insn, 1))
		return (insn == 0x54 ? 4 : 0);
	return (4);
}

/* The code selector of a trap frame: the kernel's, or one of user mode. */
static bool
is_code_selector(kvaddr_t cs)
{
	return (cs == SEL_KERNEL_CODE ||
	    (cs <= UINT16_MAX && (cs & X86_SEL_RPL) == X86_SEL_RPL_USER));
}

/*
 * Other entries pass the frame, some after a vector; which ones do so differs
 * between releases.
 */
static int
other_offset(struct kdebug *kdb, const struct cursor *cur)
{
	int off = (int)reference_len(kdb);
	kvaddr_t va = cur->cu_regs.rs_value[ESP] + (kvaddr_t)off + TF_CS;
	kvaddr_t cs;

	return (mem_word(kdb, va + 4, &cs) && !is_code_selector(cs) &&
		    mem_word(kdb, va, &cs) && is_code_selector(cs) ?
		off :
		off + 4);
}

/* How far above sp the trap frame lies; -1 if fn is no handler. */
static int
frame_offset(struct kdebug *kdb, const struct cursor *cur,
    const struct func *fn)
{
	const char *name = fn->fn_name;

	if (strcmp(name, "fork_trampoline") == 0)
		return (cur->cu_regs.rs_value[EIP] == fn->fn_va ? 4 : 12);
	if (strcmp(name, "doreti_ast") == 0)
		return (4);
	if (name_in(name, handlers_bare, NITEMS(handlers_bare)))
		return (0);
	if (name_in(name, handlers_frame, NITEMS(handlers_frame)))
		return ((int)reference_len(kdb));
	return (x86_is_idtvec(name) ? other_offset(kdb, cur) : -1);
}

/* The trap frame at va, but for esp. */
static bool
read_frame(struct kdebug *kdb, kvaddr_t va, struct trap *out)
{
	uint32_t trapno;

	if (!regs_read(kdb, va, &trapframe, &out->tp_regs) ||
	    !mem_u32(kdb, va + TF_TRAPNO, &trapno))
		return (false);
	out->tp_number = trapno;
	return (true);
}

/*
 * An entry that was interrupted itself, before its first instruction.  The
 * words that the CPU pushed are at sp, with or without an error code, and with
 * esp and ss only if it came from user mode.  Later in the entry the frame is
 * incomplete.
 */
static enum trap_kind
trap_in_entry(struct kdebug *kdb, const struct cursor *cur,
    const struct func *fn, struct trap *out)
{
	static const unsigned int pushed[] = { EIP, CS, EFLAGS, ESP, SS };
	kvaddr_t va = cur->cu_regs.rs_value[ESP];
	enum trap_kind kind;
	kvaddr_t word;

	if (cur->cu_regs.rs_value[EIP] != fn->fn_va ||
	    !mem_word(kdb, va + 4, &word))
		return (TRAP_END);
	/* The selector in the second word, or the address of the code? */
	if (!is_code_selector(word))
		va += 4;
	out->tp_regs = cur->cu_regs;
	for (size_t i = 0; i < NITEMS(pushed); i++) {
		if (!mem_word(kdb, va + i * 4, &word))
			return (TRAP_END);
		regs_set(&out->tp_regs, pushed[i], word);
	}
	kind = x86_trap_kind(fn, out, out->tp_regs.rs_value[CS]);
	if (kind == TRAP_KERNEL)
		regs_set(&out->tp_regs, ESP, va + 12);
	return (kind);
}

/*
 * A double fault switches tasks, so there is no trap frame.  The registers of
 * the code that faulted are in the CPU's usual TSS, which its descriptors in
 * gdt point to.  gdt is an array, and since 12.0 a pointer to one.
 */
static enum trap_kind
trap_double_fault(struct kdebug *kdb, const struct cursor *cur,
    const struct func *fn, struct trap *out)
{
	struct kvm_symbol gdt;
	uint8_t desc[DESC_LEN];
	kvaddr_t va;

	if (cur->cu_cpu < 0 || !kvm_symbol_find(kdb->kdb_kd, "gdt", &gdt))
		return (TRAP_END);
	va = gdt.ksy_va;
	if (gdt.ksy_len == 4 && !mem_word(kdb, va, &va))
		return (TRAP_END);
	va += ((kvaddr_t)cur->cu_cpu * GDT_LEN + GDT_TSS) * DESC_LEN;
	if (!mem_read(kdb, va, desc, sizeof(desc)) ||
	    (desc[5] & DESC_TYPE & ~TYPE_BUSY) != TYPE_TSS)
		return (TRAP_END);
	va = le32dec(desc + 2) & 0xffffff;
	va |= (kvaddr_t)desc[7] << 24;
	if (!regs_read(kdb, va, &tss, &out->tp_regs))
		return (TRAP_END);
	return (x86_trap_kind(fn, out, out->tp_regs.rs_value[CS]));
}

/* The trap frame that fn, a handler, has above sp. */
static enum trap_kind
trap_at(struct kdebug *kdb, const struct cursor *cur, const struct func *fn,
    struct trap *out)
{
	int off = frame_offset(kdb, cur, fn);
	kvaddr_t va = cur->cu_regs.rs_value[ESP] + (kvaddr_t)off;
	kvaddr_t esp = va + TRAPFRAME_KERNEL_LEN;
	enum trap_kind kind;

	if (off < 0)
		return (TRAP_NONE);
	if (!read_frame(kdb, va, out))
		return (TRAP_END);
	kind = x86_trap_kind(fn, out, out->tp_regs.rs_value[CS]);
	if (kind == TRAP_USER && !mem_word(kdb, va + TF_ESP, &esp))
		return (TRAP_END);
	regs_set(&out->tp_regs, ESP, esp);
	return (kind);
}

static enum trap_kind
trap(struct kdebug *kdb, const struct cursor *cur, const struct func *fn,
    struct trap *out)
{
	if (strcmp(fn->fn_name, "dblfault_handler") == 0)
		return (trap_double_fault(kdb, cur, fn, out));
	if (cur->cu_trapped && x86_is_idtvec(fn->fn_name))
		return (trap_in_entry(kdb, cur, fn, out));
	return (trap_at(kdb, cur, fn, out));
}

static bool
prologue(struct kdebug *kdb, const struct cursor *cur, const struct func *fn,
    struct kdebug_regs *out)
{
	return (x86_prologue(kdb, cur, fn, 4, out));
}

/*
 * Since 12.0 user and kernel have separate address spaces.  Exceptions enter
 * through a copy of exception.S that is mapped in both, at a distance of
 * setidt_disp from its link address: machdep_init_trampoline() in
 * sys/i386/i386/machdep.c.
 */
static kvaddr_t
link_va(struct kdebug *kdb, kvaddr_t va)
{
	kvaddr_t start, end, disp_va, disp;

	if (!layout_symbol(kdb, "start_exceptions", &start) ||
	    !layout_symbol(kdb, "end_exceptions", &end) ||
	    !layout_symbol(kdb, "setidt_disp", &disp_va) ||
	    !mem_word(kdb, disp_va, &disp))
		return (va);
	disp = (va - disp) & UINT32_MAX;
	return (disp >= start && disp < end ? disp : va);
}

const struct arch kdb_arch_i386 = {
	.ar_regs = regs,
	.ar_nregs = NITEMS(regs),
	.ar_pc = EIP,
	.ar_sp = ESP,
	.ar_fp = EBP,
	.ar_lr = REG_NONE,
	.ar_syscall = EAX,
	.ar_syscall_arg = REG_NONE,
	.ar_syscall_is_result = true,
	.ar_kept = KEPT(EBX, 1) | KEPT(ESP, 4),
	.ar_chain_fp = 0,
	.ar_chain_ra = 4,
	.ar_chain_sp = 8,
	.ar_chain_sp_exact = true,
	.ar_dwarf = dwarf,
	.ar_ndwarf = NITEMS(dwarf),
	.ar_pcb = pcb_layout,
	.ar_prstatus = &prstatus,
	.ar_trap = trap,
	.ar_prologue = prologue,
	.ar_makes_frame = x86_makes_frame,
	.ar_link_va = link_va,
};
