/*
 * SHA-256 of bytes that go by.  A program that is built without OpenSSL has
 * none.
 */
#ifndef CLI_DIGEST_H
#define CLI_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 64 hexadecimal digits, in lower case, and a NUL. */
#define DIGEST_TEXT_LEN 65

/*
 * How many bytes of a sparse file's holes a sum is worth, where data_len bytes
 * are in none: some, and a number for each byte.  SPOOL_NOLIMIT in the
 * environment lifts it.
 */
#define DIGEST_HOLES_FREE  (UINT64_C(1) << 30)
#define DIGEST_HOLES_RATIO 64
uint64_t digest_holes_max(uint64_t data_len);

struct digest;

/* NULL: there are none here, or no memory is left. */
struct digest *digest_create(void);
void digest_destroy(struct digest *dg);

/* dg may be NULL: then nothing is added. */
void digest_add(struct digest *dg, const void *bytes, size_t len);

/* Add len zeros. */
void digest_add_zeros(struct digest *dg, uint64_t len);

/* The digest of all bytes added.  false: unknown; out is "" then. */
bool digest_end(struct digest *dg, char out[DIGEST_TEXT_LEN]);

#endif
