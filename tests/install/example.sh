#!/bin/sh
# usage: example.sh TOP
#
# Print the example of kvm(3), which is the block that includes a header.
set -eu
sed -n '/^#include/,/^\.Ed/p' "$1/docs/kvm.3" | sed '/^\.Ed/d; s/\\e/\\/g'
