/*
 * Declarations shared by the files of the remote server.
 */
#ifndef RSP_RSP_INT_H
#define RSP_RSP_INT_H

#include "rsp/rsp.h"

/* Answers the rest of a packet, whose name has been taken. */
typedef void rsp_answer_fn(struct rsp *rsp, struct rsp_cursor *cur,
    struct rsp_reply *reply);

/* Error numbers, for packets whose clients do not read an error's text. */
#define RSP_ENOENT 2  /* no such thread, register or document */
#define RSP_ENOMEM 12 /* no memory for the answer */
#define RSP_EFAULT 14 /* memory that the dump does not hold */
#define RSP_EINVAL 22 /* the packet makes no sense */

/* The next functions: reply.c. */
void rsp_error(struct rsp_reply *reply, unsigned int number);

/* Refuse, in words for the user. */
void rsp_refuse(struct rsp *rsp, struct rsp_reply *reply, const char *text);

/* A thread's id, or 0 for the selected one.  false: there is no such thread. */
bool rsp_take_thread(struct rsp *rsp, struct rsp_cursor *cur, size_t *thread);

/* The reply that says that a thread is stopped, and why if it crashed. */
void rsp_put_stop(struct rsp *rsp, struct rsp_reply *reply, size_t thread);

/* Packets that start with q or Q: answer_query.c. */
rsp_answer_fn rsp_answer_query;

/* The rest of qRcmd, a command of the user's: answer_monitor.c. */
rsp_answer_fn rsp_answer_monitor;

#endif
