/*
 * The sysctl tree: variables that can be read, and some of them set, by name.
 *
 * A node names its parent, so a full name is put together on demand and there
 * is no table to keep.  There is no user land here: a request carries text,
 * which the shell or the command line gave, and the answer is text.
 *
 * What comes and goes while the kernel runs cannot be in the tree.  It has a node of
 * its own, a SYSCTL_LIVE_NODE, which finds and lists by name what is below it.
 */
#ifndef KERNEL_SYS_SYSCTL_H
#define KERNEL_SYS_SYSCTL_H

#include "kernel/sys/kernel.h"

/* oid_kind: a type and flags */
#define CTLTYPE_NODE   1
#define CTLTYPE_INT    2
#define CTLTYPE_STRING 3
#define CTLTYPE_U64    4
#define CTLTYPE	       0xf
#define CTLFLAG_RD     0x10
#define CTLFLAG_WR     0x20
#define CTLFLAG_TUN    0x40 /* the command line may set it, too */
#define CTLFLAG_RW     (CTLFLAG_RD | CTLFLAG_WR)
#define CTLFLAG_RDTUN  (CTLFLAG_RD | CTLFLAG_TUN)
#define CTLFLAG_RWTUN  (CTLFLAG_RW | CTLFLAG_TUN)

#define OID_AUTO (-1)

struct sysctl_req {
	const char *newtext; /* NULL: only read */
	char *old;	     /* the answer, with a NUL */
	size_t oldroom;
};

/* Room for the full name of any variable. */
#define SYSCTL_NAME_MAX 96

/* What a SYSCTL_LIVE_NODE knows of the variables below it, which are read only. */
struct sysctl_live {
	/*
	 * Write the name below the node of variable idx, at most room bytes with the
	 * NUL.  false: there are no more.  When variables come or go between two
	 * calls, some may be missed or be there twice.
	 */
	bool (*live_name)(size_t idx, char *name, size_t room);
	/* Put the value of the variable of that name into req.  0 or an errno. */
	int (*live_read)(const char *name, struct sysctl_req *req);
};

struct sysctl_oid;
#define SYSCTL_HANDLER_ARGS \
	const struct sysctl_oid *oidp, void *arg1, intptr_t arg2, \
	    struct sysctl_req *req

struct sysctl_oid {
	const struct sysctl_oid *oid_parent; /* NULL: at the top */
	const char *oid_name;
	unsigned int oid_kind;
	void *oid_arg1;
	intptr_t oid_arg2; /* CTLTYPE_STRING: room */
	int (*oid_handler)(SYSCTL_HANDLER_ARGS);
	const struct sysctl_live *oid_live; /* NULL: children are in the tree */
	const char *oid_descr;
};

/* Handlers of the types; SYSCTL_PROC's handlers call them, too. */
int sysctl_handle_int(SYSCTL_HANDLER_ARGS);
int sysctl_handle_64(SYSCTL_HANDLER_ARGS);
int sysctl_handle_string(SYSCTL_HANDLER_ARGS);

#define SYSCTL_OID(parent, name, kind, arg1, arg2, handler, descr) \
	const struct sysctl_oid sysctl_##parent##_##name = { \
		.oid_parent = &sysctl_##parent, \
		.oid_name = #name, \
		.oid_kind = (kind), \
		.oid_arg1 = (arg1), \
		.oid_arg2 = (arg2), \
		.oid_handler = (handler), \
		.oid_descr = (descr), \
	}; \
	DATA_SET(sysctl_set, sysctl_##parent##_##name)

#define SYSCTL_DECL(name) extern const struct sysctl_oid sysctl_##name
#define SYSCTL_NODE(parent, nbr, name, access, handler, descr) \
	SYSCTL_DECL(parent##_##name); \
	SYSCTL_OID(parent, name, CTLTYPE_NODE | (access), NULL, 0, NULL, descr)
#define SYSCTL_LIVE_NODE(parent, nbr, name, live, descr) \
	static const struct sysctl_oid sysctl_##parent##_##name = { \
		.oid_parent = &sysctl_##parent, \
		.oid_name = #name, \
		.oid_kind = CTLTYPE_NODE | CTLFLAG_RD, \
		.oid_live = (live), \
		.oid_descr = (descr), \
	}; \
	DATA_SET(sysctl_set, sysctl_##parent##_##name)
#define SYSCTL_INT(parent, nbr, name, access, ptr, val, descr) \
	static SYSCTL_OID(parent, name, CTLTYPE_INT | (access), ptr, val, \
	    sysctl_handle_int, descr)
#define SYSCTL_U64(parent, nbr, name, access, ptr, val, descr) \
	static SYSCTL_OID(parent, name, CTLTYPE_U64 | (access), ptr, 0, \
	    sysctl_handle_64, descr)
#define SYSCTL_STRING(parent, nbr, name, access, ptr, len, descr) \
	static SYSCTL_OID(parent, name, CTLTYPE_STRING | (access), ptr, len, \
	    sysctl_handle_string, descr)
#define SYSCTL_PROC(parent, nbr, name, access, arg1, arg2, handler, fmt, descr) \
	static SYSCTL_OID(parent, name, access, arg1, arg2, handler, descr)

SYSCTL_DECL(_debug);
SYSCTL_DECL(_hw);
SYSCTL_DECL(_kern);
SYSCTL_DECL(_machdep);
SYSCTL_DECL(_vm);

/* Read name and, if newtext is not NULL, set it.  0 or an errno. */
int kernel_sysctlbyname(const char *name, char *old, size_t oldroom,
    const char *newtext);

/*
 * Call fn with the full name of each variable that starts with prefix.  What is below
 * a SYSCTL_LIVE_NODE is left out, as there is much of it, unless prefix starts with
 * the node's name.
 */
void sysctl_foreach(const char *prefix, void (*fn)(const char *name));

#endif
