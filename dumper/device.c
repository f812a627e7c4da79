/*
 * Where on the media a dump lies, and what makes it valid.
 *
 *	| 64 KB, not ours | ... | header | dump | header |
 *
 * A dump ends at the end of its device, between two copies of a header; a
 * reader starts from the last block.  In a file it is alone, and a reader
 * starts from its first page.
 *
 * That block or page is the dump's seal.  Order, with a flush after each step:
 * an old dump's seal is erased; the new dump, all but a file's seal; the header
 * before it and the seal.  Wherever this is cut, a reader finds a whole dump or
 * none: it accepts no header without its copy.
 */
#include "dumper/dumper_int.h"
#include "format/kerneldump.h"

/* Boot blocks and disk labels: dumps leave them alone. */
#define RESERVED_LEN 65536

bool
device_valid(const struct dump_sink *sink)
{
	uint32_t block = sink->ds_block_len;

	return (sink->ds_submit != NULL && block >= KERNELDUMP_HDR_LEN &&
	    block <= DUMP_PAGE_SIZE && (block & (block - 1)) == 0 &&
	    (sink->ds_max_io == 0 || sink->ds_max_io >= DUMP_PAGE_SIZE) &&
	    (sink->ds_media == DUMP_MEDIA_DEVICE ||
		sink->ds_media == DUMP_MEDIA_FILE));
}

uint64_t
device_need(const struct dump_sink *sink, uint64_t extent)
{
	if (sink->ds_media == DUMP_MEDIA_FILE)
		return (extent);
	return (RESERVED_LEN + extent + 2 * (uint64_t)sink->ds_block_len);
}

static uint64_t
media_end(const struct dump_sink *sink)
{
	return (sink->ds_media_len & ~((uint64_t)sink->ds_block_len - 1));
}

bool
device_fits(const struct dump_sink *sink, uint64_t extent)
{
	if (sink->ds_media == DUMP_MEDIA_FILE && sink->ds_media_len == 0)
		return (true);
	return (device_need(sink, extent) <= media_end(sink));
}

static void
copy_text(char *dst, size_t size, const char *src)
{
	size_t i = 0;

	for (; src != NULL && i < size - 1 && src[i] != '\0'; i++)
		dst[i] = src[i];
	dst[i] = '\0';
}

static void
encode_header(const struct attempt *at, uint8_t *block)
{
	const struct dump_machine *machine = at->at_machine;
	struct kerneldump_hdr kh = { .kh_arch_version =
					 at->at_mmu->mmu_arch_version,
		.kh_dump_len = at->at_res->res_bytes,
		.kh_dump_time = machine->dm_time,
		.kh_block_len = at->at_sink->ds_block_len,
		.kh_extent_len = at->at_extent };

	copy_text(kh.kh_magic, sizeof(kh.kh_magic), KERNELDUMP_MAGIC);
	copy_text(kh.kh_architecture, sizeof(kh.kh_architecture),
	    arch_facts(machine->dm_arch)->af_machine);
	copy_text(kh.kh_hostname, sizeof(kh.kh_hostname), machine->dm_hostname);
	copy_text(kh.kh_version_string, sizeof(kh.kh_version_string),
	    machine->dm_version);
	copy_text(kh.kh_panic_string, sizeof(kh.kh_panic_string),
	    machine->dm_panic);
	kerneldump_encode(&kh, block);
}

static int
flush(struct attempt *at)
{
	const struct dump_sink *sink = at->at_sink;

	return (sink->ds_flush != NULL ? sink->ds_flush(sink->ds_arg) : 0);
}

static int
stage_zeros(struct attempt *at, size_t len)
{
	uint8_t *page;
	int error = stream_stage(&at->at_stream, len, &page);

	if (error == 0)
		memset(page, 0, len);
	return (error);
}

static int
stage_header(struct attempt *at)
{
	size_t block = at->at_sink->ds_block_len;
	uint8_t *page;
	int error = stream_stage(&at->at_stream, block, &page);

	if (error != 0)
		return (error);
	memset(page, 0, block);
	encode_header(at, page);
	return (0);
}

/* Written as one stream: no drain between sections. */
static int
write_body(struct attempt *at)
{
	bool first_is_seal = at->at_sink->ds_media == DUMP_MEDIA_FILE;
	struct stream *st = &at->at_stream;
	uint64_t end = at->at_data_off + at->at_res->res_bytes;
	uint64_t start = at->at_data_off + (first_is_seal ? DUMP_PAGE_SIZE : 0);
	int error;

	stream_seek(st, start, end - start);
	error = sections_write(at, st, first_is_seal ? 1 : 0);
	if (stream_drain(st) != 0)
		return (st->st_error);
	if (error != 0)
		return (error);
	return (st->st_off == st->st_end ? 0 : DUMP_EIO); /* as planned? */
}

/* A file has none. */
static int
write_header_before(struct attempt *at)
{
	size_t block = at->at_sink->ds_block_len;
	int error;

	if (at->at_sink->ds_media == DUMP_MEDIA_FILE)
		return (0);
	stream_seek(&at->at_stream, at->at_data_off - block, block);
	error = stage_header(at);
	return (error != 0 ? error : stream_drain(&at->at_stream));
}

/* Seek to the seal; returns its length. */
static size_t
seek_seal(struct attempt *at)
{
	const struct dump_sink *sink = at->at_sink;
	size_t block = sink->ds_block_len;

	if (sink->ds_media == DUMP_MEDIA_FILE) {
		stream_seek(&at->at_stream, 0, DUMP_PAGE_SIZE);
		return (DUMP_PAGE_SIZE);
	}
	stream_seek(&at->at_stream, media_end(sink) - block, block);
	return (block);
}

static int
break_seal(struct attempt *at)
{
	int error = stage_zeros(at, seek_seal(at));

	return (error != 0 ? error : stream_drain(&at->at_stream));
}

static int
write_seal(struct attempt *at)
{
	const struct section *first = &at->at_layout->ly_sections[0];
	int error;

	(void)seek_seal(at);
	error = at->at_sink->ds_media == DUMP_MEDIA_FILE ?
	    first->sec_write(at, &at->at_stream) :
	    stage_header(at);
	return (error != 0 ? error : stream_drain(&at->at_stream));
}

int
device_write(struct attempt *at)
{
	const struct dump_sink *sink = at->at_sink;
	int error;

	stream_init(&at->at_stream, at);
	at->at_data_off = 0;
	if (sink->ds_media == DUMP_MEDIA_DEVICE)
		at->at_data_off =
		    media_end(sink) - sink->ds_block_len - at->at_extent;

	attempt_phase(at, DUMP_PHASE_CLEAR);
	if ((error = break_seal(at)) != 0 || (error = flush(at)) != 0)
		return (error);

	attempt_phase(at, DUMP_PHASE_DATA);
	if ((error = write_body(at)) != 0 || (error = flush(at)) != 0)
		return (error);

	attempt_phase(at, DUMP_PHASE_HEADERS);
	if ((error = attempt_poll(at, at->at_res->res_bytes)) != 0 ||
	    (error = write_header_before(at)) != 0 ||
	    (error = write_seal(at)) != 0)
		return (error);
	return (flush(at));
}
