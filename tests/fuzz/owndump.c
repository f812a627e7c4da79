#include "tests/fuzz/owndump.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "tests/libkvm/small.h"

#define LAST_PAGE 24 /* tables are above */
#define ALL_PAGES ((UINT32_C(1) << (LAST_PAGE + 1)) - 1)

static struct small machine;

/* The file's segments are mapped at SMALL_KERNBASE + pa. */
static void
load_segment(const GElf_Phdr *phdr, const uint8_t *data, size_t size)
{
	uint64_t pa = phdr->p_vaddr - SMALL_KERNBASE;
	uint64_t end = (LAST_PAGE + 1) * SMALL_PAGE;

	if (phdr->p_type != PT_LOAD || pa > end || phdr->p_memsz > end - pa ||
	    phdr->p_filesz > phdr->p_memsz || phdr->p_offset > size ||
	    phdr->p_filesz > size - phdr->p_offset)
		return;
	memset(&machine.mem[0][0] + pa, 0, (size_t)phdr->p_memsz);
	memcpy(&machine.mem[0][0] + pa, data + phdr->p_offset,
	    (size_t)phdr->p_filesz);
}

static void
load_kernel(int fd, const uint8_t *data, size_t size)
{
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	GElf_Phdr phdr;

	for (int i = 0; elf != NULL && gelf_getphdr(elf, i, &phdr) != NULL; i++)
		load_segment(&phdr, data, size);
	(void)elf_end(elf);
}

void
owndump_make(const struct memfile *core, const struct memfile *kernel,
    const uint8_t *data, size_t size)
{
	static uint8_t bytes[SMALL_FILE_MAX];

	if (elf_version(EV_CURRENT) == EV_NONE)
		abort();
	small_init(&machine, ALL_PAGES, ALL_PAGES);
	for (uint64_t page = 0; page <= LAST_PAGE; page++)
		small_map(&machine, SMALL_KERNBASE + page * SMALL_PAGE,
		    page * SMALL_PAGE | SMALL_V | SMALL_RW);
	load_kernel(kernel->fd, data, size);
	memfile_set(core, bytes, small_minidump(&machine, bytes));
}
