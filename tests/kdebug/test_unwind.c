/* Backtraces: chains of frames, trap frames, and where they end. */
#include <string.h>

#include "tests/format/unit.h"
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
	uint32_t mc_kernel_mode, mc_user_mode;
	bool mc_has_lr; /* calls leave the return address in lr */
	unsigned int mc_tf_lr;
};

static const struct machine amd64 = {
	.mc_arch = DUMP_AMD64,
	.mc_word = 8,
	.mc_pcb_pc = 56,
	.mc_pcb_sp = 40,
	.mc_pcb_fp = 32,
	.mc_chain_fp = 0,
	.mc_chain_ra = 8,
	.mc_chain_sp = 16,
	.mc_handler = "calltrap",
	.mc_tf_len = 192,
	.mc_tf_pc = 152,
	.mc_tf_sp = 176,
	.mc_tf_fp = 64,
	.mc_tf_mode = 160,
	.mc_kernel_mode = 0x20,
	.mc_user_mode = 0x43,
};

static const struct machine i386 = {
	.mc_arch = DUMP_I386,
	.mc_word = 4,
	.mc_pcb_pc = 20,
	.mc_pcb_sp = 12,
	.mc_pcb_fp = 8,
	.mc_chain_fp = 0,
	.mc_chain_ra = 4,
	.mc_chain_sp = 8,
	.mc_handler = "calltrap",
	.mc_frame_off = 4, /* trap() is passed a pointer */
	.mc_tf_len = 64,
	.mc_tf_pc = 52,
	.mc_tf_sp = 24, /* a place that nothing is read from */
	.mc_tf_fp = 20,
	.mc_tf_mode = 56,
	.mc_kernel_mode = 0x20,
	.mc_user_mode = 0x33,
};

static const struct machine arm64 = {
	.mc_arch = DUMP_ARM64,
	.mc_word = 8,
	.mc_pcb_pc = 88,
	.mc_pcb_sp = 96,
	.mc_pcb_fp = 80,
	.mc_chain_fp = 0,
	.mc_chain_ra = 8,
	.mc_chain_sp = 16,
	.mc_handler = "handle_el1h_sync",
	.mc_tf_len = 288,
	.mc_tf_pc = 16,
	.mc_tf_sp = 0,
	.mc_tf_fp = 280,
	.mc_tf_mode = 24,
	.mc_kernel_mode = 0x5,
	.mc_has_lr = true,
	.mc_tf_lr = 8,
};

static const struct machine arm64_old = {
	.mc_arch = DUMP_ARM64,
	.mc_word = 8,
	.mc_pcb_pc = 88,
	.mc_pcb_sp = 96,
	.mc_pcb_fp = 80,
	.mc_chain_fp = 0,
	.mc_chain_ra = 8,
	.mc_chain_sp = 16,
	.mc_handler = "handle_el1h_irq",
	.mc_tf_len = 272,
	.mc_tf_pc = 16,
	.mc_tf_sp = 0,
	.mc_tf_fp = 264,
	.mc_tf_mode = 24,
	.mc_kernel_mode = 0x5,
	.mc_has_lr = true,
	.mc_tf_lr = 8,
};

static const struct machine arm = {
	.mc_arch = DUMP_ARM,
	.mc_word = 4,
	.mc_pcb_pc = 44,
	.mc_pcb_sp = 36,
	.mc_pcb_fp = 28,
	.mc_chain_fp = 0,
	.mc_chain_ra = 4,
	.mc_chain_sp = 8,
	.mc_handler = "data_abort_entry",
	.mc_tf_len = 76,
	.mc_tf_pc = 72,
	.mc_tf_sp = 64,
	.mc_tf_fp = 48,
	.mc_tf_mode = 0,
	.mc_kernel_mode = 0x13,
	.mc_user_mode = 0x10,
	.mc_has_lr = true,
	.mc_tf_lr = 68,
};

static const struct machine riscv = {
	.mc_arch = DUMP_RISCV,
	.mc_word = 8,
	.mc_pcb_pc = 0,
	.mc_pcb_sp = 8,
	.mc_pcb_fp = 32,
	.mc_chain_fp = -16,
	.mc_chain_ra = -8,
	.mc_chain_sp = 0,
	.mc_handler = "cpu_exception_handler_supervisor",
	.mc_tf_len = 280,
	.mc_tf_pc = 248,
	.mc_tf_sp = 8,
	.mc_tf_fp = 88,
	.mc_tf_mode = 256,
	.mc_kernel_mode = 0x100,
	.mc_user_mode = 0x20,
	.mc_has_lr = true,
	.mc_tf_lr = 0,
};

static const struct machine i386_old = {
	.mc_arch = DUMP_I386,
	.mc_word = 4,
	.mc_pcb_pc = 20,
	.mc_pcb_sp = 12,
	.mc_pcb_fp = 8,
	.mc_chain_fp = 0,
	.mc_chain_ra = 4,
	.mc_chain_sp = 8,
	.mc_handler = "calltrap",
	.mc_frame_off = 0, /* trap() is passed the frame itself */
	.mc_tf_len = 64,
	.mc_tf_pc = 52,
	.mc_tf_sp = 24,
	.mc_tf_fp = 20,
	.mc_tf_mode = 56,
	.mc_kernel_mode = 0x20,
	.mc_user_mode = 0x33,
};

/* The functions of a test kernel: n from 0, each 0x100 bytes. */
enum { PANIC, TRAP_PFAULT, HANDLER, VICTIM, SYSCALL, FORK_EXIT, NFUNCS };

struct stacked {
	struct kernel st_k;
	const struct machine *st_mc;
	kvaddr_t st_text;  /* of the functions */
	kvaddr_t st_stack; /* where the next frame may go */
	struct kdebug_frame st_frames[KDEBUG_MAXFRAMES];
	size_t st_nframes;
};

static kvaddr_t
func(const struct stacked *st, unsigned int n)
{
	return (st->st_text + 0x100 * n);
}

static void
setup(struct stacked *st, const struct machine *mc)
{
	static const char *const names[NFUNCS] = {
		[PANIC] = "panic",
		[TRAP_PFAULT] = "trap_pfault",
		[VICTIM] = "victim",
		[SYSCALL] = "syscall",
		[FORK_EXIT] = "fork_exit",
	};
	bool is64 = mc->mc_word == 8;

	*st = (struct stacked){ .st_mc = mc };
	kernel_init(&st->st_k, mc->mc_arch);
	st->st_text = is64 ? UINT64_C(0xffffffff80200000) : 0xc0200000;
	st->st_stack = is64 ? UINT64_C(0xfffffe0000100000) : 0xd0100000;
	for (unsigned int n = 0; n < NFUNCS; n++)
		fake_symbol(st->st_k.k_kd,
		    names[n] != NULL ? names[n] : mc->mc_handler, func(st, n),
		    0x100);
	/* Code, so that it is there: no instruction that means anything. */
	for (kvaddr_t off = 0; off < 0x100 * NFUNCS; off += 4)
		fake_u32(st->st_k.k_kd, st->st_text + off, 0x90909090);
	/* The first instruction of i386's calltrap tells: "push %esp". */
	if (mc->mc_frame_off != 0)
		fake_u32(st->st_k.k_kd, func(st, HANDLER), 0x54);
	kernel_proc(&st->st_k, st->st_k.k_base + 0x100000, 1, "init");
	kernel_thread(&st->st_k, st->st_k.k_base + 0x101000, 100001, "init");
	fake_u32(st->st_k.k_kd, st->st_k.k_base + KERNEL_DUMPTID, 100001);
	if (mc->mc_arch == DUMP_ARM64)
		fake_const(st->st_k.k_kd, "osreldate", 1400100);
}

/* What dumppcb says. */
static void
put_pcb(struct stacked *st, kvaddr_t pc, kvaddr_t sp, kvaddr_t fp)
{
	const struct machine *mc = st->st_mc;
	kvaddr_t va = st->st_k.k_base + KERNEL_DUMPPCB;

	fake_word(st->st_k.k_kd, va + mc->mc_pcb_pc, pc);
	fake_word(st->st_k.k_kd, va + mc->mc_pcb_sp, sp);
	fake_word(st->st_k.k_kd, va + mc->mc_pcb_fp, fp);
}

/* The frame that fp points to: whom it returns to, with which fp. */
static void
put_frame(struct stacked *st, kvaddr_t fp, kvaddr_t caller_fp, kvaddr_t ra)
{
	const struct machine *mc = st->st_mc;

	fake_word(st->st_k.k_kd, fp + (kvaddr_t)mc->mc_chain_fp, caller_fp);
	fake_word(st->st_k.k_kd, fp + (kvaddr_t)mc->mc_chain_ra, ra);
}

/* A trap frame at va, of code at pc. */
static void
put_trap(struct stacked *st, kvaddr_t va, uint32_t mode, kvaddr_t pc,
    kvaddr_t sp, kvaddr_t fp)
{
	const struct machine *mc = st->st_mc;

	fake_word(st->st_k.k_kd, va + mc->mc_tf_len - mc->mc_word, 0);
	fake_word(st->st_k.k_kd, va + mc->mc_tf_mode, mode);
	fake_word(st->st_k.k_kd, va + mc->mc_tf_pc, pc);
	fake_word(st->st_k.k_kd, va + mc->mc_tf_sp, sp);
	fake_word(st->st_k.k_kd, va + mc->mc_tf_fp, fp);
}

/*
 * A thread that panicked in a trap handler:
 *
 *   panic <- trap_pfault <- HANDLER [trap frame] <- victim <- syscall
 *
 * The frame pointers of the five stand at st_stack + 0x100, + 0x200, ...; the
 * trap frame is where the handler's is left when it calls trap_pfault.  Returns
 * the address of the trap frame.
 */
static kvaddr_t
put_stack(struct stacked *st, uint32_t mode)
{
	const struct machine *mc = st->st_mc;
	kvaddr_t s = st->st_stack;
	kvaddr_t tf =
	    s + 0x200 + (kvaddr_t)mc->mc_chain_sp + (kvaddr_t)mc->mc_frame_off;
	kvaddr_t tf_end = tf + mc->mc_tf_len;
	kvaddr_t handler_fp = s + 0x600;

	/* An arm64 handler points x29 at the end of the trap frame. */
	if (mc->mc_arch == DUMP_ARM64)
		handler_fp = tf_end;
	put_pcb(st, func(st, PANIC) + 0x40, s, s + 0x100);
	put_frame(st, s + 0x100, s + 0x200, func(st, TRAP_PFAULT) + 0x40);
	put_frame(st, s + 0x200, handler_fp, func(st, HANDLER) + 0x10);
	put_trap(st, tf, mode, func(st, VICTIM) + 0x80, tf_end + 0x10,
	    s + 0x600);
	put_frame(st, s + 0x600, s + 0x700, func(st, SYSCALL) + 0x40);
	put_frame(st, s + 0x700, 0, 0);
	return (tf);
}

static void
backtrace(struct stacked *st)
{
	const struct kdebug_thread *threads;

	assert_int_equal(kdebug_threads(kernel_open(&st->st_k), &threads), 1);
	st->st_nframes = kdebug_backtrace(st->st_k.k_kdb, &threads[0],
	    st->st_frames, KDEBUG_MAXFRAMES);
}

/* The frames are those of the functions, and end with -1. */
static void
check(struct stacked *st, const int *funcs)
{
	for (size_t i = 0; funcs[i] >= 0; i++) {
		const struct kdebug_frame *f = &st->st_frames[i];

		if (i == st->st_nframes)
			fail_msg("only %zu frames", i);
		if (f->kf_pc - f->kf_offset != func(st, (unsigned)funcs[i]))
			fail_msg("frame %zu is %s at %#jx", i,
			    f->kf_symbol != NULL ? f->kf_symbol : "?",
			    (uintmax_t)f->kf_pc);
		if (funcs[i + 1] < 0)
			assert_int_equal(st->st_nframes, i + 1);
	}
}

static const struct machine_row {
	const char *name;
	const struct machine *mc;
} through_rows[] = {
	{ "amd64: through a trap", &amd64 },
	{ "i386: through a trap", &i386 },
	{ "i386 of 6: through a trap", &i386_old },
	{ "arm64: through a trap", &arm64 },
	{ "arm64 of 13: through a trap", &arm64_old },
	{ "arm: through a trap", &arm },
	{ "riscv: through a trap", &riscv },
};

static void
test_through_trap(void **state)
{
	static const int want[] = { PANIC, TRAP_PFAULT, HANDLER, VICTIM,
		SYSCALL, -1 };
	const struct machine_row *row = *state;
	struct stacked st;

	setup(&st, row->mc);
	put_stack(&st, row->mc->mc_kernel_mode);
	backtrace(&st);
	check(&st, want);
	for (size_t i = 0; i < st.st_nframes; i++)
		assert_int_equal(st.st_frames[i].kf_trap, i == 3);
	assert_string_equal(st.st_frames[3].kf_symbol, "victim");
	assert_int_equal(st.st_frames[3].kf_offset, 0x80);
	kernel_fini(&st.st_k);
}

static const struct machine_row user_rows[] = {
	{ "amd64: ends at user mode", &amd64 },
	{ "i386: ends at user mode", &i386 },
	{ "arm: ends at user mode", &arm },
	{ "riscv: ends at user mode", &riscv },
};

static void
test_user(void **state)
{
	static const int want[] = { PANIC, TRAP_PFAULT, HANDLER, -1 };
	const struct machine_row *row = *state;
	struct stacked st;

	setup(&st, row->mc);
	put_stack(&st, row->mc->mc_user_mode);
	backtrace(&st);
	check(&st, want);
	kernel_fini(&st.st_k);
}

static void
test_user_arm64(void **state)
{
	static const int want[] = { PANIC, TRAP_PFAULT, HANDLER, -1 };
	struct machine mc = arm64;
	struct stacked st;

	(void)state;
	mc.mc_handler = "handle_el0_sync";
	setup(&st, &mc);
	put_stack(&st, mc.mc_kernel_mode);
	backtrace(&st);
	check(&st, want);
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
	{ "amd64: at the first instruction", &amd64, "\x55\x48\x89\xe5", 4, 0,
	    0 },
	{ "amd64: rbp is pushed", &amd64, "\x55\x48\x89\xe5", 4, 1, 1 },
	{ "amd64: endbr64, then push", &amd64,
	    "\xf3\x0f\x1e\xfa\x55\x48\x89\xe5", 8, 4, 0 },
	{ "amd64: endbr64, rbp is pushed", &amd64,
	    "\xf3\x0f\x1e\xfa\x55\x48\x89\xe5", 8, 5, 1 },
	{ "amd64: at the return", &amd64, "\x55\x48\x89\xe5\x5d\xc3", 6, 5, 0 },
	{ "i386: at the first instruction", &i386, "\x55\x89\xe5", 3, 0, 0 },
	{ "i386: ebp is pushed", &i386, "\x55\x89\xe5", 3, 1, 1 },
	{ "arm64: at the first instruction", &arm64,
	    "\xfd\x7b\xbe\xa9\xfd\x03\x00\x91", 8, 0, 0 },
	{ "arm64: x29 is stored, not set", &arm64,
	    "\xfd\x7b\xbe\xa9\xfd\x03\x00\x91", 8, 4, 0 },
	{ "arm: at the first instruction", &arm, "\x00\x48\x2d\xe9", 4, 0, 0 },
	{ "riscv: at the first instruction", &riscv, "\x01\x11", 2, 0, 0 },
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

	setup(&st, mc);
	tf = put_stack(&st, mc->mc_kernel_mode);
	sp = tf + mc->mc_tf_len + (mc == &i386 ? 0 : 0x10);
	put_trap(&st, tf, mc->mc_kernel_mode, func(&st, VICTIM) + row->at, sp,
	    st.st_stack + 0x600);
	put_return(&st, tf, sp, row->words, func(&st, SYSCALL) + 0x20);
	put_frame(&st, st.st_stack + 0x600, st.st_stack + 0x700,
	    func(&st, FORK_EXIT) + 0x20);
	fake_put(st.st_k.k_kd, func(&st, VICTIM), row->code, row->code_len);
	backtrace(&st);
	check(&st, want);
	assert_true(st.st_frames[4].kf_pc == func(&st, SYSCALL) + 0x20);
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

	setup(&st, mc);
	tf = put_stack(&st, mc->mc_kernel_mode);
	sp = tf + mc->mc_tf_len + (mc == &i386 ? 0 : 0x10);
	put_trap(&st, tf, mc->mc_kernel_mode, 0, sp, st.st_stack + 0x600);
	put_return(&st, tf, sp, 0, func(&st, VICTIM) + 0x20);
	backtrace(&st);
	assert_int_equal(st.st_nframes, 6);
	assert_true(st.st_frames[3].kf_pc == 0);
	assert_true(st.st_frames[3].kf_trap);
	assert_null(st.st_frames[3].kf_symbol);
	assert_string_equal(st.st_frames[4].kf_symbol, "victim");
	assert_string_equal(st.st_frames[5].kf_symbol, "syscall");
	kernel_fini(&st.st_k);
}

static const struct machine_row null_rows[] = {
	{ "amd64: a call to 0", &amd64 },
	{ "i386: a call to 0", &i386 },
	{ "arm: a call to 0", &arm },
	{ "riscv: a call to 0", &riscv },
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

	setup(&st, &amd64);
	put_pcb(&st, func(&st, PANIC) + 0x40, st.st_stack,
	    st.st_stack + (kvaddr_t)row->fps[0]);
	/* The last one first: in a circle the one before it stays. */
	for (size_t i = NROWS(row->fps); i-- > 0;) {
		bool last = i + 1 == NROWS(row->fps) || row->fps[i + 1] == 0;
		kvaddr_t next =
		    last ? 0 : st.st_stack + (kvaddr_t)row->fps[i + 1];

		if (row->fps[i] == 0 || row->fps[i] == NO_FRAME)
			continue;
		put_frame(&st, st.st_stack + (kvaddr_t)row->fps[i], next,
		    last ? 0x1000 : func(&st, VICTIM) + 0x40);
	}
	backtrace(&st);
	assert_int_equal(st.st_nframes, row->nframes);
	kernel_fini(&st.st_k);
}

/* A stack that is all frames, each calling the next: bounded. */
static void
test_long_chain(void **state)
{
	struct stacked st;

	(void)state;
	setup(&st, &amd64);
	put_pcb(&st, func(&st, PANIC) + 0x40, st.st_stack, st.st_stack + 0x10);
	for (kvaddr_t off = 0x10; off < 0x4000; off += 0x10)
		put_frame(&st, st.st_stack + off, st.st_stack + off + 0x10,
		    func(&st, VICTIM) + 0x40);
	backtrace(&st);
	assert_int_equal(st.st_nframes, KDEBUG_MAXFRAMES);
	kernel_fini(&st.st_k);
}

/* Two stacks that lead into each other. */
static void
test_stack_circle(void **state)
{
	struct stacked st;
	kvaddr_t a, b;

	(void)state;
	setup(&st, &amd64);
	a = st.st_stack + 0x100;
	b = a + 0x10000000;
	put_pcb(&st, func(&st, PANIC) + 0x40, st.st_stack, a);
	put_frame(&st, a, b, func(&st, VICTIM) + 0x40);
	put_frame(&st, b, a, func(&st, SYSCALL) + 0x40);
	backtrace(&st);
	assert_int_equal(st.st_nframes, 3);
	kernel_fini(&st.st_k);
}

/* A kernel thread ends in fork_trampoline, whose trap frame is all zero. */
static void
test_fork_trampoline(void **state)
{
	static const int want[] = { PANIC, FORK_EXIT, HANDLER, -1 };
	struct machine mc = amd64;
	struct stacked st;
	kvaddr_t fp;

	(void)state;
	mc.mc_handler = "fork_trampoline";
	setup(&st, &mc);
	fp = st.st_stack + 0x100;
	put_pcb(&st, func(&st, PANIC) + 0x40, st.st_stack, fp);
	put_frame(&st, fp, fp + 0x100, func(&st, FORK_EXIT) + 0x40);
	put_frame(&st, fp + 0x100, 0, func(&st, HANDLER) + 0x10);
	put_trap(&st, fp + 0x110, 0, 0, 0, 0);
	backtrace(&st);
	check(&st, want);
	kernel_fini(&st.st_k);
}

/* A thread that never ran stands before fork_trampoline's first instruction. */
static void
test_never_ran(void **state)
{
	static const int want[] = { HANDLER, VICTIM, SYSCALL, -1 };
	struct machine mc = amd64;
	struct stacked st;
	kvaddr_t s;

	(void)state;
	mc.mc_handler = "fork_trampoline";
	setup(&st, &mc);
	s = st.st_stack;
	put_pcb(&st, func(&st, HANDLER), s, 0);
	put_trap(&st, s + 8, mc.mc_kernel_mode, func(&st, VICTIM) + 0x40,
	    s + 0x100, s + 0x200);
	put_frame(&st, s + 0x200, 0x7fffffff0000, func(&st, SYSCALL) + 0x40);
	backtrace(&st);
	check(&st, want);
	kernel_fini(&st.st_k);
}

/* An NMI has a stack of its own, from which the trap frame leads back. */
static void
test_nmi(void **state)
{
	static const int want[] = { PANIC, HANDLER, VICTIM, SYSCALL, -1 };
	struct machine mc = amd64;
	struct stacked st;
	kvaddr_t nmi, s;

	(void)state;
	mc.mc_handler = "nmi_calltrap";
	setup(&st, &mc);
	s = st.st_stack;
	nmi = UINT64_C(0xffffffff81d43000);
	put_pcb(&st, func(&st, PANIC) + 0x40, nmi, nmi + 0x10);
	put_frame(&st, nmi + 0x10, s + 0x200, func(&st, HANDLER) + 0x10);
	put_trap(&st, nmi + 0x20, mc.mc_kernel_mode, func(&st, VICTIM) + 0x40,
	    s + 0x100, s + 0x200);
	put_frame(&st, s + 0x200, s + 0x300, func(&st, SYSCALL) + 0x40);
	put_frame(&st, s + 0x300, 0, 0);
	backtrace(&st);
	check(&st, want);
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
	setup(&st, &i386);
	put_stack(&st, i386.mc_kernel_mode);
	s = st.st_stack;
	put_frame(&st, s + 0x200, s + 0x600, func(&st, HANDLER) + 0x10 + disp);
	fake_symbol(st.st_k.k_kd, "start_exceptions", func(&st, HANDLER), 1);
	fake_symbol(st.st_k.k_kd, "end_exceptions", func(&st, VICTIM), 1);
	fake_symbol(st.st_k.k_kd, "setidt_disp", st.st_k.k_base + 0x80, 4);
	fake_word(st.st_k.k_kd, st.st_k.k_base + 0x80, disp);
	backtrace(&st);
	assert_int_equal(st.st_nframes, 5);
	for (size_t i = 0; i < 2; i++)
		assert_true(st.st_frames[i].kf_pc ==
		    func(&st, (unsigned)want[i]) + 0x40);
	assert_string_equal(st.st_frames[2].kf_symbol, "calltrap");
	assert_int_equal(st.st_frames[2].kf_offset, 0x10);
	assert_string_equal(st.st_frames[3].kf_symbol, "victim");
	assert_true(st.st_frames[3].kf_trap);
	kernel_fini(&st.st_k);
}

/* arm's cpu_switch() saves its own pc, and its caller's in lr. */
static void
test_arm_switched(void **state)
{
	struct stacked st;
	kvaddr_t s;

	(void)state;
	setup(&st, &arm);
	s = st.st_stack;
	fake_symbol(st.st_k.k_kd, "cpu_switch", func(&st, NFUNCS), 0x100);
	put_pcb(&st, func(&st, NFUNCS) + 0x40, s, s + 0x100);
	fake_word(st.st_k.k_kd, st.st_k.k_base + KERNEL_DUMPPCB + 40,
	    func(&st, VICTIM) + 0x40);
	put_frame(&st, s + 0x100, s + 0x200, func(&st, SYSCALL) + 0x40);
	put_frame(&st, s + 0x200, 0, 0);
	backtrace(&st);
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
	setup(&st, &arm64);
	s = st.st_stack;
	put_pcb(&st, func(&st, PANIC) + 0x40, s, s + 0x100);
	put_frame(&st, s + 0x100, s + 0x200,
	    (func(&st, SYSCALL) + 0x40) & ~(UINT64_C(0x5a) << 48));
	put_frame(&st, s + 0x200, 0, 0);
	backtrace(&st);
	assert_int_equal(st.st_nframes, 2);
	assert_true(st.st_frames[1].kf_pc == func(&st, SYSCALL) + 0x40);
	kernel_fini(&st.st_k);
}

/* A function that ends in a call: what it returns to is the next one. */
static void
test_return_past_end(void **state)
{
	struct stacked st;
	kvaddr_t s;

	(void)state;
	setup(&st, &amd64);
	s = st.st_stack;
	put_pcb(&st, func(&st, PANIC) + 0x40, s, s + 0x100);
	put_frame(&st, s + 0x100, s + 0x200, func(&st, SYSCALL));
	put_frame(&st, s + 0x200, 0, 0);
	backtrace(&st);
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
	setup(&st, &amd64);
	put_stack(&st, amd64.mc_kernel_mode);
	kdebug_threads(kernel_open(&st.st_k), &threads);
	for (size_t max = 0; max <= 2; max++) {
		size_t n = kdebug_backtrace(st.st_k.k_kdb, &threads[0],
		    st.st_frames, max);

		assert_int_equal(n, max);
	}
	kernel_fini(&st.st_k);
}

int
main(void)
{
	struct CMUnitTest tests[64] = {
		cmocka_unit_test(test_user_arm64),
		cmocka_unit_test(test_long_chain),
		cmocka_unit_test(test_stack_circle),
		cmocka_unit_test(test_fork_trampoline),
		cmocka_unit_test(test_never_ran),
		cmocka_unit_test(test_nmi),
		cmocka_unit_test(test_i386_copy),
		cmocka_unit_test(test_arm_switched),
		cmocka_unit_test(test_arm64_pac),
		cmocka_unit_test(test_return_past_end),
		cmocka_unit_test(test_few_frames),
	};
	size_t n = 11;

	ADD_ROWS(tests, n, through_rows, test_through_trap);
	ADD_ROWS(tests, n, user_rows, test_user);
	ADD_ROWS(tests, n, early_rows, test_early);
	ADD_ROWS(tests, n, null_rows, test_null_call);
	ADD_ROWS(tests, n, chain_rows, test_chain);
	return (RUN_TESTS(tests, n));
}
