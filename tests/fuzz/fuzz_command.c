/* The command line of the commands that look into a dump, and what they print. */
#include "tests/fuzz/cmdline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cmdline_run(data, size);
	return (0);
}
