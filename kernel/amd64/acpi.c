/*
 * As much of ACPI as it takes to find the CPUs: RSDP, RSDT or XSDT, MADT.
 *
 * The tables are the firmware's and may not be mapped: all reads are checked.
 *
 * Facts: ACPI specification, "Root System Description Pointer", "Multiple APIC
 * Description Table".
 */
#include "kernel/amd64/acpi.h"

#include <string.h>

#include "format/bytes.h"

#define RSDP_LEN	 36
#define RSDP_OLD_LEN	 20 /* what its first sum is made of */
#define RSDP_REVISION	 15
#define RSDP_RSDT	 16
#define RSDP_XSDT	 24
#define SDT_HEADER_LEN	 36
#define SDT_MAX_LEN	 (UINT32_C(1) << 20)
#define MADT_FIRST	 44 /* offset of the first entry */
#define MADT_LAPIC	 0  /* type, length, -, id, flags (4) */
#define MADT_LAPIC_LEN	 8
#define MADT_X2APIC	 9 /* type, length, -, -, id (4), flags (4), - (4) */
#define MADT_X2APIC_LEN	 16
#define MADT_CPU_ENABLED 0x1

/* The bytes of an undamaged table add up to 0. */
static bool
sum_ok(acpi_read_t *read, uint64_t pa, uint32_t len)
{
	uint8_t part[64];
	uint8_t sum = 0;

	for (uint32_t off = 0; off < len; off += sizeof(part)) {
		uint32_t n =
		    len - off < sizeof(part) ? len - off : sizeof(part);

		if (!read(part, pa + off, n))
			return (false);
		for (uint32_t i = 0; i < n; i++)
			sum += part[i];
	}
	return (sum == 0);
}

/* The length of the table with that name at pa; 0: there is none, or damaged. */
static uint32_t
table_len(acpi_read_t *read, uint64_t pa, const char sig[4])
{
	uint8_t hdr[8];
	uint32_t len;

	if (!read(hdr, pa, sizeof(hdr)) || memcmp(hdr, sig, 4) != 0)
		return (0);
	len = le32dec(hdr + 4);
	if (len < SDT_HEADER_LEN || len > SDT_MAX_LEN || !sum_ok(read, pa, len))
		return (0);
	return (len);
}

/* The CPU of an entry.  false: it is none, or not to be used. */
static bool
madt_entry_cpu(const uint8_t e[MADT_X2APIC_LEN], uint32_t *apic_id)
{
	uint32_t flags = 0;

	if (e[0] == MADT_LAPIC && e[1] == MADT_LAPIC_LEN) {
		*apic_id = e[3];
		flags = le32dec(e + 4);
	} else if (e[0] == MADT_X2APIC && e[1] == MADT_X2APIC_LEN) {
		*apic_id = le32dec(e + 4);
		flags = le32dec(e + 8);
	}
	return ((flags & MADT_CPU_ENABLED) != 0);
}

/* Firmware may list a CPU by both kinds of entries. */
static bool
is_listed(const uint32_t *apic_ids, size_t n, uint32_t apic_id)
{
	while (n-- > 0) {
		if (apic_ids[n] == apic_id)
			return (true);
	}
	return (false);
}

static size_t
madt_cpus(acpi_read_t *read, uint64_t pa, uint32_t len, uint32_t *apic_ids,
    size_t room)
{
	uint32_t off = MADT_FIRST;
	size_t n = 0;

	while (n < room && off < len && len - off >= 2) {
		uint8_t e[MADT_X2APIC_LEN] = { 0 };
		uint32_t left = len - off, apic_id;

		if (!read(e, pa + off, left < sizeof(e) ? left : sizeof(e)) ||
		    e[1] < 2 || e[1] > left)
			break;
		if (madt_entry_cpu(e, &apic_id) &&
		    !is_listed(apic_ids, n, apic_id))
			apic_ids[n++] = apic_id;
		off += e[1];
	}
	return (n);
}

/* Look through the root table; entry_len is the length of its entries. */
static uint64_t
find_table(acpi_read_t *read, uint64_t root, uint32_t len,
    unsigned int entry_len, const char sig[4])
{
	for (uint32_t off = SDT_HEADER_LEN; off + entry_len <= len;
	     off += entry_len) {
		uint8_t e[8] = { 0 };

		if (!read(e, root + off, entry_len))
			break;
		if (table_len(read, le64dec(e), sig) != 0)
			return (le64dec(e));
	}
	return (0);
}

static uint64_t
find_madt(acpi_read_t *read, uint64_t rsdp_pa)
{
	uint8_t rsdp[RSDP_LEN];
	uint64_t root;
	uint32_t len;

	if (!read(rsdp, rsdp_pa, sizeof(rsdp)) ||
	    memcmp(rsdp, "RSD PTR ", 8) != 0 ||
	    !sum_ok(read, rsdp_pa, RSDP_OLD_LEN))
		return (0);
	root = le64dec(rsdp + RSDP_XSDT);
	if (rsdp[RSDP_REVISION] >= 2 && sum_ok(read, rsdp_pa, RSDP_LEN) &&
	    (len = table_len(read, root, "XSDT")) != 0)
		return (find_table(read, root, len, 8, "APIC"));
	root = le32dec(rsdp + RSDP_RSDT);
	return (find_table(read, root, table_len(read, root, "RSDT"), 4,
	    "APIC"));
}

size_t
acpi_find_cpus(acpi_read_t *read, uint64_t rsdp_pa, uint32_t *apic_ids,
    size_t room)
{
	uint64_t madt = find_madt(read, rsdp_pa);

	if (madt == 0)
		return (0);
	return (madt_cpus(read, madt, table_len(read, madt, "APIC"), apic_ids,
	    room));
}
