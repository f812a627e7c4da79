#include "tests/kdebug/linker.h"

void
linker_put(struct kernel *k, kvaddr_t va, kvaddr_t next, kvaddr_t name_va,
    const char *name, kvaddr_t base, uint64_t len)
{
	fake_u32(k->k_kd, va + LF_REFS, 3);
	fake_u32(k->k_kd, va + LF_ID, 7);
	fake_word(k->k_kd, va + LF_NEXT, next);
	fake_word(k->k_kd, va + LF_FILENAME, name_va);
	fake_string(k->k_kd, name_va, name);
	fake_word(k->k_kd, va + LF_PATHNAME, name_va + 0x20);
	fake_string(k->k_kd, name_va + 0x20, "/nonexistent/");
	fake_string(k->k_kd, name_va + 0x2d, name);
	fake_word(k->k_kd, va + LF_ADDRESS, base);
	fake_word(k->k_kd, va + LF_ADDRESS + 8, len);
}

void
linker_setup(struct kernel *k)
{
	kernel_init(k, ARCH_AMD64);
	fake_symbol(k->k_kd, "linker_files", FILES_VA, 16);
	fake_symbol(k->k_kd, "linker_kernel_file", FILES_VA + 16, 8);
	fake_word(k->k_kd, FILES_VA, KERNEL_LF);
	fake_word(k->k_kd, FILES_VA + 16, KERNEL_LF);
	linker_put(k, KERNEL_LF, LF(0), NAME(0), "kernel", 0xffffffff80200000,
	    0x2000000);
	linker_put(k, LF(0), LF(1), NAME(1), "zfs.ko", BASE(1), MODULE_LEN);
	linker_put(k, LF(1), 0, NAME(2), "if_em.ko", BASE(0), MODULE_LEN);
}
