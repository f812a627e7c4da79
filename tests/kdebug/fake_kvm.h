/*
 * A libkvm made by hand: a dumped kernel is the memory and the symbols that a
 * test puts into it.  It takes the place of the real one when a program is
 * linked, so that kdebug/ can be shown any kernel, also impossible ones.
 */
#ifndef TESTS_KDEBUG_FAKE_KVM_H
#define TESTS_KDEBUG_FAKE_KVM_H

#include "libkvm/kvm_core.h"

/* A kernel of that machine, with nothing in it. */
kvm_t *fake_create(enum dump_arch arch, enum byte_order order);
void fake_destroy(kvm_t *kd);

/* The kernel's ELF file, for those parts that look at it by themselves. */
void fake_set_exec(kvm_t *kd, const char *path);

/*
 * Where the kernel's file starts: what memory has from there on, up to the next
 * gigabyte, is in the file too.
 */
void fake_set_exec_base(kvm_t *kd, kvaddr_t base);

/* The section of a minidump that copies the message buffer, len bytes. */
void fake_set_msgbuf(kvm_t *kd, const void *ring, uint32_t len,
    const void *behind, uint32_t behind_len);

/* Put bytes into memory, which is then there in whole pages. */
void fake_put(kvm_t *kd, kvaddr_t va, const void *bytes, size_t len);
void fake_word(kvm_t *kd, kvaddr_t va, uint64_t value);
void fake_u64(kvm_t *kd, kvaddr_t va, uint64_t value);
void fake_u32(kvm_t *kd, kvaddr_t va, uint32_t value);
void fake_string(kvm_t *kd, kvaddr_t va, const char *s);

/* Take the page at va out of the dump again. */
void fake_drop(kvm_t *kd, kvaddr_t va);

/* A symbol, as if it lay among instructions; one that lies among data. */
void fake_symbol(kvm_t *kd, const char *name, kvaddr_t va, uint64_t len);
void fake_object(kvm_t *kd, const char *name, kvaddr_t va, uint64_t len);

/* A constant: a symbol and, in the kernel's file only, its value. */
void fake_const(kvm_t *kd, const char *name, uint32_t value);

/* Debug information that says where a member of a structure is. */
void fake_member(kvm_t *kd, const char *type, const char *name, uint32_t off,
    uint32_t len);

/*
 * A virtual CPU in the core's notes.  The n'th call is about the n'th of them;
 * all pointers are the test's.
 */
void fake_vcpu(kvm_t *kd, const struct kvm_vcpu *vcpu);

/* Forget the symbol, which is there; or all. */
void fake_unsymbol(kvm_t *kd, const char *name);
void fake_strip(kvm_t *kd);

/*
 * A kernel as bytes, so that a fuzzer can start from those of the tests: one
 * that is destroyed while the environment has FAKE_SAVE goes into a new file of
 * that folder, unless it is large.  fake_load() makes it again, and NULL of what
 * it cannot understand; names stay where they are in the bytes.
 */
void fake_save(const kvm_t *kd, const char *dir);
kvm_t *fake_load(const uint8_t *bytes, size_t len);

#endif
