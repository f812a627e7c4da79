/*
 * Sections of debug information that cannot be unpacked.  libdw takes them for
 * missing.
 */
#ifndef LIBKVM_DEBUGSECTIONS_H
#define LIBKVM_DEBUGSECTIONS_H

#include <libelf.h>

/*
 * The name of the first compressed section of debug information in the file that
 * is damaged, or compressed in a way that libelf does not know.  It is elf's, and
 * untrusted.  NULL: there is none.  Sections that libdw has not unpacked yet are
 * unpacked.
 */
const char *debugsections_unreadable(Elf *elf);

#endif
