package wasm

// How a function is charged. A stretch is a part of the code that is reached as a whole: it begins where branches meet
// or part. A region is a function, or the part of it that belongs to one loop and to none within; a pass of it begins
// when the function is called, or at each turn of the loop, and in it each stretch is executed at most once. So a charge
// when a pass begins that is the sum of all stretches covers whatever is executed; it costs least, and is too much where
// few of them are. Therefore stretches that are long, or that would make a pass dear, are charged at their own beginning.
//
// A charge is a load, a subtraction and a store; in loops that call nothing the fuel stays in a local.

// tariff is how coarsely fuel is charged.
type tariff struct {
	// stretch is the cost from which on a stretch is charged by itself, pass the most that a pass is charged for short ones.
	stretch, pass int
	// fold is the most that a pass may cost for it to be charged by a loop that is entered straight from its beginning.
	fold int
	// free is the cost of a function without calls up to which it does not ask for fuel when it begins.
	free int
}

// usual is coarse enough that counting costs a tenth at most where a guest works on messages, and fine enough that a unit
// taken is an instruction executed within a factor of some: BenchmarkFuel measures both.
func usual() tariff { return tariff{stretch: 64, pass: 512, fold: 24, free: 1000} }

// region is a function's body or a loop in it.
type region struct {
	parent int // -1 for the function
	place  int // of its label among those of the rewritten function; -1 for the function
	params bool
	calls  bool
	// outer is the outermost region in which the fuel is kept in a local, -1 if none.
	outer int
	// first and last are stretches; a pass begins with the first.
	first, last int
	// pass is what a pass is charged when it begins.
	pass int
	// depth says that the loop looks at the depth too, on behalf of the function, which begins with it.
	depth bool
}

// stretch is a part of the code that is reached as a whole.
type stretch struct {
	region, cost int
	dead         bool // it is not reached
	enters       int  // the loop that it ends with, -1 if none
	next         int  // the next one of the region, -1 if none
}

// editKind says what an edit does.
type editKind byte

const (
	// charge takes off what a stretch costs.
	charge editKind = iota
	// begin is the beginning of a function, open that of a loop, close its end.
	begin
	open
	shut
	// jump is a branch, table one by a table: what it leaves, and how far it goes, is rewritten.
	jump
	table
	// leap is a return, which becomes a branch to the function's end where something is left to do.
	leap
	// shift is a call or a reference to a function, whose index is another one now.
	shift
	// move charges by the length on the stack, grow by the pages that it adds.
	move
	grow
)

// edit is something that Rewrite puts in the place of the bytes from at to end, if there are any.
type edit struct {
	at, end int
	kind    editKind
	region  int
	// index is the stretch of a charge, the function of a shift, the region of a loop.
	index int
	// open is the number of labels of the rewritten function that are open, without the function's own.
	open int
	// targets of branches: places of labels, -1 for the function's end.
	targets []int
}

// label is a block, loop or if that is open.
type label struct {
	op       byte
	region   int // the loop's, or the one around it
	place    int // where a branch to it goes
	targeted bool
	dead     bool // it is not reached
}

// loopLabels is the number of labels that a loop becomes, and loopPlace the place among them to which a repetition goes.
const (
	loopLabels = 3
	loopPlace  = 1
)

// account works out the charges of one function.
type account struct {
	tariff
	*walker
	edits     []edit
	stretches []stretch
	regions   []region
	labels    []label
	open      int
	// amounts is what each stretch is charged by itself.
	amounts []int
	places  []int // the arena of targets
}

func (a *account) now() *stretch { return &a.stretches[len(a.stretches)-1] }

func (a *account) edit(at, end int, kind editKind, index int) *edit {
	a.edits = append(a.edits, edit{at: at, end: end, kind: kind, region: a.now().region, index: index, open: a.open})
	return &a.edits[len(a.edits)-1]
}

// begin begins another stretch at a byte.
func (a *account) begin(at, region int, dead bool) {
	a.stretches = append(a.stretches, stretch{region: region, dead: dead, enters: -1, next: -1})
	i, r := len(a.stretches)-1, &a.regions[region]
	a.stretches[r.last].next, r.last = i, i
	if !dead {
		a.edit(at, at, charge, i)
	}
}

// pass begins a region with its first stretch.
func (a *account) pass(parent, place int, dead, params bool) {
	i := len(a.stretches)
	a.regions = append(a.regions, region{parent: parent, place: place, outer: -1, first: i, last: i, params: params})
	a.stretches = append(a.stretches, stretch{region: len(a.regions) - 1, dead: dead, enters: -1, next: -1})
}

// function walks a body and works out what is charged where.
func (a *account) function(b *body) {
	a.edits, a.stretches, a.regions, a.labels, a.places, a.open = a.edits[:0], a.stretches[:0], a.regions[:0], a.labels[:0], a.places[:0], 0
	a.pass(-1, -1, false, false)
	a.now().cost = 1 + b.own/8
	a.edit(b.start, b.start, begin, 0)
	r := &reader{wasm: a.wasm, at: b.start, end: b.end}
	for r.at < b.end && r.err == nil {
		i := a.decode(r)
		a.now().cost += int(a.kinds[i.op].cost)
		a.step(i, r.at)
	}
	a.settle()
}

func (a *account) step(i instruction, next int) {
	s := a.now()
	switch i.op {
	case opBlock, opIf:
		a.labels = append(a.labels, label{op: i.op, region: s.region, place: a.open, dead: s.dead})
		a.open++
		if i.op == opIf {
			a.begin(next, s.region, s.dead)
		}
	case opElse:
		a.begin(next, s.region, a.labels[len(a.labels)-1].dead)
	case opLoop:
		a.loop(i, next)
	case opEnd:
		a.end(i.start, next)
	case opBr, opBrIf, opBrTable:
		a.branch(i, next)
		a.begin(next, s.region, i.op != opBrIf || s.dead)
	case opReturn:
		a.edit(i.start, next, leap, -1).targets = a.target(-1)
		a.begin(next, s.region, true)
	case opUnreachable:
		a.begin(next, s.region, true)
	case opCall:
		a.regions[s.region].calls = true
		a.edit(i.start, next, shift, int(i.index))
	case opCallIndirect:
		a.regions[s.region].calls = true
	case opRefFunc:
		a.edit(i.start, next, shift, int(i.index))
	case opMemoryGrow:
		a.edit(i.start, next, grow, -1)
	case opMisc:
		if i.misc == miscMemoryCopy || i.misc == miscMemoryFill {
			a.edit(i.start, i.start, move, -1)
		}
	}
}

// loop begins a region within the current one.
func (a *account) loop(i instruction, next int) {
	s, place := a.now(), a.open
	a.edit(i.start, next, open, len(a.regions)).region = len(a.regions)
	s.enters = len(a.regions)
	if i.params > 0 {
		a.open++
	} else {
		a.open += loopLabels
		place += loopPlace
	}
	a.labels = append(a.labels, label{op: opLoop, region: s.enters, place: place, dead: s.dead})
	a.pass(s.region, place, s.dead, i.params > 0)
}

// end closes the innermost label.
func (a *account) end(at, next int) {
	if len(a.labels) == 0 {
		return // the function's
	}
	l := a.labels[len(a.labels)-1]
	a.labels = a.labels[:len(a.labels)-1]
	switch {
	case l.op == opLoop:
		r := a.regions[l.region]
		a.open--
		if !r.params {
			a.open -= loopLabels - 1
		}
		a.edit(at, next, shut, l.region)
		a.regions[r.parent].calls = a.regions[r.parent].calls || r.calls
		a.begin(next, r.parent, a.now().dead)
		return
	case l.op == opIf || l.targeted:
		a.begin(next, l.region, l.dead)
	}
	a.open--
}

// branch notes where a branch may go.
func (a *account) branch(i instruction, next int) {
	from := len(a.places)
	if i.op != opBrTable {
		a.target(int(i.index))
	}
	for _, index := range i.targets {
		a.target(int(index))
	}
	kind := jump
	if i.op == opBrTable {
		kind = table
	}
	a.edit(i.start, next, kind, -1).targets = a.places[from:]
}

// target notes the place of a label, which is counted from the inside, or -1.
func (a *account) target(index int) []int {
	place := -1
	if at := len(a.labels) - 1 - index; index >= 0 && at >= 0 {
		a.labels[at].targeted = true
		place = a.labels[at].place
	}
	a.places = append(a.places, place)
	return a.places[len(a.places)-1:]
}

// settle decides, when all is known, who keeps the fuel in a local, and what is charged where.
func (a *account) settle() {
	a.amounts = append(a.amounts[:0], make([]int, len(a.stretches))...)
	for i := range a.regions {
		r := &a.regions[i]
		switch {
		case r.parent < 0 || r.calls:
		case a.regions[r.parent].outer >= 0:
			r.outer = a.regions[r.parent].outer
		default:
			r.outer = i
		}
		for j := r.first; j >= 0; j = a.stretches[j].next {
			// The stretches in front are covered first: what follows is more often left out.
			s := a.stretches[j]
			switch {
			case s.dead:
			case j == r.first || s.cost < a.stretch && r.pass+s.cost <= a.tariff.pass:
				r.pass += s.cost
			default:
				a.amounts[j] = s.cost
			}
		}
	}
	for i := range a.regions {
		r := &a.regions[i]
		if into := a.stretches[r.first].enters; into >= 0 && r.pass <= a.fold && !a.regions[into].params {
			a.regions[into].pass += r.pass
			a.regions[into].depth = r.depth || i == 0
			r.pass = 0
		}
	}
}
