/*
 * What dwfile.c, ehframe.c, srcline.c and unwind_cfi.c share: libdw's view of
 * an ELF file.
 */
#ifndef KDEBUG_DWFILE_H
#define KDEBUG_DWFILE_H

#include <elfutils/libdwfl.h>

#include "kdebug/debugfile.h"

/* A range of addresses that come from one compilation unit, half-open. */
struct debugfile_cu {
	Dwarf_Addr dc_start;
	Dwarf_Addr dc_end;
	Dwarf_Die dc_die;
};

/*
 * No kernel has as many: FreeBSD's have some thousands.  Units may share a list
 * of ranges, so that a small file can ask for a table without bounds.
 */
#define DEBUGFILE_RANGES_MAX 1000000

/* All of them, by address. */
struct debugfile_cus {
	struct debugfile_cu *dc_list; /* ours */
	size_t dc_count;
	size_t dc_room;
	bool dc_done; /* the file was looked through */
};

struct debugfile {
	Dwfl *df_dwfl;
	Dwfl_Module *df_mod;		  /* of df_dwfl, the only one */
	const struct modfile *df_modfile; /* the caller's; NULL: the kernel */
	char *df_path;			  /* ours */
	Dwarf_Addr df_bias;	 /* from its addresses to those in memory */
	bool df_has_cfi;	 /* the tables were looked for */
	Dwarf_CFI *df_eh_cfi;	 /* .eh_frame; libdw's; NULL: it has none */
	Dwarf_CFI *df_debug_cfi; /* .debug_frame; the same */
	Elf *df_eh_elf;		 /* ours; NULL: df_eh_cfi is libdwfl's */
	struct debugfile_cus df_cus;
};

/*
 * ehframe.c: set df_eh_cfi of a relocatable module.  It stays NULL if the dump
 * does not hold the module's .eh_frame.
 */
void ehframe_open(struct debugfile *df, struct kdebug *kdb);
void ehframe_close(struct debugfile *df);

#endif
