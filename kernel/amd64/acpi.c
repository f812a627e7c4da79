/*
 * As much of ACPI as it takes to find the CPUs: RSDP, RSDT or XSDT, MADT.
 *
 * The tables are the firmware's: they are read as if none of them were there.
 *
 * Facts: ACPI specification, "Root System Description Pointer", "Multiple APIC
 * Description Table".
 */
#include "format/bytes.h"
#include "kernel/amd64/md_var.h"
#include "kernel/amd64/vmparam.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"

#define RSDP_LEN       36
#define SDT_HEADER_LEN 36
#define MADT_FIRST     44 /* offset of the first entry */
#define MADT_LAPIC     0
#define LAPIC_ENABLED  0x1

/*
 * Bytes at pa, as far as the direct map shows them: firmware puts its tables in
 * reserved ranges beside memory, on the same large pages.
 */
static bool
copy_phys(void *dst, vm_paddr_t pa, size_t len)
{
	if (pa == 0 || pa > DMAP_MAX_ADDRESS - DMAP_MIN_ADDRESS - len)
		return (false);
	return (safe_copy(dst, (const void *)PHYS_TO_DMAP(pa), len));
}

/* Is there a table with that name at pa?  Its length. */
static uint32_t
table_len(vm_paddr_t pa, const char sig[4])
{
	uint8_t hdr[8];

	if (!copy_phys(hdr, pa, sizeof(hdr)) || memcmp(hdr, sig, 4) != 0)
		return (0);
	return (le32dec(hdr + 4));
}

static size_t
madt_cpus(vm_paddr_t pa, uint32_t len, uint32_t *apic_ids, size_t room)
{
	uint32_t off = MADT_FIRST;
	size_t n = 0;
	uint8_t e[8];

	while (n < room && off + sizeof(e) <= len &&
	    copy_phys(e, pa + off, sizeof(e)) && e[1] >= 2) {
		if (e[0] == MADT_LAPIC && (le32dec(e + 4) & LAPIC_ENABLED) != 0)
			apic_ids[n++] = e[3];
		off += e[1];
	}
	return (n);
}

/* Look through the root table, whose entries have so many bytes. */
static vm_paddr_t
find_table(vm_paddr_t root, uint32_t len, unsigned int entry_len,
    const char sig[4])
{
	for (uint32_t off = SDT_HEADER_LEN; off + entry_len <= len;
	     off += entry_len) {
		uint8_t e[8] = { 0 };

		if (!copy_phys(e, root + off, entry_len))
			break;
		if (table_len(le64dec(e), sig) != 0)
			return (le64dec(e));
	}
	return (0);
}

static vm_paddr_t
find_madt(vm_paddr_t rsdp_pa)
{
	uint8_t rsdp[RSDP_LEN];
	vm_paddr_t root;

	if (!copy_phys(rsdp, rsdp_pa, sizeof(rsdp)) ||
	    memcmp(rsdp, "RSD PTR ", 8) != 0)
		return (0);
	root = le64dec(rsdp + 24);
	if (rsdp[15] >= 2 && table_len(root, "XSDT") != 0)
		return (find_table(root, table_len(root, "XSDT"), 8, "APIC"));
	root = le32dec(rsdp + 16);
	return (find_table(root, table_len(root, "RSDT"), 4, "APIC"));
}

size_t
acpi_find_cpus(vm_paddr_t rsdp_pa, uint32_t *apic_ids, size_t room)
{
	vm_paddr_t madt = find_madt(rsdp_pa);

	if (madt == 0)
		return (0);
	return (madt_cpus(madt, table_len(madt, "APIC"), apic_ids, room));
}
