package wasm

// How a function is charged. The places of code that are reached together are a stretch: it begins where branches
// meet or part. A region is a function, or the part of it that belongs to one loop and to none within: its stretches
// are each passed at most once between two passes of its head. So a charge at the head that is the sum of all
// stretches covers whatever is executed; it costs least, and is too much where few of them are passed. Therefore
// long stretches, and those that make a head's charge large, are charged at their own beginning.
//
// A fuel charge is a load, a subtraction and a store; in loops that call nothing the fuel stays in a local.

// tariff is how coarsely fuel is charged.
type tariff struct {
	// stretch is the cost from which on a stretch is charged by itself, head the most that a head is charged for short ones.
	stretch, head int
	// fold is the most that a region's own charge may be for it to be made by a loop with which it begins.
	fold int
	// free is the cost of a function without calls, loops and moves up to which it is not asked whether fuel is left.
	free int
}

func usual() tariff { return tariff{stretch: 24, head: 128, fold: 24, free: 1000} }

// region is a function's body or a loop in it.
type region struct {
	parent int // -1 for the function
	label  int // of the loop, counted from the outside; -1 for the function
	point  int // charge of its head
	into   int // region that may make its charge, because it is entered straight from the head; -1 if none
	calls  bool
	// outer is the outermost region in which the fuel is kept in a local, -1 if none.
	outer int
	sum   int
}

// stretch is a part of the code that is reached as a whole.
type stretch struct {
	region, point, cost int
	head, dead          bool
}

// Kinds of edits.
type editKind byte

const (
	// charge takes a point's amount.
	charge editKind = iota
	// head takes a point's amount and asks for more if none is left.
	head
	// enter loads the fuel into the local, if the region keeps it there; leave stores it, behind the loop's end.
	enter
	leave
	// exit stores the fuel before a branch that may leave the loop, if the region keeps it in a local.
	exit
	// leap is a return, which becomes a branch to the function's end where something is left to do.
	leap
	// shift is a call or a reference to a function, whose index is another one now.
	shift
	// move charges by the length on the stack, grow by the number of pages there.
	move
	grow
)

// edit is something that Rewrite inserts at a byte, or puts in the place of the bytes from there to end.
type edit struct {
	at, end int
	kind    editKind
	region  int
	// point of a charge; function of a shift.
	point int
	// labels is the number of labels that are open; target is that of the branch, counted from the outside, -1 for the
	// function's end.
	labels, target int
}

// label is a block, loop or if that is open.
type label struct {
	op       byte
	region   int // around it
	targeted bool
	dead     bool // it was never reached
}

// account works out the charges of one function.
type account struct {
	tariff
	*walker
	edits   []edit
	amounts []int
	regions []region
	labels  []label
	now     stretch
}

func (a *account) point() int {
	a.amounts = append(a.amounts, 0)
	return len(a.amounts) - 1
}

func (a *account) edit(at int, kind editKind, point int) {
	a.edits = append(a.edits, edit{at: at, end: at, kind: kind, region: a.now.region, point: point, labels: len(a.labels)})
}

func (a *account) replace(at, end int, kind editKind, point int) {
	a.edit(at, kind, point)
	a.edits[len(a.edits)-1].end = end
}

// open begins a region at a head.
func (a *account) open(at, parent, label, entry int) {
	a.regions = append(a.regions, region{parent: parent, label: label, point: a.point(), into: -1, outer: -1})
	i := len(a.regions) - 1
	a.now = stretch{region: i, point: a.regions[i].point, cost: entry, head: true}
	a.edit(at, head, a.now.point)
}

// begin ends the stretch and begins another one at a byte.
func (a *account) begin(at, region int, dead bool) {
	a.finish()
	a.now = stretch{region: region, point: a.point(), dead: dead}
	if !dead {
		a.edit(at, charge, a.now.point)
	}
}

// finish says who is charged for the stretch.
func (a *account) finish() {
	r, s := &a.regions[a.now.region], a.now
	switch {
	case s.dead:
	case s.head:
		a.amounts[s.point] += s.cost
		r.sum += s.cost
	case s.cost < a.stretch && r.sum+s.cost <= a.head:
		a.amounts[r.point] += s.cost
		r.sum += s.cost
	default:
		a.amounts[s.point] += s.cost
	}
}

// function walks a body and works out what is charged where.
func (a *account) function(b *body) {
	a.edits, a.amounts, a.regions, a.labels = a.edits[:0], a.amounts[:0], a.regions[:0], a.labels[:0]
	a.open(b.start, -1, -1, 1+b.own/8)
	r := &reader{wasm: a.wasm, at: b.start, end: b.end}
	for r.at < b.end && r.err == nil {
		i := a.decode(r)
		if !a.now.dead {
			a.now.cost += int(a.kinds[i.op].cost)
		}
		a.step(i, r.at)
	}
	a.finish()
	a.settle()
}

func (a *account) step(i instruction, next int) {
	switch i.op {
	case opBlock:
		a.labels = append(a.labels, label{op: i.op, region: a.now.region, dead: a.now.dead})
	case opIf:
		a.labels = append(a.labels, label{op: i.op, region: a.now.region, dead: a.now.dead})
		a.begin(next, a.now.region, a.now.dead)
	case opElse:
		l := &a.labels[len(a.labels)-1]
		a.begin(next, l.region, l.dead)
	case opLoop:
		a.loop(i, next)
	case opEnd:
		a.end(next)
	case opBr:
		a.branch(i.start, i.index)
		a.begin(next, a.now.region, true)
	case opBrIf:
		a.branch(i.start, i.index)
		a.begin(next, a.now.region, a.now.dead)
	case opBrTable:
		for _, target := range i.targets {
			a.branch(i.start, target)
		}
		a.begin(next, a.now.region, true)
	case opReturn:
		a.exit(i.start, -1)
		a.replace(i.start, next, leap, -1)
		a.begin(next, a.now.region, true)
	case opUnreachable:
		a.begin(next, a.now.region, true)
	case opCall:
		a.regions[a.now.region].calls = true
		a.replace(i.start, next, shift, int(i.index))
	case opCallIndirect:
		a.regions[a.now.region].calls = true
	case opRefFunc:
		a.replace(i.start, next, shift, int(i.index))
	case opMemoryGrow:
		a.edit(i.start, grow, -1)
	case opMisc:
		if i.misc == miscMemoryCopy || i.misc == miscMemoryFill {
			a.edit(i.start, move, -1)
		}
	}
}

// loop begins a region within the current one.
func (a *account) loop(i instruction, next int) {
	outer, s := a.now.region, a.now
	if s.head && !s.dead && a.regions[outer].into < 0 {
		a.regions[outer].into = len(a.regions)
	}
	a.finish()
	// The edit that loads the fuel belongs to the loop, but stands before it.
	a.now.region = len(a.regions)
	a.edit(i.start, enter, -1)
	a.labels = append(a.labels, label{op: opLoop, region: outer, dead: s.dead})
	a.open(next, outer, len(a.labels)-1, 0)
	a.now.dead = s.dead
}

// end closes the innermost label.
func (a *account) end(next int) {
	if len(a.labels) == 0 {
		return // the function's
	}
	l := a.labels[len(a.labels)-1]
	a.labels = a.labels[:len(a.labels)-1]
	switch l.op {
	case opLoop:
		dead := a.now.dead
		a.edit(next, leave, -1)
		a.regions[l.region].calls = a.regions[l.region].calls || a.regions[a.now.region].calls
		a.begin(next, l.region, dead)
	case opIf:
		a.begin(next, l.region, l.dead)
	default:
		if l.targeted {
			a.begin(next, l.region, l.dead)
		}
	}
}

// branch notes that an instruction may branch to a label.
func (a *account) branch(at int, index uint32) {
	target := len(a.labels) - 1 - int(index)
	if target >= 0 {
		a.labels[target].targeted = true
	}
	a.exit(at, target)
}

// exit notes that an instruction may leave loops. Of several at the same instruction the outermost target counts.
func (a *account) exit(at, target int) {
	if n := len(a.edits); n > 0 && a.edits[n-1].kind == exit && a.edits[n-1].at == at {
		a.edits[n-1].target = min(a.edits[n-1].target, target)
		return
	}
	a.edit(at, exit, -1)
	a.edits[len(a.edits)-1].target = target
}

// settle decides, when all is known, who keeps the fuel in a local and who makes whose charge.
func (a *account) settle() {
	for i := range a.regions {
		r := &a.regions[i]
		switch {
		case r.parent < 0 || r.calls:
		case a.regions[r.parent].outer >= 0:
			r.outer = a.regions[r.parent].outer
		default:
			r.outer = i
		}
		if r.into >= 0 && a.amounts[r.point] <= a.fold {
			a.amounts[a.regions[r.into].point] += a.amounts[r.point]
			a.amounts[r.point] = 0
		}
	}
}
