/* Dumps of machines made at random: read back, every byte compared. */
#include <string.h>

#include "format/kerneldump.h"
#include "tests/dumper/readback.h"
#include "tests/dumper/sink.h"
#include "tests/support/unit.h"

#define MEDIA_LEN (20 * 1024 * 1024)

/* As a PC has it, with holes; and one that starts and ends oddly. */
static const struct dump_range pc[] = {
	{ 0, 0x9f000 },
	{ 0x100000, 0xa00000 },
	{ 0x40000000, 0x40123000 },
};
static const struct dump_range odd[] = {
	{ 0x7000, 0x8000 },
	{ 0x41000, 0x42000 },
	{ 0x42000, 0xac3000 },
	{ UINT64_C(0x123456000), UINT64_C(0x123457000) },
	{ UINT64_C(0x200000000), UINT64_C(0x20007f000) },
};

static const struct row {
	const char *name;
	const struct dump_range *ranges;
	size_t nranges;
	enum dump_format format;
	unsigned int flags;
	enum dump_media media;
	unsigned int depth;
} rows[] = {
	{ "version 1, file", pc, 3, DUMP_FORMAT_MINIDUMP1, 0, DUMP_MEDIA_FILE,
	    0 },
	{ "version 1, device", pc, 3, DUMP_FORMAT_MINIDUMP1, 0,
	    DUMP_MEDIA_DEVICE, 4 },
	{ "version 1, odd segments", odd, 5, DUMP_FORMAT_MINIDUMP1, 0,
	    DUMP_MEDIA_FILE, 2 },
	{ "version 1, all bulk", pc, 3, DUMP_FORMAT_MINIDUMP1,
	    DUMP_FLAG_ALLBULK, DUMP_MEDIA_FILE, 0 },
	{ "version 1, no bulk", pc, 3, DUMP_FORMAT_MINIDUMP1, DUMP_FLAG_NOBULK,
	    DUMP_MEDIA_FILE, 0 },
	{ "version 1, user pages", pc, 3, DUMP_FORMAT_MINIDUMP1,
	    DUMP_FLAG_ALLUSER, DUMP_MEDIA_FILE, 0 },
	{ "version 1, no owners", pc, 3, DUMP_FORMAT_MINIDUMP1,
	    DUMP_FLAG_NOOWNERS, DUMP_MEDIA_FILE, 0 },
	{ "version 3, no owners", odd, 5, DUMP_FORMAT_MINIDUMP3,
	    DUMP_FLAG_NOOWNERS, DUMP_MEDIA_DEVICE, 2 },
	{ "version 3, file", pc, 3, DUMP_FORMAT_MINIDUMP3, 0, DUMP_MEDIA_FILE,
	    0 },
	{ "version 3, device", pc, 3, DUMP_FORMAT_MINIDUMP3, 0,
	    DUMP_MEDIA_DEVICE, 3 },
	{ "version 3, odd segments", odd, 5, DUMP_FORMAT_MINIDUMP3, 0,
	    DUMP_MEDIA_DEVICE, 0 },
	{ "version 3, everything", odd, 5, DUMP_FORMAT_MINIDUMP3,
	    DUMP_FLAG_ALLBULK | DUMP_FLAG_ALLUSER, DUMP_MEDIA_FILE, 4 },
	{ "full, file", pc, 3, DUMP_FORMAT_FULL, 0, DUMP_MEDIA_FILE, 0 },
	{ "full, device", pc, 3, DUMP_FORMAT_FULL, 0, DUMP_MEDIA_DEVICE, 4 },
	{ "full, odd segments", odd, 5, DUMP_FORMAT_FULL, 0, DUMP_MEDIA_FILE,
	    1 },
};

static struct dump_request
request(struct sim *sim, const struct row *row, const struct dump_sink *sink)
{
	return ((struct dump_request){ .dr_machine = &sim->machine,
	    .dr_format = row->format,
	    .dr_flags = row->flags,
	    .dr_sinks = sink,
	    .dr_nsinks = 1,
	    .dr_work = &sim->work });
}

static void
check_header(const struct sink *sink, const struct dump_result *res)
{
	struct span last = { sink->media + sink->media_len - 512, 512 };
	struct kerneldump_hdr kh;
	const char *why = NULL;
	uint64_t off, len;

	assert_true(sink_find_dump(sink, &off, &len));
	assert_int_equal(len, res->res_bytes);
	assert_true(sink_untouched(sink, 0, off - 512));
	assert_true(kerneldump_decode(last, &kh, &why));
	assert_string_equal(kh.kh_magic, "FreeBSD Kernel Dump");
	assert_string_equal(kh.kh_architecture, "amd64");
	assert_int_equal(kh.kh_version, 4);
	assert_int_equal(kh.kh_arch_version, 2);
	assert_int_equal(kh.kh_dump_time, 1234567890);
	assert_int_equal(kh.kh_block_len, 512);
	assert_int_equal(kh.kh_extent_len, len);
	assert_string_equal(kh.kh_hostname, "sim");
	assert_string_equal(kh.kh_version_string, "vmcore sim 1\n");
	assert_string_equal(kh.kh_panic_string, "simulated");
}

static void
check_result(struct sim *sim, const struct row *row,
    const struct dump_result *res)
{
	uint64_t npages = 0;
	uint64_t want = 0;

	for (int class = 0; class < DUMP_NCLASSES; class ++)
		npages += res->res_pages[class];
	for (size_t i = 0; i < sim->nranges; i++)
		for (uint64_t pa = sim->ranges[i].r_start;
		     pa < sim->ranges[i].r_end; pa += DUMP_PAGE_SIZE)
			want += sim_dumped(sim, pa, row->format, row->flags);
	assert_int_equal(npages, want);
	assert_int_equal(res->res_error, 0);
	assert_int_equal(res->res_format, row->format);
	assert_int_equal(res->res_nrecorded, 0);
}

/* The pages that were chosen are those of the model, one after the other. */
static void
check_chosen(struct sim *sim, const struct row *row)
{
	uint64_t next = 0, pa;

	if (row->format == DUMP_FORMAT_FULL)
		return;
	for (uint64_t i = 0; i < sim->npages; i++) {
		if (!sim_dumped(sim, sim_pa(sim, i), row->format, row->flags))
			continue;
		assert_true(dump_pages_next(&sim->pages, &next, &pa));
		assert_int_equal(pa, sim_pa(sim, i));
	}
	assert_false(dump_pages_next(&sim->pages, &next, &pa));
}

/* On failure cmocka leaves by longjmp: what was allocated is lost with it. */
static void
test_row(void **state)
{
	const struct row *row = *state;

	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct sim *sim = sim_create(row->ranges, row->nranges, seed);
		struct dump_result res, estimate;
		struct dump_request req;
		struct dump_sink ds;
		struct sink sink;
		uint64_t off = 0;

		sink_init(&sink, MEDIA_LEN);
		sink.sim = sim;
		ds = sink_describe(&sink, row->media, row->depth);
		sim_scatter(sim);
		req = request(sim, row, &ds);
		assert_int_equal(dump_estimate(&req, &estimate), 0);
		assert_int_equal(sink.nsubmit + sink.nopen, 0);
		assert_int_equal(dump_write(&req, &res), 0);
		assert_int_equal(estimate.res_bytes, res.res_bytes);
		assert_int_equal(sink.nopen, 1);
		assert_int_equal(sink.nclose, 1);
		check_result(sim, row, &res);
		check_chosen(sim, row);
		if (row->media == DUMP_MEDIA_DEVICE) {
			check_header(&sink, &res);
			off = sink.media_len - 512 - res.res_bytes;
		} else {
			assert_int_equal(sink.written, res.res_bytes);
		}
		if (row->depth > 1)
			assert_int_equal(sink.max_pending, row->depth);
		readback(sim, sink.media + off, res.res_bytes, row->format,
		    row->flags, READBACK_EXACT);
		sink_fini(&sink);
		sim_destroy(sim);
	}
}

/* A page that is never dumped, and what would have it in a dump otherwise. */
static const struct never_row {
	const char *name;
	unsigned int level; /* of the entry that maps it */
	unsigned int classes;
	unsigned int flags;
} never_rows[] = {
	{ "never: though mapped", 0, 0, 0 },
	{ "never: though mapped in 2 MB", 1, 0, 0 },
	{ "never: though core", 0, 1 << DUMP_CLASS_CORE, 0 },
	{ "never: though bulk, all of it", 0, 1 << DUMP_CLASS_BULK,
	    DUMP_FLAG_ALLBULK },
	{ "never: though user, all of it", 0, 1 << DUMP_CLASS_USER,
	    DUMP_FLAG_ALLUSER },
};

static void
add_never(struct sim *sim, const struct never_row *row, uint64_t pa)
{
	sim_map(sim, SIM_KERNBASE + 0x400000, pa, row->level, SIM_RW);
	for (int class = 0; class < DUMP_CLASS_NEVER; class++)
		if ((row->classes & 1U << class) != 0)
			sim_add(sim, pa, (enum dump_class)class);
	sim_add(sim, pa, DUMP_CLASS_NEVER);
}

/* A full dump has all memory, also this. */
static void
test_never(void **state)
{
	const struct never_row *never = *state;

	for (int format = DUMP_FORMAT_MINIDUMP1; format <= DUMP_FORMAT_FULL;
	     format++) {
		struct row row = { .format = (enum dump_format)format,
			.flags = never->flags };
		struct sim *sim = sim_create(pc, 3, 12);
		struct dump_result res;
		struct dump_request req;
		struct dump_sink ds;
		struct sink sink;

		sink_init(&sink, MEDIA_LEN);
		ds = sink_describe(&sink, DUMP_MEDIA_FILE, 0);
		req = request(sim, &row, &ds);
		add_never(sim, never, 0x200000);
		assert_int_equal(sim_dumped(sim, 0x200000, row.format,
				     row.flags),
		    format == DUMP_FORMAT_FULL);
		assert_int_equal(dump_write(&req, &res), 0);
		assert_int_equal(res.res_pages[DUMP_CLASS_NEVER], 0);
		check_result(sim, &row, &res);
		readback(sim, sink.media, res.res_bytes, row.format, row.flags,
		    READBACK_EXACT);
		sink_fini(&sink);
		sim_destroy(sim);
	}
}

/* Pages that are mapped past the end of the kernel map are in no dump. */
static void
test_short_map(void **state)
{
	struct row row = { .format = DUMP_FORMAT_MINIDUMP1 };

	(void)state;
	for (; row.format <= DUMP_FORMAT_MINIDUMP3; row.format++) {
		struct sim *sim = sim_create(pc, 3, 11);
		struct dump_result res;
		struct dump_request req;
		struct dump_sink ds;
		struct sink sink;

		sink_init(&sink, MEDIA_LEN);
		ds = sink_describe(&sink, DUMP_MEDIA_FILE, 0);
		req = request(sim, &row, &ds);
		sim->machine.dm_kva_len = 0x400000 - DUMP_PAGE_SIZE;
		sim_map(sim, SIM_KERNBASE + 0x3ff000, sim_page(sim), 0, SIM_RW);
		sim_map(sim, SIM_KERNBASE + 0x400000, sim_page(sim), 0, SIM_RW);
		sim->lost = (struct sim_map){ .va = SIM_KERNBASE + 0x400000,
			.len = SIM_KVA_LEN - 0x400000 };
		assert_int_equal(dump_write(&req, &res), 0);
		readback(sim, sink.media, res.res_bytes, row.format, 0,
		    READBACK_EXACT);
		sink_fini(&sink);
		sim_destroy(sim);
	}
}

/*
 * A core page, its description, the description of that, and so on: of pages
 * that look alike, only those are dumped.
 */
static void
test_chain(void **state)
{
	const struct row row = { .format = DUMP_FORMAT_MINIDUMP1 };
	struct sim *sim = sim_create(odd, 5, 9);
	struct dump_result res;
	struct dump_request req;
	struct dump_sink ds;
	struct sink sink;

	(void)state;
	sink_init(&sink, MEDIA_LEN);
	ds = sink_describe(&sink, DUMP_MEDIA_FILE, 0);
	req = request(sim, &row, &ds);
	for (uint64_t index = 1; index < 2000; index *= 8)
		sim_add(sim, sim_pa(sim, index), DUMP_CLASS_BULK);
	for (uint64_t index = 3; index < 2000; index *= 8)
		sim_add(sim, sim_pa(sim, index), DUMP_CLASS_BULK);
	sim_add(sim, sim_pa(sim, 512 * 3), DUMP_CLASS_CORE);
	assert_int_equal(dump_write(&req, &res), 0);
	assert_true(sim_dumped(sim, sim_pa(sim, 3), DUMP_FORMAT_MINIDUMP1, 0));
	assert_int_equal(res.res_pages[DUMP_CLASS_BULK], 3);
	readback(sim, sink.media, res.res_bytes, DUMP_FORMAT_MINIDUMP1, 0,
	    READBACK_EXACT);
	sink_fini(&sink);
	sim_destroy(sim);
}

int
main(void)
{
	struct CMUnitTest tests[32];
	size_t n = 0;

	ADD_ROWS(tests, n, rows, test_row);
	ADD_ROWS(tests, n, never_rows, test_never);
	tests[n++] = row_test("descriptions of descriptions", test_chain, NULL);
	tests[n++] = row_test("map that ends early", test_short_map, NULL);
	return (RUN_TESTS(tests, n));
}
