#include "tests/kdebug/fake_kvm.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/kdebug/fake_kvm_int.h"

static const struct {
	const char *name;
	unsigned int ptr_len;
} machines[ARCH_COUNT] = {
	[ARCH_AMD64] = { "amd64", 8 },
	[ARCH_ARM] = { "armv7", 4 },
	[ARCH_ARM64] = { "aarch64", 8 },
	[ARCH_I386] = { "i386", 4 },
	[ARCH_RISCV] = { "riscv64", 8 },
};

static void *
check(void *p)
{
	if (p == NULL)
		abort();
	return (p);
}

kvm_t *
fake_create(enum dump_arch arch, enum byte_order order)
{
	kvm_t *kd = check(calloc(1, sizeof(*kd)));

	kd->kd_core = (struct kvm_core){
		.kc_format = "elf",
		.kc_arch = arch,
		.kc_arch_name = machines[arch].name,
		.kc_order = order,
		.kc_ptr_len = machines[arch].ptr_len,
		.kc_page_size = PAGE_LEN,
		.kc_exec_path = "/nonexistent/boot/kernel/kernel",
		.kc_exec_fd = -1,
		.kc_core_path = "vmcore.0",
	};
	return (kd);
}

void
fake_destroy(kvm_t *kd)
{
	const char *dir = getenv("FAKE_SAVE");

	if (dir != NULL)
		fake_save(kd, dir);
	for (size_t i = 0; i < kd->kd_npages; i++)
		free(kd->kd_pages[i]);
	free(kd->kd_pages);
	free(kd->kd_syms);
	if (kd->kd_core.kc_exec_fd >= 0)
		close(kd->kd_core.kc_exec_fd);
	free(kd);
}

void
fake_set_exec(kvm_t *kd, const char *path)
{
	kd->kd_core.kc_exec_path = path;
	kd->kd_core.kc_exec_fd = open(path, O_RDONLY | O_CLOEXEC);
}

void
fake_set_exec_base(kvm_t *kd, kvaddr_t base)
{
	kd->kd_core.kc_exec_base = base;
}

void
fake_set_msgbuf(kvm_t *kd, const void *ring, uint32_t len, const void *behind,
    uint32_t behind_len)
{
	memcpy(kd->kd_msgbuf, ring, len);
	memcpy(kd->kd_msgbuf + len, behind, behind_len);
	kd->kd_hdr.md_msgbuf_len = len;
	kd->kd_core.kc_format = "minidump";
	kd->kd_core.kc_minidump = &kd->kd_hdr;
}

static struct page *
find_page(kvm_t *kd, kvaddr_t va)
{
	for (size_t i = 0; i < kd->kd_npages; i++) {
		if (kd->kd_pages[i]->pg_va == va / PAGE_LEN * PAGE_LEN)
			return (kd->kd_pages[i]);
	}
	return (NULL);
}

static struct page *
make_page(kvm_t *kd, kvaddr_t va)
{
	struct page *pg = find_page(kd, va);

	if (pg == NULL) {
		pg = check(calloc(1, sizeof(*pg)));
		pg->pg_va = va / PAGE_LEN * PAGE_LEN;
		kd->kd_pages = check(realloc(kd->kd_pages,
		    (kd->kd_npages + 1) * sizeof(struct page *)));
		kd->kd_pages[kd->kd_npages++] = pg;
	}
	return (pg);
}

void
fake_put(kvm_t *kd, kvaddr_t va, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		make_page(kd, va + i)->pg_bytes[(va + i) % PAGE_LEN] =
		    ((const uint8_t *)bytes)[i];
}

void
fake_u32(kvm_t *kd, kvaddr_t va, uint32_t value)
{
	uint8_t bytes[4];

	if (kd->kd_core.kc_order == ORDER_LITTLE)
		le32enc(bytes, value);
	else
		be32enc(bytes, value);
	fake_put(kd, va, bytes, sizeof(bytes));
}

void
fake_u64(kvm_t *kd, kvaddr_t va, uint64_t value)
{
	uint8_t bytes[8];

	if (kd->kd_core.kc_order == ORDER_LITTLE)
		le64enc(bytes, value);
	else
		be64enc(bytes, value);
	fake_put(kd, va, bytes, sizeof(bytes));
}

void
fake_word(kvm_t *kd, kvaddr_t va, uint64_t value)
{
	if (kd->kd_core.kc_ptr_len == 8)
		fake_u64(kd, va, value);
	else
		fake_u32(kd, va, (uint32_t)value);
}

void
fake_string(kvm_t *kd, kvaddr_t va, const char *s)
{
	fake_put(kd, va, s, strlen(s) + 1);
}

void
fake_drop(kvm_t *kd, kvaddr_t va)
{
	struct page *pg = find_page(kd, va);

	if (pg == NULL)
		abort();
	pg->pg_va = DROPPED_VA;
}

void
fake_symbol(kvm_t *kd, const char *name, kvaddr_t va, uint64_t len)
{
	kd->kd_syms = check(realloc(kd->kd_syms,
	    (kd->kd_nsyms + 1) * sizeof(*kd->kd_syms)));
	kd->kd_syms[kd->kd_nsyms++] = (struct kvm_symbol){
		.ksy_name = name,
		.ksy_va = va,
		.ksy_len = len,
		.ksy_code = true,
	};
}

void
fake_object(kvm_t *kd, const char *name, kvaddr_t va, uint64_t len)
{
	fake_symbol(kd, name, va, len);
	kd->kd_syms[kd->kd_nsyms - 1].ksy_code = false;
}

void
fake_const(kvm_t *kd, const char *name, uint32_t value)
{
	if (kd->kd_nconsts == NCONSTS)
		abort();
	fake_symbol(kd, name, CONSTS_VA + 4 * kd->kd_nconsts, 4);
	kd->kd_consts[kd->kd_nconsts++] = value;
}

void
fake_member(kvm_t *kd, const char *type, const char *name, uint32_t off,
    uint32_t len)
{
	if (kd->kd_nmembers == NMEMBERS)
		abort();
	kd->kd_members[kd->kd_nmembers++] = (struct kvm_member){
		.kmb_type = type,
		.kmb_name = name,
		.kmb_off = off,
		.kmb_len = len,
	};
}

void
fake_vcpu(kvm_t *kd, const struct kvm_vcpu *vcpu)
{
	if (kd->kd_core.kc_nvcpus == sizeof(kd->kd_vcpus) / sizeof(*vcpu))
		abort();
	kd->kd_vcpus[kd->kd_core.kc_nvcpus++] = *vcpu;
	kd->kd_core.kc_vcpus = kd->kd_vcpus;
}

void
fake_unsymbol(kvm_t *kd, const char *name)
{
	for (size_t i = 0; i < kd->kd_nsyms; i++) {
		if (strcmp(kd->kd_syms[i].ksy_name, name) == 0) {
			kd->kd_syms[i] = kd->kd_syms[--kd->kd_nsyms];
			return;
		}
	}
	abort();
}

void
fake_strip(kvm_t *kd)
{
	kd->kd_nsyms = 0;
}

/* ---- what kdebug/ calls ---- */

const struct kvm_core *
kvm_core(kvm_t *kd)
{
	return (&kd->kd_core);
}

char *
kvm_geterr(kvm_t *kd)
{
	static char none[] = "";

	(void)kd;
	return (none);
}

kssize_t
kvm_read_some(kvm_t *kd, kvaddr_t va, void *buf, size_t len, kvaddr_t *bad)
{
	for (size_t i = 0; i < len; i++) {
		const struct page *pg = find_page(kd, va + i);

		if (pg == NULL) {
			if (bad != NULL)
				*bad = va + i;
			return ((kssize_t)i);
		}
		((uint8_t *)buf)[i] = pg->pg_bytes[(va + i) % PAGE_LEN];
	}
	return ((kssize_t)len);
}

kssize_t
kvm_read2(kvm_t *kd, kvaddr_t va, void *buf, size_t len)
{
	kssize_t n = kvm_read_some(kd, va, buf, len, NULL);

	return (n == (kssize_t)len ? n : -1);
}

kssize_t
kvm_read_exec(kvm_t *kd, kvaddr_t va, void *buf, size_t len)
{
	size_t idx = (size_t)((va - CONSTS_VA) / 4);
	kvaddr_t base = kd->kd_core.kc_exec_base;

	if (base != 0 && va >= base && va - base < GB)
		return (kvm_read2(kd, va, buf, len));
	if (va < CONSTS_VA || idx >= kd->kd_nconsts || len != 4)
		return (-1);
	if (kd->kd_core.kc_order == ORDER_LITTLE)
		le32enc(buf, kd->kd_consts[idx]);
	else
		be32enc(buf, kd->kd_consts[idx]);
	return (4);
}

kssize_t
kvm_read_msgbuf(kvm_t *kd, uint64_t off, void *buf, size_t len)
{
	if (kd->kd_core.kc_minidump == NULL || off > sizeof(kd->kd_msgbuf))
		return (-1);
	if (len > sizeof(kd->kd_msgbuf) - off)
		len = (size_t)(sizeof(kd->kd_msgbuf) - off);
	memcpy(buf, kd->kd_msgbuf + off, len);
	return ((kssize_t)len);
}

const char *
kvm_members_why(kvm_t *kd)
{
	(void)kd;
	return (NULL);
}

size_t
kvm_members_find(kvm_t *kd, struct kvm_member *list, size_t n)
{
	size_t nfound = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < kd->kd_nmembers; k++) {
			const struct kvm_member *mb = &kd->kd_members[k];

			if (strcmp(list[i].kmb_type, mb->kmb_type) != 0 ||
			    strcmp(list[i].kmb_name, mb->kmb_name) != 0)
				continue;
			list[i] = *mb;
			nfound++;
			break;
		}
	}
	return (nfound);
}

bool
kvm_has_symbols(kvm_t *kd)
{
	return (kd->kd_nsyms > 0);
}

bool
kvm_symbol_find(kvm_t *kd, const char *name, struct kvm_symbol *out)
{
	for (size_t i = 0; i < kd->kd_nsyms; i++) {
		if (strcmp(kd->kd_syms[i].ksy_name, name) == 0) {
			*out = kd->kd_syms[i];
			return (true);
		}
	}
	return (false);
}

bool
kvm_symbol_at(kvm_t *kd, kvaddr_t va, struct kvm_symbol *out)
{
	const struct kvm_symbol *best = NULL;

	for (size_t i = 0; i < kd->kd_nsyms; i++) {
		const struct kvm_symbol *ks = &kd->kd_syms[i];

		if (ks->ksy_va <= va &&
		    (best == NULL || ks->ksy_va > best->ksy_va))
			best = ks;
	}
	if (best == NULL ||
	    (best->ksy_len != 0 && va - best->ksy_va >= best->ksy_len))
		return (false);
	*out = *best;
	return (true);
}
