/*
 * Transfers at any offsets of a disk whose sectors have any length, as FreeBSD's
 * disks have, against a copy of its bytes in memory.
 *
 * The first byte picks the length of a sector.  Then six bytes an operation:
 * which, where (3 bytes), how many bytes (2).  A disk has a hole at its end until
 * something is written there; cutting it makes it shorter than it was.
 */
#include "disk/datamap.h"
#include "disk/disk.h"

#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/fuzz/claim.h"
#include "tests/fuzz/memfile.h"

#define SECTORS 16
#define MAX_LEN (SECTORS * DISK_MAX_SECTOR_LEN)
#define OP_LEN	6
#define BAIT	0xa5 /* what is in a buffer before it is read into */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct memfile file;
static struct disk disk;
static uint8_t model[MAX_LEN]; /* what is on the disk */
static uint64_t whole_len;     /* less than disk.dk_len once it was cut */
static uint8_t buf[1 << 16];

/* The bytes of all sectors that the request meets are there. */
static bool
is_there(uint64_t off, size_t len)
{
	uint64_t sector_len = disk.dk_sector_len != 0 ? disk.dk_sector_len : 1;
	uint64_t end = off + len + sector_len - 1;

	return (len == 0 ? off <= disk.dk_len :
			   off + len <= disk.dk_len &&
		    end - end % sector_len <= whole_len);
}

static void
try_read(uint64_t off, size_t len)
{
	memset(buf, BAIT, len);
	claim(disk_read(&disk, off, buf, len) == is_there(off, len));
	if (is_there(off, len))
		claim(memcmp(buf, model + off, len) == 0);
	else
		claim(errno == ENXIO);
}

/* A disk that was cut is not written: a file would become longer again. */
static void
try_write(uint64_t off, size_t len)
{
	if (whole_len != disk.dk_len)
		return;
	memset(buf, (int)(off & 0xff) | 1, len);
	claim(disk_write(&disk, off, buf, len) == is_there(off, len));
	if (is_there(off, len))
		memcpy(model + off, buf, len);
}

/* What the map counts is there, and no more than was asked for. */
static void
try_map(uint64_t off, size_t len)
{
	struct datamap dam;

	if (!datamap_make(&disk, &dam))
		return;
	claim(datamap_len(&dam, off, off + len) <= len);
	claim(datamap_len(&dam, 0, off) + datamap_len(&dam, off, disk.dk_len) ==
	    datamap_len(&dam, 0, disk.dk_len));
	datamap_free(&dam);
}

/* Where the image says to have no data, it has zeros. */
static void
try_holes(uint64_t off, size_t len)
{
	uint64_t data = disk_next_data(&disk, off);

	if (off >= whole_len)
		return;
	claim(data >= off && data <= disk.dk_len);
	for (uint64_t at = off; at < data && at < whole_len; at++)
		claim(model[at] == 0);
	try_map(off, len);
}

static void
cut(uint64_t off)
{
	if (off >= whole_len)
		return;
	whole_len = off;
	claim(ftruncate(disk.dk_fd, (off_t)off) == 0);
}

/* What is no disk is refused, or has no bytes. */
static void
try_open(uint64_t which)
{
	static const char *const paths[] = { "/", "/dev/null", "/nowhere" };
	struct disk other;

	if (disk_open(&other, paths[which % 3], O_RDONLY))
		claim(!disk_read(&other, 0, buf, 1));
	disk_close(&other);
}

static void
run(const uint8_t op[OP_LEN])
{
	uint64_t off = op[1] | (uint64_t)op[2] << 8 | (uint64_t)op[3] << 16;
	size_t len = op[4] | (size_t)op[5] << 8;

	switch (op[0] % 6) {
	case 0:
		try_read(off, len);
		break;
	case 1:
		try_write(off, len);
		break;
	case 2:
		try_holes(off, len);
		break;
	case 3:
		claim(disk_flush(&disk));
		disk_forget(&disk, off, len);
		break;
	case 4:
		cut(off);
		break;
	default:
		try_open(off);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t sector_lens[] = { 0, 1, 512, 520, 4096,
		DISK_MAX_SECTOR_LEN };
	uint32_t sector_len;

	if (size == 0)
		return (0);
	if (file.path[0] == '\0')
		memfile_create(&file);
	sector_len = sector_lens[data[0] %
	    (sizeof(sector_lens) / sizeof(sector_lens[0]))];
	whole_len = (uint64_t)SECTORS * (sector_len != 0 ? sector_len : 64);
	memset(model, 0, sizeof(model));
	memfile_set(&file, model, 0);
	claim(ftruncate(file.fd, (off_t)whole_len) == 0);
	claim(disk_open(&disk, file.path, O_RDWR));
	disk.dk_sector_len = sector_len;
	for (size_t off = 1; off + OP_LEN <= size; off += OP_LEN)
		run(data + off);
	disk_close(&disk);
	return (0);
}
