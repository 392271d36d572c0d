// Package wasm reads WebAssembly modules before any compiler sees them, and rewrites them so that what a guest
// executes is counted.
//
// Read walks every section and every function body. It holds each announced count against the bytes that are left, and
// bounds whatever makes a compiler slow, so that no file can end, stall or bloat the host. It does not check the types
// of operands: the compiler does, and does it well. It refuses what a host that resets instances cannot undo.
//
// Rewrite counts fuel and native stack in two globals, and exports the guest's own globals, so that a host can set and
// restore them. docs/decisions/plugin-fuel.md says what is charged when, and why.
package wasm

import "slices"

// MaxBytes is the size of the largest file that is read: five times a Go guest with a good deal of the standard library.
// What a decoder and a compiler need grows with it.
const MaxBytes = 16 << 20

// Header is the magic number and version 1.
const Header = "\x00asm\x01\x00\x00\x00"

// Section ids of the WebAssembly specification.
const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
	sectionData
	sectionDataCount
)

// Kind says what is imported or exported.
type Kind byte

// The kinds, as the binary format writes them.
const (
	Function Kind = iota
	Table
	Memory
	Global
)

// ValueType is a type of values, as the binary format writes it.
type ValueType byte

// The types of values. There are no vectors.
const (
	I32       ValueType = 0x7f
	I64       ValueType = 0x7e
	F32       ValueType = 0x7d
	F64       ValueType = 0x7c
	FuncRef   ValueType = 0x70
	ExternRef ValueType = 0x6f
)

func (t ValueType) number() bool    { return t >= F64 && t <= I32 }
func (t ValueType) reference() bool { return t == FuncRef || t == ExternRef }

// Signature is the type of a function: a byte, which is a ValueType, for each parameter and result.
type Signature struct{ Params, Results string }

// Import is an imported function.
type Import struct {
	From, Name string
	Signature  Signature
}

// Export is an exported function, table, memory or global.
type Export struct {
	Name string
	Kind Kind
	// Index among the things of its kind, the imported ones first.
	Index int
	// Signature of a function.
	Signature Signature
}

// GlobalType is the type of a global of the module's own.
type GlobalType struct {
	Type    ValueType
	Mutable bool
}

// Custom is a custom section.
type Custom struct {
	Name string
	Body []byte
}

// Module is a module that passed Read. Its texts and sections are parts of the file that was read, which must not be
// changed as long as the module is used.
type Module struct {
	Imports []Import
	Exports []Export
	Globals []GlobalType
	Custom  []Custom
	// Data are the segments of data, which fit into the memory that it begins with.
	Data []Segment
	// Memories of its own: none or one.
	Memories int
	// MemoryPages is what the memory begins with, and MemoryMaximum how far it may grow by itself, in pages of 64 KiB.
	MemoryPages, MemoryMaximum int

	wasm      []byte
	types     []Signature
	functions []uint32 // type of each function, the imported ones first
	tables    []uint32 // elements that each begins with
	bodies    []body
	sections  []section
	// callees are the functions of its own that bodies call directly, counted without the imported ones.
	callees []uint32
	// elementsAt are the places of function indices in element segments.
	elementsAt []span
	dataCount  int // announced by the data count section, or -1
	segments   int
}

// Segment is data that belongs into the memory at an offset.
type Segment struct {
	Offset uint32
	Bytes  []byte
}

// span is a part of the file.
type span struct{ at, end int }

// section is one section's place in the file: its id and size, and the body behind them.
type section struct {
	id             byte
	start, at, end int
}

// body is what Read learned about one function of the module's own.
type body struct {
	// groups is the number of groups of locals, locals are where they begin; start is where its instructions begin, and
	// end is behind its last `end`.
	groups, locals, start, end int
	signature                  uint32
	params                     int
	own                        int  // locals without parameters
	height                     int  // of its operand stack, at most
	labels                     int  // blocks, loops and ifs
	blocks                     int  // stretches of straight code, roughly
	callsMade, targets         int  // calls, and entries of branch tables
	moved                      int  // values that branches and calls take along
	sets                       int  // assignments of locals
	crossing                   int  // operands that wait for a call to end, of all calls
	calls, loops, indirect     bool // it calls, it loops, it calls through a table
	// calleesFrom and calleesTo are its part of callees.
	calleesFrom, calleesTo int
	// moves says that it has a memory.copy, memory.fill or memory.grow, which are charged by their operand.
	moves bool
}

// Function returns the signature of an exported function, and whether there is one of that name.
func (m *Module) Function(name string) (Signature, bool) {
	e, ok := m.Export(name)
	return e.Signature, ok && e.Kind == Function
}

// Export returns the export of a name, and whether there is one.
func (m *Module) Export(name string) (Export, bool) {
	i := slices.IndexFunc(m.Exports, func(e Export) bool { return e.Name == name })
	if i < 0 {
		return Export{}, false
	}
	return m.Exports[i], true
}
