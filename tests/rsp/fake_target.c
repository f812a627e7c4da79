/*
 * A target for tests: see fake_target.h.
 */
#include "tests/rsp/fake_target.h"

#include <stdio.h>
#include <string.h>

static const struct rsp_thread threads[] = {
	{ 0x189ee, "(pid 800) <sysctl> & \"co\" (crashed)" },
	{ 0x189ef, "idle" },
	{ 0x80000002, "none" },
};

static bool
fake_reg(void *arg, size_t thread, size_t reg, uint64_t *value)
{
	const struct rsp_target *target = arg;
	size_t pc = target->rt_tdesc.rtd_pc;
	size_t sp = rsp_tdesc_reg(&target->rt_tdesc, "rsp");

	*value = FAKE_REG(thread, reg);
	if (thread == 0 && sp < target->rt_tdesc.rtd_nregs)
		return (reg == 1 || reg == sp - 1 || reg == sp || reg == pc);
	if (thread == 0)
		return (reg == 1 || reg == pc);
	return (thread == 1 && reg == pc);
}

static bool
readable(uint64_t addr)
{
	return ((addr >= FAKE_PAGES && addr < FAKE_PAGES_END) ||
	    addr >= FAKE_LAST_PAGE);
}

static size_t
fake_read(void *arg, uint64_t addr, void *buf, size_t len)
{
	uint8_t *to = buf;
	size_t n;

	(void)arg;
	for (n = 0; n < len && readable(addr + n); n++)
		to[n] = FAKE_BYTE(addr + n);
	return (n);
}

static const char *
fake_monitor(void *arg, const char *command)
{
	static char said[FAKE_LONG + 1];

	(void)arg;
	if (strcmp(command, "long") == 0)
		memset(said, 'x', FAKE_LONG);
	else
		snprintf(said, sizeof(said), "%s", command);
	return (strcmp(command, "fail") == 0 ? NULL : said);
}

const struct rsp_target *
fake_target(enum dump_arch arch, enum byte_order order)
{
	static struct rsp_target target;

	target = (struct rsp_target){
		.rt_order = order,
		.rt_threads = threads,
		.rt_nthreads = sizeof(threads) / sizeof(threads[0]),
		.rt_reason = "panic: test",
		.rt_reg = fake_reg,
		.rt_read = fake_read,
		.rt_monitor = fake_monitor,
		.rt_arg = &target,
	};
	rsp_tdesc_init(&target.rt_tdesc, arch, order);
	return (&target);
}
