/*
 * The page daemon.
 */
#ifndef KERNEL_VM_VM_PAGEOUT_H
#define KERNEL_VM_VM_PAGEOUT_H

#include "kernel/vm/vm.h"
#include "kernel/vm/vm_page.h"

/* The body of the daemon's thread; never returns. */
_Noreturn void vm_pageout(void);

/*
 * Memory is low, or somebody waits for kernel addresses.  _locked:
 * vm_page_queue_free_mtx is held.
 */
void pagedaemon_wakeup(void);
void pagedaemon_wakeup_locked(void);

/*
 * Advice, without a lock: is the daemon to work, and how many pages until it is
 * content?
 */
static inline vm_pindex_t
vm_lists_count(void)
{
	return (__atomic_load_n(&vm_cnt.v_free_count, __ATOMIC_RELAXED));
}

static inline bool
vm_paging_needed(void)
{
	return (vm_lists_count() < vm_cnt.v_free_min);
}

static inline vm_pindex_t
vm_paging_target(void)
{
	vm_pindex_t have = vm_lists_count();

	return (have < vm_cnt.v_free_target ? vm_cnt.v_free_target - have : 0);
}

/* ---- Parts of the daemon, for its files and for tests ---- */

/*
 * Sleep until it is woken, or for timo ticks if that is not 0, and do what there is
 * to be done.  How long to sleep next; 0: until it is woken.
 */
int vm_pageout_turn(int timo);

/*
 * Passes until it is content, or there is no more to be had and memory is not low;
 * false: a pass freed nothing, so it is to try again, after a moment.
 */
bool vm_pageout_pass(void);

/* One pass: give back what can be given back.  Pages that it freed. */
vm_pindex_t vm_pageout_scan(void);

/* Free that many inactive pages, if there are.  Pages that were freed. */
vm_pindex_t vm_pageout_scan_inactive(vm_pindex_t shortage);

/* Make that many active pages inactive.  Passes before this one freed nothing. */
void vm_pageout_scan_active(vm_pindex_t wanted, int pass);

/*
 * Have pages written until that many are clean, or on their way to be.  How many
 * are, with those of earlier calls that are still on their way.
 */
vm_pindex_t vm_pageout_launder(vm_pindex_t wanted);

/* The same without those of earlier calls. */
vm_pindex_t vm_pageout_launder_more(vm_pindex_t wanted);

/* Sleep until one more write of a pager has ended, if any is on its way. */
void vm_pageout_launder_wait(void);

/*
 * The write of a page that was laundered has ended, with that result of its pager.
 * The page is not busy any more.  true: it is clean.  Locked.
 */
bool vm_pageout_finish(vm_page_t m, int rtval);

/* If it was used since this was last asked: to the active queue with it. */
bool vm_pageout_reactivate(vm_page_t m);

/* ---- In the background: vm_pageout_laundry.c ---- */

/* Pages of a run; the thread sets it when it begins, unless it is a tunable. */
extern uint64_t vm_background_launder_target;

/* Kilobytes a second; 0: none. */
extern uint64_t vm_background_launder_rate;

/* Kilobytes that are written, at most, while the page daemon frees nothing. */
extern uint64_t vm_background_launder_max;

/* The body of the thread; never returns. */
_Noreturn void vm_laundry(void);

/*
 * One turn of the thread.  Ticks until the next; 0: wait until the page daemon frees
 * something.
 */
int vm_laundry_turn(void);

/* The page daemon has freed that many clean pages, perhaps none. */
void vm_laundry_freed(vm_pindex_t npages);

/* ---- Out of memory: vm_pageout_oom.c ---- */

/* Passes in a row that free nothing, until somebody is killed: a tunable. */
extern int vm_pageout_oom_seq;

/* A process, or whatever can be killed, and what it has in memory and on swap. */
typedef void vm_oom_visit_t(void *victim, vm_pindex_t npages, void *arg);

struct vm_oom_source {
	/* Calls visit for all that may be killed. */
	void (*oom_foreach)(vm_oom_visit_t *visit, void *arg);
	/* Its memory will be free soon.  May sleep. */
	void (*oom_kill)(void *victim);
};

/* From now on ask source, which stays; NULL: there is nobody to kill. */
void vm_pageout_set_oom(const struct vm_oom_source *source);

/* Kill the one with most memory, if there is one. */
void vm_pageout_oom(void);

#endif
