/*
 * Opening and closing.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/elfcore.h"
#include "libkvm/arch.h"
#include "libkvm/holes.h"
#include "libkvm/kvm_int.h"
#include "libkvm/refuse.h"
#include "libkvm/unpack.h"

static const char default_kernel[] = "/boot/kernel/kernel";

#ifndef PATH_MAX
#define PATH_MAX 1024
#endif

static const struct core_ops *const cores[] = {
	&core_minidump,
	&core_elf,
};

/* The arguments in which the openers differ. */
struct open_args {
	const char *exec_path; /* NULL: the core is all there is */
	const char *core_path;
	int flags;
	kvm_resolver_t *resolver;
	const char *program;
	const struct kvm_progress *progress;
	enum image_access access;
	bool unverified;  /* the caller looks at kc_damage */
	uint64_t len_max; /* of what is unpacked; 0: all */
};

const char *
kvm_format_name(size_t i)
{
	return (i < sizeof(cores) / sizeof(cores[0]) ? cores[i]->co_name :
						       NULL);
}

static int
check_args(kvm_t *kd, const struct open_args *args)
{
	if (args->core_path == NULL) {
		errno = EINVAL;
		return (kvm_fail(kd,
		    "no core file: there is no live kernel to read here"));
	}
	if ((args->flags & ~O_ACCMODE) != 0) {
		errno = EINVAL;
		return (kvm_fail(kd, "bad flags %#x: only O_RDONLY makes sense",
		    (unsigned int)args->flags));
	}
	if (args->exec_path != NULL && strlen(args->exec_path) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return (kvm_fail(kd, "name of the kernel file is too long"));
	}
	return (0);
}

static int
open_exec(kvm_t *kd, const char *path)
{
	char why[256];

	if (path == NULL)
		return (0);
	if ((kd->kd_exec = exec_open(path, why, sizeof(why))) == NULL)
		return (kvm_fail(kd, "%s: %s", path, why));
	kvm_set_machine(kd, exec_arch(kd->kd_exec), exec_order(kd->kd_exec));
	kd->kd_core.kc_exec_path = exec_path(kd->kd_exec);
	kd->kd_core.kc_exec_fd = exec_fd(kd->kd_exec);
	kd->kd_core.kc_exec_packed = exec_packed_len(kd->kd_exec);
	kd->kd_core.kc_helpcost = exec_helpcost(kd->kd_exec);
	kd->kd_core.kc_exec_base = exec_base(kd->kd_exec);
	return (0);
}

/* Is a file that starts like this one of the kinds of core? */
static bool
is_core(struct span start)
{
	for (size_t i = 0; i < sizeof(cores) / sizeof(cores[0]); i++)
		if (cores[i]->co_match(start))
			return (true);
	return (false);
}

/* Say in kd_core what is wrong with the compressed file. */
static void
set_damage(kvm_t *kd)
{
	const struct damage *dm = &kd->kd_image->im_damage;

	kd->kd_core.kc_unsummed = dm->dmg_unsummed;
	if (dm->dmg_where[0] == '\0')
		return;
	kd->kd_core.kc_damage = dm->dmg_where;
	kd->kd_core.kc_lost_len = damage_total(dm, DAMAGE_LOST);
	kd->kd_core.kc_unverified_len = damage_total(dm, DAMAGE_UNVERIFIED);
}

/* No core begins like this: what the file is instead.  Returns -1. */
static int
refuse(kvm_t *kd)
{
	char text[REFUSE_LEN];
	const char *name = refuse_core(kd->kd_image->im_fd,
	    kd->kd_image->im_len, kd->kd_core_path, text);

	if (name != NULL)
		return (kvm_fail(kd, "%s: %s", kd->kd_core_path, name));
	if (kd->kd_packing == NULL)
		return (kvm_fail(kd, "%s: neither a minidump nor an ELF core",
		    kd->kd_core_path));
	/* Decoders may give what is wrong before they come to its checksum. */
	return (kvm_fail(kd,
	    "%s: unpacks to neither a minidump nor an ELF core, or is damaged: %s -t tells which",
	    kd->kd_core_path, kd->kd_packing));
}

static int
open_core(kvm_t *kd)
{
	uint8_t scratch[ELFCORE_IDENT_LEN];
	struct span start = { .len = sizeof(scratch) };

	if (kd->kd_image->im_len < start.len)
		start.len = (size_t)kd->kd_image->im_len;
	start.base = image_view(kd->kd_image, 0, start.len, scratch);
	if (start.base == NULL)
		return (kvm_fail_image(kd, "start of the file", 0, start.len));
	for (size_t i = 0; i < sizeof(cores) / sizeof(cores[0]); i++) {
		if (!cores[i]->co_match(start))
			continue;
		kd->kd_ops = cores[i];
		kd->kd_core.kc_format = cores[i]->co_name;
		return (cores[i]->co_open(kd));
	}
	return (refuse(kd));
}

/* Where the core in a file that is not all there yet ends; 0: not known yet. */
static uint64_t
find_end(int fd)
{
	kvm_t *kd = calloc(1, sizeof(*kd));
	uint64_t npages, end = 0;

	if (kd == NULL)
		return (0);
	if ((kd->kd_core_path = strdup("")) == NULL ||
	    image_create(dup(fd), IMAGE_PREAD, &kd->kd_image) != 0 ||
	    open_core(kd) != 0 || kd->kd_ops->co_count(kd, &npages, &end) != 0)
		end = 0;
	(void)kvm_close(kd);
	return (end);
}

static int
open_image(kvm_t *kd, const struct open_args *args)
{
	const struct unpack_how how = { .uh_wanted = is_core,
		.uh_len_max = args->len_max,
		.uh_end = find_end,
		.uh_progress = args->progress };
	bool strict = !args->unverified && getenv("KVM_UNVERIFIED") == NULL;
	struct unpacked file;
	char why[256];
	int error;

	if ((kd->kd_core_path = strdup(args->core_path)) == NULL)
		return (kvm_fail(kd, "out of memory"));
	kd->kd_core.kc_core_path = kd->kd_core_path;
	error = unpack_open(args->core_path, &how, &file, why, sizeof(why));
	if (error != 0) {
		(void)kvm_fail(kd, "%s: %s", args->core_path, why);
		errno = error;
		return (-1);
	}
	kd->kd_packing = file.upk_packing;
	error = image_create(file.upk_fd,
	    file.upk_damage.dmg_where[0] != '\0' ? IMAGE_PREAD : args->access,
	    &kd->kd_image);
	if (error != 0) {
		damage_fini(&file.upk_damage);
		(void)kvm_fail(kd, "%s: %s", args->core_path, strerror(error));
		errno = error;
		return (-1);
	}
	errno = 0; /* a file that could not be mapped is read */
	image_set_damage(kd->kd_image, &file.upk_damage, strict);
	set_damage(kd);
	kd->kd_core.kc_file_len = kd->kd_image->im_len;
	if (kd->kd_image->im_len == 0) {
		errno = EINVAL;
		return (kvm_fail(kd, "%s: empty file", args->core_path));
	}
	return (0);
}

/* The file may have been cut while it was being opened: then once more. */
static int
open_all(kvm_t *kd, const struct open_args *args)
{
	kd->kd_tables = calloc(1, sizeof(*kd->kd_tables));
	if (kd->kd_tables == NULL)
		return (kvm_fail(kd, "out of memory"));
	if (check_args(kd, args) != 0 || open_exec(kd, args->exec_path) != 0 ||
	    open_image(kd, args) != 0 || open_core(kd) != 0)
		return (-1);
	if (!image_settle(kd->kd_image, 0))
		return (kvm_fail_image(kd, "file", 0, kd->kd_core.kc_file_len));
	return (0);
}

/* The kernel's file that a caller of kvm.h means. */
static const char *
name_kernel(const char *execfile)
{
	return (execfile != NULL ? execfile : default_kernel);
}

/* Was the core opened so far that it could be read, and then could not? */
static bool
is_unreadable(const kvm_t *kd)
{
	return (kd->kd_image != NULL && kd->kd_image->im_error != 0);
}

/* NULL: the text is in errbuf, unless that is NULL. */
static kvm_t *
open_any(struct open_args args, char *errbuf)
{
	kvm_t *kd = calloc(1, sizeof(*kd));

	if (kd == NULL) {
		if (errbuf != NULL)
			(void)snprintf(errbuf, KVM_ERR_LEN, "out of memory");
		return (NULL);
	}
	if (getenv("KVM_NOMAP") != NULL)
		args.access = IMAGE_PREAD;
	kd->kd_resolver = args.resolver;
	if (open_all(kd, &args) == 0)
		return (kd);
	if (errbuf != NULL)
		(void)memcpy(errbuf, kd->kd_err, KVM_ERR_LEN);
	if (args.program != NULL)
		(void)fprintf(stderr, "%s: %s\n", args.program, kd->kd_err);
	if (is_unreadable(kd))
		errno = EIO;
	(void)kvm_close(kd);
	return (NULL);
}

kvm_t *
kvm_open(const char *execfile, const char *corefile, const char *swapfile,
    int flags, const char *errstr)
{
	(void)swapfile;
	return (open_any((struct open_args){ .exec_path = name_kernel(execfile),
			     .core_path = corefile,
			     .flags = flags,
			     .program = errstr },
	    NULL));
}

kvm_t *
kvm_openfiles(const char *execfile, const char *corefile, const char *swapfile,
    int flags, char *errbuf)
{
	(void)swapfile;
	return (kvm_open2(execfile, corefile, flags, errbuf, NULL));
}

kvm_t *
kvm_open2(const char *execfile, const char *corefile, int flags, char *errbuf,
    kvm_resolver_t *resolver)
{
	return (open_any((struct open_args){ .exec_path = name_kernel(execfile),
			     .core_path = corefile,
			     .flags = flags,
			     .resolver = resolver },
	    errbuf));
}

kvm_t *
kvm_open_progress(const char *execfile, const char *corefile, char *errbuf,
    const struct kvm_progress *progress)
{
	return (open_any((struct open_args){ .exec_path = name_kernel(execfile),
			     .core_path = corefile,
			     .flags = O_RDONLY,
			     .progress = progress,
			     .unverified = true },
	    errbuf));
}

kvm_t *
kvm_describe(const char *corefile, char *errbuf,
    const struct kvm_progress *progress)
{
	return (open_any((struct open_args){ .core_path = corefile,
			     .flags = O_RDONLY,
			     .progress = progress,
			     .unverified = true },
	    errbuf));
}

kvm_t *
kvm_open_start(const char *execfile, const char *corefile, uint64_t len,
    char *errbuf)
{
	return (open_any((struct open_args){ .exec_path = execfile,
			     .core_path = corefile,
			     .flags = O_RDONLY,
			     .unverified = true,
			     .len_max = len },
	    errbuf));
}

int
kvm_close(kvm_t *kd)
{
	int saved = errno;

	if (kd == NULL) {
		errno = EINVAL;
		return (-1);
	}
	if (kd->kd_ops != NULL)
		kd->kd_ops->co_close(kd);
	image_destroy(kd->kd_image);
	free(kd->kd_fields);
	free(kd->kd_procs);
	exec_close(kd->kd_exec);
	hotpages_fini(&kd->kd_hot);
	free(kd->kd_tables);
	free(kd->kd_core_path);
	free(kd);
	errno = saved;
	return (0);
}

/* ---- what the core is ---- */

int
kvm_native(kvm_t *kd)
{
	static const uint16_t one = 1;
	bool host_is_little = *(const uint8_t *)&one == 1;

	return (kd->kd_core.kc_ptr_len == sizeof(void *) &&
	    (kd->kd_core.kc_order == ORDER_LITTLE) == host_is_little &&
	    kvm_arch_is_host(kd->kd_core.kc_arch));
}

/* Only powerpc64 kernels move, and those are not read here. */
kssize_t
kvm_kerndisp(kvm_t *kd)
{
	(void)kd;
	return (0);
}

uint64_t
kvm_data_len(kvm_t *kd)
{
	uint64_t len = holes_data_len(kd->kd_image->im_fd);

	return (len != 0 ? len : kd->kd_image->im_len); /* it is a disk */
}

bool
kvm_gave_unverified(kvm_t *kd)
{
	return (kd->kd_image->im_gave_unverified);
}

bool
kvm_met_lost(kvm_t *kd)
{
	return (kd->kd_image->im_met_lost);
}

int
kvm_read_error(kvm_t *kd, uint64_t *off)
{
	*off = kd->kd_image->im_error_off;
	return (kd->kd_image->im_error);
}

int
kvm_read_exec_error(kvm_t *kd, uint64_t *off)
{
	return (kd->kd_exec != NULL ? exec_read_error(kd->kd_exec, off) : 0);
}

kssize_t
kvm_read_exec(kvm_t *kd, kvaddr_t va, void *buf, size_t len)
{
	if (kd->kd_exec == NULL)
		return (kvm_fail_no_kernel(kd));
	if (!exec_read(kd->kd_exec, va, buf, len))
		return (kvm_fail(kd, "%s: no section holds %zu bytes at %#jx",
		    exec_path(kd->kd_exec), len, (uintmax_t)va));
	return ((kssize_t)len);
}

size_t
kvm_members_find(kvm_t *kd, struct kvm_member *list, size_t n)
{
	if (kd->kd_exec == NULL || kd->kd_members_why[0] != '\0')
		return (0);
	return (members_find(kd->kd_exec, list, n, kd->kd_members_why,
	    sizeof(kd->kd_members_why)));
}

const char *
kvm_members_why(kvm_t *kd)
{
	return (kd->kd_members_why[0] != '\0' ? kd->kd_members_why : NULL);
}
