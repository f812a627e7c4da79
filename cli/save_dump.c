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

static const char *const temps[NFILES] = {
	[FILE_CORE] = ".saving.core",
	[FILE_KEY] = ".saving.key",
	[FILE_INFO] = ".saving.info",
};

/* A dump on its way from the device to the folder. */
struct saving {
	const struct crashdir *sav_cd;
	const struct save_source *sav_src;
	uint32_t sav_number;
	struct newfile sav_files[NFILES];
	uint8_t *sav_buf; /* CHUNK_LEN */
};

static bool
is_encrypted(const struct kerneldump_hdr *kh)
{
	return (kh->kh_key_len != 0);
}

/* An encrypted dump's suffix has to wait until it is decrypted. */
static struct crashname
core_name(const struct kerneldump_hdr *kh)
{
	static const char *const suffixes[] = { "", ".gz", ".zst" };

	if (kerneldump_is_text(kh))
		return ((struct crashname){ "textdump.tar", "" });
	if (is_encrypted(kh))
		return ((struct crashname){ "vmcore_encrypted", "" });
	return ((struct crashname){ "vmcore",
	    kh->kh_compression <= KERNELDUMP_COMP_ZSTD ?
		suffixes[kh->kh_compression] :
		"" });
}

static int
source_failed(const struct saving *sv)
{
	warnx("%s: %s", sv->sav_src->src_name,
	    dumpdev_why(sv->sav_src->src_dev));
	return (EX_IOERR);
}

static int
write_failed(const struct saving *sv)
{
	warn("%s", sv->sav_cd->cd_path);
	return (EX_IOERR);
}

/* ---- copying ---- */

typedef bool reader_t(struct dumpdev *dev, const struct dumpdev_dump *dump,
    uint64_t off, uint8_t *buf, size_t len);

/* Copy what read() reads into a new file of len bytes. */
static int
copy(struct saving *sv, reader_t *read, uint64_t len, int fd,
    struct progress *bar)
{
	const struct save_source *src = sv->sav_src;

	for (uint64_t off = 0; off < len;) {
		uint64_t left = len - off;
		size_t n = left < CHUNK_LEN ? (size_t)left : CHUNK_LEN;

		if (interrupt_came())
			return (EX_TEMPFAIL);
		progress_report(bar, off, len);
		if (!read(src->src_dev, src->src_dump, off, sv->sav_buf, n))
			return (source_failed(sv));
		if (!sparse_write(fd, off, sv->sav_buf, n, NULL))
			return (write_failed(sv));
		off += n;
	}
	/* A hole at the end does not make the file longer by itself. */
	return (ftruncate(fd, (off_t)len) == 0 ? EX_OK : write_failed(sv));
}

static int
copy_core(struct saving *sv)
{
	uint64_t len = sv->sav_src->src_dump->dmp_hdr.kh_dump_len;
	struct progress bar;
	int status;

	progress_start(&bar, "saving", sv->sav_src->src_name);
	status =
	    copy(sv, dumpdev_read, len, sv->sav_files[FILE_CORE].nf_fd, &bar);
	progress_end(&bar);
	return (status);
}

static int
copy_key(struct saving *sv)
{
	uint64_t len = sv->sav_src->src_dump->dmp_hdr.kh_key_len;
	struct progress bar;
	int status;

	progress_start(&bar, "saving", "key");
	status = copy(sv, dumpdev_read_key, len, sv->sav_files[FILE_KEY].nf_fd,
	    &bar);
	progress_end(&bar);
	return (status);
}

static int
write_info(const struct saving *sv)
{
	int fd = dup(sv->sav_files[FILE_INFO].nf_fd);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	bool failed;

	if (out == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return (write_failed(sv));
	}
	dumpinfo_print(out, sv->sav_src->src_dump, sv->sav_src->src_name,
	    sv->sav_number);
	failed = ferror(out) != 0;
	if (fclose(out) != 0 || failed)
		return (write_failed(sv));
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
	int status = write_info(sv);

	if (status == EX_OK && sv->sav_files[FILE_KEY].nf_temp != NULL)
		status = copy_key(sv);
	if (status == EX_OK)
		status = copy_core(sv);
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
		[FILE_CORE] = core_name(&sv->sav_src->src_dump->dmp_hdr),
		[FILE_KEY] = { "key", "" },
		[FILE_INFO] = { "info", "" },
	};
	struct newfile files[NFILES];
	struct crashname to[NFILES];
	unsigned int n = 0;
	int status;

	for (unsigned int i = 0; i < NFILES; i++) {
		if (sv->sav_files[i].nf_temp == NULL)
			continue;
		files[n] = sv->sav_files[i];
		sv->sav_files[i] = NEWFILE_NONE;
		to[n++] = names[i];
	}
	status = crashdir_publish(sv->sav_cd, sv->sav_number, files, to, n);
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
save_dump(const struct crashdir *cd, const struct save_source *src,
    uint32_t max, char core[CRASHNAME_LEN])
{
	const struct kerneldump_hdr *kh = &src->src_dump->dmp_hdr;
	struct saving sv = { .sav_cd = cd, .sav_src = src };
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
	status = save_files(&sv);
	free(sv.sav_buf);
	(void)crashname_put(core_name(kh), sv.sav_number, core);
	return (status);
}
