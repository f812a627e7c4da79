/*
 * As much of ACPI as it takes to find the CPUs.
 */
#ifndef KERNEL_AMD64_ACPI_H
#define KERNEL_AMD64_ACPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copy physical memory; false: it cannot be read. */
typedef bool acpi_read_t(void *dst, uint64_t pa, size_t len);

/*
 * The APIC ids of the enabled CPUs, at most room of them and each once; how
 * many.  rsdp_pa is where the loader says that the tables start.
 */
size_t acpi_find_cpus(acpi_read_t *read, uint64_t rsdp_pa, uint32_t *apic_ids,
    size_t room);

#endif
