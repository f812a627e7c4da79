/*
 * The .eh_frame of a relocatable module.
 *
 * Its addresses are relative to where it lies, and libdwfl does not relocate
 * those.  The kernel does: it loads .eh_frame with the rest of a module, so the
 * dump has it as it was when the module ran.
 */
#include <gelf.h>
#include <string.h>

#include "kdebug/dwfile.h"
#include "kdebug/kdebug_int.h"
#include "kdebug/modfile.h"

static Elf_Scn *
find_section(Elf *elf, const char *name, GElf_Shdr *shdr)
{
	Elf_Scn *scn = NULL;
	size_t strndx;

	if (elf_getshdrstrndx(elf, &strndx) != 0)
		return (NULL);
	while ((scn = elf_nextscn(elf, scn)) != NULL) {
		const char *other;

		if (gelf_getshdr(scn, shdr) == NULL)
			continue;
		other = elf_strptr(elf, strndx, shdr->sh_name);
		if (other != NULL && strcmp(other, name) == 0)
			return (scn);
	}
	return (NULL);
}

/* Have libelf think that the section lies at va and holds what is there. */
static bool
take_memory(struct kdebug *kdb, Elf_Scn *scn, GElf_Shdr *shdr, kvaddr_t va)
{
	Elf_Data *data = elf_rawdata(scn, NULL);

	if (data == NULL || data->d_buf == NULL ||
	    data->d_size != shdr->sh_size ||
	    !mem_read(kdb, va, data->d_buf, data->d_size))
		return (false);
	shdr->sh_addr = va;
	/* libdw finds the section by this type; clang gives it another. */
	shdr->sh_type = SHT_PROGBITS;
	return (gelf_update_shdr(scn, shdr) != 0);
}

void
ehframe_open(struct debugfile *df, struct kdebug *kdb)
{
	kvaddr_t va = modfile_section_va(df->df_modfile, ".eh_frame");
	GElf_Shdr shdr;
	Elf_Scn *scn;

	if (va == 0)
		return;
	/* A handle of its own, not mapped: what it holds is changed. */
	df->df_eh_elf = elf_begin(modfile_fd(df->df_modfile), ELF_C_READ, NULL);
	if (df->df_eh_elf == NULL)
		return;
	scn = find_section(df->df_eh_elf, ".eh_frame", &shdr);
	if (scn != NULL && take_memory(kdb, scn, &shdr, va))
		df->df_eh_cfi = dwarf_getcfi_elf(df->df_eh_elf);
}

void
ehframe_close(struct debugfile *df)
{
	if (df->df_eh_elf == NULL)
		return;
	if (df->df_eh_cfi != NULL)
		(void)dwarf_cfi_end(df->df_eh_cfi);
	(void)elf_end(df->df_eh_elf);
}
