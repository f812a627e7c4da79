/*
 * Whether a disk has partitions in an MBR: see mbr.h.
 */
#include "format/mbr.h"

#define TABLE_OFF 446
#define ENTRY_LEN 16
#define NENTRIES  4
#define MARK_OFF  510
#define MARK	  0xaa55

#define STATUS_ACTIVE 0x80 /* all others but 0 are no status */

bool
mbr_has_partitions(struct span sector)
{
	bool any = false;

	if (sector.len < MARK_OFF + 2 ||
	    le16dec(sector.base + MARK_OFF) != MARK)
		return (false);
	for (size_t i = 0; i < NENTRIES; i++) {
		const uint8_t *p = sector.base + TABLE_OFF + i * ENTRY_LEN;
		uint8_t status = p[0], type = p[4];
		uint32_t first_lba = le32dec(p + 8);
		uint32_t nsectors = le32dec(p + 12);

		if (status != 0 && status != STATUS_ACTIVE)
			return (false);
		any |= type != 0 && first_lba != 0 && nsectors != 0;
	}
	return (any);
}
