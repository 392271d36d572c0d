package api

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// applicationMessage is an application as its applicant sees it; in a list without record, timeline and materials.
func (s service) applicationMessage(d *engine.Dossier, whole bool) (*apiv1.Application, error) {
	state := d.State
	message := &apiv1.Application{Application: state.ID, Number: state.Number, State: string(state.State()), Version: state.Version, Received: state.Received.String(), Revision: int32(state.Revision)}
	for _, c := range state.Cases {
		m, err := s.caseMessage(d, c)
		if err != nil {
			return nil, err
		}
		message.Cases = append(message.Cases, m)
	}
	message.Correction = correctionMessage(d)
	if !whole {
		return message, nil
	}
	record, err := d.Record.Encode()
	if err != nil {
		return nil, err
	}
	message.Record = record
	message.Materials = materialMessages(d, func(string) bool { return true })
	message.Timeline, err = timeline(d)
	return message, err
}

func (s service) caseMessage(d *engine.Dossier, c *application.Case) (*apiv1.Case, error) {
	bundle := d.Selection.Bundle(c.Bundle)
	message := &apiv1.Case{Bundle: c.Bundle, Name: bundle.Name.Proto(), Number: c.Number, State: string(c.State), Outcome: c.Outcome, FeeFen: c.FeeFen, Tolerated: c.Tolerated(), Warning: d.State.WarningOf(c.Bundle, "")}
	if c.Due != nil {
		message.Due = dueMessage(c.Due)
	}
	if v := s.engine.InForce().Numbered(c.Bundle, c.Digest); v != nil {
		message.Version = int32(v.Number)
	}
	if offer := s.engine.Offer(d, c.Bundle); offer != nil {
		message.Offer = offerMessage(offer)
	}
	given, err := confirmations(d)
	if err != nil {
		return nil, err
	}
	for _, k := range given {
		if bundle.Together != nil && slices.Contains(bundle.Applicants, k.GetAlias()) {
			message.Confirmations = append(message.Confirmations, k)
		}
	}
	if c.State == application.NotAccepted || c.State == application.Elsewhere {
		message.Findings = reasonsOf(d, c.Bundle)
	}
	for _, step := range bundle.Steps {
		if task := d.State.TaskOf(c.Bundle, step.ID); task != nil {
			m, err := caseTask(d, task, step)
			if err != nil {
				return nil, err
			}
			message.Tasks = append(message.Tasks, m)
		} else if skipped := c.Skip(step.ID); skipped != nil {
			state := "SKIPPED"
			if skipped.Ended {
				state = string(application.TaskEnded)
			}
			message.Tasks = append(message.Tasks, &apiv1.CaseTask{Step: step.ID, Name: step.Name.Proto(), Department: caseDepartment(step), State: state})
		}
	}
	return message, nil
}

// confirmations are those with which an application was filed.
func confirmations(d *engine.Dossier) ([]*apiv1.Confirmation, error) {
	record, err := d.Record.Encode()
	if err != nil {
		return nil, err
	}
	var all []*apiv1.Confirmation
	for _, k := range d.Events[0].GetSubmitted().GetConfirmations() {
		all = append(all, confirmationMessage(k, d.Selection.Bundles, record.GetAnswers()))
	}
	return all, nil
}

// confirmationMessage is a confirmation with the name of whom it binds, as one of the bundles and the answers have it.
func confirmationMessage(k *applicationv1.Confirmation, bundles []*catalog.Bundle, answers map[string]*structpb.Value) *apiv1.Confirmation {
	message := &apiv1.Confirmation{Alias: k.GetAlias(), Name: words(k.GetAlias(), k.GetAlias()), At: k.GetAt(), By: apiv1.Confirmation_BY_APPLICANT,
		Person: answers["form."+k.GetAlias()+".name"].GetStringValue()}
	for _, b := range bundles {
		if s := b.Section(k.GetAlias()); s != nil {
			message.Name = s.Name.Proto()
			break
		}
	}
	switch {
	case k.GetActor().GetRole() == applicationv1.Role_ROLE_CLERK:
		message.By = apiv1.Confirmation_BY_CLERK
	case k.GetActor().GetAgent():
		message.By = apiv1.Confirmation_BY_AGENT
	}
	return message
}

func caseDepartment(step *catalog.Step) *apiv1.CaseTask_Department {
	return &apiv1.CaseTask_Department{Id: step.Department.ID, Name: step.Department.Name.Proto()}
}

func caseTask(d *engine.Dossier, task *application.Task, step *catalog.Step) (*apiv1.CaseTask, error) {
	message := &apiv1.CaseTask{Task: task.Number, Step: task.Step, Name: step.Name.Proto(), Department: caseDepartment(step), State: string(task.State), Due: dueMessage(task.Due),
		Result: map[string]*structpb.Value{}}
	if task.State == application.TaskApproved { // a result that is withheld is not shown
		for _, f := range step.Result {
			if v := d.Results[task.Bundle][f.Path]; v != nil {
				value, err := forms.EncodeValue(v)
				if err != nil {
					return nil, fmt.Errorf("result %s: %w", f.Path, err)
				}
				message.Result[f.ID] = value
			}
		}
		if file := d.Files[application.ResultFile(task.Number)]; file != nil {
			message.Document = fileMessage(file)
		}
	}
	if task.State == application.TaskRejected {
		message.Findings = taskFindings(d, task)
	}
	return message, nil
}

// taskFindings are what decisions have said about a task, the last decision's; why a plugin has left it to an officer;
// and its open conditions.
func taskFindings(d *engine.Dossier, task *application.Task) []*apiv1.Finding {
	var found []*apiv1.Finding
	for _, event := range d.Events {
		if failed := event.GetPluginFailed(); failed.GetTask() == task.Number && failed.GetGaveUp() {
			text := words("部门程序多次未能办理本环节（"+failed.GetFailure()+"），请人工办理", "the department's plugin could not do this step ("+failed.GetFailure()+"); please do it yourself")
			if failed.GetOutside() {
				text = words("部门程序连接外部系统后出错（"+failed.GetFailure()+"），为免重复办理未再尝试，请先向该系统核实再人工办理",
					"the department's plugin failed after it had reached a system outside ("+failed.GetFailure()+"); so as not to act twice it was not repeated: please look there first, and do it yourself")
			}
			found = append(found, &apiv1.Finding{Code: "plugin_failed", Severity: application.SeverityNote, Bundle: task.Bundle, Department: task.Department, Text: text})
		}
		k, ok := event.GetKind().(*applicationv1.Event_TaskDecided)
		if !ok || k.TaskDecided.GetTask() != task.Number {
			continue
		}
		found = nil
		for _, f := range event.GetPersonal().GetFindings() {
			found = append(found, findingMessage(f))
		}
		if reason := event.GetPersonal().GetReason(); reason != "" {
			found = append(found, &apiv1.Finding{Code: "reason", Severity: application.SeverityObstacle, Text: words(reason, ""), Bundle: task.Bundle, Department: task.Department})
		}
	}
	step := d.Selection.Bundle(task.Bundle).Step(task.Step)
	for _, event := range d.Events {
		v := event.GetPromiseVerified()
		if v == nil || v.GetHolds() || v.GetBundle() != task.Bundle || v.GetMaterial() != task.Promise && !slices.Contains(task.Conditions, "promise."+v.GetMaterial()) {
			continue
		}
		name := d.MaterialName(v.GetBundle(), v.GetMaterial())
		found = append(found, &apiv1.Finding{Code: "promise_false", Severity: application.SeverityObstacle, Path: "materials." + v.GetMaterial(), Bundle: task.Bundle, Department: event.GetActor().GetDepartment(),
			Text: words("“"+name.ZH+"”的告知承诺经核查不实："+event.GetPersonal().GetReason(), "the promise in place of “"+name.In("en")+"” was found false: "+event.GetPersonal().GetReason())})
	}
	for _, id := range task.Conditions {
		for _, r := range step.Conditions {
			if r.ID == id {
				found = append(found, &apiv1.Finding{Code: "condition", Severity: application.SeverityObstacle, Text: r.Because.Proto(), Basis: r.Basis, Bundle: task.Bundle, Rule: id})
			}
		}
	}
	return found
}

// findingsOf are what stands against a case in pre-review: rules and plugins' findings, with their texts.
func findingsOf(d *engine.Dossier, c *application.Case) []*apiv1.Finding {
	var found []*apiv1.Finding
	bundle := d.Selection.Bundle(c.Bundle)
	for _, id := range slices.Concat(c.Failing, c.Undecided) {
		for _, r := range bundle.Eligibility {
			if r.ID != id {
				continue
			}
			f := &apiv1.Finding{Code: "rule", Severity: application.SeverityObstacle, Text: r.Because.Proto(), Basis: r.Basis, Bundle: c.Bundle, Rule: id}
			if slices.Contains(c.Undecided, id) {
				f.Code = "rule_undecided"
			}
			if r.Remedy.ZH != "" {
				f.Remedy = r.Remedy.Proto()
			}
			found = append(found, f)
		}
	}
	for _, k := range c.Checks {
		if k.Failed {
			f := &apiv1.Finding{Code: "check_failed", Severity: application.SeverityNote, Bundle: c.Bundle,
				Text: words("部门核验程序未能给出结果，请人工审核", "the department's check could not answer; please look yourself")}
			if failedOutside(d, c.Bundle, k) {
				f.Text = words("部门核验程序连接外部系统后出错，为免重复办理未再尝试，请先向该系统核实再人工审核", "the department's check failed after it had reached a system outside; so as not to act twice it was not repeated: please look there first")
			}
			if step := bundle.Step(k.Step); step != nil { // nil: the case has moved to a version without it
				f.Department = step.Department.ID
			}
			found = append(found, f)
		}
	}
	for _, f := range d.Findings {
		if f.GetBundle() == c.Bundle {
			found = append(found, findingMessage(f))
		}
	}
	return found
}

// failedOutside says whether a check failed after it had reached a system outside.
func failedOutside(d *engine.Dossier, bundle string, k application.Check) bool {
	return slices.ContainsFunc(d.Events, func(event *applicationv1.Event) bool {
		e := event.GetChecked()
		return e.GetOutside() && e.GetBundle() == bundle && e.GetStep() == k.Step && e.GetAttempt() == k.Attempt
	})
}

// reasonsOf are the reasons with which a case was not accepted.
func reasonsOf(d *engine.Dossier, bundle string) []*apiv1.Finding {
	var found []*apiv1.Finding
	for _, event := range d.Events {
		k, ok := event.GetKind().(*applicationv1.Event_NotAccepted)
		if !ok || k.NotAccepted.GetBundle() != bundle {
			continue
		}
		for _, f := range event.GetPersonal().GetFindings() {
			found = append(found, findingMessage(f))
		}
		if reason := event.GetPersonal().GetReason(); reason != "" {
			found = append(found, &apiv1.Finding{Code: "reason", Severity: application.SeverityObstacle, Text: words(reason, ""), Bundle: bundle})
		}
	}
	return found
}

func findingMessage(f *applicationv1.Finding) *apiv1.Finding {
	return &apiv1.Finding{Code: f.GetCode(), Severity: f.GetSeverity(), Path: f.GetPath(), Text: f.GetText(), Remedy: f.GetRemedy(), Basis: f.GetBasis(),
		Bundle: f.GetBundle(), Department: f.GetDepartment(), Rule: f.GetRule()}
}

// correctionMessage is the notice that waits for the applicant.
func correctionMessage(d *engine.Dossier) *apiv1.Correction {
	var open *apiv1.Correction
	for _, event := range d.Events {
		switch k := event.GetKind().(type) {
		case *applicationv1.Event_CorrectionNotified:
			open = &apiv1.Correction{Number: k.CorrectionNotified.GetNumber(), Due: dueMessage(k.CorrectionNotified.GetDue())}
		case *applicationv1.Event_CorrectionAsked:
			open = &apiv1.Correction{Number: k.CorrectionAsked.GetNotice(), Due: dueMessage(k.CorrectionAsked.GetDue())}
		case *applicationv1.Event_Corrected, *applicationv1.Event_Moved:
			open = nil
			continue
		default:
			continue
		}
		for _, f := range event.GetPersonal().GetFindings() {
			open.Items = append(open.Items, findingMessage(f))
		}
	}
	if !d.State.WaitsForCorrection() {
		return nil
	}
	return open
}

// materialMessages are the materials of the cases that are wanted, each document once.
func materialMessages(d *engine.Dossier, wanted func(bundle string) bool) []*apiv1.Material {
	var all []*apiv1.Material
	for _, c := range d.State.Cases {
		if !wanted(c.Bundle) {
			continue
		}
		bundle := d.Selection.Bundle(c.Bundle)
		for _, m := range c.Materials {
			declared := bundle.Material(m.ID)
			i := slices.IndexFunc(all, func(x *apiv1.Material) bool { return x.GetMaterial() == m.Shared })
			if i < 0 {
				all = append(all, &apiv1.Material{Material: m.Shared, Name: d.MaterialName(c.Bundle, m.ID).Proto(), Sources: declared.Sources, Formats: declared.Formats,
					Tolerable: m.Tolerable, Promisable: m.Promisable, Origin: originName(m.Origin)})
				i = len(all) - 1
				if file := d.Files[m.Shared]; file != nil {
					all[i].File = fileMessage(file)
				}
			}
			all[i].Bundles = append(all[i].Bundles, c.Bundle)
			all[i].Required = all[i].Required || m.Required
			for _, t := range c.Tolerances {
				if t.Material == m.ID && !t.Supplied {
					all[i].Due = dueMessage(t.Due)
				}
			}
			for _, step := range bundle.Steps {
				if slices.Contains(c.Steps, step.ID) && slices.ContainsFunc(step.Materials, func(n catalog.Need) bool { return n.Material == declared }) {
					all[i].NeededBy = append(all[i].NeededBy, c.Bundle+"."+step.ID)
				}
			}
		}
	}
	return all
}

// originName is the word for where a material came from; "" for one that is missing.
func originName(o applicationv1.Origin) string {
	if o == applicationv1.Origin_ORIGIN_UNSPECIFIED {
		return ""
	}
	return o.String()[len("ORIGIN_"):]
}

func dueMessage(d *applicationv1.Due) *apiv1.Due {
	if d == nil {
		return nil
	}
	return &apiv1.Due{Date: d.GetDate(), Earliest: d.GetEarliest(), Derivation: d.GetDerivation()}
}
