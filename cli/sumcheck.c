/*
 * Comparing a saved dump with its info.N: see sumcheck.h.  dumpinfo.c writes the
 * lines that are looked for here; text of a dump cannot forge them.
 */
#include "cli/sumcheck.h"

#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/corename.h"
#include "cli/crashname.h"
#include "cli/digest.h"
#include "cli/dumpinfo.h"
#include "cli/json.h"
#include "cli/open.h"
#include "cli/progress.h"
#include "cli/text.h"
#include "disk/disk.h"
#include "libkvm/holes.h"
#include "libkvm/plainfile.h"

#define CHUNK_LEN	(UINT32_C(1) << 20)
#define INFO_MAX_LEN	65536 /* dumpinfo.c writes no more than a quarter */
#define PATH_MAX_LEN	4096
#define MAGIC_LABEL	"  Magic: "
#define PACKING_LABEL	"  Compression: "
#define STATUS_LABEL	"  Dump Status: "
#define ENCRYPTED_LABEL "  Encrypted: "
#define SUM_LABEL	"  SHA-256: "

#define NO_FILE "not a regular file"

struct sumcheck {
	const char *smc_core;
	char smc_info[PATH_MAX_LEN]; /* its info.N */
	char smc_saved[DIGEST_TEXT_LEN];
	char smc_now[DIGEST_TEXT_LEN];
	bool smc_was_bad;    /* not all of it was read when it was saved */
	const char *smc_why; /* there is no sum; NULL: there is */
	char smc_whose[128]; /* room for a text of smc_why */
};

/* ---- info.N ---- */

/* "dir/info.0" for "dir/vmcore.0". */
static bool
name_info(struct sumcheck *smc, const struct corename *cn)
{
	int n = snprintf(smc->smc_info, sizeof(smc->smc_info), "%.*sinfo.%.*s",
	    cn->con_dir_len, cn->con_dir, cn->con_which_len, cn->con_which);

	return (cn->con_which_len > 0 && n > 0 &&
	    (size_t)n < sizeof(smc->smc_info));
}

/* The value in the line that starts with label; NULL: there is none. */
static const char *
find_line(const char *text, const char *label)
{
	size_t len = strlen(label);

	for (; text != NULL && *text != '\0'; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, label, len) == 0)
			return (text + len);
	}
	return (NULL);
}

static bool
is_value(const char *value, const char *wanted)
{
	size_t len = strlen(wanted);

	return (value != NULL && strncmp(value, wanted, len) == 0 &&
	    (value[len] == '\n' || value[len] == '\0'));
}

static bool
read_text(const char *path, char *text, size_t size)
{
	int fd = plainfile_open(path);
	ssize_t n;

	if (fd < 0)
		return (false);
	n = read(fd, text, size - 1);
	(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	return (n >= 0);
}

/* The name that the dump was saved under: its header decides, as it did then. */
static struct crashname
saved_name(const char *text)
{
	const char *packing = find_line(text, PACKING_LABEL);
	struct kerneldump_hdr kh = { .kh_magic = KERNELDUMP_MAGIC };

	if (is_value(find_line(text, MAGIC_LABEL), KERNELDUMP_MAGIC_TEXT))
		memcpy(kh.kh_magic, KERNELDUMP_MAGIC_TEXT,
		    sizeof(KERNELDUMP_MAGIC_TEXT));
	kh.kh_key_len = is_value(find_line(text, ENCRYPTED_LABEL), "yes");
	for (uint8_t i = 0; i <= KERNELDUMP_COMP_ZSTD; i++)
		if (is_value(packing, dumpinfo_compression(i)))
			kh.kh_compression = i;
	return (crashname_of_core(&kh));
}

/* Is the sum that of another file of this dump? */
static bool
is_of_another(struct sumcheck *smc, const char *text, const struct corename *cn)
{
	struct crashname name = saved_name(text);

	if (strlen(name.cn_stem) == (size_t)cn->con_stem_len &&
	    strncmp(name.cn_stem, cn->con_stem, (size_t)cn->con_stem_len) ==
		0 &&
	    strcmp(name.cn_suffix, cn->con_suffix) == 0)
		return (false);
	(void)snprintf(smc->smc_whose, sizeof(smc->smc_whose),
	    "its info file has that of %s.N%s, as it was saved", name.cn_stem,
	    name.cn_suffix);
	return (true);
}

static const char *
take_info(struct sumcheck *smc, const char *text, const struct corename *cn)
{
	const char *sum = find_line(text, SUM_LABEL);
	size_t len = DIGEST_TEXT_LEN - 1;

	if (sum == NULL || strcspn(sum, "\n") != len ||
	    strspn(sum, "0123456789abcdefABCDEF") != len)
		return ("its info file has no SHA-256");
	if (is_of_another(smc, text, cn))
		return (smc->smc_whose);
	memcpy(smc->smc_saved, sum, len);
	smc->smc_was_bad = is_value(find_line(text, STATUS_LABEL), "bad");
	return (NULL);
}

/* Why there is no sum to compare with; NULL: there is one. */
static const char *
read_info(struct sumcheck *smc)
{
	struct corename cn = corename_split(smc->smc_core);
	char *text = malloc(INFO_MAX_LEN);
	const char *why = "there is no info file of it";

	if (text == NULL)
		return ("out of memory");
	if (name_info(smc, &cn) && read_text(smc->smc_info, text, INFO_MAX_LEN))
		why = take_info(smc, text, &cn);
	free(text);
	return (why);
}

/* ---- the dump ---- */

/* Add all of it, but read no holes.  false: errno. */
static bool
add_file(struct digest *dg, const struct disk *dk, const char *path)
{
	struct progress bar;
	uint8_t *buf = malloc(CHUNK_LEN);
	bool failed = buf == NULL;
	uint64_t n;

	progress_start(&bar, "checking", path);
	for (uint64_t off = 0; off < dk->dk_len && !failed; off += n) {
		bool hole;

		progress_report(&bar, off, dk->dk_len);
		n = disk_run_len(dk, off, CHUNK_LEN, &hole);
		failed = !hole && !disk_read(dk, off, buf, (size_t)n);
		if (hole)
			digest_add_zeros(dg, n);
		else if (!failed)
			digest_add(dg, buf, (size_t)n);
	}
	progress_end(&bar);
	free(buf);
	/* A file that became shorter meanwhile is not the one that was saved. */
	return (!failed || errno == ENXIO);
}

/* Why it is not worth its time; NULL: it is. */
static const char *
refuse(const struct disk *dk)
{
	uint64_t data_len = holes_data_len(dk->dk_fd);
	struct stat st;

	if (fstat(dk->dk_fd, &st) != 0 || !S_ISREG(st.st_mode))
		return (NO_FILE);
	return (dk->dk_len - data_len > digest_holes_max(data_len) ?
		"almost all of it is a hole" :
		NULL);
}

static int
count_file(struct sumcheck *smc, const struct disk *dk)
{
	struct digest *dg = digest_create();
	bool read = add_file(dg, dk, smc->smc_core);
	bool known;

	if (!read)
		warn("%s", smc->smc_core);
	known = digest_end(dg, smc->smc_now);
	digest_destroy(dg);
	if (!read)
		return (EX_IOERR);
	if (known)
		return (EX_OK);
	warnx("%s: no SHA-256: this build has no OpenSSL", smc->smc_core);
	return (EX_UNAVAILABLE);
}

static int
read_core(struct sumcheck *smc)
{
	int status = open_check(smc->smc_core);
	struct disk dk;

	if (status != EX_OK)
		return (status);
	smc->smc_why = read_info(smc);
	if (smc->smc_why != NULL)
		return (EX_OK);
	if (!disk_open(&dk, smc->smc_core, O_RDONLY)) {
		if (errno == ENODEV) {
			smc->smc_why = NO_FILE;
			return (EX_OK);
		}
		warn("%s", smc->smc_core);
		return (EX_NOINPUT);
	}
	smc->smc_why = refuse(&dk);
	if (smc->smc_why == NULL)
		status = count_file(smc, &dk);
	disk_close(&dk);
	return (status);
}

/* ---- the result ---- */

static bool
is_whole(const struct sumcheck *smc)
{
	return (strcasecmp(smc->smc_now, smc->smc_saved) == 0);
}

static int
print_json(const struct sumcheck *smc)
{
	const char *check = smc->smc_why != NULL ? "no sum" :
	    is_whole(smc)			 ? "whole" :
						   "not whole";

	return (json_print(json_pack("{s:o, s:s, s:s*, s:s*, s:s*, s:o*}",
	    "core", json_text(smc->smc_core), "check", check, "why",
	    smc->smc_why, "sha256",
	    smc->smc_now[0] != '\0' ? smc->smc_now : NULL, "sha256_saved",
	    smc->smc_saved[0] != '\0' ? smc->smc_saved : NULL, "saved_bad",
	    smc->smc_was_bad ? json_true() : NULL)));
}

static void
print_text(const struct sumcheck *smc)
{
	text_put(stdout, smc->smc_core);
	printf(": whole: its SHA-256 is that in ");
	text_put(stdout, smc->smc_info);
	putchar('\n');
}

/* Anything but whole is a failure, and says why. */
static int
judge(const struct sumcheck *smc)
{
	if (smc->smc_why != NULL) {
		warnx("%s: no sum: %s", smc->smc_core, smc->smc_why);
		return (EX_NOINPUT);
	}
	if (!is_whole(smc)) {
		warnx("%s: not whole: its SHA-256 is not that in %s",
		    smc->smc_core, smc->smc_info);
		return (EX_DATAERR);
	}
	if (smc->smc_was_bad)
		warnx(
		    "warning: %s: \"Dump Status: bad\": it was not whole when it was saved",
		    smc->smc_info);
	return (EX_OK);
}

int
sumcheck(const char *core, bool json)
{
	struct sumcheck smc = { .smc_core = core };
	int status = read_core(&smc), output = EX_OK;

	if (status != EX_OK)
		return (status);
	status = judge(&smc);
	if (json)
		output = print_json(&smc);
	else if (status == EX_OK)
		print_text(&smc);
	return (output != EX_OK ? output : status);
}
