/*
 * A disk is looked through in this order: each partition that FreeBSD may dump
 * to, then its own end.  A dump that is found twice, because a partition ends
 * where another one or the disk does, is told once.
 */
#include "disk/dumpdev.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk/datamap.h"
#include "disk/disk.h"
#include "disk/headers.h"
#include "disk/partitions.h"
#include "format/elfcore.h"
#include "format/imagekind.h"
#include "format/minidump.h"

/* Each of several stacked GEOM classes keeps a sector after the dump. */
#define GEOM_REACH 8

/* How much is searched, at most, before the caller is asked again. */
#define SEARCH_LEN (UINT64_C(16) << 20)

/* The least that is looked at of a textdump, a multiple of its blocks. */
#define REVERSED_LEN (UINT64_C(64) << 10)

/* Dumps that were told. */
struct told {
	struct told_dump {
		uint64_t first_off, last_off; /* of the headers */
		bool good;
	} * dumps; /* owned */
	size_t n;
};

struct dumpdev {
	struct disk disk;
	struct datamap data;
	struct trouble trouble;

	bool started;
	struct partitions parts;
	uint32_t next; /* in parts; then the disk's own end */
	struct told told;

	bool salvages; /* a partition whose end cannot be read is searched */

	/* The bounds of a search of a partition, or without any. */
	bool searches;
	uint64_t search_start, search_off;
	uint64_t good_end; /* of the good dumps that were told */
	bool (*stops)(void);
};

/* ---- opening ---- */

/* The kind of the file at path, which is not a disk. */
static const char *
kind_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return ("something else");
	if (S_ISDIR(st.st_mode))
		return ("a directory");
	if (S_ISFIFO(st.st_mode))
		return ("a fifo");
	return (S_ISBLK(st.st_mode) ? "a device without a medium" :
				      "a character device");
}

static struct dumpdev *
open_failed(struct dumpdev *dev, const char *path, struct trouble *tr)
{
	int error = errno;

	if (error == ENODEV)
		(void)trouble_note(tr, TROUBLE_DATA,
		    "neither a regular file nor a disk, but %s", kind_of(path));
	else
		(void)trouble_note(tr, error == EIO ? TROUBLE_IO : TROUBLE_DATA,
		    "%s", strerror(error));
	free(dev);
	return (NULL);
}

struct dumpdev *
dumpdev_open(const char *path, enum dumpdev_access access, struct trouble *tr)
{
	struct dumpdev *dev = calloc(1, sizeof(*dev));
	int flags = access == DUMPDEV_CLEAR ? O_RDWR : O_RDONLY;

	if (dev == NULL || !disk_open(&dev->disk, path, flags))
		return (open_failed(dev, path, tr));
	if (datamap_make(&dev->disk, &dev->data))
		return (dev);
	dumpdev_close(dev);
	(void)trouble_note(tr, TROUBLE_IO, "out of memory");
	return (NULL);
}

void
dumpdev_close(struct dumpdev *dev)
{
	if (dev == NULL)
		return;
	disk_close(&dev->disk);
	datamap_free(&dev->data);
	partitions_free(&dev->parts);
	free(dev->told.dumps);
	free(dev);
}

int
dumpdev_fd(const struct dumpdev *dev)
{
	return (dev->disk.dk_fd);
}

bool
dumpdev_limit(struct dumpdev *dev, uint64_t start, uint64_t len,
    bool (*is_over)(void))
{
	struct partition par = { .par_start = start };

	if (start >= dev->disk.dk_len || len > dev->disk.dk_len - start)
		return (trouble_note(&dev->trouble, TROUBLE_DATA,
		    "the disk ends before that, after %ju bytes",
		    (uintmax_t)dev->disk.dk_len));
	dev->started = true;
	dev->searches = len == 0;
	dev->search_start = dev->search_off = start;
	dev->stops = is_over;
	if (len == 0)
		return (true);
	par.par_end = start + len;
	(void)snprintf(par.par_name, sizeof(par.par_name), "at %ju",
	    (uintmax_t)start);
	return (partitions_add(&dev->parts, &par, &dev->trouble));
}

void
dumpdev_salvage(struct dumpdev *dev, bool (*is_over)(void))
{
	dev->salvages = true;
	dev->stops = is_over;
}

const struct imagekind *
dumpdev_image_kind(const struct dumpdev *dev)
{
	uint8_t head[IMAGEKIND_HEAD_LEN], tail[IMAGEKIND_TAIL_LEN];
	struct span head_bytes = { .base = head };
	struct span tail_bytes = { .base = tail };
	uint64_t len = dev->disk.dk_len;

	if (disk_read(&dev->disk, 0, head,
		len < sizeof(head) ? (size_t)len : sizeof(head)))
		head_bytes.len =
		    len < sizeof(head) ? (size_t)len : sizeof(head);
	if (len >= sizeof(tail) &&
	    disk_read(&dev->disk, len - sizeof(tail), tail, sizeof(tail)))
		tail_bytes.len = sizeof(tail);
	return (imagekind_find(head_bytes, tail_bytes));
}

const char *
dumpdev_file_kind(const struct dumpdev *dev)
{
	uint8_t head[ELFCORE_HDR_LEN];
	struct span bytes = { .base = head, .len = sizeof(head) };

	if (!disk_read(&dev->disk, 0, head, sizeof(head)))
		return (NULL);
	if (minidump_is(bytes) || elfcore_has_type(bytes))
		return (
		    "a dump that was saved already, which vmcore info opens");
	return (elfcore_is(bytes) ?
		"an ELF file, a kernel or another program, and no core" :
		NULL);
}

/* ---- finding ---- */

/*
 * A dump is known by its last header.  But a first header that an older dump has
 * left, or a wrong partition table, may give a dump another place than the one
 * where it turns out to be good.
 */
static bool
is_same(const struct told_dump *a, const struct told_dump *b)
{
	return (a->last_off == b->last_off &&
	    (a->good || (a->first_off == b->first_off && !b->good)));
}

static bool
was_told(struct dumpdev *dev, const struct dumpdev_dump *dump)
{
	struct told_dump now = { .first_off = dump->dmp_place.kpl_first_off,
		.last_off = dump->dmp_place.kpl_last_off,
		.good = dump->dmp_status == DUMPDEV_GOOD };
	struct told_dump *dumps;

	for (size_t i = 0; i < dev->told.n; i++)
		if (is_same(&dev->told.dumps[i], &now))
			return (true);
	dumps = realloc(dev->told.dumps, (dev->told.n + 1) * sizeof(*dumps));
	if (dumps == NULL)
		return (!trouble_note(&dev->trouble, TROUBLE_IO,
		    "out of memory"));
	dev->told.dumps = dumps;
	dumps[dev->told.n++] = now;
	return (false);
}

/*
 * Go on to the next bytes that are in no hole.  Returns how many of them are to
 * be searched now.  Headers lie whole sectors from where the search began.
 */
static uint64_t
next_window(struct dumpdev *dev)
{
	uint64_t data = disk_next_data(&dev->disk, dev->search_off);
	uint64_t hole = disk_next_hole(&dev->disk, data);
	uint64_t len;

	data -= (data - dev->search_start) % KERNELDUMP_HDR_LEN;
	if (data > dev->search_off)
		dev->search_off = data;
	len = hole - dev->search_off + KERNELDUMP_HDR_LEN - 1;
	len -= len % KERNELDUMP_HDR_LEN;
	return (len < SEARCH_LEN ? len : SEARCH_LEN);
}

/* Is it the dump at the partition's end, without its last header? */
static bool
lost_its_last(const struct partition *par, const struct dumpdev_dump *dump)
{
	uint64_t last_off = dump->dmp_place.kpl_last_off;

	return (dump->dmp_last_lost && last_off < par->par_end &&
	    par->par_end - last_off <= GEOM_REACH * DISK_USUAL_MAX_SECTOR_LEN);
}

/*
 * Find the dump at the end of a partition by its first header.  An older and
 * longer dump may have left its own, farther from the end, so the one that is
 * closest to the end counts.
 */
static bool
search_first(struct dumpdev *dev, const struct partition *par,
    struct dumpdev_dump *out)
{
	struct trouble ignored = { 0 };
	struct dumpdev_dump dump;
	bool found = false;

	dev->search_start = dev->search_off = par->par_start;
	while (dev->search_off < par->par_end && !dev->stops()) {
		uint64_t len = next_window(dev);

		if (headers_search(&dev->disk, dev->search_start,
			&dev->search_off, len, &dump, &ignored) &&
		    lost_its_last(par, &dump)) {
			*out = dump;
			found = true;
		}
	}
	return (found && !dev->stops());
}

static bool
find_at_end(struct dumpdev *dev, const struct partition *par,
    struct dumpdev_dump *out)
{
	struct extent ext = { .xt_start = par->par_start,
		.xt_end = par->par_end };
	struct trouble tr = { 0 };
	bool found = headers_probe(&dev->disk, &ext,
	    par->par_has_parts ? 1 : GEOM_REACH, out, &tr);

	if (tr.trb_kind != TROUBLE_NONE)
		dev->trouble = tr;
	return (found ||
	    (dev->salvages && tr.trb_kind == TROUBLE_IO &&
		!par->par_has_parts && search_first(dev, par, out)));
}

static bool
probe(struct dumpdev *dev, const struct partition *par,
    struct dumpdev_dump *out)
{
	if (!find_at_end(dev, par, out) || was_told(dev, out))
		return (false);
	(void)snprintf(out->dmp_where, sizeof(out->dmp_where), "%s",
	    par->par_name);
	return (true);
}

/*
 * Is it another dump than those before?  One may lie in the place of another, an
 * older one.  But a good dump may well have had a header in its memory, too.
 */
static bool
is_news(struct dumpdev *dev, const struct dumpdev_dump *dump)
{
	bool good = dump->dmp_status == DUMPDEV_GOOD;

	if ((!good && dev->search_off <= dev->good_end) || was_told(dev, dump))
		return (false);
	if (good && dump->dmp_place.kpl_last_off > dev->good_end)
		dev->good_end = dump->dmp_place.kpl_last_off;
	return (true);
}

static bool
next_of_search(struct dumpdev *dev, struct dumpdev_dump *out)
{
	while (dev->search_off < dev->disk.dk_len && !dev->stops()) {
		uint64_t len = next_window(dev);

		if (headers_search(&dev->disk, dev->search_start,
			&dev->search_off, len, out, &dev->trouble) &&
		    is_news(dev, out)) {
			(void)snprintf(out->dmp_where, sizeof(out->dmp_where),
			    "at %ju", (uintmax_t)out->dmp_place.kpl_first_off);
			return (true);
		}
	}
	return (false);
}

bool
dumpdev_next(struct dumpdev *dev, struct dumpdev_dump *out)
{
	struct partition whole = { .par_end = dev->disk.dk_len };

	if (dev->searches)
		return (next_of_search(dev, out));
	if (!dev->started) {
		partitions_find(&dev->disk, &dev->parts, &dev->trouble);
		whole.par_has_parts = dev->parts.prs_found_table;
		dev->started =
		    partitions_add(&dev->parts, &whole, &dev->trouble);
	}
	while (dev->next < dev->parts.prs_n)
		if (probe(dev, &dev->parts.prs_list[dev->next++], out))
			return (true);
	return (false);
}

bool
dumpdev_has_table(const struct dumpdev *dev)
{
	return (dev->parts.prs_found_table);
}

const struct trouble *
dumpdev_trouble(const struct dumpdev *dev)
{
	return (&dev->trouble);
}

/* ---- reading ---- */

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

static uint64_t
part_len(const struct kerneldump_hdr *kh, enum dumpdev_part part)
{
	return (part == DUMPDEV_KEY ? kh->kh_key_len : kh->kh_dump_len);
}

/* Are the part's bytes stored backwards, a block at a time? */
static bool
is_reversed(const struct kerneldump_hdr *kh, enum dumpdev_part part)
{
	return (part == DUMPDEV_CORE && kerneldump_is_text(kh));
}

static bool
is_inside(const struct kerneldump_hdr *kh, enum dumpdev_part part, uint64_t off,
    uint64_t len)
{
	uint64_t all = part_len(kh, part);

	return (off <= all && len <= all - off);
}

uint64_t
dumpdev_place(const struct dumpdev_dump *dump, enum dumpdev_part part,
    uint64_t off, uint64_t len)
{
	const struct kerneldump_hdr *kh = &dump->dmp_hdr;

	if (part == DUMPDEV_KEY)
		return (dump->dmp_place.kpl_key_off + off);
	if (is_reversed(kh, part) && is_inside(kh, part, off, len))
		off = kh->kh_dump_len - off - len;
	return (dump->dmp_place.kpl_data_off + off);
}

bool
dumpdev_read(const struct dumpdev *dev, const struct dumpdev_dump *dump,
    enum dumpdev_part part, uint64_t off, uint8_t *buf, size_t len,
    struct trouble *tr)
{
	uint64_t place = dumpdev_place(dump, part, off, len);

	if (!is_inside(&dump->dmp_hdr, part, off, len))
		return (trouble_note(tr, TROUBLE_DATA,
		    "the dump ends before %zu bytes at %ju", len,
		    (uintmax_t)off));
	if (!disk_read(&dev->disk, place, buf, len))
		return (trouble_note(tr,
		    errno == EIO ? TROUBLE_IO : TROUBLE_DATA,
		    "cannot read %zu bytes at %ju: %s", len, (uintmax_t)place,
		    disk_error()));
	if (is_reversed(&dump->dmp_hdr, part))
		reverse_blocks(buf, len);
	return (true);
}

/* ---- holes ---- */

static bool
is_hole(const struct dumpdev *dev, const struct dumpdev_dump *dump,
    enum dumpdev_part part, uint64_t off, uint64_t len)
{
	uint64_t start = dumpdev_place(dump, part, off, len);

	return (disk_next_data(&dev->disk, start) - start >= len);
}

/*
 * The first bytes of what is reversed are the last ones on the disk, where it
 * does not tell how far a hole reaches back: twice as many are tried each time.
 */
static uint64_t
reversed_run_len(const struct dumpdev *dev, const struct dumpdev_dump *dump,
    enum dumpdev_part part, uint64_t off, uint64_t len, bool *hole)
{
	uint64_t n = len < REVERSED_LEN ? len : REVERSED_LEN;

	*hole = is_hole(dev, dump, part, off, n);
	if (!*hole)
		return (n);
	while (n < len - n && is_hole(dev, dump, part, off, 2 * n))
		n *= 2;
	return (n);
}

uint64_t
dumpdev_run_len(const struct dumpdev *dev, const struct dumpdev_dump *dump,
    enum dumpdev_part part, uint64_t off, uint64_t len, bool *hole)
{
	if (is_reversed(&dump->dmp_hdr, part))
		return (reversed_run_len(dev, dump, part, off, len, hole));
	return (disk_run_len(&dev->disk, dumpdev_place(dump, part, off, len),
	    len, hole));
}

uint64_t
dumpdev_data_len(const struct dumpdev *dev, const struct dumpdev_dump *dump)
{
	const struct kerneldump_place *kp = &dump->dmp_place;

	return (datamap_len(&dev->data, kp->kpl_key_off,
	    kp->kpl_data_off + dump->dmp_hdr.kh_dump_len));
}

uint64_t
dumpdev_disk_data_len(const struct dumpdev *dev)
{
	return (datamap_len(&dev->data, 0, dev->disk.dk_len));
}

/* ---- clearing ---- */

bool
dumpdev_unchanged(const struct dumpdev *dev, const struct dumpdev_dump *dump,
    struct trouble *tr)
{
	return (headers_unchanged(&dev->disk, dump, tr));
}

#define AGAIN "the next save -f will save it again"

bool
dumpdev_clear(struct dumpdev *dev, const struct dumpdev_dump *dump,
    struct trouble *tr)
{
	uint8_t hdr[KERNELDUMP_HDR_LEN];

	if (!dumpdev_unchanged(dev, dump, tr))
		return (false);
	if (dump->dmp_last_lost)
		return (trouble_note(tr, TROUBLE_IO,
		    "the header after it, for the mark, cannot be read: " AGAIN));
	if (dump->dmp_last_other)
		return (trouble_note(tr, TROUBLE_DATA,
		    "it has no header of its own after it, for the mark: " AGAIN));
	memcpy(hdr, dump->dmp_last, sizeof(hdr));
	kerneldump_clear(hdr);
	if (!disk_write(&dev->disk, dump->dmp_place.kpl_last_off, hdr,
		sizeof(hdr)) ||
	    !disk_flush(&dev->disk))
		return (trouble_note(tr, TROUBLE_IO,
		    "cannot clear the dump: %s", strerror(errno)));
	return (true);
}
