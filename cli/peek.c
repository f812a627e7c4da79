/*
 * What a core file says about itself: see peek.h.
 */
#include "cli/peek.h"

#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/open.h"
#include "format/elfcore.h"

#define CHUNK_LEN 16384

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

/* The kernel's file would tell the byte order; only arm has both. */
static bool
decode_minidump(struct span head, struct minidump_hdr *hdr, const char **why)
{
	enum dump_arch arch;

	if (minidump_decode(head, ORDER_LITTLE, hdr, why))
		return (true);
	return (minidump_find_arch(head, &arch) && arch == DUMP_ARM &&
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
	core->kc_ptr_len =
	    hdr->md_arch == DUMP_I386 || hdr->md_arch == DUMP_ARM ? 4 : 8;
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

static const char *
elf_machine_name(const struct elfcore_hdr *hdr)
{
	switch (hdr->eh_machine) {
	case ELFCORE_EM_386:
		return (dump_arch_name(DUMP_I386));
	case ELFCORE_EM_ARM:
		return (dump_arch_name(DUMP_ARM));
	case ELFCORE_EM_X86_64:
		return (dump_arch_name(DUMP_AMD64));
	case ELFCORE_EM_AARCH64:
		return (dump_arch_name(DUMP_ARM64));
	case ELFCORE_EM_RISCV:
		return (dump_arch_name(DUMP_RISCV));
	default:
		return (NULL);
	}
}

/* Add a segment of memory to total.  false: no file is so long. */
static bool
add_segment(const struct elfcore_phdr *ph, uint64_t *total)
{
	return (ph->ph_type != ELFCORE_PT_LOAD ||
	    !__builtin_add_overflow(*total, ph->ph_file_len, total));
}

/* Add up the memory that the program headers describe. */
static int
add_segments(struct peek *peek, const struct elfcore_hdr *hdr)
{
	struct kvm_core *core = &peek->pk_core;
	struct span entry = { .len = hdr->eh_phentsize };
	struct elfcore_phdr ph;
	uint8_t buf[256];
	uint64_t end, longest = 0, total = 0;

	if (entry.len > sizeof(buf))
		entry.len = sizeof(buf);
	entry.base = buf;
	for (unsigned int i = 0; i < hdr->eh_phnum; i++) {
		int status = read_all(peek,
		    hdr->eh_phoff + (uint64_t)i * hdr->eh_phentsize, buf,
		    entry.len, "program headers");

		if (status != EX_OK)
			return (status);
		if (!elfcore_phdr_decode(hdr, entry, &ph) ||
		    __builtin_add_overflow(ph.ph_off, ph.ph_file_len, &end) ||
		    !add_segment(&ph, &total)) {
			warnx("%s: bad program header %u", core->kc_core_path,
			    i);
			return (EX_DATAERR);
		}
		if (ph.ph_type == ELFCORE_PT_LOAD && end > longest)
			longest = end;
	}
	core->kc_npages = total / core->kc_page_size;
	core->kc_file_short = missing(peek, longest);
	return (EX_OK);
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

/* Compressed files have to be unpacked first, which libkvm does. */
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
	/* What opens may be a pipe, that nobody writes to. */
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

/* Say what else the file is. */
static int
refuse(const struct peek *peek, struct span head)
{
	const char *path = peek->pk_core.kc_core_path;
	const char *packing = compression(head);

	if (packing != NULL)
		warnx("%s: compressed with %s: name the kernel with -N, to "
		      "unpack it",
		    path, packing);
	else if (head.len == 0)
		warnx("%s: empty", path);
	else
		warnx("%s: neither a minidump nor an ELF core", path);
	return (EX_DATAERR);
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
	return (refuse(peek, head));
}

int
peek_open(const char *path, struct peek *peek)
{
	struct stat st;
	int status;

	*peek = (struct peek){ .pk_fd = -1 };
	status = open_check(path);
	if (status != EX_OK)
		return (status);
	peek->pk_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (peek->pk_fd == -1 || fstat(peek->pk_fd, &st) != 0) {
		warn("%s", path);
		status = EX_NOINPUT;
	} else {
		peek->pk_core.kc_core_path = path;
		peek->pk_core.kc_file_len = (uint64_t)st.st_size;
		status = peek_any(peek);
	}
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
