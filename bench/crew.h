/*
 * Threads of the simulated machine, each on a CPU of its own, that do the same
 * work at the same time.
 */
#ifndef BENCH_CREW_H
#define BENCH_CREW_H

#include <pthread.h>

#define CREW_MAX 2

/* A thread waits for the others at start once it is ready; arg is the caller's. */
typedef void crew_work(pthread_barrier_t *start, const void *arg);

/*
 * Seconds of CPU time that nthreads <= CREW_MAX of them take for work, together,
 * after start.  sim_boot() was given a CPU for each.
 */
double crew_time(unsigned int nthreads, crew_work *work, const void *arg);

#endif
