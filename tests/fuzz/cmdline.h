/*
 * Commands of the program, run in this process: their arguments and the files
 * that they find are an input of a fuzzer.
 *
 * An input is text, a line for the arguments and one for each thing that is in
 * the folder already, an empty line, and the bytes of the file:
 *
 *	save -k @file @folder
 *	bounds=7
 *	vmcore.7>elsewhere
 *	vmcore.last/
 *
 *	...
 *
 * "name=text" is a file, "name>target" a link, "name/" a folder, "name|" a fifo,
 * "name#" an empty file that another program has locked.  "!memory 7" lets the
 * seventh allocation fail, "!files 7" and "!places 7" the seventh call that is
 * about files: fail.h.  "!bad 512 4096 3" lets no read succeed of the bytes
 * 512, 4608 and 8704 of any file, "!full" no byte reach the standard output.
 * "monitor" is a command here, too: monitor.h.
 *
 * Among the arguments and the targets of links, @file and @folder stand for their
 * paths, @core3 and @kernel3 for those of the dump number 3 of base.h, @change3 for
 * that dump with the changes that the file lists, @own for a dump of the data of
 * the kernel that the file is.  No other may have a slash or "..", so a command
 * that writes, like "save -c", finds nothing of the host's.
 */
#ifndef TESTS_FUZZ_CMDLINE_H
#define TESTS_FUZZ_CMDLINE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Run what the input says, unless it is not of this kind.  The command must
 * return a status of sysexits(3).
 */
void cmdline_run(const uint8_t *data, size_t size);

#endif
