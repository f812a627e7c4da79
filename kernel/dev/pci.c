/*
 * PCI configuration space through ports 0xcf8 and 0xcfc.
 *
 * PCI Local Bus Specification, "Configuration Space Access Mechanism".
 */
#include "kernel/dev/pci.h"

#include "kernel/machine/cpufunc.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/systm.h"

#define CONFIG_ADDR   0xcf8
#define CONFIG_DATA   0xcfc
#define CONFIG_ENABLE 0x80000000

#define REG_ID	   0x00
#define REG_HEADER 0x0c
#define REG_BAR	   0x10

#define COMMAND_MEM    0x2
#define COMMAND_MASTER 0x4
#define HEADER_MULTI   0x00800000

#define BAR_IO	  0x1
#define BAR_64BIT 0x4
#define NBAR	  6

static struct mtx pci_lock = MTX_INITIALIZER("pci");

static uint32_t
config_addr(const struct pci_dev *pd, unsigned int reg)
{
	return (CONFIG_ENABLE | (uint32_t)pd->pd_bus << 16 |
	    (uint32_t)pd->pd_slot << 11 | (uint32_t)pd->pd_func << 8 |
	    (reg & 0xfc));
}

uint32_t
pci_read(const struct pci_dev *pd, unsigned int reg)
{
	uint32_t v;

	mtx_lock_spin(&pci_lock);
	outl(CONFIG_ADDR, config_addr(pd, reg));
	v = inl(CONFIG_DATA);
	mtx_unlock_spin(&pci_lock);
	return (v);
}

void
pci_write(const struct pci_dev *pd, unsigned int reg, uint32_t v)
{
	mtx_lock_spin(&pci_lock);
	outl(CONFIG_ADDR, config_addr(pd, reg));
	outl(CONFIG_DATA, v);
	mtx_unlock_spin(&pci_lock);
}

/* Is there something?  Then its ids. */
static bool
probe(struct pci_dev *pd)
{
	uint32_t id = pci_read(pd, REG_ID);

	pd->pd_vendor = (uint16_t)id;
	pd->pd_device = (uint16_t)(id >> 16);
	return (pd->pd_vendor != 0xffff);
}

static void
probe_slot(uint8_t bus, uint8_t slot, void (*fn)(const struct pci_dev *pd))
{
	struct pci_dev pd = { .pd_bus = bus, .pd_slot = slot };
	uint8_t nfuncs;

	if (!probe(&pd))
		return;
	nfuncs = (pci_read(&pd, REG_HEADER) & HEADER_MULTI) != 0 ? 8 : 1;
	for (pd.pd_func = 0; pd.pd_func < nfuncs; pd.pd_func++) {
		if (probe(&pd))
			fn(&pd);
	}
}

void
pci_foreach(void (*fn)(const struct pci_dev *pd))
{
	for (unsigned int bus = 0; bus < 256; bus++) {
		for (uint8_t slot = 0; slot < 32; slot++)
			probe_slot((uint8_t)bus, slot, fn);
	}
}

vm_paddr_t
pci_bar(const struct pci_dev *pd, unsigned int bar)
{
	uint32_t lo, hi = 0;

	if (bar >= NBAR)
		return (0);
	lo = pci_read(pd, REG_BAR + 4 * bar);
	if ((lo & BAR_IO) != 0)
		return (0);
	if ((lo & BAR_64BIT) != 0 && bar + 1 < NBAR)
		hi = pci_read(pd, REG_BAR + 4 * (bar + 1));
	return ((vm_paddr_t)hi << 32 | (lo & ~UINT32_C(0xf)));
}

void
pci_enable_busmaster(const struct pci_dev *pd)
{
	pci_write(pd, PCI_COMMAND,
	    (pci_read(pd, PCI_COMMAND) & 0xffff) | COMMAND_MEM |
		COMMAND_MASTER);
}

void
pci_disable_busmaster(const struct pci_dev *pd)
{
	pci_write(pd, PCI_COMMAND,
	    pci_read(pd, PCI_COMMAND) & 0xffff & ~(uint32_t)COMMAND_MASTER);
}
