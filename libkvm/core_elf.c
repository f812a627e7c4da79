/*
 * Full dumps: ELF cores with one segment for each segment of physical memory,
 * or as segments.h describes QEMU's.
 */
#include <stdlib.h>

#include "format/search.h"
#include "libkvm/core_elf.h"

static bool
elf_match(struct span start)
{
	return (elfcore_is(start));
}

/* The machine is the kernel's, or without that file, what the core says. */
static int
check_machine(kvm_t *kd, const struct elfcore_hdr *hdr)
{
	enum dump_arch arch;

	if (kd->kd_exec != NULL &&
	    hdr->eh_machine != arch_facts(kd->kd_core.kc_arch)->af_elf_machine)
		return (kvm_fail(kd,
		    "%s: an ELF core of another machine (%u) than %s",
		    kd->kd_core_path, hdr->eh_machine, exec_path(kd->kd_exec)));
	if (kd->kd_exec != NULL)
		return (0);
	if (!arch_of_elf(hdr->eh_machine, &arch))
		return (kvm_fail(kd,
		    "%s: an ELF core for an unknown machine (%u)",
		    kd->kd_core_path, hdr->eh_machine));
	kvm_set_machine(kd, arch, hdr->eh_order);
	return (0);
}

static int
decode_header(kvm_t *kd, struct elfcore_hdr *hdr)
{
	struct image *im = kd->kd_image;
	uint8_t scratch[ELFCORE_HDR_LEN];
	struct span start = { .len = ELFCORE_HDR_LEN };
	const char *why;

	if (im->im_len < start.len)
		start.len = (size_t)im->im_len;
	if ((start.base = image_view(im, 0, start.len, scratch)) == NULL)
		return (kvm_fail_image(kd, "ELF header", 0, start.len));
	if (!elfcore_decode(start, hdr, &why))
		return (kvm_fail(kd, "%s: %s", kd->kd_core_path, why));
	return (check_machine(kd, hdr));
}

/* Append a segment.  false: out of memory. */
/* Headers that are all alike cost nothing in a compressed file. */
#define SEGMENTS_MAX 1048576

static bool
append_segment(struct elf_state *state, const struct elf_segment *seg)
{
	/* The array grows whenever its length is a power of two. */
	if ((state->els_nsegs & (state->els_nsegs - 1)) == 0) {
		size_t max = state->els_nsegs == 0 ? 1 : 2 * state->els_nsegs;
		struct elf_segment *segs =
		    realloc(state->els_segs, max * sizeof(*segs));

		if (segs == NULL)
			return (false);
		state->els_segs = segs;
	}
	state->els_segs[state->els_nsegs++] = *seg;
	return (true);
}

static int
add_memory(kvm_t *kd, const struct elfcore_phdr *ph)
{
	struct elf_segment seg = { .es_start = ph->ph_pa,
		.es_off = ph->ph_off };
	uint64_t end;

	if (ph->ph_file_len == 0)
		return (0);
	if (__builtin_add_overflow(ph->ph_pa, ph->ph_file_len, &seg.es_end) ||
	    __builtin_add_overflow(ph->ph_off, ph->ph_file_len, &end))
		return (kvm_fail(kd,
		    "%s: program header: a segment of %ju bytes at %#jx wraps",
		    kd->kd_core_path, (uintmax_t)ph->ph_file_len,
		    (uintmax_t)ph->ph_pa));
	if (elf_state(kd)->els_nsegs == SEGMENTS_MAX)
		return (kvm_fail(kd, "%s: more than %d segments of memory",
		    kd->kd_core_path, SEGMENTS_MAX));
	if (!append_segment(elf_state(kd), &seg))
		return (kvm_fail(kd, "out of memory"));
	return (0);
}

static int
add_segment(kvm_t *kd, const struct elfcore_hdr *hdr,
    const struct elfcore_phdr *ph)
{
	switch (ph->ph_type) {
	case ELFCORE_PT_LOAD:
		return (add_memory(kd, ph));
	case ELFCORE_PT_NOTE:
		return (vcpu_load(kd, hdr, ph));
	case ELFCORE_PT_DUMP_DELTA:
		elf_state(kd)->els_delta_pa = ph->ph_pa;
		elf_state(kd)->els_delta_va = ph->ph_va;
		break;
	}
	return (0);
}

/* QEMU writes all of memory, whatever it describes. */
static enum segments_gap
gap_kind(const kvm_t *kd)
{
	bool qemu =
	    kd->kd_core.kc_nvcpus > 0 && kd->kd_core.kc_vcpus[0].vc_qemu;

	return (qemu ? SEGMENTS_GAP_MEMORY : SEGMENTS_GAP_HOLE);
}

static int
sort_segments(kvm_t *kd)
{
	struct elf_state *state = elf_state(kd);
	const struct elf_segment *segs = state->els_segs;

	if (state->els_nsegs == 0)
		return (kvm_fail(kd, "%s: no memory segments",
		    kd->kd_core_path));
	if (!segments_join(state->els_segs, &state->els_nsegs, gap_kind(kd)))
		return (kvm_fail(kd,
		    "%s: memory segments at %#jx and %#jx overlap",
		    kd->kd_core_path, (uintmax_t)segs[0].es_start,
		    (uintmax_t)segs[1].es_start));
	return (0);
}

/* How many program headers there are, all of which fit into the file. */
static int
count_headers(kvm_t *kd, const struct elfcore_hdr *hdr, uint32_t *n)
{
	uint8_t scratch[ELFCORE_SHDR_LEN];
	struct span entry = { .len = sizeof(scratch) };

	*n = hdr->eh_phnum;
	if (*n == ELFCORE_PN_XNUM && hdr->eh_shoff != 0) {
		entry.base =
		    image_view(kd->kd_image, hdr->eh_shoff, entry.len, scratch);
		if (entry.base == NULL || !elfcore_phnum_decode(hdr, entry, n))
			return (kvm_fail_image(kd, "section header",
			    hdr->eh_shoff, entry.len));
	}
	if (*n > kd->kd_image->im_len / hdr->eh_phentsize)
		return (kvm_fail(kd, "%s: too short for %u program headers",
		    kd->kd_core_path, *n));
	return (0);
}

static int
read_segment(kvm_t *kd, const struct elfcore_hdr *hdr, uint64_t off)
{
	struct span entry = { .len = hdr->eh_phentsize };
	struct elfcore_phdr ph;

	entry.base =
	    image_view(kd->kd_image, off, entry.len, kd->kd_image->im_scratch);
	if (entry.base == NULL || !elfcore_phdr_decode(hdr, entry, &ph))
		return (kvm_fail_image(kd, "program header", off, entry.len));
	return (add_segment(kd, hdr, &ph));
}

/* Headers in a hole of the file are zeros, which is PT_NULL: not read. */
static int
read_segments(kvm_t *kd, const struct elfcore_hdr *hdr)
{
	struct image_extent data = { 0 };
	uint64_t i = 0;
	uint32_t n;

	if (hdr->eh_phentsize > IMAGE_VIEW_MAX)
		return (kvm_fail(kd, "%s: program headers of %u bytes",
		    kd->kd_core_path, hdr->eh_phentsize));
	if (count_headers(kd, hdr, &n) != 0)
		return (-1);
	while (i < n) {
		uint64_t off = hdr->eh_phoff + i * hdr->eh_phentsize;
		uint64_t nempty = image_hole_len(kd->kd_image, &data, off) /
		    hdr->eh_phentsize;

		if (nempty > 0) {
			i += nempty;
			continue;
		}
		if (read_segment(kd, hdr, off) != 0)
			return (-1);
		i++;
	}
	return (sort_segments(kd));
}

static int
elf_open(kvm_t *kd)
{
	struct elfcore_hdr hdr;

	if ((kd->kd_state = calloc(1, sizeof(struct elf_state))) == NULL)
		return (kvm_fail(kd, "out of memory"));
	if (decode_header(kd, &hdr) != 0 || read_segments(kd, &hdr) != 0)
		return (-1);
	kd->kd_core.kc_page_size =
	    arch_facts(kd->kd_core.kc_arch)->af_page_size;
	/* Its symbols lead to the page tables. */
	return (kd->kd_exec != NULL ? root_find(kd) : 0);
}

static void
elf_close(kvm_t *kd)
{
	if (kd->kd_state == NULL)
		return;
	free(elf_state(kd)->els_segs);
	vcpu_free(kd);
	free(kd->kd_state);
}

static uint64_t
segment_end(const void *segs, size_t i)
{
	return (((const struct elf_segment *)segs)[i].es_end);
}

static int
elf_locate(kvm_t *kd, kpaddr_t pa, uint64_t len, struct file_run *out)
{
	const struct elf_state *state = elf_state(kd);
	size_t i =
	    search_upto(state->els_segs, state->els_nsegs, segment_end, pa);
	const struct elf_segment *seg = &state->els_segs[i];

	if (i == state->els_nsegs || seg->es_start > pa)
		return (kvm_fail(kd, "physical address %#jx is not in the dump",
		    (uintmax_t)pa));
	out->off = seg->es_off + (pa - seg->es_start);
	out->len = len < seg->es_end - pa ? len : seg->es_end - pa;
	return (0);
}

static int
elf_count(kvm_t *kd, uint64_t *npages, uint64_t *end)
{
	const struct elf_state *state = elf_state(kd);

	*npages = 0;
	*end = 0;
	for (size_t i = 0; i < state->els_nsegs; i++) {
		const struct elf_segment *seg = &state->els_segs[i];
		uint64_t len = seg->es_end - seg->es_start;

		*npages += len / kd->kd_core.kc_page_size;
		if (seg->es_off + len > *end)
			*end = seg->es_off + len;
	}
	return (0);
}

const struct core_ops core_elf = {
	.co_name = "elf",
	.co_match = elf_match,
	.co_open = elf_open,
	.co_close = elf_close,
	.co_locate = elf_locate,
	.co_count = elf_count,
};
