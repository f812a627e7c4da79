/*
 * MSI-X: a capability, and a table of messages in one of the device's BARs.
 *
 * PCI Local Bus Specification 3.0, "MSI-X Capability and Table Structures".
 */
#include "kernel/dev/pci_msix.h"

#include "kernel/dev/pci_cap.h"
#include "kernel/machine/intr.h"
#include "kernel/sys/errno.h"
#include "kernel/vm/pmap.h"

/* The capability's first word: its upper half controls. */
#define CONTROL_ENABLE	 0x80000000
#define CONTROL_MASK_ALL 0x40000000
#define CONTROL_SIZE(v)	 ((((v) >> 16) & 0x7ff) + 1)

/* The second: where the table is. */
#define TABLE_REG   4
#define TABLE_BAR   0x7
#define TABLE_BYTES 16 /* of an entry */

/* An entry: words. */
#define ENTRY_WORDS  (TABLE_BYTES / 4)
#define ENTRY_PA_LO  0
#define ENTRY_PA_HI  1
#define ENTRY_DATA   2
#define ENTRY_CTRL   3
#define ENTRY_MASKED 1

static volatile uint32_t *
entry(const struct pci_msix *px, unsigned int i)
{
	return (&px->px_table[(size_t)i * ENTRY_WORDS]);
}

int
pci_msix_enable(const struct pci_dev *pd, struct pci_msix *px)
{
	struct pci_walk walk = { 0 };
	uint32_t control, where;
	vm_paddr_t bar;

	if (!pci_next_cap(pd, PCI_CAP_MSIX, &walk))
		return (ENXIO);
	control = pci_read(pd, walk.pw_off);
	where = pci_read(pd, walk.pw_off + TABLE_REG);
	bar = pci_bar(pd, where & TABLE_BAR);
	if (bar == 0)
		return (ENXIO);
	px->px_nentries = CONTROL_SIZE(control);
	px->px_table = pmap_mapdev(bar + (where & ~(uint32_t)TABLE_BAR),
	    (vm_size_t)px->px_nentries * TABLE_BYTES);
	if (px->px_table == NULL)
		return (ENOMEM);

	/* The firmware may have left messages that are not ours. */
	pci_write(pd, walk.pw_off, control | CONTROL_ENABLE | CONTROL_MASK_ALL);
	for (unsigned int i = 0; i < px->px_nentries; i++)
		entry(px, i)[ENTRY_CTRL] = ENTRY_MASKED;
	pci_write(pd, walk.pw_off,
	    (control | CONTROL_ENABLE) & ~(uint32_t)CONTROL_MASK_ALL);
	return (0);
}

void
pci_msix_route(const struct pci_msix *px, unsigned int i,
    const struct intr_msg *msg)
{
	volatile uint32_t *e = entry(px, i);

	e[ENTRY_PA_LO] = (uint32_t)msg->imsg_pa;
	e[ENTRY_PA_HI] = (uint32_t)(msg->imsg_pa >> 32);
	e[ENTRY_DATA] = msg->imsg_data;
	e[ENTRY_CTRL] = 0;
}
