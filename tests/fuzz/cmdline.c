#include "tests/fuzz/cmdline.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/open.h"
#include "tests/fuzz/base.h"
#include "tests/fuzz/fail.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/memfile.h"
#include "tests/fuzz/monitor.h"
#include "tests/fuzz/need.h"
#include "tests/fuzz/owndump.h"

#define MAX_WORDS  24
#define MAX_HEADER 2048 /* bytes of the text */
#define MAX_STATUS 78	/* of sysexits(3) */

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "bt", cmd_bt },
	{ "dmesg", cmd_dmesg },
	{ "info", cmd_info },
	{ "modules", cmd_modules },
	{ "monitor", monitor_run },
	{ "ps", cmd_ps },
	{ "read", cmd_read },
	{ "save", cmd_save },
};
#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static struct memfile file, own;
static const uint8_t *file_bytes;
static size_t file_len;
static const struct base *changed; /* has to be restored */

/* What is to fail. */
static struct {
	unsigned long call[FAIL_NKINDS]; /* which of each kind */
	struct fail_bad bad;
	bool full; /* the standard output */
} failure;

/* ---- names that stand for files ---- */

/* The dump whose number follows, with the changes that the file lists. */
static const struct base *
change_base(const char *number)
{
	static uint8_t input[4096];
	size_t len =
	    file_len < sizeof(input) - 1 ? file_len : sizeof(input) - 1;

	if (changed != NULL)
		base_restore(changed);
	input[0] = (uint8_t)atoi(number);
	input[1] = 0; /* whole, if the file is empty */
	memcpy(input + 1, file_bytes, len);
	changed = base_apply(input, len > 0 ? len + 1 : 2);
	return (changed);
}

/* The dump whose number this is. */
static const struct base *
numbered(const char *number)
{
	return (base_get((uint8_t)atoi(number)));
}

static const char *
path_of(const char *word)
{
	if (strcmp(word, "@file") == 0)
		return (file.path);
	if (strcmp(word, "@folder") == 0)
		return (folder_path());
	if (strcmp(word, "@own") == 0) {
		owndump_make(&own, &file, file_bytes, file_len);
		return (own.path);
	}
	if (strncmp(word, "@kernel", 7) == 0)
		return (numbered(word + 7)->ba_kernel.path);
	if (strncmp(word, "@core", 5) == 0)
		return (numbered(word + 5)->ba_core.path);
	if (strncmp(word, "@change", 7) == 0)
		return (change_base(word + 7)->ba_core.path);
	return (word);
}

/* ---- what is to fail ---- */

/* "!memory 7": what is to fail. */
static void
set_failure(const char *line)
{
	static const char *const kinds[FAIL_NKINDS] = {
		[FAIL_MEMORY] = "!memory ",
		[FAIL_FILES] = "!files ",
		[FAIL_PLACES] = "!places ",
	};

	(void)sscanf(line, "!bad %" SCNu64 " %" SCNu64 " %" SCNu64,
	    &failure.bad.fb_start, &failure.bad.fb_step, &failure.bad.fb_n);
	if (strcmp(line, "!full") == 0)
		failure.full = true;
	for (int i = 0; i < FAIL_NKINDS; i++)
		if (strncmp(line, kinds[i], strlen(kinds[i])) == 0)
			failure.call[i] =
			    strtoul(line + strlen(kinds[i]), NULL, 10);
}

/* ---- the arguments ---- */

/* The number of words; 0 if one may lead to files that are not ours. */
static int
split(char *line, char *argv[MAX_WORDS + 1])
{
	int argc = 0;

	if (strchr(line, '/') != NULL || strstr(line, "..") != NULL)
		return (0);
	for (char *word = strtok(line, " "); word != NULL && argc < MAX_WORDS;
	     word = strtok(NULL, " "))
		argv[argc++] = (char *)(uintptr_t)path_of(word);
	argv[argc] = NULL;
	return (argc);
}

/* A stream to a file of /dev that takes all, and one that takes nothing. */
static FILE *
take_all(void)
{
	static FILE *f;

	if (f == NULL)
		f = fopen("/dev/null", "w");
	need(f != NULL, "/dev/null");
	return (f);
}

/* Not every system has one. */
static FILE *
take_nothing(void)
{
	static FILE *f;

	if (f == NULL) {
		f = fopen("/dev/full", "w");
		if (f == NULL)
			return (take_all());
		/* No text waits in it for another input. */
		setbuf(f, NULL);
	}
	clearerr(f);
	return (f);
}

/* What the command prints goes nowhere, but a sanitizer still has its say. */
static int
run_quietly(int (*run)(int, char **), int argc, char **argv)
{
	FILE *out = stdout, *err = stderr;
	int status;

	stdout = failure.full ? take_nothing() : take_all();
	stderr = take_all();
	optind = 0;
	for (int i = 0; i < FAIL_NKINDS; i++)
		fail_set((enum fail_kind)i, failure.call[i]);
	fail_places(&failure.bad);
	status = open_verdict(run(argc, argv));
	fail_clear();
	stdout = out;
	stderr = err;
	return (status);
}

static void
run_line(char *line)
{
	char *argv[MAX_WORDS + 1];
	int argc = split(line, argv);

	for (size_t i = 0; argc > 0 && i < NCOMMANDS; i++) {
		int status;

		if (strcmp(argv[0], commands[i].name) != 0)
			continue;
		status = run_quietly(commands[i].run, argc, argv);
		if (status < 0 || status > MAX_STATUS)
			abort();
	}
}

/*
 * Make the folder's entries, then run the first line there: a name without a
 * slash leads to nowhere else.
 */
static void
run_header(char *header)
{
	char *rest = header;
	char *first = strsep(&rest, "\n");
	char *line;

	memset(&failure, 0, sizeof(failure));
	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] == '!')
			set_failure(line);
		else
			folder_put(line, path_of);
	folder_enter();
	run_line(first);
	folder_leave();
}

/* For jansson: a library that is shared calls the C library by itself. */
static void *
take_memory(size_t len)
{
	return (malloc(len));
}

static void
create_files(void)
{
	json_set_alloc_funcs(take_memory, free);
	memfile_create(&file);
	memfile_create(&own);
	folder_create();
}

void
cmdline_run(const uint8_t *data, size_t size)
{
	char header[MAX_HEADER + 1];
	size_t len = size < MAX_HEADER ? size : MAX_HEADER;
	size_t header_len;
	char *end;

	if (file.path[0] == '\0')
		create_files();
	memcpy(header, data, len);
	header[len] = '\0';
	if ((end = strstr(header, "\n\n")) == NULL)
		return;
	*end = '\0';
	header_len = (size_t)(end + 2 - header);
	file_bytes = data + header_len;
	file_len = size - header_len;
	memfile_set(&file, file_bytes, file_len);
	run_header(header);
	if (changed != NULL)
		base_restore(changed);
	changed = NULL;
}
