/*
 * Split virtqueues.
 */
#include "kernel/dev/virtio_ring.h"

#include "kernel/sys/libkern.h"

#define DESC_NEXT  1
#define DESC_WRITE 2 /* the device writes */

static_assert((VRING_SIZE & (VRING_SIZE - 1)) == 0, "virtio wants it");

void
vring_init(struct vring *vr)
{
	memset(vr->vrg_mem, 0, sizeof(*vr->vrg_mem));
	vr->vrg_seen = 0;
}

static struct vring_desc *
put(struct vring *vr, unsigned int slot, unsigned int i, vm_paddr_t pa,
    uint32_t len, enum vring_dir dir)
{
	struct vring_desc *d =
	    &vr->vrg_mem->vrm_desc[slot * vr->vrg_slot_descs + i];

	d->vd_pa = pa;
	d->vd_len = len;
	d->vd_flags = dir == VRING_FROM_DEVICE ? DESC_WRITE : 0;
	d->vd_next = 0;
	return (d);
}

void
vring_set(struct vring *vr, unsigned int slot, unsigned int i, vm_paddr_t pa,
    uint32_t len, enum vring_dir dir)
{
	struct vring_desc *d = put(vr, slot, i, pa, len, dir);

	d->vd_flags |= DESC_NEXT;
	d->vd_next = (uint16_t)(slot * vr->vrg_slot_descs + i + 1);
}

void
vring_set_last(struct vring *vr, unsigned int slot, unsigned int i,
    vm_paddr_t pa, uint32_t len, enum vring_dir dir)
{
	(void)put(vr, slot, i, pa, len, dir);
}

void
vring_publish(struct vring *vr, unsigned int slot)
{
	struct vring_avail *avail = &vr->vrg_mem->vrm_avail;

	avail->va_slots[avail->va_idx % VRING_SIZE] =
	    (uint16_t)(slot * vr->vrg_slot_descs);
	__atomic_store_n(&avail->va_idx, (uint16_t)(avail->va_idx + 1),
	    __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

bool
vring_ready(const struct vring *vr)
{
	return (vr->vrg_mem->vrm_used.vu_idx != vr->vrg_seen);
}

unsigned int
vring_take(struct vring *vr)
{
	volatile struct vring_used *used = &vr->vrg_mem->vrm_used;
	uint32_t id;

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	id = used->vu_done[vr->vrg_seen % VRING_SIZE].id;
	vr->vrg_seen++;
	return (id / vr->vrg_slot_descs);
}
