"""usage: seeds.py TARGET DIR [FILE ...]

Write the inputs that a fuzz target starts from into a folder, where Python has
what makes them: images of disks, compressed files, ELF files.  FILEs are what the
compiler or other tests have made, and are seeds too.  mkseeds.c has the other
targets.
"""

import pathlib
import shutil
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1] / "support"))

import seeds_command
import seeds_elf
import seeds_file
import seeds_rsp
import seeds_save



def kernels(folders):
    """What the tests of kdebug/ have kept of their kernels."""
    files = (path for folder in folders for path in pathlib.Path(folder).glob("*"))
    return sorted({path.read_bytes() for path in files})


TARGETS = {
    "command": seeds_command.rows,
    "debuglink": seeds_elf.debuglink,
    "dwarf": seeds_elf.dwarf,
    "exec": seeds_elf.kernels,
    "file": seeds_file.rows,
    "kernel": kernels,
    "modfile": seeds_elf.modfile,
    "procs": seeds_elf.procs,
    "rsp": seeds_rsp.rows,
    "save": seeds_save.rows,
}


def main():
    target, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, seed in enumerate(TARGETS[target](sys.argv[3:])):
        (folder / f"{number:03}").write_bytes(seed)


main()
