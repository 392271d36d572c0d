package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/siyiban/onething/examples/intake"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// as returns a client that has signed in under a name of the development issuer.
func (st *stage) as(name string) *intake.Client {
	return intake.Dial(st.api, intake.SignIn(st.issuer, name))
}

// system returns a client of a department's own system.
func (st *stage) system(department string) *intake.Client {
	return intake.Dial(st.api, intake.System(st.issuer, "system-"+department, intake.SystemSecret))
}

// tomorrow puts the clock forward by a day.
func (st *stage) tomorrow() { st.clock.Advance(24 * time.Hour) }

// brief is what a resident brings for an application.
type brief struct {
	who       string // name at the development issuer
	bundles   []string
	answers   intake.Answers
	prefilled []string // paths that the departments fill in
	uploads   []string // materials, by the ids under which they are uploaded
	promises  []string // materials for which a promise stands in
	tolerated []string // materials that follow
}

// file files an application as a front end does: guide, draft, answers, prefill, materials, promises, submission.
func (st *stage) file(ctx context.Context, b brief) (*intake.Filing, error) {
	// Somebody looks first, without signing in: nothing answered yet, so every case is open and there is a next question.
	first, err := intake.Dial(st.api, nil).Assess(ctx, b.bundles, nil)
	if err != nil {
		return nil, err
	}
	for _, bundle := range b.bundles {
		if verdict := first.GetCases()[bundle].GetVerdict(); verdict != apiv1.Verdict_VERDICT_UNDECIDED {
			return nil, fmt.Errorf("guide: %s is %v before anything is answered", bundle, verdict)
		}
	}
	if first.GetNextQuestion().GetPath() == "" {
		return nil, fmt.Errorf("guide: there is no next question")
	}

	filing, err := st.as(b.who).Begin(ctx, b.bundles...)
	if err != nil {
		return nil, err
	}
	if err := filing.Save(ctx, b.answers); err != nil {
		return nil, err
	}
	prefilled, err := filing.Prefill(ctx)
	if err != nil {
		return nil, err
	}
	slices.Sort(prefilled)
	if !slices.Equal(prefilled, b.prefilled) {
		return nil, fmt.Errorf("prefill: %v were filled in, not %v", prefilled, b.prefilled)
	}
	if faults := slices.Sorted(maps.Keys(filing.Assessment.GetFaults())); len(faults) > 0 {
		return nil, fmt.Errorf("the answers have faults: %v", faults)
	}
	for _, bundle := range b.bundles {
		if verdict := filing.Assessment.GetCases()[bundle].GetVerdict(); verdict != apiv1.Verdict_VERDICT_ELIGIBLE {
			return nil, fmt.Errorf("%s is %v", bundle, verdict)
		}
	}
	for _, material := range b.uploads {
		if _, err := upload(ctx, filing, material); err != nil {
			return nil, err
		}
	}
	for _, material := range b.promises {
		if err := filing.Promise(ctx, material); err != nil {
			return nil, err
		}
	}
	for _, material := range b.tolerated {
		if err := filing.Tolerate(ctx, material); err != nil {
			return nil, err
		}
	}
	return filing, filing.Submit(ctx)
}

// upload sends a small file for a material: a photo as a picture, everything else as a document.
func upload(ctx context.Context, filing *intake.Filing, material string) (digest string, err error) {
	name, mediaType, content := material+".pdf", "application/pdf", "%PDF-1.7\n% "+material+"\n%%EOF\n"
	if strings.HasPrefix(material, "id_photo") {
		name, mediaType, content = material+".jpg", "image/jpeg", "\xff\xd8\xff\xe0 "+material
	}
	return filing.Upload(ctx, material, name, mediaType, strings.NewReader(content))
}

// reviewable waits until every check of a case has been answered, and returns what the clerk is shown.
func (st *stage) reviewable(ctx context.Context, filing *intake.Filing, bundle string) (*apiv1.GetCaseResponse, error) {
	clerk := st.as("clerk")
	_, err := filing.Until(ctx, func(*apiv1.Application) (bool, error) {
		queue, err := clerk.Queue(ctx, filing.Position)
		if err != nil {
			return false, err
		}
		n := slices.IndexFunc(queue, func(c *apiv1.ReviewCase) bool { return c.GetApplication() == filing.ID && c.GetBundle() == bundle })
		return n >= 0 && len(queue[n].GetAwaited()) == 0, nil
	})
	if err != nil {
		return nil, fmt.Errorf("wait for the checks of %s: %w", bundle, err)
	}
	return clerk.Look(ctx, filing.ID, bundle)
}

// accept accepts a case that nothing stands against.
func (st *stage) accept(ctx context.Context, filing *intake.Filing, bundle string) error {
	shown, err := st.reviewable(ctx, filing, bundle)
	if err != nil {
		return err
	}
	if against := against(shown.GetFindings()); len(against) > 0 {
		return fmt.Errorf("%v stand against %s", against, bundle)
	}
	_, err = st.as("clerk").Accept(ctx, shown.GetCase())
	return err
}

// against are the codes of the findings that stand against a case.
func against(findings []*apiv1.Finding) []string {
	var codes []string
	for _, f := range findings {
		if f.GetSeverity() != "NOTE" {
			codes = append(codes, f.GetCode())
		}
	}
	slices.Sort(codes)
	return codes
}

// desk is who decides a step that has no plugin, and with which result.
type desk struct {
	who    *intake.Client
	result intake.Answers
}

// work lets the desks decide their steps, by `bundle.step`, as they come, until the application is as wanted. The
// plugins decide theirs meanwhile.
func (st *stage) work(ctx context.Context, filing *intake.Filing, desks map[string]desk, wanted func(*apiv1.Application) bool) error {
	decided := map[string]bool{}
	_, err := filing.Until(ctx, func(a *apiv1.Application) (bool, error) {
		for _, c := range a.GetCases() {
			for _, task := range c.GetTasks() {
				step := c.GetBundle() + "." + task.GetStep()
				d, ok := desks[step]
				if !ok || decided[step] || task.GetState() != "OPEN" {
					continue
				}
				queue, err := d.who.Tasks(ctx, 0)
				if err != nil {
					return false, err
				}
				n := slices.IndexFunc(queue, func(t *apiv1.Task) bool { return t.GetTask() == task.GetTask() })
				if n < 0 {
					continue // the queue shows it after the next change
				}
				if _, err := d.who.Approve(ctx, queue[n], d.result); err != nil {
					return false, err
				}
				decided[step] = true
			}
		}
		return wanted(a), nil
	})
	return err
}

// over says whether every case is over.
func over(a *apiv1.Application) bool {
	return !slices.ContainsFunc(a.GetCases(), func(c *apiv1.Case) bool {
		return slices.Contains([]string{"PRE_REVIEW", "TO_BE_CORRECTED", "ACCEPTED"}, c.GetState())
	})
}

// allBut says whether nothing is open any more but steps in one of the states, by `bundle.step`.
func allBut(step, state string) func(*apiv1.Application) bool {
	return func(a *apiv1.Application) bool {
		reached := false
		for _, c := range a.GetCases() {
			for _, task := range c.GetTasks() {
				switch {
				case c.GetBundle()+"."+task.GetStep() == step:
					reached = task.GetState() == state
				case !slices.Contains([]string{"APPROVED", "REJECTED", "SKIPPED", "ENDED"}, task.GetState()):
					return false
				}
			}
		}
		return reached
	}
}
