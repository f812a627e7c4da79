/*
 * A kernel file of any bytes, whose own data are the memory of the dump: its
 * processes, load and swap, by the structures that its debug information tells.
 * The seeds are the kernels of tests/libkvm/procs.
 */
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libkvm/kvm_core.h"
#include "tests/fuzz/memfile.h"
#include "tests/libkvm/small.h"

#define NITEMS(table) (sizeof(table) / sizeof((table)[0]))

#define LAST_PAGE 24 /* tables are above */
#define ALL_PAGES ((UINT32_C(1) << (LAST_PAGE + 1)) - 1)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct memfile kernel_file, core_file;
static struct small machine;

/* The file's segments are mapped at SMALL_KERNBASE + pa. */
static void
load_segment(const GElf_Phdr *phdr, const uint8_t *data, size_t size)
{
	uint64_t pa = phdr->p_vaddr - SMALL_KERNBASE;
	uint64_t end = (LAST_PAGE + 1) * SMALL_PAGE;

	if (phdr->p_type != PT_LOAD || pa > end || phdr->p_memsz > end - pa ||
	    phdr->p_filesz > phdr->p_memsz || phdr->p_offset > size ||
	    phdr->p_filesz > size - phdr->p_offset)
		return;
	memset(&machine.mem[0][0] + pa, 0, (size_t)phdr->p_memsz);
	memcpy(&machine.mem[0][0] + pa, data + phdr->p_offset,
	    (size_t)phdr->p_filesz);
}

static void
load_kernel(const uint8_t *data, size_t size)
{
	Elf *elf = elf_begin(kernel_file.fd, ELF_C_READ, NULL);
	GElf_Phdr phdr;

	for (int i = 0; elf != NULL && gelf_getphdr(elf, i, &phdr) != NULL; i++)
		load_segment(&phdr, data, size);
	(void)elf_end(elf);
}

static void
make_dump(const uint8_t *data, size_t size)
{
	static uint8_t bytes[SMALL_FILE_MAX];

	small_init(&machine, ALL_PAGES, ALL_PAGES);
	for (uint64_t page = 0; page <= LAST_PAGE; page++)
		small_map(&machine, SMALL_KERNBASE + page * SMALL_PAGE,
		    page * SMALL_PAGE | SMALL_V | SMALL_RW);
	load_kernel(data, size);
	memfile_set(&core_file, bytes, small_minidump(&machine, bytes));
}

static void
check_processes(kvm_t *kd)
{
	static const struct {
		int op, arg;
	} queries[] = {
		{ KERN_PROC_ALL | KERN_PROC_INC_THREAD, 0 },
		{ KERN_PROC_PROC, 99 },
		{ KERN_PROC_PID, 800 },
		{ KERN_PROC_PGRP, 800 },
		{ KERN_PROC_SESSION, 798 },
		{ KERN_PROC_TTY, 0x34567890 },
		{ KERN_PROC_UID, 1001 },
		{ KERN_PROC_RUID, 1002 },
		{ KERN_PROC_RGID, 2002 },
		{ KERN_PROC_GID, 999 },
		{ 77, 0 },
	};
	const struct kinfo_proc *kp;
	int n = 0;

	for (size_t i = 0; i < NITEMS(queries); i++) {
		kp = kvm_getprocs(kd, queries[i].op, queries[i].arg, &n);
		if (kp == NULL && kvm_geterr(kd)[0] == '\0')
			abort();
		for (int k = 0; kp != NULL && k < n; k++)
			if (kp[k].ki_structsize != sizeof(*kp))
				abort();
		if (kp != NULL &&
		    (kvm_getargv(kd, kp, 0) != NULL ||
			kvm_getenvv(kd, kp, 0) != NULL))
			abort();
	}
}

static void
check_rest(kvm_t *kd)
{
	struct kvm_swap swap[5];
	long cp_time[CPUSTATES];
	double load[4];

	for (int n = -1; n <= (int)NITEMS(load); n++)
		(void)kvm_getloadavg(kd, load, n);
	(void)kvm_getcptime(kd, cp_time);
	for (int max = 0; max < (int)NITEMS(swap); max++) {
		(void)kvm_getswapinfo(kd, swap, max, 0);
		(void)kvm_getswapinfo(kd, swap, max, SWIF_DEV_PREFIX);
	}
	(void)kvm_getmaxcpu(kd);
	(void)kvm_getncpus(kd);
	(void)kvm_counter_u64_fetch(kd, 0);
	(void)kvm_counter_u64_fetch(kd, SMALL_KERNBASE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[2048];
	kvm_t *kd;

	if (kernel_file.path[0] == '\0') {
		memfile_create(&kernel_file);
		memfile_create(&core_file);
		if (elf_version(EV_CURRENT) == EV_NONE)
			abort();
	}
	memfile_set(&kernel_file, data, size);
	make_dump(data, size);
	kd = kvm_open2(kernel_file.path, core_file.path, O_RDONLY, why, NULL);
	if (kd == NULL)
		return (0);
	check_processes(kd);
	check_rest(kd);
	(void)kvm_close(kd);
	return (0);
}
