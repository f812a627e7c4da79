/*
 * Owns the memory of the account: see helpcost.h.
 */
#include "libkvm/helpcost.h"

#include <sys/mman.h>

#include <stddef.h>

struct helpcost *
helpcost_create(void)
{
	void *hc = mmap(NULL, sizeof(struct helpcost), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANON, -1, 0);

	return (hc != MAP_FAILED ? hc : NULL);
}

void
helpcost_destroy(struct helpcost *hc)
{
	if (hc != NULL)
		(void)munmap(hc, sizeof(*hc));
}
