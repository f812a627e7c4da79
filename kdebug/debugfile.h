/*
 * An ELF file's debug information: source lines, and how its functions' frames
 * are laid out.  dwfile.c, ehframe.c, srcline.c and unwind_cfi.c read it with
 * libdw; a build without libdw has debugfile_none.c, which never finds any.
 */
#ifndef KDEBUG_DEBUGFILE_H
#define KDEBUG_DEBUGFILE_H

#include "kdebug/arch.h"

struct debugfile;
struct modfile;

/* Of the kernel at path.  NULL: it has none. */
struct debugfile *debugfile_open_kernel(const char *path);

/* Of a module, which must stay open for as long.  NULL: it has none. */
struct debugfile *debugfile_open_module(const struct modfile *mf);

void debugfile_close(struct debugfile *df);

/* The line that the code at va came from.  *file is df's. */
bool debugfile_line(struct debugfile *df, kvaddr_t va, const char **file,
    int *line);

enum unwind_result {
	UNWIND_NONE, /* the tables do not tell */
	UNWIND_DONE, /* *out are the caller's registers */
	UNWIND_END   /* the tables say that there is no caller */
};

/*
 * Step from cur to its caller by the file's unwind tables.  va is an address in
 * the function of cur: the pc, or one byte less if that is a return address.
 */
enum unwind_result debugfile_unwind(struct debugfile *df, struct kdebug *kdb,
    kvaddr_t va, const struct cursor *cur, struct kdebug_regs *out);

#endif
