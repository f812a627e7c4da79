/* Where a trace left user mode: its registers, and the system call. */
#include "kdebug/arch.h"
#include "tests/kdebug/stack.h"
#include "tests/support/unit.h"

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
	stack_check_user(&st, user, KDEBUG_PC, USER_PC);
	stack_check_user(&st, user, KDEBUG_SP, USER_SP);
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
		stack_check_user(&st, user, KDEBUG_PC, USER_PC);
		stack_check_user(&st, user, KDEBUG_SP, USER_SP);
	}
	stack_end(&st);
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
	stack_check_user(&st, user, KDEBUG_PC, USER_PC);
	stack_check_user(&st, user, KDEBUG_SP, USER_SP);
	stack_end(&st);
}

int
main(void)
{
	struct CMUnitTest tests[64] = {
		cmocka_unit_test(test_never_ran),
	};
	size_t n = 1;

	ADD_ROWS(tests, n, user_rows, test_user);
	ADD_ROWS(tests, n, syscall_rows, test_syscall);
	ADD_ROWS(tests, n, in_user_rows, test_in_user);
	return (RUN_TESTS(tests, n));
}
