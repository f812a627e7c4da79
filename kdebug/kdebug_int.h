/*
 * The inside of kdebug/: declarations that its files share.
 *
 * kdebug.c owns the handle; each other file fills in one part of it, the first
 * time that the part is asked for.
 */
#ifndef KDEBUG_KDEBUG_INT_H
#define KDEBUG_KDEBUG_INT_H

#include <sys/types.h>

#include "kdebug/addrset.h"
#include "kdebug/arch.h"
#include "kdebug/arena.h"
#include "kdebug/kdebug.h"
#include "kdebug/layout.h"
#include "libkvm/kvm_core.h"

/* MAXPATHLEN of the kernel. */
#define KPATH_LEN 1024

struct debugfile;
struct debughelper;
struct modfile;

/*
 * Bounds on lists of the dump.  FreeBSD has at most 99999 processes and rarely
 * as many threads; a longer list is damaged.
 */
enum { THREADS_MAX = 1 << 18, MODULES_MAX = 1 << 12, NOTES_MAX = 200 };

/* Notes: what could not be read. */
struct notes {
	const char **no_text; /* the array is ours, the strings the arena's */
	size_t no_count;
	size_t no_room;
};

/* The list of threads; the array is ours. */
struct threads {
	struct kdebug_thread *ts_list;
	size_t ts_count;
	size_t ts_room;
	bool ts_done; /* the dump was looked through */
};

/* A module's place in memory, and its file once it was looked for. */
struct modmap {
	kvaddr_t mm_start; /* half-open */
	kvaddr_t mm_end;
	size_t mm_idx;		    /* into ms_list */
	bool mm_sought;		    /* the file was looked for */
	const char *mm_why;	    /* one was refused; the arena's, or NULL */
	int mm_error;		    /* the system's, of that; 0: none */
	struct modfile *mm_file;    /* ours; NULL: not found */
	struct debugfile *mm_debug; /* ours; NULL: it has none */
};

/* Directories of linker_path; FreeBSD comes with four. */
enum { MODULE_DIRS_MAX = 16 };

/* The directories that the kernel itself looks through. */
struct module_dirs {
	char mdr_text[KPATH_LEN + 1]; /* what the entries point into */
	const char *mdr_list[MODULE_DIRS_MAX];
	size_t mdr_count;
	bool mdr_done; /* the dump was looked at */
};

/* A file that was tried for a module. */
struct tried_file {
	dev_t mtf_dev;
	ino_t mtf_ino;
	size_t mtf_idx; /* the module's, into ms_list */
};

/* The list of modules.  Both arrays are ours and equally long. */
struct modules {
	struct kdebug_module ms_kernel; /* its own entry */
	bool ms_has_kernel;
	struct kdebug_module *ms_list; /* as the kernel lists them */
	struct modmap *ms_maps;	       /* by address */
	size_t ms_count;
	size_t ms_room;
	bool ms_done; /* the dump was looked through */
	struct module_dirs ms_dirs;
	struct tried_file *ms_tried; /* ours */
	size_t ms_ntried;
	size_t ms_tried_room;
};

/* A CPU that was not stopped. */
struct unstopped {
	unsigned int un_cpu;
	kvaddr_t un_td;			/* what it ran; 0: not known */
	const struct kvm_vcpu *un_vcpu; /* libkvm's; NULL: not known */
};

/* Which CPUs were stopped, and where their registers are. */
struct cpus {
	unsigned int cp_max;	 /* ids are below */
	kvaddr_t cp_stoppcbs_va; /* the array; 0: not found */
	kvaddr_t cp_stopped_va;	 /* the CPU set; 0: the kernel has none */
	uint64_t cp_stopped_len; /* bytes of it; 0: unknown */
	struct unstopped *cp_unstopped; /* ours; those that are known */
	size_t cp_nunstopped;
};

/* What is known by debug information: see runstate.c. */
enum run_member {
	RUN_STATE,
	RUN_INHIBITORS,
	RUN_WMESG,
	RUN_LOCKNAME,
	RUN_INACTIVE,
	RUN_INHIBITED,
	RUN_CAN_RUN,
	RUN_RUNQ,
	RUN_RUNNING,
	RUN_SLEEPING,
	RUN_DEAD,
	RUN_PROC,
	RUN_ZOMBIE,
	RUN_NMEMBERS
};

struct kdebug {
	kvm_t *kdb_kd;			 /* the caller's */
	const struct kvm_core *kdb_core; /* libkvm's */
	const struct arch *kdb_arch;	 /* NULL: none that we know */
	struct kernel_layout kdb_layout;
	struct arena kdb_arena;
	struct notes kdb_notes;
	struct cpus kdb_cpus;
	struct kvm_member kdb_run[RUN_NMEMBERS];
	struct threads kdb_threads;
	struct modules kdb_modules;
	uint64_t kdb_idpages; /* that may be searched for modules' build ids */
	struct debughelper *kdb_debughelper; /* ours; NULL: no file was opened */
	struct debugfile *kdb_debugfile;     /* of the kernel; ours */
	bool kdb_debugfile_sought;
	bool kdb_td_code_sought;
	uint32_t kdb_td_code_off;     /* of td_sa.code; LAYOUT_NONE: unknown */
	struct kdebug_text kdb_panic; /* strings are the arena's */
	struct kdebug_text kdb_version;
	enum kdebug_pairing kdb_pairing;
};

/* kdebug.c: add a note, unless it is there already. */
void kdb_note(struct kdebug *kdb, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* kdebug.c: note about thing ("no threads") that the symbol is missing. */
void kdb_note_symbol(struct kdebug *kdb, const char *thing, const char *symbol);

/* memory.c: all of it, or false and nothing. */
bool mem_read(struct kdebug *kdb, kvaddr_t va, void *buf, size_t len);
bool mem_u32(struct kdebug *kdb, kvaddr_t va, uint32_t *out);
bool mem_word(struct kdebug *kdb, kvaddr_t va, kvaddr_t *out);
bool mem_const_u32(struct kdebug *kdb, kvaddr_t va, uint32_t *out);
bool mem_code(struct kdebug *kdb, kvaddr_t va, void *buf, size_t len);

/*
 * memory.c: the string at va, at most len bytes, without its NUL.  Returns how
 * many could be read, which is 0 for an empty or unreadable string.
 */
size_t mem_string(struct kdebug *kdb, kvaddr_t va, char *buf, size_t len);

/* symbols.c: a function of the kernel or of a module. */
struct func {
	const char *fn_name; /* as in its file: not escaped */
	kvaddr_t fn_va;
	struct modmap *fn_module; /* kdb's; NULL: the kernel */
};

bool func_at(struct kdebug *kdb, kvaddr_t va, struct func *out);

/* symbols.c: the debug information that is about va; NULL: none. */
struct debugfile *debugfile_at(struct kdebug *kdb, kvaddr_t va);

/* symbols.c: fill in all that a frame says of the code at va. */
void symbolize(struct kdebug *kdb, kvaddr_t va, struct kdebug_frame *frame);

enum pcb_state {
	PCB_READ,
	PCB_EMPTY,  /* all zeros: it was never filled in */
	PCB_MISSING /* it is not in the dump */
};

/* threadlist.c: read t's registers from the pcb at va. */
enum pcb_state threadlist_regs(struct kdebug *kdb, struct kdebug_thread *t,
    kvaddr_t va);

/*
 * threadlist.c: append t to the list, with its place and the name it is shown by.
 * false: there is no memory for it.
 */
bool threadlist_add(struct kdebug *kdb, struct kdebug_thread *t);

/* threadlist.c: the state of the thread that dumped. */
enum kdebug_state threadlist_dumper_state(const struct kdebug *kdb);

/* cputhreads.c: is there no list of threads, so that those of CPUs are all? */
bool cputhreads_all(struct kdebug *kdb);
void cputhreads_load(struct kdebug *kdb);

/* cpus.c */
void cpus_load(struct kdebug *kdb);
unsigned int cpus_count(const struct kdebug *kdb);
void cpus_fini(struct kdebug *kdb);
int cpus_of_thread(const struct kdebug *kdb, kvaddr_t td_va, int oncpu);
bool cpus_vcpu_regs(const struct kdebug *kdb, unsigned int cpu,
    struct kdebug_regs *out);
bool cpus_stopped(struct kdebug *kdb, unsigned int cpu);
kvaddr_t cpus_stoppcb(const struct kdebug *kdb, unsigned int cpu);

enum syscall_way {
	SYSCALL_IN,  /* the thread may still be in it */
	SYSCALL_BACK /* it has its result */
};

/* syscall.c: fill in the system call by which td left user mode. */
void syscall_find(struct kdebug *kdb, const struct kdebug_thread *td,
    enum syscall_way way, struct kdebug_user *user);

/* runstate.c: without debug information, all of it is unknown. */
void runstate_load(struct kdebug *kdb);
bool runstate_exited(struct kdebug *kdb, kvaddr_t proc_va);
enum kdebug_run runstate_of(struct kdebug *kdb, kvaddr_t td_va);
const char *runstate_wmesg(struct kdebug *kdb, kvaddr_t td_va,
    enum kdebug_run run);

/* modules.c */
void modules_fini(struct kdebug *kdb);
struct modmap *modules_find(struct kdebug *kdb, kvaddr_t va);

/* modseek.c: look for the module's file.  mm_why tells why one was refused. */
void modseek_file(struct kdebug *kdb, struct modmap *mm);

#endif
