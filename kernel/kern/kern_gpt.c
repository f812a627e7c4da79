/*
 * Partition tables, read from disks that are not trusted: a GUID partition
 * table is believed if both its checksums are right, and a partition is used if
 * writing to it harms no other (format/gpt.h).  An MBR is only noticed.
 *
 * Nothing is allocated: a device can also be chosen in the debugger.
 */
#include "kernel/kern/kern_gpt.h"

#include "format/gpt.h"
#include "format/mbr.h"
#include "kernel/dev/disk.h"
#include "kernel/sys/systm.h"

/* Bytes of an array of partitions; nearly all tables have half of that. */
#define ARRAY_MAX 32768

/* The shortest sector of any disk; the longest is a page. */
#define SECTOR_MIN 512

struct table {
	struct gpt_hdr hdr;
	struct span array; /* in array_space */
};

static uint8_t sector_space[PAGE_SIZE];
static uint8_t array_space[ARRAY_MAX];

/* CRC-32 of IEEE 802.3, four bits at a time. */
static uint32_t
crc32(uint32_t crc, const uint8_t *bytes, size_t len)
{
	static const uint32_t table[16] = { 0x00000000, 0x1db71064, 0x3b6e20c8,
		0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0,
		0x86d3d2d4, 0xa00ae278, 0xbdbdf21c };

	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc = table[(crc ^ bytes[i]) & 0xf] ^ crc >> 4;
		crc = table[(crc ^ bytes[i] >> 4) & 0xf] ^ crc >> 4;
	}
	return (~crc);
}

static uint64_t
nsectors_of(const struct disk *dk)
{
	return (dk->bd_media_len / dk->bd_sector_len);
}

/* len: bytes, a multiple of a sector. */
static bool
read_sectors(struct disk *dk, uint64_t lba, uint8_t *buf, size_t len)
{
	uint64_t nsectors = nsectors_of(dk);

	if (lba > nsectors || len / dk->bd_sector_len > nsectors - lba)
		return (false);
	return (disk_rw(dk, BIO_READ, buf, len, lba * dk->bd_sector_len) == 0);
}

static bool
read_sector(struct disk *dk, uint64_t lba, struct span *sector)
{
	*sector =
	    (struct span){ .base = sector_space, .len = dk->bd_sector_len };
	return (read_sectors(dk, lba, sector_space, sector->len));
}

static bool
read_array(struct disk *dk, struct table *t)
{
	uint32_t sector_len = dk->bd_sector_len;
	size_t len = gpt_array_len(&t->hdr);
	size_t read_len = (len + sector_len - 1) / sector_len * sector_len;

	t->array = (struct span){ .base = array_space, .len = len };
	return (len <= sizeof(array_space) &&
	    read_sectors(dk, t->hdr.gh_array_lba, array_space, read_len) &&
	    gpt_array_ok(&t->hdr, t->array, crc32));
}

static bool
read_table_at(struct disk *dk, uint64_t lba, struct table *t)
{
	struct span sector;
	const char *why;

	return (read_sector(dk, lba, &sector) &&
	    gpt_decode(sector, lba, crc32, &t->hdr, &why) && read_array(dk, t));
}

/* Read the table, or its copy if the table is damaged. */
static bool
read_table(struct disk *dk, struct table *t)
{
	uint64_t nsectors = nsectors_of(dk);

	return (read_table_at(dk, GPT_PRIMARY_LBA, t) ||
	    (nsectors > 0 && read_table_at(dk, nsectors - 1, t)));
}

/* Does a header start at that byte? */
static bool
is_table_at(struct disk *dk, uint64_t off)
{
	size_t skip = off % dk->bd_sector_len;
	struct span sector, header;

	return (read_sector(dk, off / dk->bd_sector_len, &sector) &&
	    span_sub(sector, skip, sector.len - skip, &header) &&
	    gpt_is(header));
}

/*
 * The disk may have been copied from one with other sectors: its table is of no
 * use here, but what it describes is not ours to overwrite.
 */
bool
gpt_present(struct disk *dk)
{
	for (uint32_t len = SECTOR_MIN; len <= PAGE_SIZE; len *= 2) {
		uint64_t nsectors = dk->bd_media_len / len;

		if (is_table_at(dk, (uint64_t)GPT_PRIMARY_LBA * len) ||
		    (nsectors > 0 && is_table_at(dk, (nsectors - 1) * len)))
			return (true);
	}
	return (false);
}

bool
mbr_present(struct disk *dk)
{
	struct span sector;

	return (read_sector(dk, 0, &sector) && mbr_has_partitions(sector));
}

const char *
gpt_find_swap(struct disk *dk, unsigned int number, uint64_t *start,
    uint64_t *len)
{
	const char *why;
	struct gpt_part part;
	struct table t;

	if (!read_table(dk, &t))
		return ("no partition table that is whole");
	if (!gpt_part_writable(&t.hdr, t.array, number - 1, nsectors_of(dk),
		&part, &why))
		return (why);
	*start = part.gp_first_lba * dk->bd_sector_len;
	*len = (part.gp_last_lba - part.gp_first_lba + 1) * dk->bd_sector_len;
	return (NULL);
}
