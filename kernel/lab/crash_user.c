/*
 * What CPUs refuse the kernel if they can: to access or execute user memory, and
 * to execute data.
 */
#include "kernel/lab/crash.h"
#include "kernel/sys/critical.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/malloc.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_page.h"

#define USER_VA UINT64_C(0x10000000)
#define RET	0xc3 /* the instruction */

static MALLOC_DEFINE(M_CRASH_USER, "crashuser", "an address space");

/* Load an address space that has a page of instructions. */
static void
load_user_page(void)
{
	pmap_t pmap = malloc(pmap_struct_size, M_CRASH_USER, M_WAITOK);
	vm_page_t m = vm_page_alloc_noobj(VM_ALLOC_NORMAL | VM_ALLOC_WIRED);

	if (m == NULL || pmap_pinit(pmap) != 0)
		panic("%s: no memory", __func__);
	memset((void *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(m)), RET, PAGE_SIZE);
	if (pmap_enter(pmap, USER_VA, m, VM_PROT_ALL, VM_PROT_READ) != 0)
		panic("%s: no memory", __func__);
	critical_enter();
	pmap_activate(pmap);
}

/* On a CPU that lets it through. */
static void
leave_user_page(void)
{
	pmap_activate(kernel_pmap);
	critical_exit();
}

void
crash_useraccess(void)
{
	load_user_page();
	*(volatile uint8_t *)USER_VA = RET;
	leave_user_page();
}

static void
call(vm_offset_t va)
{
	((void (*)(void))va)();
}

void
crash_userexec(void)
{
	load_user_page();
	call(USER_VA);
	leave_user_page();
}

/* Through the direct map. */
void
crash_dataexec(void)
{
	uint8_t *p = malloc(PAGE_SIZE, M_CRASH_USER, M_WAITOK);

	p[0] = RET;
	call((vm_offset_t)p);
}
