/* Sinks that refuse, fail, or are too small, and dumps inside of dumps. */
#include <string.h>

#include "format/kerneldump.h"
#include "tests/dumper/readback.h"
#include "tests/dumper/sink.h"
#include "tests/support/unit.h"

#define MEDIA_LEN (8 * 1024 * 1024)
#define RESERVED  65536

static const struct dump_range memory[] = {
	{ 0x1000, 0x9f000 },
	{ 0x100000, 0x300000 },
};

/* A machine, two sinks, and what was asked for. */
struct setup {
	struct sim *sim;
	struct sink sinks[2];
	struct dump_sink ds[2];
	struct dump_request req;
	struct dump_result res;
};

static void
setup(struct setup *s, unsigned int depth)
{
	memset(s, 0, sizeof(*s));
	s->sim = sim_create(memory, NROWS(memory), 1);
	/* 1 MB of map section, not 4. */
	s->sim->machine.dm_kva_len = 0x20000000;
	for (uint64_t i = 0; i < 40; i++)
		sim_map(s->sim, SIM_KERNBASE + 0x400000 + (i << 17),
		    sim_page(s->sim), 0, SIM_RW);
	for (uint64_t i = 0; i < 60; i++)
		sim_add(s->sim, sim_page(s->sim),
		    i % 3 == 0	   ? DUMP_CLASS_CORE :
			i % 3 == 1 ? DUMP_CLASS_BULK :
				     DUMP_CLASS_USER);
	for (int i = 0; i < 2; i++) {
		sink_init(&s->sinks[i], MEDIA_LEN);
		s->sinks[i].sim = s->sim;
		s->sinks[i].max_io = 65536;
		s->ds[i] =
		    sink_describe(&s->sinks[i], DUMP_MEDIA_DEVICE, depth);
	}
	s->req = (struct dump_request){ .dr_machine = &s->sim->machine,
		.dr_sinks = s->ds,
		.dr_nsinks = 1,
		.dr_work = &s->sim->work };
}

static void
teardown(struct setup *s)
{
	sink_fini(&s->sinks[0]);
	sink_fini(&s->sinks[1]);
	sim_destroy(s->sim);
}

/* The sink holds a dump, and every byte of it is right. */
static void
check_whole(struct setup *s, const struct sink *sink, unsigned int flags)
{
	uint64_t off, len;

	assert_true(sink_find_dump(sink, &off, &len));
	readback(s->sim, sink->media + off, len, s->req.dr_format, flags,
	    READBACK_EXACT);
}

static bool
has_dump(const struct sink *sink)
{
	uint64_t off, len;

	return (sink_find_dump(sink, &off, &len));
}

/* A header anywhere, valid or not. */
static bool
has_header(const struct sink *sink)
{
	static const char magic[] = "FreeBSD Kernel Dump";
	const size_t len = sizeof(magic) - 1;

	for (size_t off = 0; off + len <= sink->media_len; off += 512) {
		if (memcmp(sink->media + off, magic, len) == 0)
			return (true);
	}
	return (false);
}

/* How often a whole dump calls submit and flush. */
static void
count_calls(unsigned int depth, unsigned int *nsubmit, unsigned int *nflush)
{
	struct setup s;

	setup(&s, depth);
	assert_int_equal(dump_write(&s.req, &s.res), 0);
	*nsubmit = s.sinks[0].nsubmit;
	*nflush = s.sinks[0].nflush;
	assert_true(*nsubmit > 20);
	assert_int_equal(*nflush, 3);
	teardown(&s);
}

/* ---- Failing at the n-th call, for every n ---- */

static const struct failing_row {
	const char *name;
	unsigned int depth;
	size_t field; /* of struct sink: what fails */
} failing_rows[] = {
	{ "every write refused, blocking", 0,
	    offsetof(struct sink, fail_submit) },
	{ "every write refused, four in flight", 4,
	    offsetof(struct sink, fail_submit) },
	{ "every write fails, blocking", 0, offsetof(struct sink, fail_write) },
	{ "every write fails, four in flight", 4,
	    offsetof(struct sink, fail_write) },
	{ "every write is lost, four in flight", 4,
	    offsetof(struct sink, stall_write) },
	{ "every flush fails", 0, offsetof(struct sink, fail_flush) },
};

/* A first sink that fails at call n: the second gets all of the dump. */
static void
fail_at(const struct failing_row *row, unsigned int n, unsigned int last)
{
	struct setup s;

	setup(&s, row->depth);
	s.req.dr_nsinks = 2;
	memcpy((char *)&s.sinks[0] + row->field, &n, sizeof(n));
	assert_int_equal(dump_write(&s.req, &s.res), 0);
	assert_int_equal(s.res.res_sink, 1);
	assert_int_equal(s.sinks[0].nclose, 1);
	assert_int_equal(s.sinks[0].close_error, DUMP_EIO);
	/* Behind the last flush nothing is missing. */
	if (row->field != offsetof(struct sink, fail_flush) || n != last)
		assert_false(has_dump(&s.sinks[0]));
	/* The headers are the last two of everything. */
	if (n + 2 <= last)
		assert_false(has_header(&s.sinks[0]));
	/* Nothing is written after the error. */
	if (row->depth == 0 && row->field != offsetof(struct sink, fail_flush))
		assert_int_equal(s.sinks[0].nsubmit, n);
	if (n % 8 == 1 || n == last)
		check_whole(&s, &s.sinks[1], 0);
	assert_true(has_dump(&s.sinks[1]));
	teardown(&s);
}

static void
test_failing(void **state)
{
	const struct failing_row *row = *state;
	unsigned int nsubmit, nflush, last;

	count_calls(row->depth, &nsubmit, &nflush);
	last =
	    row->field == offsetof(struct sink, fail_flush) ? nflush : nsubmit;
	for (unsigned int n = 1; n <= last; n++)
		fail_at(row, n, last);
}

/* Sections fail in the order of the file, and none before or after them. */
static void
test_failed_section(void **state)
{
	static const char *const names[] = { NULL, "header", "message buffer",
		"page bitmap", "page tables", "pages", NULL };
	unsigned int nsubmit, nflush;
	size_t at = 0;

	(void)state;
	count_calls(0, &nsubmit, &nflush);
	for (unsigned int n = 1; n <= nsubmit; n++) {
		struct setup s;

		setup(&s, 0);
		s.sinks[0].fail_submit = n;
		assert_int_equal(dump_write(&s.req, &s.res), DUMP_EIO);
		while (at < NROWS(names) && s.res.res_section != names[at] &&
		    (names[at] == NULL || s.res.res_section == NULL ||
			strcmp(s.res.res_section, names[at]) != 0))
			at++;
		assert_in_range(at, 0, NROWS(names) - 1);
		teardown(&s);
	}
	assert_int_equal(at, NROWS(names) - 1);
}

/* ---- The power may fail ---- */

static enum dump_phase last_phase;

/*
 * A device may write what it was given in any order until it is flushed.  The
 * old dump is erased before any of the new one is written, and all of that is
 * on the media before what makes it valid.
 */
static void
check_flushed(struct sink *sink, uint64_t off)
{
	enum dump_phase phase = dump_phase(&sink->sim->work);

	(void)off;
	if (phase != last_phase)
		assert_int_equal(sink->nunflushed, 0);
	last_phase = phase;
}

static void
test_flushed(void **state)
{
	struct setup s;

	(void)state;
	for (int media = DUMP_MEDIA_DEVICE; media <= DUMP_MEDIA_FILE; media++) {
		setup(&s, 4);
		s.ds[0].ds_media = (enum dump_media)media;
		s.sinks[0].before_submit = check_flushed;
		last_phase = DUMP_PHASE_IDLE;
		assert_int_equal(dump_write(&s.req, &s.res), 0);
		assert_int_equal(last_phase, DUMP_PHASE_HEADERS);
		assert_int_equal(s.sinks[0].nunflushed, 0);
		teardown(&s);
	}
}

/* The only sink fails: the error comes out, and the next dump is whole. */
static void
test_failing_only(void **state)
{
	struct setup s;

	(void)state;
	setup(&s, 4);
	s.sinks[0].fail_write = 7;
	assert_int_equal(dump_write(&s.req, &s.res), DUMP_EIO);
	assert_int_equal(s.res.res_error, DUMP_EIO);
	s.sinks[0].fail_write = SINK_NEVER;
	assert_int_equal(dump_write(&s.req, &s.res), 0);
	check_whole(&s, &s.sinks[0], 0);
	teardown(&s);
}

/* An old dump on the device is no dump as soon as a new one is begun. */
static void
test_old_dump(void **state)
{
	unsigned int nsubmit, nflush;
	struct setup s;

	(void)state;
	count_calls(0, &nsubmit, &nflush);
	setup(&s, 0);
	assert_int_equal(dump_write(&s.req, &s.res), 0);
	for (unsigned int n = 2; n <= nsubmit; n++) {
		s.sinks[0].nsubmit = 0;
		s.sinks[0].fail_submit = n;
		assert_int_equal(dump_write(&s.req, &s.res), DUMP_EIO);
		assert_false(has_dump(&s.sinks[0]));
	}
	teardown(&s);
}

static void
test_open_fails(void **state)
{
	struct setup s;

	(void)state;
	setup(&s, 0);
	s.req.dr_nsinks = 2;
	s.sinks[0].open_error = 77;
	assert_int_equal(dump_write(&s.req, &s.res), 0);
	assert_int_equal(s.res.res_sink, 1);
	assert_int_equal(s.sinks[0].nclose, 0);
	assert_true(sink_untouched(&s.sinks[0], 0, MEDIA_LEN));
	s.req.dr_nsinks = 1;
	assert_int_equal(dump_write(&s.req, &s.res), 77);
	teardown(&s);
}

static void
test_no_sink(void **state)
{
	struct setup s;

	(void)state;
	setup(&s, 0);
	s.req.dr_nsinks = 0;
	assert_int_equal(dump_write(&s.req, &s.res), DUMP_ENXIO);
	assert_int_equal(dump_estimate(&s.req, &s.res), 0);
	assert_true(s.res.res_bytes > 0);
	assert_int_equal(s.res.res_need, s.res.res_bytes);
	teardown(&s);
}

/* ---- Too small ---- */

static void
set_media(struct setup *s, int i, uint64_t len)
{
	s->sinks[i].media_len = len;
	s->ds[i].ds_media_len = len;
}

static void
test_one_block(void **state)
{
	struct setup s;
	uint64_t need;

	(void)state;
	for (int format = DUMP_FORMAT_MINIDUMP1; format <= DUMP_FORMAT_FULL;
	     format++) {
		setup(&s, 0);
		s.req.dr_format = (enum dump_format)format;
		s.req.dr_flags = DUMP_FLAG_EXACT;
		assert_int_equal(dump_estimate(&s.req, &s.res), 0);
		need = s.res.res_need;
		assert_int_equal(need, s.res.res_bytes + RESERVED + 1024);
		set_media(&s, 0, need - 512);
		assert_int_equal(dump_estimate(&s.req, &s.res), DUMP_E2BIG);
		assert_int_equal(dump_write(&s.req, &s.res), DUMP_E2BIG);
		assert_int_equal(s.res.res_need, need);
		assert_int_equal(s.sinks[0].nopen, 0);
		assert_true(sink_untouched(&s.sinks[0], 0, need));
		set_media(&s, 0, need);
		assert_int_equal(dump_write(&s.req, &s.res), 0);
		check_whole(&s, &s.sinks[0], 0);
		assert_true(sink_untouched(&s.sinks[0], 0, RESERVED));
		teardown(&s);
	}
}

/* The end of a media that is no whole number of blocks is left alone. */
static void
test_odd_media(void **state)
{
	struct setup s;

	(void)state;
	setup(&s, 0);
	s.ds[0].ds_media_len = MEDIA_LEN - 5;
	assert_int_equal(dump_write(&s.req, &s.res), 0);
	assert_true(sink_untouched(&s.sinks[0], MEDIA_LEN - 512, MEDIA_LEN));
	s.sinks[0].media_len = MEDIA_LEN - 512;
	check_whole(&s, &s.sinks[0], 0);
	teardown(&s);
}

static const struct shrink_row {
	const char *name;
	enum dump_format format;
	unsigned int flags;
	enum dump_format as_format; /* of what just fits */
	unsigned int as_flags;
} shrink_rows[] = {
	{ "leaves out user pages", DUMP_FORMAT_MINIDUMP3, DUMP_FLAG_ALLUSER,
	    DUMP_FORMAT_MINIDUMP3, 0 },
	{ "leaves out bulk that describes nothing", DUMP_FORMAT_MINIDUMP1,
	    DUMP_FLAG_ALLBULK | DUMP_FLAG_ALLUSER, DUMP_FORMAT_MINIDUMP1, 0 },
	{ "leaves out the owners of pages", DUMP_FORMAT_MINIDUMP1,
	    DUMP_FLAG_ALLBULK, DUMP_FORMAT_MINIDUMP1, DUMP_FLAG_NOOWNERS },
	{ "leaves out all bulk", DUMP_FORMAT_MINIDUMP1, DUMP_FLAG_ALLBULK,
	    DUMP_FORMAT_MINIDUMP1, DUMP_FLAG_NOBULK | DUMP_FLAG_NOOWNERS },
	{ "a full dump becomes a minidump", DUMP_FORMAT_FULL, 0,
	    DUMP_FORMAT_MINIDUMP1, 0 },
};

static void
test_shrink(void **state)
{
	const struct shrink_row *row = *state;
	struct setup s;
	uint64_t small, large;

	setup(&s, 0);
	s.sim->machine.dm_kva_len = 0x2000000;
	s.req.dr_format = row->format;
	s.req.dr_flags = row->flags | DUMP_FLAG_EXACT;
	assert_int_equal(dump_estimate(&s.req, &s.res), 0);
	large = s.res.res_need;
	s.req.dr_format = row->as_format;
	s.req.dr_flags = row->as_flags | DUMP_FLAG_EXACT;
	assert_int_equal(dump_estimate(&s.req, &s.res), 0);
	small = s.res.res_need;
	assert_true(small < large);

	set_media(&s, 0, small);
	s.req.dr_format = row->format;
	s.req.dr_flags = row->flags | DUMP_FLAG_EXACT;
	assert_int_equal(dump_write(&s.req, &s.res), DUMP_E2BIG);
	assert_int_equal(s.res.res_need, large);
	s.req.dr_flags = row->flags;
	assert_int_equal(dump_write(&s.req, &s.res), 0);
	assert_int_equal(s.res.res_format, row->as_format);
	assert_int_equal(s.res.res_flags, row->as_flags);
	assert_int_equal(s.res.res_need, small);
	s.req.dr_format = row->as_format;
	check_whole(&s, &s.sinks[0], row->as_flags);
	teardown(&s);
}

/* Nothing fits: the need is that of the least. */
static void
test_too_small(void **state)
{
	struct setup s;
	uint64_t least;

	(void)state;
	setup(&s, 0);
	s.req.dr_flags = DUMP_FLAG_NOBULK | DUMP_FLAG_NOOWNERS;
	assert_int_equal(dump_estimate(&s.req, &s.res), 0);
	least = s.res.res_need;
	set_media(&s, 0, least - 512);
	set_media(&s, 1, 0);
	s.req.dr_nsinks = 2;
	s.req.dr_format = DUMP_FORMAT_FULL;
	s.req.dr_flags = DUMP_FLAG_ALLBULK | DUMP_FLAG_ALLUSER;
	assert_int_equal(dump_write(&s.req, &s.res), DUMP_E2BIG);
	assert_int_equal(s.res.res_need, least);
	assert_true(sink_untouched(&s.sinks[0], 0, least - 512));
	teardown(&s);
}

/* ---- Kinds of sinks ---- */

static const struct kind_row {
	const char *name;
	uint32_t block_len;
	size_t max_io;
	unsigned int maxiov;
	unsigned int depth;
} kind_rows[] = {
	{ "a page a write", 512, 4096, 0, 0 },
	{ "a piece a write", 512, 0, 1, 4 },
	{ "4 KB blocks", 4096, 0, 0, 2 },
	{ "odd limits", 1024, 12345, 3, 3 },
	{ "no limits", 512, 0, 0, 0 },
};

static void
test_kind(void **state)
{
	const struct kind_row *row = *state;
	struct setup s;

	for (int format = DUMP_FORMAT_MINIDUMP1; format <= DUMP_FORMAT_FULL;
	     format++) {
		setup(&s, row->depth);
		s.sinks[0].block_len = row->block_len;
		s.sinks[0].max_io = row->max_io;
		s.sinks[0].maxiov = row->maxiov;
		s.ds[0] =
		    sink_describe(&s.sinks[0], DUMP_MEDIA_DEVICE, row->depth);
		s.req.dr_format = (enum dump_format)format;
		assert_int_equal(dump_write(&s.req, &s.res), 0);
		check_whole(&s, &s.sinks[0], 0);
		teardown(&s);
	}
}

/* ---- A device that is kept busy ---- */

/* The writes in flight at each write of data, and at each call of a hook. */
static struct {
	unsigned int at_submit[DUMP_MAXDEPTH];
	unsigned int at_hook[DUMP_MAXDEPTH + 1];
} busy;

static unsigned int
in_flight(const struct sink *sink)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < DUMP_MAXDEPTH; i++)
		n += sink->pending[i];
	return (n);
}

static void
count_at_submit(struct sink *sink, uint64_t off)
{
	(void)off;
	if (dump_phase(&sink->sim->work) == DUMP_PHASE_DATA)
		busy.at_submit[in_flight(sink)]++;
}

static void
count_at_hook(void *arg, enum dump_phase phase, uint64_t done, uint64_t total)
{
	(void)done;
	(void)total;
	if (phase == DUMP_PHASE_DATA)
		busy.at_hook[in_flight(arg)]++;
}

/*
 * The newest write comes back first, and its place is taken at once.  Hooks may
 * take their time: as many writes as there may be are in flight meanwhile.
 */
static void
test_busy(void **state)
{
	struct dump_hooks hooks = { .dh_progress = count_at_hook };
	struct setup s;

	(void)state;
	setup(&s, 4);
	memset(&busy, 0, sizeof(busy));
	hooks.dh_arg = &s.sinks[0];
	s.req.dr_hooks = &hooks;
	s.sinks[0].before_submit = count_at_submit;
	assert_int_equal(dump_write(&s.req, &s.res), 0);
	for (unsigned int n = 0; n < 3; n++) {
		assert_int_equal(busy.at_submit[n], 1);
		assert_int_equal(busy.at_hook[n], n > 0);
	}
	assert_true(busy.at_submit[3] > 10);
	assert_true(busy.at_hook[4] > 10);
	teardown(&s);
}

/* ---- Requests that make no sense ---- */

static void
spoil_work(struct setup *s)
{
	s->req.dr_work = NULL;
}

static void
spoil_machine(struct setup *s)
{
	s->req.dr_machine = NULL;
}

static void
spoil_format(struct setup *s)
{
	s->req.dr_format = (enum dump_format)3;
}

static void
spoil_sinks(struct setup *s)
{
	s->req.dr_sinks = NULL;
}

static void
spoil_arch(struct setup *s)
{
	s->sim->machine.dm_arch = ARCH_ARM64;
}

static void
spoil_arch_count(struct setup *s)
{
	s->sim->machine.dm_arch = ARCH_COUNT;
}

static void
spoil_pages(struct setup *s)
{
	s->sim->machine.dm_pages = NULL;
}

static void
spoil_look(struct setup *s)
{
	s->sim->machine.dm_page = NULL;
}

static void
spoil_start(struct setup *s)
{
	s->sim->machine.dm_kva_start++;
}

static void
spoil_start3(struct setup *s)
{
	s->req.dr_format = DUMP_FORMAT_MINIDUMP3;
	s->sim->machine.dm_kva_start -= 0x200000;
}

static void
spoil_len(struct setup *s)
{
	s->sim->machine.dm_kva_len = SIM_KVA_LEN + 1;
}

static void
spoil_dmap(struct setup *s)
{
	s->sim->machine.dm_dmap_end = s->sim->machine.dm_dmap_start - 1;
}

static void
spoil_block(struct setup *s)
{
	s->ds[0].ds_block_len = 256;
}

static void
spoil_block2(struct setup *s)
{
	s->ds[0].ds_block_len = 513;
}

static void
spoil_block3(struct setup *s)
{
	s->ds[0].ds_block_len = 8192;
}

static void
spoil_max_io(struct setup *s)
{
	s->ds[0].ds_max_io = 4095;
}

static void
spoil_submit(struct setup *s)
{
	s->ds[0].ds_submit = NULL;
}

static void
spoil_media(struct setup *s)
{
	s->ds[0].ds_media = (enum dump_media)2;
}
/* 4 GB of page-table entries: 2 TB of kernel map. */
static void
spoil_map(struct setup *s)
{
	s->sim->machine.dm_kva_start = UINT64_C(0xffff800000000000);
	s->sim->machine.dm_kva_len = UINT64_C(1) << 41;
}

static const struct bad_row {
	const char *name;
	void (*spoil)(struct setup *s);
} bad_rows[] = {
	{ "refuses: no work area", spoil_work },
	{ "refuses: no machine", spoil_machine },
	{ "refuses: unknown format", spoil_format },
	{ "refuses: sinks that are not there", spoil_sinks },
	{ "refuses: a machine whose tables it cannot walk", spoil_arch },
	{ "refuses: a machine that there is not", spoil_arch_count },
	{ "refuses: no page set", spoil_pages },
	{ "refuses: no way to look at a page", spoil_look },
	{ "refuses: kernel map not aligned", spoil_start },
	{ "refuses: kernel map not aligned, version 3", spoil_start3 },
	{ "refuses: kernel map that wraps", spoil_len },
	{ "refuses: kernel map too large for version 1", spoil_map },
	{ "refuses: direct map that ends before it starts", spoil_dmap },
	{ "refuses: blocks too small", spoil_block },
	{ "refuses: blocks of no power of two", spoil_block2 },
	{ "refuses: blocks larger than a page", spoil_block3 },
	{ "refuses: writes of less than a page", spoil_max_io },
	{ "refuses: no way to write", spoil_submit },
	{ "refuses: unknown media", spoil_media },
};

static void
test_bad(void **state)
{
	const struct bad_row *row = *state;
	struct setup s;

	setup(&s, 0);
	row->spoil(&s);
	assert_int_equal(dump_write(&s.req, &s.res), DUMP_EINVAL);
	assert_int_equal(dump_estimate(&s.req, &s.res), DUMP_EINVAL);
	assert_int_equal(s.sinks[0].nopen, 0);
	teardown(&s);
}

int
main(void)
{
	struct CMUnitTest tests[64];
	size_t n = 0;

	ADD_ROWS(tests, n, failing_rows, test_failing);
	ADD_ROWS(tests, n, shrink_rows, test_shrink);
	ADD_ROWS(tests, n, kind_rows, test_kind);
	ADD_ROWS(tests, n, bad_rows, test_bad);
	tests[n++] = row_test("the only sink fails", test_failing_only, NULL);
	tests[n++] = row_test("the device is kept busy", test_busy, NULL);
	tests[n++] = row_test("names the section that failed",
	    test_failed_section, NULL);
	tests[n++] = row_test("flushes between steps", test_flushed, NULL);
	tests[n++] = row_test("an old dump is erased", test_old_dump, NULL);
	tests[n++] = row_test("open fails", test_open_fails, NULL);
	tests[n++] = row_test("no sink", test_no_sink, NULL);
	tests[n++] = row_test("one block too small", test_one_block, NULL);
	tests[n++] = row_test("odd length of media", test_odd_media, NULL);
	tests[n++] = row_test("nothing fits", test_too_small, NULL);
	return (RUN_TESTS(tests, n));
}
