#include "tests/kdebug/stack.h"

#include "kdebug/arch.h"
#include "tests/kdebug/frames.h"
#include "tests/support/unit.h"

const struct machine mc_amd64 = {
	.mc_arch = ARCH_AMD64,
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
	.mc_tf_user_sp = 176,
	.mc_tf_mode = 160,
	.mc_kernel_mode = 0x20,
	.mc_user_mode = 0x43,
};

const struct machine mc_i386 = {
	.mc_arch = ARCH_I386,
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
	.mc_tf_user_sp = 64,
	.mc_tf_mode = 56,
	.mc_kernel_mode = 0x20,
	.mc_user_mode = 0x33,
};

const struct machine mc_arm64 = {
	.mc_arch = ARCH_ARM64,
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

const struct machine mc_arm64_old = {
	.mc_arch = ARCH_ARM64,
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

const struct machine mc_arm = {
	.mc_arch = ARCH_ARM,
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
	.mc_tf_user_sp = 56,
	.mc_tf_mode = 0,
	.mc_kernel_mode = 0x13,
	.mc_user_mode = 0x10,
	.mc_has_lr = true,
	.mc_tf_lr = 68,
};

const struct machine mc_riscv = {
	.mc_arch = ARCH_RISCV,
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
	.mc_tf_user_sp = 8,
	.mc_tf_mode = 256,
	.mc_kernel_mode = 0x100,
	.mc_user_mode = 0x20,
	.mc_has_lr = true,
	.mc_tf_lr = 0,
};

const struct machine mc_i386_old = {
	.mc_arch = ARCH_I386,
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
	.mc_tf_user_sp = 64,
	.mc_tf_mode = 56,
	.mc_kernel_mode = 0x20,
	.mc_user_mode = 0x33,
};

kvaddr_t
stack_func(const struct stacked *st, unsigned int n)
{
	return (st->st_text + 0x100 * n);
}

void
stack_init(struct stacked *st, const struct machine *mc)
{
	if (mc->mc_word == 8)
		stack_init_at(st, mc, 0xffffffff80200000, 0xfffffe0000100000);
	else
		stack_init_at(st, mc, 0xc0200000, 0xd0100000);
}

void
stack_init_at(struct stacked *st, const struct machine *mc, kvaddr_t text,
    kvaddr_t stack)
{
	static const char *const names[NFUNCS] = {
		[PANIC] = "panic",
		[TRAP_PFAULT] = "trap_pfault",
		[VICTIM] = "victim",
		[SYSCALL] = "syscall",
		[FORK_EXIT] = "fork_exit",
	};

	*st = (struct stacked){ .st_mc = mc };
	kernel_init(&st->st_k, mc->mc_arch);
	st->st_text = text;
	st->st_stack = stack;
	for (unsigned int n = 0; n < NFUNCS; n++)
		fake_symbol(st->st_k.k_kd,
		    names[n] != NULL ? names[n] : mc->mc_handler,
		    stack_func(st, n), 0x100);
	/* Code, so that it is there: no instruction that means anything. */
	for (kvaddr_t off = 0; off < 0x100 * NFUNCS; off += 4)
		fake_u32(st->st_k.k_kd, st->st_text + off, 0x90909090);
	/* The first instruction of i386's calltrap tells: "push %esp". */
	if (mc->mc_frame_off != 0)
		fake_u32(st->st_k.k_kd, stack_func(st, HANDLER), 0x54);
	kernel_proc(&st->st_k, st->st_k.k_base + 0x100000, 1, "init");
	kernel_thread(&st->st_k, st->st_k.k_base + 0x101000, 100001, "init");
	fake_u32(st->st_k.k_kd, st->st_k.k_base + KERNEL_DUMPTID, 100001);
	if (mc->mc_arch == ARCH_ARM64)
		fake_const(st->st_k.k_kd, "osreldate", 1400100);
}

void
stack_put_pcb(struct stacked *st, kvaddr_t pc, kvaddr_t sp, kvaddr_t fp)
{
	const struct machine *mc = st->st_mc;
	kvaddr_t va = st->st_k.k_base + KERNEL_DUMPPCB;

	fake_word(st->st_k.k_kd, va + mc->mc_pcb_pc, pc);
	fake_word(st->st_k.k_kd, va + mc->mc_pcb_sp, sp);
	fake_word(st->st_k.k_kd, va + mc->mc_pcb_fp, fp);
}

void
stack_put_frame(struct stacked *st, kvaddr_t fp, kvaddr_t caller_fp,
    kvaddr_t ra)
{
	const struct machine *mc = st->st_mc;

	fake_word(st->st_k.k_kd, fp + (kvaddr_t)mc->mc_chain_fp, caller_fp);
	fake_word(st->st_k.k_kd, fp + (kvaddr_t)mc->mc_chain_ra, ra);
}

void
stack_put_trap(struct stacked *st, kvaddr_t va, uint32_t mode, kvaddr_t pc,
    kvaddr_t sp, kvaddr_t fp)
{
	const struct machine *mc = st->st_mc;

	fake_word(st->st_k.k_kd, va + mc->mc_tf_len - mc->mc_word, 0);
	fake_word(st->st_k.k_kd, va + mc->mc_tf_mode, mode);
	fake_word(st->st_k.k_kd, va + mc->mc_tf_pc, pc);
	fake_word(st->st_k.k_kd, va + mc->mc_tf_sp, sp);
	fake_word(st->st_k.k_kd, va + mc->mc_tf_fp, fp);
}

kvaddr_t
stack_put_panic(struct stacked *st, uint32_t mode)
{
	const struct machine *mc = st->st_mc;
	kvaddr_t s = st->st_stack;
	kvaddr_t tf =
	    s + 0x200 + (kvaddr_t)mc->mc_chain_sp + (kvaddr_t)mc->mc_frame_off;
	kvaddr_t tf_end = tf + mc->mc_tf_len;
	kvaddr_t handler_fp = s + 0x600;

	/* An arm64 handler points x29 at the end of the trap frame. */
	if (mc->mc_arch == ARCH_ARM64)
		handler_fp = tf_end;
	stack_put_pcb(st, stack_func(st, PANIC) + 0x40, s, s + 0x100);
	stack_put_frame(st, s + 0x100, s + 0x200,
	    stack_func(st, TRAP_PFAULT) + 0x40);
	stack_put_frame(st, s + 0x200, handler_fp,
	    stack_func(st, HANDLER) + 0x10);
	stack_put_trap(st, tf, mode, stack_func(st, VICTIM) + 0x80,
	    tf_end + 0x10, s + 0x600);
	stack_put_frame(st, s + 0x600, s + 0x700,
	    stack_func(st, SYSCALL) + 0x40);
	stack_put_frame(st, s + 0x700, 0, 0);
	return (tf);
}

void
stack_walk(struct stacked *st)
{
	const struct kdebug_thread *threads;

	assert_int_equal(kdebug_threads(kernel_open(&st->st_k), &threads), 1);
	st->st_nframes =
	    take_frames(st->st_k.k_kdb, &threads[0], st->st_frames, MAXFRAMES);
}

const struct kdebug_user *
stack_walk_to_user(struct stacked *st)
{
	const struct kdebug_thread *threads;
	struct kdebug_trace *tr;

	assert_int_equal(kdebug_threads(kernel_open(&st->st_k), &threads), 1);
	st->st_trace = tr = kdebug_trace_create(st->st_k.k_kdb, &threads[0]);
	assert_non_null(tr);
	while (st->st_nframes < MAXFRAMES &&
	    kdebug_trace_next(tr, &st->st_frames[st->st_nframes]))
		st->st_nframes++;
	return (kdebug_trace_user(tr));
}

void
stack_end(struct stacked *st)
{
	kdebug_trace_destroy(st->st_trace);
	kernel_fini(&st->st_k);
}

void
stack_check(struct stacked *st, const int *funcs)
{
	for (size_t i = 0; funcs[i] >= 0; i++) {
		const struct kdebug_frame *f = &st->st_frames[i];

		if (i == st->st_nframes)
			fail_msg("only %zu frames", i);
		if (f->kf_pc - f->kf_offset !=
		    stack_func(st, (unsigned)funcs[i]))
			fail_msg("frame %zu is %s at %#jx", i,
			    f->kf_symbol != NULL ? f->kf_symbol : "?",
			    (uintmax_t)f->kf_pc);
		if (funcs[i + 1] < 0)
			assert_int_equal(st->st_nframes, i + 1);
	}
}

void
stack_check_user(const struct stacked *st, const struct kdebug_user *user,
    enum kdebug_role role, uint64_t want)
{
	size_t reg = kdebug_reg_of(st->st_k.k_kdb, role);

	assert_true(regs_has(&user->ku_regs, (unsigned int)reg));
	if (user->ku_regs.rs_value[reg] != want)
		fail_msg("register %zu is %#jx", reg,
		    (uintmax_t)user->ku_regs.rs_value[reg]);
}
