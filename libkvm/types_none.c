/*
 * Debug information, where there is no library to read it: there is none.
 */
#include "libkvm/types.h"

struct types *
types_open(struct exec *ex)
{
	(void)ex;
	return (NULL);
}

void
types_close(struct types *ty)
{
	(void)ty;
}

size_t
types_find(struct types *ty, struct kvm_member *list, size_t n)
{
	(void)ty;
	(void)list;
	(void)n;
	return (0);
}
