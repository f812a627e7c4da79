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

/* Have libelf think that the section lies in memory and holds what is there. */
static bool
take_memory(const struct dwfile *dw, Elf_Scn *scn)
{
	const struct dwfile_desc *desc = &dw->dwf_desc;
	Elf_Data *data = elf_rawdata(scn, NULL);
	GElf_Shdr shdr;

	if (data == NULL || data->d_buf == NULL ||
	    gelf_getshdr(scn, &shdr) == NULL || data->d_size != shdr.sh_size ||
	    data->d_size != desc->dwd_eh_len)
		return (false);
	memcpy(data->d_buf,
	    dw->dwf_texts + desc->dwd_path_len + desc->dwd_sections_len,
	    desc->dwd_eh_len);
	shdr.sh_addr = desc->dwd_eh_va;
	/* libdw finds the section by this type; clang gives it another. */
	shdr.sh_type = SHT_PROGBITS;
	return (gelf_update_shdr(scn, &shdr) != 0);
}

Dwarf_CFI *
ehframe_open(struct dwfile *dw)
{
	Elf_Scn *scn;

	if (dw->dwf_desc.dwd_eh_len == 0)
		return (NULL);
	/* A handle of its own, not mapped: what it holds is changed. */
	dw->dwf_eh_elf = elf_begin(dw->dwf_fd, ELF_C_READ, NULL);
	if (dw->dwf_eh_elf == NULL)
		return (NULL);
	scn = elf_getscn(dw->dwf_eh_elf, dw->dwf_desc.dwd_eh_ndx);
	if (scn == NULL || !take_memory(dw, scn))
		return (NULL);
	return (dwarf_getcfi_elf(dw->dwf_eh_elf));
}

void
ehframe_close(struct dwfile *dw)
{
	if (dw->dwf_eh_elf == NULL)
		return;
	if (dw->dwf_cfi[CFI_EH_FRAME] != NULL)
		(void)dwarf_cfi_end(dw->dwf_cfi[CFI_EH_FRAME]);
	(void)elf_end(dw->dwf_eh_elf);
}
