/*
 * The parts of a saved dump's path: "dir/vmcore.0.zst".
 */
#ifndef CLI_CORENAME_H
#define CLI_CORENAME_H

/* All point into the path. */
struct corename {
	const char *con_dir; /* "dir/"; "" is the current one */
	int con_dir_len;
	const char *con_stem; /* "vmcore" */
	int con_stem_len;
	const char *con_which;	/* "0", or "last" */
	int con_which_len;	/* 0: it has none */
	const char *con_suffix; /* ".zst"; "": none of a compressed file */
};

struct corename corename_split(const char *path);

#endif
