/* Backtraces: chains of frames, trap frames, and where they end. */
#include <string.h>

#include "kdebug/arch.h"
#include "tests/kdebug/frames.h"
#include "tests/kdebug/stack.h"
#include "tests/support/unit.h"

/*
 * What is known of the registers in the stack that put_stack() makes: pc and fp
 * of all frames; sp where something tells it.
 */
static void
check_registers(const struct stacked *st)
{
	static const kvaddr_t fps[] = { 0x100, 0x200, 0, 0x600, 0x700 };
	const struct arch *arch = arch_find(st->st_mc->mc_arch);

	for (size_t i = 0; i < st->st_nframes; i++) {
		const struct kdebug_regs *regs = &st->st_frames[i].kf_regs;
		bool told = arch->ar_chain_sp_exact || i == 0 || i == 3;

		assert_true(regs_has(regs, arch->ar_pc));
		assert_true(regs->rs_value[arch->ar_pc] ==
		    st->st_frames[i].kf_pc);
		assert_true(regs_has(regs, arch->ar_fp));
		if (i != 2)
			assert_true(regs->rs_value[arch->ar_fp] ==
			    st->st_stack + fps[i]);
		assert_int_equal(regs_has(regs, arch->ar_sp), told);
	}
}

/* A register of user mode. */
static void
check_user_reg(const struct stacked *st, const struct kdebug_user *user,
    enum kdebug_role role, uint64_t want)
{
	size_t reg = kdebug_reg_of(st->st_k.k_kdb, role);

	assert_true(regs_has(&user->ku_regs, (unsigned int)reg));
	if (user->ku_regs.rs_value[reg] != want)
		fail_msg("register %zu is %#jx", reg,
		    (uintmax_t)user->ku_regs.rs_value[reg]);
}

static const struct machine_row {
	const char *name;
	const struct machine *mc;
} through_rows[] = {
	{ "amd64: through a trap", &mc_amd64 },
	{ "i386: through a trap", &mc_i386 },
	{ "i386 of 6: through a trap", &mc_i386_old },
	{ "arm64: through a trap", &mc_arm64 },
	{ "arm64 of 13: through a trap", &mc_arm64_old },
	{ "arm: through a trap", &mc_arm },
	{ "riscv: through a trap", &mc_riscv },
};

static void
test_through_trap(void **state)
{
	static const int want[] = { PANIC, TRAP_PFAULT, HANDLER, VICTIM,
		SYSCALL, -1 };
	const struct machine_row *row = *state;
	struct stacked st;

	stack_init(&st, row->mc);
	stack_put_panic(&st, row->mc->mc_kernel_mode);
	stack_walk(&st);
	stack_check(&st, want);
	for (size_t i = 0; i < st.st_nframes; i++)
		assert_int_equal(st.st_frames[i].kf_trap, i == 3);
	assert_string_equal(st.st_frames[3].kf_symbol, "victim");
	assert_int_equal(st.st_frames[3].kf_offset, 0x80);
	check_registers(&st);
	kernel_fini(&st.st_k);
}

/* The kernel was entered from user mode, by which handler and for what. */
static const struct user_row {
	const char *name;
	const struct machine *mc;
	const char *handler;
	unsigned int why_off; /* into the trap frame: says why */
	uint64_t why;
	enum kdebug_entry entry;
} user_rows[] = {
	{ "amd64: a user's fault", &mc_amd64, "calltrap", 120, 12,
	    KDEBUG_ENTRY_TRAP },
	{ "amd64: a user's interrupt", &mc_amd64, "Xtimerint", 120, 0,
	    KDEBUG_ENTRY_INTERRUPT },
	{ "amd64: a user's NMI", &mc_amd64, "nmi_fromuserspace", 120, 19,
	    KDEBUG_ENTRY_TRAP },
	{ "amd64: a system call", &mc_amd64, "fast_syscall_common", 120, 22,
	    KDEBUG_ENTRY_SYSCALL },
	{ "amd64: a system call of 32 bits", &mc_amd64,
	    "int0x80_syscall_common", 120, 22, KDEBUG_ENTRY_SYSCALL },
	{ "amd64: on the way back", &mc_amd64, "doreti_ast", 120, 12,
	    KDEBUG_ENTRY_TRAP },
	{ "amd64: a new process", &mc_amd64, "fork_trampoline", 120, 12,
	    KDEBUG_ENTRY_TRAP },
	{ "i386: a user's fault", &mc_i386, "calltrap", 44, 12,
	    KDEBUG_ENTRY_TRAP },
	{ "i386: a system call", &mc_i386, "Xint0x80_syscall", 44, 22,
	    KDEBUG_ENTRY_SYSCALL },
	{ "i386: on the way back", &mc_i386, "doreti_ast", 44, 12,
	    KDEBUG_ENTRY_TRAP },
	{ "arm: a user's fault", &mc_arm, "data_abort_entry", 0, 0x10,
	    KDEBUG_ENTRY_TRAP },
	{ "arm: a user's interrupt", &mc_arm, "irq_entry", 0, 0x10,
	    KDEBUG_ENTRY_INTERRUPT },
	{ "arm: a system call", &mc_arm, "swi_entry", 0, 0x10,
	    KDEBUG_ENTRY_SYSCALL },
	{ "arm64: a user's fault", &mc_arm64, "handle_el0_sync", 32, 0x92000007,
	    KDEBUG_ENTRY_TRAP },
	{ "arm64: a user's interrupt", &mc_arm64, "handle_el0_irq", 32, 0,
	    KDEBUG_ENTRY_INTERRUPT },
	{ "arm64: a system call", &mc_arm64, "handle_el0_sync", 32, 0x56000000,
	    KDEBUG_ENTRY_SYSCALL },
	{ "arm64 of 13: a system call", &mc_arm64_old, "handle_el0_sync", 28,
	    0x56000000, KDEBUG_ENTRY_SYSCALL },
	{ "riscv: a user's fault", &mc_riscv, "cpu_exception_handler_user", 272,
	    13, KDEBUG_ENTRY_TRAP },
	{ "riscv: a user's interrupt", &mc_riscv, "cpu_exception_handler_user",
	    272, UINT64_C(0x8000000000000005), KDEBUG_ENTRY_INTERRUPT },
	{ "riscv: a system call", &mc_riscv, "cpu_exception_handler_user", 272,
	    8, KDEBUG_ENTRY_SYSCALL },
	{ "riscv: a new process", &mc_riscv, "fork_trampoline", 272, 8,
	    KDEBUG_ENTRY_SYSCALL },
};

#define USER_PC 0x200480
#define USER_SP 0x7ffe1230

/* The number that says why; arm64's of 13 and all of the 32-bit have 4 bytes. */
static void
put_why(struct stacked *st, kvaddr_t va, uint64_t why)
{
	if (st->st_mc->mc_word == 8 && va % 8 == 0)
		fake_u64(st->st_k.k_kd, va, why);
	else
		fake_u32(st->st_k.k_kd, va, (uint32_t)why);
}

static void
test_user(void **state)
{
	static const int want[] = { PANIC, TRAP_PFAULT, HANDLER, -1 };
	const struct user_row *row = *state;
	struct machine mc = *row->mc;
	const struct kdebug_user *user;
	struct stacked st;
	kvaddr_t tf;

	mc.mc_handler = row->handler;
	stack_init(&st, &mc);
	tf = stack_put_panic(&st, mc.mc_user_mode);
	put_why(&st, tf + row->why_off, row->why);
	fake_word(st.st_k.k_kd, tf + mc.mc_tf_pc, USER_PC);
	fake_word(st.st_k.k_kd, tf + mc.mc_tf_user_sp, USER_SP);
	user = stack_walk_to_user(&st);
	stack_check(&st, want);
	assert_non_null(user);
	assert_int_equal(user->ku_entry, row->entry);
	if (row->entry == KDEBUG_ENTRY_TRAP && mc.mc_arch != ARCH_ARM)
		assert_true((uint64_t)user->ku_trap == row->why);
	check_user_reg(&st, user, KDEBUG_PC, USER_PC);
	check_user_reg(&st, user, KDEBUG_SP, USER_SP);
	stack_end(&st);
}

/*
 * Which system call it is: by td_sa.code, or by a register of the trap frame;
 * and its name, if the process is of an ABI whose names are known.
 */
static const struct syscall_row {
	const char *name;
	const struct machine *mc;
	const char *handler;
	unsigned int why_off; /* as in user_rows */
	uint64_t why;
	unsigned int number_off; /* into the trap frame: the number */
	uint64_t number;
	unsigned int arg_off; /* the first argument */
	uint64_t arg;
	uint32_t code;	       /* td_sa.code; 0: no debug information */
	const char *innermost; /* function that the thread is in */
	const char *sysent;    /* symbol of the process's ABI */
	int64_t want;	       /* number */
	const char *want_abi;  /* or NULL */
	const char *want_name; /* or NULL */
} syscall_rows[] = {
	{ "amd64: write", &mc_amd64, "fast_syscall_common", 120, 22, 48, 4, 0,
	    1, 0, "panic", "elf64_freebsd_sysvec_la48", 4, "FreeBSD ELF64",
	    "write" },
	{ "amd64: by td_sa", &mc_amd64, "fast_syscall_common", 120, 22, 48, 77,
	    0, 1, 4, "ast", "elf64_freebsd_sysvec_la57", 4, "FreeBSD ELF64",
	    "write" },
	{ "amd64: on its way back", &mc_amd64, "fast_syscall_common", 120, 22,
	    48, 4, 0, 1, 0, "ast", "elf64_freebsd_sysvec", -1, NULL, NULL },
	{ "amd64: syscall(2)", &mc_amd64, "fast_syscall_common", 120, 22, 48, 0,
	    0, 3, 0, "panic", "elf64_freebsd_sysvec", 3, "FreeBSD ELF64",
	    "read" },
	{ "amd64: __syscall(2)", &mc_amd64, "fast_syscall_common", 120, 22, 48,
	    198, 0, 3, 0, "panic", "elf64_freebsd_sysvec", 3, "FreeBSD ELF64",
	    "read" },
	{ "amd64: a number without a name", &mc_amd64, "fast_syscall_common",
	    120, 22, 48, 5, 0, 1, 0, "panic", "elf64_freebsd_sysvec", 5,
	    "FreeBSD ELF64", NULL },
	{ "amd64: no number at all", &mc_amd64, "fast_syscall_common", 120, 22,
	    48, UINT64_MAX, 0, 1, 0, "panic", "elf64_freebsd_sysvec", -1, NULL,
	    NULL },
	{ "amd64: another ABI", &mc_amd64, "fast_syscall_common", 120, 22, 48,
	    4, 0, 1, 0, "panic", "elf_linux_sysvec", 4, NULL, NULL },
	{ "amd64: a program of 32 bits", &mc_amd64, "int0x80_syscall_common",
	    120, 22, 48, 4, 0, 1, 0, "panic", "ia32_freebsd_sysvec", 4,
	    "FreeBSD ELF32", NULL },
	{ "i386: write", &mc_i386, "Xint0x80_syscall", 44, 22, 40, 4, 36, 1, 0,
	    "panic", "elf32_freebsd_sysvec", 4, "FreeBSD ELF32", "write" },
	{ "i386: syscall(2)", &mc_i386, "Xint0x80_syscall", 44, 22, 40, 0, 36,
	    3, 0, "panic", "elf32_freebsd_sysvec", -1, NULL, NULL },
	{ "arm: write", &mc_arm, "swi_entry", 0, 0x10, 32, 4, 4, 1, 0, "panic",
	    "elf32_freebsd_sysvec", 4, "FreeBSD ELF32", "write" },
	{ "arm64: write, on its way back", &mc_arm64, "handle_el0_sync", 32,
	    0x56000000, 112, 4, 48, 1, 0, "ast", "elf64_freebsd_sysvec", 4,
	    "FreeBSD ELF64", "write" },
	{ "riscv: write", &mc_riscv, "cpu_exception_handler_user", 272, 8, 32,
	    4, 184, 1, 0, "panic", "elf64_freebsd_sysvec", 4, "FreeBSD ELF64",
	    "write" },
};

/* Of the thread and process that stack_init() makes. */
#define TD_CODE 0x200

/* The ABI of the process, and the names of system calls, up to number 4. */
static void
put_abi(struct stacked *st, const char *sysent)
{
	unsigned int word = st->st_mc->mc_word;
	kvaddr_t base = st->st_k.k_base + 0x8000;
	kvm_t *kd = st->st_k.k_kd;

	fake_symbol(kd, sysent, base, 8);
	fake_word(kd, st->st_k.k_base + 0x100000 + P_COMM + 24, base);
	fake_symbol(kd, "syscallnames", base + 0x100, UINT64_C(5) * word);
	fake_word(kd, base + 0x100 + UINT64_C(3) * word, base + 0x200);
	fake_word(kd, base + 0x100 + UINT64_C(4) * word, base + 0x210);
	fake_string(kd, base + 0x200, "read");
	fake_string(kd, base + 0x210, "write");
}

static void
test_syscall(void **state)
{
	const struct syscall_row *row = *state;
	struct machine mc = *row->mc;
	const struct kdebug_user *user;
	struct stacked st;
	kvaddr_t tf;

	mc.mc_handler = row->handler;
	stack_init(&st, &mc);
	fake_unsymbol(st.st_k.k_kd, "panic");
	fake_symbol(st.st_k.k_kd, row->innermost, stack_func(&st, PANIC),
	    0x100);
	tf = stack_put_panic(&st, mc.mc_user_mode);
	fake_word(st.st_k.k_kd, tf + mc.mc_tf_pc, USER_PC);
	fake_word(st.st_k.k_kd, tf + mc.mc_tf_user_sp, USER_SP);
	fake_word(st.st_k.k_kd, tf + row->arg_off, row->arg);
	fake_word(st.st_k.k_kd, tf + row->number_off, row->number);
	put_why(&st, tf + row->why_off, row->why);
	put_abi(&st, row->sysent);
	if (row->code != 0)
		fake_member(st.st_k.k_kd, "thread", "td_sa.code", TD_CODE, 4);
	fake_u32(st.st_k.k_kd, st.st_k.k_base + 0x101000 + TD_CODE, row->code);
	user = stack_walk_to_user(&st);
	assert_non_null(user);
	assert_int_equal(user->ku_entry, KDEBUG_ENTRY_SYSCALL);
	assert_int_equal(user->ku_trap, -1);
	assert_int_equal(user->ku_syscall, row->want);
	check_text(user->ku_abi, row->want_abi);
	check_text(user->ku_syscall_name, row->want_name);
	stack_end(&st);
}

/* A thread that was not in the kernel at all, and one with only a wild pc. */
static const struct in_user_row {
	const char *name;
	const struct machine *mc;
	kvaddr_t sp; /* 0: of the kernel */
	bool user;
} in_user_rows[] = {
	{ "amd64: in user mode", &mc_amd64, USER_SP, true },
	{ "amd64: wild in the kernel", &mc_amd64, 0, false },
	{ "riscv: in user mode", &mc_riscv, USER_SP, true },
	{ "i386: there is no telling", &mc_i386, USER_SP, false },
};

static void
test_in_user(void **state)
{
	const struct in_user_row *row = *state;
	const struct kdebug_user *user;
	struct stacked st;

	stack_init(&st, row->mc);
	stack_put_pcb(&st, USER_PC, row->sp != 0 ? row->sp : st.st_stack, 0);
	user = stack_walk_to_user(&st);
	assert_int_equal(user != NULL, row->user);
	assert_int_equal(st.st_nframes, row->user ? 0 : 1);
	if (row->user) {
		assert_int_equal(user->ku_entry, KDEBUG_ENTRY_NONE);
		check_user_reg(&st, user, KDEBUG_PC, USER_PC);
		check_user_reg(&st, user, KDEBUG_SP, USER_SP);
	}
	stack_end(&st);
}

/* A new thread of the kernel ends where it began, with an empty trap frame. */
static const struct machine_row begin_rows[] = {
	{ "amd64: where a kernel thread began", &mc_amd64 },
	{ "i386: where a kernel thread began", &mc_i386 },
	{ "arm: where a kernel thread began", &mc_arm },
	{ "arm64: where a kernel thread began", &mc_arm64 },
	{ "riscv: where a kernel thread began", &mc_riscv },
};

static void
test_begin(void **state)
{
	static const int want[] = { PANIC, FORK_EXIT, HANDLER, -1 };
	const struct machine_row *row = *state;
	struct machine mc = *row->mc;
	struct stacked st;
	kvaddr_t fp, code;

	mc.mc_handler = mc.mc_arch == ARCH_ARM ? "swi_exit" : "fork_trampoline";
	stack_init(&st, &mc);
	fp = st.st_stack + 0x100;
	code = stack_func(&st, VICTIM) + 0x40;
	stack_put_pcb(&st, stack_func(&st, PANIC) + 0x40, st.st_stack, fp);
	stack_put_frame(&st, fp, fp + 0x100, stack_func(&st, FORK_EXIT) + 0x40);
	/* What fork_exit found in the frame pointer is the thread's function. */
	stack_put_frame(&st, fp + 0x100, code, stack_func(&st, HANDLER) + 0x10);
	stack_put_trap(&st, fp + 0x100 + (kvaddr_t)mc.mc_chain_sp, 0, 0, 0, 0);
	assert_null(stack_walk_to_user(&st));
	stack_check(&st, want);
	stack_end(&st);
}

/*
 * arm's fork_exit, which nobody called, returns to the start of swi_exit: the
 * function before that is swi_entry, which reaches over both in its file.
 */
static void
test_landing(void **state)
{
	struct machine mc = mc_arm;
	struct stacked st;
	kvaddr_t s;

	(void)state;
	mc.mc_handler = "swi_entry";
	stack_init(&st, &mc);
	s = st.st_stack;
	fake_symbol(st.st_k.k_kd, "swi_exit", stack_func(&st, HANDLER) + 0x20,
	    0xe0);
	stack_put_pcb(&st, stack_func(&st, PANIC) + 0x40, s, s + 0x100);
	stack_put_frame(&st, s + 0x100, s + 0x200,
	    stack_func(&st, FORK_EXIT) + 0x40);
	stack_put_frame(&st, s + 0x200, 0, stack_func(&st, HANDLER) + 0x20);
	stack_put_trap(&st, s + 0x208, 0, 0, 0, 0);
	stack_walk(&st);
	assert_int_equal(st.st_nframes, 3);
	assert_string_equal(st.st_frames[2].kf_symbol, "swi_exit");
	assert_int_equal(st.st_frames[2].kf_offset, 0);
	kernel_fini(&st.st_k);
}

/* Interrupted before the function has a frame: victim, called by syscall. */
static const struct early_row {
	const char *name;
	const struct machine *mc;
	const char *code; /* of victim, from its start */
	size_t code_len;
	unsigned int at;    /* where in it */
	unsigned int words; /* pushed above sp before the return address */
} early_rows[] = {
	{ "amd64: at the first instruction", &mc_amd64, "\x55\x48\x89\xe5", 4,
	    0, 0 },
	{ "amd64: rbp is pushed", &mc_amd64, "\x55\x48\x89\xe5", 4, 1, 1 },
	{ "amd64: endbr64, then push", &mc_amd64,
	    "\xf3\x0f\x1e\xfa\x55\x48\x89\xe5", 8, 4, 0 },
	{ "amd64: endbr64, rbp is pushed", &mc_amd64,
	    "\xf3\x0f\x1e\xfa\x55\x48\x89\xe5", 8, 5, 1 },
	{ "amd64: at the return", &mc_amd64, "\x55\x48\x89\xe5\x5d\xc3", 6, 5,
	    0 },
	{ "i386: at the first instruction", &mc_i386, "\x55\x89\xe5", 3, 0, 0 },
	{ "i386: ebp is pushed", &mc_i386, "\x55\x89\xe5", 3, 1, 1 },
	{ "arm64: at the first instruction", &mc_arm64,
	    "\xfd\x7b\xbe\xa9\xfd\x03\x00\x91", 8, 0, 0 },
	{ "arm64: x29 is stored, not set", &mc_arm64,
	    "\xfd\x7b\xbe\xa9\xfd\x03\x00\x91", 8, 4, 0 },
	{ "arm: at the first instruction", &mc_arm, "\x00\x48\x2d\xe9", 4, 0,
	    0 },
	{ "riscv: at the first instruction", &mc_riscv, "\x01\x11", 2, 0, 0 },
};

/* The trap frame's return address: in lr, or above sp. */
static void
put_return(struct stacked *st, kvaddr_t tf, kvaddr_t sp, unsigned int words,
    kvaddr_t ra)
{
	const struct machine *mc = st->st_mc;

	if (mc->mc_has_lr)
		fake_word(st->st_k.k_kd, tf + mc->mc_tf_lr, ra);
	else
		fake_word(st->st_k.k_kd, sp + words * mc->mc_word, ra);
}

static void
test_early(void **state)
{
	/* As syscall has made its frame, its fp is the one in the trap frame. */
	static const int want[] = { PANIC, TRAP_PFAULT, HANDLER, VICTIM,
		SYSCALL, FORK_EXIT, -1 };
	const struct early_row *row = *state;
	const struct machine *mc = row->mc;
	struct stacked st;
	kvaddr_t tf, sp;

	stack_init(&st, mc);
	tf = stack_put_panic(&st, mc->mc_kernel_mode);
	sp = tf + mc->mc_tf_len + (mc == &mc_i386 ? 0 : 0x10);
	stack_put_trap(&st, tf, mc->mc_kernel_mode,
	    stack_func(&st, VICTIM) + row->at, sp, st.st_stack + 0x600);
	put_return(&st, tf, sp, row->words, stack_func(&st, SYSCALL) + 0x20);
	stack_put_frame(&st, st.st_stack + 0x600, st.st_stack + 0x700,
	    stack_func(&st, FORK_EXIT) + 0x20);
	fake_put(st.st_k.k_kd, stack_func(&st, VICTIM), row->code,
	    row->code_len);
	stack_walk(&st);
	stack_check(&st, want);
	assert_true(st.st_frames[4].kf_pc == stack_func(&st, SYSCALL) + 0x20);
	assert_false(st.st_frames[4].kf_trap);
	kernel_fini(&st.st_k);
}

/* A call through a null pointer: the pc is 0, the caller is known. */
static void
test_null_call(void **state)
{
	const struct machine_row *row = *state;
	const struct machine *mc = row->mc;
	struct stacked st;
	kvaddr_t tf, sp;

	stack_init(&st, mc);
	tf = stack_put_panic(&st, mc->mc_kernel_mode);
	sp = tf + mc->mc_tf_len + (mc == &mc_i386 ? 0 : 0x10);
	stack_put_trap(&st, tf, mc->mc_kernel_mode, 0, sp, st.st_stack + 0x600);
	put_return(&st, tf, sp, 0, stack_func(&st, VICTIM) + 0x20);
	stack_walk(&st);
	assert_int_equal(st.st_nframes, 6);
	assert_true(st.st_frames[3].kf_pc == 0);
	assert_true(st.st_frames[3].kf_trap);
	assert_null(st.st_frames[3].kf_symbol);
	assert_string_equal(st.st_frames[4].kf_symbol, "victim");
	assert_string_equal(st.st_frames[5].kf_symbol, "syscall");
	kernel_fini(&st.st_k);
}

static const struct machine_row null_rows[] = {
	{ "amd64: a call to 0", &mc_amd64 },
	{ "i386: a call to 0", &mc_i386 },
	{ "arm: a call to 0", &mc_arm },
	{ "riscv: a call to 0", &mc_riscv },
};

/*
 * Chains: the fp of each frame, as an offset from the stack's start, and how
 * many frames come out: panic's and, from each frame that counts, its caller's.
 * The last one returns to no code.
 */
#define NO_FRAME 0x900000000

static const struct chain_row {
	const char *name;
	int64_t fps[4]; /* ends with 0 */
	size_t nframes;
} chain_rows[] = {
	{ "a chain", { 0x100, 0x200, 0x300 }, 3 },
	{ "a frame is its own caller", { 0x100, 0x200, 0x200 }, 3 },
	{ "back to the first frame", { 0x100, 0x200, 0x300, 0x100 }, 4 },
	{ "back into the walked part", { 0x100, 0x200, 0x400, 0x300 }, 4 },
	{ "fp is not aligned", { 0x100, 0x200, 0x304 }, 3 },
	{ "fp leads out of the dump", { 0x100, 0x200, NO_FRAME }, 3 },
	{ "down to another stack", { 0x100, 0x200, -0x10000, -0xff00 }, 4 },
};

static void
test_chain(void **state)
{
	const struct chain_row *row = *state;
	struct stacked st;

	stack_init(&st, &mc_amd64);
	stack_put_pcb(&st, stack_func(&st, PANIC) + 0x40, st.st_stack,
	    st.st_stack + (kvaddr_t)row->fps[0]);
	/* The last one first: in a circle the one before it stays. */
	for (size_t i = NROWS(row->fps); i-- > 0;) {
		bool last = i + 1 == NROWS(row->fps) || row->fps[i + 1] == 0;
		kvaddr_t next =
		    last ? 0 : st.st_stack + (kvaddr_t)row->fps[i + 1];

		if (row->fps[i] == 0 || row->fps[i] == NO_FRAME)
			continue;
		stack_put_frame(&st, st.st_stack + (kvaddr_t)row->fps[i], next,
		    last ? 0x1000 : stack_func(&st, VICTIM) + 0x40);
	}
	stack_walk(&st);
	assert_int_equal(st.st_nframes, row->nframes);
	kernel_fini(&st.st_k);
}

/* Stacks that are all frames, each calling the next: bounded. */
static const struct long_row {
	const char *name;
	size_t ncalls; /* after panic's */
	bool cut;
} long_rows[] = {
	{ "300 frames are all shown", 299, false },
	{ "as many frames as there may be", KDEBUG_TRACE_MAX - 1, false },
	{ "one frame too many", KDEBUG_TRACE_MAX, true },
};

static void
test_long_chain(void **state)
{
	const struct long_row *row = *state;
	const struct kdebug_thread *threads;
	struct kdebug_frame frame;
	struct kdebug_trace *tr;
	struct stacked st;
	kvaddr_t fp;
	size_t n = 0;

	stack_init(&st, &mc_amd64);
	fp = st.st_stack + 0x10;
	stack_put_pcb(&st, stack_func(&st, PANIC) + 0x40, st.st_stack, fp);
	for (size_t i = 0; i < row->ncalls; i++, fp += 0x10)
		stack_put_frame(&st, fp, fp + 0x10,
		    stack_func(&st, VICTIM) + 0x40);
	stack_put_frame(&st, fp, 0, 0x1000);
	kdebug_threads(kernel_open(&st.st_k), &threads);
	tr = kdebug_trace_create(st.st_k.k_kdb, &threads[0]);
	assert_non_null(tr);
	while (kdebug_trace_next(tr, &frame))
		n++;
	assert_int_equal(n, row->cut ? KDEBUG_TRACE_MAX : row->ncalls + 1);
	assert_int_equal(kdebug_trace_cut(tr), row->cut);
	assert_false(kdebug_trace_next(tr, &frame));
	kdebug_trace_destroy(tr);
	kernel_fini(&st.st_k);
}

/* Two stacks that lead into each other. */
static void
test_stack_circle(void **state)
{
	struct stacked st;
	kvaddr_t a, b;

	(void)state;
	stack_init(&st, &mc_amd64);
	a = st.st_stack + 0x100;
	b = a + 0x10000000;
	stack_put_pcb(&st, stack_func(&st, PANIC) + 0x40, st.st_stack, a);
	stack_put_frame(&st, a, b, stack_func(&st, VICTIM) + 0x40);
	stack_put_frame(&st, b, a, stack_func(&st, SYSCALL) + 0x40);
	stack_walk(&st);
	assert_int_equal(st.st_nframes, 3);
	kernel_fini(&st.st_k);
}

/* A process that never ran stands before fork_trampoline's first instruction. */
static void
test_never_ran(void **state)
{
	static const int want[] = { HANDLER, -1 };
	const struct kdebug_user *user;
	struct machine mc = mc_amd64;
	struct stacked st;
	kvaddr_t s;

	(void)state;
	mc.mc_handler = "fork_trampoline";
	stack_init(&st, &mc);
	s = st.st_stack;
	stack_put_pcb(&st, stack_func(&st, HANDLER), s, 0);
	stack_put_trap(&st, s + 8, mc.mc_user_mode, USER_PC, USER_SP, 0);
	user = stack_walk_to_user(&st);
	stack_check(&st, want);
	assert_non_null(user);
	check_user_reg(&st, user, KDEBUG_PC, USER_PC);
	check_user_reg(&st, user, KDEBUG_SP, USER_SP);
	stack_end(&st);
}

/* An NMI has a stack of its own, from which the trap frame leads back. */
static void
test_nmi(void **state)
{
	static const int want[] = { PANIC, HANDLER, VICTIM, SYSCALL, -1 };
	struct machine mc = mc_amd64;
	struct stacked st;
	kvaddr_t nmi, s;

	(void)state;
	mc.mc_handler = "nmi_calltrap";
	stack_init(&st, &mc);
	s = st.st_stack;
	nmi = UINT64_C(0xffffffff81d43000);
	stack_put_pcb(&st, stack_func(&st, PANIC) + 0x40, nmi, nmi + 0x10);
	stack_put_frame(&st, nmi + 0x10, s + 0x200,
	    stack_func(&st, HANDLER) + 0x10);
	stack_put_trap(&st, nmi + 0x20, mc.mc_kernel_mode,
	    stack_func(&st, VICTIM) + 0x40, s + 0x100, s + 0x200);
	stack_put_frame(&st, s + 0x200, s + 0x300,
	    stack_func(&st, SYSCALL) + 0x40);
	stack_put_frame(&st, s + 0x300, 0, 0);
	stack_walk(&st);
	stack_check(&st, want);
	kernel_fini(&st.st_k);
}

/* An NMI may strike before an entry's first instruction. */
static const struct entry_row {
	const char *name;
	const char *entry;
	unsigned int nerrors; /* words that the CPU pushes as error code */
} entry_rows[] = {
	{ "an interrupt that was interrupted", "Xtimerint", 0 },
	{ "a fault that was interrupted", "Xpage", 1 },
};

static void
test_entry(void **state)
{
	static const int want[] = { HANDLER, VICTIM, SYSCALL, -1 };
	const struct entry_row *row = *state;
	struct machine mc = mc_amd64;
	struct stacked st;
	kvaddr_t s, sp;

	mc.mc_handler = row->entry;
	stack_init(&st, &mc);
	s = st.st_stack;
	stack_put_pcb(&st, stack_func(&st, HANDLER), s, s + 0x200);
	for (unsigned int i = 0; i < row->nerrors; i++)
		fake_word(st.st_k.k_kd, s + i * 8, 2);
	sp = s + row->nerrors * 8;
	fake_word(st.st_k.k_kd, sp, stack_func(&st, VICTIM) + 0x40);
	fake_word(st.st_k.k_kd, sp + 8, mc.mc_kernel_mode);
	fake_word(st.st_k.k_kd, sp + 16, 0x246);
	fake_word(st.st_k.k_kd, sp + 24, s + 0x100);
	fake_word(st.st_k.k_kd, sp + 32, 0x28);
	stack_put_frame(&st, s + 0x200, s + 0x300,
	    stack_func(&st, SYSCALL) + 0x40);
	stack_put_frame(&st, s + 0x300, 0, 0);
	stack_walk(&st);
	stack_check(&st, want);
	assert_true(st.st_frames[1].kf_trap);
	kernel_fini(&st.st_k);
}

/*
 * i386's exceptions run in a copy of exception.S, which has no symbols.  With
 * setidt_disp the names, and with them the trap frame, are found.
 */
static void
test_i386_copy(void **state)
{
	static const int want[] = { PANIC, TRAP_PFAULT };
	const kvaddr_t disp = 0xffc00000 - 0xc0200000;
	struct stacked st;
	kvaddr_t s;

	(void)state;
	stack_init(&st, &mc_i386);
	stack_put_panic(&st, mc_i386.mc_kernel_mode);
	s = st.st_stack;
	stack_put_frame(&st, s + 0x200, s + 0x600,
	    stack_func(&st, HANDLER) + 0x10 + disp);
	fake_symbol(st.st_k.k_kd, "start_exceptions", stack_func(&st, HANDLER),
	    1);
	fake_symbol(st.st_k.k_kd, "end_exceptions", stack_func(&st, VICTIM), 1);
	fake_symbol(st.st_k.k_kd, "setidt_disp", st.st_k.k_base + 0x80, 4);
	fake_word(st.st_k.k_kd, st.st_k.k_base + 0x80, disp);
	stack_walk(&st);
	assert_int_equal(st.st_nframes, 5);
	for (size_t i = 0; i < 2; i++)
		assert_true(st.st_frames[i].kf_pc ==
		    stack_func(&st, (unsigned)want[i]) + 0x40);
	assert_string_equal(st.st_frames[2].kf_symbol, "calltrap");
	assert_int_equal(st.st_frames[2].kf_offset, 0x10);
	assert_string_equal(st.st_frames[3].kf_symbol, "victim");
	assert_true(st.st_frames[3].kf_trap);
	kernel_fini(&st.st_k);
}

/* i386's entries: what they push before they call differs between them. */
static const struct i386_entry_row {
	const char *name;
	const char *entry;
	int frame_off; /* of the trap frame, above sp */
} i386_entry_rows[] = {
	{ "i386: an entry that passes a vector", "Xapic_isr1", 8 },
	{ "i386: an entry that passes none", "Xnmi", 4 },
	{ "i386: an entry that passes nothing", "Xcpustop", 0 },
};

static void
test_i386_entry(void **state)
{
	static const int want[] = { PANIC, TRAP_PFAULT, HANDLER, VICTIM,
		SYSCALL, -1 };
	const struct i386_entry_row *row = *state;
	struct machine mc = mc_i386;
	struct stacked st;

	mc.mc_handler = row->entry;
	mc.mc_frame_off = row->frame_off;
	stack_init(&st, &mc);
	/* So that it is there, and its first instruction: "push %esp". */
	fake_symbol(st.st_k.k_kd, "calltrap", st.st_k.k_base + 0x9000, 1);
	fake_u32(st.st_k.k_kd, st.st_k.k_base + 0x9000, 0x54);
	stack_put_panic(&st, mc.mc_kernel_mode);
	stack_walk(&st);
	stack_check(&st, want);
	kernel_fini(&st.st_k);
}

/*
 * An NMI in an entry of i386: what the CPU had pushed there is known before the
 * first instruction only.
 */
static const struct i386_nmi_row {
	const char *name;
	unsigned int at; /* where in the entry */
	uint32_t cs;
	bool user; /* the trace ends in user mode */
	size_t nframes;
} i386_nmi_rows[] = {
	{ "i386: an NMI before a system call", 0, 0x33, true, 2 },
	{ "i386: an NMI before an interrupt", 0, 0x20, false, 4 },
	{ "i386: an NMI further on", 8, 0x33, false, 2 },
};

static void
test_i386_nmi(void **state)
{
	const struct i386_nmi_row *row = *state;
	const struct kdebug_user *user;
	struct machine mc = mc_i386;
	struct stacked st;
	kvaddr_t s, sp;

	mc.mc_handler = "Xnmi";
	stack_init(&st, &mc);
	s = st.st_stack;
	fake_symbol(st.st_k.k_kd, "Xint0x80_syscall", stack_func(&st, NFUNCS),
	    0x100);
	/* The NMI's own frame, which has neither esp nor ss. */
	stack_put_pcb(&st, stack_func(&st, HANDLER) + 0x40, s, s + 0x200);
	stack_put_trap(&st, s + 4, mc.mc_kernel_mode,
	    stack_func(&st, NFUNCS) + row->at, 0, s + 0x200);
	sp = s + 4 + 64;
	fake_word(st.st_k.k_kd, sp, USER_PC);
	if (!row->user)
		fake_word(st.st_k.k_kd, sp, stack_func(&st, VICTIM) + 0x40);
	fake_word(st.st_k.k_kd, sp + 4, row->cs);
	fake_word(st.st_k.k_kd, sp + 8, 0x246);
	fake_word(st.st_k.k_kd, sp + 12, USER_SP);
	fake_word(st.st_k.k_kd, sp + 16, 0x3b);
	stack_put_frame(&st, s + 0x200, 0, stack_func(&st, SYSCALL) + 0x40);
	user = stack_walk_to_user(&st);
	assert_int_equal(st.st_nframes, row->nframes);
	assert_string_equal(st.st_frames[1].kf_symbol, "Xint0x80_syscall");
	assert_int_equal(user != NULL, row->user);
	if (row->user) {
		check_user_reg(&st, user, KDEBUG_PC, USER_PC);
		check_user_reg(&st, user, KDEBUG_SP, USER_SP);
	}
	stack_end(&st);
}

/*
 * A double fault on i386: what overflowed the stack is in the CPU's TSS, and
 * dblfault_handler has no caller.
 */
static const struct double_row {
	const char *name;
	bool pointer;	  /* gdt is a pointer */
	uint8_t type;	  /* of the descriptor */
	uint32_t symbols; /* bytes of gdt; 0: there is none */
	size_t nframes;
} double_rows[] = {
	{ "i386: a double fault", true, 0x8b, 4, 4 },
	{ "i386 of 11: a double fault", false, 0x8b, 19 * 8 * 4, 4 },
	{ "i386: no descriptor of a TSS", true, 0x9b, 4, 2 },
	{ "i386: no gdt", true, 0x8b, 0, 2 },
};

static void
test_double_fault(void **state)
{
	static const int want[] = { PANIC, HANDLER, VICTIM, SYSCALL };
	const struct double_row *row = *state;
	struct machine mc = mc_i386;
	struct stacked st;
	kvaddr_t s, gdt, tss;
	uint8_t desc[8] = { 0x67, 0 };
	kvm_t *kd;

	mc.mc_handler = "dblfault_handler";
	stack_init(&st, &mc);
	kd = st.st_k.k_kd;
	s = st.st_stack;
	gdt = st.st_k.k_base + 0x8000;
	tss = st.st_k.k_base + 0x9040;
	kernel_oncpu(&st.st_k, 2);
	if (row->symbols != 0)
		fake_symbol(kd, "gdt",
		    row->pointer ? st.st_k.k_base + 0x7000 : gdt, row->symbols);
	fake_word(kd, st.st_k.k_base + 0x7000, gdt);
	desc[2] = (uint8_t)tss;
	desc[3] = (uint8_t)(tss >> 8);
	desc[4] = (uint8_t)(tss >> 16);
	desc[5] = row->type;
	desc[7] = (uint8_t)(tss >> 24);
	fake_put(kd, gdt + (2 * 19 + 9) * 8, desc, sizeof(desc));
	fake_word(kd, tss + 32, stack_func(&st, VICTIM) + 0x40);
	fake_word(kd, tss + 56, s + 0x1000); /* esp */
	fake_word(kd, tss + 60, s + 0x1100); /* ebp */
	fake_word(kd, tss + 76, 0x20);
	stack_put_pcb(&st, stack_func(&st, PANIC) + 0x40, s, s + 0x100);
	stack_put_frame(&st, s + 0x100, 0, stack_func(&st, HANDLER) + 0x40);
	stack_put_frame(&st, s + 0x1100, 0, stack_func(&st, SYSCALL) + 0x40);
	stack_walk(&st);
	assert_int_equal(st.st_nframes, row->nframes);
	for (size_t i = 0; i < st.st_nframes; i++)
		assert_true(st.st_frames[i].kf_pc ==
		    stack_func(&st, (unsigned)want[i]) + 0x40);
	kernel_fini(&st.st_k);
}

/* arm's cpu_switch() saves its own pc, and its caller's in lr. */
static void
test_arm_switched(void **state)
{
	struct stacked st;
	kvaddr_t s;

	(void)state;
	stack_init(&st, &mc_arm);
	s = st.st_stack;
	fake_symbol(st.st_k.k_kd, "cpu_switch", stack_func(&st, NFUNCS), 0x100);
	stack_put_pcb(&st, stack_func(&st, NFUNCS) + 0x40, s, s + 0x100);
	fake_word(st.st_k.k_kd, st.st_k.k_base + KERNEL_DUMPPCB + 40,
	    stack_func(&st, VICTIM) + 0x40);
	stack_put_frame(&st, s + 0x100, s + 0x200,
	    stack_func(&st, SYSCALL) + 0x40);
	stack_put_frame(&st, s + 0x200, 0, 0);
	stack_walk(&st);
	assert_int_equal(st.st_nframes, 3);
	assert_string_equal(st.st_frames[0].kf_symbol, "cpu_switch");
	assert_string_equal(st.st_frames[1].kf_symbol, "victim");
	assert_string_equal(st.st_frames[2].kf_symbol, "syscall");
	kernel_fini(&st.st_k);
}

/* Signed return addresses (pointer authentication) are stripped. */
static void
test_arm64_pac(void **state)
{
	struct stacked st;
	kvaddr_t s;

	(void)state;
	stack_init(&st, &mc_arm64);
	s = st.st_stack;
	stack_put_pcb(&st, stack_func(&st, PANIC) + 0x40, s, s + 0x100);
	stack_put_frame(&st, s + 0x100, s + 0x200,
	    (stack_func(&st, SYSCALL) + 0x40) & ~(UINT64_C(0x5a) << 48));
	stack_put_frame(&st, s + 0x200, 0, 0);
	stack_walk(&st);
	assert_int_equal(st.st_nframes, 2);
	assert_true(st.st_frames[1].kf_pc == stack_func(&st, SYSCALL) + 0x40);
	kernel_fini(&st.st_k);
}

/* A function that ends in a call: what it returns to is the next one. */
static void
test_return_past_end(void **state)
{
	struct stacked st;
	kvaddr_t s;

	(void)state;
	stack_init(&st, &mc_amd64);
	s = st.st_stack;
	stack_put_pcb(&st, stack_func(&st, PANIC) + 0x40, s, s + 0x100);
	stack_put_frame(&st, s + 0x100, s + 0x200, stack_func(&st, SYSCALL));
	stack_put_frame(&st, s + 0x200, 0, 0);
	stack_walk(&st);
	assert_int_equal(st.st_nframes, 2);
	assert_string_equal(st.st_frames[1].kf_symbol, "victim");
	assert_int_equal(st.st_frames[1].kf_offset, 0x100);
	kernel_fini(&st.st_k);
}

static void
test_few_frames(void **state)
{
	const struct kdebug_thread *threads;
	struct stacked st;

	(void)state;
	stack_init(&st, &mc_amd64);
	stack_put_panic(&st, mc_amd64.mc_kernel_mode);
	kdebug_threads(kernel_open(&st.st_k), &threads);
	for (size_t max = 0; max <= 2; max++) {
		size_t n =
		    take_frames(st.st_k.k_kdb, &threads[0], st.st_frames, max);

		assert_int_equal(n, max);
	}
	kernel_fini(&st.st_k);
}

int
main(void)
{
	struct CMUnitTest tests[128] = {
		cmocka_unit_test(test_stack_circle),
		cmocka_unit_test(test_landing),
		cmocka_unit_test(test_never_ran),
		cmocka_unit_test(test_nmi),
		cmocka_unit_test(test_i386_copy),
		cmocka_unit_test(test_arm_switched),
		cmocka_unit_test(test_arm64_pac),
		cmocka_unit_test(test_return_past_end),
		cmocka_unit_test(test_few_frames),
	};
	size_t n = 9;

	ADD_ROWS(tests, n, through_rows, test_through_trap);
	ADD_ROWS(tests, n, user_rows, test_user);
	ADD_ROWS(tests, n, syscall_rows, test_syscall);
	ADD_ROWS(tests, n, in_user_rows, test_in_user);
	ADD_ROWS(tests, n, begin_rows, test_begin);
	ADD_ROWS(tests, n, i386_entry_rows, test_i386_entry);
	ADD_ROWS(tests, n, i386_nmi_rows, test_i386_nmi);
	ADD_ROWS(tests, n, double_rows, test_double_fault);
	ADD_ROWS(tests, n, early_rows, test_early);
	ADD_ROWS(tests, n, null_rows, test_null_call);
	ADD_ROWS(tests, n, entry_rows, test_entry);
	ADD_ROWS(tests, n, chain_rows, test_chain);
	ADD_ROWS(tests, n, long_rows, test_long_chain);
	return (RUN_TESTS(tests, n));
}
