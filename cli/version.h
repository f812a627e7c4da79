/*
 * The version of this vmcore and the formats that it opens, as text or JSON on
 * the standard output.
 */
#ifndef CLI_VERSION_H
#define CLI_VERSION_H

/*
 * "--version", with the words after it in argv[1], ...: nothing, or --json.
 * Returns an exit status, EX_USAGE after a message.
 */
int version_print(int argc, char **argv);

#endif
