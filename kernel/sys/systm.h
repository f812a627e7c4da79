/*
 * What all of the kernel calls: text, bytes, sleeping, giving up.
 *
 * What vm/ needs of this is declared in vm/vm_floor.h, so that vm/ compiles
 * without the rest: printf, panic, KASSERT, mutexes, wakeup.
 */
#ifndef KERNEL_SYS_SYSTM_H
#define KERNEL_SYS_SYSTM_H

#include "kernel/sys/errno.h"
#include "kernel/sys/param.h"
#include "kernel/vm/vm_floor.h"

/* Bytes and strings. */
void *memcpy(void *restrict dst, const void *restrict src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t len);
size_t strlcpy(char *dst, const char *src, size_t room);
char *strchr(const char *s, int c);

/*
 * Read a number in base 10, or 16 with a leading 0x, and a suffix k, m, g or t
 * in any case, of powers of 1024.  *endp is the first character behind it; it
 * is s if there is no number or it does not fit.
 */
uint64_t strtouq(const char *s, const char **endp);

/*
 * Formats: %c %s %p, %d %i %u %x %X %o with h l ll z j t, the flags - 0 #, a
 * width and a precision as number or *.
 */
int vprintf(const char *fmt, va_list ap) __printflike(1, 0);
int snprintf(char *buf, size_t room, const char *fmt, ...) __printflike(3, 4);
int vsnprintf(char *buf, size_t room, const char *fmt, va_list ap)
    __printflike(3, 0);

/* panic() with its arguments in a list. */
void vpanic(const char *fmt, va_list ap) __dead2 __printflike(1, 0);

extern const char *panicstr; /* NULL: no panic so far */
extern bool scheduler_stopped;

/* Is this a dying kernel, in which locks and sleeping do nothing? */
#define SCHEDULER_STOPPED() (__builtin_expect(scheduler_stopped, 0))

/*
 * Wait until wakeup() of the same channel, or timo ticks (0: for ever).  0, or
 * EWOULDBLOCK when the time is up.  msleep_spin() lets go of a mutex meanwhile.
 */
int tsleep(const void *chan, const char *wmesg, int timo);
void wakeup_one(const void *chan);
void pause(const char *wmesg, int timo);

extern int hz;
extern volatile int ticks;
extern int cold; /* until threads can sleep */

void DELAY(int usec); /* spin */

#endif
