/*
 * One table, searched from its top: what is more specific stands first.
 *
 * Sources: file(1)'s magic(5); of virtual disks, QEMU's block/; of dumps, crash's
 * diskdump.h, makedumpfile's header, Microsoft's minidumpapiset.h.
 */
#include "format/foreign.h"

#include <string.h>

#include "format/kerneldump.h"

#define ON_DISK	 "as it lies on a disk: get the file out with vmcore save"
#define RAW_DISK "a disk image: get the dump out of it with vmcore save"
#define VIRTUAL                                                                \
	"a virtual disk: make it a raw image with qemu-img convert -O "        \
	"raw, then get the dump out of it with vmcore save"
#define TEXTDUMP "a textdump: it has no memory, read its files with tar(1)"
#define LINUX	 "a dump of a Linux kernel: crash(8) opens it"
#define WINDOWS	 "a dump of Windows: WinDbg opens it"
#define MACHO	 "a Mach-O file, of macOS: not a FreeBSD kernel or its dump"
#define UNPACK	 "an archive: unpack it and name the file that is in it"

#define PROGRAM "the core of a program, not of a kernel: gdb or lldb opens it"

#define MAGIC(off, text, what)                                                 \
	{                                                                      \
		off, sizeof(text) - 1, text, what                              \
	}

static const struct {
	size_t off;
	size_t len;
	const char *magic;
	const char *what;
} foreigners[] = {
	/* FreeBSD's own. */
	MAGIC(0, KERNELDUMP_MAGIC, "a dump " ON_DISK),
	MAGIC(0, KERNELDUMP_MAGIC_TEXT, "a textdump " ON_DISK),
	MAGIC(0, KERNELDUMP_MAGIC_CLEARED, "a dump that was saved and cleared"),
	MAGIC(0, "Dump header from device",
	    "what savecore wrote about a dump (info.N): name vmcore.N"),
	MAGIC(0, "ddb.txt\0", TEXTDUMP),
	MAGIC(0, "config.txt\0", TEXTDUMP),
	MAGIC(0, "msgbuf.txt\0", TEXTDUMP),
	MAGIC(0, "panic.txt\0", TEXTDUMP),
	MAGIC(0, "version.txt\0", TEXTDUMP),

	/* Dumps of other systems. */
	MAGIC(0, "KDUMP   ", LINUX),
	MAGIC(0, "DISKDUMP", LINUX),
	MAGIC(0, "makedumpfile\0",
	    LINUX " once makedumpfile -R has put it together"),
	MAGIC(0, "EMiL", "memory of a Linux machine, saved by LiME"),
	MAGIC(0, "MDMP",
	    "a minidump of Windows or LLDB, of a program: lldb opens it"),
	MAGIC(0, "PAGEDU64", WINDOWS),
	MAGIC(0, "PAGEDUMP", WINDOWS),
	MAGIC(0, "\xcf\xfa\xed\xfe", MACHO),
	MAGIC(0, "\xce\xfa\xed\xfe", MACHO),
	MAGIC(0, "\xfe\xed\xfa\xcf", MACHO),
	MAGIC(0, "\xfe\xed\xfa\xce", MACHO),
	MAGIC(0, "\xca\xfe\xba\xbe", MACHO),
	MAGIC(0, "QEVM",
	    "a saved state of QEMU: take a dump with dump-guest-memory instead"),

	/* Virtual disks. */
	MAGIC(0, "QFI\xfb", "qcow2, " VIRTUAL),
	MAGIC(0, "QED\0", "QED, " VIRTUAL),
	MAGIC(0, "KDMV", "VMDK, " VIRTUAL),
	MAGIC(0, "COWD", "VMDK, " VIRTUAL),
	MAGIC(0, "# Disk DescriptorFile", "VMDK, " VIRTUAL),
	MAGIC(64, "\x7f\x10\xda\xbe", "VDI, " VIRTUAL),
	MAGIC(0, "<<< ", "VDI, " VIRTUAL),
	MAGIC(0, "vhdxfile", "VHDX, " VIRTUAL),
	MAGIC(0, "conectix", "VHD, " VIRTUAL),
	MAGIC(0, "WithoutFreeSpace", "Parallels, " VIRTUAL),
	MAGIC(0, "WithouFreSpacExt", "Parallels, " VIRTUAL),

	/* Archives, and compression that is not opened as it is. */
	MAGIC(257, "ustar", "a tar archive: unpack it with tar(1)"),
	MAGIC(0, "PK\3\4", "zip, " UNPACK),
	MAGIC(0, "7z\xbc\xaf\x27\x1c", "7z, " UNPACK),
	MAGIC(0, "Rar!\x1a\7", "rar, " UNPACK),
	MAGIC(0, "!<arch>\n", "ar, " UNPACK),
	MAGIC(0, "\x1f\x9d", "compressed with compress(1): unpack it first"),
	MAGIC(0, "LZIP", "compressed with lzip(1): unpack it first"),
	MAGIC(0, "\x89LZO\0\r\n", "compressed with lzop(1): unpack it first"),

	/* Disks: last, for what they begin with is code or nothing. */
	MAGIC(512, "EFI PART", RAW_DISK),
	MAGIC(1024, "EFI PART", RAW_DISK),
	MAGIC(2048, "EFI PART", RAW_DISK),
	MAGIC(4096, "EFI PART", RAW_DISK),
	MAGIC(510, "\x55\xaa", RAW_DISK),
};

/* Linux: kernel/crash_core.c, elf.h.  Of a guest, QEMU passes it on. */
static const struct {
	const char *owner;
	uint32_t type;
	const char *what;
} notes[] = {
	{ "VMCOREINFO", 0, LINUX },
	{ "CORE", 3, PROGRAM },	   /* NT_PRPSINFO */
	{ "CORE", 6, PROGRAM },	   /* NT_AUXV */
	{ "FreeBSD", 1, PROGRAM }, /* NT_PRSTATUS */
	{ "FreeBSD", 3, PROGRAM }, /* NT_PRPSINFO */
	{ "NetBSD-CORE", 1, PROGRAM },
	{ "OpenBSD", 10, PROGRAM },
};

#define NNOTES (sizeof(notes) / sizeof(notes[0]))

#define NFOREIGNERS (sizeof(foreigners) / sizeof(foreigners[0]))

const char *
foreign_name(struct span start)
{
	for (size_t i = 0; i < NFOREIGNERS; i++) {
		struct span magic;

		if (span_sub(start, foreigners[i].off, foreigners[i].len,
			&magic) &&
		    memcmp(magic.base, foreigners[i].magic, magic.len) == 0)
			return (foreigners[i].what);
	}
	return (NULL);
}

const char *
foreign_name_by_end(struct span end)
{
	/* A header of version 4 has a sector of its own, and starts it. */
	for (size_t len = KERNELDUMP_HDR_LEN; len <= 4096; len *= 2) {
		struct span sector;

		if (end.len >= len &&
		    span_sub(end, end.len - len, len, &sector) &&
		    kerneldump_is(sector))
			return (RAW_DISK);
	}
	return (NULL);
}

const char *
foreign_name_by_note(const struct elfnote *en)
{
	for (size_t i = 0; i < NNOTES; i++)
		if (elfnote_is(en, notes[i].owner, notes[i].type))
			return (notes[i].what);
	return (NULL);
}
