package guide_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// outcomes are everything that an assessment decides, by name. A rule that does not concern the record holds.
func outcomes(a *guide.Assessment) map[string]rule.Truth {
	all := map[string]rule.Truth{}
	for _, c := range a.Cases {
		id := c.Bundle.ID
		for _, r := range c.Bundle.Eligibility {
			all["rule "+id+"."+r.ID] = rule.True
		}
		for _, r := range c.Rules {
			all["rule "+id+"."+r.ID] = r.Outcome.Truth
		}
		for _, s := range c.Steps {
			all["step "+id+"."+s.ID] = s.Applies.Truth
		}
		for _, m := range c.Materials {
			all["material "+id+"."+m.ID] = m.Asked.Truth
		}
	}
	return all
}

// allowed are outcomes that do not decide what is asked, but what may be done.
func allowed(a *guide.Assessment) map[string]rule.Truth {
	all := map[string]rule.Truth{}
	for _, f := range a.Fields {
		all["shown "+string(f.Path)] = f.Shown
		all["required "+string(f.Path)] = f.Required
	}
	for _, m := range a.Cases[0].Materials {
		if m.Asked.Truth == rule.True {
			all["tolerable "+m.ID] = m.Tolerable.Truth
			all["promisable "+m.ID] = m.Promisable.Truth
		}
	}
	return all
}

// Without some of the answers, everything is as it was or not known.
func TestAssess_FewerAnswers(t *testing.T) {
	t.Parallel()
	every(t, func(t *rapid.T, m *matter) {
		record, setting := m.draw(t)
		var gone []forms.Path
		for _, p := range singly(record) {
			if rapid.Bool().Draw(t, "without "+string(p)) {
				gone = append(gone, p)
			}
		}
		whole, less := guide.Assess(m.selection, record, setting), guide.Assess(m.selection, record.Without(gone...), setting)
		if before, after := whole.Cases[0].Verdict, less.Cases[0].Verdict; after != before && after != guide.Undecided {
			t.Errorf("the verdict was %s, without %v it is %s", before, gone, after)
		}
		for _, of := range []func(*guide.Assessment) map[string]rule.Truth{outcomes, allowed} {
			after := of(less)
			for name, before := range of(whole) {
				if now, ok := after[name]; ok && now != before && now != rule.Unknown {
					t.Errorf("%s was %s, without %v it is %s", name, before, gone, now)
				}
			}
		}
	})
}

// singly are the answers of a record one by one, the cells of its lists before the lists.
func singly(record forms.Record) []forms.Path {
	var paths []forms.Path
	for p, v := range record.All() {
		rows, _ := v.(kind.List)
		for i, row := range rows {
			for _, id := range slices.Sorted(maps.Keys(row)) {
				paths = append(paths, p.CellOf(i, id))
			}
		}
		paths = append(paths, p)
	}
	return paths
}

// open are the questions that the record does not answer, the cells of its lists among them.
func (m *matter) open(record forms.Record) []forms.Path {
	var paths []forms.Path
	for _, p := range m.asked() {
		v, answered := record.Get(p)
		if !answered {
			paths = append(paths, p)
		}
		rows, _ := v.(kind.List)
		for i := range rows {
			for _, cell := range m.bundle.Field(p).Row {
				if _, answered := rows[i][cell.ID]; !answered && !cell.Field.Derived {
					paths = append(paths, p.CellOf(i, cell.ID))
				}
			}
		}
	}
	return paths
}

// completed draws answers to everything that the record leaves open.
func (m *matter) completed(t *rapid.T, record forms.Record) forms.Record {
	for range 2 { // lists first, then their cells
		for _, p := range m.open(record) {
			record = record.With(p, m.answer(t, p))
		}
	}
	return record
}

// answer draws an answer to one question; blank now and then, where that is allowed.
func (m *matter) answer(t *rapid.T, p forms.Path) kind.Value {
	pool := m.choices(p)
	if !m.bundle.Field(p).Required && rapid.IntRange(0, 3).Draw(t, "blank "+string(p)) == 0 {
		return nil
	}
	return rapid.SampledFrom(pool).Draw(t, string(p))
}

// tries is how many completions are searched for one in which a question decides; what is drawn near the tests'
// records is found within the first few.
const tries = 200

// What is undecided for want of an answer names a question; and a question that is named can decide: under some answers
// to the others, two answers to it lead to different outcomes. So none is asked that can change nothing.
func TestAssess_NextQuestion(t *testing.T) {
	t.Parallel()
	for _, m := range newMatters(t) {
		t.Run(m.bundle.ID, func(t *testing.T) {
			t.Parallel()
			named := 0
			rapid.Check(t, func(t *rapid.T) {
				record, setting := m.draw(t)
				record = m.thin(t, record)
				a := guide.Assess(m.selection, record, setting)
				if a.Cases[0].Verdict == guide.Undecided && a.Next == nil && !otherCause(a.Cases[0]) {
					t.Fatalf("undecided, and nothing is asked: %v", causes(a.Cases[0]))
				}
				if a.Next == nil {
					return
				}
				named++
				if len(a.Next.Decides) == 0 {
					t.Errorf("%s is asked, and nothing is said for what", a.Next.Path)
				}
				if _, answered := record.Get(a.Next.Path); answered && !blankRequired(a, record) {
					t.Errorf("%s is asked again", a.Next.Path)
				}
				if !m.decides(t, record, setting, a.Next.Path) {
					t.Errorf("%s is asked for %v, and can change nothing", a.Next.Path, a.Next.Decides)
				}
			})
			if named == 0 {
				t.Error("no record left a question open")
			}
		})
	}
}

// thin takes away a part of the answers; sometimes nearly all.
func (m *matter) thin(t *rapid.T, record forms.Record) forms.Record {
	of := rapid.IntRange(0, 10).Draw(t, "tenths that stay")
	var gone []forms.Path
	for _, p := range singly(record) {
		if rapid.IntRange(0, 9).Draw(t, "stays "+string(p)) >= of {
			gone = append(gone, p)
		}
	}
	return record.Without(gone...)
}

// blankRequired reports whether what is asked was left blank, and must not be.
func blankRequired(a *guide.Assessment, record forms.Record) bool {
	v, answered := record.Get(a.Next.Path)
	return answered && v == nil && required(a, a.Next.Path) != rule.False
}

// required says of a question, also that of a cell, whether it must be answered.
func required(a *guide.Assessment, p forms.Path) rule.Truth {
	for _, f := range a.Fields {
		if f.Path == p {
			return f.Required
		}
		for _, row := range f.Rows {
			for _, c := range row {
				if c.Path == p {
					return c.Required
				}
			}
		}
	}
	return rule.False
}

func causes(c *guide.Case) []forms.Cause {
	var all []forms.Cause
	for _, r := range c.Open() {
		all = append(all, r.Outcome.Causes...)
	}
	return all
}

// otherCause reports whether something that is no answer leaves a rule open.
func otherCause(c *guide.Case) bool {
	return slices.ContainsFunc(causes(c), func(c forms.Cause) bool { return c.Kind != forms.CauseAnswer })
}

// decides searches for answers to the other open questions under which two answers to this one differ in their outcome.
func (m *matter) decides(t *rapid.T, record forms.Record, setting guide.Setting, p forms.Path) bool {
	choices := m.choices(p)
	if !m.bundle.Field(p).Required {
		choices = append(slices.Clone(choices), nil)
	}
	for range tries {
		rest := m.completed(t, record.Without(p))
		first := outcomes(guide.Assess(m.selection, rest.With(p, choices[0]), setting))
		for _, v := range choices[1:] {
			if !maps.Equal(first, outcomes(guide.Assess(m.selection, rest.With(p, v), setting))) {
				return true
			}
		}
	}
	return false
}

// answered goes on asking until nothing is asked, and returns the record. It fails if that takes longer than there are
// questions.
func (m *matter) answered(t *rapid.T, record forms.Record, setting guide.Setting) (forms.Record, *guide.Assessment) {
	for range len(m.asked()) + 50 {
		a := guide.Assess(m.selection, record, setting)
		if a.Next == nil {
			return record, a
		}
		record = record.With(a.Next.Path, m.compulsory(t, a, a.Next.Path))
	}
	t.Fatalf("more is asked than there are questions")
	return record, nil
}

// compulsory draws an answer that the assessment accepts: one that is not blank where it must be given.
func (m *matter) compulsory(t *rapid.T, a *guide.Assessment, p forms.Path) kind.Value {
	if required(a, p) == rule.False {
		return m.answer(t, p)
	}
	return rapid.SampledFrom(m.choices(p)).Draw(t, string(p))
}

// Whoever answers what is asked, whatever the answers, comes to a verdict, in at most as many steps as there are
// questions; steps and materials are decided too, as far as the case goes on.
func TestAssess_FollowTheQuestions(t *testing.T) {
	t.Parallel()
	every(t, func(t *rapid.T, m *matter) {
		record, setting := m.draw(t)
		record = m.thin(t, record)
		setting.Facts = m.facts(t)
		_, a := m.answered(t, record, setting)
		c := a.Cases[0]
		if c.Verdict == guide.Undecided {
			t.Fatalf("nothing is asked, and it is undecided: %v", causes(c))
		}
		if c.Verdict == guide.Eligible {
			m.settled(t, a)
		}
	})
}

// settled checks that all is decided but what waits for a result.
func (m *matter) settled(t *rapid.T, a *guide.Assessment) {
	for _, s := range a.Cases[0].Steps {
		if s.Applies.Truth == rule.Unknown && !waits(s.Applies) {
			t.Errorf("whether the step %s applies is open: %v", s.ID, s.Applies.Causes)
		}
	}
	for _, d := range a.Cases[0].Materials {
		if d.Asked.Truth == rule.Unknown && !waits(d.Asked) {
			t.Errorf("whether the material %s is asked is open: %v", d.ID, d.Asked.Causes)
		}
	}
}

func waits(o rule.Outcome) bool {
	return slices.ContainsFunc(o.Causes, func(c forms.Cause) bool { return c.Kind == forms.CauseResult })
}

// A closed record is decided: with all facts, parameters and calendars, only results are open.
func TestClose_Decides(t *testing.T) {
	t.Parallel()
	for _, m := range newMatters(t) {
		t.Run(m.bundle.ID, func(t *testing.T) {
			t.Parallel()
			closed := 0
			rapid.Check(t, func(t *rapid.T) {
				record, setting := m.draw(t)
				setting.Facts = m.facts(t)
				record = m.filled(t, record, setting)
				final, faults := guide.Close(record, guide.Assess(m.selection, record, setting))
				if len(faults) > 0 {
					return
				}
				closed++
				before, after := guide.Assess(m.selection, record, setting), guide.Assess(m.selection, final, setting)
				c := after.Cases[0]
				if c.Verdict == guide.Undecided {
					t.Fatalf("a closed record is undecided: %v", causes(c))
				}
				if v := before.Cases[0].Verdict; v != guide.Undecided && v != c.Verdict {
					t.Errorf("closing makes %s of %s", c.Verdict, v)
				}
				m.settled(t, after)
				for _, f := range after.Fields {
					if !f.Field.Derived && f.Shown == rule.Unknown || f.Required == rule.Unknown {
						t.Errorf("whether %s is asked is open", f.Path)
					}
				}
				again, faults := guide.Close(final, after)
				if len(faults) > 0 || len(again.Diff(final)) > 0 {
					t.Errorf("closing again changes %v and finds %v", again.Diff(final), faults)
				}
			})
			if closed < 10 {
				t.Errorf("only %d records could be closed", closed)
			}
		})
	}
}

// filled answers what is required until nothing is missing.
func (m *matter) filled(t *rapid.T, record forms.Record, setting guide.Setting) forms.Record {
	for range len(m.asked()) {
		a := guide.Assess(m.selection, record, setting)
		missing := false
		for _, f := range a.Fields {
			if v, _ := record.Get(f.Path); v == nil && !f.Field.Derived && f.Shown != rule.False && f.Required != rule.False {
				record = record.With(f.Path, rapid.SampledFrom(m.answers[f.Path]).Draw(t, string(f.Path)))
				missing = true
			}
			for _, row := range f.Rows {
				for _, c := range row {
					if v, _ := record.Get(c.Path); v == nil && !c.Field.Derived && c.Shown != rule.False && c.Required != rule.False {
						record = record.With(c.Path, rapid.SampledFrom(m.choices(c.Path)).Draw(t, string(c.Path)))
						missing = true
					}
				}
			}
		}
		if !missing {
			break
		}
	}
	return record
}

// What a front end keeps by applying every change is what a whole assessment gives, and a change holds what differs and
// nothing else, whether the one assessment was made of the other or not; what changes nothing returns nothing.
func TestChange_Accumulates(t *testing.T) {
	t.Parallel()
	every(t, func(t *rapid.T, m *matter) {
		record, setting := m.draw(t)
		before := guide.Assess(m.selection, record, setting)
		first, err := guide.Change(nil, before)
		if err != nil {
			t.Fatal(err)
		}
		kept := guide.Apply(nil, first)
		for range rapid.IntRange(1, 6).Draw(t, "edits") {
			edited := m.edit(t, record)
			same := len(edited.Diff(record)) == 0
			record = edited
			after := guide.Reassess(before, record)
			if rapid.Bool().Draw(t, "made anew") {
				selection, err := catalog.Select(m.bundle)
				if err != nil {
					t.Fatal(err)
				}
				after = guide.Assess(selection, record, setting)
			}
			change, err := guide.Change(before, after)
			if err != nil {
				t.Fatal(err)
			}
			if same && !guide.Unchanged(change) {
				t.Errorf("an edit that changes nothing returns %v", change)
			}
			if want := difference(whole(t, before), whole(t, after)); !proto.Equal(want, change) {
				t.Fatalf("the change (-want +got):\n%s", cmp.Diff(want, change, protocmp.Transform()))
			}
			kept, before = guide.Apply(kept, change), after
			if want := whole(t, after); !proto.Equal(want, kept) {
				t.Fatalf("what was kept is not what a whole assessment gives (-want +got):\n%s", cmp.Diff(want, kept, protocmp.Transform()))
			}
		}
	})
}

// difference is what differs between two whole assessments, entry by entry.
func difference(before, after *apiv1.Assessment) *apiv1.AssessmentChange {
	change := &apiv1.AssessmentChange{Changed: &apiv1.Assessment{}}
	changed := change.Changed.ProtoReflect()
	b, a := before.ProtoReflect(), after.ProtoReflect()
	fields := a.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if !fd.IsMap() {
			switch {
			case a.Has(fd) && !(b.Has(fd) && proto.Equal(a.Get(fd).Message().Interface(), b.Get(fd).Message().Interface())):
				changed.Set(fd, a.Get(fd))
			case b.Has(fd) && !a.Has(fd):
				change.Gone = append(change.Gone, string(fd.Name()))
			}
			continue
		}
		old, now := b.Get(fd).Map(), a.Get(fd).Map()
		now.Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
			if !old.Has(k) || !proto.Equal(old.Get(k).Message().Interface(), v.Message().Interface()) {
				changed.Mutable(fd).Map().Set(k, v)
			}
			return true
		})
		old.Range(func(k protoreflect.MapKey, _ protoreflect.Value) bool {
			if !now.Has(k) {
				change.Gone = append(change.Gone, string(fd.Name())+"/"+k.String())
			}
			return true
		})
	}
	slices.Sort(change.Gone)
	return change
}

// A case is assessed the same alone and beside any other, in any order.
func TestAssess_Merging(t *testing.T) {
	t.Parallel()
	matters := newMatters(t)
	for _, a := range matters {
		for _, b := range matters {
			if a == b || a.tree != b.tree { // libraries of two trees differ
				continue
			}
			t.Run(a.bundle.ID+" with "+b.bundle.ID, func(t *testing.T) {
				t.Parallel()
				both, err := catalog.Select(a.bundle, b.bundle)
				if err != nil {
					t.Fatal(err)
				}
				rapid.Check(t, func(t *rapid.T) { merges(t, a, b, both) })
			})
		}
	}
}

func merges(t *rapid.T, a, b *matter, both *catalog.Selection) {
	record, setting := a.draw(t)
	other, otherSetting := b.draw(t)
	record = b.thin(t, other).Merge(a.thin(t, record))
	setting.Facts = maps.Clone(setting.Facts)
	maps.Copy(setting.Facts, otherSetting.Facts)
	together := guide.Assess(both, record, setting)
	asked := map[forms.Path]*guide.Field{}
	for _, f := range together.Fields {
		asked[f.Path] = f
	}
	for i, m := range []*matter{a, b} {
		alone := guide.Assess(m.selection, record, setting)
		if !reflect.DeepEqual(alone.Cases[0], together.Cases[i]) {
			t.Errorf("%s is %s alone and %s together:\n%s", m.bundle.ID, alone.Cases[0].Verdict, together.Cases[i].Verdict, differences(alone.Cases[0], together.Cases[i]))
		}
		for _, f := range alone.Fields { // the strongest constraint wins
			merged := asked[f.Path]
			if merged.Shown < f.Shown && f.Shown == rule.True || f.Shown == rule.Unknown && merged.Shown == rule.False {
				t.Errorf("%s is shown %s by %s, and %s together", f.Path, f.Shown, m.bundle.ID, merged.Shown)
			}
			if f.Required == rule.True && merged.Required != rule.True {
				t.Errorf("%s must be answered for %s, and together need not", f.Path, m.bundle.ID)
			}
			for _, step := range f.NeededBy {
				if !slices.Contains(merged.NeededBy, step) {
					t.Errorf("%s does not say that %s needs it", f.Path, step)
				}
			}
		}
	}
	if alone := guide.Assess(a.selection, record, setting); alone.Next != nil && together.Next == nil {
		t.Errorf("%s is asked alone, and nothing together", alone.Next.Path)
	}
}

func differences(a, b *guide.Case) string {
	alone, together := outcomes(&guide.Assessment{Cases: []*guide.Case{a}}), outcomes(&guide.Assessment{Cases: []*guide.Case{b}})
	return cmp.Diff(alone, together) + fmt.Sprint(a.Total, b.Total, a.Due.Due.Date, b.Due.Due.Date, a.Fee, b.Fee, a.Faults, b.Faults)
}

// Any typed record can be assessed, whatever stands in it.
func TestAssess_AnyRecord(t *testing.T) {
	t.Parallel()
	every(t, func(t *rapid.T, m *matter) {
		record := forms.Record{}
		for _, p := range m.asked() {
			if rapid.Bool().Draw(t, "answered "+string(p)) {
				record = record.With(p, m.anyAnswer(t, p))
			}
		}
		setting := m.tests[0].Setting
		if d, ok := setting.Today.AddDays(rapid.IntRange(-1000, 1000).Draw(t, "day")); ok {
			setting.Today = d
		}
		setting.Facts = nil
		a := guide.Assess(m.selection, record, setting)
		if _, err := a.Message(); err != nil {
			t.Fatal(err)
		}
		guide.Close(record, a)
	})
}

// anyAnswer draws any value of the question's kind.
func (m *matter) anyAnswer(t *rapid.T, p forms.Path) kind.Value {
	label := string(p)
	switch m.bundle.Field(p).Field.Kind {
	case kind.KindInt:
		return kind.Int(rapid.Int64Range(-(1<<53-1), 1<<53-1).Draw(t, label))
	case kind.KindMoney:
		return kind.Money(rapid.Int64().Draw(t, label))
	case kind.KindDate:
		d, _ := kind.NewDate(rapid.IntRange(1, 9999).Draw(t, label+" year"), 1, 1)
		d, ok := d.AddDays(rapid.IntRange(0, 366).Draw(t, label))
		if !ok {
			return kind.MustDate("9999-12-31")
		}
		return d
	case kind.KindText:
		return kind.Text(rapid.StringN(1, 60, 200).Draw(t, label))
	default:
		return m.answer(t, p)
	}
}
