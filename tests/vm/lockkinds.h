/*
 * The locks that a thread may sleep for, as tests call them: one kind at a time.
 */
#ifndef TESTS_VM_LOCKKINDS_H
#define TESTS_VM_LOCKKINDS_H

#include <stdbool.h>

#include "kernel/sys/mutex.h"
#include "kernel/sys/rwlock.h"
#include "kernel/sys/sx.h"
#include "tests/support/unit.h"

/* All of them begin with it. */
union anylock {
	struct lock_object object;
	struct mtx mtx;
	struct rwlock rw;
	struct sx sx;
};

struct lock_kind {
	const char *name;
	void (*init)(union anylock *l, const char *name, unsigned int flags);
	void (*destroy)(union anylock *l);
	void (*xlock)(union anylock *l);
	void (*xunlock)(union anylock *l);
	bool (*try_xlock)(union anylock *l);
	bool (*owned)(const union anylock *l);
	int (*sleep)(const void *chan, union anylock *l, int flags, int timo);
	/* NULL, as what follows: it is not shared. */
	void (*slock)(union anylock *l);
	void (*sunlock)(union anylock *l);
	bool (*try_slock)(union anylock *l);
	void (*unlock)(union anylock *l);
	bool (*try_upgrade)(union anylock *l);
	void (*downgrade)(union anylock *l);
};

#define NKINDS	 3
#define KIND_MTX 0x1
#define KIND_RW	 0x2
#define KIND_SX	 0x4
#define KIND_ALL (KIND_MTX | KIND_RW | KIND_SX)

extern const struct lock_kind lock_kinds[NKINDS]; /* 1 << i: KIND_* */

/* A row of a test's table, of whatever type, and the kinds it is tried with. */
struct kind_row {
	const char *name;
	unsigned int kinds;
	const void *row;
};

/* What the test of a row with one kind finds in *state. */
struct kind_test {
	const struct lock_kind *kind;
	const void *row;
	char name[96];
};

/*
 * Make a test that calls func for each kind of the row; how many.  tests and
 * states have room for all kinds.
 */
size_t add_kinds(struct CMUnitTest tests[NKINDS],
    struct kind_test states[NKINDS], CMUnitTestFunction func,
    const struct kind_row *row);

#endif
