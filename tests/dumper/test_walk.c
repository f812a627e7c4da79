/* Page tables that are what the kernel died of. */
#include <string.h>

#include "format/bytes.h"
#include "tests/dumper/readback.h"
#include "tests/dumper/sink.h"
#include "tests/support/unit.h"

#define MEDIA_LEN (16 * 1024 * 1024)

/* Mapped by 4 KB, by 2 MB; the second is what is damaged. */
#define GOOD_VA (SIM_KERNBASE + 0x10000000)
#define BAD_VA	(SIM_KERNBASE + 0x48000000)

#define BEYOND	UINT64_C(0x030000000000)
#define DEVICE	UINT64_C(0x0000fee00000)
#define NOT_CPU UINT64_C(0x400000000000) /* bit 46: phys_bits is 46 */
#define NONE	DUMP_NBAD

static const struct dump_range memory[] = {
	{ 0, 0x9f000 },
	{ 0x100000, 0xa00000 },
	{ 0x40000000, 0x40123000 },
};

static const struct dump_range devices[] = { { DEVICE, DEVICE + 0x1000 } };

/* New values of entries that are known only at run time. */
enum { SELF = 1, ROOT, GARBAGE, NEVER };

static const struct row {
	const char *name;
	unsigned int level;
	uint64_t entry;
	enum dump_bad want; /* NONE: nothing is wrong with it */
} rows[] = {
	{ "PTE: reserved bits", 0, NOT_CPU | SIM_V, DUMP_BAD_RESERVED },
	{ "PTE: beyond memory", 0, BEYOND | SIM_V, DUMP_BAD_PAGE },
	{ "PTE: in a hole", 0, 0xa0000 | SIM_V, DUMP_BAD_PAGE },
	{ "PTE: a device", 0, DEVICE | SIM_V, NONE },
	{ "PTE: itself", 0, SELF, NONE },
	{ "PTE: not valid", 0, BEYOND | SIM_RW, NONE },
	{ "PDE: reserved bits", 1, NOT_CPU | SIM_V, DUMP_BAD_RESERVED },
	{ "PDE: a large page with low bits", 1, 0x202000 | SIM_PS | SIM_V,
	    DUMP_BAD_RESERVED },
	{ "PDE: a large page beyond memory", 1, BEYOND | SIM_PS | SIM_V,
	    DUMP_BAD_PAGE },
	{ "PDE: beyond memory", 1, BEYOND | SIM_V, DUMP_BAD_TABLE },
	{ "PDE: in a hole", 1, 0xa0000 | SIM_V, DUMP_BAD_TABLE },
	{ "PDE: a device", 1, DEVICE | SIM_V, DUMP_BAD_TABLE },
	{ "PDE: itself", 1, SELF, DUMP_BAD_SELF },
	{ "PDE: the root", 1, ROOT, DUMP_BAD_SELF },
	{ "PDE: random bits", 1, GARBAGE, DUMP_BAD_RESERVED },
	{ "PDE: a page that is never dumped", 1, NEVER, DUMP_BAD_NEVER },
	{ "PDPTE: reserved bits", 2, NOT_CPU | SIM_V, DUMP_BAD_RESERVED },
	{ "PDPTE: a huge page with low bits", 2, 0x200000 | SIM_PS | SIM_V,
	    DUMP_BAD_RESERVED },
	{ "PDPTE: a huge page beyond memory", 2, BEYOND | SIM_PS | SIM_V,
	    DUMP_BAD_PAGE },
	{ "PDPTE: beyond memory", 2, BEYOND | SIM_V, DUMP_BAD_TABLE },
	{ "PDPTE: in a hole", 2, 0xa0000 | SIM_V, DUMP_BAD_TABLE },
	{ "PDPTE: a device", 2, DEVICE | SIM_V, DUMP_BAD_TABLE },
	{ "PDPTE: itself", 2, SELF, DUMP_BAD_SELF },
	{ "PDPTE: the root", 2, ROOT, DUMP_BAD_SELF },
	{ "PDPTE: random bits", 2, GARBAGE, DUMP_BAD_RESERVED },
	{ "PDPTE: a page that is never dumped", 2, NEVER, DUMP_BAD_NEVER },
	{ "PML4E: reserved bits", 3, NOT_CPU | SIM_V, DUMP_BAD_RESERVED },
	{ "PML4E: a page", 3, 0x200000 | SIM_PS | SIM_V, DUMP_BAD_RESERVED },
	{ "PML4E: beyond memory", 3, BEYOND | SIM_V, DUMP_BAD_TABLE },
	{ "PML4E: in a hole", 3, 0xa0000 | SIM_V, DUMP_BAD_TABLE },
	{ "PML4E: a device", 3, DEVICE | SIM_V, DUMP_BAD_TABLE },
	{ "PML4E: itself", 3, SELF, DUMP_BAD_SELF },
	{ "PML4E: random bits", 3, GARBAGE, DUMP_BAD_RESERVED },
	{ "PML4E: a page that is never dumped", 3, NEVER, DUMP_BAD_NEVER },
};

static struct sim *
make_machine(void)
{
	struct sim *sim = sim_create(memory, NROWS(memory), 42);

	sim->machine.dm_devices = devices;
	sim->machine.dm_ndevices = NROWS(devices);
	sim_scatter(sim);
	for (uint64_t i = 0; i < 20; i++) {
		sim_map(sim, GOOD_VA + i * DUMP_PAGE_SIZE, sim_page(sim), 0,
		    SIM_RW);
		sim_map(sim, BAD_VA + i * DUMP_PAGE_SIZE, sim_page(sim), 0,
		    SIM_RW);
	}
	return (sim);
}

/* A page of which every entry is valid and nearly every one wrong. */
static uint64_t
make_garbage(struct sim *sim)
{
	uint64_t pa = sim_page(sim);

	for (size_t off = 0; off < DUMP_PAGE_SIZE; off += 8)
		le64enc(sim_bytes(sim, pa) + off,
		    sim_random(sim, UINT64_MAX) | SIM_V);
	return (pa);
}

/* A page that is full of this, and must not be in a minidump. */
#define SECRET UINT64_C(0x5ec4e75ec4e70000)

static uint64_t
make_secret(struct sim *sim)
{
	uint64_t pa = sim_page(sim);

	for (size_t off = 0; off < DUMP_PAGE_SIZE; off += 8)
		le64enc(sim_bytes(sim, pa) + off, SECRET | SIM_V);
	sim_add(sim, pa, DUMP_CLASS_NEVER);
	return (pa);
}

static void
check_secret(const struct sink *sink, uint64_t len)
{
	for (uint64_t off = 0; off < len; off += 8)
		assert_int_not_equal(le64dec(sink->media + off),
		    SECRET | SIM_V);
}

static uint64_t
entry_of(struct sim *sim, const struct row *row)
{
	switch (row->entry) {
	case SELF:
		return (sim_table(sim, BAD_VA, row->level) | SIM_V | SIM_RW);
	case ROOT:
		return (sim->tables[0].pa | SIM_V | SIM_RW);
	case GARBAGE:
		return (make_garbage(sim) | SIM_V | SIM_RW);
	case NEVER:
		return (make_secret(sim) | SIM_V | SIM_RW);
	default:
		return (row->entry);
	}
}

/* Garbage maps what it likes, and a table that maps itself is mapped. */
static enum readback_mode
mode_of(const struct row *row)
{
	return (row->entry == GARBAGE ||
		    (row->entry == SELF && row->level == 0) ?
		READBACK_AT_LEAST :
		READBACK_EXACT);
}

static void
check_anomalies(const struct row *row, const struct dump_result *res)
{
	const struct dump_anomaly *first = &res->res_recorded[0];
	uint64_t nbad = 0;

	for (int i = 0; i < DUMP_NBAD; i++)
		nbad += res->res_bad[i];
	if (row->want == NONE) {
		assert_int_equal(nbad, 0);
		return;
	}
	assert_true(res->res_bad[row->want] > 0);
	if (row->entry == GARBAGE)
		return;
	assert_int_equal(nbad, 1);
	assert_int_equal(res->res_nrecorded, 1);
	assert_int_equal(first->da_kind, row->want);
	assert_int_equal(first->da_level, row->level);
	assert_true(BAD_VA >= first->da_va || row->level == 3);
}

static void
dump(struct sim *sim, enum dump_format format, struct sink *sink,
    struct dump_result *res)
{
	struct dump_sink ds;
	struct dump_request req;

	sink_init(sink, MEDIA_LEN);
	sink->sim = sim;
	ds = sink_describe(sink, DUMP_MEDIA_FILE, 0);
	req = (struct dump_request){ .dr_machine = &sim->machine,
		.dr_format = format,
		.dr_sinks = &ds,
		.dr_nsinks = 1,
		.dr_work = &sim->work };
	assert_int_equal(dump_write(&req, res), 0);
}

/* libkvm walks the page tables of a full dump, which are part of its memory. */
static void
test_row(void **state)
{
	const struct row *row = *state;

	for (int format = DUMP_FORMAT_MINIDUMP1; format <= DUMP_FORMAT_FULL;
	     format++) {
		struct sim *sim = make_machine();
		struct dump_result res;
		struct sink sink;

		sim_damage(sim, BAD_VA, row->level, entry_of(sim, row));
		dump(sim, (enum dump_format)format, &sink, &res);
		check_anomalies(row, &res);
		if (format != DUMP_FORMAT_FULL || row->level < 3)
			readback(sim, sink.media, res.res_bytes,
			    (enum dump_format)format, 0,
			    format == DUMP_FORMAT_FULL ? READBACK_AT_LEAST :
							 mode_of(row));
		if (format != DUMP_FORMAT_FULL)
			check_secret(&sink, res.res_bytes);
		sink_fini(&sink);
		sim_destroy(sim);
	}
}

static const struct unreadable_row {
	const char *name;
	unsigned int level;
} unreadable_rows[] = {
	{ "unreadable page table", 0 },
	{ "unreadable page directory", 1 },
	{ "unreadable page-directory pointers", 2 },
	{ "unreadable root", 3 },
};

/* The table that holds entries at a level: lost with all that it maps. */
static void
test_unreadable(void **state)
{
	unsigned int level = ((const struct unreadable_row *)*state)->level;

	for (int format = DUMP_FORMAT_MINIDUMP1;
	     format <= DUMP_FORMAT_MINIDUMP3; format++) {
		struct sim *sim = make_machine();
		uint64_t table = sim_table(sim, BAD_VA, level);
		uint64_t len = UINT64_C(1) << (21 + 9 * level);
		struct dump_result res;
		struct sink sink;

		sim->unreadable[sim_index(sim, table)] = 1;
		sim->lost =
		    (struct sim_map){ .va = BAD_VA & ~(len - 1), .len = len };
		dump(sim, (enum dump_format)format, &sink, &res);
		assert_int_equal(res.res_recorded[0].da_kind,
		    DUMP_BAD_UNREADABLE);
		assert_int_equal(res.res_recorded[0].da_level, level + 1);
		assert_int_equal(res.res_recorded[0].da_pa, table);
		readback(sim, sink.media, res.res_bytes,
		    (enum dump_format)format, 0, READBACK_EXACT);
		sink_fini(&sink);
		sim_destroy(sim);
	}
}

static void
test_bad_root(void **state)
{
	static const uint64_t roots[] = { BEYOND, DEVICE, 0xa0000, 0x1008,
		UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < NROWS(roots); i++) {
		struct sim *sim = make_machine();
		struct dump_result res;
		struct sink sink;

		sim->machine.dm_root_pa = roots[i];
		sim->lost = (struct sim_map){ .va = UINT64_C(0xffff) << 48,
			.len = UINT64_C(1) << 48 };
		dump(sim, DUMP_FORMAT_MINIDUMP3, &sink, &res);
		assert_int_equal(res.res_bad[DUMP_BAD_TABLE], 1);
		assert_int_equal(res.res_recorded[0].da_level, 4);
		readback(sim, sink.media, res.res_bytes, DUMP_FORMAT_MINIDUMP3,
		    0, READBACK_EXACT);
		sink_fini(&sink);
		sim_destroy(sim);
	}
}

/* A 1 GB page, of which a part is memory. */
static void
test_huge_page(void **state)
{
	(void)state;
	for (int format = DUMP_FORMAT_MINIDUMP1; format <= DUMP_FORMAT_FULL;
	     format++) {
		struct sim *sim = sim_create(memory, NROWS(memory), 7);
		struct dump_result res;
		struct sink sink;

		sim_map(sim, SIM_KERNBASE + 0x40000000, 0x40000000, 2, SIM_RW);
		dump(sim, (enum dump_format)format, &sink, &res);
		assert_int_equal(res.res_nrecorded, 0);
		readback(sim, sink.media, res.res_bytes,
		    (enum dump_format)format, 0, READBACK_EXACT);
		sink_fini(&sink);
		sim_destroy(sim);
	}
}

/*
 * A kernel map that starts 2 MB before a gigabyte of which nothing is mapped
 * ends: the step over it must not go further.
 */
static void
test_odd_start(void **state)
{
	struct sim *sim = make_machine();
	struct dump_result res;
	struct sink sink;

	(void)state;
	sim_damage(sim, SIM_KERNBASE, 2, 0);
	sim->machine.dm_kva_start = SIM_KERNBASE + 0x3fe00000;
	sim->machine.dm_kva_len = 0x40200000;
	dump(sim, DUMP_FORMAT_MINIDUMP1, &sink, &res);
	assert_int_equal(res.res_nrecorded, 0);
	readback(sim, sink.media, res.res_bytes, DUMP_FORMAT_MINIDUMP1, 0,
	    READBACK_EXACT);
	sink_fini(&sink);
	sim_destroy(sim);
}

/* Pages that cannot be read are zeros, and said so. */
static void
test_unreadable_pages(void **state)
{
	(void)state;
	for (int format = DUMP_FORMAT_MINIDUMP1; format <= DUMP_FORMAT_FULL;
	     format++) {
		struct sim *sim = make_machine();
		struct dump_result res;
		struct sink sink;
		uint64_t pa;

		for (uint64_t i = 0; i < 20; i++) {
			assert_true(sim_translate(sim,
			    GOOD_VA + i * DUMP_PAGE_SIZE, &pa));
			sim_add(sim, pa, DUMP_CLASS_CORE);
			sim->unreadable[sim_index(sim, pa)] = 1;
		}
		dump(sim, (enum dump_format)format, &sink, &res);
		assert_int_equal(res.res_bad[DUMP_BAD_UNREADABLE], 20);
		assert_int_equal(res.res_nrecorded, DUMP_MAXRECORDED);
		readback(sim, sink.media, res.res_bytes,
		    (enum dump_format)format, 0, READBACK_EXACT);
		sink_fini(&sink);
		sim_destroy(sim);
	}
}

/* All of memory random bits, tables included: any entry may be anything. */
static void
test_storm(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct sim *sim = sim_create(memory, NROWS(memory), seed);
		struct dump_result res;
		struct sink sink;

		sim_scatter(sim);
		for (int i = 0; i < 50; i++) {
			struct sim_table *table =
			    &sim->tables[sim_random(sim, sim->ntables)];
			uint64_t pa = sim_random(sim, 0xa00) << 12;

			le64enc(sim_bytes(sim, table->pa) +
				8 * sim_random(sim, 512),
			    pa | sim_random(sim, 4096) | SIM_V);
		}
		dump(sim,
		    seed % 2 ? DUMP_FORMAT_MINIDUMP1 : DUMP_FORMAT_MINIDUMP3,
		    &sink, &res);
		assert_int_equal(sink.written, res.res_bytes);
		assert_true(res.res_bytes <=
		    (sim->npages + 1100) * DUMP_PAGE_SIZE);
		sink_fini(&sink);
		sim_destroy(sim);
	}
}

int
main(void)
{
	struct CMUnitTest tests[64];
	size_t n = 0;

	ADD_ROWS(tests, n, rows, test_row);
	ADD_ROWS(tests, n, unreadable_rows, test_unreadable);
	tests[n++] = row_test("root that is no table", test_bad_root, NULL);
	tests[n++] = row_test("map that starts oddly", test_odd_start, NULL);
	tests[n++] = row_test("1 GB page", test_huge_page, NULL);
	tests[n++] = row_test("unreadable pages", test_unreadable_pages, NULL);
	tests[n++] = row_test("random entries", test_storm, NULL);
	return (RUN_TESTS(tests, n));
}
