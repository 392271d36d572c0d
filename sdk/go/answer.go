package plugin

import (
	"errors"

	"github.com/siyiban/onething/sdk/go/pluginv1"
)

// Host is what a call can reach outside itself: the engine in a guest, a map in a test.
type Host interface {
	// SharedData asks for an entry of shared data. An error, here and below, means that the host could not be understood.
	SharedData(*pluginv1.SharedDataRequest) (*pluginv1.SharedDataResponse, error)
	// KeyValue uses the department's store.
	KeyValue(*pluginv1.KeyValueRequest) (*pluginv1.KeyValueResponse, error)
	// HTTP asks an outside system.
	HTTP(*pluginv1.HttpRequest) (*pluginv1.HttpResponse, error)
	// Log writes a line.
	Log(*pluginv1.LogRequest) (*pluginv1.LogResponse, error)
}

// Answer calls the handler that the request names and returns its answer as a message, with what the handler read.
// Departments have no need of it: [Serve] calls it in a guest, package plugintest in a test.
func (p Plugin) Answer(request *pluginv1.Request, host Host) (*pluginv1.Response, Trace) {
	call, err := newCall(request, host)
	if err != nil {
		return &pluginv1.Response{Failure: err.Error()}, Trace{}
	}
	response, err := p.handle(call)
	if err == nil {
		err = call.fault
	}
	if err != nil {
		response = &pluginv1.Response{Failure: err.Error()}
	}
	return response, call.trace()
}

func newCall(request *pluginv1.Request, host Host) (*Call, error) {
	call := &Call{request: request, host: host, materials: map[string]bool{}}
	var err error
	if call.today, err = ParseDate(request.GetToday()); err != nil {
		return nil, errors.New("today: " + err.Error())
	}
	if call.Fields, err = newFields(call, "answer", request.GetAnswers()); err != nil {
		return nil, errors.New("answers: " + err.Error())
	}
	if call.Parameters, err = newFields(call, "parameter", request.GetParameters()); err != nil {
		return nil, errors.New("parameters: " + err.Error())
	}
	if call.published, err = parsePublished(request.GetPublished()); err != nil {
		return nil, errors.New("published: " + err.Error())
	}
	if call.Result, err = newFields(call, "result", request.GetResult()); err != nil {
		return nil, errors.New("result: " + err.Error())
	}
	return call, nil
}

func (p Plugin) handle(call *Call) (*pluginv1.Response, error) {
	switch hook := call.Hook(); {
	case hook == HookPrefill && p.Prefill != nil:
		values, err := p.Prefill(call)
		return &pluginv1.Response{Prefill: &pluginv1.Prefill{Proposals: values.Wire()}}, err
	case hook == HookCheck && p.Check != nil:
		found, err := p.Check(call)
		return &pluginv1.Response{Check: &pluginv1.Check{Findings: findings(found)}}, err
	case hook == HookDecide && p.Decide != nil:
		decision, err := p.Decide(call)
		if err == nil && decision.Outcome == pluginv1.Outcome_OUTCOME_UNSPECIFIED {
			err = errors.New("the handler made no decision")
		}
		return &pluginv1.Response{Decision: &pluginv1.Decision{
			Outcome: decision.Outcome, Result: decision.Result.Wire(), Findings: findings(decision.Findings),
		}}, err
	case hook == HookIssue && p.Issue != nil:
		document, err := p.Issue(call)
		return &pluginv1.Response{Issue: &pluginv1.Issue{
			MediaType: document.MediaType, Content: document.Content, Result: document.Result.Wire(),
		}}, err
	case hook == HookRevoke && p.Revoke != nil:
		revocation, err := p.Revoke(call)
		return &pluginv1.Response{Revocation: &pluginv1.Revocation{
			Revoked: revocation.Revoked, Findings: findings(revocation.Findings),
		}}, err
	default:
		return nil, errors.New("the plugin has no handler for " + hook.String())
	}
}

func findings(found []Finding) []*pluginv1.Finding {
	wire := make([]*pluginv1.Finding, 0, len(found))
	for _, f := range found {
		severity := f.Severity
		if severity == pluginv1.Severity_SEVERITY_UNSPECIFIED {
			severity = Correct
		}
		wire = append(wire, &pluginv1.Finding{
			Code: f.Code, Severity: severity, Path: f.Path, TextZh: f.TextZH, TextEn: f.TextEN, Basis: f.Basis,
		})
	}
	return wire
}
