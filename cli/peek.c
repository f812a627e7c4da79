/*
 * What a core file says about itself: see peek.h.
 */
#include "cli/peek.h"

#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/open.h"
#include "cli/progress.h"
#include "format/elfcore.h"
#include "format/elfnote.h"
#include "libkvm/refuse.h"
#include "libkvm/segments.h"
#include "libkvm/unpack.h"

#define CHUNK_LEN 16384
#define NOTES_MAX (8 << 20) /* bytes of an ELF core's notes */

/* elf(5): the header's fields that are at one place in both of its classes. */
#define ELF_DATA_OFF 5
#define ELF_DATA_MSB 2
#define ELF_TYPE_OFF 16
#define ELF_ET_EXEC  2
#define ELF_ET_DYN   3

ssize_t
peek_read(const struct peek *peek, uint64_t off, void *buf, size_t len)
{
	size_t done = 0;

	if (off > INT64_MAX - len)
		return (0);
	while (done < len) {
		ssize_t n = pread(peek->pk_fd, (char *)buf + done, len - done,
		    (off_t)(off + done));

		if (n < 0)
			return (-1);
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return ((ssize_t)done);
}

/* Read all len bytes at off.  Returns an exit status. */
static int
read_all(const struct peek *peek, uint64_t off, void *buf, size_t len,
    const char *what)
{
	ssize_t n = peek_read(peek, off, buf, len);

	if (n < 0) {
		warn("%s", peek->pk_core.kc_core_path);
		return (EX_IOERR);
	}
	if ((size_t)n < len) {
		warnx("%s: cut short inside the %s", peek->pk_core.kc_core_path,
		    what);
		return (EX_DATAERR);
	}
	return (EX_OK);
}

/* How much of a file that should have len bytes is missing. */
static uint64_t
missing(const struct peek *peek, uint64_t len)
{
	uint64_t have = peek->pk_core.kc_file_len;

	return (have < len ? len - have : 0);
}

/* ---- minidumps ---- */

static int
count_pages(struct peek *peek)
{
	const struct minidump_hdr *hdr = &peek->pk_hdr;
	uint8_t buf[CHUNK_LEN];
	uint32_t left = hdr->md_bitmap_len;
	uint64_t off = hdr->md_bitmap_off;

	while (left > 0) {
		size_t len = left < CHUNK_LEN ? left : CHUNK_LEN;
		int status = read_all(peek, off, buf, len, "page bitmap");

		if (status != EX_OK)
			return (status);
		for (size_t i = 0; i < len; i++)
			peek->pk_core.kc_npages +=
			    (unsigned int)__builtin_popcount(buf[i]);
		off += len;
		left -= (uint32_t)len;
	}
	return (EX_OK);
}

/* The kernel's file would tell the byte order. */
static bool
decode_minidump(struct span head, struct minidump_hdr *hdr, const char **why)
{
	enum dump_arch arch;

	if (minidump_decode(head, ORDER_LITTLE, hdr, why))
		return (true);
	return (minidump_find_arch(head, &arch) &&
	    arch_facts(arch)->af_big_endian &&
	    minidump_decode(head, ORDER_BIG, hdr, why));
}

static int
peek_minidump(struct peek *peek, struct span head)
{
	struct minidump_hdr *hdr = &peek->pk_hdr;
	struct kvm_core *core = &peek->pk_core;
	const char *why;
	int status;

	if (!decode_minidump(head, hdr, &why)) {
		warnx("%s: %s", core->kc_core_path, why);
		return (EX_DATAERR);
	}
	core->kc_format = "minidump";
	core->kc_arch_name = dump_arch_name(hdr->md_arch);
	core->kc_order = hdr->md_order;
	core->kc_page_size = hdr->md_page_size;
	core->kc_ptr_len = arch_facts(hdr->md_arch)->af_ptr_len;
	core->kc_minidump = hdr;
	status = count_pages(peek);
	if (status != EX_OK)
		return (status);
	if (minidump_has_two_layouts(hdr))
		(void)minidump_choose_layout(hdr, core->kc_npages,
		    core->kc_file_len);
	/* No overflow: less than 2^35 pages, and sections of 32-bit lengths. */
	core->kc_file_short = missing(peek,
	    hdr->md_pages_off + core->kc_npages * hdr->md_page_size);
	return (EX_OK);
}

/* ---- ELF cores ---- */

/* NULL: a machine that is not known. */
static const char *
elf_machine_name(const struct elfcore_hdr *hdr)
{
	enum dump_arch arch;

	return (arch_of_elf(hdr->eh_machine, &arch) ? dump_arch_name(arch) :
						      NULL);
}

static int
bad_phdr(const struct peek *peek, unsigned int i)
{
	warnx("%s: bad program header %u", peek->pk_core.kc_core_path, i);
	return (EX_DATAERR);
}

/* The segments of a core, while its program headers are read. */
struct segments {
	struct elf_segment *sg_list; /* owned */
	size_t sg_n;
	enum segments_gap sg_gap;
	uint64_t sg_end; /* of the file, as far as they say */
};

/* Is there a note of QEMU's among the bytes? */
static bool
has_qemu_note(enum byte_order order, struct span notes)
{
	struct qemu_cpu qc;
	struct elfnote en;

	while (elfnote_next(order, &notes, &en)) {
		if (elfnote_is(&en, "QEMU", 0))
			return (qemu_cpu_decode(en.en_desc, &qc));
	}
	return (false);
}

/* Look into the notes.  Such as cannot be read say nothing. */
static void
peek_notes(struct peek *peek, const struct elfcore_hdr *hdr,
    const struct elfcore_phdr *ph, struct segments *sg)
{
	struct span notes = { .len = (size_t)ph->ph_file_len };
	uint8_t *bytes;

	if (ph->ph_file_len > NOTES_MAX ||
	    (bytes = malloc(notes.len + 1)) == NULL)
		return;
	notes.base = bytes;
	if (peek_read(peek, ph->ph_off, bytes, notes.len) ==
		(ssize_t)notes.len &&
	    has_qemu_note(hdr->eh_order, notes))
		sg->sg_gap = SEGMENTS_GAP_MEMORY;
	free(bytes);
}

/* Add a segment of memory.  false: no file or machine is so long. */
static bool
add_segment(const struct elfcore_phdr *ph, struct segments *sg)
{
	struct elf_segment *seg = &sg->sg_list[sg->sg_n];
	uint64_t end;

	if (__builtin_add_overflow(ph->ph_off, ph->ph_file_len, &end) ||
	    __builtin_add_overflow(ph->ph_pa, ph->ph_file_len, &seg->es_end))
		return (false);
	seg->es_start = ph->ph_pa;
	seg->es_off = ph->ph_off;
	sg->sg_n++;
	if (end > sg->sg_end)
		sg->sg_end = end;
	return (true);
}

/* Read the i'th program header. */
static int
read_phdr(struct peek *peek, const struct elfcore_hdr *hdr, unsigned int i,
    struct elfcore_phdr *ph)
{
	struct span entry = { .len = hdr->eh_phentsize };
	uint8_t buf[256];
	int status;

	if (entry.len > sizeof(buf))
		entry.len = sizeof(buf);
	entry.base = buf;
	status = read_all(peek, hdr->eh_phoff + (uint64_t)i * hdr->eh_phentsize,
	    buf, entry.len, "program headers");
	if (status == EX_OK && !elfcore_phdr_decode(hdr, entry, ph))
		status = bad_phdr(peek, i);
	return (status);
}

static int
read_segments(struct peek *peek, const struct elfcore_hdr *hdr,
    struct segments *sg)
{
	struct elfcore_phdr ph;

	for (unsigned int i = 0; i < hdr->eh_phnum; i++) {
		int status = read_phdr(peek, hdr, i, &ph);

		if (status != EX_OK)
			return (status);
		if (ph.ph_type == ELFCORE_PT_NOTE)
			peek_notes(peek, hdr, &ph, sg);
		else if (ph.ph_type == ELFCORE_PT_LOAD && !add_segment(&ph, sg))
			return (bad_phdr(peek, i));
	}
	return (EX_OK);
}

/* Add up the memory that the program headers describe. */
static int
add_segments(struct peek *peek, const struct elfcore_hdr *hdr)
{
	struct kvm_core *core = &peek->pk_core;
	struct segments sg = { .sg_gap = SEGMENTS_GAP_HOLE };
	int status;

	sg.sg_list = calloc((size_t)hdr->eh_phnum + 1, sizeof(*sg.sg_list));
	if (sg.sg_list == NULL) {
		warnx("out of memory");
		return (EX_OSERR);
	}
	status = read_segments(peek, hdr, &sg);
	if (status == EX_OK &&
	    !segments_join(sg.sg_list, &sg.sg_n, sg.sg_gap)) {
		warnx("%s: memory segments overlap", core->kc_core_path);
		status = EX_DATAERR;
	}
	for (size_t i = 0; status == EX_OK && i < sg.sg_n; i++)
		core->kc_npages +=
		    (sg.sg_list[i].es_end - sg.sg_list[i].es_start) /
		    core->kc_page_size;
	core->kc_file_short = missing(peek, sg.sg_end);
	free(sg.sg_list);
	return (status);
}

static int
peek_elf(struct peek *peek, struct span head)
{
	struct kvm_core *core = &peek->pk_core;
	struct elfcore_hdr hdr;
	const char *why;

	if (!elfcore_decode(head, &hdr, &why)) {
		warnx("%s: %s", core->kc_core_path, why);
		return (EX_DATAERR);
	}
	core->kc_format = "elf";
	core->kc_arch_name = elf_machine_name(&hdr);
	if (core->kc_arch_name == NULL) {
		warnx("%s: an ELF file for an unknown machine: %u",
		    core->kc_core_path, hdr.eh_machine);
		return (EX_DATAERR);
	}
	core->kc_order = hdr.eh_order;
	core->kc_ptr_len = hdr.eh_is64 ? 8 : 4;
	core->kc_page_size = 4096;
	return (add_segments(peek, &hdr));
}

/* ---- any ---- */

/* How the file that starts with head is compressed; NULL: it is not. */
static const char *
compression(struct span head)
{
	static const struct {
		const char *name;
		uint8_t magic[4];
		size_t magic_len;
	} kinds[] = {
		{ "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4 },
		{ "gzip", { 0x1f, 0x8b }, 2 },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (head.len >= kinds[i].magic_len &&
		    memcmp(head.base, kinds[i].magic, kinds[i].magic_len) == 0)
			return (kinds[i].name);
	return (NULL);
}

bool
peek_is_packed(const char *path)
{
	struct peek peek = { .pk_fd = open(path, O_RDONLY | O_CLOEXEC) };
	uint8_t buf[16];
	ssize_t n = 0;

	if (peek.pk_fd != -1)
		n = peek_read(&peek, 0, buf, sizeof(buf));
	peek_close(&peek);
	return (n > 0 && compression((struct span){ buf, (size_t)n }) != NULL);
}

bool
peek_is_program(const char *path)
{
	/* Opening a pipe without a writer would block for ever. */
	struct peek peek = { .pk_fd = open(path,
				 O_RDONLY | O_CLOEXEC | O_NONBLOCK) };
	uint8_t buf[ELF_TYPE_OFF + 2];
	ssize_t n = 0;
	uint16_t type;

	if (peek.pk_fd != -1)
		n = peek_read(&peek, 0, buf, sizeof(buf));
	peek_close(&peek);
	if (n != (ssize_t)sizeof(buf) ||
	    !elfcore_is((struct span){ .base = buf, .len = sizeof(buf) }))
		return (false);
	type =
	    dec16(buf[ELF_DATA_OFF] == ELF_DATA_MSB ? ORDER_BIG : ORDER_LITTLE,
		buf + ELF_TYPE_OFF);
	return (type == ELF_ET_EXEC || type == ELF_ET_DYN);
}

static int
peek_any(struct peek *peek)
{
	uint8_t buf[MINIDUMP_HDR_LEN];
	ssize_t n = peek_read(peek, 0, buf, sizeof(buf));
	struct span head = { .base = buf, .len = n < 0 ? 0 : (size_t)n };

	if (n < 0) {
		warn("%s", peek->pk_core.kc_core_path);
		return (EX_IOERR);
	}
	if (minidump_is(head))
		return (peek_minidump(peek, head));
	if (elfcore_is(head))
		return (peek_elf(peek, head));
	warnx("%s: %s", peek->pk_core.kc_core_path,
	    head.len == 0 ? "empty" :
			    refuse_core(peek->pk_fd, peek->pk_core.kc_file_len,
				peek->pk_core.kc_core_path));
	return (EX_DATAERR);
}

/* Open the file, unpacked if it is compressed.  Returns an exit status. */
static int
open_unpacked(const char *path, struct peek *peek)
{
	struct progress bar;
	struct kvm_progress progress = { .kpr_report = progress_report,
		.kpr_arg = &bar };
	char why[256];
	struct stat st;

	progress_start(&bar, "unpacking", path);
	peek->pk_fd = unpack_open(path, &progress, why, sizeof(why));
	progress_end(&bar);
	if (peek->pk_fd == -1) {
		warnx("%s: %s", path, why);
		return (EX_DATAERR);
	}
	if (fstat(peek->pk_fd, &st) != 0) {
		warn("%s", path);
		return (EX_NOINPUT);
	}
	peek->pk_core.kc_core_path = path;
	peek->pk_core.kc_file_len = (uint64_t)st.st_size;
	return (EX_OK);
}

int
peek_open(const char *path, struct peek *peek)
{
	int status;

	*peek = (struct peek){ .pk_fd = -1 };
	status = open_check(path);
	if (status == EX_OK)
		status = open_unpacked(path, peek);
	if (status == EX_OK)
		status = peek_any(peek);
	if (status != EX_OK)
		peek_close(peek);
	return (status);
}

void
peek_close(struct peek *peek)
{
	if (peek->pk_fd != -1)
		close(peek->pk_fd);
	peek->pk_fd = -1;
}
