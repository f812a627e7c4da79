/*
 * Virtio block devices over PCI, version 1.0 and later, polled.
 *
 * One queue.  Its descriptors are assigned in advance: request slot (tag) t has
 * DISK_MAXSEG + 2 of them, for its header, its pieces and its status, so no
 * list of free descriptors can be left broken by a crash.
 *
 * All memory is static and in the kernel's image: nothing is allocated to dump.
 *
 * Facts: Virtual I/O Device (VIRTIO) Version 1.1, "Virtio Over PCI Bus", "Split
 * Virtqueues", "Block Device".
 */
#include "kernel/dev/disk.h"
#include "kernel/dev/pci.h"
#include "kernel/dev/pci_cap.h"
#include "kernel/machine/cpufunc.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/kernel.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"

#define NDISKS 4

#define VIRTIO_VENDOR  0x1af4
#define VIRTIO_BLK_OLD 0x1001 /* that also speaks the old protocol */
#define VIRTIO_BLK     0x1042
#define CAP_COMMON     1
#define CAP_NOTIFY     2
#define CAP_DEVICE     4

/* Common configuration: offsets. */
#define COMMON_DFSELECT 0
#define COMMON_DF	4
#define COMMON_GFSELECT 8
#define COMMON_GF	12
#define COMMON_STATUS	20
#define COMMON_QSELECT	22
#define COMMON_QSIZE	24
#define COMMON_QENABLE	28
#define COMMON_QNOTIFY	30
#define COMMON_QDESC	32
#define COMMON_QDRIVER	40
#define COMMON_QDEVICE	48

/* Device configuration: offsets. */
#define CONFIG_CAPACITY 0
#define CONFIG_BLK_SIZE 20

#define STATUS_ACK	   1
#define STATUS_DRIVER	   2
#define STATUS_DRIVER_OK   4
#define STATUS_FEATURES_OK 8

#define F_RO	    5
#define F_BLK_SIZE  6
#define F_FLUSH	    9
#define F_VERSION_1 32

#define DESC_NEXT  1
#define DESC_WRITE 2 /* the device writes */

#define SLOT_DESCS (DISK_MAXSEG + 2)
#define QSIZE	   (DISK_DEPTH * SLOT_DESCS)
static_assert((QSIZE & (QSIZE - 1)) == 0, "a queue's size is a power of two");

/* The unit of capacities and addresses, whatever a device's sectors are. */
#define UNIT_LEN 512

#define TIMEOUT_MS 5000

struct vring_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

struct vring_avail {
	uint16_t flags;
	uint16_t idx;
	uint16_t ring[QSIZE];
};

struct vring_used {
	uint16_t flags;
	uint16_t idx;
	struct {
		uint32_t id;
		uint32_t len;
	} ring[QSIZE];
};

struct blk_header {
	uint32_t type; /* 0 in, 1 out, 4 flush */
	uint32_t reserved;
	uint64_t sector;
};

/* What the device reads and writes. */
struct vtblk_mem {
	struct vring_desc desc[QSIZE] __aligned(PAGE_SIZE);
	struct vring_avail avail __aligned(PAGE_SIZE);
	volatile struct vring_used used __aligned(PAGE_SIZE);
	struct blk_header header[DISK_DEPTH];
	volatile uint8_t status[DISK_DEPTH];
};

struct vtblk {
	struct disk vb_disk;
	struct pci_dev vb_pci;
	volatile uint8_t *vb_common;
	volatile uint8_t *vb_notify;
	volatile uint8_t *vb_device;
	uint32_t vb_notify_mult;
	uint32_t vb_kick_off; /* in vb_notify, of the queue's register */
	uint16_t vb_used_seen;
	struct vtblk_mem *vb_mem;
};

static struct vtblk disks[NDISKS];
static struct vtblk_mem disk_mem[NDISKS] __aligned(PAGE_SIZE);
static unsigned int ndisks;

static struct vtblk *
vtblk_of(struct disk *dk)
{
	return (__containerof(dk, struct vtblk, vb_disk));
}

static uint8_t
read8(volatile uint8_t *base, unsigned int off)
{
	return (base[off]);
}

static void
write8(volatile uint8_t *base, unsigned int off, uint8_t v)
{
	base[off] = v;
}

static uint16_t
read16(volatile uint8_t *base, unsigned int off)
{
	return (*(volatile uint16_t *)(volatile void *)(base + off));
}

static void
write16(volatile uint8_t *base, unsigned int off, uint16_t v)
{
	*(volatile uint16_t *)(volatile void *)(base + off) = v;
}

static uint32_t
read32(volatile uint8_t *base, unsigned int off)
{
	return (*(volatile uint32_t *)(volatile void *)(base + off));
}

static void
write32(volatile uint8_t *base, unsigned int off, uint32_t v)
{
	*(volatile uint32_t *)(volatile void *)(base + off) = v;
}

/* Registers of 64 bits are accessed as two halves. */
static void
write_pa(struct vtblk *vb, unsigned int off, const volatile void *mem)
{
	vm_paddr_t pa = pmap_kextract((vm_offset_t)mem);

	write32(vb->vb_common, off, (uint32_t)pa);
	write32(vb->vb_common, off + 4, (uint32_t)(pa >> 32));
}

/* The registers that a capability of virtio's points to. */
static volatile uint8_t *
map_cap(struct vtblk *vb, uint8_t type, unsigned int *capp)
{
	struct pci_walk walk = { 0 };

	while (pci_next_cap(&vb->vb_pci, PCI_CAP_VENDOR, &walk)) {
		unsigned int cap = walk.pw_off;
		vm_paddr_t bar;

		if ((pci_read(&vb->vb_pci, cap) >> 24) != type)
			continue;
		bar =
		    pci_bar(&vb->vb_pci, pci_read(&vb->vb_pci, cap + 4) & 0xff);
		if (bar == 0)
			continue;
		*capp = cap;
		return (pmap_mapdev(bar + pci_read(&vb->vb_pci, cap + 8),
		    pci_read(&vb->vb_pci, cap + 12)));
	}
	return (NULL);
}

static bool
map_registers(struct vtblk *vb)
{
	unsigned int cap;

	vb->vb_common = map_cap(vb, CAP_COMMON, &cap);
	vb->vb_device = map_cap(vb, CAP_DEVICE, &cap);
	vb->vb_notify = map_cap(vb, CAP_NOTIFY, &cap);
	if (vb->vb_common == NULL || vb->vb_device == NULL ||
	    vb->vb_notify == NULL)
		return (false);
	vb->vb_notify_mult = pci_read(&vb->vb_pci, cap + 16);
	return (true);
}

static uint64_t
device_features(struct vtblk *vb)
{
	uint64_t features;

	write32(vb->vb_common, COMMON_DFSELECT, 0);
	features = read32(vb->vb_common, COMMON_DF);
	write32(vb->vb_common, COMMON_DFSELECT, 1);
	return (features | (uint64_t)read32(vb->vb_common, COMMON_DF) << 32);
}

static int
negotiate(struct vtblk *vb)
{
	uint64_t offered = device_features(vb);
	uint64_t wanted = offered &
	    (UINT64_C(1) << F_RO | UINT64_C(1) << F_BLK_SIZE |
		UINT64_C(1) << F_FLUSH | UINT64_C(1) << F_VERSION_1);

	vb->vb_disk.bd_readonly = (wanted >> F_RO & 1) != 0;
	vb->vb_disk.bd_flush = (wanted >> F_FLUSH & 1) != 0;
	vb->vb_disk.bd_sector_len = (wanted >> F_BLK_SIZE & 1) != 0 ?
	    read32(vb->vb_device, CONFIG_BLK_SIZE) :
	    UNIT_LEN;
	write32(vb->vb_common, COMMON_GFSELECT, 0);
	write32(vb->vb_common, COMMON_GF, (uint32_t)wanted);
	write32(vb->vb_common, COMMON_GFSELECT, 1);
	write32(vb->vb_common, COMMON_GF, (uint32_t)(wanted >> 32));
	write8(vb->vb_common, COMMON_STATUS,
	    STATUS_ACK | STATUS_DRIVER | STATUS_FEATURES_OK);
	if ((wanted >> F_VERSION_1 & 1) == 0 ||
	    (read8(vb->vb_common, COMMON_STATUS) & STATUS_FEATURES_OK) == 0)
		return (ENXIO);
	return (0);
}

static int
setup_queue(struct vtblk *vb)
{
	struct vtblk_mem *mem = vb->vb_mem;

	memset(mem, 0, sizeof(*mem));
	vb->vb_used_seen = 0;
	write16(vb->vb_common, COMMON_QSELECT, 0);
	if (read16(vb->vb_common, COMMON_QSIZE) < QSIZE)
		return (ENXIO);
	write16(vb->vb_common, COMMON_QSIZE, QSIZE);
	write_pa(vb, COMMON_QDESC, mem->desc);
	write_pa(vb, COMMON_QDRIVER, &mem->avail);
	write_pa(vb, COMMON_QDEVICE, &mem->used);
	vb->vb_kick_off =
	    read16(vb->vb_common, COMMON_QNOTIFY) * vb->vb_notify_mult;
	write16(vb->vb_common, COMMON_QENABLE, 1);
	return (0);
}

static int
vtblk_reset(struct disk *dk)
{
	struct vtblk *vb = vtblk_of(dk);
	int error, ms;

	pci_enable_busmaster(&vb->vb_pci);
	write8(vb->vb_common, COMMON_STATUS, 0);
	for (ms = 0; read8(vb->vb_common, COMMON_STATUS) != 0; ms++) {
		if (ms == TIMEOUT_MS)
			return (ETIMEDOUT);
		DELAY(1000);
	}
	write8(vb->vb_common, COMMON_STATUS, STATUS_ACK | STATUS_DRIVER);
	if ((error = negotiate(vb)) != 0 || (error = setup_queue(vb)) != 0)
		return (error);
	write8(vb->vb_common, COMMON_STATUS,
	    STATUS_ACK | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
	return (0);
}

static void
set_desc(struct vtblk *vb, unsigned int i, vm_paddr_t pa, uint32_t len,
    uint16_t flags)
{
	vb->vb_mem->desc[i] = (struct vring_desc){
		.addr = pa,
		.len = len,
		.flags = flags,
		.next = (uint16_t)(i + 1),
	};
}

/* Hand the chain that starts at descriptor i to the device. */
static void
kick(struct vtblk *vb, unsigned int i)
{
	struct vring_avail *avail = &vb->vb_mem->avail;

	avail->ring[avail->idx % QSIZE] = (uint16_t)i;
	__atomic_store_n(&avail->idx, (uint16_t)(avail->idx + 1),
	    __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	write16(vb->vb_notify, vb->vb_kick_off, 0);
}

static int
vtblk_submit(struct disk *dk, unsigned int tag, enum bio_cmd cmd,
    const struct disk_seg *segs, unsigned int nsegs, uint64_t off)
{
	static const uint32_t types[] = {
		[BIO_READ] = 0,
		[BIO_WRITE] = 1,
		[BIO_FLUSH] = 4,
	};
	struct vtblk *vb = vtblk_of(dk);
	struct vtblk_mem *mem = vb->vb_mem;
	unsigned int first = tag * SLOT_DESCS, i = first;

	mem->header[tag] = (struct blk_header){
		.type = types[cmd],
		.sector = off / UNIT_LEN,
	};
	mem->status[tag] = 0xff;
	set_desc(vb, i++, pmap_kextract((vm_offset_t)&mem->header[tag]),
	    sizeof(mem->header[tag]), DESC_NEXT);
	for (unsigned int s = 0; s < nsegs; s++)
		set_desc(vb, i++, segs[s].dks_pa, segs[s].dks_len,
		    cmd == BIO_READ ? DESC_NEXT | DESC_WRITE : DESC_NEXT);
	set_desc(vb, i, pmap_kextract((vm_offset_t)&mem->status[tag]), 1,
	    DESC_WRITE);
	kick(vb, first);
	return (0);
}

static int
vtblk_wait(struct disk *dk, unsigned int *tag)
{
	struct vtblk *vb = vtblk_of(dk);
	volatile struct vring_used *used = &vb->vb_mem->used;
	uint32_t id;

	/*
	 * Spin at first: most requests are done sooner than a delay would be.
	 */
	for (int spins = 0; used->idx == vb->vb_used_seen; spins++) {
		if (spins > 10000)
			DELAY(100);
		if (spins > 10000 + TIMEOUT_MS * 10) {
			*tag = 0;
			return (ETIMEDOUT);
		}
		cpu_spinwait();
	}
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	id = used->ring[vb->vb_used_seen % QSIZE].id;
	vb->vb_used_seen++;
	*tag = id / SLOT_DESCS % DISK_DEPTH;
	return (vb->vb_mem->status[*tag] == 0 ? 0 : EIO);
}

static const struct disk_driver vtblk_driver = {
	.dv_reset = vtblk_reset,
	.dv_submit = vtblk_submit,
	.dv_wait = vtblk_wait,
};

static bool
read_geometry(struct vtblk *vb)
{
	struct disk *dk = &vb->vb_disk;
	uint32_t sector_len = dk->bd_sector_len;
	uint64_t units = read32(vb->vb_device, CONFIG_CAPACITY) |
	    (uint64_t)read32(vb->vb_device, CONFIG_CAPACITY + 4) << 32;

	if (sector_len < UNIT_LEN || sector_len > PAGE_SIZE ||
	    (sector_len & (sector_len - 1)) != 0) {
		printf("%s: cannot use sectors of %u bytes\n", dk->bd_name,
		    sector_len);
		return (false);
	}
	dk->bd_media_len = (UNIT_LEN * units) & ~((uint64_t)sector_len - 1);
	return (true);
}

static void
vtblk_attach(const struct pci_dev *pd)
{
	struct vtblk *vb = &disks[ndisks];
	struct disk *dk = &vb->vb_disk;

	if (pd->pd_vendor != VIRTIO_VENDOR || ndisks == NDISKS ||
	    (pd->pd_device != VIRTIO_BLK && pd->pd_device != VIRTIO_BLK_OLD))
		return;
	*vb = (struct vtblk){ .vb_pci = *pd, .vb_mem = &disk_mem[ndisks] };
	dk->bd_driver = &vtblk_driver;
	snprintf(dk->bd_name, sizeof(dk->bd_name), "vtbd%u", ndisks);
	if (!map_registers(vb) || vtblk_reset(dk) != 0) {
		printf("%s: not a device that we can drive\n", dk->bd_name);
		return;
	}
	if (!read_geometry(vb))
		return;
	ndisks++;
	printf("%s: %ju MB, sectors of %u bytes%s\n", dk->bd_name,
	    (uintmax_t)(dk->bd_media_len >> 20), dk->bd_sector_len,
	    dk->bd_readonly ? ", read only" : "");
	disk_attach(dk);
}

static void
vtblk_init(const void *arg)
{
	(void)arg;
	pci_foreach(vtblk_attach);
}
SYSINIT(vtblk, SI_SUB_DRIVERS, SI_ORDER_ANY, vtblk_init, NULL);
