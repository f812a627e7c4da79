/*
 * The commands: "vmcore NAME ..." runs cmd_NAME().
 *
 * argv[0] is the command's name.  Each returns an exit status of sysexits(3),
 * having said on stderr what was wrong.  Only main() exits.
 */
#ifndef CLI_CMD_H
#define CLI_CMD_H

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
