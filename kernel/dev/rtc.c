/*
 * The CMOS real-time clock, MC146818.
 */
#include "kernel/dev/rtc.h"
#include "kernel/machine/cpufunc.h"


#define RTC_INDEX 0x70
#define RTC_DATA  0x71

#define REG_SEC	   0x00
#define REG_MIN	   0x02
#define REG_HOUR   0x04
#define REG_DAY	   0x07
#define REG_MONTH  0x08
#define REG_YEAR   0x09 /* of the century; this is the 21st */
#define REG_A	   0x0a
#define REG_B	   0x0b
#define A_UPDATING 0x80
#define B_BINARY   0x04

static uint8_t
rtc_reg(uint8_t reg)
{
	outb(RTC_INDEX, reg);
	return (inb(RTC_DATA));
}

static unsigned int
rtc_number(uint8_t reg)
{
	unsigned int v = rtc_reg(reg);

	if ((rtc_reg(REG_B) & B_BINARY) != 0)
		return (v);
	return ((v >> 4) * 10 + (v & 0xf));
}

/*
 * Days from 1970-01-01 to a date: March is the first month of a year here, so
 * that the leap day comes last.
 */
static uint64_t
days_to(unsigned int year, unsigned int month, unsigned int day)
{
	unsigned int m = month > 2 ? month - 3 : month + 9;
	unsigned int y = month > 2 ? year : year - 1;

	return (365 * (uint64_t)y + y / 4 - y / 100 + y / 400 +
	    (153 * m + 2) / 5 + day - 1 - 719468);
}

uint64_t
rtc_read(void)
{
	uint64_t days;

	for (int i = 0; i < 100000; i++) {
		if ((rtc_reg(REG_A) & A_UPDATING) == 0)
			break;
	}
	days = days_to(2000 + rtc_number(REG_YEAR), rtc_number(REG_MONTH),
	    rtc_number(REG_DAY));
	return (((days * 24 + rtc_number(REG_HOUR)) * 60 +
		    rtc_number(REG_MIN)) *
		60 +
	    rtc_number(REG_SEC));
}
