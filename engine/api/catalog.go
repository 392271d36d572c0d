package api

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"connectrpc.com/connect/v2"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/forms"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// catalogService reads what is published.
type catalogService struct {
	apiv1connect.UnimplementedCatalogServiceHandler
	engine *engine.Engine
}

// SearchBundles implements CatalogService.
func (s catalogService) SearchBundles(_ context.Context, r *apiv1.SearchBundlesRequest) (*apiv1.SearchBundlesResponse, error) {
	type hit struct {
		bundle *registry.Published
		score  int
	}
	var hits []hit
	words := strings.Fields(strings.ToLower(r.GetWords()))
	for _, b := range s.engine.InForce().All(s.engine.Today(), s.engine.Place()) {
		if stage := r.GetLifeStage(); stage != "" && stage != b.LifeStage {
			continue
		}
		if score, found := relevance(b.Bundle, words); found {
			hits = append(hits, hit{b, score})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.bundle.ID, b.bundle.ID))
	})
	from, to, next, err := window(r.GetPage(), len(hits))
	if err != nil {
		return nil, err
	}
	answer := &apiv1.SearchBundlesResponse{NextToken: next}
	for _, h := range hits[from:to] {
		answer.Bundles = append(answer.Bundles, s.summary(h.bundle))
	}
	return answer, nil
}

// relevance counts where the words stand: a name counts more than a keyword, that more than a step. All words must be
// found somewhere.
func relevance(b *catalog.Bundle, words []string) (score int, found bool) {
	contains := func(text, word string) bool { return strings.Contains(strings.ToLower(text), word) }
	for _, w := range words {
		best := 0
		if contains(b.Name.ZH, w) || contains(b.Name.EN, w) || b.ID == w {
			best = 4
		}
		if best == 0 && slices.ContainsFunc(b.Keywords, func(k string) bool { return contains(k, w) || strings.Contains(w, strings.ToLower(k)) }) {
			best = 2
		}
		if best == 0 && slices.ContainsFunc(b.Steps, func(s *catalog.Step) bool { return contains(s.Name.ZH, w) || contains(s.Name.EN, w) }) {
			best = 1
		}
		if best == 0 {
			return 0, false
		}
		score += best
	}
	return score, true
}

// GetBundle implements CatalogService.
func (s catalogService) GetBundle(_ context.Context, r *apiv1.GetBundleRequest) (*apiv1.GetBundleResponse, error) {
	b := s.engine.InForce().On(r.GetBundle(), s.engine.Today(), s.engine.Place())
	if r.GetVersion() > 0 {
		b = s.engine.InForce().Version(r.GetBundle(), int(r.GetVersion()))
	}
	if b == nil {
		return nil, fail(connect.CodeNotFound, nil, apiv1.Reason_REASON_NOT_FOUND, "没有这个事项，或目前未开放", "there is no such bundle, or it is not in force")
	}
	answer := &apiv1.GetBundleResponse{Summary: s.summary(b), Digest: b.Digest, Basis: b.Basis, Applicants: b.Applicants, Together: b.Together != nil}
	for _, section := range b.Sections {
		message := &apiv1.FormSection{Alias: section.Alias, Name: section.Name.Proto()}
		for _, f := range section.Fields {
			if !f.Field.Derived {
				message.Fields = append(message.Fields, fieldMessage(b.Bundle, f))
			}
		}
		answer.Sections = append(answer.Sections, message)
	}
	own := &apiv1.FormSection{Alias: "own", Name: b.Name.Proto()}
	for _, f := range b.Own {
		if !f.Field.Derived {
			own.Fields = append(own.Fields, fieldMessage(b.Bundle, f))
		}
	}
	if len(own.Fields) > 0 {
		answer.Sections = append(answer.Sections, own)
	}
	for _, rule := range b.Eligibility {
		message := &apiv1.BundleRule{Id: rule.ID, Because: rule.Because.Proto(), Basis: rule.Basis, Otherwise: rule.Otherwise.String()}
		if rule.Remedy.ZH != "" {
			message.Remedy = rule.Remedy.Proto()
		}
		answer.Rules = append(answer.Rules, message)
	}
	for _, step := range b.Steps {
		message := &apiv1.BundleStep{Id: step.ID, Name: step.Name.Proto(), Department: departmentMessage(step.Department), Document: step.Document, Conditional: step.When != nil,
			Valid: validity(step.Valid), Basis: step.Basis}
		for _, a := range step.After {
			message.After = append(message.After, a.Step)
		}
		for _, n := range step.NotCounted {
			message.NotCounted = append(message.NotCounted, &apiv1.NotCounted{Kind: n.Kind, Days: int32(n.Days)})
		}
		answer.Steps = append(answer.Steps, message)
	}
	for _, m := range b.Materials {
		class := "PRIMARY"
		if m.Secondary {
			class = "SECONDARY"
		}
		answer.Materials = append(answer.Materials, &apiv1.BundleMaterial{Material: m.Key, Name: m.Name.Proto(), Class: class, Sources: m.Sources, Formats: m.Formats,
			Tolerable: m.Tolerate != nil, Promisable: m.Promise != nil, Per: string(m.Per), Originals: int32(m.Originals), Copies: int32(m.Copies),
			Required: m.Required, Certificates: m.Certificates, Sample: m.Sample, Valid: validity(m.Valid), Basis: m.Basis})
		for _, o := range m.OneOf {
			last := answer.Materials[len(answer.Materials)-1]
			last.OneOf = append(last.OneOf, &apiv1.MaterialAlternative{Material: o.Key, Name: o.Name.Proto(), Formats: o.Formats})
		}
	}
	return answer, nil
}

func (s catalogService) summary(b *registry.Published) *apiv1.BundleSummary {
	selection, err := catalog.Select(b.Bundle)
	total := int64(0)
	if err == nil { // one bundle alone cannot contradict itself
		a := guide.Assess(selection, forms.Record{}, guide.Setting{Today: s.engine.Today(), Place: s.engine.Place(), Calendar: s.engine.InForce().Calendar})
		total = a.Cases[0].Total.Max
	}
	message := &apiv1.BundleSummary{Bundle: b.ID, Name: b.Name.Proto(), Level: b.Level, Lead: departmentMessage(b.Lead), LifeStage: b.LifeStage,
		PromisedWorkingDays: int32(total), Number: int32(b.Number)}
	for _, d := range b.Departments() {
		message.Departments = append(message.Departments, departmentMessage(d))
	}
	return message
}

func departmentMessage(d *catalog.Department) *apiv1.Department {
	return &apiv1.Department{Id: d.ID, Name: d.Name.Proto(), CreditCode: d.USCC}
}

// validity is how long a document is valid; nil without end.
func validity(d *catalog.Days) *apiv1.Validity {
	if d == nil {
		return nil
	}
	return &apiv1.Validity{N: int32(d.N), Unit: d.Unit.String()}
}

func fieldMessage(b *catalog.Bundle, f *catalog.Field) *apiv1.FormField {
	message := questionMessage(string(f.Path), f)
	for _, step := range b.Steps {
		if b.Closure(step.Reads())[f.Path] {
			message.NeededBy = append(message.NeededBy, b.ID+"."+step.ID)
		}
	}
	for _, cell := range f.Row {
		if !cell.Field.Derived {
			message.Row = append(message.Row, questionMessage(cell.ID, cell))
		}
	}
	return message
}

func questionMessage(path string, f *catalog.Field) *apiv1.FormField {
	message := &apiv1.FormField{Path: path, Kind: f.Kind.String(), Name: f.Name.Proto(), Unit: f.Unit, Basis: f.Basis}
	if f.Help.ZH != "" {
		message.Help = f.Help.Proto()
	}
	for _, o := range f.Options {
		message.Options = append(message.Options, &apiv1.FormOption{Id: o.ID, Name: o.Name.Proto()})
	}
	if f.Pattern != nil {
		message.Pattern = f.Pattern.String()
	}
	message.Scale = int32(f.Scale)
	return message
}
