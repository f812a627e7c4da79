/*
 * Access to an opened core in addition to kvm(3), for kdebug/ and cli/.
 * Not installed: programs outside this tree use kvm.h.
 */
#ifndef LIBKVM_KVM_CORE_H
#define LIBKVM_KVM_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "format/bytes.h"
#include "format/elfnote.h"
#include "format/minidump.h"
#include "format/owner.h"
#include "libkvm/kvm.h"

/*
 * Told how far a long operation has come: done of total bytes.  Called often;
 * the first call has done == 0, the last done == total.
 */
struct kvm_progress {
	void (*kpr_report)(void *arg, uint64_t done, uint64_t total);
	void *kpr_arg; /* for kpr_report */
};

/*
 * As kvm_open2() without a resolver, and the unpacking of a compressed core is
 * reported to progress, unless that is NULL.  errno is EIO if a file cannot be
 * read or unpacked for a reason of the system's.  Bytes of a damaged one that
 * could not be verified are read: kc_damage and kvm_gave_unverified() tell.
 */
kvm_t *kvm_open_progress(const char *execfile, const char *corefile,
    char *errbuf, const struct kvm_progress *progress);

/*
 * Open a core without its kernel, for what it says about itself: kvm_core(),
 * kvm_read_msgbuf() and kvm_read_phys() answer as ever, and so do kvm_read2()
 * and kvm_walk_pages() for a minidump, which has the kernel's page tables.
 * What only the kernel's file tells is not found: symbols, types, constants,
 * and the page tables of a full dump.
 *
 * A minidump of arm that is cut short is opened too, though its layout cannot
 * be told then: none of its pages can be read.
 *
 * NULL: the reason is in errbuf, which has room for _POSIX2_LINE_MAX bytes or
 * is NULL: the file cannot be opened, read or unpacked, is no dump, is of an
 * unknown machine or version, or is cut short before its bitmap's end.
 */
kvm_t *kvm_describe(const char *corefile, char *errbuf,
    const struct kvm_progress *progress);

/*
 * As kvm_open_progress(), or with no execfile as kvm_describe(), of a core that is
 * unpacked for its first len bytes only: for a look at what the kernel has at low
 * addresses, or at what the file is.  NULL: it cannot be opened, and the reason is in
 * errbuf, unless that is NULL.
 */
kvm_t *kvm_open_start(const char *execfile, const char *corefile, uint64_t len,
    char *errbuf);

/* Is the file called path an ELF program, as a kernel is, and no core? */
bool kvm_is_program(const char *path);

/* A CPU of a virtual machine, as its hypervisor saw it. */
struct kvm_vcpu {
	struct span vc_prstatus; /* Linux's struct elf_prstatus; kd's */
	bool vc_qemu;		 /* vc_state is known */
	struct qemu_cpu vc_state;
};

/* The i-th format that cores are recognized in, as kc_format; NULL: no more. */
const char *kvm_format_name(size_t i);

/* The dump's machine and file; constant while the handle is open. */
struct kvm_core {
	const char *kc_format;	  /* "minidump" or "elf" */
	enum dump_arch kc_arch;	  /* ARCH_AMD64, ... */
	const char *kc_arch_name; /* "amd64", ... of format/arch.c */
	enum byte_order kc_order; /* of the dumped kernel's memory */
	unsigned int kc_ptr_len;  /* bytes in a pointer of that kernel */
	uint32_t kc_page_size;	  /* bytes */
	const char *kc_exec_path; /* the kernel's ELF file; NULL: none */
	int kc_exec_fd;		  /* what is in it, unpacked; kd's */
	uint64_t kc_exec_packed;  /* bytes, as compressed; 0: it was not */
	kvaddr_t kc_exec_base;	  /* its first segment's address; 0: none */
	const char *kc_core_path; /* the core file as it was named */
	uint64_t kc_file_len;	  /* bytes, unpacked */
	uint64_t kc_file_short;	  /* bytes missing at its end; 0 if whole */
	uint64_t kc_npages;	  /* pages that the dump holds */
	const char *kc_damage;	  /* of a compressed file; kd's; NULL: none */
	uint64_t
	    kc_lost_len; /* bytes of it that cannot be read, but at its end */
	uint64_t kc_unverified_len; /* that can, and may be wrong */
	bool
	    kc_unsummed; /* compressed without checksums: damage goes unnoticed */
	const struct minidump_hdr *kc_minidump; /* NULL if it is not one */
	const struct kvm_vcpu *kc_vcpus; /* of a hypervisor's core; kd's */
	size_t kc_nvcpus;
	/* For helpers that read the kernel's file; kd's.  NULL: there is none. */
	struct helpcost *kc_helpcost;
};

/*
 * Describe the core.  Counts the pages of the bitmap, so the first call on a
 * large dump takes a moment.  The result is kd's; NULL on error.
 */
const struct kvm_core *kvm_core(kvm_t *kd);

/*
 * Bytes of the core file, unpacked, that are in no hole, as far as the host
 * tells: what work and memory for an untrusted dump may grow with.
 */
uint64_t kvm_data_len(kvm_t *kd);

/*
 * Has anything returned bytes of a damaged compressed file whose checksum is
 * wrong or missing?  Then what was made of them may be wrong.
 */
bool kvm_gave_unverified(kvm_t *kd);

/*
 * Was anything asked for that is lost in a damaged compressed file, before its
 * end?  It looks to callers as if it were not in the dump.
 */
bool kvm_met_lost(kvm_t *kd);

/*
 * Why the system refused to read the core, for the first time, and at which
 * byte of the file (unpacked): an errno; 0: it never did.  What lies there
 * looks to callers as if it were not in the dump.
 */
int kvm_read_error(kvm_t *kd, uint64_t *off);

/*
 * The same for the kernel's file.  What lies there looks to callers as if it
 * were not in the file.
 */
int kvm_read_exec_error(kvm_t *kd, uint64_t *off);

/*
 * Who owned the page at pa.  OWNER_UNKNOWN: the dump does not say, or it cannot be
 * read, or that is no memory.
 */
enum page_owner kvm_page_owner(kvm_t *kd, kpaddr_t pa);

/*
 * How many pages of each owner the dump left out; of OWNER_UNKNOWN, 0.  false:
 * the dump does not say, or it cannot be read.
 */
bool kvm_left_out(kvm_t *kd, uint64_t npages[OWNER_COUNT]);

/*
 * Read len bytes of physical memory.  Returns len; -1 when a page on the way
 * is not in the dump (kvm_geterr()).
 */
kssize_t kvm_read_phys(kvm_t *kd, kpaddr_t pa, void *buf, size_t len);

/* As kvm_read_some(), of physical memory. */
kssize_t kvm_read_phys_some(kvm_t *kd, kpaddr_t pa, void *buf, size_t len,
    kpaddr_t *bad);

/*
 * Read len bytes of a section of the kernel's ELF file at va: constants that
 * need not be in the dump.  Returns len; -1 when no section holds them.
 */
kssize_t kvm_read_exec(kvm_t *kd, kvaddr_t va, void *buf, size_t len);

/*
 * The message buffer of a minidump's own section: the ring as it was when the
 * dump was started.  Copies at most len bytes from off and returns how many;
 * -1 when it cannot be read or the core has none.
 */
kssize_t kvm_read_msgbuf(kvm_t *kd, uint64_t off, void *buf, size_t len);

/* A symbol of the kernel's ELF file. */
struct kvm_symbol {
	const char *ksy_name; /* kd's, until kvm_close() */
	kvaddr_t ksy_va;
	uint64_t ksy_len; /* bytes; 0 if the file does not say */
	bool ksy_code;	  /* it lies in a section of instructions */
};

/*
 * Read the symbols of the kernel's ELF file, if it has any.  -1: they cannot be
 * read (kvm_geterr()), so that a name which is not found may be there; errno is
 * the system's reason, or 0 if the file is damaged.
 */
int kvm_load_symbols(kvm_t *kd);

/*
 * Has the kernel's ELF file any symbols?  .dynsym counts, which is left of them
 * in a stripped file.
 */
bool kvm_has_symbols(kvm_t *kd);

/*
 * The symbol called name.  Local ones are found, global ones win.  false: none
 */
bool kvm_symbol_find(kvm_t *kd, const char *name, struct kvm_symbol *out);

/*
 * As kvm_symbol_find(), but through the resolver if there is one, and a name is
 * also found without a leading underscore, or under the prefix of the variables
 * of which each CPU (DPCPU) or network stack (VNET) has a copy.  The address is
 * that of the linker's copy: kvm_copy_find() leads on from there.
 */
bool kvm_variable_find(kvm_t *kd, const char *name, struct kvm_symbol *out);

enum kvm_copies { KVM_ONE, KVM_PER_CPU, KVM_PER_VNET };

/*
 * From a variable at *va to the copy of the CPU that kvm_dpcpu_setcpu() or the
 * network stack that kvm_vnet_select() has selected, if there are copies of it:
 * *copies tells.  -1: where the copies are cannot be read (kvm_geterr()).
 */
int kvm_copy_find(kvm_t *kd, kvaddr_t *va, enum kvm_copies *copies);

/*
 * Select the network stack whose VNET variables kvm_copy_find() and
 * kvm_nlist2() lead to: by the address of its struct vnet, or by a number below
 * 65536, in the order in which the stacks were created; 0 is the default.  0,
 * or -1.
 */
int kvm_vnet_select(kvm_t *kd, uint64_t which);

/*
 * The function or object that va lies in: the last symbol at or below va,
 * unless its length says that it ends before va.  A label inside of a function
 * that has a length does not count, nor does a compiler's local one (.L).
 * false: none.
 */
bool kvm_symbol_at(kvm_t *kd, kvaddr_t va, struct kvm_symbol *out);

/* No offset or length that is found is larger. */
#define KVM_MEMBER_MAX 0x1000000

/* A member of one of the kernel's structures. */
struct kvm_member {
	const char *kmb_type; /* in: "thread", of struct thread */
	const char *kmb_name; /* in: "td_tid", "td_sa.code"; NULL: all of it */
	uint32_t kmb_off;     /* out: bytes into the structure; see below */
	uint32_t kmb_len;     /* out: bytes; 0: not found, or not known */
};

/*
 * Find the n members in the debug information of the kernel's file, or of the
 * file that it was split off into.  Returns how many were found; the others
 * stay as they are.  Ask for many at once: all are found in one pass, which for
 * a structure that there is not takes about a second on a large kernel.  There
 * are no bit fields.  Without debug information, none is found.
 *
 * The last name may be that of an enumerator, "td_state.TDS_RUNNING": kmb_off
 * is its value then, and kmb_len 0.
 */
size_t kvm_members_find(kvm_t *kd, struct kvm_member *list, size_t n);

/*
 * NULL, or what the debug information would need for kvm_members_find() to read
 * it: "more than 144 MiB of memory (VMCORE_DEBUG_LIMIT)", or ".debug_info, which
 * cannot be unpacked".  None is found then.
 */
const char *kvm_members_why(kvm_t *kd);

#endif
