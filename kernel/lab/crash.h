/*
 * Crashes that have a file of their own.
 */
#ifndef KERNEL_LAB_CRASH_H
#define KERNEL_LAB_CRASH_H

/* Panics at the end of a row of calls: chain.c. */
void crash_chain(void);

/* In a disk's interrupt, while requests are in flight: disks.c. */
void crash_io(void);

/* What the witness of locks refuses: crash_locks.c. */
void crash_reversal(void);
void crash_spinsleep(void);
void crash_critsleep(void);
void crash_intrsleep(void);
void crash_nmilock(void);
void crash_spinblock(void);
void crash_mtxsleep(void);
void crash_mtxsx(void);

/* What memguard and red zones find: crash_memory.c. */
void crash_overrun(void);
void crash_stale(void);
void crash_redzone(void);

/* What CPUs refuse the kernel: crash_user.c. */
void crash_useraccess(void);
void crash_userexec(void);
void crash_dataexec(void);

/* The next thread that takes the lock of that name panics: crash.c. */
void crash_hold(const char *name);

#endif
