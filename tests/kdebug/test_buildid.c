/* Build-ids: of kernel files made by hand, and of dumps with a note or none. */
#include "kdebug/buildid.h"

#include <unistd.h>

#include "tests/kdebug/fake_kvm.h"
#include "tests/support/hex.h"
#include "tests/support/notefile.h"
#include "tests/support/temp.h"
#include "tests/support/unit.h"

#define IMAGE	  UINT64_C(0xffffffff80200000)
#define IMAGE_LEN UINT64_C(0x4000)

static const struct build_row {
	const char *name;
	const char *file; /* its notes, which are loaded at NOTE_VA */
	kvaddr_t load_va;
	uint64_t load_len;
	kvaddr_t dump_va; /* of the dump's notes */
	const char *dump;
	enum buildid_match want;
} build_rows[] = {
	{ "the same build", NOTE_ID, IMAGE, IMAGE_LEN, NOTE_VA, NOTE_ID,
	    BUILDID_SAME },
	{ "another build", NOTE_ID, IMAGE, IMAGE_LEN, NOTE_VA, NOTE_NEWER,
	    BUILDID_OTHER },
	{ "another build, whose note lies elsewhere", NOTE_ID, IMAGE, IMAGE_LEN,
	    IMAGE + 0x2100, NOTE_NEWER, BUILDID_OTHER },
	{ "from one page to the next", NOTE_ID, IMAGE, IMAGE_LEN,
	    IMAGE + 0x1ff4, NOTE_NEWER, BUILDID_OTHER },
	{ "after another note", NOTE_OTHER NOTE_ID, IMAGE, IMAGE_LEN, NOTE_VA,
	    NOTE_OTHER NOTE_ID, BUILDID_SAME },
	{ "no note in the file", "", IMAGE, IMAGE_LEN, NOTE_VA, NOTE_ID,
	    BUILDID_UNKNOWN },
	{ "another note only", NOTE_OTHER, IMAGE, IMAGE_LEN, NOTE_VA, NOTE_ID,
	    BUILDID_UNKNOWN },
	{ "an id without bytes", "04000000 00000000 03000000 'GNU' 00", IMAGE,
	    IMAGE_LEN, NOTE_VA, NOTE_ID, BUILDID_UNKNOWN },
	{ "an id of 65 bytes", "04000000 41000000 03000000 'GNU' 00 01", IMAGE,
	    IMAGE_LEN, NOTE_VA, NOTE_ID, BUILDID_UNKNOWN },
	{ "a note that ends nowhere", "ffffffff ffffffff 01000000", IMAGE,
	    IMAGE_LEN, NOTE_VA, NOTE_ID, BUILDID_UNKNOWN },
	{ "no note in the dump", NOTE_ID, IMAGE, IMAGE_LEN, NOTE_VA, "",
	    BUILDID_UNKNOWN },
	{ "past the image", NOTE_ID, IMAGE, IMAGE_LEN, IMAGE + 0x5000,
	    NOTE_NEWER, BUILDID_UNKNOWN },
	{ "an image that is too large to search", NOTE_ID, IMAGE, 0x20000000,
	    IMAGE + 0x2100, NOTE_NEWER, BUILDID_UNKNOWN },
	{ "an image up to the last address", NOTE_ID,
	    UINT64_C(0xffffffffffff0000), 0xffff, IMAGE + 0x2100, NOTE_NEWER,
	    BUILDID_UNKNOWN },
};

static void
test_build(void **state)
{
	const struct build_row *row = *state;
	kvm_t *kd = fake_create(ARCH_AMD64, ORDER_LITTLE);
	struct buildid file, dump;
	char path[TEMP_PATH_LEN];
	uint8_t notes[NOTEFILE_NOTES_LEN];
	uint8_t kernel[NOTEFILE_LEN];

	notefile_write(row->file, row->load_va, row->load_len, kernel);
	temp_named(kernel, sizeof(kernel), path);
	fake_set_exec(kd, path);
	hex_decode(row->dump, notes, sizeof(notes));
	fake_put(kd, row->dump_va, notes, sizeof(notes));
	assert_int_equal(buildid_compare(kd, &file, &dump), row->want);
	if (row->want != BUILDID_UNKNOWN) {
		assert_string_equal(file.bi_text, "a1b2c3d4");
		assert_string_equal(dump.bi_text,
		    row->want == BUILDID_SAME ? "a1b2c3d4" : "01020304");
	}
	(void)unlink(path);
	fake_destroy(kd);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(build_rows)];
	size_t n = 0;

	ADD_ROWS(tests, n, build_rows, test_build);
	return (RUN_TESTS(tests, n));
}
