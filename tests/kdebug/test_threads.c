/* The list of threads: what each is called, and where its registers are. */
#include "tests/kdebug/threeprocs.h"
#include "tests/support/unit.h"

/* Its pc; 0: it has no registers at all. */
static void
check_pc(struct kernel *k, const struct kdebug_thread *t, uint64_t pc)
{
	if (pc == 0)
		assert_int_equal(nvalid(&t->kt_regs), 0);
	else
		assert_true(reg_named(k->k_kdb, &t->kt_regs, "rip") == pc);
}

static void
test_list(void **state)
{
	static const struct {
		int pid, tid;
		const char *display_name;
		enum kdebug_state thread_state;
		int cpu;
		uint64_t pc;
	} want[] = {
		{ 800, 100100, "(pid 800) sysctl (crashed)", KDEBUG_CRASHED, 2,
		    0xffffffff80000100 },
		{ 28, 100101, "(pid 28) pagedaemon/dom0 (on CPU 1)",
		    KDEBUG_RUNNING, 1, 0xffffffff80000200 },
		{ 28, 100102, "(pid 28) pagedaemon/laundry: dom0",
		    KDEBUG_STOPPED, -1, 0xffffffff80000300 },
		{ 11, 100103,
		    "(pid 11) idle/idle: cpu2 (on CPU 2, not stopped)",
		    KDEBUG_RUNNING, 2, 0 },
	};
	const struct kdebug_thread *threads;
	struct kernel k;

	(void)state;
	three_procs(&k);
	assert_int_equal(kdebug_threads(kernel_open(&k), &threads), 4);
	for (size_t i = 0; i < 4; i++) {
		const struct kdebug_thread *t = &threads[i];

		assert_int_equal(t->kt_index, i);
		assert_int_equal(t->kt_pid, want[i].pid);
		assert_int_equal(t->kt_tid, want[i].tid);
		assert_string_equal(t->kt_display_name, want[i].display_name);
		assert_int_equal(t->kt_state, want[i].thread_state);
		assert_int_equal(t->kt_cpu, want[i].cpu);
		check_pc(&k, t, want[i].pc);
		assert_int_equal(t->kt_dumped, i == 0);
		assert_int_equal(t->kt_unstopped, i == 3);
		assert_true(t->kt_td == TD(i));
	}
	assert_true(has_note(k.k_kdb,
	    "no registers of 1 thread: its CPU was not stopped"));
	assert_ptr_equal(kdebug_dumper(k.k_kdb), &threads[0]);
	assert_true(threads[3].kt_proc == PROC(2));
	kernel_fini(&k);
}

static void
drop_nothing(struct kernel *k)
{
	(void)k;
}

static void
no_dumptid(struct kernel *k)
{
	fake_u32(k->k_kd, k->k_base + KERNEL_DUMPTID, 0);
}

static void
no_stopped_cpus(struct kernel *k)
{
	fake_unsymbol(k->k_kd, "stopped_cpus");
}

static void
not_panicked(struct kernel *k)
{
	fake_symbol(k->k_kd, "panicstr", HEAP + 0x310000, 8);
	fake_word(k->k_kd, HEAP + 0x310000, 0);
}

static void
none_stopped(struct kernel *k)
{
	fake_word(k->k_kd, k->k_base + KERNEL_STOPPED, 0);
}

/* CPU 2 runs what un_td says. */
static void
curthread_is(struct kernel *k, kvaddr_t td)
{
	fake_symbol(k->k_kd, "cpuid_to_pcpu", HEAP + 0x320000, 32);
	fake_word(k->k_kd, HEAP + 0x320010, HEAP + 0x321000);
	fake_word(k->k_kd, HEAP + 0x321000, td);
}

static void
runs_other(struct kernel *k)
{
	curthread_is(k, TD(0));
}

static void
runs_unaware(struct kernel *k)
{
	curthread_is(k, TD(2));
}

static void
runs_nothing_known(struct kernel *k)
{
	curthread_is(k, HEAP + 0x777000);
}

static void
stoppcbs_is_pointer(struct kernel *k)
{
	fake_unsymbol(k->k_kd, "stoppcbs");
	fake_symbol(k->k_kd, "stoppcbs", HEAP + 0x300000, 8);
	fake_word(k->k_kd, HEAP + 0x300000, HEAP + 0x301000);
	kernel_put_pcb(k, HEAP + 0x301000 + PCB_LEN, 0x555, 0x500);
}

static void
stoppcbs_by_version(struct kernel *k)
{
	stoppcbs_is_pointer(k);
	fake_unsymbol(k->k_kd, "stoppcbs");
	fake_symbol(k->k_kd, "stoppcbs", HEAP + 0x300000, 0);
	fake_const(k->k_kd, "osreldate", 1400089);
}

static void
oncpu_is_a_byte(struct kernel *k)
{
	fake_u32(k->k_kd, TD(1) + TD_ONCPU, 0x77665501);
	fake_u32(k->k_kd, TD(2) + TD_ONCPU, 0x776655ff);
}

static void
pcb_is_missing(struct kernel *k)
{
	fake_drop(k->k_kd, PCB(2));
}

static void
same_name(struct kernel *k)
{
	fake_string(k->k_kd, TD(2) + TD_NAME, "pagedaemon");
}

static void
empty_name(struct kernel *k)
{
	fake_string(k->k_kd, TD(2) + TD_NAME, "");
}

static void
evil_name(struct kernel *k)
{
	static const char name[] = "\033[2J\n\377abcdefghijklmnmore";

	fake_put(k->k_kd, TD(2) + TD_NAME, name, sizeof(name) - 1);
}

static void
no_td_name(struct kernel *k)
{
	fake_unsymbol(k->k_kd, "thread_off_td_name");
}

static void
no_oncpu(struct kernel *k)
{
	fake_unsymbol(k->k_kd, "thread_off_td_oncpu");
}

/* One thing is different: how one thread, and a note, come out of it. */
static const struct change_row {
	const char *name;
	void (*change)(struct kernel *);
	size_t idx;
	const char *display_name;
	uint64_t pc; /* 0: no registers */
	const char *note;
} change_rows[] = {
	{ "no change", drop_nothing, 0, "(pid 800) sysctl (crashed)",
	    0xffffffff80000100, NULL },
	{ "no thread dumped", no_dumptid, 0,
	    "(pid 800) sysctl (on CPU 2, not stopped)", 0,
	    "registers of 2 threads: their CPUs were not stopped" },
	{ "it dumped without a panic", not_panicked, 0,
	    "(pid 800) sysctl (dumping)", 0xffffffff80000100, NULL },
	{ "a CPU did not stop", none_stopped, 1,
	    "(pid 28) pagedaemon/dom0 (on CPU 1, not stopped)", 0,
	    "registers of 2 threads: their CPUs were not stopped" },
	{ "a CPU runs another thread than claims it", runs_other, 3,
	    "(pid 11) idle/idle: cpu2", 0xffffffff80000400, NULL },
	{ "a CPU runs a thread that does not know", runs_unaware, 2,
	    "(pid 28) pagedaemon/laundry: dom0 (on CPU 2, not stopped)", 0,
	    "registers of 1 thread: its CPU was not stopped" },
	{ "what a CPU runs is no thread", runs_nothing_known, 3,
	    "(pid 11) idle/idle: cpu2 (on CPU 2, not stopped)", 0,
	    "registers of 1 thread: its CPU was not stopped" },
	{ "no set of stopped CPUs", no_stopped_cpus, 3,
	    "(pid 11) idle/idle: cpu2 (on CPU 2, not stopped)", 0,
	    "registers of 1 thread: its CPU was not stopped" },
	{ "stoppcbs is a pointer by its size", stoppcbs_is_pointer, 1,
	    "(pid 28) pagedaemon/dom0 (on CPU 1)", 0x555, NULL },
	{ "stoppcbs is a pointer by the version", stoppcbs_by_version, 1,
	    "(pid 28) pagedaemon/dom0 (on CPU 1)", 0x555, NULL },
	{ "td_oncpu of one byte", oncpu_is_a_byte, 1,
	    "(pid 28) pagedaemon/dom0 (on CPU 1)", 0xffffffff80000200, NULL },
	{ "td_oncpu of one byte, none", oncpu_is_a_byte, 2,
	    "(pid 28) pagedaemon/laundry: dom0", 0xffffffff80000300, NULL },
	{ "a pcb is missing", pcb_is_missing, 2,
	    "(pid 28) pagedaemon/laundry: dom0", 0,
	    "thread 100102: no registers" },
	{ "both names are the same", same_name, 2, "(pid 28) pagedaemon",
	    0xffffffff80000300, NULL },
	{ "the thread has no name", empty_name, 2, "(pid 28) pagedaemon",
	    0xffffffff80000300, NULL },
	{ "a name without an end, not fit to print", evil_name, 2,
	    "(pid 28) pagedaemon/\\x1b[2J\\x0a\\xffabcdefghijklmn",
	    0xffffffff80000300, NULL },
	{ "the kernel exports no td_name", no_td_name, 2, "(pid 28) pagedaemon",
	    0xffffffff80000300, NULL },
	{ "the kernel exports no td_oncpu", no_oncpu, 2,
	    "(pid 28) pagedaemon/laundry: dom0", 0xffffffff80000300, NULL },
};

static void
test_change(void **state)
{
	const struct change_row *row = *state;
	const struct kdebug_thread *threads, *t;
	struct kernel k;

	three_procs(&k);
	row->change(&k);
	assert_int_equal(kdebug_threads(kernel_open(&k), &threads), 4);
	t = &threads[row->idx];
	assert_string_equal(t->kt_display_name, row->display_name);
	check_pc(&k, t, row->pc);
	if (row->note != NULL)
		assert_true(has_note(k.k_kdb, row->note));
	kernel_fini(&k);
}

/*
 * CPUs 1 and 2 by their hypervisor, in the other order.  GS leads to their
 * struct pcpu, of which only CPU 2's is known.
 */
static const struct vcpu_row {
	const char *name;
	uint64_t gs_base, kernel_gs_base;
	size_t len; /* of struct elf_prstatus */
	bool no_qemu;
	uint64_t pc; /* of the thread on CPU 2; 0: it has no registers */
} vcpu_rows[] = {
	{ "a vCPU in the kernel", HEAP + 0x321000, 0x1, 336, false,
	    0xffffffff80005555 },
	{ "a vCPU in user mode", 0x2, HEAP + 0x321000, 336, false,
	    0xffffffff80005555 },
	{ "no vCPU with that GS", 0x2, 0x3, 336, false, 0 },
	{ "vCPUs that are only numbered", 0x2, 0x3, 336, true,
	    0xffffffff80007777 },
	{ "registers cut short", HEAP + 0x321000, 0x1, 327, false, 0 },
};

static void
test_vcpu(void **state)
{
	const struct vcpu_row *row = *state;
	uint8_t regs[2][336] = { 0 };
	const struct kdebug_thread *threads;
	struct kvm_vcpu vc = { .vc_qemu = !row->no_qemu };
	struct kernel k;

	three_procs(&k);
	no_dumptid(&k);
	curthread_is(&k, TD(3));
	le64enc(regs[0] + 240, 0xffffffff80005555);
	le64enc(regs[1] + 240, 0xffffffff80007777);
	vc.vc_prstatus = (struct span){ regs[0], row->len };
	vc.vc_state.qc_gs_base = row->gs_base;
	vc.vc_state.qc_kernel_gs_base = row->kernel_gs_base;
	fake_vcpu(k.k_kd, &vc);
	vc = (struct kvm_vcpu){ .vc_qemu = !row->no_qemu };
	vc.vc_prstatus = (struct span){ regs[1], row->len };
	fake_vcpu(k.k_kd, &vc);
	fake_vcpu(k.k_kd, &vc);

	assert_int_equal(kdebug_threads(kernel_open(&k), &threads), 4);
	check_pc(&k, &threads[3], row->pc);
	assert_int_equal(threads[3].kt_state, KDEBUG_RUNNING);
	assert_int_equal(threads[3].kt_unstopped, row->pc == 0);
	check_pc(&k, &threads[1], 0xffffffff80000200); /* stopped by itself */
	kernel_fini(&k);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(change_rows) + NROWS(vcpu_rows) + 1] = {
		cmocka_unit_test(test_list),
	};
	size_t n = 1;

	ADD_ROWS(tests, n, change_rows, test_change);
	ADD_ROWS(tests, n, vcpu_rows, test_vcpu);
	return (RUN_TESTS(tests, n));
}
