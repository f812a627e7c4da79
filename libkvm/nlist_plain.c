/*
 * The kvm_nlist() of programs that were not compiled with kvm.h's own: binaries
 * and other languages.  Their struct nlist is FreeBSD's.
 */
#define KVM_NO_NLIST
#include "libkvm/kvm.h"

struct nlist {
	const char *n_name;
	unsigned char n_type;
	char n_other;
	short n_desc;
	unsigned long n_value;
};

__attribute__((visibility("default"))) int kvm_nlist(kvm_t *kd,
    struct nlist *nl);

int
kvm_nlist(kvm_t *kd, struct nlist *nl)
{
	const struct kvm_nlist_shape shape = {
		.ns_len = sizeof(*nl),
		.ns_type_off = offsetof(struct nlist, n_type),
		.ns_type_len = sizeof(nl->n_type),
		.ns_value_off = offsetof(struct nlist, n_value),
		.ns_value_len = sizeof(nl->n_value),
	};

	return (kvm_nlist_shaped(kd, nl, &shape));
}
