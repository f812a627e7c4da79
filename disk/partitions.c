/*
 * Tables are only followed downwards and not without end: no more than
 * MAX_LINKS links of an extended partition, one bsdlabel in a slice.  Nothing
 * outside of the disk gets into the list.
 */
#include "disk/partitions.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk/gptdisk.h"
#include "format/bsdlabel.h"
#include "format/mbr.h"

#define SECTOR_LEN 512 /* as much of the first sectors as tables take */
#define MAX_LINKS  64

/* The list that grows, and what it is made from. */
struct finding {
	const struct disk *fi_disk;
	struct partitions *fi_out;
	uint32_t fi_sector_len;
	struct trouble *fi_trouble;
};

static bool
reserve(struct partitions *prs, struct trouble *tr)
{
	uint32_t max = prs->prs_max == 0 ? 16 : 2 * prs->prs_max;
	struct partition *list;

	if (prs->prs_n < prs->prs_max)
		return (true);
	list = realloc(prs->prs_list, max * sizeof(*list));
	if (list == NULL)
		return (trouble_note(tr, TROUBLE_IO, "out of memory"));
	prs->prs_list = list;
	prs->prs_max = max;
	return (true);
}

bool
partitions_add(struct partitions *prs, const struct partition *par,
    struct trouble *tr)
{
	if (!reserve(prs, tr))
		return (false);
	prs->prs_list[prs->prs_n++] = *par;
	return (true);
}

static void
add(struct finding *fi, const struct partition *par)
{
	(void)partitions_add(fi->fi_out, par, fi->fi_trouble);
}

static void name(struct partition *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static void
name(struct partition *par, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(par->par_name, sizeof(par->par_name), fmt, ap);
	va_end(ap);
}

/* Sectors counted from start.  false: they are not inside of start to end. */
static bool
place(const struct finding *fi, const struct partition *inside, uint64_t first,
    uint64_t nsectors, struct partition *out)
{
	uint64_t len = inside->par_end - inside->par_start;
	uint64_t off, part_len;

	if (__builtin_mul_overflow(first, fi->fi_sector_len, &off) ||
	    __builtin_mul_overflow(nsectors, fi->fi_sector_len, &part_len) ||
	    off > len || part_len > len - off)
		return (false);
	*out = (struct partition){ .par_start = inside->par_start + off,
		.par_end = inside->par_start + off + part_len };
	return (true);
}

static bool
read_sector(const struct finding *fi, uint64_t off, uint8_t sector[SECTOR_LEN])
{
	if (off > fi->fi_disk->dk_len || fi->fi_disk->dk_len - off < SECTOR_LEN)
		return (false);
	if (disk_read(fi->fi_disk, off, sector, SECTOR_LEN))
		return (true);
	return (trouble_note(fi->fi_trouble, TROUBLE_IO,
	    "cannot read %d bytes at %ju: %s", SECTOR_LEN, (uintmax_t)off,
	    disk_error()));
}

/* ---- bsdlabels ---- */

/* The label's partitions, if there is one.  in: the slice, or the disk. */
static bool
add_label(struct finding *fi, const struct partition *in)
{
	uint8_t sector[SECTOR_LEN];
	struct span bytes = { .base = sector, .len = sizeof(sector) };
	const char *blank = in->par_name[0] == '\0' ? "" : " ";
	struct bsdlabel_part part;
	struct partition par;

	if (in->par_end - in->par_start < 2 * fi->fi_sector_len ||
	    !read_sector(fi, in->par_start + fi->fi_sector_len, sector) ||
	    !bsdlabel_is(bytes, fi->fi_sector_len))
		return (false);
	for (uint32_t i = 0; i < BSDLABEL_MAX_PARTS; i++) {
		if (!bsdlabel_part(bytes, i, &part) || !part.blp_may_dump ||
		    !place(fi, in, part.blp_first, part.blp_nsectors, &par))
			continue;
		name(&par, "%.24s%spartition %c", in->par_name, blank,
		    (char)('a' + i));
		add(fi, &par);
	}
	fi->fi_out->prs_found_table = true;
	return (true);
}

static void
add_slice(struct finding *fi, struct partition *par)
{
	par->par_has_parts = add_label(fi, par);
	add(fi, par);
}

/* ---- the MBR ---- */

/* Any but an extended one. */
static void
add_plain(struct finding *fi, const struct mbr_part *part,
    struct partition *par)
{
	if (part->mbp_kind == MBR_FREEBSD_SLICE)
		add_slice(fi, par);
	else if (part->mbp_kind == MBR_LINUX_SWAP)
		add(fi, par);
}

/* The partitions in an extended one, whose numbers start at 5. */
static void
add_extended(struct finding *fi, const struct partition *ext)
{
	uint64_t link = 0;

	for (unsigned int n = 0; n < MAX_LINKS; n++) {
		uint64_t off = ext->par_start + link * fi->fi_sector_len;
		uint8_t sector[SECTOR_LEN];
		struct span bytes = { .base = sector, .len = sizeof(sector) };
		struct partition here = { .par_start = off,
			.par_end = ext->par_end };
		struct partition par;
		struct mbr_part part;

		if (off >= ext->par_end || !read_sector(fi, off, sector) ||
		    !mbr_has_partitions(bytes))
			return;
		if (mbr_part(bytes, 0, &part) &&
		    place(fi, &here, part.mbp_first_lba, part.mbp_nsectors,
			&par)) {
			name(&par, "slice %u", n + 5);
			add_plain(fi, &part, &par);
		}
		/* Links go forward only. */
		if (!mbr_part(bytes, 1, &part) || part.mbp_first_lba <= link)
			return;
		link = part.mbp_first_lba;
	}
}

/* Is the slice one that was cut off with the image's end? */
static void
note_outside(struct finding *fi, const struct mbr_part *part, unsigned int i)
{
	if (fi->fi_sector_len == SECTOR_LEN && part->mbp_kind != MBR_OTHER &&
	    part->mbp_kind != MBR_PROTECTIVE)
		(void)trouble_note(fi->fi_trouble, TROUBLE_DATA,
		    "slice %u ends past the disk's end", i + 1);
}

/* A protective MBR alone is a table that lost what it protects. */
static void
add_mbr(struct finding *fi, const struct partition *whole, struct span bytes)
{
	for (unsigned int i = 0; i < MBR_NPARTS; i++) {
		struct partition par;
		struct mbr_part part;

		if (!mbr_part(bytes, i, &part))
			continue;
		fi->fi_out->prs_found_table = true;
		if (part.mbp_kind == MBR_PROTECTIVE &&
		    fi->fi_trouble->trb_kind == TROUBLE_NONE)
			(void)trouble_note(fi->fi_trouble, TROUBLE_DATA,
			    "the GUID partition table is lost, and its copy");
		if (!place(fi, whole, part.mbp_first_lba, part.mbp_nsectors,
			&par)) {
			note_outside(fi, &part, i);
			continue;
		}
		name(&par, "slice %u", i + 1);
		if (part.mbp_kind == MBR_EXTENDED)
			add_extended(fi, &par);
		else
			add_plain(fi, &part, &par);
	}
}

/* ---- the GUID partition table ---- */

static bool
is_for_dumps(enum gpt_kind kind)
{
	return (kind != GPT_OTHER);
}

/* Partition idx, from 0.  false: it is none that dumps go to. */
static bool
dump_part(const struct gptdisk *gd, uint32_t idx, struct gpt_part *part)
{
	struct span array = { .base = gd->gdk_array,
		.len = gpt_array_len(&gd->gdk_hdr) };

	return (gpt_part_decode(&gd->gdk_hdr, array, idx, part) &&
	    is_for_dumps(part->gp_kind));
}

/* A table that names the same sectors again and again is not followed. */
static bool
overlaps_earlier(const struct gptdisk *gd, uint32_t idx,
    const struct gpt_part *part)
{
	struct gpt_part other;

	for (uint32_t i = 0; i < idx; i++)
		if (dump_part(gd, i, &other) &&
		    other.gp_first_lba <= part->gp_last_lba &&
		    part->gp_first_lba <= other.gp_last_lba)
			return (true);
	return (false);
}

static void
add_gpt_part(struct finding *fi, const struct partition *whole,
    const struct gptdisk *gd, uint32_t idx)
{
	struct partition par;
	struct gpt_part part;

	if (!dump_part(gd, idx, &part))
		return;
	if (part.gp_last_lba == UINT64_MAX ||
	    !place(fi, whole, part.gp_first_lba,
		part.gp_last_lba - part.gp_first_lba + 1, &par)) {
		(void)trouble_note(fi->fi_trouble, TROUBLE_DATA,
		    "partition %ju ends past the disk's end",
		    (uintmax_t)idx + 1);
		return;
	}
	if (overlaps_earlier(gd, idx, &part)) {
		(void)trouble_note(fi->fi_trouble, TROUBLE_DATA,
		    "partition %ju overlaps another one", (uintmax_t)idx + 1);
		return;
	}
	name(&par, "partition %ju", (uintmax_t)idx + 1);
	if (part.gp_kind == GPT_FREEBSD_SLICE)
		add_slice(fi, &par);
	else
		add(fi, &par);
}

static bool
find_gpt(struct finding *fi, const struct partition *whole)
{
	struct gptdisk gd;

	if (!gptdisk_read(fi->fi_disk, &gd, fi->fi_trouble))
		return (false);
	fi->fi_out->prs_found_table = true;
	fi->fi_sector_len = gd.gdk_hdr.gh_sector_len;
	for (uint32_t i = 0; i < gd.gdk_hdr.gh_nentries; i++)
		add_gpt_part(fi, whole, &gd, i);
	gptdisk_free(&gd);
	return (true);
}

/* ---- entry points ---- */

void
partitions_find(const struct disk *dk, struct partitions *out,
    struct trouble *tr)
{
	struct partition whole = { .par_end = dk->dk_len };
	struct finding fi = { .fi_disk = dk, .fi_out = out, .fi_trouble = tr };
	uint8_t sector[SECTOR_LEN];
	struct span bytes = { .base = sector, .len = sizeof(sector) };

	*out = (struct partitions){ 0 };
	if (find_gpt(&fi, &whole) || !read_sector(&fi, 0, sector))
		return;
	for (size_t i = 0; i < DISK_NSECTOR_LENS; i++) {
		fi.fi_sector_len = disk_sector_lens[i];
		if (mbr_has_partitions(bytes))
			add_mbr(&fi, &whole, bytes);
		(void)add_label(&fi, &whole);
	}
}

void
partitions_free(struct partitions *prs)
{
	free(prs->prs_list);
	*prs = (struct partitions){ 0 };
}
