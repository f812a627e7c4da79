/*
 * Dumps of every machine and version that are nearly right: base.h.  The
 * highest bit of the first byte asks for no walk over all pages.
 */
#include "tests/fuzz/base.h"
#include "tests/fuzz/exercise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct base *ba = base_apply(data, size);

	if (ba == NULL)
		return (0);
	exercise(ba->ba_kernel.path, ba->ba_core.path, NULL,
	    (data[0] & 0x80) != 0 ? EXERCISE_READS : EXERCISE_ALL);
	base_restore(ba);
	return (0);
}
