/*
 * Saving one dump: see save_dump.h.
 *
 * The dump's bytes are copied as they are, but for runs of zeros, which become
 * holes.  The file is as long as the header says, be its end a hole or not.
 */
#include "cli/save_dump.h"

#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/badplaces.h"
#include "cli/digest.h"
#include "cli/dumpinfo.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "libkvm/sparse.h"

#define CORE_MODE 0600
#define CHUNK_LEN (UINT32_C(1) << 20) /* a multiple of every sector */

/*
 * The files of a dump, in the order in which they get their names: where there
 * is an info.N, all is there.
 */
enum { FILE_CORE, FILE_KEY, FILE_INFO, NFILES };
_Static_assert(NFILES <= CRASHDIR_MAX_FILES, "the folder has room for all");

static const char *const temps[NFILES] = {
	[FILE_CORE] = ".saving.core",
	[FILE_KEY] = ".saving.key",
	[FILE_INFO] = ".saving.info",
};

/* A dump on its way from the device to the folder. */
struct saving {
	struct crashdir *sav_cd;
	const struct save_source *sav_src;
	uint32_t sav_number;
	bool sav_replaces; /* what has that number */
	struct newfile sav_files[NFILES];
	uint8_t *sav_buf;	   /* CHUNK_LEN */
	struct digest *sav_digest; /* of the core; NULL: not counted */
	struct badplaces sav_bad;
};

static bool
is_encrypted(const struct kerneldump_hdr *kh)
{
	return (kh->kh_key_len != 0);
}

int
save_status(const struct trouble *tr)
{
	switch (tr->trb_kind) {
	case TROUBLE_IO:
		return (EX_IOERR);
	case TROUBLE_CHANGED:
		return (EX_TEMPFAIL);
	case TROUBLE_NONE:
	case TROUBLE_DATA:
		break;
	}
	return (EX_DATAERR);
}

static int
source_failed(const struct saving *sv, const struct trouble *tr)
{
	warnx("%s: %s", sv->sav_src->src_name, tr->trb_text);
	return (save_status(tr));
}

static int
write_failed(const struct saving *sv, unsigned int file)
{
	warn("%s/%s", sv->sav_cd->cd_path, sv->sav_files[file].nf_temp);
	return (EX_IOERR);
}

/* ---- copying ---- */

/* A copy: of which part, and its destination. */
struct copying {
	enum dumpdev_part cpy_part;
	uint64_t cpy_len;
	unsigned int cpy_file; /* FILE_CORE or FILE_KEY */
	int cpy_fd;
};

static bool
read_bytes(struct saving *sv, const struct copying *cpy, uint64_t off,
    uint8_t *buf, size_t len, struct trouble *tr)
{
	const struct save_source *src = sv->sav_src;

	return (dumpdev_read(src->src_dev, src->src_dump, cpy->cpy_part, off,
	    buf, len, tr));
}

/* Read what can be read, a sector at a time, and leave zeros for the rest. */
static bool
salvage(struct saving *sv, const struct copying *cpy, uint64_t off, size_t len,
    struct trouble *tr)
{
	const struct save_source *src = sv->sav_src;
	size_t step = src->src_dump->dmp_sector_len;

	for (size_t done = 0; done < len && !interrupt_came(); done += step) {
		size_t n = len - done < step ? len - done : step;
		uint8_t *buf = sv->sav_buf + done;

		if (read_bytes(sv, cpy, off + done, buf, n, tr))
			continue;
		if (tr->trb_kind != TROUBLE_IO)
			return (false);
		memset(buf, 0, n);
		badplaces_add(&sv->sav_bad, off + done,
		    dumpdev_place(src->src_dump, cpy->cpy_part, off + done, n),
		    n);
	}
	return (true);
}

static int
read_chunk(struct saving *sv, const struct copying *cpy, uint64_t off,
    size_t len)
{
	const struct save_source *src = sv->sav_src;
	struct trouble tr = { 0 };

	if (read_bytes(sv, cpy, off, sv->sav_buf, len, &tr))
		return (EX_OK);
	if (tr.trb_kind != TROUBLE_IO)
		return (source_failed(sv, &tr));
	/* A key with a hole opens nothing. */
	if (src->src_salvage && cpy->cpy_part == DUMPDEV_CORE)
		return (salvage(sv, cpy, off, len, &tr) ?
			EX_OK :
			source_failed(sv, &tr));
	warnx("%s: %s%s", src->src_name, tr.trb_text,
	    cpy->cpy_part == DUMPDEV_CORE ?
		" (-f saves zeros in place of what cannot be read)" :
		": the dump cannot be decrypted without its key");
	return (EX_IOERR);
}

static size_t
chunk_len(uint64_t left)
{
	return (left < CHUNK_LEN ? (size_t)left : CHUNK_LEN);
}

/* The digest that the part goes into; NULL for a key, which has none. */
static struct digest *
digest_of(const struct saving *sv, const struct copying *cpy)
{
	return (cpy->cpy_part == DUMPDEV_CORE ? sv->sav_digest : NULL);
}

/*
 * How many of the left bytes from off on are copied next: all of them are in a
 * hole of the image, as *hole tells, or all in none.
 */
static uint64_t
step_len(struct saving *sv, const struct copying *cpy, uint64_t off,
    uint64_t left, bool *hole)
{
	const struct save_source *src = sv->sav_src;
	uint64_t n = dumpdev_run_len(src->src_dev, src->src_dump, cpy->cpy_part,
	    off, left, hole);

	return (*hole && digest_of(sv, cpy) == NULL ? n : chunk_len(n));
}

static int
copy_chunk(struct saving *sv, const struct copying *cpy, uint64_t off,
    size_t len)
{
	int status = read_chunk(sv, cpy, off, len);

	if (status != EX_OK)
		return (status);
	digest_add(digest_of(sv, cpy), sv->sav_buf, len);
	return (sparse_write(cpy->cpy_fd, off, sv->sav_buf, len, NULL) ?
		EX_OK :
		write_failed(sv, cpy->cpy_file));
}

/* A hole of the image becomes one of the file. */
static int
copy(struct saving *sv, const struct copying *cpy, struct progress *bar)
{
	uint64_t len = cpy->cpy_len;

	for (uint64_t off = 0; off < len;) {
		bool hole;
		uint64_t n = step_len(sv, cpy, off, len - off, &hole);
		int status = EX_OK;

		if (hole)
			digest_add_zeros(digest_of(sv, cpy), n);
		else
			status = copy_chunk(sv, cpy, off, (size_t)n);
		if (status == EX_OK && interrupt_came())
			status = EX_TEMPFAIL;
		if (status != EX_OK)
			return (status);
		off += n;
		progress_report(bar, off, len);
	}
	/* A hole at the end does not make the file longer by itself. */
	return (ftruncate(cpy->cpy_fd, (off_t)len) == 0 ?
		EX_OK :
		write_failed(sv, cpy->cpy_file));
}

static int
copy_core(struct saving *sv)
{
	const struct copying cpy = { .cpy_part = DUMPDEV_CORE,
		.cpy_len = sv->sav_src->src_dump->dmp_hdr.kh_dump_len,
		.cpy_file = FILE_CORE,
		.cpy_fd = sv->sav_files[FILE_CORE].nf_fd };
	struct progress bar;
	int status;

	progress_start(&bar, "saving", sv->sav_src->src_name);
	status = copy(sv, &cpy, &bar);
	progress_end(&bar);
	return (status);
}

static int
copy_key(struct saving *sv)
{
	const struct copying cpy = { .cpy_part = DUMPDEV_KEY,
		.cpy_len = sv->sav_src->src_dump->dmp_hdr.kh_key_len,
		.cpy_file = FILE_KEY,
		.cpy_fd = sv->sav_files[FILE_KEY].nf_fd };
	struct progress bar;
	int status;

	progress_start(&bar, "saving", "key");
	status = copy(sv, &cpy, &bar);
	progress_end(&bar);
	return (status);
}

/* A machine that dumps again meanwhile leaves half of each dump. */
static int
check_unchanged(struct saving *sv)
{
	struct trouble tr = { 0 };

	badplaces_warn(&sv->sav_bad, sv->sav_src->src_name);
	return (dumpdev_unchanged(sv->sav_src->src_dev, sv->sav_src->src_dump,
		    &tr) ?
		EX_OK :
		source_failed(sv, &tr));
}

static int
write_info(struct saving *sv)
{
	char sha256[DIGEST_TEXT_LEN];
	bool counted = digest_end(sv->sav_digest, sha256);
	const struct dumpinfo di = { .di_dump = sv->sav_src->src_dump,
		.di_device = sv->sav_src->src_name,
		.di_number = &sv->sav_number,
		.di_bad = &sv->sav_bad,
		.di_sha256 = counted ? sha256 : NULL };
	int fd = dup(sv->sav_files[FILE_INFO].nf_fd);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	bool failed;

	if (out == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return (write_failed(sv, FILE_INFO));
	}
	dumpinfo_print(out, &di);
	failed = ferror(out) != 0;
	if (fclose(out) != 0 || failed)
		return (write_failed(sv, FILE_INFO));
	return (EX_OK);
}

/* ---- the files ---- */

static int
create_files(struct saving *sv)
{
	bool encrypted = is_encrypted(&sv->sav_src->src_dump->dmp_hdr);
	int status = EX_OK;

	for (unsigned int i = 0; i < NFILES && status == EX_OK; i++)
		if (i != FILE_KEY || encrypted)
			status = newfile_create(sv->sav_cd, temps[i], CORE_MODE,
			    &sv->sav_files[i]);
	return (status);
}

static int
fill_files(struct saving *sv)
{
	int status = EX_OK;

	if (sv->sav_files[FILE_KEY].nf_fd >= 0)
		status = copy_key(sv);
	if (status == EX_OK)
		status = copy_core(sv);
	if (status == EX_OK)
		status = check_unchanged(sv);
	if (status == EX_OK)
		status = write_info(sv);
	for (unsigned int i = 0; i < NFILES && status == EX_OK; i++)
		status = newfile_sync(sv->sav_cd, &sv->sav_files[i]);
	/* The last moment at which all of it can be taken back. */
	if (status == EX_OK && interrupt_came())
		status = EX_TEMPFAIL;
	return (status);
}

/* From here on signals have to wait: there is little left to do. */
static int
name_files(struct saving *sv)
{
	const struct crashname names[NFILES] = {
		[FILE_CORE] =
		    crashname_of_core(&sv->sav_src->src_dump->dmp_hdr),
		[FILE_KEY] = { "key", "" },
		[FILE_INFO] = { "info", "" },
	};
	struct newfile files[NFILES];
	struct crashname to[NFILES];
	unsigned int n = 0;
	int status;

	for (unsigned int i = 0; i < NFILES; i++) {
		if (sv->sav_files[i].nf_fd < 0)
			continue;
		files[n] = sv->sav_files[i];
		sv->sav_files[i] = NEWFILE_NONE;
		to[n++] = names[i];
	}
	status = crashdir_publish(sv->sav_cd, sv->sav_number, sv->sav_replaces,
	    files, to, n);
	for (unsigned int i = 0; i < n; i++)
		newfile_abandon(sv->sav_cd, &files[i]);
	return (status);
}

static int
save_files(struct saving *sv)
{
	int status = create_files(sv);

	if (status == EX_OK)
		status = fill_files(sv);
	if (status == EX_OK)
		status = name_files(sv);
	for (unsigned int i = 0; i < NFILES; i++)
		newfile_abandon(sv->sav_cd, &sv->sav_files[i]);
	return (status);
}

/* The dump and its key; info.N is small. */
static uint64_t
needed_len(const struct kerneldump_hdr *kh)
{
	uint64_t len;

	if (__builtin_add_overflow(kh->kh_dump_len, kh->kh_key_len, &len))
		return (UINT64_MAX);
	return (len);
}

int
save_dump(struct crashdir *cd, const struct save_source *src, uint32_t max,
    char core[CRASHNAME_LEN])
{
	const struct kerneldump_hdr *kh = &src->src_dump->dmp_hdr;
	struct saving sv = { .sav_cd = cd,
		.sav_src = src,
		.sav_replaces = max != 0 };
	int status = crashdir_check_room(cd, needed_len(kh));

	for (unsigned int i = 0; i < NFILES; i++)
		sv.sav_files[i] = NEWFILE_NONE;
	if (status == EX_OK)
		status = crashdir_take_number(cd, max, &sv.sav_number);
	if (status != EX_OK)
		return (status);
	if ((sv.sav_buf = malloc(CHUNK_LEN)) == NULL) {
		warnx("%s: out of memory", src->src_name);
		return (EX_OSERR);
	}
	sv.sav_digest = src->src_has_sum ? digest_create() : NULL;
	status = save_files(&sv);
	digest_destroy(sv.sav_digest);
	free(sv.sav_buf);
	(void)crashname_put(crashname_of_core(kh), sv.sav_number, core);
	return (status);
}
