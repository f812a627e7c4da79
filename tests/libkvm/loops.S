/*
 * Debug information, by hand, whose types run in circles: a typedef of itself,
 * an array of itself, a structure with an unnamed member of its own type.
 * DWARF 4.
 */
	.text
	.globl	_start
_start:
	nop

	.section .debug_abbrev, "", @progbits
	.uleb128 1, 0x11	/* compile unit, with children, of nothing */
	.byte	1, 0, 0
	.uleb128 2, 0x13	/* structure: name, bytes */
	.byte	1
	.uleb128 0x3, 0x8, 0xb, 0xb
	.byte	0, 0
	.uleb128 3, 0xd		/* member: name, type, location */
	.byte	0
	.uleb128 0x3, 0x8, 0x49, 0x13, 0x38, 0xb
	.byte	0, 0
	.uleb128 4, 0xd		/* unnamed member: type, location */
	.byte	0
	.uleb128 0x49, 0x13, 0x38, 0xb
	.byte	0, 0
	.uleb128 5, 0x16	/* typedef: type */
	.byte	0
	.uleb128 0x49, 0x13
	.byte	0, 0
	.uleb128 6, 0x1		/* array: type */
	.byte	0
	.uleb128 0x49, 0x13
	.byte	0, 0
	.byte	0

	.section .debug_info, "", @progbits
info:
	.long	end - start
start:
	.short	4
	.long	0
	.byte	8
	.uleb128 1
loop_typedef:
	.uleb128 5
	.long	loop_typedef - info
loop_array:
	.uleb128 6
	.long	loop_array - info
loop_struct:
	.uleb128 2
	.asciz	"thread"
	.byte	64
	.rept	8
	.uleb128 4
	.long	loop_struct - info
	.byte	8
	.endr
	.uleb128 3
	.asciz	"td_typedef"
	.long	loop_typedef - info
	.byte	16
	.uleb128 3
	.asciz	"td_array"
	.long	loop_array - info
	.byte	24
	.byte	0
	.byte	0
end:
