/*
 * Character devices, as far as the VM system has to know them.
 *
 * A driver makes a struct cdev, which it keeps as long as the device is mapped.
 */
#ifndef KERNEL_SYS_CONF_H
#define KERNEL_SYS_CONF_H

#include "kernel/sys/types.h"

struct cdev;

struct cdevsw {
	/*
	 * Where is the page of the device's memory that begins at byte off?  It is
	 * to be mapped for nprot: PROT_*.  0 and *paddr, a whole page that is no
	 * memory of the machine; or an errno.  Asked for each page before it is
	 * mapped for the first time, and again at each fault, under the lock of a
	 * map: it may sleep for memory, and not for the device.  NULL: the device
	 * cannot be mapped.
	 */
	int (*d_mmap)(struct cdev *dev, uint64_t off, vm_paddr_t *paddr,
	    int nprot);
};

struct cdev {
	const struct cdevsw *si_devsw;
	void *si_drv1; /* the driver's */
};

#endif
