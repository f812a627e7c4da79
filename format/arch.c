/*
 * The table of architectures: see arch.h.
 */
#include "format/arch.h"

#include <stddef.h>

#include "format/elfcore.h"

static const struct arch_facts facts[ARCH_COUNT] = {
	[ARCH_AMD64] = { .af_name = "amd64",
	    .af_machine = "amd64",
	    .af_elf_machine = ELFCORE_EM_X86_64,
	    .af_ptr_len = 8,
	    .af_page_size = 4096 },
	[ARCH_ARM] = { .af_name = "arm",
	    .af_machine = "armv7",
	    .af_elf_machine = ELFCORE_EM_ARM,
	    .af_ptr_len = 4,
	    .af_big_endian = true,
	    .af_page_size = 4096 },
	[ARCH_ARM64] = { .af_name = "arm64",
	    .af_machine = "aarch64",
	    .af_elf_machine = ELFCORE_EM_AARCH64,
	    .af_ptr_len = 8,
	    .af_page_size = 4096 },
	[ARCH_I386] = { .af_name = "i386",
	    .af_machine = "i386",
	    .af_elf_machine = ELFCORE_EM_386,
	    .af_ptr_len = 4,
	    .af_page_size = 4096 },
	[ARCH_RISCV] = { .af_name = "riscv64",
	    .af_machine = "riscv64",
	    .af_elf_machine = ELFCORE_EM_RISCV,
	    .af_ptr_len = 8,
	    .af_page_size = 4096 },
};

const struct arch_facts *
arch_facts(enum dump_arch arch)
{
	return (&facts[arch]);
}

const char *
dump_arch_name(enum dump_arch arch)
{
	return (facts[arch].af_name);
}

bool
arch_of_elf(unsigned int elf_machine, enum dump_arch *arch)
{
	for (size_t i = 0; i < ARCH_COUNT; i++) {
		if (facts[i].af_elf_machine == elf_machine) {
			*arch = (enum dump_arch)i;
			return (true);
		}
	}
	return (false);
}
