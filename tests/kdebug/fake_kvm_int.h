/* The inside of a fake kernel: fake_kvm.c fills it in, fake_file.c keeps it. */
#ifndef TESTS_KDEBUG_FAKE_KVM_INT_H
#define TESTS_KDEBUG_FAKE_KVM_INT_H

#include "tests/kdebug/fake_kvm.h"

#define PAGE_LEN 4096
#define GB	 (UINT64_C(1) << 30)

/* The address of no page: of those that were dropped. */
#define DROPPED_VA 1

/* Where the constants of fake_const() are, which is not in memory. */
#define CONSTS_VA UINT64_C(0x7000)
#define NCONSTS	  64

#define NMEMBERS 16
#define NVCPUS	 4

struct page {
	kvaddr_t pg_va;
	uint8_t pg_bytes[PAGE_LEN];
};

struct __kvm {
	struct kvm_core kd_core;
	struct minidump_hdr kd_hdr;
	struct page **kd_pages; /* in no order */
	size_t kd_npages;
	struct kvm_symbol *kd_syms;
	size_t kd_nsyms;
	uint32_t kd_consts[NCONSTS];
	size_t kd_nconsts;
	struct kvm_member kd_members[NMEMBERS];
	size_t kd_nmembers;
	uint8_t kd_msgbuf[8192];
	struct kvm_vcpu kd_vcpus[NVCPUS];
};

#endif
