/*
 * A target for tests and the fuzzer: three threads and a little memory, all
 * computed.
 *
 * Threads: 0x189ee "(pid 800) <sysctl> & \"co\" (crashed)", with a program
 * counter, register 1 and, on amd64, rbp and rsp; 0x189ef "idle", with a
 * program counter; 0x80000002 "none", without registers.  A register's value is
 * FAKE_REG(thread, reg).
 *
 * Memory: two pages at FAKE_PAGES, and the last page of the address space; the
 * byte at an address is FAKE_BYTE(address).
 *
 * Commands: "fail" fails, "long" shows FAKE_LONG times x, another one itself.
 */
#ifndef TESTS_RSP_FAKE_TARGET_H
#define TESTS_RSP_FAKE_TARGET_H

#include "rsp/rsp.h"

#define FAKE_PAGES	UINT64_C(0xffffffff80001000)
#define FAKE_PAGES_END	UINT64_C(0xffffffff80003000)
#define FAKE_LAST_PAGE	UINT64_C(0xfffffffffffff000)
#define FAKE_LONG	40000
#define FAKE_BYTE(addr) ((uint8_t)((addr)*7 + ((addr) >> 8)))
#define FAKE_REG(thread, reg)                                                  \
	(UINT64_C(0xfffffe0000000000) + ((uint64_t)(thread) << 16) + (reg))

/* The target as a machine of arch.  Good until the next call. */
const struct rsp_target *fake_target(enum dump_arch arch,
    enum byte_order order);

#endif
