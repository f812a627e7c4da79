/*
 * Headers of kernel dumps in both versions, and the place of the dump that they
 * describe: see kerneldump.h.
 */
#include "format/kerneldump.h"

#include <string.h>

/* Offsets of the fields that differ between versions; 0: there is none. */
struct kerneldump_fields {
	uint32_t version;
	uint16_t key_len, block_len, hostname, version_string;
	uint16_t panic_string, panic_string_len;
	uint16_t compression, extent_len;
};

static const struct kerneldump_fields layouts[] = {
	{ .version = 1,
	    .block_len = 56,
	    .hostname = 60,
	    .version_string = 124,
	    .panic_string = 316,
	    .panic_string_len = 192 },
	{ .version = 4,
	    .key_len = 56,
	    .block_len = 60,
	    .hostname = 64,
	    .version_string = 128,
	    .panic_string = 320,
	    .panic_string_len = 175,
	    .compression = 495,
	    .extent_len = 496 },
};
#define LAYOUT_V4 (&layouts[1])

#define FIELD_ARCHITECTURE 20
#define FIELD_VERSION	   32
#define FIELD_ARCH_VERSION 36
#define FIELD_DUMP_LEN	   40
#define FIELD_DUMP_TIME	   48
#define FIELD_PARITY	   508

#define MAGIC_LEN	   20
#define ARCHITECTURE_LEN   12
#define HOSTNAME_LEN	   64
#define VERSION_STRING_LEN 192

static const struct kerneldump_fields *
find_layout(uint32_t version)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].version == version)
			return (&layouts[i]);
	return (NULL);
}

/* A string field; dst has room for len bytes and a NUL. */
static void
get_string(char *dst, const uint8_t *src, size_t len)
{
	memcpy(dst, src, len);
	dst[len] = '\0';
}

/* As much of src as leaves room for a NUL; dst is zeroed. */
static void
put_string(uint8_t *dst, const char *src, size_t len)
{
	for (size_t i = 0; i < len - 1 && src[i] != '\0'; i++)
		dst[i] = (uint8_t)src[i];
}

static bool
is_magic(const char magic[MAGIC_LEN + 1])
{
	return (memcmp(magic, KERNELDUMP_MAGIC, sizeof(KERNELDUMP_MAGIC)) ==
		0 ||
	    memcmp(magic, KERNELDUMP_MAGIC_TEXT,
		sizeof(KERNELDUMP_MAGIC_TEXT)) == 0 ||
	    memcmp(magic, KERNELDUMP_MAGIC_CLEARED,
		sizeof(KERNELDUMP_MAGIC_CLEARED)) == 0);
}

bool
kerneldump_is(struct span bytes)
{
	char magic[MAGIC_LEN + 1];

	if (bytes.len < KERNELDUMP_HDR_LEN)
		return (false);
	get_string(magic, bytes.base, MAGIC_LEN);
	return (is_magic(magic));
}

bool
kerneldump_decode(struct span bytes, struct kerneldump_hdr *out,
    const char **why)
{
	struct kerneldump_hdr kh = { 0 };
	const uint8_t *p = bytes.base;
	const struct kerneldump_fields *l;

	if (bytes.len < KERNELDUMP_HDR_LEN) {
		*why = "shorter than a kernel dump header";
		return (false);
	}
	get_string(kh.kh_magic, p, MAGIC_LEN);
	if (!is_magic(kh.kh_magic)) {
		*why = "not a kernel dump header";
		return (false);
	}
	kh.kh_version = be32dec(p + FIELD_VERSION);
	if ((l = find_layout(kh.kh_version)) == NULL) {
		*why = "unknown version of the kernel dump header";
		return (false);
	}
	get_string(kh.kh_architecture, p + FIELD_ARCHITECTURE,
	    ARCHITECTURE_LEN);
	kh.kh_arch_version = be32dec(p + FIELD_ARCH_VERSION);
	kh.kh_dump_len = be64dec(p + FIELD_DUMP_LEN);
	kh.kh_dump_time = be64dec(p + FIELD_DUMP_TIME);
	kh.kh_key_len = l->key_len != 0 ? be32dec(p + l->key_len) : 0;
	kh.kh_block_len = be32dec(p + l->block_len);
	get_string(kh.kh_hostname, p + l->hostname, HOSTNAME_LEN);
	get_string(kh.kh_version_string, p + l->version_string,
	    VERSION_STRING_LEN);
	get_string(kh.kh_panic_string, p + l->panic_string,
	    l->panic_string_len);
	kh.kh_compression = l->compression != 0 ? p[l->compression] : 0;
	kh.kh_extent_len =
	    l->extent_len != 0 ? be64dec(p + l->extent_len) : kh.kh_dump_len;
	kh.kh_parity = le32dec(p + FIELD_PARITY);
	*out = kh;
	return (true);
}

/* Byte k of the parity is the XOR of all bytes whose offset is k modulo 4. */
static void
parity(const uint8_t *hdr, uint8_t sum[4])
{
	memset(sum, 0, 4);
	for (size_t i = 0; i < KERNELDUMP_HDR_LEN; i++)
		sum[i % 4] ^= hdr[i];
}

bool
kerneldump_parity_ok(const uint8_t hdr[KERNELDUMP_HDR_LEN])
{
	uint8_t sum[4];

	parity(hdr, sum);
	return ((sum[0] | sum[1] | sum[2] | sum[3]) == 0);
}

void
kerneldump_encode(const struct kerneldump_hdr *kh,
    uint8_t hdr[KERNELDUMP_HDR_LEN])
{
	const struct kerneldump_fields *l = LAYOUT_V4;
	uint8_t sum[4];

	memset(hdr, 0, KERNELDUMP_HDR_LEN);
	put_string(hdr, kh->kh_magic, MAGIC_LEN);
	put_string(hdr + FIELD_ARCHITECTURE, kh->kh_architecture,
	    ARCHITECTURE_LEN);
	be32enc(hdr + FIELD_VERSION, KERNELDUMP_VERSION);
	be32enc(hdr + FIELD_ARCH_VERSION, kh->kh_arch_version);
	be64enc(hdr + FIELD_DUMP_LEN, kh->kh_dump_len);
	be64enc(hdr + FIELD_DUMP_TIME, kh->kh_dump_time);
	be32enc(hdr + l->key_len, kh->kh_key_len);
	be32enc(hdr + l->block_len, kh->kh_block_len);
	put_string(hdr + l->hostname, kh->kh_hostname, HOSTNAME_LEN);
	put_string(hdr + l->version_string, kh->kh_version_string,
	    VERSION_STRING_LEN);
	/* A version that was truncated still ends with a newline. */
	if (kh->kh_version_string[VERSION_STRING_LEN - 1] != '\0')
		hdr[l->version_string + VERSION_STRING_LEN - 2] = '\n';
	put_string(hdr + l->panic_string, kh->kh_panic_string,
	    l->panic_string_len);
	hdr[l->compression] = kh->kh_compression;
	be64enc(hdr + l->extent_len, kh->kh_extent_len);
	parity(hdr, sum);
	memcpy(hdr + FIELD_PARITY, sum, sizeof(sum));
}

/* Move *off back by len bytes.  false: there are fewer. */
static bool
go_back(uint64_t *off, uint64_t len)
{
	if (len > *off)
		return (false);
	*off -= len;
	return (true);
}

bool
kerneldump_place(const struct kerneldump_hdr *kh, uint64_t last_off,
    uint32_t sector_len, struct kerneldump_place *out, const char **why)
{
	struct kerneldump_place kp = { .kpl_last_off = last_off };
	uint64_t off = last_off;

	if (kh->kh_dump_len == 0) {
		*why = "the dump has no bytes";
		return (false);
	}
	if (kh->kh_dump_len > kh->kh_extent_len) {
		*why = "the dump is longer than what is reserved for it";
		return (false);
	}
	if (kerneldump_is_text(kh) &&
	    kh->kh_dump_len % KERNELDUMP_TEXT_BLOCK_LEN != 0) {
		*why = "the textdump is not a number of blocks";
		return (false);
	}
	*why = "the dump is larger than its device";
	if (!go_back(&off, kh->kh_extent_len))
		return (false);
	kp.kpl_data_off = off;
	if (!go_back(&off, kh->kh_key_len))
		return (false);
	kp.kpl_key_off = off;
	if (!go_back(&off,
		kh->kh_version == 1 ? KERNELDUMP_HDR_LEN : sector_len))
		return (false);
	kp.kpl_first_off = off;
	*out = kp;
	return (true);
}

bool
kerneldump_is_text(const struct kerneldump_hdr *kh)
{
	return (memcmp(kh->kh_magic, KERNELDUMP_MAGIC_TEXT,
		    sizeof(KERNELDUMP_MAGIC_TEXT)) == 0);
}

static void
put_magic(uint8_t hdr[KERNELDUMP_HDR_LEN], const char *magic)
{
	memset(hdr, 0, MAGIC_LEN);
	put_string(hdr, magic, MAGIC_LEN);
}

/* ---- keys ---- */

#define KEY_LEN_OFF	  33 /* the encrypted key's length */
#define KEY_ENCRYPTED_MAX 2048

bool
kerneldump_is_key(struct span bytes)
{
	uint32_t len;

	if (bytes.len < KERNELDUMP_KEY_HEAD_LEN)
		return (false);
	len = be32dec(bytes.base + KEY_LEN_OFF);
	/* AES-256-CBC or ChaCha20. */
	return ((bytes.base[0] == 1 || bytes.base[0] == 2) && len != 0 &&
	    len <= KEY_ENCRYPTED_MAX);
}

void
kerneldump_clear(uint8_t hdr[KERNELDUMP_HDR_LEN])
{
	put_magic(hdr, KERNELDUMP_MAGIC_CLEARED);
}

void
kerneldump_unclear(uint8_t hdr[KERNELDUMP_HDR_LEN])
{
	put_magic(hdr, KERNELDUMP_MAGIC_TEXT);
	if (!kerneldump_parity_ok(hdr))
		put_magic(hdr, KERNELDUMP_MAGIC);
}
