/*
 * The decoders of format/, on bytes alone.  The first byte picks one.  What
 * they accept must hold together, and a dump header that is encoded again is
 * the same header.
 */
#include "format/dumpset.h"
#include "format/elfcore.h"
#include "format/elfnote.h"
#include "format/gpt.h"
#include "format/kerneldump.h"
#include "format/minidump.h"
#include "format/msgbuf.h"
#include "format/owner.h"
#include "format/paging.h"
#include "tests/fuzz/claim.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
fuzz_kerneldump(struct span bytes)
{
	struct kerneldump_hdr kh, again;
	uint8_t out[KERNELDUMP_HDR_LEN];
	const char *why = NULL;

	claim(!kerneldump_is_key(bytes) || !kerneldump_is(bytes));
	if (!kerneldump_decode(bytes, &kh, &why)) {
		claim(why != NULL);
		return;
	}
	(void)kerneldump_parity_ok(bytes.base);
	kerneldump_encode(&kh, out);
	claim(kerneldump_parity_ok(out));
	claim(kerneldump_decode((struct span){ out, sizeof(out) }, &again,
	    &why));
	claim(strcmp(kh.kh_magic, again.kh_magic) == 0);
	claim(kh.kh_dump_len == again.kh_dump_len);
	claim(kh.kh_extent_len == again.kh_extent_len);
	claim(strncmp(kh.kh_panic_string, again.kh_panic_string, 174) == 0);
}

/* Where a dump lies, if there is room for it, is before its header. */
static void
fuzz_place(struct span bytes)
{
	struct kerneldump_place kp;
	struct kerneldump_hdr kh;
	const char *why = NULL;
	uint64_t last_off;

	if (bytes.len < 8)
		return;
	last_off = le64dec(bytes.base);
	bytes.base += 8;
	bytes.len -= 8;
	if (!kerneldump_decode(bytes, &kh, &why))
		return;
	if (!kerneldump_place(&kh, last_off, 512, &kp, &why)) {
		claim(why != NULL);
		return;
	}
	claim(kp.kpl_first_off < kp.kpl_key_off);
	claim(kp.kpl_key_off <= kp.kpl_data_off);
	claim(kh.kh_key_len <= kp.kpl_data_off - kp.kpl_key_off);
	claim(kp.kpl_data_off < last_off);
	claim(kh.kh_dump_len <= last_off - kp.kpl_data_off);
}

/* The sum that the input asks for, so that the code after the check runs. */
static uint32_t wanted_crc;

static uint32_t
agree(uint32_t crc, const uint8_t *bytes, size_t len)
{
	(void)crc;
	/* Every byte that is asked for must be there. */
	for (size_t i = 0; i < len; i++)
		(void)*(const volatile uint8_t *)&bytes[i];
	return (wanted_crc);
}

static void
fuzz_gpt(struct span bytes)
{
	const char *why = NULL;
	struct span array;
	struct gpt_part part;
	struct gpt_hdr hdr;

	if (bytes.len >= 20)
		wanted_crc = le32dec(bytes.base + 16);
	if (!gpt_decode(bytes, GPT_PRIMARY_LBA, agree, &hdr, &why)) {
		claim(why != NULL);
		return;
	}
	claim(gpt_array_len(&hdr) <= GPT_MAX_ARRAY_LEN);
	if (!span_sub(bytes, 92, bytes.len - 92, &array))
		return;
	(void)gpt_array_ok(&hdr, array, agree);
	for (uint32_t i = 0; i < hdr.gh_nentries; i++)
		if (gpt_part_decode(&hdr, array, i, &part))
			claim(part.gp_first_lba <= part.gp_last_lba);
	if (gpt_part_writable(&hdr, array, 0, 1000, &part, &why))
		claim(part.gp_first_lba > GPT_PRIMARY_LBA &&
		    part.gp_last_lba < 999);
}

static void
check_runs(const struct msgbuf *mb, const struct msgbuf_run run[2])
{
	uint64_t len = (uint64_t)run[0].len + run[1].len;

	for (size_t i = 0; i < 2; i++)
		claim(run[i].len == 0 ||
		    (uint64_t)run[i].off + run[i].len <= mb->mb_size);
	claim(len <= mb->mb_size);
}

static void
fuzz_msgbuf(struct span bytes, enum byte_order order, unsigned int ptr_len)
{
	struct msgbuf_run run[2];
	const char *why = NULL;
	struct msgbuf mb;

	if (!msgbuf_decode(bytes, order, ptr_len, &mb, &why)) {
		claim(why != NULL);
		return;
	}
	msgbuf_all(&mb, run);
	check_runs(&mb, run);
	claim((uint64_t)run[0].len + run[1].len == mb.mb_size);
	msgbuf_unread(&mb, run);
	check_runs(&mb, run);
}

static void
fuzz_elfcore(struct span bytes)
{
	struct elfcore_hdr hdr;
	struct elfcore_phdr ph;
	const char *why = NULL;
	struct span entry;
	uint32_t n;

	if (!elfcore_decode(bytes, &hdr, &why)) {
		claim(why != NULL);
		return;
	}
	claim(elfcore_is(bytes));
	if (span_sub(bytes, hdr.eh_shoff, bytes.len < 64 ? bytes.len : 64,
		&entry))
		(void)elfcore_phnum_decode(&hdr, entry, &n);
	for (uint64_t i = 0; i < hdr.eh_phnum; i++)
		if (span_sub(bytes, hdr.eh_phoff + i * hdr.eh_phentsize,
			hdr.eh_phentsize, &entry))
			claim(elfcore_phdr_decode(&hdr, entry, &ph));
}

static void
fuzz_elfnote(struct span bytes, enum byte_order order)
{
	struct span rest = bytes;
	struct elfnote en;
	struct qemu_cpu qc;

	while (elfnote_next(order, &rest, &en)) {
		claim(rest.base >= bytes.base && rest.len <= bytes.len);
		(void)elfnote_is(&en, "CORE", ELFNOTE_PRSTATUS);
		(void)qemu_cpu_decode(en.en_desc, &qc);
	}
}

static void
fuzz_minidump(struct span bytes, enum byte_order order)
{
	struct minidump_hdr hdr;
	const char *why = NULL;

	if (!minidump_decode(bytes, order, &hdr, &why)) {
		claim(why != NULL);
		return;
	}
	claim(minidump_is(bytes));
	claim(hdr.md_arch < ARCH_COUNT);
	claim(hdr.md_page_size == 4096 || hdr.md_page_size == 16384);
	claim(hdr.md_msgbuf_off <= hdr.md_dumpavail_off);
	claim(hdr.md_dumpavail_off <= hdr.md_bitmap_off);
	claim(hdr.md_bitmap_off + hdr.md_bitmap_len <= hdr.md_pmap_off);
	claim(hdr.md_pmap_off + hdr.md_pmap_len <= hdr.md_pages_off);
	claim(minidump_has_two_layouts(&hdr) ||
	    hdr.md_pages_off % hdr.md_page_size == 0);
	if (minidump_choose_layout(&hdr, 1, bytes.len)) {
		claim(hdr.md_pages_off + hdr.md_page_size == bytes.len);
		claim(hdr.md_pmap_off + hdr.md_pmap_len <= hdr.md_pages_off);
	}
}

/* Bits and pages, there and back, around each segment's bounds. */
static void
fuzz_dumpset(struct span bytes, enum byte_order order, unsigned int shift)
{
	static struct dump_seg segs[65536 / DUMP_AVAIL_ENTRY_LEN];
	const struct dump_seg *seg;
	const char *why = NULL;
	struct dumpset set;
	uint64_t pa;

	if (bytes.len > 65536)
		bytes.len = 65536;
	if (!dumpset_decode(bytes, order, shift, segs, &set, &why)) {
		claim(why != NULL);
		return;
	}
	for (size_t i = 0; i < set.set_nsegs; i++) {
		uint64_t bits[] = { segs[i].seg_bit,
			segs[i].seg_bit + segs[i].seg_end - segs[i].seg_start -
			    1 };

		claim(segs[i].seg_start < segs[i].seg_end);
		claim(i == 0 || segs[i - 1].seg_end <= segs[i].seg_start);
		for (size_t k = 0; k < 2; k++) {
			claim(dumpset_pa(&set, bits[k], &pa));
			seg = dumpset_find(&set, pa >> shift);
			claim(seg == &segs[i]);
		}
	}
	claim(!dumpset_pa(&set, set.set_nbits, &pa));
}

static void
fuzz_owners(struct span bytes, enum byte_order order)
{
	struct owners_hdr hdr;
	uint8_t out[OWNERS_HDR_LEN];

	if (bytes.len < sizeof(out) || !owners_decode(bytes.base, order, &hdr))
		return;
	owners_encode(&hdr, order, out);
	claim(memcmp(out, bytes.base, sizeof(out)) == 0);
	for (unsigned int i = 0; i < 2 * OWNER_COUNT; i++) {
		claim(owner_name((enum page_owner)i) != NULL);
		claim(owner_phrase((enum page_owner)i) != NULL || i == 0 ||
		    i >= OWNER_COUNT);
	}
}

static void
fuzz_paging(struct span bytes)
{
	static const struct paging *const all[] = { &paging_amd64, &paging_arm,
		&paging_arm_v4, &paging_arm64_4k, &paging_arm64_16k,
		&paging_i386, &paging_i386_pae, &paging_riscv };
	struct span entry;

	for (uint64_t off = 0; span_sub(bytes, off, 8, &entry); off += 8) {
		for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
			const struct paging *pg = all[i];
			uint64_t v = paging_entry(pg, ORDER_LITTLE, entry.base);

			for (unsigned int l = 0; l < pg->pg_nlevels; l++) {
				struct pte pte = pg->pg_decode(v, l);

				claim(l > 0 || pte.pte_kind != PTE_TABLE);
				claim(pte.pte_kind != PTE_PAGE ||
				    pte.pte_pa %
					    (UINT64_C(1) << pte.pte_shift) ==
					0);
			}
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes;
	enum byte_order order;

	if (size == 0)
		return (0);
	bytes = (struct span){ .base = data + 1, .len = size - 1 };
	order = (data[0] & 0x80) == 0 ? ORDER_LITTLE : ORDER_BIG;
	switch (data[0] & 0x7f) {
	case 'k':
		fuzz_kerneldump(bytes);
		break;
	case 'l':
		fuzz_place(bytes);
		break;
	case 'g':
		fuzz_gpt(bytes);
		break;
	case 'm':
		fuzz_msgbuf(bytes, order, 8);
		break;
	case 'n':
		fuzz_msgbuf(bytes, order, 4);
		break;
	case 'e':
		fuzz_elfcore(bytes);
		break;
	case 'o':
		fuzz_elfnote(bytes, order);
		break;
	case 'h':
		fuzz_minidump(bytes, order);
		break;
	case 's':
		fuzz_dumpset(bytes, order, 12);
		break;
	case 't':
		fuzz_dumpset(bytes, order, 14);
		break;
	case 'p':
		fuzz_paging(bytes);
		break;
	case 'w':
		fuzz_owners(bytes, order);
		break;
	default:
		break;
	}
	return (0);
}
