/*
 * The kernel's ELF file: its text and constants as in memory, its data as
 * they were before it ran, and its symbols.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/gen/gen.h"

#define INTERP "/red/herring"

enum {
	KF_NULL,
	KF_TEXT,
	KF_RODATA,
	KF_INTERP,
	KF_DATA,
	KF_BSS,
	KF_SYMTAB,
	KF_STRTAB,
	KF_SHSTRTAB,
};

static const char section_names[] = "\0.text\0.rodata\0.interp\0.data\0.bss\0"
				    ".symtab\0.strtab\0.shstrtab\0.dynsym";

/* One section to add. */
struct kf_section {
	const char *name;
	unsigned type;
	unsigned flags;
	uint64_t va;
	uint64_t len;
	uint8_t *bytes;
};

/* The file in the making. */
struct kernfile {
	struct gen *g;
	Elf *elf;
	uint8_t *bytes[SEC_NSECTIONS]; /* of the image's sections */
	uint8_t *syms;
	uint8_t *strings;
	size_t strings_len;
	char interp[sizeof(INTERP)];
};

static unsigned
kf_name(const char *name)
{
	const char *p = section_names;

	while (strcmp(p, name) != 0)
		p += strlen(p) + 1;
	return ((unsigned)(p - section_names));
}

/* Returns the section's data, or NULL. */
static Elf_Data *
kf_add(struct kernfile *kf, const struct kf_section *section)
{
	Elf_Scn *scn = elf_newscn(kf->elf);
	Elf_Data *data;
	GElf_Shdr shdr;

	if (scn == NULL || (data = elf_newdata(scn)) == NULL ||
	    gelf_getshdr(scn, &shdr) == NULL)
		return (NULL);
	data->d_buf = section->bytes;
	data->d_size = (size_t)section->len;
	data->d_type =
	    section->type == SHT_SYMTAB || section->type == SHT_DYNSYM ?
	    ELF_T_SYM :
	    ELF_T_BYTE;
	data->d_align = 16;
	data->d_version = EV_CURRENT;
	shdr.sh_name = kf_name(section->name);
	shdr.sh_type = section->type;
	shdr.sh_flags = section->flags;
	shdr.sh_addr = section->va;
	return (gelf_update_shdr(scn, &shdr) != 0 ? data : NULL);
}

/* The image's text and constants are in the file as they are in memory. */
static uint8_t *
kf_image_bytes(const struct gen *g, enum section section)
{
	uint64_t va = g->g_image.sec_va[section];
	uint64_t len = g->g_image.sec_len[section], size = gen_page_size(g);
	uint64_t pa = va - g->g_lay.gl_image_va + g->g_lay.gl_image_pa;
	uint8_t *p = gen_zalloc(1, (size_t)len);

	if (section == SEC_TEXT || section == SEC_RODATA)
		for (uint64_t off = 0; off < len; off += size)
			phys_copy(g, pa + off, p + off, (size_t)size);
	return (p);
}

static bool
kf_add_image(struct kernfile *kf, const char *name, enum section section,
    unsigned flags)
{
	const struct kimage *image = &kf->g->g_image;
	struct kf_section add = {
		.name = name,
		.type = section == SEC_BSS ? SHT_NOBITS : SHT_PROGBITS,
		.flags = SHF_ALLOC | flags,
		.va = image->sec_va[section],
		.len = image->sec_len[section],
	};

	add.bytes = kf->bytes[section] = kf_image_bytes(kf->g, section);
	return (kf_add(kf, &add) != NULL);
}

static size_t
kf_add_string(struct kernfile *kf, const char *name)
{
	size_t at = kf->strings_len, len = strlen(name) + 1;

	memcpy(kf->strings + at, name, len);
	kf->strings_len += len;
	return (at);
}

static bool
kf_put_symbol(struct kernfile *kf, Elf_Data *data, int n,
    const struct symbol *sym)
{
	static const struct {
		unsigned char type;
		GElf_Section index;
	} kinds[SEC_NSECTIONS] = {
		[SEC_ABS] = { STT_NOTYPE, SHN_ABS },
		[SEC_TEXT] = { STT_FUNC, KF_TEXT },
		[SEC_RODATA] = { STT_OBJECT, KF_RODATA },
		[SEC_DATA] = { STT_OBJECT, KF_DATA },
		[SEC_BSS] = { STT_OBJECT, KF_BSS },
	};
	GElf_Sym out = {
		.st_name = (GElf_Word)kf_add_string(kf, sym->sy_name),
		.st_info =
		    (unsigned char)GELF_ST_INFO(sym->sy_local ? STB_LOCAL :
								STB_GLOBAL,
			kinds[sym->sy_section].type),
		.st_shndx = kinds[sym->sy_section].index,
		.st_value = sym->sy_va,
		.st_size = sym->sy_len,
	};

	return (gelf_update_sym(data, n, &out) != 0);
}

static bool
kf_stripped(const struct kernfile *kf)
{
	return ((kf->g->g_spec.gs_flags & GEN_STRIPPED) != 0);
}

/*
 * Local symbols first, as ELF wants it; returns their count, with the null.
 * .dynsym has none, so that entries at its end stay empty.
 */
static int
kf_put_symbols(struct kernfile *kf, Elf_Data *data)
{
	const struct kimage *image = &kf->g->g_image;
	int n = 1, nlocals;

	for (size_t i = 0; i < image->nsyms; i++)
		if (image->syms[i].sy_local && !kf_stripped(kf) &&
		    !kf_put_symbol(kf, data, n++, &image->syms[i]))
			return (-1);
	nlocals = n;
	for (size_t i = 0; i < image->nsyms; i++)
		if (!image->syms[i].sy_local &&
		    !kf_put_symbol(kf, data, n++, &image->syms[i]))
			return (-1);
	return (nlocals);
}

static size_t
kf_strings_room(const struct gen *g)
{
	size_t room = 1;

	for (size_t i = 0; i < g->g_image.nsyms; i++)
		room += strlen(g->g_image.syms[i].sy_name) + 1;
	return (room);
}

static bool
kf_add_strings(struct kernfile *kf)
{
	struct kf_section strtab = {
		.name = ".strtab",
		.type = SHT_STRTAB,
		.len = kf->strings_len,
		.bytes = kf->strings,
	};

	return (kf_add(kf, &strtab) != NULL);
}

static bool
kf_add_symbols(struct kernfile *kf)
{
	const struct gen *g = kf->g;
	size_t nsyms = g->g_image.nsyms + 1;
	size_t sym_len = gelf_fsize(kf->elf, ELF_T_SYM, 1, EV_CURRENT);
	struct kf_section symtab = {
		.name = kf_stripped(kf) ? ".dynsym" : ".symtab",
		.type = kf_stripped(kf) ? SHT_DYNSYM : SHT_SYMTAB,
		.len = nsyms * sym_len,
	};
	Elf_Data *data;
	Elf_Scn *scn;
	GElf_Shdr shdr;
	int nlocals;

	symtab.bytes = kf->syms = gen_zalloc(nsyms, sizeof(Elf64_Sym));
	kf->strings = gen_zalloc(1, kf_strings_room(g));
	kf->strings_len = 1;
	if ((data = kf_add(kf, &symtab)) == NULL ||
	    (nlocals = kf_put_symbols(kf, data)) == -1)
		return (false);
	scn = elf_getscn(kf->elf, KF_SYMTAB);
	if (gelf_getshdr(scn, &shdr) == NULL)
		return (false);
	shdr.sh_link = KF_STRTAB;
	shdr.sh_info = (GElf_Word)nlocals;
	shdr.sh_entsize = sym_len;
	return (gelf_update_shdr(scn, &shdr) != 0 && kf_add_strings(kf));
}

/* In the order of the enum above. */
static bool
kf_add_sections(struct kernfile *kf)
{
	static char names[sizeof(section_names)];
	struct kf_section interp = {
		.name = ".interp",
		.type = SHT_PROGBITS,
		.len = sizeof(kf->interp),
		.bytes = (uint8_t *)kf->interp,
	};
	struct kf_section shstrtab = {
		.name = ".shstrtab",
		.type = SHT_STRTAB,
		.len = sizeof(names),
		.bytes = (uint8_t *)names,
	};

	memcpy(kf->interp, INTERP, sizeof(INTERP));
	memcpy(names, section_names, sizeof(names));
	return (kf_add_image(kf, ".text", SEC_TEXT, SHF_EXECINSTR) &&
	    kf_add_image(kf, ".rodata", SEC_RODATA, 0) &&
	    kf_add(kf, &interp) != NULL &&
	    kf_add_image(kf, ".data", SEC_DATA, SHF_WRITE) &&
	    kf_add_image(kf, ".bss", SEC_BSS, SHF_WRITE) &&
	    kf_add_symbols(kf) && kf_add(kf, &shstrtab) != NULL);
}

static bool
kf_put_ehdr(struct kernfile *kf)
{
	const struct gen *g = kf->g;
	GElf_Ehdr ehdr;

	if (gelf_newehdr(kf->elf,
		g->g_lay.gl_ptr_len == 8 ? ELFCLASS64 : ELFCLASS32) == NULL ||
	    gelf_getehdr(kf->elf, &ehdr) == NULL)
		return (false);
	ehdr.e_ident[EI_DATA] =
	    g->g_lay.gl_big_endian ? ELFDATA2MSB : ELFDATA2LSB;
	ehdr.e_ident[EI_OSABI] = ELFOSABI_FREEBSD;
	ehdr.e_type = ET_EXEC;
	ehdr.e_machine = g->g_arch->ga_machine;
	ehdr.e_version = EV_CURRENT;
	ehdr.e_entry = g->g_image.sec_va[SEC_TEXT];
	ehdr.e_shstrndx = KF_SHSTRTAB;
	if (ehdr.e_machine == EM_ARM)
		ehdr.e_flags = EF_ARM_EABI_VER5;
	if (ehdr.e_machine == EM_RISCV)
		ehdr.e_flags = EF_RISCV_RVC | EF_RISCV_FLOAT_ABI_DOUBLE;
	return (gelf_update_ehdr(kf->elf, &ehdr) != 0);
}

/* One program header for each section of the image, and the interpreter. */
static bool
kf_put_phdrs(struct kernfile *kf)
{
	static const struct {
		unsigned index, type, flags;
	} parts[] = {
		{ KF_INTERP, PT_INTERP, PF_R },
		{ KF_TEXT, PT_LOAD, PF_R | PF_X },
		{ KF_RODATA, PT_LOAD, PF_R },
		{ KF_DATA, PT_LOAD, PF_R | PF_W },
		{ KF_BSS, PT_LOAD, PF_R | PF_W },
	};
	GElf_Shdr shdr;
	GElf_Phdr phdr;

	if (elf_update(kf->elf, ELF_C_NULL) == -1)
		return (false);
	for (int i = 0; i < 5; i++) {
		if (gelf_getshdr(elf_getscn(kf->elf, parts[i].index), &shdr) ==
			NULL ||
		    gelf_getphdr(kf->elf, i, &phdr) == NULL)
			return (false);
		phdr.p_type = parts[i].type;
		phdr.p_flags = parts[i].flags;
		phdr.p_offset = shdr.sh_offset;
		phdr.p_vaddr = phdr.p_paddr = shdr.sh_addr;
		phdr.p_memsz = shdr.sh_size;
		phdr.p_filesz = shdr.sh_type == SHT_NOBITS ? 0 : shdr.sh_size;
		phdr.p_align = 16;
		if (gelf_update_phdr(kf->elf, i, &phdr) == 0)
			return (false);
	}
	return (elf_update(kf->elf, ELF_C_WRITE) != -1);
}

static void
kf_fini(struct kernfile *kf)
{
	elf_end(kf->elf);
	for (unsigned i = 0; i < SEC_NSECTIONS; i++)
		free(kf->bytes[i]);
	free(kf->syms);
	free(kf->strings);
}

int
gen_write_kernel(struct gen *g, const char *path)
{
	struct kernfile kf = { .g = g };
	bool ok;
	int fd;

	if ((fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0755)) == -1)
		return (-1);
	elf_version(EV_CURRENT);
	ok = (kf.elf = elf_begin(fd, ELF_C_WRITE, NULL)) != NULL &&
	    kf_put_ehdr(&kf) && gelf_newphdr(kf.elf, 5) != NULL &&
	    kf_add_sections(&kf) && kf_put_phdrs(&kf);
	kf_fini(&kf);
	if (close(fd) == -1)
		return (-1);
	if (!ok)
		errno = EIO;
	return (ok ? 0 : -1);
}
