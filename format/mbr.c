/*
 * Whether a disk has partitions in an MBR: see mbr.h.
 */
#include "format/mbr.h"

#define TABLE_OFF 446
#define ENTRY_LEN 16
#define MARK_OFF  510
#define MARK	  0xaa55

#define STATUS_ACTIVE 0x80 /* all others but 0 are no status */

static const struct mbr_type {
	uint8_t type;
	enum mbr_kind kind;
} kinds[] = {
	{ 0x05, MBR_EXTENDED },
	{ 0x0f, MBR_EXTENDED }, /* with LBA */
	{ 0x82, MBR_LINUX_SWAP },
	{ 0x85, MBR_EXTENDED }, /* Linux's */
	{ 0xa5, MBR_FREEBSD_SLICE },
	{ 0xee, MBR_PROTECTIVE },
};

static const uint8_t *
entry_of(struct span sector, unsigned int idx)
{
	return (sector.base + TABLE_OFF + (size_t)idx * ENTRY_LEN);
}

bool
mbr_has_partitions(struct span sector)
{
	struct mbr_part part;
	bool any = false;

	if (sector.len < MARK_OFF + 2 ||
	    le16dec(sector.base + MARK_OFF) != MARK)
		return (false);
	for (unsigned int i = 0; i < MBR_NPARTS; i++) {
		uint8_t status = entry_of(sector, i)[0];

		if (status != 0 && status != STATUS_ACTIVE)
			return (false);
		any |= mbr_part(sector, i, &part);
	}
	return (any);
}

static enum mbr_kind
kind_of(uint8_t type)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (type == kinds[i].type)
			return (kinds[i].kind);
	return (MBR_OTHER);
}

bool
mbr_part(struct span sector, unsigned int idx, struct mbr_part *out)
{
	const uint8_t *p = entry_of(sector, idx);
	uint8_t type = p[4];

	*out = (struct mbr_part){
		.mbp_first_lba = le32dec(p + 8),
		.mbp_nsectors = le32dec(p + 12),
		.mbp_kind = kind_of(type),
	};
	return (type != 0 && out->mbp_first_lba != 0 && out->mbp_nsectors != 0);
}
