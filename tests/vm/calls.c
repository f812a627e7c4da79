/*
 * Calls by another thread.
 */
#include "tests/vm/calls.h"

#include "kernel/sys/smp.h"
#include "kernel/vm/swap_pager.h"

static void
call_main(void *arg)
{
	struct call *cl = arg;

	sim_pin(cl->cl_cpu);
	cl->cl_func(cl);
	__atomic_store_n(&cl->cl_ended, true, __ATOMIC_RELEASE);
}

bool
call_ended(const struct call *cl)
{
	return (__atomic_load_n(&cl->cl_ended, __ATOMIC_ACQUIRE));
}

void
call_await(struct call *cl)
{
	while (!call_ended(cl) && !sim_asleep(cl->cl_thread))
		cpu_spinwait();
}

void
call_start(struct call *cl)
{
	cl->cl_thread = sim_start(call_main, cl);
	call_await(cl);
}

void
call_deallocate(struct call *cl)
{
	vm_object_deallocate(cl->cl_object);
}

void
call_remove(struct call *cl)
{
	VM_OBJECT_LOCK(cl->cl_object);
	vm_object_page_remove(cl->cl_object, 0, 0, 0);
	VM_OBJECT_UNLOCK(cl->cl_object);
}

void
call_swapoff(struct call *cl)
{
	cl->cl_error = swapoff_one("sim0");
}
