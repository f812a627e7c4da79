/*
 * The table of architectures: see arch.h.
 */
#include "kdebug/arch.h"

static const struct arch *const arches[ARCH_COUNT] = {
	[ARCH_AMD64] = &kdb_arch_amd64,
	[ARCH_ARM] = &kdb_arch_arm,
	[ARCH_ARM64] = &kdb_arch_arm64,
	[ARCH_I386] = &kdb_arch_i386,
	[ARCH_RISCV] = &kdb_arch_riscv,
};

const struct arch *
arch_find(enum dump_arch id)
{
	return (arches[id]);
}
