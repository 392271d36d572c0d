package catalog

import (
	"slices"

	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/rule"
)

// reads returns everything that decides a field's visibility, requirement and value.
func (f *Field) reads() []forms.Path {
	var paths []forms.Path
	if f.Section != nil {
		paths = append(paths, readsOf(f.Section.When)...)
	}
	for _, r := range f.When {
		paths = append(paths, r.Reads()...)
	}
	paths = append(paths, readsOf(f.RequireRule)...)
	paths = append(paths, readsOf(f.Is)...)
	if f.Derive != nil {
		paths = append(paths, f.Derive.Reads()...)
	}
	for _, r := range f.OptionWhen {
		paths = append(paths, readsOf(r)...)
	}
	for _, cell := range f.Row {
		paths = append(paths, outside(cell.reads())...)
	}
	return paths
}

// outside leaves out what is read of the element itself.
func outside(paths []forms.Path) []forms.Path {
	return slices.DeleteFunc(paths, func(p forms.Path) bool { return p.Root() == "this" })
}

// proposes returns what a field's default and bounds read.
func (f *Field) proposes() []forms.Path {
	var paths []forms.Path
	if f.Default != nil {
		paths = append(paths, f.Default.Reads()...)
	}
	if f.Min != nil {
		paths = append(paths, f.Min.Reads()...)
	}
	if f.Max != nil {
		paths = append(paths, f.Max.Reads()...)
	}
	for _, cell := range f.Row {
		paths = append(paths, outside(cell.proposes())...)
	}
	return paths
}

func readsOf(r *rule.Rule) []forms.Path {
	if r == nil {
		return nil
	}
	return r.Reads()
}

// Reads returns everything that decides the rule.
func (r *Rule) Reads() []forms.Path {
	var paths []forms.Path
	for _, part := range r.Parts() {
		paths = append(paths, part.Reads()...)
	}
	return paths
}

// Closure returns the fields that are needed to know the given paths: themselves, and what decides whether they
// are shown and what they are. A fact needs the number of the person whom it is about.
func (b *Bundle) Closure(paths []forms.Path) map[forms.Path]bool {
	needed := map[forms.Path]bool{}
	var visit func(forms.Path)
	visit = func(p forms.Path) {
		if p.Root() == "facts" {
			if s := b.Section(p.Segments()[1]); s != nil {
				p = s.Subject()
			}
		}
		f := b.fields[p]
		if f == nil || needed[p] {
			return
		}
		needed[p] = true
		for _, q := range f.reads() {
			visit(q)
		}
	}
	for _, p := range paths {
		visit(p)
	}
	return needed
}

// Decisive returns what decides the verdict, which steps apply and who all have to submit: asked of every applicant.
func (b *Bundle) Decisive() []forms.Path {
	var paths []forms.Path
	if b.Together != nil {
		paths = append(paths, readsOf(b.Together.When)...)
		for _, alias := range b.Applicants {
			paths = append(paths, b.Section(alias).Subject())
		}
	}
	for _, r := range b.Eligibility {
		paths = append(paths, r.Reads()...)
	}
	for _, s := range b.Steps {
		paths = append(paths, readsOf(s.When)...)
	}
	return paths
}

// Reads returns what a step needs to be done once it applies: its fields, and what decides its materials,
// limits, fee and conditions.
func (s *Step) Reads() []forms.Path {
	paths := slices.Clone(s.Fields)
	for _, n := range s.Materials {
		paths = append(paths, n.Material.reads()...)
	}
	for _, r := range s.Conditions {
		paths = append(paths, r.Reads()...)
	}
	paths = append(paths, readsOf(s.AutoApprove)...)
	for _, l := range slices.Concat(s.Promised, s.Statutory) {
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

func (m *Material) reads() []forms.Path {
	paths := slices.Concat(readsOf(m.When), m.Title.reads())
	if m.Tolerate != nil {
		paths = append(paths, readsOf(m.Tolerate.When)...)
	}
	if m.Promise != nil {
		paths = append(paths, readsOf(m.Promise.When)...)
	}
	if m.Per != "" {
		paths = append(outside(paths), m.Per)
	}
	return paths
}
