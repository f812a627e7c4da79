"""usage: seeds.py TARGET DIR

Write the inputs that a fuzz target starts from into a folder, where Python has
what makes them: images of disks, compressed files, ELF files.  mkseeds.c has
the other targets.
"""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1] / "support"))

import seeds_command
import seeds_save

TARGETS = {
    "command": seeds_command.rows,
    "save": seeds_save.rows,
}


def main():
    target, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TARGETS[target]()):
        (folder / f"{number:03}").write_bytes(seed)


main()
