/* Recursion in a trace is told in a line, and nothing else is. */
#include "cli/fold.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"

/*
 * A trace is a word in which each letter is a place in the code, a capital one
 * where a trap interrupted it.  Shown frames are the same letters; a line about
 * repetitions is "<", their number, the cycle and ">".
 */
static const struct fold_row {
	const char *name;
	const char *trace; /* "(abc*3)": repeated as often */
	const char *want;
} fold_rows[] = {
	{ "no frame", "", "" },
	{ "no recursion", "abcdefgabc", "abcdefgabc" },
	{ "too little to fold", "ab(c*5)d", "abcccccd" },
	{ "just enough", "ab(c*6)d", "abcc<4c>d" },
	{ "one function", "ab(c*5000)de", "abcc<4998c>de" },
	{ "two functions", "p(ab*100)c", "pabab<196ab>c" },
	{ "a cycle is left in its midst", "p(ab*100)ac", "pabab<196ab>ac" },
	{ "three, two of them the same", "(aab*50)c", "aabaab<144aab>c" },
	{ "up to the end", "p(ab*100)", "pabab<196ab>" },
	{ "up to the end, in its midst", "p(abc*100)ab", "pabcabc<294abc>ab" },
	{ "a long cycle", "(abcdefghijklmnop*9)q",
	    "abcdefghijklmnopabcdefghijklmnop<112abcdefghijklmnop>q" },
	{ "a cycle too long", "(abcdefghijklmnopq*3)",
	    "abcdefghijklmnopqabcdefghijklmnopqabcdefghijklmnopq" },
	{ "one cycle after another", "(a*10)(b*10)", "aa<8a>bb<8b>" },
	{ "cycles in a cycle", "(x(a*9)*2)", "xaa<7a>xaa<7a>" },
	{ "through a trap", "(aB*20)c", "aBaB<36aB>c" },
	{ "a trap is another place", "aaaaAaaaa", "aaaaAaaaa" },
};

struct shown {
	char sh_text[256];
	size_t sh_next; /* number of the frame that must come now */
};

static void
append(struct shown *sh, const struct kdebug_frame *frame)
{
	char text[2] = { (char)frame->kf_pc, '\0' };

	if (frame->kf_trap)
		text[0] = (char)(text[0] - 'a' + 'A');
	strcat(sh->sh_text, text);
}

static void
show(void *arg, size_t n, const struct kdebug_frame *frame)
{
	struct shown *sh = arg;

	assert_int_equal(n, sh->sh_next++);
	append(sh, frame);
}

static void
repeat(void *arg, size_t n, const struct kdebug_frame *const *cycle,
    size_t ncycle)
{
	struct shown *sh = arg;

	assert_int_equal(n % ncycle, 0);
	sh->sh_next += n;
	sprintf(sh->sh_text + strlen(sh->sh_text), "<%zu", n);
	for (size_t i = 0; i < ncycle; i++)
		append(sh, cycle[i]);
	strcat(sh->sh_text, ">");
}

/* Hand in the frames of a trace; returns where it goes on after a ")". */
static const char *
hand_in(struct fold *fo, const char *trace)
{
	for (; *trace != '\0' && *trace != '*'; trace++) {
		bool trap = *trace >= 'A' && *trace <= 'Z';
		struct kdebug_frame frame = {
			.kf_pc = (kvaddr_t)(trap ? *trace - 'A' + 'a' : *trace),
			.kf_trap = trap,
		};
		const char *end = trace;
		unsigned int times = 1;

		if (*trace != '(') {
			fold_add(fo, &frame);
			continue;
		}
		for (unsigned int i = 0; i < times; i++) {
			end = hand_in(fo, trace + 1);
			assert_int_equal(sscanf(end, "*%u)", &times), 1);
		}
		trace = strchr(end, ')');
	}
	return (trace);
}

static void
test_fold(void **state)
{
	const struct fold_row *row = *state;
	struct shown sh = { 0 };
	struct fold fo = {
		.fo_show = show,
		.fo_repeat = repeat,
		.fo_arg = &sh,
	};

	hand_in(&fo, row->trace);
	fold_end(&fo);
	assert_string_equal(sh.sh_text, row->want);
	assert_int_equal(sh.sh_next, fo.fo_nframes);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(fold_rows)];
	size_t n = 0;

	ADD_ROWS(tests, n, fold_rows, test_fold);
	return (RUN_TESTS(tests, n));
}
