/*
 * A directory for a test's files, and generated dumps in it.
 */
#ifndef GEN_SCRATCH_H
#define GEN_SCRATCH_H

#include <stdint.h>

struct gen;

struct scratch {
	char dir[64];
	char core[96]; /* paths inside dir */
	char kernel[96];
};

/* Make the directory, under $TMPDIR or /tmp; exits when it cannot. */
void scratch_init(struct scratch *);
/* Remove both files and the directory. */
void scratch_fini(struct scratch *);
/* Write g's core and kernel there; exits when it cannot. */
void scratch_write(const struct scratch *, struct gen *g);

#endif /* GEN_SCRATCH_H */
