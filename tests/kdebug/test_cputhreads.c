/* A kernel from elsewhere, which has no list of threads: those of its CPUs. */
#include <stdio.h>
#include <string.h>

#include "tests/kdebug/kernel.h"
#include "tests/support/unit.h"

#define DUMPER_PC UINT64_C(0xffffffff80000100)
#define CPU1_PC	  UINT64_C(0xffffffff80000200)

/* CPU 2 of four dumped; 0, 1 and 3 were stopped, and 1 has registers. */
static void
without_list(struct kernel *k)
{
	kernel_init(k, ARCH_AMD64);
	fake_unsymbol(k->k_kd, "allproc");
	fake_word(k->k_kd, k->k_base + KERNEL_STOPPED, 0xb);
	kernel_put_pcb(k, k->k_base + KERNEL_DUMPPCB, DUMPER_PC, 0x100);
	kernel_put_pcb(k, k->k_base + KERNEL_STOPPCBS + PCB_LEN, CPU1_PC,
	    0x200);
}

static void
no_change(struct kernel *k)
{
	(void)k;
}

/* The least that a kernel can have. */
static void
only_dumppcb(struct kernel *k)
{
	static const char *const names[] = { "stoppcbs", "stopped_cpus",
		"mp_maxid", "dumptid", "pcb_size", "proc_off_p_list" };

	for (size_t i = 0; i < NROWS(names); i++)
		fake_unsymbol(k->k_kd, names[i]);
}

static void
no_pcb_size(struct kernel *k)
{
	fake_unsymbol(k->k_kd, "pcb_size");
}

static void
no_stopped_cpus(struct kernel *k)
{
	fake_unsymbol(k->k_kd, "stopped_cpus");
}

/* Another thing by the same name. */
static void
own_allproc(struct kernel *k)
{
	fake_symbol(k->k_kd, "allproc", k->k_base + KERNEL_ALLPROC, 8);
	fake_unsymbol(k->k_kd, "proc_off_p_list");
}

static void
one_cpu(struct kernel *k)
{
	fake_u32(k->k_kd, k->k_base + KERNEL_MAXID, 0);
	fake_word(k->k_kd, k->k_base + KERNEL_STOPPED, 0);
}

static void
two_not_stopped(struct kernel *k)
{
	fake_word(k->k_kd, k->k_base + KERNEL_STOPPED, 0x3);
}

static void
not_panicked(struct kernel *k)
{
	fake_symbol(k->k_kd, "panicstr", k->k_base + 0x100, 8);
	fake_word(k->k_kd, k->k_base + 0x100, 0);
}

static void
empty_dumppcb(struct kernel *k)
{
	kernel_put_pcb(k, k->k_base + KERNEL_DUMPPCB, 0, 0);
}

static void
dumppcb_not_dumped(struct kernel *k)
{
	fake_unsymbol(k->k_kd, "dumppcb");
	fake_symbol(k->k_kd, "dumppcb", k->k_base + 0x100000, PCB_LEN);
}

/* The file is of another kernel: what lies in place of dumppcb is no pcb. */
static void
other_kernel(struct kernel *k)
{
	struct kvm_symbol tid;

	assert_true(kvm_symbol_find(k->k_kd, "thread_off_td_tid", &tid));
	fake_u32(k->k_kd, tid.ksy_va, TD_TID + 4);
}

/* The first and the last thread, if there are any, and a note. */
static const struct row {
	const char *name;
	void (*change)(struct kernel *);
	size_t nthreads;
	const char *first, *last;
	const char *note;
} rows[] = {
	{ "dumppcb and stoppcbs", no_change, 2, "(pid 0) kernel (crashed)",
	    "(pid 0) kernel (on CPU 1)", "the kernel has no symbol allproc" },
	{ "dumppcb alone", only_dumppcb, 1, "(pid 0) kernel (crashed)",
	    "(pid 0) kernel (crashed)", "only threads on CPUs are known" },
	{ "the length of a pcb is not known", no_pcb_size, 1,
	    "(pid 0) kernel (crashed)", "(pid 0) kernel (crashed)", NULL },
	{ "no set of stopped CPUs", no_stopped_cpus, 2,
	    "(pid 0) kernel (crashed)", "(pid 0) kernel (on CPU 1)", NULL },
	{ "an allproc that is no list of processes", own_allproc, 2,
	    "(pid 0) kernel (crashed)", "(pid 0) kernel (on CPU 1)",
	    "the kernel has no symbol proc_off_p_list" },
	{ "no panic", not_panicked, 2, "(pid 0) kernel (dumping)",
	    "(pid 0) kernel (on CPU 1)", NULL },
	{ "a stopped CPU has no registers", no_change, 2,
	    "(pid 0) kernel (crashed)", "(pid 0) kernel (on CPU 1)",
	    "CPU 3 was stopped and has no registers in stoppcbs" },
	{ "dumppcb is empty", empty_dumppcb, 1, "(pid 0) kernel (on CPU 1)",
	    "(pid 0) kernel (on CPU 1)", "dumppcb is all zeros" },
	{ "dumppcb is not in the dump", dumppcb_not_dumped, 1,
	    "(pid 0) kernel (on CPU 1)", "(pid 0) kernel (on CPU 1)",
	    "dumppcb is not in the dump" },
	{ "the file is of another kernel", other_kernel, 0, NULL, NULL,
	    "of another kernel" },
};

static void
test_row(void **state)
{
	const struct row *row = *state;
	const struct kdebug_thread *threads;
	struct kernel k;
	size_t n;

	without_list(&k);
	row->change(&k);
	n = kdebug_threads(kernel_open(&k), &threads);
	assert_int_equal(n, row->nthreads);
	if (n > 0) {
		assert_string_equal(threads[0].kt_display_name, row->first);
		assert_string_equal(threads[n - 1].kt_display_name, row->last);
	}
	if (row->note != NULL)
		assert_true(has_note(k.k_kdb, row->note));
	assert_true(kdebug_exports_threads(k.k_kdb));
	kernel_fini(&k);
}

/* Everything about the two threads. */
static void
test_threads(void **state)
{
	static const uint64_t pcs[] = { DUMPER_PC, CPU1_PC };
	const struct kdebug_thread *threads;
	struct kernel k;

	(void)state;
	without_list(&k);
	assert_int_equal(kdebug_threads(kernel_open(&k), &threads), 2);
	for (size_t i = 0; i < 2; i++) {
		const struct kdebug_thread *t = &threads[i];

		assert_int_equal(t->kt_index, i);
		assert_int_equal(t->kt_pid, 0);
		assert_int_equal(t->kt_tid, i == 0 ? 1 : 3);
		assert_int_equal(t->kt_cpu, i == 0 ? 2 : 1);
		assert_int_equal(t->kt_state,
		    i == 0 ? KDEBUG_CRASHED : KDEBUG_RUNNING);
		assert_int_equal(t->kt_run, KDEBUG_RUN_RUNNING);
		assert_false(t->kt_unstopped);
		assert_true(reg_named(k.k_kdb, &t->kt_regs, "rip") == pcs[i]);
	}
	assert_ptr_equal(kdebug_dumper(k.k_kdb), &threads[0]);
	kernel_fini(&k);
}

/* The CPU that dumped is the only one that was not stopped. */
static const struct cpu_row {
	const char *name;
	void (*change)(struct kernel *);
	int cpu;
} cpu_rows[] = {
	{ "the machine has one CPU", one_cpu, 0 },
	{ "another CPU was not stopped either", two_not_stopped, -1 },
	{ "which CPUs were stopped is not known", no_stopped_cpus, -1 },
};

static void
test_cpu(void **state)
{
	const struct cpu_row *row = *state;
	struct kernel k;

	without_list(&k);
	row->change(&k);
	assert_int_equal(kdebug_dumper(kernel_open(&k))->kt_cpu, row->cpu);
	kernel_fini(&k);
}

/* No file of this kernel shows a thread, whichever dump it is. */
static void
test_exports_nothing(void **state)
{
	const struct kdebug_thread *threads;
	struct kernel k;

	(void)state;
	without_list(&k);
	fake_unsymbol(k.k_kd, "dumppcb");
	assert_int_equal(kdebug_threads(kernel_open(&k), &threads), 0);
	assert_true(has_note(k.k_kdb,
	    "no threads: the kernel has no symbol allproc"));
	assert_false(kdebug_exports_threads(k.k_kdb));
	kernel_fini(&k);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(rows) + NROWS(cpu_rows) + 2] = {
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_exports_nothing),
	};
	size_t n = 2;

	ADD_ROWS(tests, n, rows, test_row);
	ADD_ROWS(tests, n, cpu_rows, test_cpu);
	return (RUN_TESTS(tests, n));
}
