/*
 * Virtio block devices over PCI, version 1.0 and later.
 *
 * The device has one queue, for which there are two rings: that of the polled
 * calls, by which a dying kernel dumps, and that of the queue of requests, which
 * interrupts by MSI-X.  A reset of the device tells it which of them it is to
 * use.  They share no memory, so a dump need not care what a request was doing
 * when it came, and the requests are still there if the machine goes on.
 *
 * All memory is static and in the kernel's image: nothing is allocated to dump.
 *
 * Facts: Virtual I/O Device (VIRTIO) Version 1.1, "Virtio Over PCI Bus", "Block
 * Device".
 *
 * Lock: bd_mtx, which the queue holds when it calls; the polled calls take none.
 */
#include "kernel/dev/disk.h"
#include "kernel/dev/disk_queue.h"
#include "kernel/dev/pci.h"
#include "kernel/dev/pci_cap.h"
#include "kernel/dev/pci_msix.h"
#include "kernel/dev/virtio_ring.h"
#include "kernel/machine/cpufunc.h"
#include "kernel/machine/intr.h"
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
#define COMMON_QVECTOR	26
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

/* A request: a header, its pieces, a status. */
#define SLOT_DESCS(npieces) ((npieces) + 2)
#define NSLOTS		    (DISK_QDEPTH > DISK_DEPTH ? DISK_QDEPTH : DISK_DEPTH)
static_assert(DISK_DEPTH * SLOT_DESCS(DISK_MAXSEG) <= VRING_SIZE, "polled");
static_assert(DISK_QDEPTH * SLOT_DESCS(BIO_MAXPAGES) <= VRING_SIZE, "queue");

/* Entries of the table of messages, or none. */
#define VECTOR_QUEUE 0
#define VECTOR_NONE  0xffff

/* The unit of capacities and addresses, whatever a device's sectors are. */
#define UNIT_LEN 512

#define TIMEOUT_MS 5000

struct blk_header {
	uint32_t type; /* 0 in, 1 out, 4 flush */
	uint32_t reserved;
	uint64_t sector;
};

/* A ring, and what its requests begin and end with. */
struct vtblk_mem {
	struct vring_mem ring;
	struct blk_header header[NSLOTS];
	volatile uint8_t status[NSLOTS];
};

struct vtblk_ring {
	struct vring vq_ring;
	struct vtblk_mem *vq_mem;
	uint16_t vq_vector; /* VECTOR_ */
};

struct vtblk {
	struct disk vb_disk;
	struct pci_dev vb_pci;
	volatile uint8_t *vb_common;
	volatile uint8_t *vb_notify;
	volatile uint8_t *vb_device;
	uint32_t vb_notify_mult;
	uint32_t vb_kick_off; /* in vb_notify, of the queue's register */
	struct vtblk_ring vb_polled;
	struct vtblk_ring vb_queue;
};

static struct vtblk disks[NDISKS];
static struct vtblk_mem polled_mem[NDISKS] __aligned(PAGE_SIZE);
static struct vtblk_mem queue_mem[NDISKS] __aligned(PAGE_SIZE);
static unsigned int ndisks;

/* Tunable hw.pci.enable_msix: 0 has the clock ask disks what is done. */
static int enable_msix = 1;

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

/* A reset has left none.  false: the device has no room for it. */
static bool
setup_vector(struct vtblk *vb, const struct vtblk_ring *vq)
{
	if (vq->vq_vector == VECTOR_NONE)
		return (true);
	write16(vb->vb_common, COMMON_QVECTOR, vq->vq_vector);
	return (read16(vb->vb_common, COMMON_QVECTOR) == vq->vq_vector);
}

static int
setup_ring(struct vtblk *vb, struct vtblk_ring *vq)
{
	struct vring_mem *mem = &vq->vq_mem->ring;

	vring_init(&vq->vq_ring);
	write16(vb->vb_common, COMMON_QSELECT, 0);
	if (read16(vb->vb_common, COMMON_QSIZE) < VRING_SIZE)
		return (ENXIO);
	write16(vb->vb_common, COMMON_QSIZE, VRING_SIZE);
	write_pa(vb, COMMON_QDESC, mem->vrm_desc);
	write_pa(vb, COMMON_QDRIVER, &mem->vrm_avail);
	write_pa(vb, COMMON_QDEVICE, &mem->vrm_used);
	vb->vb_kick_off =
	    read16(vb->vb_common, COMMON_QNOTIFY) * vb->vb_notify_mult;
	if (!setup_vector(vb, vq))
		return (ENXIO);
	write16(vb->vb_common, COMMON_QENABLE, 1);
	return (0);
}

/* Bring the device from any state to one in which it uses a ring. */
static int
reset_to(struct vtblk *vb, struct vtblk_ring *vq)
{
	int error, ms;

	pci_enable_busmaster(&vb->vb_pci);
	write8(vb->vb_common, COMMON_STATUS, 0);
	for (ms = 0; read8(vb->vb_common, COMMON_STATUS) != 0; ms++) {
		if (ms == TIMEOUT_MS)
			return (ETIMEDOUT);
		DELAY(1000);
	}
	write8(vb->vb_common, COMMON_STATUS, STATUS_ACK | STATUS_DRIVER);
	if ((error = negotiate(vb)) != 0 || (error = setup_ring(vb, vq)) != 0)
		return (error);
	write8(vb->vb_common, COMMON_STATUS,
	    STATUS_ACK | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
	return (0);
}

static void
submit(struct vtblk *vb, struct vtblk_ring *vq, unsigned int tag,
    enum bio_cmd cmd, const struct disk_seg *segs, unsigned int nsegs,
    uint64_t off)
{
	static const uint32_t types[] = {
		[BIO_READ] = 0,
		[BIO_WRITE] = 1,
		[BIO_FLUSH] = 4,
	};
	struct blk_header *header = &vq->vq_mem->header[tag];
	volatile uint8_t *status = &vq->vq_mem->status[tag];
	struct vring *vr = &vq->vq_ring;
	unsigned int i = 0;

	*header = (struct blk_header){
		.type = types[cmd],
		.sector = off / UNIT_LEN,
	};
	*status = 0xff;
	vring_set(vr, tag, i++, pmap_kextract((vm_offset_t)header),
	    sizeof(*header), VRING_TO_DEVICE);
	for (unsigned int s = 0; s < nsegs; s++)
		vring_set(vr, tag, i++, segs[s].dks_pa, segs[s].dks_len,
		    cmd == BIO_READ ? VRING_FROM_DEVICE : VRING_TO_DEVICE);
	vring_set_last(vr, tag, i, pmap_kextract((vm_offset_t)status), 1,
	    VRING_FROM_DEVICE);
	vring_publish(vr, tag);
	write16(vb->vb_notify, vb->vb_kick_off, 0);
}

static int
status_of(const struct vtblk_ring *vq, unsigned int tag)
{
	return (vq->vq_mem->status[tag] == 0 ? 0 : EIO);
}

/* ---- Polled ---- */

static int
vtblk_reset(struct disk *dk)
{
	struct vtblk *vb = vtblk_of(dk);

	return (reset_to(vb, &vb->vb_polled));
}

static int
vtblk_submit(struct disk *dk, unsigned int tag, enum bio_cmd cmd,
    const struct disk_seg *segs, unsigned int nsegs, uint64_t off)
{
	struct vtblk *vb = vtblk_of(dk);

	submit(vb, &vb->vb_polled, tag, cmd, segs, nsegs, off);
	return (0);
}

static int
vtblk_wait(struct disk *dk, unsigned int *tag)
{
	struct vtblk_ring *vq = &vtblk_of(dk)->vb_polled;

	/*
	 * Spin at first: most requests are done sooner than a delay would be.
	 */
	for (int spins = 0; !vring_ready(&vq->vq_ring); spins++) {
		if (spins > 10000)
			DELAY(100);
		if (spins > 10000 + TIMEOUT_MS * 10) {
			*tag = 0;
			return (ETIMEDOUT);
		}
		cpu_spinwait();
	}
	*tag = vring_take(&vq->vq_ring) % DISK_DEPTH;
	return (status_of(vq, *tag));
}

/* ---- Queue ---- */

static int
vtblk_queue_reset(struct disk *dk)
{
	struct vtblk *vb = vtblk_of(dk);
	int error = reset_to(vb, &vb->vb_queue);

	if (error != 0)
		pci_disable_busmaster(&vb->vb_pci);
	return (error);
}

static void
vtblk_queue_submit(struct disk *dk, unsigned int tag, enum bio_cmd cmd,
    const struct disk_seg *segs, unsigned int nsegs, uint64_t off)
{
	struct vtblk *vb = vtblk_of(dk);

	submit(vb, &vb->vb_queue, tag, cmd, segs, nsegs, off);
}

static bool
vtblk_queue_next(struct disk *dk, unsigned int *tag, int *error)
{
	struct vtblk_ring *vq = &vtblk_of(dk)->vb_queue;

	if (!vring_ready(&vq->vq_ring))
		return (false);
	*tag = vring_take(&vq->vq_ring);
	*error = *tag < DISK_QDEPTH ? status_of(vq, *tag) : EIO;
	return (true);
}

static const struct disk_driver vtblk_driver = {
	.dv_reset = vtblk_reset,
	.dv_submit = vtblk_submit,
	.dv_wait = vtblk_wait,
	.dv_queue_reset = vtblk_queue_reset,
	.dv_queue_submit = vtblk_queue_submit,
	.dv_queue_next = vtblk_queue_next,
};

/* ---- Attaching ---- */

static void
init_ring(struct vtblk_ring *vq, struct vtblk_mem *mem, unsigned int npieces)
{
	*vq = (struct vtblk_ring){
		.vq_ring = { &mem->ring, SLOT_DESCS(npieces), 0 },
		.vq_mem = mem,
		.vq_vector = VECTOR_NONE,
	};
}

/* Have the queue's requests interrupt.  If that fails, the clock asks. */
static void
setup_interrupt(struct vtblk *vb)
{
	struct disk *dk = &vb->vb_disk;
	struct intr_msg msg;
	struct pci_msix px;

	if (enable_msix == 0 || pci_msix_enable(&vb->vb_pci, &px) != 0 ||
	    intr_setup(dk->bd_name, disk_queue_intr, dk, &msg) != 0)
		return;
	pci_msix_route(&px, VECTOR_QUEUE, &msg);
	vb->vb_queue.vq_vector = VECTOR_QUEUE;
	dk->bd_interrupts = true;
}

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
	*vb = (struct vtblk){ .vb_pci = *pd };
	init_ring(&vb->vb_polled, &polled_mem[ndisks], DISK_MAXSEG);
	init_ring(&vb->vb_queue, &queue_mem[ndisks], BIO_MAXPAGES);
	dk->bd_driver = &vtblk_driver;
	snprintf(dk->bd_name, sizeof(dk->bd_name), "vtbd%u", ndisks);
	if (!map_registers(vb) || vtblk_reset(dk) != 0) {
		printf("%s: not a device that we can drive\n", dk->bd_name);
		return;
	}
	if (!read_geometry(vb))
		return;
	setup_interrupt(vb);
	ndisks++;
	printf("%s: %ju MB, sectors of %u bytes%s%s\n", dk->bd_name,
	    (uintmax_t)(dk->bd_media_len >> 20), dk->bd_sector_len,
	    dk->bd_readonly ? ", read only" : "",
	    dk->bd_interrupts ? "" : ", no interrupts");
	disk_attach(dk);
}

static void
vtblk_init(const void *arg)
{
	(void)arg;
	getenv_int("hw.pci.enable_msix", &enable_msix);
	pci_foreach(vtblk_attach);
}
SYSINIT(vtblk, SI_SUB_DRIVERS, SI_ORDER_MIDDLE, vtblk_init, NULL);
