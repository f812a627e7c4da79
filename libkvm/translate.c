/*
 * Virtual to physical addresses.
 *
 * All machines' page tables are read here: format/paging.c knows their entries,
 * and a vm_root where to start.  In a minidump that is the page-table section,
 * an array of entries of one level for the kernel's addresses from vr_base on;
 * elsewhere it is the machine's own root.  The level goes down with each table
 * that is followed, so that no entry can send the walk round in circles.
 */
#include "libkvm/kvm_int.h"

/* Entries at off in the file: as many of those from idx on as are wanted. */
struct table {
	uint64_t off;
	uint64_t nentries; /* from off on */
};

/* The direct map of a minidump needs no tables. */
static bool
translate_direct(const struct minidump_hdr *hdr, kvaddr_t va, uint64_t len,
    struct phys_run *out)
{
	if (va < hdr->md_dmapbase || va >= hdr->md_dmapend)
		return (false);
	if (len > hdr->md_dmapend - va)
		len = hdr->md_dmapend - va;
	*out = (struct phys_run){ .len = len,
		.pa = va - hdr->md_dmapbase + hdr->md_dmapphys };
	return (true);
}

/* The entries from va's own on, in the section that a minidump starts with. */
static int
section_entries(kvm_t *kd, kvaddr_t va, struct table *out)
{
	const struct vm_root *root = &kd->kd_root;
	unsigned int entry_len = root->vr_paging->pg_entry_len;
	uint64_t idx = (va - root->vr_base) >>
	    root->vr_paging->pg_level[root->vr_level].shift;
	uint64_t nentries = root->vr_len / entry_len;

	if (va < root->vr_base || idx >= nentries)
		return (kvm_fail(kd,
		    "address %#jx is not a kernel address "
		    "of this dump",
		    (uintmax_t)va));
	*out = (struct table){ .off = root->vr_off + idx * entry_len,
		.nentries = nentries - idx };
	return (0);
}

/* The entries from va's own on, in the table at pa in memory. */
static int
table_entries(kvm_t *kd, kvaddr_t va, kpaddr_t pa, unsigned int level,
    struct table *out)
{
	struct vm_root *root = &kd->kd_root;
	const struct paging *pg = root->vr_paging;
	uint64_t idx = paging_index(pg, level, va);
	uint64_t len = (uint64_t)pg->pg_entry_len << pg->pg_level[level].bits;
	struct file_run run;

	/* Neighbours share their last page table. */
	if (level > 0 || pa != root->vr_last_pa || root->vr_last_off == 0) {
		if (kd->kd_ops->co_locate(kd, pa, len, &run) != 0)
			return (-1);
		if (run.len < len)
			return (kvm_fail(kd,
			    "page table at physical address "
			    "%#jx: only %ju bytes are in the dump",
			    (uintmax_t)pa, (uintmax_t)run.len));
		if (level == 0) {
			root->vr_last_pa = pa;
			root->vr_last_off = run.off;
		}
	} else {
		run.off = root->vr_last_off;
	}
	*out = (struct table){ .off = run.off + idx * pg->pg_entry_len,
		.nentries = (UINT64_C(1) << pg->pg_level[level].bits) - idx };
	return (0);
}

/*
 * The pages that the entries of table map one behind the other, up to len
 * bytes from va on.  Returns the kind of the first entry, which *out describes.
 */
static int
read_entries(kvm_t *kd, const struct table *table, unsigned int level,
    kvaddr_t va, uint64_t len, struct pte *first, uint64_t *mapped)
{
	const struct paging *pg = kd->kd_root.vr_paging;
	uint64_t size = UINT64_C(1) << pg->pg_level[level].shift;
	uint64_t in_entry = va & (size - 1);
	uint64_t n = 1;
	uint64_t k;
	uint8_t scratch[IMAGE_VIEW_MAX];
	const uint8_t *p;

	if (level == 0 && len > size - in_entry) {
		n = (len + in_entry - 1) / size + 1;
		if (n > table->nentries)
			n = table->nentries;
		if (n > IMAGE_VIEW_MAX / pg->pg_entry_len)
			n = IMAGE_VIEW_MAX / pg->pg_entry_len;
	}
	p = image_view(kd->kd_image, table->off, n * pg->pg_entry_len, scratch);
	if (p == NULL)
		return (kvm_fail_image(kd, "page table", table->off,
		    n * pg->pg_entry_len));
	*first =
	    pg->pg_decode(paging_entry(pg, kd->kd_core.kc_order, p), level);
	if (first->pte_kind != PTE_PAGE)
		return (0);
	/* A page larger than its entry (arm) repeats in the next entries. */
	first->pte_pa +=
	    va & ((UINT64_C(1) << first->pte_shift) - 1) & ~(size - 1);
	for (k = 1; k < n; k++) {
		struct pte pte =
		    pg->pg_decode(paging_entry(pg, kd->kd_core.kc_order,
				      p + k * pg->pg_entry_len),
			level);
		uint64_t more = (va + k * size) &
		    ((UINT64_C(1) << pte.pte_shift) - 1) & ~(size - 1);

		if (pte.pte_kind != PTE_PAGE ||
		    pte.pte_pa + more != first->pte_pa + k * size)
			break;
	}
	*mapped = k * size - in_entry;
	return (0);
}

static int
translate_tables(kvm_t *kd, kvaddr_t va, uint64_t len, struct phys_run *out)
{
	const struct vm_root *root = &kd->kd_root;
	const struct paging *pg = root->vr_paging;
	unsigned int level = root->vr_level;
	kpaddr_t table_pa = root->vr_pa;
	bool in_section = root->vr_in_section;

	if (!in_section && (va < pg->pg_va_first || va > pg->pg_va_last))
		return (kvm_fail(kd,
		    "address %#jx is not a kernel address of "
		    "this machine",
		    (uintmax_t)va));
	for (;;) {
		struct table table;
		struct pte pte;
		uint64_t mapped;
		int error = in_section ?
		    section_entries(kd, va, &table) :
		    table_entries(kd, va, table_pa, level, &table);

		if (error != 0 ||
		    read_entries(kd, &table, level, va, len, &pte, &mapped) !=
			0)
			return (-1);
		if (pte.pte_kind == PTE_PAGE) {
			uint64_t size = UINT64_C(1)
			    << pg->pg_level[level].shift;

			out->pa = pte.pte_pa + (va & (size - 1));
			out->len = mapped < len ? mapped : len;
			return (0);
		}
		if (pte.pte_kind == PTE_NONE || level == 0)
			return (kvm_fail(kd, "address %#jx is not mapped",
			    (uintmax_t)va));
		table_pa = pte.pte_pa;
		in_section = false;
		level--;
	}
}

int
translate(kvm_t *kd, kvaddr_t va, uint64_t len, struct phys_run *out)
{
	if (kd->kd_core.kc_minidump != NULL &&
	    translate_direct(&kd->kd_minidump, va, len, out))
		return (0);
	return (translate_tables(kd, va, len, out));
}
