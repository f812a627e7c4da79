/* A kernel file of any bytes, beside a dump: are they of one build? */
#include "kdebug/buildid.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/memfile.h"
#include "tests/kdebug/fake_kvm.h"
#include "tests/support/hex.h"
#include "tests/support/notefile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A dump with a note where the seeds' kernels have it. */
static kvm_t *
make_dump(const struct memfile *kernel)
{
	kvm_t *kd = fake_create(ARCH_AMD64, ORDER_LITTLE);
	uint8_t notes[NOTEFILE_NOTES_LEN];

	hex_decode(NOTE_OTHER NOTE_ID, notes, sizeof(notes));
	fake_put(kd, NOTE_VA, notes, sizeof(notes));
	fake_set_exec(kd, kernel->path);
	return (kd);
}

static void
check_id(const struct buildid *id)
{
	size_t len = strspn(id->bi_text, "0123456789abcdef");

	if (len % 2 != 0 || len > 2 * BUILDID_MAX || id->bi_text[len] != '\0')
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct memfile kernel;
	static kvm_t *kd;
	struct buildid file, dump;
	enum buildid_match match;

	if (kd == NULL) {
		memfile_create(&kernel);
		kd = make_dump(&kernel);
	}
	memfile_set(&kernel, data, size);
	match = buildid_compare(kd, &file, &dump);
	check_id(&file);
	check_id(&dump);
	if ((match == BUILDID_SAME) !=
	    (file.bi_text[0] != '\0' &&
		strcmp(file.bi_text, dump.bi_text) == 0))
		abort();
	return (0);
}
