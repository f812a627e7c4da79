/* The kernel as an operating system, in dumps that are nearly right: base.h. */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/fuzz/base.h"
#include "tests/fuzz/look.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct base *ba = base_apply(data, size);
	kvm_t *kd;

	if (ba == NULL)
		return (0);
	kd = kvm_open2(ba->ba_kernel.path, ba->ba_core.path, O_RDONLY, NULL,
	    NULL);
	if (kd != NULL) {
		look(kd);
		(void)kvm_close(kd);
	}
	base_restore(ba);
	return (0);
}
