/*
 * A module's file in ELF, made by hand, in a folder beside the kernel.
 */
#ifndef TESTS_KDEBUG_MODULEFILE_H
#define TESTS_KDEBUG_MODULEFILE_H

#include <elf.h>
#include <stddef.h>

#ifndef SHT_X86_64_UNWIND
#define SHT_X86_64_UNWIND 0x70000001
#endif

/* Names of sections: as long as they may be, and a byte longer. */
#define NAME_51	 "a_name_of_a_section_that_has_just_fifty_one_bytes__"
#define NAME_255 NAME_51 NAME_51 NAME_51 NAME_51 NAME_51
#define NAME_256 "x" NAME_255

/*
 * Write the module; class is EI_CLASS of its header.  The larger one has nmore
 * empty sections at its end.
 */
void module_write(const char *path, unsigned char class);
void module_write_large(const char *path, unsigned char class, size_t nmore);

/* The folder, until module_remove_dir(); a path in it, until the next call. */
extern char module_dir[64];
void module_make_dir(void);
void module_remove_dir(void);
const char *module_path(const char *name);

#endif
