/*
 * The facts of a core without its kernel: sizes, pages, and a minidump's copy
 * of the message buffer.  None of it needs the kernel's file.
 */
#include <fcntl.h>
#include <unistd.h>

#include "format/elfcore.h"
#include "libkvm/kvm_int.h"

void
kvm_set_machine(kvm_t *kd, enum dump_arch arch, enum byte_order order)
{
	kd->kd_core.kc_arch = arch;
	kd->kd_core.kc_arch_name = dump_arch_name(arch);
	kd->kd_core.kc_order = order;
	kd->kd_core.kc_ptr_len = arch_facts(arch)->af_ptr_len;
}

/* Count the pages, and how much of the file they need. */
static int
count_pages(kvm_t *kd)
{
	struct kvm_core *core = &kd->kd_core;
	uint64_t end;

	if (kd->kd_ops->co_count(kd, &core->kc_npages, &end) != 0)
		return (-1);
	if (end > core->kc_file_len)
		core->kc_file_short = end - core->kc_file_len;
	kd->kd_counted = true;
	return (0);
}

const struct kvm_core *
kvm_core(kvm_t *kd)
{
	if (!kd->kd_counted && count_pages(kd) != 0)
		return (NULL);
	return (&kd->kd_core);
}

kssize_t
kvm_read_msgbuf(kvm_t *kd, uint64_t off, void *buf, size_t len)
{
	const struct minidump_hdr *hdr = kd->kd_core.kc_minidump;
	uint64_t section_len;

	if (hdr == NULL)
		return (kvm_fail(kd, "%s: no message buffer section",
		    kd->kd_core_path));
	/* With the bytes that round it up: they may hold struct msgbuf. */
	section_len = (hdr->md_dumpavail_off - hdr->md_msgbuf_off);
	if (off > section_len)
		return (0);
	if (len > section_len - off)
		len = (size_t)(section_len - off);
	do {
		if (!image_read(kd->kd_image, hdr->md_msgbuf_off + off, buf,
			len))
			return (kvm_fail_image(kd, "message buffer",
			    hdr->md_msgbuf_off + off, len));
	} while (!image_settle(kd->kd_image, hdr->md_msgbuf_off + off + len));
	return ((kssize_t)len);
}

/* ---- a kernel, or a core ---- */

/* elf(5): fields that are at the same place in headers of both classes. */
#define ELF_DATA_OFF 5
#define ELF_DATA_MSB 2
#define ELF_TYPE_OFF 16
#define ELF_ET_EXEC  2
#define ELF_ET_DYN   3

bool
kvm_is_program(const char *path)
{
	/* Opening a pipe without a writer would block for ever. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint8_t buf[ELF_TYPE_OFF + 2];
	ssize_t n;
	uint16_t type;

	if (fd < 0)
		return (false);
	n = pread(fd, buf, sizeof(buf), 0);
	(void)close(fd);
	if (n != (ssize_t)sizeof(buf) ||
	    !elfcore_is((struct span){ .base = buf, .len = sizeof(buf) }))
		return (false);
	type =
	    dec16(buf[ELF_DATA_OFF] == ELF_DATA_MSB ? ORDER_BIG : ORDER_LITTLE,
		buf + ELF_TYPE_OFF);
	return (type == ELF_ET_EXEC || type == ELF_ET_DYN);
}
