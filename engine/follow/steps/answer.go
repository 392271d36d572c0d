package steps

import (
	"errors"
	"fmt"
	"mime"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/pluginvalue"
	"github.com/siyiban/onething/forms"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// read returns the command that an answer is. The error says what the answer lacks, without its values.
func read(w work, step *catalog.Step, answer Answer, trace application.Trace) (application.Command, error) {
	switch w.Hook {
	case application.HookCheck:
		if answer.GetCheck() == nil {
			return nil, errors.New("no answer of check")
		}
		return application.RecordCheck{Bundle: w.Bundle, Step: w.Step, Revision: w.Revision, Attempt: w.Attempt, Plugin: answer.Digest,
			Findings: findings(answer.GetCheck().GetFindings(), w.Bundle, step), Trace: trace}, nil
	case application.HookDecide:
		return decision(w, step, answer, trace)
	case application.HookIssue:
		return issue(w, step, answer, trace)
	case application.HookRevoke:
		if !answer.GetRevocation().GetRevoked() {
			return nil, errors.New("the result was not taken back")
		}
		return application.RecordRevocation{Task: w.Task, Attempt: w.Attempt, Plugin: answer.Digest, Trace: trace}, nil
	}
	return nil, fmt.Errorf("no hook %s", w.Hook)
}

func decision(w work, step *catalog.Step, answer Answer, trace application.Trace) (application.Command, error) {
	d := answer.GetDecision()
	command := application.RecordDecision{Task: w.Task, Revision: w.Revision, Attempt: w.Attempt, Plugin: answer.Digest,
		Findings: findings(d.GetFindings(), w.Bundle, step), Trace: trace}
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
func issue(w work, step *catalog.Step, answer Answer, trace application.Trace) (application.Command, error) {
	i := answer.GetIssue()
	if i == nil || len(i.GetContent()) == 0 || i.GetMediaType() == "" {
		return nil, errors.New("no document")
	}
	values, err := result(step, i.GetResult())
	if err != nil {
		return nil, err
	}
	description := &applicationv1.MaterialFile{Material: w.Task, Name: step.Name.ZH + extension(i.GetMediaType()), MediaType: i.GetMediaType()}
	return application.RecordIssue{Task: w.Task, Document: description, Result: values, Attempt: w.Attempt, Plugin: answer.Digest, Trace: trace}, nil
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
		value, err := pluginvalue.Read(f, v)
		if err != nil {
			return nil, fmt.Errorf("result %s: %w", id, err)
		}
		if out[id], err = forms.EncodeValue(value); err != nil {
			return nil, fmt.Errorf("result %s: %w", id, err)
		}
	}
	return out, nil
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
