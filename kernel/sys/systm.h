/*
 * What all of the kernel calls: printing, sleeping, panic.
 */
#ifndef KERNEL_SYS_SYSTM_H
#define KERNEL_SYS_SYSTM_H

#include "kernel/sys/param.h"
#include "kernel/sys/priority.h"

struct lock_object;

/*
 * Formats: %c %s %p, %d %i %u %x %X %o with h l ll z j t, the flags - 0 #, a
 * width and a precision as number or *.
 */
int printf(const char *fmt, ...) __printflike(1, 2);
int vprintf(const char *fmt, va_list ap) __printflike(1, 0);
int snprintf(char *buf, size_t room, const char *fmt, ...) __printflike(3, 4);
int vsnprintf(char *buf, size_t room, const char *fmt, va_list ap)
    __printflike(3, 0);

/* Does not return.  vpanic() takes its arguments as a list. */
void panic(const char *fmt, ...) __dead2 __printflike(1, 2);
void vpanic(const char *fmt, va_list ap) __dead2 __printflike(1, 0);

/*
 * State that only our own bug can bring about.  The arguments of panic stand
 * in parentheses of their own: KASSERT(n > 0, ("%s: n %d", __func__, n)).
 */
#ifdef NDEBUG
#define KASSERT(exp, msg) ((void)sizeof(exp))
#else
#define KASSERT(exp, msg)                                                      \
	do {                                                                   \
		if (__predict_false(!(exp)))                                   \
			panic msg;                                             \
	} while (0)
#endif

extern const char *panicstr; /* NULL: no panic so far */
extern int dumping;	     /* a dump is under way; debuggers know the name */
extern bool scheduler_stopped;

/* Is this a dying kernel, in which locks and sleeping do nothing? */
#define SCHEDULER_STOPPED() (__builtin_expect(scheduler_stopped, 0))

/*
 * Sleep until wakeup() of the same channel, or timo ticks (0: for ever).  0, or
 * EWOULDBLOCK when the time is up.  Wakeups may be spurious: look at the
 * condition again.  With PCATCH in flags, sleepq_abort() ends the sleep, too,
 * and says what is returned.
 *
 * The rest of flags is a priority of priority.h, which the thread has while it
 * sleeps and after, until it lets another thread run; 0 is its own.
 *
 * _sleep() lets go of a lock meanwhile, and takes it again as it was held, or,
 * with PDROP, does not.  Its callers are msleep(), rw_sleep() and sx_sleep().
 */
#define PRIMASK 0x0ff
#define PCATCH	0x100
#define PDROP	0x200

int tsleep(const void *chan, int flags, const char *wmesg, int timo);
int _sleep(const void *chan, struct lock_object *lo, int flags,
    const char *wmesg, int timo);

/* Wake all threads that sleep on chan, or the one that has slept longest. */
void wakeup(const void *chan);
void wakeup_one(const void *chan);

/*
 * Copy len bytes that may not be there: false means that a fault came, and
 * part of them may have been copied.
 */
bool safe_copy(void *dst, const void *src, size_t len);

/*
 * The same where dst or src is a user's address, in a critical section.  All else
 * that accesses user memory faults, on CPUs that see to it.
 */
bool user_copy(void *dst, const void *src, size_t len);

extern int cold; /* until threads can sleep */

#endif
