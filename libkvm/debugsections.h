/*
 * Sections of debug information that we cannot use: libdw takes those that cannot
 * be unpacked for missing, and opens the file that .gnu_debugaltlink names.
 */
#ifndef LIBKVM_DEBUGSECTIONS_H
#define LIBKVM_DEBUGSECTIONS_H

#include <elfutils/libdw.h>
#include <libelf.h>
#include <stdbool.h>

/*
 * The name of the first compressed section of debug information in the file that
 * is damaged, or compressed in a way that libelf does not know.  It is elf's, and
 * untrusted.  NULL: there is none.  Sections that libdw has not unpacked yet are
 * unpacked.
 */
const char *debugsections_unreadable(Elf *elf);

/*
 * Is a part of the debug information in a file that dwz made for several
 * (.gnu_debugaltlink)?  libdw opens whatever bears that name as soon as a type or
 * a line needs it, and waits for ever if it is a FIFO: do not look for any in
 * dwarf then.  FreeBSD's files have no such part.  The files of split DWARF (.dwo)
 * are opened for a caller that asks for a unit's split half, which we do not.
 */
bool debugsections_elsewhere(Dwarf *dwarf);

#endif
