/*
 * The GUID partition table, each field checked before it is used: see gpt.h.
 */
#include "format/gpt.h"

#include <string.h>

static const uint8_t signature[8] = { 'E', 'F', 'I', ' ', 'P', 'A', 'R', 'T' };

/* As on the disk: the first three parts of a GUID are little-endian. */
static const struct gpt_type {
	uint8_t type[16];
	enum gpt_kind kind;
} kinds[] = {
	/* freebsd-swap: 516e7cb5-6ecf-11d6-8ff8-00022d09712b */
	{ { 0xb5, 0x7c, 0x6e, 0x51, 0xcf, 0x6e, 0xd6, 0x11, 0x8f, 0xf8, 0x00,
	      0x02, 0x2d, 0x09, 0x71, 0x2b },
	    GPT_FREEBSD_SWAP },
	/* linux-swap: 0657fd6d-a4ab-43c4-84e5-0933c84b4f4f */
	{ { 0x6d, 0xfd, 0x57, 0x06, 0xab, 0xa4, 0xc4, 0x43, 0x84, 0xe5, 0x09,
	      0x33, 0xc8, 0x4b, 0x4f, 0x4f },
	    GPT_OTHER_SWAP },
	/* dragonfly-swap: 9d58fdbd-1ca5-11dc-8817-01301bb8a9f5 */
	{ { 0xbd, 0xfd, 0x58, 0x9d, 0xa5, 0x1c, 0xdc, 0x11, 0x88, 0x17, 0x01,
	      0x30, 0x1b, 0xb8, 0xa9, 0xf5 },
	    GPT_OTHER_SWAP },
	/* freebsd: 516e7cb4-6ecf-11d6-8ff8-00022d09712b */
	{ { 0xb4, 0x7c, 0x6e, 0x51, 0xcf, 0x6e, 0xd6, 0x11, 0x8f, 0xf8, 0x00,
	      0x02, 0x2d, 0x09, 0x71, 0x2b },
	    GPT_FREEBSD_SLICE },
};

/* The header. */
#define FIELD_HDR_LEN	12
#define FIELD_HDR_CRC	16
#define FIELD_THIS_LBA	24
#define FIELD_OTHER_LBA 32
#define FIELD_FIRST	40
#define FIELD_LAST	48
#define FIELD_ARRAY_LBA 72
#define FIELD_NENTRIES	80
#define FIELD_ENTRY_LEN 84
#define FIELD_ARRAY_CRC 88
#define MIN_HDR_LEN	92

/* An entry of the array. */
#define FIELD_TYPE	0
#define FIELD_FIRST_LBA 32
#define FIELD_LAST_LBA	40
#define MIN_ENTRY_LEN	128

bool
gpt_is(struct span sector)
{
	return (sector.len >= sizeof(signature) &&
	    memcmp(sector.base, signature, sizeof(signature)) == 0);
}

uint64_t
gpt_other_lba(struct span sector)
{
	return (sector.len < MIN_HDR_LEN ?
		0 :
		le64dec(sector.base + FIELD_OTHER_LBA));
}

/* The header's checksum is computed with 0 in the place of the checksum. */
static uint32_t
header_crc(const uint8_t *p, uint32_t len, gpt_crc_t *crc)
{
	static const uint8_t zeros[4];
	uint32_t sum = crc(0, p, FIELD_HDR_CRC);

	sum = crc(sum, zeros, sizeof(zeros));
	return (crc(sum, p + FIELD_HDR_CRC + 4, len - FIELD_HDR_CRC - 4));
}

static bool
check_header(struct span sector, uint64_t lba, gpt_crc_t *crc, const char **why)
{
	const uint8_t *p = sector.base;
	uint32_t len;

	*why = "no partition table";
	if (sector.len < MIN_HDR_LEN || !gpt_is(sector))
		return (false);
	*why = "impossible length of the partition table's header";
	len = le32dec(p + FIELD_HDR_LEN);
	if (len < MIN_HDR_LEN || len > sector.len)
		return (false);
	*why = "wrong checksum of the partition table's header";
	if (header_crc(p, len, crc) != le32dec(p + FIELD_HDR_CRC))
		return (false);
	*why = "the partition table belongs to another sector";
	return (le64dec(p + FIELD_THIS_LBA) == lba);
}

bool
gpt_decode(struct span sector, uint64_t lba, gpt_crc_t *crc,
    struct gpt_hdr *out, const char **why)
{
	const uint8_t *p = sector.base;
	struct gpt_hdr hdr;

	if (!check_header(sector, lba, crc, why))
		return (false);
	hdr = (struct gpt_hdr){
		.gh_other_lba = le64dec(p + FIELD_OTHER_LBA),
		.gh_first_lba = le64dec(p + FIELD_FIRST),
		.gh_last_lba = le64dec(p + FIELD_LAST),
		.gh_array_lba = le64dec(p + FIELD_ARRAY_LBA),
		.gh_entry_len = le32dec(p + FIELD_ENTRY_LEN),
		.gh_nentries = le32dec(p + FIELD_NENTRIES),
		.gh_array_crc = le32dec(p + FIELD_ARRAY_CRC),
		.gh_sector_len = (uint32_t)sector.len,
	};
	if (hdr.gh_entry_len < MIN_ENTRY_LEN || hdr.gh_nentries == 0 ||
	    hdr.gh_nentries > GPT_MAX_ARRAY_LEN / hdr.gh_entry_len) {
		*why = "impossible size of the array of partitions";
		return (false);
	}
	*out = hdr;
	return (true);
}

uint32_t
gpt_array_len(const struct gpt_hdr *hdr)
{
	return (hdr->gh_nentries * hdr->gh_entry_len);
}

bool
gpt_array_ok(const struct gpt_hdr *hdr, struct span array, gpt_crc_t *crc)
{
	return (array.len == gpt_array_len(hdr) &&
	    crc(0, array.base, array.len) == hdr->gh_array_crc);
}

static bool
is_unused(const uint8_t *type)
{
	static const uint8_t unused[16];

	return (memcmp(type, unused, sizeof(unused)) == 0);
}

static enum gpt_kind
kind_of(const uint8_t *type)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (memcmp(type, kinds[i].type, sizeof(kinds[i].type)) == 0)
			return (kinds[i].kind);
	return (GPT_OTHER);
}

bool
gpt_part_decode(const struct gpt_hdr *hdr, struct span array, uint32_t idx,
    struct gpt_part *out)
{
	struct gpt_part part;
	struct span entry;

	if (!span_sub(array, (uint64_t)idx * hdr->gh_entry_len,
		hdr->gh_entry_len, &entry) ||
	    is_unused(entry.base + FIELD_TYPE))
		return (false);
	part = (struct gpt_part){
		.gp_first_lba = le64dec(entry.base + FIELD_FIRST_LBA),
		.gp_last_lba = le64dec(entry.base + FIELD_LAST_LBA),
		.gp_kind = kind_of(entry.base + FIELD_TYPE),
	};
	if (part.gp_first_lba > part.gp_last_lba)
		return (false);
	*out = part;
	return (true);
}

/* Are the partitions' sectors on the disk, and apart from the tables? */
static bool
usable_ok(const struct gpt_hdr *hdr, uint64_t nsectors)
{
	uint64_t array_sectors =
	    (gpt_array_len(hdr) + (uint64_t)hdr->gh_sector_len - 1) /
	    hdr->gh_sector_len;

	if (hdr->gh_first_lba <= GPT_PRIMARY_LBA || nsectors < 2 ||
	    hdr->gh_last_lba > nsectors - 2)
		return (false);
	return (hdr->gh_array_lba > hdr->gh_last_lba ||
	    (hdr->gh_array_lba < hdr->gh_first_lba &&
		array_sectors <= hdr->gh_first_lba - hdr->gh_array_lba));
}

/* Does another partition share sectors with this one? */
static bool
is_shared(const struct gpt_hdr *hdr, struct span array, uint32_t idx,
    const struct gpt_part *part)
{
	struct gpt_part other;

	for (uint32_t i = 0; i < hdr->gh_nentries; i++)
		if (i != idx && gpt_part_decode(hdr, array, i, &other) &&
		    other.gp_first_lba <= part->gp_last_lba &&
		    part->gp_first_lba <= other.gp_last_lba)
			return (true);
	return (false);
}

bool
gpt_part_writable(const struct gpt_hdr *hdr, struct span array, uint32_t idx,
    uint64_t nsectors, struct gpt_part *out, const char **why)
{
	struct gpt_part part;

	*why = "no such partition";
	if (!gpt_part_decode(hdr, array, idx, &part))
		return (false);
	*why = "not a freebsd-swap partition";
	if (part.gp_kind != GPT_FREEBSD_SWAP)
		return (false);
	*why = "the partitions are in the way of their table";
	if (!usable_ok(hdr, nsectors))
		return (false);
	*why = "the partition is not where partitions can be";
	if (part.gp_first_lba < hdr->gh_first_lba ||
	    part.gp_last_lba > hdr->gh_last_lba)
		return (false);
	*why = "the partition overlaps another one";
	if (is_shared(hdr, array, idx, &part))
		return (false);
	*out = part;
	return (true);
}
