/*
 * Debug information through elfutils' libdwfl, which finds the sections,
 * unpacks them and relocates those of modules.  What libdwfl leaves to its
 * callers is here: which file, where its sections were loaded, and by how much
 * its addresses are off.
 *
 * Nothing is read until it is asked for, and nothing is fetched from anywhere.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kdebug/dwfile.h"
#include "libkvm/debuglink.h"
#include "libkvm/debugsections.h"

static const char *
path_of(const struct dwfile *dw)
{
	return (dw->dwf_texts);
}

static int
find_elf(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
    char **path, Elf **elf)
{
	const struct dwfile *dw = *userdata;

	(void)mod;
	(void)name;
	(void)base;
	(void)elf;
	if (dw == NULL)
		return (-1);
	*path = strdup(path_of(dw));
	return (dup(dw->dwf_fd));
}

static int
find_debuginfo(Dwfl_Module *mod, void **userdata, const char *name,
    Dwarf_Addr base, const char *path, const char *link, GElf_Word link_crc,
    char **debug_path)
{
	struct debuglink dl = {
		.dl_path = path,
		.dl_name = link,
		.dl_crc = link_crc,
	};
	struct dwfile *dw = *userdata;
	const unsigned char *id;
	GElf_Addr id_va;
	int id_len, fd;

	(void)name;
	(void)base;
	if (path == NULL)
		return (-1);
	id_len = dwfl_module_build_id(mod, &id, &id_va);
	if (id_len > 0) {
		dl.dl_build_id = id;
		dl.dl_build_id_len = (size_t)id_len;
	}
	fd = debuglink_open(&dl, debug_path);
	if (dw != NULL && dw->dwf_split_fd < 0 && fd >= 0)
		dw->dwf_split_fd = dup(fd);
	return (fd);
}

/* Where the kernel put a module's section; 0: it was not loaded. */
static kvaddr_t
section_va(const struct dwfile *dw, const char *name)
{
	const char *p = dw->dwf_texts + dw->dwf_desc.dwd_path_len;
	const char *end = p + dw->dwf_desc.dwd_sections_len;
	kvaddr_t va;

	while (p < end) {
		memcpy(&va, p, sizeof(va));
		p += sizeof(va);
		if (strcmp(p, name) == 0)
			return (va);
		p += strlen(p) + 1;
	}
	return (0);
}

/*
 * A section has the same name in the file and in what was split off, but not
 * always the same number.
 */
static int
section_address(Dwfl_Module *mod, void **userdata, const char *modname,
    Dwarf_Addr base, const char *section, GElf_Word ndx, const GElf_Shdr *shdr,
    Dwarf_Addr *out)
{
	const struct dwfile *dw = *userdata;
	kvaddr_t va = 0;

	(void)mod;
	(void)modname;
	(void)base;
	(void)ndx;
	(void)shdr;
	if (dw != NULL && dw->dwf_desc.dwd_module)
		va = section_va(dw, section);
	*out = va != 0 ? va : (Dwarf_Addr)-1; /* it was not loaded */
	return (0);
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_elf,
	.find_debuginfo = find_debuginfo,
	.section_address = section_address,
};

/*
 * For the kernel any range of addresses will do.  dwfl_report_elf() would find
 * its own out, but not of a file without program headers.
 */
static Dwfl_Module *
report(struct dwfile *dw)
{
	const struct dwfile_desc *desc = &dw->dwf_desc;

	if (!desc->dwd_module)
		return (dwfl_report_module(dw->dwf_dwfl, path_of(dw), 0,
		    UINT64_MAX));
	return (dwfl_report_module(dw->dwf_dwfl, path_of(dw), desc->dwd_start,
	    desc->dwd_end));
}

/* Have libdwfl give dw to the callbacks. */
static bool
set_userdata(struct dwfile *dw)
{
	void **userdata;

	if (dwfl_module_info(dw->dwf_mod, &userdata, NULL, NULL, NULL, NULL,
		NULL, NULL) == NULL)
		return (false);
	*userdata = dw;
	return (true);
}

/*
 * By how much the addresses in the file, and in what was split off from it, are
 * less than those in memory.  The kernel is where its file says, and libdwfl
 * has relocated a relocatable module.  For the rest it would tell, too, but it
 * compares the program headers of the file and of its other half, which has
 * none when FreeBSD's objcopy made it.
 */
static Dwarf_Addr
find_bias(const struct dwfile_desc *desc)
{
	return (desc->dwd_module && !desc->dwd_relocatable ? desc->dwd_start :
							     0);
}

struct dwfile *
dwfile_open(const struct dwfile_desc *desc, char *texts, int fd)
{
	struct dwfile *dw = calloc(1, sizeof(*dw));

	if (dw == NULL) {
		free(texts);
		close(fd);
		return (NULL);
	}
	dw->dwf_desc = *desc;
	dw->dwf_texts = texts;
	dw->dwf_fd = fd;
	dw->dwf_split_fd = -1;
	dw->dwf_bias = find_bias(desc);
	dw->dwf_dwfl = dwfl_begin(&callbacks);
	if (dw->dwf_dwfl == NULL)
		goto fail;
	dwfl_report_begin(dw->dwf_dwfl);
	dw->dwf_mod = report(dw);
	if (dw->dwf_mod == NULL || !set_userdata(dw) ||
	    dwfl_report_end(dw->dwf_dwfl, NULL, NULL) != 0)
		goto fail;
	return (dw);
fail:
	dwfile_close(dw);
	return (NULL);
}

/* Is there such a section in the file behind fd? */
static bool
is_unreadable(int fd, char *name, size_t len)
{
	Elf *elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ, NULL);
	const char *found = elf == NULL ? NULL : debugsections_unreadable(elf);

	if (found != NULL)
		(void)snprintf(name, len, "%s", found);
	(void)elf_end(elf);
	return (found != NULL);
}

bool
dwfile_unreadable(struct dwfile *dw, char *name, size_t len)
{
	Dwarf_Addr unused;
	Dwarf *dwarf = dwfl_module_getdwarf(dw->dwf_mod, &unused);
	const char *found;

	if (dwarf == NULL)
		return (is_unreadable(dw->dwf_fd, name, len) ||
		    is_unreadable(dw->dwf_split_fd, name, len));
	found = debugsections_unreadable(dwarf_getelf(dwarf));
	if (found != NULL)
		(void)snprintf(name, len, "%s", found);
	return (found != NULL);
}

bool
dwfile_elsewhere(struct dwfile *dw)
{
	Dwarf_Addr unused;
	Dwarf *dwarf = dwfl_module_getdwarf(dw->dwf_mod, &unused);

	return (dwarf != NULL && debugsections_elsewhere(dwarf));
}

void
dwfile_close(struct dwfile *dw)
{
	if (dw == NULL)
		return;
	ehframe_close(dw);
	if (dw->dwf_dwfl != NULL)
		dwfl_end(dw->dwf_dwfl);
	close(dw->dwf_fd);
	if (dw->dwf_split_fd >= 0)
		close(dw->dwf_split_fd);
	free(dw->dwf_cus.dc_list);
	free(dw->dwf_texts);
	free(dw);
}
