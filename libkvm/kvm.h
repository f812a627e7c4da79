/*
 * kvm(3): read the memory of a FreeBSD kernel, dead or dumped, on any host.
 *
 * Source-compatible with FreeBSD's <kvm.h> for everything that makes sense on a
 * crash dump.  Differences are deliberate and few:
 *
 *  - There is no live kernel here: a core file must be named.
 *  - kvm_getprocs(), kvm_getloadavg(), kvm_getcptime() and kvm_getswapinfo()
 *    answer for dumps of every architecture.
 *  - kvm_open() and kvm_openfiles() open cores of every architecture, without a
 *    resolver: symbols come from the kernel's ELF file.
 *  - A core may be compressed (zstd, gzip; xz, bzip2, lz4 where they are built
 *    in); it is unpacked to an unlinked temporary file in $TMPDIR when it is
 *    opened, and what is damaged of it reads as missing.
 *  - kvm_walk_pages() reports each page of the dump once, those that only the
 *    direct map reaches included.
 *
 * A handle belongs to one thread at a time.  Different handles are
 * independent.  Nothing here prints, with one exception that the interface asks
 * for (kvm_open() with a program name), and nothing exits.
 *
 * A core file may be cut short while it is open.  The library maps cores into
 * memory, so it installs a SIGBUS handler when the first core is opened; a
 * fault outside of its own mappings goes to the handler that was there before.
 * A program that installs its own SIGBUS handler later, or blocks SIGBUS,
 * should set KVM_NOMAP in the environment: every access is then one pread(2).
 */
#ifndef _KVM_H_
#define _KVM_H_

#include <sys/types.h>

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__has_include) && !defined(KVM_NO_NLIST)
#if __has_include(<nlist.h>)
#include <nlist.h> /* struct nlist, for kvm_nlist() */
#define _KVM_NLIST_INLINE
#endif
#endif

#ifdef __linux__
#include "kvm_proc.h" /* struct kinfo_proc, for kvm_getprocs() */
#endif

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

#ifndef __FreeBSD__
/* FreeBSD has these in <sys/types.h>.  64 bits wide on every host. */
typedef uint64_t kvaddr_t; /* a kernel virtual address */
typedef uint64_t kpaddr_t; /* a physical address of the dumped machine */
typedef int64_t kssize_t;  /* a count of bytes, or -1 */
#endif

#ifndef _POSIX2_LINE_MAX
#define _POSIX2_LINE_MAX 2048 /* POSIX; hidden from a program in plain C */
#endif

#ifndef VM_PROT_NONE
typedef unsigned char vm_prot_t;
#define VM_PROT_NONE	((vm_prot_t)0x00)
#define VM_PROT_READ	((vm_prot_t)0x01)
#define VM_PROT_WRITE	((vm_prot_t)0x02)
#define VM_PROT_EXECUTE ((vm_prot_t)0x04)
#endif

/* One opened kernel and core.  Created by kvm_open*(), freed by kvm_close(). */
typedef struct __kvm kvm_t;

/* Historic: the symbol and key of the version string in a name database. */
#define VRS_SYM "_version"
#define VRS_KEY "VERSION"

/* A symbol to look up with kvm_nlist2().  An array ends with a NULL name. */
struct kvm_nlist {
	const char *n_name;   /* in; a leading underscore is optional */
	unsigned char n_type; /* out: 0 when not found, else not 0 */
	kvaddr_t n_value;     /* out: the address, 0 when not found */
};

/* A swap device, or all of them together; counts are in pages. */
struct kvm_swap {
	char ksw_devname[32]; /* "ada0p3"; "" for the sum */
	unsigned int ksw_used;
	unsigned int ksw_total;
	int ksw_flags; /* the kernel's, of the device */
	unsigned int ksw_reserved1;
	unsigned int ksw_reserved2;
};

#define SWIF_DEV_PREFIX 0x0002 /* names start with "/dev/" */

#define LIBKVM_WALK_PAGES_VERSION 2

/* A run of kernel memory, as kvm_walk_pages() reports it. */
struct kvm_page {
	unsigned int kp_version; /* LIBKVM_WALK_PAGES_VERSION */
	kpaddr_t kp_paddr;	 /* its physical address */
	kvaddr_t kp_kmap_vaddr;	 /* in the kernel map, 0 if not mapped there */
	kvaddr_t kp_dmap_vaddr;	 /* in the direct map, 0 if not all there */
	vm_prot_t kp_prot;	 /* VM_PROT_*, of the kernel mapping if any */
	off_t kp_offset;	 /* in the core file; -1: not in the dump */
	size_t kp_len;		 /* bytes, all of them at kp_offset in a row */
};

typedef int kvm_walk_pages_cb_t(struct kvm_page *, void *);

/*
 * A resolver finds the address of a kernel symbol: 0 and *addr, or not 0 when
 * there is no such symbol.
 */
typedef int kvm_resolver_t(const char *name, kvaddr_t *addr);

/*
 * Open a core file together with the kernel that it came from.
 *
 * execfile   the kernel's ELF file.  NULL: /boot/kernel/kernel.
 * corefile   a minidump or ELF core, plain or compressed (.zst, .gz).
 * swapfile   ignored; NULL.
 * flags      O_RDONLY.  A dead kernel cannot be written to; other access modes
 *            are taken for it.
 *
 * Return a handle for kvm_close(), or NULL.  They differ in where the reason
 * for a failure goes: kvm_open() prints it to stderr after errstr (silent
 * when errstr is NULL); kvm_openfiles() and kvm_open2() write it into errbuf,
 * which is NULL or holds _POSIX2_LINE_MAX (2048) bytes.  Later errors are text
 * for kvm_geterr(), whichever call opened the handle.
 *
 * resolver   where to look up symbols instead of execfile's symbol table.
 *            execfile is needed all the same: it tells the architecture.
 */
kvm_t *kvm_open(const char *execfile, const char *corefile,
    const char *swapfile, int flags, const char *errstr);
kvm_t *kvm_openfiles(const char *execfile, const char *corefile,
    const char *swapfile, int flags, char *errbuf);
kvm_t *kvm_open2(const char *execfile, const char *corefile, int flags,
    char *errbuf, kvm_resolver_t *resolver);

/* Free kd and all that belongs to it.  -1 with errno EINVAL if kd is NULL. */
int kvm_close(kvm_t *kd);

/*
 * The text of the last error on kd, one line without a newline; "" if there
 * was none or kd is NULL.  Valid until the next call with kd.
 */
char *kvm_geterr(kvm_t *kd);

/*
 * Read len bytes of kernel memory at addr into buf.
 *
 * Returns len.  Returns -1 when a page on the way is not mapped, not in the
 * dump, or the dump is malformed or was cut short; kvm_geterr() then names the
 * first address that could not be read, and what buf holds is unspecified.
 */
kssize_t kvm_read2(kvm_t *kd, kvaddr_t addr, void *buf, size_t len);

/*
 * Read up to len bytes of kernel memory at va into buf, as many as there are
 * before the first that cannot be read.
 *
 * Returns how many bytes these are: len, or fewer, also 0.  Fewer: *bad, unless
 * bad is NULL, is va plus that number, the first address that could not be
 * read, and kvm_geterr() says why; the rest of buf is unspecified.  Memory ends
 * at the top of the address space, where *bad is 0.  -1, with *bad untouched,
 * only if len is more than a kssize_t holds.
 */
kssize_t kvm_read_some(kvm_t *kd, kvaddr_t va, void *buf, size_t len,
    kvaddr_t *bad);

/* kvm_read2() with a native-size address, for 32-bit cores and native ones. */
ssize_t kvm_read(kvm_t *kd, unsigned long addr, void *buf, size_t len);

/* Returns -1: a dead kernel cannot be written to. */
ssize_t kvm_write(kvm_t *kd, unsigned long addr, const void *buf, size_t len);

/*
 * Read size bytes of a CPU's copy of a per-CPU (UMA_ZONE_PCPU) allocation.
 * base is the pointer as the kernel stores it.  Returns as kvm_read2().
 */
ssize_t kvm_read_zpcpu(kvm_t *kd, unsigned long base, void *buf, size_t size,
    int cpu);

/*
 * The value of a counter(9): the sum over the CPUs of the counter at base.
 * 0 also when it cannot be read: kvm_geterr() tells.
 */
uint64_t kvm_counter_u64_fetch(kvm_t *kd, unsigned long base);

/*
 * Look up symbols.  Returns how many were not found (their type and value are
 * set to 0), or -1 when the symbol table cannot be read.
 *
 * DPCPU variables yield the address of the copy of the CPU that was selected
 * with kvm_dpcpu_setcpu(), VNET variables that of the default vnet.
 */
int kvm_nlist2(kvm_t *kd, struct kvm_nlist *nl);

/*
 * Where a struct nlist keeps what kvm_nlist() needs; the pointer to the name
 * comes first in all of them.  Offsets and lengths are in bytes.
 */
struct kvm_nlist_shape {
	size_t ns_len; /* of the structure */
	size_t ns_type_off;
	size_t ns_type_len;
	size_t ns_value_off;
	size_t ns_value_len;
};

/*
 * kvm_nlist2() for an array of any struct nlist.  -1 also when an address does
 * not fit the structure: use kvm_nlist2() then.
 */
int kvm_nlist_shaped(kvm_t *kd, void *nl, const struct kvm_nlist_shape *shape);

/*
 * The same for the classic structure, of which every system has its own: libelf
 * on Linux, FreeBSD and macOS agree on little but the names.  A program that
 * includes this file gets the function for the <nlist.h> that it is compiled
 * with.  One that defines KVM_NO_NLIST before that includes no <nlist.h> and
 * declares kvm_nlist() itself: the symbol that the library exports is for
 *
 *	struct nlist {
 *		const char *n_name;
 *		unsigned char n_type;
 *		char n_other;
 *		short n_desc;
 *		unsigned long n_value;
 *	};
 */
#ifdef _KVM_NLIST_INLINE
static inline int
kvm_nlist(kvm_t *kd, struct nlist *nl)
{
	struct kvm_nlist_shape shape;

	shape.ns_len = sizeof(*nl);
	shape.ns_type_off = offsetof(struct nlist, n_type);
	shape.ns_type_len = sizeof(nl->n_type);
	shape.ns_value_off = offsetof(struct nlist, n_value);
	shape.ns_value_len = sizeof(nl->n_value);
	return (kvm_nlist_shaped(kd, nl, &shape));
}
#endif

/* 1 if the core's architecture is this host's, else 0. */
int kvm_native(kvm_t *kd);

/*
 * By how many bytes the kernel ran away from its link address: add it to the
 * addresses in the kernel's ELF file.  0 for all architectures read here.
 */
kssize_t kvm_kerndisp(kvm_t *kd);

/*
 * Call cb for each page of the dump: first those in the kernel map, in
 * ascending order of virtual address, then the others, in ascending physical
 * order.  A page of the dump is reported once, at its first address; pages that
 * are mapped but not in the dump are reported with kp_offset -1.  Pages that
 * lie in a row in the kernel map, in memory and in the dump, with the same
 * permissions, may come in one call: kp_len says how many bytes it is about.
 *
 * cb returns not 0 to go on.  Returns 1 when all was walked; 0 when cb stopped
 * it, or the core cannot be walked: kvm_geterr() is "" in the first case only.
 * Page tables that map the same memory again and again, which no kernel does, are
 * such a failure: the bytes of the core bound the work.
 */
int kvm_walk_pages(kvm_t *kd, kvm_walk_pages_cb_t *cb, void *arg);

/* Highest CPU id + 1 that the kernel allows, and CPUs it ran; -1 on error. */
int kvm_getmaxcpu(kvm_t *kd);
int kvm_getncpus(kvm_t *kd);

/*
 * A copy of a CPU's struct pcpu, as it lies in the dump: one page, for the
 * caller to free().  NULL when there is no such CPU or kd is NULL, (void *)-1
 * on error.
 */
void *kvm_getpcpu(kvm_t *kd, int cpu);

/*
 * The kernel's own state.  Where its structures have their fields is
 * told by its debug information, in the kernel's file or in kernel.debug.
 * Without that, the constants that the kernel exports suffice for a list of
 * processes with their names.  A failure says what is not known.
 */
struct kinfo_proc;

/*
 * The processes that op, one of KERN_PROC_*, selects by arg, in the order of
 * the kernel's list.  Each has one entry, which describes its first thread; or,
 * with KERN_PROC_INC_THREAD, one for each thread.  Stores the number of
 * entries, perhaps 0, in *cnt.
 *
 * The array is kd's until the next call or kvm_close().  Fields that the kernel
 * does not tell are 0.  NULL: kvm_geterr() says why.
 */
struct kinfo_proc *kvm_getprocs(kvm_t *kd, int op, int arg, int *cnt);

/*
 * NULL: arguments and environments are in the processes' own memory, which a
 * dump does not hold.
 */
char **kvm_getargv(kvm_t *kd, const struct kinfo_proc *kp, int nchr);
char **kvm_getenvv(kvm_t *kd, const struct kinfo_proc *kp, int nchr);

/*
 * The load averages over the last 1, 5 and 15 minutes, the first nelem of them.
 * Returns how many were stored; -1 on error.
 */
int kvm_getloadavg(kvm_t *kd, double loadavg[], int nelem);

/*
 * How many ticks of the statistics clock all CPUs together spent in what:
 * CPUSTATES counters, which CP_* are the indices of.  0, or -1 on error.
 */
int kvm_getcptime(kvm_t *kd, long *cp_time);

/*
 * Swap devices, at most max - 1 of them, and after the last one their sum.
 * flags is 0 or SWIF_DEV_PREFIX.  Returns the number of devices stored, which
 * is the index of the sum; -1 on error.  0 if kd is NULL.
 */
int kvm_getswapinfo(kvm_t *kd, struct kvm_swap *list, int max, int flags);

/* Select the CPU whose DPCPU variables kvm_nlist2() finds; 0, or -1. */
int kvm_dpcpu_setcpu(kvm_t *kd, unsigned int cpu);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif /* _KVM_H_ */
