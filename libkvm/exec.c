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

#include "libkvm/unpack.h"

#define NAME_MAX_LEN 4095 /* bytes; symbols with longer names are left out */

struct symbol {
	const char *sy_name; /* libelf's, until elf_end() */
	kvaddr_t sy_va;
	uint64_t sy_len;
	kvaddr_t sy_limit; /* of its section; 0: it is in none */
	bool sy_global;
};

struct exec {
	char *ex_path; /* owned */
	int ex_fd;     /* owned */
	Elf *ex_elf;   /* owned */
	enum dump_arch ex_arch;
	enum byte_order ex_order;
	unsigned int ex_ptr_len;

	bool ex_loaded;		/* symbols were asked for */
	struct symbol *ex_syms; /* owned */
	size_t ex_nsyms;
	size_t ex_size;	      /* allocated */
	uint32_t *ex_by_name; /* owned; hash table of index + 1, 0: empty */
	size_t ex_name_mask;
	const struct symbol *
	    *ex_by_va; /* owned; those in sections, ascending */
	size_t ex_nby_va;
	char ex_err[256];
};

static const struct {
	uint16_t machine;
	uint8_t elf_class;
	enum dump_arch arch;
} machines[] = {
	{ EM_386, ELFCLASS32, DUMP_I386 },
	{ EM_AARCH64, ELFCLASS64, DUMP_ARM64 },
	{ EM_ARM, ELFCLASS32, DUMP_ARM },
	{ EM_RISCV, ELFCLASS64, DUMP_RISCV },
	{ EM_X86_64, ELFCLASS64, DUMP_AMD64 },
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

	if (elf_kind(ex->ex_elf) != ELF_K_ELF)
		return (fail(ex, "not an ELF file"));
	if (gelf_getehdr(ex->ex_elf, &ehdr) == NULL)
		return (fail(ex, "%s", elf_errmsg(-1)));
	if (ehdr.e_type != ET_EXEC && ehdr.e_type != ET_DYN)
		return (fail(ex, "not an executable: a kernel is"));
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		if (machines[i].machine != ehdr.e_machine ||
		    machines[i].elf_class != ehdr.e_ident[EI_CLASS])
			continue;
		ex->ex_arch = machines[i].arch;
		ex->ex_ptr_len = ehdr.e_ident[EI_CLASS] == ELFCLASS64 ? 8 : 4;
		ex->ex_order = ehdr.e_ident[EI_DATA] == ELFDATA2MSB ?
		    ORDER_BIG :
		    ORDER_LITTLE;
		return (true);
	}
	return (fail(ex,
	    "kernel of an architecture that is not supported (ELF machine %u)",
	    ehdr.e_machine));
}

static bool
open_elf(struct exec *ex, const char *path)
{
	if (elf_version(EV_CURRENT) == EV_NONE)
		return (fail(ex, "%s", elf_errmsg(-1)));
	ex->ex_fd = unpack_open(path, NULL, ex->ex_err, sizeof(ex->ex_err));
	if (ex->ex_fd < 0)
		return (false);
	/* Not mapped: the file may be cut short while it is open. */
	ex->ex_elf = elf_begin(ex->ex_fd, ELF_C_READ, NULL);
	if (ex->ex_elf == NULL)
		return (fail(ex, "%s", elf_errmsg(-1)));
	return (read_header(ex));
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
	if (!open_elf(ex, path)) {
		(void)snprintf(why, len, "%s", ex->ex_err);
		exec_close(ex);
		return (NULL);
	}
	return (ex);
}

void
exec_close(struct exec *ex)
{
	if (ex == NULL)
		return;
	if (ex->ex_elf != NULL)
		(void)elf_end(ex->ex_elf);
	if (ex->ex_fd >= 0)
		(void)close(ex->ex_fd);
	free(ex->ex_by_va);
	free(ex->ex_by_name);
	free(ex->ex_syms);
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

unsigned int
exec_ptr_len(const struct exec *ex)
{
	return (ex->ex_ptr_len);
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

/* ---- reading the symbol table ---- */

/* Where the section ends that a symbol is in; 0: in none that is loaded. */
static kvaddr_t
section_limit(struct exec *ex, const GElf_Sym *sym)
{
	GElf_Shdr shdr;
	Elf_Scn *scn;

	if (sym->st_shndx == SHN_UNDEF || sym->st_shndx >= SHN_LORESERVE)
		return (0);
	if ((scn = elf_getscn(ex->ex_elf, sym->st_shndx)) == NULL ||
	    gelf_getshdr(scn, &shdr) == NULL ||
	    (shdr.sh_flags & SHF_ALLOC) == 0)
		return (0);
	if (sym->st_value < shdr.sh_addr ||
	    sym->st_value - shdr.sh_addr > shdr.sh_size)
		return (0);
	return (shdr.sh_addr + shdr.sh_size);
}

/*
 * Mapping symbols ($a, $x, $d) of the ARMs and RISC-V mark code, not names.
 * Names may overlap in the file, so their length is bounded too.
 */
static bool
is_wanted(const GElf_Sym *sym, const char *name)
{
	unsigned int type = GELF_ST_TYPE(sym->st_info);

	return (sym->st_shndx != SHN_UNDEF && name != NULL && name[0] != '\0' &&
	    name[0] != '$' && strnlen(name, NAME_MAX_LEN + 1) <= NAME_MAX_LEN &&
	    (type == STT_NOTYPE || type == STT_OBJECT || type == STT_FUNC));
}

static bool
add_symbol(struct exec *ex, const GElf_Sym *sym, const char *name)
{
	if (ex->ex_nsyms == ex->ex_size) {
		size_t size = ex->ex_size == 0 ? 1024 : 2 * ex->ex_size;
		struct symbol *syms = NULL;

		if (size <= UINT32_MAX / 4)
			syms = realloc(ex->ex_syms, size * sizeof(*syms));
		if (syms == NULL)
			return (fail(ex, "too many symbols"));
		ex->ex_syms = syms;
		ex->ex_size = size;
	}
	ex->ex_syms[ex->ex_nsyms++] = (struct symbol){
		.sy_name = name,
		.sy_va = sym->st_value,
		.sy_len = sym->st_size,
		.sy_limit = section_limit(ex, sym),
		.sy_global = GELF_ST_BIND(sym->st_info) != STB_LOCAL,
	};
	return (true);
}

static bool
read_symtab(struct exec *ex, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t nsyms;

	if (data == NULL || shdr->sh_entsize == 0)
		return (fail(ex, "symbol table cannot be read: %s",
		    data == NULL ? elf_errmsg(-1) : "no entry size"));
	nsyms = data->d_size / (size_t)shdr->sh_entsize;
	for (size_t i = 0; i < nsyms && i <= INT32_MAX; i++) {
		const char *name;
		GElf_Sym sym;

		if (gelf_getsym(data, (int)i, &sym) == NULL)
			break;
		name = elf_strptr(ex->ex_elf, shdr->sh_link, sym.st_name);
		if (is_wanted(&sym, name) && !add_symbol(ex, &sym, name))
			return (false);
	}
	return (true);
}

/* There is one in a file; more could all be the same bytes. */
static bool
read_first_symtab(struct exec *ex)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(ex->ex_elf, scn)) != NULL) {
		GElf_Shdr shdr;

		if (gelf_getshdr(scn, &shdr) != NULL &&
		    shdr.sh_type == SHT_SYMTAB)
			return (read_symtab(ex, scn, &shdr));
	}
	return (fail(ex, "no symbol table"));
}

/* ---- finding symbols ---- */

static size_t
hash_name(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (; *name != '\0'; name++)
		hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return ((size_t)(hash ^ hash >> 32));
}

/* The slot of name: that of the symbol, or an empty one. */
static uint32_t *
name_slot(struct exec *ex, const char *name)
{
	size_t i = hash_name(name) & ex->ex_name_mask;

	while (ex->ex_by_name[i] != 0 &&
	    strcmp(ex->ex_syms[ex->ex_by_name[i] - 1].sy_name, name) != 0)
		i = (i + 1) & ex->ex_name_mask;
	return (&ex->ex_by_name[i]);
}

/* Of symbols with the same name the first global one counts, else the first. */
static bool
index_by_name(struct exec *ex)
{
	size_t size = 16;

	while (size < 2 * ex->ex_nsyms)
		size *= 2;
	if ((ex->ex_by_name = calloc(size, sizeof(*ex->ex_by_name))) == NULL)
		return (fail(ex, "out of memory"));
	ex->ex_name_mask = size - 1;
	for (size_t i = 0; i < ex->ex_nsyms; i++) {
		uint32_t *slot = name_slot(ex, ex->ex_syms[i].sy_name);

		if (*slot == 0 ||
		    (ex->ex_syms[i].sy_global &&
			!ex->ex_syms[*slot - 1].sy_global))
			*slot = (uint32_t)i + 1;
	}
	return (true);
}

static int
compare_va(const void *a, const void *b)
{
	const struct symbol *x = *(const struct symbol *const *)a;
	const struct symbol *y = *(const struct symbol *const *)b;

	if (x->sy_va != y->sy_va)
		return (x->sy_va < y->sy_va ? -1 : 1);
	/* Of two at one address, the global one is found: it comes last. */
	if (x->sy_global != y->sy_global)
		return (x->sy_global ? 1 : -1);
	return (x < y ? 1 : x > y ? -1 : 0);
}

static bool
index_by_va(struct exec *ex)
{
	ex->ex_by_va = calloc(ex->ex_nsyms + 1, sizeof(const struct symbol *));
	if (ex->ex_by_va == NULL)
		return (fail(ex, "out of memory"));
	for (size_t i = 0; i < ex->ex_nsyms; i++)
		if (ex->ex_syms[i].sy_limit != 0)
			ex->ex_by_va[ex->ex_nby_va++] = &ex->ex_syms[i];
	qsort(ex->ex_by_va, ex->ex_nby_va, sizeof(const struct symbol *),
	    compare_va);
	return (true);
}

bool
exec_load_symbols(struct exec *ex)
{
	if (!ex->ex_loaded) {
		ex->ex_loaded = true;
		if (!read_first_symtab(ex) || !index_by_name(ex)) {
			free(ex->ex_by_name);
			ex->ex_by_name = NULL;
		}
	}
	return (ex->ex_by_name != NULL);
}

static void
describe(const struct symbol *sym, struct kvm_symbol *out)
{
	*out = (struct kvm_symbol){ .ks_name = sym->sy_name,
		.ks_va = sym->sy_va,
		.ks_len = sym->sy_len };
}

bool
exec_symbol_find(struct exec *ex, const char *name, struct kvm_symbol *out)
{
	uint32_t idx;

	if (!exec_load_symbols(ex) || (idx = *name_slot(ex, name)) == 0)
		return (false);
	describe(&ex->ex_syms[idx - 1], out);
	return (true);
}

bool
exec_symbol_at(struct exec *ex, kvaddr_t va, struct kvm_symbol *out)
{
	const struct symbol *sym;
	size_t lo = 0;
	size_t hi;

	if (!exec_load_symbols(ex) ||
	    (ex->ex_by_va == NULL && !index_by_va(ex)))
		return (false);
	hi = ex->ex_nby_va;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (ex->ex_by_va[mid]->sy_va <= va)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0)
		return (false);
	sym = ex->ex_by_va[lo - 1];
	if (va >= sym->sy_limit ||
	    (sym->sy_len != 0 && va - sym->sy_va >= sym->sy_len))
		return (false);
	describe(sym, out);
	return (true);
}

/* ---- constants ---- */

bool
exec_read(struct exec *ex, kvaddr_t va, void *buf, size_t len)
{
	Elf_Scn *scn = NULL;

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
		return (pread(ex->ex_fd, buf, len, (off_t)off) == (ssize_t)len);
	}
	return (false);
}
