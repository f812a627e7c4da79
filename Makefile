# The front door.  What does the work is meson: see meson.build and scripts/.

BUILD = build
PREFIX = /usr/local

all:
	@scripts/build.sh "$(BUILD)"

demo:
	@scripts/kernel-host.sh demo
	@scripts/install-deps.sh demo
	@scripts/build.sh "$(BUILD)" >&2
	@scripts/demo.sh "$(BUILD)"

demo-freebsd:
	@scripts/install-deps.sh demo-freebsd
	@scripts/demo-freebsd.sh "$(BUILD)"

check:
	@scripts/install-deps.sh check
	@tests/check.sh

soak:
	@scripts/install-deps.sh check
	@tests/check.sh soak-vm soak-boot soak-fuzz

bench:
	@scripts/install-deps.sh bench
	@scripts/bench.sh

run:
	@scripts/kernel-host.sh run
	@scripts/install-deps.sh run
	@scripts/build.sh "$(BUILD)" >&2
	@scripts/run.sh "$(BUILD)"

install:
	@DESTDIR="$(DESTDIR)" scripts/install.sh "$(BUILD)" "$(PREFIX)"

uninstall:
	@DESTDIR="$(DESTDIR)" scripts/uninstall.sh "$(BUILD)" "$(PREFIX)"

clean:
	rm -rf "$(BUILD)" build-*

help:
	@echo "make               build the vmcore command and libkvm in $(BUILD)/"
	@echo "make demo          break our own kernel in QEMU, read its dump"
	@echo "make demo-freebsd  open a real FreeBSD crash dump"
	@echo "make check         run all tests; ends in 'N passed, N failed'"
	@echo "make soak          the long forms of some tests: hours"
	@echo "make bench         measure libkvm, the dumper and the kernel against limits"
	@echo "make run           boot our own kernel in QEMU, to be broken by hand"
	@echo "make install       install under PREFIX ($(PREFIX)), below DESTDIR"
	@echo "make uninstall     remove what was last installed from $(BUILD)/"
	@echo "make clean         remove what was built"
	@echo
	@echo "The demos, check, bench and run install what they need first (Debian, Ubuntu)"
	@echo "or name it and stop (elsewhere)."

.PHONY: all demo demo-freebsd check soak bench run install uninstall clean help
