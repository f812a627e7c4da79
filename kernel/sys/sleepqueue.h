/*
 * Sleep queues, for those who make threads and interrupt them; the calls for
 * sleepers and wakers are in sys/systm.h.
 */
#ifndef KERNEL_SYS_SLEEPQUEUE_H
#define KERNEL_SYS_SLEEPQUEUE_H

struct sleepqueue;
struct thread;

/* A thread brings a queue with it: td_sleepqueue. */
struct sleepqueue *sleepq_alloc(void);
void sleepq_free(struct sleepqueue *sq);

/*
 * End the thread's interruptible sleep, which returns error, not 0.  If it does
 * not sleep like that, its next interruptible sleep returns error at once.
 */
void sleepq_abort(struct thread *td, int error);

#endif
