/*
 * Files that people take for a dump or a kernel and that are neither: what they
 * are called, and what to do with them.
 */
#ifndef FORMAT_FOREIGN_H
#define FORMAT_FOREIGN_H

#include "format/bytes.h"
#include "format/elfnote.h"

/* As much of a file's start as decides; less of it decides less. */
#define FOREIGN_HEAD_LEN 4608

/*
 * What the file is that starts with these bytes, as a part of a sentence: "a tar
 * archive: unpack it with tar(1)".  NULL: nothing that is known here.
 */
const char *foreign_name(struct span start);

/*
 * What begins with these bytes after zeros at the start of a file, as a part of a
 * sentence: "gzip data".  NULL: nothing that would be opened without the zeros.
 */
const char *foreign_name_after_zeros(struct span start);

/*
 * foreign_name() of a file's last bytes, for disks and partitions that end in the
 * header of a dump.
 */
const char *foreign_name_by_end(struct span end);

/* The same of an ELF core with this note, if only other systems' have it. */
const char *foreign_name_by_note(const struct elfnote *en);

#endif
