/*
 * What debugfile.c, srcline.c and unwind_cfi.c share: libdw's view of an ELF file.
 */
#ifndef KDEBUG_DEBUGFILE_INT_H
#define KDEBUG_DEBUGFILE_INT_H

#include <elfutils/libdwfl.h>

#include "kdebug/debugfile.h"

/* A file's unwind tables, and by how much its addresses are off from ours. */
struct debugfile_cfi {
	Dwarf_CFI *dc_cfi; /* libdw's; NULL: it has none */
	Dwarf_Addr dc_bias;
};

/* A range of addresses that come from one compilation unit, half-open. */
struct debugfile_cu {
	Dwarf_Addr dc_start;
	Dwarf_Addr dc_end;
	Dwarf_Die dc_die;
};

/* All of them, by address. */
struct debugfile_cus {
	struct debugfile_cu *dc_list; /* ours */
	size_t dc_count;
	size_t dc_room;
	Dwarf_Addr dc_bias;
	bool dc_done; /* the file was looked through */
};

struct debugfile {
	Dwfl *df_dwfl;
	Dwfl_Module *df_mod;		  /* of df_dwfl, the only one */
	const struct modfile *df_modfile; /* the caller's; NULL: the kernel */
	char *df_path;			  /* ours */
	bool df_has_cfi;		  /* df_cfi was filled in */
	struct debugfile_cfi df_cfi[2];	  /* .eh_frame, .debug_frame */
	struct debugfile_cus df_cus;
};

#endif
