/*
 * Compilation units that share one list of ranges: a small file that asks for
 * a table of UNITS * RANGES entries.  DWARF 4.
 */
#define UNITS  1100
#define RANGES 1000

	.text
	.globl	many_ranges
many_ranges:
	ret

	.section .debug_abbrev, "", @progbits
abbrevs:
	.uleb128 1, 0x11	/* DW_TAG_compile_unit */
	.byte	0		/* it has no children */
	.uleb128 0x11, 0x01	/* DW_AT_low_pc, DW_FORM_addr */
	.uleb128 0x55, 0x17	/* DW_AT_ranges, DW_FORM_sec_offset */
	.uleb128 0, 0, 0

	.section .debug_info, "", @progbits
	.rept	UNITS
	.long	4f - 3f
3:
	.value	4		/* version */
	.long	abbrevs
	.byte	8		/* bytes in an address */
	.uleb128 1
	.quad	0
	.long	ranges
4:
	.endr

	.section .debug_ranges, "", @progbits
ranges:
	.set	start, 0x1000
	.rept	RANGES
	.quad	start, start + 1
	.set	start, start + 2
	.endr
	.quad	0, 0

	.section .note.GNU-stack, "", @progbits
