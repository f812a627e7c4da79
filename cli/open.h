/*
 * Opening the kernel and the core that a command line names.
 */
#ifndef CLI_OPEN_H
#define CLI_OPEN_H

#include "cli/options.h"
#include "kdebug/kdebug.h"
#include "libkvm/kvm_core.h"

/* An opened dump.  Start with zeros: open_close() takes a half-open one. */
struct dump {
	kvm_t *d_kd;
	const struct kvm_core *d_core; /* d_kd's */
	struct kdebug *d_kdb;	       /* NULL until open_kernel() */
	size_t d_nwarned;	       /* of d_kdb's notes, by open_warn() */
	char *d_kernel;		       /* of open_find_kernel(); owned */
};

/*
 * Can path be opened at all?  Returns EX_OK, or EX_NOINPUT after a message.
 */
int open_check(const char *path);

/*
 * The kernel's file: -N, or where users expect it.  The caller frees it.
 * NULL: there is none at the usual places.
 */
char *open_find_kernel(const struct args *args);

/*
 * Say so, or why the core is no dump, which no kernel would help.  Returns an exit
 * status.
 */
int open_no_kernel(const struct args *args);

/*
 * For callers that leave the opening to another process, whose last message may
 * get lost: is the kernel of another build or version than the dump?  Of a
 * compressed dump only the start is unpacked.  Returns EX_OK, also if that does not tell, or
 * EX_DATAERR after a message.
 */
int open_check_build(const struct args *args, const char *kernel);

/*
 * Open what args names; open_debug() also looks at the kernel in it, and refuses
 * one that is known to be another.  Returns EX_OK, or another exit status after a
 * message.
 */
int open_dump(const struct args *args, struct dump *dump);
int open_debug(const struct args *args, struct dump *dump);

/*
 * As open_debug(), but without the kernel if there is none at the usual places:
 * d_kernel is NULL then, and what only the kernel tells is not known.  A kernel of
 * another version is not refused.
 */
int open_core(const struct args *args, struct dump *dump);

/*
 * As open_debug(), for what a minidump tells without its kernel: another kernel that
 * was found beside a minidump, not named, is left out with a warning.  d_kernel is
 * NULL then, as it is if there is none.
 */
int open_minidump(const struct args *args, struct dump *dump);

/*
 * Before a name is looked up, in a dump that open_kernel() has taken: is the file
 * known to be no kernel, or one of another version?  Returns EX_OK, or EX_DATAERR
 * after a message.
 */
int open_check_version(const struct args *args, struct dump *dump);

/*
 * All of a command that has no options of its own: parse the command line, open
 * the dump for kdebug/, show it, close it.  Returns the exit status.
 */
int open_and_show(const struct syntax *syntax, int argc, char **argv,
    int (*show)(struct dump *dump, const struct args *args));

/*
 * Fill in d_kdb of a dump that open_dump() opened, unless that was done.
 * Returns EX_OK, or EX_OSERR after a message.
 */
int open_kernel(struct dump *dump);

/* Print the notes of kdebug that were not printed yet, as warnings. */
void open_warn(struct dump *dump);

/* Say that the dump shows no thread at all.  Returns the exit status. */
int open_no_threads(const struct dump *dump, const struct args *args);

void open_close(struct dump *dump);

/*
 * The exit status of a command that ends with status: EX_IOERR if the system
 * failed to read a dump that was open, which open_close() has said; EX_OSERR
 * instead of EX_OK if it had too little memory for debug information; EX_DATAERR,
 * after a warning, instead of EX_OK if one gave bytes that could not be
 * verified, or if bytes that are lost were asked for.
 */
int open_verdict(int status);

#endif
