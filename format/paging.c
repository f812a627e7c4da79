/*
 * The page-table entries of each architecture: see paging.h.
 *
 * A decoder looks at one entry and never at the table or the level above.
 */
#include "format/paging.h"

#include "format/paging_amd64.h"

static const struct pte none = { .pte_kind = PTE_NONE };

static struct pte
page(uint64_t pa, unsigned int shift, uint8_t prot)
{
	return ((struct pte){
	    .pte_pa = pa & ~((UINT64_C(1) << shift) - 1),
	    .pte_kind = PTE_PAGE,
	    .pte_shift = (uint8_t)shift,
	    .pte_prot = prot,
	});
}

static struct pte
table(uint64_t pa)
{
	return ((struct pte){ .pte_pa = pa, .pte_kind = PTE_TABLE });
}

/* ---- amd64 ---- */

const struct paging paging_amd64 = {
	.pg_name = "amd64",
	.pg_entry_len = 8,
	.pg_nlevels = 4,
	.pg_level = { { 12, 9 }, { 21, 9 }, { 30, 9 }, { 39, 9 } },
	.pg_va_first = UINT64_C(0xffff800000000000),
	.pg_va_last = UINT64_MAX,
	.pg_decode = amd64_pte_decode,
};

/* ---- i386: Intel SDM vol. 3, "32-Bit Paging" and "PAE Paging" ---- */

static struct pte
i386_decode(uint64_t entry, unsigned int level)
{
	uint8_t prot = PTE_READ | PTE_EXECUTE;

	if ((entry & AMD64_PTE_V) == 0)
		return (none);
	if ((entry & AMD64_PTE_RW) != 0)
		prot |= PTE_WRITE;
	if (level == 0)
		return (page(entry & 0xfffff000, 12, prot));
	if ((entry & AMD64_PTE_PS) != 0)
		return (page(entry & 0xffc00000, 22, prot));
	return (table(entry & 0xfffff000));
}

/* As amd64, but an entry of the first table has no PS and no RW bit. */
static struct pte
i386_pae_decode(uint64_t entry, unsigned int level)
{
	if (level < 2)
		return (amd64_pte_decode(entry, level));
	if ((entry & AMD64_PTE_V) == 0)
		return (none);
	return (table(entry & AMD64_PTE_FRAME));
}

const struct paging paging_i386 = {
	.pg_name = "i386",
	.pg_entry_len = 4,
	.pg_nlevels = 2,
	.pg_level = { { 12, 10 }, { 22, 10 } },
	.pg_va_first = 0,
	.pg_va_last = UINT32_MAX,
	.pg_decode = i386_decode,
};

const struct paging paging_i386_pae = {
	.pg_name = "i386 PAE",
	.pg_entry_len = 8,
	.pg_nlevels = 3,
	.pg_level = { { 12, 9 }, { 21, 9 }, { 30, 2 } },
	.pg_va_first = 0,
	.pg_va_last = UINT32_MAX,
	.pg_decode = i386_pae_decode,
};

/* ---- arm64: Arm ARM DDI 0487, "VMSAv8-64 translation table formats" ---- */

#define ARM64_DESCR_MASK  UINT64_C(3)
#define ARM64_DESCR_BLOCK UINT64_C(1) /* above the last level */
#define ARM64_DESCR_TABLE UINT64_C(3) /* and a page at the last level */
#define ARM64_AP_RO	  (UINT64_C(1) << 7)
#define ARM64_PXN	  (UINT64_C(1) << 53)
#define ARM64_ADDR	  UINT64_C(0x0003fffffffff000)

static struct pte
arm64_decode(uint64_t entry, unsigned int level, unsigned int page_shift,
    unsigned int table_bits, unsigned int max_block_level)
{
	uint64_t descr = entry & ARM64_DESCR_MASK;
	uint64_t frame = entry & ARM64_ADDR;
	uint8_t prot = PTE_READ;

	if (level > 0 && descr == ARM64_DESCR_TABLE)
		return (table(frame & ~((UINT64_C(1) << page_shift) - 1)));
	if (descr != (level == 0 ? ARM64_DESCR_TABLE : ARM64_DESCR_BLOCK) ||
	    level > max_block_level)
		return (none);
	if ((entry & ARM64_AP_RO) == 0)
		prot |= PTE_WRITE;
	if ((entry & ARM64_PXN) == 0)
		prot |= PTE_EXECUTE;
	return (page(frame, page_shift + table_bits * level, prot));
}

static struct pte
arm64_4k_decode(uint64_t entry, unsigned int level)
{
	return (arm64_decode(entry, level, 12, 9, 2));
}

static struct pte
arm64_16k_decode(uint64_t entry, unsigned int level)
{
	return (arm64_decode(entry, level, 14, 11, 1));
}

const struct paging paging_arm64_4k = {
	.pg_name = "arm64, 4 KB pages",
	.pg_entry_len = 8,
	.pg_nlevels = 4,
	.pg_level = { { 12, 9 }, { 21, 9 }, { 30, 9 }, { 39, 9 } },
	.pg_va_first = UINT64_C(0xffff000000000000),
	.pg_va_last = UINT64_MAX,
	.pg_decode = arm64_4k_decode,
};

const struct paging paging_arm64_16k = {
	.pg_name = "arm64, 16 KB pages",
	.pg_entry_len = 8,
	.pg_nlevels = 4,
	.pg_level = { { 14, 11 }, { 25, 11 }, { 36, 11 }, { 47, 1 } },
	.pg_va_first = UINT64_C(0xffff000000000000),
	.pg_va_last = UINT64_MAX,
	.pg_decode = arm64_16k_decode,
};

/* ---- riscv: Privileged Architecture, "Sv39" ---- */

#define RISCV_PTE_V	UINT64_C(0x01)
#define RISCV_PTE_RWX	UINT64_C(0x0e)
#define RISCV_PTE_R	UINT64_C(0x02)
#define RISCV_PTE_W	UINT64_C(0x04)
#define RISCV_PTE_X	UINT64_C(0x08)
#define RISCV_PPN_SHIFT 10
/* 44 bits: N and PBMT above them are not part of the address. */
#define RISCV_PPN_MASK ((UINT64_C(1) << 44) - 1)

static struct pte
riscv_decode(uint64_t entry, unsigned int level)
{
	uint64_t pa = (entry >> RISCV_PPN_SHIFT & RISCV_PPN_MASK) << 12;
	uint8_t prot = 0;

	if ((entry & RISCV_PTE_V) == 0)
		return (none);
	if ((entry & RISCV_PTE_RWX) == 0)
		return (level == 0 ? none : table(pa));
	if ((entry & RISCV_PTE_R) != 0)
		prot |= PTE_READ;
	if ((entry & RISCV_PTE_W) != 0)
		prot |= PTE_WRITE;
	if ((entry & RISCV_PTE_X) != 0)
		prot |= PTE_EXECUTE;
	return (page(pa, 12 + 9 * level, prot));
}

const struct paging paging_riscv = {
	.pg_name = "riscv",
	.pg_entry_len = 8,
	.pg_nlevels = 1,
	.pg_level = { { 12, 9 } },
	.pg_va_first = UINT64_C(0xffff000000000000), /* Sv48 */
	.pg_va_last = UINT64_MAX,
	.pg_decode = riscv_decode,
};

/* ---- arm: Arm ARM DDI 0406, "Short-descriptor translation table" ---- */

#define ARM_L2_TYPE_MASK  3
#define ARM_L2_TYPE_LARGE 1	/* 64 KB */
#define ARM_L2_TYPE_TINY  3	/* 1 KB, before V6 */
#define ARM_L2_RO	  0x080 /* TEX[1], FreeBSD's: AP[2] means unmodified */
#define ARM_L2_NX	  0x001
#define ARM_L2_LARGE_NX	  0x8000

static struct pte
arm_decode(uint64_t entry, unsigned int level)
{
	uint64_t type = entry & ARM_L2_TYPE_MASK;
	uint64_t nx = type == ARM_L2_TYPE_LARGE ? ARM_L2_LARGE_NX : ARM_L2_NX;
	uint8_t prot = PTE_READ;

	if (level > 0 || type == 0)
		return (none);
	if ((entry & ARM_L2_RO) == 0)
		prot |= PTE_WRITE;
	if ((entry & nx) == 0)
		prot |= PTE_EXECUTE;
	if (type == ARM_L2_TYPE_LARGE)
		return (page(entry & 0xffff0000, 16, prot));
	return (page(entry & 0xfffff000, 12, prot));
}

/* Tiny pages are smaller than the pages of a dump, so they are not decoded. */
static struct pte
arm_v4_decode(uint64_t entry, unsigned int level)
{
	if ((entry & ARM_L2_TYPE_MASK) == ARM_L2_TYPE_TINY)
		return (none);
	/* No such bit before V6. */
	return (arm_decode(entry & ~(uint64_t)ARM_L2_RO, level));
}

const struct paging paging_arm = {
	.pg_name = "arm",
	.pg_entry_len = 4,
	.pg_nlevels = 1,
	.pg_level = { { 12, 8 } },
	.pg_va_first = 0,
	.pg_va_last = UINT32_MAX,
	.pg_decode = arm_decode,
};

const struct paging paging_arm_v4 = {
	.pg_name = "arm V4",
	.pg_entry_len = 4,
	.pg_nlevels = 1,
	.pg_level = { { 12, 8 } },
	.pg_va_first = 0,
	.pg_va_last = UINT32_MAX,
	.pg_decode = arm_v4_decode,
};
