/*
 * Which bytes of an unpacked file are not to be relied upon, because the
 * compressed file is damaged or cut.
 */
#ifndef LIBKVM_DAMAGE_H
#define LIBKVM_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum damage_kind {
	/*
	 * They came out of the decoder, but the checksum over them is wrong or
	 * missing: some may be wrong.
	 */
	DAMAGE_UNVERIFIED,
	DAMAGE_LOST /* nothing is known of them */
};

struct damage_run {
	uint64_t dmr_start; /* bytes into the file, half-open */
	uint64_t dmr_end;
	enum damage_kind dmr_kind;
};

/* Start with zeros. */
struct damage {
	struct damage_run *dmg_runs; /* owned; in the file's order */
	size_t dmg_nruns;
	size_t dmg_room;
	char dmg_where[128]; /* of the first: "zstd data ..."; "" if none */
	/* Some of the file has no checksum: damage there goes unnoticed. */
	bool dmg_unsummed;
};

/* Add a run after all others, unless it is empty.  false: no memory. */
bool damage_add(struct damage *dm, uint64_t start, uint64_t end,
    enum damage_kind kind);

/* Free the runs; dm is then as at the start. */
void damage_fini(struct damage *dm);

/* What lies from start to end need not be in its place.  As damage_add(). */
bool damage_doubt(struct damage *dm, uint64_t start, uint64_t end);

/* How many bytes are of that kind. */
uint64_t damage_total(const struct damage *dm, enum damage_kind kind);

/*
 * Are the bytes at off in a run?  *len, more than 0, is how many are asked
 * about, and becomes how many of them have the same answer.  true: *kind is that
 * of the run.  false: *kind is left alone.
 */
bool damage_at(const struct damage *dm, uint64_t off, uint64_t *len,
    enum damage_kind *kind);

#endif
