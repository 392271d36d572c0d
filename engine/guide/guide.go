// Package guide says what applies: for a selection of bundles and the answers so far, whether each case is
// eligible and why, which steps apply, what is asked, and what to ask next. It is pure, and it is the only
// evaluation: the guide that a resident asks and the decision that the engine takes call the same [Assess].
package guide

import (
	"cmp"
	"slices"

	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// Setting is everything beside the record that an assessment depends on.
type Setting struct {
	Today    kind.Date // the day of receipt; before submission the day of asking
	Place    string    // region of the office, six digits
	Calendar *calendar.Calendar
	// Accepted is the day from which clocks count; zero: Today, as if the case were accepted on it.
	Accepted kind.Date
	// Facts are known of persons from elsewhere, by facts.<alias>.<fact>; one that is absent is not known.
	Facts map[forms.Path]kind.Value
	// Settled are the steps that have ended, by bundle and step.
	Settled map[string]map[string]Settlement
}

// Settlement is how a step ended.
type Settlement struct {
	Approved bool                      // else it was rejected
	Result   map[forms.Path]kind.Value // by results.<step>.<field>
}

// Verdict is what is said about a case.
type Verdict int

// The verdicts.
const (
	Undecided Verdict = iota // something that decides is not known yet
	Eligible
	NotEligible
	NotNeeded
	Elsewhere
)

// String is the word of tests.yaml and of events.
func (v Verdict) String() string {
	return [...]string{"UNDECIDED", "ELIGIBLE", "NOT_ELIGIBLE", "NOT_NEEDED", "ELSEWHERE"}[v]
}

// Assessment is the answer of the guide.
type Assessment struct {
	Cases     []*Case // in the order of the selection
	Fields    []*Field
	Materials []*SharedMaterial
	Faults    []forms.Violation // of answers that were given
	Next      *Question         // nil: no question can change anything

	selection *catalog.Selection
	record    forms.Record
	setting   Setting
	parts     []*part // in the order of the selection
}

// Case is the assessment of one bundle.
type Case struct {
	Bundle    *catalog.Bundle
	Verdict   Verdict
	Rules     []Rule // those that concern the record or may
	Steps     []*Step
	Materials []*Material
	Faults    []forms.Violation
	Total     Range // promised total in working days
	Due       Date  // promised date if the case were accepted today
	Fee       Range // in fen
	// Together are the aliases of those who all have to submit, or may have to while that is not known; none where any
	// applicant may.
	Together []string
}

// Range is a number as far as it is known; both ends are equal when it is.
type Range struct{ Min, Max int64 }

// Date is a date as far as it is known.
type Date struct {
	Due   calendar.Due
	Known bool // false: depends on something that is not known; Due is the latest of what may be
}

// Rule is a rule of the bundle on this record.
type Rule struct {
	*catalog.Rule
	Outcome rule.Outcome
	Because forms.Text
	Remedy  forms.Text
	Ways    []WayOutcome
}

// WayOutcome is one of several ways.
type WayOutcome struct {
	Because forms.Text
	Outcome rule.Outcome
}

// Step says whether a step applies.
type Step struct {
	*catalog.Step
	Applies rule.Outcome
	Limit   []catalog.Days // promised limits that may count; one when it is decided
	Due     Date
	Fee     Range
}

// Material says whether a material of the bundle is asked. One that is asked for each element of a list is here once
// for each element; as long as the list is not answered it is here once, without a number.
type Material struct {
	*catalog.Material
	ID         string     // in this bundle, with the number of the element
	Key        string     // under which it is uploaded, with the number of the element
	Name       forms.Text // with the values of the element
	Asked      rule.Outcome
	Tolerable  rule.Outcome
	Promisable rule.Outcome
	NeededBy   []string // steps
}

// SharedMaterial is one document over all bundles.
type SharedMaterial struct {
	Key        string
	Name       forms.Text
	Asked      rule.Truth
	Required   bool
	Tolerable  rule.Truth // only if every case that asks for it allows it
	Promisable rule.Truth
	Sources    []string // those that every case allows, in order
	Formats    []string
	OneOf      []catalog.Alternative // documents of which any one will do
	Promise    forms.Text
	NeededBy   []string // as bundle.step
}

// Field says whether a field is asked.
type Field struct {
	*forms.Field
	Shown    rule.Truth
	Required rule.Truth
	Proposal kind.Value // of the default, where nothing is answered yet
	Derived  kind.Value
	Options  []string // that are offered now, of CHOICE and CHOICES
	NeededBy []string // as bundle.step, of steps that apply or may
	// Rows are the cells of a LIST or a repeated section that has been begun, row by row.
	Rows [][]*Cell
}

// Value is the field's value in a record, whose assessment it is: what is derived is there, what is hidden is not.
func (f *Field) Value(record forms.Record) kind.Value {
	if f.Field.Derived {
		return f.Derived
	}
	value, _ := record.Get(f.Path)
	list, ok := value.(kind.List)
	if !ok {
		return value
	}
	rows := make(kind.List, len(list))
	for i := range list {
		rows[i] = kind.Row{}
		for _, c := range f.Rows[i] {
			if v, answered := record.Get(c.Path); c.Derived != nil {
				rows[i][c.ID] = c.Derived
			} else if answered && c.Shown != rule.False {
				rows[i][c.ID] = v
			}
		}
	}
	return rows
}

// Cell says of one field of one element what [Field] says of a field.
type Cell struct {
	*forms.Field
	Path     forms.Path
	Shown    rule.Truth
	Required rule.Truth
	Proposal kind.Value
	Derived  kind.Value
	Options  []string
}

// Question is what to ask next.
type Question struct {
	Path    forms.Path
	Decides []string // as bundle.rule, bundle.step or bundle.material
}

// Assess answers what applies. A bundle's part is the same alone and beside any other.
func Assess(selection *catalog.Selection, record forms.Record, setting Setting) *Assessment {
	a := &Assessment{selection: selection, record: record, setting: setting}
	for _, b := range selection.Bundles {
		a.parts = append(a.parts, evaluate(b, record, &setting, nil, nil))
	}
	for place := range selection.Paths() {
		a.Fields = append(a.Fields, mergeField(selection, place, a.parts))
	}
	a.assemble(nil)
	return a
}

// Reassess answers what applies for another record: the same as Assess with the selection and the setting of before, but
// only what the answers that differ can make a difference to is worked out again. Before is left as it is, and shares all
// else with the result.
func Reassess(before *Assessment, record forms.Record) *Assessment {
	a := &Assessment{selection: before.selection, record: record, setting: before.setting, parts: slices.Clone(before.parts), Fields: slices.Clone(before.Fields)}
	changed := map[int]catalog.Set{} // by bundle
	for _, p := range record.Diff(before.record) {
		for _, k := range a.selection.AskersOf(p) {
			if changed[k.Bundle] == nil {
				changed[k.Bundle] = a.selection.Bundles[k.Bundle].NewSet()
			}
			changed[k.Bundle].Add(k.Place)
		}
	}
	for i, set := range changed {
		a.parts[i] = evaluate(a.selection.Bundles[i], record, &a.setting, before.parts[i], set)
	}
	merged := map[int]bool{}
	for i := range changed {
		for k, place := range a.selection.Places(i) {
			if a.parts[i].fields[k] != before.parts[i].fields[k] && !merged[place] {
				merged[place] = true
				a.Fields[place] = mergeField(a.selection, place, a.parts)
			}
		}
	}
	a.assemble(before)
	return a
}

// assemble puts together what is not of one bundle or one field.
func (a *Assessment) assemble(before *Assessment) {
	a.Cases = make([]*Case, 0, len(a.parts))
	for _, p := range a.parts {
		a.Cases = append(a.Cases, p.assessed)
		a.Faults = append(a.Faults, p.assessed.Faults...)
	}
	if before != nil && a.sharesMaterials(before) {
		a.Materials = before.Materials
	} else {
		a.Materials = mergeMaterials(a.parts, before)
	}
	a.Next = nextQuestion(a.selection, a.parts, a.Fields)
	slices.SortStableFunc(a.Faults, func(x, y forms.Violation) int {
		return cmp.Or(cmp.Compare(x.Path, y.Path), cmp.Compare(x.Code, y.Code), cmp.Compare(x.Rule, y.Rule))
	})
	a.Faults = slices.Compact(a.Faults)
}

// sharesMaterials reports whether no bundle asks for a document otherwise than before.
func (a *Assessment) sharesMaterials(before *Assessment) bool {
	for i, p := range a.parts {
		if p == before.parts[i] {
			continue
		}
		for k, m := range p.materials {
			if !shared(before.parts[i].materials[k], m) {
				return false
			}
		}
	}
	return true
}

// Case returns the assessment of a bundle, nil if it is not selected.
func (a *Assessment) Case(bundle string) *Case {
	i := slices.IndexFunc(a.Cases, func(c *Case) bool { return c.Bundle.ID == bundle })
	if i < 0 {
		return nil
	}
	return a.Cases[i]
}

// Step returns a step of the case, nil if the bundle has none of the id.
func (c *Case) Step(id string) *Step {
	i := slices.IndexFunc(c.Steps, func(s *Step) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	return c.Steps[i]
}

// Failing returns the rules that fail and gate the whole case, warnings left out.
func (c *Case) Failing() []Rule {
	return slices.Collect(func(yield func(Rule) bool) {
		for _, r := range c.Rules {
			if r.gates() && r.Outcome.Truth == rule.False && !yield(r) {
				return
			}
		}
	})
}

// Open returns the rules that gate the whole case and are not known.
func (c *Case) Open() []Rule {
	return slices.Collect(func(yield func(Rule) bool) {
		for _, r := range c.Rules {
			if r.gates() && r.Outcome.Truth == rule.Unknown && !yield(r) {
				return
			}
		}
	})
}

// gates reports whether the rule decides the verdict of the case.
func (r Rule) gates() bool {
	return r.Otherwise != catalog.Warn && len(r.For) == 0 && r.Examine == nil
}

// Close makes a record ready for submission: answers that are not asked are dropped, questions that may be left
// blank are blank, and those that must be answered and are not are faults, with every other fault of the record.
// The assessment is the record's. What is left blank can decide what else is asked, so that comes first; and what may
// have to be answered is told only when nothing is missing for certain, as that decides it.
func Close(record forms.Record, a *Assessment) (forms.Record, []forms.Violation) {
	for blank := true; blank; {
		blank = false
		for _, f := range a.Fields {
			if _, answered := record.Get(f.Path); !answered && !f.Field.Derived && f.Shown == rule.True && f.Required == rule.False {
				record, blank = record.With(f.Path, nil), true
			}
			for _, row := range f.Rows {
				for _, c := range row {
					if _, answered := record.Get(c.Path); !answered && !c.Field.Derived && c.Shown == rule.True && c.Required == rule.False {
						record, blank = record.With(c.Path, nil), true
					}
				}
			}
		}
		if blank {
			a = Reassess(a, record)
		}
	}
	asked := map[forms.Path]bool{}
	var missing, perhaps []forms.Violation
	lacks := func(p forms.Path, name forms.Text, required rule.Truth) {
		v := forms.Violation{Path: p, Code: "required", Text: forms.Text{ZH: "请填写“" + name.ZH + "”", EN: "Please answer “" + name.In("en") + "”."}}
		switch required {
		case rule.True:
			missing = append(missing, v)
		case rule.Unknown:
			perhaps = append(perhaps, v)
		case rule.False:
			record = record.With(p, nil)
		}
	}
	for _, f := range a.Fields {
		if f.Field.Derived || f.Shown == rule.False {
			continue
		}
		asked[f.Path] = true
		if value, _ := record.Get(f.Path); value == nil {
			lacks(f.Path, f.Name, f.Required)
		}
		for _, row := range f.Rows {
			for _, c := range row {
				switch value, _ := record.Get(c.Path); {
				case c.Field.Derived || c.Shown == rule.False:
					record = record.Without(c.Path)
				case value == nil:
					lacks(c.Path, c.Name, c.Required)
				}
			}
		}
	}
	if len(missing) == 0 {
		missing = perhaps
	}
	return record.Only(func(p forms.Path) bool { return asked[p] }), slices.Concat(a.Faults, missing)
}

// start is the day from which clocks count.
func (s *Setting) start() kind.Date {
	if s.Accepted.IsZero() {
		return s.Today
	}
	return s.Accepted
}
