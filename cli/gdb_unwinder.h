/*
 * gdb_unwinder.py, which makes gdb see the frames that we see.
 */
#ifndef CLI_GDB_UNWINDER_H
#define CLI_GDB_UNWINDER_H

extern const char gdb_unwinder[];

#endif
