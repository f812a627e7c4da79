#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/kdebug/modulefile.h"
#include "tests/support/unit.h"

/* A section of it. */
struct section {
	const char *name;
	uint32_t type;
	uint64_t flags;
	uint64_t len, align;
};

/*
 * The sections that the kernel loads, in this order, and their offsets from the
 * module's base:
 * .text 0, .eh_frame 0x28, .data 0x40, .text.late 0x60, .init_array 0x88,
 * set_pcpu 0x90, .bss 0xa0, and those with long names 0x1a0 and 0x1a1.  The
 * others take no memory: what has no bytes, and the notes, the last of which is
 * larger than the module.
 */
static const struct section sections[] = {
	{ ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0x21, 16 },
	{ ".note", SHT_NOTE, SHF_ALLOC, 0x24, 64 },
	{ ".empty", SHT_PROGBITS, SHF_ALLOC, 0, 1024 },
	{ ".comment", SHT_PROGBITS, 0, 0x1000, 1 },
	{ ".eh_frame", SHT_X86_64_UNWIND, SHF_ALLOC, 0x18, 8 },
	{ ".data", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 8, 8 },
	{ ".text.late", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0x24, 32 },
	{ ".init_array", SHT_INIT_ARRAY, SHF_ALLOC | SHF_WRITE, 8, 8 },
	{ "set_pcpu", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0x10, 8 },
	{ ".bss", SHT_NOBITS, SHF_ALLOC | SHF_WRITE, 0x100, 4 },
	{ ".note.gnu.build-id", SHT_NOTE, SHF_ALLOC, 0x1000, 4 },
	{ NAME_255, SHT_PROGBITS, SHF_ALLOC, 1, 1 },
	{ NAME_256, SHT_PROGBITS, SHF_ALLOC, 1, 1 },
};

enum { SEC_TEXT = 1, SEC_DATA = 6, SEC_LATE = 7, SEC_PCPU = 9, SEC_BSS = 10 };

static const char strings[] =
    "\0.symtab\0zfs_init\0zfs_late\0zfs_data\0$x\0zfs_bss\0zfs_label\0"
    ".LBB4_15\0pcpu_entry_zfs\0.text\0.note\0.empty\0.comment\0.eh_frame\0"
    ".data\0.text.late\0.init_array\0set_pcpu\0.bss\0"
    ".note.gnu.build-id\0" NAME_255 "\0" NAME_256;

static const struct {
	const char *name;
	unsigned char bind, type;
	uint16_t section;
	uint64_t value, len;
} symbols[] = {
	{ "", 0, 0, 0, 0, 0 },
	{ "zfs_init", STB_GLOBAL, STT_FUNC, SEC_TEXT, 0, 0x10 },
	{ "zfs_label", STB_LOCAL, STT_NOTYPE, SEC_TEXT, 8, 0 },
	{ ".LBB4_15", STB_LOCAL, STT_NOTYPE, SEC_LATE, 0xc, 0 },
	{ "zfs_late", STB_LOCAL, STT_NOTYPE, SEC_LATE, 4, 0 },
	{ "zfs_data", STB_GLOBAL, STT_OBJECT, SEC_DATA, 0, 8 },
	{ "$x", STB_LOCAL, STT_NOTYPE, SEC_LATE, 8, 0 },
	{ "pcpu_entry_zfs", STB_LOCAL, STT_OBJECT, SEC_PCPU, 0, 8 },
	{ "zfs_bss", STB_LOCAL, STT_OBJECT, SEC_BSS, 8, 8 },
};

/* Where in the table the string is. */
static Elf64_Word
string_off(const char *s)
{
	size_t off = 0;

	while (off < sizeof(strings) && strcmp(strings + off, s) != 0)
		off += strlen(strings + off) + 1;
	assert_true(off < sizeof(strings));
	return ((Elf64_Word)off);
}

static void
fill_symbols(Elf64_Sym out[NROWS(symbols)])
{
	for (size_t i = 0; i < NROWS(symbols); i++)
		out[i] = (Elf64_Sym){
			.st_name = string_off(symbols[i].name),
			.st_info = (unsigned char)ELF64_ST_INFO(symbols[i].bind,
			    symbols[i].type),
			.st_shndx = symbols[i].section,
			.st_value = symbols[i].value,
			.st_size = symbols[i].len,
		};
}

static void
add_section(Elf *elf, const struct section *s, void *bytes)
{
	Elf_Scn *scn = elf_newscn(elf);
	Elf_Data *data = elf_newdata(scn);
	Elf64_Shdr *shdr = elf64_getshdr(scn);

	*data = (Elf_Data){
		.d_buf = bytes,
		.d_size = s->len,
		.d_align = s->align,
		.d_type = s->type == SHT_SYMTAB ? ELF_T_SYM : ELF_T_BYTE,
		.d_version = EV_CURRENT,
	};
	shdr->sh_name = string_off(s->name);
	shdr->sh_type = s->type;
	shdr->sh_flags = s->flags;
	shdr->sh_addralign = s->align;
	if (s->type == SHT_SYMTAB) {
		shdr->sh_link = (Elf64_Word)elf_ndxscn(scn) + 1;
		shdr->sh_entsize = sizeof(Elf64_Sym);
	}
}

void
module_write_large(const char *path, unsigned char class, size_t nmore)
{
	static const struct section empty = { ".empty", SHT_PROGBITS, 0, 0, 1 };
	Elf64_Sym syms[NROWS(symbols)];
	const struct section symtab = { ".symtab", SHT_SYMTAB, 0, sizeof(syms),
		8 };
	const struct section strtab = { "", SHT_STRTAB, 0, sizeof(strings), 1 };
	static uint8_t bytes[0x1000];
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	Elf64_Ehdr *ehdr;
	Elf *elf;

	assert_int_not_equal(elf_version(EV_CURRENT), EV_NONE);
	fill_symbols(syms);
	elf = elf_begin(fd, ELF_C_WRITE, NULL);
	assert_non_null(elf);
	ehdr = elf64_newehdr(elf);
	ehdr->e_ident[EI_DATA] = ELFDATA2LSB;
	ehdr->e_type = ET_REL;
	ehdr->e_machine = EM_X86_64;
	for (size_t i = 0; i < NROWS(sections); i++)
		add_section(elf, &sections[i], bytes);
	add_section(elf, &symtab, syms);
	add_section(elf, &strtab, (void *)(uintptr_t)strings);
	for (size_t i = 0; i < nmore; i++)
		add_section(elf, &empty, bytes);
	ehdr->e_shstrndx = NROWS(sections) + 2;
	assert_true(elf_update(elf, ELF_C_WRITE) > 0);
	elf_end(elf);
	if (class != ELFCLASS64)
		assert_int_equal(pwrite(fd, &class, 1, EI_CLASS), 1);
	close(fd);
}

void
module_write(const char *path, unsigned char class)
{
	module_write_large(path, class, 0);
}

char module_dir[64];

const char *
module_path(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", module_dir, name);
	return (path);
}

void
module_make_dir(void)
{
	snprintf(module_dir, sizeof(module_dir), "%s",
	    "/tmp/test_modules.XXXXXX");
	assert_non_null(mkdtemp(module_dir));
}

void
module_remove_dir(void)
{
	unlink(module_path("zfs.ko"));
	unlink(module_path("zfs.ko.debug"));
	unlink(module_path("if_em.ko"));
	assert_int_equal(rmdir(module_dir), 0);
}
