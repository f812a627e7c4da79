/*
 * What the kernel's linker loaded: itself, zfs.ko and if_em.ko, as a list in a
 * fake kernel.
 */
#ifndef TESTS_KDEBUG_LINKER_H
#define TESTS_KDEBUG_LINKER_H

#include "tests/kdebug/kernel.h"

#define HEAP	  UINT64_C(0xfffff80004000000)
#define FILES_VA  UINT64_C(0xffffffff81500000)
#define KERNEL_LF (HEAP + 0x1000)
#define LF(n)	  (HEAP + 0x2000 + 0x100 * (kvaddr_t)(n))
#define NAME(n)	  (HEAP + 0x3000 + 0x80 * (kvaddr_t)(n))
#define BASE(n)	  (UINT64_C(0xffffffff82000000) + 0x100000 * (kvaddr_t)(n))

#define MODULE_LEN 0x1000

/* struct linker_file, LP64. */
enum {
	LF_REFS = 8,
	LF_NEXT = 24,
	LF_FILENAME = 40,
	LF_PATHNAME = 48,
	LF_ID = 56,
	LF_ADDRESS = 64
};

/* An amd64 kernel that has the list. */
void linker_setup(struct kernel *k);

/* Put a struct linker_file at va, with its name at name_va. */
void linker_put(struct kernel *k, kvaddr_t va, kvaddr_t next, kvaddr_t name_va,
    const char *name, kvaddr_t base, uint64_t len);

#endif
