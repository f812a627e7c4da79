/*
 * One table of magic numbers: see imagekind.h.  No two of them are at the same
 * place, so their order does not matter.
 */
#include "format/imagekind.h"

#include <string.h>

#define CONVERT	    "convert it first: qemu-img convert -O raw IMAGE disk.raw"
#define UNPACK(how) "unpack it first: " how " IMAGE"

#define MAGIC_MAX 21

/* Bytes that a kind has at a place of its head; of the tail if tail. */
static const struct magic {
	struct imagekind kind;
	uint16_t off;
	uint8_t len;
	bool tail;
	char bytes[MAGIC_MAX];
} magics[] = {
	{ { "a qcow2 image", CONVERT }, 0, 4, false, "QFI\xfb" },
	{ { "a QED image", CONVERT }, 0, 4, false, { 'Q', 'E', 'D', 0 } },
	{ { "a VMDK image", CONVERT }, 0, 4, false, "KDMV" },
	{ { "a VMDK image", CONVERT }, 0, 4, false, "COWD" },
	{ { "the description of a VMDK image", CONVERT }, 0, 21, false,
	    { '#', ' ', 'D', 'i', 's', 'k', ' ', 'D', 'e', 's', 'c', 'r', 'i',
		'p', 't', 'o', 'r', 'F', 'i', 'l', 'e' } },
	{ { "a VDI image", CONVERT }, 64, 4, false, "\x7f\x10\xda\xbe" },
	{ { "a VDI image", CONVERT }, 0, 20, false, "<<< Oracle VM Virtua" },
	{ { "a VHDX image", CONVERT }, 0, 8, false, "vhdxfile" },
	{ { "a VHD image", CONVERT }, 0, 8, false, "conectix" },
	{ { "a VHD image", CONVERT }, 0, 8, true, "conectix" },
	{ { "a Parallels image", CONVERT }, 0, 16, false, "WithoutFreeSpace" },
	{ { "a Parallels image", CONVERT }, 0, 16, false, "WithouFreSpacExt" },
	{ { "a DMG image", CONVERT }, 0, 4, true, "koly" },
	{ { "an EWF image", "convert it first: ewfexport -f raw IMAGE" }, 0, 8,
	    false, "EVF\x09\x0d\x0a\xff" },
	{ { "compressed by gzip", UNPACK("gzip -dk") }, 0, 3, false,
	    "\x1f\x8b\x08" },
	{ { "compressed by xz", UNPACK("xz -dk") }, 0, 6, false,
	    "\xfd"
	    "7zXZ" },
	{ { "compressed by zstd", UNPACK("zstd -d") }, 0, 4, false,
	    "\x28\xb5\x2f\xfd" },
	{ { "compressed by bzip2", UNPACK("bzip2 -dk") }, 0, 3, false, "BZh" },
	{ { "compressed by lz4", UNPACK("lz4 -d") }, 0, 4, false,
	    "\x04\x22\x4d\x18" },
	{ { "compressed by lzop", UNPACK("lzop -d") }, 0, 4, false, "\x89LZO" },
	{ { "a zip archive", UNPACK("unzip") }, 0, 4, false, "PK\x03\x04" },
	{ { "a 7-Zip archive", UNPACK("7z x") }, 0, 6, false,
	    "7z\xbc\xaf\x27\x1c" },
	{ { "a tar archive", UNPACK("tar -xf") }, 257, 5, false, "ustar" },
};

static bool
has_magic(const struct magic *magic, struct span bytes)
{
	struct span found;

	return (span_sub(bytes, magic->off, magic->len, &found) &&
	    memcmp(found.base, magic->bytes, magic->len) == 0);
}

const struct imagekind *
imagekind_find(struct span head, struct span tail)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (has_magic(&magics[i], magics[i].tail ? tail : head))
			return (&magics[i].kind);
	return (NULL);
}
