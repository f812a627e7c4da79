/*
 * Time, as the kernel counts it.
 */
#ifndef KERNEL_SYS_CLOCK_H
#define KERNEL_SYS_CLOCK_H

extern int hz; /* ticks in a second */
extern volatile int ticks;

/* Sleep for timo ticks; 0 is for ever.  wmesg says why. */
void pause(const char *wmesg, int timo);

void DELAY(int usec); /* spin */

#endif
