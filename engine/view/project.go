package view

import (
	"fmt"
	"slices"

	"github.com/siyiban/onething/engine/application"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// place is a place in a list. Orders of one list have the same length, so that they sort as they are.
type place struct{ list, order, item string }

// Lists, by name.
func personList(digest string) string { return "person/" + digest }
func reviewList(place string) string  { return "review/" + place }
func numberList(number string) string { return "number/" + number }

// openList is that of the applications with a case that is not over.
const openList = "open"

// warnedList is that of the cases and tasks whose worst warning has a colour.
func warnedList(colour string) string { return "warned/" + colour }

// verificationList is that of the promises that a department has to verify.
func verificationList(department string) string { return "verify/" + department }

func taskList(f TaskFilter) string {
	list := "officers"
	if f.Automatic {
		list = "all"
	}
	return list + "/" + f.Department + "/" + f.Step
}

// places returns where an application stands.
func places(e entry, s application.State) []place {
	var out []place
	newest := fmt.Sprintf("%016x", ^e.First)
	for _, digest := range e.digests() {
		out = append(out, place{list: personList(digest), order: newest})
	}
	if s.Number != "" {
		out = append(out, place{list: numberList(s.Number)})
	}
	if slices.ContainsFunc(s.Cases, func(c *application.Case) bool { return !c.State.Over() }) {
		out = append(out, place{list: openList})
	}
	warned := func(bundle, task, item string) {
		if colour := s.WarningOf(bundle, task); colour != "" {
			out = append(out, place{list: warnedList(colour), item: item})
		}
	}
	for _, c := range s.Cases {
		if !c.State.Over() {
			warned(c.Bundle, "", c.Bundle)
		}
		out = append(out, place{list: numberList(c.Number), item: c.Bundle})
		if c.State == application.PreReview {
			out = append(out, place{list: reviewList(s.Place), order: day(c.NoticeDue), item: c.Bundle})
		}
	}
	for _, t := range slices.Concat(s.Tasks, s.FollowUps) {
		out = append(out, place{list: numberList(t.Number), item: t.Number})
		if t.State.Settled() {
			continue
		}
		warned(t.Bundle, t.Number, t.Number)
		hook, _ := t.Hook()
		for _, f := range []TaskFilter{{Automatic: true}, {Automatic: true, Step: t.Step}, {}, {Step: t.Step}} {
			if f.Automatic || hook == "" {
				f.Department = t.Department
				out = append(out, place{list: taskList(f), order: day(t.Due), item: t.Number})
			}
		}
	}
	for _, c := range s.Cases {
		for _, p := range c.Promises {
			if !p.Verified && p.Due != nil {
				out = append(out, place{list: verificationList(p.Department), order: day(p.Due), item: c.Bundle + "/" + p.Material})
			}
		}
	}
	return out
}

// digests returns the digests of who may see an application, each once.
func (e entry) digests() []string {
	all := slices.Clone(e.Persons)
	if e.Filer != "" && !slices.Contains(all, e.Filer) {
		all = append(all, e.Filer)
	}
	return all
}

func (e entry) concerns(digest string) bool {
	return digest != "" && slices.Contains(e.digests(), digest)
}

// day returns what a date sorts by: while it is not known the earliest that it can be, and last where there is none.
func day(d *applicationv1.Due) string {
	switch {
	case d.GetDate() != "":
		return d.GetDate()
	case d.GetEarliest() != "":
		return d.GetEarliest()
	}
	return "9999-12-31"
}
