/*
 * Red zones of malloc(9).
 *
 *	raw				addr
 *	| fill | struct redzone | 16 x 0x42 | size bytes | 0x42 to raw's end |
 *
 * What lies before addr is a power of two, as large as the allocation at least,
 * so that addr is aligned as raw is, but not more than a page.
 *
 * Lock: none.  An allocation belongs to the caller; the sum of bytes is atomic.
 */
#include "kernel/vm/redzone.h"

#include "kernel/sys/libkern.h"
#include "kernel/sys/stack.h"
#include "kernel/sys/sysctl.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_param.h"

#define GUARD_LEN 16
#define GUARD	  0x42

/* Right before the guard bytes; it may be misaligned by nothing but hands. */
struct redzone {
	size_t rz_size;
	const struct malloc_type *rz_type;
	struct stack rz_stack;
};

#define HEAD_MIN 256
static_assert(sizeof(struct redzone) + GUARD_LEN <= HEAD_MIN, "room for both");

int redzone_enable;
int redzone_panic;
static uint64_t redzone_extra_mem; /* atomic */

SYSCTL_NODE(_vm, OID_AUTO, redzone, CTLFLAG_RD, NULL, "malloc's red zones");
SYSCTL_INT(_vm_redzone, OID_AUTO, enable, CTLFLAG_RDTUN, &redzone_enable, 0,
    "Check the bytes around each allocation when it is freed");
SYSCTL_INT(_vm_redzone, OID_AUTO, panic, CTLFLAG_RWTUN, &redzone_panic, 0,
    "Panic when such bytes have changed");
SYSCTL_U64(_vm_redzone, OID_AUTO, extra_mem, CTLFLAG_RD, &redzone_extra_mem, 0,
    "Bytes that are allocated for red zones");

/* Bytes before an allocation of size. */
static size_t
head_len(size_t size)
{
	size_t len = HEAD_MIN;

	while (len < size && len < PAGE_SIZE)
		len *= 2;
	return (len);
}

static struct redzone *
redzone_of(const void *addr)
{
	return ((struct redzone *)((uintptr_t)addr - GUARD_LEN -
	    sizeof(struct redzone)));
}

size_t
redzone_size_ntor(size_t size)
{
	size_t extra = head_len(size) + GUARD_LEN;

	/* What is too large by itself stays so. */
	return (size > SIZE_MAX - extra ? size : size + extra);
}

void *
redzone_setup(void *raw, size_t room, size_t size,
    const struct malloc_type *type)
{
	size_t head = head_len(size);
	uint8_t *addr = (uint8_t *)raw + head;
	struct redzone *rz = redzone_of(addr);

	__atomic_fetch_add(&redzone_extra_mem, room - size, __ATOMIC_RELAXED);
	memset(raw, GUARD, head);
	memset(addr + size, GUARD, room - head - size);
	rz->rz_size = size;
	rz->rz_type = type;
	stack_save(&rz->rz_stack);
	return (addr);
}

static size_t
count_changed(const uint8_t *start, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += start[i] != GUARD;
	return (count);
}

static void
print_stacks(const struct redzone *rz)
{
	struct stack here;

	stack_save(&here);
	printf("Allocation backtrace:\n");
	stack_print(&rz->rz_stack);
	printf("Free backtrace:\n");
	stack_print(&here);
}

static void
report(const void *addr, size_t changed, const char *what, const char *where)
{
	const struct redzone *rz = redzone_of(addr);

	printf("REDZONE: Buffer %s detected. %zu byte%s corrupted %s %p (%zu "
	       "bytes allocated, of %s).\n",
	    what, changed, changed == 1 ? "" : "s", where, addr, rz->rz_size,
	    rz->rz_type->ks_shortdesc);
	print_stacks(rz);
	if (redzone_panic != 0)
		panic("redzone: %s: %zu bytes corrupted %s %p, %zu bytes of %s",
		    what, changed, where, addr, rz->rz_size,
		    rz->rz_type->ks_shortdesc);
}

void
redzone_check(void *addr, size_t room, const struct malloc_type *type)
{
	const struct redzone *rz = redzone_of(addr);
	const uint8_t *start = (uint8_t *)addr - GUARD_LEN;
	const uint8_t *end = (uint8_t *)addr + rz->rz_size;
	const uint8_t *raw = redzone_addr_ntor(addr);
	size_t before = count_changed(start, GUARD_LEN);
	size_t after = count_changed(end, (size_t)(raw + room - end));

	__atomic_fetch_sub(&redzone_extra_mem, room - rz->rz_size,
	    __ATOMIC_RELAXED);
	if (before != 0)
		report(addr, before, "underflow", "before");
	if (after != 0)
		report(addr, after, "overflow", "after");
	if (rz->rz_type != type) {
		print_stacks(rz);
		malloc_wrong_type(addr, rz->rz_type, type);
	}
}

void *
redzone_addr_ntor(void *addr)
{
	return ((uint8_t *)addr - head_len(redzone_of(addr)->rz_size));
}

size_t
redzone_get_size(const void *addr)
{
	return (redzone_of(addr)->rz_size);
}
