// Package bundletest runs the tests.yaml of a bundle: records with what is expected of them.
package bundletest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	bundlev1 "github.com/siyiban/onething/proto/gen/onething/bundle/v1"
)

// The codes of what can be wrong with a test.
const (
	CodeFailed    = "test-failed"    // the assessment is another than expected
	CodeMissing   = "test-missing"   // a bundle without tests
	CodeUnreached = "test-unreached" // a rule that no test makes fail, a step that applies in none, a tolerance or promise that none offers
	CodeUncovered = "test-uncovered" // a rule of which no test sees both ways
	CodeDuplicate = "test-duplicate" // an id that stands twice
	CodeLike      = "test-like"      // a test like one that is not there, or like itself
	CodePath      = "test-path"      // a path that the bundle does not have
	CodeValue     = "test-value"     // a day, place, fact, result or expectation that does not exist
)

// Test is one test of a bundle: a record, everything beside it that an assessment depends on, and what is expected.
type Test struct {
	ID      string
	Bundle  *catalog.Bundle
	Record  forms.Record
	Setting guide.Setting
	Faults  []forms.Violation // of answers that could not be read

	source *diag.Source
	span   diag.Span
	expect *bundlev1.Expect
}

// given is what a test starts from, by path, before it is typed.
type given struct {
	today, place string
	values       map[string]*structpb.Value
}

// Read reads the tests of a bundle. Tests with an error are left out.
func Read(b *catalog.Bundle, file string, text []byte, days *calendar.Calendar) ([]Test, diag.List) {
	message, source, found := catalog.ReadTests(file, text)
	if found.Err() != nil {
		return nil, found
	}
	r := &reader{bundle: b, source: source, days: days, byID: map[string]*bundlev1.Test{}}
	for _, m := range message.GetTests() {
		if _, ok := r.byID[m.GetTest()]; ok {
			r.fault(source.At(m, "test"), CodeDuplicate, fmt.Sprintf("the test `%s` stands here twice", m.GetTest()), "give one of them another id")
			continue
		}
		r.byID[m.GetTest()] = m
	}
	var tests []Test
	for _, m := range message.GetTests() {
		before := r.faults
		t := r.test(m)
		if r.faults == before {
			tests = append(tests, t)
		}
	}
	return tests, append(found, r.found...)
}

// ReadRecord reads one record as [catalog.ReadRecord] does, for a bundle. A day that is not given is today.
func ReadRecord(b *catalog.Bundle, file string, text []byte, days *calendar.Calendar, today kind.Date) (Test, diag.List) {
	m, source, found := catalog.ReadRecord(file, text)
	if found.Err() != nil {
		return Test{}, found
	}
	if m.GetToday() == "" {
		m.Today = today.String()
	}
	r := &reader{bundle: b, source: source, days: days, byID: map[string]*bundlev1.Test{}}
	t := r.test(m)
	return t, append(found, r.found...)
}

type reader struct {
	bundle *catalog.Bundle
	source *diag.Source
	days   *calendar.Calendar
	byID   map[string]*bundlev1.Test
	found  diag.List
	faults int // how often something was found, also what is told already
}

// fault tells of a fault, once: tests that are like a faulty one meet its faults again.
func (r *reader) fault(at diag.Span, code, message, hint string) {
	r.faults++
	if slices.ContainsFunc(r.found, func(d diag.Diagnostic) bool { return d.Span == at && d.Code == code && d.Message == message }) {
		return
	}
	r.found = append(r.found, diag.Diagnostic{Span: at, Severity: diag.Error, Code: code, Message: message, Hint: hint})
}

func (r *reader) test(m *bundlev1.Test) Test {
	t := Test{ID: m.GetTest(), Bundle: r.bundle, source: r.source, span: r.source.At(m, "test"), expect: m.GetExpect()}
	start, ok := r.given(m, nil)
	if !ok {
		return t
	}
	var right bool
	if t.Setting.Today, right = kind.ParseDate(start.today); !right && m.GetLike() != "" && m.GetToday() == "" {
		r.faults++ // told at the test that this one is like
	} else if !right {
		r.fault(r.source.At(m, "today"), CodeValue, "the test needs a day of receipt", "add `today: 2026-03-16`")
	}
	t.Setting.Place, t.Setting.Calendar = start.place, r.days
	t.Setting.Facts = map[forms.Path]kind.Value{}
	t.Setting.Settled = map[string]map[string]guide.Settlement{r.bundle.ID: {}}
	answers := map[string]*structpb.Value{}
	for _, name := range slices.Sorted(maps.Keys(start.values)) {
		v := start.values[name]
		switch p := r.path(name); p.Root() {
		case "facts":
			r.fact(&t, m, p, v)
		case "results":
			r.result(&t, m, p, v)
		default:
			answers[string(p)] = v
		}
	}
	t.Record, t.Faults = forms.Decode(answers, func(p forms.Path) *forms.Field {
		if f := r.bundle.Field(p); f != nil {
			return f.Field
		}
		return nil
	})
	for _, v := range t.Faults {
		switch name := r.name(v.Path); {
		case v.Code == "unknown_field":
			r.unknownPath(m, name, "answer")
		case m.GetExpect() != nil && !expectsFaults(m): // nobody expects it
			given := answers[string(v.Path)]
			if list, _, _, ok := v.Path.Cell(); ok {
				given = answers[string(list)]
			}
			r.unreadable(m, v.Path, given)
		}
	}
	return t
}

// expectsFaults says whether a test is about answers that are wrong. A list without any says that there are none.
func expectsFaults(m *bundlev1.Test) bool { return len(m.GetExpect().GetFaults().GetValues()) > 0 }

// given puts together what a test starts from: that of the test that it is like, changed. seen are the tests on the
// way, for one that is like itself.
func (r *reader) given(m *bundlev1.Test, seen []string) (given, bool) {
	g := given{values: map[string]*structpb.Value{}}
	if like := m.GetLike(); like != "" {
		base := r.byID[like]
		if base == nil || slices.Contains(seen, like) || like == m.GetTest() {
			hint := ""
			if near := diag.Nearest(like, slices.Collect(maps.Keys(r.byID))); base == nil && near != "" {
				hint = fmt.Sprintf("did you mean `%s`?", near)
			}
			r.fault(r.source.At(m, "like"), CodeLike, fmt.Sprintf("there is no test `%s` to start from", like), hint)
			return g, false
		}
		var ok bool
		if g, ok = r.given(base, append(seen, m.GetTest())); !ok {
			if len(seen) == 0 { // told at the test at fault; this one is left out for it
				r.fault(r.source.At(m, "like"), CodeLike, fmt.Sprintf("the test `%s` has nothing to start from", like), "")
			}
			return g, false
		}
	}
	if m.GetToday() != "" {
		g.today = m.GetToday()
	}
	if m.GetPlace() != "" {
		g.place = m.GetPlace()
	}
	for alias, v := range m.GetFacts().GetFields() {
		flatten(g.values, "facts."+alias, 1, v)
	}
	for step, v := range m.GetResults().GetFields() {
		flatten(g.values, "results."+step, 1, v)
	}
	for root, v := range m.GetRecord().GetFields() {
		depth := map[string]int{"form": 2, "own": 1}[root]
		if depth == 0 {
			r.fault(r.source.At(m, "record"), CodePath, fmt.Sprintf("a record has `form` and `own`, not `%s`", root), "")
			continue
		}
		flatten(g.values, root, depth, v)
	}
	for _, cells := range []bool{false, true} { // a list first, then what is different in it
		for name, v := range m.GetBut() {
			list, _, _, cell := forms.Path(name).Cell()
			switch {
			case cell != cells:
			case !cell:
				g.values[name] = v
			case !change(g.values, forms.Path(name), func(row map[string]*structpb.Value, id string) bool { row[id] = v; return true }):
				r.fault(r.at(m, name), CodePath, fmt.Sprintf("there is no such row in `%s`", list), "rows are counted from 0")
			}
		}
	}
	for i, name := range m.GetWithout() {
		if change(g.values, forms.Path(name), func(row map[string]*structpb.Value, id string) bool {
			_, there := row[id]
			delete(row, id)
			return there
		}) {
			continue
		}
		if _, ok := g.values[name]; !ok {
			hint := ""
			if near := diag.Nearest(name, slices.Collect(maps.Keys(g.values))); near != "" {
				hint = fmt.Sprintf("did you mean `%s`?", near)
			}
			r.fault(r.source.Element(m, "without", i), CodePath, fmt.Sprintf("there is no `%s` to take away", name), hint)
		}
		delete(g.values, name)
	}
	return g, true
}

// change changes the row of a cell, in a list of its own; it says whether there is such a row, and what do said.
func change(values map[string]*structpb.Value, p forms.Path, do func(row map[string]*structpb.Value, id string) bool) bool {
	list, i, id, ok := p.Cell()
	rows := values[string(list)].GetListValue()
	if !ok || i >= len(rows.GetValues()) {
		return false
	}
	copied := proto.CloneOf(rows)
	row := copied.GetValues()[i].GetStructValue()
	if row.GetFields() == nil || !do(row.GetFields(), id) {
		return false
	}
	values[string(list)] = structpb.NewListValue(copied)
	return true
}

// flatten puts the values that stand depth levels below a path into a map by their path.
func flatten(into map[string]*structpb.Value, path string, depth int, v *structpb.Value) {
	inner := v.GetStructValue()
	if depth == 0 || inner == nil {
		into[path] = v
		return
	}
	for key, value := range inner.GetFields() {
		flatten(into, path+"."+key, depth-1, value)
	}
}

// path is a path of a test as the engine writes it: a bundle's own fields are scoped to it.
func (r *reader) path(name string) forms.Path {
	if field, own := strings.CutPrefix(name, "own."); own {
		return forms.Path("own." + r.bundle.ID + "." + field)
	}
	return forms.Path(name)
}

// name is a path as tests write it.
func (r *reader) name(p forms.Path) string { return short(r.bundle, p) }

func short(b *catalog.Bundle, p forms.Path) string {
	if field, own := strings.CutPrefix(string(p), "own."+b.ID+"."); own {
		return "own." + field
	}
	return string(p)
}

// fact types a fact of a person behind an alias.
func (r *reader) fact(t *Test, m *bundlev1.Test, p forms.Path, v *structpb.Value) {
	parts := p.Segments()
	if len(parts) == 3 && r.bundle.Section(parts[1]) != nil {
		if fact := r.bundle.Facts()[parts[2]]; fact != nil {
			value, fault := fact.Spec().Parse(v.AsInterface())
			if fault != nil {
				r.fault(r.at(m, string(p)), CodeValue, fmt.Sprintf("`%s` is no %s", p, fact.Kind), "")
				return
			}
			t.Setting.Facts[p] = value
			return
		}
	}
	r.unknownPath(m, string(p), "fact")
}

// result types a result of a step, which is approved by it; null settles the step without that result.
func (r *reader) result(t *Test, m *bundlev1.Test, p forms.Path, v *structpb.Value) {
	parts := p.Segments()
	if len(parts) == 3 {
		if step := r.bundle.Step(parts[1]); step != nil {
			i := slices.IndexFunc(step.Result, func(f *catalog.Field) bool { return f.ID == parts[2] })
			if i >= 0 {
				settled := t.Setting.Settled[r.bundle.ID]
				s, ok := settled[step.ID]
				if !ok {
					s = guide.Settlement{Approved: true, Result: map[forms.Path]kind.Value{}}
				}
				settled[step.ID] = s
				given := v.AsInterface()
				if given == nil {
					return
				}
				value, fault := step.Result[i].Spec().Parse(given)
				if fault != nil {
					r.fault(r.at(m, string(p)), CodeValue, fmt.Sprintf("`%s` is no %s", p, step.Result[i].Kind), "")
					return
				}
				s.Result[p] = value
				return
			}
		}
	}
	r.unknownPath(m, string(p), "result")
}

func (r *reader) unknownPath(m *bundlev1.Test, name, what string) {
	var known []string
	for _, p := range r.bundle.Paths() {
		if !r.bundle.Field(p).Field.Derived {
			known = append(known, r.name(p))
		}
	}
	hint := ""
	if near := diag.Nearest(name, known); near != "" {
		hint = fmt.Sprintf("did you mean `%s`?", near)
	}
	r.fault(r.at(m, name), CodePath, fmt.Sprintf("the bundle has no %s `%s`", what, name), hint)
}

// at returns where a test changes a path; where it stands in the record; else the test.
func (r *reader) at(m *bundlev1.Test, name string) diag.Span {
	for changed := range m.GetBut() {
		if inner, ok := strings.CutPrefix(name, changed); ok && (inner == "" || inner[0] == '[') {
			return r.source.Path(m, `but["`+changed+`"]`+inner)
		}
	}
	if root, _, _ := strings.Cut(name, "."); root == "facts" || root == "results" {
		return r.source.Path(m, name)
	}
	return r.source.Path(m, "record."+name)
}
