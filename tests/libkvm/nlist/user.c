/*
 * A program that uses kvm_nlist() with the <nlist.h> of some system: compiled
 * once for each, with NLIST_USER as the name of its function.
 */
#include "libkvm/kvm.h"
#include "tests/libkvm/nlist/user.h"

#include <string.h>

#ifdef NLIST_PLAIN
/* A binary: it knows the exported symbol, and no header. */
#include "tests/libkvm/nlist/bsd/nlist.h"
int kvm_nlist(kvm_t *kd, struct nlist *nl);
#endif

#ifndef NLIST_NAME
#define NLIST_NAME n_name
#endif

int
NLIST_USER(kvm_t *kd, char *names[NLIST_USER_NAMES],
    struct nlist_found found[NLIST_USER_NAMES])
{
	struct nlist nl[NLIST_USER_NAMES + 1];
	int nmissing;

	memset(nl, 0xa5, sizeof(nl));
#ifdef NLIST_NAMELESS
	(void)names;
#else
	for (int i = 0; i < NLIST_USER_NAMES; i++)
		nl[i].NLIST_NAME = names[i];
	nl[NLIST_USER_NAMES].NLIST_NAME = NULL;
#endif
	nmissing = kvm_nlist(kd, nl);
	for (int i = 0; i < NLIST_USER_NAMES; i++) {
		found[i].nf_type = (int)nl[i].n_type;
		found[i].nf_value = (unsigned long)nl[i].n_value;
	}
	return (nmissing);
}
