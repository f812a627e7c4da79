/*
 * Opening the kernel and the core: see open.h.
 *
 * libkvm says what is wrong with a file; whether the file is there at all is
 * found out here, because the two have different exit statuses.
 */
#include "cli/open.h"

#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/find_kernel.h"
#include "cli/progress.h"
#include "kdebug/buildid.h"
#include "libkvm/helpcost.h"

#ifndef _POSIX2_LINE_MAX
#define _POSIX2_LINE_MAX 2048
#endif

/* The first pages of memory, which the kernel's image lies in, are before this. */
#define START_LEN (UINT64_C(192) << 20)

/* Some of what the command says may be wrong. */
static bool mistrusted;

/* Some of what it says to be missing was in a compressed dump, and is lost. */
static bool lost;

/*
 * Some of what it says to be missing may be there: the system failed to read.
 */
static bool unread;

/* The host had too little memory to read debug information. */
static bool starved;

int
open_check(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0 || access(path, R_OK) != 0) {
		warn("%s", path);
		return (EX_NOINPUT);
	}
	if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
		return (EX_OK);
	warnx("%s: not a regular file or a disk", path);
	return (EX_NOINPUT);
}

char *
open_find_kernel(const struct args *args)
{
	return (args->a_kernel != NULL ? strdup(args->a_kernel) :
					 find_kernel(args->a_core));
}

/* The exit status for files that could not be opened, by errno. */
static int
judge_open(int error)
{
	switch (error) {
	case EIO:
		return (EX_IOERR);
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return (EX_OSERR);
	default:
		return (EX_DATAERR);
	}
}

int
open_no_kernel(const struct args *args)
{
	char why[_POSIX2_LINE_MAX];
	kvm_t *kd;

	errno = 0;
	kd = kvm_open_start(NULL, args->a_core, START_LEN, why);
	if (kd == NULL) {
		int status = judge_open(errno);

		warnx("%s", why);
		return (status);
	}
	kvm_close(kd);
	warnx(
	    "%s: neither \"kernel.N\" nor \"kernel\" beside it: name the kernel with -N",
	    args->a_core);
	return (EX_NOINPUT);
}

/* A kernel of another build would give wrong answers, and look right. */
static int
check_build(const struct args *args, kvm_t *kd, const char *kernel)
{
	struct buildid file, core;

	if (args->a_force)
		return (EX_OK);
	switch (buildid_compare(kd, &file, &core)) {
	case BUILDID_UNREAD:
		warn("%s: the build id cannot be read", kernel);
		return (EX_IOERR);
	case BUILDID_UNKNOWN:
	case BUILDID_SAME:
		return (EX_OK);
	case BUILDID_OTHER:
		break;
	}
	warnx("%s: build id %s, but %s is of %s: name its kernel with -N, or "
	      "open it with --force",
	    kernel, file.bi_text, args->a_core, core.bi_text);
	return (EX_DATAERR);
}

/*
 * Same names at other addresses: what was said of builds goes for versions, too.  In a
 * damaged dump the version itself may be damaged, and is warned of only.
 */
static bool
is_other_version(const struct dump *dump)
{
	const struct kvm_core *kc = kvm_core(dump->d_kd);

	return (kc != NULL && kc->kc_damage == NULL &&
	    kdebug_pairing(dump->d_kdb) == KDEBUG_OTHER_KERNEL);
}

static int
check_version(const struct args *args, struct dump *dump, const char *kernel)
{
	if (args->a_force || !is_other_version(dump))
		return (EX_OK);
	open_warn(dump);
	warnx(
	    "%s: not the kernel of %s: name its kernel with -N, or open it with --force",
	    kernel, args->a_core);
	return (EX_DATAERR);
}

int
open_check_version(const struct args *args, struct dump *dump)
{
	return (dump->d_kernel == NULL ?
		EX_OK :
		check_version(args, dump, dump->d_kernel));
}

int
open_check_build(const struct args *args, const char *kernel)
{
	struct dump dump = { 0 };
	int status;

	dump.d_kd = kvm_open_start(kernel, args->a_core, START_LEN, NULL);
	if (dump.d_kd == NULL)
		return (EX_OK);
	status = check_build(args, dump.d_kd, kernel);
	if (status == EX_OK && kvm_load_symbols(dump.d_kd) == 0 &&
	    (dump.d_kdb = kdebug_create(dump.d_kd)) != NULL)
		status = check_version(args, &dump, kernel);
	kdebug_destroy(dump.d_kdb);
	kvm_close(dump.d_kd);
	return (status);
}

/* Say what is damaged, and how much of the dump that is. */
static void
warn_damage(const struct kvm_core *core)
{
	const char *of = ": of what it unpacks to";
	char not_sure[64] = "", not_there[64] = "";

	if (core->kc_unverified_len != 0)
		(void)snprintf(not_sure, sizeof(not_sure),
		    ", %" PRIu64 " bytes could not be verified",
		    core->kc_unverified_len);
	if (core->kc_lost_len != 0)
		(void)snprintf(not_there, sizeof(not_there),
		    ", %" PRIu64 " bytes are lost", core->kc_lost_len);
	if (core->kc_unverified_len == 0 && core->kc_lost_len == 0)
		of = "";
	warnx("warning: %s: %s%s%s%s", core->kc_core_path, core->kc_damage, of,
	    not_sure, not_there);
}

/* Say what the file lacks, and what of it may be wrong. */
static void
warn_missing(const struct kvm_core *core)
{
	if (core->kc_damage != NULL)
		warn_damage(core);
	if (core->kc_file_short != 0)
		warnx("warning: %s: cut short: %" PRIu64
		      " bytes are missing at the end",
		    core->kc_core_path, core->kc_file_short);
}

/* Open the files, the kernel's only if it is named.  Returns an exit status. */
static int
open_files(const struct args *args, const char *kernel, kvm_t **kd)
{
	struct progress bar;
	struct kvm_progress progress = { .kpr_report = progress_report,
		.kpr_arg = &bar };
	char errbuf[_POSIX2_LINE_MAX];
	int status;

	progress_start(&bar, "unpacking", args->a_core);
	errno = 0;
	*kd = kernel == NULL ?
	    kvm_describe(args->a_core, errbuf, &progress) :
	    kvm_open_progress(kernel, args->a_core, errbuf, &progress);
	status = *kd != NULL ? EX_OK : judge_open(errno);
	progress_end(&bar);
	if (*kd == NULL)
		warnx("%s", errbuf);
	return (status);
}

static int
describe(const struct args *args, struct dump *dump)
{
	dump->d_core = kvm_core(dump->d_kd);
	if (dump->d_core == NULL) {
		warnx("%s: %s", args->a_core, kvm_geterr(dump->d_kd));
		return (EX_DATAERR);
	}
	return (EX_OK);
}

/* Whether a command needs the kernel, or the core is enough. */
enum need { NEED_KERNEL, NEED_CORE };

/* Open both, of whatever builds they are. */
static int
open_pair(const struct args *args, struct dump *dump, enum need need)
{
	int status = open_check(args->a_core);

	if (status != EX_OK)
		return (status);
	dump->d_kernel = open_find_kernel(args);
	if (dump->d_kernel == NULL && need == NEED_KERNEL)
		return (open_no_kernel(args));
	if (dump->d_kernel != NULL &&
	    (status = open_check(dump->d_kernel)) != EX_OK)
		return (status);
	status = open_files(args, dump->d_kernel, &dump->d_kd);
	if (status == EX_OK)
		status = describe(args, dump);
	if (status == EX_OK)
		warn_missing(dump->d_core);
	return (status);
}

static int
open_any(const struct args *args, struct dump *dump, enum need need)
{
	int status = open_pair(args, dump, need);

	return (status == EX_OK ?
		check_build(args, dump->d_kd, dump->d_kernel) :
		status);
}

int
open_dump(const struct args *args, struct dump *dump)
{
	return (open_any(args, dump, NEED_KERNEL));
}

/* A name that is not found in symbols that cannot be read may be there. */
static int
load_symbols(const struct dump *dump)
{
	if (kvm_load_symbols(dump->d_kd) == 0)
		return (EX_OK);
	if (errno == 0) {
		warnx("%s", kvm_geterr(dump->d_kd));
		return (EX_DATAERR);
	}
	warn("%s", kvm_geterr(dump->d_kd));
	return (errno == ENOMEM ? EX_OSERR : EX_IOERR);
}

int
open_kernel(struct dump *dump)
{
	int status = load_symbols(dump);

	if (status != EX_OK)
		return (status);
	if (dump->d_kdb == NULL)
		dump->d_kdb = kdebug_create(dump->d_kd);
	if (dump->d_kdb == NULL) {
		warnx("%s: out of memory", dump->d_core->kc_core_path);
		return (EX_OSERR);
	}
	return (EX_OK);
}

int
open_debug(const struct args *args, struct dump *dump)
{
	int status = open_dump(args, dump);

	if (status == EX_OK)
		status = open_kernel(dump);
	return (status == EX_OK ? open_check_version(args, dump) : status);
}

int
open_core(const struct args *args, struct dump *dump)
{
	int status = open_any(args, dump, NEED_CORE);

	return (status == EX_OK ? open_kernel(dump) : status);
}

/* Open the core once more, without the kernel, which is another one. */
static int
reopen_alone(const struct args *args, struct dump *dump)
{
	int status;

	warnx("warning: %s: not the kernel of %s, which is read without it",
	    dump->d_kernel, args->a_core);
	kdebug_destroy(dump->d_kdb);
	kvm_close(dump->d_kd);
	free(dump->d_kernel);
	*dump = (struct dump){ 0 };
	status = open_files(args, NULL, &dump->d_kd);
	if (status == EX_OK)
		status = describe(args, dump);
	return (status == EX_OK ? open_kernel(dump) : status);
}

/* Was the kernel only found beside a minidump, which needs none? */
static bool
may_leave_out(const struct args *args, const struct dump *dump)
{
	return (dump->d_kernel != NULL && args->a_kernel == NULL &&
	    !args->a_force && dump->d_core->kc_minidump != NULL);
}

int
open_minidump(const struct args *args, struct dump *dump)
{
	int status = open_pair(args, dump, NEED_CORE);
	struct buildid file, core;

	if (status == EX_OK)
		status = open_kernel(dump);
	if (status != EX_OK)
		return (status);
	if (may_leave_out(args, dump) &&
	    (is_other_version(dump) ||
		buildid_compare(dump->d_kd, &file, &core) == BUILDID_OTHER))
		return (reopen_alone(args, dump));
	status = check_build(args, dump->d_kd, dump->d_kernel);
	return (status == EX_OK ? open_check_version(args, dump) : status);
}

int
open_no_threads(const struct dump *dump, const struct args *args)
{
	const struct kvm_core *core = dump->d_core;

	if (!kdebug_exports_threads(dump->d_kdb))
		warnx(
		    "%s: no threads found: %s has no symbol that leads to one (see dumper(9))",
		    args->a_core, dump->d_kernel);
	else if (core->kc_damage == NULL && core->kc_file_short == 0)
		warnx("%s: no threads found: is %s the kernel that crashed?",
		    args->a_core, dump->d_kernel);
	else
		warnx(
		    "%s: no threads found: the dump is not whole, or %s is not the kernel that crashed",
		    args->a_core, dump->d_kernel);
	return (EX_DATAERR);
}

void
open_warn(struct dump *dump)
{
	const char *const *notes;
	size_t nnotes = kdebug_notes(dump->d_kdb, &notes);

	for (; dump->d_nwarned < nnotes; dump->d_nwarned++)
		warnx("warning: %s", notes[dump->d_nwarned]);
}

/*
 * The system refused to read a file at off; error: why, 0: it did not.  path is
 * NULL if that was said already.
 */
static void
judge_file(const char *path, int error, uint64_t off)
{
	if (error == 0)
		return;
	unread = true;
	if (path == NULL)
		return;
	errno = error;
	warn("%s: cannot read byte %" PRIu64
	     ", so that what is said to be missing may be there",
	    path, off);
}

/* The host refused debug information what it takes; a note has said so. */
static void
judge_helpers(const struct dump *dump)
{
	const struct helpcost *hc =
	    dump->d_core != NULL ? dump->d_core->kc_helpcost : NULL;

	unread = unread || (hc != NULL && hc->hco_error == EIO);
	starved = starved || (hc != NULL && hc->hco_error == ENOMEM);
}

/* Remember for open_verdict() what was wrong with the files. */
static void
judge(const struct dump *dump)
{
	const char *core =
	    dump->d_core != NULL ? dump->d_core->kc_core_path : NULL;
	uint64_t off;
	int error;

	mistrusted = mistrusted || kvm_gave_unverified(dump->d_kd);
	lost = lost || kvm_met_lost(dump->d_kd);
	judge_helpers(dump);
	error = kvm_read_error(dump->d_kd, &off);
	judge_file(core, error, off);
	error = kvm_read_exec_error(dump->d_kd, &off);
	judge_file(dump->d_kernel, error, off);
}

void
open_close(struct dump *dump)
{
	kdebug_destroy(dump->d_kdb);
	if (dump->d_kd != NULL) {
		judge(dump);
		kvm_close(dump->d_kd);
	}
	free(dump->d_kernel);
	*dump = (struct dump){ 0 };
}

int
open_and_show(const struct syntax *syntax, int argc, char **argv,
    int (*show)(struct dump *dump, const struct args *args))
{
	struct args args = { 0 };
	struct dump dump = { 0 };
	int status;

	if (options_next(syntax, argc, argv, &args) != -1)
		return (args.a_status);
	if (!options_core(syntax, &argc, &argv, &args))
		return (EX_USAGE);

	status = open_debug(&args, &dump);
	if (status == EX_OK)
		status = show(&dump, &args);
	open_close(&dump);
	return (status);
}

int
open_verdict(int status)
{
	if (unread)
		return (EX_IOERR);
	if (starved && status == EX_OK)
		status = EX_OSERR;
	if (status != EX_OK || !(mistrusted || lost))
		return (status);
	if (mistrusted)
		warnx(
		    "warning: this may be wrong: some of it was made of bytes that could not be verified");
	if (lost)
		warnx(
		    "warning: this may not be all: some of it is in bytes that are lost");
	return (EX_DATAERR);
}
