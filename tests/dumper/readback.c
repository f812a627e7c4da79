#include "tests/dumper/readback.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "libkvm/kvm_core.h"
#include "tests/support/kernfile.h"
#include "tests/support/temp.h"
#include "tests/support/unit.h"

#define KERNEL_LEN 4096

/* A kernel: an ELF file with the two symbols that libkvm asks for. */
static size_t
make_kernel(uint8_t kernel[KERNEL_LEN])
{
	static const struct kernfile_symbol symbols[] = {
		{ "kernbase", SIM_KERNBASE, 0, KERNFILE_ABS, 0, false },
		{ "KPML4phys", SIM_DATA_VA, 8, KERNFILE_ABS, 1, false },
	};
	const struct kernfile kf = { .arch = ARCH_AMD64,
		.order = ORDER_LITTLE,
		.symbols = symbols,
		.nsymbols = NROWS(symbols) };

	return (kernfile_write(&kf, kernel, KERNEL_LEN));
}

static kvm_t *
open_dump(const uint8_t *dump, size_t len)
{
	char kernel_path[TEMP_PATH_LEN];
	char dump_path[TEMP_PATH_LEN];
	uint8_t kernel[KERNEL_LEN];
	char why[2048];
	kvm_t *kd;

	temp_named(kernel, make_kernel(kernel), kernel_path);
	temp_named(dump, len, dump_path);
	kd = kvm_open2(kernel_path, dump_path, O_RDONLY, why, NULL);
	(void)unlink(kernel_path);
	(void)unlink(dump_path);
	if (kd == NULL)
		fail_msg("%s", why);
	return (kd);
}

/* ---- Comparing ---- */

static void
compare(struct sim *sim, const uint8_t *found, uint64_t pa, uint64_t va)
{
	static const uint8_t zeros[DUMP_PAGE_SIZE];
	const uint8_t *want =
	    sim->unreadable[sim_index(sim, pa)] ? zeros : sim_bytes(sim, pa);

	if (memcmp(found, want, DUMP_PAGE_SIZE) != 0)
		fail_msg("other bytes at va %#jx, pa %#jx", (uintmax_t)va,
		    (uintmax_t)pa);
}

static void
check_memory(struct sim *sim, kvm_t *kd, enum dump_format format,
    unsigned int flags, enum readback_mode mode)
{
	uint8_t page[DUMP_PAGE_SIZE];
	uint64_t ndumped = 0;

	for (size_t i = 0; i < sim->nranges; i++) {
		for (uint64_t pa = sim->ranges[i].r_start;
		     pa < sim->ranges[i].r_end; pa += DUMP_PAGE_SIZE) {
			bool want = sim_dumped(sim, pa, format, flags);
			bool found =
			    kvm_read_phys(kd, pa, page, sizeof(page)) ==
			    (kssize_t)sizeof(page);

			if (want != found && (want || mode == READBACK_EXACT))
				fail_msg("page %#jx is%s in the dump",
				    (uintmax_t)pa, found ? "" : " not");
			if (found)
				compare(sim, page, pa, 0);
			ndumped += found;
		}
	}
	assert_int_equal(kvm_core(kd)->kc_npages,
	    format == DUMP_FORMAT_FULL ? sim->npages : ndumped);
}

/* Does the address read as the model says? */
static void
check_va(struct sim *sim, kvm_t *kd, uint64_t va, enum dump_format format,
    unsigned int flags, enum readback_mode mode)
{
	uint8_t page[DUMP_PAGE_SIZE];
	bool found =
	    kvm_read2(kd, va, page, sizeof(page)) == (kssize_t)sizeof(page);
	uint64_t pa;

	if (sim_translate(sim, va, &pa) && sim_dumped(sim, pa, format, flags)) {
		if (!found)
			fail_msg("va %#jx: %s", (uintmax_t)va, kvm_geterr(kd));
		compare(sim, page, pa, va);
	} else if (found && mode == READBACK_EXACT &&
	    !sim_translate(sim, va, &pa)) {
		fail_msg("va %#jx is not mapped, but read", (uintmax_t)va);
	} else if (found && mode == READBACK_EXACT) {
		fail_msg("va %#jx -> %#jx is not in the dump, but read",
		    (uintmax_t)va, (uintmax_t)pa);
	}
}

static void
check_maps(struct sim *sim, kvm_t *kd, enum dump_format format,
    unsigned int flags, enum readback_mode mode)
{
	for (size_t i = 0; i < sim->nmaps; i++)
		for (uint64_t off = 0; off < sim->maps[i].len;
		     off += DUMP_PAGE_SIZE)
			check_va(sim, kd, sim->maps[i].va + off, format, flags,
			    mode);
	for (int i = 0; i < 300; i++)
		check_va(sim, kd,
		    SIM_KERNBASE +
			sim_random(sim, SIM_KVA_LEN / DUMP_PAGE_SIZE) *
			    DUMP_PAGE_SIZE,
		    format, flags, mode);
}

static void
check_direct_map(struct sim *sim, kvm_t *kd, enum dump_format format,
    unsigned int flags)
{
	uint8_t page[DUMP_PAGE_SIZE];

	if (format == DUMP_FORMAT_FULL) /* the simulated one has no tables */
		return;
	for (size_t i = 0; i < sim->nranges; i++) {
		uint64_t pa = sim->ranges[i].r_end - DUMP_PAGE_SIZE;

		if (!sim_dumped(sim, pa, format, flags))
			continue;
		assert_int_equal(kvm_read2(kd, SIM_DMAP + pa, page,
				     sizeof(page)),
		    sizeof(page));
		compare(sim, page, pa, SIM_DMAP + pa);
	}
}

static void
check_msgbuf(struct sim *sim, kvm_t *kd, const uint8_t *dump,
    enum dump_format format)
{
	const struct minidump_hdr *hdr = kvm_core(kd)->kc_minidump;
	uint8_t ring[sizeof(sim->msgbuf)];

	if (format == DUMP_FORMAT_FULL)
		return;
	assert_int_equal(kvm_read_msgbuf(kd, 0, ring, sizeof(ring)),
	    sizeof(ring));
	assert_memory_equal(ring, sim->msgbuf, sizeof(ring));
	/* Its last page has the bytes after it, and zeros. */
	dump += hdr->md_msgbuf_off + sizeof(ring);
	assert_memory_equal(dump, sim->msgbuf_tail, sizeof(sim->msgbuf_tail));
	for (size_t off = sizeof(sim->msgbuf_tail);
	     (sizeof(ring) + off) % DUMP_PAGE_SIZE != 0; off++)
		assert_int_equal(dump[off], 0);
}

/* The half of a byte of the section that page n has. */
static unsigned int
owner_at(const uint8_t *owners, uint64_t n)
{
	return (owners[n / 2] >> n % 2 * 4 & 0xf);
}

/* The owner of each page of memory, and nothing for what is none. */
static void
check_owners(struct sim *sim, kvm_t *kd, const uint8_t *dump,
    enum dump_format format, unsigned int flags)
{
	const struct minidump_hdr *hdr = kvm_core(kd)->kc_minidump;
	const uint8_t *owners;
	uint64_t nsaid = 0, nwanted = 0;

	if (format == DUMP_FORMAT_FULL)
		return;
	if ((flags & DUMP_FLAG_NOOWNERS) != 0) {
		assert_int_equal(hdr->md_owners.oh_len, 0);
		return;
	}
	assert_int_equal(hdr->md_owners.oh_len, hdr->md_bitmap_len * 4);
	owners = dump + hdr->md_owners.oh_off;
	for (uint64_t i = 0; i < sim->npages; i++) {
		uint64_t pa = sim_pa(sim, i);
		uint8_t want = sim_owner(sim, pa);
		uint64_t bit =
		    format == DUMP_FORMAT_MINIDUMP1 ? pa / DUMP_PAGE_SIZE : i;

		if (want >= OWNER_COUNT)
			want = OWNER_UNKNOWN;
		if (owner_at(owners, bit) != want)
			fail_msg("page %#jx: owner %u, not %u", (uintmax_t)pa,
			    owner_at(owners, bit), want);
		nwanted += want != OWNER_UNKNOWN;
	}
	for (uint64_t bit = 0; bit < hdr->md_owners.oh_len * 2; bit++)
		nsaid += owner_at(owners, bit) != OWNER_UNKNOWN;
	assert_int_equal(nsaid, nwanted);
}

void
readback(struct sim *sim, const uint8_t *dump, size_t len,
    enum dump_format format, unsigned int flags, enum readback_mode mode)
{
	kvm_t *kd = open_dump(dump, len);

	assert_int_equal(kvm_core(kd)->kc_file_short, 0);
	check_msgbuf(sim, kd, dump, format);
	check_owners(sim, kd, dump, format, flags);
	check_memory(sim, kd, format, flags, mode);
	check_maps(sim, kd, format, flags, mode);
	check_direct_map(sim, kd, format, flags);
	assert_int_equal(kvm_close(kd), 0);
}
