/*
 * A directory for a test's files.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/gen/dumpgen.h"
#include "tests/gen/scratch.h"

void
scratch_init(struct scratch *s)
{
	const char *tmp = getenv("TMPDIR");

	if (tmp == NULL || *tmp == '\0')
		tmp = "/tmp";
	if ((size_t)snprintf(s->dir, sizeof(s->dir), "%s/dumpgen.XXXXXX",
		tmp) >= sizeof(s->dir))
		errx(1, "%s: path too long", tmp);
	if (mkdtemp(s->dir) == NULL)
		err(1, "%s", s->dir);
	snprintf(s->core, sizeof(s->core), "%s/core", s->dir);
	snprintf(s->kernel, sizeof(s->kernel), "%s/kernel", s->dir);
}

void
scratch_fini(struct scratch *s)
{
	unlink(s->core);
	unlink(s->kernel);
	rmdir(s->dir);
}

void
scratch_write(const struct scratch *s, struct gen *g)
{
	if (gen_write_core(g, s->core) == -1)
		err(1, "%s", s->core);
	if (gen_write_kernel(g, s->kernel) == -1)
		err(1, "%s", s->kernel);
}
