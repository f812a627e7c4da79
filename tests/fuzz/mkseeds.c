/*
 * usage: mkseeds TARGET DIR
 *
 * Write the inputs that a fuzz target starts from into a folder.
 */
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "tests/fuzz/base.h"
#include "tests/libkvm/small.h"
#include "tests/support/hex.h"
#include "tests/support/kernfile.h"
#include "tests/support/notefile.h"

#define NROWS(table) (sizeof(table) / sizeof((table)[0]))

static const char *folder;

static void
put(const char *name, const void *bytes, size_t len)
{
	char path[1024];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	if ((f = fopen(path, "wb")) == NULL ||
	    fwrite(bytes, 1, len, f) != len || fclose(f) != 0)
		err(EX_CANTCREAT, "%s", path);
}

/* ---- format: a letter, then a structure ---- */

/* A partition table's header; two entries, of which the first is for swap. */
#define GPT	 "'gEFI PART' @13 5c000000 12345678 @25 01 "
#define GPT_SWAP "02000000 80000000 12345678 b57c6e51cf6ed611 8ff800022d09712b "

static const struct {
	const char *name;
	size_t len;
	const char *bytes;
} format_rows[] = {
	{ "kerneldump4", 513,
	    "'kFreeBSD Kernel Dump' @21 'amd64' @33 00000004 00000002 "
	    "@41 0000000000100000 @61 00000200 @65 'host' @321 'panic'" },
	{ "kerneldump1", 513,
	    "'kFreeBSD Kernel Dump' @21 'i386' @33 00000001 00000002 "
	    "@41 0000000000100000 @57 00000200 @61 'host' @317 'panic'" },
	{ "key", 49, "'k' 01 @34 00000100 'key'" },
	{ "key-unknown", 49, "'k' 03 @34 00000100 'key'" },
	{ "place", 521,
	    "'l' 0000200000000000 'FreeBSD Kernel Dump' @29 'amd64' "
	    "@41 00000004 00000002 @49 0000000000100000 @69 00000200 "
	    "@505 0000000000100000" },
	{ "gpt", 349,
	    "'gEFI PART' @13 5c000000 12345678 @25 01 @33 ff "
	    "@73 0200000000000000 " GPT_SWAP "@125 2200000000000000 "
	    "6300000000000000" },
	{ "owners", 33,
	    "'wvmcore owners' @17 0060000000000000 @25 ff00000000000000" },
	{ "owners-other", 33, "'wvmcore owner'" },
	{ "gpt-short", 50, "'gEFI PART'" },
	{ "gpt-shorter", 5, "'gEFI'" },
	{ "gpt-none", 349, "'g'" },
	{ "gpt-header-short", 349, "'gEFI PART' @13 5b000000" },
	{ "gpt-header-long", 349, "'gEFI PART' @13 5d010000" },
	{ "gpt-other-sector", 349, "'gEFI PART' @13 5c000000 12345678 @25 02" },
	{ "gpt-no-entries", 349, GPT "@81 00000000 80000000" },
	{ "gpt-entries-short", 349, GPT "@81 02000000 7f000000" },
	{ "gpt-entries-long", 349, GPT "@81 ffffffff ffff0000" },
	/* Partitions that may be written to, and some that may not. */
	{ "gpt-writable", 349,
	    GPT "@41 2200000000000000 "
		"e500000000000000 @73 0200000000000000 " GPT_SWAP
		"@125 2200000000000000 "
		"6300000000000000 @221 01 @253 6400000000000000 "
		"e400000000000000" },
	{ "gpt-shared", 349,
	    GPT "@41 2200000000000000 "
		"e500000000000000 @73 0200000000000000 " GPT_SWAP
		"@125 2200000000000000 "
		"6300000000000000 @221 01 @253 6300000000000000 "
		"e400000000000000" },
	{ "gpt-table-behind", 349,
	    GPT "@41 2200000000000000 "
		"e500000000000000 @73 e600000000000000 " GPT_SWAP
		"@125 2200000000000000 "
		"6300000000000000" },
	{ "gpt-in-the-table", 349,
	    GPT "@41 2200000000000000 "
		"e500000000000000 @73 2200000000000000 " GPT_SWAP
		"@125 2200000000000000 "
		"6300000000000000" },
	{ "gpt-first-low", 349,
	    GPT "@41 2200000000000000 "
		"e500000000000000 @73 0200000000000000 " GPT_SWAP
		"@125 2100000000000000 "
		"6300000000000000" },
	{ "gpt-last-high", 349,
	    GPT "@41 2200000000000000 "
		"e500000000000000 @73 0200000000000000 " GPT_SWAP
		"@125 2200000000000000 "
		"e600000000000000" },
	{ "gpt-backwards", 349,
	    GPT "@41 2200000000000000 "
		"e500000000000000 @73 0200000000000000 " GPT_SWAP
		"@125 2200000000000000 "
		"2100000000000000" },
	{ "gpt-beyond", 349,
	    GPT "@41 2200000000000000 "
		"e703000000000000 @73 0200000000000000 " GPT_SWAP
		"@125 2200000000000000 "
		"6300000000000000" },
	{ "gpt-other-kind", 349,
	    GPT
	    "@41 2200000000000000 "
	    "e500000000000000 @73 0200000000000000 02000000 80000000 12345678 "
	    "b67c6e51cf6ed611 8ff800022d09712b @125 2200000000000000 "
	    "6300000000000000" },
	{ "gpt-array-cut", 100, GPT "@81 02000000 80000000" },
	{ "msgbuf64", 41,
	    "'m' 0000fe0700f8ffff 62300600 00010000 30020000 10020000 "
	    "00000000 00100000 ffffffff 02000000" },
	{ "msgbuf32", 37,
	    "ee c0fe0000 00063062 00000100 00000230 00000210 00000000 "
	    "00001000 ffffffff 00000001" },
	{ "msgbuf-cut", 20, "'m'" },
	{ "msgbuf-magic", 41, "'m' 0000fe0700f8ffff 63300600 00010000" },
	{ "msgbuf-no-size", 41, "'m' @9 62300600 00000000" },
	{ "msgbuf-modulus", 41, "'m' @9 62300600 00010000 @33 00000001" },
	{ "msgbuf-written", 41,
	    "'m' @9 62300600 00010000 00100000 10020000 @29 00100000" },
	{ "msgbuf-read", 41,
	    "'m' @9 62300600 00010000 30020000 00100000 @29 00100000" },
	{ "msgbuf-wrapped", 41,
	    "'m' @9 62300600 00010000 10020000 30020000 @29 00100000" },
	{ "msgbuf-behind", 41,
	    "'m' @9 62300600 00010000 10000000 f00f0000 @29 00100000" },
	{ "elfcore64", 121,
	    "'e' 7f'ELF' 020101ff @17 0400 3e00 @33 4000000000000000 "
	    "@53 4000 3800 0100 @65 01000000" },
	{ "elfcore32", 85,
	    "'e' 7f'ELF' 010201ff @17 0004 0028 @29 00000034 "
	    "@41 0034 0020 0001 @53 6fb5d000" },
	{ "elfcore-none", 121, "'e' 7f'ELG'" },
	{ "elfcore-shortest", 9, "'e' 7f'ELF'" },
	{ "elfcore-class", 121, "'e' 7f'ELF' 030101ff" },
	{ "elfcore-order", 121, "'e' 7f'ELF' 020301ff" },
	{ "elfcore-cut", 60, "'e' 7f'ELF' 020101ff" },
	{ "elfcore-kind", 121, "'e' 7f'ELF' 020101ff @17 0200 3e00" },
	{ "elfcore-short-entries", 121,
	    "'e' 7f'ELF' 020101ff @17 0400 3e00 @53 4000 3700 0100" },
	{ "elfcore-many", 200,
	    "'e' 7f'ELF' 020101ff @17 0400 3e00 @33 4000000000000000 "
	    "8000000000000000 @53 4000 3800 ffff @173 02000000" },
	{ "elfcore-many32", 200,
	    "'e' 7f'ELF' 010201ff @17 0004 0028 @29 00000034 00000080 "
	    "@41 0034 0020 ffff @157 00000002" },
	{ "elfnote", 61,
	    "'o' 05000000 06000000 01000000 'CORE' 00000000 'sixsix' 0000 "
	    "05000000 04000000 00000000 'QEMU' 00000000 'four'" },
	{ "elfnote-qemu", 461,
	    "'o' 05000000 b8010000 00000000 'QEMU' 00000000 01000000 b8010000" },
	{ "elfnote-qemu-old", 453,
	    "'o' 05000000 b0010000 00000000 'QEMU' 00000000 01000000 b0010000" },
	{ "elfnote-qemu-version", 461,
	    "'o' 05000000 b8010000 00000000 'QEMU' 00000000 02000000 b8010000" },
	{ "elfnote-qemu-long", 461,
	    "'o' 05000000 b8010000 00000000 'QEMU' 00000000 01000000 b9010000" },
	{ "elfnote-other", 32,
	    "'o' 05000000 00000000 01000000 'CARE' 00000000" },
	{ "elfnote-no-nul", 18, "'o' 04000000 00000000 01000000 'CORE'" },
	{ "elfnote-no-name", 17, "'o' 00000000 04000000 01000000 'four'" },
	{ "elfnote-padding", 15, "'o' 01000000 00000000 01000000 'x' 00" },
	{ "elfnote-cut", 15, "'o' 01000000 09000000 01000000 'x' 00" },
	{ "elfnote-name-cut", 15, "'o' 09000000 09000000 01000000 'x' 00" },
	{ "minidump", 4097,
	    "'hminidump FreeBSD/amd64' @25 03000000 b87f0100 00100000 "
	    "00f07f00 0000000000feffff 0000000000f8ffff 0000000000fcffff "
	    "00100000" },
	{ "minidump-arm", 4097,
	    "e8 'minidump FreeBSD/arm' @25 00000002 00000800 00001000 "
	    "00001000 c0000000 00000007 00000002 00001000" },
	{ "segments", 65,
	    "'s' 0000000000000000 00f0090000000000 "
	    "0040100000000000 00f0fd0700000000" },
	{ "segments16k", 65,
	    "f4 0000000000000000 0000000000100001 "
	    "0000000000100001 0000000000200000" },
	{ "segments-none", 17, "'s'" },
	{ "segments-empty", 1, "'s'" },
	{ "segments-backwards", 49, "'s' 0020000000000000 0010000000000000" },
	{ "segments-overlap", 65,
	    "'s' 0000000000000000 0020000000000000 "
	    "0010000000000000 0030000000000000" },
	{ "segments-no-end", 17, "'s' 0000000000000000 0020000000000000" },
	{ "segments-odd-end", 25, "'s' 0000000000000000 0020000000000000" },
	{ "entries", 25,
	    "'p' 0330010000000080 e300400000000080 0107204000000000" },
};

static void
put_format(void)
{
	for (size_t i = 0; i < NROWS(format_rows); i++) {
		uint8_t bytes[5000];

		hex_decode(format_rows[i].bytes, bytes, format_rows[i].len);
		put(format_rows[i].name, bytes, format_rows[i].len);
	}
}

/* ---- minidump: machine, page of the symbols, core ---- */

/* An ELF core of amd64, and the first of its program headers. */
#define CORE	   "00 00 7f'ELF' 020101 @18 0400 3e00 @34 4000000000000000 "
#define ENTRIES(n) "@56 3800 " n "00 @66 "

/* Dumps whose sections are a page each: headers and some of their entries. */
static const struct {
	const char *name;
	const char *bytes;
} minidump_rows[] = {
	{ "amd64-v1",
	    "00 00 'minidump FreeBSD/amd64' @26 01000000 00080000 00100000 "
	    "00100000 00000080ffffffff 0000000000f8ffff 0000010000f8ffff "
	    "@0x2002 03 @0x3002 0300000000000080 0310000000000080" },
	{ "amd64-v2",
	    "00 01 'minidump FreeBSD/amd64' @26 02000000 00080000 00100000 "
	    "00100000 00000080ffffffff 0000000000f8ffff 0000010000f8ffff "
	    "@0x2002 03 @0x3002 0300000000000000 e300000000000080 "
	    "@0x4002 0300000000000080 0310000000000080" },
	{ "arm",
	    "01 00 'minidump FreeBSD/arm' @26 02000000 00080000 00100000 "
	    "00100000 000000c0 07000000 02000000 00100000 "
	    "@0x2002 0000008000000000 0000028000000000 @0x3002 03 "
	    "@0x4002 4e040080 01040080 cf100080" },
	{ "arm-big",
	    "02 00 'minidump FreeBSD/arm' @26 00000002 00000800 00001000 "
	    "00001000 c0000000 00000007 00000002 00001000 "
	    "@0x2002 0000000080000000 0000000080020000 @0x3005 03 "
	    "@0x4002 8000044e 80000401 800010cf" },
	{ "arm64",
	    "03 00 'minidump FreeBSD/arm64' @26 02000000 00080000 00100000 "
	    "00100000 000000000000ffff 0000004000000000 0000000000a0ffff "
	    "0000010000a0ffff 00100000 "
	    "@0x2002 0000004000000000 0000014000000000 @0x3002 03 "
	    "@0x4002 0307004000000000 8317004000006000" },
	{ "arm64-16k",
	    "03 00 'minidump FreeBSD/arm64' @26 03000000 00080000 00400000 "
	    "00400000 000000000000ffff 0000004000000000 0000000000a0ffff "
	    "0000010000a0ffff 00400000 01000000 "
	    "@0x8002 0000004000000000 0000014000000000" },
	{ "i386-pae",
	    "04 00 'minidump FreeBSD/i386' @26 02000000 00080000 00100000 "
	    "00100000 000000c0 01000000 00100000 "
	    "@0x2002 0000000000000000 0000020000000000 @0x3002 03 "
	    "@0x4002 0300000000000080 0310000000000000" },
	{ "i386",
	    "04 00 'minidump FreeBSD/i386' @26 01000000 00080000 00100000 "
	    "00100000 000000c0 @0x2002 03 @0x3002 03000000 01100000" },
	{ "riscv",
	    "05 00 'minidump FreeBSD/riscv' @26 02000000 00080000 00100000 "
	    "00100000 000000c0ffffffff 0000008000000000 000000d0ffffffff "
	    "000001d0ffffffff 00100000 "
	    "@0x2002 0000008000000000 0000028000000000 @0x3002 03 "
	    "@0x4002 0f00002000000000 0704002000000000" },
	/* What is refused, and what is odd. */
	{ "other-machine",
	    "00 00 'minidump FreeBSD/i386' @26 01000000 00080000 00100000 "
	    "00100000 000000c0 @0x2002 03 @0x3002 03000000 01100000" },
	{ "avail-overlaps",
	    "03 00 'minidump FreeBSD/arm64' @26 02000000 00080000 00100000 "
	    "00100000 000000000000ffff 0000004000000000 0000000000a0ffff "
	    "0000010000a0ffff 00100000 "
	    "@0x2002 0000004000000000 0000014000000000 0000004000000000 "
	    "0000014000000000" },
	{ "avail-long",
	    "03 00 'minidump FreeBSD/arm64' @26 02000000 00080000 00100000 "
	    "00100000 000000000000ffff 0000004000000000 0000000000a0ffff "
	    "0000010000a0ffff 00100080" },
	{ "two-layouts",
	    "01 00 'minidump FreeBSD/arm' @26 01000000 00080000 00100000 "
	    "04080000 000000c0 07000000 @0x2002 03 "
	    "@0x3002 4e040080 01040080 cf100080" },
	{ "elf-other-machine",
	    "00 00 7f'ELF' 020101 @18 0400 0300 @34 4000000000000000 " ENTRIES(
		"01") },
	{ "elf-no-segments", CORE ENTRIES("00") },
	{ "elf-no-bytes",
	    CORE ENTRIES("02") "01000000 07000000 0010000000000000 @90 "
			       "0000000000000000 0000000000000000 @122 "
			       "01000000 07000000 0010000000000000 @146 "
			       "0000000000000000 0010000000000000" },
	{ "elf-wraps",
	    CORE ENTRIES("01") "01000000 07000000 0010000000000000 @90 "
			       "00f0ffffffffffff 0020000000000000" },
	{ "elf-file-wraps",
	    CORE ENTRIES("01") "01000000 07000000 00f0ffffffffffff @90 "
			       "0000000000000000 0020000000000000" },
	{ "elf-overlap",
	    CORE ENTRIES("02") "01000000 07000000 0010000000000000 @90 "
			       "0010000000000000 0020000000000000 @122 "
			       "01000000 07000000 0040000000000000 @146 "
			       "0020000000000000 0010000000000000" },
	{ "elf-contained",
	    CORE ENTRIES("02") "01000000 07000000 0010000000000000 @90 "
			       "0010000000000000 0030000000000000 @122 "
			       "01000000 07000000 0020000000000000 @146 "
			       "0020000000000000 0010000000000000" },
	{ "elf-gap",
	    CORE ENTRIES("02") "01000000 07000000 0010000000000000 @90 "
			       "0010000000000000 0010000000000000 @122 "
			       "01000000 07000000 0020000000000000 @146 "
			       "0080000000000000 0010000000000000" },
	{ "elf-odd-entry", CORE ENTRIES("01") "77000000 07000000" },
	{ "elf-long-entries", CORE "@56 0002 0100 @66 01000000" },
	{ "elf-many", CORE "@42 0001000000000000 @56 3800 ffff @302 01000000" },
	{ "elf-many-cut", CORE "@42 0001000001000000 @56 3800 ffff" },
	{ "elf-notes-long",
	    CORE ENTRIES("01") "04000000 00000000 0010000000000000 @98 "
			       "0000000001000000" },
	{ "elf-notes-cut",
	    CORE ENTRIES("01") "04000000 00000000 0010000001000000 @98 "
			       "0010000000000000" },
	{ "elf-notes",
	    CORE ENTRIES("02") "04000000 00000000 0010000000000000 @98 "
			       "0010000000000000 @122 "
			       "04000000 00000000 0010000000000000 @154 "
			       "0010000000000000 @0x1002 "
			       "05000000 00000000 01000000 'CORE' 00000000 "
			       "05000000 b8010000 00000000 'QEMU' 00000000 "
			       "01000000 b8010000 @0x11e6 "
			       "05000000 b8010000 00000000 'QEMU' 00000000 "
			       "01000000 b8010000" },
};

/* The hand-made machine of the unit tests, as a minidump and a full dump. */
static void
put_small(void)
{
	static struct small sm;
	static uint8_t bytes[2 + SMALL_FILE_MAX];
	size_t len;

	small_init(&sm, 0x1f7e, 0x156e);
	for (uint64_t n = 1; n < 9; n++)
		small_map(&sm, SMALL_KERNBASE + n * 4096,
		    n * 4096 | SMALL_V | SMALL_RW);
	small_map_directory(&sm, SMALL_KERNBASE + 0x400000,
	    SMALL_V | SMALL_RW | SMALL_PS);
	len = small_minidump(&sm, bytes + 2);
	put("amd64-v3", bytes, 2 + len);
	len = small_full(&sm, 0x1000, bytes + 2);
	bytes[1] = 1;
	put("amd64-full", bytes, 2 + len);
}

static void
put_minidump(void)
{
	for (size_t i = 0; i < NROWS(minidump_rows); i++) {
		static uint8_t bytes[2 + 13 * 4096];
		size_t len =
		    strstr(minidump_rows[i].name, "16k") != NULL ? 13 : 7;

		hex_decode(minidump_rows[i].bytes, bytes, sizeof(bytes));
		put(minidump_rows[i].name, bytes, 2 + len * 4096);
	}
	put_small();
}

/* ---- exec: kernel files ---- */

static void
put_exec(void)
{
	static const struct kernfile_symbol symbols[] = {
		{ "kernbase", 0xc0000000, 0, KERNFILE_ABS, 0, false },
		{ "a", 0xc0001010, 16, KERNFILE_DATA, 2, true },
		{ "a", 0xc0001020, 16, KERNFILE_DATA, 2, false },
		{ "mp_ncpus", 0xc0002004, 4, KERNFILE_BSS, 1, false },
	};
	struct kernfile kf = { .data_va = 0xc0001000,
		.data = "text and data",
		.data_len = 14,
		.bss_va = 0xc0002000,
		.bss_len = 4096,
		.symbols = symbols,
		.nsymbols = NROWS(symbols) };
	uint8_t buf[4096];

	for (int arch = 0; arch < ARCH_COUNT; arch++) {
		kf.arch = (enum dump_arch)arch;
		put(dump_arch_name(kf.arch), buf,
		    kernfile_write(&kf, buf, sizeof(buf)));
	}
	kf.arch = ARCH_ARM;
	kf.order = ORDER_BIG;
	put("arm-big", buf, kernfile_write(&kf, buf, sizeof(buf)));
}

/* ---- buildid: kernel files with notes ---- */

/* The segment that is loaded is at 64, that of the notes at 120. */
static const struct {
	const char *name;
	const char *bytes;
} buildid_rows[] = {
	{ "offset-huge", "@128 ffffffffffffffff" },
	{ "offset-beyond", "@128 0000000100000000" },
	{ "address-none", "@136 0000000000000000" },
	{ "address-other", "@136 0010208000000000" },
	{ "address-elsewhere", "@136 0014208000000000" },
	{ "notes-none", "@152 0000000000000000" },
	{ "notes-short", "@152 0c00000000000000" },
	{ "notes-beyond", "@152 0000010000000000" },
	{ "load-none", "@104 0000000000000000" },
	{ "load-wraps", "@104 ffffffffffffffff" },
	{ "load-huge", "@104 0000004000000000" },
	{ "load-elsewhere", "@80 0000308000000000" },
	{ "two-loads", "@120 01000000" },
	{ "two-loads-lower",
	    "@120 01000000 @136 00000080ffffffff @160 00100000" },
	{ "two-notes", "@64 04000000" },
	{ "no-id", "@260 00000000" },
	{ "id-long", "@260 41000000" },
	{ "id-cut", "@260 40000000 @152 2000000000000000" },
	{ "not-gnu", "@268 'GNV'" },
	{ "name-long", "@256 05000000" },
	{ "no-segments", "@56 0000" },
	{ "segments-beyond", "@56 ff00" },
	{ "table-beyond", "@32 0000000100000000" },
	{ "class32", "@4 01" },
	{ "big", "@5 02" },
	{ "no-elf", "@0 00" },
};

static void
put_buildid(void)
{
	static const char *const notes[] = {
		"",
		NOTE_ID,
		NOTE_NEWER,
		NOTE_OTHER NOTE_ID,
		NOTE_OTHER NOTE_OTHER NOTE_NEWER,
	};

	for (size_t i = 0; i < NROWS(notes); i++) {
		uint8_t bytes[NOTEFILE_LEN];
		char name[32];

		notefile_write(notes[i], NOTE_VA & ~UINT64_C(0xfff), 0x4000,
		    bytes);
		(void)snprintf(name, sizeof(name), "%zu", i);
		put(name, bytes, sizeof(bytes));
	}
	for (size_t i = 0; i < NROWS(buildid_rows); i++) {
		uint8_t bytes[NOTEFILE_LEN];

		notefile_write(NOTE_ID, NOTE_VA & ~UINT64_C(0xfff), 0x4000,
		    bytes);
		hex_patch(buildid_rows[i].bytes, bytes, sizeof(bytes));
		put(buildid_rows[i].name, bytes, sizeof(bytes));
	}
}

/* ---- dump and kdebug: which dump, its length, changes ---- */

static void
put_changes(void)
{
	static const char *const changes[] = {
		"00",			 /* as it is */
		"80",			 /* half of it */
		"00 03 200000 ffffffff", /* the length of the bitmap */
		"00 07 280000 0000000000000000 12 000100 ffffff",
		"00 18 000010 000011 18 100010 000012 18 300010 000013",
		"00 17 001000 0800000000000000 17 002000 ffffffffffffffff",
	};

	for (size_t i = 0; i < base_count(); i++) {
		for (size_t k = 0; k < 2 * NROWS(changes); k++) {
			uint8_t bytes[64] = { 0 };
			char name[32];

			hex_patch(changes[k / 2], bytes + 1, sizeof(bytes) - 1);
			bytes[0] = (uint8_t)(i | (k % 2 == 0 ? 0 : 0x80));
			(void)snprintf(name, sizeof(name), "%zu-%zu", i, k);
			put(name, bytes, k < 4 ? 2 : 40);
		}
	}
}

/* ---- dumper: a format, and changes to the memory that is dumped ---- */

static void
put_dumper(void)
{
	static const char *const changes[] = {
		"",
		"03010000 0310200000000000 10020000 0000000000000000",
		"02010000 e300200000000000 02010100 0330000000000000",
		"02010000 0300a00000000000 01010000 0320000000000000",
		"05050000 0010000000000000 05010100 0010010000000000",
		"03100000 0000000000000000 04030000 ffffffffffffffff",
	};

	for (unsigned int format = 0; format < 3; format++) {
		for (size_t i = 0; i < NROWS(changes); i++) {
			uint8_t bytes[49] = { (uint8_t)format };
			char name[32];

			hex_patch(changes[i], bytes + 1, sizeof(bytes) - 1);
			(void)snprintf(name, sizeof(name), "%u-%zu", format, i);
			put(name, bytes, sizeof(bytes));
		}
	}
}

static const struct {
	const char *target;
	void (*put)(void);
} targets[] = {
	{ "format", put_format },
	{ "minidump", put_minidump },
	{ "exec", put_exec },
	{ "buildid", put_buildid },
	{ "dump", put_changes },
	{ "dumper", put_dumper },
	{ "kdebug", put_changes },
};

int
main(int argc, char **argv)
{
	if (argc != 3)
		errx(EX_USAGE, "usage: mkseeds TARGET DIR");
	folder = argv[2];
	if (mkdir(folder, 0777) != 0 && errno != EEXIST)
		err(EX_CANTCREAT, "%s", folder);
	for (size_t i = 0; i < NROWS(targets); i++) {
		if (strcmp(targets[i].target, argv[1]) == 0) {
			targets[i].put();
			return (0);
		}
	}
	errx(EX_USAGE, "%s: no such target", argv[1]);
}
