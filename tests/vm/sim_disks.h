/*
 * A thread by which the disks of a test work, and writes to swap are finished.
 *
 * It works all the time; or on demand, which is while the thread that started it
 * sleeps, and when that asks for work.  Then a test of that thread alone is the same
 * each time with the same seed.
 */
#ifndef TESTS_VM_SIM_DISKS_H
#define TESTS_VM_SIM_DISKS_H

#include "tests/vm/sim.h"
#include "tests/vm/sim_disk.h"

struct sim_disks {
	/* The caller's. */
	struct disk *const *dks_disks;
	size_t dks_ndisks;
	unsigned int dks_cpu; /* it is alone on that */
	bool dks_on_demand;

	/* Atomic. */
	bool dks_stop, dks_held;
	unsigned int dks_asked; /* steps that are waited for */

	struct simthread *dks_thread;
	const struct thread *dks_starter;
};

void sim_disks_start(struct sim_disks *dks);

/* Sleep until no write of vm_pageout_launder() is in flight. */
void sim_disks_drain(void);

/* Nothing may be in flight. */
void sim_disks_stop(struct sim_disks *dks);

/* No more work, until this is called with false. */
void sim_disks_hold(struct sim_disks *dks, bool hold);

/* Go on after n steps of each disk. */
void sim_disks_ask(struct sim_disks *dks, unsigned int n);

/* swap_dev_add() to a part of a disk that holds no dump. */
int sim_swap_add(const char *name, struct disk *dk, uint64_t offset,
    uint64_t len);

#endif
