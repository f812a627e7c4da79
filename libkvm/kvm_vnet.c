/*
 * Network stacks (VNET).  Each jail with its own stack has a struct vnet, which
 * says where its copies of the VNET variables are.
 *
 * Facts: FreeBSD's sys/net/vnet.h, sys/net/vnet.c.
 */
#include "libkvm/circle.h"
#include "libkvm/kvm_int.h"

/* A larger number than this is an address. */
#define MAX_ORDINAL 0xffff

/*
 * struct vnet: two pointers of the list, then four 32-bit fields, the first of
 * which is the magic number, then two pointers.
 */
#define VNET_NEXT_OFF		0
#define VNET_MAGIC_OFF(ptr_len) (2 * (ptr_len))
#define VNET_BASE_OFF(ptr_len)	(3 * (ptr_len) + 16)

/* FreeBSD 14 changed the number, but no field before vnet_data_base. */
static const uint32_t magics[] = { 0x3e0d8f29, 0x5e4a6f28 };

static int
check_magic(kvm_t *kd, kvaddr_t vnet)
{
	kvaddr_t va = vnet + VNET_MAGIC_OFF(kd->kd_core.kc_ptr_len);
	uint64_t magic;

	if (kvm_read_uint(kd, va, 4, &magic) != 0)
		return (-1);
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (magics[i] == magic)
			return (0);
	return (kvm_fail(kd, "no struct vnet at %#jx: its magic number is %#jx",
	    (uintmax_t)vnet, (uintmax_t)magic));
}

/* The pointer that a variable of the kernel holds. */
static int
read_pointer(kvm_t *kd, const char *name, kvaddr_t *out)
{
	kvaddr_t va;

	if (!kvm_lookup(kd, name, &va))
		return (kvm_fail(kd, "no symbol %s", name));
	return (kvm_read_uint(kd, va, kd->kd_core.kc_ptr_len, out));
}

int
vnet_distance(kvm_t *kd, uint64_t *distance)
{
	unsigned int ptr_len = kd->kd_core.kc_ptr_len;
	kvaddr_t vnet = kd->kd_vnet;

	if (vnet == 0 && read_pointer(kd, "vnet0", &vnet) != 0)
		return (-1);
	if (check_magic(kd, vnet) != 0)
		return (-1);
	return (kvm_read_uint(kd, vnet + VNET_BASE_OFF(ptr_len), ptr_len,
	    distance));
}

/*
 * Walk the list of all network stacks.  New ones are put at its head, and the
 * default one is the last.  Skips skip elements and stores the address of the
 * next.  If there is none, stores 0; then all elements were counted.
 */
static int
walk_list(kvm_t *kd, uint64_t skip, kvaddr_t *out, uint64_t *count)
{
	struct circle circle = { 0 };
	kvaddr_t vnet;

	*count = 0;
	if (read_pointer(kd, "vnet_head", &vnet) != 0)
		return (-1);
	for (; vnet != 0 && *count < skip; ++*count) {
		if (circle_closes(&circle, vnet))
			return (kvm_fail(kd,
			    "the list of network stacks has no end"));
		if (check_magic(kd, vnet) != 0 ||
		    kvm_read_uint(kd, vnet + VNET_NEXT_OFF,
			kd->kd_core.kc_ptr_len, &vnet) != 0)
			return (-1);
	}
	*out = vnet;
	return (0);
}

/* The address of the network stack that was the n'th to be created, from 0. */
static int
find_by_ordinal(kvm_t *kd, uint64_t n, kvaddr_t *out)
{
	uint64_t count;

	if (walk_list(kd, UINT64_MAX, out, &count) != 0)
		return (-1);
	if (n >= count)
		return (kvm_fail(kd,
		    "there is no network stack %ju: the kernel has %ju of them, from 0",
		    (uintmax_t)n, (uintmax_t)count));
	return (walk_list(kd, count - 1 - n, out, &count));
}

int
kvm_vnet_select(kvm_t *kd, uint64_t which)
{
	kvaddr_t vnet = which;

	if (which <= MAX_ORDINAL && find_by_ordinal(kd, which, &vnet) != 0)
		return (-1);
	if (check_magic(kd, vnet) != 0)
		return (-1);
	kd->kd_vnet = vnet;
	return (0);
}
