/*
 * An ELF file's debug information: source lines, and how its functions' frames
 * are laid out.
 *
 * A helper process reads it, one for all files of a struct kdebug, which is
 * started when the first question is asked.  If it comes to the bound of
 * libkvm/helper.h, kdb_note() says so, and no file has debug information any
 * more.  A build without libdw has debugfile_none.c, which never finds any.
 */
#ifndef KDEBUG_DEBUGFILE_H
#define KDEBUG_DEBUGFILE_H

#include "kdebug/arch.h"

struct debugfile;
struct debughelper;
struct modfile;

/*
 * The debug information of the kernel, whose file libkvm has open.  path, which
 * is copied, tells where a file that was split off may be.  NULL: none.
 */
struct debugfile *debugfile_open_kernel(struct kdebug *kdb, const char *path);

/* That of a module, which must stay open for as long.  NULL: it has none. */
struct debugfile *debugfile_open_module(struct kdebug *kdb,
    const struct modfile *mf);

/* Before the helper is gone. */
void debugfile_close(struct debugfile *df);

/* End what kdb_debughelper is; NULL is none. */
void debugfile_end_helper(struct debughelper *dh);

/*
 * The line that the code at va came from.  *file lives as long as the helper.
 */
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
