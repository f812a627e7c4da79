/*
 * The file of a kernel module (.ko), placed where the kernel had loaded it.
 */
#ifndef KDEBUG_MODFILE_H
#define KDEBUG_MODFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libkvm/kvm_core.h"

struct modfile;

/* Where and how a module was loaded. */
struct modfile_place {
	kvaddr_t mfp_base;
	uint64_t mfp_len; /* bytes */

	/* The kernel's, which its modules have too. */
	unsigned int mfp_ptr_len; /* 4 or 8 */
	enum byte_order mfp_order;
	uint16_t mfp_machine; /* ELF's number: EM_* */
	uint32_t mfp_unwind;  /* the machine's ar_unwind_section */
};

/*
 * Open the module at path.  NULL: there is no such file, or it is not a module
 * that fits the place; *why is then a reason, or NULL when there is no file.
 * errno is 0 if the file is at fault, and else the system's reason.
 */
struct modfile *modfile_open(const char *path,
    const struct modfile_place *place, const char **why);
void modfile_close(struct modfile *mf);

/*
 * The symbol called name, and the function or object that va lies in, as
 * kvm_symbol_find() and kvm_symbol_at() find them for the kernel.  DPCPU and
 * VNET variables are not found, because their section is not next to the
 * others.  ksy_name is mf's.
 */
bool modfile_symbol_find(const struct modfile *mf, const char *name,
    struct kvm_symbol *out);
bool modfile_symbol_at(const struct modfile *mf, kvaddr_t va,
    struct kvm_symbol *out);

/*
 * The number of the first section of that name that was loaded, where it lies
 * and its bytes; 0: none was loaded.
 */
size_t modfile_section_find(const struct modfile *mf, const char *name,
    kvaddr_t *va, uint64_t *len);

/*
 * Go through the sections that were loaded: *ndx is 0 at first.  *name is mf's,
 * and at most 255 bytes long: sections with longer names are left out.
 * false: there are no more.
 */
bool modfile_next_section(const struct modfile *mf, size_t *ndx,
    const char **name, kvaddr_t *va);

/*
 * Open the file again, which is not held open: a dump may have thousands of
 * modules.  The descriptor is the caller's; -1: errno, which is ESTALE if
 * another file has taken its place.
 */
int modfile_reopen(const struct modfile *mf);

const char *modfile_path(const struct modfile *mf);
bool modfile_is_relocatable(const struct modfile *mf);
kvaddr_t modfile_start(const struct modfile *mf);
kvaddr_t modfile_end(const struct modfile *mf);

#endif
