/*
 * The GUID partition table of a disk: a header in the second sector and a
 * copy of it in the last, each with an array of partitions.  Little-endian.
 *
 * Facts: UEFI Specification, GUID Partition Table Disk Layout; types of
 * partitions from FreeBSD's sys/sys/disk/gpt.h.
 */
#ifndef FORMAT_GPT_H
#define FORMAT_GPT_H

#include "format/bytes.h"

#define GPT_PRIMARY_LBA 1 /* the copy: the disk's last sector */

/* The longest array of partitions that is believed; 16 KiB are usual. */
#define GPT_MAX_ARRAY_LEN (UINT32_C(1) << 20)

/*
 * CRC-32 as zlib's crc32(3) computes it, continued from crc, 0 at first.  The
 * caller passes the function, because this room links with no library.
 */
typedef uint32_t gpt_crc_t(uint32_t crc, const uint8_t *bytes, size_t len);

struct gpt_hdr {
	uint64_t gh_other_lba; /* of the other header */
	uint64_t gh_first_lba; /* of the sectors that are for partitions */
	uint64_t gh_last_lba;  /* the last one included */
	uint64_t gh_array_lba;
	uint32_t gh_entry_len; /* bytes; at least 128 */
	uint32_t gh_nentries;  /* the array is GPT_MAX_ARRAY_LEN or less */
	uint32_t gh_array_crc;
	uint32_t gh_sector_len; /* bytes: of what was decoded */
};

/*
 * What a partition's type means for dumps.  FreeBSD lets them go to swap
 * partitions of three systems (g_part_gpt.c, g_part_gpt_dumpto).
 */
enum gpt_kind {
	GPT_OTHER,
	GPT_FREEBSD_SWAP,
	GPT_OTHER_SWAP,	  /* Linux's, DragonFly's */
	GPT_FREEBSD_SLICE /* has a bsdlabel inside */
};

/* Sectors first to last, the last one included. */
struct gpt_part {
	uint64_t gp_first_lba;
	uint64_t gp_last_lba;
	enum gpt_kind gp_kind;
};

/* Does a sector start with the signature of a header, damaged or not? */
bool gpt_is(struct span sector);

/*
 * Where a sector that starts as a header does says that the other one is.  It
 * may be damaged: this is only a place to look at.  0: it is too short.
 */
uint64_t gpt_other_lba(struct span sector);

/*
 * Decode the header in the sector whose number is lba.  false: it is none, or
 * damaged; *why says what is wrong.
 */
bool gpt_decode(struct span sector, uint64_t lba, gpt_crc_t *crc,
    struct gpt_hdr *out, const char **why);

/* Bytes of the array of partitions. */
uint32_t gpt_array_len(const struct gpt_hdr *hdr);

/* Is this the array that the header describes, whole? */
bool gpt_array_ok(const struct gpt_hdr *hdr, struct span array, gpt_crc_t *crc);

/*
 * Partition idx, from 0, out of the array.  false: there is none, or its last
 * sector comes before its first.
 */
bool gpt_part_decode(const struct gpt_hdr *hdr, struct span array, uint32_t idx,
    struct gpt_part *out);

/*
 * The same for a caller that is going to write to it: partition idx is
 * freebsd-swap, inside of a disk of nsectors, and shares no sector with another
 * one or with the tables.  false: *why says what is wrong.
 */
bool gpt_part_writable(const struct gpt_hdr *hdr, struct span array,
    uint32_t idx, uint64_t nsectors, struct gpt_part *out, const char **why);

#endif
