/*
 * The commands: "vmcore NAME ..." runs cmd_NAME().
 *
 * argv[0] is the command's name.  Each returns an exit status of sysexits(3),
 * after a message on stderr if something was wrong.  Only main() exits.
 */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include "cli/options.h"

struct command {
	const struct syntax *c_syntax; /* its name is the command's */
	const char *c_summary;
	int (*c_run)(int argc, char **argv);
};

extern const struct syntax bt_syntax;
extern const struct syntax dmesg_syntax;
extern const struct syntax gdb_syntax;
extern const struct syntax info_syntax;
extern const struct syntax modules_syntax;
extern const struct syntax ps_syntax;
extern const struct syntax read_syntax;
extern const struct syntax save_syntax;
extern const struct syntax serve_syntax;

int cmd_bt(int argc, char **argv);
int cmd_dmesg(int argc, char **argv);
int cmd_gdb(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_modules(int argc, char **argv);
int cmd_ps(int argc, char **argv);
int cmd_read(int argc, char **argv);
int cmd_save(int argc, char **argv);
int cmd_serve(int argc, char **argv);

#endif
