package steps

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine/application"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// Recorded is the answer of a plugin as an event holds it.
type Recorded struct {
	// Plugin is the id, Digest that of the version that answered.
	Plugin, Digest string
	// Task is the number of the task; of a check that of the case.
	Task string
	// Hook and Attempt, as the follower had them.
	Hook    string
	Attempt int32

	work  work
	event *applicationv1.Event
}

// RecordedIn returns the answer of a plugin that an event holds, with the application's state before it; false if it holds
// none, or one that failed.
func RecordedIn(before application.State, e *applicationv1.Event) (Recorded, bool) {
	r := Recorded{Plugin: e.GetActor().GetId(), event: e}
	w := work{Application: before.ID, Revision: before.Revision}
	of := func(task string) {
		if t := before.Task(task); t != nil {
			w.Task, w.Bundle, w.Step = t.Number, t.Bundle, t.Step
		}
	}
	switch k := e.GetKind().(type) {
	case *applicationv1.Event_Checked:
		w.Hook, w.Bundle, w.Step, w.Attempt, r.Digest = application.HookCheck, k.Checked.GetBundle(), k.Checked.GetStep(), k.Checked.GetAttempt(), k.Checked.GetPlugin()
		if c := before.Case(w.Bundle); c != nil {
			r.Task = c.Number
		}
		if k.Checked.GetFailed() {
			return r, false
		}
	case *applicationv1.Event_TaskDecided:
		of(k.TaskDecided.GetTask())
		w.Hook, w.Attempt, r.Digest = application.HookDecide, k.TaskDecided.GetAttempt(), k.TaskDecided.GetPlugin()
	case *applicationv1.Event_ResultIssued:
		of(k.ResultIssued.GetTask())
		w.Hook, r.Digest = application.HookIssue, k.ResultIssued.GetPlugin()
		if t := before.Task(w.Task); t != nil {
			w.Attempt = t.Attempts[application.HookIssue] + 1
		}
	case *applicationv1.Event_ResultRevoked:
		of(k.ResultRevoked.GetBy())
		w.Hook, w.Attempt, r.Digest = application.HookRevoke, k.ResultRevoked.GetAttempt(), k.ResultRevoked.GetPlugin()
	}
	r.work, r.Hook, r.Attempt = w, w.Hook, w.Attempt
	r.Task = cmp.Or(r.Task, w.Task)
	return r, r.Digest != "" && w.Step != ""
}

// Request makes the request of the call once more, of the application as it was then.
func (r Recorded) Request(then *Application) (*pluginv1.Request, error) {
	step, err := find(then, r.work)
	if err != nil {
		return nil, err
	}
	return build(then, r.work, step)
}

// Differences says in which parts another answer of the same call comes to something else than was recorded, without the
// values. The document of an issue is not compared: it is a file.
func (r Recorded) Differences(then *Application, response *pluginv1.Response) ([]string, error) {
	step, err := find(then, r.work)
	if err != nil {
		return nil, err
	}
	command, err := read(r.work, step, Answer{Response: response}, application.Trace{})
	if err != nil {
		return []string{"answer: " + err.Error()}, nil //nolint:nilerr // what the answer lacks is the difference
	}
	var differ []string
	was := r.event.GetPersonal()
	switch c := command.(type) {
	case application.RecordCheck:
		differ = findingsDiffer(was.GetFindings(), c.Findings)
	case application.RecordDecision:
		if before := r.event.GetTaskDecided().GetOutcome(); before != c.Outcome {
			differ = append(differ, fmt.Sprintf("outcome: was %s, is %s", before, c.Outcome))
		}
		differ = append(differ, findingsDiffer(was.GetFindings(), c.Findings)...)
		differ = append(differ, resultDiffers(was.GetResult().GetAnswers(), c.Result)...)
	case application.RecordIssue:
		differ = resultDiffers(was.GetResult().GetAnswers(), c.Result)
	default: // of a revocation there is nothing more than that it was made
	}
	return differ, nil
}

func findingsDiffer(was, is []*applicationv1.Finding) (differ []string) {
	for _, f := range was {
		if !slices.ContainsFunc(is, func(g *applicationv1.Finding) bool { return proto.Equal(f, g) }) {
			differ = append(differ, "finding "+f.GetCode()+": was so, is not or is otherwise")
		}
	}
	for _, f := range is {
		if !slices.ContainsFunc(was, func(g *applicationv1.Finding) bool { return proto.Equal(f, g) }) {
			differ = append(differ, "finding "+f.GetCode()+": was not so")
		}
	}
	return differ
}

func resultDiffers(was, is map[string]*structpb.Value) (differ []string) {
	all := maps.Clone(was)
	if all == nil {
		all = map[string]*structpb.Value{}
	}
	maps.Copy(all, is)
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if !proto.Equal(was[id], is[id]) {
			differ = append(differ, "result "+id+": is otherwise")
		}
	}
	return differ
}
