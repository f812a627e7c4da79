/*
 * Laundering in the background: dirty pages are written while memory is not short,
 * so that clean ones are there when it is.
 *
 *	page daemon	frees inactive pages, and says how many
 *	laundry		if there are too many dirty pages for that, begins a run: it
 *			writes a few of them ten times a second
 *
 * Dirty pages are too many if there are as many as clean ones, or fewer when much
 * was freed since the last run: a fourth of that many dirty pages if 16 times
 * v_free_target - v_free_min pages were freed.
 *
 * A run ends after vm_background_launder_target pages; when nothing could be
 * written; or when vm_background_launder_max kilobytes were written since the page
 * daemon freed anything, since nobody wants them then.
 *
 * In a shortage the page daemon writes what it needs itself, as fast as it can.
 *
 * Lock: vm_mtx for what the page daemon says; all else is the thread's.
 */
#include "kernel/sys/clock.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_pageout.h"

/* Times in a second that a run goes on. */
#define LAUNDER_RATE 10

uint64_t vm_background_launder_target;
uint64_t vm_background_launder_rate = 4096;
uint64_t vm_background_launder_max = 20480;

static struct {
	vm_pindex_t lnd_freed;	 /* since the last run; vm_mtx */
	bool lnd_asked;		 /* the page daemon freed some; vm_mtx */
	vm_pindex_t lnd_target;	 /* pages to be written; 0: there is no run */
	vm_pindex_t lnd_written; /* pages, since the page daemon freed any */
} laundry;

static vm_pindex_t
pages_of_kb(uint64_t kb)
{
	return (kb / (PAGE_SIZE / 1024));
}

void
vm_laundry_freed(vm_pindex_t npages)
{
	mtx_lock(&vm_mtx);
	laundry.lnd_freed += npages;
	laundry.lnd_asked = true;
	wakeup(&laundry);
	mtx_unlock(&vm_mtx);
}

/* The largest number whose square is not more than n. */
static vm_pindex_t
isqrt(vm_pindex_t n)
{
	vm_pindex_t root = 0;

	for (vm_pindex_t bit = (vm_pindex_t)1 << 31; bit != 0; bit >>= 1) {
		if ((root + bit) * (root + bit) <= n)
			root += bit;
	}
	return (root);
}

static bool
too_dirty(vm_pindex_t freed)
{
	vm_pindex_t unit = vm_cnt.v_free_target - vm_cnt.v_free_min;
	vm_pindex_t clean = vm_lists_count() + vm_pageq_count(PQ_INACTIVE);

	return (vm_pageq_count(PQ_LAUNDRY) * isqrt(howmany(freed + 1, unit)) >=
	    clean);
}

/* Begin a run, or end one that is of no use. */
static void
plan(void)
{
	mtx_lock(&vm_mtx);
	if (laundry.lnd_target == 0 && laundry.lnd_asked &&
	    too_dirty(laundry.lnd_freed))
		laundry.lnd_target = vm_background_launder_target;
	laundry.lnd_asked = false;
	if (laundry.lnd_target > 0 && laundry.lnd_freed > 0)
		laundry.lnd_freed = laundry.lnd_written = 0;
	if (laundry.lnd_written >= pages_of_kb(vm_background_launder_max))
		laundry.lnd_target = 0;
	mtx_unlock(&vm_mtx);
}

int
vm_laundry_turn(void)
{
	vm_pindex_t most =
	    pages_of_kb(vm_background_launder_rate) / LAUNDER_RATE;
	vm_pindex_t n = 0;

	plan();
	if (most > laundry.lnd_target)
		most = laundry.lnd_target;
	if (most > 0)
		n = vm_pageout_launder_more(most);
	laundry.lnd_written += n;
	laundry.lnd_target -=
	    n > 0 && n < laundry.lnd_target ? n : laundry.lnd_target;
	return (n > 0 ? hz / LAUNDER_RATE : 0);
}

static void
wait_for_the_daemon(void)
{
	mtx_lock(&vm_mtx);
	while (!laundry.lnd_asked)
		(void)msleep(&laundry, &vm_mtx, PVM, "launds", 0);
	mtx_unlock(&vm_mtx);
}

void
vm_laundry(void)
{
	int timo = 0;

	if (vm_background_launder_target == 0)
		vm_background_launder_target =
		    (vm_cnt.v_free_target - vm_cnt.v_free_min) / 10;
	for (;;) {
		if (timo > 0)
			pause("laundp", timo);
		else
			wait_for_the_daemon();
		timo = vm_laundry_turn();
	}
}
