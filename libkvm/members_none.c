/*
 * Debug information, where there is no library to read it: there is none.
 */
#include "libkvm/members.h"

size_t
members_find(struct exec *ex, struct kvm_member *list, size_t n, char *why,
    size_t len)
{
	(void)ex;
	(void)list;
	(void)n;
	(void)why;
	(void)len;
	return (0);
}
