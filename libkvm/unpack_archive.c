/*
 * bzip2 and lz4, by the filters of libarchive.  They do not tell where in a
 * file they are, so that what comes after damage is lost.
 */
#include <archive.h>
#include <errno.h>
#include <unistd.h>

#include "format/bytes.h"
#include "libkvm/unpack_int.h"

/* LZ4 Frame Format Description: the header's first byte, FLG. */
#define LZ4_MAGIC    0x184d2204
#define LZ4_HAS_SUMS (0x10 | 0x04) /* of blocks, of the content */

static la_ssize_t
read_packed(struct archive *a, void *arg, const void **buf)
{
	struct unpack *u = arg;
	size_t n;

	u->up_left = 0;
	(void)unpack_fill(u);
	n = u->up_left;
	*buf = u->up_next;
	if (u->up_errno != 0) {
		archive_set_error(a, u->up_errno, "cannot read");
		return (-1);
	}
	return ((la_ssize_t)n);
}

/* A file without an archive in it: raw data, which these filters unpack. */
static struct archive *
open_filters(struct unpack *u)
{
	struct archive *a = archive_read_new();

	if (a == NULL || archive_read_support_filter_bzip2(a) != ARCHIVE_OK ||
	    archive_read_support_filter_lz4(a) != ARCHIVE_OK ||
	    archive_read_support_format_raw(a) != ARCHIVE_OK) {
		(void)unpack_fail(u, EINVAL, "%s: %s", u->up_name,
		    a == NULL ? "out of memory" : archive_error_string(a));
		(void)archive_read_free(a);
		return (NULL);
	}
	return (a);
}

static void
damaged(struct unpack *u, struct archive *a)
{
	if (u->up_errno != 0)
		return;
	unpack_note(u, UNPACK_DAMAGED, archive_error_string(a));
	unpack_doubt(u);
}

/*
 * Has the first frame of lz4 no checksum, neither of blocks nor of all? 
 * bzip2 has one for each block.
 */
static void
note_unsummed(struct unpack *u)
{
	uint8_t head[5] = { 0 };

	if (pread(u->up_in_fd, head, sizeof(head), 0) !=
		(ssize_t)sizeof(head) ||
	    dec32(ORDER_LITTLE, head) != LZ4_MAGIC)
		return;
	if ((head[4] & LZ4_HAS_SUMS) == 0)
		u->up_damage->dmg_unsummed = true;
}

void
unpack_archive(struct unpack *u)
{
	struct archive *a = open_filters(u);
	struct archive_entry *entry;
	la_ssize_t n;
	int error;

	if (a == NULL)
		return;
	note_unsummed(u);
	error = archive_read_open(a, u, NULL, read_packed, NULL);
	if (error == ARCHIVE_OK)
		error = archive_read_next_header(a, &entry);
	if (error == ARCHIVE_OK) {
		do {
			n = archive_read_data(a, u->up_out, UNPACK_CHUNK_LEN);
		} while (n > 0 && unpack_put(u, (size_t)n));
		error = n < 0 ? ARCHIVE_FATAL : ARCHIVE_OK;
	}
	if (error != ARCHIVE_OK && error != ARCHIVE_EOF)
		damaged(u, a);
	(void)archive_read_free(a);
}
