/*
 * The floor: all that kernel/vm stands on besides pmap.h.
 *
 * The VM system sees the rest of the kernel through this header only, so that
 * it compiles unchanged into the kernel and into a host process over a
 * simulated machine.  Names and meanings are FreeBSD's.
 *
 * Nothing here may be called from an interrupt handler, and neither may
 * anything in kernel/vm: per-CPU data is guarded against preemption, not
 * against interrupts.
 */
#ifndef KERNEL_VM_VM_FLOOR_H
#define KERNEL_VM_VM_FLOOR_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/vm/vm.h"

/* Errors, as errno(2) numbers them on every BSD and on Linux. */
#ifndef ENOMEM
#define ENOMEM 12
#define EINVAL 22
#endif

#ifndef __predict_true
#define __predict_true(exp)  __builtin_expect((exp), 1)
#define __predict_false(exp) __builtin_expect((exp), 0)
#endif

_Noreturn void panic(const char *fmt, ...)
    __attribute__((__format__(__printf__, 1, 2)));
int printf(const char *fmt, ...) __attribute__((__format__(__printf__, 1, 2)));

/*
 * State that only our own bug can bring about.  The arguments of panic stand
 * in parentheses of their own: KASSERT(n > 0, ("%s: n %d", __func__, n)).
 */
#ifndef KASSERT
#ifdef NDEBUG
#define KASSERT(exp, msg) ((void)sizeof(exp))
#else
#define KASSERT(exp, msg)                                                      \
	do {                                                                   \
		if (__predict_false(!(exp)))                                   \
			panic msg;                                             \
	} while (0)
#endif
#endif

/*
 * Between these the thread stays on its CPU and no other thread runs there.
 * They nest.  Sleeping inside is a bug.
 */
#ifdef VM_FLOOR_INLINE
#include VM_FLOOR_INLINE /* the same three, where calls would cost */
#else
void critical_enter(void);
void critical_exit(void);

/* The CPU that this thread runs on; means something in a critical section. */
unsigned int vm_curcpu(void);
#endif

/* Largest CPU number; constant once uma_startup has been called. */
extern int mp_maxid;

/*
 * Spin locks.  A holder is in a critical section.  After a panic and in the
 * debugger they do nothing, so that a lock of a stopped CPU holds nobody up.
 */
#define MTX_SPIN 1

/* For mtx_assert(). */
#define MA_OWNED    1
#define MA_NOTOWNED 2

struct mtx {
	const char *mtx_name;
	volatile uintptr_t mtx_lock; /* 0: free.  Else the machine's word */
};

void mtx_init(struct mtx *mtx, const char *name, const char *type, int opts);
void mtx_destroy(struct mtx *mtx);
void mtx_lock_spin(struct mtx *mtx);
void mtx_unlock_spin(struct mtx *mtx);
bool mtx_owned(const struct mtx *mtx);

/*
 * panic() unless what, an MA_*, is true of mtx.  Once locks do nothing, there
 * is nothing to assert: nobody owns what was locked since then.
 */
#ifdef NDEBUG
#define mtx_assert(mtx, what) ((void)(mtx), (void)(what))
#else
void mtx_assert(const struct mtx *mtx, int what);
#endif

/*
 * Let go of mtx, sleep until wakeup(chan), take mtx again.  Wakeups may be
 * spurious: look at the condition again.  timo is in ticks, 0 for no limit.
 */
int msleep_spin(const void *chan, struct mtx *mtx, const char *wmesg, int timo);
void wakeup(const void *chan);

/*
 * The set of pages that a dump takes although no page table leads to them.
 * Bulk: memory that grows with the machine, left out of a dump that must be
 * small.  Never: in no minidump, even if a page table leads there.  Dropping
 * takes a page out of all of these.  An address that is not memory is ignored.
 */
void dump_add_page(vm_paddr_t pa);
void dump_add_bulk(vm_paddr_t pa);
void dump_add_never(vm_paddr_t pa);
void dump_drop_page(vm_paddr_t pa);

void *memset(void *dst, int byte, size_t len);

#endif
