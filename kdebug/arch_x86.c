/*
 * The entry, the prologue and the return of functions on amd64 and i386: see
 * arch_x86.h.
 */
#include "kdebug/arch_x86.h"

#include <string.h>

#include "kdebug/kdebug_int.h"

/* Instructions: Intel SDM vol. 2. */
enum { INSN_PUSH_BP = 0x55, INSN_RET = 0xc3 };

/* ENDBR64 and ENDBR32, which may come before a function's first push. */
static const uint8_t endbr[][4] = {
	{ 0xf3, 0x0f, 0x1e, 0xfa },
	{ 0xf3, 0x0f, 0x1e, 0xfb },
};

/* Where in the function the frame pointer is pushed; -1: not at its start. */
static int
push_offset(struct kdebug *kdb, kvaddr_t fn_va)
{
	uint8_t code[5];
	int off = 0;

	if (!mem_code(kdb, fn_va, code, sizeof(code)))
		return (-1);
	for (size_t i = 0; i < NITEMS(endbr); i++) {
		if (memcmp(code, endbr[i], sizeof(endbr[i])) == 0)
			off = (int)sizeof(endbr[i]);
	}
	return (code[off] == INSN_PUSH_BP ? off : -1);
}

/*
 * How far above sp the return address lies when the code stands at pc; -1 if
 * the function has made its frame.  At its first instruction, at its return,
 * or where there is no code (a call through a wrong pointer) it is at sp.
 */
static int
return_offset(struct kdebug *kdb, kvaddr_t pc, const struct func *fn,
    unsigned int ptr_len)
{
	uint8_t insn;
	int push;

	if (!mem_code(kdb, pc, &insn, 1) || insn == INSN_RET)
		return (0);
	if (fn == NULL)
		return (-1);
	if (pc == fn->fn_va)
		return (0);
	push = push_offset(kdb, fn->fn_va);
	if (push < 0 || pc - fn->fn_va > (kvaddr_t)push + 1)
		return (-1);
	return (pc - fn->fn_va <= (kvaddr_t)push ? 0 : (int)ptr_len);
}

/* Entered by a program on purpose, on either machine and through any gate. */
static const char *const syscalls[] = {
	"Xfast_syscall",
	"Xfast_syscall_pti",
	"Xint0x80_syscall",
	"Xint0x80_syscall_pti",
	"Xlcall_syscall",
	"fast_syscall_common",
	"int0x80_syscall_common",
};

/* The other entries that are no IDTVEC() serve traps, or end them. */
static enum kdebug_entry
entry_of(const char *name)
{
	if (name_in(name, syscalls, NITEMS(syscalls)))
		return (KDEBUG_ENTRY_SYSCALL);
	return (x86_is_idtvec(name) ? KDEBUG_ENTRY_INTERRUPT :
				      KDEBUG_ENTRY_TRAP);
}

enum trap_kind
x86_trap_kind(const struct func *fn, struct trap *out, uint64_t cs)
{
	if ((cs & X86_SEL_RPL) != 0) {
		out->tp_entry = entry_of(fn->fn_name);
		return (TRAP_USER);
	}
	/* A new kernel thread has an empty frame. */
	return (strcmp(fn->fn_name, "fork_trampoline") == 0 ? TRAP_END :
							      TRAP_KERNEL);
}

bool
x86_prologue(struct kdebug *kdb, const struct cursor *cur,
    const struct func *fn, unsigned int ptr_len, struct kdebug_regs *out)
{
	const struct arch *arch = kdb->kdb_arch;
	kvaddr_t pc = cur->cu_regs.rs_value[arch->ar_pc];
	kvaddr_t sp = cur->cu_regs.rs_value[arch->ar_sp];
	kvaddr_t ra;
	int off;

	if (!cur->cu_trapped)
		return (false);
	off = return_offset(kdb, pc, fn, ptr_len);
	if (off < 0 || !mem_word(kdb, sp + (kvaddr_t)off, &ra))
		return (false);
	*out = cur->cu_regs;
	regs_set(out, arch->ar_pc, ra);
	regs_set(out, arch->ar_sp, sp + (kvaddr_t)off + ptr_len);
	return (true);
}

/* No compiler does more before it makes a frame. */
#define PROLOGUE_MAX 256

/* The two encodings of "mov %esp,%ebp", which amd64 has after a REX prefix. */
static const uint8_t mov_sp_bp[][2] = { { 0x89, 0xe5 }, { 0x8b, 0xec } };

bool
x86_makes_frame(struct kdebug *kdb, const struct func *fn, kvaddr_t pc)
{
	uint8_t code[PROLOGUE_MAX];
	kvaddr_t len = pc - fn->fn_va;

	if (len > sizeof(code))
		len = sizeof(code);
	if (!mem_code(kdb, fn->fn_va, code, (size_t)len))
		return (true);
	for (size_t i = 0; i + 2 <= len; i++) {
		for (size_t j = 0; j < NITEMS(mov_sp_bp); j++)
			if (memcmp(code + i, mov_sp_bp[j], 2) == 0)
				return (true);
	}
	return (false);
}
