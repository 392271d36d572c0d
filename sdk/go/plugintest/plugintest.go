// Package plugintest runs a department's plugin natively against a table of cases: no WebAssembly, no engine, the same
// messages. It also proves what the plugin reads, so that the `needs` of a bundle can be held against it.
//
//	func TestHousehold(t *testing.T) {
//		plugintest.Run(t, household, []plugintest.Case{{
//			Name: "born in time", Hook: plugin.HookDecide, Bundle: "newborn", Step: "household", Today: "2026-03-20",
//			Answers: plugin.Values{"form.newborn.birth_date": plugin.MustDate("2026-03-15")},
//			Want:    plugintest.Want{Outcome: plugin.Approved, Result: plugin.Values{"registered_on": plugin.MustDate("2026-03-20")}},
//		}})
//	}
package plugintest

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	plugin "github.com/siyiban/onething/sdk/go"
	"github.com/siyiban/onething/sdk/go/pluginv1"
)

// Source holds the entries of one source of shared data by key. A nil Source is silent: it answers neither yes nor no.
type Source map[string]plugin.Values

// Case is one call and what is expected of it.
type Case struct {
	// Name of the case, unique in its table.
	Name string
	// Hook that is called.
	Hook plugin.Hook
	// Bundle and Step are the ids of the step that the call is for.
	Bundle, Step string
	// Task is the number of the task or case; any text will do.
	Task string
	// Today is the day of receipt, YYYY-MM-DD.
	Today string
	// Place is the region of the office, six digits of GB/T 2260.
	Place string
	// Answers of the form by path.
	Answers plugin.Values
	// Parameters are the published parameters by id.
	Parameters plugin.Values
	// Published are the values of parameters for other days, by id.
	Published plugin.Published
	// Materials of the step.
	Materials []plugin.Material
	// Result of the decision, for issue and revoke.
	Result plugin.Values
	// Shared holds the granted sources of shared data by id. A look-up elsewhere is refused, as the engine does.
	Shared map[string]Source
	// Store is what the department has stored; nil: the store is not granted.
	Store map[string]string
	// HTTP is the outside world: it answers every request. nil: no host is granted. It is asked twice, because every case is
	// run twice.
	HTTP http.Handler
	// Want is what is expected.
	Want Want
}

// Want is the expected answer. Every member of the called hook is compared, also if it is zero here: no finding wanted
// means that there must be none.
type Want struct {
	// Outcome of decide.
	Outcome plugin.Outcome
	// Findings of check, decide and revoke, in any order, each as `code`, or as `code@path` where its path matters.
	Findings []string
	// Proposals of prefill by path.
	Proposals plugin.Values
	// Result of decide and issue by field id.
	Result plugin.Values
	// MediaType of the document of issue.
	MediaType string
	// Content lists texts that the document of issue holds.
	Content []string
	// Revoked is the answer of revoke.
	Revoked bool
	// Store is what the department has stored afterwards; nil: the same as before.
	Store map[string]string
	// Log are the lines that are logged, in order, each as a code with its numbers in order of their names: `counted rows=3`.
	Log []string
	// Failure is a text in the message of a call that cannot be answered for a technical reason.
	Failure string
}

// Run runs every case as a subtest. Beside the case's own expectations it checks what holds for every plugin: the same
// call gets the same answer twice; each finding has a code in lower snake case, a Chinese text and a known severity; a
// rejection has a reason; a look-up of shared data has a purpose.
func Run(t *testing.T, p plugin.Plugin, cases []Case) {
	t.Helper()
	if len(cases) == 0 {
		t.Fatal("no cases")
	}
	names := map[string]bool{}
	for _, c := range cases {
		if c.Name == "" || names[c.Name] {
			t.Fatalf("case %q has no name of its own", c.Name)
		}
		names[c.Name] = true
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			for _, fault := range check(p, c) {
				t.Error(fault)
			}
		})
	}
}

// Reads runs one case, whatever it answers, and returns what the plugin has read.
func Reads(t testing.TB, p plugin.Plugin, c Case) plugin.Trace {
	t.Helper()
	_, trace, err := call(p, c, NewHost(c))
	if err != nil {
		t.Fatalf("case %s: %v", c.Name, err)
	}
	return trace
}

// Step names a step of a bundle.
type Step struct {
	Bundle, Step string
}

// Needs are what the bundles declare that their steps need: for each step the paths of fields (`form.mother.id_no`,
// `results.audit.retire_date`). A path that names a section (`form.newborn`) holds every field in it.
type Needs map[Step][]string

// CheckNeeds holds the needs that bundles declare against what the plugin reads in the cases. It fails for a case that
// reads a path that its step does not declare, which the engine would hand out as blank, and for a declared path that
// no case of the step reads, unless it is in officers: the step's paths that an officer needs, with the reason.
func CheckNeeds(t *testing.T, p plugin.Plugin, needs Needs, officers map[Step]map[string]string, cases []Case) {
	t.Helper()
	for _, fault := range checkNeeds(t, p, needs, officers, cases) {
		t.Error(fault)
	}
}

func checkNeeds(t testing.TB, p plugin.Plugin, needs Needs, officers map[Step]map[string]string, cases []Case) []string {
	t.Helper()
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	used := map[Step]map[string]bool{}
	for _, c := range cases {
		step := Step{c.Bundle, c.Step}
		if used[step] == nil {
			used[step] = map[string]bool{}
		}
		for _, path := range Reads(t, p, c).Answers {
			need, ok := needs.of(step, path)
			if !ok {
				fault("case %s: reads %s, which step %s of bundle %s does not need", c.Name, path, c.Step, c.Bundle)
			}
			used[step][need] = true
		}
	}
	for step, paths := range needs {
		for _, path := range paths {
			if !used[step][path] && officers[step][path] == "" {
				fault("step %s of bundle %s: no case reads its need %s", step.Step, step.Bundle, path)
			}
		}
	}
	for step, paths := range officers {
		for path := range paths {
			if !slices.Contains(needs[step], path) {
				fault("step %s of bundle %s: %s is kept for officers but is no need", step.Step, step.Bundle, path)
			}
		}
	}
	slices.Sort(faults)
	return faults
}

// of returns the declared path that covers path.
func (n Needs) of(step Step, path string) (string, bool) {
	for _, need := range n[step] {
		if path == need || strings.HasPrefix(path, need+".") {
			return need, true
		}
	}
	return "", false
}

// call runs a case through the messages of the interface, so that nothing passes that they could not carry.
func call(p plugin.Plugin, c Case, host *Host) (*pluginv1.Response, plugin.Trace, error) {
	request := &pluginv1.Request{
		Hook: c.Hook, Bundle: c.Bundle, Step: c.Step, Task: c.Task, Attempt: 1, Today: c.Today, Place: c.Place,
		Answers: c.Answers.Wire(), Parameters: c.Parameters.Wire(), Published: c.Published.Wire(), Result: c.Result.Wire(),
	}
	for _, m := range c.Materials {
		request.Materials = append(request.Materials, &pluginv1.Material{Id: m.ID, Origin: m.Origin})
	}
	if _, err := plugin.ParseDate(c.Today); err != nil {
		return nil, plugin.Trace{}, fmt.Errorf("today: %w", err)
	}
	message, err := request.MarshalVT()
	if err != nil {
		return nil, plugin.Trace{}, err
	}
	received := new(pluginv1.Request)
	if err := received.UnmarshalVT(message); err != nil {
		return nil, plugin.Trace{}, err
	}
	recorded := &recorder{Host: host}
	response, trace := p.Answer(received, recorded)
	if message, err = response.MarshalVT(); err != nil {
		return nil, plugin.Trace{}, err
	}
	sent := new(pluginv1.Response)
	if err := sent.UnmarshalVT(message); err != nil {
		return nil, plugin.Trace{}, err
	}
	return sent, trace, c.write(request, recorded.calls, sent)
}

// snake is a code in lower snake case.
var snake = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

// check runs a case and returns its faults.
func check(p plugin.Plugin, c Case) []string {
	host := NewHost(c)
	response, trace, err := call(p, c, host)
	if err != nil {
		return []string{"the case cannot be run: " + err.Error()}
	}
	faults := slices.Clone(host.Faults)
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }

	again, _, err := call(p, c, NewHost(c))
	if err != nil || !response.EqualVT(again) {
		fault("the same call got two different answers")
	}
	for _, l := range trace.Lookups {
		if strings.TrimSpace(l.Purpose) == "" {
			fault("looks up %s without a purpose", l.Source)
		}
	}
	faults = append(faults, compareLines(host.Lines, c.Want.Log)...)
	if got := response.GetFailure(); got != "" || c.Want.Failure != "" {
		if c.Want.Failure == "" || !strings.Contains(got, c.Want.Failure) {
			fault("failure: got %q, want %q", got, c.Want.Failure)
		}
		return faults
	}

	var found []*pluginv1.Finding
	var result, proposals map[string]*pluginv1.Value
	switch c.Hook {
	case plugin.HookPrefill:
		proposals = response.GetPrefill().GetProposals()
	case plugin.HookCheck:
		found = response.GetCheck().GetFindings()
	case plugin.HookDecide:
		decision := response.GetDecision()
		if got := decision.GetOutcome(); got != c.Want.Outcome {
			fault("outcome: got %v, want %v", got, c.Want.Outcome)
		}
		if decision.GetOutcome() == plugin.Rejected && len(decision.GetFindings()) == 0 {
			fault("rejects without a reason")
		}
		found, result = decision.GetFindings(), decision.GetResult()
	case plugin.HookIssue:
		issue := response.GetIssue()
		if got := issue.GetMediaType(); got != c.Want.MediaType {
			fault("media type: got %q, want %q", got, c.Want.MediaType)
		}
		for _, text := range c.Want.Content {
			if !strings.Contains(string(issue.GetContent()), text) {
				fault("the document does not hold %q", text)
			}
		}
		if len(issue.GetContent()) == 0 {
			fault("the document is empty")
		}
		result = issue.GetResult()
	case plugin.HookRevoke:
		if got := response.GetRevocation().GetRevoked(); got != c.Want.Revoked {
			fault("revoked: got %t, want %t", got, c.Want.Revoked)
		}
		found = response.GetRevocation().GetFindings()
	default:
		fault("the case names no hook")
	}
	faults = append(faults, compareFindings(found, c.Want.Findings)...)
	faults = append(faults, compareStore(host.Stored, c)...)
	faults = append(faults, compareValues("proposal", proposals, c.Want.Proposals)...)
	return append(faults, compareValues("result", result, c.Want.Result)...)
}

func compareFindings(got []*pluginv1.Finding, want []string) (faults []string) {
	missing := slices.Clone(want)
	for _, f := range got {
		if !snake.MatchString(f.GetCode()) {
			faults = append(faults, fmt.Sprintf("finding %q: its code is not in lower snake case", f.GetCode()))
		}
		if strings.TrimSpace(f.GetTextZh()) == "" {
			faults = append(faults, fmt.Sprintf("finding %s has no Chinese text", f.GetCode()))
		}
		if f.GetSeverity() < plugin.Note || f.GetSeverity() > plugin.Obstacle {
			faults = append(faults, fmt.Sprintf("finding %s: no severity %d", f.GetCode(), f.GetSeverity()))
		}
		i := slices.Index(missing, f.GetCode()+"@"+f.GetPath())
		if i < 0 {
			i = slices.Index(missing, f.GetCode())
		}
		if i < 0 {
			faults = append(faults, fmt.Sprintf("finding %s@%s is not wanted: %s", f.GetCode(), f.GetPath(), f.GetTextZh()))
			continue
		}
		missing = slices.Delete(missing, i, i+1)
	}
	for _, code := range missing {
		faults = append(faults, "finding "+code+" is missing")
	}
	return faults
}

func compareValues(what string, got map[string]*pluginv1.Value, want plugin.Values) (faults []string) {
	wire := want.Wire()
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if w, ok := wire[name]; !ok {
			faults = append(faults, fmt.Sprintf("%s %s is not wanted: %s", what, name, show(got[name])))
		} else if !got[name].EqualVT(w) {
			faults = append(faults, fmt.Sprintf("%s %s: got %s, want %s", what, name, show(got[name]), show(w)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wire)) {
		if _, ok := got[name]; !ok {
			faults = append(faults, fmt.Sprintf("%s %s is missing, want %s", what, name, show(wire[name])))
		}
	}
	return faults
}

// compareStore compares what the department has stored. Of a call that failed nothing is left, so it is not asked.
func compareStore(got map[string]string, c Case) (faults []string) {
	want := c.Want.Store
	if want == nil {
		want = c.Store
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if w, ok := want[key]; !ok {
			faults = append(faults, fmt.Sprintf("store: %s is not wanted: %q", key, got[key]))
		} else if w != got[key] {
			faults = append(faults, fmt.Sprintf("store: %s: got %q, want %q", key, got[key], w))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if _, ok := got[key]; !ok {
			faults = append(faults, fmt.Sprintf("store: %s is missing, want %q", key, want[key]))
		}
	}
	return faults
}

func compareLines(got, want []string) []string {
	if slices.Equal(got, want) {
		return nil
	}
	return []string{fmt.Sprintf("log: got %q, want %q", got, want)}
}

// show prints a value as a developer writes it.
func show(v *pluginv1.Value) string {
	values, err := plugin.ParseValues(map[string]*pluginv1.Value{"value": v})
	if err != nil {
		return cmp.Or(v.GetText(), err.Error())
	}
	return fmt.Sprintf("%T(%v)", values["value"], values["value"])
}
