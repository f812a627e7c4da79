/*
 * A kernel file of any bytes, whose own data are the memory of the dump: its
 * processes, load and swap, by the structures that its debug information tells.
 * The seeds are the kernels of tests/libkvm/procs; what is to fail may come before
 * one (fail.h).
 */
#include <fcntl.h>
#include <stdlib.h>

#include "libkvm/kvm_core.h"
#include "tests/fuzz/fail.h"
#include "tests/fuzz/owndump.h"

#define NITEMS(table) (sizeof(table) / sizeof((table)[0]))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct memfile kernel_file, core_file;

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
	(void)kvm_counter_u64_fetch(kd, 0xffffffff80001000);
}

static void
look(const char *kernel, const char *core)
{
	char why[2048];
	kvm_t *kd = kvm_open2(kernel, core, O_RDONLY, why, NULL);

	if (kd == NULL)
		return;
	check_processes(kd);
	check_rest(kd);
	(void)kvm_close(kd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fail_plan plan = fail_take(&data, &size);

	if (kernel_file.path[0] == '\0') {
		memfile_create(&kernel_file);
		memfile_create(&core_file);
	}
	memfile_set(&kernel_file, data, size);
	owndump_make(&core_file, &kernel_file, data, size);
	fail_set(plan.fp_kind, plan.fp_n);
	look(kernel_file.path, core_file.path);
	fail_clear();
	return (0);
}
