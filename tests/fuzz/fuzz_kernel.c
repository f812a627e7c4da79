/*
 * A kernel made by hand, as bytes: tests/kdebug/fake_file.c has their format.
 * The seeds are the kernels that the tests of kdebug/ look at.
 */
#include <stddef.h>
#include <stdint.h>

#include "tests/fuzz/look.h"
#include "tests/kdebug/fake_kvm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kvm_t *kd = fake_load(data, size);

	if (kd == NULL)
		return (0);
	look(kd);
	fake_destroy(kd);
	return (0);
}
