/*
 * A split virtqueue: the three tables through which a virtio device is given
 * requests and gives them back.
 *
 * Descriptors are assigned in advance: each slot has the same number of them, so
 * no list of free descriptors can be left broken by a crash.
 *
 * Virtual I/O Device (VIRTIO) Version 1.1, "Split Virtqueues".
 */
#ifndef KERNEL_DEV_VIRTIO_RING_H
#define KERNEL_DEV_VIRTIO_RING_H

#include "kernel/sys/param.h"

#define VRING_SIZE 256 /* descriptors; a power of two */

struct vring_desc {
	uint64_t vd_pa;
	uint32_t vd_len;
	uint16_t vd_flags;
	uint16_t vd_next;
};

struct vring_avail {
	uint16_t va_flags;
	uint16_t va_idx;
	uint16_t va_slots[VRING_SIZE];
};

struct vring_used {
	uint16_t vu_flags;
	uint16_t vu_idx;
	struct {
		uint32_t id;
		uint32_t len;
	} vu_done[VRING_SIZE];
};

/* What the device reads and writes: physically contiguous. */
struct vring_mem {
	struct vring_desc vrm_desc[VRING_SIZE] __aligned(PAGE_SIZE);
	struct vring_avail vrm_avail __aligned(PAGE_SIZE);
	volatile struct vring_used vrm_used __aligned(PAGE_SIZE);
};

struct vring {
	struct vring_mem *vrg_mem;
	unsigned int vrg_slot_descs; /* descriptors of each slot */
	uint16_t vrg_seen;	     /* how many requests came back */
};

/* A piece of a request, and who writes it. */
enum vring_dir { VRING_TO_DEVICE, VRING_FROM_DEVICE };

/* No requests. */
void vring_init(struct vring *vr);

/* The i-th piece of a slot's request.  last: there are no more. */
void vring_set(struct vring *vr, unsigned int slot, unsigned int i,
    vm_paddr_t pa, uint32_t len, enum vring_dir dir);
void vring_set_last(struct vring *vr, unsigned int slot, unsigned int i,
    vm_paddr_t pa, uint32_t len, enum vring_dir dir);

/* Hand a slot's request to the device, which has to be told afterwards. */
void vring_publish(struct vring *vr, unsigned int slot);

/* Has a request come back? */
bool vring_ready(const struct vring *vr);

/* Take it: the slot that the device names, which may be none of ours. */
unsigned int vring_take(struct vring *vr);

#endif
