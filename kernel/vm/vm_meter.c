/*
 * Counts of memory, as sysctls: vm.stats.vm, and vm.vmtotal over all objects.
 *
 * What is counted where it happens is only shown here.  Counts of queues and CPUs
 * are read without a lock, so together they may be off by what moves meanwhile.
 *
 * Lock: vm_mtx, for the walk over objects.
 */
#include "kernel/sys/sysctl.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_map.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_pageout.h"

SYSCTL_NODE(_vm, OID_AUTO, stats, CTLFLAG_RD, NULL, "statistics");
SYSCTL_NODE(_vm_stats, OID_AUTO, vm, CTLFLAG_RD, NULL, "of memory, in pages");

SYSCTL_INT(_vm, OID_AUTO, pageout_oom_seq, CTLFLAG_RWTUN, &vm_pageout_oom_seq,
    0, "Passes of the page daemon that free nothing before it kills");

SYSCTL_U64(_vm, OID_AUTO, background_launder_target, CTLFLAG_RWTUN,
    &vm_background_launder_target, 0,
    "Pages of one run of writes in the background");
SYSCTL_U64(_vm, OID_AUTO, background_launder_rate, CTLFLAG_RWTUN,
    &vm_background_launder_rate, 0,
    "Kilobytes that are written in the background in a second");
SYSCTL_U64(_vm, OID_AUTO, background_launder_max, CTLFLAG_RWTUN,
    &vm_background_launder_max, 0,
    "Kilobytes that are written in the background while nothing is freed");

SYSCTL_U64(_vm, OID_AUTO, max_user_wired, CTLFLAG_RW, &vm_page_max_user_wired,
    0, "The most pages that mlock(2) keeps");

/* Each is one of vm_cnt's. */
#define VM_STAT(name, descr)                                                   \
	SYSCTL_U64(_vm_stats_vm, OID_AUTO, name, CTLFLAG_RD, &vm_cnt.name, 0,  \
	    descr)

VM_STAT(v_page_count, "all pages");
VM_STAT(v_free_reserved, "free pages that are not for programs");
VM_STAT(v_interrupt_free_min, "free pages that are not for the kernel either");
VM_STAT(v_free_min, "free pages at which the page daemon wakes");
VM_STAT(v_free_target, "free pages at which it is content");
VM_STAT(v_inactive_target, "inactive pages that it likes to have");
VM_STAT(v_pdwakeups, "times that it was woken");
VM_STAT(v_pdpages, "pages that it looked at");
VM_STAT(v_dfree, "pages that it freed");
VM_STAT(v_reactivated, "pages that it found in use again");
VM_STAT(v_laundered, "pages that it had written");
VM_STAT(v_oomkills, "times that it killed for memory");

static int
sysctl_queue(SYSCTL_HANDLER_ARGS)
{
	vm_pindex_t n = vm_pageq_count((enum vm_pqueue)arg2);

	(void)arg1;
	return (sysctl_handle_64(oidp, &n, 0, req));
}

#define VM_QUEUE(name, queue, descr)                                           \
	SYSCTL_PROC(_vm_stats_vm, OID_AUTO, name, CTLTYPE_U64 | CTLFLAG_RD,    \
	    NULL, queue, sysctl_queue, "QU", descr)

VM_QUEUE(v_active_count, PQ_ACTIVE, "active pages");
VM_QUEUE(v_inactive_count, PQ_INACTIVE, "inactive pages");
VM_QUEUE(v_laundry_count, PQ_LAUNDRY, "pages that wait to be written");

static int
sysctl_free_count(SYSCTL_HANDLER_ARGS)
{
	vm_pindex_t n = vm_free_count();

	(void)arg1;
	(void)arg2;
	return (sysctl_handle_64(oidp, &n, 0, req));
}
SYSCTL_PROC(_vm_stats_vm, OID_AUTO, v_free_count, CTLTYPE_U64 | CTLFLAG_RD,
    NULL, 0, sysctl_free_count, "QU", "free pages");

static int
sysctl_wire_count(SYSCTL_HANDLER_ARGS)
{
	vm_pindex_t n = vm_wire_count();

	(void)arg1;
	(void)arg2;
	return (sysctl_handle_64(oidp, &n, 0, req));
}
SYSCTL_PROC(_vm_stats_vm, OID_AUTO, v_wire_count, CTLTYPE_U64 | CTLFLAG_RD,
    NULL, 0, sysctl_wire_count, "QU", "wired pages");

static int
sysctl_user_wire_count(SYSCTL_HANDLER_ARGS)
{
	vm_pindex_t n = vm_user_wire_count();

	(void)arg1;
	(void)arg2;
	return (sysctl_handle_64(oidp, &n, 0, req));
}
SYSCTL_PROC(_vm_stats_vm, OID_AUTO, v_user_wire_count, CTLTYPE_U64 | CTLFLAG_RD,
    NULL, 0, sysctl_user_wire_count, "QU",
    "pages that mlock(2) keeps, once for each program");

/* Pages of all objects. */
struct vmtotal {
	vm_pindex_t t_vm;    /* that they could have */
	vm_pindex_t t_rm;    /* and have in memory */
	vm_pindex_t t_vmshr; /* those of objects with more than one user */
	vm_pindex_t t_rmshr;
};

static void
vm_meter_objects(struct vmtotal *total)
{
	const struct vm_object *object;

	mtx_lock(&vm_mtx);
	TAILQ_FOREACH(object, &vm_object_list, object_list) {
		total->t_vm += object->size;
		total->t_rm += object->resident_page_count;
		if (object->ref_count > 1) {
			total->t_vmshr += object->size;
			total->t_rmshr += object->resident_page_count;
		}
	}
	mtx_unlock(&vm_mtx);
}

static int
sysctl_vmtotal(SYSCTL_HANDLER_ARGS)
{
	struct vmtotal total = { 0 };
	char text[128];

	(void)arg1;
	(void)arg2;
	vm_meter_objects(&total);
	snprintf(text, sizeof(text),
	    "vm %ju rm %ju vmshr %ju rmshr %ju free %ju", (uintmax_t)total.t_vm,
	    (uintmax_t)total.t_rm, (uintmax_t)total.t_vmshr,
	    (uintmax_t)total.t_rmshr, (uintmax_t)vm_free_count());
	return (sysctl_handle_string(oidp, text, sizeof(text), req));
}
SYSCTL_PROC(_vm, OID_AUTO, vmtotal, CTLTYPE_STRING | CTLFLAG_RD, NULL, 0,
    sysctl_vmtotal, "A", "Pages of all objects, virtual and in memory");
