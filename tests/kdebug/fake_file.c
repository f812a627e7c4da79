/*
 * A fake kernel as bytes: a letter for each thing that is in it, numbers of 8
 * bytes, names with a NUL.
 *
 *	A machine order ...	what kernel it is: always the first
 *	E va			where the kernel's file starts
 *	P va len bytes		bytes of memory, at most a page
 *	S va len code name	a symbol
 *	C value			the next constant
 *	M off len type name	a member of a structure
 *	B len all bytes		the copy of the message buffer, of which len are
 *				the ring's
 *	V qemu state len bytes	a virtual CPU, and its registers
 *
 * What else is in the kernel's file is not kept.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kdebug/fake_kvm_int.h"

#define STEP	  64 /* bytes of memory in a piece */
#define MAX_PAGES 64 /* of a kernel that is kept */

/* ---- writing ---- */

static void
put_number(FILE *f, uint64_t value)
{
	uint8_t bytes[8];

	le64enc(bytes, value);
	fwrite(bytes, sizeof(bytes), 1, f);
}

static void
put_bytes(FILE *f, const void *bytes, size_t len)
{
	put_number(f, len);
	fwrite(bytes, 1, len, f);
}

static void
put_name(FILE *f, const char *name)
{
	fwrite(name, strlen(name) + 1, 1, f);
}

static bool
is_zero(const uint8_t *p, size_t len)
{
	return (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

static void
put_page(FILE *f, const struct page *pg)
{
	if (pg->pg_va == DROPPED_VA)
		return;
	for (size_t off = 0; off < PAGE_LEN; off += STEP) {
		if (off != 0 && is_zero(pg->pg_bytes + off, STEP))
			continue;
		fputc('P', f);
		put_number(f, pg->pg_va + off);
		put_bytes(f, pg->pg_bytes + off, STEP);
	}
}

static void
put_symbol(FILE *f, const struct kvm_symbol *sym)
{
	fputc('S', f);
	put_number(f, sym->ksy_va);
	put_number(f, sym->ksy_len);
	put_number(f, sym->ksy_code);
	put_name(f, sym->ksy_name);
}

static void
put_member(FILE *f, const struct kvm_member *mb)
{
	fputc('M', f);
	put_number(f, mb->kmb_off);
	put_number(f, mb->kmb_len);
	put_name(f, mb->kmb_type);
	put_name(f, mb->kmb_name);
}

static void
put_vcpu(FILE *f, const struct kvm_vcpu *vc)
{
	fputc('V', f);
	put_number(f, vc->vc_qemu);
	put_number(f, vc->vc_state.qc_gs_base);
	put_number(f, vc->vc_state.qc_kernel_gs_base);
	put_bytes(f, vc->vc_prstatus.base, vc->vc_prstatus.len);
}

static void
put_kernel(FILE *f, const kvm_t *kd)
{
	fputc('A', f);
	put_number(f, kd->kd_core.kc_arch);
	put_number(f, kd->kd_core.kc_order == ORDER_BIG);
	if (kd->kd_core.kc_exec_base != 0) {
		fputc('E', f);
		put_number(f, kd->kd_core.kc_exec_base);
	}
	for (size_t i = 0; i < kd->kd_npages; i++)
		put_page(f, kd->kd_pages[i]);
	for (size_t i = 0; i < kd->kd_nsyms; i++)
		put_symbol(f, &kd->kd_syms[i]);
	for (size_t i = 0; i < kd->kd_nconsts; i++) {
		fputc('C', f);
		put_number(f, kd->kd_consts[i]);
	}
	for (size_t i = 0; i < kd->kd_nmembers; i++)
		put_member(f, &kd->kd_members[i]);
	for (size_t i = 0; i < kd->kd_core.kc_nvcpus; i++)
		put_vcpu(f, &kd->kd_vcpus[i]);
	if (kd->kd_core.kc_minidump != NULL) {
		fputc('B', f);
		put_number(f, kd->kd_hdr.md_msgbuf_len);
		put_bytes(f, kd->kd_msgbuf, sizeof(kd->kd_msgbuf));
	}
}

void
fake_save(const kvm_t *kd, const char *dir)
{
	static unsigned int nsaved;
	char path[4096];
	FILE *f;

	if (kd->kd_npages > MAX_PAGES)
		return;
	(void)mkdir(dir, 0777);
	(void)snprintf(path, sizeof(path), "%s/%04u", dir, nsaved++);
	if ((f = fopen(path, "wb")) == NULL)
		abort();
	put_kernel(f, kd);
	if (fclose(f) != 0)
		abort();
}

/* ---- reading ---- */

/* What is left; all that is taken after its end is 0 or empty. */
struct rest {
	const uint8_t *p;
	size_t len;
	bool ended;
};

static const void *
take(struct rest *rest, size_t len)
{
	const uint8_t *p = rest->p;

	if (len > rest->len) {
		rest->ended = true;
		return (NULL);
	}
	rest->p += len;
	rest->len -= len;
	return (p);
}

static uint64_t
take_number(struct rest *rest)
{
	const uint8_t *p = take(rest, 8);

	return (p != NULL ? le64dec(p) : 0);
}

static struct span
take_bytes(struct rest *rest)
{
	uint64_t len = take_number(rest);
	const uint8_t *p = len <= rest->len ? take(rest, (size_t)len) : NULL;

	rest->ended = rest->ended || p == NULL;
	return ((struct span){ p, p != NULL ? (size_t)len : 0 });
}

static const char *
take_name(struct rest *rest)
{
	const uint8_t *end = memchr(rest->p, '\0', rest->len);

	if (end == NULL) {
		rest->ended = true;
		return ("");
	}
	return (take(rest, (size_t)(end + 1 - rest->p)));
}

static void
take_exec_base(kvm_t *kd, struct rest *rest)
{
	fake_set_exec_base(kd, take_number(rest));
}

static void
take_memory(kvm_t *kd, struct rest *rest)
{
	uint64_t va = take_number(rest);
	struct span bytes = take_bytes(rest);

	fake_put(kd, va, bytes.base,
	    bytes.len < PAGE_LEN ? bytes.len : PAGE_LEN);
}

static void
take_symbol(kvm_t *kd, struct rest *rest)
{
	uint64_t va = take_number(rest);
	uint64_t len = take_number(rest);
	bool code = take_number(rest) != 0;

	(code ? fake_symbol : fake_object)(kd, take_name(rest), va, len);
}

static void
take_const(kvm_t *kd, struct rest *rest)
{
	uint64_t value = take_number(rest);

	if (kd->kd_nconsts < NCONSTS)
		kd->kd_consts[kd->kd_nconsts++] = (uint32_t)value;
}

static void
take_member(kvm_t *kd, struct rest *rest)
{
	uint64_t off = take_number(rest);
	uint64_t len = take_number(rest);
	const char *type = take_name(rest);
	const char *name = take_name(rest);

	if (kd->kd_nmembers < NMEMBERS && off <= KVM_MEMBER_MAX &&
	    len <= KVM_MEMBER_MAX)
		fake_member(kd, type, name, (uint32_t)off, (uint32_t)len);
}

static void
take_msgbuf(kvm_t *kd, struct rest *rest)
{
	uint64_t len = take_number(rest);
	struct span all = take_bytes(rest);

	if (len <= all.len && all.len <= sizeof(kd->kd_msgbuf))
		fake_set_msgbuf(kd, all.base, (uint32_t)len, all.base + len,
		    (uint32_t)(all.len - len));
}

static void
take_vcpu(kvm_t *kd, struct rest *rest)
{
	struct kvm_vcpu vc = { .vc_qemu = take_number(rest) != 0 };

	vc.vc_state.qc_gs_base = take_number(rest);
	vc.vc_state.qc_kernel_gs_base = take_number(rest);
	vc.vc_prstatus = take_bytes(rest);
	if (kd->kd_core.kc_nvcpus < NVCPUS)
		fake_vcpu(kd, &vc);
}

static const struct {
	char letter;
	void (*take)(kvm_t *kd, struct rest *rest);
} kinds[] = {
	{ 'E', take_exec_base },
	{ 'P', take_memory },
	{ 'S', take_symbol },
	{ 'C', take_const },
	{ 'M', take_member },
	{ 'B', take_msgbuf },
	{ 'V', take_vcpu },
};
#define NKINDS (sizeof(kinds) / sizeof(kinds[0]))

static bool
take_thing(kvm_t *kd, struct rest *rest)
{
	const uint8_t *letter = take(rest, 1);

	for (size_t i = 0; letter != NULL && i < NKINDS; i++) {
		if (kinds[i].letter != *letter)
			continue;
		kinds[i].take(kd, rest);
		return (!rest->ended);
	}
	return (false);
}

kvm_t *
fake_load(const uint8_t *bytes, size_t len)
{
	struct rest rest = { bytes, len, false };
	const uint8_t *letter = take(&rest, 1);
	uint64_t arch = take_number(&rest);
	enum byte_order order =
	    take_number(&rest) != 0 ? ORDER_BIG : ORDER_LITTLE;
	kvm_t *kd;

	if (rest.ended || *letter != 'A' || arch >= ARCH_COUNT)
		return (NULL);
	kd = fake_create((enum dump_arch)arch, order);
	while (take_thing(kd, &rest))
		continue;
	return (kd);
}
