/*
 * The side that asks for debug information: see debugserver.h.
 *
 * An answer costs two trips through a socket, and thousands of threads stand in
 * the same few functions, so answers are kept, each in the one slot that its
 * address leads to.
 */
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kdebug/debugfile_int.h"
#include "kdebug/debugserver.h"
#include "kdebug/dwfile.h"
#include "kdebug/escape.h"
#include "kdebug/kdebug_int.h"
#include "kdebug/modfile.h"
#include "libkvm/helper.h"

#define SLOTS_LOG2 11
#define NSLOTS	   (1 << SLOTS_LOG2)

/* Names of source files that are kept; a kernel has some 5,000. */
#define NAMES_MAX 65536

/* No module has an .eh_frame of as many bytes. */
#define EH_FRAME_MAX ((uint64_t)16 << 20)

struct line_slot {
	const struct debugfile *lsl_file; /* NULL: the slot is empty */
	kvaddr_t lsl_va;
	const char *lsl_name; /* dbh_names'; NULL: no line is known */
	int lsl_line;
};

struct rules_slot {
	const struct debugfile *rsl_file; /* NULL: the slot is empty */
	kvaddr_t rsl_va;
	struct cfi_rules rsl_rules;
};

/* The helper of all files, and what it answered. */
struct debughelper {
	struct helper dbh_helper;
	bool dbh_lost; /* it was, or could not be started */
	uint32_t dbh_nfiles;
	void *dbh_names; /* of tsearch(3); nodes and strings are ours */
	size_t dbh_nnames;
	struct line_slot dbh_lines[NSLOTS];
	struct rules_slot dbh_rules[CFI_NTABLES][NSLOTS];
};

struct debugfile {
	struct kdebug *dbf_kdb;
	const struct modfile *dbf_modfile; /* the caller's; NULL: the kernel */
	char *dbf_path;			   /* ours */
	bool dbf_sent;			   /* the helper knows it ... */
	uint32_t dbf_number;		   /* ... by this */
};

/* ---- names ---- */

static int
compare_names(const void *a, const void *b)
{
	return (strcmp(a, b));
}

/* The one copy of the name that lasts; NULL: there is no room. */
static const char *
keep_name(struct debughelper *dh, const char *name)
{
	char **node = tfind(name, &dh->dbh_names, compare_names);
	char *copy;

	if (node != NULL)
		return (*node);
	if (dh->dbh_nnames == NAMES_MAX || (copy = strdup(name)) == NULL)
		return (NULL);
	node = tsearch(copy, &dh->dbh_names, compare_names);
	if (node == NULL) {
		free(copy);
		return (NULL);
	}
	dh->dbh_nnames++;
	return (*node);
}

static void
free_names(struct debughelper *dh)
{
	while (dh->dbh_names != NULL) {
		char *name = *(char **)dh->dbh_names;

		(void)tdelete(name, &dh->dbh_names, compare_names);
		free(name);
	}
}

/* ---- the helper ---- */

static struct debughelper *
helper_of(const struct debugfile *df)
{
	return (df->dbf_kdb->kdb_debughelper);
}

/* The helper did not answer to what was asked of df. */
static void
lose(const struct debugfile *df)
{
	struct debughelper *dh = helper_of(df);
	char why[80];

	helper_bury(&dh->dbh_helper, why, sizeof(why));
	dh->dbh_lost = true;
	kdb_note(df->dbf_kdb,
	    "%s: its debug information needs %s: no lines, and no unwind tables",
	    df->dbf_path, why);
}

/* Start the helper, if that was not done.  false: there is none. */
static bool
start(const struct debugfile *df)
{
	struct debughelper *dh = helper_of(df);

	if (dh->dbh_lost || dh->dbh_helper.hlp_pid != 0)
		return (!dh->dbh_lost);
	if (helper_start(&dh->dbh_helper, df->dbf_kdb->kdb_core->kc_helpcost,
		debugserver_run, NULL, -1))
		return (true);
	dh->dbh_lost = true;
	kdb_note(df->dbf_kdb,
	    "no lines and no unwind tables: no process can be made to read them");
	return (false);
}

void
debugfile_end_helper(struct debughelper *dh)
{
	if (dh == NULL)
		return;
	helper_end(&dh->dbh_helper);
	free_names(dh);
	free(dh);
}

/* ---- files ---- */

static struct debugfile *
open_file(struct kdebug *kdb, const char *path, const struct modfile *mf)
{
	struct debugfile *df = calloc(1, sizeof(*df));

	if (kdb->kdb_debughelper == NULL)
		kdb->kdb_debughelper = calloc(1, sizeof(*kdb->kdb_debughelper));
	if (df != NULL)
		*df = (struct debugfile){ .dbf_kdb = kdb,
			.dbf_modfile = mf,
			.dbf_path = strdup(path) };
	if (df != NULL && df->dbf_path != NULL && kdb->kdb_debughelper != NULL)
		return (df);
	if (kdb->kdb_core->kc_helpcost != NULL)
		kdb->kdb_core->kc_helpcost->hco_error = ENOMEM;
	kdb_note(kdb, "%s: no lines and no unwind tables: out of memory", path);
	debugfile_close(df);
	return (NULL);
}

struct debugfile *
debugfile_open_kernel(struct kdebug *kdb, const char *path)
{
	if (kdb->kdb_core->kc_exec_fd < 0)
		return (NULL);
	return (open_file(kdb, path, NULL));
}

struct debugfile *
debugfile_open_module(struct kdebug *kdb, const struct modfile *mf)
{
	return (open_file(kdb, modfile_path(mf), mf));
}

void
debugfile_close(struct debugfile *df)
{
	if (df == NULL)
		return;
	free(df->dbf_path);
	free(df);
}

/* The description of a module for the helper: see struct dwfile_desc. */
static char *
list_sections(const struct modfile *mf, size_t *len)
{
	FILE *out;
	char *list = NULL;
	const char *name;
	size_t ndx = 0;
	kvaddr_t va;

	if ((out = open_memstream(&list, len)) == NULL)
		return (NULL);
	while (modfile_next_section(mf, &ndx, &name, &va)) {
		fwrite(&va, sizeof(va), 1, out);
		fwrite(name, strlen(name) + 1, 1, out);
	}
	if (fclose(out) == 0)
		return (list);
	free(list);
	return (NULL);
}

/* A relocatable module's .eh_frame, as the dump has it; NULL: it does not. */
static char *
read_eh_frame(const struct debugfile *df, struct dwfile_desc *desc)
{
	uint64_t len;
	char *bytes;

	desc->dwd_eh_ndx = modfile_section_find(df->dbf_modfile, ".eh_frame",
	    &desc->dwd_eh_va, &len);
	if (desc->dwd_eh_ndx == 0 || len == 0 || len > EH_FRAME_MAX ||
	    (bytes = malloc((size_t)len)) == NULL)
		return (NULL);
	if (!mem_read(df->dbf_kdb, desc->dwd_eh_va, bytes, (size_t)len)) {
		free(bytes);
		return (NULL);
	}
	desc->dwd_eh_len = (size_t)len;
	return (bytes);
}

/* The parts of the message about a file. */
struct introduction {
	struct debug_request int_request;
	struct dwfile_desc int_desc;
	char *int_sections;
	char *int_eh_frame;
	int int_fd; /* of the kernel: borrowed */
};

static bool
send_introduction(const struct debugfile *df, const struct introduction *in)
{
	const struct dwfile_desc *desc = &in->int_desc;
	int sock = helper_of(df)->dbh_helper.hlp_sock;

	return (helper_write(sock, &in->int_request, sizeof(in->int_request)) &&
	    helper_write(sock, desc, sizeof(*desc)) &&
	    helper_write_fd(sock, in->int_fd) &&
	    helper_write(sock, df->dbf_path, desc->dwd_path_len) &&
	    helper_write(sock, in->int_sections, desc->dwd_sections_len) &&
	    helper_write(sock, in->int_eh_frame, desc->dwd_eh_len));
}

static void
describe_module(const struct debugfile *df, struct introduction *in)
{
	const struct modfile *mf = df->dbf_modfile;
	struct dwfile_desc *desc = &in->int_desc;

	desc->dwd_module = true;
	desc->dwd_relocatable = modfile_is_relocatable(mf);
	desc->dwd_start = modfile_start(mf);
	desc->dwd_end = modfile_end(mf);
	in->int_sections = list_sections(mf, &desc->dwd_sections_len);
	if (in->int_sections == NULL)
		desc->dwd_sections_len = 0;
	if (desc->dwd_relocatable)
		in->int_eh_frame = read_eh_frame(df, desc);
}

static void
describe(const struct debugfile *df, struct introduction *in)
{
	in->int_desc.dwd_path_len = strlen(df->dbf_path) + 1;
	if (df->dbf_modfile != NULL)
		describe_module(df, in);
	else
		in->int_desc.dwd_packed_len =
		    df->dbf_kdb->kdb_core->kc_exec_packed;
}

/* A descriptor of the file; -1: there is none, which was noted. */
static int
open_again(const struct debugfile *df)
{
	int fd;

	if (df->dbf_modfile == NULL)
		return (df->dbf_kdb->kdb_core->kc_exec_fd);
	fd = modfile_reopen(df->dbf_modfile);
	if (fd < 0)
		kdb_note(df->dbf_kdb, "%s: no lines and no unwind tables: %s",
		    df->dbf_path, strerror(errno));
	return (fd);
}

/* Note what of df's debug information the helper does not read. */
static void
note_unread(const struct debugfile *df, const struct debug_opened *dop)
{
	char name[ESCAPE_MAX * sizeof(dop->dop_unreadable) + 1];

	if (dop->dop_elsewhere)
		kdb_note(df->dbf_kdb,
		    "%s: some of its debug information is in a file of dwz (.gnu_debugaltlink), which is not read: no lines",
		    df->dbf_path);
	if (dop->dop_unreadable[0] == '\0')
		return;
	(void)escape_text(name, sizeof(name), dop->dop_unreadable,
	    strnlen(dop->dop_unreadable, sizeof(dop->dop_unreadable)), "");
	kdb_note(df->dbf_kdb,
	    "%s: its debug information is damaged: %s cannot be unpacked: lines and unwind tables may be missing",
	    df->dbf_path, name);
}

/* Tell the helper of the file.  false: the helper is gone. */
static bool
introduce(struct debugfile *df)
{
	struct introduction in = { .int_request.drq_question = DEBUG_OPEN };
	struct debug_opened dop;

	if (!start(df) || (in.int_fd = open_again(df)) < 0)
		return (false);
	describe(df, &in);
	df->dbf_sent = send_introduction(df, &in) &&
	    helper_read(helper_of(df)->dbh_helper.hlp_sock, &dop, sizeof(dop));
	if (df->dbf_sent)
		note_unread(df, &dop);
	else
		lose(df);
	df->dbf_number = helper_of(df)->dbh_nfiles++;
	free(in.int_sections);
	free(in.int_eh_frame);
	if (df->dbf_modfile != NULL)
		(void)close(in.int_fd);
	return (df->dbf_sent);
}

/* Ask, and read the first len bytes of the answer. */
static bool
ask(struct debugfile *df, struct debug_request *dr, void *answer, size_t len)
{
	int sock;

	if (helper_of(df)->dbh_lost || (!df->dbf_sent && !introduce(df)))
		return (false);
	sock = helper_of(df)->dbh_helper.hlp_sock;
	dr->drq_file = df->dbf_number;
	if (helper_write(sock, dr, sizeof(*dr)) &&
	    helper_read(sock, answer, len))
		return (true);
	lose(df);
	return (false);
}

/* ---- questions ---- */

/* Slots are chosen by the upper bits of a product. */
static size_t
slot_of(kvaddr_t va)
{
	return ((size_t)(va * UINT64_C(0x9e3779b97f4a7c15) >>
	    (64 - SLOTS_LOG2)));
}

static void
fill_line(struct debugfile *df, kvaddr_t va, struct line_slot *lsl)
{
	struct debug_request dr = { .drq_question = DEBUG_LINE, .drq_va = va };
	struct debughelper *dh = helper_of(df);
	char name[DEBUG_NAME_MAX + 1];
	struct debug_line dln;

	*lsl = (struct line_slot){ .lsl_file = df, .lsl_va = va };
	if (!ask(df, &dr, &dln, sizeof(dln)))
		return;
	if (dln.dln_len > DEBUG_NAME_MAX ||
	    !helper_read(dh->dbh_helper.hlp_sock, name, dln.dln_len)) {
		lose(df);
		return;
	}
	name[dln.dln_len] = '\0';
	lsl->lsl_line = dln.dln_line;
	if (dln.dln_line != 0)
		lsl->lsl_name = keep_name(dh, name);
}

bool
debugfile_line(struct debugfile *df, kvaddr_t va, const char **file, int *line)
{
	struct line_slot *lsl = &helper_of(df)->dbh_lines[slot_of(va)];

	if (lsl->lsl_file != df || lsl->lsl_va != va)
		fill_line(df, va, lsl);
	*file = lsl->lsl_name;
	*line = lsl->lsl_line;
	return (lsl->lsl_name != NULL);
}

/* Do all expressions lie in the list of operators? */
static bool
are_sound(const struct cfi_rules *cr)
{
	const struct cfi_expr *cfa = &cr->cr_cfa;

	for (size_t i = 0; i < KDEBUG_MAXREGS; i++) {
		const struct cfi_expr *cx = &cr->cr_regs[i];

		if (cx->cx_nops != CFI_UNKNOWN &&
		    cx->cx_first + cx->cx_nops > CFI_OPS_MAX)
			return (false);
	}
	return (cfa->cx_nops == CFI_UNKNOWN ||
	    cfa->cx_first + cfa->cx_nops <= CFI_OPS_MAX);
}

const struct cfi_rules *
debugfile_rules(struct debugfile *df, enum cfi_table which, kvaddr_t va)
{
	struct rules_slot *rsl = &helper_of(df)->dbh_rules[which][slot_of(va)];
	struct debug_request dr = {
		.drq_question = DEBUG_RULES,
		.drq_va = va,
		.drq_table = which,
		.drq_nregs = df->dbf_kdb->kdb_arch->ar_ndwarf,
	};

	if (rsl->rsl_file == df && rsl->rsl_va == va)
		return (&rsl->rsl_rules);
	rsl->rsl_file = NULL;
	if (!ask(df, &dr, &rsl->rsl_rules, sizeof(rsl->rsl_rules)) ||
	    !are_sound(&rsl->rsl_rules))
		return (NULL);
	rsl->rsl_file = df;
	rsl->rsl_va = va;
	return (&rsl->rsl_rules);
}
