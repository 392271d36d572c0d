package catalog

import (
	"slices"

	"github.com/siyiban/onething/forms"
)

// Set is a set of a bundle's fields, by their place in the order of its form.
type Set []uint64

// Has reports whether the field at a place is in the set.
func (s Set) Has(place int) bool { return s[place/64]&(1<<(place%64)) != 0 }

// Meets reports whether the sets have a field in common.
func (s Set) Meets(other Set) bool {
	for i, word := range s {
		if word&other[i] != 0 {
			return true
		}
	}
	return false
}

// Add puts the field at a place into the set.
func (s Set) Add(place int) { s[place/64] |= 1 << (place % 64) }

func (s Set) join(other Set) {
	for i := range s {
		s[i] |= other[i]
	}
}

// Influence says, of everything that is said about a record, which fields can make a difference to it: what it reads, and
// what decides whether that is asked and what it is. What no field of a set changes is as it was.
type Influence struct {
	Rules     []Set // by rule of [Bundle.Eligibility]: whether it concerns and holds, with its texts
	Checks    []Set // by rule of [Bundle.Checks]
	Steps     []Set // by step: whether it applies, its limits and fee
	Materials []Set // by material, but for the steps that need it
	Fields    []Set // by field: itself, whether it is asked, what is offered and proposed, its bounds
	Together  Set
	// Decisive is asked of every applicant; Needs, by step, of those to whom the step applies.
	Decisive Set
	Needs    []Set
}

// Influence returns which fields can make a difference to what.
func (b *Bundle) Influence() *Influence { return b.influence }

// PlaceOf returns the place of a field in the order of the form, -1 if the bundle has none.
func (b *Bundle) PlaceOf(p forms.Path) int {
	if i, ok := b.index[p]; ok {
		return i
	}
	return -1
}

// NewSet returns an empty set of the bundle's fields.
func (b *Bundle) NewSet() Set { return make(Set, (len(b.order)+63)/64) }

// weigh works out the influence of a bundle that is compiled.
func (b *Bundle) weigh() {
	b.index = make(map[forms.Path]int, len(b.order))
	for i, p := range b.order {
		b.index[p] = i
	}
	w := &weigher{bundle: b, known: map[forms.Path]Set{}}
	in := &Influence{Together: b.NewSet(), Decisive: b.setOf(b.Closure(b.Decisive()))}
	for _, r := range b.Eligibility {
		in.Rules = append(in.Rules, w.all(r.everything()))
	}
	for _, r := range b.Checks {
		paths := r.everything()
		if r.Each != "" {
			paths = append(paths, r.Each)
		}
		in.Checks = append(in.Checks, w.all(paths))
	}
	for _, s := range b.Steps {
		in.Steps = append(in.Steps, w.all(append(b.appliesReads(s), s.offers()...)))
		in.Needs = append(in.Needs, b.setOf(b.Closure(s.Reads())))
	}
	for _, m := range b.Materials {
		paths := m.reads()
		if m.Tolerate != nil || m.Promise != nil { // not open to those on the credit list
			for _, alias := range b.Applicants {
				paths = append(paths, b.Section(alias).Subject())
			}
		}
		in.Materials = append(in.Materials, w.all(paths))
	}
	for _, p := range b.order {
		in.Fields = append(in.Fields, w.all(append(b.fields[p].proposes(), p)))
	}
	if b.Together != nil {
		paths := readsOf(b.Together.When)
		for _, alias := range b.Applicants {
			paths = append(paths, readsOf(b.Section(alias).When)...)
		}
		in.Together = w.all(paths)
	}
	b.influence = in
}

func (b *Bundle) setOf(paths map[forms.Path]bool) Set {
	s := b.NewSet()
	for p := range paths {
		s.Add(b.index[p])
	}
	return s
}

// everything is what decides a rule and what its texts say.
func (r *Rule) everything() []forms.Path {
	paths := slices.Concat(r.Reads(), r.Because.reads(), r.Remedy.reads())
	for _, w := range r.AnyOf {
		paths = append(paths, w.Because.reads()...)
	}
	return paths
}

// appliesReads is what decides whether a step applies.
func (b *Bundle) appliesReads(s *Step) []forms.Path {
	paths := slices.Clone(readsOf(s.When))
	for _, r := range b.Eligibility {
		if slices.Contains(r.For, s.ID) {
			paths = append(paths, r.Reads()...)
		}
	}
	return paths
}

// offers is what decides how long a step takes and what it costs.
func (s *Step) offers() []forms.Path {
	var paths []forms.Path
	for _, l := range s.Promised {
		paths = append(paths, readsOf(l.When)...)
	}
	for _, f := range s.Fee {
		paths = append(paths, readsOf(f.When)...)
		if f.Amount != nil {
			paths = append(paths, f.Amount.Reads()...)
		}
	}
	return paths
}

// weigher finds the fields behind paths; of each path it remembers them.
type weigher struct {
	bundle *Bundle
	known  map[forms.Path]Set
}

func (w *weigher) all(paths []forms.Path) Set {
	s := w.bundle.NewSet()
	for _, p := range paths {
		s.join(w.behind(p))
	}
	return s
}

// behind are the fields that decide what is known of a path: its own, and what decides whether that is asked and what it
// is; of a fact the number of the person whom it is about; of a result what decides whether its step applies. Nothing
// decides itself, or the bundle would not have been loaded.
func (w *weigher) behind(p forms.Path) Set {
	if s, ok := w.known[p]; ok {
		return s
	}
	s := w.bundle.NewSet()
	w.known[p] = s
	var reads []forms.Path
	switch p.Root() {
	case "facts":
		if section := w.bundle.Section(p.Segments()[1]); section != nil && section.Subject() != "" {
			reads = append(reads, section.Subject())
		}
	case "results":
		if step := w.bundle.Step(p.Segments()[1]); step != nil {
			reads = w.bundle.appliesReads(step)
		}
	default:
		f := w.bundle.fields[p]
		if f == nil {
			return s
		}
		s.Add(w.bundle.index[p])
		reads = f.reads()
	}
	for _, q := range reads {
		s.join(w.behind(q))
	}
	return s
}
