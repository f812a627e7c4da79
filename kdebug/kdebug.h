/*
 * The dumped kernel seen as an operating system: threads, saved registers,
 * backtraces, modules, the message buffer.
 *
 * Everything is found as FreeBSD's debuggers find it: through symbols that the
 * kernel exports for them (allproc, proc_off_p_pid, dumppcb, ...).  So a kernel
 * without debug information is enough; with it, frames have file and line.  A
 * dump is not trusted: lists are bounded, links are checked, and a part that
 * cannot be read leaves the rest intact, with a note in kdebug_notes().
 *
 * One handle, one thread.  Nothing here prints or exits.
 */
#ifndef KDEBUG_KDEBUG_H
#define KDEBUG_KDEBUG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libkvm/kvm.h"

struct kdebug;

/*
 * Look at the kernel of kd, which stays the caller's and must outlive the
 * result.  NULL: out of memory.  A kernel without symbols or threads is no
 * error: the result is empty and kdebug_notes() says why.
 */
struct kdebug *kdebug_create(kvm_t *kd);
void kdebug_destroy(struct kdebug *kdb);

/*
 * Notes about what could not be read, oldest first: one line each, without a
 * newline, bytes of the dump escaped.  Valid as long as kdb; later calls add
 * more.
 */
size_t kdebug_notes(const struct kdebug *kdb, const char *const **notes);

/* ---- registers ---- */

#define KDEBUG_MAXREGS 40

/* A register of the machine, named and ordered as gdb does. */
struct kdebug_reg_desc {
	const char *rd_name; /* "rip" */
	unsigned int rd_len; /* bytes: 4 or 8 */
};

/* Values in the order of kdebug_reg_descs(); bit i of rs_valid: i is known. */
struct kdebug_regs {
	uint64_t rs_valid;
	uint64_t rs_value[KDEBUG_MAXREGS];
};

/* The machine's registers.  Constant; returns how many (<= KDEBUG_MAXREGS). */
size_t kdebug_reg_descs(const struct kdebug *kdb,
    const struct kdebug_reg_desc **descs);

/* The registers that each machine has under some name. */
enum kdebug_role { KDEBUG_PC, KDEBUG_SP, KDEBUG_FP };

/* The register's index in kdebug_reg_descs().  Only if that returned any. */
size_t kdebug_reg_of(const struct kdebug *kdb, enum kdebug_role role);

/* ---- threads ---- */

enum kdebug_state {
	KDEBUG_CRASHED, /* it panicked and dumped: registers from dumppcb */
	KDEBUG_RUNNING, /* on a CPU: from stoppcbs, if that was stopped */
	KDEBUG_STOPPED	/* switched out: from its own pcb */
};

/* What a thread was doing, by the kernel's own state of it. */
enum kdebug_run {
	KDEBUG_RUN_UNKNOWN, /* the kernel has no debug information */
	KDEBUG_RUN_RUNNING,
	KDEBUG_RUN_RUNNABLE,  /* waited for a CPU */
	KDEBUG_RUN_SLEEPING,  /* on kt_wmesg */
	KDEBUG_RUN_BLOCKED,   /* on the lock kt_wmesg */
	KDEBUG_RUN_SUSPENDED, /* by a signal or a debugger */
	KDEBUG_RUN_IWAIT,     /* an interrupt's: for the next one */
	KDEBUG_RUN_INACTIVE,  /* not started yet */
	KDEBUG_RUN_EXITED     /* a zombie's */
};

struct kdebug_thread {
	size_t kt_index; /* in the kernel's list order, from 0 */
	int kt_pid;
	int kt_tid;
	const char *kt_comm;	     /* process name; escaped: printable */
	const char *kt_name;	     /* thread name; escaped: printable */
	const char *kt_display_name; /* "(pid 800) sysctl (crashed)" */
	enum kdebug_state kt_state;
	enum kdebug_run kt_run;
	const char *kt_wmesg; /* escaped; '*' before a lock's; NULL: none */
	bool kt_dumped;	      /* it wrote the dump, after a panic or not */
	bool kt_unstopped; /* it kept running during the dump: no registers */
	int kt_cpu;	   /* -1: on none */
	kvaddr_t kt_proc;  /* struct proc; 0: none is known */
	kvaddr_t kt_td;	   /* struct thread; 0: none is known */
	struct kdebug_regs kt_regs;
};

/*
 * All threads, in the order in which allproc lists processes and p_threads
 * their threads; those of zombproc after them.  The array is kdb's.
 *
 * A kernel without allproc has no list.  Then the threads are the one whose
 * registers dumppcb has, with the id 1, and one for each CPU that has any in
 * stoppcbs, with the CPU's number plus 2.  They have no struct thread, and
 * belong to process 0.
 */
size_t kdebug_threads(struct kdebug *kdb, const struct kdebug_thread **threads);

/*
 * Has the kernel's file a symbol by which threads are found: those of the list,
 * or dumppcb?  If not, no dump of this kernel shows a thread.
 */
bool kdebug_exports_threads(struct kdebug *kdb);

/*
 * The thread that dumped, or NULL.  It crashed, unless the dump was taken
 * without a panic: of a live system, or by the debugger.
 */
const struct kdebug_thread *kdebug_dumper(struct kdebug *kdb);

/* "crashed", "running", "stopped". */
const char *kdebug_state_name(enum kdebug_state state);

/* "running", "sleeping", ...; NULL: unknown. */
const char *kdebug_run_name(enum kdebug_run run);

/* ---- backtraces ---- */

/*
 * The maximum length of a trace.  Recursion makes deep stacks, but this many of
 * the smallest frames, of 16 bytes, fill 1 MB.
 */
#define KDEBUG_TRACE_MAX 65536 /* frames */

struct kdebug_frame {
	kvaddr_t kf_pc;
	bool kf_trap;	       /* pc was interrupted here, not returned to */
	bool kf_gap;	       /* one may be missing before this */
	const char *kf_symbol; /* escaped, kdb's; NULL: unknown */
	uint64_t kf_offset;    /* of pc in kf_symbol */
	const char *kf_file;   /* escaped, kdb's; NULL: no debug information */
	int kf_line;
	const char *kf_module;	    /* NULL: the kernel itself */
	struct kdebug_regs kf_regs; /* as far as they can be told; pc too */
};

/* A walk up a thread's stack, which returns one frame at a time. */
struct kdebug_trace;

/*
 * Start at td's innermost frame.  The caller destroys the trace, before kdb and
 * td.  NULL: out of memory.
 */
struct kdebug_trace *kdebug_trace_create(struct kdebug *kdb,
    const struct kdebug_thread *td);
void kdebug_trace_destroy(struct kdebug_trace *tr);

/* Return at most n frames, if that is less than KDEBUG_TRACE_MAX. */
void kdebug_trace_limit(struct kdebug_trace *tr, uint64_t n);

/*
 * The next frame, also across a trap.  false: there is none, because the stack
 * ends, because it cannot be read further, or because as many frames were
 * returned as may be.
 */
bool kdebug_trace_next(struct kdebug_trace *tr, struct kdebug_frame *frame);

/* After the last frame: was the trace ended by that number? */
bool kdebug_trace_cut(const struct kdebug_trace *tr);

/* Why the kernel was entered from user mode. */
enum kdebug_entry {
	KDEBUG_ENTRY_NONE, /* it was not: the thread was in user mode */
	KDEBUG_ENTRY_TRAP,
	KDEBUG_ENTRY_INTERRUPT,
	KDEBUG_ENTRY_SYSCALL
};

/* Where a user program was when the kernel was entered, or the dump made. */
struct kdebug_user {
	struct kdebug_regs ku_regs; /* those that were saved; pc and sp too */
	enum kdebug_entry ku_entry;
	int64_t ku_trap;    /* the machine's number; -1: none, or unknown */
	int64_t ku_syscall; /* its number; -1: in none, or unknown */
	const char *ku_abi; /* "FreeBSD ELF64"; NULL: unknown */
	const char *ku_syscall_name; /* escaped; kdb's; NULL: unknown */
};

/*
 * After the last frame: the user program, if the trace ends because the kernel
 * was entered from user mode there; else NULL.  Valid as long as tr.
 */
const struct kdebug_user *kdebug_trace_user(const struct kdebug_trace *tr);

/* ---- the kernel as a whole ---- */

/* Why a text of the kernel is not known. */
enum kdebug_why {
	KDEBUG_WHY_KNOWN,      /* it is */
	KDEBUG_WHY_NONE,       /* the kernel has none: it did not panic */
	KDEBUG_WHY_NOT_DUMPED, /* it is not in the dump */
	KDEBUG_WHY_NO_SYMBOL,  /* the kernel's file does not say where it is */
	KDEBUG_WHY_STRIPPED,   /* the kernel's file has no symbols at all */
	KDEBUG_WHY_UNREADABLE, /* what is there is no text */
	KDEBUG_WHY_NO_KERNEL   /* the dump was opened without one */
};

struct kdebug_text {
	const char *kx_text; /* escaped; NULL: not known */
	enum kdebug_why kx_why;
};

/* The panic string and the version; kdb's. */
const struct kdebug_text *kdebug_panic(const struct kdebug *kdb);
const struct kdebug_text *kdebug_version(const struct kdebug *kdb);

/* Is the kernel's file that of the kernel which was dumped? */
enum kdebug_pairing {
	KDEBUG_UNKNOWN_KERNEL, /* too little of them is in both */
	KDEBUG_SAME_KERNEL,    /* they have the same version or build id */
	KDEBUG_OTHER_KERNEL    /* they differ: kdebug_notes() says so */
};

enum kdebug_pairing kdebug_pairing(const struct kdebug *kdb);

/*
 * A loaded kernel module, as kldstat(8) lists it.  Strings are kdb's and
 * escaped.  Source: struct linker_file, FreeBSD's sys/sys/linker.h.
 */
struct kdebug_module {
	const char *km_name; /* "zfs.ko" */
	const char *km_path; /* "/boot/kernel/zfs.ko", on the dumped machine */
	int km_id;	     /* from 1, which is the kernel; 0: unknown */
	int km_refs;	     /* references to it, one of them for its loading */
	kvaddr_t km_base;    /* where it was loaded */
	uint64_t km_len;     /* bytes; 0: unknown */
};

/* All modules but the kernel, in the kernel's order.  The array is kdb's. */
size_t kdebug_modules(struct kdebug *kdb, const struct kdebug_module **mods);

/* The kernel's own entry in that list.  NULL: the dump does not show it. */
const struct kdebug_module *kdebug_kernel_module(struct kdebug *kdb);

/*
 * The path of the file on this host from which the symbols of the idx'th
 * module are taken: beside the kernel's file, in the directories of the
 * kernel's linker_path, or where it was on the dumped machine; with ".debug" or
 * ".symbols" appended where the module itself is missing.  Only plain files are
 * opened, and each is tried for one module only, the first that leads to it.  Not escaped; kdb's.
 *
 * NULL: there is none.  *why is then the reason why the last one that was found
 * was refused ("/x/zfs.ko: of another build"), or NULL.  Escaped; kdb's.  errno
 * is 0 unless it was the system that did not let it be opened or read.
 */
const char *kdebug_module_file(struct kdebug *kdb, size_t idx,
    const char **why);

/*
 * Go through the sections of that file that were loaded: *pos is 0 at first.
 * *name is as in the file, kdb's; *va is where the section lies.  false: there
 * are no more.
 */
bool kdebug_module_section(struct kdebug *kdb, size_t idx, size_t *pos,
    const char **name, kvaddr_t *va);

struct kvm_symbol;

/*
 * The symbol called name in the file of a module, as kvm_symbol_find() finds it
 * in the kernel's: the first module in the list that has it.  ksy_name is
 * kdb's.  false: no file that was found has it.
 */
bool kdebug_module_symbol(struct kdebug *kdb, const char *name,
    struct kvm_symbol *out);

/* Which part of the message buffer. */
enum kdebug_msgbuf_part {
	KDEBUG_MSGBUF_ALL,   /* all that is left of it, oldest line first */
	KDEBUG_MSGBUF_UNREAD /* what syslogd had not read */
};

/* Takes a piece of text: len bytes, len > 0, which it does not keep. */
typedef void kdebug_text_cb(void *arg, const char *bytes, size_t len);

/*
 * Hand the text of the message buffer to put, piece by piece: NUL bytes
 * dropped, not escaped, the newest 16 MiB if there is more.  A minidump needs
 * no kernel for it.
 *
 * Returns how many bytes there were; -1: it was not found.  kdebug_notes() says
 * why, and also why there may be none or not all.
 */
int64_t kdebug_msgbuf(struct kdebug *kdb, enum kdebug_msgbuf_part part,
    kdebug_text_cb *put, void *arg);

#endif
