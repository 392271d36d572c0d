package guide

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/formula"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// evaluation is one bundle over one record. It implements [forms.Env]: what a rule reads is worked out when it is
// read, once.
type evaluation struct {
	bundle  *catalog.Bundle
	record  forms.Record
	tried   *tried // answers that are tried, over those of the record
	setting *Setting

	states map[forms.Path]forms.State
	shown  map[forms.Path]rule.Outcome
	open   map[forms.Path][]forms.Cause // why cells are not known that are not simply unanswered
}

func newEvaluation(b *catalog.Bundle, record forms.Record, setting *Setting) *evaluation {
	return &evaluation{bundle: b, record: record, setting: setting, states: map[forms.Path]forms.State{}, shown: map[forms.Path]rule.Outcome{},
		open: map[forms.Path][]forms.Cause{}}
}

// tried is an answer that is tried, and those that were before it. Thousands are in one assessment, so that the record is
// not copied for each.
type tried struct {
	path   forms.Path
	value  kind.Value
	before *tried
}

// with is the evaluation as if an answer were given.
func (e *evaluation) with(p forms.Path, v kind.Value) *evaluation {
	if list, _, _, ok := p.Cell(); ok { // the whole list is another then
		rows, _ := e.get(list)
		v, _ = forms.Record{}.With(list, rows).With(p, v).Get(list)
		p = list
	}
	as := newEvaluation(e.bundle, e.record, e.setting)
	as.tried = &tried{p, v, e.tried}
	return as
}

// get is the answer to a path: one that is tried, else the record's.
func (e *evaluation) get(p forms.Path) (value kind.Value, answered bool) {
	for t := e.tried; t != nil; t = t.before {
		if t.path == p {
			return t.value, true
		}
	}
	return e.record.Get(p)
}

// State implements [forms.Env].
func (e *evaluation) State(p forms.Path) forms.State {
	if s, ok := e.states[p]; ok {
		return s
	}
	s := e.state(p)
	e.states[p] = s
	return s
}

func (e *evaluation) state(p forms.Path) forms.State {
	switch p.Root() {
	case "today":
		return known(e.setting.Today)
	case "place":
		return known(kind.Text(e.setting.Place))
	case "params":
		if v, ok := e.bundle.Parameters().Value(p.Segments()[1], e.setting.Today, e.setting.Place); ok {
			return known(v)
		}
		return unknown(forms.Cause{Kind: forms.CauseParameter, Path: p})
	case "facts":
		return e.fact(p)
	case "results":
		return e.result(p)
	}
	f := e.bundle.Field(p)
	if f == nil {
		return unknown(forms.Cause{Kind: forms.CauseFault, Path: p})
	}
	switch shown := e.isShown(f); shown.Truth {
	case rule.False:
		return forms.State{Status: forms.Blank}
	case rule.Unknown:
		return unknown(shown.Causes...)
	case rule.True:
	}
	value, answered := e.get(p)
	s := e.answer(e, f, p, value, answered)
	if list, ok := s.Value.(kind.List); ok {
		s.Value = e.elements(f, list)
	}
	return s
}

// answer is what is known of a field that is shown: computed, answered, or left blank. in is where its expressions
// read: the form, or an element of a list.
func (e *evaluation) answer(in forms.Env, f *catalog.Field, p forms.Path, value kind.Value, answered bool) forms.State {
	switch {
	case f.Is != nil:
		return truth(e.eval(in, f.Is))
	case f.Derive != nil:
		return e.compute(in, f.Derive)
	case value != nil:
		return known(value)
	}
	ask := forms.Cause{Kind: forms.CauseAnswer, Path: p}
	if !answered {
		return unknown(ask)
	}
	// Left blank: that is an answer only where it need not be given.
	switch required := e.isRequired(in, f); required.Truth {
	case rule.False:
		return forms.State{Status: forms.Blank}
	case rule.True:
		return unknown(ask)
	default:
		return unknown(required.Causes...)
	}
}

// eval evaluates a rule. Of a cell that is not known for another reason than that nobody has answered it, the causes
// are that reason's.
func (e *evaluation) eval(in forms.Env, r *rule.Rule) rule.Outcome {
	o := r.Eval(in)
	o.Causes = e.causes(o.Causes)
	return o
}

// compute evaluates a formula, with causes as [evaluation.eval] gives them.
func (e *evaluation) compute(in forms.Env, f *formula.Formula) forms.State {
	s := f.Eval(in)
	s.Causes = e.causes(s.Causes)
	return s
}

func (e *evaluation) causes(causes []forms.Cause) []forms.Cause {
	if len(e.open) == 0 || len(causes) == 0 {
		return causes
	}
	var all []forms.Cause
	for _, c := range causes {
		if instead, ok := e.open[c.Path]; ok && c.Kind == forms.CauseAnswer {
			all = append(all, instead...)
		} else {
			all = append(all, c)
		}
	}
	return unique(all)
}

// fact is what is known of the person behind an alias; who that is has to be known first.
func (e *evaluation) fact(p forms.Path) forms.State {
	if v, ok := e.setting.Facts[p]; ok {
		return known(v)
	}
	if s := e.bundle.Section(p.Segments()[1]); s != nil {
		if subject := e.State(s.Subject()); subject.Status == forms.Unknown {
			return subject
		}
	}
	return unknown(forms.Cause{Kind: forms.CauseFact, Path: p})
}

// result is what an earlier step gave; nothing, if it gave nothing or did not apply.
func (e *evaluation) result(p forms.Path) forms.State {
	id := p.Segments()[1]
	if s, ok := e.setting.Settled[e.bundle.ID][id]; ok {
		if v := s.Result[p]; v != nil {
			return known(v)
		}
		return forms.State{Status: forms.Blank}
	}
	if step := e.bundle.Step(id); step != nil && e.applies(step).Truth == rule.False {
		return forms.State{Status: forms.Blank}
	}
	return unknown(forms.Cause{Kind: forms.CauseResult, Path: p})
}

// AddWorkingDays implements [forms.Env].
func (e *evaluation) AddWorkingDays(d kind.Date, n int) (due kind.Date, year int, ok bool) {
	return e.setting.Calendar.AddWorkingDays(d, n)
}

// WorkingDaysBetween implements [forms.Env].
func (e *evaluation) WorkingDaysBetween(a, b kind.Date) (n, year int, ok bool) {
	return e.setting.Calendar.WorkingDaysBetween(a, b)
}

// isShown says whether the bundle shows a field: its own conditions and its section's.
func (e *evaluation) isShown(f *catalog.Field) rule.Outcome {
	if o, ok := e.shown[f.Path]; ok {
		return o
	}
	o := yes()
	if f.Section != nil {
		o = e.holds(f.Section.When)
	}
	o = and(o, e.asks(e, f))
	e.shown[f.Path] = o
	return o
}

// asks is what a field's own conditions say.
func (e *evaluation) asks(in forms.Env, f *catalog.Field) rule.Outcome {
	o := yes()
	for _, r := range f.When {
		if o.Truth != rule.False {
			o = and(o, e.eval(in, r))
		}
	}
	return o
}

func (e *evaluation) isRequired(in forms.Env, f *catalog.Field) rule.Outcome {
	if f.RequireRule != nil {
		return e.eval(in, f.RequireRule)
	}
	return of(f.Required)
}

// holds evaluates a rule; one that is not written holds.
func (e *evaluation) holds(r *rule.Rule) rule.Outcome { return e.holdsIn(e, r) }

func (e *evaluation) holdsIn(in forms.Env, r *rule.Rule) rule.Outcome {
	if r == nil {
		return yes()
	}
	return e.eval(in, r)
}

// condition is the outcome of a bundle's rule: `!when || require`, or one of its ways.
func (e *evaluation) condition(r *catalog.Rule) rule.Outcome { return e.conditionIn(e, r) }

func (e *evaluation) conditionIn(in forms.Env, r *catalog.Rule) rule.Outcome {
	concerns := e.holdsIn(in, r.When)
	if concerns.Truth == rule.False || r.Examine != nil {
		return yes() // an officer judges what is examined
	}
	if r.Require != nil {
		return or(not(concerns), e.eval(in, r.Require))
	}
	o := not(concerns)
	for _, w := range r.AnyOf {
		if o.Truth != rule.True {
			o = or(o, e.way(in, w))
		}
	}
	return o
}

// way counts only for those whom it concerns; its condition may rest on that.
func (e *evaluation) way(in forms.Env, w catalog.Way) rule.Outcome {
	concerns := e.holdsIn(in, w.When)
	if concerns.Truth == rule.False {
		return concerns
	}
	return and(concerns, e.eval(in, w.Require))
}

// applies says whether a step applies: its `when`, and the rules that gate it.
func (e *evaluation) applies(s *catalog.Step) rule.Outcome {
	o := e.holds(s.When)
	for _, r := range e.bundle.Eligibility {
		if o.Truth != rule.False && slices.Contains(r.For, s.ID) {
			o = and(o, e.condition(r))
		}
	}
	return o
}

// restricted says whether one of those who apply stands on the credit list, so that neither a tolerance nor a
// promise is open to them (国办发〔2020〕42号).
func (e *evaluation) restricted() rule.Outcome {
	if _, ok := e.bundle.Facts()[CreditFact]; !ok {
		return of(false)
	}
	o := of(false)
	for _, alias := range e.bundle.Applicants {
		s := e.bundle.Section(alias)
		if s.About != forms.AboutPerson || e.State(s.Subject()).Status == forms.Blank {
			continue
		}
		state := e.fact(forms.Path("facts." + alias + "." + CreditFact))
		switch v, _ := state.Value.(kind.Bool); {
		case state.Status == forms.Unknown:
			o = or(o, rule.Outcome{Causes: state.Causes})
		default:
			o = or(o, of(bool(v)))
		}
	}
	return o
}

// CreditFact is the library's fact that bars from tolerance and promise.
const CreditFact = "credit_restricted"

// maxTried bounds the answers that are tried for one rule.
const maxTried = 64

// try evaluates f; where that is unknown, it tries the answers of unknown yes-or-no questions and choices in the
// record, so that visibility follows. If all agree, that is the outcome. Else the causes are those that matter.
func (e *evaluation) try(f func(*evaluation) rule.Outcome) rule.Outcome {
	budget := maxTried
	return e.explore(f, &budget)
}

func (e *evaluation) explore(f func(*evaluation) rule.Outcome, budget *int) rule.Outcome {
	o := f(e)
	if o.Truth != rule.Unknown {
		return o
	}
	p, answers := e.triable(o.Causes)
	if len(answers) == 0 || len(answers) > *budget {
		return o
	}
	*budget -= len(answers)
	var tried []rule.Outcome
	for _, v := range answers {
		tried = append(tried, e.with(p, v).explore(f, budget))
	}
	if agree(tried) {
		return tried[0]
	}
	// What is named is what matters and can be asked now: not what only a tried answer brings up.
	causes := []forms.Cause{{Kind: forms.CauseAnswer, Path: p}}
	for _, t := range tried {
		for _, c := range t.Causes {
			if slices.Contains(o.Causes, c) || c.Kind != forms.CauseAnswer {
				causes = append(causes, c)
			}
		}
	}
	return rule.Outcome{Causes: unique(causes)}
}

func agree(tried []rule.Outcome) bool {
	for _, t := range tried[1:] {
		if t.Truth != tried[0].Truth || !slices.Equal(t.Causes, tried[0].Causes) {
			return false
		}
	}
	return true
}

// triable returns the first open yes-or-no question or choice of the causes, and its answers.
func (e *evaluation) triable(causes []forms.Cause) (forms.Path, []kind.Value) {
	for _, c := range causes {
		f := e.bundle.Field(c.Path)
		if c.Kind != forms.CauseAnswer || f == nil {
			continue
		}
		switch f.Kind {
		case kind.KindBool:
			return c.Path, []kind.Value{kind.Bool(true), kind.Bool(false)}
		case kind.KindChoice:
			var answers []kind.Value
			for _, o := range e.options(e.at(c.Path), f) {
				answers = append(answers, kind.Choice(o))
			}
			if len(answers) > 0 {
				return c.Path, answers
			}
		default: // no end of answers
		}
	}
	return "", nil
}

// options are the options that are offered, or may be.
func (e *evaluation) options(in forms.Env, f *catalog.Field) []string {
	var ids []string
	for _, o := range f.Options {
		if e.holdsIn(in, f.OptionWhen[o.ID]).Truth != rule.False {
			ids = append(ids, o.ID)
		}
	}
	return ids
}

// Three-valued logic with causes.

func yes() rule.Outcome { return rule.Outcome{Truth: rule.True} }
func no() rule.Outcome  { return rule.Outcome{Truth: rule.False} }

func of(b bool) rule.Outcome {
	if b {
		return yes()
	}
	return no()
}

func and(a, b rule.Outcome) rule.Outcome {
	switch {
	case a.Truth == rule.False || b.Truth == rule.False:
		return no()
	case a.Truth == rule.True:
		return b
	case b.Truth == rule.True:
		return a
	}
	return rule.Outcome{Causes: unique(slices.Concat(a.Causes, b.Causes))}
}

func or(a, b rule.Outcome) rule.Outcome { return not(and(not(a), not(b))) }

func not(a rule.Outcome) rule.Outcome {
	switch a.Truth {
	case rule.True:
		return no()
	case rule.False:
		return yes()
	default:
		return a
	}
}

func unique(causes []forms.Cause) []forms.Cause {
	slices.SortFunc(causes, func(a, b forms.Cause) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Path, b.Path))
	})
	return slices.Compact(causes)
}

func known(v kind.Value) forms.State { return forms.State{Status: forms.Known, Value: v} }

func unknown(causes ...forms.Cause) forms.State {
	return forms.State{Status: forms.Unknown, Causes: causes}
}

func truth(o rule.Outcome) forms.State {
	if o.Truth == rule.Unknown {
		return unknown(o.Causes...)
	}
	return known(kind.Bool(o.Truth == rule.True))
}

// faults are what is wrong with the answers that were given: bounds, options, plausibility.
func (e *evaluation) faults() []forms.Violation {
	var faults []forms.Violation
	for _, p := range e.bundle.Paths() {
		faults = append(faults, e.fieldFaults(e.bundle.Field(p))...)
	}
	for _, r := range e.bundle.Checks {
		faults = append(faults, e.checks(r)...)
	}
	return faults
}

// fieldFaults are what is wrong with the answer to a field, and with those to its cells: bounds, options.
func (e *evaluation) fieldFaults(f *catalog.Field) []forms.Violation {
	value, _ := e.record.Get(f.Path)
	if value == nil || f.Field.Derived || e.isShown(f).Truth == rule.False {
		return nil
	}
	faults := e.faultsOf(e, f, f.Path, value)
	for i := range e.rows(f) {
		in := e.element(f, i)
		for _, cell := range f.Row {
			if value := in.cells[cell.ID]; value != nil && !cell.Field.Derived && in.isShown(cell).Truth != rule.False {
				faults = append(faults, e.faultsOf(in, cell, f.Path.CellOf(i, cell.ID), value)...)
			}
		}
	}
	return faults
}

// checks judges one plausibility: at the form, or at each element of its list.
func (e *evaluation) checks(r *catalog.Rule) []forms.Violation {
	if r.Otherwise == catalog.Warn {
		return nil
	}
	if r.Each == "" {
		return e.check(r, func(e *evaluation) forms.Env { return e }, func(p forms.Path) forms.Path { return p })
	}
	var faults []forms.Violation
	list := e.bundle.Field(r.Each)
	for i := range e.rows(list) {
		faults = append(faults, e.check(r, func(e *evaluation) forms.Env { return e.element(list, i) }, func(p forms.Path) forms.Path {
			if id, ok := strings.CutPrefix(string(p), "this."); ok {
				return r.Each.CellOf(i, id)
			}
			return p
		})...)
	}
	return faults
}

// faultsOf are what is wrong with one answer: bounds, options.
func (e *evaluation) faultsOf(in forms.Env, f *catalog.Field, p forms.Path, value kind.Value) []forms.Violation {
	var faults []forms.Violation
	if code, text := e.bounds(in, f, value); code != "" {
		faults = append(faults, forms.Violation{Path: p, Code: code, Text: text})
	}
	var chosen []string
	switch v := value.(type) {
	case kind.Choice:
		chosen = []string{string(v)}
	case kind.Choices:
		chosen = v
	default:
	}
	if offered := e.options(in, f); slices.ContainsFunc(chosen, func(id string) bool { return !slices.Contains(offered, id) }) {
		faults = append(faults, forms.Violation{Path: p, Code: "option_not_offered",
			Text: forms.Text{ZH: "此处不能选择该项", EN: "This option is not offered here."}})
	}
	return faults
}

// check judges one plausibility, at the form or at an element; its fault stands at the first answer that it reads.
func (e *evaluation) check(r *catalog.Rule, at func(*evaluation) forms.Env, path func(forms.Path) forms.Path) []forms.Violation {
	if e.try(func(e *evaluation) rule.Outcome { return e.conditionIn(at(e), r) }).Truth != rule.False {
		return nil
	}
	v := forms.Violation{Code: "check", Bundle: e.bundle.ID, Rule: r.ID, Text: r.Because.Render(at(e))}
	for _, p := range r.Reads() {
		if value, _ := e.record.Get(path(p)); value != nil {
			v.Path = path(p)
			break
		}
	}
	return []forms.Violation{v}
}

// bounds compares a value, a length or a count with `min` and `max`.
func (e *evaluation) bounds(in forms.Env, f *catalog.Field, value kind.Value) (code string, text forms.Text) {
	measured, low, high, what := value, "too_small", "too_large", "数值"
	switch v := value.(type) {
	case kind.Text:
		measured, low, high, what = kind.Int(len([]rune(string(v)))), "too_short", "too_long", "字数"
	case kind.Choices:
		measured, low, high, what = kind.Int(len(v)), "too_few", "too_many", "选项数"
	case kind.List:
		measured, low, high, what = kind.Int(len(v)), "too_few", "too_many", "项数"
	case kind.Date:
		what = "日期"
	default:
	}
	if f.Min != nil {
		if s := e.compute(in, f.Min); s.Status == forms.Known && order(measured, s.Value) < 0 {
			return low, forms.Text{ZH: fmt.Sprintf("%s不得小于或早于 %s", what, printed(s.Value)), EN: fmt.Sprintf("at least %s", printed(s.Value))}
		}
	}
	if f.Max != nil {
		if s := e.compute(in, f.Max); s.Status == forms.Known && order(measured, s.Value) > 0 {
			return high, forms.Text{ZH: fmt.Sprintf("%s不得大于或晚于 %s", what, printed(s.Value)), EN: fmt.Sprintf("at most %s", printed(s.Value))}
		}
	}
	return "", forms.Text{}
}

// order compares two values of one ordered kind.
func order(a, b kind.Value) int {
	switch a := a.(type) {
	case kind.Int:
		b, _ := b.(kind.Int)
		return cmp.Compare(a, b)
	case kind.Money:
		b, _ := b.(kind.Money)
		return cmp.Compare(a, b)
	case kind.Date:
		b, _ := b.(kind.Date)
		return a.Compare(b)
	case kind.Decimal:
		b, _ := b.(kind.Decimal)
		return a.Cmp(b.Decimal)
	default:
		return 0
	}
}

// printed is a bound as people read it.
func printed(v kind.Value) string {
	switch v := v.(type) {
	case kind.Date:
		return v.Format()
	case kind.Money:
		return v.Format()
	default:
		return fmt.Sprint(kind.Encode(v))
	}
}
