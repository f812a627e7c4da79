/*
 * Page walks, TLBs, and the machine's part of the kernel's pmap (pmap_cpu.h).
 *
 * Each CPU has translations of small and of large pages, and the page tables that
 * directory entries lead to, as real ones do.  A slot is found by its address and
 * PCID, so that a test knows what is kept.  What is global counts whatever PCID is
 * loaded.
 *
 * One lock guards what all CPUs know.  What is walked is guarded by the pmap's, as
 * far as threads are concerned: mmu_copy().
 */
#include "tests/vm/mmu.h"

#include <pthread.h>
#include <string.h>

#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_cpu.h"
#include "kernel/amd64/pmap_int.h"
#include "kernel/amd64/vmparam.h"
#include "kernel/sys/critical.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_page.h"
#include "tests/vm/sim_pmap.h"

#define NSMALL 1024
#define NLARGE 64

/* A translation, or with a leaf that is a table what a directory entry says. */
struct slot {
	bool valid;
	unsigned int level;
	vm_offset_t va;
	pt_entry_t leaf; /* with the rights of all levels */
	uint64_t pcid;	 /* that was loaded */
};

static struct cpu {
	vm_paddr_t root;
	uint64_t pcid;
	struct slot small[NSMALL];
	struct slot large[NLARGE];
	struct slot tables[NLARGE];
} cpus[MAXCPU];

static struct mmu_counts counts;
static pthread_mutex_t mmu_mutex = PTHREAD_MUTEX_INITIALIZER;
static bool has_pcid;
static void (*before_order)(void); /* atomic; NULL: nothing */

/* What of an entry gives a right, once NX is turned round. */
#define RIGHTS (AMD64_PTE_RW | AMD64_PTE_U | AMD64_PTE_NX)

static pt_entry_t
rights(pt_entry_t entry)
{
	return ((entry ^ AMD64_PTE_NX) & RIGHTS);
}

/* An entry with no more rights than the levels above it give. */
static pt_entry_t
limited(pt_entry_t entry, pt_entry_t above)
{
	return ((entry & ~RIGHTS) | ((rights(entry) & above) ^ AMD64_PTE_NX));
}

static bool
allows(pt_entry_t leaf, unsigned int access)
{
	pt_entry_t wanted = 0;

	if ((access & MMU_WRITE) != 0)
		wanted |= AMD64_PTE_RW;
	if ((access & MMU_EXECUTE) != 0)
		wanted |= AMD64_PTE_NX;
	if ((access & MMU_USER) != 0)
		wanted |= AMD64_PTE_U;
	return ((wanted & ~rights(leaf)) == 0);
}

static bool
is_leaf(pt_entry_t entry, unsigned int level)
{
	return (level == 0 || (entry & AMD64_PTE_PS) != 0);
}

static pt_entry_t *
entry_of(vm_paddr_t table, vm_offset_t va, unsigned int level)
{
	return (&((pt_entry_t *)
		PHYS_TO_DMAP(table))[va >> (12 + 9 * level) & (NPTEPG - 1)]);
}

static void
check_in_use(const char *what, vm_paddr_t pa, vm_offset_t va)
{
	vm_page_t m = PHYS_TO_VM_PAGE(pa);

	if (m == NULL || (vm_page_aflags(m) & VPG_FREE) != 0)
		panic("mmu: %s %#jx for %#jx is free", what, (uintmax_t)pa,
		    (uintmax_t)va);
}

/*
 * What the page tables say of va now, down to a level at least; invalid if that
 * is nothing.  Changes nothing.
 */
static struct slot
look(const struct cpu *c, vm_offset_t va, unsigned int level)
{
	struct slot now = { .leaf = c->root };
	pt_entry_t above = RIGHTS;

	for (unsigned int at = 4; at-- > level;) {
		pt_entry_t entry =
		    *entry_of(now.leaf & AMD64_PTE_FRAME, va, at);

		if ((entry & AMD64_PTE_V) == 0)
			return ((struct slot){ .valid = false });
		if (amd64_pte_reserved(entry, at, 52) != 0)
			panic("mmu: entry %#jx of level %u for %#jx",
			    (uintmax_t)entry, at, (uintmax_t)va);
		now = (struct slot){ true, at, va, limited(entry, above), 0 };
		above = rights(now.leaf);
		if (is_leaf(entry, at))
			break;
	}
	return (now);
}

static vm_paddr_t
page_of(const struct slot *s, vm_offset_t va)
{
	return ((s->leaf & AMD64_PTE_FRAME & ~(level_size(s->level) - 1)) +
	    (va & (level_size(s->level) - 1)));
}

/* Not a device's: that has no page, and is uncached. */
static void
check_leaf(const struct slot *s, vm_offset_t va)
{
	vm_paddr_t pa = trunc_page(page_of(s, va));

	if (PHYS_TO_VM_PAGE(pa) != NULL || (s->leaf & AMD64_PTE_NC) == 0)
		check_in_use("page", pa, va);
}

/* What a CPU keeps must follow from the page tables as they are now. */
static void
check_translation(const struct cpu *c, const struct slot *s, vm_offset_t va)
{
	struct slot now = look(c, va, 0);

	if (!now.valid || page_of(&now, va) != page_of(s, va) ||
	    (rights(s->leaf) & ~rights(now.leaf)) != 0)
		panic("mmu: cpu%d: stale translation of %#jx: %#jx, now %#jx",
		    (int)(c - cpus), (uintmax_t)va, (uintmax_t)s->leaf,
		    (uintmax_t)now.leaf);
	if ((s->leaf & ~now.leaf & AMD64_PTE_M) != 0)
		panic("mmu: cpu%d: a write to %#jx would not be seen",
		    (int)(c - cpus), (uintmax_t)va);
	check_leaf(s, va);
}

static void
check_table(const struct cpu *c, const struct slot *s, vm_offset_t va)
{
	struct slot now = look(c, va, 1);

	if (!now.valid || is_leaf(now.leaf, now.level) ||
	    ((now.leaf ^ s->leaf) & AMD64_PTE_FRAME) != 0 ||
	    (rights(s->leaf) & ~rights(now.leaf)) != 0)
		panic("mmu: cpu%d: stale page table for %#jx: %#jx, now %#jx",
		    (int)(c - cpus), (uintmax_t)va, (uintmax_t)s->leaf,
		    (uintmax_t)now.leaf);
	check_in_use("page table", s->leaf & AMD64_PTE_FRAME, va);
}

/* Where something of that number is, of n slots. */
static size_t
place(const struct cpu *c, uint64_t number, size_t n)
{
	return ((number + 17 * c->pcid) & (n - 1));
}

static struct slot *
slot_for(struct cpu *c, vm_offset_t va, unsigned int level)
{
	return (level == 0 ? &c->small[place(c, va >> 12, NSMALL)] :
			     &c->large[place(c, va >> 21, NLARGE)]);
}

static struct slot *
table_slot(struct cpu *c, vm_offset_t va)
{
	return (&c->tables[place(c, va >> 21, NLARGE)]);
}

/* Is it of no use to what is loaded?  Then it may be of what is long gone. */
static bool
is_foreign(const struct cpu *c, const struct slot *s)
{
	return (s->pcid != c->pcid && (s->leaf & AMD64_PTE_G) == 0);
}

static bool
covers(const struct cpu *c, const struct slot *s, vm_offset_t va)
{
	return (s->valid && !is_foreign(c, s) &&
	    va - s->va < level_size(s->level));
}

static struct slot *
find(struct cpu *c, vm_offset_t va)
{
	for (unsigned int level = 0; level < 2; level++) {
		struct slot *s = slot_for(c, va, level);

		if (covers(c, s, va))
			return (s);
	}
	return (NULL);
}

/* The root, or the page table that the CPU remembers. */
static struct slot
walk_start(struct cpu *c, vm_offset_t va)
{
	const struct slot *s = table_slot(c, va);

	if (!covers(c, s, va)) {
		check_in_use("root", c->root, va);
		return ((struct slot){ true, 4, va,
		    c->root | AMD64_PTE_RW | AMD64_PTE_U, c->pcid });
	}
	check_table(c, s, va);
	return (*s);
}

static struct slot *
keep(const struct cpu *c, struct slot *slot, const struct slot *s)
{
	*slot = *s;
	slot->pcid = c->pcid;
	slot->va &= ~(level_size(s->level) - 1);
	return (slot);
}

/* Fill a slot by a walk, which sets accessed and dirty bits.  NULL: a fault. */
static struct slot *
walk(struct cpu *c, vm_offset_t va, unsigned int access)
{
	struct slot s = walk_start(c, va);

	counts.mc_walks++;
	for (;;) {
		pt_entry_t above = rights(s.leaf);
		pt_entry_t *entry =
		    entry_of(s.leaf & AMD64_PTE_FRAME, va, s.level - 1);

		if ((*entry & AMD64_PTE_V) == 0)
			return (NULL);
		s = (struct slot){ true, s.level - 1, va,
			limited(*entry, above), c->pcid };
		if (!allows(s.leaf, access))
			return (NULL);
		*entry |= AMD64_PTE_A;
		if (is_leaf(*entry, s.level)) {
			if ((access & MMU_WRITE) != 0)
				*entry |= AMD64_PTE_M;
			s.leaf = limited(*entry, above);
			return (keep(c, slot_for(c, va, s.level), &s));
		}
		if (s.level == 1)
			(void)keep(c, table_slot(c, va), &s);
	}
}

static void *
access_locked(struct cpu *c, vm_offset_t va, unsigned int access)
{
	struct slot *s = find(c, va);

	if (s != NULL)
		check_translation(c, s, va);
	if (s != NULL &&
	    (!allows(s->leaf, access) ||
		((access & MMU_WRITE) != 0 && (s->leaf & AMD64_PTE_M) == 0))) {
		/* A CPU looks again before it faults, and for a first write. */
		s->valid = false;
		s = NULL;
	}
	if (s == NULL)
		s = walk(c, va, access);
	return (s == NULL ? NULL : (void *)PHYS_TO_DMAP(page_of(s, va)));
}

void *
mmu_access(unsigned int cpu, vm_offset_t va, unsigned int access)
{
	void *p;

	pthread_mutex_lock(&mmu_mutex);
	p = access_locked(&cpus[cpu], va, access);
	pthread_mutex_unlock(&mmu_mutex);
	return (p);
}

bool
mmu_copy(vm_offset_t va, unsigned int access, void *buf, size_t len)
{
	void *p;

	mtx_lock_spin(&pmap_lock);
	p = mmu_access(critical_cpu(), va, access);
	if (p != NULL && (access & MMU_WRITE) != 0)
		memcpy(p, buf, len);
	else if (p != NULL)
		memcpy(buf, p, len);
	mtx_unlock_spin(&pmap_lock);
	return (p != NULL);
}

bool
mmu_knows(unsigned int cpu, vm_offset_t va)
{
	return (find(&cpus[cpu], va) != NULL);
}

struct mmu_counts
mmu_count(void)
{
	struct mmu_counts was = counts;

	counts = (struct mmu_counts){ 0 };
	return (was);
}

/* ---- What the pmap asks for ---- */

static bool
in_flush(const struct tlb_flush *flush, const struct slot *s)
{
	if (flush->tlf_all)
		return (true);
	for (unsigned int i = 0; i < flush->tlf_nranges; i++) {
		const struct tlb_range *r = &flush->tlf_range[i];

		if (s->va < r->tlb_end &&
		    r->tlb_start - s->va < level_size(s->level))
			return (true);
		if (s->va >= r->tlb_start && s->va < r->tlb_end)
			return (true);
	}
	return (false);
}

/* Until now the CPU could use it: it must not be free yet. */
static void
forget(const struct cpu *c, struct slot *s)
{
	if (s->valid && !is_foreign(c, s))
		check_leaf(s, s->va);
	s->valid = false;
}

/* Ranges are of the PCID that is loaded. */
static void
forget_slots(const struct cpu *c, struct slot *slots, size_t n,
    const struct tlb_flush *flush)
{
	for (size_t i = 0; i < n; i++) {
		if (in_flush(flush, &slots[i]) &&
		    (flush->tlf_all || !is_foreign(c, &slots[i])))
			forget(c, &slots[i]);
	}
}

/* One invalidated address takes along all that is known of tables. */
static void
forget_tables(struct cpu *c, bool of_all)
{
	for (size_t i = 0; i < NLARGE; i++) {
		struct slot *s = &c->tables[i];
		bool foreign = s->pcid != c->pcid;

		if (foreign && !of_all)
			continue;
		if (s->valid && !foreign)
			check_in_use("page table", s->leaf & AMD64_PTE_FRAME,
			    s->va);
		s->valid = false;
	}
}

void
mmu_before_order(void (*func)(void))
{
	before_order = func;
}

void
pmap_cpu_invalidate(uint64_t mask, const struct tlb_flush *flush)
{
	unsigned int self = critical_cpu();
	void (*before)(void) =
	    __atomic_exchange_n(&before_order, NULL, __ATOMIC_RELAXED);

	if (before != NULL)
		before();
	pthread_mutex_lock(&mmu_mutex);
	counts.mc_orders++;
	counts.mc_all += flush->tlf_all;
	for (unsigned int cpu = 0; cpu <= (unsigned int)mp_maxid; cpu++) {
		struct cpu *c = &cpus[cpu];

		if ((mask >> cpu & 1) == 0)
			continue;
		counts.mc_told += cpu != self;
		forget_slots(c, c->small, NSMALL, flush);
		forget_slots(c, c->large, NLARGE, flush);
		forget_tables(c, flush->tlf_all);
	}
	pthread_mutex_unlock(&mmu_mutex);
}

bool
pmap_cpu_has_pcid(void)
{
	return (has_pcid);
}

void
mmu_set_pcid(bool has)
{
	has_pcid = has;
}

/* Forget what is known under a PCID and not global, of whatever it was. */
static void
forget_pcid(struct slot *slots, size_t n, uint64_t pcid)
{
	for (size_t i = 0; i < n; i++) {
		if (slots[i].pcid == pcid && (slots[i].leaf & AMD64_PTE_G) == 0)
			slots[i].valid = false;
	}
}

void
pmap_cpu_load(uint64_t cr3)
{
	struct cpu *c = &cpus[critical_cpu()];

	if (!has_pcid && (cr3 & (CR3_PCID_MASK | CR3_PCID_SAVE)) != 0)
		panic("mmu: CR3 %#jx", (uintmax_t)cr3);
	pthread_mutex_lock(&mmu_mutex);
	if (!has_pcid)
		forget_tables(c, true);
	c->pcid = cr3 & CR3_PCID_MASK;
	c->root = cr3 & ~(CR3_PCID_MASK | CR3_PCID_SAVE);
	if ((cr3 & CR3_PCID_SAVE) != 0) {
		counts.mc_kept++;
	} else {
		forget_pcid(c->small, NSMALL, c->pcid);
		forget_pcid(c->large, NLARGE, c->pcid);
		forget_pcid(c->tables, NLARGE, c->pcid);
	}
	pthread_mutex_unlock(&mmu_mutex);
}

/* ---- Power on ---- */

static void
link_table(vm_paddr_t table, vm_offset_t va, unsigned int level, vm_paddr_t to)
{
	*entry_of(table, va, level) = to | ENTRY_TABLE;
}

/* Page tables as pmap_bootstrap.c leaves them, without direct map and image. */
vm_offset_t
sim_pmap_boot(int fd, vm_size_t kva_size)
{
	vm_paddr_t tables =
	    vm_phys_early_alloc((2 + NKPD) * PAGE_SIZE, VM_EARLY_CORE);
	vm_paddr_t pdpt = tables + PAGE_SIZE;

	(void)fd, (void)kva_size;
	KPML4phys = tables;
	link_table(KPML4phys, VM_MIN_KVA, 3, pdpt);
	for (unsigned int i = 0; i < NKPD; i++) {
		vm_paddr_t pd = pdpt + ptoa(1 + i);

		kernel_pd[i] = (pt_entry_t *)PHYS_TO_DMAP(pd);
		link_table(pdpt, KERNBASE + i * NBPDP, 2, pd);
	}
	kernel_vm_end = VM_MIN_KVA;
	/* A panic may have left it locked. */
	pthread_mutex_init(&mmu_mutex, NULL);
	memset(cpus, 0, sizeof(cpus));
	for (unsigned int cpu = 0; cpu < MAXCPU; cpu++)
		cpus[cpu].root = KPML4phys;
	counts = (struct mmu_counts){ 0 };
	pmap_init();
	return (VM_MIN_KVA);
}

void
sim_pmap_halt(void)
{
}

vm_paddr_t
pmap_image_extract(vm_offset_t va)
{
	(void)va;
	return (0);
}
