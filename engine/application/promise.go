package application

import (
	"slices"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/refusal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// openVerifications opens the verification of each promise that a case was accepted on, or that came with a later
// correction (国办发〔2020〕42号: verified afterwards). It may outlive the case.
func (d *decision) openVerifications(c *Case) {
	for _, m := range c.Materials {
		declared := d.bundle(c.Bundle).Material(m.ID)
		if m.Origin != applicationv1.Origin_ORIGIN_PROMISE || declared == nil || declared.Promise == nil ||
			slices.ContainsFunc(c.Promises, func(p Promise) bool { return p.Material == m.ID }) {
			continue
		}
		d.follows(&applicationv1.Event{Kind: &applicationv1.Event_VerificationOpened{VerificationOpened: &applicationv1.VerificationOpened{
			Bundle: c.Bundle, Material: m.ID, Department: verifier(d.bundle(c.Bundle), declared).ID,
			Due: d.clock(d.today, workingDays(declared.Promise.WorkingDays), nil)}}})
	}
}

// verifier is the department that verifies a promise: the one that the bundle names, else the lead.
func verifier(b *catalog.Bundle, m *catalog.Material) *catalog.Department {
	if m.Promise.By != nil {
		return m.Promise.By
	}
	return b.Lead
}

func (s *State) verificationOpened(e *applicationv1.VerificationOpened) {
	c := s.touch(e.GetBundle())
	c.Promises = append(c.Promises, Promise{Material: e.GetMaterial(), Department: e.GetDepartment(), Due: e.GetDue()})
}

// verifyPromise says whether a promise holds.
func (d *decision) verifyPromise(cmd VerifyPromise) error {
	c := d.s.Case(cmd.Bundle)
	if c == nil {
		return noCase()
	}
	for _, p := range c.Promises {
		switch {
		case p.Material != cmd.Material || !d.concerns(p.Department):
		case p.Verified:
			return refusal.New(refusal.WrongState, "该承诺已经核查", "the promise was verified already")
		case !cmd.Holds && cmd.Reason == "":
			return refusal.New(refusal.Invalid, "认定承诺不实须说明理由", "a promise is found false only with a reason")
		default:
			e := &applicationv1.Event{Kind: &applicationv1.Event_PromiseVerified{PromiseVerified: &applicationv1.PromiseVerified{Bundle: c.Bundle, Material: p.Material, Holds: cmd.Holds}}}
			if cmd.Reason != "" {
				e.Personal = &applicationv1.Personal{Reason: cmd.Reason}
			}
			d.by(e)
			return nil
		}
	}
	return refusal.New(refusal.NotFound, "没有待核查的承诺", "there is no such promise to verify")
}

func (s *State) promiseVerified(e *applicationv1.PromiseVerified) {
	c := s.touch(e.GetBundle())
	for i := range c.Promises {
		if c.Promises[i].Material == e.GetMaterial() {
			c.Promises[i].Verified, c.Promises[i].Holds = true, e.GetHolds()
		}
	}
}
