/*
 * Calls with known arguments, to test debuggers: "chain" leaves a thread asleep
 * at the end of a row of calls, "crash chain" panics there.  Each call prints
 * its arguments, and uses them after the call that it makes, so that they are
 * kept.
 */
#include "kernel/lab/crash.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/command.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/systm.h"

enum chain_end { CHAIN_SLEEPS, CHAIN_PANICS };

struct chain {
	const char *ch_name;
	uint64_t ch_number;
	enum chain_end ch_end;
};

/* Not constant, or compilers would clone the functions for the constants. */
static struct chain sleeping = { "sleeping", 0x1234567890, CHAIN_SLEEPS };
static struct chain panicking = { "panicking", 0x1122334455, CHAIN_PANICS };

static volatile uint64_t chain_sum;

static __noinline uint64_t
chain_third(const struct chain *chain, uint64_t number, const char *text)
{
	printf("chain: chain_third chain=%p number=%#jx text=%p\n",
	    (const void *)chain, (uintmax_t)number, (const void *)text);
	if (chain->ch_end == CHAIN_PANICS)
		panic("crash: at the end of a chain");
	while (number != 0)
		tsleep(chain, 0, "chain", 0);
	return (number + (uint64_t)text[0]);
}

static __noinline uint64_t
chain_second(const struct chain *chain, uint64_t number)
{
	volatile uint64_t local[4] = { number, ~number, number << 8, 4 };

	printf("chain: chain_second chain=%p number=%#jx\n",
	    (const void *)chain, (uintmax_t)number);
	chain_sum += chain_third(chain, number * 3, chain->ch_name);
	return (local[number % 4] + number + (uint64_t)chain->ch_end);
}

static __noinline void
chain_first(void *arg)
{
	const struct chain *chain = arg;

	printf("chain: chain_first arg=%p\n", arg);
	chain_sum += chain_second(chain, chain->ch_number);
	printf("chain: %s: %#jx\n", chain->ch_name, (uintmax_t)chain_sum);
}

void
crash_chain(void)
{
	chain_first(&panicking);
}

static void
sh_chain(const char *args)
{
	(void)args;
	kproc_kthread_add(chain_first, &sleeping, NULL, NULL, "chain", "chain");
	pause("chain", hz / 10);
}
COMMAND(chain, "chain", CMD_SHELL, sh_chain,
    "a thread that sleeps behind a row of calls");
