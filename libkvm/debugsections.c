/*
 * Which sections of debug information we cannot use: see debugsections.h.
 */
#include "libkvm/debugsections.h"

#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <stddef.h>
#include <string.h>

/*
 * The section's name if it is compressed debug information, else NULL.  What was
 * unpacked is no longer marked as compressed.
 */
static const char *
packed_name(Elf *elf, Elf_Scn *scn)
{
	static const char prefix[] = ".debug_";
	GElf_Shdr shdr;
	const char *name;
	size_t strndx;

	if (gelf_getshdr(scn, &shdr) == NULL ||
	    (shdr.sh_flags & SHF_COMPRESSED) == 0 ||
	    elf_getshdrstrndx(elf, &strndx) != 0)
		return (NULL);
	name = elf_strptr(elf, strndx, shdr.sh_name);
	if (name == NULL || strncmp(name, prefix, sizeof(prefix) - 1) != 0)
		return (NULL);
	return (name);
}

const char *
debugsections_unreadable(Elf *elf)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(elf, scn)) != NULL) {
		const char *name = packed_name(elf, scn);

		if (name != NULL && elf_compress(scn, 0, 0) < 0)
			return (name);
	}
	return (NULL);
}

bool
debugsections_elsewhere(Dwarf *dwarf)
{
	const char *name;
	const void *id;

	return (dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &id) > 0);
}
