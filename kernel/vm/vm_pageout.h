/*
 * The page daemon.
 */
#ifndef KERNEL_VM_VM_PAGEOUT_H
#define KERNEL_VM_VM_PAGEOUT_H

#include "kernel/vm/vm.h"

/* The body of the daemon's thread; never returns. */
_Noreturn void vm_pageout(void);

/* One pass: give back what can be given back.  Pages that it freed. */
vm_pindex_t vm_pageout_scan(void);

/* Memory is low.  The caller does not hold vm_page_queue_free_mtx. */
void pagedaemon_wakeup(void);

#endif
