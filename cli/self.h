/*
 * The path of this program's own file, for a command that starts it again.
 */
#ifndef CLI_SELF_H
#define CLI_SELF_H

/* Remember main()'s argv[0], which stays the caller's. */
void self_init(const char *argv0);

/* An absolute path.  The caller frees it.  NULL: it cannot be found. */
char *self_path(void);

#endif
