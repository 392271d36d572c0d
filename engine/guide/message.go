package guide

import (
	"fmt"
	"maps"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// Message returns the assessment as the API shows it.
func (a *Assessment) Message() (*apiv1.Assessment, error) {
	m := &apiv1.Assessment{Fields: map[string]*apiv1.FieldAssessment{}, Cases: map[string]*apiv1.CaseAssessment{}, Rules: map[string]*apiv1.RuleAssessment{},
		Steps: map[string]*apiv1.StepAssessment{}, Materials: map[string]*apiv1.MaterialAssessment{}, Faults: a.faults(), NextQuestion: a.Next.message()}
	for _, f := range a.Fields {
		field, err := f.message()
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Path, err)
		}
		m.Fields[string(f.Path)] = field
	}
	for _, c := range a.Cases {
		m.Cases[c.Bundle.ID] = c.message()
		maps.Copy(m.Rules, c.rules())
		maps.Copy(m.Steps, c.steps())
	}
	for _, s := range a.Materials {
		m.Materials[s.Key] = s.message()
	}
	return m, nil
}

func (f *Field) message() (*apiv1.FieldAssessment, error) {
	m, err := fieldMessage(f.Shown, f.Required, f.Options, f.Proposal, f.Derived)
	if err != nil {
		return nil, err
	}
	m.NeededBy = f.NeededBy
	for _, row := range f.Rows {
		cells := map[string]*apiv1.FieldAssessment{}
		for _, c := range row {
			if cells[c.ID], err = fieldMessage(c.Shown, c.Required, c.Options, c.Proposal, c.Derived); err != nil {
				return nil, err
			}
		}
		m.Rows = append(m.Rows, &apiv1.RowAssessment{Cells: cells})
	}
	return m, nil
}

func fieldMessage(shown, required rule.Truth, options []string, proposal, derived kind.Value) (*apiv1.FieldAssessment, error) {
	m := &apiv1.FieldAssessment{Shown: truthMessage(shown), Required: truthMessage(required)}
	if shown != rule.False {
		m.Options = options
	}
	var err error
	if proposal != nil {
		if m.Proposal, err = forms.EncodeValue(proposal); err != nil {
			return nil, err
		}
	}
	if derived != nil {
		if m.Derived, err = forms.EncodeValue(derived); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (c *Case) message() *apiv1.CaseAssessment {
	return &apiv1.CaseAssessment{
		Verdict:  c.Verdict.Proto(),
		TotalMin: int32(c.Total.Min), TotalMax: int32(c.Total.Max),
		Due: c.Due.message(), FeeMinFen: c.Fee.Min, FeeMaxFen: c.Fee.Max, Together: c.Together,
	}
}

func (c *Case) rules() map[string]*apiv1.RuleAssessment {
	all := make(map[string]*apiv1.RuleAssessment, len(c.Rules))
	for i := range c.Rules {
		all[c.Bundle.ID+"."+c.Rules[i].ID] = c.Rules[i].message(c.Bundle.ID)
	}
	return all
}

func (r *Rule) message(bundle string) *apiv1.RuleAssessment {
	m := &apiv1.RuleAssessment{Bundle: bundle, Holds: truthMessage(r.Outcome.Truth), Otherwise: r.Otherwise.String(), Because: r.Because.Proto(),
		Basis: r.Basis, For: r.For, Examined: r.Examine != nil}
	if r.Remedy.ZH != "" {
		m.Remedy = r.Remedy.Proto()
	}
	for _, cause := range r.Outcome.Causes {
		m.Unknown = append(m.Unknown, CauseText(cause))
	}
	return m
}

func (c *Case) steps() map[string]*apiv1.StepAssessment {
	all := make(map[string]*apiv1.StepAssessment, len(c.Steps))
	for _, s := range c.Steps {
		all[c.Bundle.ID+"."+s.ID] = s.message()
	}
	return all
}

func (s *Step) message() *apiv1.StepAssessment {
	m := &apiv1.StepAssessment{Name: s.Name.Proto(), Department: s.Department.ID, Applies: truthMessage(s.Applies.Truth)}
	if s.Applies.Truth != rule.False {
		m.Due = s.Due.message()
	}
	return m
}

func (s *SharedMaterial) message() *apiv1.MaterialAssessment {
	m := &apiv1.MaterialAssessment{Name: s.Name.Proto(), Asked: truthMessage(s.Asked), Required: s.Required,
		Tolerable: truthMessage(s.Tolerable), Promisable: truthMessage(s.Promisable), Sources: s.Sources, NeededBy: s.NeededBy}
	for _, o := range s.OneOf {
		m.OneOf = append(m.OneOf, &apiv1.MaterialAlternative{Material: o.Key, Name: o.Name.Proto(), Formats: o.Formats})
	}
	if s.Promise.ZH != "" {
		m.Promise = s.Promise.Proto()
	}
	if s.Tolerable != rule.False {
		m.Tolerance = catalog.ToleratePromise(s.Name).Proto()
	}
	return m
}

func (a *Assessment) faults() map[string]*formsv1.Violation {
	all := make(map[string]*formsv1.Violation, len(a.Faults))
	for _, v := range a.Faults {
		key := string(v.Path) + "/" + v.Code
		if v.Rule != "" {
			key += "/" + v.Bundle + "." + v.Rule
		}
		all[key] = v.Proto()
	}
	return all
}

func (q *Question) message() *apiv1.NextQuestion {
	if q == nil {
		return nil
	}
	return &apiv1.NextQuestion{Path: string(q.Path), Decides: q.Decides}
}

var causeKinds = map[forms.CauseKind]string{ //nolint:gochecknoglobals // a table that nothing writes to
	forms.CauseAnswer: "answer", forms.CauseFact: "fact", forms.CauseParameter: "parameter",
	forms.CauseCalendar: "calendar", forms.CauseResult: "result", forms.CauseFault: "fault"}

// CauseText names a cause as the API does: `answer:<path>`, `fact:<path>`, `parameter:<path>`, `calendar:<year>`.
func CauseText(c forms.Cause) string {
	return causeKinds[c.Kind] + ":" + strings.TrimPrefix(string(c.Path), "calendar.")
}

func (d Date) message() *apiv1.Due {
	m := &apiv1.Due{}
	if d.Due.Known && d.Known {
		m.Date = d.Due.Date.String()
	} else if earliest := d.earliest(); earliest != "" {
		m.Earliest = earliest
	}
	return m
}

func (d Date) earliest() string {
	switch {
	case d.Due.Known:
		return "" // depends on answers that are open: the total says between what
	case d.Due.Earliest.IsZero():
		return ""
	}
	return d.Due.Earliest.String()
}

func truthMessage(t rule.Truth) apiv1.Truth {
	switch t {
	case rule.True:
		return apiv1.Truth_TRUTH_YES
	case rule.False:
		return apiv1.Truth_TRUTH_NO
	default:
		return apiv1.Truth_TRUTH_UNKNOWN
	}
}

// Apply returns the assessment that a change leads to: what a front end keeps.
func Apply(before *apiv1.Assessment, change *apiv1.AssessmentChange) *apiv1.Assessment {
	after := proto.CloneOf(before)
	if after == nil {
		after = &apiv1.Assessment{}
	}
	m := after.ProtoReflect()
	for _, gone := range change.GetGone() {
		name, key, inMap := strings.Cut(gone, "/")
		fd := m.Descriptor().Fields().ByName(protoreflect.Name(name))
		switch {
		case fd == nil:
		case inMap && fd.IsMap():
			m.Mutable(fd).Map().Clear(protoreflect.ValueOfString(key).MapKey())
		case !inMap:
			m.Clear(fd)
		}
	}
	if c := change.GetChanged(); c != nil {
		c.ProtoReflect().Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			if !fd.IsMap() {
				m.Set(fd, v)
				return true
			}
			v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				m.Mutable(fd).Map().Set(k, v)
				return true
			})
			return true
		})
	}
	return after
}

// Unchanged reports whether a change changes nothing.
func Unchanged(c *apiv1.AssessmentChange) bool {
	return len(c.GetGone()) == 0 && proto.Size(c.GetChanged()) == 0
}

// Proto returns the verdict as the API has it.
func (v Verdict) Proto() apiv1.Verdict {
	switch v {
	case Eligible:
		return apiv1.Verdict_VERDICT_ELIGIBLE
	case NotEligible:
		return apiv1.Verdict_VERDICT_NOT_ELIGIBLE
	case NotNeeded:
		return apiv1.Verdict_VERDICT_NOT_NEEDED
	case Elsewhere:
		return apiv1.Verdict_VERDICT_ELSEWHERE
	default:
		return apiv1.Verdict_VERDICT_UNDECIDED
	}
}
