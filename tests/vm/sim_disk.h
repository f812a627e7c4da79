/*
 * A disk of the simulated machine, under the kernel's own queue
 * (kernel/dev/disk_queue.c): memory that requests are copied to and from, late,
 * in any order, and with errors.
 *
 * The disk does nothing by itself.  sim_disk_step() has it finish a request, so
 * that a test of one thread is the same each time it runs with the same seed; a
 * test of many threads has one that calls it over and over.
 */
#ifndef TESTS_VM_SIM_DISK_H
#define TESTS_VM_SIM_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/dev/disk.h"

struct sim_disk_config {
	uint64_t media_len;
	uint32_t sector_len;
	bool readonly;
	bool flush;
	uint32_t seed;
	unsigned int errors; /* one of so many requests fails; 0: none does */
	unsigned int delay;  /* so many steps pass at most before one is done */
};

struct disk *sim_disk_create(const struct sim_disk_config *config);
void sim_disk_destroy(struct disk *dk);

/*
 * Finish a request, if there is one whose delay is over, and interrupt.  A
 * request that fails has moved a part of its bytes.  false: none is in flight.
 */
bool sim_disk_step(struct disk *dk);

/* What is stored on it. */
uint8_t *sim_disk_media(struct disk *dk);

/* Requests that the device has now, and resets so far. */
unsigned int sim_disk_ninflight(struct disk *dk);
unsigned int sim_disk_nresets(struct disk *dk);

/* What goes wrong from now on. */
enum sim_disk_fault {
	SIM_DISK_WORKS,
	SIM_DISK_FAILS,	 /* each request */
	SIM_DISK_SILENT, /* finishes requests, and loses the interrupts */
	SIM_DISK_DEAD,	 /* resets fail */
	SIM_DISK_TAKEN,	 /* a dump comes in the midst of the next call */
};
void sim_disk_break(struct disk *dk, enum sim_disk_fault fault);

/* A dump takes the disk, which forgets all requests; then the machine runs on. */
void sim_disk_take(struct disk *dk);

/* Report a request as done that is not in flight, and interrupt. */
void sim_disk_lie(struct disk *dk, unsigned int tag);

#endif
