package wasm

// Opcodes that the walk treats one by one.
const (
	opUnreachable  = 0x00
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opSelect       = 0x1b
	opSelectTyped  = 0x1c
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opMemorySize   = 0x3f
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opI64LtS       = 0x53
	opI32Ne        = 0x47
	opI64Add       = 0x7c
	opI64Sub       = 0x7d
	opI64Or        = 0x84
	opI64Shl       = 0x86
	opI64ShrU      = 0x88
	opI64ExtendU   = 0xad
	opRefNull      = 0xd0
	opRefFunc      = 0xd2
	opMisc         = 0xfc
	blockEmpty     = 0x40
)

// Instructions behind the prefix 0xfc.
const (
	miscMemoryInit = 8
	miscDataDrop   = 9
	miscMemoryCopy = 10
	miscMemoryFill = 11
	miscTableInit  = 12
	miscElemDrop   = 13
	miscTableCopy  = 14
	miscTableGrow  = 15
	miscTableSize  = 16
	miscTableFill  = 17
)

// immediate says what follows an opcode.
type immediate byte

const (
	_ immediate = iota // no instruction
	// special are control, calls and typed select, whose operands depend on more than the opcode.
	special
	none
	localIndex
	globalIndex
	tableIndex
	functionIndex
	memoryAccess // alignment and offset
	zeroByte     // the memory, of which there is one
	number32
	number64
	bytes4
	bytes8
	heapType
	// resetless are instructions whose effect the host does not undo between calls.
	resetless
)

// instructionKind is what is known of an opcode alone: what follows it, how many operands it takes and leaves, and what
// it costs in units of fuel. A unit is about what an addition takes; divisions and calls take longer.
type instructionKind struct {
	immediate  immediate
	takes      byte
	leaves     byte
	cost       byte
	largestPow byte // memoryAccess: the logarithm of the access's width
}

const (
	costDivide       = 8
	costCall         = 4
	costCallIndirect = 8
)

// kinds is the table of all opcodes of WebAssembly 2.0 without vectors.
func kindsOf() (kinds [256]instructionKind) {
	set := func(from, to int, k instructionKind) {
		if k.cost == 0 {
			k.cost = 1
		}
		for op := from; op <= to; op++ {
			kinds[op] = k
		}
	}
	for _, op := range []int{opUnreachable, opBlock, opLoop, opIf, opElse, opEnd, opBr, opBrIf, opBrTable, opReturn, opSelectTyped, opMisc} {
		set(op, op, instructionKind{immediate: special})
	}
	set(opCall, opCall, instructionKind{immediate: special, cost: costCall})
	set(opCallIndirect, opCallIndirect, instructionKind{immediate: special, cost: costCallIndirect})
	set(0x01, 0x01, instructionKind{immediate: none})           // nop
	set(0x1a, 0x1a, instructionKind{immediate: none, takes: 1}) // drop
	set(0x1b, 0x1b, instructionKind{immediate: none, takes: 3, leaves: 1})
	set(opLocalGet, opLocalGet, instructionKind{immediate: localIndex, leaves: 1})
	set(opLocalSet, opLocalSet, instructionKind{immediate: localIndex, takes: 1})
	set(opLocalTee, opLocalTee, instructionKind{immediate: localIndex, takes: 1, leaves: 1})
	set(opGlobalGet, opGlobalGet, instructionKind{immediate: globalIndex, leaves: 1})
	set(opGlobalSet, opGlobalSet, instructionKind{immediate: globalIndex, takes: 1})
	set(0x25, 0x25, instructionKind{immediate: tableIndex, takes: 1, leaves: 1}) // table.get
	set(0x26, 0x26, instructionKind{immediate: resetless})                       // table.set
	for op, pow := range map[int]byte{
		0x28: 2, 0x29: 3, 0x2a: 2, 0x2b: 3, // i32, i64, f32, f64.load
		0x2c: 0, 0x2d: 0, 0x2e: 1, 0x2f: 1, 0x30: 0, 0x31: 0, 0x32: 1, 0x33: 1, 0x34: 2, 0x35: 2, // narrow loads
	} {
		set(op, op, instructionKind{immediate: memoryAccess, takes: 1, leaves: 1, largestPow: pow})
	}
	for op, pow := range map[int]byte{0x36: 2, 0x37: 3, 0x38: 2, 0x39: 3, 0x3a: 0, 0x3b: 1, 0x3c: 0, 0x3d: 1, 0x3e: 2} {
		set(op, op, instructionKind{immediate: memoryAccess, takes: 2, largestPow: pow})
	}
	set(opMemorySize, opMemorySize, instructionKind{immediate: zeroByte, leaves: 1})
	set(opMemoryGrow, opMemoryGrow, instructionKind{immediate: zeroByte, takes: 1, leaves: 1})
	set(opI32Const, opI32Const, instructionKind{immediate: number32, leaves: 1})
	set(opI64Const, opI64Const, instructionKind{immediate: number64, leaves: 1})
	set(opF32Const, opF32Const, instructionKind{immediate: bytes4, leaves: 1})
	set(opF64Const, opF64Const, instructionKind{immediate: bytes8, leaves: 1})
	one := instructionKind{immediate: none, takes: 1, leaves: 1}
	two := instructionKind{immediate: none, takes: 2, leaves: 1}
	slow := instructionKind{immediate: none, takes: 2, leaves: 1, cost: costDivide}
	set(0x45, 0x45, one)  // i32.eqz
	set(0x46, 0x4f, two)  // comparisons of i32
	set(0x50, 0x50, one)  // i64.eqz
	set(0x51, 0x66, two)  // comparisons of i64, f32, f64
	set(0x67, 0x69, one)  // i32.clz, ctz, popcnt
	set(0x6a, 0x6c, two)  // i32.add, sub, mul
	set(0x6d, 0x70, slow) // i32.div, rem
	set(0x71, 0x78, two)
	set(0x79, 0x7b, one)  // i64.clz, ctz, popcnt
	set(0x7c, 0x7e, two)  // i64.add, sub, mul
	set(0x7f, 0x82, slow) // i64.div, rem
	set(0x83, 0x8a, two)
	for _, first := range []int{0x8b, 0x99} { // f32, f64
		set(first, first+5, one) // abs, neg, ceil, floor, trunc, nearest
		set(first+6, first+6, instructionKind{immediate: none, takes: 1, leaves: 1, cost: costDivide})
		set(first+7, first+9, two)    // add, sub, mul
		set(first+10, first+10, slow) // div
		set(first+11, first+13, two)  // min, max, copysign
	}
	set(0xa7, 0xc4, one) // conversions and sign extensions
	set(opRefNull, opRefNull, instructionKind{immediate: heapType, leaves: 1})
	set(0xd1, 0xd1, one) // ref.is_null
	set(opRefFunc, opRefFunc, instructionKind{immediate: functionIndex, leaves: 1})
	return kinds
}
