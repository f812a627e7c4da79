/*
 * The dumped kernel's swap devices.
 *
 * Facts: FreeBSD's sys/vm/swap_pager.h (struct swdevt); sys/vm/swap_pager.c,
 * which keeps the first dmmax pages of a device free of swap.
 */
#include <stdio.h>
#include <string.h>

#include "libkvm/circle.h"
#include "libkvm/fields.h"
#include "libkvm/kvm_int.h"

#define WHAT "kvm_getswapinfo"

#define SW_NODEV (-1) /* sw_dev, whatever its size */

/* Where the result goes. */
struct swap_out {
	struct kvm_swap *so_list;
	int so_max;
	int so_flags; /* SWIF_* */
};

/*
 * A name as in /dev, or its number if the name is not in the dump; what does
 * not fit is cut.
 */
static void
name_device(kvm_t *kd, kvaddr_t dev, int flags, char *buf, size_t len)
{
	static const char prefix[] = "/dev/";
	kvaddr_t vnode = field_uint(kd, dev, FLD_SW_VP);
	uint64_t number = field_uint(kd, dev, FLD_SW_DEV);
	size_t n = 0;

	/* A file on another machine. */
	if (field_int(kd, dev, FLD_SW_DEV) == SW_NODEV) {
		(void)snprintf(buf, len, "[NFS swap]");
		return;
	}
	if ((flags & SWIF_DEV_PREFIX) != 0) {
		memcpy(buf, prefix, sizeof(prefix));
		n = sizeof(prefix) - 1;
	}
	field_bytes(kd, field_uint(kd, vnode, FLD_V_RDEV), FLD_SI_NAME, buf + n,
	    len - n);
	buf[len - 1] = '\0';
	if (buf[n] == '\0')
		(void)snprintf(buf + n, len - n, "#C:%#jx", (uintmax_t)number);
}

static int
read_device(kvm_t *kd, kvaddr_t dev, uint64_t reserved, struct kvm_swap *swap)
{
	uint64_t nblks, used;

	if (field_read(kd, dev, FLD_SW_NBLKS, &nblks) != 0 ||
	    field_read(kd, dev, FLD_SW_USED, &used) != 0)
		return (-1);
	memset(swap, 0, sizeof(*swap));
	swap->ksw_total =
	    (unsigned int)(nblks > reserved ? nblks - reserved : 0);
	swap->ksw_used = (unsigned int)used;
	swap->ksw_flags = (int)field_uint(kd, dev, FLD_SW_FLAGS);
	return (0);
}

/* All devices of the list that starts at dev.  Returns their number, or -1. */
static int
read_devices(kvm_t *kd, kvaddr_t dev, uint64_t reserved,
    const struct swap_out *so, struct kvm_swap *total)
{
	struct circle circle = { 0 };
	struct kvm_swap swap;
	int n = 0;

	for (; dev != 0; n++) {
		if (circle_closes(&circle, dev))
			return (kvm_fail(kd, "%s: the list swtailq has no end",
			    WHAT));
		if (read_device(kd, dev, reserved, &swap) != 0)
			return (-1);
		total->ksw_total += swap.ksw_total;
		total->ksw_used += swap.ksw_used;
		if (n < so->so_max - 1) {
			name_device(kd, dev, so->so_flags, swap.ksw_devname,
			    sizeof(swap.ksw_devname));
			so->so_list[n] = swap;
		}
		if (field_read(kd, dev, FLD_SW_LIST, &dev) != 0)
			return (-1);
	}
	return (n);
}

/* The number of pages of each device that hold no swap; 0 without dmmax. */
static int
read_reserved(kvm_t *kd, uint64_t *reserved)
{
	kvaddr_t va;

	*reserved = 0;
	if (!kvm_lookup(kd, "dmmax", &va))
		return (0);
	return (kvm_read_uint(kd, va, 4, reserved));
}

int
kvm_getswapinfo(kvm_t *kd, struct kvm_swap *list, int max, int flags)
{
	const struct swap_out so = { list, max, flags };
	struct kvm_swap total = { 0 };
	uint64_t dev, reserved;
	kvaddr_t head;
	int n;

	if (kd == NULL) /* on FreeBSD: drop caches; here are none */
		return (0);
	if (max < 1)
		return (kvm_fail(kd, "%s: no room for the sum", WHAT));
	if (!kvm_lookup(kd, "swtailq", &head))
		return (kvm_fail(kd, "%s: no symbol swtailq", WHAT));
	if (field_need(kd, FLD_SW_LIST, WHAT) != 0 ||
	    read_reserved(kd, &reserved) != 0 ||
	    kvm_read_uint(kd, head, kd->kd_core.kc_ptr_len, &dev) != 0)
		return (-1);
	n = read_devices(kd, dev, reserved, &so, &total);
	if (n < 0)
		return (-1);
	if (n >= max)
		n = max - 1;
	list[n] = total;
	return (n);
}
