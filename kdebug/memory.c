/*
 * Memory of the dumped kernel in its own sizes: words, code and strings.
 *
 * A read gives all of the bytes or fails; only a string may end early.
 */
#include <string.h>

#include "kdebug/kdebug_int.h"

bool
mem_read(struct kdebug *kdb, kvaddr_t va, void *buf, size_t len)
{
	return (kvm_read2(kdb->kdb_kd, va, buf, len) == (kssize_t)len);
}

bool
mem_u32(struct kdebug *kdb, kvaddr_t va, uint32_t *out)
{
	uint8_t bytes[4];

	if (!mem_read(kdb, va, bytes, sizeof(bytes)))
		return (false);
	*out = dec32(kdb->kdb_core->kc_order, bytes);
	return (true);
}

/* A pointer or long of the dumped kernel. */
bool
mem_word(struct kdebug *kdb, kvaddr_t va, kvaddr_t *out)
{
	const struct kvm_core *core = kdb->kdb_core;
	uint8_t bytes[8];

	if (!mem_read(kdb, va, bytes, core->kc_ptr_len))
		return (false);
	*out = core->kc_ptr_len == 8 ? dec64(core->kc_order, bytes) :
				       dec32(core->kc_order, bytes);
	return (true);
}

/*
 * Bytes that never change.  They are always in the kernel's file: look there.
 */
bool
mem_code(struct kdebug *kdb, kvaddr_t va, void *buf, size_t len)
{
	return (kvm_read_exec(kdb->kdb_kd, va, buf, len) == (kssize_t)len ||
	    mem_read(kdb, va, buf, len));
}

bool
mem_const_u32(struct kdebug *kdb, kvaddr_t va, uint32_t *out)
{
	uint8_t bytes[4];

	if (!mem_code(kdb, va, bytes, sizeof(bytes)))
		return (false);
	*out = dec32(kdb->kdb_core->kc_order, bytes);
	return (true);
}

size_t
mem_string(struct kdebug *kdb, kvaddr_t va, char *buf, size_t len)
{
	/* Up to a hole: the page after the one with the NUL may be missing. */
	kssize_t n = kvm_read_some(kdb->kdb_kd, va, buf, len, NULL);
	const char *nul;

	if (n <= 0)
		return (0);
	nul = memchr(buf, '\0', (size_t)n);
	return (nul != NULL ? (size_t)(nul - buf) : (size_t)n);
}
