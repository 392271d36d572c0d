package engine

import (
	"context"
	"errors"
	"maps"
	"slices"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/forms"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

// A draft is read by the versions on which it was begun. By the law the version of the day of receipt counts, so it is
// submitted only with those in force: before that it is taken over, by itself with the next save where the version says
// so, else by its applicant.

// Reading is by which versions a draft is read.
type Reading struct {
	Selection *catalog.Selection
	// Behind are the bundles of which another version is in force than the draft has.
	Behind []Behind
	// ByItself reports that all of them say that drafts are taken over: then the draft is read by the versions in force.
	ByItself bool
}

// Behind is a bundle of a draft of which another version is in force.
type Behind struct {
	Bundle  string
	Digest  string              // of the version that the draft has
	Has     *registry.Published // that version
	InForce *registry.Published // nil: none is in force
}

// Reading returns by which versions a draft is read today.
func (e *Engine) Reading(d *draft.Draft) (*Reading, error) {
	f := e.InForce()
	if len(d.Versions) != len(d.Bundles) { // saved before drafts kept their versions
		selection, err := f.Select(d.Bundles, e.Today(), e.cfg.Place)
		return &Reading{Selection: selection}, err
	}
	r := &Reading{ByItself: true}
	for i, id := range d.Bundles {
		now := f.On(id, e.Today(), e.cfg.Place)
		if now != nil && now.Digest == d.Versions[i] {
			continue
		}
		r.Behind = append(r.Behind, Behind{Bundle: id, Digest: d.Versions[i], Has: f.Numbered(id, d.Versions[i]), InForce: now})
		r.ByItself = r.ByItself && now != nil && now.Moving != registryv1.Moving_MOVING_PIN
	}
	var err error
	if r.ByItself = r.ByItself && len(r.Behind) > 0; r.ByItself {
		if r.Selection, err = f.Select(d.Bundles, e.Today(), e.cfg.Place); err == nil {
			return r, nil
		}
		if _, conflict := errors.AsType[*catalog.ConflictError](err); !conflict {
			return nil, err
		}
		r.ByItself = false // together they do not go with each other
	}
	r.Selection, err = f.SelectDigests(d.Versions)
	return r, err
}

// current refuses to submit a draft that has to be taken over first.
func (r *Reading) current() error {
	if len(r.Behind) == 0 {
		return nil
	}
	refused := refusal.New(refusal.VersionChanged, "事项在您填写期间有新版本，请先查看变化再提交", "the matter has a new version since you began; look at what changes before you submit").
		Else("请重新打开草稿并确认改用新版本", "take the draft over to the new version")
	for _, b := range r.Behind {
		if b.InForce == nil {
			return &registry.NotInForceError{Bundle: b.Bundle}
		}
		refused.Violations = append(refused.Violations, forms.Violation{Code: "version_changed", Bundle: b.Bundle,
			Text: forms.Text{ZH: "“" + b.InForce.Name.ZH + "”有新版本：" + b.InForce.Why, EN: "“" + b.InForce.Name.In("en") + "” has a new version: " + b.InForce.Why}})
	}
	return refused
}

// takeOver puts a draft on the versions in force. What they cannot read of it goes: answers to questions that they do not
// ask, documents that they do not know, and what was signed in other words than theirs.
func (e *Engine) takeOver(d *draft.Draft, r *Reading, byApplicant bool) error {
	selection, err := e.InForce().Select(d.Bundles, e.Today(), e.cfg.Place)
	if err != nil {
		return err
	}
	for _, b := range r.Behind {
		d.Moves = append(d.Moves, &applicationv1.DraftMoved{Bundle: b.Bundle, From: b.Digest, To: selection.Bundle(b.Bundle).Digest, At: timestamppb.New(e.Now()), ByApplicant: byApplicant})
	}
	d.Versions = digests(selection)
	answers := maps.Clone(d.Record.GetAnswers())
	for p := range answers {
		if f := selection.Field(forms.Path(p)); f == nil || f.Derived {
			delete(answers, p)
		}
	}
	d.Record = &formsv1.Record{Answers: answers}
	assessed := e.assess(selection, answers, e.setting(e.cfg.Place, nil))
	of := &Drafted{Draft: d, Assessed: assessed}
	d.Files = slices.DeleteFunc(d.Files, func(f *applicationv1.MaterialFile) bool {
		_, err := of.MaterialOf(f.GetMaterial())
		return err != nil
	})
	d.Promises = slices.DeleteFunc(d.Promises, func(p *applicationv1.SignedPromise) bool {
		m, err := of.MaterialOf(p.GetMaterial())
		return err != nil || signs(m, slices.Contains(d.Tolerated, p.GetMaterial()), p.GetText()) != nil
	})
	d.Tolerated = slices.DeleteFunc(d.Tolerated, func(key string) bool {
		return !slices.ContainsFunc(d.Promises, func(p *applicationv1.SignedPromise) bool { return p.GetMaterial() == key })
	})
	return nil
}

// TakeOverDraft puts a draft on the versions in force, because its applicant wants that. It returns the draft before and
// after.
func (e *Engine) TakeOverDraft(ctx context.Context, owners []draft.Owner, id string, expected int64, r Request) (before, after *Drafted, err error) {
	old, err := e.ownDraft(ctx, owners, id)
	if err != nil {
		return nil, nil, err
	}
	saved, err := e.saveAs(ctx, owners, id, expected, r, true, func(*draft.Draft) error { return nil })
	if err != nil {
		return nil, nil, err
	}
	if before, err = e.kept(ctx, old); err != nil {
		return nil, nil, err
	}
	after, err = e.drafted(ctx, saved)
	return before, after, err
}

// kept assesses a draft by the versions that it was saved with: what whoever saved it has seen.
func (e *Engine) kept(ctx context.Context, d *draft.Draft) (*Drafted, error) {
	r, err := e.Reading(d)
	if err != nil {
		return nil, err
	}
	if r.ByItself {
		if r.Selection, err = e.InForce().SelectDigests(d.Versions); err != nil {
			return nil, err
		}
	}
	return e.assessDraft(ctx, d, r)
}
