/*
 * A walk over a minidump of amd64, the way portable readers have done it.
 *
 * It is what libkvm's walk is measured against: a page to a call, the segments
 * gone through from the first for each of them, its place counted in the bitmap
 * from the nearer of two counts that lie 1024 pages apart, and a second bitmap
 * for the pages that were seen, gone through bit by bit.  So do FreeBSD's libkvm
 * and libfbsdvmcore; what they get wrong (they report mapped pages twice, and
 * none that only the direct map reaches) is done right here, so that the walks
 * can be compared.
 */
#ifndef BENCH_PLAINWALK_H
#define BENCH_PLAINWALK_H

#include "format/bytes.h"
#include "libkvm/kvm.h"

struct plainwalk;

/* The file is a mapped version 3 dump, borrowed.  Exits with a message. */
struct plainwalk *plainwalk_open(struct span file);
void plainwalk_close(struct plainwalk *pw);

/* Call back for every page, once. */
void plainwalk(const struct plainwalk *pw, kvm_walk_pages_cb_t *cb, void *arg);

#endif
