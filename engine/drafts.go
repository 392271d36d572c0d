package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// Errors of drafts, for errors.Is.
var (
	// ErrNoMaterial is returned for a material that the application does not ask for.
	ErrNoMaterial = errors.New("engine: the material is not asked for")
	// ErrNotOffered is returned for a promise or a tolerance that is not open to this applicant or for this material.
	ErrNotOffered = errors.New("engine: not open for this material or applicant")
	// ErrOtherText is returned for a signed text that is not the one that is to be signed.
	ErrOtherText = errors.New("engine: the signed text is not the one that was asked for")
	// ErrFileFormat is returned for a file in a format that the material does not accept.
	ErrFileFormat = errors.New("engine: the material does not accept files of this format")
)

// Request identifies a call: the caller's id of it, and its content, of which a keyed digest is kept so that the same
// id with another content is refused.
type Request struct {
	ID      string
	Subject string // who calls
	Content proto.Message
}

// digest is the keyed digest of a request's content, of what it asks for, and of who sent it: to claim a task and to give it
// back are the same bytes.
func (e *Engine) digest(r Request) ([]byte, error) {
	content, err := proto.MarshalOptions{Deterministic: true}.Marshal(r.Content)
	if err != nil {
		return nil, fmt.Errorf("digest of request: %w", err)
	}
	return e.cfg.Keys.Digest("command", append(seal.AssociatedData(r.Subject, string(proto.MessageName(r.Content))), content...)), nil
}

// Drafted is a draft with its assessment.
type Drafted struct {
	*draft.Draft
	Assessed *Assessed
	Reading  *Reading
}

// CreateDraft begins an application for bundles that are in force.
func (e *Engine) CreateDraft(ctx context.Context, owner draft.Owner, r Request, bundles []string, record *formsv1.Record) (*Drafted, error) {
	selection, err := e.InForce().Select(bundles, e.Today(), e.cfg.Place)
	if err != nil {
		return nil, err
	}
	digest, err := e.digest(r)
	if err != nil {
		return nil, err
	}
	d, err := e.cfg.Drafts.Create(ctx, owner, draft.Request{ID: r.ID, Digest: digest}, func(d *draft.Draft) error {
		d.Bundles, d.Versions, d.Record = bundles, digests(selection), record
		return nil
	})
	if err != nil {
		return nil, err
	}
	return e.drafted(ctx, d)
}

// Draft reads a draft with its assessment.
func (e *Engine) Draft(ctx context.Context, owners []draft.Owner, id string) (*Drafted, error) {
	d, err := e.ownDraft(ctx, owners, id)
	if err != nil {
		return nil, err
	}
	return e.drafted(ctx, d)
}

// Drafts lists an owner's drafts.
func (e *Engine) Drafts(ctx context.Context, owner draft.Owner, page draft.Page) ([]*draft.Draft, string, error) {
	return e.cfg.Drafts.List(ctx, owner, page)
}

// DeleteDraft deletes a draft with its key. Of one that several are to submit, only who began it does.
func (e *Engine) DeleteDraft(ctx context.Context, owners []draft.Owner, id string) error {
	d, err := e.ownDraft(ctx, owners, id)
	if err != nil {
		return err
	}
	if !slices.Contains(owners, d.Owner) {
		return refusal.New(refusal.NotAllowed, "草稿由发起人删除；您不同意的，不确认即可", "only who began the draft deletes it; if you do not agree, do not confirm")
	}
	return e.cfg.Drafts.Delete(ctx, id)
}

// ownDraft loads a draft of one of the owners, or one that they are to submit together; a stranger's is not there.
func (e *Engine) ownDraft(ctx context.Context, owners []draft.Owner, id string) (*draft.Draft, error) {
	d, err := e.cfg.Drafts.Load(ctx, id)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(append([]draft.Owner{d.Owner}, d.With...), func(o draft.Owner) bool { return slices.Contains(owners, o) }) {
		return nil, draft.ErrNotFound
	}
	return d, nil
}

// drafted assesses a draft, with what is known about its persons.
func (e *Engine) drafted(ctx context.Context, d *draft.Draft) (*Drafted, error) {
	r, err := e.Reading(d)
	if err != nil {
		return nil, err
	}
	return e.assessDraft(ctx, d, r)
}

func (e *Engine) assessDraft(ctx context.Context, d *draft.Draft, r *Reading) (*Drafted, error) {
	record, _ := forms.Decode(d.Record.GetAnswers(), r.Selection.Field)
	facts, err := e.facts(ctx, r.Selection, record)
	if err != nil {
		return nil, err
	}
	return &Drafted{Draft: d, Assessed: e.assess(r.Selection, d.Record.GetAnswers(), e.setting(e.cfg.Place, facts)), Reading: r}, nil
}

// SaveDraft saves changed answers; those that are cleared are taken back. It returns the draft before and after, each by
// the versions that it has. A repeated request changes nothing and returns the draft as it is.
func (e *Engine) SaveDraft(ctx context.Context, owners []draft.Owner, id string, expected int64, r Request, changes map[string]*structpb.Value, cleared []string) (before, after *Drafted, err error) {
	old, err := e.ownDraft(ctx, owners, id)
	if err != nil {
		return nil, nil, err
	}
	saved, err := e.save(ctx, owners, id, expected, r, func(d *draft.Draft) error {
		answers := map[string]*structpb.Value{}
		maps.Copy(answers, d.Record.GetAnswers())
		maps.Copy(answers, changes)
		for _, p := range cleared {
			delete(answers, p)
		}
		d.Record = &formsv1.Record{Answers: answers}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if before, err = e.kept(ctx, old); err != nil {
		return nil, nil, err
	}
	after, err = e.drafted(ctx, saved)
	return before, after, err
}

// save saves a change. Whoever has confirmed a draft can change nothing in it until that is taken back; by a change of
// another one it is void.
func (e *Engine) save(ctx context.Context, owners []draft.Owner, id string, expected int64, r Request, change func(*draft.Draft) error) (*draft.Draft, error) {
	return e.saveAs(ctx, owners, id, expected, r, false, change)
}

// saveAs is save; before the change the draft is taken over to the versions in force, if they or its applicant want that.
func (e *Engine) saveAs(ctx context.Context, owners []draft.Owner, id string, expected int64, r Request, takeOver bool, change func(*draft.Draft) error) (*draft.Draft, error) {
	digest, err := e.digest(r)
	if err != nil {
		return nil, err
	}
	saved, revision, err := e.cfg.Drafts.Save(ctx, id, expected, draft.Request{ID: r.ID, Digest: digest}, func(d *draft.Draft) error {
		if Confirmed(d, owners) {
			return refusal.New(refusal.WrongState, "您已确认此申请，不能再修改", "you have confirmed this application and cannot change it").Else("须修改的，请先撤回确认", "take your confirmation back first")
		}
		reading, err := e.Reading(d)
		if err != nil {
			return err
		}
		switch {
		case takeOver && len(reading.Behind) == 0:
			return refusal.New(refusal.WrongState, "草稿已是现行版本", "the draft is on the versions in force already")
		case takeOver || reading.ByItself:
			if err := e.takeOver(d, reading, !reading.ByItself); err != nil {
				return err
			}
		case len(d.Versions) != len(d.Bundles):
			d.Versions = digests(reading.Selection)
		}
		if err := change(d); err != nil {
			return err
		}
		return e.reshare(d)
	})
	if err != nil || revision == saved.Revision {
		return saved, err
	}
	// What the request made is answered, though there is more by now: whoever goes on from it has not seen the rest.
	answered := *saved
	answered.Revision = revision
	return &answered, nil
}

// change saves a change that does not depend on what was shown: it is made on whatever revision there is.
func (e *Engine) change(ctx context.Context, owners []draft.Owner, id string, r Request, change func(*draft.Draft) error) (*draft.Draft, error) {
	for {
		d, err := e.cfg.Drafts.Load(ctx, id)
		if err != nil {
			return nil, err
		}
		saved, err := e.save(ctx, owners, id, d.Revision, r, change)
		if !errors.Is(err, draft.ErrStale) {
			return saved, err
		}
	}
}

// AddFile gives a draft an uploaded file for a material, in place of an earlier one.
func (e *Engine) AddFile(ctx context.Context, owners []draft.Owner, id string, r Request, file *applicationv1.MaterialFile) (*draft.Draft, error) {
	if _, err := e.ownDraft(ctx, owners, id); err != nil {
		return nil, err
	}
	return e.change(ctx, owners, id, r, func(d *draft.Draft) error {
		d.Files = slices.DeleteFunc(slices.Clone(d.Files), func(f *applicationv1.MaterialFile) bool { return f.GetMaterial() == file.GetMaterial() })
		d.Files = append(d.Files, file)
		d.Promises = slices.DeleteFunc(slices.Clone(d.Promises), func(p *applicationv1.SignedPromise) bool { return p.GetMaterial() == file.GetMaterial() })
		d.Tolerated = slices.DeleteFunc(slices.Clone(d.Tolerated), func(m string) bool { return m == file.GetMaterial() })
		return nil
	})
}

// MaterialOf returns a material that a draft asks for, or may.
func (d *Drafted) MaterialOf(key string) (*guide.SharedMaterial, error) {
	for _, m := range d.Assessed.Materials {
		if m.Key == key || slices.ContainsFunc(m.OneOf, func(o catalog.Alternative) bool { return o.Key == key }) {
			return m, nil
		}
	}
	return nil, ErrNoMaterial
}

// Promise signs a promise in place of a material (告知承诺), or, with tolerate, the promise to supply it later
// (容缺受理承诺书). The text has to be the one that was shown, word for word. It returns the text's SHA-256.
func (e *Engine) Promise(ctx context.Context, owners []draft.Owner, id string, r Request, key string, tolerate bool, text, signer string) (*draft.Draft, string, error) {
	d, err := e.Draft(ctx, owners, id)
	if err != nil {
		return nil, "", err
	}
	m, err := d.MaterialOf(key)
	if err != nil {
		return nil, "", err
	}
	if err := signs(m, tolerate, text); err != nil {
		return nil, "", err
	}
	if err := e.maySign(ctx, signer); err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256([]byte(text))
	digest := hex.EncodeToString(sum[:])
	signed := &applicationv1.SignedPromise{Material: key, Text: text, Digest: digest, Signer: signer, At: timestamppb.New(e.Now())}
	saved, err := e.change(ctx, owners, id, r, func(d *draft.Draft) error {
		d.Promises = slices.DeleteFunc(slices.Clone(d.Promises), func(p *applicationv1.SignedPromise) bool { return p.GetMaterial() == key })
		d.Promises = append(d.Promises, signed)
		d.Tolerated = slices.DeleteFunc(slices.Clone(d.Tolerated), func(m string) bool { return m == key })
		if tolerate {
			d.Tolerated = append(d.Tolerated, key)
		}
		return nil
	})
	return saved, digest, err
}

// signs says why a text does not stand in for a material, or promise that it follows: that is not open for it, or other
// words are to be signed.
func signs(m *guide.SharedMaterial, tolerate bool, text string) error {
	offered, wanted := m.Promisable, m.Promise
	if tolerate {
		offered, wanted = m.Tolerable, catalog.ToleratePromise(m.Name)
	}
	if offered == rule.False {
		return ErrNotOffered
	}
	if text != wanted.ZH && (wanted.EN == "" || text != wanted.EN) {
		return ErrOtherText
	}
	return nil
}

// AcceptsFile reports whether a draft or an application of the caller's asks for a material, and accepts files of the
// media type for it; and whether the draft is to be given the file. A file for a question of kind FILE, named by its
// path, is kept, and becomes an answer when the client sends its digest.
func (e *Engine) AcceptsFile(ctx context.Context, owners []draft.Owner, mine func(*Dossier) error, id, key, mediaType string) (accepted, forDraft bool, err error) {
	extension := Extension(mediaType)
	drafted, err := e.Draft(ctx, owners, id)
	switch {
	case err == nil:
		if f := drafted.Assessed.Selection.Field(forms.Path(key)); f != nil && f.Kind == kind.KindFile {
			return extension != "", false, nil
		}
		m, err := drafted.MaterialOf(key)
		if err != nil {
			return false, true, err
		}
		return slices.Contains(m.Formats, extension), true, nil
	case !errors.Is(err, draft.ErrNotFound):
		return false, false, err
	}
	d, err := e.Load(ctx, id)
	if err != nil {
		return false, false, err
	}
	if err := mine(d); err != nil {
		return false, false, err
	}
	for _, selection := range append([]*catalog.Selection{d.Selection}, e.offering(d)...) {
		if f := selection.Field(forms.Path(key)); f != nil && f.Kind == kind.KindFile {
			return extension != "", false, nil
		}
	}
	for _, c := range d.State.Cases {
		for _, m := range c.Materials {
			if m.Shared == key {
				return slices.Contains(d.Selection.Bundle(c.Bundle).Material(m.ID).Formats, extension), false, nil
			}
		}
	}
	m, err := e.offered(d, key)
	if err != nil {
		return false, false, err
	}
	if m == nil {
		return false, false, ErrNoMaterial
	}
	return slices.Contains(m.Formats, extension), false, nil
}
