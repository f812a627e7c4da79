/*
 * SHA-256 by OpenSSL's EVP, or by nothing: see digest.h.
 */
#include "cli/digest.h"

#include <stdlib.h>

#include "libkvm/spool.h"

uint64_t
digest_holes_max(uint64_t data_len)
{
	uint64_t max;

	if (getenv(SPOOL_NOLIMIT) != NULL ||
	    __builtin_mul_overflow(data_len, DIGEST_HOLES_RATIO, &max) ||
	    __builtin_add_overflow(max, DIGEST_HOLES_FREE, &max))
		return (UINT64_MAX);
	return (max);
}

void
digest_add_zeros(struct digest *dg, uint64_t len)
{
	static const uint8_t zeros[16384];

	while (dg != NULL && len > 0) {
		size_t n = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);

		digest_add(dg, zeros, n);
		len -= n;
	}
}

#ifdef HAVE_OPENSSL

#include <openssl/evp.h>

#include <stdio.h>

struct digest {
	EVP_MD_CTX *ctx; /* owned */
	bool failed;
};

struct digest *
digest_create(void)
{
	struct digest *dg = calloc(1, sizeof(*dg));

	if (dg == NULL)
		return (NULL);
	dg->ctx = EVP_MD_CTX_new();
	if (dg->ctx == NULL ||
	    !EVP_DigestInit_ex(dg->ctx, EVP_sha256(), NULL)) {
		digest_destroy(dg);
		return (NULL);
	}
	return (dg);
}

void
digest_destroy(struct digest *dg)
{
	if (dg == NULL)
		return;
	EVP_MD_CTX_free(dg->ctx);
	free(dg);
}

void
digest_add(struct digest *dg, const void *bytes, size_t len)
{
	if (dg != NULL && !EVP_DigestUpdate(dg->ctx, bytes, len))
		dg->failed = true;
}

bool
digest_end(struct digest *dg, char out[DIGEST_TEXT_LEN])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	out[0] = '\0';
	if (dg == NULL || dg->failed ||
	    !EVP_DigestFinal_ex(dg->ctx, sum, &len) ||
	    len != DIGEST_TEXT_LEN / 2)
		return (false);
	for (unsigned int i = 0; i < len; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", sum[i]);
	return (true);
}

#else

struct digest *
digest_create(void)
{
	return (NULL);
}

void
digest_destroy(struct digest *dg)
{
	(void)dg;
}

void
digest_add(struct digest *dg, const void *bytes, size_t len)
{
	(void)dg;
	(void)bytes;
	(void)len;
}

bool
digest_end(struct digest *dg, char out[DIGEST_TEXT_LEN])
{
	(void)dg;
	out[0] = '\0';
	return (false);
}

#endif
