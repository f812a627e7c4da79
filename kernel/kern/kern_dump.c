/*
 * The dump path.
 */
#include "kernel/kern/kern_dump.h"

#include "kernel/sys/systm.h"

int
dumpsys(void)
{
	printf("Cannot dump. Device not defined or unavailable.\n");
	return (ENXIO);
}
