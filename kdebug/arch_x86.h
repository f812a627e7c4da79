/*
 * Code for amd64 and i386: how a function is entered and left.
 */
#ifndef KDEBUG_ARCH_X86_H
#define KDEBUG_ARCH_X86_H

#include "kdebug/arch.h"

/* The two low bits of a selector are the privilege: 0 is the kernel's. */
#define X86_SEL_RPL	 3 /* mask */
#define X86_SEL_RPL_USER 3 /* value */

/*
 * An entry point of exception.S or apic_vector.S: named X and what it serves,
 * by the macro IDTVEC().
 */
static inline bool
x86_is_idtvec(const char *name)
{
	return (name[0] == 'X' && name[1] != '\0' && name[1] != '_');
}

/*
 * What kind of trap frame fn has found: out, whose code selector is cs.  Sets
 * out->tp_entry if it came from user mode.
 */
enum trap_kind x86_trap_kind(const struct func *fn, struct trap *out,
    uint64_t cs);

/* arch's ar_makes_frame. */
bool x86_makes_frame(struct kdebug *kdb, const struct func *fn, kvaddr_t pc);

/* arch's ar_prologue, for pointers of ptr_len bytes. */
bool x86_prologue(struct kdebug *kdb, const struct cursor *cur,
    const struct func *fn, unsigned int ptr_len, struct kdebug_regs *out);

#endif
