package application

import (
	"fmt"

	"github.com/siyiban/onething/engine/refusal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// How many working days a limit may be extended by, once: of one department with its head's approval, of a joint handling
// with the government head's (行政许可法 42).
const (
	extensionOfTask = 10
	extensionOfCase = 15
)

// extendTask makes the limit of a task longer, once and before it passes.
func (d *decision) extendTask(cmd ExtendTask) error {
	t, err := d.openTask(cmd.Task)
	if err != nil {
		return err
	}
	e := &applicationv1.Extended{Bundle: t.Bundle, Task: t.Number}
	if err := d.approved(e, cmd.Approval, extensionOfTask); err != nil {
		return err
	}
	return d.extend(e, cmd.Approval, limits{t.Due, t.Statutory}, t.Pauses, t.statutoryPauses(), t.Extended)
}

// extendCase makes the limit of a case longer, once and before it passes.
func (d *decision) extendCase(cmd ExtendCase) error {
	c, err := d.acceptedCase(cmd.Bundle)
	if err != nil {
		return err
	}
	e := &applicationv1.Extended{Bundle: c.Bundle}
	if err := d.approved(e, cmd.Approval, extensionOfCase); err != nil {
		return err
	}
	pauses := d.casePauses(c.Bundle)
	return d.extend(e, cmd.Approval, limits{c.Due, c.Statutory}, pauses, pauses, c.Extended)
}

// extendTolerance lets a material follow later, once and before its date passes: at most by as many days as the bundle
// gave, and not beyond the statutory date of the case.
func (d *decision) extendTolerance(cmd ExtendTolerance) error {
	c, err := d.acceptedCase(cmd.Bundle)
	if err != nil {
		return err
	}
	t := c.tolerance(cmd.Material)
	switch {
	case t.Material == "" || t.Supplied:
		return refusal.New(refusal.NotFound, "没有等待补交的此项材料", "the case waits for no such material")
	case t.Lapsed:
		return refusal.New(refusal.WrongState, "补交期限已过，不能延长", "the date has passed")
	case t.Extended:
		return extendedBefore()
	}
	e := &applicationv1.Extended{Bundle: c.Bundle, Material: t.Material}
	if err := d.approved(e, cmd.Approval, int(t.Due.GetLimit())); err != nil {
		return err
	}
	e.Due = d.extendedBy(t.Due, cmd.Days, nil)
	if last := c.Statutory.GetDate(); last != "" && e.Due.GetDate() > last {
		return refusal.New(refusal.Invalid, "补交期限不得超过法定办理期限 "+last, "the material may not follow after the statutory date "+last)
	}
	d.extendedWith(e, cmd.Approval.Reason)
	return nil
}

// acceptedCase returns a case that is under way.
func (d *decision) acceptedCase(bundle string) (*Case, error) {
	c := d.s.Case(bundle)
	switch {
	case c == nil:
		return nil, noCase()
	case c.State != Accepted:
		return nil, refusal.New(refusal.WrongState, "该事项不在办理中", "the case is not under way")
	}
	return c, nil
}

// approved takes over who has approved an extension, and refuses one without an approver or a reason, or for too long.
func (d *decision) approved(e *applicationv1.Extended, a Approval, most int) error {
	switch {
	case a.Approver == "" || a.Reason == "":
		return refusal.New(refusal.Invalid, "延长期限须有批准人和理由", "an extension needs who approved it, and a reason")
	case a.Approver == d.w.Actor.GetId():
		return refusal.New(refusal.Invalid, "延长期限须由他人批准", "nobody approves their own extension")
	case a.Days < 1 || a.Days > most:
		return refusal.New(refusal.Invalid, fmt.Sprintf("最多延长 %d 个工作日", most), fmt.Sprintf("it is extended by 1 to %d working days", most))
	}
	e.Approver, e.Days, e.Notice = a.Approver, int32(a.Days), d.s.nextNotice()
	return nil
}

func extendedBefore() error {
	return refusal.New(refusal.WrongState, "期限已延长过一次", "the limit was extended before, which may be done once")
}

// limits are the promised and the statutory date of a task or a case.
type limits struct{ due, statutory *applicationv1.Due }

// extend moves both dates, as far as they count working days: others have laws of their own. The office may not promise
// more than the law gives.
func (d *decision) extend(e *applicationv1.Extended, a Approval, l limits, pauses, statutoryPauses []Pause, before bool) error {
	if before {
		return extendedBefore()
	}
	today := d.today.String()
	for _, due := range []*applicationv1.Due{l.due, l.statutory} {
		if due.GetDate() != "" && due.GetDate() < today {
			return refusal.New(refusal.WrongState, "期限已过，不能延长", "the limit has passed: it is extended before")
		}
	}
	if l.due.GetUnit() == unitWorkingDays {
		e.Due = d.extendedBy(l.due, a.Days, pauses)
	}
	if l.statutory.GetUnit() == unitWorkingDays {
		e.Statutory = d.extendedBy(l.statutory, a.Days, statutoryPauses)
	}
	last := l.statutory
	if e.Statutory != nil {
		last = e.Statutory
	}
	switch {
	case e.Due == nil && e.Statutory == nil:
		return refusal.New(refusal.Invalid, "该期限不以工作日计算，不适用行政许可法第四十二条", "the limit counts no working days: article 42 of the licensing law is not about it")
	case last.GetDate() != "" && e.Due.GetDate() > last.GetDate():
		return refusal.New(refusal.Invalid, "承诺期限不得超过法定期限 "+last.GetDate(), "the promised date may not lie after the statutory one, "+last.GetDate())
	}
	d.extendedWith(e, a.Reason)
	return nil
}

func (d *decision) extendedWith(e *applicationv1.Extended, reason string) {
	d.by(&applicationv1.Event{Kind: &applicationv1.Event_Extended{Extended: e}, Personal: &applicationv1.Personal{Reason: reason}})
}

func (s *State) extended(e *applicationv1.Extended) {
	if e.GetNotice() != "" {
		s.Notices++
	}
	if e.GetTask() != "" {
		t := s.touchTask(e.GetTask())
		t.Extended = true
		set(&t.Due, e.GetDue())
		set(&t.Statutory, e.GetStatutory())
		return
	}
	c := s.touch(e.GetBundle())
	if e.GetMaterial() == "" {
		c.Extended = true
		set(&c.Due, e.GetDue())
		set(&c.Statutory, e.GetStatutory())
		return
	}
	for i := range c.Tolerances {
		if t := &c.Tolerances[i]; t.Material == e.GetMaterial() {
			t.Extended = true
			set(&t.Due, e.GetDue())
		}
	}
}
