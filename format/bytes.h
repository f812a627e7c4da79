/*
 * Bytes of a file or of dumped memory, and the integers in them.
 *
 * Every integer of a dump is decoded here, in a byte order that the caller
 * names; no structure is ever laid over a dump.  Bounds are checked here too: a
 * part of a span never lies outside of it.
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

/*
 * Integers are decoded with one load, at any alignment.  Compilers turn shifted
 * bytes into one load only if they can see that all of the bytes are used.
 */
#define HOST_ORDER                                                             \
	(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ORDER_LITTLE : ORDER_BIG)

static inline uint16_t
dec16(enum byte_order order, const uint8_t *p)
{
	uint16_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return (order == HOST_ORDER ? v : __builtin_bswap16(v));
}

static inline uint32_t
dec32(enum byte_order order, const uint8_t *p)
{
	uint32_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return (order == HOST_ORDER ? v : __builtin_bswap32(v));
}

static inline uint64_t
dec64(enum byte_order order, const uint8_t *p)
{
	uint64_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return (order == HOST_ORDER ? v : __builtin_bswap64(v));
}

static inline uint16_t
le16dec(const uint8_t *p)
{
	return (dec16(ORDER_LITTLE, p));
}

static inline uint32_t
le32dec(const uint8_t *p)
{
	return (dec32(ORDER_LITTLE, p));
}

static inline uint32_t
be32dec(const uint8_t *p)
{
	return (dec32(ORDER_BIG, p));
}

static inline uint64_t
le64dec(const uint8_t *p)
{
	return (dec64(ORDER_LITTLE, p));
}

static inline uint64_t
be64dec(const uint8_t *p)
{
	return (dec64(ORDER_BIG, p));
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

#endif
