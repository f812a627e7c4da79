/*
 * The kernel's ELF file: architecture, symbols, constants.  Through libelf.
 */
#ifndef LIBKVM_EXEC_H
#define LIBKVM_EXEC_H

#include <libelf.h>

#include "format/minidump.h"
#include "libkvm/kvm_core.h"

struct exec;

/*
 * Open the file; only its header is read now.  NULL: a text in why[len].
 */
struct exec *exec_open(const char *path, char *why, size_t len);
void exec_close(struct exec *ex);

const char *exec_path(const struct exec *ex);
enum dump_arch exec_arch(const struct exec *ex);
enum byte_order exec_order(const struct exec *ex);

/* A descriptor of the file, unpacked if it was compressed; ex's. */
int exec_fd(const struct exec *ex);

/* Bytes of the compressed file that it was unpacked from; 0: it was not. */
uint64_t exec_packed_len(const struct exec *ex);

/* For helper_start() of all helpers that read this file.  NULL: no memory. */
struct helpcost *exec_helpcost(const struct exec *ex);

/* libelf's handle of the file; ex's. */
Elf *exec_elf(const struct exec *ex);

/* Where its first loadable segment was linked to; 0: it has none. */
kvaddr_t exec_base(const struct exec *ex);

/* The text of the last failure; "" if there was none. */
const char *exec_error(const struct exec *ex);

/*
 * Symbols, see kvm_symbol_find() and kvm_symbol_at().  The symbol table is read
 * when the first is asked for; exec_load_symbols() says whether that worked.
 * Without a file, ex being NULL, there are none, and no bytes below.
 */
bool exec_load_symbols(struct exec *ex);

/*
 * Is it known which symbols there are, if any?  false: the table cannot be read;
 * exec_error() has a text, errno the system's reason or 0.
 */
bool exec_check_symbols(struct exec *ex);

bool exec_symbol_find(struct exec *ex, const char *name,
    struct kvm_symbol *out);
bool exec_symbol_at(struct exec *ex, kvaddr_t va, struct kvm_symbol *out);

/*
 * Copy len bytes that the file holds for va.  false: it does not, or they cannot
 * be read.
 */
bool exec_read(struct exec *ex, kvaddr_t va, void *buf, size_t len);

/* See kvm_read_exec_error(). */
int exec_read_error(const struct exec *ex, uint64_t *off);

#endif
