/*
 * The first table is in the disk's second sector.  The copy is in its last
 * one, or before it if GEOM keeps something of its own at the end of the disk
 * (gmirror, glabel), or, if the disk has grown, where the first table says.
 * An image does not tell its sector's length: all are tried.
 */
#include "disk/gptdisk.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* How many sectors at the end of the disk may be the copy's. */
#define COPY_REACH 4

static uint32_t
crc_of(uint32_t crc, const uint8_t *bytes, size_t len)
{
	return ((uint32_t)crc32_z(crc, bytes, len));
}

static bool
read_array(const struct disk *dk, const struct gpt_hdr *hdr,
    struct gptdisk *out, struct trouble *tr)
{
	struct span array = { .len = gpt_array_len(hdr) };
	uint64_t off;
	uint8_t *bytes;

	if (__builtin_mul_overflow(hdr->gh_array_lba, hdr->gh_sector_len,
		&off) ||
	    off > dk->dk_len || array.len > dk->dk_len - off)
		return (trouble_note(tr, TROUBLE_DATA,
		    "the array of partitions is not inside the disk"));
	if ((bytes = malloc(array.len)) == NULL)
		return (trouble_note(tr, TROUBLE_IO, "out of memory"));
	array.base = bytes;
	if (!disk_read(dk, off, bytes, array.len)) {
		(void)trouble_note(tr, TROUBLE_IO,
		    "cannot read the array of partitions: %s", disk_error());
	} else if (!gpt_array_ok(hdr, array, crc_of)) {
		(void)trouble_note(tr, TROUBLE_DATA,
		    "wrong checksum of the array of partitions");
	} else {
		*out = (struct gptdisk){ .gdk_hdr = *hdr, .gdk_array = bytes };
		return (true);
	}
	free(bytes);
	return (false);
}

/* Where to look for a table, and what a damaged one says of its copy. */
struct table_at {
	uint64_t lba;
	uint32_t sector_len;
	uint64_t copy; /* lba; 0: unknown */
};

static bool
read_table(const struct disk *dk, struct table_at *at, struct gptdisk *out,
    struct trouble *tr)
{
	uint8_t sector[DISK_USUAL_MAX_SECTOR_LEN];
	struct span bytes = { .base = sector, .len = at->sector_len };
	struct gpt_hdr hdr;
	const char *why;
	uint64_t off;

	if (__builtin_mul_overflow(at->lba, at->sector_len, &off) ||
	    off > dk->dk_len || at->sector_len > dk->dk_len - off)
		return (false);
	if (!disk_read(dk, off, sector, at->sector_len))
		return (trouble_note(tr, TROUBLE_IO,
		    "cannot read the partition table at %ju: %s",
		    (uintmax_t)off, disk_error()));
	if (!gpt_is(bytes))
		return (false);
	at->copy = gpt_other_lba(bytes);
	if (!gpt_decode(bytes, at->lba, crc_of, &hdr, &why))
		return (trouble_note(tr, TROUBLE_DATA, "%s", why));
	return (read_array(dk, &hdr, out, tr));
}

/* The first table, or the copy that it names. */
static bool
read_first(const struct disk *dk, uint32_t sector_len, struct gptdisk *out,
    struct trouble *tr)
{
	struct table_at first = { .lba = GPT_PRIMARY_LBA,
		.sector_len = sector_len };
	struct table_at copy = { .sector_len = sector_len };

	if (read_table(dk, &first, out, tr))
		return (true);
	copy.lba = first.copy;
	return (copy.lba != 0 && read_table(dk, &copy, out, tr));
}

static bool
read_copy(const struct disk *dk, uint32_t sector_len, struct gptdisk *out,
    struct trouble *tr)
{
	uint64_t nsectors = dk->dk_len / sector_len;

	for (uint64_t back = 1; back <= COPY_REACH; back++) {
		struct table_at copy = { .lba = nsectors - back,
			.sector_len = sector_len };

		if (nsectors > back + GPT_PRIMARY_LBA &&
		    read_table(dk, &copy, out, tr))
			return (true);
	}
	return (false);
}

bool
gptdisk_read(const struct disk *dk, struct gptdisk *out, struct trouble *tr)
{
	struct trouble mine = { 0 };

	for (size_t i = 0; i < DISK_NSECTOR_LENS; i++)
		if (read_first(dk, disk_sector_lens[i], out, &mine))
			return (true);
	for (size_t i = 0; i < DISK_NSECTOR_LENS; i++)
		if (read_copy(dk, disk_sector_lens[i], out, &mine))
			return (true);
	if (mine.trb_kind != TROUBLE_NONE)
		*tr = mine;
	return (false);
}

void
gptdisk_free(struct gptdisk *gd)
{
	free(gd->gdk_array);
	gd->gdk_array = NULL;
}
