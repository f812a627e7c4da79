/*
 * A disk is looked through in this order: its own end, then each freebsd-swap
 * partition.  An image does not tell its sector's length, so all are tried;
 * the places of the header and of the partition table depend on it.
 */
#include "disk/dumpdev.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "disk/disk.h"
#include "format/gpt.h"
#include "format/mbr.h"

#define MAX_SECTOR_LEN 4096

static const uint32_t sector_lens[] = { 512, 1024, 2048, 4096 };
#define NSECTOR_LENS (sizeof(sector_lens) / sizeof(sector_lens[0]))

struct dumpdev {
	struct disk disk;
	unsigned int next; /* 0: the whole disk; then partitions */

	/* The partition table; array is NULL if there is none. */
	struct gpt_hdr gpt;
	uint8_t *array; /* owned */
	uint32_t gpt_sector_len;

	bool has_why;
	char why[256];
};

/* A part of a disk that a dump may lie at the end of; bytes. */
struct extent {
	uint64_t start, end;
};

static bool fail(struct dumpdev *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static bool
fail(struct dumpdev *dev, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(dev->why, sizeof(dev->why), fmt, ap);
	va_end(ap);
	dev->has_why = true;
	return (false);
}

static bool
read_disk(struct dumpdev *dev, uint64_t off, void *buf, size_t len)
{
	if (disk_read(&dev->disk, off, buf, len))
		return (true);
	return (fail(dev, "cannot read %zu bytes at %ju: %s", len,
	    (uintmax_t)off,
	    errno == ENXIO ? "the disk ends before" : strerror(errno)));
}

/* May the disk have sectors of this length? */
static bool
is_plausible(const struct dumpdev *dev, uint32_t sector_len)
{
	return (dev->disk.dk_sector_len == 0 ||
	    dev->disk.dk_sector_len == sector_len);
}

/* ---- the partition table ---- */

static uint32_t
crc_of(uint32_t crc, const uint8_t *bytes, size_t len)
{
	return ((uint32_t)crc32_z(crc, bytes, len));
}

static bool
read_array(struct dumpdev *dev, const struct gpt_hdr *hdr, uint32_t sector_len)
{
	struct span array = { .len = gpt_array_len(hdr) };
	uint64_t off, end, read_len;
	uint8_t *bytes;

	if (!round_up(array.len, sector_len, &read_len) ||
	    __builtin_mul_overflow(hdr->gh_array_lba, sector_len, &off) ||
	    __builtin_add_overflow(off, read_len, &end) ||
	    end > dev->disk.dk_len)
		return (fail(dev,
		    "the array of partitions is not inside the disk"));
	if ((bytes = malloc((size_t)read_len)) == NULL)
		return (fail(dev, "out of memory"));
	array.base = bytes;
	if (!read_disk(dev, off, bytes, (size_t)read_len)) {
		free(bytes);
		return (false);
	}
	if (!gpt_array_ok(hdr, array, crc_of)) {
		free(bytes);
		return (fail(dev, "wrong checksum of the array of partitions"));
	}
	dev->gpt = *hdr;
	dev->gpt_sector_len = sector_len;
	dev->array = bytes;
	return (true);
}

/* Read one of the two partition tables.  false: it is none, or damaged. */
static bool
read_table(struct dumpdev *dev, uint64_t lba, uint32_t sector_len)
{
	uint8_t sector[MAX_SECTOR_LEN];
	struct span bytes = { .base = sector, .len = sector_len };
	const char *why;
	struct gpt_hdr hdr;

	if (!read_disk(dev, lba * sector_len, sector, sector_len))
		return (false);
	if (!gpt_decode(bytes, lba, crc_of, &hdr, &why)) {
		/* Most disks have none at most places. */
		if (memcmp(sector, "EFI PART", 8) == 0)
			(void)fail(dev, "%s", why);
		return (false);
	}
	return (read_array(dev, &hdr, sector_len));
}

/*
 * The first of the tables that is whole: all primary ones, then the copies.
 * One that is whole makes up for what is wrong with others.
 */
static void
find_table(struct dumpdev *dev)
{
	bool had_why = dev->has_why;

	for (size_t i = 0; i < 2 * NSECTOR_LENS; i++) {
		uint32_t sector_len = sector_lens[i % NSECTOR_LENS];
		uint64_t nsectors = dev->disk.dk_len / sector_len;

		if (!is_plausible(dev, sector_len) || nsectors < 3)
			continue;
		if (read_table(dev,
			i < NSECTOR_LENS ? GPT_PRIMARY_LBA : nsectors - 1,
			sector_len)) {
			dev->has_why = had_why;
			return;
		}
	}
}

/* The swap partition idx, from 0, in sectors.  false: it is none. */
static bool
swap_partition(const struct dumpdev *dev, uint32_t idx, struct gpt_part *part)
{
	struct span array = { .base = dev->array,
		.len = gpt_array_len(&dev->gpt) };

	return (gpt_part_decode(&dev->gpt, array, idx, part) &&
	    (part->gp_kind == GPT_FREEBSD_SWAP ||
		part->gp_kind == GPT_OTHER_SWAP));
}

/* A table that names the same sectors again and again is not followed. */
static bool
overlaps_earlier(const struct dumpdev *dev, uint32_t idx,
    const struct gpt_part *part)
{
	struct gpt_part other;

	for (uint32_t i = 0; i < idx; i++)
		if (swap_partition(dev, i, &other) &&
		    other.gp_first_lba <= part->gp_last_lba &&
		    part->gp_first_lba <= other.gp_last_lba)
			return (true);
	return (false);
}

/* Where the swap partition idx lies.  false: it is none, or impossible. */
static bool
partition_extent(struct dumpdev *dev, uint32_t idx, struct extent *out)
{
	uint64_t nsectors = dev->disk.dk_len / dev->gpt_sector_len;
	struct gpt_part part;

	if (!swap_partition(dev, idx, &part))
		return (false);
	if (part.gp_last_lba >= nsectors)
		return (fail(dev, "partition %ju ends behind the disk's end",
		    (uintmax_t)idx + 1));
	if (overlaps_earlier(dev, idx, &part))
		return (fail(dev, "partition %ju overlaps another one",
		    (uintmax_t)idx + 1));
	*out = (struct extent){
		.start = part.gp_first_lba * dev->gpt_sector_len,
		.end = (part.gp_last_lba + 1) * dev->gpt_sector_len,
	};
	return (true);
}

/* ---- headers ---- */

static void
move_place(struct kerneldump_place *kp, uint64_t by)
{
	kp->kpl_first_off += by;
	kp->kpl_key_off += by;
	kp->kpl_data_off += by;
	kp->kpl_last_off += by;
}

/* Is the copy before the dump the same as hdr? */
static bool
copies_agree(struct dumpdev *dev, const struct dumpdev_dump *dump,
    const uint8_t hdr[KERNELDUMP_HDR_LEN])
{
	uint8_t sector[MAX_SECTOR_LEN];

	return (read_disk(dev, dump->dmp_place.kpl_first_off, sector,
		    dump->dmp_sector_len) &&
	    memcmp(sector, hdr, KERNELDUMP_HDR_LEN) == 0);
}

/* Fill in what the header means, and what is wrong with it. */
static enum dumpdev_status
judge(struct dumpdev *dev, const struct extent *ext,
    const uint8_t hdr[KERNELDUMP_HDR_LEN], struct dumpdev_dump *dump)
{
	struct span bytes = { .base = hdr, .len = KERNELDUMP_HDR_LEN };
	uint64_t last_off = ext->end - ext->start - dump->dmp_sector_len;

	if (!kerneldump_decode(bytes, &dump->dmp_hdr, &dump->dmp_why) ||
	    !kerneldump_place(&dump->dmp_hdr, last_off, dump->dmp_sector_len,
		&dump->dmp_place, &dump->dmp_why))
		return (DUMPDEV_BAD);
	move_place(&dump->dmp_place, ext->start);
	if (!kerneldump_parity_ok(hdr)) {
		dump->dmp_why = "wrong parity of the dump's header";
		return (DUMPDEV_DOUBTFUL);
	}
	if (dump->dmp_hdr.kh_compression > KERNELDUMP_COMP_ZSTD) {
		dump->dmp_why = "unknown compression";
		return (DUMPDEV_DOUBTFUL);
	}
	if (!copies_agree(dev, dump, hdr)) {
		dump->dmp_why = "the headers before and behind the dump differ";
		return (DUMPDEV_DOUBTFUL);
	}
	return (DUMPDEV_GOOD);
}

/* A header in the last sector, if sectors have this length. */
static bool
probe_sector(struct dumpdev *dev, const struct extent *ext, uint32_t sector_len,
    struct dumpdev_dump *dump)
{
	uint8_t sector[MAX_SECTOR_LEN];
	struct span bytes = { .base = sector, .len = sector_len };
	uint64_t len = ext->end - ext->start;

	if (!is_plausible(dev, sector_len) || len % sector_len != 0 ||
	    len < sector_len)
		return (false);
	if (!read_disk(dev, ext->end - sector_len, sector, sector_len) ||
	    !kerneldump_is(bytes))
		return (false);
	*dump = (struct dumpdev_dump){ .dmp_sector_len = sector_len };
	dump->dmp_place.kpl_last_off = ext->end - sector_len;
	dump->dmp_cleared =
	    strcmp((const char *)sector, KERNELDUMP_MAGIC_CLEARED) == 0;
	if (dump->dmp_cleared)
		kerneldump_unclear(sector);
	dump->dmp_status = judge(dev, ext, sector, dump);
	return (true);
}

static bool
probe(struct dumpdev *dev, const struct extent *ext, struct dumpdev_dump *dump)
{
	for (size_t i = 0; i < NSECTOR_LENS; i++)
		if (probe_sector(dev, ext, sector_lens[i], dump))
			return (true);
	return (false);
}

/* ---- entry points ---- */

struct dumpdev *
dumpdev_open(const char *path, enum dumpdev_access access, char *why,
    size_t len)
{
	struct dumpdev *dev = calloc(1, sizeof(*dev));
	int flags = access == DUMPDEV_CLEAR ? O_RDWR : O_RDONLY;

	if (dev == NULL) {
		(void)snprintf(why, len, "out of memory");
		return (NULL);
	}
	if (!disk_open(&dev->disk, path, flags)) {
		(void)snprintf(why, len, "%s",
		    errno == ENODEV ? "neither a regular file nor a disk" :
				      strerror(errno));
		free(dev);
		return (NULL);
	}
	return (dev);
}

void
dumpdev_close(struct dumpdev *dev)
{
	if (dev == NULL)
		return;
	disk_close(&dev->disk);
	free(dev->array);
	free(dev);
}

bool
dumpdev_next(struct dumpdev *dev, struct dumpdev_dump *out)
{
	struct extent ext = { .start = 0, .end = dev->disk.dk_len };

	if (dev->next == 0) {
		dev->next++;
		find_table(dev);
		if (probe(dev, &ext, out))
			return (true);
	}
	while (dev->array != NULL && dev->next <= dev->gpt.gh_nentries) {
		unsigned int number = dev->next++;

		if (!partition_extent(dev, number - 1, &ext) ||
		    !probe(dev, &ext, out))
			continue;
		out->dmp_partition = number;
		return (true);
	}
	return (false);
}

bool
dumpdev_has_mbr(const struct dumpdev *dev)
{
	uint8_t sector[MAX_SECTOR_LEN];
	struct span bytes = { .base = sector, .len = dev->disk.dk_sector_len };

	if (bytes.len == 0)
		bytes.len = sector_lens[0];
	/* In front of a GUID partition table one protects it. */
	return (dev->array == NULL && bytes.len <= sizeof(sector) &&
	    disk_read(&dev->disk, 0, sector, bytes.len) &&
	    mbr_has_partitions(bytes));
}

const char *
dumpdev_why(const struct dumpdev *dev)
{
	return (dev->has_why ? dev->why : NULL);
}

/* Turn the order of a textdump's blocks around. */
static void
reverse_blocks(uint8_t *buf, size_t len)
{
	uint8_t block[KERNELDUMP_TEXT_BLOCK_LEN];

	for (size_t i = 0; i < len / 2 / sizeof(block); i++) {
		uint8_t *a = buf + i * sizeof(block);
		uint8_t *b = buf + len - (i + 1) * sizeof(block);

		memcpy(block, a, sizeof(block));
		memcpy(a, b, sizeof(block));
		memcpy(b, block, sizeof(block));
	}
}

static bool
read_part(struct dumpdev *dev, uint64_t start, uint64_t part_len, uint64_t off,
    void *buf, size_t len, uint32_t sector_len)
{
	uint64_t read_len;

	if (off > part_len || len > part_len - off)
		return (fail(dev, "the dump ends before %ju bytes at %ju",
		    (uintmax_t)len, (uintmax_t)off));
	/* What is rounded up is followed by the last header at least. */
	if (!round_up(len, sector_len, &read_len))
		return (fail(dev, "impossible length"));
	return (read_disk(dev, start + off, buf, (size_t)read_len));
}

bool
dumpdev_read(struct dumpdev *dev, const struct dumpdev_dump *dump, uint64_t off,
    uint8_t *buf, size_t len)
{
	const struct kerneldump_hdr *kh = &dump->dmp_hdr;
	uint64_t from = off;

	if (kerneldump_is_text(kh) && off <= kh->kh_dump_len &&
	    len <= kh->kh_dump_len - off)
		from = kh->kh_dump_len - off - len;
	if (!read_part(dev, dump->dmp_place.kpl_data_off, kh->kh_dump_len, from,
		buf, len, dump->dmp_sector_len))
		return (false);
	if (kerneldump_is_text(kh))
		reverse_blocks(buf, len);
	return (true);
}

bool
dumpdev_read_key(struct dumpdev *dev, const struct dumpdev_dump *dump,
    uint64_t off, uint8_t *buf, size_t len)
{
	return (read_part(dev, dump->dmp_place.kpl_key_off,
	    dump->dmp_hdr.kh_key_len, off, buf, len, dump->dmp_sector_len));
}

bool
dumpdev_clear(struct dumpdev *dev, const struct dumpdev_dump *dump)
{
	uint8_t sector[MAX_SECTOR_LEN];
	uint64_t off = dump->dmp_place.kpl_last_off;
	struct span bytes = { .base = sector, .len = dump->dmp_sector_len };

	if (!read_disk(dev, off, sector, dump->dmp_sector_len))
		return (false);
	if (!kerneldump_is(bytes))
		return (fail(dev, "somebody else has changed the disk"));
	kerneldump_clear(sector);
	if (!disk_write(&dev->disk, off, sector, dump->dmp_sector_len) ||
	    fsync(dev->disk.dk_fd) != 0)
		return (fail(dev, "cannot clear the dump: %s",
		    strerror(errno)));
	return (true);
}
