"""Command lines about dumps; the text before the file is that of cmdline.h."""

# Words after the command's name.
READ = """
kernbase
allproc
allproc+8
allproc+0x
allproc+99999999999999999999
+
nothing
0xffffffff80200000
0xffffffffffffffff
0xffffffff80200000+0xffffffffffffffff
-l 64 version
-l 0 version
-l 1k version
-l 1M version
-l 1G 0
-l 16E 0
-l x version
-l version
--length=7 version
--raw version
--raw -l 5000 version
-p 0
-p 0x1000
-p -l 20000 0x1000
-p allproc
--cpu 0 gen_value
--cpu 1 gen_value
--cpu 99 gen_value
--cpu x gen_value
--cpu 4294967296 gen_value
--cpu 0 allproc
--vnet 0 gen_value
--vnet 1 gen_value
--vnet 0xffffffff80200000 gen_value
gen_value
version 7
version 7 8
-l 7 version 7
version x
0x
0xg
017
1z
""".strip().splitlines()

DUMP = {
    "info": ["", "--check", "--check --json", "--json", "-v", "--quack", "--json=1", "more"],
    "dmesg": ["", "--json", "-a", "-u", "--all", "--unread"],
    "modules": ["", "--json", "-v"],
    "ps": ["", "--json", "-H", "-t"],
    "bt": ["", "-a", "-a --json", "--json", "-t 100001", "-t 7", "-t x", "-t",
           "-a -t 1", "-n 3", "-n 0", "-v", "-a -v", "--full", "-p 0", "-p x"],
}

# In which the kernel and the dump are named, after the command and its options.
NAMED = ["@core{0}", "-N @kernel{0} @core{0}", "-N @kernel{0} -M @core{0}",
         "-N @kernel{0}", "-N @kernel{1} @core{0}", "-N nothing @core{0}",
         "--force -N @kernel{1} @core{0}", "@core{0} @core{0}", "nothing",
         "-N @core{0} @kernel{0}", "@file", "-N @file @core{0}", "@folder", "-h"]

NBASES = 29
FILES = [b"", b"x", b"\x7fELF", b"\x1f\x8b\x08\0", b"minidump FreeBSD/amd64".ljust(4096)]


def failing(command, base, kind, number):
    return f"{command} -N @kernel{base} @core{base}\n{kind} {number}\n\n".encode()


def rows(_):
    for words in READ:
        for base in ("2", "9"):
            yield f"read -N @kernel{base} -M @core{base} {words}\n\n".encode()
    for command, options in DUMP.items():
        for words in options:
            yield f"{command} {words} -N @kernel2 @core2\n\n".encode()
    for base in (2, 9, 20, 22):
        for number in range(1, 100):
            yield failing("bt -a", base, "!memory", number)
        for number in range(1, 40):
            yield failing("bt -a", base, "!files", number)
    for command in ("info --json", "dmesg", "modules --json", "ps --json",
                    "bt -a --json", "read version"):
        for number in range(20, 90):
            yield failing(command, 2, "!memory", number)
            yield f"{command} @core2\n!memory {number - 19}\n\n".encode()
        for number in range(1, 20):
            yield f"{command} @core2\n!files {number}\n\n".encode()
    for base in range(0, NBASES):
        yield f"bt -a --json -N @kernel{base} @core{base}\n\n".encode()
        yield f"info -N @kernel{base} @core{base}\n\n".encode()
    for named in NAMED:
        for number, file in enumerate(FILES):
            command = list(DUMP)[number % len(DUMP)]
            words = named.format(2, 3)
            yield f"{command} {words}\nkernel.0=x\n\n".encode() + file
            yield f"info --json {words}\n\n".encode() + file
