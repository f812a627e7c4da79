/*
 * The file of a kernel module (.ko), placed where the kernel had loaded it.
 */
#ifndef KDEBUG_MODFILE_H
#define KDEBUG_MODFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libkvm/kvm.h"

struct modfile;

/* Where and how a module was loaded. */
struct modfile_place {
	kvaddr_t mp_base;
	uint64_t mp_len;	 /* bytes */
	unsigned int mp_ptr_len; /* of the kernel: 4 or 8 */
};

/*
 * Open the module at path.  NULL: there is no such file, or it is not a module
 * that fits the place; *why is then a reason, or NULL when there is no file.
 */
struct modfile *modfile_open(const char *path,
    const struct modfile_place *place, const char **why);
void modfile_close(struct modfile *mf);

/* The function that va lies in.  *name is mf's. */
bool modfile_symbol_at(const struct modfile *mf, kvaddr_t va, const char **name,
    kvaddr_t *start);

/* Where section number ndx of the file lies; 0: it was not loaded. */
kvaddr_t modfile_section_va(const struct modfile *mf, size_t ndx);

const char *modfile_path(const struct modfile *mf);
int modfile_fd(const struct modfile *mf);
kvaddr_t modfile_start(const struct modfile *mf);
kvaddr_t modfile_end(const struct modfile *mf);

#endif
