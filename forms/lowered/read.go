package lowered

// hidden is what a field that is not shown, or may not be, reads as.
func (f *Frame) hidden(i int, n *inst, shown State) {
	switch {
	case shown == Unknown:
		f.st[i], f.num[i] = Unknown, f.num[n.a]
	case shown == Fault:
		f.st[i], f.num[i] = Unknown, noCause
	case n.typ == List || n.typ == Options:
		f.st[i], f.num[i] = Known, 0
	default:
		f.st[i] = Fault
	}
}

// blank is what an answer that was left blank reads as: that is an answer only where it need not be given.
func (f *Frame) blank(i int, n *inst, ask cause) {
	required := False
	if n.b != 0 {
		required = f.st[n.b]
	}
	switch {
	case required == True:
		f.st[i], f.num[i] = Unknown, ask
	case required == Unknown:
		f.st[i], f.num[i] = Unknown, f.num[n.b]
	case required == Fault:
		f.st[i], f.num[i] = Unknown, noCause
	case n.typ == List || n.typ == Options:
		f.st[i], f.num[i] = Known, 0
	default:
		f.st[i] = Fault
	}
}

func (f *Frame) field(i int, n *inst) {
	if n.a != 0 {
		if s := f.st[n.a]; s != True {
			f.hidden(i, n, s)
			return
		}
	}
	switch f.slotState[n.c] {
	case slotKnown:
		f.known(i, n)
	case slotBlank:
		f.blank(i, n, f.ask(n))
	case slotUnknown:
		f.st[i], f.num[i] = Unknown, f.ask(n)
	}
}

func (f *Frame) known(i int, n *inst) {
	v := f.slotNum[n.c]
	switch n.typ {
	case Bool:
		f.st[i] = State(v)
		return
	case Text, Address:
		f.str[i] = f.slotText[n.c]
	default:
	}
	f.st[i], f.num[i] = Known, v
}

func (f *Frame) ask(n *inst) cause {
	if n.flag&flagTriable == 0 {
		return noCause
	}
	return f.p.causes[n.c]
}

func (f *Frame) given(i int, n *inst) {
	switch {
	case f.slotState[n.c] == slotKnown:
		f.known(i, n)
	case f.slotState[n.c] == slotBlank:
		f.st[i] = Fault
	case n.a != 0 && f.st[n.a] == Unknown:
		f.st[i], f.num[i] = Unknown, f.num[n.a]
	default:
		f.st[i], f.num[i] = Unknown, noCause
	}
}

func (f *Frame) cell(i int, n *inst) {
	if n.a != 0 {
		if s := f.st[n.a]; s != True {
			f.hidden(i, n, s)
			return
		}
	}
	of := &f.p.cellAts[n.c]
	at := &f.rows[of.loop]
	c := &f.p.slots[of.slot].cells[of.column]
	ask := noCause
	if n.flag&flagTriable != 0 {
		ask = f.p.causeOfCell(of.slot, at.index, c.rank)
	}
	for t := len(f.trials) - 1; t >= 0; t-- {
		if try := &f.trials[t]; try.cause == ask && ask != noCause {
			if c.typ == Bool {
				f.st[i] = State(try.value)
			} else {
				f.st[i], f.num[i] = Known, try.value
			}
			return
		}
	}
	v, answered := at.cells[c.id]
	switch {
	case !answered:
		f.st[i], f.num[i] = Unknown, ask
	case v == nil:
		f.blank(i, n, ask)
	default:
		value, text, ok := f.p.value(v, c.kind, c.scale, c.bits)
		f.lost = f.lost || !ok
		if c.typ == Bool {
			f.st[i] = State(value)
			return
		}
		if f.st[i], f.num[i] = Known, value; c.typ.isText() {
			f.str[i] = text
		}
	}
}
