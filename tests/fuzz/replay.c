/*
 * usage: replay DIR ...
 *
 * A fuzz target without a fuzzer: run it on every file of these folders, in
 * builds of any compiler.  What it must never do ends the program.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	uint8_t *bytes;
	size_t len;

	if (f == NULL || fstat(fileno(f), &st) != 0)
		err(EX_NOINPUT, "%s", path);
	/* An input of its own length, so that a sanitizer sees its end. */
	if ((bytes = malloc((size_t)st.st_size)) == NULL && st.st_size > 0)
		err(EX_OSERR, "%s", path);
	len = fread(bytes, 1, (size_t)st.st_size, f);
	(void)fclose(f);
	/* The last line names the input that ended the program. */
	printf("%s\n", path);
	(void)fflush(stdout);
	(void)LLVMFuzzerTestOneInput(bytes, len);
	free(bytes);
}

/* Returns how many files there were. */
static unsigned int
replay_all(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	unsigned int n = 0;

	if (dir == NULL)
		err(EX_NOINPUT, "%s", path);
	while ((entry = readdir(dir)) != NULL) {
		char name[1024];

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(name, sizeof(name), "%s/%s", path,
		    entry->d_name);
		replay(name);
		n++;
	}
	(void)closedir(dir);
	return (n);
}

/* Seconds of CPU: what else the host does is none of the target's. */
static double
cpu_time(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ((double)ts.tv_sec + (double)ts.tv_nsec / 1e9);
}

int
main(int argc, char **argv)
{
	double began = cpu_time();
	unsigned int n = 0;

	for (int i = 1; i < argc; i++)
		n += replay_all(argv[i]);
	if (n == 0)
		errx(EX_USAGE, "no inputs");
	printf("%6u inputs, %7.0f a second of CPU\n", n,
	    n / (cpu_time() - began));
	return (0);
}
