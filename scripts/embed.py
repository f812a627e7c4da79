#!/usr/bin/env python3
"""usage: embed.py FILE OUT.c

Make a text file part of a program: the string in OUT.c has OUT's name.
"""

import os
import sys

ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"'})

source, out = sys.argv[1:]
name = os.path.splitext(os.path.basename(out))[0]
with open(source, encoding="ascii") as file:
    lines = file.read().splitlines()
with open(out, "w", encoding="ascii") as file:
    file.write(f'#include "cli/{name}.h"\n\nconst char {name}[] =\n')
    for line in lines:
        file.write(f'    "{line.translate(ESCAPES)}\\n"\n')
    file.write("    ;\n")
