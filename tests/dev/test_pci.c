/*
 * Capabilities and MSI-X of PCI devices whose configuration space is text.
 * What a device claims is not trusted: each walk ends.
 */
#include <string.h>

#include "format/bytes.h"
#include "tests/support/hex.h"
#include "tests/support/unit.h"

#include "kernel/dev/pci_cap.h"
#include "kernel/dev/pci_msix.h"
#include "kernel/machine/intr.h"
#include "kernel/sys/errno.h"
#include "kernel/vm/pmap.h"

#define BAR1_PA	   0xfebd1000
#define MAPPED_MAX 4096 /* bytes of registers; a table may want more */

/* Two bytes from 6 say that there is a list, one at 0x34 where it begins. */
#define LIST_AT_40 "@6 1000 @0x34 40 "

static uint8_t config[256];
static uint32_t registers[MAPPED_MAX / 4];
static vm_paddr_t mapped_pa;
static vm_size_t mapped_len;
static unsigned int nreads;
static const struct pci_dev dev;

uint32_t
pci_read(const struct pci_dev *pd, unsigned int reg)
{
	(void)pd;
	nreads++;
	return (le32dec(&config[reg & 0xfc]));
}

void
pci_write(const struct pci_dev *pd, unsigned int reg, uint32_t v)
{
	(void)pd;
	memcpy(&config[reg & 0xfc], &v, sizeof(v));
}

vm_paddr_t
pci_bar(const struct pci_dev *pd, unsigned int bar)
{
	(void)pd;
	return (bar == 1 ? BAR1_PA : 0);
}

volatile void *
pmap_mapdev(vm_paddr_t pa, vm_size_t len)
{
	mapped_pa = pa;
	mapped_len = len;
	return (len <= sizeof(registers) ? registers : NULL);
}

static void
set_config(const char *text)
{
	memset(registers, 0, sizeof(registers));
	hex_decode(text, config, sizeof(config));
	nreads = 0;
}

/* ---- The list ---- */

/* found: where capabilities of the kind 9 are, as far as the first zero. */
static const struct list_row {
	const char *name;
	const char *config;
	uint8_t found[4];
} lists[] = {
	{ "no list", "@0x34 40 @0x40 0900", { 0 } },
	{ "an empty list", "@6 1000", { 0 } },
	{ "one", LIST_AT_40 "@0x40 0900", { 0x40 } },
	{ "two, and another kind",
	    LIST_AT_40 "@0x40 0950 @0x50 1160 @0x60 0900", { 0x40, 0x60 } },
	{ "none of the kind", LIST_AT_40 "@0x40 1150 @0x50 1200", { 0 } },
	{ "from high to low", LIST_AT_40 "@0x40 09f8 @0xf8 0944 @0x44 0900",
	    { 0x40, 0xf8, 0x44 } },
	{ "the low bits of a link mean nothing",
	    "@6 1000 @0x34 43 @0x40 0953 @0x50 0900", { 0x40, 0x50 } },
	{ "the last place", "@6 1000 @0x34 fc @0xfc 0900", { 0xfc } },
	{ "a link into the header", LIST_AT_40 "@0x40 093c @0x3c 0900",
	    { 0x40 } },
	{ "a list that begins in the header", "@6 1000 @0x34 04 @4 09", { 0 } },
	{ "a circle of another kind", LIST_AT_40 "@0x40 1140", { 0 } },
	{ "a circle of two of another kind", LIST_AT_40 "@0x40 1150 @0x50 1240",
	    { 0 } },
};

static void
walks(void **state)
{
	const struct list_row *row = *state;
	struct pci_walk walk = { 0 };

	set_config(row->config);
	for (size_t i = 0; i < NROWS(row->found) && row->found[i] != 0; i++) {
		assert_true(pci_next_cap(&dev, PCI_CAP_VENDOR, &walk));
		assert_int_equal(walk.pw_off, row->found[i]);
	}
	assert_false(pci_next_cap(&dev, PCI_CAP_VENDOR, &walk));
	assert_false(pci_next_cap(&dev, PCI_CAP_VENDOR, &walk));
	assert_true(nreads < 200);
}

/* Each call of a loop finds something, and the loop ends all the same. */
static void
circle_of_the_kind(void **state)
{
	struct pci_walk walk = { 0 };
	int n = 0;

	(void)state;
	set_config(LIST_AT_40 "@0x40 0950 @0x50 0940");
	while (pci_next_cap(&dev, PCI_CAP_VENDOR, &walk))
		n++;
	assert_int_equal(n, 48);
}

/* ---- MSI-X ---- */

static const struct msix_row {
	const char *name;
	const char *config;
	int error;
	vm_paddr_t pa;
	unsigned int nentries;
} tables[] = {
	{ "no capability", LIST_AT_40 "@0x40 0900", ENXIO, 0, 0 },
	{ "one entry", LIST_AT_40 "@0x40 11000000 01000000", 0, BAR1_PA, 1 },
	{ "three, after a page", LIST_AT_40 "@0x40 11000200 01100000", 0,
	    BAR1_PA + 0x1000, 3 },
	{ "as many as map", LIST_AT_40 "@0x40 1100ff00 01000000", 0, BAR1_PA,
	    MAPPED_MAX / 16 },
	{ "more than map", LIST_AT_40 "@0x40 11000001 01000000", ENOMEM, 0, 0 },
	{ "all that there can be", LIST_AT_40 "@0x40 1100ff07 01000000", ENOMEM,
	    0, 0 },
	{ "in a BAR that is not there", LIST_AT_40 "@0x40 11000000 02000000",
	    ENXIO, 0, 0 },
	{ "in a BAR that cannot be", LIST_AT_40 "@0x40 11000000 07000000",
	    ENXIO, 0, 0 },
	{ "enabled by the firmware, masked",
	    LIST_AT_40 "@0x40 110002c0 01000000", 0, BAR1_PA, 3 },
};

static void
enables(void **state)
{
	const struct msix_row *row = *state;
	struct pci_msix px;
	int error;

	set_config(row->config);
	error = pci_msix_enable(&dev, &px);
	assert_int_equal(error, row->error);
	if (error != 0) {
		assert_int_equal(config[0x43] & 0xc0, 0);
		return;
	}
	assert_int_equal(px.px_nentries, row->nentries);
	assert_int_equal(mapped_pa, row->pa);
	assert_int_equal(mapped_len, 16 * row->nentries);
	assert_int_equal(config[0x43] & 0xc0, 0x80);
	for (unsigned int i = 0; i < px.px_nentries; i++)
		assert_int_equal(registers[4 * i + 3], 1);
}

static void
routes_one(void **state)
{
	static const struct intr_msg msg = { 0x12fee01000, 0x31 };
	struct pci_msix px;

	(void)state;
	set_config(LIST_AT_40 "@0x40 11000200 01000000");
	assert_int_equal(pci_msix_enable(&dev, &px), 0);
	pci_msix_route(&px, 1, &msg);
	assert_int_equal(registers[4], 0xfee01000);
	assert_int_equal(registers[5], 0x12);
	assert_int_equal(registers[6], 0x31);
	assert_int_equal(registers[7], 0);
	assert_int_equal(registers[3], 1);
	assert_int_equal(registers[11], 1);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(lists) + NROWS(tables) + 2];
	size_t n = 0;

	ADD_ROWS(tests, n, lists, walks);
	tests[n++] = row_test("a circle of the kind", circle_of_the_kind, NULL);
	ADD_ROWS(tests, n, tables, enables);
	tests[n++] =
	    row_test("one message, the others masked", routes_one, NULL);
	return (RUN_TESTS(tests, n));
}
