package guide

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// Change returns what changed between two assessments: entries that are new or different, whole, and the names of those
// that are gone. Equal ones differ in nothing. Before is nil where nothing is known yet. What an assessment shares with
// the one that it was made of is not looked at.
func Change(before, after *Assessment) (*apiv1.AssessmentChange, error) {
	c := &change{&apiv1.AssessmentChange{Changed: &apiv1.Assessment{}}}
	if before == nil {
		message, err := after.Message()
		c.Changed = message
		return c.AssessmentChange, err
	}
	if err := c.fields(before, after); err != nil {
		return nil, err
	}
	c.cases(before, after)
	materials(c, before, after)
	if len(before.Faults)+len(after.Faults) > 0 {
		differ(c, "faults", &c.Changed.Faults, before.faults(), after.faults())
	}
	switch was, is := before.Next.message(), after.Next.message(); {
	case is == nil && was != nil:
		c.Gone = append(c.Gone, "next_question")
	case !proto.Equal(was, is):
		c.Changed.NextQuestion = is
	}
	slices.Sort(c.Gone)
	return c.AssessmentChange, nil
}

type change struct{ *apiv1.AssessmentChange }

// entry is a message of the entries of an assessment.
type entry[T any] interface {
	*T
	proto.Message
}

// put notes an entry that is new or different.
func put[T any, M entry[T]](into *map[string]M, key string, m M) {
	if *into == nil {
		*into = map[string]M{}
	}
	(*into)[key] = m
}

// differ notes what differs between two sets of entries.
func differ[T any, M entry[T]](c *change, name string, into *map[string]M, before, after map[string]M) {
	for key, is := range after {
		if was, known := before[key]; !known || !proto.Equal(was, is) {
			put(into, key, is)
		}
	}
	for key := range before {
		if _, known := after[key]; !known {
			c.Gone = append(c.Gone, name+"/"+key)
		}
	}
}

func (c *change) fields(before, after *Assessment) error {
	if before.selection != after.selection {
		was, err := fields(before)
		if err != nil {
			return err
		}
		is, err := fields(after)
		differ(c, "fields", &c.Changed.Fields, was, is)
		return err
	}
	for i, f := range after.Fields {
		if f == before.Fields[i] {
			continue
		}
		is, err := f.message()
		if err != nil {
			return fmt.Errorf("field %s: %w", f.Path, err)
		}
		was, err := before.Fields[i].message()
		if err != nil {
			return fmt.Errorf("field %s: %w", f.Path, err)
		}
		if !proto.Equal(was, is) {
			put(&c.Changed.Fields, string(f.Path), is)
		}
	}
	return nil
}

func fields(a *Assessment) (map[string]*apiv1.FieldAssessment, error) {
	all := make(map[string]*apiv1.FieldAssessment, len(a.Fields))
	for _, f := range a.Fields {
		m, err := f.message()
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Path, err)
		}
		all[string(f.Path)] = m
	}
	return all, nil
}

func (c *change) cases(before, after *Assessment) {
	if before.selection == after.selection {
		for i, k := range after.Cases {
			if old := before.Cases[i]; old != k {
				c.sameCase(old, k)
				c.sameRules(k.Bundle.ID, before.parts[i].rules, after.parts[i].rules)
				c.sameSteps(k.Bundle.ID, old.Steps, k.Steps)
			}
		}
		return
	}
	was := make(map[string]*Case, len(before.Cases))
	for _, k := range before.Cases {
		was[k.Bundle.ID] = k
	}
	for _, k := range after.Cases {
		old := was[k.Bundle.ID]
		delete(was, k.Bundle.ID)
		if old == nil {
			put(&c.Changed.Cases, k.Bundle.ID, k.message())
			differ(c, "rules", &c.Changed.Rules, nil, k.rules())
			differ(c, "steps", &c.Changed.Steps, nil, k.steps())
			continue
		}
		c.sameCase(old, k)
		differ(c, "rules", &c.Changed.Rules, old.rules(), k.rules())
		differ(c, "steps", &c.Changed.Steps, old.steps(), k.steps())
	}
	for id, k := range was {
		c.Gone = append(c.Gone, "cases/"+id)
		differ(c, "rules", &c.Changed.Rules, k.rules(), nil)
		differ(c, "steps", &c.Changed.Steps, k.steps(), nil)
	}
}

func (c *change) sameCase(before, after *Case) {
	if m := after.message(); !proto.Equal(before.message(), m) {
		put(&c.Changed.Cases, after.Bundle.ID, m)
	}
}

func (c *change) sameRules(bundle string, before, after []*Rule) {
	for i, is := range after {
		was := before[i]
		switch {
		case was == is:
		case is == nil:
			c.Gone = append(c.Gone, "rules/"+bundle+"."+was.ID)
		default:
			if m := is.message(bundle); was == nil || !proto.Equal(was.message(bundle), m) {
				put(&c.Changed.Rules, bundle+"."+is.ID, m)
			}
		}
	}
}

func (c *change) sameSteps(bundle string, before, after []*Step) {
	for i, is := range after {
		if before[i] == is {
			continue
		}
		if m := is.message(); !proto.Equal(before[i].message(), m) {
			put(&c.Changed.Steps, bundle+"."+is.ID, m)
		}
	}
}

func materials(c *change, before, after *Assessment) {
	if len(before.Materials) == len(after.Materials) && (len(after.Materials) == 0 || &before.Materials[0] == &after.Materials[0]) {
		return
	}
	was := make(map[string]*SharedMaterial, len(before.Materials))
	for _, m := range before.Materials {
		was[m.Key] = m
	}
	for _, m := range after.Materials {
		old := was[m.Key]
		delete(was, m.Key)
		if old == m {
			continue
		}
		is := m.message()
		if old == nil || !proto.Equal(old.message(), is) {
			put(&c.Changed.Materials, m.Key, is)
		}
	}
	for key := range was {
		c.Gone = append(c.Gone, "materials/"+key)
	}
}
