/*
 * A reader of amd64 minidumps, the way portable ones have done it.
 *
 * It is what libkvm is measured against, besides limits.  Opening copies the
 * bitmap and the page-table section and counts the bitmap's pages, 1024 to a
 * count.  A page is found by going through the segments from the first, and by
 * counting bits from the nearer of two counts.  A read gets a page table from
 * the file, then the data.  A walk goes a page to a call, with a second bitmap
 * for what was seen, gone through bit by bit.
 *
 * So do FreeBSD's libkvm and libfbsdvmcore.  What they get wrong in a walk (they
 * report mapped pages twice, and none that only the direct map reaches) is done
 * right here, so that the walks can be compared.
 */
#ifndef BENCH_PLAINREADER_H
#define BENCH_PLAINREADER_H

#include "libkvm/kvm.h"

struct plainreader;

/* A version 3 dump.  All of these exit with a message when they fail. */
struct plainreader *plain_open(const char *core);
void plain_close(struct plainreader *pr);

/* Read len bytes, all of one page of the kernel map. */
void plain_read(const struct plainreader *pr, kvaddr_t va, void *buf,
    size_t len);

/* Call back for every page, once. */
void plain_walk(const struct plainreader *pr, kvm_walk_pages_cb_t *cb,
    void *arg);

#endif
