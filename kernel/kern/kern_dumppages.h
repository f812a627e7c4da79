/*
 * The pages that this kernel's dumps take.
 */
#ifndef KERNEL_KERN_KERN_DUMPPAGES_H
#define KERNEL_KERN_KERN_DUMPPAGES_H

#include "dumper/dumper.h"

/*
 * Made before the VM system starts, and installed: dump_add_page() and its like
 * change it.  Lives for ever.
 */
extern struct dump_pages kernel_dump_pages;

#endif
