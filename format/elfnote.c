/*
 * Notes of ELF cores, one after the other, and QEMU's own: see elfnote.h.
 */
#include "format/elfnote.h"

#include <string.h>

#define NOTE_HDR_LEN 12 /* lengths of name and descriptor, type */

/* QEMUCPUState: offsets, bytes. */
enum {
	QEMU_VERSION = 0,
	QEMU_LEN = 4,
	QEMU_GS_BASE = 264, /* of the fifth segment from 152 on, 24 each */
	QEMU_CR3 = 416,
	QEMU_CR4 = 424,
	QEMU_KERNEL_GS_BASE = 432, /* since QEMU 2.12 */
	QEMU_OLD_LEN = 432,
	QEMU_NEW_LEN = 440
};

/* Take n bytes off *rest, and the padding to a multiple of four. */
static bool
take(struct span *rest, uint32_t n, struct span *out)
{
	size_t padded;

	if (!span_sub(*rest, 0, n, out))
		return (false);
	padded = (out->len + 3) & ~(size_t)3;
	if (padded > rest->len)
		padded = rest->len;
	rest->base += padded;
	rest->len -= padded;
	return (true);
}

bool
elfnote_next(enum byte_order order, struct span *rest, struct elfnote *out)
{
	struct span hdr;

	if (!take(rest, NOTE_HDR_LEN, &hdr) ||
	    !take(rest, dec32(order, hdr.base), &out->en_name) ||
	    !take(rest, dec32(order, hdr.base + 4), &out->en_desc))
		return (false);
	out->en_type = dec32(order, hdr.base + 8);
	if (out->en_name.len > 0 &&
	    out->en_name.base[out->en_name.len - 1] == '\0')
		out->en_name.len--;
	return (true);
}

bool
elfnote_is(const struct elfnote *en, const char *name, uint32_t type)
{
	return (en->en_type == type && en->en_name.len == strlen(name) &&
	    memcmp(en->en_name.base, name, en->en_name.len) == 0);
}

bool
qemu_cpu_decode(struct span desc, struct qemu_cpu *out)
{
	const uint8_t *p = desc.base;

	if (desc.len < QEMU_OLD_LEN || le32dec(p + QEMU_VERSION) != 1 ||
	    le32dec(p + QEMU_LEN) > desc.len)
		return (false);
	*out = (struct qemu_cpu){
		.qc_cr3 = le64dec(p + QEMU_CR3),
		.qc_cr4 = le64dec(p + QEMU_CR4),
		.qc_gs_base = le64dec(p + QEMU_GS_BASE),
	};
	if (desc.len >= QEMU_NEW_LEN)
		out->qc_kernel_gs_base = le64dec(p + QEMU_KERNEL_GS_BASE);
	return (true);
}
