/* Backtraces: chains of frames, trap frames, and where they end. */
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
check_through_trap(struct stacked *st)
{
	static const int want[] = { PANIC, TRAP_PFAULT, HANDLER, VICTIM,
		SYSCALL, -1 };

	stack_put_panic(st, st->st_mc->mc_kernel_mode);
	stack_walk(st);
	stack_check(st, want);
	for (size_t i = 0; i < st->st_nframes; i++)
		assert_int_equal(st->st_frames[i].kf_trap, i == 3);
	assert_string_equal(st->st_frames[3].kf_symbol, "victim");
	assert_int_equal(st->st_frames[3].kf_offset, 0x80);
	check_registers(st);
	kernel_fini(&st->st_k);
}

static void
test_through_trap(void **state)
{
	const struct machine_row *row = *state;
	struct stacked st;

	stack_init(&st, row->mc);
	check_through_trap(&st);
}

/* A kernel in the lower half, whose file says so; its stack is elsewhere. */
static const struct machine_row low_rows[] = {
	{ "amd64, lower half: through a trap", &mc_amd64 },
	{ "arm64, lower half: through a trap", &mc_arm64 },
	{ "riscv, lower half: through a trap", &mc_riscv },
};

#define LOW_BASE  UINT64_C(0x80000000)
#define LOW_STACK UINT64_C(0x200100000)

static void
init_low(struct stacked *st, const struct machine *mc)
{
	stack_init_at(st, mc, LOW_BASE + 0x200000, LOW_STACK);
	fake_set_exec_base(st->st_k.k_kd, LOW_BASE);
}

static void
test_low_through_trap(void **state)
{
	const struct machine_row *row = *state;
	struct stacked st;

	init_low(&st, row->mc);
	check_through_trap(&st);
}

/* There, too, a trap from user mode ends the trace. */
static void
test_low_user(void **state)
{
	const struct kdebug_user *user;
	struct stacked st;

	(void)state;
	init_low(&st, &mc_amd64);
	stack_put_panic(&st, mc_amd64.mc_user_mode);
	user = stack_walk_to_user(&st);
	assert_non_null(user);
	assert_int_equal(st.st_nframes, 3);
	stack_end(&st);
}

/* What is no code of the kernel's file is no return address. */
static void
test_low_outside(void **state)
{
	static const int want[] = { PANIC, -1 };
	struct stacked st;

	(void)state;
	init_low(&st, &mc_amd64);
	stack_put_pcb(&st, stack_func(&st, PANIC) + 0x40, LOW_STACK,
	    LOW_STACK + 0x100);
	stack_put_frame(&st, LOW_STACK + 0x100, LOW_STACK + 0x200,
	    LOW_STACK + 0x40);
	stack_put_frame(&st, LOW_STACK + 0x200, 0, 0);
	stack_walk(&st);
	stack_check(&st, want);
	kernel_fini(&st.st_k);
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

/* Names that must be escaped are escaped once, however many frames have them. */
static void
test_escaped(void **state)
{
	struct stacked st;
	kvaddr_t s, code;

	(void)state;
	stack_init(&st, &mc_amd64);
	s = st.st_stack;
	code = stack_func(&st, NFUNCS);
	fake_symbol(st.st_k.k_kd, "\033[2J", code, 0x100);
	fake_symbol(st.st_k.k_kd, "\001", code + 0x100, 0x100);
	stack_put_pcb(&st, stack_func(&st, PANIC) + 0x40, s, s + 0x100);
	for (unsigned int i = 1; i <= 3; i++)
		stack_put_frame(&st, s + i * 0x100, s + (i + 1) * 0x100,
		    code + 0x40 + i % 2 * 0x100);
	stack_put_frame(&st, s + 0x400, 0, 0);
	stack_walk(&st);
	assert_int_equal(st.st_nframes, 4);
	assert_string_equal(st.st_frames[1].kf_symbol, "\\x01");
	assert_string_equal(st.st_frames[2].kf_symbol, "\\x1b[2J");
	assert_ptr_equal(st.st_frames[3].kf_symbol, st.st_frames[1].kf_symbol);
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
		cmocka_unit_test(test_low_user),
		cmocka_unit_test(test_low_outside),
		cmocka_unit_test(test_stack_circle),
		cmocka_unit_test(test_landing),
		cmocka_unit_test(test_arm_switched),
		cmocka_unit_test(test_arm64_pac),
		cmocka_unit_test(test_return_past_end),
		cmocka_unit_test(test_escaped),
		cmocka_unit_test(test_few_frames),
	};
	size_t n = 9;

	ADD_ROWS(tests, n, through_rows, test_through_trap);
	ADD_ROWS(tests, n, low_rows, test_low_through_trap);
	ADD_ROWS(tests, n, begin_rows, test_begin);
	ADD_ROWS(tests, n, early_rows, test_early);
	ADD_ROWS(tests, n, null_rows, test_null_call);
	ADD_ROWS(tests, n, chain_rows, test_chain);
	ADD_ROWS(tests, n, long_rows, test_long_chain);
	return (RUN_TESTS(tests, n));
}
