package application

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// notifyCorrection sends the one notice (一次性告知) with the whole list over all cases and departments. It goes out
// when all checks have answered, or on the last day of the notice period.
func (d *decision) notifyCorrection(cmd NotifyCorrection) error {
	if d.s.Notified {
		return refusal.New(refusal.WrongState, "补正内容应当一次性告知，本申请已经告知过", "the one notice of this application has gone out already").
			Else("可以受理，或者说明理由不予受理", "accept the cases, or refuse them with reasons")
	}
	e := &applicationv1.CorrectionNotified{Number: d.s.nextNotice()}
	personal := &applicationv1.Personal{}
	add := func(item *applicationv1.CorrectionNotified_Item, f *applicationv1.Finding) {
		e.Items, personal.Findings = append(e.Items, item), append(personal.Findings, f)
	}
	inReview := false
	for _, c := range d.s.Cases {
		if c.State != PreReview {
			continue
		}
		inReview = true
		last := c.NoticeDue.GetDate() + c.NoticeDue.GetEarliest() // one of them: a day that is not known is not earlier than that
		if awaited := c.Awaited(); len(awaited) > 0 && d.today.String() < last {
			return refusal.New(refusal.WrongState, "部门核验尚未全部答复，请待全部答复后或在告知期限最后一日告知",
				"not all checks have answered; the notice goes out when they have, or on its last day")
		}
		for _, k := range c.Checks {
			for _, f := range k.Found {
				if f.Severity == SeverityCorrect {
					text := d.finding(c.Bundle, k.Step, f)
					add(&applicationv1.CorrectionNotified_Item{Bundle: c.Bundle, Path: f.Path, Code: f.Code, Department: text.GetDepartment()}, text)
				}
			}
		}
	}
	if !inReview {
		return refusal.New(refusal.WrongState, "没有正在预审的事项", "no case is in pre-review")
	}
	var faults []forms.Violation
	for _, item := range cmd.Items {
		c := d.s.Case(item.Bundle)
		if c == nil || c.State != PreReview || !d.asked(c.Bundle, item.Path) || item.Text == "" {
			faults = append(faults, forms.Violation{Path: forms.Path(item.Path), Code: "unknown_item", Bundle: item.Bundle,
				Text: forms.Text{ZH: "该事项不在预审中，没有此项，或没有说明", EN: "The case is not in pre-review, has no such item, or nothing is said."}})
			continue
		}
		add(item.public(""), item.finding(""))
	}
	if len(faults) > 0 || len(e.Items) == 0 {
		return refusal.New(refusal.Invalid, "补正清单为空或有误", "the list of what is to be corrected is empty or has faults").With(faults...)
	}
	for _, item := range e.Items {
		if !slices.Contains(e.Bundles, item.GetBundle()) {
			e.Bundles = append(e.Bundles, item.GetBundle())
		}
	}
	e.Due = d.correctionDue()
	d.by(&applicationv1.Event{Kind: &applicationv1.Event_CorrectionNotified{CorrectionNotified: e}, Personal: personal})
	return nil
}

// codeByPerson is the code of an item that a person has written.
const codeByPerson = "asked_by_office"

func (i Item) public(department string) *applicationv1.CorrectionNotified_Item {
	return &applicationv1.CorrectionNotified_Item{Bundle: i.Bundle, Path: i.Path, Code: codeByPerson, Department: department}
}

func (i Item) finding(department string) *applicationv1.Finding {
	return &applicationv1.Finding{Code: codeByPerson, Severity: SeverityCorrect, Path: i.Path, Bundle: i.Bundle, Department: department, Text: forms.Text{ZH: i.Text}.Proto()}
}

// asked says whether a path is a field or a material of a bundle.
func (d *decision) asked(bundle, path string) bool {
	b := d.bundle(bundle)
	if id, material := strings.CutPrefix(path, "materials."); material {
		return b.Material(id) != nil
	}
	f := b.Field(forms.Path(path))
	return f != nil && !f.Field.Derived
}

func (d *decision) correctionDue() *applicationv1.Due {
	days := d.w.CorrectionDays
	if days == 0 {
		days = defaultCorrectionDays
	}
	return d.clock(d.today, workingDays(days), nil)
}

func (s *State) correctionNotified(e *applicationv1.CorrectionNotified) {
	s.Notified = true
	s.Notices++
	for _, bundle := range e.GetBundles() {
		c := s.touch(bundle)
		c.State, c.CorrectionDue = ToBeCorrected, e.GetDue()
	}
}

// lapseCorrection lets a task go on whose correction was not made in time. Before acceptance that ends the case; one that a
// department asked for after acceptance ends nothing: the department decides on what there is.
func (d *decision) lapseCorrection(t *Task) error {
	last, _ := kind.ParseDate(t.CorrectionDue.GetDate())
	d.follows(d.resumed(t, last))
	if t.Purpose == "" {
		d.moveCase(t.Bundle)
	}
	return nil
}

// correct makes a new revision. Before acceptance that is always possible, and the cases are looked at anew with a
// new notice period; a field or document that a decided step has used stays as it is. Cases that are over keep the revision
// that they were judged on.
func (d *decision) correct(cmd Correct) error {
	if !slices.ContainsFunc(d.s.Cases, func(c *Case) bool { return !c.State.Over() }) {
		return refusal.New(refusal.WrongState, "申请的各事项均已结束，不能再修改", "all cases are over; nothing can be corrected")
	}
	f, err := d.file(d.record.Merge(cmd.Changes), cmd.Documents)
	if err != nil {
		return err
	}
	f.personal.Persons = cmd.Persons
	e, err := d.revision(f, cmd.Documents, d.w.Selection, nil)
	if err != nil {
		return err
	}
	if len(e.Paths)+len(e.Materials) == 0 {
		return refusal.New(refusal.Invalid, "没有任何修改", "nothing was changed")
	}
	return d.revise(&applicationv1.Event{Kind: &applicationv1.Event_Corrected{Corrected: e}}, f, cmd.Documents)
}

// revision is a new revision of the record with the documents that came with it: what changes, and each case assessed anew;
// of one that was accepted only what becomes of its materials. A field or document that a decided step has used stays as
// it is, by the version of its bundle in `used`; `otherwise` are the fields that are worked out otherwise.
func (d *decision) revision(f *filing, documents Documents, used *catalog.Selection, otherwise []forms.Path) (*applicationv1.Corrected, error) {
	changed := f.record.Diff(d.record)
	if err := d.notUsed(used, slices.Concat(changed, otherwise), documents); err != nil {
		return nil, err
	}
	if err := d.staysConfirmed(f.assessment, changed); err != nil {
		return nil, err
	}
	e := &applicationv1.Corrected{Revision: int32(d.s.Revision + 1), NoticeDue: d.clock(d.today, workingDays(noticeDays), nil)}
	for _, p := range changed {
		e.Paths = append(e.Paths, string(p))
	}
	for _, file := range documents.Files {
		e.Materials = append(e.Materials, file.GetMaterial())
	}
	for _, promise := range documents.Promises {
		if promise.GetMaterial() != "" {
			e.Materials = append(e.Materials, promise.GetMaterial())
		}
	}
	e.Materials = append(e.Materials, documents.Tolerate...)
	for i, a := range f.assessment.Cases {
		c, m := d.s.Case(a.Bundle.ID), f.cases[i]
		switch {
		case c == nil || m == nil:
		case c.State == Accepted:
			if err := d.keepsAcceptance(c, a, m); err != nil {
				return nil, err
			}
			e.Cases = append(e.Cases, &applicationv1.SubmittedCase{Bundle: m.GetBundle(), Digest: m.GetDigest(), Number: c.Number, Materials: m.GetMaterials()})
		default:
			m.Number, m.Checks = c.Number, d.checks(a)
			e.Cases = append(e.Cases, m)
			f.personal.Findings = append(f.personal.Findings, ruleFindings(a)...)
		}
	}
	return e, nil
}

// revise records an event that makes a new revision, and what follows from it.
func (d *decision) revise(e *applicationv1.Event, f *filing, documents Documents) error {
	d.record = f.record
	before := d.s.Cases
	e.Personal = f.personal
	d.by(e)
	for _, c := range before {
		if c.State != Accepted {
			continue
		}
		for _, t := range c.Tolerances {
			d.settleWaits(c.Bundle, t.Material) // of one that is not asked any more
		}
		d.openVerifications(d.s.Case(c.Bundle))
	}
	for _, file := range documents.Files {
		d.supplied(file.GetMaterial(), file)
	}
	d.resumeCorrected()
	if err := d.acceptWithoutFindings(); err != nil {
		return err
	}
	return d.proceedAll()
}

// notUsed refuses a change of what a decided step has used, by the bundles as it was decided, naming the department.
func (d *decision) notUsed(by *catalog.Selection, changed []forms.Path, documents Documents) error {
	var faults []forms.Violation
	var departments []string
	for _, t := range d.s.Tasks {
		if t.Outcome != Approved && t.Outcome != Rejected {
			continue
		}
		b := by.Bundle(t.Bundle)
		step := b.Step(t.Step)
		if step == nil {
			continue
		}
		name := step.Department.Name
		refuse := func(p forms.Path, code string) {
			faults = append(faults, forms.Violation{Path: p, Code: code, Bundle: t.Bundle,
				Text: forms.Text{ZH: name.ZH + "已据此办结“" + step.Name.ZH + "”", EN: fmt.Sprintf("%s has decided “%s” on it.", name.In("en"), step.Name.In("en"))}})
			if !slices.Contains(departments, name.ZH) {
				departments = append(departments, name.ZH)
			}
		}
		used := b.Closure(step.Reads())
		for _, p := range changed {
			if used[p] {
				refuse(p, "field_used")
			}
		}
		for _, key := range d.s.Case(t.Bundle).used(step, documents) {
			refuse(materialPath(key), "material_used")
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return refusal.New(refusal.FieldUsed, strings.Join(departments, "、")+"已据此作出决定，不能修改", "a decided step has used this answer or document").With(faults...).
		Else("请联系"+strings.Join(departments, "、"), "ask the department that has decided")
}

// used are the documents of the applicant's that a step needs and that others would take the place of. One that is still
// to follow, and one that was promised, the step has not seen.
func (c *Case) used(step *catalog.Step, documents Documents) []string {
	var keys []string
	for _, m := range c.Materials {
		brought := slices.ContainsFunc(documents.Files, func(f *applicationv1.MaterialFile) bool { return f.GetMaterial() == m.Shared }) ||
			slices.ContainsFunc(documents.Promises, func(p *applicationv1.SignedPromise) bool { return p.GetMaterial() == m.Shared })
		if brought && m.Origin == applicationv1.Origin_ORIGIN_APPLICANT && slices.ContainsFunc(step.Materials, needs(m.ID)) {
			keys = append(keys, m.Shared)
		}
	}
	return keys
}

// keepsAcceptance refuses a correction under which an accepted case would not have been accepted as it was: a rule fails,
// a step that was left out would apply or one that was opened would not, or a material shall follow of which the notice
// of acceptance says nothing.
func (d *decision) keepsAcceptance(c *Case, a *guide.Case, m *applicationv1.SubmittedCase) error {
	var rules, steps, materials []forms.Violation
	for _, r := range a.Failing() {
		if !slices.Contains(c.Failing, r.ID) {
			rules = append(rules, forms.Violation{Code: "rule", Bundle: c.Bundle, Rule: r.ID, Text: r.Because})
		}
	}
	for _, step := range a.Steps {
		skipped, t := c.Skip(step.ID), d.s.TaskOf(c.Bundle, step.ID)
		if skipped != nil && !skipped.Ended && step.Applies.Truth != rule.False || t != nil && step.Applies.Truth == rule.False {
			steps = append(steps, forms.Violation{Code: "step", Bundle: c.Bundle, Rule: step.ID,
				Text: forms.Text{ZH: "是否办理“" + step.Name.ZH + "”已经确定", EN: "Whether “" + step.Name.In("en") + "” applies is settled."}})
		}
	}
	for _, state := range m.GetMaterials() {
		if state.GetOrigin() == applicationv1.Origin_ORIGIN_TOLERATED && !slices.ContainsFunc(c.Tolerances, func(t Tolerance) bool { return t.Material == state.GetMaterial() }) {
			materials = append(materials, forms.Violation{Path: materialPath(state.GetShared()), Code: "not_open", Bundle: c.Bundle,
				Text: forms.Text{ZH: "受理后不能再申请容缺", EN: "After acceptance it is too late to let a material follow."}})
		}
	}
	switch {
	case len(rules) > 0:
		return refusal.New(refusal.NotEligible, "修改后不再符合已受理事项的条件", "with this change an accepted case would not meet its conditions").With(rules...).With(steps...).With(materials...).
			Else("可以撤回该事项后重新申请", "withdraw the case and apply again")
	case len(steps) > 0:
		return refusal.New(refusal.WrongState, "修改后已受理事项的办理环节会变化", "with this change an accepted case would have other steps").With(steps...).With(materials...).
			Else("可以撤回该事项后重新申请", "withdraw the case and apply again")
	case len(materials) > 0:
		return refusal.New(refusal.ToleranceRefused, "受理后不能再申请容缺", "after acceptance it is too late to let a material follow").With(materials...)
	}
	return nil
}

// resumeCorrected lets the tasks go on that have waited for a correction.
func (d *decision) resumeCorrected() {
	for _, t := range d.s.Tasks {
		if t.CorrectionDue != nil && !t.State.Settled() {
			d.follows(d.resumed(t, d.today))
			d.moveCase(t.Bundle)
		}
	}
}

func (s *State) corrected(e *applicationv1.Corrected) {
	s.Revision = int(e.GetRevision())
	for _, m := range e.GetCases() {
		if c := s.Case(m.GetBundle()); c != nil && c.State == Accepted {
			today, _ := kind.ParseDate(e.GetNoticeDue().GetFrom())
			s.correctedAfterwards(c, m, today)
			continue
		}
		c := s.touch(m.GetBundle())
		c.State, c.CorrectionDue = PreReview, nil
		c.judge(m, s.Revision, e.GetNoticeDue())
	}
	for _, c := range s.Cases {
		if c.State != Accepted {
			continue
		}
		c.Version++
		c.Revision = s.Revision
		for _, t := range s.Tasks {
			if t.Bundle == c.Bundle && !t.State.Settled() {
				t.Version++ // what its officer was shown is an old revision
			}
		}
	}
}

// correctedAfterwards is what a correction makes of the materials of an accepted case; one that is not asked any more
// need not be supplied.
func (s *State) correctedAfterwards(c *Case, m *applicationv1.SubmittedCase, today kind.Date) {
	c.take(m.GetMaterials())
	c.Tolerances = slices.DeleteFunc(c.Tolerances, func(t Tolerance) bool {
		if c.Material(t.Material) != nil {
			return false
		}
		s.waitNoLonger(c.Bundle, t.Material, today)
		return true
	})
}

// askCorrection asks for what could not have been known at pre-review: only what the step needs, and it says why.
func (d *decision) askCorrection(cmd AskCorrection) error {
	t, err := d.openTask(cmd.Task)
	if err != nil {
		return err
	}
	if cmd.Reason == "" || len(cmd.Items) == 0 {
		return refusal.New(refusal.Invalid, "须列明补正内容，并说明受理前不能知道的原因", "say what is to be corrected, and why it could not have been known before acceptance")
	}
	b := d.bundle(t.Bundle)
	step := b.Step(t.Step)
	e := &applicationv1.CorrectionAsked{Task: t.Number, Notice: d.s.nextNotice(), Due: d.correctionDue()}
	personal := &applicationv1.Personal{Reason: cmd.Reason}
	var faults []forms.Violation
	for _, item := range cmd.Items {
		item.Bundle = t.Bundle
		id, material := strings.CutPrefix(item.Path, "materials.")
		needed := slices.Contains(step.Fields, forms.Path(item.Path)) && d.asked(t.Bundle, item.Path)
		if material {
			needed = slices.ContainsFunc(step.Materials, needs(id))
		}
		if !needed || item.Text == "" {
			faults = append(faults, forms.Violation{Path: forms.Path(item.Path), Code: "unknown_item", Bundle: t.Bundle,
				Text: forms.Text{ZH: "本环节不需要此项，或没有说明", EN: "The step does not need it, or nothing is said."}})
			continue
		}
		e.Items, personal.Findings = append(e.Items, item.public(t.Department)), append(personal.Findings, item.finding(t.Department))
	}
	if len(faults) > 0 {
		return refusal.New(refusal.Invalid, "补正清单有误", "the list of what is to be corrected has faults").With(faults...)
	}
	paused := *t
	paused.Pauses = append(slices.Clone(t.Pauses), Pause{Procedure: PauseCorrection, From: nextDay(d.today)})
	e.Promised, e.Statutory = d.dates(&paused)
	d.by(&applicationv1.Event{Kind: &applicationv1.Event_CorrectionAsked{CorrectionAsked: e}, Personal: personal})
	return nil
}

func (s *State) correctionAsked(e *applicationv1.CorrectionAsked) {
	s.Notices++
	t := s.touchTask(e.GetTask())
	t.CorrectionDue = e.GetDue()
	if from, ok := kind.ParseDate(e.GetDue().GetFrom()); ok {
		t.Pauses = append(t.Pauses, Pause{Procedure: PauseCorrection, From: nextDay(from), Notice: e.GetNotice()})
	}
	t.Due, t.Statutory = e.GetPromised(), e.GetStatutory()
	t.rest()
}
