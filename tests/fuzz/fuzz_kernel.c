/*
 * A kernel made by hand, as bytes: tests/kdebug/fake_file.c has their format.
 * The seeds are the kernels that the tests of kdebug/ look at; what is to fail
 * may come before one (fail.h).
 */
#include <stddef.h>
#include <stdint.h>

#include "tests/fuzz/fail.h"
#include "tests/fuzz/look.h"
#include "tests/kdebug/fake_kvm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fail_plan plan = fail_take(&data, &size);
	kvm_t *kd = fake_load(data, size);

	if (kd == NULL)
		return (0);
	fail_set(plan.fp_kind, plan.fp_n);
	look(kd);
	fail_clear();
	fake_destroy(kd);
	return (0);
}
