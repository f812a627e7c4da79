/*
 * Tables that are searched from their top: what is more specific stands first.
 * Virtual disks and archives are in imagekind.c, which vmcore save asks, too.
 *
 * Sources: file(1)'s magic(5); of dumps, crash's
 * diskdump.h, makedumpfile's header, Microsoft's minidumpapiset.h.
 */
#include "format/foreign.h"

#include <string.h>

#include "format/imagekind.h"
#include "format/kerneldump.h"

#define ON_DISK	 "as it lies on a disk: get the file out with vmcore save"
#define RAW_DISK "a disk image: get the dump out of it with vmcore save"
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

static const struct foreign {
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

	/* Archives, and compression that is not opened as it is. */
	MAGIC(0, "Rar!\x1a\7", "rar, " UNPACK),
	MAGIC(0, "!<arch>\n", "ar, " UNPACK),
	MAGIC(0, "\x1f\x9d", "compressed with compress(1): unpack it first"),
	MAGIC(0, "\x02\x21\x4c\x18",
	    "compressed by lz4 -l, in its old format: unpack it first"),
	MAGIC(0, "LZIP", "compressed with lzip(1): unpack it first"),
	MAGIC(0, "\x5d\0\0", "compressed with lzma(1): unpack it first"),
};

/* Disks: asked last, for what they begin with is code or nothing. */
static const struct foreign disks[] = {
	MAGIC(512, "EFI PART", RAW_DISK),
	MAGIC(1024, "EFI PART", RAW_DISK),
	MAGIC(2048, "EFI PART", RAW_DISK),
	MAGIC(4096, "EFI PART", RAW_DISK),
	MAGIC(510, "\x55\xaa", RAW_DISK),
};

/* Formats that are looked for after zeros: a copy may have begun too early. */
static const struct foreign late[] = {
	MAGIC(0, "\x1f\x8b\x08", "gzip data"),
	MAGIC(0, "\x28\xb5\x2f\xfd", "zstd data"),
	MAGIC(0, "\xfd\67zXZ\0", "xz data"),
	MAGIC(0, "BZh", "bzip2 data"),
	MAGIC(0, "\x04\x22\x4d\x18", "lz4 data"),
	MAGIC(0, "minidump FreeBSD/", "a minidump"),
	MAGIC(0, "\x7f" "ELF", "an ELF file"),
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

#define NLATE	    (sizeof(late) / sizeof(late[0]))
#define NDISKS	    (sizeof(disks) / sizeof(disks[0]))
#define NFOREIGNERS (sizeof(foreigners) / sizeof(foreigners[0]))

/* The first of n that the file starts with; NULL: none. */
static const char *
find(const struct foreign *list, size_t n, struct span start)
{
	for (size_t i = 0; i < n; i++) {
		struct span magic;

		if (span_sub(start, list[i].off, list[i].len, &magic) &&
		    memcmp(magic.base, list[i].magic, magic.len) == 0)
			return (list[i].what);
	}
	return (NULL);
}

/* A dump with its header, which says that a key follows. */
static const char *
find_encrypted(struct span start)
{
	struct kerneldump_hdr kh;
	const char *why;

	return (kerneldump_decode(start, &kh, &why) && kh.kh_key_len != 0 ?
		"an encrypted dump, with its key, " ON_DISK :
		NULL);
}

const char *
foreign_name(struct span start)
{
	const struct imagekind *kind;
	const char *name = find_encrypted(start);

	if (name == NULL)
		name = find(foreigners, NFOREIGNERS, start);

	if (name != NULL)
		return (name);
	kind = imagekind_find(start, (struct span){ .len = 0 });
	if (kind != NULL && kind->ik_foreign != NULL)
		return (kind->ik_foreign);
	return (find(disks, NDISKS, start));
}

const char *
foreign_name_after_zeros(struct span start)
{
	return (find(late, NLATE, start));
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
