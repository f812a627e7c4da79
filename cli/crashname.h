/*
 * The names of the files that a saved dump consists of: "vmcore.7.zst".
 */
#ifndef CLI_CRASHNAME_H
#define CLI_CRASHNAME_H

#include "format/kerneldump.h"

/* The stem and the suffix of a name: "vmcore" ".zst" of vmcore.N.zst. */
struct crashname {
	const char *cn_stem;
	const char *cn_suffix;
};

/* Room for any name of crashname_put(). */
#define CRASHNAME_LEN 64

/* "vmcore.7.zst".  Returns buf. */
const char *crashname_put(struct crashname name, uint32_t number,
    char buf[CRASHNAME_LEN]);

/* The name of the dump itself; its kind, key and compression decide. */
struct crashname crashname_of_core(const struct kerneldump_hdr *kh);

#endif
