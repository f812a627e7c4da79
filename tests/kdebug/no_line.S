/*
 * A function whose code comes from no line: compilers say so with line 0, and
 * assemblers cannot, so that its debug information is written out by hand.
 * DWARF 4.
 */
	.text
	.globl	no_line, no_line_pc
no_line:
	nop
no_line_pc:
	ret
no_line_end:

	.section .debug_abbrev, "", @progbits
abbrevs:
	.uleb128 1, 0x11	/* DW_TAG_compile_unit */
	.byte	0		/* it has no children */
	.uleb128 0x03, 0x08	/* DW_AT_name, DW_FORM_string */
	.uleb128 0x10, 0x17	/* DW_AT_stmt_list, DW_FORM_sec_offset */
	.uleb128 0x11, 0x01	/* DW_AT_low_pc, DW_FORM_addr */
	.uleb128 0x12, 0x07	/* DW_AT_high_pc, DW_FORM_data8 */
	.uleb128 0, 0, 0

	.section .debug_info, "", @progbits
	.long	unit_end - unit
unit:
	.value	4		/* version */
	.long	abbrevs
	.byte	8		/* bytes in an address */
	.uleb128 1
	.asciz	"no_line.S"
	.long	lines
	.quad	no_line
	.quad	no_line_end - no_line
unit_end:

	.section .debug_line, "", @progbits
lines:
	.long	lines_end - version
version:
	.value	4
	.long	program - header
header:
	.byte	1, 1, 1		/* instructions, operations, is_stmt */
	.byte	-5, 14, 10	/* line base, line range, first special opcode */
	.byte	0, 1, 1, 1, 1, 0, 0, 0, 1
	.byte	0		/* no directories */
	.asciz	"no_line.S"
	.uleb128 0, 0, 0
	.byte	0		/* no more files */
program:
	.byte	0, 9, 2		/* DW_LNE_set_address */
	.quad	no_line
	.byte	3		/* DW_LNS_advance_line, from 1 to 0 */
	.sleb128 -1
	.byte	1		/* DW_LNS_copy */
	.byte	2		/* DW_LNS_advance_pc */
	.uleb128 no_line_end - no_line
	.byte	0, 1, 1		/* DW_LNE_end_sequence */
lines_end:

	.section .note.GNU-stack, "", @progbits
