/*
 * A dump's last header is found first; it says how far before it the first one
 * is, but for the length of the first one's sector.  That is the header's own
 * block size, as the kernel knew it; a header that has none there is tried with
 * each usual length.
 */
#include "disk/headers.h"

#include <stdlib.h>
#include <string.h>

#include "format/elfcore.h"
#include "format/imagekind.h"
#include "format/minidump.h"

#define HDR_LEN KERNELDUMP_HDR_LEN

/* Headers start at multiples of the smallest sector. */
#define STEP HDR_LEN

#define MAX_NSECTORS	8
#define SEARCH_READ_LEN (64 * STEP)

static bool
read_header(const struct disk *dk, uint64_t off, uint8_t hdr[HDR_LEN],
    struct trouble *tr)
{
	if (disk_read(dk, off, hdr, HDR_LEN))
		return (true);
	return (trouble_note(tr, TROUBLE_IO, "cannot read %d bytes at %ju: %s",
	    HDR_LEN, (uintmax_t)off, disk_error()));
}

/* ---- judging ---- */

static bool
is_cleared(const uint8_t hdr[HDR_LEN])
{
	return (strcmp((const char *)hdr, KERNELDUMP_MAGIC_CLEARED) == 0);
}

/* The header as the kernel wrote it. */
static void
as_written(const uint8_t hdr[HDR_LEN], uint8_t out[HDR_LEN])
{
	memcpy(out, hdr, HDR_LEN);
	if (is_cleared(hdr))
		kerneldump_unclear(out);
}

static bool
is_sector_len(uint32_t len)
{
	return (len >= HDR_LEN && (len & (len - 1)) == 0);
}

static void
move_place(struct kerneldump_place *kp, uint64_t by)
{
	kp->kpl_first_off += by;
	kp->kpl_key_off += by;
	kp->kpl_data_off += by;
	kp->kpl_last_off += by;
}

/* Take the first header to be in a sector of this length, if it can be. */
static bool
place_with(const struct extent *ext, uint32_t sector_len,
    struct dumpdev_dump *dump)
{
	uint64_t last_off = dump->dmp_place.kpl_last_off;
	struct kerneldump_place kp;

	if (!kerneldump_place(&dump->dmp_hdr, last_off - ext->xt_start,
		sector_len, &kp, &dump->dmp_why))
		return (false);
	move_place(&kp, ext->xt_start);
	dump->dmp_place = kp;
	dump->dmp_sector_len = sector_len;
	return (true);
}

/* Is the copy before the dump the same as hdr? */
static bool
copies_agree(const struct disk *dk, const uint8_t hdr[HDR_LEN],
    struct dumpdev_dump *dump, struct trouble *tr)
{
	dump->dmp_first_lost = !read_header(dk, dump->dmp_place.kpl_first_off,
	    dump->dmp_first, tr);
	return (!dump->dmp_first_lost &&
	    memcmp(dump->dmp_first, hdr, HDR_LEN) == 0);
}

/*
 * Find the first header, whatever its sector's length is.  The length that the
 * header has itself, or that was guessed from its place, is tried first and
 * stays if none is right.
 */
static bool
find_first(const struct disk *dk, const struct extent *ext,
    const uint8_t hdr[HDR_LEN], uint32_t guess, struct dumpdev_dump *dump,
    struct trouble *tr)
{
	struct dumpdev_dump other = *dump;

	if (!place_with(ext, guess, dump))
		return (false);
	if (copies_agree(dk, hdr, dump, tr))
		return (true);
	for (size_t i = 0; i < DISK_NSECTOR_LENS; i++) {
		struct trouble ignored = { 0 };

		if (disk_sector_lens[i] != guess &&
		    place_with(ext, disk_sector_lens[i], &other) &&
		    copies_agree(dk, hdr, &other, &ignored)) {
			*dump = other;
			return (true);
		}
	}
	dump->dmp_why = dump->dmp_first_lost ?
	    "the header before the dump cannot be read" :
	    "the headers before and after the dump differ";
	return (false);
}

/* Fill in what the header means, and what is wrong with it. */
static enum dumpdev_status
judge(const struct disk *dk, const struct extent *ext, uint32_t guess,
    const uint8_t hdr[HDR_LEN], struct dumpdev_dump *dump, struct trouble *tr)
{
	struct span bytes = { .base = hdr, .len = HDR_LEN };
	bool agree;

	if (!kerneldump_decode(bytes, &dump->dmp_hdr, &dump->dmp_why))
		return (DUMPDEV_BAD);
	if (is_sector_len(dump->dmp_hdr.kh_block_len) &&
	    dump->dmp_hdr.kh_block_len <= DISK_USUAL_MAX_SECTOR_LEN)
		guess = dump->dmp_hdr.kh_block_len;
	agree = find_first(dk, ext, hdr, guess, dump, tr);
	if (dump->dmp_sector_len == 0)
		return (DUMPDEV_BAD);
	if (!kerneldump_parity_ok(hdr)) {
		dump->dmp_why = "wrong parity of the dump's header";
		return (DUMPDEV_DOUBTFUL);
	}
	if (dump->dmp_hdr.kh_compression > KERNELDUMP_COMP_ZSTD) {
		dump->dmp_why = "unknown compression";
		return (DUMPDEV_DOUBTFUL);
	}
	return (agree ? DUMPDEV_GOOD : DUMPDEV_DOUBTFUL);
}

/* The dump before the header at last_off. */
static void
describe(const struct disk *dk, const struct extent *ext, uint64_t last_off,
    const uint8_t last[HDR_LEN], uint32_t guess, struct dumpdev_dump *out,
    struct trouble *tr)
{
	uint8_t hdr[HDR_LEN];

	*out = (struct dumpdev_dump){ .dmp_cleared = is_cleared(last) };
	out->dmp_place.kpl_last_off = last_off;
	memcpy(out->dmp_last, last, HDR_LEN);
	as_written(last, hdr);
	out->dmp_status = judge(dk, ext, guess, hdr, out, tr);
}

/* ---- by the first header ---- */

/* What is where a dump's last header is to be. */
struct last_header {
	uint64_t off;
	bool readable;
	bool same; /* as the first one, be it cleared or not */
	uint8_t bytes[HDR_LEN];
};

/* Look after a dump whose first header, at off, has a sector of this length. */
static bool
read_last(const struct disk *dk, uint64_t off, const uint8_t first[HDR_LEN],
    const struct kerneldump_hdr *kh, uint32_t sector_len,
    struct last_header *out, struct trouble *tr)
{
	uint8_t hdr[HDR_LEN];

	*out = (struct last_header){ 0 };
	if (__builtin_add_overflow(off, sector_len, &out->off) ||
	    __builtin_add_overflow(out->off, kh->kh_key_len, &out->off) ||
	    __builtin_add_overflow(out->off, kh->kh_extent_len, &out->off) ||
	    out->off > dk->dk_len || HDR_LEN > dk->dk_len - out->off)
		return (false);
	out->readable = read_header(dk, out->off, out->bytes, tr);
	as_written(out->bytes, hdr);
	out->same = out->readable && memcmp(hdr, first, HDR_LEN) == 0;
	return (true);
}

/*
 * The last header of a dump whose first one is at off, where the first one's own
 * block size puts it; or, if its copy is not there, where another usual length
 * of a sector does.
 */
static bool
find_last(const struct disk *dk, uint64_t off, const uint8_t first[HDR_LEN],
    const struct kerneldump_hdr *kh, struct last_header *out,
    struct trouble *tr)
{
	bool has_own = kh->kh_version != 1 && is_sector_len(kh->kh_block_len);
	bool found = read_last(dk, off, first, kh,
	    has_own ? kh->kh_block_len : HDR_LEN, out, tr);
	struct last_header other;

	if (kh->kh_version == 1 || (found && out->same))
		return (found);
	for (size_t i = 0; i < DISK_NSECTOR_LENS; i++) {
		struct trouble ignored = { 0 };

		if (read_last(dk, off, first, kh, disk_sector_lens[i], &other,
			&ignored) &&
		    other.same) {
			*out = other;
			return (true);
		}
	}
	return (found);
}

/*
 * The dump whose first header is at off.  If its last one says something else
 * or cannot be read, the first has to do.
 */
static bool
describe_by_first(const struct disk *dk, uint64_t off,
    const uint8_t first[HDR_LEN], struct dumpdev_dump *out, struct trouble *tr)
{
	struct span bytes = { .base = first, .len = HDR_LEN };
	struct extent all = { .xt_end = dk->dk_len };
	struct kerneldump_hdr kh;
	struct last_header last;
	const char *why;

	if (!kerneldump_decode(bytes, &kh, &why) ||
	    !find_last(dk, off, first, &kh, &last, tr))
		return (false);
	describe(dk, &all, last.off, last.same ? last.bytes : first, HDR_LEN,
	    out, tr);
	memcpy(out->dmp_last, last.bytes, HDR_LEN);
	out->dmp_last_lost = !last.readable;
	out->dmp_last_other = !last.same;
	if (!last.same && out->dmp_status == DUMPDEV_GOOD) {
		out->dmp_status = DUMPDEV_DOUBTFUL;
		out->dmp_why = last.readable ?
		    "the header after the dump is another one" :
		    "the header after the dump cannot be read";
	}
	return (out->dmp_status != DUMPDEV_BAD);
}

/* Is the header that was taken for the last one not the only one? */
static bool
has_pair(const struct dumpdev_dump *by_last)
{
	uint8_t hdr[HDR_LEN];

	as_written(by_last->dmp_last, hdr);
	return (by_last->dmp_sector_len != 0 && !by_last->dmp_first_lost &&
	    memcmp(by_last->dmp_first, hdr, HDR_LEN) == 0);
}

/* The data of an encrypted dump may be any bytes, but its key may not. */
static bool
has_key(const struct disk *dk, const struct dumpdev_dump *dump)
{
	uint8_t head[KERNELDUMP_KEY_HEAD_LEN];
	struct span bytes = { .base = head, .len = sizeof(head) };

	return (dump->dmp_hdr.kh_key_len >= sizeof(head) &&
	    disk_read(dk, dump->dmp_place.kpl_key_off, head, sizeof(head)) &&
	    kerneldump_is_key(bytes));
}

/* Does what would be the dump begin as dumps do? */
static bool
begins_well(const struct disk *dk, const struct dumpdev_dump *dump)
{
	const struct kerneldump_hdr *kh = &dump->dmp_hdr;
	uint64_t off = dump->dmp_place.kpl_data_off;
	uint8_t head[IMAGEKIND_HEAD_LEN];
	struct span bytes = { .base = head, .len = sizeof(head) };

	if (kh->kh_key_len != 0)
		return (has_key(dk, dump));
	if (kerneldump_is_text(kh))
		off += kh->kh_dump_len - KERNELDUMP_TEXT_BLOCK_LEN;
	return (disk_read(dk, off, head, sizeof(head)) &&
	    (minidump_is(bytes) || elfcore_is(bytes) ||
		imagekind_find(bytes, (struct span){ 0 }) != NULL));
}

/*
 * Which header is it, if the other one is lost?  The one that has the other one
 * all the same, in a damaged pair; or whose other header lies in a sector that
 * cannot be read; or else the one whose dump begins as dumps do.  Less than 0: the
 * last one; more than 0: the first one; 0: either.
 */
static int
rather_first(const struct disk *dk, const struct dumpdev_dump *by_last,
    const struct dumpdev_dump *by_first)
{
	if (has_pair(by_last) != !by_first->dmp_last_other)
		return (has_pair(by_last) ? -1 : 1);
	if (by_last->dmp_first_lost != by_first->dmp_last_lost)
		return (by_first->dmp_last_lost ? 1 : -1);
	return (begins_well(dk, by_first) - begins_well(dk, by_last));
}

/* Take the one for the other's place, or neither, if nothing tells. */
static void
choose(const struct disk *dk, const struct dumpdev_dump *by_first,
    struct dumpdev_dump *out)
{
	int rather = out->dmp_status == DUMPDEV_BAD ?
	    1 :
	    rather_first(dk, out, by_first);

	if (rather > 0)
		*out = *by_first;
	if (rather != 0)
		return;
	out->dmp_status = DUMPDEV_BAD;
	out->dmp_ambiguous = true;
	out->dmp_why =
	    "only one header, and nothing tells whether the dump is before or after it";
}

/* ---- at the end of a partition ---- */

/*
 * Can a header be back bytes before the end?  Its own block size says which
 * sector starts there; if none does, the header's place is in the last sector.
 * *guess is the sector's length.
 */
static bool
is_place(const uint8_t hdr[HDR_LEN], uint64_t back, unsigned int nsectors,
    uint32_t *guess)
{
	struct span bytes = { .base = hdr, .len = HDR_LEN };
	struct kerneldump_hdr kh;
	const char *why;

	*guess = (uint32_t)back;
	if (kerneldump_decode(bytes, &kh, &why) &&
	    is_sector_len(kh.kh_block_len) && back % kh.kh_block_len == 0) {
		*guess = kh.kh_block_len;
		return (back / kh.kh_block_len <= nsectors);
	}
	return (is_sector_len((uint32_t)back) &&
	    back <= DISK_USUAL_MAX_SECTOR_LEN);
}

/*
 * The dump of a header that was found near the end of ext.  It is taken for the
 * last header.  But in a dump of a few sectors the first one is as near, and its
 * last one may be lost: rather_first() tells.
 */
static void
describe_near_end(const struct disk *dk, const struct extent *ext, uint64_t off,
    const uint8_t hdr[HDR_LEN], uint32_t guess, struct dumpdev_dump *out,
    struct trouble *tr)
{
	struct trouble ignored = { 0 };
	struct dumpdev_dump by_first;

	describe(dk, ext, off, hdr, guess, out, tr);
	if (out->dmp_status != DUMPDEV_GOOD &&
	    describe_by_first(dk, off, hdr, &by_first, &ignored) &&
	    by_first.dmp_place.kpl_last_off < ext->xt_end)
		choose(dk, &by_first, out);
}

bool
headers_probe(const struct disk *dk, const struct extent *ext,
    unsigned int nsectors, struct dumpdev_dump *out, struct trouble *tr)
{
	uint64_t len = ext->xt_end - ext->xt_start;

	for (uint64_t back = STEP;
	     back <= MAX_NSECTORS * DISK_USUAL_MAX_SECTOR_LEN && back <= len;
	     back += STEP) {
		uint64_t off = ext->xt_end - back;
		uint8_t hdr[HDR_LEN];
		struct span bytes = { .base = hdr, .len = sizeof(hdr) };
		uint32_t guess;

		if (!read_header(dk, off, hdr, tr) || !kerneldump_is(bytes) ||
		    !is_place(hdr, back, nsectors, &guess))
			continue;
		describe_near_end(dk, ext, off, hdr, guess, out, tr);
		return (true);
	}
	return (false);
}

/* ---- anywhere ---- */

/* A header is at off, be it the first or the last one. */
static bool
describe_any(const struct disk *dk, uint64_t start, uint64_t off,
    const uint8_t hdr[HDR_LEN], struct dumpdev_dump *out, struct trouble *tr)
{
	struct extent all = { .xt_end = dk->dk_len };
	struct dumpdev_dump by_first;
	bool is_first = describe_by_first(dk, off, hdr, &by_first, tr);

	if (is_first && by_first.dmp_status == DUMPDEV_GOOD) {
		*out = by_first;
		return (true);
	}
	describe(dk, &all, off, hdr, HDR_LEN, out, tr);
	if (out->dmp_status == DUMPDEV_GOOD)
		return (true);
	if (is_first && !has_pair(out) && out->dmp_place.kpl_first_off < start)
		*out = by_first;
	else if (is_first)
		choose(dk, &by_first, out);
	return (out->dmp_status != DUMPDEV_BAD || out->dmp_ambiguous);
}

/* As many bytes as can be read of len: all, or a step, or none. */
static size_t
read_some(const struct disk *dk, uint64_t off, uint8_t *buf, size_t len)
{
	if (disk_read(dk, off, buf, len))
		return (len);
	return (len > STEP && disk_read(dk, off, buf, STEP) ? STEP : 0);
}

/* The same as headers_search(), up to end, with a buffer. */
static bool
search(const struct disk *dk, uint64_t start, uint64_t *off, uint64_t end,
    uint8_t *buf, struct dumpdev_dump *out, struct trouble *tr)
{
	while (*off + STEP <= end) {
		size_t want = end - *off < SEARCH_READ_LEN ?
		    (size_t)(end - *off) :
		    SEARCH_READ_LEN;
		size_t n = read_some(dk, *off, buf, want);

		for (size_t i = 0; i + STEP <= n; i += STEP) {
			struct span bytes = { .base = buf + i, .len = STEP };

			if (!kerneldump_is(bytes) ||
			    !describe_any(dk, start, *off + i, bytes.base, out,
				tr))
				continue;
			*off += i + STEP;
			return (true);
		}
		*off += n < STEP ? STEP : n - n % STEP;
	}
	*off = end;
	return (false);
}

bool
headers_search(const struct disk *dk, uint64_t start, uint64_t *off,
    uint64_t len, struct dumpdev_dump *out, struct trouble *tr)
{
	uint64_t end = len < dk->dk_len - *off ? *off + len : dk->dk_len;
	uint8_t *buf = malloc(SEARCH_READ_LEN);
	bool found;

	if (buf == NULL) {
		*off = end;
		return (trouble_note(tr, TROUBLE_IO, "out of memory"));
	}
	found = search(dk, start, off, end, buf, out, tr);
	free(buf);
	return (found);
}

/* ---- later ---- */

static bool
is_still(const struct disk *dk, uint64_t off, const uint8_t was[HDR_LEN],
    struct trouble *tr)
{
	uint8_t hdr[HDR_LEN];

	disk_forget(dk, off, HDR_LEN);
	if (!read_header(dk, off, hdr, tr))
		return (false);
	if (memcmp(hdr, was, HDR_LEN) == 0)
		return (true);
	return (trouble_note(tr, TROUBLE_CHANGED,
	    "the dump has changed meanwhile: is the machine dumping again?"));
}

bool
headers_unchanged(const struct disk *dk, const struct dumpdev_dump *dump,
    struct trouble *tr)
{
	const struct kerneldump_place *kp = &dump->dmp_place;

	if (!dump->dmp_last_lost &&
	    !is_still(dk, kp->kpl_last_off, dump->dmp_last, tr))
		return (false);
	return (dump->dmp_first_lost ||
	    is_still(dk, kp->kpl_first_off, dump->dmp_first, tr));
}
