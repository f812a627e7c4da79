/*
 * Busy pages: whose contents or owner a thread is about to change, or needs as
 * they are.
 *
 * It stands for a lock of the page where vm_mtx cannot be held, over I/O and
 * over a sleep: who finds a page busy sleeps, and looks it up again.  That thread
 * says so by VPG_WAITED, and the last that lets go of the page wakes all.
 *
 * Lock: vm_mtx, for all of it.
 */
#include "kernel/sys/mutex.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_page.h"

bool
vm_page_tryxbusy(vm_page_t m)
{
	mtx_assert(&vm_mtx, MA_OWNED);
	if (vm_page_busied(m))
		return (false);
	m->busy = VPB_EXCLUSIVE;
	return (true);
}

bool
vm_page_trysbusy(vm_page_t m)
{
	mtx_assert(&vm_mtx, MA_OWNED);
	if (m->busy >= VPB_SHARED_MAX)
		return (false);
	m->busy++;
	return (true);
}

static void
wake_waiters(vm_page_t m)
{
	if ((vm_page_aflag_clear(m, VPG_WAITED) & VPG_WAITED) != 0)
		wakeup(m);
}

void
vm_page_xunbusy(vm_page_t m)
{
	mtx_assert(&vm_mtx, MA_OWNED);
	KASSERT(vm_page_xbusied(m),
	    ("%s: page %#jx busy %u", __func__, (uintmax_t)VM_PAGE_TO_PHYS(m),
		m->busy));
	m->busy = 0;
	wake_waiters(m);
}

void
vm_page_sunbusy(vm_page_t m)
{
	mtx_assert(&vm_mtx, MA_OWNED);
	KASSERT(vm_page_busied(m) && !vm_page_xbusied(m),
	    ("%s: page %#jx busy %u", __func__, (uintmax_t)VM_PAGE_TO_PHYS(m),
		m->busy));
	if (--m->busy == 0)
		wake_waiters(m);
}

void
vm_page_busy_downgrade(vm_page_t m)
{
	vm_page_xunbusy(m);
	m->busy = 1;
}

bool
vm_page_tryupgrade(vm_page_t m)
{
	mtx_assert(&vm_mtx, MA_OWNED);
	if (m->busy != 1)
		return (false);
	m->busy = VPB_EXCLUSIVE;
	return (true);
}

static void
busy_sleep(vm_page_t m, const char *wmesg)
{
	vm_page_aflag_set(m, VPG_WAITED);
	(void)msleep(m, &vm_mtx, PVM, wmesg, 0);
}

bool
vm_page_sleep_if_busy(vm_page_t m, const char *wmesg)
{
	mtx_assert(&vm_mtx, MA_OWNED);
	if (!vm_page_busied(m))
		return (false);
	busy_sleep(m, wmesg);
	return (true);
}

bool
vm_page_sleep_if_xbusy(vm_page_t m, const char *wmesg)
{
	mtx_assert(&vm_mtx, MA_OWNED);
	if (!vm_page_xbusied(m))
		return (false);
	busy_sleep(m, wmesg);
	return (true);
}
