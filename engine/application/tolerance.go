package application

import (
	"slices"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// The ways that a bundle has for a tolerance whose date passes.
const (
	thenSuspend = "SUSPEND"
	thenEnd     = "END"
)

// tolerances are the materials of a case that may follow, each with its date: as long as the bundle gives, but not
// longer than its promised time (容缺受理: the supplement comes within the promised handling time), counted from the
// notice of acceptance.
func (d *decision) tolerances(c *Case, a *guide.Case, from kind.Date) []*applicationv1.Tolerance {
	var tolerances []*applicationv1.Tolerance
	for _, m := range c.Materials {
		declared := a.Bundle.Material(m.ID)
		if m.Origin != applicationv1.Origin_ORIGIN_TOLERATED || declared == nil || declared.Tolerate == nil {
			continue
		}
		t := declared.Tolerate
		tolerances = append(tolerances, &applicationv1.Tolerance{Material: m.ID, Due: d.clock(from, workingDays(min(t.WorkingDays, int(a.Total.Max))), nil),
			Then: t.Then, Suspended: int32(t.Suspended)})
	}
	return tolerances
}

// supply takes a material that was tolerated, for every case that waits for it.
func (d *decision) supply(cmd Supply) error {
	if cmd.File == nil {
		return refusal.New(refusal.Invalid, "没有文件", "there is no file")
	}
	if !d.supplied(cmd.Material, cmd.File) {
		return refusal.New(refusal.WrongState, "没有等待补交此材料的事项", "no case waits for this material").
			Else("受理前请通过补正提交", "before acceptance, correct the application instead")
	}
	if err := d.acceptWithoutFindings(); err != nil {
		return err
	}
	return d.proceedAll()
}

// supplied records a material if an accepted case waits for it, with the dates of the steps that go on; it says whether
// one does. It counts for every case that shall get it later, as the applicant brings one set of materials.
func (d *decision) supplied(key string, file *applicationv1.MaterialFile) bool {
	if !slices.ContainsFunc(d.s.Cases, func(c *Case) bool {
		return slices.ContainsFunc(c.Materials, func(m Material) bool {
			return m.Shared == key && (c.State == Accepted && c.awaits(m) || c.promiseAwaits(m))
		})
	}) {
		return false
	}
	for _, c := range d.s.Cases {
		for _, m := range c.Materials {
			if m.Shared != key || !c.awaits(m) && !c.promiseAwaits(m) {
				continue
			}
			d.by(&applicationv1.Event{Kind: &applicationv1.Event_MaterialSupplied{MaterialSupplied: &applicationv1.MaterialSupplied{Bundle: c.Bundle, Material: m.ID, On: d.today.String()}},
				Personal: &applicationv1.Personal{Files: []*applicationv1.MaterialFile{file}}})
			d.settleWaits(c.Bundle, m.ID)
		}
	}
	return true
}

// awaits says whether a case gets a material later: one that was tolerated, or shall be at its acceptance.
func (c *Case) awaits(m Material) bool {
	if c.State == Accepted {
		return slices.Contains(c.Tolerated(), m.ID)
	}
	return !c.State.Over() && m.Origin == applicationv1.Origin_ORIGIN_TOLERATED
}

// promiseAwaits says whether a case, also one that is over, gets a material in place of a false promise that the applicant
// has to correct.
func (c *Case) promiseAwaits(m Material) bool {
	p := c.promise(m.ID)
	return m.Origin == applicationv1.Origin_ORIGIN_PROMISE && p != nil && p.False() && p.IfFalse == IfFalseCorrect
}

// settleWaits records the dates of the steps that need a material, after they have begun or ended to wait for it.
func (d *decision) settleWaits(bundle, material string) {
	for _, t := range d.s.Tasks {
		step := d.bundle(bundle).Step(t.Step)
		if t.Bundle != bundle || t.State.Settled() || t.State == TaskDecided || step == nil || !slices.ContainsFunc(step.Materials, needs(material)) {
			continue
		}
		due, statutory := d.dates(t)
		if due.GetDate() != t.Due.GetDate() || due.GetEarliest() != t.Due.GetEarliest() {
			d.follows(&applicationv1.Event{Kind: &applicationv1.Event_DueSettled{DueSettled: &applicationv1.DueSettled{Bundle: bundle, Task: t.Number, Due: due, Statutory: statutory}}})
		}
	}
}

// needs says of a need whether it is of the material.
func needs(material string) func(catalog.Need) bool {
	return func(n catalog.Need) bool { return n.Material.ID == catalog.Unnumbered(material) }
}

func (s *State) materialSupplied(e *applicationv1.MaterialSupplied) {
	c := s.touch(e.GetBundle())
	if m := c.Material(e.GetMaterial()); m != nil {
		m.Origin = applicationv1.Origin_ORIGIN_APPLICANT
	}
	c.Undecided = slices.DeleteFunc(slices.Clone(c.Undecided), func(id string) bool { return id == string(materialPath(e.GetMaterial())) })
	for i := range c.Tolerances {
		if c.Tolerances[i].Material == e.GetMaterial() {
			c.Tolerances[i].Supplied = true
		}
	}
	for _, t := range s.FollowUps {
		if t.Bundle == e.GetBundle() && t.Promise == e.GetMaterial() && t.CorrectionDue != nil && !t.State.Settled() {
			t.Version++
			t.CorrectionDue = nil
			t.rest()
		}
	}
	on, _ := kind.ParseDate(e.GetOn())
	s.waitNoLonger(e.GetBundle(), e.GetMaterial(), on)
}

// waitNoLonger lets the tasks of a case go on that have waited for a material, up to and with a day.
func (s *State) waitNoLonger(bundle, material string, last kind.Date) {
	is := func(id string) bool { return id == material }
	for _, t := range s.Tasks {
		if t.Bundle != bundle || t.State.Settled() || !slices.ContainsFunc(slices.Concat(t.WaitsExamination, t.WaitsResult), is) {
			continue
		}
		t.Version++
		t.WaitsResult = slices.DeleteFunc(t.WaitsResult, is)
		t.WaitsExamination = slices.DeleteFunc(t.WaitsExamination, is)
		if len(t.WaitsExamination) == 0 {
			t.endPauses(last, func(p Pause) bool { return p.Procedure == PauseSupply })
		}
		t.rest()
	}
}

// lapseTolerance does what the bundle says of a tolerance whose date has passed: remind, suspend the steps that need the
// material and later end the case, or end it. Dates count from the date that passed, however late it is noticed.
func (d *decision) lapseTolerance(c *Case, material string) error {
	t := c.tolerance(material)
	e := &applicationv1.ToleranceLapsed{Bundle: c.Bundle, Material: t.Material, Then: t.Then}
	if t.Then == thenSuspend {
		last, _ := kind.ParseDate(t.Due.GetDate())
		e.Until = d.clock(last, workingDays(int(t.Suspended)), nil)
	}
	d.follows(&applicationv1.Event{Kind: &applicationv1.Event_ToleranceLapsed{ToleranceLapsed: e}})
	switch t.Then {
	case thenSuspend:
		d.settleWaits(c.Bundle, t.Material)
	case thenEnd:
		return d.end(c, applicationv1.CaseEnded_OUTCOME_ENDED)
	}
	return nil
}

func (s *State) toleranceLapsed(e *applicationv1.ToleranceLapsed) {
	c := s.touch(e.GetBundle())
	for i := range c.Tolerances {
		if c.Tolerances[i].Material == e.GetMaterial() {
			c.Tolerances[i].Lapsed, c.Tolerances[i].Until = true, e.GetUntil()
		}
	}
	if e.GetThen() != thenSuspend {
		return
	}
	passed, _ := kind.ParseDate(e.GetUntil().GetFrom())
	is := func(id string) bool { return id == e.GetMaterial() }
	for _, t := range s.Tasks {
		// A decision that waits for it stays one; a step that was still examined stops.
		if t.Bundle != e.GetBundle() || t.State.Settled() || t.State == TaskDecided || !slices.ContainsFunc(t.WaitsResult, is) {
			continue
		}
		t.Version++
		t.WaitsResult = slices.DeleteFunc(t.WaitsResult, is)
		if len(t.WaitsExamination) == 0 {
			t.Pauses = append(t.Pauses, Pause{Procedure: PauseSupply, From: nextDay(passed)})
		}
		t.WaitsExamination = append(t.WaitsExamination, e.GetMaterial())
		t.rest()
	}
}
