/*
 * Answers: each packet against a target whose every byte is known.
 *
 * The fake target's thread ids are 189ee, 189ef and 80000002, its registers 1
 * (rbx), 6 (rbp), 7 (rsp) and 10 (rip) of 28; see fake_target.h.
 */
#include "rsp/rsp.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "rsp/packet.h"
#include "tests/rsp/fake_target.h"
#include "tests/support/unit.h"

#define REPLY_CAP 4096

/* "(pid 800) <sysctl> & \"co\" (crashed)", "idle" and "none" in digits. */
#define NAME0                                                                  \
	"2870696420383030"                                                     \
	"29203c73797363746c3e2026"                                             \
	"2022636f22202863726173686564"                                         \
	"29"
#define NAME1 "69646c65"
#define NAME2 "6e6f6e65"

/* "panic: test" */
#define REASON "70616e69633a2074657374"

/* "this is a crash dump: the kernel is dead and cannot run" */
#define CANNOT_RUN "this is a crash dump: the kernel is dead and cannot run"
#define CANNOT_RUN_HEX                                                         \
	"7468697320697320612063726173682064756d703a20746865206b65726e656c"     \
	"206973206465616420616e642063616e6e6f742072756e"
#define CANNOT_CHANGE "this is a crash dump: it cannot be changed"
#define CANNOT_CHANGE_HEX                                                      \
	"7468697320697320612063726173682064756d703a2069742063616e6e6f7420"     \
	"6265206368616e676564"

static size_t
ask(struct rsp *rsp, const char *pkt, char *reply, size_t cap)
{
	size_t len = rsp_answer(rsp, pkt, strlen(pkt), reply, cap - 1);

	assert_true(len < cap);
	reply[len] = '\0';
	return (len);
}

static const struct row {
	const char *name;
	const char *before; /* a packet that comes first, or NULL */
	const char *pkt;
	const char *want;
} rows[] = {
	{ "nothing", NULL, "", "" },
	{ "unknown letter", NULL, "A1", "" },
	{ "extended mode", NULL, "!", "" },

	{ "qSupported", NULL, "qSupported:multiprocess+;xmlRegisters=i386",
	    "PacketSize=8000;QStartNoAckMode+;qXfer:features:read+;"
	    "qXfer:threads:read+" },
	{ "QStartNoAckMode", NULL, "QStartNoAckMode", "OK" },
	{ "QEnableErrorStrings", NULL, "QEnableErrorStrings", "OK" },
	{ "QThreadSuffixSupported", NULL, "QThreadSuffixSupported", "" },
	{ "vMustReplyEmpty", NULL, "vMustReplyEmpty", "" },
	{ "vCont?", NULL, "vCont?", "" },
	{ "qAttached", NULL, "qAttached", "1" },
	{ "qSymbol", NULL, "qSymbol::", "OK" },
	{ "qOffsets", NULL, "qOffsets", "" },
	{ "qShlibInfoAddr", NULL, "qShlibInfoAddr", "" },
	{ "a query's name with a tail", NULL, "qCx", "" },
	{ "a query's name cut short", NULL, "qSupporte", "" },
	{ "qHostInfo", NULL, "qHostInfo",
	    "triple:7838365f36342d756e6b6e6f776e2d66726565627364;"
	    "ptrsize:8;endian:little;" },
	{ "qProcessInfo", NULL, "qProcessInfo",
	    "pid:1;triple:7838365f36342d756e6b6e6f776e2d66726565627364;"
	    "ptrsize:8;endian:little;" },

	{ "stop reply", NULL, "?",
	    "T05thread:189ee;hexname:" NAME0
	    ";reason:exception;description:" REASON ";" },
	{ "stop reply, whatever is selected", "Hg189ef", "?",
	    "T05thread:189ee;hexname:" NAME0
	    ";reason:exception;description:" REASON ";" },
	{ "qThreadStopInfo", NULL, "qThreadStopInfo189ef",
	    "T00thread:189ef;hexname:" NAME1 ";" },
	{ "qThreadStopInfo of none", NULL, "qThreadStopInfo189ed", "E02" },
	{ "qC", NULL, "qC", "QC189ee" },
	{ "qC after Hg", "Hg80000002", "qC", "QC80000002" },
	{ "qfThreadInfo", NULL, "qfThreadInfo", "m189ee,189ef,80000002" },
	{ "qsThreadInfo", "qfThreadInfo", "qsThreadInfo", "l" },
	{ "qfThreadInfo again", "qfThreadInfo", "qfThreadInfo",
	    "m189ee,189ef,80000002" },
	{ "qThreadExtraInfo", NULL, "qThreadExtraInfo,189ef", NAME1 },
	{ "qThreadExtraInfo of none", NULL, "qThreadExtraInfo,1", "E02" },
	{ "qThreadExtraInfo of nothing", NULL, "qThreadExtraInfo", "E02" },
	{ "alive", NULL, "T80000002", "OK" },
	{ "not alive", NULL, "T2", "E02" },
	{ "alive: no id", NULL, "T", "E02" },
	{ "Hg", NULL, "Hg189ef", "OK" },
	{ "Hg any", NULL, "Hg0", "OK" },
	{ "Hg any keeps the thread", "Hg189ef", "Hg0", "OK" },
	{ "Hg all", NULL, "Hg-1", "E02" },
	{ "Hg none", NULL, "Hg5", "E02" },
	{ "Hg none keeps the thread", "Hg5", "qC", "QC189ee" },
	{ "Hg with a tail", NULL, "Hg189ef;", "E02" },
	{ "Hg of another process", NULL, "Hgp1.189ef", "E02" },
	{ "Hg with 17 digits", NULL, "Hg000000000000189ef", "E02" },
	{ "Hg with 16 digits", NULL, "Hg00000000000189ef", "OK" },
	{ "Hc all", NULL, "Hc-1", "OK" },
	{ "Hc", NULL, "Hc189ef", "OK" },
	{ "Hc none", NULL, "Hc5", "E02" },
	{ "H of neither", NULL, "Hx0", "E16" },

	{ "p", NULL, "p1", "0100000000feffff" },
	{ "p of another thread", "Hg189ef", "p10", "1000010000feffff" },
	{ "p of an unknown register", NULL, "p0", "xx" },
	{ "p of a thread without any", "Hg80000002", "p10", "xx" },
	{ "p past the last", NULL, "p28", "E02" },
	{ "p of the last", NULL, "p27", "xx" },
	{ "p of the largest", NULL, "pffffffffffffffff", "E02" },
	{ "p of nothing", NULL, "p", "E02" },
	{ "p with a tail", NULL, "p1;thread:189ee;", "E02" },
	{ "g with a tail", NULL, "g0", "E16" },

	{ "m", NULL, "mffffffff80001000,4", "10171e25" },
	{ "m of one byte", NULL, "mFFFFFFFF80001001,1", "17" },
	{ "m across the end gives what there is", NULL, "mffffffff80002ffe,10",
	    "2128" },
	{ "m up to the end of the address space", NULL, "mfffffffffffffffe,10",
	    "f1f8" },
	{ "m of what is not there", NULL, "mffffffff80000fff,2", "E0e" },
	{ "m past it", NULL, "mffffffff80003000,1", "E0e" },
	{ "m of no length", NULL, "mffffffff80001000,0", "" },
	{ "m without a comma", NULL, "mffffffff80001000", "E16" },
	{ "m without a length", NULL, "mffffffff80001000,", "E16" },
	{ "m without an address", NULL, "m,4", "E16" },
	{ "m with a sign", NULL, "m-1,4", "E16" },
	{ "m with 0x", NULL, "m0xffffffff80001000,4", "E16" },
	{ "m with a tail", NULL, "mffffffff80001000,4:", "E16" },
	{ "m with 17 digits", NULL, "m0ffffffff80001000,4", "E16" },
	{ "x probe", NULL, "x0,0", "OK" },
	{ "x of what is not there", NULL, "x1000,4", "E0e" },
	{ "x without a length", NULL, "x1000", "E16" },

	{ "qXfer of an unknown annex", NULL,
	    "qXfer:features:read:core.xml:0,100", "E02" },
	{ "qXfer of an unknown object", NULL, "qXfer:auxv:read::0,100", "E02" },
	{ "qXfer of nothing", NULL, "qXfer", "" },
	{ "qXfer that writes", NULL, "qXfer:features:write:target.xml:0:x",
	    "E02" },
	{ "qXfer without a length", NULL, "qXfer:threads:read::0", "E16" },
	{ "qXfer with a tail", NULL, "qXfer:threads:read::0,1,", "E16" },
	{ "qXfer: a piece", NULL, "qXfer:threads:read::0,5", "m<?xml" },
	{ "qXfer: the next", NULL, "qXfer:threads:read::5,9", "m version=" },
	{ "qXfer at the end", NULL, "qXfer:threads:read::ffff,9", "l" },
	{ "qXfer at the largest offset", NULL,
	    "qXfer:threads:read::ffffffffffffffff,ffffffffffffffff", "l" },

	{ "qRcmd", NULL, "qRcmd,6869", "O6869" },
	{ "qRcmd with capital digits", NULL, "qRcmd,4A4a", "O4a4a" },
	{ "qRcmd that has nothing to say", NULL, "qRcmd,", "OK" },
	{ "qRcmd that fails", NULL, "qRcmd,6661696c", "E0c" },
	{ "qRcmd of nothing", NULL, "qRcmd", "E16" },
	{ "qRcmd of half a byte", NULL, "qRcmd,686", "E16" },
	{ "qRcmd of no digits", NULL, "qRcmd,hi", "E16" },
	{ "qRcmd with a NUL", NULL, "qRcmd,680069", "E16" },

	{ "G", NULL, "G00", "E." CANNOT_CHANGE },
	{ "P", NULL, "P1=00", "E." CANNOT_CHANGE },
	{ "M", NULL, "M0,1:00", "E." CANNOT_CHANGE },
	{ "X", NULL, "X0,1:z", "E." CANNOT_CHANGE },
	{ "Z", NULL, "Z0,0,1", "E." CANNOT_CHANGE },
	{ "z", NULL, "z0,0,1", "E." CANNOT_CHANGE },
	{ "c", NULL, "c", "E." CANNOT_RUN },
	{ "C", NULL, "C05", "E." CANNOT_RUN },
	{ "s", NULL, "s", "E." CANNOT_RUN },
	{ "S", NULL, "S05", "E." CANNOT_RUN },
	{ "R", NULL, "R00", "E." CANNOT_RUN },
	{ "vCont", NULL, "vCont;c", "E." CANNOT_RUN },
	{ "vRun", NULL, "vRun;", "E." CANNOT_RUN },
	{ "vAttach", NULL, "vAttach;1", "E." CANNOT_RUN },
	{ "LLDB: g", "QEnableErrorStrings", "g", "E16" },
	{ "LLDB: M", "QEnableErrorStrings", "M0,1:00",
	    "E16;" CANNOT_CHANGE_HEX },
	{ "LLDB: c", "QEnableErrorStrings", "c",
	    "T05thread:189ee;hexname:" NAME0
	    ";reason:exception;description:" CANNOT_RUN_HEX ";" },

	{ "D", NULL, "D", "OK" },
	{ "k", NULL, "k", "X09" },
	{ "vKill", NULL, "vKill;1", "OK" },
};

static void
test_row(void **state)
{
	const struct row *row = *state;
	char reply[REPLY_CAP];
	struct rsp rsp;

	rsp_init(&rsp, fake_target(ARCH_AMD64, ORDER_LITTLE));
	if (row->before != NULL)
		ask(&rsp, row->before, reply, sizeof(reply));
	ask(&rsp, row->pkt, reply, sizeof(reply));
	assert_string_equal(reply, row->want);
}

/* ---- what does not fit a row ---- */

/* The fake target's document, read in pieces of len bytes. */
static void
read_document(const char *name, size_t len, char *doc, size_t cap)
{
	char pkt[64], reply[REPLY_CAP];
	struct rsp rsp;
	size_t at = 0, got;

	rsp_init(&rsp, fake_target(ARCH_AMD64, ORDER_LITTLE));
	do {
		snprintf(pkt, sizeof(pkt), "qXfer:%s:%zx,%zx", name, at, len);
		got = ask(&rsp, pkt, reply, sizeof(reply)) - 1;
		assert_true(got <= len && at + got < cap);
		memcpy(doc + at, reply + 1, got);
		at += got;
	} while (reply[0] == 'm');
	assert_int_equal(reply[0], 'l');
	doc[at] = '\0';
}

static void
test_threads_xml(void **state)
{
	static const size_t lens[] = { 1, 2, 3, 50, 1000, REPLY_CAP };
	char doc[REPLY_CAP];

	(void)state;
	for (size_t i = 0; i < NROWS(lens); i++) {
		read_document("threads:read:", lens[i], doc, sizeof(doc));
		assert_string_equal(doc,
		    "<?xml version=\"1.0\"?>\n<threads>\n"
		    "<thread id=\"189ee\" name=\"(pid 800) &lt;sysctl&gt; "
		    "&amp; &quot;co&quot; (crashed)\"/>\n"
		    "<thread id=\"189ef\" name=\"idle\"/>\n"
		    "<thread id=\"80000002\" name=\"none\"/>\n"
		    "</threads>\n");
	}
}

static void
test_target_xml(void **state)
{
	char doc[REPLY_CAP], again[REPLY_CAP];
	size_t nregs = 0;

	(void)state;
	read_document("features:read:target.xml", REPLY_CAP, doc, sizeof(doc));
	read_document("features:read:target.xml", 17, again, sizeof(again));
	assert_string_equal(doc, again);
	assert_non_null(strstr(doc,
	    "<architecture>i386:x86-64</architecture>\n"
	    "<feature name=\"org.gnu.gdb.i386.core\">\n"
	    "<reg name=\"rax\" bitsize=\"64\" type=\"int64\"/>\n"));
	assert_non_null(strstr(doc,
	    "<reg name=\"eflags\" altname=\"rflags\" "
	    "bitsize=\"32\" type=\"int32\"/>\n"));
	for (const char *p = doc; (p = strstr(p, "<reg ")) != NULL; p++)
		nregs++;
	assert_int_equal(nregs, 40);
}

/* The length of a g packet for gdb: the sum of its registers' sizes. */
static const struct machine_row {
	const char *name;
	enum dump_arch arch;
	size_t nregs, len; /* bytes */
	const char *pc;
	size_t pc_idx;
} machine_rows[] = {
	{ "amd64", ARCH_AMD64, 40, 276, "rip", 16 },
	{ "arm", ARCH_ARM, 17, 68, "pc", 15 },
	{ "arm64", ARCH_ARM64, 34, 268, "pc", 32 },
	{ "i386", ARCH_I386, 32, 176, "eip", 8 },
	{ "riscv64", ARCH_RISCV, 68, 532, "pc", 32 },
};

static void
test_machine(void **state)
{
	const struct machine_row *row = *state;
	const struct rsp_target *target = fake_target(row->arch, ORDER_LITTLE);
	char reply[REPLY_CAP];
	struct rsp rsp;

	assert_int_equal(target->rt_tdesc.rtd_nregs, row->nregs);
	assert_int_equal(rsp_tdesc_reg(&target->rt_tdesc, row->pc),
	    row->pc_idx);
	assert_int_equal(rsp_tdesc_reg(&target->rt_tdesc, "none"), row->nregs);
	rsp_init(&rsp, target);
	assert_int_equal(ask(&rsp, "g", reply, sizeof(reply)), 2 * row->len);
}

static void
test_all_registers(void **state)
{
	char reply[REPLY_CAP];
	struct rsp rsp;
	size_t len;

	(void)state;
	rsp_init(&rsp, fake_target(ARCH_AMD64, ORDER_LITTLE));
	len = ask(&rsp, "g", reply, sizeof(reply));
	assert_int_equal(strspn(reply, "x"), 16);
	assert_memory_equal(reply + 16, "0100000000feffff", 16);
	assert_memory_equal(reply + 16 * 16, "1000000000feffff", 16);
	assert_int_equal(strspn(reply + 16 * 17, "x"), len - 16 * 17);
}

static void
test_big_endian(void **state)
{
	struct rsp_target target = *fake_target(ARCH_AMD64, ORDER_BIG);
	char reply[REPLY_CAP];
	struct rsp rsp;

	(void)state;
	rsp_init(&rsp, &target);
	ask(&rsp, "p10", reply, sizeof(reply));
	assert_string_equal(reply, "fffffe0000000010");
	rsp_init(&rsp, fake_target(ARCH_ARM, ORDER_BIG));
	ask(&rsp, "qHostInfo", reply, sizeof(reply));
	assert_string_equal(reply,
	    "triple:61726d65"
	    "6276372d756e6b6e6f776e2d66726565627364;"
	    "ptrsize:4;endian:big;");
}

/* No length makes a reply longer than it may be. */
static void
test_largest_read(void **state)
{
	char reply[REPLY_CAP], byte[3];
	struct rsp rsp;
	size_t len;
	uint64_t addr = FAKE_PAGES;

	(void)state;
	rsp_init(&rsp, fake_target(ARCH_AMD64, ORDER_LITTLE));
	len = ask(&rsp, "mffffffff80001000,ffffffffffffffff", reply,
	    sizeof(reply));
	assert_int_equal(len, (REPLY_CAP - 1) / 2 * 2);
	for (size_t i = 0; i < len; i += 2) {
		snprintf(byte, sizeof(byte), "%02x", FAKE_BYTE(addr + i / 2));
		assert_memory_equal(reply + i, byte, 2);
	}
	len = ask(&rsp, "xffffffff80001000,ffffffffffffffff", reply,
	    sizeof(reply));
	assert_int_equal(len, REPLY_CAP - 1);
	for (size_t i = 0; i < len; i++)
		assert_int_equal((uint8_t)reply[i], FAKE_BYTE(addr + i));
}

/* A list longer than a packet comes in several. */
static void
test_many_threads(void **state)
{
	struct rsp_target target = *fake_target(ARCH_AMD64, ORDER_LITTLE);
	static struct rsp_thread threads[100];
	char reply[64], want[64];
	size_t told = 0;
	struct rsp rsp;

	(void)state;
	for (size_t i = 0; i < NROWS(threads); i++)
		threads[i] = (struct rsp_thread){ i + 0x100, "t" };
	target.rt_threads = threads;
	target.rt_nthreads = NROWS(threads);
	rsp_init(&rsp, &target);
	ask(&rsp, "qfThreadInfo", reply, sizeof(reply));
	while (reply[0] == 'm') {
		for (char *p = reply; *p != '\0'; p += 4) {
			snprintf(want, sizeof(want), "%zx", told + 0x100);
			assert_memory_equal(p + 1, want, 3);
			told++;
		}
		ask(&rsp, "qsThreadInfo", reply, sizeof(reply));
	}
	assert_string_equal(reply, "l");
	assert_int_equal(told, NROWS(threads));
}

/* A piece at an offset of the document of threads. */
static const char *
piece(struct rsp *rsp, size_t off, size_t len)
{
	static char reply[REPLY_CAP];
	char pkt[64];

	snprintf(pkt, sizeof(pkt), "qXfer:threads:read::%zx,%zx", off, len);
	ask(rsp, pkt, reply, sizeof(reply));
	return (reply + 1);
}

/* Whatever was read before, and threads of pieces before are not looked at again. */
static void
test_pieces(void **state)
{
	struct rsp_target target = *fake_target(ARCH_AMD64, ORDER_LITTLE);
	static struct rsp_thread threads[20];
	static char doc[REPLY_CAP];
	struct rsp rsp;
	size_t len;

	(void)state;
	for (size_t i = 0; i < NROWS(threads); i++)
		threads[i] = (struct rsp_thread){ i + 0x100, "<name>" };
	target.rt_threads = threads;
	target.rt_nthreads = NROWS(threads);
	rsp_init(&rsp, &target);
	strcpy(doc, piece(&rsp, 0, sizeof(doc)));
	len = strlen(doc);
	for (size_t i = 0; i < 2 * len; i++) {
		size_t off = i * 37 % (len + 1), n = 1 + i % 90;
		const char *got = piece(&rsp, off, n);

		assert_int_equal(strlen(got), n < len - off ? n : len - off);
		assert_memory_equal(got, doc + off, strlen(got));
	}
	(void)piece(&rsp, 0, len / 2);
	threads[0].rth_name = "another";
	assert_string_equal(piece(&rsp, len / 2, len), doc + len / 2);
}

/* The output of a command comes in as many replies as it needs. */
static void
test_long_command(void **state)
{
	char reply[REPLY_CAP];
	size_t shown = 0, len;
	struct rsp rsp;

	(void)state;
	rsp_init(&rsp, fake_target(ARCH_AMD64, ORDER_LITTLE));
	len = ask(&rsp, "qRcmd,6c6f6e67", reply, sizeof(reply));
	while (reply[0] == 'O' && reply[1] != 'K') {
		assert_int_equal(len % 2, 1);
		for (size_t i = 1; i < len; i += 2)
			assert_memory_equal(reply + i, "78", 2);
		shown += len / 2;
		assert_true(rsp_answer_more(&rsp, reply, sizeof(reply), &len));
	}
	assert_int_equal(shown, FAKE_LONG);
	assert_int_equal(len, 2);
	assert_memory_equal(reply, "OK", 2);
	assert_false(rsp_answer_more(&rsp, reply, sizeof(reply), &len));
}

/* A command has at most 255 bytes. */
static void
test_longest_command(void **state)
{
	char pkt[600] = "qRcmd,", reply[REPLY_CAP];
	const size_t at = strlen(pkt);
	struct rsp rsp;

	(void)state;
	memset(pkt + at, '6', 512);
	rsp_init(&rsp, fake_target(ARCH_AMD64, ORDER_LITTLE));
	ask(&rsp, pkt, reply, sizeof(reply));
	assert_string_equal(reply, "E16");
	pkt[at + 510] = '\0';
	assert_int_equal(ask(&rsp, pkt, reply, sizeof(reply)), 511);
	assert_memory_equal(reply + 1, pkt + at, 510);
}

/* A target that did not crash, or whose panic is unknown. */
static void
test_no_reason(void **state)
{
	struct rsp_target target = *fake_target(ARCH_AMD64, ORDER_LITTLE);
	char reply[REPLY_CAP];
	struct rsp rsp;

	(void)state;
	target.rt_reason = NULL;
	target.rt_first = 1;
	rsp_init(&rsp, &target);
	ask(&rsp, "?", reply, sizeof(reply));
	assert_string_equal(reply, "T00thread:189ef;hexname:" NAME1 ";");
	ask(&rsp, "qC", reply, sizeof(reply));
	assert_string_equal(reply, "QC189ef");
}

/* gdb takes no step up an ARM stack without cpsr; no other is made up. */
static void
test_mode(void **state)
{
	char reply[REPLY_CAP];
	struct rsp rsp;

	(void)state;
	rsp_init(&rsp, fake_target(ARCH_ARM, ORDER_BIG));
	ask(&rsp, "p10", reply, sizeof(reply));
	assert_string_equal(reply, "00000013");
	ask(&rsp, "pe", reply, sizeof(reply));
	assert_string_equal(reply, "xx");
	ask(&rsp, "Hg80000002", reply, sizeof(reply));
	ask(&rsp, "p10", reply, sizeof(reply));
	assert_string_equal(reply, "xx");
}

/* gdb attaches only if it finds a pc; of other threads none is made up. */
static void
test_no_pc(void **state)
{
	struct rsp_target target = *fake_target(ARCH_AMD64, ORDER_LITTLE);
	char reply[REPLY_CAP];
	struct rsp rsp;

	(void)state;
	target.rt_first = 2;
	rsp_init(&rsp, &target);
	ask(&rsp, "p10", reply, sizeof(reply));
	assert_string_equal(reply, "0000000000000000");
	ask(&rsp, "p7", reply, sizeof(reply));
	assert_string_equal(reply, "xx");
	target.rt_first = 0;
	ask(&rsp, "p10", reply, sizeof(reply));
	assert_string_equal(reply, "xx");
}

/* LLDB numbers the threads as the list does, and finds the one that crashed. */
static void
test_lldb_order(void **state)
{
	struct rsp_target target = *fake_target(ARCH_AMD64, ORDER_LITTLE);
	char reply[REPLY_CAP];
	struct rsp rsp;

	(void)state;
	target.rt_first = 1;
	rsp_init(&rsp, &target);
	ask(&rsp, "QEnableErrorStrings", reply, sizeof(reply));
	ask(&rsp, "?", reply, sizeof(reply));
	assert_string_equal(reply, "T00thread:189ee;hexname:" NAME0 ";");
	ask(&rsp, "qThreadStopInfo189ef", reply, sizeof(reply));
	assert_string_equal(reply,
	    "T05thread:189ef;hexname:" NAME1
	    ";reason:exception;description:" REASON ";");
}

/*
 * LLDB steps a thread and must be told that the same one stopped, and no other.
 */
static void
test_lldb_step(void **state)
{
	char reply[REPLY_CAP];
	struct rsp rsp;

	(void)state;
	rsp_init(&rsp, fake_target(ARCH_AMD64, ORDER_LITTLE));
	ask(&rsp, "QEnableErrorStrings", reply, sizeof(reply));
	ask(&rsp, "Hc80000002", reply, sizeof(reply));
	ask(&rsp, "s", reply, sizeof(reply));
	assert_string_equal(reply,
	    "T05thread:80000002;hexname:" NAME2
	    ";reason:exception;description:" CANNOT_RUN_HEX ";");
	ask(&rsp, "qThreadStopInfo189ee", reply, sizeof(reply));
	assert_string_equal(reply, "T00thread:189ee;hexname:" NAME0 ";");
}

static void
test_over(void **state)
{
	static const char *const pkts[] = { "D", "k", "vKill;1" };
	char reply[REPLY_CAP];
	struct rsp rsp;

	(void)state;
	for (size_t i = 0; i < NROWS(pkts); i++) {
		rsp_init(&rsp, fake_target(ARCH_AMD64, ORDER_LITTLE));
		ask(&rsp, "?", reply, sizeof(reply));
		assert_false(rsp.rss_over);
		ask(&rsp, pkts[i], reply, sizeof(reply));
		assert_true(rsp.rss_over);
	}
}

int
main(void)
{
	struct CMUnitTest tests[160];
	size_t n = 0;

	ADD_ROWS(tests, n, rows, test_row);
	ADD_ROWS(tests, n, machine_rows, test_machine);
	tests[n++] = row_test("threads as XML", test_threads_xml, NULL);
	tests[n++] = row_test("target.xml", test_target_xml, NULL);
	tests[n++] = row_test("g", test_all_registers, NULL);
	tests[n++] = row_test("big-endian", test_big_endian, NULL);
	tests[n++] = row_test("the largest read", test_largest_read, NULL);
	tests[n++] = row_test("many threads", test_many_threads, NULL);
	tests[n++] = row_test("pieces of XML", test_pieces, NULL);
	tests[n++] = row_test("a long command", test_long_command, NULL);
	tests[n++] = row_test("the longest", test_longest_command, NULL);
	tests[n++] = row_test("no crashed thread", test_no_reason, NULL);
	tests[n++] = row_test("no pc", test_no_pc, NULL);
	tests[n++] = row_test("no cpsr", test_mode, NULL);
	tests[n++] = row_test("LLDB: ?", test_lldb_order, NULL);
	tests[n++] = row_test("LLDB: s", test_lldb_step, NULL);
	tests[n++] = row_test("the end of a session", test_over, NULL);
	return (RUN_TESTS(tests, n));
}
