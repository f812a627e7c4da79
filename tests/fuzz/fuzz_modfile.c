/*
 * A file of any bytes as a module of the dumped kernel: the first byte picks
 * the kernel's machine, and whether the dump says that the module is short.
 */
#include "kdebug/modfile.h"

#include <unistd.h>

#include "format/arch.h"
#include "tests/fuzz/claim.h"
#include "tests/fuzz/memfile.h"

#define BASE	  UINT64_C(0xffffffff82400000)
#define LEN	  0x8000
#define SHORT_LEN 0x18
#define SHORT	  0x80
#define BIG	  0x40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is found by an address holds that address. */
static void
check_symbols(const struct modfile *mf)
{
	struct kvm_symbol sym, again;

	for (kvaddr_t va = modfile_start(mf); va < modfile_end(mf); va += 13) {
		if (!modfile_symbol_at(mf, va, &sym))
			continue;
		claim(sym.ksy_va <= va);
		(void)modfile_symbol_find(mf, sym.ksy_name, &again);
	}
	(void)modfile_symbol_find(mf, "zfs_open", &sym);
	(void)modfile_symbol_at(mf, 0, &sym);
}

/* What is placed lies inside of the module. */
static void
check_sections(const struct modfile *mf)
{
	const char *name;
	size_t ndx = 0;
	uint64_t len;
	kvaddr_t va;

	while (modfile_next_section(mf, &ndx, &name, &va))
		claim(va >= modfile_start(mf) && va <= modfile_end(mf));
	claim(modfile_section_find(mf, ".eh_frame", &va, &len) == 0 ||
	    (va >= modfile_start(mf) && len <= modfile_end(mf) - va));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct memfile file;
	static bool created;
	const struct arch_facts *facts;
	struct modfile_place place = { .mfp_base = BASE, .mfp_len = LEN };
	struct modfile *mf;
	const char *why;
	int fd;

	if (size == 0)
		return (0);
	if (!created)
		memfile_create(&file);
	created = true;
	memfile_set(&file, data + 1, size - 1);
	facts = arch_facts((enum dump_arch)((data[0] & 0x3f) % ARCH_COUNT));
	place.mfp_machine = facts->af_elf_machine;
	place.mfp_ptr_len = facts->af_ptr_len;
	place.mfp_order = (data[0] & BIG) != 0 ? ORDER_BIG : ORDER_LITTLE;
	place.mfp_unwind = 0x70000001; /* SHT_X86_64_UNWIND */
	if ((data[0] & SHORT) != 0)
		place.mfp_len = SHORT_LEN;
	mf = modfile_open(file.path, &place, &why);
	if (mf == NULL)
		return (0);
	fd = modfile_reopen(mf);
	claim(fd >= 0 && modfile_path(mf)[0] != '\0');
	(void)close(fd);
	claim(modfile_end(mf) - modfile_start(mf) == place.mfp_len);
	(void)modfile_is_relocatable(mf);
	check_sections(mf);
	check_symbols(mf);
	modfile_close(mf);
	return (0);
}
