package steps

import (
	"errors"
	"fmt"
	"mime"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// read returns the command that an answer is. The error says what the answer lacks, without its values.
func read(w work, step *catalog.Step, answer Answer) (application.Command, error) {
	switch w.Hook {
	case application.HookCheck:
		if answer.GetCheck() == nil {
			return nil, errors.New("no answer of check")
		}
		return application.RecordCheck{Bundle: w.Bundle, Step: w.Step, Revision: w.Revision, Attempt: w.Attempt, Plugin: answer.Digest,
			Findings: findings(answer.GetCheck().GetFindings(), w.Bundle, step), Trace: answer.Trace}, nil
	case application.HookDecide:
		return decision(w, step, answer)
	case application.HookIssue:
		return issue(w, step, answer)
	}
	return nil, fmt.Errorf("no hook %s", w.Hook)
}

func decision(w work, step *catalog.Step, answer Answer) (application.Command, error) {
	d := answer.GetDecision()
	command := application.RecordDecision{Task: w.Task, Revision: w.Revision, Attempt: w.Attempt, Plugin: answer.Digest,
		Findings: findings(d.GetFindings(), w.Bundle, step), Trace: answer.Trace}
	switch d.GetOutcome() {
	case pluginv1.Outcome_OUTCOME_APPROVED:
		command.Outcome = application.Approved
		var err error
		if command.Result, err = result(step, d.GetResult()); err != nil {
			return nil, err
		}
		return command, nil // what is missing of it, the decision refuses
	case pluginv1.Outcome_OUTCOME_REJECTED:
		command.Outcome = application.Rejected
	case pluginv1.Outcome_OUTCOME_UNDETERMINED:
		command.Outcome = application.Undetermined
	default:
		return nil, errors.New("no answer of decide")
	}
	if len(d.GetResult()) > 0 || len(d.GetFindings()) == 0 {
		return nil, errors.New("a decision that is no approval has reasons and no result")
	}
	return command, nil
}

// issue returns the command with the description of the document, which is kept later.
func issue(w work, step *catalog.Step, answer Answer) (application.Command, error) {
	i := answer.GetIssue()
	if i == nil || len(i.GetContent()) == 0 || i.GetMediaType() == "" {
		return nil, errors.New("no document")
	}
	values, err := result(step, i.GetResult())
	if err != nil {
		return nil, err
	}
	description := &applicationv1.MaterialFile{Material: w.Task, Name: step.Name.ZH + extension(i.GetMediaType()), MediaType: i.GetMediaType()}
	return application.RecordIssue{Task: w.Task, Document: description, Result: values, Attempt: w.Attempt, Plugin: answer.Digest, Trace: answer.Trace}, nil
}

// extension is what the name of a document of a media type ends with; nothing if it is not known.
func extension(mediaType string) string {
	essence, _, err := mime.ParseMediaType(mediaType)
	if err != nil {
		return ""
	}
	switch essence {
	case "text/html":
		return ".html"
	case "text/plain":
		return ".txt"
	case "application/pdf":
		return ".pdf"
	case "application/ofd":
		return ".ofd"
	}
	return ""
}

// result returns values of a step's result in their canonical form.
func result(step *catalog.Step, values map[string]*pluginv1.Value) (map[string]*structpb.Value, error) {
	fields := map[string]*forms.Field{}
	for _, f := range step.Result {
		fields[f.ID] = f.Field
	}
	out := map[string]*structpb.Value{}
	for id, v := range values {
		f := fields[id]
		if f == nil {
			return nil, fmt.Errorf("the step has no result %s", id)
		}
		value, err := fromPlugin(f, v)
		if err != nil {
			return nil, fmt.Errorf("result %s: %w", id, err)
		}
		if out[id], err = forms.EncodeValue(value); err != nil {
			return nil, fmt.Errorf("result %s: %w", id, err)
		}
	}
	return out, nil
}

// fromPlugin returns a value that a plugin gave for a field, checked as if a person had given it.
func fromPlugin(f *forms.Field, v *pluginv1.Value) (kind.Value, error) {
	plain, err := plain(f, v)
	if err != nil {
		return nil, err
	}
	value, fault := f.Spec().Parse(plain)
	if fault != nil {
		return nil, errors.New(string(fault.Code))
	}
	return value, nil
}

// plain returns a value as [kind.Spec.Parse] takes it, if it is of the kind that the field has.
func plain(f *forms.Field, v *pluginv1.Value) (any, error) {
	if v.GetKind() != valueKind(f.Kind) {
		return nil, fmt.Errorf("%s for a %s", v.GetKind(), f.Kind)
	}
	switch v.GetKind() {
	case pluginv1.ValueKind_VALUE_KIND_BOOL:
		return v.GetFlag(), nil
	case pluginv1.ValueKind_VALUE_KIND_INT:
		return v.GetNumber(), nil
	case pluginv1.ValueKind_VALUE_KIND_MONEY:
		return kind.Money(v.GetNumber()).String(), nil
	case pluginv1.ValueKind_VALUE_KIND_CHOICES:
		items := []any{}
		for _, item := range v.GetItems() {
			items = append(items, item)
		}
		return items, nil
	case pluginv1.ValueKind_VALUE_KIND_ADDRESS:
		return map[string]any{"region": v.GetRegion(), "text": v.GetText()}, nil
	case pluginv1.ValueKind_VALUE_KIND_LIST:
		cells := map[string]*forms.Field{}
		for _, c := range f.Row {
			cells[c.ID] = c
		}
		rows := []any{}
		for _, r := range v.GetRows() {
			row := map[string]any{}
			for id, cell := range r.GetCells() {
				if cells[id] == nil {
					return nil, fmt.Errorf("no cell %s", id)
				}
				value, err := plain(cells[id], cell)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", id, err)
				}
				row[id] = value
			}
			rows = append(rows, row)
		}
		return rows, nil
	default: // every other kind is a text
		return v.GetText(), nil
	}
}

// valueKind is the kind of a plugin's value for a kind of field.
func valueKind(k kind.Kind) pluginv1.ValueKind {
	switch k {
	case kind.KindText, kind.KindPhone, kind.KindPlate, kind.KindBankAccount, kind.KindUSCC:
		return pluginv1.ValueKind_VALUE_KIND_TEXT
	case kind.KindBool:
		return pluginv1.ValueKind_VALUE_KIND_BOOL
	case kind.KindInt:
		return pluginv1.ValueKind_VALUE_KIND_INT
	case kind.KindDecimal:
		return pluginv1.ValueKind_VALUE_KIND_DECIMAL
	case kind.KindMoney:
		return pluginv1.ValueKind_VALUE_KIND_MONEY
	case kind.KindDate:
		return pluginv1.ValueKind_VALUE_KIND_DATE
	case kind.KindChoice:
		return pluginv1.ValueKind_VALUE_KIND_CHOICE
	case kind.KindChoices:
		return pluginv1.ValueKind_VALUE_KIND_CHOICES
	case kind.KindCitizenNumber:
		return pluginv1.ValueKind_VALUE_KIND_CITIZEN_NUMBER
	case kind.KindAddress:
		return pluginv1.ValueKind_VALUE_KIND_ADDRESS
	case kind.KindList:
		return pluginv1.ValueKind_VALUE_KIND_LIST
	case kind.KindFile:
	}
	return pluginv1.ValueKind_VALUE_KIND_UNSPECIFIED
}

// findings returns a plugin's findings as events hold them.
func findings(found []*pluginv1.Finding, bundle string, step *catalog.Step) []*applicationv1.Finding {
	var out []*applicationv1.Finding
	for _, f := range found {
		severity := strings.TrimPrefix(f.GetSeverity().String(), "SEVERITY_")
		if f.GetSeverity() == pluginv1.Severity_SEVERITY_UNSPECIFIED {
			severity = application.SeverityCorrect
		}
		out = append(out, &applicationv1.Finding{
			Code: f.GetCode(), Severity: severity, Path: lengthen(f.GetPath(), bundle), Basis: f.GetBasis(), Bundle: bundle,
			Department: step.Department.ID, Text: &formsv1.Text{Zh: f.GetTextZh(), En: f.GetTextEn()},
		})
	}
	return out
}
