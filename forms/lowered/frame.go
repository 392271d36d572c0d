package lowered

import (
	"math/bits"
	"slices"
	"time"

	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// Calendar counts working days, as [forms.Env] does.
type Calendar interface {
	AddWorkingDays(d kind.Date, n int) (due kind.Date, year int, ok bool)
	WorkingDaysBetween(a, b kind.Date) (n, year int, ok bool)
}

// Frame is a record in a program: its answers in typed slots, and what every node comes to. It belongs to one
// goroutine, and is used again for the next record.
type Frame struct {
	p        *Program
	calendar Calendar
	begun    base
	lost     bool // something does not fit: the answers are not to be had here

	st  []State
	num []int64  // the value, or of Unknown the cause
	str []string // of Text

	slotState []slotState
	slotNum   []int64
	slotText  []string
	slotList  []kind.List

	rows   []row // by loop
	trials []trial
	ended  []uint8 // by question that was tried: the answer that ended it the last time
	saved  []saved // of nodes whose values are tried
}

type slotState uint8

const (
	slotUnknown slotState = iota
	slotBlank
	slotKnown
)

// Frame returns a frame in which nothing is given or answered.
func (p *Program) Frame() *Frame {
	f := &Frame{p: p, rows: make([]row, len(p.loops)), ended: make([]uint8, p.trials), st: make([]State, len(p.nodes)), num: make([]int64, len(p.nodes)), str: make([]string, len(p.nodes)),
		slotState: make([]slotState, len(p.slots)), slotNum: make([]int64, len(p.slots)), slotText: make([]string, len(p.slots)), slotList: make([]kind.List, len(p.slots))}
	for i, n := range p.nodes[:p.outer] {
		if f.st[i], f.num[i] = p.states[i], p.numbers[i]; n.typ.isText() {
			f.str[i] = p.texts[p.numbers[i]]
		}
	}
	return f
}

// Begin takes what was put as the setting of the records that follow, and works out what depends on it alone; calendar
// is asked for working days.
func (f *Frame) Begin(calendar Calendar) {
	f.calendar = calendar
	f.exec(f.p.setting)
	f.begun = base{slices.Clone(f.slotState), f.lost}
	f.Settle()
}

// base is a frame in which nothing is answered.
type base struct {
	slotState []slotState
	lost      bool
}

// Clear forgets all answers; what was put before [Frame.Begin] stays.
func (f *Frame) Clear() {
	copy(f.slotState, f.begun.slotState)
	f.lost = f.begun.lost
}

// Settle works out what depends on one answer alone, after many were put.
func (f *Frame) Settle() { f.exec(f.p.early) }

// Put puts an answer, or a value from outside, into its slot; nil is blank. A path that no expression reads is left
// out. After the last, [Frame.Begin] or [Frame.Settle].
func (f *Frame) Put(path forms.Path, v kind.Value) {
	if id, ok := f.p.slotIDs[path]; ok {
		f.PutSlot(id, v)
	}
}

// Set changes one answer, and works out what depends on it alone.
func (f *Frame) Set(path forms.Path, v kind.Value) {
	if id, ok := f.p.slotIDs[path]; ok {
		f.PutSlot(id, v)
		f.exec(f.p.local[id])
	}
}

// PutText puts a text from outside into its slot.
func (f *Frame) PutText(path forms.Path, v string) {
	if id, ok := f.p.slotIDs[path]; ok {
		f.slotState[id], f.slotText[id] = slotKnown, v
	}
}

// PutSlot is [Frame.Put] for whoever knows the slot.
func (f *Frame) PutSlot(id int32, v kind.Value) {
	if v == nil {
		f.slotState[id] = slotBlank
		return
	}
	s := &f.p.slots[id]
	f.slotState[id] = slotKnown
	if s.typ == List {
		rows, ok := v.(kind.List)
		f.slotList[id], f.slotNum[id] = rows, int64(len(rows))
		f.lost = f.lost || !ok
		return
	}
	n, text, ok := f.p.value(v, s.kind, s.scale, s.bits)
	f.slotNum[id] = n
	if s.typ.isText() {
		f.slotText[id] = text
	}
	f.lost = f.lost || !ok
}

// value is an answer as it is held; false if it is of another kind, or does not fit.
func (p *Program) value(v kind.Value, of kind.Kind, scale int8, bits map[string]int64) (n int64, text string, ok bool) {
	if v.Kind() != of {
		return 0, "", false
	}
	switch v := v.(type) {
	case kind.Bool:
		return int64(truth(bool(v))), "", true
	case kind.Int:
		return int64(v), "", true
	case kind.Money:
		return int64(v), "", true
	case kind.Date:
		return Day(v), "", true
	case kind.Choice:
		n, ok := p.options[string(v)]
		return n, "", ok
	case kind.Choices:
		for _, id := range v {
			bit, ok := bits[id]
			if !ok {
				return 0, "", false
			}
			n |= bit
		}
		return n, "", true
	case kind.Decimal:
		n, ok := scaled(v, scale)
		return n, "", ok
	case kind.Text:
		return 0, string(v), true
	case kind.CitizenNumber:
		return 0, string(v), true
	case kind.USCC:
		return 0, string(v), true
	case kind.Phone:
		return 0, string(v), true
	case kind.BankAccount:
		return 0, string(v), true
	case kind.Plate:
		return 0, string(v), true
	case kind.Address:
		return 0, v.Region, true
	case kind.File:
		return 0, "", true
	case kind.List:
		return 0, "", false
	default:
		return 0, "", false
	}
}

// scaled is a decimal number times ten to the scale; false if that is not whole or does not fit.
func scaled(d kind.Decimal, scale int8) (int64, bool) {
	if d.NumDigits() > 17 {
		return 0, false
	}
	n, e := d.CoefficientInt64(), int32(scale)+d.Exponent()
	for ; e < 0; e++ {
		if n%10 != 0 {
			return 0, false
		}
		n /= 10
	}
	if e > 17 {
		return 0, n == 0
	}
	return product(n, power(int8(e)))
}

func month(v int64) time.Month { return time.Month(v >> 5 & 15) }

func onesCount(v int64) int { return bits.OnesCount64(uint64(v)) }
