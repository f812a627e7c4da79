/*
 * debugfile.c, for unwind_cfi.c.
 */
#ifndef KDEBUG_DEBUGFILE_INT_H
#define KDEBUG_DEBUGFILE_INT_H

#include "kdebug/cfi.h"
#include "kdebug/debugfile.h"

/*
 * The rules that a table of the file has for the code at va; they last until
 * the next call.  NULL: there are none to have.
 */
const struct cfi_rules *debugfile_rules(struct debugfile *df,
    enum cfi_table which, kvaddr_t va);

#endif
