/*
 * A file of any bytes, compressed or not, where a core is expected, without a
 * kernel; with AS_KERNEL, where a kernel is.  The first byte has these flags;
 * what is to fail may come before it (fail.h).
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libkvm/exec.h"
#include "libkvm/kvm_core.h"
#include "libkvm/unpack.h"
#include "tests/fuzz/claim.h"
#include "tests/fuzz/fail.h"
#include "tests/fuzz/memfile.h"

#define NO_MAP	  0x01
#define AS_KERNEL 0x02

#define MAX_PAGES 1000 /* that are walked over */
#define ERRBUF	  2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
count_page(struct kvm_page *page, void *arg)
{
	unsigned int *n = arg;

	claim(page->kp_len > 0);
	return (++*n < MAX_PAGES);
}

static void
check_core(kvm_t *kd)
{
	const struct kvm_core *core = kvm_core(kd);
	uint8_t buf[9000];
	unsigned int npages = 0;
	uint64_t bad;

	if (core == NULL) {
		claim(kvm_geterr(kd)[0] != '\0');
		return;
	}
	claim(core->kc_arch < ARCH_COUNT && core->kc_page_size >= 4096);
	for (uint64_t off = 0; off < 40000; off += 7777)
		(void)kvm_read_msgbuf(kd, off, buf, sizeof(buf));
	(void)kvm_read_msgbuf(kd, UINT64_MAX, buf, sizeof(buf));
	for (unsigned int i = 0; i < 64; i++) {
		uint64_t addr = UINT64_MAX << i;

		(void)kvm_read_phys(kd, addr, buf, sizeof(buf));
		(void)kvm_read_phys_some(kd, ~addr, buf, sizeof(buf), &bad);
		(void)kvm_read2(kd, addr, buf, sizeof(buf));
	}
	(void)kvm_walk_pages(kd, count_page, &npages);
}

static void
report(void *arg, uint64_t done, uint64_t total)
{
	uint64_t *last = arg;

	claim(done >= *last && done <= total);
	*last = done;
}

static void
describe(const char *path)
{
	uint64_t done = 0;
	const struct kvm_progress progress = { report, &done };
	char why[ERRBUF] = "";
	kvm_t *kd = kvm_describe(path, why, &progress);

	(void)kvm_is_program(path);
	if (kd == NULL) {
		claim(why[0] != '\0' && strchr(why, '\n') == NULL);
		return;
	}
	check_core(kd);
	(void)kvm_close(kd);
}

static void
open_kernel(const char *path)
{
	char why[ERRBUF] = "";
	struct exec *ex = exec_open(path, why, sizeof(why));

	claim(ex != NULL || why[0] != '\0');
	exec_close(ex);
}

static void
init(struct memfile *file)
{
	if (file->path[0] != '\0')
		return;
	memfile_create(file);
	if (access("/dev/shm", W_OK) == 0)
		(void)setenv("TMPDIR", "/dev/shm", 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fail_plan plan = fail_take(&data, &size);
	static struct memfile file;

	if (size == 0)
		return (0);
	init(&file);
	memfile_set(&file, data + 1, size - 1);
	if ((data[0] & NO_MAP) != 0)
		(void)setenv("KVM_NOMAP", "1", 1);
	fail_set(plan.fp_kind, plan.fp_n);
	if ((data[0] & AS_KERNEL) != 0)
		open_kernel(file.path);
	else
		describe(file.path);
	fail_clear();
	(void)unsetenv("KVM_NOMAP");
	return (0);
}
