/*
 * Build-ids: see buildid.h.
 */
#include "kdebug/buildid.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "format/bytes.h"
#include "kdebug/modfile.h"
#include "libkvm/kvm_core.h"

#ifndef NT_GNU_BUILD_ID
#define NT_GNU_BUILD_ID 3
#endif

/* Namesz, descsz, type; then the name, then the id. */
#define NOTE_HEAD_LEN 12
#define NOTE_ID_OFF   16
#define NOTE_MAX      (NOTE_ID_OFF + BUILDID_MAX)
#define NOTE_ALIGN    4

/* Notes of a file that are looked at; a kernel has five. */
#define NOTES_MAX 1000

#define PAGE_LEN BUILDID_PAGE_LEN

/* The build id and the segments of the kernel's file. */
struct kernel_image {
	enum byte_order kim_order;
	kvaddr_t kim_start; /* of what is loaded, half-open */
	kvaddr_t kim_end;
	kvaddr_t kim_note_va; /* of the note that holds the id */
	struct buildid kim_id;
};

/* ---- one note ---- */

static uint64_t
align_note(uint64_t len)
{
	return ((len + NOTE_ALIGN - 1) & ~(uint64_t)(NOTE_ALIGN - 1));
}

/* 0: s is too short for the lengths that a note begins with. */
static uint64_t
note_len(struct span s, enum byte_order order)
{
	if (s.len < NOTE_HEAD_LEN)
		return (0);
	return (NOTE_HEAD_LEN + align_note(dec32(order, s.base)) +
	    align_note(dec32(order, s.base + 4)));
}

/* The id, if s starts with a whole note that holds one. */
static bool
decode(struct span s, enum byte_order order, struct buildid *out)
{
	uint32_t len;

	if (s.len < NOTE_ID_OFF || dec32(order, s.base) != 4 ||
	    dec32(order, s.base + 8) != NT_GNU_BUILD_ID ||
	    memcmp(s.base + NOTE_HEAD_LEN, "GNU", 4) != 0)
		return (false);
	len = dec32(order, s.base + 4);
	if (len == 0 || len > BUILDID_MAX || len > s.len - NOTE_ID_OFF)
		return (false);
	for (uint32_t i = 0; i < len; i++)
		snprintf(&out->bi_text[2 * i], 3, "%02x",
		    s.base[NOTE_ID_OFF + i]);
	return (true);
}

/* ---- the file ---- */

static bool
spend(unsigned int *budget)
{
	if (*budget == 0)
		return (false);
	--*budget;
	return (true);
}

/* Go from note to note of a segment that is loaded. */
static bool
find_note(int fd, const GElf_Phdr *ph, unsigned int *budget,
    struct kernel_image *im)
{
	uint8_t note[NOTE_MAX];
	uint64_t left = ph->p_filesz, off = ph->p_offset;

	if (ph->p_vaddr == 0 || left > INT64_MAX || off > INT64_MAX - left)
		return (false);
	while (spend(budget)) {
		size_t want = left < NOTE_MAX ? (size_t)left : NOTE_MAX;
		ssize_t n = pread(fd, note, want, (off_t)off);
		struct span s = { note, n < 0 ? 0 : (size_t)n };
		uint64_t len;

		if (decode(s, im->kim_order, &im->kim_id)) {
			im->kim_note_va = ph->p_vaddr + (off - ph->p_offset);
			return (true);
		}
		len = note_len(s, im->kim_order);
		if (len == 0 || len > left)
			break;
		off += len;
		left -= len;
	}
	return (false);
}

static void
add_loaded(const GElf_Phdr *ph, struct kernel_image *im)
{
	kvaddr_t end;

	if (ph->p_memsz == 0 ||
	    __builtin_add_overflow(ph->p_vaddr, ph->p_memsz, &end))
		return;
	if (im->kim_end == 0 || ph->p_vaddr < im->kim_start)
		im->kim_start = ph->p_vaddr;
	if (end > im->kim_end)
		im->kim_end = end;
}

/* Has the file an id that is loaded? */
static bool
read_segments(Elf *elf, int fd, struct kernel_image *im)
{
	unsigned int budget = NOTES_MAX;
	bool found = false;
	size_t count;
	GElf_Phdr ph;

	if (elf_getphdrnum(elf, &count) != 0)
		return (false);
	for (size_t i = 0; i < count; i++) {
		if (gelf_getphdr(elf, (int)i, &ph) == NULL)
			continue;
		if (ph.p_type == PT_LOAD)
			add_loaded(&ph, im);
		if (ph.p_type == PT_NOTE && !found)
			found = find_note(fd, &ph, &budget, im);
	}
	return (found);
}

/* false: errno says why it cannot be read; 0: it has none. */
static bool
read_file(int fd, struct kernel_image *im)
{
	bool found;
	Elf *elf;

	errno = 0;
	if (elf_version(EV_CURRENT) == EV_NONE ||
	    (elf = elf_begin(fd, ELF_C_READ, NULL)) == NULL)
		return (false);
	found = elf_kind(elf) == ELF_K_ELF && read_segments(elf, fd, im);
	elf_end(elf);
	return (found);
}

/* ---- the dump ---- */

static bool
read_at(kvm_t *kd, const struct kernel_image *im, struct buildid *out)
{
	uint8_t note[NOTE_MAX];
	size_t len = sizeof(note);

	/* The note may be the last thing on its page. */
	while (len > NOTE_ID_OFF &&
	    kvm_read2(kd, im->kim_note_va, note, len) != (kssize_t)len)
		len -= NOTE_ALIGN;
	return (decode((struct span){ note, len }, im->kim_order, out));
}

static bool
search_page(struct span s, enum byte_order order, struct buildid *out)
{
	for (size_t off = 0; off + NOTE_ID_OFF <= s.len; off += NOTE_ALIGN) {
		if (decode((struct span){ s.base + off, s.len - off }, order,
			out))
			return (true);
	}
	return (false);
}

/* A note may begin on one page and end on the next: tail is of the former. */
static bool
search(kvm_t *kd, const struct kernel_image *im, uint64_t *budget,
    struct buildid *out)
{
	kvaddr_t va = im->kim_start & ~(kvaddr_t)(PAGE_LEN - 1);
	uint8_t buf[NOTE_MAX + PAGE_LEN] = { 0 };
	uint8_t *page = buf + NOTE_MAX;
	uint64_t npages = (im->kim_end - va - 1) / PAGE_LEN + 1;

	if (npages > *budget)
		return (false);
	*budget -= npages;
	/* By number: the address after the last page of all is 0. */
	for (; npages > 0; npages--, va += PAGE_LEN) {
		memcpy(buf, page + PAGE_LEN - NOTE_MAX, NOTE_MAX);
		if (kvm_read2(kd, va, page, PAGE_LEN) != PAGE_LEN)
			memset(page, 0, PAGE_LEN);
		if (search_page((struct span){ buf, sizeof(buf) },
			im->kim_order, out))
			return (true);
	}
	return (false);
}

/* ---- both ---- */

static enum buildid_match
no_file_id(void)
{
	return (errno == EIO ? BUILDID_UNREAD : BUILDID_UNKNOWN);
}

static enum buildid_match
compare(kvm_t *kd, const struct kernel_image *im, uint64_t *budget,
    struct buildid *file, struct buildid *dump)
{
	*file = im->kim_id;
	if (!read_at(kd, im, dump) && !search(kd, im, budget, dump))
		return (BUILDID_UNKNOWN);
	if (strcmp(file->bi_text, dump->bi_text) != 0)
		return (BUILDID_OTHER);
	return (BUILDID_SAME);
}

enum buildid_match
buildid_compare(kvm_t *kd, struct buildid *file, struct buildid *dump)
{
	const struct kvm_core *core = kvm_core(kd);
	struct kernel_image im = { .kim_start = 0 };
	uint64_t budget = BUILDID_BUDGET;

	*file = *dump = (struct buildid){ .bi_text = "" };
	if (core == NULL || core->kc_exec_path == NULL)
		return (BUILDID_UNKNOWN);
	im.kim_order = core->kc_order;
	if (!read_file(core->kc_exec_fd, &im))
		return (no_file_id());
	return (compare(kd, &im, &budget, file, dump));
}

enum buildid_match
buildid_compare_module(kvm_t *kd, const struct modfile *mf, uint64_t *budget,
    struct buildid *file, struct buildid *dump)
{
	const struct kvm_core *core = kvm_core(kd);
	struct kernel_image im = { .kim_start = 0 };
	bool found;
	int fd;

	*file = *dump = (struct buildid){ .bi_text = "" };
	if (core == NULL)
		return (BUILDID_UNKNOWN);
	im.kim_order = core->kc_order;
	if ((fd = modfile_reopen(mf)) < 0)
		return (BUILDID_UNREAD);
	found = read_file(fd, &im);
	(void)close(fd);
	if (!found)
		return (no_file_id());
	im.kim_note_va += modfile_start(mf);
	im.kim_start = modfile_start(mf);
	im.kim_end = modfile_end(mf);
	return (compare(kd, &im, budget, file, dump));
}
