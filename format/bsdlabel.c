/*
 * Decodes a bsdlabel: see bsdlabel.h.  Numbers of a label are not compared with
 * the disk here: callers do that with what they get.
 */
#include "format/bsdlabel.h"

#define MAGIC 0x82564557

#define FIELD_MAGIC	 0
#define FIELD_SECTOR_LEN 40
#define FIELD_MAGIC2	 132
#define FIELD_NPARTS	 138
#define FIELD_PARTS	 148

/* An entry. */
#define ENTRY_LEN    16
#define FIELD_SIZE   0
#define FIELD_OFFSET 4
#define FIELD_FSTYPE 12

#define FS_UNUSED 0
#define FS_SWAP	  1

#define RAW_PART 2 /* "c" */

bool
bsdlabel_is(struct span sector, uint32_t sector_len)
{
	const uint8_t *p = sector.base;

	return (sector.len >= BSDLABEL_LEN &&
	    le32dec(p + FIELD_MAGIC) == MAGIC &&
	    le32dec(p + FIELD_MAGIC2) == MAGIC &&
	    le32dec(p + FIELD_SECTOR_LEN) == sector_len);
}

/* Offsets may count from the slice or from the disk: as that of "c" does. */
static bool
first_sector(struct span sector, const uint8_t *entry, uint64_t *first)
{
	uint32_t off = le32dec(entry + FIELD_OFFSET);
	uint32_t raw = le32dec(sector.base + FIELD_PARTS +
	    RAW_PART * ENTRY_LEN + FIELD_OFFSET);

	*first = off - (uint64_t)raw;
	return (off >= raw);
}

bool
bsdlabel_part(struct span sector, uint32_t idx, struct bsdlabel_part *out)
{
	const uint8_t *entry;

	if (sector.len < BSDLABEL_LEN || idx >= BSDLABEL_MAX_PARTS ||
	    idx == RAW_PART || idx >= le16dec(sector.base + FIELD_NPARTS))
		return (false);
	entry = sector.base + FIELD_PARTS + (size_t)idx * ENTRY_LEN;
	*out = (struct bsdlabel_part){
		.blp_nsectors = le32dec(entry + FIELD_SIZE),
		.blp_may_dump = entry[FIELD_FSTYPE] == FS_UNUSED ||
		    entry[FIELD_FSTYPE] == FS_SWAP,
	};
	return (out->blp_nsectors != 0 &&
	    first_sector(sector, entry, &out->blp_first));
}
