/*
 * The serial line.
 */
#ifndef KERNEL_DEV_UART_H
#define KERNEL_DEV_UART_H

#define UART_NONE  (-1) /* nothing came */
#define UART_BREAK (-2)

void uart_init(void);
void uart_putc(int c);

/* A character, UART_NONE or UART_BREAK; does not wait. */
int uart_getc(void);

#endif
