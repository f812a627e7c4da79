/*
 * libdw's view of an ELF file.  All of it runs in the helper process that
 * debugserver.c starts: libdw ends a process that has no more memory.
 */
#ifndef KDEBUG_DWFILE_H
#define KDEBUG_DWFILE_H

#include <elfutils/libdwfl.h>

#include "kdebug/cfi.h"
#include "libkvm/kvm.h"

/* A file, as our parent describes it.  In this order, its texts follow. */
struct dwfile_desc {
	uint64_t dwd_packed_len; /* helper_allow()'s */
	bool dwd_module;	 /* the rest is about those */
	bool dwd_relocatable;
	kvaddr_t dwd_start; /* where it was loaded; half-open */
	kvaddr_t dwd_end;
	size_t dwd_eh_ndx;	 /* number of its .eh_frame among sections */
	kvaddr_t dwd_eh_va;	 /* and its address */
	size_t dwd_path_len;	 /* the path, with its NUL */
	size_t dwd_sections_len; /* of each section: va, name with its NUL */
	size_t dwd_eh_len; /* .eh_frame, as it is in memory; 0: not there */
};

/* A range of addresses that come from one compilation unit, half-open. */
struct dwfile_cu {
	Dwarf_Addr dc_start;
	Dwarf_Addr dc_end;
	Dwarf_Die dc_die;
};

/*
 * No kernel has as many: FreeBSD's have some thousands.  Units may share a list
 * of ranges, so that a small file can ask for a table without bounds.
 */
#define DWFILE_RANGES_MAX 500000

/* All of them, by address. */
struct dwfile_cus {
	struct dwfile_cu *dc_list; /* ours */
	size_t dc_count;
	size_t dc_room;
	bool dc_done; /* the file was looked through */
};

struct dwfile {
	Dwfl *dwf_dwfl;
	Dwfl_Module *dwf_mod; /* of dwf_dwfl, the only one */
	struct dwfile_desc dwf_desc;
	char *dwf_texts;     /* ours; what follows dwf_desc */
	int dwf_fd;	     /* ours */
	int dwf_split_fd;    /* ours; of what was split off, -1: not found */
	Dwarf_Addr dwf_bias; /* from its addresses to those in memory */
	bool dwf_has_cfi;    /* the tables were looked for */
	Dwarf_CFI *dwf_cfi[CFI_NTABLES]; /* libdw's; NULL: it has none */
	Elf *dwf_eh_elf; /* ours; NULL: the first of dwf_cfi is libdwfl's */
	struct dwfile_cus dwf_cus;
};

/*
 * Open the file behind fd, which is the result's from now on, as is texts, from
 * malloc(3).  NULL: it has no debug information; both are gone.
 */
struct dwfile *dwfile_open(const struct dwfile_desc *desc, char *texts, int fd);
void dwfile_close(struct dwfile *dw);

/*
 * Can a section of debug information not be unpacked, in the file or in what was
 * split off from it?  Its name, which is untrusted, goes to name[len].
 */
bool dwfile_unreadable(struct dwfile *dw, char *name, size_t len);

/*
 * Is some of its debug information in another file (debugsections_elsewhere())?
 * It has no lines then.
 */
bool dwfile_elsewhere(struct dwfile *dw);

/* The line that the code at va came from.  *file is dw's. */
bool dwfile_line(struct dwfile *dw, kvaddr_t va, const char **file, int *line);

/* The rules for va, of the first nregs registers. */
void dwfile_rules(struct dwfile *dw, enum cfi_table which, kvaddr_t va,
    size_t nregs, struct cfi_rules *out);

/*
 * ehframe.c: the .eh_frame of a relocatable module.  NULL: the dump does not
 * hold it.
 */
Dwarf_CFI *ehframe_open(struct dwfile *dw);
void ehframe_close(struct dwfile *dw);

#endif
