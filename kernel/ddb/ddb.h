/*
 * The kernel's own debugger: works on a machine that is stopped, with nothing
 * but the console.
 */
#ifndef KERNEL_DDB_DDB_H
#define KERNEL_DDB_DDB_H

#include "kernel/sys/kernel.h"

struct pcb;
struct thread;
struct trapframe;

/* Enter from a trap: other CPUs stopped, until "continue". */
void kdb_trap(const char *why, struct trapframe *frame);

/* Enter from code, as if by a breakpoint. */
void kdb_enter(const char *why, const char *fmt, ...) __printflike(2, 3);

/*
 * From a trap that nobody expected: if a command of the debugger caused it, say
 * so and go back to the prompt.  Else return: inside of a dump, say, which
 * nobody could finish.
 */
void kdb_fault(const char *what, const struct trapframe *frame);

extern volatile bool kdb_active;
extern const char *kdb_why;

/* The calls that lead here, printed. */
void kdb_backtrace(void);

/* The list of threads; a command here and in the shell. */
void db_ps(const char *args);

/* A command.  args is the rest of the line. */
struct db_command {
	const char *dc_name; /* "bt", "show registers" */
	void (*dc_func)(const char *args);
	const char *dc_help;
};

#define DB_COMMAND(uniq, name, func, help)                                     \
	static const struct db_command uniq##_db_command = { name, func,       \
		help };                                                        \
	DATA_SET(db_command_set, uniq##_db_command)

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
