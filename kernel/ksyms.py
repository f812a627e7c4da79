#!/usr/bin/env python3
"""usage: ksyms.py NM KERNEL OUTPUT
       ksyms.py --empty OUTPUT

Write the kernel's symbol table as an assembly file, for ddb: see ddb/db_sym.c.
The empty one is for the first link, which has no addresses yet.
"""
import subprocess
import sys

KERNBASE = 0xffffffff80000000


def symbols(nm, kernel):
    """(address, name), ascending; of one address the global one."""
    text = subprocess.run([nm, '-n', kernel], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    found = {}
    for line in text.splitlines():
        value, kind, name = line.split()
        address = int(value, 16)
        if kind not in 'tTdDbBrR' or address < KERNBASE:
            continue
        if name.startswith(('_ksyms', '_end', 'KERN')):
            continue
        if address not in found or kind.isupper():
            found[address] = name
    return sorted(found.items())


def write(out, table):
    print('\t.section .ksyms, "a", @progbits\n\t.p2align 3', file=out)
    print(f'\t.long {len(table)}, {8 + 8 * len(table)}', file=out)
    offset = 0
    for address, name in table:
        print(f'\t.long {address - KERNBASE:#x}, {offset}', file=out)
        offset += len(name) + 1
    for _, name in table:
        print(f'\t.asciz "{name}"', file=out)
    print('\t.section .note.GNU-stack, "", @progbits', file=out)


def main():
    if len(sys.argv) == 3 and sys.argv[1] == '--empty':
        table = []
    elif len(sys.argv) == 4:
        table = symbols(sys.argv[1], sys.argv[2])
    else:
        sys.exit(__doc__)
    with open(sys.argv[-1], 'w', encoding='ascii') as out:
        write(out, table)


main()
