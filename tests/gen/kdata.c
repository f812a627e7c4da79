/*
 * The kernel's variables that tell what machine and what release it is, its
 * functions, and what it keeps for each CPU.
 */
#include <string.h>

#include "tests/gen/gen.h"

#define FUNCTION_LEN 256
#define PCPU_LEN     256
#define DPCPU_LEN    128
#define DPCPU_OFF    32 /* of gen_value in a CPU's copy */

#define VNET_SET_LEN  192
#define VNET_OFF      72 /* of gen_net in a network stack's copy */
#define VNET_MAGIC    0x3e0d8f29
#define VNET_MAGIC_14 0x5e4a6f28
#define OSRELDATE_14  1400000

static const char *const functions[] = { "kern_reboot", "vpanic", "panic",
	"trap_fatal", "trap_pfault", "trap", "cpustop_handler", "sched_switch",
	"mi_switch", "sleepq_switch", "sleepq_wait", "_sleep", "fork_exit",
	"fork_trampoline", "ithread_loop", "sched_idletd", "syscallenter",
	"sys_ioctl", "kern_ioctl", "devfs_ioctl", "sysctl_root", "vm_fault",
	"vn_read", "vop_stdlock", "ffs_read", "bread", "g_io_request",
	"taskqueue_run", "softclock_thread", "tcp_input", "ip_output" };
#define NFUNCTIONS (sizeof(functions) / sizeof(functions[0]))

static void
kdata_function(struct gen *g, const char *name)
{
	uint64_t va;

	if (kimage_find(g, name) != NULL)
		return;
	va = kimage_symbol(g, name, SEC_TEXT, FUNCTION_LEN, 64);
	kimage_store(g, va, g->g_abi.prologue, g->g_abi.prologue_len);
}

/* A handler has no prologue.  push %esp begins the one that passes esp. */
static void
kdata_handler(struct gen *g, const char *name)
{
	if (kimage_find(g, name) != NULL)
		return;
	kimage_poke(g, kimage_symbol(g, name, SEC_TEXT, FUNCTION_LEN, 64), 1,
	    g->g_abi.trap_gap != 0 ? 0x54 : 0x89);
}

static void
kdata_text(struct gen *g)
{
	for (size_t i = 0; i < NFUNCTIONS; i++)
		kdata_function(g, functions[i]);
	kdata_handler(g, g->g_abi.trap);
	kdata_handler(g, g->g_abi.stop);
	kdata_handler(g, g->g_abi.syscall);
}

static void
kdata_release(struct gen *g)
{
	unsigned date = g->g_spec.gs_osreldate;
	char release[32];

	snprintf(release, sizeof(release), "%u.%u-RELEASE", date / 100000,
	    date / 1000 % 100);
	snprintf(g->g_version, sizeof(g->g_version),
	    "FreeBSD %s #0 gen-%jx: Thu Jan  1 00:00:00 UTC 2026\n"
	    "    root@builder:/usr/obj/usr/src/%s/sys/GENERIC\n",
	    release, (uintmax_t)g->g_spec.gs_seed, g->g_arch->ga_name);
	/* Where the kernel file has it, too. */
	kimage_string(g, "version", SEC_RODATA, g->g_version);
	kimage_string(g, "osrelease", SEC_DATA, release);
	kimage_int(g, "osreldate", SEC_DATA, (int)date);
	kimage_int(g, "hz", SEC_BSS, g->g_abi.hz);
	kimage_int(g, "ticks", SEC_BSS, (int)rng_below(&g->g_rng, INT32_MAX));
	kimage_int(g, "nprocs", SEC_BSS, (int)g->g_spec.gs_nprocs);
}

static void
kdata_panic(struct gen *g)
{
	uint64_t va = 0;

	if (g->g_spec.gs_nprocs != 0 && (g->g_spec.gs_flags & GEN_LIVE) == 0) {
		snprintf(g->g_panicstr, sizeof(g->g_panicstr),
		    "page fault: generated, seed %jx",
		    (uintmax_t)g->g_spec.gs_seed);
		va = kimage_alloc(g, sizeof(g->g_panicstr), 16);
		kimage_store(g, va, g->g_panicstr, sizeof(g->g_panicstr));
	}
	kimage_ptr(g, "panicstr", SEC_BSS, va);
}

/* The variable gen_value: a copy for each CPU, dpcpu_off away. */
static void
kdata_dpcpu(struct gen *g)
{
	unsigned ptr_len = g->g_lay.gl_ptr_len;
	uint64_t start, table, va;

	start = kimage_symbol(g, "__start_set_pcpu", SEC_DATA, DPCPU_LEN, 64);
	kimage_label(g, "pcpu_entry_gen_value", SEC_DATA, start + DPCPU_OFF, 4);
	kimage_label(g, "__stop_set_pcpu", SEC_DATA, start + DPCPU_LEN, 0);
	table = kimage_symbol(g, "dpcpu_off", SEC_BSS,
	    g->g_abi.maxcpus * ptr_len, ptr_len);
	for (unsigned i = 0; i < g->g_spec.gs_ncpus; i++) {
		va = kimage_alloc(g, DPCPU_LEN, 64);
		kimage_poke_ptr(g, table + i * ptr_len, va - start);
		g->g_dpcpu[i] = (uint32_t)rng_next(&g->g_rng);
		kimage_poke(g, va + DPCPU_OFF, 4, g->g_dpcpu[i]);
	}
}

/*
 * A network stack's struct vnet, before the others in the list: two pointers,
 * four 32-bit fields of which the first is the magic number, two pointers.
 */
static uint64_t
kdata_add_vnet(struct gen *g, uint64_t start, uint64_t next, uint32_t value)
{
	unsigned ptr_len = g->g_lay.gl_ptr_len;
	uint64_t copies = kimage_alloc(g, VNET_SET_LEN, 64);
	uint64_t vnet = kimage_alloc(g, 5 * ptr_len + 16, 64);

	kimage_poke_ptr(g, vnet, next);
	kimage_poke(g, vnet + 2 * ptr_len, 4,
	    g->g_spec.gs_osreldate < OSRELDATE_14 ? VNET_MAGIC : VNET_MAGIC_14);
	kimage_poke_ptr(g, vnet + 2 * ptr_len + 16, copies);
	kimage_poke_ptr(g, vnet + 3 * ptr_len + 16, copies - start);
	kimage_poke(g, copies + VNET_OFF, 4, value);
	return (vnet);
}

/* The variable gen_net: a copy for each network stack. */
static void
kdata_vnet(struct gen *g)
{
	uint64_t start, vnet = 0;

	start =
	    kimage_symbol(g, "__start_set_vnet", SEC_DATA, VNET_SET_LEN, 64);
	kimage_label(g, "vnet_entry_gen_net", SEC_DATA, start + VNET_OFF, 4);
	kimage_label(g, "__stop_set_vnet", SEC_DATA, start + VNET_SET_LEN, 0);
	for (unsigned i = 0; i < GEN_NVNETS; i++) {
		g->g_vnet[i] = (uint32_t)rng_next(&g->g_rng);
		vnet = kdata_add_vnet(g, start, vnet, g->g_vnet[i]);
		if (i == 0)
			kimage_ptr(g, "vnet0", SEC_BSS, vnet);
	}
	kimage_ptr(g, "vnet_head", SEC_BSS, vnet);
}

static void
kdata_cpus(struct gen *g)
{
	unsigned ptr_len = g->g_lay.gl_ptr_len;
	uint64_t table, va;

	kimage_int(g, "mp_maxid", SEC_BSS, (int)g->g_spec.gs_ncpus - 1);
	kimage_int(g, "mp_ncpus", SEC_BSS, (int)g->g_spec.gs_ncpus);
	kimage_int(g, "mp_maxcpus", SEC_BSS, (int)g->g_abi.maxcpus);
	table = kimage_symbol(g, "cpuid_to_pcpu", SEC_BSS,
	    g->g_abi.maxcpus * ptr_len, ptr_len);
	for (unsigned i = 0; i < g->g_spec.gs_ncpus; i++) {
		va = kimage_alloc(g, PCPU_LEN, 64);
		kimage_poke_ptr(g, table + i * ptr_len, va);
		g->g_pcpu[i] = va;
	}
}

void
kdata_init(struct gen *g)
{
	kdata_text(g);
	kdata_release(g);
	kdata_panic(g);
	kdata_cpus(g);
	kdata_dpcpu(g);
	kdata_vnet(g);
}

uint32_t
gen_dpcpu_value(const struct gen *g, unsigned cpu)
{
	return (g->g_dpcpu[cpu]);
}

unsigned
gen_ncpus(const struct gen *g)
{
	return (g->g_spec.gs_ncpus);
}

const char *
gen_panicstr(const struct gen *g)
{
	return (g->g_panicstr);
}

const char *
gen_version(const struct gen *g)
{
	return (g->g_version);
}
