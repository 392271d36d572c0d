package wasm

import (
	"strings"
)

// Bounds of a module. wazero's decoder allocates by the counts that a file announces, before it reads the elements,
// and its compiler's time and memory grow with them, some faster than linearly, so every count is held against the
// bytes that are left and against these. In brackets: what a Go guest with protobuf and JSON has.
const (
	maxTypes     = 5_000
	maxParams    = 100 // parameters or results of one type
	maxAllParams = 50_000
	maxImports   = 200
	maxFunctions = 50_000
	maxTables    = 8
	maxTableSize = 100_000
	maxGlobals   = 10_000
	maxExports   = 1_000
	maxSegments  = 100_000
	maxElements  = 100_000 // of all element segments
	maxName      = 1_000   // bytes
	maxPages     = 1 << 16
)

// reserved begins the names that Rewrite gives to what it exports. No module may use them.
const reserved = "onething:"

// Read reads a module. The error is an *Error. It allocates by what is there, never by what the file announces, and
// takes about ten milliseconds for each megabyte.
func Read(wasm []byte) (*Module, error) {
	r := &reader{wasm: wasm, end: len(wasm), section: -1, function: -1}
	switch {
	case len(wasm) > MaxBytes:
		r.fail(ErrBound, "has %d bytes, at most %d are accepted", len(wasm), MaxBytes)
	case len(wasm) < len(Header) || string(wasm[:len(Header)]) != Header:
		r.malformed("no magic number and version 1 at its start")
	}
	w := walker{Module: &Module{wasm: wasm, dataCount: -1}, kinds: kindsOf()}
	r.at = min(len(Header), len(wasm))
	previous := 0
	for r.err == nil && r.at < r.end {
		s := section{start: r.at, id: r.byte()}
		size := int(r.uint32())
		if size > r.left() {
			r.malformed("section %d is longer than the file", s.id)
		}
		if r.err != nil {
			break
		}
		s.at, s.end = r.at, r.at+size
		inner := &reader{wasm: wasm, at: s.at, end: s.end, section: int(s.id), function: -1}
		if s.id != sectionCustom {
			order := sectionOrder(s.id)
			if order <= previous {
				inner.malformed("stands twice or out of order")
			}
			previous = order
		}
		w.section(s.id, inner)
		if inner.err == nil && inner.at != inner.end {
			inner.malformed("has %d bytes too many", inner.left())
		}
		r.err = inner.err
		r.at = s.end
		w.sections = append(w.sections, s)
	}
	if r.err == nil {
		w.complete(r)
	}
	if r.err != nil {
		return nil, r.err
	}
	return w.Module, nil
}

// sectionOrder is where a section stands: the data count between elements and code.
func sectionOrder(id byte) int {
	if id == sectionDataCount {
		return sectionElement*2 + 1
	}
	return int(id) * 2
}

// walker goes through the sections in order and keeps what later ones refer to.
type walker struct {
	*Module
	kinds    [256]instructionKind
	imported int // functions
	defined  int // functions that the module defines
	names    map[string]bool
	params   int
	branches int // entries of branch tables
	work     int // of all functions
	locals   int // of all functions, without parameters
	blocks   []openBlock
}

func (w *walker) section(id byte, r *reader) {
	switch id {
	case sectionCustom:
		name := r.name()
		if strings.HasPrefix(name, reserved) {
			r.fail(ErrNotAccepted, "has a custom section of the reserved name %q", name)
		}
		w.Custom = append(w.Custom, Custom{name, r.wasm[r.at:r.end]})
		r.at = r.end
	case sectionType:
		for range r.count("types", 3, maxTypes) {
			if form := r.byte(); r.err == nil && form != 0x60 {
				r.fail(ErrNotAccepted, "has a type of form 0x%02x, only functions are accepted", form)
			}
			w.types = append(w.types, Signature{w.valueTypes(r), w.valueTypes(r)})
		}
	case sectionImport:
		for range r.count("imports", 4, maxImports) {
			w.importOne(r)
		}
	case sectionFunction:
		w.defined = r.count("functions", 1, maxFunctions)
		for range w.defined {
			w.function(r)
		}
	case sectionTable:
		for range r.count("tables", 3, maxTables) {
			if t := r.referenceType(); r.err == nil && t != FuncRef {
				r.fail(ErrNotAccepted, "has a table of references to the host's things")
			}
			least, _ := r.limits()
			if least > maxTableSize {
				r.fail(ErrBound, "has a table of %d elements, at most %d are accepted", least, maxTableSize)
			}
			w.tables = append(w.tables, least)
		}
	case sectionMemory:
		w.Memories = r.count("memories", 2, 1)
		for range w.Memories {
			least, most := r.limits()
			if most == 1<<32 {
				most = maxPages
			}
			if least > maxPages || most > maxPages {
				r.malformed("has a memory of more than 4 GiB")
			}
			w.MemoryPages, w.MemoryMaximum = int(least), int(most)
		}
	case sectionGlobal:
		for range r.count("globals", 4, maxGlobals) {
			w.global(r)
		}
	case sectionExport:
		w.names = map[string]bool{}
		for range r.count("exports", 3, maxExports) {
			w.export(r)
		}
	case sectionStart:
		r.fail(ErrNotAccepted, "has a start function; initialise in `_initialize`")
	case sectionElement:
		w.elements(r)
	case sectionDataCount:
		w.dataCount = int(r.uint32())
	case sectionCode:
		w.code(r)
	case sectionData:
		w.data(r)
	default:
		r.malformed("is of an unknown kind")
	}
}

func (w *walker) valueTypes(r *reader) string {
	n := r.count("parameters or results", 1, maxParams)
	if w.params += n; w.params > maxAllParams {
		r.fail(ErrBound, "has more than %d parameters and results", maxAllParams)
	}
	at := r.at
	for range n {
		r.valueType()
	}
	if r.err != nil {
		return ""
	}
	return string(r.wasm[at:r.at])
}

func (w *walker) function(r *reader) {
	t := r.uint32()
	if r.err == nil && int(t) >= len(w.types) {
		r.malformed("refers to type %d of %d", t, len(w.types))
	}
	w.functions = append(w.functions, t)
}

func (w *walker) importOne(r *reader) {
	from, name := r.name(), r.name()
	if strings.HasPrefix(from, reserved) || strings.HasPrefix(name, reserved) {
		r.fail(ErrNotAccepted, "imports the reserved name %q from %q", name, from)
	}
	if kind := r.byte(); r.err == nil && Kind(kind) != Function {
		r.fail(ErrNotAccepted, "imports %q from %q, which is no function", name, from)
	}
	w.function(r)
	if r.err == nil {
		w.Imports = append(w.Imports, Import{from, name, w.types[w.functions[w.imported]]})
		w.imported++
	}
}

func (w *walker) global(r *reader) {
	g := GlobalType{Type: r.valueType()}
	switch mutability := r.byte(); mutability {
	case 0:
	case 1:
		g.Mutable = true
	default:
		r.malformed("has a global of mutability %d", mutability)
	}
	if r.err == nil && !g.Type.number() {
		r.fail(ErrNotAccepted, "has a global that holds a reference")
	}
	w.constant(r)
	w.Globals = append(w.Globals, g)
}

func (w *walker) export(r *reader) {
	e := Export{Name: r.name(), Kind: Kind(r.byte()), Index: int(r.uint32())}
	if r.err != nil {
		return
	}
	if w.names[e.Name] {
		r.malformed("exports %q twice", e.Name)
	}
	if strings.HasPrefix(e.Name, reserved) {
		r.fail(ErrNotAccepted, "exports the reserved name %q", e.Name)
	}
	w.names[e.Name] = true
	there := 0
	switch e.Kind {
	case Function:
		there = len(w.functions)
	case Table:
		there = len(w.tables)
	case Memory:
		there = w.Memories
	case Global:
		there = len(w.Globals)
	default:
		r.malformed("exports %q of an unknown kind", e.Name)
	}
	if r.err == nil && e.Index >= there {
		r.malformed("exports %q, which is number %d of %d", e.Name, e.Index, there)
	}
	if r.err != nil {
		return
	}
	if e.Kind == Function {
		e.Signature = w.types[w.functions[e.Index]]
	}
	w.Exports = append(w.Exports, e)
}

// constant skips a constant expression, which is one instruction, and returns its opcode and, of i32.const and ref.func,
// its operand.
func (w *walker) constant(r *reader) (op byte, value uint32) {
	op = r.byte()
	switch op {
	case opI32Const:
		value = uint32(r.signed(32))
	case opI64Const:
		r.signed(64)
	case opF32Const:
		r.skip(4)
	case opF64Const:
		r.skip(8)
	case opRefFunc:
		value = w.functionIndex(r)
	case opRefNull:
		r.referenceType()
	case opGlobalGet:
		// WebAssembly 2.0 foresees it for imported globals only.
		r.fail(ErrNotAccepted, "refers to a global in a constant expression")
	default:
		r.malformed("has an instruction 0x%02x in a constant expression", op)
	}
	if end := r.byte(); r.err == nil && end != opEnd {
		r.malformed("has a constant expression of more than one instruction")
	}
	return op, value
}

// offset reads where an active segment goes.
func (w *walker) offset(r *reader) uint32 {
	op, offset := w.constant(r)
	if r.err == nil && op != opI32Const {
		r.malformed("has a segment whose place is no i32")
	}
	return offset
}

func (w *walker) functionIndex(r *reader) uint32 {
	f := r.uint32()
	if r.err == nil && int(f) >= len(w.functions) {
		r.malformed("refers to function %d of %d", f, len(w.functions))
	}
	return f
}

// elements reads the segments of elements, and notes where function indices stand.
func (w *walker) elements(r *reader) {
	total := 0
	for range r.count("element segments", 2, maxSegments) {
		flags := r.uint32()
		if flags > 7 {
			r.malformed("has an element segment of kind %d", flags)
		}
		// 3 and 7 only declare that references to functions are taken.
		active, declares, explicit, expressions := flags&1 == 0, flags&3 == 3, flags&2 != 0, flags&4 != 0
		if r.err == nil && !active && !declares {
			r.fail(ErrNotAccepted, "has a passive element segment")
		}
		table, offset := uint32(0), uint32(0)
		if active && explicit {
			table = r.uint32()
		}
		if active {
			offset = w.offset(r)
		}
		if r.err == nil && active && int(table) >= len(w.tables) {
			r.malformed("refers to table %d of %d", table, len(w.tables))
		}
		switch {
		case flags&3 == 0: // functions
		case expressions:
			if t := r.referenceType(); r.err == nil && t != FuncRef {
				r.fail(ErrNotAccepted, "has elements that refer to the host's things")
			}
		default:
			if kind := r.byte(); kind != 0 {
				r.malformed("has elements of kind %d", kind)
			}
		}
		n := r.count("elements", 1, maxElements)
		if total += n; total > maxElements {
			r.fail(ErrBound, "has more than %d elements", maxElements)
		}
		// wazero ignores what lies outside.
		if r.err == nil && active && uint64(offset)+uint64(n) > uint64(w.tables[table]) {
			r.malformed("has %d elements at %d in a table of %d", n, offset, w.tables[table])
		}
		for range n {
			if expressions {
				w.elementExpression(r)
				continue
			}
			at := r.at
			w.functionIndex(r)
			w.elementsAt = append(w.elementsAt, span{at, r.at})
		}
	}
}

func (w *walker) elementExpression(r *reader) {
	at := r.at + 1
	switch op, _ := w.constant(r); {
	case r.err != nil || op == opRefNull:
	case op == opRefFunc:
		w.elementsAt = append(w.elementsAt, span{at, r.at - 1})
	default:
		r.malformed("has an element that is no reference")
	}
}

func (w *walker) data(r *reader) {
	w.segments = r.count("data segments", 2, maxSegments)
	for range w.segments {
		offset := uint32(0)
		switch flags := r.uint32(); flags {
		case 0:
			offset = w.offset(r)
		case 1:
			r.fail(ErrNotAccepted, "has a passive data segment")
		case 2:
			if memory := r.uint32(); memory != 0 {
				r.malformed("refers to memory %d", memory)
			}
			offset = w.offset(r)
		default:
			r.malformed("has a data segment of kind %d", flags)
		}
		size := r.count("bytes of data", 1, MaxBytes)
		from := r.at
		r.skip(size)
		switch {
		case r.err != nil:
		case w.Memories == 0:
			r.malformed("has data for a memory that is not there")
		case uint64(offset)+uint64(size) > uint64(w.MemoryPages)<<16:
			r.malformed("has %d bytes of data at %d in a memory of %d pages", size, offset, w.MemoryPages)
		default:
			w.Data = append(w.Data, Segment{offset, r.wasm[from:r.at]})
		}
	}
}

// complete checks what can be said only after all sections.
func (w *walker) complete(r *reader) {
	switch {
	case len(w.bodies) != w.defined:
		r.malformed("defines %d functions and holds %d bodies", w.defined, len(w.bodies))
	case w.dataCount >= 0 && w.dataCount != w.segments:
		r.malformed("announces %d data segments and holds %d", w.dataCount, w.segments)
	}
}
