/*
 * The temporary file that a compressed file is unpacked into: without a name,
 * with holes for zeros, and no larger than what was unpacked may be.
 */
#ifndef LIBKVM_SPOOL_H
#define LIBKVM_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a compressed file of n bytes may unpack to: a number of bytes, and for
 * each of the n as many again.  On the disk; and in length, since zeros take no
 * room there, but time.  Real dumps are 10 to 100 times as long, mostly zeros
 * 1000 times.
 */
#define SPOOL_DISK_FREE	 (UINT64_C(256) << 20)
#define SPOOL_DISK_RATIO 250
#define SPOOL_LEN_FREE	 (UINT64_C(8) << 30)
#define SPOOL_LEN_RATIO	 2048

/*
 * A file shorter than this unpacks to no more than its kind of compression
 * unpacks in some seconds (spool_open()).  A real dump of that length is of a
 * machine with little memory.
 */
#define SPOOL_SHORT_LEN (UINT64_C(8) << 20)

/* In the environment: no limits. */
#define SPOOL_NOLIMIT "KVM_NOLIMIT"

enum spool_result {
	SPOOL_OK,
	SPOOL_ERROR, /* errno tells */
	SPOOL_LIMIT  /* larger than it may be */
};

struct spool {
	int spl_fd;	      /* -1: none */
	uint64_t spl_len;     /* bytes so far */
	uint64_t spl_disk;    /* of them, on the disk */
	uint64_t spl_max_len; /* limits of both */
	uint64_t spl_max_disk;
	uint64_t spl_keep_len; /* what comes after these is counted only */
};

/*
 * Create it in $TMPDIR, else in /var/tmp, for what packed_len bytes unpack to:
 * if they are fewer than SPOOL_SHORT_LEN, no more than short_max bytes.  false:
 * errno tells.
 */
bool spool_open(struct spool *spl, uint64_t packed_len, uint64_t short_max);

/* Append len bytes. */
enum spool_result spool_put(struct spool *spl, const uint8_t *bytes,
    size_t len);

/* Go on at off: before the end, which is then cut off; after it: at a hole. */
enum spool_result spool_seek(struct spool *spl, uint64_t off);

/* Make the file as long as what is kept.  false: errno tells. */
bool spool_end(struct spool *spl);

#endif
