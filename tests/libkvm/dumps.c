#include "tests/libkvm/dumps.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/kernfile.h"

#define MEMORY	UINT32_C(0x41f7e) /* pages 1-6, 8-12 and 18 */
#define PRESENT UINT32_C(0x4156e) /* without 4, 9, 11 */

/*
 * Variables, all in page 1 of the kernel, which is page 1 of memory; linker
 * sets of variables that CPUs and network stacks have copies of, in page 2.
 */
enum {
	NCPUS = 0x1100,
	MAXCPUS = 0x1104,
	PCPUS = 0x1110,	    /* cpuid_to_pcpu: three pointers */
	DPCPU_OFF = 0x1130, /* three distances */
	PCPU_BASE = 0x1150, /* __pcpu */
	KPML4 = 0x1160,
	VNET0 = 0x1168,
	VNET_HEAD = 0x1170, /* jail's, then the default one */
	VNET = 0x1200,	    /* struct vnet */
	VNET_JAIL = 0x1240, /* ... with the magic number of FreeBSD 14 */
	SET_PCPU = 0x2000,
	SET_VNET = 0x2100,
	SET_LEN = 0x80
};

#define VNET_MAGIC    0x3e0d8f29
#define VNET_MAGIC_14 0x5e4a6f28

#define AT(off) (SMALL_KERNBASE + (off))

static const struct kernfile_symbol symbols[] = {
	{ "kernbase", SMALL_KERNBASE, 0, KERNFILE_ABS, 0, false },
	{ "KPML4phys", AT(KPML4), 8, KERNFILE_BSS, 1, false },
	{ "mp_ncpus", AT(NCPUS), 4, KERNFILE_BSS, 1, false },
	{ "mp_maxcpus", AT(MAXCPUS), 4, KERNFILE_BSS, 1, false },
	{ "cpuid_to_pcpu", AT(PCPUS), 24, KERNFILE_BSS, 1, false },
	{ "dpcpu_off", AT(DPCPU_OFF), 24, KERNFILE_BSS, 1, false },
	{ "__pcpu", AT(PCPU_BASE), 8, KERNFILE_BSS, 1, false },
	{ "vnet0", AT(VNET0), 8, KERNFILE_BSS, 1, false },
	{ "vnet_head", AT(VNET_HEAD), 8, KERNFILE_BSS, 1, false },
	{ "a_local", AT(0x1300), 8, KERNFILE_BSS, 1, true },
	{ "_underscored", AT(0x1308), 8, KERNFILE_BSS, 1, false },
	{ "__start_set_pcpu", AT(SET_PCPU), 0, KERNFILE_BSS, 0, false },
	{ "__stop_set_pcpu", AT(SET_PCPU + SET_LEN), 0, KERNFILE_BSS, 0,
	    false },
	{ "pcpu_entry_cpu_var", AT(SET_PCPU + 8), 8, KERNFILE_BSS, 1, true },
	{ "__start_set_vnet", AT(SET_VNET), 0, KERNFILE_BSS, 0, false },
	{ "__stop_set_vnet", AT(SET_VNET + SET_LEN), 0, KERNFILE_BSS, 0,
	    false },
	{ "vnet_entry_net_var", AT(SET_VNET + 16), 8, KERNFILE_BSS, 1, true },
};

static const struct {
	uint64_t va, entry;
} mappings[] = {
	{ KVA(1), 0x1000 | SMALL_V | SMALL_RW | SMALL_NX },
	{ KVA(2), 0x3000 | SMALL_V | SMALL_RW | SMALL_NX },
	{ KVA(3), 0x2000 | SMALL_V | SMALL_NX | UINT64_C(0x7ff) << 52 },
	{ KVA(4), 0x4000 | SMALL_V | SMALL_RW | SMALL_NX },
	{ KVA(5), 0x7000 | SMALL_V | SMALL_RW | SMALL_NX },
	{ KVA(7), 0x5000 | SMALL_V },
	{ KVA(8), 0x6000 | SMALL_V },
	{ KVA(10), 0x12000 | SMALL_V | SMALL_RW | SMALL_NX },
	{ LAST_PAGE_VA, 0xa000 | SMALL_V | SMALL_RW | SMALL_NX },
};

/* Three CPUs, of which the second never came up. */
static void
set_variables(struct small *sm)
{
	small_poke32(sm, NCPUS, 2);
	small_poke32(sm, MAXCPUS, 3);
	small_poke64(sm, PCPUS, DVA(5));
	small_poke64(sm, PCPUS + 8, 0);
	small_poke64(sm, PCPUS + 16, DVA(6));
	small_poke64(sm, DPCPU_OFF, 0x10000);
	small_poke64(sm, DPCPU_OFF + 8, 0);
	small_poke64(sm, DPCPU_OFF + 16, 0x20000);
	small_poke64(sm, PCPU_BASE, DVA(5));
	small_poke64(sm, VNET0, AT(VNET));
	small_poke64(sm, VNET_HEAD, AT(VNET_JAIL));
	small_poke64(sm, VNET, 0);
	small_poke32(sm, VNET + 16, VNET_MAGIC);
	small_poke64(sm, VNET + 40, 0x30000);
	small_poke64(sm, VNET_JAIL, AT(VNET));
	small_poke32(sm, VNET_JAIL + 16, VNET_MAGIC_14);
	small_poke64(sm, VNET_JAIL + 40, 0x50000);
}

void
dumps_init(struct dumps *d)
{
	memset(d, 0, sizeof(*d));
	small_init(&d->machine, MEMORY, PRESENT);
	for (size_t i = 0; i < NROWS(mappings); i++)
		small_map(&d->machine, mappings[i].va, mappings[i].entry);
	small_map_directory(&d->machine, SMALL_KERNBASE + 0x200000,
	    0x9000 | SMALL_V | SMALL_RW);
	small_map_directory(&d->machine, SMALL_KERNBASE + 0x400000,
	    SMALL_V | SMALL_RW | SMALL_PS | SMALL_NX);
	set_variables(&d->machine);
}

static void
write_kernel(struct dumps *d)
{
	static const struct kernfile kf = {
		.arch = ARCH_AMD64,
		.data_va = SMALL_KERNBASE,
		.data = "constant",
		.data_len = 9,
		.bss_va = AT(0x1000),
		.bss_len = 0x10000,
		.symbols = symbols,
		.nsymbols = NROWS(symbols),
	};
	uint8_t buf[8192];

	temp_named(buf, kernfile_write(&kf, buf, sizeof(buf)), d->kernel);
}

void
dumps_write(struct dumps *d)
{
	write_kernel(d);
	d->len = small_minidump(&d->machine, d->bytes);
	temp_named(d->bytes, d->len, d->core);
}

void
dumps_write_full(struct dumps *d)
{
	write_kernel(d);
	d->len = small_full(&d->machine, KPML4, d->bytes);
	temp_named(d->bytes, d->len, d->core);
}

void
dumps_put_root(struct dumps *d)
{
	small_put_root(&d->machine, KPML4);
}

void
dumps_rewrite(struct dumps *d)
{
	(void)unlink(d->core);
	temp_named(d->bytes, d->len, d->core);
}

kvm_t *
dumps_open(const struct dumps *d)
{
	char why[2048];
	kvm_t *kd = kvm_open2(d->kernel, d->core, O_RDONLY, why, NULL);

	if (kd == NULL)
		fail_msg("%s", why);
	return (kd);
}

void
dumps_fini(struct dumps *d)
{
	(void)unlink(d->kernel);
	(void)unlink(d->core);
}

void
add_as(struct CMUnitTest *tests, size_t *n, const char *how, const char *name,
    CMUnitTestFunction func, const void *row)
{
	static char names[99][80];
	static size_t nnames;
	char *text;

	if (nnames == NROWS(names))
		abort();
	text = names[nnames++];
	(void)snprintf(text, sizeof(names[0]), "%s: %s", how, name);
	tests[(*n)++] = row_test(text, func, row);
}
