package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine/bundledraft"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/engine/witness"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

// CheckBundle says what is wrong with a bundle against what is in force: what `onething check` says of it beside the
// libraries that are in force. It publishes nothing. The error wraps [ErrSearch] or [ErrTooManyRules] if what no single
// expression shows could not be searched.
func (e *Engine) CheckBundle(ctx context.Context, name string, text []byte) (diag.List, error) {
	b, found, err := registry.Check(e.InForce().State, name, text, e.world("", registry.Policy{}))
	if err != nil || b == nil {
		return found, err
	}
	if err := searchable(b); err != nil {
		return nil, err
	}
	var searched diag.List
	setting := guide.Setting{Today: e.Today(), Calendar: e.InForce().Calendar}
	if err := e.search(ctx, func() error { searched = witness.Check(b, setting); return nil }); err != nil {
		return nil, err
	}
	return append(found, searched...), nil
}

// CreateBundleDraft begins a draft of a bundle's version; without a text it begins with that of the last version.
func (e *Engine) CreateBundleDraft(r Request, bundle string, text []byte) (*bundledraft.Draft, []byte, error) {
	request, err := e.bundleRequest(r)
	if err != nil {
		return nil, nil, err
	}
	versions := e.InForce().State.Bundles[bundle]
	if len(text) == 0 {
		if len(versions) == 0 {
			return nil, nil, refusal.New(refusal.Invalid, "该事项还没有版本，须提供内容", "the bundle has no version yet: a draft of it needs a text")
		}
		text = versions[len(versions)-1].Text
	}
	made, err := e.cfg.BundleDrafts.Create(request, bundle, len(versions), text)
	if err != nil {
		return nil, nil, err
	}
	return e.cfg.BundleDrafts.Load(made.ID)
}

// SaveBundleDraft replaces the text of a draft that is at a revision. It returns the revision that the request made, and
// the draft as it is now.
func (e *Engine) SaveBundleDraft(r Request, id string, expected int64, text []byte) (int64, *bundledraft.Draft, error) {
	request, err := e.bundleRequest(r)
	if err != nil {
		return 0, nil, err
	}
	d, revision, err := e.cfg.BundleDrafts.Save(request, id, expected, text)
	return revision, d, err
}

func (e *Engine) bundleRequest(r Request) (bundledraft.Request, error) {
	digest, err := e.digest(r)
	return bundledraft.Request{ID: r.ID, Actor: r.Subject, Digest: digest}, err
}

// BundleDraft reads a draft with its text.
func (e *Engine) BundleDraft(id string) (*bundledraft.Draft, []byte, error) {
	return e.cfg.BundleDrafts.Load(id)
}

// BundleDrafts returns all drafts, the last saved first.
func (e *Engine) BundleDrafts() ([]*bundledraft.Draft, error) { return e.cfg.BundleDrafts.List() }

// CheckBundleDraft says what is wrong with a draft, and of which revision that is.
func (e *Engine) CheckBundleDraft(ctx context.Context, id string) (diag.List, int64, error) {
	d, text, err := e.cfg.BundleDrafts.Load(id)
	if err != nil {
		return nil, 0, err
	}
	found, err := e.CheckBundle(ctx, catalog.BundleFile(d.Bundle), text)
	return found, d.Revision, err
}

// PublishBundleDraft publishes a draft that is at a revision. number is that of the last version that the caller has
// compared it with; 0: the one on which it was begun. Once its text is in force the draft is removed.
func (e *Engine) PublishBundleDraft(ctx context.Context, r Request, id string, expected int64, reason string, number int, moving registryv1.Moving) (*Publication, error) {
	digest, err := e.digest(r)
	if err != nil {
		return nil, err
	}
	// The draft may be gone since the request was committed.
	switch receipt, committed, found, err := e.cfg.Log.Lookup(ctx, registry.StreamCatalog, r.ID); {
	case err != nil:
		return nil, fmt.Errorf("look up request: %w", err)
	case found && !bytes.Equal(committed, digest):
		return nil, commitlog.ErrRequestReused
	case found:
		event, err := e.published(ctx, registry.StreamCatalog, receipt.Versions[registry.StreamCatalog])
		return &Publication{Position: receipt.Position, Event: event}, err
	}
	d, text, err := e.cfg.BundleDrafts.Load(id)
	if err != nil {
		return nil, err
	}
	if d.Revision != expected {
		return nil, &bundledraft.StaleError{Current: d.Revision}
	}
	if number == 0 {
		number = d.Base
	}
	return e.publish(ctx, r.ID, r.Subject, e.cfg.SecondPerson, digest,
		registry.PublishBundle{Name: catalog.BundleFile(d.Bundle), Text: text, Reason: reason, Expected: number, Draft: id, DraftRevision: expected, Moving: moving})
}

// DiscardBundleDraft removes a draft that is at a revision.
func (e *Engine) DiscardBundleDraft(id string, expected int64) error {
	return e.cfg.BundleDrafts.Discard(id, expected)
}

// dropPublished removes the draft whose text a version has. One that was changed since stays; so does one that cannot be
// removed, which harms nobody.
func (e *Engine) dropPublished(event *registryv1.Event) {
	p := event.GetBundlePublished()
	if p.GetDraft() == "" || e.cfg.BundleDrafts == nil {
		return
	}
	if err := e.cfg.BundleDrafts.Discard(p.GetDraft(), p.GetDraftRevision()); err != nil && !errors.Is(err, bundledraft.ErrStale) {
		e.cfg.Logger.Error("published draft not removed", "draft", p.GetDraft(), "error", err)
	}
}
