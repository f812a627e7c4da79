/*
 * Commands for a gdb before it reads a kernel's file: each is one -iex.
 */
#ifndef CLI_GDB_START_H
#define CLI_GDB_START_H

/*
 * A kernel, a module, a file of debug information and the folder that gdb runs
 * in can bring scripts, and gdb would run those that the user's "safe-path"
 * covers.  They come with a dump from anywhere.  GDB's manual, "Auto-loading":
 * this covers scripts of all languages, in sections and beside files, and
 * .gdbinit of the working folder.  The user's own ~/.gdbinit is read before it.
 */
#define GDB_NO_SCRIPTS "set auto-load off"

/*
 * A gdb that does not know FreeBSD would take a kernel's file for that of
 * another machine, and one that does would look for processes.
 */
#define GDB_NO_OSABI "set osabi none"

#endif
