package wasm

// Bounds of function bodies: see those of sections. The compiler's time grows faster than linearly with nesting, with
// the entries of branch tables, and with locals times the places where branches meet.
const (
	maxBody        = 1 << 20 // bytes of one function
	maxLocals      = 20_000  // of one function
	maxAllLocals   = 2_000_000
	maxNesting     = 2_000  // [800]
	maxHeight      = 5_000  // values on the operand stack [10]
	maxBranches    = 20_000 // entries of one branch table
	maxAllBranches = 500_000
	maxWork        = 5_000_000  // of one function, see work [600,000]
	maxAllWork     = 32_000_000 // [9,000,000]
)

// openBlock is one block, loop or if that is open.
type openBlock struct {
	op              byte
	params, results int
	height          int  // of the operand stack below its parameters
	dead            bool // behind a branch that is always taken
}

// instruction is one decoded instruction.
type instruction struct {
	op byte
	// misc is the number behind the prefix 0xfc.
	misc byte
	// start is where it begins.
	start int
	// index is its first immediate: label, function, type, local, global or table.
	index uint32
	// params and results are those of its block type, or of the function type that it calls.
	params, results int
	// targets are the places of a branch table's labels, the default last.
	targets []uint32
}

func (w *walker) code(r *reader) {
	n := r.count("function bodies", 3, maxFunctions)
	if r.err == nil && n != w.defined {
		r.malformed("defines %d functions and holds %d bodies", w.defined, n)
	}
	for i := range n {
		size := r.count("bytes of a function", 1, maxBody)
		if r.err != nil {
			return
		}
		inner := &reader{wasm: r.wasm, at: r.at, end: r.at + size, section: r.section, function: w.imported + i}
		b := w.body(inner, w.functions[w.imported+i])
		w.work += b.work()
		if b.work() > maxWork || w.work > maxAllWork {
			inner.fail(ErrBound, "takes too long to compile: too many branches, for its size, locals and operands")
		}
		if inner.err == nil && inner.at != inner.end {
			inner.malformed("has %d bytes behind its end", inner.left())
		}
		if inner.err != nil {
			r.err = inner.err
			return
		}
		r.at = inner.end
		w.bodies = append(w.bodies, b)
	}
}

// body walks one function: its locals, and all of its instructions.
func (w *walker) body(r *reader, signature uint32) body {
	t := w.types[signature]
	b := body{groups: r.count("groups of locals", 2, maxLocals), signature: signature, params: len(t.Params), end: r.end}
	b.locals = r.at
	for range b.groups {
		// A group announces up to four billion locals in six bytes.
		n := r.uint32()
		r.valueType()
		if n > maxLocals || b.own+int(n) > maxLocals {
			r.fail(ErrBound, "has more than %d locals", maxLocals)
			break
		}
		b.own += int(n)
	}
	if w.locals += b.own; w.locals > maxAllLocals {
		r.fail(ErrBound, "all functions together have more than %d locals", maxAllLocals)
	}
	b.start, b.calleesFrom = r.at, len(w.callees)
	if r.err != nil {
		return b
	}
	s := stack{walker: w, r: r, body: &b}
	w.blocks = append(w.blocks[:0], openBlock{op: opBlock, results: len(t.Results)})
	s.all = b.params + b.own
	for r.err == nil && len(w.blocks) > 0 {
		i := w.decode(r)
		if r.err == nil {
			s.step(i)
		}
	}
	b.calleesTo = len(w.callees)
	return b
}

// decode reads one instruction.
func (w *walker) decode(r *reader) (i instruction) {
	i.start = r.at
	i.op = r.byte()
	switch k := w.kinds[i.op]; k.immediate {
	case none:
	case localIndex, globalIndex, tableIndex, functionIndex:
		i.index = r.uint32()
	case memoryAccess:
		if align := r.uint32(); align > uint32(k.largestPow) {
			r.malformed("aligns an access beyond its size")
		}
		r.uint32()
	case zeroByte:
		if b := r.byte(); b != 0 {
			r.fail(ErrNotAccepted, "refers to memory %d", b)
		}
	case number32:
		r.signed(32)
	case number64:
		r.signed(64)
	case bytes4:
		r.skip(4)
	case bytes8:
		r.skip(8)
	case heapType:
		r.referenceType()
	case special:
		w.decodeSpecial(r, &i)
	case resetless:
		r.fail(ErrNotAccepted, "has the instruction 0x%02x, which changes a table", i.op)
	default:
		r.fail(ErrNotAccepted, "has the instruction 0x%02x, which is not of WebAssembly 2.0 without vectors", i.op)
	}
	return i
}

func (w *walker) decodeSpecial(r *reader, i *instruction) {
	switch i.op {
	case opBlock, opLoop, opIf:
		w.blockType(r, i)
	case opBr, opBrIf:
		i.index = r.uint32()
	case opBrTable:
		n := r.count("branches of a table", 1, maxBranches)
		if w.branches += n; w.branches > maxAllBranches {
			r.fail(ErrBound, "all functions together have more than %d branches in tables", maxAllBranches)
		}
		if r.err != nil {
			return
		}
		i.targets = make([]uint32, 0, n+1)
		for range n + 1 {
			i.targets = append(i.targets, r.uint32())
		}
	case opCall:
		i.index = r.uint32()
		if r.err == nil && int(i.index) >= len(w.functions) {
			r.malformed("calls function %d of %d", i.index, len(w.functions))
		}
		if r.err == nil {
			i.arity(w.types[w.functions[i.index]])
		}
	case opCallIndirect:
		t, table := r.uint32(), r.uint32()
		if r.err == nil && (int(t) >= len(w.types) || int(table) >= len(w.tables)) {
			r.malformed("calls through table %d of %d by type %d of %d", table, len(w.tables), t, len(w.types))
		}
		if r.err == nil {
			i.arity(w.types[t])
		}
	case opSelectTyped:
		if n := r.uint32(); n != 1 {
			r.malformed("selects among %d values", n)
		}
		r.valueType()
	case opMisc:
		w.decodeMisc(r, i)
	}
}

func (i *instruction) arity(s Signature) { i.params, i.results = len(s.Params), len(s.Results) }

func (w *walker) blockType(r *reader, i *instruction) {
	if r.left() == 0 {
		r.malformed("ends too early")
		return
	}
	switch t := ValueType(r.wasm[r.at]); {
	case t == blockEmpty:
		r.at++
	case t.number() || t.reference():
		r.at++
		i.results = 1
	default:
		index := r.signed(33)
		switch {
		case r.err != nil:
		case index < 0:
			r.fail(ErrNotAccepted, "has a block of type %d", index)
		case index >= int64(len(w.types)):
			r.malformed("has a block of type %d of %d", index, len(w.types))
		default:
			i.arity(w.types[index])
		}
	}
}

func (w *walker) decodeMisc(r *reader, i *instruction) {
	// Decoders disagree on longer numbers here: some read one byte.
	i.misc = r.byte()
	switch {
	case r.err != nil:
	case i.misc <= 7: // saturating conversions
	case i.misc == miscMemoryCopy:
		if to, from := r.byte(), r.byte(); to != 0 || from != 0 {
			r.fail(ErrNotAccepted, "refers to another memory than the first")
		}
	case i.misc == miscMemoryFill:
		if memory := r.byte(); memory != 0 {
			r.fail(ErrNotAccepted, "refers to memory %d", memory)
		}
	case i.misc == miscTableSize:
		i.index = r.uint32()
	case i.misc <= miscTableFill:
		r.fail(ErrNotAccepted, "has the instruction 0xfc %d, whose effect outlives a call", i.misc)
	default:
		r.fail(ErrNotAccepted, "has the instruction 0xfc 0x%02x, which is not of WebAssembly 2.0", i.misc)
	}
}

// work estimates what the compiler takes for a function at most, in microseconds of a processor of 2024: measured on code
// that is made to be slow to compile. Usual code takes a fifth of it.
func (b *body) work() int {
	return (b.end-b.locals)/2 + 10*b.blocks*(b.params+b.own) + b.blocks*b.blocks/10 + b.blocks*b.height/4 +
		2*b.moved + 10*b.targets + 8*b.callsMade
}

// stack follows the height of the operand stack through one body.
type stack struct {
	*walker
	r      *reader
	body   *body
	height int
	all    int // parameters and locals
}

func (s *stack) top() *openBlock { return &s.blocks[len(s.blocks)-1] }

func (s *stack) take(n int) {
	f := s.top()
	s.height -= n
	if s.height < f.height {
		if !f.dead {
			s.r.malformed("takes more operands than there are")
		}
		s.height = f.height
	}
}

func (s *stack) leave(n int) {
	s.height += n
	if s.height > maxHeight {
		s.r.fail(ErrBound, "has more than %d operands at once", maxHeight)
	}
	s.body.height = max(s.body.height, s.height)
}

// die says that what follows is not reached.
func (s *stack) die() {
	f := s.top()
	s.height, f.dead = f.height, true
}

// label returns how many operands a branch to a label takes along.
func (s *stack) label(index uint32) int {
	if int64(index) >= int64(len(s.blocks)) {
		s.r.malformed("branches to label %d of %d", index, len(s.blocks))
		return 0
	}
	f := s.blocks[len(s.blocks)-1-int(index)]
	n := f.results
	if f.op == opLoop {
		n = f.params
	}
	s.body.moved += n
	return n
}

func (s *stack) open(i instruction) {
	if len(s.blocks) > maxNesting {
		s.r.fail(ErrBound, "nests blocks deeper than %d", maxNesting)
		return
	}
	s.body.labels++
	s.body.blocks++
	s.body.moved += i.params + i.results
	s.body.loops = s.body.loops || i.op == opLoop
	s.take(i.params)
	s.blocks = append(s.blocks, openBlock{op: i.op, params: i.params, results: i.results, height: s.height})
	s.leave(i.params)
}

// close ends the innermost frame, whose results are on the stack.
func (s *stack) close() openBlock {
	f := *s.top()
	s.take(f.results)
	if s.height != f.height {
		s.r.malformed("leaves %d operands in a block", s.height-f.height)
	}
	s.blocks = s.blocks[:len(s.blocks)-1]
	return f
}

func (s *stack) step(i instruction) {
	switch k := s.kinds[i.op]; {
	case k.immediate == special:
		s.special(i)
		return
	case k.immediate == localIndex && int64(i.index) >= int64(s.all):
		s.r.malformed("refers to local %d of %d", i.index, s.all)
	case k.immediate == globalIndex && int64(i.index) >= int64(len(s.Globals)):
		s.r.malformed("refers to global %d of %d", i.index, len(s.Globals))
	case k.immediate == tableIndex && int64(i.index) >= int64(len(s.tables)):
		s.r.malformed("refers to table %d of %d", i.index, len(s.tables))
	case k.immediate == functionIndex && int64(i.index) >= int64(len(s.functions)):
		s.r.malformed("refers to function %d of %d", i.index, len(s.functions))
	case (k.immediate == memoryAccess || k.immediate == zeroByte) && s.Memories == 0:
		s.r.malformed("refers to a memory that is not there")
	default:
		switch i.op {
		case opMemoryGrow:
			s.body.moves = true
		case opLocalSet, opLocalTee:
			s.body.sets++
		}
		s.take(int(k.takes))
		s.leave(int(k.leaves))
	}
}

func (s *stack) special(i instruction) {
	switch i.op {
	case opUnreachable:
		s.die()
	case opIf:
		s.take(1)
		s.open(i)
	case opBlock, opLoop:
		s.open(i)
	case opElse:
		if s.top().op != opIf {
			s.r.malformed("has an else without an if")
			return
		}
		f := s.close()
		f.op, f.dead = opElse, false
		s.blocks = append(s.blocks, f)
		s.leave(f.params)
	case opEnd:
		f := s.close()
		if f.op == opIf && f.params != f.results {
			s.r.malformed("has an if without an else that leaves other operands than it takes")
		}
		s.leave(f.results)
	case opBr:
		s.take(s.label(i.index))
		s.die()
	case opBrIf:
		s.body.blocks++
		s.take(1)
		n := s.label(i.index)
		s.take(n)
		s.leave(n)
	case opBrTable:
		s.take(1)
		n := s.label(i.targets[len(i.targets)-1])
		s.body.targets += len(i.targets)
		for _, target := range i.targets {
			if s.label(target) != n {
				s.r.malformed("branches to labels that take different operands")
				return
			}
		}
		s.take(n)
		s.die()
	case opReturn:
		s.take(s.blocks[0].results)
		s.die()
	case opCall, opCallIndirect:
		s.body.calls = true
		s.body.callsMade++
		s.body.moved += i.params + i.results
		if i.op == opCallIndirect {
			s.take(1)
		}
		s.take(i.params)
		s.body.crossing += s.height
		if i.op == opCallIndirect {
			s.body.indirect = true
		} else if int(i.index) >= s.imported {
			s.callees = append(s.callees, i.index-uint32(s.imported))
		}
		s.leave(i.results)
	case opSelectTyped:
		s.take(3)
		s.leave(1)
	case opMisc:
		s.misc(i)
	}
}

func (s *stack) misc(i instruction) {
	switch i.misc {
	case miscMemoryCopy, miscMemoryFill:
		s.body.blocks += 3
		if s.Memories == 0 {
			s.r.malformed("refers to a memory that is not there")
			return
		}
		s.body.moves = true
		s.take(3)
	case miscTableSize:
		if int64(i.index) >= int64(len(s.tables)) {
			s.r.malformed("refers to table %d of %d", i.index, len(s.tables))
			return
		}
		s.leave(1)
	default:
		s.take(1)
		s.leave(1)
	}
}
