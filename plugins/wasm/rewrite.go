package wasm

import (
	"slices"
	"strconv"
)

// Version of the rewriter. It stands beside a module's digest wherever a decision is recorded: what a call takes in
// fuel, and so whether it ends, depends on both.
const Version = 1

// Globals that Rewrite adds and exports, both i64 and 0 before the host sets them.
const (
	// FuelGlobal counts down. When it is below zero the guest calls the host's refuel function.
	FuelGlobal = reserved + "fuel"
	// DepthGlobal is the native stack that is left, in bytes: it counts down by a function's frame when it begins and up
	// when it ends. When it is below zero the guest traps (unreachable) and leaves it so.
	DepthGlobal = reserved + "depth"
)

// The function of type () → () that Rewrite makes a guest import and call when FuelGlobal is below zero. The call that is
// to be paid has not been executed yet, and may cost more than one filling: the global says how much is missing. The
// host adds to it and returns, or ends the guest. What a guest executes between two looks at the fuel is bounded.
const (
	RefuelModule   = reserved + "host"
	RefuelFunction = "refuel"
)

// What is charged beside instructions.
const (
	// moveShift: a unit for each 8 bytes of memory.copy and memory.fill.
	moveShift = 3
	// growShift: 8192 units for each page that memory.grow adds, which is what filling it with zeros takes.
	growShift = 13
)

// Rewritten is a module that counts what it executes.
type Rewritten struct {
	// Module is instrumented, without custom sections and without data segments. It imports the refuel function, and
	// exports FuelGlobal, DepthGlobal and Globals besides what it exported before.
	Module []byte
	// Data are the data segments, which the host writes into the memory before anything runs. The bytes are the read
	// file's.
	Data []Segment
	// Globals are the names under which the module's own mutable globals are exported, in their order.
	Globals []string
}

// Rewrite instruments the module. A module that the compiler accepts is accepted rewritten too, and answers alike as
// long as it has fuel and stack. The same call takes the same fuel.
func (m *Module) Rewrite() Rewritten { return m.rewrite(usual()) }

func (m *Module) rewrite(t tariff) Rewritten {
	w := writer{account: account{tariff: t, walker: &walker{Module: m, kinds: kindsOf()}}, types: slices.Clone(m.types)}
	result := Rewritten{Data: m.Data}
	parts := map[byte][]byte{}
	for _, s := range m.sections {
		if s.id != sectionCustom && s.id != sectionData && s.id != sectionDataCount {
			parts[s.id] = m.wasm[s.at:s.end]
		}
	}
	if code, ok := parts[sectionCode]; ok {
		parts[sectionCode] = w.code(make([]byte, 0, len(code)*3/2))
	}
	if _, ok := parts[sectionElement]; ok {
		parts[sectionElement] = w.elements()
	}
	refuel := appendName(appendName(nil, RefuelModule), RefuelFunction)
	refuel = appendUint32(append(refuel, byte(Function)), uint32(w.typeIndex(Signature{})))
	parts[sectionImport] = insert(parts[sectionImport], len(m.Imports)+1, refuel)
	parts[sectionType] = extend(parts[sectionType], len(w.types), w.appendTypes(nil, len(m.types)))
	var globals []byte
	for range 2 {
		globals = append(globals, byte(I64), 1, opI64Const, 0, opEnd)
	}
	parts[sectionGlobal] = extend(parts[sectionGlobal], len(m.Globals)+2, globals)
	for i, g := range m.Globals {
		if g.Mutable {
			result.Globals = append(result.Globals, reserved+"global:"+strconv.Itoa(i))
		}
	}
	parts[sectionExport] = w.exports()

	ids := make([]byte, 0, len(parts))
	size := len(Header)
	for id, part := range parts {
		ids = append(ids, id)
		size += len(part) + 6
	}
	slices.SortFunc(ids, func(a, b byte) int { return sectionOrder(a) - sectionOrder(b) })
	result.Module = append(make([]byte, 0, size), Header...)
	for _, id := range ids {
		result.Module = append(result.Module, id)
		result.Module = appendUint32(result.Module, uint32(len(parts[id])))
		result.Module = append(result.Module, parts[id]...)
	}
	return result
}

// extend returns a section's body with another count and more elements behind. A body begins with its count, or is
// empty.
func extend(body []byte, count int, more []byte) []byte {
	_, n := Uint32(body)
	out := appendUint32(make([]byte, 0, len(body)+len(more)+5), uint32(count))
	out = append(out, body[n:]...)
	return append(out, more...)
}

// insert is extend with the further elements in front.
func insert(body []byte, count int, more []byte) []byte {
	_, n := Uint32(body)
	out := appendUint32(make([]byte, 0, len(body)+len(more)+5), uint32(count))
	out = append(out, more...)
	return append(out, body[n:]...)
}

func appendName(b []byte, name string) []byte {
	return append(appendUint32(b, uint32(len(name))), name...)
}

func appendExport(b []byte, name string, kind Kind, index int) []byte {
	return appendUint32(append(appendName(b, name), byte(kind)), uint32(index))
}

// shifted is a function's index behind the function that was added in front of all others.
func shifted(function int) int { return function + 1 }

// writer writes what changes anew.
type writer struct {
	account
	types []Signature
	out   []byte
	body  *body
	// frame is what the function takes off the depth, 0 if nothing.
	frame int
	// asks says that the function looks at the fuel when it begins. Then its body is a loop that is run once; around is the
	// number of labels within the one that stands for the function's.
	asks    bool
	around  int
	local   uint32 // the fuel, in loops that call nothing
	operand uint32 // the operand of a move, and behind it what memory.grow answers
}

func (w *writer) fuel() int  { return len(w.Globals) }
func (w *writer) depth() int { return len(w.Globals) + 1 }

func (w *writer) exports() []byte {
	count, b := len(w.Exports)+2, []byte(nil)
	for _, e := range w.Exports {
		if e.Kind == Function {
			e.Index = shifted(e.Index)
		}
		b = appendExport(b, e.Name, e.Kind, e.Index)
	}
	b = appendExport(b, FuelGlobal, Global, w.fuel())
	b = appendExport(b, DepthGlobal, Global, w.depth())
	for i, g := range w.Globals {
		if g.Mutable {
			b = appendExport(b, reserved+"global:"+strconv.Itoa(i), Global, i)
			count++
		}
	}
	return extend(nil, count, b)
}

func (w *writer) elements() []byte {
	i := slices.IndexFunc(w.sections, func(s section) bool { return s.id == sectionElement })
	at, b := w.sections[i].at, []byte(nil)
	for _, place := range w.elementsAt {
		b = append(b, w.wasm[at:place.at]...)
		function, _ := Uint32(w.wasm[place.at:place.end])
		b = appendUint32(b, uint32(shifted(int(function))))
		at = place.end
	}
	return append(b, w.wasm[at:w.sections[i].end]...)
}

func (w *writer) typeIndex(t Signature) int {
	i := slices.Index(w.types, t)
	if i < 0 {
		i = len(w.types)
		w.types = append(w.types, t)
	}
	return i
}

func (w *writer) appendTypes(b []byte, from int) []byte {
	for _, t := range w.types[from:] {
		b = append(appendName(append(b, 0x60), t.Params), appendName(nil, t.Results)...)
	}
	return b
}

// code writes the section of code to b.
func (w *writer) code(b []byte) []byte {
	b = appendUint32(b, uint32(len(w.bodies)))
	frames := w.frames()
	for i := range w.bodies {
		w.out = w.out[:0]
		w.rewriteBody(&w.bodies[i], frames[i])
		b = appendUint32(b, uint32(len(w.out)))
		b = append(b, w.out...)
	}
	return b
}

func (w *writer) rewriteBody(b *body, frame int) {
	w.body, w.frame = b, frame
	w.function(b)
	first := w.stretches[0].enters
	w.asks = (b.calls || w.frame > 0 || w.regions[0].pass > w.free) && (first < 0 || !w.regions[first].depth)
	w.around = 0
	if w.asks {
		w.around = loopLabels - 1
	}
	w.local = uint32(b.params + b.own)
	w.operand = w.local + 1

	more := 0
	if b.loops || b.moves {
		more = 2
	}
	w.out = appendUint32(w.out, uint32(b.groups+more))
	w.out = append(w.out, w.wasm[b.locals:b.start]...)
	if more > 0 {
		w.out = append(w.out, 1, byte(I64), 2, byte(I32))
	}
	at := b.start
	for _, e := range w.edits {
		w.out = append(w.out, w.wasm[at:e.at]...)
		at = e.at
		if w.apply(e) {
			at = e.end
		}
	}
	w.out = append(w.out, w.wasm[at:b.end]...)
	switch {
	case w.asks:
		w.out = w.out[:len(w.out)-1]
		w.closeLoop(-1, w.frame > 0)
	case w.frame == 0:
		return
	}
	if w.frame > 0 {
		w.descend(w.frame)
	}
	w.out = append(w.out, opEnd)
}

// descend adds to the depth.
func (w *writer) descend(bytes int) {
	w.global(opGlobalGet, w.depth())
	w.constant(int64(bytes))
	w.out = append(w.out, opI64Add)
	w.global(opGlobalSet, w.depth())
}

// resultType writes a block type without parameters.
func (w *writer) resultType(results string) {
	switch len(results) {
	case 0:
		w.out = append(w.out, blockEmpty)
	case 1:
		w.out = append(w.out, results[0])
	default:
		w.out = appendSigned(w.out, int64(w.typeIndex(Signature{Results: results})))
	}
}

func (w *writer) global(op byte, index int) {
	w.out = appendUint32(append(w.out, op), uint32(index))
}

func (w *writer) constant(v int64) {
	w.out = appendSigned(append(w.out, opI64Const), v)
}

// take takes units off the fuel.
func (w *writer) take(units, outer int) {
	if units == 0 {
		return
	}
	w.load(outer)
	w.constant(int64(units))
	w.out = append(w.out, opI64Sub)
	w.store(outer)
}

// refuel calls for fuel.
func (w *writer) refuel(outer int) {
	if outer >= 0 {
		w.load(outer)
		w.store(-1)
	}
	w.out = append(w.out, opCall, 0)
	if outer >= 0 {
		w.load(-1)
		w.store(outer)
	}
}

// ask calls for fuel if there is none left, in the middle of other work.
func (w *writer) ask(outer int) {
	w.load(outer)
	w.constant(0)
	w.out = append(w.out, opI64LtS, opIf, blockEmpty)
	w.refuel(outer)
	w.out = append(w.out, opEnd)
}

// openLoop begins a loop of which each turn looks whether there is fuel, and room on the stack, before it takes more. If
// not, it goes to the loop's end, where the compiler puts it behind everything else, asks there, and begins again. The
// block around it is where its end is reached.
func (w *writer) openLoop(outer int, depth bool, blockType func()) {
	w.out = append(w.out, opBlock)
	blockType()
	w.out = append(w.out, opLoop)
	blockType()
	w.out = append(w.out, opBlock, blockEmpty)
	w.load(outer)
	if depth {
		w.global(opGlobalGet, w.depth())
		w.out = append(w.out, opI64Or)
	}
	w.constant(0)
	w.out = append(w.out, opI64LtS, opBrIf, 0)
}

// closeLoop ends what openLoop began, but for the block around it.
func (w *writer) closeLoop(outer int, depth bool) {
	w.out = append(w.out, opBr, loopLabels-1, opEnd)
	if depth {
		w.global(opGlobalGet, w.depth())
		w.constant(0)
		w.out = append(w.out, opI64LtS, opIf, blockEmpty, opUnreachable, opEnd)
	}
	w.refuel(outer)
	w.out = append(w.out, opBr, 0, opEnd, opEnd)
}

// begin begins the function.
func (w *writer) begin() {
	if w.frame > 0 {
		w.descend(-w.frame)
	}
	results := func() { w.resultType(w.types[w.body.signature].Results) }
	switch {
	case w.asks:
		w.openLoop(-1, w.frame > 0, results)
	case w.frame > 0:
		w.out = append(w.out, opBlock)
		results()
	}
	w.take(w.regions[0].pass, -1)
}

// apply writes an edit, and says whether it stands in the place of the instruction.
func (w *writer) apply(e edit) (replaces bool) {
	outer := w.regions[e.region].outer
	switch e.kind {
	case begin:
		w.begin()
	case charge:
		w.take(w.amounts[e.index], outer)
	case open:
		w.open(e, outer)
		return true
	case shut:
		r := w.regions[e.index]
		if r.params {
			w.out = append(w.out, opEnd)
		} else {
			w.closeLoop(outer, r.depth && w.frame > 0)
		}
		if outer == e.index {
			w.load(outer)
			w.store(-1)
		}
		return true
	case jump, table:
		w.exit(e, outer)
		w.out = append(w.out, w.wasm[e.at])
		if e.kind == table {
			w.out = appendUint32(w.out, uint32(len(e.targets)-1))
		}
		for _, place := range e.targets {
			w.out = appendUint32(w.out, w.distance(e, place))
		}
		return true
	case leap:
		w.exit(e, outer)
		if w.frame > 0 {
			w.out = appendUint32(append(w.out, opBr), w.distance(e, -1))
			return true
		}
	case shift:
		w.out = appendUint32(append(w.out, w.wasm[e.at]), uint32(shifted(e.index)))
		return true
	case move:
		w.move(outer)
	case grow:
		w.grow(outer)
		return true
	}
	return false
}

// open begins a loop.
func (w *writer) open(e edit, outer int) {
	r := w.regions[e.index]
	if outer == e.index {
		w.load(-1)
		w.store(outer)
	}
	if r.params {
		w.out = append(w.out, w.wasm[e.at:e.end]...)
		w.take(r.pass, outer)
		w.ask(outer)
		return
	}
	w.openLoop(outer, r.depth && w.frame > 0, func() { w.out = append(w.out, w.wasm[e.at+1:e.end]...) })
	w.take(r.pass, outer)
}

// exit stores the fuel before a branch that may leave the loops that keep it in a local.
func (w *writer) exit(e edit, outer int) {
	if outer >= 0 && slices.Min(e.targets) < w.regions[outer].place {
		w.load(outer)
		w.store(-1)
	}
}

// distance is how many labels lie between a branch and its target's place.
func (w *writer) distance(e edit, place int) uint32 {
	if place < 0 {
		return uint32(e.open + w.around)
	}
	return uint32(e.open - 1 - place)
}

// move charges by the length on the stack before memory is moved, and leaves it there.
func (w *writer) move(outer int) {
	w.out = appendUint32(append(w.out, opLocalTee), w.operand)
	w.load(outer)
	w.out = appendUint32(append(w.out, opLocalGet), w.operand)
	w.out = append(w.out, opI64ExtendU, opI64Const, moveShift, opI64ShrU, opI64Sub)
	w.store(outer)
	w.ask(outer)
}

// grow charges by the pages that were added; growing that fails costs nothing.
func (w *writer) grow(outer int) {
	result := w.operand + 1
	w.out = appendUint32(append(w.out, opLocalTee), w.operand)
	w.out = appendUint32(append(w.out, opMemoryGrow, 0, opLocalTee), result)
	w.load(outer)
	w.out = appendUint32(append(w.out, opLocalGet), w.operand)
	w.out = append(w.out, opI64ExtendU, opI64Const, growShift, opI64Shl, opI64Const, 0, opLocalGet)
	w.out = append(appendUint32(w.out, result), opI32Const, 0x7f, opI32Ne, opSelect, opI64Sub) // 0x7f is -1
	w.store(outer)
	w.ask(outer)
}

// load puts the fuel on the stack: from the local where a region keeps it there, else from the global.
func (w *writer) load(outer int) {
	if outer < 0 {
		w.global(opGlobalGet, w.fuel())
		return
	}
	w.out = appendUint32(append(w.out, opLocalGet), w.local)
}

func (w *writer) store(outer int) {
	if outer < 0 {
		w.global(opGlobalSet, w.fuel())
		return
	}
	w.out = appendUint32(append(w.out, opLocalSet), w.local)
}
