/* What dumper/ writes to a device, dumpdev finds there, byte for byte. */
#include <string.h>
#include <unistd.h>

#include "disk/dumpdev.h"
#include "tests/dumper/sim.h"
#include "tests/dumper/sink.h"
#include "tests/support/temp.h"
#include "tests/support/unit.h"

#define MEDIA_LEN (8 * 1024 * 1024)

static const struct dump_range memory[] = {
	{ 0x1000, 0x9f000 },
	{ 0x100000, 0x300000 },
};

static const struct row {
	const char *name;
	uint32_t block_len;
} rows[] = {
	{ "blocks of 512 bytes", 512 },
	{ "blocks of 1024 bytes", 1024 },
	{ "blocks of 2048 bytes", 2048 },
	{ "blocks of 4096 bytes", 4096 },
};

/* A small machine dies, and dumps to the sink. */
static void
dump_to(struct sink *sink, uint32_t block_len)
{
	struct sim *sim = sim_create(memory, NROWS(memory), 1);
	struct dump_sink ds;
	struct dump_result res;
	struct dump_request req = { .dr_machine = &sim->machine,
		.dr_sinks = &ds,
		.dr_nsinks = 1,
		.dr_work = &sim->work };

	sim->machine.dm_kva_len = 0x20000000;
	sink_init(sink, MEDIA_LEN);
	sink->block_len = block_len;
	ds = sink_describe(sink, DUMP_MEDIA_DEVICE, 0);
	assert_int_equal(dump_write(&req, &res), 0);
	sim_destroy(sim);
}

static void
check_dump(struct dumpdev *dev, const struct dumpdev_dump *dump,
    const struct sink *sink)
{
	static uint8_t bytes[MEDIA_LEN];
	struct trouble tr;
	uint64_t off, len;

	assert_true(sink_find_dump(sink, &off, &len));
	assert_int_equal(dump->dmp_status, DUMPDEV_GOOD);
	assert_string_equal(dump->dmp_where, "");
	assert_int_equal(dump->dmp_sector_len, sink->block_len);
	assert_int_equal(dump->dmp_place.kpl_data_off, off);
	assert_int_equal(dump->dmp_hdr.kh_dump_len, len);
	assert_true(dumpdev_read(dev, dump, DUMPDEV_CORE, 0, bytes, (size_t)len,
	    &tr));
	assert_memory_equal(bytes, sink->media + off, len);
	assert_false(dumpdev_read(dev, dump, DUMPDEV_CORE, 4096, bytes,
	    (size_t)len, &tr));
	assert_non_null(strstr(tr.trb_text, "the dump ends before"));
}

static void
test_found(void **state)
{
	const struct row *row = *state;
	char path[TEMP_PATH_LEN];
	struct trouble tr;
	struct dumpdev_dump dump;
	struct dumpdev *dev;
	struct sink sink;

	dump_to(&sink, row->block_len);
	temp_named(sink.media, sink.media_len, path);
	dev = dumpdev_open(path, DUMPDEV_CLEAR, &tr);
	(void)unlink(path);
	assert_non_null(dev);
	assert_true(dumpdev_next(dev, &dump));
	check_dump(dev, &dump, &sink);
	assert_true(dumpdev_clear(dev, &dump, &tr));
	assert_false(dumpdev_next(dev, &dump));
	dumpdev_close(dev);
	sink_fini(&sink);
}

int
main(void)
{
	struct CMUnitTest tests[8];
	size_t n = 0;

	ADD_ROWS(tests, n, rows, test_found);
	return (RUN_TESTS(tests, n));
}
