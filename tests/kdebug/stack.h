/*
 * Stacks to walk: a machine as a trace sees it, and a kernel whose one thread
 * has dumped, with a stack that the test lays out.
 */
#ifndef TESTS_KDEBUG_STACK_H
#define TESTS_KDEBUG_STACK_H

#include "tests/kdebug/kernel.h"

/* A machine as the tests need to know it. */
struct machine {
	enum dump_arch mc_arch;
	unsigned int mc_word; /* bytes */

	/* dumppcb. */
	unsigned int mc_pcb_pc, mc_pcb_sp, mc_pcb_fp;

	/* From fp: the caller's fp, the return address, the caller's sp. */
	int mc_chain_fp, mc_chain_ra, mc_chain_sp;

	/* A trap handler, and how far above its sp the trap frame lies. */
	const char *mc_handler;
	int mc_frame_off;

	/* The trap frame. */
	unsigned int mc_tf_len, mc_tf_pc, mc_tf_sp, mc_tf_fp, mc_tf_mode;
	unsigned int mc_tf_user_sp;
	uint32_t mc_kernel_mode, mc_user_mode;
	bool mc_has_lr; /* calls leave the return address in lr */
	unsigned int mc_tf_lr;
};

extern const struct machine mc_amd64, mc_arm, mc_arm64, mc_arm64_old, mc_i386,
    mc_i386_old, mc_riscv;

/* The functions of a test kernel: n from 0, each 0x100 bytes. */
enum { PANIC, TRAP_PFAULT, HANDLER, VICTIM, SYSCALL, FORK_EXIT, NFUNCS };

struct stacked {
	struct kernel st_k;
	const struct machine *st_mc;
	kvaddr_t st_text;  /* of the functions */
	kvaddr_t st_stack; /* where the next frame may go */
	struct kdebug_frame st_frames[MAXFRAMES];
	size_t st_nframes;
	struct kdebug_trace *st_trace; /* of stack_walk_to_user() */
};

/* The address of a function. */
kvaddr_t stack_func(const struct stacked *st, unsigned int n);

/* A thread without any registers yet.  kernel_fini() of st_k undoes it. */
void stack_init(struct stacked *st, const struct machine *mc);

/* The same, at other addresses. */
void stack_init_at(struct stacked *st, const struct machine *mc, kvaddr_t text,
    kvaddr_t stack);

/* The registers in dumppcb. */
void stack_put_pcb(struct stacked *st, kvaddr_t pc, kvaddr_t sp, kvaddr_t fp);

/* The frame that fp points to: whom it returns to, with which fp. */
void stack_put_frame(struct stacked *st, kvaddr_t fp, kvaddr_t caller_fp,
    kvaddr_t ra);

/* A trap frame at va, of code at pc. */
void stack_put_trap(struct stacked *st, kvaddr_t va, uint32_t mode, kvaddr_t pc,
    kvaddr_t sp, kvaddr_t fp);

/*
 * A thread that panicked in a trap handler:
 *
 *   panic <- trap_pfault <- HANDLER [trap frame] <- victim <- syscall
 *
 * The frame pointers of the five stand at st_stack + 0x100, + 0x200, ...; the
 * trap frame is where the handler's is left when it calls trap_pfault.  Returns
 * the address of the trap frame.
 */
kvaddr_t stack_put_panic(struct stacked *st, uint32_t mode);

/* Walk it: fills in st_frames. */
void stack_walk(struct stacked *st);

/*
 * The same, and where the trace ends in user mode; NULL if it does not.  This
 * lives until stack_end(), which stands for kernel_fini() then.
 */
const struct kdebug_user *stack_walk_to_user(struct stacked *st);
void stack_end(struct stacked *st);

/* The frames are those of the functions, of which -1 ends the list. */
void stack_check(struct stacked *st, const int *funcs);

/* Where user mode stands in what tests put there. */
#define USER_PC 0x200480
#define USER_SP 0x7ffe1230

/* Check a register of user mode. */
void stack_check_user(const struct stacked *st, const struct kdebug_user *user,
    enum kdebug_role role, uint64_t want);

#endif
