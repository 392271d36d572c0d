package steps

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/pluginvalue"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// hooks are the hooks by the names that events have.
func hookOf(name string) pluginv1.Hook {
	switch name {
	case application.HookCheck:
		return pluginv1.Hook_HOOK_CHECK
	case application.HookDecide:
		return pluginv1.Hook_HOOK_DECIDE
	case application.HookIssue:
		return pluginv1.Hook_HOOK_ISSUE
	case application.HookRevoke:
		return pluginv1.Hook_HOOK_REVOKE
	}
	return pluginv1.Hook_HOOK_UNSPECIFIED
}

// build makes the request of a call: exactly the answers, results and materials that the step needs, and what is
// published.
func build(a *Application, w work, step *catalog.Step) (*pluginv1.Request, error) {
	bundle := a.Selection.Bundle(w.Bundle)
	c := a.State.Case(w.Bundle)
	r := &pluginv1.Request{
		Hook: hookOf(w.Hook), Bundle: w.Bundle, Step: w.Step, Task: w.Task, Attempt: uint32(w.Attempt),
		Today: a.State.Received.String(), Place: a.State.Place,
		Answers: map[string]*pluginv1.Value{}, Parameters: map[string]*pluginv1.Value{}, Result: map[string]*pluginv1.Value{},
	}
	if r.Task == "" {
		r.Task = c.Number
	}
	set := func(into map[string]*pluginv1.Value, name string, v kind.Value) error {
		if v == nil {
			return nil // blank, or does not apply
		}
		value, err := pluginvalue.Of(v)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		into[name] = value
		return nil
	}
	fields := map[forms.Path]*guide.Field{}
	for _, f := range a.Assessment.Fields {
		fields[f.Path] = f
	}
	for _, p := range step.Fields {
		f := fields[p]
		if f == nil || f.Shown != rule.True {
			continue
		}
		if err := set(r.Answers, shorten(p, w.Bundle), step.Narrow(p, f.Value(a.Record))); err != nil {
			return nil, err
		}
	}
	for _, p := range step.Results {
		if err := set(r.Answers, string(p), a.Results[w.Bundle][p]); err != nil {
			return nil, err
		}
	}
	parameters := bundle.Parameters()
	for id := range parameters {
		if value, ok := parameters.Value(id, a.State.Received, a.State.Place); ok {
			if err := set(r.Parameters, id, value); err != nil {
				return nil, err
			}
		}
	}
	var err error
	if r.Published, err = published(parameters, a.State.Place); err != nil {
		return nil, err
	}
	for _, need := range step.Materials {
		for _, m := range c.MaterialsOf(need.Material.ID) {
			r.Materials = append(r.Materials, &pluginv1.Material{Id: m.ID, Origin: origin(m.Origin)})
		}
	}
	if w.Hook == application.HookIssue || w.Hook == application.HookRevoke {
		for _, f := range step.Result {
			if err := set(r.Result, f.ID, a.Results[w.Bundle][f.Path]); err != nil {
				return nil, err
			}
		}
	}
	return r, nil
}

// maxPublished is how many values of a parameter a plugin gets: the latest ones.
const maxPublished = 64

// published returns what is published of parameters for a place, for whatever day.
func published(parameters catalog.Parameters, place string) (map[string]*pluginv1.Published, error) {
	all := map[string]*pluginv1.Published{}
	text := func(d kind.Date) string {
		if d.IsZero() {
			return ""
		}
		return d.String()
	}
	for id, values := range parameters {
		held := slices.DeleteFunc(slices.Clone(values), func(v catalog.ParameterValue) bool { return !strings.HasPrefix(place, v.Place) })
		if len(held) == 0 {
			continue
		}
		slices.SortStableFunc(held, func(a, b catalog.ParameterValue) int {
			return cmp.Or(b.From.Compare(a.From), cmp.Compare(len(b.Place), len(a.Place)))
		})
		p := &pluginv1.Published{}
		for _, v := range held[:min(len(held), maxPublished)] {
			value, err := pluginvalue.Of(v.Value)
			if err != nil {
				return nil, fmt.Errorf("parameter %s: %w", id, err)
			}
			p.Values = append(p.Values, &pluginv1.PublishedValue{From: text(v.From), Until: text(v.Until), Place: v.Place, Value: value})
		}
		all[id] = p
	}
	return all, nil
}

// shorten returns a path as rules and plugins write it: the bundle's own fields without the bundle.
func shorten(p forms.Path, bundle string) string {
	if own, ok := strings.CutPrefix(string(p), "own."+bundle+"."); ok {
		return "own." + own
	}
	return string(p)
}

// lengthen is the path in the record that a plugin means.
func lengthen(p, bundle string) string {
	if own, ok := strings.CutPrefix(p, "own."); ok && !strings.Contains(own, ".") {
		return "own." + bundle + "." + own
	}
	return p
}

// origin is where a material came from, in the words of the plugin interface.
func origin(o applicationv1.Origin) string {
	switch o {
	case applicationv1.Origin_ORIGIN_UNSPECIFIED, applicationv1.Origin_ORIGIN_TOLERATED:
		return "MISSING"
	default:
		return strings.TrimPrefix(o.String(), "ORIGIN_")
	}
}
