/*
 * The console.
 *
 * The clock's interrupt moves what is typed into a small queue, and looks for
 * the keys that call the debugger: a serial break, or CR ~ Ctrl-B, as on
 * FreeBSD.  The debugger itself, and a machine whose clock stands still, poll
 * the line.
 */
#include "kernel/sys/cons.h"

#include "kernel/dev/uart.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/kdb.h"
#include "kernel/sys/kernel.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/systm.h"

#define QUEUE_LEN 256 /* a power of two */

#define CTRL(c) ((c) & 0x1f)

static const char break_keys[] = { '\r', '~', CTRL('b') };

static char queue[QUEUE_LEN];
static unsigned int queue_in, queue_out; /* counts, not positions */
static struct mtx queue_lock = MTX_INITIALIZER("console");
static size_t break_seen; /* of break_keys */
static int grabbed;

void
cninit(void)
{
	uart_init();
}

static void
cnannounce(const void *arg)
{
	(void)arg;
	printf("console: Return ~ Ctrl-B, or a break, enters the debugger\n");
}
SYSINIT(console, SI_SUB_KTHREAD, SI_ORDER_ANY, cnannounce, NULL);

void
cnputc(int c)
{
	if (c == '\n')
		uart_putc('\r');
	uart_putc(c);
}

static bool
is_break(int c)
{
	if (c == UART_BREAK)
		return (true);
	if (c != break_keys[break_seen])
		break_seen = 0;
	if (c == break_keys[break_seen])
		break_seen++;
	if (break_seen < nitems(break_keys))
		return (false);
	break_seen = 0;
	return (true);
}

void
cnpoll(void)
{
	bool typed = false, called = false;
	int c;

	if (grabbed > 0)
		return;
	mtx_lock_spin(&queue_lock);
	while (!called && (c = uart_getc()) != UART_NONE) {
		called = is_break(c);
		if (!called && queue_in - queue_out < QUEUE_LEN) {
			queue[queue_in++ % QUEUE_LEN] = (char)c;
			typed = true;
		}
	}
	mtx_unlock_spin(&queue_lock);
	if (typed)
		wakeup(&queue);
	if (called)
		kdb_enter("break", "Break sequence on console");
}

static int
take_queued(void)
{
	int c = -1;

	mtx_lock_spin(&queue_lock);
	if (queue_in != queue_out)
		c = (unsigned char)queue[queue_out++ % QUEUE_LEN];
	mtx_unlock_spin(&queue_lock);
	return (c);
}

int
cncheckc(void)
{
	int c;

	/* Drop what was typed before: it was not meant for the debugger. */
	if (grabbed == 0 && !SCHEDULER_STOPPED())
		return (take_queued());
	c = uart_getc();
	return (c < 0 ? -1 : c);
}

int
cngetc(void)
{
	int c;

	while ((c = cncheckc()) < 0) {
		if (grabbed == 0 && !SCHEDULER_STOPPED())
			tsleep(&queue, 0, "ttyin", hz);
	}
	return (c);
}

void
cngrab(void)
{
	grabbed++;
}

void
cnungrab(void)
{
	grabbed--;
}

void
cngets(char *line, size_t room)
{
	size_t len = 0;
	int c;

	for (;;) {
		c = cngetc();
		if (c == '\r' || c == '\n')
			break;
		if ((c == '\b' || c == 0x7f) && len > 0) {
			len--;
			printf("\b \b");
		} else if (c >= ' ' && c < 0x7f && len + 1 < room) {
			line[len++] = (char)c;
			printf("%c", c);
		}
	}
	line[len] = '\0';
	printf("\n");
}
