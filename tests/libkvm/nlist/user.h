/*
 * kvm_nlist() as programs of several systems call it; see user.c.
 */
#ifndef TESTS_LIBKVM_NLIST_USER_H
#define TESTS_LIBKVM_NLIST_USER_H

struct __kvm;

#define NLIST_USER_NAMES 3

/* The contents of a program's struct nlist after the call. */
struct nlist_found {
	int nf_type;
	unsigned long nf_value;
};

/* Look up the names.  Returns what kvm_nlist() returned. */
typedef int nlist_user_t(struct __kvm *kd, char *names[NLIST_USER_NAMES],
    struct nlist_found found[NLIST_USER_NAMES]);

nlist_user_t nlist_user_bsd, nlist_user_libelf, nlist_user_macho,
    nlist_user_nameless, nlist_user_narrow, nlist_user_plain;

#endif
