/* Lists of threads that are damaged: how far they go, and what is said. */
#include "tests/kdebug/threeprocs.h"
#include "tests/support/unit.h"

static void
zombies(struct kernel *k)
{
	k->k_proc_link = k->k_base + KERNEL_ZOMBPROC;
	kernel_proc(k, PROC(5), 900, "zombie");
	kernel_thread(k, TD(5), 100200, "zombie");
}

static void
thread_circle(struct kernel *k)
{
	fake_word(k->k_kd, TD(2) + TD_PLIST, TD(1));
}

static void
thread_self(struct kernel *k)
{
	fake_word(k->k_kd, TD(1) + TD_PLIST, TD(1));
}

static void
proc_circle(struct kernel *k)
{
	fake_word(k->k_kd, PROC(2) + P_LIST, PROC(0));
}

static void
foreign_thread(struct kernel *k)
{
	fake_word(k->k_kd, PROC(2) + P_THREADS, TD(0));
}

static void
thread_link_out(struct kernel *k)
{
	fake_word(k->k_kd, TD(1) + TD_PLIST, 0x1234);
}

static void
proc_link_out(struct kernel *k)
{
	fake_word(k->k_kd, PROC(0) + P_LIST, UINT64_MAX);
}

static void
tid_of_a_process(struct kernel *k)
{
	fake_u32(k->k_kd, TD(1) + TD_TID, 99999);
}

static void
tid_negative(struct kernel *k)
{
	fake_u32(k->k_kd, TD(1) + TD_TID, 0x80000000);
}

static void
pid_too_large(struct kernel *k)
{
	fake_u32(k->k_kd, PROC(1) + P_PID, 100000);
}

static void
pid_negative(struct kernel *k)
{
	fake_u32(k->k_kd, PROC(1) + P_PID, UINT32_MAX);
}

static void
td_page_missing(struct kernel *k)
{
	fake_drop(k->k_kd, TD(1));
}

static void
allproc_missing(struct kernel *k)
{
	fake_drop(k->k_kd, k->k_base);
}

static void
no_dumppcb(struct kernel *k)
{
	fake_unsymbol(k->k_kd, "allproc");
	fake_unsymbol(k->k_kd, "dumppcb");
}

static void
no_pid(struct kernel *k)
{
	fake_unsymbol(k->k_kd, "proc_off_p_pid");
}

static void
huge_offset(struct kernel *k)
{
	no_pid(k);
	fake_const(k->k_kd, "proc_off_p_pid", 0x7fffffff);
}

/* The file of another kernel, where constants are all over the place. */
static void
foreign_kernel(struct kernel *k)
{
	huge_offset(k);
	fake_unsymbol(k->k_kd, "proc_off_p_comm");
	fake_const(k->k_kd, "proc_off_p_comm", 0x10000);
	fake_unsymbol(k->k_kd, "pcb_size");
	fake_symbol(k->k_kd, "pcb_size", 0x1234, 4);
}

static void
no_symbols(struct kernel *k)
{
	fake_strip(k->k_kd);
}

/* The list is damaged: how many threads come out, and why not all. */
static const struct list_row {
	const char *name;
	void (*change)(struct kernel *);
	size_t nthreads;
	const char *note;
} list_rows[] = {
	{ "zombies come last", zombies, 5, NULL },
	{ "threads in a circle", thread_circle, 4, "in a circle" },
	{ "a thread after itself", thread_self, 3, "in a circle" },
	{ "processes in a circle", proc_circle, 4, "in a circle" },
	{ "a thread of two processes", foreign_thread, 3, "in a circle" },
	{ "a thread's link leads out", thread_link_out, 3,
	    "thread list of pid 28: broken at 0x1234" },
	{ "a process's link leads out", proc_link_out, 1, "allproc: broken" },
	{ "a thread with a process's id", tid_of_a_process, 2,
	    "thread list of pid 28: broken" },
	{ "a thread with a negative id", tid_negative, 2,
	    "thread list of pid 28: broken" },
	{ "a process with a thread's id", pid_too_large, 1, "allproc: broken" },
	{ "a process with a negative id", pid_negative, 1, "allproc: broken" },
	{ "a thread is missing", td_page_missing, 2,
	    "thread list of pid 28: broken" },
	{ "the head is missing", allproc_missing, 0, "allproc: broken" },
	{ "neither allproc nor dumppcb", no_dumppcb, 0, "no symbol allproc" },
	{ "p_pid is not exported", no_pid, 0, "export proc_off_p_pid" },
	{ "p_pid is too large", huge_offset, 0,
	    "proc_off_p_pid: 0x7fffffff is too large" },
	{ "a foreign kernel", foreign_kernel, 0,
	    "proc_off_p_pid: 0x7fffffff is too large, and 2 more of its constants cannot be used" },
	{ "no symbols at all", no_symbols, 0,
	    "no threads: the kernel file has no symbols" },
};

static void
test_list_damage(void **state)
{
	const struct list_row *row = *state;
	const struct kdebug_thread *threads;
	struct kernel k;

	three_procs(&k);
	row->change(&k);
	assert_int_equal(kdebug_threads(kernel_open(&k), &threads),
	    row->nthreads);
	if (row->note != NULL)
		assert_true(has_note(k.k_kdb, row->note));
	kernel_fini(&k);
}

/* A foreign kernel gives one warning of its constants, and one of the list. */
static void
test_one_warning(void **state)
{
	const struct kdebug_thread *threads;
	const char *const *notes;
	struct kernel k;

	(void)state;
	three_procs(&k);
	foreign_kernel(&k);
	assert_int_equal(kdebug_threads(kernel_open(&k), &threads), 0);
	assert_int_equal(kdebug_notes(k.k_kdb, &notes), 2);
	kernel_fini(&k);
}

/* A list that never repeats ends too, and the notes do not grow with it. */
static void
test_many(void **state)
{
	const struct kdebug_thread *threads;
	const char *const *notes;
	struct kernel k;

	(void)state;
	kernel_init(&k, ARCH_AMD64);
	kernel_proc(&k, PROC(0), 1, "init");
	for (int i = 0; i < 1000; i++)
		kernel_thread(&k, TD(0) + 72 * (kvaddr_t)i, 100001 + i, "t");
	assert_int_equal(kdebug_threads(kernel_open(&k), &threads), 1000);
	assert_int_equal(threads[999].kt_tid, 101000);
	assert_in_range(kdebug_notes(k.k_kdb, &notes), 1, 200);
	assert_true(has_note(k.k_kdb, "more was wrong"));
	kernel_fini(&k);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(list_rows) + 2] = {
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_one_warning),
	};
	size_t n = 2;

	ADD_ROWS(tests, n, list_rows, test_list_damage);
	return (RUN_TESTS(tests, n));
}
