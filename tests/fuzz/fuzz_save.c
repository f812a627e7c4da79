/* A disk with dumps on it, or an image of any bytes, and the folder to save into. */
#include "tests/fuzz/cmdline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cmdline_run(data, size);
	return (0);
}
