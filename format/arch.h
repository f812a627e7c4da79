/*
 * The machines whose dumps are read, one row each.
 *
 * This table has the facts that several rooms need.  Facts that only one room
 * needs are there: header fields in minidump.c, page tables in paging.c,
 * registers in kdebug/arch_*.c, debuggers' names in rsp/tdesc.c.
 */
#ifndef FORMAT_ARCH_H
#define FORMAT_ARCH_H

#include <stdbool.h>
#include <stdint.h>

enum dump_arch {
	ARCH_AMD64,
	ARCH_ARM,
	ARCH_ARM64,
	ARCH_I386,
	ARCH_RISCV,
	ARCH_COUNT
};

struct arch_facts {
	const char *af_name;	 /* "amd64", as FreeBSD's sys/ but "riscv64" */
	const char *af_machine;	 /* FreeBSD's MACHINE_ARCH, in dump headers */
	uint16_t af_elf_machine; /* e_machine of its ELF files */
	uint8_t af_ptr_len;	 /* bytes in a pointer: 4 or 8 */
	bool af_big_endian;	 /* some of its kernels are big-endian */
	uint32_t af_page_size;	 /* bytes, where a dump does not say */
};

/* The row of arch, which is below ARCH_COUNT. */
const struct arch_facts *arch_facts(enum dump_arch arch);

/* Its name. */
const char *dump_arch_name(enum dump_arch arch);

/* The machine of an ELF file with this e_machine; false: none that is known. */
bool arch_of_elf(unsigned int elf_machine, enum dump_arch *arch);

#endif
