/*
 * The kernel dump header: 512 bytes before and after a dump on its device.
 * Big-endian on every machine.
 *
 * Facts: FreeBSD's sys/sys/kerneldump.h, versions 1 and 4.
 */
#ifndef FORMAT_KERNELDUMP_H
#define FORMAT_KERNELDUMP_H

#include "format/bytes.h"

#define KERNELDUMP_HDR_LEN 512

#define KERNELDUMP_MAGIC	 "FreeBSD Kernel Dump"
#define KERNELDUMP_MAGIC_TEXT	 "FreeBSD Text Dump"
#define KERNELDUMP_MAGIC_CLEARED "Cleared Kernel Dump"

#define KERNELDUMP_VERSION 4

/* kh_compression */
enum { KERNELDUMP_COMP_NONE, KERNELDUMP_COMP_GZIP, KERNELDUMP_COMP_ZSTD };

/* Strings end in NUL here, whatever the header held. */
struct kerneldump_hdr {
	char kh_magic[21];
	char kh_architecture[13]; /* MACHINE_ARCH */
	uint32_t kh_version;
	uint32_t kh_arch_version;
	uint64_t kh_dump_len;  /* bytes, without headers and key */
	uint64_t kh_dump_time; /* seconds since the epoch */
	uint32_t kh_key_len;
	uint32_t kh_block_len;
	char kh_hostname[65];
	char kh_version_string[193];
	char kh_panic_string[193];
	uint8_t kh_compression;
	uint64_t kh_extent_len; /* bytes reserved on the device */
	uint32_t kh_parity;	/* as found: XOR of the words, not swapped */
};

/* Do these bytes begin with the magic of a header, of whatever version? */
bool kerneldump_is(struct span bytes);

/*
 * Decode a header of version 1 or 4, whatever its parity: a version 1 header
 * has no key, no compression, and its extent is its length.  false: too short,
 * not a kernel dump header, or of another version; *why says which.
 */
bool kerneldump_decode(struct span bytes, struct kerneldump_hdr *out,
    const char **why);

/* Is the header whole?  The XOR of all its 32-bit words is 0 then. */
bool kerneldump_parity_ok(const uint8_t hdr[KERNELDUMP_HDR_LEN]);

/* Write a version 4 header, parity included; kh_parity is ignored. */
void kerneldump_encode(const struct kerneldump_hdr *kh,
    uint8_t hdr[KERNELDUMP_HDR_LEN]);

/*
 * The place of a dump on its device.  From kpl_first_off to the device's end:
 *
 *	first header | key | data, extent_len bytes | last header
 *
 * A version 4 header takes a sector, of which it fills 512 bytes; one of
 * version 1 takes 512 bytes.  All are bytes from the start of the device.
 */
struct kerneldump_place {
	uint64_t kpl_first_off; /* the header's first copy */
	uint64_t kpl_key_off;	/* kh_key_len bytes */
	uint64_t kpl_data_off;	/* kh_dump_len bytes */
	uint64_t kpl_last_off;	/* the header that was decoded */
};

/*
 * The place of the dump that the header at last_off describes.  sector_len is
 * the device's.  false: there is no room for it, or its lengths contradict each
 * other; *why says which.
 */
bool kerneldump_place(const struct kerneldump_hdr *kh, uint64_t last_off,
    uint32_t sector_len, struct kerneldump_place *out, const char **why);

/*
 * Textdumps are written backwards, a block of this length at a time: the
 * first block of the text lies right before the last header.
 */
#define KERNELDUMP_TEXT_BLOCK_LEN 512

bool kerneldump_is_text(const struct kerneldump_hdr *kh);

/*
 * Do these bytes begin as the key of an encrypted dump does?  They are as many as
 * tell, or it is none.  FreeBSD's struct kerneldumpkey.
 */
#define KERNELDUMP_KEY_HEAD_LEN 37 /* before the encrypted key */

bool kerneldump_is_key(struct span bytes);

/* Mark a header as saved.  The parity stays what it was for the dump's. */
void kerneldump_clear(uint8_t hdr[KERNELDUMP_HDR_LEN]);

/*
 * Undo kerneldump_clear(): restore the magic that makes the parity right, or a
 * kernel dump's if neither does.
 */
void kerneldump_unclear(uint8_t hdr[KERNELDUMP_HDR_LEN]);

#endif
