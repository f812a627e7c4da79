/*
 * Start-up of the VM system, in the order in which its parts need each other.
 *
 * Before: the machine has filled in dump_avail and phys_avail, the direct map
 * is up, mp_maxid is known, and dumps have a set of pages.
 */
#include "kernel/machine/pcpu.h"
#include "kernel/machine/vmparam.h"
#include "kernel/sys/kernel.h"
#include "kernel/sys/malloc.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/sysctl.h"
#include "kernel/vm/swap_pager.h"
#include "kernel/vm/uma.h"
#include "kernel/vm/uma_boot.h"
#include "kernel/vm/vm_kern.h"
#include "kernel/vm/vm_map.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_pageout.h"
#include "kernel/vm/vm_pager.h"

SYSCTL_INT(_vm, OID_AUTO, boot_pages, CTLFLAG_RDTUN, &uma_boot_pages, 0,
    "Pages for UMA until there is an allocator of pages");

#define KMEM_SIZE_MIN ((uint64_t)16 << 20)
#define KMEM_SIZE_MAX ((uint64_t)(VM_MAX_KVA - VM_MIN_KVA))

static uint64_t kmem_size = KMEM_SIZE_MAX;
SYSCTL_U64(_vm, OID_AUTO, kmem_size, CTLFLAG_RDTUN, &kmem_size, 0,
    "Bytes of addresses for kernel memory, 16 MB to 2 GB");

static void
kmem_size_check(void)
{
	if (kmem_size < KMEM_SIZE_MIN)
		kmem_size = KMEM_SIZE_MIN;
	if (kmem_size > KMEM_SIZE_MAX)
		kmem_size = KMEM_SIZE_MAX;
	kmem_size = round_page(kmem_size);
}

static void
vm_mem_init(const void *arg)
{
	(void)arg;
	kmem_size_check();
	kmem_early_init(VM_MIN_KVA, VM_MIN_KVA + kmem_size);
	vm_page_startup();
	uma_startup2();
	kmeminit();
	vm_object_init();
	vm_pager_init();
	vmspace_startup();
}
SYSINIT(vm_mem, SI_SUB_VM, SI_ORDER_SECOND, vm_mem_init, NULL);

static void
be_a_daemon(void)
{
	mtx_lock_spin(&sched_lock);
	sched_prio(curthread, PVM);
	mtx_unlock_spin(&sched_lock);
}

static void
pagedaemon(void *arg)
{
	(void)arg;
	be_a_daemon();
	vm_pageout();
}

static void
laundry(void *arg)
{
	(void)arg;
	be_a_daemon();
	vm_laundry();
}

static void
swapdaemon(void *arg)
{
	(void)arg;
	be_a_daemon();
	swap_out_thread();
}

static void
daemons_start(const void *arg)
{
	(void)arg;
	kproc_kthread_add(pagedaemon, NULL, NULL, NULL, "pagedaemon",
	    "pagedaemon");
	kproc_kthread_add(laundry, NULL, NULL, NULL, "laundry", "laundry");
	kproc_kthread_add(swapdaemon, NULL, NULL, NULL, "swapdaemon",
	    "swapdaemon");
}
SYSINIT(vm_daemons, SI_SUB_KTHREAD, SI_ORDER_MIDDLE, daemons_start, NULL);
