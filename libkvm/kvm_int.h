/*
 * Inside an opened core.  A read goes down through these, one way:
 *
 *	kvm_read2()          kvm_read.c    pieces that lie together
 *	translate()          translate.c   virtual to physical, page tables
 *	co_locate()          core_*.c      physical to file
 *	image_read()         image.c       bytes
 */
#ifndef LIBKVM_KVM_INT_H
#define LIBKVM_KVM_INT_H

#include "format/paging.h"
#include "libkvm/exec.h"
#include "libkvm/hotpages.h"
#include "libkvm/image.h"
#include "libkvm/kvm_core.h"
#include "libkvm/members.h"
#include "libkvm/pageindex.h"

#define KVM_ERR_LEN 2048 /* _POSIX2_LINE_MAX, which callers give us */

/* Bytes of the core: len of them at off. */
struct file_run {
	uint64_t off;
	uint64_t len;
};

/* Physical memory: len bytes from pa on, which va maps in a row. */
struct phys_run {
	kpaddr_t pa;
	uint64_t len;
};

/* A kind of core file. */
struct core_ops {
	const char *co_name;
	/*
	 * Is this file one?  It is asked only about the start of the file,
	 * which may be shorter than a header.
	 */
	bool (*co_match)(struct span start);
	/* Get kd ready.  -1: kvm_fail() was called; close() follows. */
	int (*co_open)(kvm_t *kd);
	void (*co_close)(kvm_t *kd);
	/*
	 * Where the first of len bytes at pa are; how many lie there in a row.
	 */
	int (*co_locate)(kvm_t *kd, kpaddr_t pa, uint64_t len,
	    struct file_run *out);
	/*
	 * How many pages there should be, and where in the file the last of
	 * them ends.
	 */
	int (*co_count)(kvm_t *kd, uint64_t *npages, uint64_t *end);
	/*
	 * The kernel's own page tables, for addresses that kd_root does not
	 * have; NULL: they are not known.
	 */
	const struct vm_root *(*co_own_root)(kvm_t *kd);
};

/*
 * The mappings of spans of addresses that were used, each as long as what a
 * last-level page table maps: such a table, or a part of a large page.  They do
 * not change in a dead kernel.
 */
#define TABLE_CACHE_LEN 16384

struct table_slot {
	uint64_t tsl_tag; /* the span's number plus 1; 0: empty */
	uint64_t tsl_off; /* of the table: bytes into the file; 0: none */
	kpaddr_t tsl_pa;  /* else: of the span's first byte */
	uint32_t tsl_nuses;
};

struct table_cache {
	struct table_slot tc_slot[TABLE_CACHE_LEN];
};

/*
 * Where translation starts: a table of entries of one level, in a section of
 * the file (minidumps) or at a physical address (everything else).
 */
struct vm_root {
	const struct paging *vr_paging;
	unsigned int vr_level; /* of its entries */
	bool vr_in_section;
	kvaddr_t vr_base;     /* section: address that entry 0 maps */
	uint64_t vr_off;      /* section: bytes into the file */
	uint64_t vr_nentries; /* section: as many as there are */
	kpaddr_t vr_pa;	      /* else: of the table */
};

struct __kvm {
	struct hotpages kd_hot; /* first: kvm_read2() is in a hurry */
	const struct core_ops *kd_ops;
	struct image *kd_image;	     /* owned */
	struct exec *kd_exec;	     /* owned; NULL: see kvm_describe() */
	kvm_resolver_t *kd_resolver; /* may be NULL */
	char *kd_core_path;	     /* owned */
	const char *kd_packing;	     /* unpack_name()'s; NULL: not compressed */
	struct kvm_core kd_core;     /* what is known of it so far */
	struct vm_root kd_root;
	struct vm_root kd_own; /* see root_own() */
	bool kd_own_sought;
	bool kd_own_found;
	struct table_cache *kd_tables; /* owned */
	uint64_t kd_end;	       /* highest file offset read since ... */
	bool kd_counted;	       /* kc_npages is valid */

	void *kd_state; /* owned by kd_ops: what only that kind knows */
	/* Not in kd_state: each read of a minidump asks it for pages. */
	struct pageindex *kd_index; /* owned; NULL: no minidump */

	char kd_members_why[80]; /* see kvm_members_why(); "": all is well */
	struct kvm_member *kd_fields; /* owned; fields.h */
	struct kinfo_proc *kd_procs;  /* owned; of the last kvm_getprocs() */

	unsigned int kd_dpcpu_cpu;
	kvaddr_t kd_vnet; /* the network stack that was selected; 0: vnet0 */
	char kd_err[KVM_ERR_LEN];
};

extern const struct core_ops core_minidump;
extern const struct core_ops core_elf;

/* Set the text for kvm_geterr() and return -1. */
int kvm_fail(kvm_t *kd, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), cold));

/* The same for what only the kernel's file tells. */
int kvm_fail_no_kernel(kvm_t *kd);

/* The same for a failed image_*() call on len bytes at off of what. */
int kvm_fail_image(kvm_t *kd, const char *what, uint64_t off, uint64_t len);

/*
 * The file was read up to end.  Page tables count as read too: an entry in
 * which the file was cut decodes as a different, valid-looking entry.
 */
static inline void
note_end(kvm_t *kd, uint64_t end)
{
	if (end > kd->kd_end)
		kd->kd_end = end;
}

/* Say whose memory the core holds: by the kernel's file, else by the core. */
void kvm_set_machine(kvm_t *kd, enum dump_arch arch, enum byte_order order);

/* Translate the first of len bytes at va, len > 0.  -1: not mapped. */
int translate(kvm_t *kd, kvaddr_t va, uint64_t len, struct phys_run *out);

/* The same by the tables from root on, which has kd_root's kind of paging. */
int translate_by(kvm_t *kd, const struct vm_root *root, kvaddr_t va,
    uint64_t len, struct phys_run *out);

/* Forget remembered translations: kd_root or its tables may have changed. */
void translate_forget(kvm_t *kd);

/*
 * The kernel's own page tables in the memory of a minidump, for addresses that
 * its page-table section does not have.  NULL: they are not known.
 */
const struct vm_root *root_own(kvm_t *kd);

/* The address of a kernel symbol; false: there is none. */
bool kvm_lookup(kvm_t *kd, const char *name, kvaddr_t *va);

/* One symbol, exactly of that name, by the resolver if there is one. */
bool kvm_find_exact(kvm_t *kd, const char *name, struct kvm_symbol *sym);

/*
 * The distance of the selected network stack's variables from the linker set.
 */
int vnet_distance(kvm_t *kd, uint64_t *distance);

/* The pointer that array[cpu] holds; 0: there is no such CPU. */
int kvm_cpu_pointer(kvm_t *kd, const char *array, unsigned int cpu,
    uint64_t *out);

/* Read an unsigned integer of len (4 or 8) bytes, in the kernel's order. */
int kvm_read_uint(kvm_t *kd, kvaddr_t va, unsigned int len, uint64_t *out);

/* As above, at a physical address. */
int kvm_read_phys_uint(kvm_t *kd, kpaddr_t pa, unsigned int len, uint64_t *out);

#endif
