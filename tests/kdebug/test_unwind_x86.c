/*
 * Backtraces through what only x86 has: NMIs and double faults on stacks of
 * their own, entries cut by a trap, i386's trampolines.
 */
#include <string.h>

#include "kdebug/arch.h"
#include "tests/kdebug/stack.h"
#include "tests/support/unit.h"

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
		stack_check_user(&st, user, KDEBUG_PC, USER_PC);
		stack_check_user(&st, user, KDEBUG_SP, USER_SP);
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

/*
 * The second function has code that makes a frame, or not; or it is unknown.
 * What it returned to is frame 2.
 */
static const struct gap_row {
	const char *name;
	const struct machine *mc;
	const char *code;
	bool unknown;
	bool gap;
} gap_rows[] = {
	{ "amd64: a frame is made", &mc_amd64, "\x55\x48\x89\xe5", false,
	    false },
	{ "amd64: by the other encoding, later", &mc_amd64,
	    "\x31\xc0\x55\x48\x8b\xec", false, false },
	{ "amd64: an entry that saves registers only", &mc_amd64,
	    "\x50\x53\x55\x48\x89\xe7", false, true },
	{ "amd64: no symbol", &mc_amd64, "\x55\x48\x89\xe5", true, true },
	{ "i386: a frame is made", &mc_i386, "\x55\x89\xe5", false, false },
	{ "i386: an entry that saves registers only", &mc_i386, "\x60\x89\xe7",
	    false, true },
	{ "arm64: it cannot be told", &mc_arm64, "", false, false },
};

static void
test_gap(void **state)
{
	const struct gap_row *row = *state;
	struct machine mc = *row->mc;
	struct stacked st;
	kvaddr_t s;

	mc.mc_handler = "asm_entry";
	stack_init(&st, &mc);
	s = st.st_stack;
	fake_put(st.st_k.k_kd, stack_func(&st, HANDLER), row->code,
	    strlen(row->code));
	if (row->unknown)
		fake_unsymbol(st.st_k.k_kd, mc.mc_handler);
	fake_put(st.st_k.k_kd, stack_func(&st, VICTIM), "\x48\x89\xe5", 3);
	stack_put_pcb(&st, stack_func(&st, VICTIM) + 0x40, s, s + 0x100);
	stack_put_frame(&st, s + 0x100, s + 0x200,
	    stack_func(&st, HANDLER) + 0x40);
	stack_put_frame(&st, s + 0x200, s + 0x300,
	    stack_func(&st, SYSCALL) + 0x40);
	stack_put_frame(&st, s + 0x300, 0, 0);
	stack_walk(&st);
	assert_int_equal(st.st_nframes, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(st.st_frames[i].kf_gap, i == 2 && row->gap);
	kernel_fini(&st.st_k);
}

/* A file without functions: no name is missing more than the others. */
static void
test_no_gap(void **state)
{
	static const char *const names[] = { "panic", "trap_pfault", "calltrap",
		"victim", "syscall", "fork_exit" };
	struct stacked st;
	kvaddr_t s;

	(void)state;
	stack_init(&st, &mc_amd64);
	s = st.st_stack;
	for (size_t i = 0; i < NROWS(names); i++)
		fake_unsymbol(st.st_k.k_kd, names[i]);
	stack_put_pcb(&st, stack_func(&st, VICTIM) + 0x40, s, s + 0x100);
	stack_put_frame(&st, s + 0x100, s + 0x200,
	    stack_func(&st, SYSCALL) + 0x40);
	stack_put_frame(&st, s + 0x200, 0, 0);
	stack_walk(&st);
	assert_int_equal(st.st_nframes, 2);
	assert_false(st.st_frames[1].kf_gap);
	kernel_fini(&st.st_k);
}

int
main(void)
{
	struct CMUnitTest tests[64] = {
		cmocka_unit_test(test_nmi),
		cmocka_unit_test(test_i386_copy),
		cmocka_unit_test(test_no_gap),
	};
	size_t n = 3;

	ADD_ROWS(tests, n, entry_rows, test_entry);
	ADD_ROWS(tests, n, i386_entry_rows, test_i386_entry);
	ADD_ROWS(tests, n, i386_nmi_rows, test_i386_nmi);
	ADD_ROWS(tests, n, gap_rows, test_gap);
	ADD_ROWS(tests, n, double_rows, test_double_fault);
	return (RUN_TESTS(tests, n));
}
