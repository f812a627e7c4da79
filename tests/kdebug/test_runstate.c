/* What threads are doing. */
#include "tests/kdebug/threeprocs.h"
#include "tests/support/unit.h"

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

int
main(void)
{
	struct CMUnitTest tests[NROWS(run_rows) + 1] = {
		cmocka_unit_test(test_run_unknown),
	};
	size_t n = 1;

	ADD_ROWS(tests, n, run_rows, test_run);
	return (RUN_TESTS(tests, n));
}
