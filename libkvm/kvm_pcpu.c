/*
 * Data that each CPU has a copy of: struct pcpu, DPCPU variables, UMA_ZONE_PCPU
 * memory and the counters made of it.
 *
 * struct pcpu is padded to a page, which is also the distance between the
 * CPUs' copies of an allocation (UMA_PCPU_ALLOC_SIZE in FreeBSD's vm/uma.h).
 */
#include <stdlib.h>

#include "libkvm/arch.h"
#include "libkvm/kvm_int.h"

/* FreeBSD's largest MAXCPU; what the dump says is checked against it. */
#define MAXCPU_LIMIT 65536

static int
read_count(kvm_t *kd, const char *name)
{
	uint64_t value;
	kvaddr_t va;

	if (!kvm_lookup(kd, name, &va))
		return (kvm_fail(kd, "no symbol %s", name));
	if (kvm_read_uint(kd, va, 4, &value) != 0)
		return (-1);
	if (value == 0 || value > MAXCPU_LIMIT)
		return (kvm_fail(kd, "%s is %ju, which is no number of CPUs",
		    name, (uintmax_t)value));
	return ((int)value);
}

int
kvm_getmaxcpu(kvm_t *kd)
{
	return (read_count(kd, "mp_maxcpus"));
}

int
kvm_getncpus(kvm_t *kd)
{
	return (read_count(kd, "mp_ncpus"));
}

int
kvm_cpu_pointer(kvm_t *kd, const char *array, unsigned int cpu, uint64_t *out)
{
	unsigned int ptr_len = kd->kd_core.kc_ptr_len;
	int maxcpu = kvm_getmaxcpu(kd);
	kvaddr_t va;

	if (maxcpu < 0)
		return (-1);
	if (cpu >= (unsigned int)maxcpu) {
		*out = 0;
		return (0);
	}
	if (!kvm_lookup(kd, array, &va))
		return (kvm_fail(kd, "no symbol %s", array));
	return (kvm_read_uint(kd, va + (uint64_t)cpu * ptr_len, ptr_len, out));
}

void *
kvm_getpcpu(kvm_t *kd, int cpu)
{
	void *const failed = (void *)-1;
	uint64_t va;
	size_t len;
	void *pcpu;

	if (kd == NULL || cpu < 0) /* on FreeBSD: drop caches; here are none */
		return (NULL);
	if (kvm_cpu_pointer(kd, "cpuid_to_pcpu", (unsigned int)cpu, &va) != 0)
		return (failed);
	if (va == 0)
		return (NULL);
	len = kd->kd_core.kc_page_size;
	if ((pcpu = malloc(len)) == NULL) {
		(void)kvm_fail(kd, "out of memory");
		return (failed);
	}
	if (kvm_read2(kd, va, pcpu, len) < 0) {
		free(pcpu);
		return (failed);
	}
	return (pcpu);
}

int
kvm_dpcpu_setcpu(kvm_t *kd, unsigned int cpu)
{
	uint64_t off;

	if (kvm_cpu_pointer(kd, "dpcpu_off", cpu, &off) != 0)
		return (-1);
	if (off == 0)
		return (kvm_fail(kd, "there is no CPU %u", cpu));
	kd->kd_dpcpu_cpu = cpu;
	return (0);
}

static int
zpcpu_base(kvm_t *kd, uint64_t *base)
{
	uint64_t pcpu;
	kvaddr_t va;

	if (!kvm_arch(kd->kd_core.kc_arch)->kar_zpcpu_is_offset)
		return (0);
	if (!kvm_lookup(kd, "__pcpu", &va))
		return (kvm_fail(kd, "no symbol __pcpu"));
	if (kvm_read_uint(kd, va, 8, &pcpu) != 0)
		return (-1);
	*base += pcpu;
	return (0);
}

ssize_t
kvm_read_zpcpu(kvm_t *kd, unsigned long base, void *buf, size_t size, int cpu)
{
	uint64_t va = base;

	if (cpu < 0)
		return (kvm_fail(kd, "there is no CPU %d", cpu));
	if (zpcpu_base(kd, &va) != 0)
		return (-1);
	va += (uint64_t)cpu * kd->kd_core.kc_page_size;
	return ((ssize_t)kvm_read2(kd, va, buf, size));
}

uint64_t
kvm_counter_u64_fetch(kvm_t *kd, unsigned long base)
{
	uint64_t sum = 0;
	int ncpus;

	/* Only the text tells an error from a counter that is 0. */
	kd->kd_err[0] = '\0';
	ncpus = kvm_getncpus(kd);
	for (int cpu = 0; cpu < ncpus; cpu++) {
		uint8_t bytes[8];

		if (kvm_read_zpcpu(kd, base, bytes, sizeof(bytes), cpu) < 0)
			return (0);
		sum += dec64(kd->kd_core.kc_order, bytes);
	}
	return (sum);
}
