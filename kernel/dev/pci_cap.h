/*
 * What a PCI device can do: the list of its capabilities.
 */
#ifndef KERNEL_DEV_PCI_CAP_H
#define KERNEL_DEV_PCI_CAP_H

#include "kernel/dev/pci.h"

/* Kinds: PCI Local Bus Specification 3.0, appendix H. */
#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_MSIX   0x11

/* A walk along the list; all zeros: it has not begun. */
struct pci_walk {
	uint8_t pw_off;	  /* where the capability is in configuration space */
	uint8_t pw_steps; /* that were taken */
};

/*
 * Go on to the next capability of a kind.  false: there are no more, or the
 * list leaves its part of configuration space or runs in a circle.
 */
bool pci_next_cap(const struct pci_dev *pd, uint8_t kind,
    struct pci_walk *walk);

#endif
