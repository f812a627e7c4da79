/*
 * The page daemon.
 */
#ifndef KERNEL_VM_VM_PAGEOUT_H
#define KERNEL_VM_VM_PAGEOUT_H

#include "kernel/vm/vm.h"
#include "kernel/vm/vm_page.h"

/* The body of the daemon's thread; never returns. */
_Noreturn void vm_pageout(void);

/* Memory is low.  The caller does not hold vm_page_queue_free_mtx. */
void pagedaemon_wakeup(void);

/* ---- Parts of the daemon, for its files and for tests ---- */

/* One pass: give back what can be given back.  Pages that it freed. */
vm_pindex_t vm_pageout_scan(void);

/* Free that many inactive pages, if there are.  Pages that were freed. */
vm_pindex_t vm_pageout_scan_inactive(vm_pindex_t shortage);

/* Make that many active pages inactive.  Passes before this one freed nothing. */
void vm_pageout_scan_active(vm_pindex_t wanted, int pass);

/* Write pages until that many more are clean.  Pages that are. */
vm_pindex_t vm_pageout_launder(vm_pindex_t wanted);

/* If it was used since this was last asked: to the active queue with it. */
bool vm_pageout_reactivate(vm_page_t m);

#endif
