/*
 * The two sides of a decoder: the packed file that it reads, and the spool that
 * it writes to.  Errors and damage are noted here.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "format/bytes.h"
#include "format/foreign.h"
#include "libkvm/unpack_int.h"

bool
unpack_fail(struct unpack *u, int error, const char *fmt, ...)
{
	va_list ap;

	if (u->up_errno != 0)
		return (false);
	u->up_errno = error;
	va_start(ap, fmt);
	(void)vsnprintf(u->up_why, u->up_why_len, fmt, ap);
	va_end(ap);
	return (false);
}

bool
unpack_fill(struct unpack *u)
{
	const struct kvm_progress *progress = u->up_how->uh_progress;
	ssize_t n;

	if (u->up_left > 0)
		return (true);

	if (progress != NULL)
		progress->kpr_report(progress->kpr_arg, u->up_in_done,
		    u->up_in_len);
	do {
		n = read(u->up_in_fd, u->up_in, UNPACK_CHUNK_LEN);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		return (unpack_fail(u, EIO, "cannot read: %s",
		    strerror(errno)));
	}
	u->up_in_done += (uint64_t)n;
	u->up_next = u->up_in;
	u->up_left = (size_t)n;
	return (n > 0);
}

/* Has all been unpacked that is kept? */
static bool
is_past_end(const struct unpack *u)
{
	return (u->up_spool.spl_len > u->up_spool.spl_keep_len);
}

/* How far the file is read. */
static uint64_t
in_off(const struct unpack *u)
{
	return (u->up_in_done - u->up_left);
}

/*
 * Skip zeros.  Where they are no padding they are the start of a piece, which
 * is damaged: a piece whose bytes a disk or a copy has lost looks like this.
 * These zeros are paid for, since the next piece may start among them.
 */
static bool
skip_padding(struct unpack *u)
{
	uint64_t start = in_off(u);

	while (unpack_fill(u) && *u->up_next == 0) {
		u->up_next++;
		u->up_left--;
	}
	if (u->up_left == 0)
		return (false);
	if ((in_off(u) - start) % u->up_pad_unit == 0)
		return (true);
	(void)unpack_spend(u, in_off(u) - start);
	return (unpack_read_at(u, start) && unpack_fill(u));
}

bool
unpack_next(struct unpack *u)
{
	bool more = !is_past_end(u) && skip_padding(u);

	u->up_piece_in_off = in_off(u);
	u->up_piece_out_off = u->up_spool.spl_len;
	if (more && u->up_second_off == 0)
		u->up_second_off = u->up_piece_out_off;
	return (more);
}

bool
unpack_spend(struct unpack *u, uint64_t cost)
{
	bool enough = cost <= u->up_budget;

	u->up_budget = enough ? u->up_budget - cost : 0;
	return (enough);
}

bool
unpack_is_padding(struct unpack *u, struct span rest)
{
	uint64_t n = 0;

	while (n < rest.len && rest.base[n] == 0)
		n++;
	return (unpack_spend(u, n) && n == rest.len);
}

void
unpack_note_unsummed(struct unpack *u, uint32_t magic, uint8_t has_sum)
{
	uint8_t head[5];
	ssize_t n =
	    pread(u->up_in_fd, head, sizeof(head), (off_t)u->up_piece_in_off);

	if (n == (ssize_t)sizeof(head) && dec32(ORDER_LITTLE, head) == magic &&
	    (head[4] & has_sum) == 0)
		u->up_damage->dmg_unsummed = true;
}

bool
unpack_read_at(struct unpack *u, uint64_t off)
{
	uint64_t start = in_off(u) - (uint64_t)(u->up_next - u->up_in);

	if (off >= start && off <= u->up_in_done) {
		u->up_next = u->up_in + (off - start);
		u->up_left = (size_t)(u->up_in_done - off);
		return (true);
	}
	if (lseek(u->up_in_fd, (off_t)off, SEEK_SET) < 0)
		return (unpack_fail(u, EIO, "cannot read: %s",
		    strerror(errno)));
	u->up_in_done = off;
	u->up_next = u->up_in;
	u->up_left = 0;
	return (true);
}

/* What is kept of the spool's first bytes up to end. */
static uint64_t
kept(const struct unpack *u, uint64_t end)
{
	uint64_t keep = u->up_spool.spl_keep_len;

	return (end < keep ? end : keep);
}

/* What is in the spool from start to end is of that kind. */
static void
suspect(struct unpack *u, uint64_t start, uint64_t end, enum damage_kind kind)
{
	if (!damage_add(u->up_damage, start, kept(u, end), kind))
		(void)unpack_fail(u, ENOMEM, "out of memory");
}

static bool
spooled(struct unpack *u, enum spool_result result)
{
	if (result == SPOOL_ERROR)
		return (unpack_fail(u, EIO,
		    "cannot unpack into a temporary file (set TMPDIR to a roomier folder): %s",
		    strerror(errno)));
	if (result == SPOOL_LIMIT)
		return (unpack_fail(u, EINVAL,
		    "unpacks to more than %" PRIu64 " MB, or than %" PRIu64
		    " MB with its zeros, which no dump does: " SPOOL_NOLIMIT
		    "=1 in the environment unpacks it all the same",
		    u->up_spool.spl_max_disk >> 20,
		    u->up_spool.spl_max_len >> 20));
	return (true);
}

/* Ask whether a file that starts like this is wanted.  false: it is not. */
static bool
check_start(struct unpack *u)
{
	uint8_t start[FOREIGN_HEAD_LEN];
	ssize_t n;

	u->up_is_checked = true;
	if (u->up_how->uh_wanted == NULL)
		return (true);
	n = pread(u->up_spool.spl_fd, start, sizeof(start), 0);
	/* Zeros at the end are not in the file yet: they decide nothing. */
	u->up_is_unwanted =
	    n >= 0 && !u->up_how->uh_wanted((struct span){ start, (size_t)n });
	return (!u->up_is_unwanted);
}

/*
 * Ask where the dump ends.  Whenever there is twice as much of it, so that all
 * of the asking takes no longer than the last time.
 */
static void
find_end(struct unpack *u)
{
	if (u->up_how->uh_end == NULL || u->up_end != 0 ||
	    u->up_spool.spl_len < u->up_ask_len || !spool_end(&u->up_spool))
		return;
	u->up_ask_len = 2 * u->up_spool.spl_len;
	u->up_end = u->up_how->uh_end(u->up_spool.spl_fd);
	if (u->up_end != 0 && u->up_end < UINT64_MAX - UNPACK_SLACK_LEN)
		u->up_spool.spl_keep_len = u->up_end + UNPACK_SLACK_LEN;
}

/* The checksum of the piece is too far away.  Returns false. */
static bool
give_up_piece(struct unpack *u)
{
	struct damage *dm = u->up_damage;

	if (dm->dmg_where[0] == '\0')
		(void)snprintf(dm->dmg_where, sizeof(dm->dmg_where),
		    "%s data goes on after the dump's end at byte %" PRIu64
		    " of it, and beyond what is unpacked",
		    u->up_name, u->up_end);
	unpack_doubt(u);
	return (false);
}

bool
unpack_put(struct unpack *u, size_t len)
{
	uint64_t max = u->up_how->uh_len_max;
	enum spool_result result = spool_put(&u->up_spool, u->up_out, len);

	if (result == SPOOL_LIMIT && is_past_end(u))
		return (give_up_piece(u));
	if (!spooled(u, result))
		return (false);
	if (!u->up_is_checked && u->up_spool.spl_len >= FOREIGN_HEAD_LEN &&
	    !check_start(u))
		return (false);
	find_end(u);
	return (max == 0 || u->up_spool.spl_len < max);
}

bool
unpack_put_at(struct unpack *u, uint64_t off)
{
	return (spooled(u, spool_seek(&u->up_spool, off)));
}

bool
unpack_put_found_at(struct unpack *u, uint64_t off)
{
	if (u->up_found_off == 0)
		u->up_found_off = off;
	suspect(u, u->up_spool.spl_len, off, DAMAGE_LOST);
	return (unpack_put_at(u, off));
}

void
unpack_note(struct unpack *u, enum unpack_end end, const char *detail)
{
	struct damage *dm = u->up_damage;

	if (dm->dmg_where[0] != '\0')
		return;
	if (end == UNPACK_CUT)
		(void)snprintf(dm->dmg_where, sizeof(dm->dmg_where),
		    "%s data is cut short at byte %" PRIu64, u->up_name,
		    u->up_in_len);
	else
		(void)snprintf(dm->dmg_where, sizeof(dm->dmg_where),
		    "%s data from byte %" PRIu64 " on is damaged%s%s",
		    u->up_name, u->up_piece_in_off, detail != NULL ? ": " : "",
		    detail != NULL ? detail : "");
}

void
unpack_doubt(struct unpack *u)
{
	suspect(u, u->up_piece_out_off, u->up_spool.spl_len, DAMAGE_UNVERIFIED);
}

/*
 * From where on the pieces need not be in their places; 0: they are.
 *
 * What was found again after damage is, if the dump ends where it says: two
 * damaged pieces that touch look like one, and then it does not.  A file of which
 * nothing is damaged, and which holds less than all of the dump, lacks its end or
 * some piece before it.
 */
static uint64_t
find_doubtful(struct unpack *u)
{
	uint64_t len = u->up_spool.spl_len, end;

	if (u->up_how->uh_end == NULL ||
	    (u->up_found_off == 0 && u->up_second_off == 0))
		return (0);
	end = u->up_how->uh_end(u->up_spool.spl_fd);
	if (u->up_found_off != 0)
		return (end != len ? u->up_found_off : 0);
	if (u->up_how->uh_len_max != 0 || u->up_damage->dmg_where[0] != '\0' ||
	    (end != 0 && end <= len))
		return (0);
	(void)snprintf(u->up_damage->dmg_where, sizeof(u->up_damage->dmg_where),
	    "%s data ends before the dump does, and some of it before the end may be missing",
	    u->up_name);
	return (u->up_second_off);
}

void
unpack_doubt_places(struct unpack *u)
{
	uint64_t start = find_doubtful(u);

	if (start != 0 &&
	    !damage_doubt(u->up_damage, start, kept(u, u->up_spool.spl_len)))
		(void)unpack_fail(u, ENOMEM, "out of memory");
}
