/*
 * What the two sides say to each other that read debug information: debugfile.c
 * asks, and the helper process (libkvm/helper.h) that runs debugserver.c
 * answers.  Both are the same program, so messages are structures of C.
 */
#ifndef KDEBUG_DEBUGSERVER_H
#define KDEBUG_DEBUGSERVER_H

#include "kdebug/cfi.h"
#include "libkvm/kvm.h"

enum debug_question {
	/*
	 * A struct dwfile_desc, its texts and a descriptor follow; answer: a
	 * struct debug_opened.
	 */
	DEBUG_OPEN,
	DEBUG_LINE, /* answer: a struct debug_line and its text */
	DEBUG_RULES /* answer: a struct cfi_rules */
};

struct debug_request {
	enum debug_question drq_question;
	uint32_t drq_file; /* in the order in which they were opened, from 0 */
	kvaddr_t drq_va;
	enum cfi_table drq_table; /* DEBUG_RULES; the same: */
	size_t drq_nregs;
};

struct debug_opened {
	char dop_unreadable[32]; /* dwfile_unreadable()'s name; "": none */
	bool dop_elsewhere;	 /* dwfile_elsewhere()'s answer */
};

/* The longest name of a source file; longer ones are cut. */
#define DEBUG_NAME_MAX 1023 /* bytes */

struct debug_line {
	int dln_line;	/* 0: there is none */
	size_t dln_len; /* bytes of the file's name, without a NUL */
};

/* Answer until the other side closes the socket.  arg is not used. */
void debugserver_run(int sock, void *arg);

#endif
