/*
 * What an ELF core keeps while it is open, for core_elf.c and for the search for
 * its CPUs (vcpu.c) and page tables (root.c).
 */
#ifndef LIBKVM_CORE_ELF_H
#define LIBKVM_CORE_ELF_H

#include "format/elfcore.h"
#include "libkvm/kvm_int.h"
#include "libkvm/segments.h"

struct elf_state {
	struct elf_segment *els_segs; /* owned; by address once opened */
	size_t els_nsegs;
	uint8_t *els_notes;	    /* owned */
	struct kvm_vcpu *els_vcpus; /* owned; spans of els_notes */
	kpaddr_t els_delta_pa;	    /* PT_DUMP_DELTA; */
	kvaddr_t els_delta_va;	    /* both 0: there is none */
};

/* That of kd, whose kind is core_elf. */
static inline struct elf_state *
elf_state(const kvm_t *kd)
{
	return (kd->kd_state);
}

/* Load the CPUs out of the notes in a segment, and free what kd has of them. */
int vcpu_load(kvm_t *kd, const struct elfcore_hdr *hdr,
    const struct elfcore_phdr *ph);
void vcpu_free(kvm_t *kd);

/*
 * Find the page tables of an ELF core: those of its machine, through the
 * kernel's symbols.
 */
int root_find(kvm_t *kd);

#endif
