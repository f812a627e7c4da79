/*
 * nlist: symbols by name, and variables that have copies.
 *
 * A name that is not found may be a variable of which each CPU (DPCPU) or each
 * network stack (VNET) has a copy.  Such a variable has a prefix in the symbol
 * table and lies in a linker set between two symbols; the copies lie at a
 * distance from the set.  Facts: FreeBSD's sys/sys/pcpu.h, sys/net/vnet.h;
 * kvm_vnet.c knows the stacks.
 */
#include <string.h>

#include "libkvm/kvm_int.h"

#define N_FOUND 7 /* N_DATA | N_EXT of a.out's nlist(3) */

/* Is va in the linker set called name? */
static bool
in_linker_set(kvm_t *kd, const char *start, const char *stop, kvaddr_t va)
{
	struct kvm_symbol first, end;

	return (kvm_find_exact(kd, start, &first) &&
	    kvm_find_exact(kd, stop, &end) && va >= first.ksy_va &&
	    va < end.ksy_va);
}

/* How far the selected CPU's copies are from the set. */
static int
dpcpu_distance(kvm_t *kd, uint64_t *distance)
{
	unsigned int ptr_len = kd->kd_core.kc_ptr_len;
	kvaddr_t va;

	if (!kvm_lookup(kd, "dpcpu_off", &va))
		return (kvm_fail(kd, "no symbol dpcpu_off"));
	return (kvm_read_uint(kd, va + (uint64_t)kd->kd_dpcpu_cpu * ptr_len,
	    ptr_len, distance));
}

static const struct {
	enum kvm_copies copies;
	const char *prefix;
	const char *start;
	const char *stop;
	int (*distance)(kvm_t *kd, uint64_t *distance);
} sets[] = {
	{ KVM_PER_VNET, "vnet_entry_", "__start_set_vnet", "__stop_set_vnet",
	    vnet_distance },
	{ KVM_PER_CPU, "pcpu_entry_", "__start_set_pcpu", "__stop_set_pcpu",
	    dpcpu_distance },
};
#define NSETS (sizeof(sets) / sizeof(sets[0]))

static bool
find_prefixed(kvm_t *kd, const char *name, struct kvm_symbol *sym)
{
	char full[256];

	if (name[0] == '_')
		name++;
	for (size_t i = 0; i < NSETS; i++) {
		size_t prefix_len = strlen(sets[i].prefix);
		size_t len = strlen(name);

		if (prefix_len + len >= sizeof(full))
			continue;
		memcpy(full, sets[i].prefix, prefix_len);
		memcpy(full + prefix_len, name, len + 1);
		if (kvm_find_exact(kd, full, sym))
			return (true);
	}
	return (false);
}

int
kvm_copy_find(kvm_t *kd, kvaddr_t *va, enum kvm_copies *copies)
{
	*copies = KVM_ONE;
	for (size_t i = 0; i < NSETS; i++) {
		uint64_t distance;

		if (!in_linker_set(kd, sets[i].start, sets[i].stop, *va))
			continue;
		if (sets[i].distance(kd, &distance) != 0)
			return (-1);
		*copies = sets[i].copies;
		*va += distance;
		if (kd->kd_core.kc_ptr_len == 4)
			*va = (uint32_t)*va;
		break;
	}
	return (0);
}

bool
kvm_variable_find(kvm_t *kd, const char *name, struct kvm_symbol *out)
{
	return (kvm_find_exact(kd, name, out) ||
	    (name[0] == '_' && kvm_find_exact(kd, name + 1, out)) ||
	    find_prefixed(kd, name, out));
}

int
kvm_nlist2(kvm_t *kd, struct kvm_nlist *nl)
{
	int nmissing = 0;

	if (kd->kd_exec == NULL)
		return (kvm_fail_no_kernel(kd));
	if (kd->kd_resolver == NULL && !exec_load_symbols(kd->kd_exec))
		return (kvm_fail(kd, "%s: %s", exec_path(kd->kd_exec),
		    exec_error(kd->kd_exec)));
	for (; nl->n_name != NULL && nl->n_name[0] != '\0'; nl++) {
		struct kvm_symbol sym;
		enum kvm_copies copies;

		nl->n_type = 0;
		nl->n_value = 0;
		if (!kvm_variable_find(kd, nl->n_name, &sym) ||
		    kvm_copy_find(kd, &sym.ksy_va, &copies) != 0) {
			nmissing++;
			continue;
		}
		nl->n_type = N_FOUND;
		nl->n_value = sym.ksy_va;
	}
	return (nmissing);
}

/* Store value in len bytes at p, an integer of the host.  false: too narrow. */
static bool
store_uint(void *p, size_t len, uint64_t value)
{
	uint8_t v8 = (uint8_t)value;
	uint16_t v16 = (uint16_t)value;
	uint32_t v32 = (uint32_t)value;
	const struct {
		size_t len;
		const void *bytes;
		uint64_t value;
	} widths[] = {
		{ 1, &v8, v8 },
		{ 2, &v16, v16 },
		{ 4, &v32, v32 },
		{ 8, &value, value },
	};

	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		if (widths[i].len != len || widths[i].value != value)
			continue;
		memcpy(p, widths[i].bytes, len);
		return (true);
	}
	return (false);
}

int
kvm_nlist_shaped(kvm_t *kd, void *nl, const struct kvm_nlist_shape *shape)
{
	struct kvm_nlist pair[2] = { { 0 } };
	int nmissing = 0;

	if (shape->ns_type_off < sizeof(const char *) ||
	    shape->ns_value_off < sizeof(const char *))
		return (kvm_fail(kd,
		    "struct nlist holds no pointer to a name: use kvm_nlist2()"));
	for (char *p = nl;; p += shape->ns_len) {
		int n;

		memcpy(&pair[0].n_name, p, sizeof(const char *));
		if (pair[0].n_name == NULL || pair[0].n_name[0] == '\0')
			return (nmissing);
		if ((n = kvm_nlist2(kd, pair)) < 0)
			return (-1);
		nmissing += n;
		if (!store_uint(p + shape->ns_type_off, shape->ns_type_len,
			pair[0].n_type) ||
		    !store_uint(p + shape->ns_value_off, shape->ns_value_len,
			pair[0].n_value))
			return (kvm_fail(kd,
			    "%s: %#jx does not fit struct nlist: use kvm_nlist2()",
			    pair[0].n_name, (uintmax_t)pair[0].n_value));
	}
}
