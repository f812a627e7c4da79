/*
 * Pages to swap.
 *
 *	swap_pager_putpages()	blocks in a row, notes, a write that is started
 *	write_done()		the disk's interrupt: one more is done
 *	swap_out_finish()	a thread, which may take vm_mtx: pages are clean
 *
 * Blocks are noted before the write, so that lack of memory for the notes is seen
 * while nothing has happened yet.  Nobody reads them meanwhile, since the pages are
 * busy.  The pages are clean when all is on the disk, and not before.  After an
 * error they are dirty, and the blocks bad.
 *
 * Writes in flight are in a table: the page daemon has no memory to allocate.  A
 * call that finds none free sleeps until one is finished.
 *
 * Until a write is finished, its object has paging in progress: it neither ends nor
 * becomes a part of another.
 *
 * Locks: vm_mtx, not held over requests to the device; done_mtx for the list of
 * writes that are done.
 */
#include "kernel/sys/systm.h"
#include "kernel/vm/swap_pager.h"
#include "kernel/vm/vm_pageout.h"

/* Writes in flight: enough for two disks that are slow to answer. */
#define NWRITES 16

struct swap_write {
	struct bio swr_bio;
	vm_paddr_t swr_pas[VM_PAGER_MAXPAGES];
	vm_object_t swr_object;		  /* NULL: the write is free */
	TAILQ_ENTRY(swap_write) swr_list; /* of those that are free, or done */
};

TAILQ_HEAD(swap_write_list, swap_write);

static struct swap_write writes[NWRITES];
static struct swap_write_list free_writes; /* vm_mtx */
static struct swap_write_list done_writes; /* done_mtx */
static struct mtx done_mtx = MTX_INITIALIZER("swap writes");

void
swap_out_init(void)
{
	TAILQ_INIT(&free_writes);
	TAILQ_INIT(&done_writes);
	for (size_t i = 0; i < NWRITES; i++)
		TAILQ_INSERT_TAIL(&free_writes, &writes[i], swr_list);
}

/* ---- Blocks ---- */

/*
 * Take blocks in a row for as many of the pages as there are, and note them.
 * How many: 0 if there is no block, or no memory to note it.
 */
static unsigned int
reserve_row(vm_object_t object, vm_page_t *ma, unsigned int count,
    swblk_t *first)
{
	unsigned int n = count, noted = 0;
	swblk_t old;

	VM_OBJECT_ASSERT_LOCKED(object);
	*first = swap_dev_alloc(&n);
	if (*first == SWAPBLK_NONE)
		return (0);
	while (noted < n &&
	    swap_meta_set(object, ma[noted]->pindex, *first + noted, &old)) {
		if (old != SWAPBLK_NONE)
			swap_dev_free(old);
		noted++;
	}
	for (unsigned int i = noted; i < n; i++)
		swap_dev_free(*first + i);
	return (noted);
}

/* A page is on swap, or could not be put there. */
static int
note_written(vm_object_t object, vm_page_t m, int error)
{
	if (error == 0) {
		vm_page_undirty(m);
		return (VM_PAGER_OK);
	}
	swap_dev_bad(swap_meta_take(object, m->pindex));
	vm_page_dirty(m);
	return (VM_PAGER_ERROR);
}

/* ---- Writes in flight ---- */

/* Sleeps for a free one, if need be; vm_mtx. */
static struct swap_write *
take_write(void)
{
	struct swap_write *swr;

	while ((swr = TAILQ_FIRST(&free_writes)) == NULL)
		(void)msleep(&free_writes, &vm_mtx, PVM, "swwrt", 0);
	TAILQ_REMOVE(&free_writes, swr, swr_list);
	return (swr);
}

static void
give_write(struct swap_write *swr)
{
	swr->swr_object = NULL; /* it may be freed now */
	TAILQ_INSERT_HEAD(&free_writes, swr, swr_list);
	wakeup(&free_writes);
}

static void
write_done(struct bio *bp)
{
	struct swap_write *swr = bp->bio_caller1;

	mtx_lock_spin(&done_mtx);
	TAILQ_INSERT_TAIL(&done_writes, swr, swr_list);
	wakeup(&done_writes);
	mtx_unlock_spin(&done_mtx);
}

/* NULL: none is done. */
static struct swap_write *
take_done(void)
{
	struct swap_write *swr;

	mtx_lock_spin(&done_mtx);
	swr = TAILQ_FIRST(&done_writes);
	if (swr != NULL)
		TAILQ_REMOVE(&done_writes, swr, swr_list);
	mtx_unlock_spin(&done_mtx);
	return (swr);
}

bool
swap_out_finish(void)
{
	struct swap_write *swr = take_done();

	if (swr == NULL)
		return (false);
	mtx_lock(&vm_mtx);
	for (size_t i = 0; i < atop(swr->swr_bio.bio_bcount); i++) {
		vm_page_t m = PHYS_TO_VM_PAGE(swr->swr_pas[i]);

		(void)vm_pageout_finish(m,
		    note_written(swr->swr_object, m, swr->swr_bio.bio_error));
	}
	vm_object_pip_wakeup(swr->swr_object);
	give_write(swr);
	mtx_unlock(&vm_mtx);
	return (true);
}

void
swap_out_thread(void)
{
	for (;;) {
		while (swap_out_finish())
			continue;
		mtx_lock_spin(&done_mtx);
		while (TAILQ_EMPTY(&done_writes))
			(void)msleep_spin(&done_writes, &done_mtx, "swdone", 0);
		mtx_unlock_spin(&done_mtx);
	}
}

/* ---- Two ways to write ---- */

/* Lets go of the lock.  The pages may be finished when it returns. */
static void
start_write(struct swap_write *swr, vm_object_t object, vm_page_t *ma,
    unsigned int n, swblk_t first)
{
	int error;

	for (unsigned int i = 0; i < n; i++)
		swr->swr_pas[i] = VM_PAGE_TO_PHYS(ma[i]);
	swr->swr_object = object;
	swr->swr_bio = (struct bio){
		.bio_cmd = BIO_WRITE,
		.bio_bcount = (uint32_t)ptoa(n),
		.bio_ma = swr->swr_pas,
		.bio_done = write_done,
		.bio_caller1 = swr,
	};
	vm_object_pip_add(object, 1);
	VM_OBJECT_UNLOCK(object);
	error = swap_dev_start(&swr->swr_bio, first);
	if (error != 0) {
		swr->swr_bio.bio_error = error;
		write_done(&swr->swr_bio);
	}
	VM_OBJECT_LOCK(object);
}

/* How many of the pages are under way. */
static unsigned int
write_async(vm_object_t object, vm_page_t *ma, unsigned int count, int *rtvals)
{
	unsigned int done = 0, n;
	swblk_t first;

	while (done < count) {
		struct swap_write *swr = take_write();

		n = reserve_row(object, &ma[done], count - done, &first);
		if (n == 0) {
			give_write(swr);
			break;
		}
		start_write(swr, object, &ma[done], n, first);
		while (n-- > 0)
			rtvals[done++] = VM_PAGER_PEND;
	}
	return (done);
}

/* How many of the pages were written, or could not be. */
static unsigned int
write_sync(vm_object_t object, vm_page_t *ma, unsigned int count, int *rtvals)
{
	unsigned int done = 0, n;
	swblk_t first;

	while (done < count &&
	    (n = reserve_row(object, &ma[done], count - done, &first)) > 0) {
		int error;

		VM_OBJECT_UNLOCK(object);
		error = swap_dev_io(BIO_WRITE, first, &ma[done], n);
		VM_OBJECT_LOCK(object);
		for (; n > 0; n--, done++)
			rtvals[done] = note_written(object, ma[done], error);
	}
	return (done);
}

void
swap_pager_putpages(vm_object_t object, vm_page_t *ma, int count,
    unsigned int flags, int *rtvals)
{
	unsigned int n = (unsigned int)count, done;

	VM_OBJECT_LOCK(object);
	if ((flags & VM_PAGER_PUT_SYNC) != 0)
		done = write_sync(object, ma, n, rtvals);
	else
		done = write_async(object, ma, n, rtvals);
	VM_OBJECT_UNLOCK(object);
	while (done < n)
		rtvals[done++] = VM_PAGER_AGAIN;
}
