/*
 * What every kind of lock begins with, and the witness of their order.
 *
 * Locks of the same type are one class.  The witness learns which class is taken
 * while which other is held, and panics when an order would be reversed: two
 * threads that did it at once would wait for each other for ever.  It also
 * panics when a thread sleeps where it may not.  Built with -Dwitness=false the
 * kernel has none of it; the tunable debug.witness.watch=0 turns it off.
 */
#ifndef KERNEL_SYS_LOCK_H
#define KERNEL_SYS_LOCK_H

struct witness;

struct lock_object {
	const char *lo_name;
	const char *lo_type;	    /* the class; it lives for ever */
	struct witness *lo_witness; /* NULL until it is first taken */
};

#define LOCK_OBJECT_INITIALIZER(name)                                          \
	{                                                                      \
		(name), (name), 0                                              \
	}

/* The locks that a thread holds, in the order in which it took them. */
#define LOCKS_HELD_MAX 16

struct lock_list {
	int ll_count;
	struct lock_object *ll_held[LOCKS_HELD_MAX];
};

#ifdef WITNESS
/* Before lo is taken, after that, and before it is released. */
void witness_checkorder(struct lock_object *lo);
void witness_lock(struct lock_object *lo);
void witness_unlock(const struct lock_object *lo);

/* As witness_lock(), for a thread that will come up holding lo. */
void witness_adopt(struct lock_list *ll, struct lock_object *lo);

/* Before a sleep that releases lo, or no lock if lo is NULL. */
void witness_sleep(const struct lock_object *lo, const char *wmesg);
#else
#define witness_checkorder(lo)	 ((void)(lo))
#define witness_lock(lo)	 ((void)(lo))
#define witness_unlock(lo)	 ((void)(lo))
#define witness_adopt(ll, lo)	 ((void)(ll), (void)(lo))
#define witness_sleep(lo, wmesg) ((void)(lo), (void)(wmesg))
#endif

/*
 * What the witness asks of the machine: which locks this thread holds, and what
 * forbids it to sleep, besides locks.
 */
enum witness_place { PLACE_THREAD, PLACE_CRITICAL, PLACE_INTR, PLACE_NMI };

struct lock_list *witness_locks(void);
enum witness_place witness_place(void);

#endif
