/*
 * Minidumps: page tables in a section of their own, pages after a bitmap.
 *
 * The state of this kind is the struct minidump_hdr; see kd_index, too.
 */
#include <stdlib.h>

#include "libkvm/kvm_int.h"

/* More segments than any machine has: dump_avail is one page in practice. */
#define DUMPAVAIL_MAX_LEN 1048576

static bool
minidump_match(struct span start)
{
	return (minidump_is(start));
}

/* Without the kernel's file, what the core says of its machine has to do. */
static bool
decode_alone(kvm_t *kd, struct span start, const char **why)
{
	struct minidump_hdr *hdr = kd->kd_state;
	enum dump_arch arch;

	if (!minidump_decode(start, ORDER_LITTLE, hdr, why) &&
	    !(minidump_find_arch(start, &arch) &&
		arch_facts(arch)->af_big_endian &&
		minidump_decode(start, ORDER_BIG, hdr, why)))
		return (false);
	kvm_set_machine(kd, hdr->md_arch, hdr->md_order);
	return (true);
}

static int
decode_header(kvm_t *kd)
{
	struct minidump_hdr *hdr = kd->kd_state;
	struct image *im = kd->kd_image;
	uint8_t scratch[MINIDUMP_HDR_LEN];
	struct span start = { .len = MINIDUMP_HDR_LEN };
	enum dump_arch arch;
	const char *why;

	if (im->im_len < start.len)
		start.len = (size_t)im->im_len;
	if ((start.base = image_view(im, 0, start.len, scratch)) == NULL)
		return (kvm_fail_image(kd, "minidump header", 0, start.len));
	if (kd->kd_exec != NULL && minidump_find_arch(start, &arch) &&
	    arch != kd->kd_core.kc_arch)
		return (kvm_fail(kd,
		    "%s: a minidump of %s, but %s is a kernel for %s",
		    kd->kd_core_path, dump_arch_name(arch),
		    exec_path(kd->kd_exec),
		    dump_arch_name(kd->kd_core.kc_arch)));
	if (kd->kd_exec == NULL ?
		!decode_alone(kd, start, &why) :
		!minidump_decode(start, kd->kd_core.kc_order, hdr, &why))
		return (kvm_fail(kd, "%s: minidump header: %s",
		    kd->kd_core_path, why));
	return (0);
}

/* Fill in the page set and the segments that it is made of. */
static int
read_page_set(kvm_t *kd, unsigned int page_shift, struct pageindex_desc *desc)
{
	const struct minidump_hdr *hdr = kd->kd_state;
	uint64_t len = hdr->md_dumpavail_len;
	uint8_t *section;
	const char *why;
	bool ok;

	if (len > DUMPAVAIL_MAX_LEN)
		return (kvm_fail(kd, "dump_avail: %ju bytes are too many",
		    (uintmax_t)len));
	desc->segs =
	    calloc((size_t)len / DUMP_AVAIL_ENTRY_LEN + 1, sizeof(*desc->segs));
	if (desc->segs == NULL)
		return (kvm_fail(kd, "out of memory"));
	if (len == 0) {
		desc->set = dumpset_dense((uint64_t)hdr->md_bitmap_len * 8,
		    page_shift, desc->segs);
		return (0);
	}
	if ((section = malloc((size_t)len)) == NULL)
		return (kvm_fail(kd, "out of memory"));
	ok = image_read(kd->kd_image, hdr->md_dumpavail_off, section,
	    (size_t)len);
	if (!ok)
		(void)kvm_fail_image(kd, "dump_avail", hdr->md_dumpavail_off,
		    len);
	else if (!dumpset_decode((struct span){ section, (size_t)len },
		     hdr->md_order, page_shift, desc->segs, &desc->set, &why))
		ok = kvm_fail(kd, "%s: %s", kd->kd_core_path, why) == 0;
	free(section);
	return (ok ? 0 : -1);
}

/*
 * The bitmap must be there; of what follows, as much as there is can be read.
 */
static int
open_index(kvm_t *kd)
{
	const struct minidump_hdr *hdr = kd->kd_state;
	struct pageindex_desc desc = {
		.order = hdr->md_order,
		.bitmap_off = hdr->md_bitmap_off,
		.bitmap_len = hdr->md_bitmap_len,
		.pages_off = hdr->md_pages_off,
	};
	unsigned int shift = (unsigned int)__builtin_ctz(hdr->md_page_size);

	if (hdr->md_bitmap_off > kd->kd_image->im_len ||
	    hdr->md_bitmap_len > kd->kd_image->im_len - hdr->md_bitmap_off) {
		kd->kd_image->im_errno = 0;
		return (kvm_fail_image(kd, "page bitmap", hdr->md_bitmap_off,
		    hdr->md_bitmap_len));
	}
	if (read_page_set(kd, shift, &desc) != 0) {
		free(desc.segs);
		return (-1);
	}
	if ((kd->kd_index = pageindex_create(kd->kd_image, &desc)) == NULL)
		return (kvm_fail(kd, "out of memory"));
	return (0);
}

/* Where the pages start, if that depends on the length of the file. */
static int
choose_layout(kvm_t *kd)
{
	struct minidump_hdr *hdr = kd->kd_state;
	uint64_t npages;

	if (!minidump_has_two_layouts(hdr))
		return (0);
	if (!pageindex_count(kd->kd_index, &npages))
		return (kvm_fail_image(kd, "page bitmap", hdr->md_bitmap_off,
		    hdr->md_bitmap_len));
	if (!minidump_choose_layout(hdr, npages, kd->kd_image->im_len)) {
		if (kd->kd_exec == NULL) {
			/* No page is where the file has a byte. */
			kd->kd_index->pi_pages_off = kd->kd_image->im_len;
			return (0);
		}
		return (kvm_fail(kd,
		    "%s: %ju pages after %#jx bytes of page tables do not end where the file ends, at %#jx: cut short?",
		    kd->kd_core_path, (uintmax_t)npages,
		    (uintmax_t)hdr->md_pmap_len,
		    (uintmax_t)kd->kd_image->im_len));
	}
	kd->kd_index->pi_pages_off = hdr->md_pages_off;
	return (0);
}

static int
minidump_open(kvm_t *kd)
{
	struct minidump_hdr *hdr = calloc(1, sizeof(*hdr));
	const struct paging *paging;

	if ((kd->kd_state = hdr) == NULL)
		return (kvm_fail(kd, "out of memory"));
	if (decode_header(kd) != 0 || open_index(kd) != 0 ||
	    choose_layout(kd) != 0)
		return (-1);
	paging = minidump_paging(hdr);
	kd->kd_root = (struct vm_root){
		.vr_paging = paging,
		.vr_level = minidump_map_level(hdr),
		.vr_in_section = true,
		.vr_base = hdr->md_kernbase,
		.vr_off = hdr->md_pmap_off,
		.vr_nentries = hdr->md_pmap_len / paging->pg_entry_len,
	};
	hotpages_allow(&kd->kd_hot, kd->kd_index, hdr);
	kd->kd_core.kc_minidump = hdr;
	kd->kd_core.kc_page_size = hdr->md_page_size;
	return (0);
}

static void
minidump_close(kvm_t *kd)
{
	pageindex_destroy(kd->kd_index);
	free(kd->kd_state);
}

static int
fail_absent(kvm_t *kd, kpaddr_t pa)
{
	const char *phrase = owner_phrase(kvm_page_owner(kd, pa));

	return (kvm_fail(kd, "physical address %#jx is not in the dump%s%s",
	    (uintmax_t)pa, phrase != NULL ? ": " : "",
	    phrase != NULL ? phrase : ""));
}

static int
minidump_locate(kvm_t *kd, kpaddr_t pa, uint64_t len, struct file_run *out)
{
	struct page_run run = pageindex_find(kd->kd_index, pa, len);
	const struct minidump_hdr *hdr = kd->kd_state;

	switch (run.run_state) {
	case PAGE_PRESENT:
		out->off = run.run_off;
		out->len = run.run_len;
		return (0);
	case PAGE_ABSENT:
		return (fail_absent(kd, pa));
	case PAGE_GAP:
		return (kvm_fail(kd,
		    "physical address %#jx is not memory of the dumped machine",
		    (uintmax_t)pa));
	case PAGE_UNREADABLE:
		break;
	}
	return (kvm_fail_image(kd, "page bitmap", hdr->md_bitmap_off,
	    hdr->md_bitmap_len));
}

static int
minidump_count(kvm_t *kd, uint64_t *npages, uint64_t *end)
{
	struct minidump_hdr *hdr = kd->kd_state;
	uint64_t off = hdr->md_bitmap_off;
	uint64_t len = hdr->md_bitmap_len;

	if (!pageindex_count(kd->kd_index, npages) ||
	    !image_settle(kd->kd_image, off + len))
		return (kvm_fail_image(kd, "page bitmap", off, len));
	*end = hdr->md_pages_off + *npages * hdr->md_page_size;
	/* Owners that are elsewhere are none of ours. */
	if (hdr->md_owners.oh_off != *end)
		hdr->md_owners.oh_len = 0;
	*end += hdr->md_owners.oh_len;
	return (0);
}

const struct core_ops core_minidump = {
	.co_name = "minidump",
	.co_match = minidump_match,
	.co_open = minidump_open,
	.co_close = minidump_close,
	.co_locate = minidump_locate,
	.co_count = minidump_count,
	.co_own_root = root_own,
};
