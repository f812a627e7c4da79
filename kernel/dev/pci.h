/*
 * PCI: configuration space by ports, buses as the firmware left them.
 */
#ifndef KERNEL_DEV_PCI_H
#define KERNEL_DEV_PCI_H

#include "kernel/sys/param.h"

/* Command and, in the upper half, status. */
#define PCI_COMMAND 0x04

struct pci_dev {
	uint8_t pd_bus;
	uint8_t pd_slot;
	uint8_t pd_func;
	uint16_t pd_vendor;
	uint16_t pd_device;
};

uint32_t pci_read(const struct pci_dev *pd, unsigned int reg);
void pci_write(const struct pci_dev *pd, unsigned int reg, uint32_t v);

/* Call fn with each function of each device. */
void pci_foreach(void (*fn)(const struct pci_dev *pd));

/* Where a memory BAR's registers are; 0: it is not one, or not assigned. */
vm_paddr_t pci_bar(const struct pci_dev *pd, unsigned int bar);

/* Let the device answer to memory accesses, and access memory itself. */
void pci_enable_busmaster(const struct pci_dev *pd);

/* From here on the device accesses no memory. */
void pci_disable_busmaster(const struct pci_dev *pd);

#endif
