/*
 * What every kind of lock begins with, and the witness of their order.
 *
 * A lock has a class, which says how it waits: spin mutexes (mutex.h) spin;
 * mutexes, rwlocks (rwlock.h) and sx locks (sx.h) put a thread to sleep; and of
 * these only an sx lock may be held by a thread that sleeps for anything else.
 *
 * Locks of the same type have one order.  The witness learns which type is taken
 * while which other is held, and panics when an order would be reversed: two
 * threads that did it at once would wait for each other for ever.  It also
 * panics when a thread sleeps, or takes a lock that it may sleep for, where it
 * may not.  Built with -Dwitness=false the kernel has none of it; the tunable
 * debug.witness.watch=0 turns it off.
 */
#ifndef KERNEL_SYS_LOCK_H
#define KERNEL_SYS_LOCK_H

#include <stdbool.h>
#include <stdint.h>

struct lock_object;
struct witness;

/* How a lock is held. */
enum lock_how { LOCK_SHARED, LOCK_EXCL };

/* A kind of lock. */
struct lock_class {
	const char *lc_name;
	unsigned int lc_flags; /* LC_* */

	/*
	 * Around a sleep: let go of it, with sched_lock held, which tells how it
	 * was held; and take it again like that, without sched_lock.
	 */
	enum lock_how (*lc_unlock)(struct lock_object *lo);
	void (*lc_lock)(struct lock_object *lo, enum lock_how how);
};

#define LC_SPIN	     0x01 /* who waits for it spins; a holder may not sleep */
#define LC_SLEEPABLE 0x02 /* a holder may sleep */
#define LC_BARGE     0x04 /* goes to whoever comes first, not who waits longest */

struct lock_object {
	const char *lo_name;
	const char *lo_type;	    /* it lives for ever */
	struct witness *lo_witness; /* of the type; NULL until first taken */
	const struct lock_class *lo_class;
	volatile uintptr_t lo_word; /* 0: free.  Else an owner, or LK_* */
	unsigned int lo_depth;	    /* (owner) how often it took it again */
	unsigned int lo_flags;	    /* LO_* */
};

/* Besides an owner, a struct thread, in lo_word. */
#define LK_SHARED  1u /* it is shared, and the rest counts by whom, in LK_ONE */
#define LK_WAITERS 2u /* threads sleep for it */
#define LK_FLAGS   (LK_SHARED | LK_WAITERS)
#define LK_ONE	   4u

/* MTX_RECURSE, RW_RECURSE, SX_RECURSE and so on are these. */
#define LO_RECURSABLE 0x04 /* its owner may take it again */
#define LO_NOWITNESS  0x08 /* the witness does not look */
#define LO_DUPOK      0x10 /* two of the type at a time are no mistake */

#define LOCK_OBJECT_INITIALIZER(name, class)                                   \
	{                                                                      \
		.lo_name = (name), .lo_type = (name), .lo_class = (class)      \
	}

/* A lock that a thread holds, and where it took it. */
struct lock_instance {
	struct lock_object *li_lock;
	const void *li_pc;
};

/* All of them, in the order in which it took them. */
#define LOCKS_HELD_MAX 16

struct lock_list {
	int ll_count;
	struct lock_instance ll_held[LOCKS_HELD_MAX];
};

/* Does this thread hold it, and nobody else? */
bool lock_owned(const struct lock_object *lo);

/* What lock_assert() can claim; the calls of each class have names for these. */
#define LA_LOCKED      0x01 /* held, in either way */
#define LA_SLOCKED     0x02 /* shared */
#define LA_XLOCKED     0x04 /* owned */
#define LA_UNLOCKED    0x08 /* not held by this thread */
#define LA_RECURSED    0x10 /* taken more than once */
#define LA_NOTRECURSED 0x20

/*
 * panic() unless what, LA_*, is true of this thread and lo.  Does nothing once
 * the scheduler is stopped, since locks then have no owner.  Which threads share
 * a lock is not recorded: LA_SLOCKED believes a thread that shares any.
 */
#ifdef NDEBUG
#define lock_assert(lo, what) ((void)(lo), (void)(what))
#else
void lock_assert(const struct lock_object *lo, unsigned int what);
#endif

#ifdef WITNESS
/*
 * Before lo is waited for, after it is taken, by code at pc, and before it is
 * released.
 */
void witness_checkorder(struct lock_object *lo, enum lock_how how);
void witness_lock(struct lock_object *lo, const void *pc);
void witness_unlock(const struct lock_object *lo);

/* As witness_lock(), for a thread that will come up holding lo. */
void witness_adopt(struct lock_list *ll, struct lock_object *lo,
    const void *pc);

/* Before a sleep that releases lo, or no lock if lo is NULL. */
void witness_sleep(const struct lock_object *lo, const char *wmesg);
#else
#define witness_checkorder(lo, how) ((void)(lo), (void)(how))
#define witness_lock(lo, pc)	    ((void)(lo), (void)(pc))
#define witness_unlock(lo)	    ((void)(lo))
#define witness_adopt(ll, lo, pc)   ((void)(ll), (void)(lo), (void)(pc))
#define witness_sleep(lo, wmesg)    ((void)(lo), (void)(wmesg))
#endif

/*
 * What the witness asks of the machine: which locks this thread holds, and what
 * forbids it to sleep, besides locks.
 */
enum witness_place { PLACE_THREAD, PLACE_CRITICAL, PLACE_INTR, PLACE_NMI };

struct lock_list *witness_locks(void);
enum witness_place witness_place(void);

#endif
