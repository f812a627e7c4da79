/*
 * Random numbers that depend on the seed alone (splitmix64).
 */
#ifndef GEN_RANDOM_H
#define GEN_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline uint64_t
rng_next(struct rng *rng)
{
	uint64_t x;

	x = rng->state += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return (x ^ (x >> 31));
}

/* 0 ... n - 1 */
static inline uint64_t
rng_below(struct rng *rng, uint64_t n)
{
	return (n == 0 ? 0 : rng_next(rng) % n);
}

/* lo ... hi */
static inline uint64_t
rng_range(struct rng *rng, uint64_t lo, uint64_t hi)
{
	return (lo + rng_below(rng, hi - lo + 1));
}

/* True once in n. */
static inline bool
rng_once_in(struct rng *rng, uint64_t n)
{
	return (rng_below(rng, n) == 0);
}

#endif /* GEN_RANDOM_H */
