/*
 * What debugfile.c and unwind_cfi.c share: libdw's view of an ELF file.
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

struct debugfile {
	Dwfl *df_dwfl;
	Dwfl_Module *df_mod;		  /* of df_dwfl, the only one */
	const struct modfile *df_modfile; /* the caller's; NULL: the kernel */
	char *df_path;			  /* ours */
	bool df_has_cfi;		  /* df_cfi was filled in */
	struct debugfile_cfi df_cfi[2];	  /* .eh_frame, .debug_frame */
};

#endif
