/*
 * Bytes of a file or of a dumped memory, and integers made of them.
 *
 * Every integer of a dump is decoded here, in a byte order that the caller
 * names; no structure is ever laid over a dump.  Bounds are checked here too:
 * a span cannot be cut to anything that lies outside of it.
 */
#ifndef FORMAT_BYTES_H
#define FORMAT_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum byte_order { ORDER_LITTLE, ORDER_BIG };

/* A borrowed view of len bytes. */
struct span {
	const uint8_t *base;
	size_t len;
};

/* The n bytes at off.  Compares by subtraction: off + n may wrap. */
static inline bool
span_sub(struct span s, uint64_t off, uint64_t n, struct span *out)
{
	if (off > s.len || n > s.len - off)
		return (false);
	*out = (struct span){ .base = s.base + off, .len = (size_t)n };
	return (true);
}

static inline uint16_t
le16dec(const uint8_t *p)
{
	return ((uint16_t)(p[0] | p[1] << 8));
}

static inline uint32_t
le32dec(const uint8_t *p)
{
	return ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24);
}

static inline uint64_t
le64dec(const uint8_t *p)
{
	return (le32dec(p) | (uint64_t)le32dec(p + 4) << 32);
}

static inline uint16_t
be16dec(const uint8_t *p)
{
	return ((uint16_t)(p[0] << 8 | p[1]));
}

static inline uint32_t
be32dec(const uint8_t *p)
{
	return ((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | (uint32_t)p[3]);
}

static inline uint64_t
be64dec(const uint8_t *p)
{
	return ((uint64_t)be32dec(p) << 32 | be32dec(p + 4));
}

static inline uint16_t
dec16(enum byte_order order, const uint8_t *p)
{
	return (order == ORDER_LITTLE ? le16dec(p) : be16dec(p));
}

static inline uint32_t
dec32(enum byte_order order, const uint8_t *p)
{
	return (order == ORDER_LITTLE ? le32dec(p) : be32dec(p));
}

static inline uint64_t
dec64(enum byte_order order, const uint8_t *p)
{
	return (order == ORDER_LITTLE ? le64dec(p) : be64dec(p));
}

static inline void
le16enc(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static inline void
le32enc(uint8_t *p, uint32_t v)
{
	le16enc(p, (uint16_t)v);
	le16enc(p + 2, (uint16_t)(v >> 16));
}

static inline void
le64enc(uint8_t *p, uint64_t v)
{
	le32enc(p, (uint32_t)v);
	le32enc(p + 4, (uint32_t)(v >> 32));
}

static inline void
be32enc(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static inline void
be64enc(uint8_t *p, uint64_t v)
{
	be32enc(p, (uint32_t)(v >> 32));
	be32enc(p + 4, (uint32_t)v);
}

static inline void
enc32(enum byte_order order, uint8_t *p, uint32_t v)
{
	if (order == ORDER_LITTLE)
		le32enc(p, v);
	else
		be32enc(p, v);
}

static inline void
enc64(enum byte_order order, uint8_t *p, uint64_t v)
{
	if (order == ORDER_LITTLE)
		le64enc(p, v);
	else
		be64enc(p, v);
}

/* v rounded up to a multiple of align, a power of two.  false: it wraps. */
static inline bool
round_up(uint64_t v, uint64_t align, uint64_t *out)
{
	if (__builtin_add_overflow(v, align - 1, out))
		return (false);
	*out &= ~(align - 1);
	return (true);
}

#endif
