/*
 * The dumps that every test of a reader goes through: each architecture and
 * version, and what else changes the bytes of the file.
 */
#include <string.h>

#include "tests/gen/dumpgen.h"

/* Beside their own flags, all have pages mapped twice and odd entry bits. */
#define COMMON_FLAGS (GEN_ALIASES | GEN_HIGH_BITS)

#define M GEN_MINIDUMP
#define F GEN_FULL

static const struct gen_variant variants[] = {
	{ "amd64-v1", "amd64", M, 1, 0 },
	{ "amd64-v2", "amd64", M, 2, GEN_LOSE_TABLES },
	{ "amd64-v3", "amd64", M, 3, GEN_LOSE_TABLES | GEN_WRAPPED },
	{ "amd64-v3-unaligned", "amd64", M, 3, GEN_UNALIGNED },
	{ "i386-v1", "i386", M, 1, 0 },
	{ "i386-v1-pae", "i386", M, 1, GEN_PAE },
	{ "i386-v2", "i386", M, 2, 0 },
	{ "i386-v2-pae", "i386", M, 2, GEN_PAE | GEN_UNALIGNED },
	{ "arm64-v1", "arm64", M, 1, 0 },
	{ "arm64-v2", "arm64", M, 2, GEN_UNALIGNED },
	{ "arm64-v3", "arm64", M, 3, GEN_WRAPPED },
	{ "arm64-v3-16k", "arm64", M, 3, GEN_PAGE_16K | GEN_UNALIGNED },
	{ "riscv64-v1", "riscv64", M, 1, 0 },
	{ "riscv64-v2", "riscv64", M, 2, GEN_UNALIGNED },
	{ "arm-v1", "arm", M, 1, 0 },
	{ "arm-v1-be", "arm", M, 1, GEN_BIG_ENDIAN },
	{ "arm-v2", "arm", M, 2, GEN_UNALIGNED },
	{ "arm-v2-be", "arm", M, 2, GEN_BIG_ENDIAN | GEN_WRAPPED },
	{ "arm-v2-odd", "arm", M, 2, GEN_ODD_TABLES | GEN_UNALIGNED },
	{ "arm-v2-odd-rounded", "arm", M, 2, GEN_ODD_TABLES | GEN_ROUNDED },
	{ "amd64-full", "amd64", F, 0, 0 },
	{ "amd64-full-relocated", "amd64", F, 0, GEN_RELOCATED },
	{ "amd64-full-delta", "amd64", F, 0, GEN_RELOCATED | GEN_DUMP_DELTA },
	{ "amd64-full-qemu", "amd64", F, 0, GEN_QEMU },
	{ "i386-full", "i386", F, 0, 0 },
	{ "i386-full-pae", "i386", F, 0, GEN_PAE },
	{ "i386-full-identity", "i386", F, 0, GEN_IDENTITY },
	{ "i386-full-identity-pae", "i386", F, 0, GEN_IDENTITY | GEN_PAE },
	{ "arm64-full", "arm64", F, 0, 0 },
};
#define NVARIANTS (sizeof(variants) / sizeof(variants[0]))

const struct gen_variant *
gen_variants(unsigned *n)
{
	*n = NVARIANTS;
	return (variants);
}

const struct gen_variant *
gen_variant_find(const char *name)
{
	for (size_t i = 0; i < NVARIANTS; i++)
		if (strcmp(variants[i].gv_name, name) == 0)
			return (&variants[i]);
	return (NULL);
}

struct gen_spec
gen_variant_spec(const struct gen_variant *variant, uint64_t seed)
{
	return ((struct gen_spec){
	    .gs_arch = variant->gv_arch,
	    .gs_format = variant->gv_format,
	    .gs_version = variant->gv_version,
	    .gs_flags = variant->gv_flags | COMMON_FLAGS,
	    .gs_seed = seed,
	});
}
