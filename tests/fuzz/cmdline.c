#include "tests/fuzz/cmdline.h"

#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "tests/fuzz/base.h"
#include "tests/fuzz/fail.h"
#include "tests/fuzz/memfile.h"

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
	{ "ps", cmd_ps },
	{ "read", cmd_read },
	{ "save", cmd_save },
};
#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static struct memfile file;
static char folder[64];
static int home;			   /* the folder that we are in */
static unsigned long failure[FAIL_NKINDS]; /* which call is to fail */

static void
need(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

/* ---- the folder ---- */

static void
remove_folder(void)
{
	(void)rmdir(folder);
}

static void
create_files(void)
{
	memfile_create(&file);
	(void)snprintf(folder, sizeof(folder), "%s/vmcore-fuzz.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	need(mkdtemp(folder) != NULL, folder);
	home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	need(home >= 0, "open");
	need(setenv("TMPDIR", folder, 1) == 0, "setenv");
	need(atexit(remove_folder) == 0, "atexit");
}

static void
empty_folder(void)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	need(dir != NULL, folder);
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) != 0)
			(void)unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
	}
	(void)closedir(dir);
}

static void
put_file(int dir, const char *name, const char *text)
{
	int fd =
	    openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return;
	(void)!write(fd, text, strlen(text));
	(void)close(fd);
}

/* "!memory 7": which call is to fail. */
static void
set_failure(const char *line)
{
	if (strncmp(line, "!memory ", 8) == 0)
		failure[FAIL_MEMORY] = strtoul(line + 8, NULL, 10);
	else if (strncmp(line, "!files ", 7) == 0)
		failure[FAIL_FILES] = strtoul(line + 7, NULL, 10);
}

/* Put what the line says into the folder. */
static void
put_entry(int dir, char *line)
{
	size_t len = strcspn(line, "=>/");
	char kind = line[len];
	const char *rest = line + len + 1;

	if (line[0] == '!')
		set_failure(line);
	if (len == 0 || line[0] == '.' || line[0] == '!')
		return;
	line[len] = '\0';
	if (kind == '=')
		put_file(dir, line, rest);
	else if (kind == '>')
		(void)!symlinkat(rest, dir, line);
	else if (kind == '/')
		(void)mkdirat(dir, line, 0700);
}

/* ---- the arguments ---- */

static char *
path_of(char *word)
{
	static char none[] = "0";
	bool is_core = strncmp(word, "@core", 5) == 0;
	const struct base *ba;
	uint8_t input[2] = { 0 };

	if (strcmp(word, "@file") == 0)
		return (file.path);
	if (strcmp(word, "@folder") == 0)
		return (folder);
	if (!is_core && strncmp(word, "@kernel", 7) != 0)
		return (word);
	input[0] = (uint8_t)atoi(word + (is_core ? 5 : 7));
	ba = base_apply(input, sizeof(input));
	if (ba == NULL)
		return (none);
	return ((char *)(uintptr_t)(is_core ? ba->ba_core.path :
					      ba->ba_kernel.path));
}

/* The number of words; 0 if one may lead to files that are not ours. */
static int
split(char *line, char *argv[MAX_WORDS + 1])
{
	int argc = 0;

	if (strchr(line, '/') != NULL || strstr(line, "..") != NULL)
		return (0);
	for (char *word = strtok(line, " "); word != NULL && argc < MAX_WORDS;
	     word = strtok(NULL, " "))
		argv[argc++] = path_of(word);
	argv[argc] = NULL;
	return (argc);
}

/* What the command prints goes nowhere, but a sanitizer still has its say. */
static int
run_quietly(int (*run)(int, char **), int argc, char **argv)
{
	static FILE *nowhere;
	FILE *out = stdout, *err = stderr;
	int status;

	if (nowhere == NULL)
		nowhere = fopen("/dev/null", "w");
	need(nowhere != NULL, "/dev/null");
	stdout = stderr = nowhere;
	optind = 0;
	fail_set(FAIL_MEMORY, failure[FAIL_MEMORY]);
	fail_set(FAIL_FILES, failure[FAIL_FILES]);
	status = run(argc, argv);
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
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *rest = header;
	char *first = strsep(&rest, "\n");
	char *line;

	need(dir >= 0, folder);
	memset(failure, 0, sizeof(failure));
	while ((line = strsep(&rest, "\n")) != NULL)
		put_entry(dir, line);
	need(fchdir(dir) == 0, folder);
	run_line(first);
	need(fchdir(home) == 0, "fchdir");
	(void)close(dir);
	empty_folder();
}

void
cmdline_run(const uint8_t *data, size_t size)
{
	char header[MAX_HEADER + 1];
	size_t len = size < MAX_HEADER ? size : MAX_HEADER;
	size_t header_len;
	char *end;

	if (folder[0] == '\0')
		create_files();
	memcpy(header, data, len);
	header[len] = '\0';
	if ((end = strstr(header, "\n\n")) == NULL)
		return;
	*end = '\0';
	header_len = (size_t)(end + 2 - header);
	memfile_set(&file, data + header_len, size - header_len);
	run_header(header);
}
