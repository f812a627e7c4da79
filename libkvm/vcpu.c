/*
 * The CPUs of a virtual machine, from the notes of the core that its
 * hypervisor wrote.
 *
 * All notes with general registers come before those of QEMU's own; the n'th
 * note of either kind is about the n'th CPU.
 */
#include <stdlib.h>

#include "format/elfnote.h"
#include "format/foreign.h"
#include "libkvm/core_elf.h"

#define NOTES_MAX ((uint64_t)8 << 20) /* bytes: 2000 for each of 4096 CPUs */

/* Read the segment's bytes.  They are kd's. */
static int
read_notes(kvm_t *kd, const struct elfcore_phdr *ph, struct span *out)
{
	uint8_t *notes;

	if (ph->ph_file_len > NOTES_MAX)
		return (kvm_fail(kd, "%s: notes of %ju bytes", kd->kd_core_path,
		    (uintmax_t)ph->ph_file_len));
	out->len = (size_t)ph->ph_file_len;
	if (ph->ph_off > kd->kd_image->im_len ||
	    out->len > kd->kd_image->im_len - ph->ph_off)
		return (kvm_fail_image(kd, "notes", ph->ph_off, out->len));
	if ((notes = malloc(out->len)) == NULL)
		return (kvm_fail(kd, "out of memory"));
	elf_state(kd)->els_notes = notes;
	if (!image_read(kd->kd_image, ph->ph_off, notes, out->len))
		return (kvm_fail_image(kd, "notes", ph->ph_off, out->len));
	out->base = notes;
	return (0);
}

static bool
is_prstatus(const struct elfnote *en)
{
	return (elfnote_is(en, "CORE", ELFNOTE_PRSTATUS));
}

/* A core of another system is not searched for FreeBSD's page tables. */
static int
refuse_foreign(kvm_t *kd, enum byte_order order, struct span notes)
{
	struct elfnote en;

	while (elfnote_next(order, &notes, &en)) {
		const char *name = foreign_name_by_note(&en);

		if (name != NULL)
			return (kvm_fail(kd, "%s: %s", kd->kd_core_path, name));
	}
	return (0);
}

static size_t
count_vcpus(enum byte_order order, struct span notes)
{
	struct elfnote en;
	size_t n = 0;

	while (elfnote_next(order, &notes, &en))
		n += is_prstatus(&en);
	return (n);
}

static void
set_vcpus(kvm_t *kd, enum byte_order order, struct span notes)
{
	struct kvm_vcpu *vcpus = elf_state(kd)->els_vcpus;
	size_t nvcpus = kd->kd_core.kc_nvcpus;
	size_t nregs = 0;
	size_t nqemu = 0;
	struct elfnote en;
	struct qemu_cpu qc;

	while (elfnote_next(order, &notes, &en)) {
		if (is_prstatus(&en)) {
			vcpus[nregs++].vc_prstatus = en.en_desc;
		} else if (elfnote_is(&en, "QEMU", 0) && nqemu < nvcpus) {
			struct kvm_vcpu *vc = &vcpus[nqemu++];

			vc->vc_qemu = qemu_cpu_decode(en.en_desc, &qc);
			if (vc->vc_qemu)
				vc->vc_state = qc;
		}
	}
}

int
vcpu_load(kvm_t *kd, const struct elfcore_hdr *hdr,
    const struct elfcore_phdr *ph)
{
	struct elf_state *state = elf_state(kd);
	struct span notes;
	size_t n;

	if (ph->ph_file_len == 0 || state->els_notes != NULL)
		return (0);
	if (read_notes(kd, ph, &notes) != 0 ||
	    refuse_foreign(kd, hdr->eh_order, notes) != 0)
		return (-1);
	n = count_vcpus(hdr->eh_order, notes);
	if (n == 0)
		return (0);
	if ((state->els_vcpus = calloc(n, sizeof(*state->els_vcpus))) == NULL)
		return (kvm_fail(kd, "out of memory"));
	kd->kd_core.kc_vcpus = state->els_vcpus;
	kd->kd_core.kc_nvcpus = n;
	set_vcpus(kd, hdr->eh_order, notes);
	return (0);
}

void
vcpu_free(kvm_t *kd)
{
	free(elf_state(kd)->els_vcpus);
	free(elf_state(kd)->els_notes);
}
