/*
 * The clock that keeps time while the machine is off.
 */
#ifndef KERNEL_DEV_RTC_H
#define KERNEL_DEV_RTC_H

#include "kernel/sys/types.h"

/* Seconds since the epoch, UTC; polls for at most a second. */
uint64_t rtc_read(void);

#endif
