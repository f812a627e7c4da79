/*
 * Time since the machine was started: a clock that never goes back, on whichever
 * CPU it is read.
 */
#ifndef KERNEL_SYS_TIME_H
#define KERNEL_SYS_TIME_H

#include <stdint.h>

/* Seconds, with 32 bits after the point. */
typedef int64_t sbintime_t;

struct timespec {
	int64_t tv_sec;
	long tv_nsec;
};

/*
 * The time now; 0 until the clock has been measured, early in the boot.  Good to
 * about a thousandth, as it is measured by the interval timer.
 */
sbintime_t sbinuptime(void);

static inline struct timespec
sbttots(sbintime_t sbt)
{
	uint64_t fraction = (uint32_t)sbt;

	return ((struct timespec){ .tv_sec = sbt >> 32,
	    .tv_nsec = (long)(fraction * 1000000000 >> 32) });
}

static inline void
nanouptime(struct timespec *ts)
{
	*ts = sbttots(sbinuptime());
}

#endif
