/*
 * How busy the dumped kernel was: load averages, and what its CPUs did.
 *
 * Facts: FreeBSD's sys/sys/resource.h (struct loadavg, CPUSTATES) and
 * sys/sys/pcpu.h (pc_cp_time).
 */
#include "libkvm/fields.h"
#include "libkvm/kinfo.h"
#include "libkvm/kvm_int.h"

/* struct loadavg: three 32-bit numbers, then a long that is their 1.0. */
#define NLOADS 3

static int
read_scale(kvm_t *kd, kvaddr_t loadavg, uint64_t *scale)
{
	unsigned int long_len = kd->kd_core.kc_ptr_len;
	uint64_t off = (4 * NLOADS + long_len - 1) / long_len * long_len;
	kvaddr_t va;

	if (kvm_read_uint(kd, loadavg + off, long_len, scale) != 0)
		return (-1);
	if (*scale == 0 && kvm_lookup(kd, "fscale", &va) &&
	    kvm_read_uint(kd, va, 4, scale) != 0)
		return (-1);
	if (*scale == 0)
		return (kvm_fail(kd, "averunnable has a scale of 0"));
	return (0);
}

int
kvm_getloadavg(kvm_t *kd, double loadavg[], int nelem)
{
	uint64_t scale, load;
	kvaddr_t va;

	if (nelem < 0)
		return (kvm_fail(kd, "no room for %d load averages", nelem));
	if (!kvm_lookup(kd, "averunnable", &va))
		return (kvm_fail(kd, "no symbol averunnable"));
	if (read_scale(kd, va, &scale) != 0)
		return (-1);
	if (nelem > NLOADS)
		nelem = NLOADS;
	for (int i = 0; i < nelem; i++) {
		if (kvm_read_uint(kd, va + 4 * (uint64_t)i, 4, &load) != 0)
			return (-1);
		loadavg[i] = (double)load / (double)scale;
	}
	return (nelem);
}

/* Add the CPUSTATES counters at va, longs of the kernel. */
static int
add_counters(kvm_t *kd, kvaddr_t va, long cp_time[CPUSTATES])
{
	unsigned int long_len = kd->kd_core.kc_ptr_len;

	for (int i = 0; i < CPUSTATES; i++) {
		uint64_t value;

		if (kvm_read_uint(kd, va + (uint64_t)i * long_len, long_len,
			&value) != 0)
			return (-1);
		cp_time[i] = (long)((unsigned long)cp_time[i] + value);
	}
	return (0);
}

/* Since FreeBSD 7.1 each CPU has its own counters. */
static int
sum_counters(kvm_t *kd, long cp_time[CPUSTATES])
{
	int maxcpu = kvm_getmaxcpu(kd);
	uint32_t off = field_off(kd, FLD_PC_CP_TIME);
	int ncpus = 0;

	if (maxcpu < 0 || field_need(kd, FLD_PC_CP_TIME, "kvm_getcptime") != 0)
		return (-1);
	for (int cpu = 0; cpu < maxcpu; cpu++) {
		kvaddr_t pcpu;

		if (kvm_cpu_pointer(kd, "cpuid_to_pcpu", (unsigned int)cpu,
			&pcpu) != 0)
			return (-1);
		if (pcpu == 0)
			continue;
		if (add_counters(kd, pcpu + off, cp_time) != 0)
			return (-1);
		ncpus++;
	}
	return (ncpus > 0 ? 0 : kvm_fail(kd, "kvm_getcptime: no CPU"));
}

int
kvm_getcptime(kvm_t *kd, long *cp_time)
{
	long sum[CPUSTATES] = { 0 };
	kvaddr_t va;

	if (kvm_lookup(kd, "cp_time", &va) ? add_counters(kd, va, sum) != 0 :
					     sum_counters(kd, sum) != 0)
		return (-1);
	for (int i = 0; i < CPUSTATES; i++)
		cp_time[i] = sum[i];
	return (0);
}
