/*
 * The kernel's ELF file, read with libelf: see exec.h.
 *
 * Opening reads the header only; symbols are read when the first is asked for.
 */
#include "libkvm/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/bytes.h"
#include "format/elfcore.h"
#include "libkvm/helpcost.h"
#include "libkvm/holes.h"
#include "libkvm/refuse.h"
#include "libkvm/symtab.h"
#include "libkvm/unpack.h"

/* libelf takes 400 bytes for each at once.  Kernels have about a hundred. */
#define SECTIONS_MAX 65536

struct exec {
	char *ex_path; /* owned */
	int ex_fd;     /* owned */
	Elf *ex_elf;   /* owned */
	enum dump_arch ex_arch;
	enum byte_order ex_order;
	uint64_t ex_packed_len;
	struct helpcost *ex_helpcost; /* owned */

	bool ex_loaded;		  /* symbols were asked for */
	bool ex_unreadable;	  /* there may be some, but ... */
	int ex_errno;		  /* why, if the system says so; else 0 */
	struct symtab *ex_symtab; /* owned; NULL: none */

	int ex_read_errno; /* of the first exec_read() that failed so; 0: none */
	uint64_t ex_read_off; /* where: bytes into the file */
	char ex_err[256];
};

static bool fail(struct exec *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static bool
fail(struct exec *ex, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(ex->ex_err, sizeof(ex->ex_err), fmt, ap);
	va_end(ap);
	return (false);
}

/* ---- the file ---- */

static bool
read_header(struct exec *ex)
{
	GElf_Ehdr ehdr;
	unsigned int ptr_len;

	if (elf_kind(ex->ex_elf) != ELF_K_ELF)
		return (fail(ex, "%s", refuse_kernel(ex->ex_fd)));
	if (gelf_getehdr(ex->ex_elf, &ehdr) == NULL)
		return (fail(ex, "%s", elf_errmsg(-1)));
	if (ehdr.e_type == ET_CORE)
		return (fail(ex,
		    "not an executable, as a kernel is, but an ELF core: name the kernel in its place"));
	if (ehdr.e_type != ET_EXEC && ehdr.e_type != ET_DYN)
		return (fail(ex, "not an executable: a kernel is"));
	ptr_len = ehdr.e_ident[EI_CLASS] == ELFCLASS64 ? 8 : 4;
	if (!arch_of_elf(ehdr.e_machine, &ex->ex_arch) ||
	    arch_facts(ex->ex_arch)->af_ptr_len != ptr_len)
		return (fail(ex,
		    "kernel of an architecture that is not supported (ELF machine %u)",
		    ehdr.e_machine));
	ex->ex_order =
	    ehdr.e_ident[EI_DATA] == ELFDATA2MSB ? ORDER_BIG : ORDER_LITTLE;
	return (true);
}

/*
 * How many sections are there, if they are too many for the header, which then
 * says 0?  The size of section 0 is their number.
 */
static uint64_t
count_many_sections(int fd, const uint8_t *ehdr, bool wide,
    enum byte_order order)
{
	uint64_t off = wide ? dec64(order, ehdr + 40) : dec32(order, ehdr + 32);
	uint8_t shdr[64];

	if (dec16(order, ehdr + (wide ? 60 : 48)) != 0 || off > INT64_MAX ||
	    pread(fd, shdr, sizeof(shdr), (off_t)off) != sizeof(shdr))
		return (0);
	return (wide ? dec64(order, shdr + 32) : dec32(order, shdr + 20));
}

/* Refuse a file with more headers than libelf may read. */
static bool
check_counts(struct exec *ex)
{
	enum byte_order order;
	uint8_t ehdr[64];
	bool wide;

	if (pread(ex->ex_fd, ehdr, sizeof(ehdr), 0) != sizeof(ehdr) ||
	    memcmp(ehdr, ELFMAG, SELFMAG) != 0)
		return (true);
	wide = ehdr[EI_CLASS] == ELFCLASS64;
	order = ehdr[EI_DATA] == ELFDATA2MSB ? ORDER_BIG : ORDER_LITTLE;
	if (count_many_sections(ex->ex_fd, ehdr, wide, order) > SECTIONS_MAX)
		return (fail(ex, "more than %d sections", SECTIONS_MAX));
	/* The header says so where section 0 has their number. */
	if (dec16(order, ehdr + (wide ? 56 : 44)) == PN_XNUM)
		return (fail(ex, "more than %d segments", PN_XNUM - 1));
	return (true);
}

static bool
open_elf(struct exec *ex, const char *path)
{
	const struct unpack_how how = { .uh_wanted = elfcore_is,
		.uh_whole = true };
	struct unpacked file;
	int error;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return (fail(ex, "%s", elf_errmsg(-1)));
	error = unpack_open(path, &how, &file, ex->ex_err, sizeof(ex->ex_err));
	if (error != 0) {
		errno = error;
		return (false);
	}
	ex->ex_fd = file.upk_fd;
	ex->ex_packed_len = file.upk_packed_len;
	if (!check_counts(ex))
		return (false);
	/* Not mapped: the file may be cut short while it is open. */
	errno = 0;
	ex->ex_elf = elf_begin(ex->ex_fd, ELF_C_READ, NULL);
	if (ex->ex_elf == NULL)
		return (fail(ex, "%s",
		    errno != 0 ? strerror(errno) : elf_errmsg(-1)));
	/* First what it is: a core may well be a hole. */
	if (!read_header(ex))
		return (false);
	if (holes_is_hollow(ex->ex_fd, HOLES_LEN_MAX))
		return (fail(ex, "nearly all of the file is a hole"));
	return (true);
}

struct exec *
exec_open(const char *path, char *why, size_t len)
{
	struct exec *ex = calloc(1, sizeof(*ex));

	if (ex == NULL || (ex->ex_path = strdup(path)) == NULL) {
		(void)snprintf(why, len, "out of memory");
		free(ex);
		return (NULL);
	}
	ex->ex_fd = -1;
	ex->ex_helpcost = helpcost_create();
	if (!open_elf(ex, path)) {
		int saved = errno;

		(void)snprintf(why, len, "%s", ex->ex_err);
		exec_close(ex);
		errno = saved;
		return (NULL);
	}
	return (ex);
}

void
exec_close(struct exec *ex)
{
	if (ex == NULL)
		return;
	symtab_destroy(ex->ex_symtab);
	helpcost_destroy(ex->ex_helpcost);
	if (ex->ex_elf != NULL)
		(void)elf_end(ex->ex_elf);
	if (ex->ex_fd >= 0)
		(void)close(ex->ex_fd);
	free(ex->ex_path);
	free(ex);
}

kvaddr_t
exec_base(const struct exec *ex)
{
	GElf_Phdr phdr;
	size_t n;

	if (elf_getphdrnum(ex->ex_elf, &n) != 0)
		return (0);
	for (size_t i = 0; i < n && i < INT_MAX; i++) {
		if (gelf_getphdr(ex->ex_elf, (int)i, &phdr) == NULL)
			return (0);
		if (phdr.p_type == PT_LOAD)
			return (phdr.p_vaddr);
	}
	return (0);
}

const char *
exec_path(const struct exec *ex)
{
	return (ex->ex_path);
}

enum dump_arch
exec_arch(const struct exec *ex)
{
	return (ex->ex_arch);
}

enum byte_order
exec_order(const struct exec *ex)
{
	return (ex->ex_order);
}

int
exec_fd(const struct exec *ex)
{
	return (ex->ex_fd);
}

uint64_t
exec_packed_len(const struct exec *ex)
{
	return (ex->ex_packed_len);
}

struct helpcost *
exec_helpcost(const struct exec *ex)
{
	return (ex->ex_helpcost);
}

Elf *
exec_elf(const struct exec *ex)
{
	return (ex->ex_elf);
}

const char *
exec_error(const struct exec *ex)
{
	return (ex->ex_err);
}

/* ---- symbols ---- */

/* Describe section number idx, which is where the file says. */
static void
describe_section(struct exec *ex, size_t idx, struct symtab_section *out)
{
	Elf_Scn *scn = elf_getscn(ex->ex_elf, idx);
	GElf_Shdr shdr;

	*out = (struct symtab_section){ .sts_loaded = false };
	if (scn == NULL || gelf_getshdr(scn, &shdr) == NULL ||
	    (shdr.sh_flags & SHF_ALLOC) == 0 ||
	    __builtin_add_overflow(shdr.sh_addr, shdr.sh_size, &out->sts_end))
		return;
	out->sts_loaded = true;
	out->sts_code = (shdr.sh_flags & SHF_EXECINSTR) != 0;
	out->sts_start = shdr.sh_addr;
}

static struct symtab *
read_symbols(struct exec *ex, const char **why)
{
	struct symtab_section *sections;
	struct symtab *st;
	GElf_Ehdr ehdr;
	size_t n;

	*why = "the section headers cannot be read";
	if (elf_getshdrnum(ex->ex_elf, &n) != 0 ||
	    gelf_getehdr(ex->ex_elf, &ehdr) == NULL ||
	    (n == 0 && ehdr.e_shoff != 0))
		return (NULL);
	*why = "out of memory";
	if ((sections = calloc(n + 1, sizeof(*sections))) == NULL)
		return (NULL);
	for (size_t i = 1; i < n; i++)
		describe_section(ex, i, &sections[i]);
	st = symtab_create(ex->ex_elf, sections, n, why);
	free(sections);
	return (st);
}

bool
exec_load_symbols(struct exec *ex)
{
	const char *why;

	if (ex == NULL)
		return (false);
	if (!ex->ex_loaded) {
		ex->ex_loaded = true;
		errno = 0;
		ex->ex_symtab = read_symbols(ex, &why);
		if (ex->ex_symtab == NULL) {
			ex->ex_errno = errno;
			ex->ex_unreadable = why != symtab_none;
			(void)fail(ex, "%s", why);
		}
	}
	return (ex->ex_symtab != NULL);
}

bool
exec_check_symbols(struct exec *ex)
{
	if (ex == NULL || exec_load_symbols(ex) || !ex->ex_unreadable)
		return (true);
	errno = ex->ex_errno;
	return (false);
}

bool
exec_symbol_find(struct exec *ex, const char *name, struct kvm_symbol *out)
{
	return (exec_load_symbols(ex) && symtab_find(ex->ex_symtab, name, out));
}

bool
exec_symbol_at(struct exec *ex, kvaddr_t va, struct kvm_symbol *out)
{
	return (exec_load_symbols(ex) && symtab_at(ex->ex_symtab, va, out));
}

/* ---- constants ---- */

/* What the file has at off; its section promises that it goes so far. */
static bool
read_at(struct exec *ex, uint64_t off, void *buf, size_t len)
{
	ssize_t n = pread(ex->ex_fd, buf, len, (off_t)off);

	if (n < 0 && ex->ex_read_errno == 0) {
		ex->ex_read_errno = errno;
		ex->ex_read_off = off;
	}
	return (n == (ssize_t)len);
}

bool
exec_read(struct exec *ex, kvaddr_t va, void *buf, size_t len)
{
	Elf_Scn *scn = NULL;

	if (ex == NULL)
		return (false);
	while ((scn = elf_nextscn(ex->ex_elf, scn)) != NULL) {
		GElf_Shdr shdr;
		uint64_t off;

		if (gelf_getshdr(scn, &shdr) == NULL ||
		    shdr.sh_type == SHT_NOBITS ||
		    (shdr.sh_flags & SHF_ALLOC) == 0 || va < shdr.sh_addr)
			continue;
		off = va - shdr.sh_addr;
		if (off > shdr.sh_size || len > shdr.sh_size - off ||
		    __builtin_add_overflow(off, shdr.sh_offset, &off))
			continue;
		return (read_at(ex, off, buf, len));
	}
	return (false);
}

int
exec_read_error(const struct exec *ex, uint64_t *off)
{
	*off = ex->ex_read_off;
	return (ex->ex_read_errno);
}
