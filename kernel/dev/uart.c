/*
 * The serial line COM1, a 16550, polled: no interrupt, no lock, no state that
 * a crash could leave half changed.
 */
#include "kernel/dev/uart.h"
#include "kernel/machine/cpufunc.h"


#define COM1 0x3f8

/* Registers. */
#define REG_DATA 0
#define REG_IER	 1
#define REG_FCR	 2
#define REG_LCR	 3
#define REG_MCR	 4
#define REG_LSR	 5

#define LCR_DLAB  0x80 /* data and IER are the divisor */
#define LCR_8BIT  0x03
#define FCR_ON	  0x07 /* enabled, both queues cleared */
#define MCR_ON	  0x03 /* DTR, RTS */
#define LSR_RXRDY 0x01
#define LSR_BREAK 0x10
#define LSR_TXRDY 0x20

/* Spins to wait for a character to leave; then the line is dead. */
#define TX_SPINS 1000000

void
uart_init(void)
{
	outb(COM1 + REG_IER, 0);
	outb(COM1 + REG_LCR, LCR_DLAB | LCR_8BIT);
	outb(COM1 + REG_DATA, 1); /* 115200 baud */
	outb(COM1 + REG_IER, 0);
	outb(COM1 + REG_LCR, LCR_8BIT);
	outb(COM1 + REG_FCR, FCR_ON);
	outb(COM1 + REG_MCR, MCR_ON);
}

void
uart_putc(int c)
{
	for (int i = 0; i < TX_SPINS; i++) {
		if ((inb(COM1 + REG_LSR) & LSR_TXRDY) != 0)
			break;
		ia32_pause();
	}
	outb(COM1 + REG_DATA, (uint8_t)c);
}

int
uart_getc(void)
{
	uint8_t lsr = inb(COM1 + REG_LSR);

	if ((lsr & LSR_RXRDY) == 0)
		return ((lsr & LSR_BREAK) != 0 ? UART_BREAK : UART_NONE);
	if ((lsr & LSR_BREAK) != 0) {
		(void)inb(COM1 + REG_DATA); /* the break's NUL */
		return (UART_BREAK);
	}
	return (inb(COM1 + REG_DATA));
}
