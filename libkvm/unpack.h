/*
 * Files that may be compressed: opened as what they hold.
 */
#ifndef LIBKVM_UNPACK_H
#define LIBKVM_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libkvm/damage.h"
#include "libkvm/kvm_core.h"

/* What may follow a dump in its file: what fills up blocks, and notes. */
#define UNPACK_SLACK_LEN (UINT64_C(16) << 20)

/* The limits of a request.  Zeros: all of the file, of any kind. */
struct unpack_how {
	/*
	 * Is a file that starts with these bytes any use?  If not, no more of
	 * it is unpacked than tells what it is.
	 */
	bool (*uh_wanted)(struct span start);
	uint64_t uh_len_max; /* unpack no more; 0: no such limit */
	/*
	 * Where does what the file behind fd holds so far end, by what it says
	 * itself?  0: that is not known yet.  No more is kept than
	 * UNPACK_SLACK_LEN bytes past it, and no more pieces are unpacked after
	 * that; the last one is to its end, where its checksum is.  May be NULL.
	 */
	uint64_t (*uh_end)(int fd);
	bool uh_whole;				/* a damaged file is refused */
	const struct kvm_progress *uh_progress; /* may be NULL */
};

struct unpacked {
	int upk_fd;		  /* the caller's */
	const char *upk_packing;  /* unpack_name()'s; NULL: not compressed */
	uint64_t upk_packed_len;  /* bytes that are there of the compressed
				     file; 0: not compressed */
	struct damage upk_damage; /* the caller's; see damage_fini() */
};

/*
 * Open path for reading: as it is, or, when it is compressed, a temporary file
 * without a name that holds what it unpacks to; spool.h says how much that may
 * be.
 *
 * A damaged file is unpacked as far as it goes.  What comes after the damage is
 * found again where its length is known (see unpack_zstd.c and unpack_gzip.c);
 * else the file ends there.  Pieces whose place is not certain count as
 * unverified.
 *
 * Returns 0; or an errno, with a text in why[len]: that of open(2); EIO if
 * reading or writing failed; EINVAL if it is the file's fault.
 */
int unpack_open(const char *path, const struct unpack_how *how,
    struct unpacked *out, char *why, size_t len);

/* The i-th kind of compression that is understood; NULL: there are no more. */
const char *unpack_name(size_t i);

/* What the names of such files end in, ".gz" say; NULL as above. */
const char *unpack_suffix(size_t i);

#endif
