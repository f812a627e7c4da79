/*
 * Printed text: formatting, and where it goes (message buffer and console).
 *
 * A lock keeps lines whole when several CPUs print; a dying kernel does not
 * take it.
 */
#include "kernel/sys/cons.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/msgbuf.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/systm.h"

/* Where formatted characters go. */
struct sink {
	void (*put)(struct sink *sink, int c);
	char *buf; /* of snprintf() */
	size_t room;
	size_t count;
};

/* One conversion: %[flags][width][.precision][size]char. */
struct spec {
	bool left;
	bool zero;
	bool alt;
	int width;
	int prec; /* -1: none given */
	int size; /* bytes of an integer argument */
};

static struct mtx print_lock = MTX_INITIALIZER("printf");

static void
put_pad(struct sink *sink, int c, int n)
{
	while (n-- > 0)
		sink->put(sink, c);
}

static void
put_string(struct sink *sink, const struct spec *sp, const char *s)
{
	size_t room = sp->prec < 0 ? SIZE_MAX : (size_t)sp->prec;
	int len = 0;

	if (s == NULL)
		s = "(null)";
	while ((size_t)len < room && s[len] != '\0')
		len++;
	if (!sp->left)
		put_pad(sink, ' ', sp->width - len);
	for (int i = 0; i < len; i++)
		sink->put(sink, s[i]);
	if (sp->left)
		put_pad(sink, ' ', sp->width - len);
}

/* Digits last first into text; how many. */
static int
digits(char text[24], uint64_t v, unsigned int base, bool upper)
{
	int n = 0;

	do {
		text[n++] =
		    (upper ? "0123456789ABCDEF" : "0123456789abcdef")[v % base];
		v /= base;
	} while (v != 0);
	return (n);
}

static void
put_number(struct sink *sink, const struct spec *sp, uint64_t v,
    const char *prefix, unsigned int base, bool upper)
{
	char text[24];
	int n = digits(text, v, base, upper);
	int zeros = sp->prec > n ? sp->prec - n : 0;
	int len = n + zeros + (int)strlen(prefix);

	if (sp->zero && !sp->left && sp->prec < 0 && sp->width > len) {
		zeros = sp->width - len;
		len = sp->width;
	}
	if (!sp->left)
		put_pad(sink, ' ', sp->width - len);
	while (*prefix != '\0')
		sink->put(sink, *prefix++);
	put_pad(sink, '0', zeros);
	while (n > 0)
		sink->put(sink, text[--n]);
	if (sp->left)
		put_pad(sink, ' ', sp->width - len);
}

/* A decimal number in the format, or an argument for *. */
static int
parse_count(const char **fmt, va_list *ap)
{
	int n = 0;

	if (**fmt == '*') {
		(*fmt)++;
		return (va_arg(*ap, int));
	}
	while (**fmt >= '0' && **fmt <= '9')
		n = n * 10 + (*(*fmt)++ - '0');
	return (n);
}

static struct spec
parse_spec(const char **fmt, va_list *ap)
{
	struct spec sp = { .prec = -1, .size = 4 };

	for (;; (*fmt)++) {
		if (**fmt == '-')
			sp.left = true;
		else if (**fmt == '0')
			sp.zero = true;
		else if (**fmt == '#')
			sp.alt = true;
		else
			break;
	}
	sp.width = parse_count(fmt, ap);
	if (**fmt == '.') {
		(*fmt)++;
		sp.prec = parse_count(fmt, ap);
	}
	for (;; (*fmt)++) {
		if (**fmt == 'h')
			sp.size /= 2;
		else if (strchr("ljzt", **fmt) != NULL && **fmt != '\0')
			sp.size = 8;
		else
			break;
	}
	return (sp);
}

static uint64_t
unsigned_arg(const struct spec *sp, va_list *ap)
{
	uint64_t v;

	if (sp->size == 8)
		return (va_arg(*ap, uint64_t));
	v = va_arg(*ap, unsigned int);
	return (sp->size == 4 ? v : sp->size == 2 ? (uint16_t)v : (uint8_t)v);
}

static int64_t
signed_arg(const struct spec *sp, va_list *ap)
{
	int v;

	if (sp->size == 8)
		return (va_arg(*ap, int64_t));
	v = va_arg(*ap, int);
	return (sp->size == 4 ? v : sp->size == 2 ? (int16_t)v : (int8_t)v);
}

static void
put_signed(struct sink *sink, const struct spec *sp, int64_t v)
{
	if (v < 0)
		put_number(sink, sp, -(uint64_t)v, "-", 10, false);
	else
		put_number(sink, sp, (uint64_t)v, "", 10, false);
}

static void
put_hex(struct sink *sink, const struct spec *sp, uint64_t v, bool upper)
{
	put_number(sink, sp, v, sp->alt && v != 0 ? "0x" : "", 16, upper);
}

static void
put_conversion(struct sink *sink, struct spec *sp, char conv, va_list *ap)
{
	char text[2] = { conv, '\0' };

	switch (conv) {
	case 'd':
	case 'i':
		put_signed(sink, sp, signed_arg(sp, ap));
		break;
	case 'u':
		put_number(sink, sp, unsigned_arg(sp, ap), "", 10, false);
		break;
	case 'o':
		put_number(sink, sp, unsigned_arg(sp, ap), "", 8, false);
		break;
	case 'x':
	case 'X':
		put_hex(sink, sp, unsigned_arg(sp, ap), conv == 'X');
		break;
	case 'p':
		put_number(sink, sp, (uintptr_t)va_arg(*ap, void *), "0x", 16,
		    false);
		break;
	case 's':
		put_string(sink, sp, va_arg(*ap, const char *));
		break;
	case 'c':
		text[0] = (char)va_arg(*ap, int);
		put_string(sink, sp, text);
		break;
	default:
		put_string(sink, sp, text);
		break;
	}
}

static void
format(struct sink *sink, const char *fmt, va_list *ap)
{
	while (*fmt != '\0') {
		struct spec sp;

		if (*fmt != '%') {
			sink->put(sink, *fmt++);
			continue;
		}
		fmt++;
		sp = parse_spec(&fmt, ap);
		if (*fmt == '\0')
			return;
		put_conversion(sink, &sp, *fmt++, ap);
	}
}

static void
put_buf(struct sink *sink, int c)
{
	if (sink->count + 1 < sink->room)
		sink->buf[sink->count] = (char)c;
	sink->count++;
}

int
vsnprintf(char *buf, size_t room, const char *fmt, va_list ap)
{
	struct sink sink = { .put = put_buf, .buf = buf, .room = room };
	va_list copy;

	va_copy(copy, ap);
	format(&sink, fmt, &copy);
	va_end(copy);
	if (room > 0)
		buf[sink.count < room ? sink.count : room - 1] = '\0';
	return ((int)sink.count);
}

int
snprintf(char *buf, size_t room, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, room, fmt, ap);
	va_end(ap);
	return (n);
}

static void
put_console(struct sink *sink, int c)
{
	msgbuf_addchar(msgbufp, c);
	cnputc(c);
	sink->count++;
}

int
vprintf(const char *fmt, va_list ap)
{
	struct sink sink = { .put = put_console };
	va_list copy;

	va_copy(copy, ap);
	mtx_lock_spin(&print_lock);
	format(&sink, fmt, &copy);
	mtx_unlock_spin(&print_lock);
	va_end(copy);
	return ((int)sink.count);
}

int
printf(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vprintf(fmt, ap);
	va_end(ap);
	return (n);
}
