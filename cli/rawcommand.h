/*
 * A command that makes a raw image of one that is not, to be copied by the user.
 */
#ifndef CLI_RAWCOMMAND_H
#define CLI_RAWCOMMAND_H

struct imagekind;

/*
 * The advice for the image at path, with a command to paste: "unpack it first: gzip
 * -dc disk.gz > disk.gz.raw".  The file that the command writes is in the
 * folder of the shell, and did not exist when this was called.
 *
 * The caller frees the result.  NULL: there is no memory.
 */
char *rawcommand(const struct imagekind *kind, const char *path);

#endif
