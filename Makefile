# The front door.  What does the work is meson: see meson.build and scripts/.

BUILD = build
PREFIX = /usr/local

all:
	@scripts/build.sh "$(BUILD)"

demo demo-freebsd:
	@scripts/install-deps.sh demo
	@scripts/demo.sh "$(BUILD)"

demo-kernel:
	@scripts/install-deps.sh run
	@scripts/demo-kernel.sh "$(BUILD)"

check:
	@scripts/install-deps.sh check
	@tests/check.sh

bench:
	@scripts/install-deps.sh bench
	@scripts/bench.sh

run:
	@scripts/install-deps.sh run
	@scripts/run.sh "$(BUILD)"

install:
	@DESTDIR="$(DESTDIR)" scripts/install.sh "$(BUILD)" "$(PREFIX)"

clean:
	rm -rf "$(BUILD)" build-*

help:
	@echo "make           build the vmcore command and libkvm in $(BUILD)/"
	@echo "make demo      open a real FreeBSD crash dump, show what crashed it"
	@echo "make demo-kernel  break our own kernel in QEMU, read its dump"
	@echo "make check     run all tests; ends in 'N passed, N failed'"
	@echo "make bench     measure libkvm against what the machine can do"
	@echo "make run       boot our own kernel in QEMU, to be broken by hand"
	@echo "make install   install under PREFIX ($(PREFIX)), below DESTDIR"
	@echo "make clean     remove what was built"
	@echo
	@echo "demo, check, bench and run install what they need first (Debian, Ubuntu)"
	@echo "or name it and stop (elsewhere)."

.PHONY: all demo demo-freebsd demo-kernel check bench run install clean help
