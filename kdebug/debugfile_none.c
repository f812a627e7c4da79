/*
 * Built where there is no libdw: no file has debug information.
 */
#include "kdebug/debugfile.h"

struct debugfile *
debugfile_open_kernel(struct kdebug *kdb, const char *path)
{
	(void)kdb;
	(void)path;
	return (NULL);
}

struct debugfile *
debugfile_open_module(struct kdebug *kdb, const struct modfile *mf)
{
	(void)kdb;
	(void)mf;
	return (NULL);
}

void
debugfile_close(struct debugfile *df)
{
	(void)df;
}

void
debugfile_end_helper(struct debughelper *dh)
{
	(void)dh;
}

bool
debugfile_line(struct debugfile *df, kvaddr_t va, const char **file, int *line)
{
	(void)df;
	(void)va;
	(void)file;
	(void)line;
	return (false);
}

enum unwind_result
debugfile_unwind(struct debugfile *df, struct kdebug *kdb, kvaddr_t va,
    const struct cursor *cur, struct kdebug_regs *out)
{
	(void)df;
	(void)kdb;
	(void)va;
	(void)cur;
	(void)out;
	return (UNWIND_NONE);
}
