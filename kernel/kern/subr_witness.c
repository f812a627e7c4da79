/*
 * The witness: which class of locks is taken while which other is held.
 *
 * A class knows the classes that come after it, directly or through others: one
 * bit each.  A lock that is taken in an order that is known costs a look at one
 * bit for each lock that is held.  A new order is learned under a lock of our
 * own, with the stack that it was first seen on, which is what a reversal is
 * reported with.
 *
 * The bits are transitive and never lead back to where they began, so that a
 * reversal shows when the last step of a cycle is taken, however long it is.
 */
#include "kernel/sys/command.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/lock.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/stack.h"
#include "kernel/sys/sysctl.h"
#include "kernel/sys/systm.h"

#define CLASSES_MAX 512
#define ORDERS_MAX  256
#define WORD_BITS   64

struct witness {
	const char *wit_name;
	uint64_t wit_after[CLASSES_MAX / WORD_BITS]; /* atomic */
};

/* One class was held when another was taken. */
struct order {
	const struct witness *ord_held;
	const struct witness *ord_taken;
	struct stack ord_stack;
};

static int watch = 1;
SYSCTL_NODE(_debug, OID_AUTO, witness, CTLFLAG_RD, NULL, "the order of locks");
SYSCTL_INT(_debug_witness, OID_AUTO, watch, CTLFLAG_RDTUN, &watch, 0,
    "Panic when locks are taken in a reversed order, or held in a sleep");

static bool tables_lock;		    /* atomic */
static struct witness classes[CLASSES_MAX]; /* (tables_lock), as what follows */
static struct order orders[ORDERS_MAX];
static size_t nclasses, norders;
static size_t nlost; /* classes that did not fit, and are not watched */

static void
lock_tables(void)
{
	spinlock_enter();
	while (__atomic_test_and_set(&tables_lock, __ATOMIC_ACQUIRE))
		cpu_spinwait();
}

static void
unlock_tables(void)
{
	__atomic_clear(&tables_lock, __ATOMIC_RELEASE);
	spinlock_exit();
}

static bool
watching(void)
{
	return (watch != 0 && !SCHEDULER_STOPPED());
}

/* Has b been taken while a was held, or so by way of others? */
static bool
comes_after(const struct witness *a, const struct witness *b)
{
	size_t i = (size_t)(b - classes);
	uint64_t word =
	    __atomic_load_n(&a->wit_after[i / WORD_BITS], __ATOMIC_RELAXED);

	return ((word >> i % WORD_BITS & 1) != 0);
}

static struct witness *
find_class(const char *name)
{
	for (size_t i = 0; i < nclasses; i++) {
		if (strcmp(classes[i].wit_name, name) == 0)
			return (&classes[i]);
	}
	if (nclasses == CLASSES_MAX) {
		nlost++;
		return (NULL);
	}
	classes[nclasses].wit_name = name;
	return (&classes[nclasses++]);
}

/* The class of a lock; NULL if there are too many. */
static struct witness *
class_of(struct lock_object *lo)
{
	struct witness *w = __atomic_load_n(&lo->lo_witness, __ATOMIC_ACQUIRE);

	if (w != NULL)
		return (w);
	lock_tables();
	w = find_class(lo->lo_type);
	unlock_tables();
	__atomic_store_n(&lo->lo_witness, w, __ATOMIC_RELEASE);
	return (w);
}

/* All that comes after b comes after a, and after all that a comes after. */
static void
add_after(struct witness *a, const struct witness *b)
{
	size_t bit = (size_t)(b - classes);

	for (size_t i = 0; i < nclasses; i++) {
		struct witness *w = &classes[i];

		if (w != a && !comes_after(w, a))
			continue;
		for (size_t j = 0; j < nitems(w->wit_after); j++)
			__atomic_fetch_or(&w->wit_after[j], b->wit_after[j],
			    __ATOMIC_RELAXED);
		__atomic_fetch_or(&w->wit_after[bit / WORD_BITS],
		    UINT64_C(1) << bit % WORD_BITS, __ATOMIC_RELAXED);
	}
}

/* taken may come after held from now on.  false: it is the other way round. */
static bool
learn(struct witness *held, const struct witness *taken)
{
	bool reversed;

	lock_tables();
	reversed = comes_after(taken, held);
	if (!reversed && !comes_after(held, taken)) {
		add_after(held, taken);
		if (norders < ORDERS_MAX) {
			struct order *o = &orders[norders++];

			o->ord_held = held;
			o->ord_taken = taken;
			stack_save(&o->ord_stack);
		}
	}
	unlock_tables();
	return (!reversed);
}

/* The first order seen that leads from a towards b. */
static const struct order *
order_towards(const struct witness *a, const struct witness *b)
{
	for (size_t i = 0; i < norders; i++) {
		const struct order *o = &orders[i];

		if (o->ord_held == a &&
		    (o->ord_taken == b || comes_after(o->ord_taken, b)))
			return (o);
	}
	return (NULL);
}

/*
 * Words come once the machine is stopped: printf() takes a lock, and may be what
 * is reversed.
 */
static void __dead2
report(const struct lock_object *held, const struct lock_object *taken)
{
	const struct witness *from = taken->lo_witness, *to = held->lo_witness;
	const struct order *o;
	struct stack now;

	stack_save(&now);
	spinlock_enter();
	(void)stop_cpus_hard();
	printf("lock order reversal:\n");
	for (; from != to && (o = order_towards(from, to)) != NULL;
	     from = o->ord_taken) {
		printf("\"%s\" was taken with \"%s\" held, first at:\n",
		    o->ord_taken->wit_name, o->ord_held->wit_name);
		stack_print(&o->ord_stack);
	}
	printf("\"%s\" is taken with \"%s\" held at:\n", taken->lo_name,
	    held->lo_name);
	stack_print(&now);
	panic("witness: lock order reversal: \"%s\" after \"%s\"",
	    taken->lo_name, held->lo_name);
}

static void
check_order(struct lock_object *held, struct lock_object *taken)
{
	struct witness *h = class_of(held), *w = class_of(taken);

	if (h == NULL || w == NULL || comes_after(h, w))
		return;
	if (h == w && (taken->lo_flags & LO_DUPOK) != 0)
		return;
	if (h == w)
		panic("witness: \"%s\" after \"%s\" of the same type \"%s\"",
		    taken->lo_name, held->lo_name, taken->lo_type);
	if (!learn(h, w))
		report(held, taken);
}

/* Before a panic: where a lock was taken that should not be held now. */
static void
tell_where(const struct lock_instance *li)
{
	struct stack where = { .depth = 1, .pcs = { (uintptr_t)li->li_pc } };

	spinlock_enter();
	(void)stop_cpus_hard();
	printf("\"%s\" was taken at:\n", li->li_lock->lo_name);
	stack_print(&where);
}

static bool
has(const struct lock_object *lo, unsigned int flag)
{
	return ((lo->lo_class->lc_flags & flag) != 0);
}

/* Is the wait for a longer than a holder of b may take? */
static bool
outranks(const struct lock_object *a, const struct lock_object *b)
{
	if (has(b, LC_SPIN))
		return (!has(a, LC_SPIN));
	return (has(a, LC_SLEEPABLE) && !has(b, LC_SLEEPABLE));
}

/* May lo be taken, like that, while another or itself is held? */
static void
check_held(const struct lock_instance *li, struct lock_object *lo,
    enum lock_how how)
{
	struct lock_object *held = li->li_lock;

	if (held == lo && how == LOCK_SHARED)
		return;
	if (held == lo) {
		tell_where(li);
		panic("witness: \"%s\" is wanted by a thread that shares it",
		    lo->lo_name);
	}
	if (outranks(lo, held)) {
		tell_where(li);
		panic("witness: %s \"%s\" with %s \"%s\" held",
		    lo->lo_class->lc_name, lo->lo_name, held->lo_class->lc_name,
		    held->lo_name);
	}
	check_order(held, lo);
}

static const char *const places[] = {
	[PLACE_CRITICAL] = "in a critical section",
	[PLACE_INTR] = "in an interrupt",
	[PLACE_NMI] = "in an NMI",
};

/* A spin mutex may be taken anywhere but in an NMI, others by a thread only. */
static void
check_place(const struct lock_object *lo)
{
	enum witness_place place = witness_place();

	if (place == PLACE_NMI || (place != PLACE_THREAD && !has(lo, LC_SPIN)))
		panic("witness: \"%s\" %s", lo->lo_name, places[place]);
}

static bool
watched(const struct lock_object *lo)
{
	return (watching() && (lo->lo_flags & LO_NOWITNESS) == 0);
}

void
witness_checkorder(struct lock_object *lo, enum lock_how how)
{
	const struct lock_list *ll = witness_locks();

	if (!watched(lo))
		return;
	check_place(lo);
	for (int i = 0; i < ll->ll_count; i++)
		check_held(&ll->ll_held[i], lo, how);
}

void
witness_adopt(struct lock_list *ll, struct lock_object *lo, const void *pc)
{
	if (ll->ll_count == LOCKS_HELD_MAX)
		panic("witness: \"%s\" after %d others", lo->lo_name,
		    ll->ll_count);
	ll->ll_held[ll->ll_count++] = (struct lock_instance){ lo, pc };
}

void
witness_lock(struct lock_object *lo, const void *pc)
{
	if (watched(lo))
		witness_adopt(witness_locks(), lo, pc);
}

void
witness_unlock(const struct lock_object *lo)
{
	struct lock_list *ll = witness_locks();
	int i = ll->ll_count;

	while (i > 0 && ll->ll_held[i - 1].li_lock != lo)
		i--;
	if (i == 0)
		return;
	for (; i < ll->ll_count; i++)
		ll->ll_held[i - 1] = ll->ll_held[i];
	ll->ll_count--;
}

void
witness_sleep(const struct lock_object *lo, const char *wmesg)
{
	const struct lock_list *ll = witness_locks();
	enum witness_place place = witness_place();

	if (!watching())
		return;
	if (place != PLACE_THREAD)
		panic("witness: sleep on \"%s\" %s", wmesg, places[place]);
	for (int i = 0; i < ll->ll_count; i++) {
		const struct lock_instance *li = &ll->ll_held[i];

		if (li->li_lock == lo || has(li->li_lock, LC_SLEEPABLE))
			continue;
		tell_where(li);
		panic("witness: sleep on \"%s\" with \"%s\" held", wmesg,
		    li->li_lock->lo_name);
	}
}

static void
db_show_witness(const char *args)
{
	(void)args;
	for (size_t i = 0; i < norders; i++)
		printf("\"%s\" before \"%s\"\n", orders[i].ord_held->wit_name,
		    orders[i].ord_taken->wit_name);
	printf("%zu classes of locks, %zu not watched\n", nclasses, nlost);
}
COMMAND(show_witness, "show witness", CMD_DDB, db_show_witness,
    "the orders in which locks were taken");
