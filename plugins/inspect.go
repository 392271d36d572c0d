package plugins

import (
	"errors"
	"fmt"
	"slices"

	"github.com/siyiban/onething/plugins/manifest"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// Bounds of a module. wazero's decoder allocates by the counts that a file announces, before it reads the elements,
// and its compiler's time and memory grow with them, so every count is held against the bytes that are left and
// against these. A Go guest with protobuf has about 40 types, 3,000 functions, 30 exports and 5,000 data segments.
const (
	maxTypes      = 5_000
	maxParams     = 500 // parameters or results of one type
	maxImports    = 200
	maxFunctions  = 50_000
	maxTables     = 8
	maxTableSize  = 100_000
	maxGlobals    = 10_000
	maxExports    = 1_000
	maxSegments   = 100_000
	maxElements   = 100_000 // of all element segments
	maxLocals     = 20_000  // of one function
	maxAllLocals  = 2_000_000
	maxBody       = 1 << 20 // bytes of one function
	maxConstants  = 16      // instructions of a constant expression
	pagesPerMiB   = 16
	maxMemoryPage = 1 << 16
)

// Section ids of the WebAssembly specification.
const (
	sectionType = iota + 1
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

// Kinds of imports and exports.
const (
	kindFunction = iota
	kindTable
	kindMemory
	kindGlobal
)

// signature is a function type: one byte for each parameter and result, as the binary format writes value types.
type signature struct{ params, results string }

const (
	i32 = "\x7f"
	i64 = "\x7e"
)

// Functions that a plugin exports. `_initialize` is optional: a language without a run-time has none.
const (
	exportAlloc      = "onething_alloc"
	exportCall       = "onething_call"
	exportInitialize = "_initialize"
)

// module is what Inspect found.
type module struct {
	manifest *pluginv1.Manifest
	// stripped is the module without its custom sections: wazero's decoder of names allocates by announced counts too,
	// and nothing of them is needed to run.
	stripped []byte
	// memoryPages is the memory that the module begins with.
	memoryPages uint32
	initialise  bool // it exports _initialize
}

// Inspect says what keeps a .wasm file from being a plugin that this host runs, before any decoder or compiler sees
// it; nil means that nothing does. It costs about two milliseconds for each megabyte.
func Inspect(wasm []byte) error {
	_, err := inspect(wasm)
	return err
}

func inspect(wasm []byte) (*module, error) {
	m, err := manifest.Read(wasm)
	if err != nil {
		return nil, err
	}
	sections, err := manifest.Sections(wasm)
	if err != nil {
		return nil, err
	}
	w := walker{found: &module{manifest: m}, host: hostFunctions()}
	w.found.stripped = append(make([]byte, 0, len(wasm)), wasm[:8]...)
	previous := 0
	for _, s := range sections {
		if s.ID == manifest.CustomSection {
			continue
		}
		// The data count stands between elements and code.
		order := int(s.ID) * 2
		if s.ID == sectionDataCount {
			order = sectionElement*2 + 1
		}
		if order <= previous {
			return nil, fmt.Errorf("section %d stands twice or out of order", s.ID)
		}
		previous = order
		r := &reader{left: s.Body}
		w.section(s.ID, r)
		if r.err == nil && len(r.left) != 0 {
			r.fail("has %d bytes too many", len(r.left))
		}
		if r.err != nil {
			return nil, fmt.Errorf("section %d: %w", s.ID, r.err)
		}
		w.found.stripped = append(w.found.stripped, wasm[s.Offset:s.End]...)
	}
	if err := w.complete(); err != nil {
		return nil, err
	}
	return w.found, nil
}

// reader reads the binary format. After a fault every read returns zero, so that the walk needs one look at the end.
type reader struct {
	left []byte
	err  error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
	r.left = nil
}

func (r *reader) byte() byte {
	if len(r.left) == 0 {
		r.fail("ends too early")
		return 0
	}
	b := r.left[0]
	r.left = r.left[1:]
	return b
}

func (r *reader) uint32() uint32 {
	v, n := manifest.Uint32(r.left)
	if n == 0 {
		r.fail("ends too early, or holds a number of more than 32 bits")
		return 0
	}
	r.left = r.left[n:]
	return v
}

// count reads how many elements follow, each of at least size bytes, and refuses what the bytes left cannot hold.
func (r *reader) count(what string, size, most int) int {
	n := int(r.uint32())
	if n > most {
		r.fail("announces %d %s, at most %d are accepted", n, what, most)
		return 0
	}
	if n*size > len(r.left) {
		r.fail("announces %d %s in %d bytes", n, what, len(r.left))
		return 0
	}
	return n
}

func (r *reader) bytes(n int) []byte {
	if n > len(r.left) {
		r.fail("ends too early")
		return nil
	}
	b := r.left[:n]
	r.left = r.left[n:]
	return b
}

func (r *reader) name() string { return string(r.bytes(r.count("bytes of a name", 1, 1_000))) }

// skipNumber skips a signed LEB128 number of at most bytes bytes.
func (r *reader) skipNumber(bytes int) {
	for range bytes {
		if r.byte() < 0x80 {
			return
		}
	}
	r.fail("holds a number that is too long")
}

// limits reads the limits of a table or memory.
func (r *reader) limits() (least uint32) {
	switch flags := r.byte(); flags {
	case 0:
		return r.uint32()
	case 1:
		least = r.uint32()
		if most := r.uint32(); most < least {
			r.fail("has a maximum below its minimum")
		}
		return least
	default:
		r.fail("has limits of kind %d: shared and 64-bit ones are not accepted", flags)
		return 0
	}
}

// valueType reads the type of a value: numbers and references, no vectors.
func (r *reader) valueType() byte {
	t := r.byte()
	if r.err == nil && (t < 0x7c || t > 0x7f) && t != 0x70 && t != 0x6f {
		r.fail("uses the value type 0x%02x, which is not accepted", t)
	}
	return t
}

func (r *reader) valueTypes() string {
	n := r.count("parameters or results", 1, maxParams)
	types := make([]byte, 0, n)
	for range n {
		types = append(types, r.valueType())
	}
	return string(types)
}

// constant skips a constant expression.
func (r *reader) constant() {
	for range maxConstants {
		switch op := r.byte(); op {
		case 0x0b: // end
			return
		case 0x41: // i32.const
			r.skipNumber(5)
		case 0x42: // i64.const
			r.skipNumber(10)
		case 0x43: // f32.const
			r.bytes(4)
		case 0x44: // f64.const
			r.bytes(8)
		case 0x23, 0xd2: // global.get, ref.func
			r.uint32()
		case 0xd0: // ref.null
			r.byte()
		default:
			r.fail("has an instruction 0x%02x in a constant expression", op)
		}
	}
	r.fail("has a constant expression without an end")
}

// walker goes through the sections in order and keeps what later ones refer to.
type walker struct {
	found     *module
	host      map[string]map[string]hostFunction
	types     []signature
	functions []uint32 // type of each function, the imported ones first
	defined   int      // functions that the module defines
	memories  int
	exports   map[string]export
	bodies    int
}

type export struct {
	kind  byte
	index uint32
}

func (w *walker) section(id byte, r *reader) {
	switch id {
	case sectionType:
		for range r.count("types", 3, maxTypes) {
			if form := r.byte(); r.err == nil && form != 0x60 {
				r.fail("has a type of form 0x%02x, only functions are accepted", form)
			}
			w.types = append(w.types, signature{r.valueTypes(), r.valueTypes()})
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
			r.valueType()
			if least := r.limits(); least > maxTableSize {
				r.fail("has a table of %d elements, at most %d are accepted", least, maxTableSize)
			}
		}
	case sectionMemory:
		w.memories = r.count("memories", 2, 1)
		for range w.memories {
			w.found.memoryPages = r.limits()
		}
		if w.found.memoryPages > maxMemoryPage {
			r.fail("has a memory of more than 4 GiB")
		}
	case sectionGlobal:
		for range r.count("globals", 4, maxGlobals) {
			r.valueType()
			r.byte()
			r.constant()
		}
	case sectionExport:
		w.exports = map[string]export{}
		for range r.count("exports", 3, maxExports) {
			name, e := r.name(), export{r.byte(), r.uint32()}
			if _, twice := w.exports[name]; twice {
				r.fail("exports %q twice", name)
			}
			w.exports[name] = e
		}
	case sectionStart:
		r.fail("has a start function; initialise in `_initialize`")
	case sectionElement:
		w.elements(r)
	case sectionDataCount:
		r.uint32()
	case sectionCode:
		w.code(r)
	case sectionData:
		for range r.count("data segments", 2, maxSegments) {
			switch flags := r.uint32(); flags {
			case 0:
				r.constant()
			case 1:
			case 2:
				r.uint32()
				r.constant()
			default:
				r.fail("has a data segment of kind %d", flags)
			}
			r.bytes(r.count("bytes of data", 1, manifest.MaxModuleBytes))
		}
	default:
		r.fail("is of a kind that is not accepted")
	}
}

func (w *walker) function(r *reader) {
	t := r.uint32()
	if r.err == nil && int(t) >= len(w.types) {
		r.fail("refers to type %d of %d", t, len(w.types))
	}
	w.functions = append(w.functions, t)
}

func (w *walker) importOne(r *reader) {
	from, name := r.name(), r.name()
	if kind := r.byte(); r.err == nil && kind != kindFunction {
		r.fail("imports %q %q, which is no function", from, name)
	}
	w.function(r)
	if r.err != nil {
		return
	}
	want, ok := w.host[from][name]
	if !ok {
		r.fail("imports %q from %q, which no plugin gets (files, environment and network are not there)", name, from)
		return
	}
	if got := w.types[w.functions[len(w.functions)-1]]; got != want.signature {
		r.fail("imports %q from %q with another signature than the interface's", name, from)
	}
}

func (w *walker) elements(r *reader) {
	total := 0
	for range r.count("element segments", 3, maxSegments) {
		flags := r.uint32()
		if flags > 7 {
			r.fail("has an element segment of kind %d", flags)
		}
		active, explicit, expressions := flags&1 == 0, flags&2 != 0, flags&4 != 0
		if active && explicit {
			r.uint32() // table
		}
		if active {
			r.constant()
		}
		if flags&3 != 0 {
			r.byte() // kind or type of the elements
		}
		n := r.count("elements", 1, maxElements)
		if total += n; total > maxElements {
			r.fail("has more than %d elements", maxElements)
		}
		for range n {
			if expressions {
				r.constant()
			} else {
				r.uint32()
			}
		}
	}
}

func (w *walker) code(r *reader) {
	w.bodies = r.count("function bodies", 3, maxFunctions)
	all := 0
	for i := range w.bodies {
		body := &reader{left: r.bytes(r.count("bytes of a function", 1, maxBody))}
		locals := 0
		for range body.count("groups of locals", 2, maxLocals) {
			// A group announces up to four billion locals in six bytes.
			n := body.uint32()
			body.valueType()
			if n > maxLocals || locals+int(n) > maxLocals {
				body.fail("has more than %d locals", maxLocals)
				break
			}
			locals += int(n)
		}
		if all += locals; all > maxAllLocals {
			r.fail("has more than %d locals", maxAllLocals)
		}
		if r.err == nil && body.err != nil {
			r.fail("function %d: %w", i, body.err)
		}
	}
}

// complete checks what can be said only after all sections.
func (w *walker) complete() error {
	if w.memories != 1 {
		return errors.New("has no memory of its own")
	}
	if w.bodies != w.defined {
		return fmt.Errorf("defines %d functions and holds %d bodies", w.defined, w.bodies)
	}
	if e, ok := w.exports["memory"]; !ok || e.kind != kindMemory || e.index != 0 {
		return errors.New("does not export its memory as \"memory\"")
	}
	for _, f := range []struct {
		name     string
		want     signature
		optional bool
	}{
		{name: exportAlloc, want: signature{i32, i32}},
		{name: exportCall, want: signature{i32 + i32, i64}},
		{name: exportInitialize, want: signature{}, optional: true},
	} {
		e, ok := w.exports[f.name]
		switch {
		case !ok && f.optional:
		case !ok:
			return fmt.Errorf("does not export the function %q", f.name)
		case e.kind != kindFunction || int(e.index) >= len(w.functions) || w.types[w.functions[e.index]] != f.want:
			return fmt.Errorf("exports %q as something else than the interface's function", f.name)
		case f.optional:
			w.found.initialise = true
		}
	}
	// A Go guest that was built as a command, not as a reactor, has a _start that runs main and ends the module.
	if _, ok := w.exports["_start"]; ok {
		return errors.New("exports \"_start\": it is a command; build it as a reactor (Go: -buildmode=c-shared)")
	}
	for name, e := range w.exports {
		if !slices.Contains([]byte{kindFunction, kindTable, kindMemory, kindGlobal}, e.kind) {
			return fmt.Errorf("exports %q of an unknown kind", name)
		}
	}
	return nil
}
