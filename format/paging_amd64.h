/*
 * amd64 page-table entries, inline for readers that decode millions of them.
 *
 * AMD64 APM vol. 2, "Long-Mode Page Translation".  Real entries hold NX, the
 * protection key and software bits in 52-63, so frames are always masked.
 */
#ifndef FORMAT_PAGING_AMD64_H
#define FORMAT_PAGING_AMD64_H

#include "format/paging.h"

#define AMD64_PTE_V	UINT64_C(0x001)
#define AMD64_PTE_RW	UINT64_C(0x002)
#define AMD64_PTE_U	UINT64_C(0x004)
#define AMD64_PTE_NC	UINT64_C(0x018) /* PCD and PWT: uncached */
#define AMD64_PTE_A	UINT64_C(0x020)
#define AMD64_PTE_M	UINT64_C(0x040)
#define AMD64_PTE_PS	UINT64_C(0x080)
#define AMD64_PTE_G	UINT64_C(0x100)
#define AMD64_PTE_NX	(UINT64_C(1) << 63)
#define AMD64_PTE_FRAME UINT64_C(0x000ffffffffff000)

_Static_assert(AMD64_PTE_RW == PTE_WRITE && AMD64_PTE_NX >> 61 == PTE_EXECUTE,
    "amd64_pte_prot() moves bits");

static inline uint8_t
amd64_pte_prot(uint64_t entry)
{
	/* Written without a condition, for which compilers make a branch. */
	return ((uint8_t)(PTE_READ | (entry & PTE_WRITE) |
	    (~entry >> 61 & PTE_EXECUTE)));
}

/*
 * The bits of an entry in use that must be 0: frame bits that the CPU does not
 * have, the frame's low bits in a large page (but for PAT, bit 12), and PS in
 * a PML4 entry.
 */
static inline uint64_t
amd64_pte_reserved(uint64_t entry, unsigned int level, unsigned int phys_bits)
{
	uint64_t reserved = AMD64_PTE_FRAME & ~((UINT64_C(1) << phys_bits) - 1);

	if (level > 2)
		reserved |= AMD64_PTE_PS;
	else if (level > 0 && (entry & AMD64_PTE_PS) != 0)
		reserved |=
		    ((UINT64_C(1) << (12 + 9 * level)) - 1) & ~UINT64_C(0x1fff);
	return (entry & reserved);
}

static inline struct pte
amd64_pte_decode(uint64_t entry, unsigned int level)
{
	unsigned int shift = 12 + 9 * level;
	uint64_t frame = entry & AMD64_PTE_FRAME;

	if ((entry & AMD64_PTE_V) == 0)
		return ((struct pte){ .pte_kind = PTE_NONE });
	if (level > 0 && (entry & AMD64_PTE_PS) == 0)
		return ((struct pte){ .pte_pa = frame, .pte_kind = PTE_TABLE });
	if (level > 2) /* PS is reserved in a PML4 entry */
		return ((struct pte){ .pte_kind = PTE_NONE });
	return ((struct pte){
	    .pte_pa = frame & ~((UINT64_C(1) << shift) - 1),
	    .pte_kind = PTE_PAGE,
	    .pte_shift = (uint8_t)shift,
	    .pte_prot = amd64_pte_prot(entry),
	});
}

#endif
