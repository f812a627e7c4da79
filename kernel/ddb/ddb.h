/*
 * The kernel's own debugger from the inside: commands, symbols, traces.  How it
 * is entered is in sys/kdb.h.
 */
#ifndef KERNEL_DDB_DDB_H
#define KERNEL_DDB_DDB_H

#include "kernel/sys/types.h"

struct thread;
struct trapframe;

/*
 * A number, or a symbol with an optional +offset.  false: neither; *rest is
 * what follows it.
 */
bool db_expression(const char *s, uint64_t *out, const char **rest);

/* The symbol that an address belongs to, NULL if there is none. */
const char *db_symbol(vm_offset_t va, vm_offset_t *off);
bool db_symbol_value(const char *name, size_t len, vm_offset_t *out);

/* Print an address as symbol+offset. */
void db_printsym(vm_offset_t va);

/* Stack traces. */
void db_trace_frame(vm_offset_t rip, vm_offset_t rsp, vm_offset_t rbp);
void db_trace_thread(struct thread *td);

/* What the debugger was entered with; NULL outside of it. */
extern struct trapframe *kdb_frame;
extern struct thread *kdb_thread;

#endif
