/*
 * The text of the last error of a handle.  Every failure inside of libkvm is put
 * into words by a function of this file, once, where it is found.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "libkvm/kvm_int.h"

int
kvm_fail(kvm_t *kd, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(kd->kd_err, sizeof(kd->kd_err), fmt, ap);
	va_end(ap);
	return (-1);
}

int
kvm_fail_image(kvm_t *kd, const char *what, uint64_t off, uint64_t len)
{
	const struct image *im = kd->kd_image;

	if (im->im_is_lost)
		return (kvm_fail(kd,
		    "%s: %s: %ju bytes at file offset %#jx are lost%s: %s%s",
		    kd->kd_core_path, what, (uintmax_t)len, (uintmax_t)off,
		    im->im_is_strict ? " or not verified" : "",
		    im->im_damage.dmg_where,
		    im->im_is_strict ? " (see KVM_UNVERIFIED in kvm_open(3))" :
				       ""));
	if (im->im_errno != 0)
		return (kvm_fail(kd,
		    "%s: %s: %ju bytes at file offset %#jx: %s",
		    kd->kd_core_path, what, (uintmax_t)len, (uintmax_t)off,
		    strerror(im->im_errno)));
	return (kvm_fail(kd,
	    "%s: %s: %ju bytes at file offset %#jx, but the file is cut short at %#jx",
	    kd->kd_core_path, what, (uintmax_t)len, (uintmax_t)off,
	    (uintmax_t)im->im_len));
}

int
kvm_fail_no_kernel(kvm_t *kd)
{
	return (kvm_fail(kd, "%s: opened without its kernel",
	    kd->kd_core_path));
}

char *
kvm_geterr(kvm_t *kd)
{
	static char none[1];

	none[0] = '\0';
	return (kd != NULL ? kd->kd_err : none);
}
