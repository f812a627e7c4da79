/*
 * Modules are relocatable objects on most machines, which the kernel places
 * section by section, or shared objects, which it moves as a whole.
 *
 * Which sections of a relocatable object it places, and how: FreeBSD's
 * sys/kern/link_elf_obj.c, link_elf_load_file(), and the loader's
 * stand/common/load_elf_obj.c.  One is not placed because it asks for memory
 * (SHF_ALLOC), but because of its type too: a note is left out, as is what has
 * no bytes, without regard to its alignment.
 */
#include "kdebug/modfile.h"

#include <sys/stat.h>

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libkvm/holes.h"
#include "libkvm/plainfile.h"
#include "libkvm/symtab.h"

/* No module has as many, and a search for one takes time. */
#define SECTIONS_MAX 16384

/* Bytes; sections with longer names are left out. */
#define SECTION_NAME_MAX 255

/*
 * Bytes of a file that may be all hole.  A dump can name thousands of files, and
 * what was read of each stays in memory.
 */
#define HOLLOW_LEN_MAX 65536

struct modfile {
	char *mf_path;
	int mf_fd; /* -1: all was read */
	dev_t mf_dev;
	ino_t mf_ino;
	Elf *mf_elf;
	struct modfile_place mf_place;
	GElf_Ehdr mf_ehdr;
	const Elf_Data *mf_names; /* of sections; libelf's; NULL: unreadable */
	struct symtab_section *mf_sections;
	size_t mf_nsections;
	struct symtab *mf_symtab; /* NULL: it has no symbols */
};

/* The strings that the sections have as names; NULL: they cannot be read. */
static const Elf_Data *
read_names(Elf *elf)
{
	Elf_Scn *scn;
	GElf_Shdr shdr;
	size_t ndx;

	if (elf_getshdrstrndx(elf, &ndx) != 0 ||
	    (scn = elf_getscn(elf, ndx)) == NULL ||
	    gelf_getshdr(scn, &shdr) == NULL || shdr.sh_type != SHT_STRTAB ||
	    (shdr.sh_flags & SHF_COMPRESSED) != 0)
		return (NULL);
	return (elf_getdata(scn, NULL));
}

/* NULL: it has none that can be read, or one that is too long. */
static const char *
section_name(const struct modfile *mf, const GElf_Shdr *shdr)
{
	return (symtab_string(mf->mf_names, shdr->sh_name, SECTION_NAME_MAX));
}

/*
 * The variables of each CPU (DPCPU) and of each network stack (VNET): the
 * kernel moves the section to memory of its own.
 */
static bool
is_moved(const struct modfile *mf, const GElf_Shdr *shdr)
{
	const char *name = section_name(mf, shdr);

	return (name != NULL &&
	    (strcmp(name, "set_pcpu") == 0 || strcmp(name, "set_vnet") == 0));
}

static bool
is_placed(const struct modfile *mf, const GElf_Shdr *shdr)
{
	if ((shdr->sh_flags & SHF_ALLOC) == 0 || shdr->sh_size == 0)
		return (false);
	switch (shdr->sh_type) {
	case SHT_PROGBITS:
	case SHT_NOBITS:
	case SHT_INIT_ARRAY:
	case SHT_FINI_ARRAY:
		return (true);
	default:
		return (mf->mf_place.mfp_unwind != 0 &&
		    shdr->sh_type == mf->mf_place.mfp_unwind);
	}
}

/* A relocatable object's section goes to the next aligned address after off. */
static bool
align_section(const struct modfile *mf, const GElf_Shdr *shdr, uint64_t *off)
{
	const struct modfile_place *place = &mf->mf_place;
	uint64_t align = shdr->sh_addralign != 0 ? shdr->sh_addralign : 1;
	uint64_t pad = -(place->mfp_base + *off) & (align - 1);

	if ((align & (align - 1)) != 0 || pad > place->mfp_len - *off)
		return (false);
	*off += pad;
	return (true);
}

/* Place the section, whose end *off then is.  false: it does not fit. */
static bool
place_section(struct modfile *mf, size_t idx, const GElf_Shdr *shdr,
    uint64_t *off)
{
	const struct modfile_place *place = &mf->mf_place;
	struct symtab_section *sts = &mf->mf_sections[idx];
	bool relocatable = mf->mf_ehdr.e_type == ET_REL;

	if (relocatable && !align_section(mf, shdr, off))
		return (false);
	if (!relocatable)
		*off = shdr->sh_addr;
	if (*off > place->mfp_len || shdr->sh_size > place->mfp_len - *off)
		return (false);
	sts->sts_loaded = !is_moved(mf, shdr);
	sts->sts_code = (shdr->sh_flags & SHF_EXECINSTR) != 0;
	sts->sts_start = place->mfp_base + *off;
	sts->sts_end = sts->sts_start + shdr->sh_size;
	sts->sts_bias = relocatable ? sts->sts_start : place->mfp_base;
	*off += shdr->sh_size;
	return (true);
}

static const char *
place_sections(struct modfile *mf)
{
	bool relocatable = mf->mf_ehdr.e_type == ET_REL;
	uint64_t off = 0;

	for (size_t i = 1; i < mf->mf_nsections; i++) {
		Elf_Scn *scn = elf_getscn(mf->mf_elf, i);
		GElf_Shdr shdr;

		if (scn == NULL || gelf_getshdr(scn, &shdr) == NULL)
			return ("its section headers cannot be read");
		if (relocatable ? !is_placed(mf, &shdr) :
				  (shdr.sh_flags & SHF_ALLOC) == 0)
			continue;
		if (!place_section(mf, i, &shdr, &off))
			return ("larger than the module in the dump");
	}
	return (NULL);
}

/*
 * Could the kernel have loaded the file?  The path may lead to a module of this
 * host's own, which can be another machine than the dumped one.  NULL: it could.
 */
static const char *
check_header(const struct modfile *mf)
{
	const struct modfile_place *place = &mf->mf_place;
	int class = place->mfp_ptr_len == 8 ? ELFCLASS64 : ELFCLASS32;
	int data = place->mfp_order == ORDER_LITTLE ? ELFDATA2LSB : ELFDATA2MSB;

	if (mf->mf_ehdr.e_ident[EI_CLASS] != class ||
	    mf->mf_ehdr.e_ident[EI_DATA] != data ||
	    mf->mf_ehdr.e_machine != place->mfp_machine)
		return ("for another machine");
	if (mf->mf_ehdr.e_type != ET_REL && mf->mf_ehdr.e_type != ET_DYN)
		return ("not a module");
	return (NULL);
}

/* Was it the system that did not read the file, and not the file's fault? */
static bool
is_refused(int error)
{
	return (error == EIO || error == ENOMEM);
}

static const char *
load(struct modfile *mf)
{
	const char *why;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return ("libelf is too old");
	if (holes_is_hollow(mf->mf_fd, HOLLOW_LEN_MAX))
		return ("nearly all of the file is a hole");
	errno = 0;
	mf->mf_elf = elf_begin(mf->mf_fd, ELF_C_READ, NULL);
	if (mf->mf_elf == NULL || elf_kind(mf->mf_elf) != ELF_K_ELF ||
	    gelf_getehdr(mf->mf_elf, &mf->mf_ehdr) == NULL ||
	    elf_getshdrnum(mf->mf_elf, &mf->mf_nsections) != 0)
		return (is_refused(errno) ? "the file cannot be read" :
					    "not an ELF file");
	if ((why = check_header(mf)) != NULL)
		return (why);
	if (mf->mf_nsections > SECTIONS_MAX)
		return ("too many sections");
	mf->mf_sections =
	    calloc(mf->mf_nsections + 1, sizeof(*mf->mf_sections));
	if (mf->mf_sections == NULL)
		return ("out of memory");
	mf->mf_names = read_names(mf->mf_elf);
	if (is_refused(errno))
		return ("the names of its sections cannot be read");
	if ((why = place_sections(mf)) != NULL)
		return (why);
	/* A module without symbols is not an error: it has no names to give. */
	errno = 0;
	mf->mf_symtab =
	    symtab_create(mf->mf_elf, mf->mf_sections, mf->mf_nsections, &why);
	if (mf->mf_symtab == NULL && is_refused(errno))
		return ("the symbols cannot be read");
	return (NULL);
}

/* All is read that libelf will be asked for. */
static void
let_go(struct modfile *mf)
{
	(void)elf_cntl(mf->mf_elf, ELF_C_FDDONE);
	(void)close(mf->mf_fd);
	mf->mf_fd = -1;
}

/* Put the file behind fd, which is ours, into a new modfile. */
static struct modfile *
adopt(int fd, const char *path, const struct modfile_place *place)
{
	struct modfile *mf = calloc(1, sizeof(*mf));
	struct stat st;

	if (mf == NULL) {
		(void)close(fd);
		return (NULL);
	}
	mf->mf_fd = fd;
	mf->mf_place = *place;
	mf->mf_path = strdup(path);
	if (mf->mf_path != NULL && fstat(fd, &st) == 0) {
		mf->mf_dev = st.st_dev;
		mf->mf_ino = st.st_ino;
		return (mf);
	}
	modfile_close(mf);
	return (NULL);
}

struct modfile *
modfile_open(const char *path, const struct modfile_place *place,
    const char **why)
{
	int fd = plainfile_open(path);
	struct modfile *mf = fd < 0 ? NULL : adopt(fd, path, place);
	int error;

	if (mf == NULL) {
		*why = errno == ENOENT ? NULL : strerror(errno);
		return (NULL);
	}
	errno = 0;
	*why = load(mf);
	if (*why == NULL) {
		let_go(mf);
		return (mf);
	}
	error = is_refused(errno) ? errno : 0;
	modfile_close(mf);
	errno = error;
	return (NULL);
}

void
modfile_close(struct modfile *mf)
{
	if (mf == NULL)
		return;
	symtab_destroy(mf->mf_symtab);
	if (mf->mf_elf != NULL)
		elf_end(mf->mf_elf);
	if (mf->mf_fd >= 0)
		(void)close(mf->mf_fd);
	free(mf->mf_sections);
	free(mf->mf_path);
	free(mf);
}

bool
modfile_symbol_find(const struct modfile *mf, const char *name,
    struct kvm_symbol *out)
{
	return (mf->mf_symtab != NULL && symtab_find(mf->mf_symtab, name, out));
}

bool
modfile_symbol_at(const struct modfile *mf, kvaddr_t va, struct kvm_symbol *out)
{
	return (mf->mf_symtab != NULL && symtab_at(mf->mf_symtab, va, out));
}

bool
modfile_next_section(const struct modfile *mf, size_t *ndx, const char **name,
    kvaddr_t *va)
{
	while (++*ndx < mf->mf_nsections) {
		GElf_Shdr shdr;

		if (!mf->mf_sections[*ndx].sts_loaded ||
		    gelf_getshdr(elf_getscn(mf->mf_elf, *ndx), &shdr) == NULL)
			continue;
		*name = section_name(mf, &shdr);
		*va = mf->mf_sections[*ndx].sts_start;
		if (*name != NULL)
			return (true);
	}
	return (false);
}

size_t
modfile_section_find(const struct modfile *mf, const char *name, kvaddr_t *va,
    uint64_t *len)
{
	const char *other;
	size_t ndx = 0;

	while (modfile_next_section(mf, &ndx, &other, va)) {
		if (strcmp(other, name) == 0) {
			*len = mf->mf_sections[ndx].sts_end - *va;
			return (ndx);
		}
	}
	return (0);
}

const char *
modfile_path(const struct modfile *mf)
{
	return (mf->mf_path);
}

int
modfile_reopen(const struct modfile *mf)
{
	int fd = plainfile_open(mf->mf_path);
	struct stat st;

	if (fd < 0 ||
	    (fstat(fd, &st) == 0 && st.st_dev == mf->mf_dev &&
		st.st_ino == mf->mf_ino))
		return (fd);
	(void)close(fd);
	errno = ESTALE;
	return (-1);
}

bool
modfile_is_relocatable(const struct modfile *mf)
{
	return (mf->mf_ehdr.e_type == ET_REL);
}

kvaddr_t
modfile_start(const struct modfile *mf)
{
	return (mf->mf_place.mfp_base);
}

kvaddr_t
modfile_end(const struct modfile *mf)
{
	return (mf->mf_place.mfp_base + mf->mf_place.mfp_len);
}
