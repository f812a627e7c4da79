/*
 * One table of magic numbers: see imagekind.h.  No two of them are at the same
 * place, so their order does not matter.
 */
#include "format/imagekind.h"

#include <string.h>

#define CONVERT		"convert it first: qemu-img convert -O raw ", " "
#define UNPACK(how)	"unpack it first: " how " -dc ", " > "
#define UNPACK_ALL(how) "unpack it first: " how " ", NULL

#define VIRTUAL(name)                                                              \
	name                                                                       \
	    ", a virtual disk: make it a raw image with qemu-img convert -O raw, " \
	    "then get the dump out of it with vmcore save"
#define DISK(name)                                                             \
	{                                                                      \
		"a " name " image", CONVERT, VIRTUAL(name)                     \
	}

#define ARCHIVE(name) name ", an archive: unpack it and name the file in it"

#define MAGIC_MAX 21

/* Bytes that a kind has at a place of its head; of the tail if tail. */
static const struct magic {
	struct imagekind kind;
	uint16_t off;
	uint8_t len;
	bool tail;
	char bytes[MAGIC_MAX];
} magics[] = {
	{ DISK("qcow2"), 0, 4, false, "QFI\xfb" },
	{ DISK("QED"), 0, 4, false, { 'Q', 'E', 'D', 0 } },
	{ DISK("VMDK"), 0, 4, false, "KDMV" },
	{ DISK("VMDK"), 0, 4, false, "COWD" },
	{ { "the description of a VMDK image", CONVERT, VIRTUAL("VMDK") }, 0,
	    21, false,
	    { '#', ' ', 'D', 'i', 's', 'k', ' ', 'D', 'e', 's', 'c', 'r', 'i',
		'p', 't', 'o', 'r', 'F', 'i', 'l', 'e' } },
	{ DISK("VDI"), 64, 4, false, "\x7f\x10\xda\xbe" },
	{ DISK("VDI"), 0, 20, false, "<<< Oracle VM Virtua" },
	{ DISK("VHDX"), 0, 8, false, "vhdxfile" },
	{ DISK("VHD"), 0, 8, false, "conectix" },
	{ DISK("VHD"), 0, 8, true, "conectix" },
	{ DISK("Parallels"), 0, 16, false, "WithoutFreeSpace" },
	{ DISK("Parallels"), 0, 16, false, "WithouFreSpacExt" },
	{ DISK("DMG"), 0, 4, true, "koly" },
	{ { "an EWF image", "convert it first: ewfexport -f raw ", NULL,
	      "an EWF image: make it a raw image with ewfexport -f raw, then get the dump out of it with vmcore save" },
	    0, 8, false, "EVF\x09\x0d\x0a\xff" },
	{ { "compressed by gzip", UNPACK("gzip"), NULL }, 0, 3, false,
	    "\x1f\x8b\x08" },
	{ { "compressed by xz", UNPACK("xz"), NULL }, 0, 6, false,
	    "\xfd"
	    "7zXZ" },
	{ { "compressed by zstd", UNPACK("zstd"), NULL }, 0, 4, false,
	    "\x28\xb5\x2f\xfd" },
	{ { "compressed by bzip2", UNPACK("bzip2"), NULL }, 0, 3, false,
	    "BZh" },
	{ { "compressed by lz4", UNPACK("lz4"), NULL }, 0, 4, false,
	    "\x04\x22\x4d\x18" },
	{ { "compressed by lzop", UNPACK("lzop"),
	      "compressed with lzop(1): unpack it first" },
	    0, 4, false, "\x89LZO" },
	{ { "a zip archive", UNPACK_ALL("unzip"), ARCHIVE("zip") }, 0, 4, false,
	    "PK\x03\x04" },
	{ { "a 7-Zip archive", UNPACK_ALL("7z x"), ARCHIVE("7z") }, 0, 6, false,
	    "7z\xbc\xaf\x27\x1c" },
	{ { "a tar archive", UNPACK_ALL("tar -xkf"),
	      "a tar archive: unpack it with tar(1)" },
	    257, 5, false, "ustar" },
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
