/* The first and last bytes of files that are neither dumps nor kernels. */
#include "format/foreign.h"

#include <string.h>

#include "tests/support/hex.h"
#include "tests/support/unit.h"

static const struct start_row {
	const char *name;
	const char *text; /* hex.h */
	const char *want; /* NULL: not known */
} start_rows[] = {
	{ "nothing", "", NULL },
	{ "a text", "'hello, world'", NULL },
	{ "a minidump", "'minidump FreeBSD/amd64'", NULL },
	{ "an ELF file", "7f 'ELF' 020101ff", NULL },
	{ "a dump as it lies on a disk", "'FreeBSD Kernel Dump'",
	    "vmcore save" },
	{ "a textdump as it lies on a disk", "'FreeBSD Text Dump'",
	    "a textdump" },
	{ "a cleared dump", "'Cleared Kernel Dump'", "cleared" },
	{ "info.N", "'Dump header from device: /dev/ada0p2'", "vmcore.N" },
	{ "a textdump", "'ddb.txt' @257 'ustar'", "a textdump" },
	{ "a textdump without ddb", "'config.txt' @257 'ustar'", "a textdump" },
	{ "a tar archive", "'crash/vmcore.0' @257 'ustar'", "a tar archive" },
	{ "makedumpfile", "'KDUMP   '", "Linux" },
	{ "diskdump", "'DISKDUMP'", "Linux" },
	{ "makedumpfile, flattened", "'makedumpfile'", "makedumpfile -R" },
	{ "LiME", "'EMiL'", "LiME" },
	{ "a minidump of Windows", "'MDMP' 93a7", "Windows or LLDB" },
	{ "a dump of Windows", "'PAGEDU64'", "WinDbg" },
	{ "Mach-O", "cffaedfe", "Mach-O" },
	{ "a saved state of QEMU", "'QEVM' 00000003", "dump-guest-memory" },
	{ "ewf", "'EVF' 090d0aff00", "ewfexport -f raw" },
	{ "qcow2", "'QFI' fb 00000003", "qemu-img convert" },
	{ "VMDK", "'KDMV' 01", "qemu-img convert" },
	{ "VMDK, its description", "'# Disk DescriptorFile'",
	    "qemu-img convert" },
	{ "VDI", "@64 7f10dabe", "qemu-img convert" },
	{ "VHDX", "'vhdxfile'", "qemu-img convert" },
	{ "VHD", "'conectix'", "qemu-img convert" },
	{ "zip", "'PK' 0304", "zip" },
	{ "compress", "1f9d90", "compress(1)" },
	{ "lzma", "5d 00008000 ffffffffffffffff", "lzma(1)" },
	{ "lz4, its old format", "02214c18", "lz4 -l" },
	{ "a disk with a GUID partition table", "@510 55aa @512 'EFI PART'",
	    "vmcore save" },
	{ "the same with sectors of 4096 bytes", "@4096 'EFI PART'",
	    "vmcore save" },
	{ "a disk with a partition table of DOS", "@510 55aa", "vmcore save" },
};

static void
assert_name(const char *got, const char *want)
{
	if (want == NULL && got != NULL)
		fail_msg("is called %s", got);
	if (want != NULL && (got == NULL || strstr(got, want) == NULL))
		fail_msg("is called %s", got != NULL ? got : "nothing");
}

static void
test_start(void **state)
{
	const struct start_row *row = *state;
	uint8_t bytes[FOREIGN_HEAD_LEN];

	hex_decode(row->text, bytes, sizeof(bytes));
	assert_name(foreign_name((struct span){ bytes, sizeof(bytes) }),
	    row->want);
}

/* A magic number is looked for only where there are bytes. */
static void
test_short(void **state)
{
	uint8_t bytes[FOREIGN_HEAD_LEN];
	struct span start = { bytes, 3 };

	(void)state;
	hex_decode("'QFI' fb @257 'ustar'", bytes, sizeof(bytes));
	assert_null(foreign_name(start));
	start.len = 4;
	assert_non_null(foreign_name(start));
	bytes[0] = 'q';
	start.len = 261;
	assert_null(foreign_name(start));
	start.len = 262;
	assert_non_null(foreign_name(start));
}

static const struct end_row {
	const char *name;
	const char *text;
	size_t len;
	const char *want;
} end_rows[] = {
	{ "nothing", "", 0, NULL },
	{ "half of a header", "'FreeBSD Kernel Dump'", 256, NULL },
	{ "a dump", "'FreeBSD Kernel Dump'", 512, "vmcore save" },
	{ "a dump behind other things", "@512 'FreeBSD Kernel Dump'", 1024,
	    "vmcore save" },
	{ "a textdump", "@512 'FreeBSD Text Dump'", 1024, "vmcore save" },
	{ "a dump, sectors of 4096 bytes", "@512 'FreeBSD Kernel Dump'", 4608,
	    "vmcore save" },
	{ "a header elsewhere", "@1 'FreeBSD Kernel Dump'", 4608, NULL },
};

static void
test_end(void **state)
{
	const struct end_row *row = *state;
	uint8_t bytes[FOREIGN_HEAD_LEN];

	hex_decode(row->text, bytes, sizeof(bytes));
	assert_name(foreign_name_by_end((struct span){ bytes, row->len }),
	    row->want);
}

static const struct note_row {
	const char *name;
	const char *owner;
	uint32_t type;
	const char *want;
} note_rows[] = {
	{ "QEMU's registers", "CORE", ELFNOTE_PRSTATUS, NULL },
	{ "QEMU's own", "QEMU", 0, NULL },
	{ "Linux's vmcoreinfo", "VMCOREINFO", 0, "Linux" },
	{ "a Linux program", "CORE", 3, "of a program" },
	{ "a FreeBSD program", "FreeBSD", 1, "of a program" },
	{ "FreeBSD's ABI tag in a kernel", "FreeBSD", 9, NULL },
};

static void
test_note(void **state)
{
	const struct note_row *row = *state;
	struct elfnote en = { .en_name = { (const uint8_t *)row->owner,
				  strlen(row->owner) },
		.en_type = row->type };

	assert_name(foreign_name_by_note(&en), row->want);
}

int
main(void)
{
	struct CMUnitTest tests[64];
	size_t n = 0;

	ADD_ROWS(tests, n, start_rows, test_start);
	ADD_ROWS(tests, n, end_rows, test_end);
	ADD_ROWS(tests, n, note_rows, test_note);
	tests[n++] = row_test("bytes that are not there", test_short, NULL);
	return (RUN_TESTS(tests, n));
}
