#!/usr/bin/env python3
"""usage: brand.py LINKED OUTPUT

Copy a linked kernel and mark it as FreeBSD's (EI_OSABI), which its debuggers
and tools go by.  GNU ld can do so only where it was built for FreeBSD.
"""
import shutil
import sys

EI_OSABI = 7
ELFOSABI_FREEBSD = 9


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    _, linked, output = sys.argv
    shutil.copy(linked, output)
    with open(output, 'r+b') as kernel:
        kernel.seek(EI_OSABI)
        kernel.write(bytes([ELFOSABI_FREEBSD]))


main()
