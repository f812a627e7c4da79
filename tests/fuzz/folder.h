/*
 * A folder that a command finds, with the entries that an input of a fuzzer
 * names, and that is empty again after it.
 */
#ifndef TESTS_FUZZ_FOLDER_H
#define TESTS_FUZZ_FOLDER_H

/* Make the folder, for temporary files too, until the program ends. */
void folder_create(void);

/* Its path.  Belongs to this module. */
const char *folder_path(void);

/*
 * Put into it what the line says, as in cmdline.h; the line is changed.  path
 * tells what the target of a link stands for.
 */
void folder_put(char *line, const char *(*path)(const char *word));

/* Let it be the working folder; then go back, and empty it. */
void folder_enter(void);
void folder_leave(void);

#endif
