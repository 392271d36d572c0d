// Package sieve says of many bundles at once whether a record is eligible and which rules fail. It is the fast way to
// the verdicts of [guide.Assess], which stays the reference: the rules of all bundles that hold at a place are one
// program of forms/lowered, in which what bundles share is computed once, and a bundle that has no lowered form, or a
// record that does not fit it, is assessed by the guide. It is pure.
package sieve

import (
	"strings"
	"sync"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/lowered"
)

// Sieve is the rules of bundles, ready to be asked of records. It is safe for concurrent use, with a [Row] for each
// goroutine.
type Sieve struct {
	parts map[string]*part // by the region where the bundles hold
}

// part is the bundles that hold in one region. They are lowered when a record is first put before them.
type part struct {
	prepare sync.Once
	matters []matter
	program *lowered.Program
	params  []param
}

// matter is the part of a bundle that decides the verdict.
type matter struct {
	bundle    *catalog.Bundle
	selection *catalog.Selection // of the bundle alone, for the guide; nil if it has a lowered form
	rules     []*catalog.Rule    // those that decide, in the order of the bundle
	holds     lowered.Root       // of the first rule; those of the others follow
	concerns  []lowered.Root     // by rule; -1: every record
	ranks     []rank             // the highest first
}

// rank is the rules of one rank, by their number.
type rank struct {
	otherwise catalog.Otherwise
	rules     []int32
}

// param is a published value that rules read.
type param struct {
	slot   int32
	id     string
	values catalog.Parameters
}

// New prepares bundles. Nothing is compiled: that happened when they were loaded.
func New(bundles ...*catalog.Bundle) *Sieve {
	s := &Sieve{parts: map[string]*part{}}
	for _, b := range bundles {
		p := s.parts[b.Place]
		if p == nil {
			p = &part{}
			s.parts[b.Place] = p
		}
		p.matters = append(p.matters, matter{bundle: b})
	}
	return s
}

// lower makes the program of a part.
func (p *part) lower() {
	c := &compiler{b: lowered.NewBuilder()}
	for i, m := range p.matters {
		p.matters[i] = c.bundle(m.bundle)
	}
	p.program, p.params = c.b.Build(), c.params
}

// Judgement is what is said of one bundle.
type Judgement struct {
	Bundle  *catalog.Bundle
	Verdict guide.Verdict
	Failing []*catalog.Rule // those that decide and fail, in the order of the bundle
}

// Row is a record before a sieve. It belongs to one goroutine; what it returns holds until it is asked again.
type Row struct {
	sieve      *Sieve
	record     forms.Record
	setting    guide.Setting
	at         []*frame // of the parts that hold at the place, the largest region first
	judgements []Judgement
}

// frame is a row before one part.
type frame struct {
	*lowered.Frame
	part *part
	put  func(forms.Path, kind.Value) // Put: a method value costs memory each time
}

// Row returns a row without a record.
func (s *Sieve) Row() *Row { return &Row{sieve: s} }

// Load puts a record and its setting into the row. A setting of the same day, place and calendar as before costs less.
func (r *Row) Load(record forms.Record, setting *guide.Setting) {
	if len(r.at) == 0 || setting.Today != r.setting.Today || setting.Place != r.setting.Place || setting.Calendar != r.setting.Calendar {
		r.begin(setting)
	}
	r.record, r.setting = record, *setting
	for _, f := range r.at {
		f.Clear()
		record.Each(f.put)
		for p, v := range setting.Facts {
			f.Put(p, v)
		}
		f.Settle()
	}
}

// begin finds what holds at the place, and gives it the setting.
func (r *Row) begin(setting *guide.Setting) {
	r.at, r.judgements = r.at[:0], r.judgements[:0]
	for digits := range len(setting.Place) + 1 {
		p := r.sieve.parts[setting.Place[:digits]]
		if p == nil {
			continue
		}
		p.prepare.Do(p.lower)
		f := &frame{Frame: p.program.Frame(), part: p}
		f.put = f.Put
		f.Put("today", setting.Today)
		f.PutText("place", setting.Place)
		for _, param := range p.params {
			if v, ok := param.values.Value(param.id, setting.Today, setting.Place); ok {
				f.PutSlot(param.slot, v)
			}
		}
		f.Begin(setting.Calendar)
		r.at = append(r.at, f)
		for _, m := range p.matters {
			r.judgements = append(r.judgements, Judgement{Bundle: m.bundle})
		}
	}
}

// Set changes one answer of the row; nil is blank.
func (r *Row) Set(p forms.Path, v kind.Value) {
	r.record = r.record.With(p, v)
	if list, _, _, ok := p.Cell(); ok {
		rows, answered := r.record.Get(list)
		if !answered { // a cell of no row
			return
		}
		p, v = list, rows
	}
	for _, f := range r.at {
		f.Set(p, v)
	}
}

// Judge returns the judgement on each bundle that holds at the place.
func (r *Row) Judge() []Judgement {
	return r.each(func(f *frame, m *matter, j *Judgement) {
		ranks := ranks{}
		for k, ref := range f.Refs(m.holds, len(m.rules)) {
			s := f.At(ref)
			if s == lowered.Unknown {
				s = f.try(m, k)
			}
			switch s {
			case lowered.True:
			case lowered.False:
				j.Failing = append(j.Failing, m.rules[k])
				ranks.failed |= 1 << m.rules[k].Otherwise
			default:
				ranks.open |= 1 << m.rules[k].Otherwise
			}
		}
		j.Verdict = ranks.verdict()
	})
}

// Verdicts returns the judgements without saying which rules fail.
func (r *Row) Verdicts() []Judgement {
	return r.each(func(f *frame, m *matter, j *Judgement) { j.Verdict = f.verdict(m) })
}

// each judges every matter, those that the program cannot judge by the guide.
func (r *Row) each(judge func(*frame, *matter, *Judgement)) []Judgement {
	n := 0
	for _, f := range r.at {
		f.Run()
		first := n
		for i := range f.part.matters {
			m, j := &f.part.matters[i], &r.judgements[n]
			j.Failing = j.Failing[:0]
			if m.selection == nil {
				judge(f, m, j)
			} else {
				r.ask(m.selection, j)
			}
			n++
		}
		if f.Lost() {
			r.askAll(f, r.judgements[first:n])
		}
	}
	return r.judgements
}

// ask lets the guide judge.
func (r *Row) ask(alone *catalog.Selection, j *Judgement) {
	c := guide.Assess(alone, r.record, r.setting).Cases[0]
	j.Verdict, j.Failing = c.Verdict, j.Failing[:0]
	for _, failing := range c.Failing() {
		j.Failing = append(j.Failing, failing.Rule)
	}
}

func (r *Row) askAll(f *frame, judgements []Judgement) {
	for i, m := range f.part.matters {
		if alone, err := catalog.Select(m.bundle); err == nil { // a bundle does not conflict with itself
			r.ask(alone, &judgements[i])
		}
	}
}

// verdict looks at the rules in the order of their ranks, and no further than it has to.
func (f *frame) verdict(m *matter) guide.Verdict {
	refs := f.Refs(m.holds, len(m.rules))
	for _, rank := range m.ranks {
		open := false
		for _, k := range rank.rules {
			switch f.At(refs[k]) {
			case lowered.False:
				return failing(rank.otherwise)
			case lowered.Unknown:
				open = true
			default:
			}
		}
		if !open {
			continue
		}
		open = false
		for _, k := range rank.rules {
			if f.At(refs[k]) != lowered.Unknown {
				continue
			}
			switch f.try(m, int(k)) {
			case lowered.False:
				return failing(rank.otherwise)
			case lowered.Unknown:
				open = true
			default:
			}
		}
		if open {
			return guide.Undecided
		}
	}
	return guide.Eligible
}

// try is what a rule that is open comes to. If trying shows that it holds or fails, it is so for whom it concerns too;
// else it may show that it concerns nobody.
func (f *frame) try(m *matter, k int) lowered.State {
	s := f.Truth(m.holds + lowered.Root(k))
	if c := m.concerns[k]; s == lowered.Unknown && c >= 0 && f.Truth(c) == lowered.False {
		return lowered.True
	}
	return s
}

// ranks gathers in which ranks rules fail, and in which they are open.
type ranks struct{ failed, open uint8 }

// verdict is that of the highest rank in which a rule fails, unless one of the same or of a higher rank decides first.
func (r *ranks) verdict() guide.Verdict {
	for _, rank := range [...]catalog.Otherwise{catalog.Elsewhere, catalog.NotNeeded, catalog.Refuse} {
		switch {
		case r.failed&(1<<rank) != 0:
			return failing(rank)
		case r.open&(1<<rank) != 0:
			return guide.Undecided
		}
	}
	return guide.Eligible
}

// failing is the verdict if a rule of a rank fails.
func failing(rank catalog.Otherwise) guide.Verdict {
	switch rank {
	case catalog.Elsewhere:
		return guide.Elsewhere
	case catalog.NotNeeded:
		return guide.NotNeeded
	default:
		return guide.NotEligible
	}
}

// NotLowered returns the bundles at a place that have no lowered form: each costs what the guide costs.
func (s *Sieve) NotLowered(place string) []string {
	var ids []string
	for region, p := range s.parts {
		if !strings.HasPrefix(place, region) {
			continue
		}
		p.prepare.Do(p.lower)
		for _, m := range p.matters {
			if m.selection != nil {
				ids = append(ids, m.bundle.ID)
			}
		}
	}
	return ids
}
