/*
 * MSI-X: interrupts that a PCI device raises by writing to memory.
 */
#ifndef KERNEL_DEV_PCI_MSIX_H
#define KERNEL_DEV_PCI_MSIX_H

#include "kernel/dev/pci.h"

struct intr_msg;

struct pci_msix {
	volatile uint32_t *px_table;
	unsigned int px_nentries;
};

/*
 * Find the device's table of messages, mask each of them, and let it interrupt
 * by MSI-X from now on.  0; ENXIO: it has no such table, or none that memory
 * accesses reach; ENOMEM: no addresses are left to map it.
 */
int pci_msix_enable(const struct pci_dev *pd, struct pci_msix *px);

/* Entry i, less than px_nentries, is this message, and no longer masked. */
void pci_msix_route(const struct pci_msix *px, unsigned int i,
    const struct intr_msg *msg);

#endif
