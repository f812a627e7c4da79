/*
 * Folds recursion in a trace: see fold.h.
 *
 * Frames are equal if they have the same pc.  After each frame that is shown,
 * the last frames are searched for a cycle that was repeated once.  If there is
 * one, the next frames are only counted, as long as they continue the cycle.
 */
#include "cli/fold.h"

/* The least number of frames that one line replaces; fewer are shown. */
#define FOLD_MIN 4

static const struct kdebug_frame *
kept(const struct fold *fo, size_t n)
{
	return (&fo->fo_kept[n % FOLD_KEPT]);
}

static bool
are_equal(const struct fold *fo, size_t a, size_t b)
{
	return (kept(fo, a)->kf_pc == kept(fo, b)->kf_pc &&
	    kept(fo, a)->kf_trap == kept(fo, b)->kf_trap);
}

/* Are the last n frames the same as the n before them? */
static bool
ends_in_cycle(const struct fold *fo, size_t n)
{
	if (fo->fo_nframes < 2 * n)
		return (false);
	for (size_t i = 1; i <= n; i++) {
		if (!are_equal(fo, fo->fo_nframes - i, fo->fo_nframes - i - n))
			return (false);
	}
	return (true);
}

/* The length of the shortest cycle that the frames end in; 0: none. */
static size_t
find_cycle(const struct fold *fo)
{
	for (size_t n = 1; n <= FOLD_CYCLE_MAX; n++) {
		if (ends_in_cycle(fo, n))
			return (n);
	}
	return (0);
}

/* Show the frame with number fo_nshown. */
static void
show_next(struct fold *fo)
{
	fo->fo_show(fo->fo_arg, fo->fo_nshown, kept(fo, fo->fo_nshown));
	fo->fo_nshown++;
}

/* Report the next n frames, which are whole rounds of the cycle. */
static void
tell_repeats(struct fold *fo, size_t n)
{
	const struct kdebug_frame *cycle[FOLD_CYCLE_MAX];

	/* Pass the last round: its frames are still kept. */
	fo->fo_nshown += n;
	for (size_t i = 0; i < fo->fo_ncycle; i++)
		cycle[i] = kept(fo, fo->fo_nshown - fo->fo_ncycle + i);
	fo->fo_repeat(fo->fo_arg, n, cycle, fo->fo_ncycle);
}

/* The cycle ends before frame end: report the frames that were counted. */
static void
leave_cycle(struct fold *fo, size_t end)
{
	size_t ncounted = end - fo->fo_nshown;
	size_t nwhole = ncounted - ncounted % fo->fo_ncycle;

	if (nwhole >= FOLD_MIN)
		tell_repeats(fo, nwhole);
	while (fo->fo_nshown < end)
		show_next(fo);
	fo->fo_ncycle = 0;
}

void
fold_add(struct fold *fo, const struct kdebug_frame *frame)
{
	size_t n = fo->fo_nframes++;

	fo->fo_kept[n % FOLD_KEPT] = *frame;
	if (fo->fo_ncycle != 0) {
		if (are_equal(fo, n, n - fo->fo_ncycle))
			return;
		leave_cycle(fo, n);
	}
	show_next(fo);
	fo->fo_ncycle = find_cycle(fo);
}

void
fold_end(struct fold *fo)
{
	if (fo->fo_ncycle != 0)
		leave_cycle(fo, fo->fo_nframes);
}
