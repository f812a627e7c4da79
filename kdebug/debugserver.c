/*
 * The side that answers.  What is wrong with a file ends this process, not the
 * one that asked.
 */
#include "kdebug/debugserver.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kdebug/dwfile.h"
#include "libkvm/helper.h"

struct server {
	int dsv_sock;
	struct dwfile **dsv_files; /* NULL: it has no debug information */
	size_t dsv_nfiles;
};

/* The texts that follow desc; NULL: they do not come, or are too long. */
static char *
read_texts(int sock, const struct dwfile_desc *desc)
{
	size_t len =
	    desc->dwd_path_len + desc->dwd_sections_len + desc->dwd_eh_len;
	char *texts = malloc(len);

	if (texts != NULL && helper_read(sock, texts, len))
		return (texts);
	free(texts);
	return (NULL);
}

static bool
answer_open(const struct server *sv, struct dwfile *dw)
{
	struct debug_opened dop = { .dop_elsewhere = false };

	if (dw != NULL) {
		(void)dwfile_unreadable(dw, dop.dop_unreadable,
		    sizeof(dop.dop_unreadable));
		dop.dop_elsewhere = dwfile_elsewhere(dw);
	}
	helper_check();
	return (helper_write(sv->dsv_sock, &dop, sizeof(dop)));
}

static bool
open_file(struct server *sv)
{
	struct dwfile **list = realloc(sv->dsv_files,
	    (sv->dsv_nfiles + 1) * sizeof(*sv->dsv_files));
	struct dwfile_desc desc;
	char *texts;
	int fd;

	if (list == NULL)
		return (false);
	sv->dsv_files = list;
	if (!helper_read(sv->dsv_sock, &desc, sizeof(desc)) ||
	    (fd = helper_read_fd(sv->dsv_sock)) < 0)
		return (false);
	if ((texts = read_texts(sv->dsv_sock, &desc)) == NULL) {
		close(fd);
		return (false);
	}
	helper_allow(fd, desc.dwd_packed_len);
	list[sv->dsv_nfiles] = dwfile_open(&desc, texts, fd);
	return (answer_open(sv, list[sv->dsv_nfiles++]));
}

static bool
answer_line(const struct server *sv, const struct debug_request *dr)
{
	struct dwfile *dw = sv->dsv_files[dr->drq_file];
	struct debug_line dln = { 0 };
	const char *name = "";
	int line;

	if (dw != NULL && dwfile_line(dw, dr->drq_va, &name, &line)) {
		dln.dln_line = line;
		dln.dln_len = strnlen(name, DEBUG_NAME_MAX);
	}
	helper_check();
	return (helper_write(sv->dsv_sock, &dln, sizeof(dln)) &&
	    helper_write(sv->dsv_sock, name, dln.dln_len));
}

static bool
answer_rules(const struct server *sv, const struct debug_request *dr)
{
	struct dwfile *dw = sv->dsv_files[dr->drq_file];
	struct cfi_rules rules = { .cr_found = false };

	if (dw != NULL)
		dwfile_rules(dw, dr->drq_table, dr->drq_va, dr->drq_nregs,
		    &rules);
	helper_check();
	return (helper_write(sv->dsv_sock, &rules, sizeof(rules)));
}

static bool
answer(struct server *sv, const struct debug_request *dr)
{
	if (dr->drq_question != DEBUG_OPEN)
		helper_resume();
	switch (dr->drq_question) {
	case DEBUG_OPEN:
		return (open_file(sv));
	case DEBUG_LINE:
		return (answer_line(sv, dr));
	case DEBUG_RULES:
		break;
	}
	return (answer_rules(sv, dr));
}

void
debugserver_run(int sock, void *arg)
{
	struct server sv = { .dsv_sock = sock };
	struct debug_request dr;

	(void)arg;
	while (helper_read(sock, &dr, sizeof(dr)) && answer(&sv, &dr))
		;
	for (size_t i = 0; i < sv.dsv_nfiles; i++)
		dwfile_close(sv.dsv_files[i]);
	free(sv.dsv_files);
}
