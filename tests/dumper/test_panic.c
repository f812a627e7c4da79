/* Interruptions of a dump: a second panic, an operator, an estimate. */
#include <setjmp.h>
#include <string.h>

#include "tests/dumper/readback.h"
#include "tests/dumper/sink.h"
#include "tests/support/unit.h"

#define MEDIA_LEN (8 * 1024 * 1024)

static const struct dump_range memory[] = { { 0x1000, 0x300000 } };

static struct sim *sim;
static struct sink sinks[2];
static struct dump_sink ds[2];
static struct dump_hooks hooks;
static struct dump_request req;
static jmp_buf debugger;

/* What the hooks have to do, and what they saw. */
static enum dump_phase panic_phase;
static bool recovers; /* the second panic is caught by a debugger */
static unsigned int npanics;
static unsigned int cancel_at;
static unsigned int nasked;
static unsigned int nwatchdog;
static unsigned int nplanned;
static unsigned int nfailed;
static bool seen[DUMP_PHASE_HEADERS + 1];
static uint64_t last_done;

/* A second panic dumps again, and is told that there will be no dump. */
static void
panic_again(void)
{
	struct dump_result res = { .res_bytes = 4711 };

	assert_int_equal(dump_write(&req, &res), DUMP_EBUSY);
	assert_int_equal(dump_estimate(&req, &res), DUMP_EBUSY);
	assert_int_equal(res.res_bytes, 4711);
	assert_int_equal(dump_phase(&sim->work), panic_phase);
	npanics++;
	if (recovers)
		longjmp(debugger, 1);
}

static void
progress(void *arg, enum dump_phase phase, uint64_t done, uint64_t total)
{
	(void)arg;
	seen[phase] = true;
	if (phase == DUMP_PHASE_WALK)
		last_done = 0;
	if (phase >= DUMP_PHASE_DATA) {
		assert_true(done >= last_done);
		assert_true(done <= total);
		last_done = done;
	}
	if (phase == panic_phase && npanics == 0)
		panic_again();
}

static void
watchdog(void *arg)
{
	(void)arg;
	nwatchdog++;
}

static bool
cancelled(void *arg)
{
	(void)arg;
	return (++nasked == cancel_at);
}

static void
planned(void *arg, const struct dump_sink *sink, const struct dump_result *res)
{
	(void)arg;
	assert_ptr_equal(sink, &ds[res->res_sink]);
	assert_int_equal(sinks[res->res_sink].nsubmit, 0);
	assert_true(res->res_bytes > 0);
	nplanned++;
}

static void
failed(void *arg, const struct dump_sink *sink, const struct dump_result *res)
{
	(void)arg;
	assert_ptr_equal(sink, &ds[res->res_sink]);
	assert_int_not_equal(res->res_error, 0);
	nfailed++;
}

/* Those two phases write without asking anybody: the sink is asked to write. */
static void
before_submit(struct sink *sink, uint64_t off)
{
	(void)sink;
	(void)off;
	if ((panic_phase == DUMP_PHASE_CLEAR ||
		panic_phase == DUMP_PHASE_HEADERS) &&
	    dump_phase(&sim->work) == panic_phase && npanics == 0)
		panic_again();
}

static int
setup(void **state)
{
	(void)state;
	sim = sim_create(memory, NROWS(memory), 5);
	sim->machine.dm_kva_len = 0x1000000;
	for (uint64_t i = 0; i < 40; i++)
		sim_map(sim, SIM_KERNBASE + 0x400000 + (i << 12), sim_page(sim),
		    0, SIM_RW);
	for (int i = 0; i < 2; i++) {
		sink_init(&sinks[i], MEDIA_LEN);
		sinks[i].max_io = 16384;
		sinks[i].before_submit = before_submit;
		ds[i] = sink_describe(&sinks[i], DUMP_MEDIA_DEVICE, 2);
	}
	hooks = (struct dump_hooks){ .dh_progress = progress,
		.dh_watchdog = watchdog,
		.dh_cancelled = cancelled,
		.dh_planned = planned,
		.dh_failed = failed };
	req = (struct dump_request){ .dr_machine = &sim->machine,
		.dr_sinks = ds,
		.dr_nsinks = 2,
		.dr_hooks = &hooks,
		.dr_work = &sim->work };
	panic_phase = DUMP_PHASE_IDLE;
	recovers = false;
	npanics = nasked = nwatchdog = nplanned = nfailed = cancel_at = 0;
	last_done = 0;
	memset(seen, 0, sizeof(seen));
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	sink_fini(&sinks[0]);
	sink_fini(&sinks[1]);
	sim_destroy(sim);
	return (0);
}

static bool
has_dump(int i)
{
	uint64_t off, len;

	return (sink_find_dump(&sinks[i], &off, &len));
}

static void
check_whole(int i)
{
	uint64_t off, len;

	assert_true(sink_find_dump(&sinks[i], &off, &len));
	readback(sim, sinks[i].media + off, len, req.dr_format, 0,
	    READBACK_EXACT);
}

static const struct phase_row {
	const char *name;
	enum dump_phase phase;
} phase_rows[] = {
	{ "second panic while choosing pages", DUMP_PHASE_WALK },
	{ "second panic while adding up", DUMP_PHASE_PLAN },
	{ "second panic while erasing", DUMP_PHASE_CLEAR },
	{ "second panic while writing", DUMP_PHASE_DATA },
	{ "second panic while writing headers", DUMP_PHASE_HEADERS },
};

/* It is refused; if the machine goes on all the same, so does the dump. */
static void
test_goes_on(const struct phase_row *row)
{
	struct dump_result res;

	panic_phase = row->phase;
	assert_int_equal(dump_write(&req, &res), 0);
	assert_int_equal(npanics, 1);
	assert_int_equal(dump_phase(&sim->work), DUMP_PHASE_IDLE);
	check_whole(0);
}

/* It is caught: there is no dump until the first one is forgotten. */
static void
test_caught(const struct phase_row *row)
{
	struct dump_result res;

	panic_phase = row->phase;
	recovers = true;
	npanics = 0;
	for (int i = 0; i < 2; i++) {
		sink_fini(&sinks[i]);
		sink_init(&sinks[i], MEDIA_LEN);
		sinks[i].max_io = 16384;
		sinks[i].before_submit = before_submit;
	}
	if (setjmp(debugger) == 0) {
		(void)dump_write(&req, &res);
		fail_msg("no second panic");
	}
	assert_false(has_dump(0));
	assert_false(has_dump(1));
	assert_int_equal(dump_write(&req, &res), DUMP_EBUSY);
	dump_abandon(&sim->work);
	assert_int_equal(dump_phase(&sim->work), DUMP_PHASE_IDLE);
	memset(sinks[0].pending, 0, sizeof(sinks[0].pending));
	sinks[0].nsubmit = 0;
	assert_int_equal(dump_write(&req, &res), 0);
	check_whole(0);
}

static void
test_phase(void **state)
{
	const struct phase_row *row = *state;

	(void)setup(NULL);
	test_goes_on(row);
	test_caught(row);
	(void)teardown(NULL);
}

/* Cancelled at the n-th question, for every n: no dump, no other sink. */
static void
test_cancel(void **state)
{
	struct dump_result res;
	unsigned int total;

	assert_int_equal(dump_write(&req, &res), 0);
	total = nasked;
	assert_true(total > 20);
	for (unsigned int n = 1; n <= total; n++) {
		(void)teardown(state);
		(void)setup(state);
		cancel_at = n;
		assert_int_equal(dump_write(&req, &res), DUMP_ECANCELED);
		assert_int_equal(res.res_sink, 0);
		assert_int_equal(sinks[1].nopen, 0);
		assert_false(has_dump(0));
		sinks[0].nsubmit = 0;
		assert_int_equal(dump_write(&req, &res), 0);
	}
	check_whole(0);
}

static void
test_hooks(void **state)
{
	struct dump_result res;

	(void)state;
	sinks[0].fail_write = 9;
	assert_int_equal(dump_write(&req, &res), 0);
	assert_int_equal(res.res_sink, 1);
	assert_int_equal(nplanned, 2);
	assert_int_equal(nfailed, 1);
	assert_true(nwatchdog >= sinks[1].nsubmit);
	assert_true(seen[DUMP_PHASE_WALK] && seen[DUMP_PHASE_PLAN]);
	assert_true(seen[DUMP_PHASE_DATA] && seen[DUMP_PHASE_HEADERS]);
	assert_int_equal(last_done, res.res_bytes);
}

/* Two in a row, as from the debugger; the machine changes in between. */
static void
test_twice(void **state)
{
	struct dump_result res;

	(void)state;
	assert_int_equal(dump_write(&req, &res), 0);
	check_whole(0);
	sim_add(sim, sim_page(sim), DUMP_CLASS_CORE);
	req.dr_format = DUMP_FORMAT_MINIDUMP3;
	sinks[0].nsubmit = 0;
	assert_int_equal(dump_write(&req, &res), 0);
	check_whole(0);
}

/* ---- A panic while an estimate is made ---- */

static const void *(*real_page)(void *arg, uint64_t pa);
static int inner_error;
static unsigned int nlooks;

static const void *
page_that_panics(void *arg, uint64_t pa)
{
	struct dump_result res;

	if (++nlooks == 10) {
		assert_int_equal(dump_estimate(&req, &res), DUMP_EBUSY);
		inner_error = dump_write(&req, &res);
	}
	return (real_page(arg, pa));
}

static void
test_estimate_interrupted(void **state)
{
	struct dump_result res;

	(void)state;
	real_page = sim->machine.dm_page;
	sim->machine.dm_page = page_that_panics;
	nlooks = 0;
	inner_error = -1;
	assert_int_equal(dump_estimate(&req, &res), DUMP_EAGAIN);
	assert_int_equal(inner_error, 0);
	check_whole(0);
	assert_int_equal(dump_estimate(&req, &res), 0);
}

int
main(void)
{
	const struct CMUnitTest fixed[] = {
		cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hooks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_estimate_interrupted,
		    setup, teardown),
	};
	struct CMUnitTest tests[16];
	size_t n = 0;

	ADD_ROWS(tests, n, phase_rows, test_phase);
	for (size_t i = 0; i < NROWS(fixed); i++)
		tests[n++] = fixed[i];
	return (RUN_TESTS(tests, n));
}
