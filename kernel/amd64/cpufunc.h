/*
 * One instruction each.
 */
#ifndef KERNEL_AMD64_CPUFUNC_H
#define KERNEL_AMD64_CPUFUNC_H

#include "kernel/amd64/segments.h"
#include "kernel/amd64/types.h"

#define CR0_WP 0x00010000
#define CR4_PGE 0x080
#define CR4_UMIP 0x800
#define CR4_PCIDE 0x20000
#define CR4_SMEP 0x100000
#define CR4_SMAP 0x200000
#define EFER_NXE 0x800

#define PSL_I 0x200 /* interrupts enabled */

#define MSR_EFER   0xc0000080
#define MSR_GSBASE 0xc0000101
#define MSR_APICBASE 0x1b

static inline uint8_t
inb(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return (v);
}

static inline uint16_t
inw(uint16_t port)
{
	uint16_t v;

	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return (v);
}

static inline uint32_t
inl(uint16_t port)
{
	uint32_t v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return (v);
}

static inline void
outb(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline void
outw(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

static inline void
outl(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

static inline void
disable_intr(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static inline void
enable_intr(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline void
halt(void)
{
	__asm__ volatile("hlt" : : : "memory");
}

/* Enable interrupts and wait for one: none can slip in between. */
static inline void
idle_halt(void)
{
	__asm__ volatile("sti; hlt" : : : "memory");
}

static inline void
ia32_pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* Through the gate that NMIs take, onto their stack. */
static inline void
raise_nmi(void)
{
	__asm__ volatile("int $2");
}

static inline void
breakpoint(void)
{
	__asm__ volatile("int3" : : : "memory");
}

static inline register_t
read_rflags(void)
{
	register_t rf;

	__asm__ volatile("pushfq; popq %0" : "=r"(rf) : : "memory");
	return (rf);
}

/* Interrupts off; returns what intr_restore() takes. */
static inline register_t
intr_disable(void)
{
	register_t rf = read_rflags();

	disable_intr();
	return (rf);
}

static inline void
intr_restore(register_t rf)
{
	if ((rf & PSL_I) != 0)
		enable_intr();
}

static inline uint64_t
rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (lo | (uint64_t)hi << 32);
}

static inline void
wrmsr(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr"
	    :
	    : "a"((uint32_t)v), "d"((uint32_t)(v >> 32)), "c"(msr)
	    : "memory");
}

static inline void
do_cpuid(uint32_t leaf, uint32_t reg[4])
{
	__asm__ volatile("cpuid"
	    : "=a"(reg[0]), "=b"(reg[1]), "=c"(reg[2]), "=d"(reg[3])
	    : "a"(leaf), "c"(0));
}

static inline uint64_t
rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return ((uint64_t)hi << 32 | lo);
}

/*
 * Bits of physical addresses; AMD64 APM vol. 3, CPUID 8000_0008h.  0: unknown.
 */
static inline unsigned int
cpu_phys_bits(void)
{
	uint32_t reg[4];

	do_cpuid(0x80000000, reg);
	if (reg[0] < 0x80000008)
		return (0);
	do_cpuid(0x80000008, reg);
	return (reg[0] & 0xff);
}

/* CPUID 0000_0001h, ECX. */
static inline bool
cpu_has_pcid(void)
{
	uint32_t reg[4];

	do_cpuid(1, reg);
	return ((reg[2] & 1u << 17) != 0);
}

static inline void
load_cr3(uint64_t v)
{
	__asm__ volatile("movq %0, %%cr3" : : "r"(v) : "memory");
}

static inline uint64_t
rcr4(void)
{
	uint64_t v;

	__asm__ volatile("movq %%cr4, %0" : "=r"(v));
	return (v);
}

static inline void
load_cr4(uint64_t v)
{
	__asm__ volatile("movq %0, %%cr4" : : "r"(v) : "memory");
}

/* Set and clear AC; by their bytes, for assemblers that do not know them. */
static inline void
stac(void)
{
	__asm__ volatile(".byte 0x0f, 0x01, 0xcb" : : : "memory");
}

static inline void
clac(void)
{
	__asm__ volatile(".byte 0x0f, 0x01, 0xca" : : : "memory");
}

static inline void
invlpg(uint64_t va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

static inline void
lgdt(const struct region_descriptor *rd)
{
	__asm__ volatile("lgdt (%0)" : : "r"(rd) : "memory");
}

static inline void
lidt(const struct region_descriptor *rd)
{
	__asm__ volatile("lidt (%0)" : : "r"(rd) : "memory");
}

static inline void
ltr(uint16_t sel)
{
	__asm__ volatile("ltr %0" : : "r"(sel));
}

#endif
