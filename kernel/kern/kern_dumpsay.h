/*
 * What the console prints about a dump: where it goes, how far it is, how it
 * ended.
 */
#ifndef KERNEL_KERN_KERN_DUMPSAY_H
#define KERNEL_KERN_KERN_DUMPSAY_H

#include "dumper/dumper.h"

/*
 * Print in one line whether and where the dump of a request goes: "dump: WHEN:
 * minidump of 3 MB to vtbd0p2".  error and *res are dump_estimate()'s.
 */
void dumpsay_outcome(const char *when, int error,
    const struct dump_request *req, const struct dump_result *res);

/*
 * A dump of a request, from its beginning to what dump_write() returned; what
 * happens in between comes from the dumper's hooks, of which two are these.  The
 * request is borrowed until the end.
 */
void dumpsay_begin(const struct dump_request *req);
void dumpsay_planned(void *arg, const struct dump_sink *sink,
    const struct dump_result *res);
void dumpsay_progress(enum dump_phase phase, uint64_t done, uint64_t total);
void dumpsay_failed(void *arg, const struct dump_sink *sink,
    const struct dump_result *res);
void dumpsay_end(int error, const struct dump_result *res);

#endif
