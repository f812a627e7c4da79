/*
 * PCI capabilities: a list in configuration space whose links the device
 * provides.  A walk takes as many steps as there is room for capabilities, so
 * it ends whatever the links say.
 *
 * PCI Local Bus Specification 3.0, "Capabilities List".
 */
#include "kernel/dev/pci_cap.h"

#define REG_CAPS    0x34
#define STATUS_CAPS 0x00100000 /* in the word at PCI_COMMAND */

#define CAPS_START 0x40 /* what comes before is the header */
#define CAPS_MAX   48	/* 4 bytes each, up to 256 */

bool
pci_next_cap(const struct pci_dev *pd, uint8_t kind, struct pci_walk *walk)
{
	if ((pci_read(pd, PCI_COMMAND) & STATUS_CAPS) == 0)
		return (false);
	while (walk->pw_steps < CAPS_MAX) {
		uint32_t link = walk->pw_steps == 0 ?
		    pci_read(pd, REG_CAPS) :
		    pci_read(pd, walk->pw_off) >> 8;

		walk->pw_steps++;
		walk->pw_off = link & 0xfc;
		if (walk->pw_off < CAPS_START)
			break;
		if ((pci_read(pd, walk->pw_off) & 0xff) == kind)
			return (true);
	}
	walk->pw_steps = CAPS_MAX;
	return (false);
}
