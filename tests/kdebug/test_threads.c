/* The list of threads: what each is called and is doing, and where it ends. */
#include <stdio.h>
#include <string.h>

#include "tests/kdebug/kernel.h"
#include "tests/support/unit.h"

/* The processes, threads and pcbs of a test, n from 0. */
#define HEAP	UINT64_C(0xfffff80004000000)
#define PROC(n) (HEAP + 0x1000 * (kvaddr_t)(n))
#define TD(n)	(HEAP + 0x100000 + 0x1000 * (kvaddr_t)(n))
#define PCB(n)	(HEAP + 0x200000 + 0x1000 * (kvaddr_t)(n))

/*
 * Three processes: sysctl, which dumped from CPU 2; a daemon with two threads,
 * one on CPU 1; the idle process, whose thread claims the CPU that dumped and
 * so was not stopped.
 */
static void
three_procs(struct kernel *k)
{
	kernel_init(k, ARCH_AMD64);
	fake_u32(k->k_kd, k->k_base + KERNEL_DUMPTID, 100100);
	fake_word(k->k_kd, k->k_base + KERNEL_STOPPED, 0xb); /* not 2 */
	kernel_put_pcb(k, k->k_base + KERNEL_DUMPPCB, 0xffffffff80000100,
	    0x100);
	kernel_put_pcb(k, k->k_base + KERNEL_STOPPCBS + PCB_LEN,
	    0xffffffff80000200, 0x200);

	kernel_proc(k, PROC(0), 800, "sysctl");
	kernel_thread(k, TD(0), 100100, "sysctl");
	kernel_oncpu(k, 2);
	kernel_proc(k, PROC(1), 28, "pagedaemon");
	kernel_thread(k, TD(1), 100101, "dom0");
	kernel_oncpu(k, 1);
	kernel_thread(k, TD(2), 100102, "laundry: dom0");
	kernel_pcb(k, PCB(2));
	kernel_put_pcb(k, PCB(2), 0xffffffff80000300, 0x300);
	kernel_proc(k, PROC(2), 11, "idle");
	kernel_thread(k, TD(3), 100103, "idle: cpu2");
	kernel_oncpu(k, 2);
	kernel_pcb(k, PCB(3));
	kernel_put_pcb(k, PCB(3), 0xffffffff80000400, 0x400);
}

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

static void
test_texts(void **state)
{
	struct kernel k;

	(void)state;
	kernel_init(&k, ARCH_AMD64);
	fake_symbol(k.k_kd, "version", HEAP, 0);
	fake_string(k.k_kd, HEAP, "FreeBSD 14.0 #0: now\n    root@host:/obj\n");
	fake_symbol(k.k_kd, "panicstr", HEAP + 0x1000, 8);
	fake_word(k.k_kd, HEAP + 0x1000, HEAP + 0x1ff8);
	fake_put(k.k_kd, HEAP + 0x1ff8, "\033oops", 6); /* page's end */
	kernel_open(&k);
	assert_string_equal(kdebug_version(k.k_kdb)->kx_text,
	    "FreeBSD 14.0 #0: now root@host:/obj");
	assert_string_equal(kdebug_panic(k.k_kdb)->kx_text, "\\x1boops");
	kernel_fini(&k);
}

/* The version is not in the dump: is it of this kernel all the same? */
static const struct pairing_row {
	const char *name;
	bool no_symbol;	 /* for the version, either */
	bool is_there;	 /* the constant, in the dump */
	uint32_t change; /* what is added to it there */
	enum kdebug_pairing pairing;
	const char *note; /* NULL: none */
} pairing_rows[] = {
	{ "pairing: a constant is another one", false, true, 4,
	    KDEBUG_OTHER_KERNEL, "thread_off_td_tid is not the same in both" },
	{ "pairing: a constant is another one, and there is no version", true,
	    true, 4, KDEBUG_OTHER_KERNEL,
	    "thread_off_td_tid is not the same in both" },
	{ "pairing: a constant is the same", false, true, 0,
	    KDEBUG_UNKNOWN_KERNEL, "may be of another kernel" },
	{ "pairing: a constant was left out", false, true, -(uint32_t)TD_TID,
	    KDEBUG_UNKNOWN_KERNEL, "may be of another kernel" },
	{ "pairing: nothing is there", false, false, 0, KDEBUG_UNKNOWN_KERNEL,
	    "may be of another kernel" },
	{ "pairing: nothing is there, nor a symbol", true, false, 0,
	    KDEBUG_UNKNOWN_KERNEL, NULL },
};

static void
test_pairing(void **state)
{
	const struct pairing_row *row = *state;
	struct kvm_symbol tid;
	struct kernel k;

	kernel_init(&k, ARCH_AMD64);
	if (!row->no_symbol)
		fake_symbol(k.k_kd, "version", HEAP, 0);
	assert_true(kvm_symbol_find(k.k_kd, "thread_off_td_tid", &tid));
	if (row->is_there)
		fake_u32(k.k_kd, tid.ksy_va, TD_TID + row->change);
	kernel_open(&k);
	assert_int_equal(kdebug_pairing(k.k_kdb), row->pairing);
	if (row->note != NULL)
		assert_true(has_note(k.k_kdb, row->note));
	else
		assert_false(has_note(k.k_kdb, "another kernel"));
	kernel_fini(&k);
}

/* Where debug information has these, and its values of states. */
enum { TD_STATE = 80, TD_INHIBITORS = 84, TD_WMESG = 88, TD_LOCK = 96 };
enum { P_STATE = 100, ZOMBIE = 2 };
enum { INACTIVE, INHIBITED, CAN_RUN, RUNQ, RUNNING, SLEEPING, DEAD };

static void
debug_info(struct kernel *k)
{
	kvm_t *kd = k->k_kd;

	fake_member(kd, "thread", "td_state", TD_STATE, 4);
	fake_member(kd, "thread", "td_inhibitors", TD_INHIBITORS, 2);
	fake_member(kd, "thread", "td_wmesg", TD_WMESG, 8);
	fake_member(kd, "thread", "td_lockname", TD_LOCK, 8);
	fake_member(kd, "thread", "td_state.TDS_INACTIVE", INACTIVE, 0);
	fake_member(kd, "thread", "td_state.TDS_INHIBITED", INHIBITED, 0);
	fake_member(kd, "thread", "td_state.TDS_CAN_RUN", CAN_RUN, 0);
	fake_member(kd, "thread", "td_state.TDS_RUNQ", RUNQ, 0);
	fake_member(kd, "thread", "td_state.TDS_RUNNING", RUNNING, 0);
	fake_member(kd, "thread", "td_state.TDS_SLEEPING", SLEEPING, 0);
	fake_member(kd, "thread", "td_state.TDS_DEAD", DEAD, 0);
	fake_member(kd, "proc", "p_state", P_STATE, 4);
	fake_member(kd, "proc", "p_state.PRS_ZOMBIE", ZOMBIE, 0);
}

/* Thread 2, which is on no CPU. */
static const struct run_row {
	const char *name;
	uint32_t state, inhibitors, p_state;
	const char *run, *wmesg;
} run_rows[] = {
	{ "waits for a CPU", RUNQ, 0, 1, "runnable", NULL },
	{ "could be put on a queue", CAN_RUN, 0, 1, "runnable", NULL },
	{ "sleeps", INHIBITED, 0x2, 1, "sleeping", "ttyin" },
	{ "sleeps and is suspended", INHIBITED, 0x3, 1, "sleeping", "ttyin" },
	{ "is suspended", INHIBITED, 0x1, 1, "suspended", NULL },
	{ "is blocked on a lock", INHIBITED, 0x8, 1, "blocked", "*Giant" },
	{ "waits for an interrupt", INHIBITED, 0x10, 1, "waiting", NULL },
	{ "is inhibited by what we do not know", INHIBITED, 0x100, 1, NULL,
	    NULL },
	{ "sleeps, in our kernel", SLEEPING, 0, 1, "sleeping", "ttyin" },
	{ "is dead, in our kernel", DEAD, 0, 1, "exited", NULL },
	{ "was not started yet", INACTIVE, 0, 1, "inactive", NULL },
	{ "is a zombie's", INACTIVE, 0, ZOMBIE, "exited", NULL },
	{ "has a state that we do not know", 77, 0, 1, NULL, NULL },
};

static void
test_run(void **state)
{
	const struct run_row *row = *state;
	const struct kdebug_thread *threads;
	struct kernel k;

	three_procs(&k);
	debug_info(&k);
	fake_u32(k.k_kd, PROC(1) + P_STATE, row->p_state);
	fake_u32(k.k_kd, TD(2) + TD_STATE, row->state);
	fake_u32(k.k_kd, TD(2) + TD_INHIBITORS, row->inhibitors);
	fake_word(k.k_kd, TD(2) + TD_WMESG, HEAP + 0x330000);
	fake_string(k.k_kd, HEAP + 0x330000, "ttyin");
	fake_word(k.k_kd, TD(2) + TD_LOCK, HEAP + 0x330100);
	fake_string(k.k_kd, HEAP + 0x330100, "Giant");
	assert_int_equal(kdebug_threads(kernel_open(&k), &threads), 4);
	check_text(kdebug_run_name(threads[2].kt_run), row->run);
	check_text(threads[2].kt_wmesg, row->wmesg);
	check_text(kdebug_run_name(threads[0].kt_run), "running");
	check_text(kdebug_run_name(threads[1].kt_run), "running");
	assert_null(threads[0].kt_wmesg);
	kernel_fini(&k);
}

/* Without debug information; with a wait channel that is not there, or not fit. */
static void
test_run_unknown(void **state)
{
	const struct kdebug_thread *threads;
	struct kernel k;

	(void)state;
	three_procs(&k);
	assert_int_equal(kdebug_threads(kernel_open(&k), &threads), 4);
	assert_int_equal(threads[2].kt_run, KDEBUG_RUN_UNKNOWN);
	assert_null(threads[2].kt_wmesg);
	kernel_fini(&k);

	three_procs(&k);
	debug_info(&k);
	fake_u32(k.k_kd, TD(2) + TD_STATE, SLEEPING);
	fake_word(k.k_kd, TD(2) + TD_WMESG, 0x1234);
	assert_int_equal(kdebug_threads(kernel_open(&k), &threads), 4);
	assert_int_equal(threads[2].kt_run, KDEBUG_RUN_SLEEPING);
	assert_null(threads[2].kt_wmesg);
	kernel_fini(&k);

	three_procs(&k);
	debug_info(&k);
	fake_u32(k.k_kd, TD(2) + TD_STATE, SLEEPING);
	fake_word(k.k_kd, TD(2) + TD_WMESG, HEAP + 0x330000);
	fake_string(k.k_kd, HEAP + 0x330000,
	    "\033an endless name of a wait channel");
	assert_int_equal(kdebug_threads(kernel_open(&k), &threads), 4);
	check_text(threads[2].kt_wmesg, "\\x1ban endless name of a wait chann");
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

static void
no_symbol(struct kernel *k)
{
	(void)k;
}

static void
no_panic(struct kernel *k)
{
	fake_symbol(k->k_kd, "panicstr", HEAP, 8);
	fake_word(k->k_kd, HEAP, 0);
}

static void
pointer_not_dumped(struct kernel *k)
{
	fake_symbol(k->k_kd, "panicstr", HEAP, 8);
}

static void
string_not_dumped(struct kernel *k)
{
	no_panic(k);
	fake_word(k->k_kd, HEAP, 0x1234);
}

static void
string_empty(struct kernel *k)
{
	no_panic(k);
	fake_word(k->k_kd, HEAP, HEAP + 0x100);
}

/* No panic string: why not, and what is noted. */
static const struct why_row {
	const char *name;
	void (*change)(struct kernel *);
	enum kdebug_why why;
	const char *note;
} why_rows[] = {
	{ "no symbol panicstr", no_symbol, KDEBUG_WHY_NO_SYMBOL, NULL },
	{ "no symbols at all", no_symbols, KDEBUG_WHY_STRIPPED, NULL },
	{ "panicstr is NULL", no_panic, KDEBUG_WHY_NONE, NULL },
	{ "panicstr is not dumped", pointer_not_dumped, KDEBUG_WHY_NOT_DUMPED,
	    NULL },
	{ "the panic string is not dumped", string_not_dumped,
	    KDEBUG_WHY_NOT_DUMPED,
	    "the panic string at 0x1234 is not in the dump" },
	{ "the panic string is empty", string_empty, KDEBUG_WHY_UNREADABLE,
	    "the panic string at 0xfffff80004000100 is no text" },
};

static void
test_why(void **state)
{
	const struct why_row *row = *state;
	const char *const *notes;
	struct kernel k;

	kernel_init(&k, ARCH_AMD64);
	row->change(&k);
	kernel_open(&k);
	assert_null(kdebug_panic(k.k_kdb)->kx_text);
	assert_int_equal(kdebug_panic(k.k_kdb)->kx_why, row->why);
	if (row->note != NULL)
		assert_true(has_note(k.k_kdb, row->note));
	else
		assert_int_equal(kdebug_notes(k.k_kdb, &notes), 0);
	assert_null(kdebug_version(k.k_kdb)->kx_text);
	assert_int_equal(kdebug_version(k.k_kdb)->kx_why,
	    row->why == KDEBUG_WHY_STRIPPED ? KDEBUG_WHY_STRIPPED :
					      KDEBUG_WHY_NO_SYMBOL);
	assert_null(kdebug_dumper(k.k_kdb));
	kernel_fini(&k);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(change_rows) + NROWS(list_rows) +
	    NROWS(why_rows) + NROWS(vcpu_rows) + NROWS(run_rows) +
	    NROWS(pairing_rows) + 5] = {
		cmocka_unit_test(test_run_unknown),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_one_warning),
	};
	size_t n = 5;

	ADD_ROWS(tests, n, change_rows, test_change);
	ADD_ROWS(tests, n, list_rows, test_list_damage);
	ADD_ROWS(tests, n, why_rows, test_why);
	ADD_ROWS(tests, n, vcpu_rows, test_vcpu);
	ADD_ROWS(tests, n, run_rows, test_run);
	ADD_ROWS(tests, n, pairing_rows, test_pairing);
	return (RUN_TESTS(tests, n));
}
