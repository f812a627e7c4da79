/*
 * Capabilities of PCI devices whose configuration space is text.
 * What a device claims is not trusted: each walk ends.
 */
#include "format/bytes.h"
#include "tests/support/hex.h"
#include "tests/support/unit.h"

#include "kernel/dev/pci_cap.h"

/* Two bytes from 6 say that there is a list, one at 0x34 where it begins. */
#define LIST_AT_40 "@6 1000 @0x34 40 "

static uint8_t config[256];
static unsigned int nreads;
static const struct pci_dev dev;

uint32_t
pci_read(const struct pci_dev *pd, unsigned int reg)
{
	(void)pd;
	nreads++;
	return (le32dec(&config[reg & 0xfc]));
}

static void
set_config(const char *text)
{
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

int
main(void)
{
	struct CMUnitTest tests[NROWS(lists) + 1];
	size_t n = 0;

	ADD_ROWS(tests, n, lists, walks);
	tests[n++] = row_test("a circle of the kind", circle_of_the_kind, NULL);
	return (RUN_TESTS(tests, n));
}
