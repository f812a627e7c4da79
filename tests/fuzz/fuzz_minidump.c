/*
 * A core file of any bytes, with a good kernel: the first byte picks its
 * machine.  Symbols have the places that a hash of their name gives, within the
 * page that the second byte names.
 */
#include "tests/fuzz/exercise.h"
#include "tests/fuzz/memfile.h"
#include "tests/support/kernfile.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	enum dump_arch arch;
	enum byte_order order;
	uint64_t kernbase;
} kernels[] = {
	{ ARCH_AMD64, ORDER_LITTLE, UINT64_C(0xffffffff80000000) },
	{ ARCH_ARM, ORDER_LITTLE, 0xc0000000 },
	{ ARCH_ARM, ORDER_BIG, 0xc0000000 },
	{ ARCH_ARM64, ORDER_LITTLE, UINT64_C(0xffff000000000000) },
	{ ARCH_I386, ORDER_LITTLE, 0xc0000000 },
	{ ARCH_RISCV, ORDER_LITTLE, UINT64_C(0xffffffc000000000) },
};
#define NKERNELS (sizeof(kernels) / sizeof(kernels[0]))

static struct memfile kernel_files[NKERNELS];
static struct memfile core_file;
static uint64_t symbols_va;

static void
init(void)
{
	static bool done;
	uint8_t buf[4096];

	if (done)
		return;
	done = true;
	memfile_create(&core_file);
	for (size_t i = 0; i < NKERNELS; i++) {
		struct kernfile kf = { .arch = kernels[i].arch,
			.order = kernels[i].order };

		memfile_create(&kernel_files[i]);
		memfile_set(&kernel_files[i], buf,
		    kernfile_write(&kf, buf, sizeof(buf)));
	}
}

static int
resolve(const char *name, kvaddr_t *addr)
{
	uint64_t hash = 0;

	for (; *name != '\0'; name++)
		hash = hash * 31 + (uint8_t)*name;
	if (hash % 16 == 0)
		return (1);
	*addr = symbols_va + hash % 512 * 8;
	return (0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t which;

	if (size < 2)
		return (0);
	init();
	which = data[0] % NKERNELS;
	symbols_va = kernels[which].kernbase + (uint64_t)data[1] * 4096;
	memfile_set(&core_file, data + 2, size - 2);
	exercise(kernel_files[which].path, core_file.path, resolve,
	    EXERCISE_ALL);
	return (0);
}
