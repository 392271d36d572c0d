package application

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/forms"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// What a false promise leads to at those who relied on it, and the purposes of the follow-ups that it opens.
const (
	IfFalseRevoke  = "REVOKE"
	IfFalseCorrect = "CORRECT"
)

// followUpDays are the working days that a department has for a follow-up. It is our measure: the law's for a decision of
// one department (行政许可法 42).
const followUpDays = 20

// openVerifications opens the verification of each promise that a case was accepted on, or that came with a later
// correction (国办发〔2020〕42号: verified afterwards). It may outlive the case. Where the bundle has a share of them
// verified, a draw says which: nobody can foresee it, and it can be repeated from the application's secret and is on the
// record.
func (d *decision) openVerifications(c *Case) {
	for _, m := range c.Materials {
		declared := d.bundle(c.Bundle).Material(m.ID)
		if m.Origin != applicationv1.Origin_ORIGIN_PROMISE || declared == nil || declared.Promise == nil || c.promise(m.ID) != nil {
			continue
		}
		e := &applicationv1.VerificationOpened{Bundle: c.Bundle, Material: m.ID, Department: verifier(d.bundle(c.Bundle), declared).ID,
			Sample: int32(declared.Promise.Sample), Drawn: drawn(d.w.Draw, c.Bundle, m.ID), IfFalse: declared.Promise.IfFalse}
		if e.Drawn < e.Sample {
			e.Due = d.clock(d.today, workingDays(declared.Promise.WorkingDays), nil)
		}
		d.follows(&applicationv1.Event{Kind: &applicationv1.Event_VerificationOpened{VerificationOpened: e}})
	}
}

// drawn is what is drawn for a promise, from 0 to 99, evenly.
func drawn(secret []byte, bundle, material string) int32 {
	sum := sha256.Sum256([]byte(string(secret) + "/" + bundle + "/" + material))
	return int32(binary.BigEndian.Uint64(sum[:8]) % 100)
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
	c.Promises = append(c.Promises, Promise{Material: e.GetMaterial(), Department: e.GetDepartment(), Due: e.GetDue(), IfFalse: e.GetIfFalse(), Drawn: e.GetDrawn(), Sample: e.GetSample()})
}

// promise returns the promise in place of a material, nil if the case has none.
func (c *Case) promise(material string) *Promise {
	i := slices.IndexFunc(c.Promises, func(p Promise) bool { return p.Material == material })
	if i < 0 {
		return nil
	}
	return &c.Promises[i]
}

// False says whether the promise was found false and the harm is not repaired.
func (p Promise) False() bool { return p.Verified && !p.Holds && !p.Repaired }

// verifyPromise says whether a promise holds. One that the draw left out may be looked at as well, as after a complaint. A
// false one is false for every case that it was given for, and reaches everyone who relied on it.
func (d *decision) verifyPromise(cmd VerifyPromise) error {
	c, p, err := d.promiseOf(cmd.Bundle, cmd.Material)
	switch {
	case err != nil:
		return err
	case p.Verified:
		return refusal.New(refusal.WrongState, "该承诺已经核查", "the promise was verified already")
	case !cmd.Holds && cmd.Reason == "":
		return refusal.New(refusal.Invalid, "认定承诺不实须说明理由", "a promise is found false only with a reason")
	case cmd.Holds:
		d.by(verified(&applicationv1.PromiseVerified{Bundle: c.Bundle, Material: p.Material, Holds: true}, cmd.Reason))
		return nil
	}
	key := c.Material(p.Material).Shared
	for _, other := range d.s.Cases {
		for _, m := range other.Materials {
			if given := other.promise(m.ID); m.Shared == key && given != nil && !given.Verified {
				d.foundFalse(other, m.ID, cmd.Reason)
			}
		}
	}
	return nil
}

func verified(v *applicationv1.PromiseVerified, reason string) *applicationv1.Event {
	e := &applicationv1.Event{Kind: &applicationv1.Event_PromiseVerified{PromiseVerified: v}}
	if reason != "" {
		e.Personal = &applicationv1.Personal{Reason: reason}
	}
	return e
}

// promiseOf finds a promise that is the actor's department's to verify.
func (d *decision) promiseOf(bundle, material string) (*Case, *Promise, error) {
	c := d.s.Case(bundle)
	if c == nil {
		return nil, nil, noCase()
	}
	p := c.promise(material)
	if p == nil || !d.concerns(p.Department) {
		return nil, nil, refusal.New(refusal.NotFound, "没有待核查的承诺", "there is no such promise to verify")
	}
	return c, p, nil
}

// foundFalse records that a promise is false. It is put before the officers of open tasks that need the material or a result
// that rests on it; where such a task was approved, a follow-up opens at its department.
func (d *decision) foundFalse(c *Case, material, reason string) {
	relying := d.relying(c, material)
	e := &applicationv1.PromiseVerified{Bundle: c.Bundle, Material: material}
	for _, t := range relying {
		if !t.State.Settled() && t.State != TaskDecided {
			e.Tasks = append(e.Tasks, t.Number)
		}
	}
	purpose := c.promise(material).IfFalse
	if purpose == "" {
		purpose = IfFalseRevoke
	}
	d.by(verified(e, reason))
	for _, t := range relying {
		if t.State == TaskApproved || t.State == TaskDecided {
			d.followUp(t, purpose, material)
		}
	}
}

// relying are the tasks of a case whose steps need a material, or a result of one that relies on it.
func (d *decision) relying(c *Case, material string) []*Task {
	b := d.bundle(c.Bundle)
	relies := map[string]bool{}
	for before := -1; before < len(relies); { // until no more are found, whatever the order of the steps
		before = len(relies)
		for _, step := range b.Steps {
			if slices.ContainsFunc(step.Materials, needs(material)) || slices.ContainsFunc(step.Results, func(p forms.Path) bool { return relies[stepOf(p)] }) {
				relies[step.ID] = true
			}
		}
	}
	var tasks []*Task
	for _, step := range b.Steps {
		if t := d.s.TaskOf(c.Bundle, step.ID); t != nil && relies[step.ID] {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// stepOf is the step of results.<step>.<field>.
func stepOf(p forms.Path) string {
	_, rest, _ := strings.Cut(string(p), ".")
	step, _, _ := strings.Cut(rest, ".")
	return step
}

// followUp opens what a false promise calls for at a department: to revoke its result, or to have the applicant correct in
// time.
func (d *decision) followUp(t *Task, purpose, material string) {
	e := &applicationv1.TaskOpened{Task: d.s.nextTask(d.s.Case(t.Bundle)), Bundle: t.Bundle, Step: t.Step, Department: t.Department, Opened: d.today.String(),
		Due: d.clock(d.today, workingDays(followUpDays), nil), Purpose: purpose, Promise: material, About: t.Number}
	if purpose == IfFalseCorrect {
		e.Correction = d.correctionDue()
	} else if hooks := d.w.Plugins[t.Plugin]; t.Plugin != "" && slices.Contains(hooks, HookRevoke) {
		e.Plugin, e.Hooks = t.Plugin, []string{HookRevoke}
	}
	d.follows(&applicationv1.Event{Kind: &applicationv1.Event_TaskOpened{TaskOpened: e}})
}

func (s *State) promiseVerified(e *applicationv1.PromiseVerified) {
	if p := s.touch(e.GetBundle()).promise(e.GetMaterial()); p != nil {
		p.Verified, p.Holds = true, e.GetHolds()
	}
	for _, number := range e.GetTasks() {
		t := s.touchTask(number)
		t.Conditions = append(slices.Clone(t.Conditions), conditionPromise(e.GetMaterial()))
	}
}

// conditionPromise stands among the conditions of a task that rests on a false promise.
func conditionPromise(material string) string { return "promise." + material }

// decideFollowUp does what a follow-up is for: revokes the result, or says that the applicant has corrected. What an
// applicant has not corrected in time is to be revoked.
func (d *decision) decideFollowUp(t *Task, cmd DecideTask) error {
	switch {
	case len(cmd.Result) > 0 || cmd.Document != nil:
		return refusal.New(refusal.Invalid, "后续处理任务没有办理结果", "a follow-up has no result")
	case cmd.Reason == "":
		return refusal.New(refusal.Invalid, "须说明理由", "it needs a reason")
	case t.State == TaskDecided && (!cmd.Approve || !slices.Contains(t.GaveUp, HookRevoke)) || t.State != TaskOpen && t.State != TaskDecided:
		return wrongTaskState(t)
	}
	if err := d.mine(t); err != nil {
		return err
	}
	if t.State == TaskOpen {
		e := &applicationv1.TaskDecided{Task: t.Number, Outcome: Rejected, Revision: int32(d.s.Revision)}
		if cmd.Approve {
			e.Outcome = Approved
		}
		d.by(&applicationv1.Event{Kind: &applicationv1.Event_TaskDecided{TaskDecided: e}, Personal: &applicationv1.Personal{Reason: cmd.Reason}})
	}
	switch {
	case t.Purpose == IfFalseCorrect && !cmd.Approve:
		d.followUp(d.s.Task(t.About), IfFalseRevoke, t.Promise)
	case t.Purpose == IfFalseRevoke && cmd.Approve && (len(t.Hooks) == 0 || t.State == TaskDecided):
		return d.revoke(t, &applicationv1.ResultRevoked{}, nil)
	}
	return nil
}

// recordRevocation is the answer of a plugin that has taken a result back in its department's system.
func (d *decision) recordRevocation(cmd RecordRevocation) error {
	t, err := d.task(cmd.Task)
	if err != nil {
		return err
	}
	if hook, attempt := t.Hook(); hook != HookRevoke || attempt != cmd.Attempt {
		return stale("部门系统的答复已过时", "this answer is not awaited: it is to an old attempt")
	}
	return d.revoke(t, &applicationv1.ResultRevoked{Plugin: cmd.Plugin, Attempt: cmd.Attempt}, cmd.Trace.in(&applicationv1.Personal{}))
}

func (d *decision) revoke(t *Task, e *applicationv1.ResultRevoked, personal *applicationv1.Personal) error {
	e.Task, e.By = t.About, t.Number
	d.by(&applicationv1.Event{Kind: &applicationv1.Event_ResultRevoked{ResultRevoked: e}, Personal: personal})
	return d.proceed(t.Bundle)
}

func (s *State) resultRevoked(e *applicationv1.ResultRevoked) {
	s.touchTask(e.GetTask()).State = TaskRevoked
	t := s.touchTask(e.GetBy())
	t.State, t.Claim = TaskApproved, nil
	if e.GetPlugin() != "" {
		t.attempted(HookRevoke, e.GetAttempt())
	}
}

// repairPromise says that the harm of a false promise is repaired.
func (d *decision) repairPromise(cmd RepairPromise) error {
	c, p, err := d.promiseOf(cmd.Bundle, cmd.Material)
	switch {
	case err != nil:
		return err
	case !p.False():
		return refusal.New(refusal.WrongState, "该承诺没有待修复的失信记录", "the promise is not one that was found false and is not repaired")
	case cmd.Reason == "":
		return refusal.New(refusal.Invalid, "信用修复须说明理由", "a repair needs a reason")
	}
	d.by(&applicationv1.Event{Kind: &applicationv1.Event_PromiseRepaired{PromiseRepaired: &applicationv1.PromiseRepaired{Bundle: c.Bundle, Material: p.Material}},
		Personal: &applicationv1.Personal{Reason: cmd.Reason}})
	return nil
}

func (s *State) promiseRepaired(e *applicationv1.PromiseRepaired) {
	if p := s.touch(e.GetBundle()).promise(e.GetMaterial()); p != nil {
		p.Repaired = true
	}
}
