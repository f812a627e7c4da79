/*
 * Modules are relocatable objects on most machines: the kernel places each
 * section that takes memory, in the order of the section table, each aligned
 * as it asks for.  On others they are shared objects, moved as a whole.
 */
#include "kdebug/modfile.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A symbol without a size reaches no further than this, bytes. */
#define UNSIZED_MAX 65536

struct modsym {
	kvaddr_t ms_va;
	uint64_t ms_len;     /* bytes; 0: the file does not say */
	const char *ms_name; /* libelf's */
};

struct modfile {
	char *mf_path;
	int mf_fd;
	Elf *mf_elf;
	struct modfile_place mf_place;
	kvaddr_t *mf_section_va; /* of each section; 0: not loaded */
	size_t mf_nsections;
	struct modsym *mf_syms; /* ascending */
	size_t mf_nsyms;
};

/* The path came out of a dump: take nothing that is not a plain file. */
static int
open_plain(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		return (-1);
	}
	return (fd);
}

/* Lay out the sections.  false: the module would not fit its place. */
static bool
place_sections(struct modfile *mf, bool relocatable)
{
	const struct modfile_place *place = &mf->mf_place;
	uint64_t off = 0;

	for (size_t i = 1; i < mf->mf_nsections; i++) {
		Elf_Scn *scn = elf_getscn(mf->mf_elf, i);
		GElf_Shdr shdr;
		uint64_t align;

		if (scn == NULL || gelf_getshdr(scn, &shdr) == NULL)
			return (false);
		if ((shdr.sh_flags & SHF_ALLOC) == 0)
			continue;
		if (!relocatable)
			off = shdr.sh_addr;
		align = shdr.sh_addralign != 0 ? shdr.sh_addralign : 1;
		if ((align & (align - 1)) != 0 || align > place->mp_len)
			return (false);
		off = (off + align - 1) & ~(align - 1);
		if (off > place->mp_len || shdr.sh_size > place->mp_len - off)
			return (false);
		mf->mf_section_va[i] = place->mp_base + off;
		off += shdr.sh_size;
	}
	return (true);
}

static bool
is_code(struct modfile *mf, const GElf_Sym *sym)
{
	Elf_Scn *scn = elf_getscn(mf->mf_elf, sym->st_shndx);
	GElf_Shdr shdr;

	if (GELF_ST_TYPE(sym->st_info) == STT_FUNC)
		return (true);
	return (GELF_ST_TYPE(sym->st_info) == STT_NOTYPE && scn != NULL &&
	    gelf_getshdr(scn, &shdr) != NULL &&
	    (shdr.sh_flags & SHF_EXECINSTR) != 0);
}

/* Take sym, whose name is in string table strndx, if it names code. */
static void
add_symbol(struct modfile *mf, const GElf_Sym *sym, size_t strndx,
    bool relocatable)
{
	kvaddr_t section_va;
	const char *name;

	if (sym->st_shndx == SHN_UNDEF || sym->st_shndx >= mf->mf_nsections)
		return;
	section_va = mf->mf_section_va[sym->st_shndx];
	if (section_va == 0 || !is_code(mf, sym))
		return;
	name = elf_strptr(mf->mf_elf, strndx, sym->st_name);
	if (name == NULL || name[0] == '\0' || name[0] == '$')
		return;
	mf->mf_syms[mf->mf_nsyms++] = (struct modsym){
		.ms_va = sym->st_value +
		    (relocatable ? section_va : mf->mf_place.mp_base),
		.ms_len = sym->st_size,
		.ms_name = name,
	};
}

static int
compare_syms(const void *a, const void *b)
{
	const struct modsym *x = a, *y = b;

	if (x->ms_va != y->ms_va)
		return (x->ms_va < y->ms_va ? -1 : 1);
	/* One that has a size is the better name: it comes last. */
	return (x->ms_len < y->ms_len ? -1 : x->ms_len > y->ms_len);
}

static Elf_Scn *
find_symtab(Elf *elf, GElf_Shdr *shdr)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(elf, scn)) != NULL) {
		if (gelf_getshdr(scn, shdr) != NULL &&
		    shdr->sh_type == SHT_SYMTAB)
			return (scn);
	}
	return (NULL);
}

/* A module without symbols is not an error: it has no names to give. */
static bool
load_symbols(struct modfile *mf, bool relocatable)
{
	GElf_Shdr shdr;
	Elf_Scn *scn = find_symtab(mf->mf_elf, &shdr);
	Elf_Data *data = scn != NULL ? elf_getdata(scn, NULL) : NULL;
	size_t n;

	if (data == NULL || data->d_buf == NULL)
		return (true);
	n = data->d_size / gelf_fsize(mf->mf_elf, ELF_T_SYM, 1, EV_CURRENT);
	if (n == 0 || n > INT32_MAX)
		return (true);
	mf->mf_syms = calloc(n, sizeof(*mf->mf_syms));
	if (mf->mf_syms == NULL)
		return (false);
	for (size_t i = 1; i < n; i++) {
		GElf_Sym sym;

		if (gelf_getsym(data, (int)i, &sym) != NULL)
			add_symbol(mf, &sym, shdr.sh_link, relocatable);
	}
	qsort(mf->mf_syms, mf->mf_nsyms, sizeof(*mf->mf_syms), compare_syms);
	return (true);
}

static const char *
load(struct modfile *mf)
{
	int class = mf->mf_place.mp_ptr_len == 8 ? ELFCLASS64 : ELFCLASS32;
	bool relocatable;
	GElf_Ehdr ehdr;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return ("libelf is too old");
	mf->mf_elf = elf_begin(mf->mf_fd, ELF_C_READ, NULL);
	if (mf->mf_elf == NULL || elf_kind(mf->mf_elf) != ELF_K_ELF ||
	    gelf_getehdr(mf->mf_elf, &ehdr) == NULL ||
	    elf_getshdrnum(mf->mf_elf, &mf->mf_nsections) != 0)
		return ("not an ELF file");
	if (gelf_getclass(mf->mf_elf) != class)
		return ("for another machine");
	relocatable = ehdr.e_type == ET_REL;
	mf->mf_section_va =
	    calloc(mf->mf_nsections + 1, sizeof(*mf->mf_section_va));
	if (mf->mf_section_va == NULL)
		return ("out of memory");
	if (!place_sections(mf, relocatable))
		return ("larger than the module in the dump");
	if (!load_symbols(mf, relocatable))
		return ("out of memory");
	return (NULL);
}

struct modfile *
modfile_open(const char *path, const struct modfile_place *place,
    const char **why)
{
	int fd = open_plain(path);
	struct modfile *mf;

	*why = NULL;
	if (fd < 0)
		return (NULL);
	mf = calloc(1, sizeof(*mf));
	if (mf == NULL) {
		close(fd);
		*why = "out of memory";
		return (NULL);
	}
	mf->mf_fd = fd;
	mf->mf_place = *place;
	mf->mf_path = strdup(path);
	*why = mf->mf_path != NULL ? load(mf) : "out of memory";
	if (*why != NULL) {
		modfile_close(mf);
		return (NULL);
	}
	return (mf);
}

void
modfile_close(struct modfile *mf)
{
	if (mf == NULL)
		return;
	if (mf->mf_elf != NULL)
		elf_end(mf->mf_elf);
	close(mf->mf_fd);
	free(mf->mf_syms);
	free(mf->mf_section_va);
	free(mf->mf_path);
	free(mf);
}

/* The last symbol at or below va; NULL: none. */
static const struct modsym *
last_at(const struct modfile *mf, kvaddr_t va)
{
	size_t low = 0, high = mf->mf_nsyms;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (mf->mf_syms[mid].ms_va <= va)
			low = mid + 1;
		else
			high = mid;
	}
	return (low > 0 ? &mf->mf_syms[low - 1] : NULL);
}

bool
modfile_symbol_at(const struct modfile *mf, kvaddr_t va, const char **name,
    kvaddr_t *start)
{
	const struct modsym *ms = last_at(mf, va);

	if (ms == NULL ||
	    va - ms->ms_va >= (ms->ms_len != 0 ? ms->ms_len : UNSIZED_MAX))
		return (false);
	*name = ms->ms_name;
	*start = ms->ms_va;
	return (true);
}

kvaddr_t
modfile_section_va(const struct modfile *mf, size_t ndx)
{
	return (ndx < mf->mf_nsections ? mf->mf_section_va[ndx] : 0);
}

const char *
modfile_path(const struct modfile *mf)
{
	return (mf->mf_path);
}

int
modfile_fd(const struct modfile *mf)
{
	return (mf->mf_fd);
}

kvaddr_t
modfile_start(const struct modfile *mf)
{
	return (mf->mf_place.mp_base);
}

kvaddr_t
modfile_end(const struct modfile *mf)
{
	return (mf->mf_place.mp_base + mf->mf_place.mp_len);
}
