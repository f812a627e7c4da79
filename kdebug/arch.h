/*
 * The facts about an architecture: its registers and their names, where the
 * kernel saves them, and how a stack is walked without tables.  One arch_*.c
 * each.
 */
#ifndef KDEBUG_ARCH_H
#define KDEBUG_ARCH_H

#include "format/minidump.h"
#include "kdebug/kdebug.h"
#include "kdebug/layout.h"

/* In place of a register's index. */
#define REG_NONE 0xff

/* A run of registers, of consecutive indices, in a structure of the kernel. */
struct reg_run {
	uint16_t rr_off; /* bytes into the structure */
	uint8_t rr_len;	 /* bytes of each: 4 or 8 */
	uint8_t rr_reg;	 /* index of the first into ar_regs */
	uint8_t rr_n;	 /* how many */
};

/* The registers in a structure that the kernel saves, all at once. */
struct reg_layout {
	const struct reg_run *rl_runs;
	size_t rl_nruns;
	uint32_t rl_len; /* bytes up to the end of the last run */
};

/* A frame of a stack while it is walked. */
struct cursor {
	/*
	 * pc is always valid.  sp always has a value; if it is not valid, the
	 * frame's sp is at this value or above.
	 */
	struct kdebug_regs cu_regs;
	bool cu_exact;	 /* pc is an instruction, not a return address */
	bool cu_trapped; /* it is exact because a trap interrupted it */
	bool cu_gap;	 /* see kf_gap */
	int cu_cpu;	 /* the thread's; -1: none */
};

enum trap_kind {
	TRAP_NONE,   /* the function is no trap handler */
	TRAP_KERNEL, /* it interrupted the kernel */
	TRAP_USER,   /* it came from user mode */
	TRAP_END     /* there is no caller, or it cannot be read */
};

/* The code that a handler interrupted. */
struct trap {
	struct kdebug_regs tp_regs;
	enum kdebug_entry tp_entry; /* from user mode: why */
	int64_t tp_number;	    /* KDEBUG_ENTRY_TRAP: which; -1: unknown */
};

struct func;

/* Bits of ar_kept: n registers from first on. */
#define KEPT(first, n) (((UINT64_C(1) << (n)) - 1) << (first))

struct arch {
	const struct kdebug_reg_desc *ar_regs;
	size_t ar_nregs;

	/* Indices into ar_regs; ar_lr is REG_NONE if calls use the stack. */
	uint8_t ar_pc;
	uint8_t ar_sp;
	uint8_t ar_fp;
	uint8_t ar_lr;

	/*
	 * System calls: which register has the number, and the first argument.
	 */
	uint8_t ar_syscall;
	uint8_t ar_syscall_arg;	   /* REG_NONE: none */
	bool ar_syscall_is_result; /* what has the number gets the result */

	/* 64 bits: the lowest address of kernels in the upper half. */
	kvaddr_t ar_va_first;

	/*
	 * The chain of frame pointers: where the caller's fp and the return
	 * address lie, and the caller's sp, as offsets from fp.
	 */
	int8_t ar_chain_fp;
	int8_t ar_chain_ra;
	int8_t ar_chain_sp;
	bool ar_chain_sp_exact; /* not only a lower bound */

	/* Bit i: the ABI says that calls preserve register i. */
	uint64_t ar_kept;

	/* Return addresses may be signed in the bits above the address. */
	bool ar_pac;

	/* Index into ar_regs by DWARF register number.  NULL: the same. */
	const uint8_t *ar_dwarf;
	size_t ar_ndwarf;

	/* How struct pcb lies in this kernel. */
	const struct reg_layout *(*ar_pcb)(const struct kernel_layout *lo);

	/* Linux's struct elf_prstatus, for hypervisors.  NULL: not known. */
	const struct reg_layout *ar_prstatus;
	bool ar_gs_is_pcpu; /* the base of GS is the CPU's struct pcpu */

	/* ELF's type of sections of unwind tables; 0: they are PROGBITS. */
	uint32_t ar_unwind_section;

	/*
	 * If fn, the function of cur, handles traps: the code it interrupted.
	 */
	enum trap_kind (*ar_trap)(struct kdebug *kdb, const struct cursor *cur,
	    const struct func *fn, struct trap *out);

	/*
	 * Functions that are not called: return addresses point to their first
	 * instruction.
	 */
	const char *const *ar_landings;
	size_t ar_nlandings;

	/*
	 * cur is exact and its pc is in fn (NULL: no known function).  If fn
	 * has not made its frame yet, *out gets its caller's registers.
	 */
	bool (*ar_prologue)(struct kdebug *kdb, const struct cursor *cur,
	    const struct func *fn, struct kdebug_regs *out);

	/*
	 * Has fn made a frame of its own before pc, as compilers do?  What was
	 * written in assembly need not.  true, too, if its code cannot be read.
	 * NULL: it cannot be told.
	 */
	bool (*ar_makes_frame)(struct kdebug *kdb, const struct func *fn,
	    kvaddr_t pc);

	/* The link address of code that runs at va.  NULL: the same. */
	kvaddr_t (*ar_link_va)(struct kdebug *kdb, kvaddr_t va);
};

extern const struct arch kdb_arch_amd64;
extern const struct arch kdb_arch_arm;
extern const struct arch kdb_arch_arm64;
extern const struct arch kdb_arch_i386;
extern const struct arch kdb_arch_riscv;

/* NULL: there is no table for this architecture. */
const struct arch *arch_find(enum dump_arch id);

/* Read the structure at va.  false: it is not in the dump. */
bool regs_read(struct kdebug *kdb, kvaddr_t va, const struct reg_layout *rl,
    struct kdebug_regs *out);

/* Decode it from bytes, rl_len of them. */
void regs_decode(const struct reg_layout *rl, enum byte_order order,
    const uint8_t *bytes, struct kdebug_regs *out);

static inline bool
regs_has(const struct kdebug_regs *regs, unsigned int reg)
{
	return (reg < KDEBUG_MAXREGS && (regs->rs_valid >> reg & 1) != 0);
}

static inline void
regs_set(struct kdebug_regs *regs, unsigned int reg, uint64_t value)
{
	regs->rs_value[reg] = value;
	regs->rs_valid |= (uint64_t)1 << reg;
}

/* True if name is one of the n strings in list. */
bool name_in(const char *name, const char *const *list, size_t n);

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))

#endif
