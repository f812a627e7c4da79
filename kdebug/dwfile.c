/*
 * Debug information through elfutils' libdwfl, which finds the sections,
 * unpacks them and relocates those of modules.  What libdwfl leaves to its
 * callers is here: which file, where its sections were loaded, and by how much
 * its addresses are off.
 *
 * Nothing is read until it is asked for, and nothing is fetched from anywhere.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kdebug/dwfile.h"
#include "kdebug/modfile.h"
#include "libkvm/debuglink.h"

/* The file: of a module, the one that is open already. */
static int
find_elf(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
    char **path, Elf **elf)
{
	const struct debugfile *df = *userdata;

	(void)mod;
	(void)name;
	(void)base;
	(void)elf;
	if (df == NULL)
		return (-1);
	*path = strdup(df->df_path);
	if (df->df_modfile != NULL)
		return (dup(modfile_fd(df->df_modfile)));
	return (open(df->df_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
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
	const unsigned char *id;
	GElf_Addr id_va;
	int id_len;

	(void)userdata;
	(void)name;
	(void)base;
	if (path == NULL)
		return (-1);
	id_len = dwfl_module_build_id(mod, &id, &id_va);
	if (id_len > 0) {
		dl.dl_build_id = id;
		dl.dl_build_id_len = (size_t)id_len;
	}
	return (debuglink_open(&dl, debug_path));
}

/*
 * Where the kernel put a module's section, which has the same name in the file
 * and in what was split off, but not always the same number.
 */
static int
section_address(Dwfl_Module *mod, void **userdata, const char *modname,
    Dwarf_Addr base, const char *section, GElf_Word ndx, const GElf_Shdr *shdr,
    Dwarf_Addr *out)
{
	const struct debugfile *df = *userdata;
	kvaddr_t va = 0;

	(void)mod;
	(void)modname;
	(void)base;
	(void)ndx;
	(void)shdr;
	if (df != NULL && df->df_modfile != NULL)
		va = modfile_section_va(df->df_modfile, section);
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
report(struct debugfile *df)
{
	const struct modfile *mf = df->df_modfile;

	if (mf == NULL)
		return (dwfl_report_module(df->df_dwfl, df->df_path, 0,
		    UINT64_MAX));
	return (dwfl_report_module(df->df_dwfl, df->df_path, modfile_start(mf),
	    modfile_end(mf)));
}

/* Have libdwfl give df to the callbacks. */
static bool
set_userdata(struct debugfile *df)
{
	void **userdata;

	if (dwfl_module_info(df->df_mod, &userdata, NULL, NULL, NULL, NULL,
		NULL, NULL) == NULL)
		return (false);
	*userdata = df;
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
find_bias(const struct modfile *mf)
{
	return (mf != NULL && !modfile_is_relocatable(mf) ? modfile_start(mf) :
							    0);
}

static struct debugfile *
open_file(const char *path, const struct modfile *mf)
{
	struct debugfile *df = calloc(1, sizeof(*df));

	if (df == NULL)
		return (NULL);
	df->df_modfile = mf;
	df->df_bias = find_bias(mf);
	df->df_path = strdup(path);
	df->df_dwfl = dwfl_begin(&callbacks);
	if (df->df_path == NULL || df->df_dwfl == NULL)
		goto fail;
	dwfl_report_begin(df->df_dwfl);
	df->df_mod = report(df);
	if (df->df_mod == NULL || !set_userdata(df) ||
	    dwfl_report_end(df->df_dwfl, NULL, NULL) != 0)
		goto fail;
	return (df);
fail:
	debugfile_close(df);
	return (NULL);
}

struct debugfile *
debugfile_open_kernel(const char *path)
{
	return (open_file(path, NULL));
}

struct debugfile *
debugfile_open_module(const struct modfile *mf)
{
	return (open_file(modfile_path(mf), mf));
}

void
debugfile_close(struct debugfile *df)
{
	if (df == NULL)
		return;
	ehframe_close(df);
	if (df->df_dwfl != NULL)
		dwfl_end(df->df_dwfl);
	free(df->df_cus.dc_list);
	free(df->df_path);
	free(df);
}
