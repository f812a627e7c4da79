/*
 * Addresses that a minidump's page-table section does not have, through the
 * kernel's own page tables: i386's trampolines.
 *
 * The machine has 16 pages of memory; page n is at physical n * 4096.  The
 * section maps pages 0 to 15 from 0x800000 on.
 *
 *	page 1	the kernel's variables
 *	     2	page-directory-pointer table (with PAE)
 *	     3	page directory, of the kernel's addresses
 *	     4	... with PAE, of the uppermost ones
 *	     5	page table of the kernel
 *	     6	page table of the trampolines, at 0xffc00000
 *	     7	a trampoline's stack
 *	     9	not in the dump
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "format/bytes.h"
#include "libkvm/kvm.h"
#include "tests/support/kernfile.h"
#include "tests/support/temp.h"
#include "tests/support/unit.h"

#define PAGE	 4096
#define NPAGES	 16
#define KERNBASE 0x800000u
#define TRM	 0xffc00000u

/* Sections of the file, a page each, and the pages after them. */
enum { HEADER, MSGBUF, AVAIL, BITMAP, PMAP, PAGES };

/* Variables in page 1: where they are, from its start. */
enum { IDLE_PDPT = 0x10, IDLE_PTD = 0x20 };

/* Bits of an entry. */
enum { V = 1, RW = 2 };

struct machine {
	uint8_t ma_mem[NPAGES][PAGE];
	bool ma_pae;
	uint32_t ma_present;		 /* a bit for each page */
	uint32_t ma_base;		 /* where the section starts */
	unsigned int ma_section[NPAGES]; /* the pages that its entries map */
};

static void
put_entry(struct machine *ma, uint8_t *table, unsigned int idx, uint32_t entry)
{
	if (ma->ma_pae)
		le64enc(table + (size_t)idx * 8, entry);
	else
		le32enc(table + (size_t)idx * 4, entry);
}

static void
machine_init(struct machine *ma, bool pae)
{
	uint8_t(*mem)[PAGE] = ma->ma_mem;

	memset(ma, 0, sizeof(*ma));
	ma->ma_pae = pae;
	ma->ma_present = 0xffff & ~(1u << 9);
	ma->ma_base = KERNBASE;
	for (unsigned int i = 0; i < NPAGES; i++)
		ma->ma_section[i] = i;
	memset(mem[7], 0x77, PAGE);
	le32enc(mem[1] + IDLE_PDPT, pae ? 2 * PAGE : 0);
	le32enc(mem[1] + IDLE_PTD, pae ? 0 : 3 * PAGE);
	if (pae) {
		le64enc(mem[2], 3 * PAGE | V);
		le64enc(mem[2] + 24, 4 * PAGE | V);
	}
	put_entry(ma, mem[3], KERNBASE >> (pae ? 21 : 22), 5 * PAGE | V | RW);
	put_entry(ma, mem[pae ? 4 : 3], pae ? 510 : 1023, 6 * PAGE | V | RW);
	for (unsigned int i = 0; i < NPAGES; i++)
		put_entry(ma, mem[5], i, i * PAGE | V | RW);
	put_entry(ma, mem[6], 0, 7 * PAGE | V | RW);
	put_entry(ma, mem[6], 1, 9 * PAGE | V | RW);
}

static void
put_header(const struct machine *ma, uint8_t *hdr)
{
	memcpy(hdr, "minidump FreeBSD/i386", 21);
	le32enc(hdr + 24, 2);
	le32enc(hdr + 28, 16);	 /* message buffer */
	le32enc(hdr + 32, PAGE); /* bitmap */
	le32enc(hdr + 36, PAGE); /* page tables */
	le32enc(hdr + 40, ma->ma_base);
	le32enc(hdr + 44, ma->ma_pae);
	le32enc(hdr + 48, PAGE); /* dump_avail */
}

static void
write_core(struct machine *ma, char *path)
{
	static uint8_t file[PAGES + NPAGES][PAGE];
	size_t npages = 0;

	memset(file, 0, sizeof(file));
	put_header(ma, file[HEADER]);
	le64enc(file[AVAIL] + 8, NPAGES * PAGE);
	le32enc(file[BITMAP], ma->ma_present);
	for (unsigned int i = 0; i < NPAGES; i++) {
		put_entry(ma, file[PMAP], i, ma->ma_section[i] * PAGE | V | RW);
		if ((ma->ma_present >> i & 1) != 0)
			memcpy(file[PAGES + npages++], ma->ma_mem[i], PAGE);
	}
	temp_named(file, (PAGES + npages) * PAGE, path);
}

static void
write_kernel(char *path)
{
	static const struct kernfile_symbol symbols[] = {
		{ "kernbase", KERNBASE, 0, KERNFILE_ABS, 0, false },
		{ "IdlePDPT", KERNBASE + PAGE + IDLE_PDPT, 4, KERNFILE_BSS, 1,
		    false },
		{ "IdlePTD_nopae", KERNBASE + PAGE + IDLE_PTD, 4, KERNFILE_BSS,
		    1, false },
	};
	static const struct kernfile kf = {
		.arch = ARCH_I386,
		.data_va = KERNBASE,
		.data = "constant",
		.data_len = 9,
		.bss_va = KERNBASE + PAGE,
		.bss_len = PAGE,
		.symbols = symbols,
		.nsymbols = NROWS(symbols),
	};
	uint8_t buf[8192];

	temp_named(buf, kernfile_write(&kf, buf, sizeof(buf)), path);
}

/* Faults of the kernel's own tables. */
static void
lose_table(struct machine *ma)
{
	ma->ma_present &= ~(1u << 6);
}

static void
lose_root(struct machine *ma)
{
	ma->ma_present &= ~(1u << (ma->ma_pae ? 2 : 3));
}

/* A table that is no root: it leads to other places than the section does. */
static void
mistake_root(struct machine *ma)
{
	le32enc(ma->ma_mem[1] + IDLE_PDPT, 4 * PAGE);
	le32enc(ma->ma_mem[1] + IDLE_PTD, 4 * PAGE);
}

/* The tables say other things of the kernel than the section does. */
static void
contradict(struct machine *ma)
{
	put_entry(ma, ma->ma_mem[5], 1, 8 * PAGE | V | RW);
}

static void
misalign_root(struct machine *ma)
{
	le32enc(ma->ma_mem[1] + IDLE_PDPT, 2 * PAGE + 8);
	le32enc(ma->ma_mem[1] + IDLE_PTD, 3 * PAGE + 8);
}

static const struct own_row {
	const char *name;
	void (*spoil)(struct machine *ma); /* NULL: all is well */
	uint32_t va;
	size_t len;
	const char *why; /* NULL: it is page 7 */
} own_rows[] = {
	{ "a trampoline's stack", NULL, TRM + 16, 64, NULL },
	{ "... up to what is not in the dump", NULL, TRM + PAGE - 8, 16,
	    "0x9000 is not in the dump" },
	{ "a page that is not in the dump", NULL, TRM + PAGE, 1,
	    "0x9000 is not in the dump" },
	{ "no page", NULL, TRM + 2 * PAGE, 1, "0xffc02000 is not mapped" },
	{ "no page table", NULL, 0x1000, 1, "0x1000 is not mapped" },
	{ "its page table is not in the dump", lose_table, TRM, 1,
	    "0x6000 is not in the dump" },
	{ "the root is not in the dump", lose_root, TRM, 1,
	    "0xffc00000 is not a kernel address" },
	{ "the root is no root", mistake_root, TRM, 1,
	    "0xffc00000 is not a kernel address" },
	{ "the root is not aligned", misalign_root, TRM, 1,
	    "0xffc00000 is not a kernel address" },
	{ "tables and section disagree", contradict, TRM, 1,
	    "0xffc00000 is not a kernel address" },
};

static void
check_own(const struct own_row *row, bool pae)
{
	char kernel[TEMP_PATH_LEN], core[TEMP_PATH_LEN], why[2048];
	static struct machine ma;
	uint8_t buf[64];
	kssize_t n;
	kvm_t *kd;

	machine_init(&ma, pae);
	if (row->spoil != NULL)
		row->spoil(&ma);
	write_kernel(kernel);
	write_core(&ma, core);
	kd = kvm_open2(kernel, core, O_RDONLY, why, NULL);
	if (kd == NULL)
		fail_msg("%s", why);
	for (int i = 0; i < 2; i++) {
		n = kvm_read2(kd, row->va, buf, row->len);
		assert_int_equal(n, row->why == NULL ? (kssize_t)row->len : -1);
		if (row->why == NULL)
			assert_memory_equal(buf, ma.ma_mem[7], row->len);
		else if (strstr(kvm_geterr(kd), row->why) == NULL)
			fail_msg("failed, but because of: %s", kvm_geterr(kd));
	}
	/* Addresses of the section are read through it, before and after. */
	assert_int_equal(kvm_read2(kd, KERNBASE + 7 * PAGE, buf, 1), 1);
	assert_int_equal(buf[0], 0x77);
	(void)kvm_close(kd);
	(void)unlink(kernel);
	(void)unlink(core);
}

/*
 * The section starts a page later.  The kernel's own tables map page 0 before it
 * and go on to page 2, for which the section has page 7.
 */
static void
test_before_section(void **state)
{
	char kernel[TEMP_PATH_LEN], core[TEMP_PATH_LEN], why[2048];
	static struct machine ma;
	static uint8_t buf[3][PAGE];
	kvm_t *kd;

	(void)state;
	machine_init(&ma, true);
	ma.ma_base = KERNBASE + PAGE;
	ma.ma_section[0] = 1;
	ma.ma_section[1] = 7;
	write_kernel(kernel);
	write_core(&ma, core);
	kd = kvm_open2(kernel, core, O_RDONLY, why, NULL);
	if (kd == NULL)
		fail_msg("%s", why);
	assert_int_equal(kvm_read2(kd, KERNBASE, buf, sizeof(buf)),
	    sizeof(buf));
	assert_memory_equal(buf[0], ma.ma_mem[0], PAGE);
	assert_memory_equal(buf[1], ma.ma_mem[1], PAGE);
	assert_memory_equal(buf[2], ma.ma_mem[7], PAGE);
	(void)kvm_close(kd);
	(void)unlink(kernel);
	(void)unlink(core);
}

static void
test_pae(void **state)
{
	check_own(*state, true);
}

static void
test_no_pae(void **state)
{
	check_own(*state, false);
}

int
main(void)
{
	static char names[NROWS(own_rows)][80];
	struct CMUnitTest tests[2 * NROWS(own_rows) + 1];
	size_t n = 0;

	ADD_ROWS(tests, n, own_rows, test_pae);
	for (size_t i = 0; i < NROWS(own_rows); i++) {
		(void)snprintf(names[i], sizeof(names[i]), "without PAE: %s",
		    own_rows[i].name);
		tests[n++] = row_test(names[i], test_no_pae, &own_rows[i]);
	}
	tests[n++] = row_test("from before the section into it",
	    test_before_section, NULL);
	return (RUN_TESTS(tests, n));
}
