/* Images that are not raw, by their first and last bytes. */
#include "format/imagekind.h"

#include <string.h>

#include "tests/support/hex.h"
#include "tests/support/unit.h"

static const struct row {
	const char *name;
	const char *head, *tail;
	const char *want; /* NULL: taken for raw */
} rows[] = {
	{ "zeros", "", "", NULL },
	{ "a boot sector", "fa31c0 @510 55aa", "", NULL },
	{ "qcow2", "'QFI' fb 00000003", "", "a qcow2 image" },
	{ "qcow2 but for a bit", "'QFI' fa 00000003", "", NULL },
	{ "qed", "'QED' 00", "", "a QED image" },
	{ "vmdk", "'KDMV' 01000000", "", "a VMDK image" },
	{ "vmdk of ESX", "'COWD' 01000000", "", "a VMDK image" },
	{ "vmdk, its description", "'# Disk DescriptorFile' 0a", "",
	    "the description of a VMDK image" },
	{ "vdi", "'<<< Oracle VM VirtualBox Disk Image >>>' 0a", "",
	    "a VDI image" },
	{ "vdi of another vendor", "'<<< Sun' @64 7f10dabe", "",
	    "a VDI image" },
	{ "vhdx", "'vhdxfile'", "", "a VHDX image" },
	{ "vhd, dynamic", "'conectix'", "", "a VHD image" },
	{ "vhd, fixed", "", "'conectix'", "a VHD image" },
	{ "parallels", "'WithoutFreeSpace'", "", "a Parallels image" },
	{ "parallels, newer", "'WithouFreSpacExt'", "", "a Parallels image" },
	{ "dmg", "", "'koly' 00000004", "a DMG image" },
	{ "ewf", "'EVF' 090d0aff00", "", "an EWF image" },
	{ "gzip", "1f8b08", "", "compressed by gzip" },
	{ "xz", "fd '7zXZ' 00", "", "compressed by xz" },
	{ "zstd", "28b52ffd", "", "compressed by zstd" },
	{ "bzip2", "'BZh9'", "", "compressed by bzip2" },
	{ "lz4", "04224d18", "", "compressed by lz4" },
	{ "lzop", "89 'LZO'", "", "compressed by lzop" },
	{ "zip", "'PK' 0304", "", "a zip archive" },
	{ "7-Zip", "'7z' bcaf271c", "", "a 7-Zip archive" },
	{ "tar", "'disk.ovf' @257 'ustar'", "", "a tar archive" },
};

static void
test_kind(void **state)
{
	const struct row *row = *state;
	uint8_t head[IMAGEKIND_HEAD_LEN], tail[IMAGEKIND_TAIL_LEN];
	const struct imagekind *kind;

	hex_decode(row->head, head, sizeof(head));
	hex_decode(row->tail, tail, sizeof(tail));
	kind = imagekind_find((struct span){ head, sizeof(head) },
	    (struct span){ tail, sizeof(tail) });
	if (row->want == NULL) {
		assert_null(kind);
		return;
	}
	assert_non_null(kind);
	assert_string_equal(kind->ik_name, row->want);
	assert_non_null(strstr(kind->ik_todo, " first: "));
}

/* No magic is looked for beyond what was read. */
static void
test_short(void **state)
{
	static const uint8_t bytes[] = { 'Q', 'F', 'I', 0xfb };
	struct span head = { bytes, sizeof(bytes) - 1 };
	struct span none = { 0 };

	(void)state;
	assert_null(imagekind_find(head, none));
	assert_null(imagekind_find(none, none));
	head.len++;
	assert_non_null(imagekind_find(head, none));
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(rows) + 1];
	size_t n = 0;

	ADD_ROWS(tests, n, rows, test_kind);
	tests[n++] = row_test("short files", test_short, NULL);
	return (RUN_TESTS(tests, n));
}
