package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/forms"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// Filing is a draft that somebody submits.
type Filing struct {
	Draft    string
	Expected int64 // revision that was shown
	// Owners are under what the caller's drafts stand, the first one under what the caller begins one.
	Owners []draft.Owner
	// Principals are the keyed digests of the person and the enterprise that submit; none: a clerk at the counter.
	Principals []string
	// OnBehalfOf are aliases for whom an agent or a clerk confirms, of a joint case.
	OnBehalfOf []string
}

// Submit files a draft: the first commit of a stream that bears the draft's id. A crash between the commit and the
// draft's end is harmless. Where several have to submit together, it confirms for the caller, and the last one files it;
// until then there is no answer, and waiting names the aliases of the others.
func (e *Engine) Submit(ctx context.Context, f Filing, c Call) (answer *Answer, waiting []string, err error) {
	digest, err := e.requestDigest(c.Request)
	if err != nil {
		return nil, nil, err
	}
	c.Application = f.Draft
	if answer, err := e.answered(ctx, c, digest); answer != nil || err != nil {
		return answer, nil, err
	}
	if _, err := e.ownDraft(ctx, f.Owners, f.Draft); err != nil {
		if answer, filedErr := e.confirmed(ctx, c, digest); answer != nil || filedErr != nil {
			return answer, nil, filedErr
		}
		return nil, nil, err
	}
	waits, err := e.cfg.Drafts.Submit(ctx, f.Draft, f.Expected, draft.Request{ID: c.Request.ID, Digest: digest}, func(drafted *draft.Draft) (bool, error) {
		s, err := e.submission(ctx, drafted, c)
		if err != nil {
			return false, err
		}
		consents, err := e.consents(s, f, c, digest)
		if err != nil {
			return false, err
		}
		answer, err = e.file(ctx, s, consents, c, digest)
		if others, ok := errors.AsType[*application.UnconfirmedError](err); ok {
			waiting = others.Aliases
			drafted.Consents, drafted.Versions = consents, digests(s.Selection)
			drafted.With = with(drafted, s.together, s.Persons)
			return true, nil
		}
		return false, err
	})
	if err == nil && waits != nil && waiting == nil { // what was asked before
		var d *Drafted
		if d, err = e.drafted(ctx, waits); err == nil {
			waiting = d.WaitingFor()
		}
	}
	return answer, waiting, err
}

// submission is a draft that is about to be filed, as far as it is known before it is decided.
type submission struct {
	*Dossier
	draft    *draft.Draft
	together map[string][]string // who all have to submit, by bundle
}

// submission reads a draft, which has to have the versions in force, with what is known about its persons.
func (e *Engine) submission(ctx context.Context, drafted *draft.Draft, c Call) (*submission, error) {
	reading, err := e.Reading(drafted)
	if err != nil {
		return nil, err
	}
	if err := reading.current(); err != nil {
		return nil, err
	}
	selection := reading.Selection
	record, unreadable := forms.Decode(drafted.Record.GetAnswers(), selection.Field)
	unknown, err := e.UnknownFiles(ctx, drafted.ID, record)
	if err != nil {
		return nil, err
	}
	if unreadable = append(unreadable, unknown...); len(unreadable) > 0 {
		return nil, refusal.New(refusal.RecordInvalid, "表单中有填写不正确的内容", "the form has answers that are not right").With(unreadable...)
	}
	for _, signed := range drafted.Promises { // perhaps before the signer was barred
		if err := e.maySign(ctx, signed.GetSigner()); err != nil {
			return nil, err
		}
	}
	d := &Dossier{State: application.State{ID: drafted.ID}, Selection: selection, Record: record}
	if d.Facts, err = e.facts(ctx, selection, record); err != nil {
		return nil, err
	}
	closed, assessment := application.Closed(record, d.world(e, c))
	e.alarm(assessment)
	d.Persons = e.persons(selection, closed)
	return &submission{Dossier: d, draft: drafted, together: together(assessment)}, nil
}

// alarm tells operators of rules that cannot be computed over a record, as where a number leaves what numbers hold: a clerk
// decides then, and somebody has to mend the bundle.
func (e *Engine) alarm(a *guide.Assessment) {
	for _, k := range a.Cases {
		for _, r := range k.Rules {
			if slices.ContainsFunc(r.Outcome.Causes, func(cause forms.Cause) bool { return cause.Kind == forms.CauseFault }) {
				e.cfg.Logger.Error("a rule cannot be computed, a clerk decides", "bundle", k.Bundle.ID, "version", k.Bundle.Digest, "rule", r.ID)
			}
		}
	}
}

// together are the aliases of those who all have to submit, by bundle.
func together(a *guide.Assessment) map[string][]string {
	all := map[string][]string{}
	for _, k := range a.Cases {
		if len(k.Together) > 0 {
			all[k.Bundle.ID] = k.Together
		}
	}
	return all
}

// file decides a submission with what has been confirmed, and commits it.
func (e *Engine) file(ctx context.Context, s *submission, consents []*applicationv1.DraftContent_Consent, c Call, digest []byte) (*Answer, error) {
	command := application.Submit{Record: s.Record, Documents: documents(s.draft), Persons: s.Persons, Moves: s.draft.Moves}
	confirmed := map[string]bool{}
	for _, k := range consents {
		command.Confirmations, command.Confirmed = append(command.Confirmations, k.GetConfirmation()), append(command.Confirmed, k.GetConfirmed())
		confirmed[k.GetConfirmation().GetAlias()] = true
	}
	w := s.world(e, c)
	if s.complete(confirmed) { // a number that is not used is a gap
		serial, err := e.serial(ctx)
		if err != nil {
			return nil, err
		}
		if w.Number, err = application.NewNumber(e.cfg.Place, e.Today(), int((serial-1)%999_999)+1); err != nil {
			return nil, err
		}
	}
	return e.decide(ctx, c, digest, Stream(s.draft.ID), s.Dossier, command, w)
}

// consents are what has been confirmed of a draft as it is, with what the caller confirms now; none where nobody has to
// submit together with others. It refuses whoever may not file it: of a matter that any applicant may submit, whoever is
// none of them nor their agent; of a joint one, whoever confirms for nobody. At the counter a clerk looks at who signs.
func (e *Engine) consents(s *submission, f Filing, c Call, digest []byte) ([]*applicationv1.DraftContent_Consent, error) {
	for _, b := range s.Selection.Bundles {
		if !s.mayFile(b, f.Principals) {
			return nil, refusal.New(refusal.NotAllowed, "您不是“"+b.Name.ZH+"”的申请人或其代办人，请核对身份号码", "you are neither an applicant of this matter nor their agent; check the numbers in the form")
		}
	}
	if len(s.together) == 0 {
		return nil, nil
	}
	given := map[string]*applicationv1.DraftContent_Consent{}
	for _, b := range s.Selection.Bundles {
		for _, alias := range s.together[b.ID] {
			if k := s.confirms(b, alias, f, c); k != nil && (given[alias] == nil || !k.GetConfirmation().GetActor().GetAgent()) {
				k.Confirmation.At, k.Confirmed.Digest = timestamppb.New(e.Now()), digest
				given[alias] = k
			}
		}
	}
	for _, alias := range f.OnBehalfOf {
		if given[alias] == nil {
			return nil, refusal.New(refusal.NotAllowed, "您不能代“"+s.name(alias)+"”确认", "you cannot confirm for “"+alias+"”").
				With(forms.Violation{Path: forms.Path("on_behalf_of." + alias), Code: "not_agent", Text: forms.Text{ZH: "须由本人确认，或由有授权的代办人确认", EN: "To be confirmed in person, or by an agent with a mandate."}})
		}
	}
	if len(given) == 0 {
		return nil, refusal.New(refusal.Invalid, "请说明为哪些申请人确认", "say for whom you confirm").
			With(forms.Violation{Path: "on_behalf_of", Code: "required", Text: forms.Text{ZH: "请选择已委托您或已在窗口签字的申请人", EN: "Name the applicants who gave you a mandate, or who have signed at the counter."}})
	}
	var all []*applicationv1.DraftContent_Consent
	for _, k := range s.draft.Consents { // of the versions that it has: where another one is in force, it is not submitted
		if given[k.GetConfirmation().GetAlias()] == nil {
			all = append(all, k)
		}
	}
	for _, alias := range slices.Sorted(maps.Keys(given)) {
		all = append(all, given[alias])
	}
	return all, nil
}

// confirms is what the caller confirms for an applicant of a joint case: as that applicant, as an agent who was named, as
// a clerk before whom the applicant has signed; nil if not at all.
func (s *submission) confirms(b *catalog.Bundle, alias string, f Filing, c Call) *applicationv1.DraftContent_Consent {
	consent := func(by string, agent bool) *applicationv1.DraftContent_Consent {
		actor, owner := proto.CloneOf(c.Actor), f.Owners[0]
		actor.Agent = agent
		if by != "" {
			owner = PrincipalOwner(by)
		}
		return &applicationv1.DraftContent_Consent{Confirmation: &applicationv1.Confirmation{Alias: alias, Actor: actor},
			Confirmed: &applicationv1.Confirmed{Alias: alias, Actor: by, RequestId: c.Request.ID}, Owner: string(owner)}
	}
	if own := s.Persons[alias]; own != "" && slices.Contains(f.Principals, own) {
		return consent(own, false)
	}
	if !slices.Contains(f.OnBehalfOf, alias) {
		return nil
	}
	if len(f.Principals) == 0 {
		return consent("", false)
	}
	agent := slices.IndexFunc(f.Principals, func(p string) bool { return !b.NoAgent && isAgent(b, s.Persons, p) })
	if agent < 0 {
		return nil
	}
	return consent(f.Principals[agent], true)
}

// mayFile reports whether the caller may submit a matter: at the counter, as an applicant, or as an agent. Beside a joint
// matter, one of those who all submit that one is enough.
func (s *submission) mayFile(b *catalog.Bundle, principals []string) bool {
	if len(principals) == 0 {
		return true
	}
	submit := principals
	if s.together[b.ID] == nil {
		for _, aliases := range s.together {
			for _, alias := range aliases {
				submit = append(slices.Clip(submit), s.Persons[alias])
			}
		}
	}
	return slices.ContainsFunc(submit, func(person string) bool {
		return person != "" && (slices.ContainsFunc(b.Applicants, func(alias string) bool { return s.Persons[alias] == person }) || !b.NoAgent && isAgent(b, s.Persons, person))
	})
}

// complete reports whether all have confirmed who have to submit together.
func (s *submission) complete(confirmed map[string]bool) bool {
	for _, aliases := range s.together {
		if slices.ContainsFunc(aliases, func(alias string) bool { return !confirmed[alias] }) {
			return false
		}
	}
	return true
}

// name is the name of the section under an alias.
func (s *submission) name(alias string) string {
	for _, b := range s.Selection.Bundles {
		if section := b.Section(alias); section != nil {
			return section.Name.ZH
		}
	}
	return alias
}

// confirmed returns the answer of a request that confirmed what another one has filed since; nil if there is none.
func (e *Engine) confirmed(ctx context.Context, c Call, digest []byte) (*Answer, error) {
	d, err := e.Load(ctx, c.Application)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	confirmed := d.Events[0].GetPersonal().GetConfirmed()
	i := slices.IndexFunc(confirmed, func(k *applicationv1.Confirmed) bool { return k.GetRequestId() == c.Request.ID })
	if i < 0 {
		return nil, nil
	}
	if !bytes.Equal(confirmed[i].GetDigest(), digest) {
		return nil, commitlog.ErrRequestReused
	}
	if c.Allowed != nil {
		if err := c.Allowed(d); err != nil {
			return nil, err
		}
	}
	receipt, _, found, err := e.cfg.Log.Lookup(ctx, Stream(c.Application), confirmed[len(confirmed)-1].GetRequestId())
	if err != nil || !found {
		return nil, errors.Join(fmt.Errorf("look up filing: found %v", found), err)
	}
	return &Answer{Position: receipt.Position, Version: version(receipt, c.Application), Dossier: d}, nil
}

// WithdrawConfirmation takes back what the caller has confirmed of a draft that waits for others.
func (e *Engine) WithdrawConfirmation(ctx context.Context, owners []draft.Owner, id string, r Request) error {
	if _, err := e.ownDraft(ctx, owners, id); err != nil {
		return err
	}
	digest, err := e.digest(r)
	if err != nil {
		return err
	}
	return e.cfg.Drafts.Amend(ctx, id, draft.Request{ID: r.ID, Digest: digest}, func(d *draft.Draft) {
		d.Consents = slices.DeleteFunc(d.Consents, func(k *applicationv1.DraftContent_Consent) bool { return confirmedBy(k, owners) })
	})
}

// confirmedBy reports whether a confirmation is the caller's.
func confirmedBy(k *applicationv1.DraftContent_Consent, owners []draft.Owner) bool {
	return slices.Contains(owners, draft.Owner(k.GetOwner()))
}

// Confirmed reports whether one of the owners has confirmed a draft as it is, and so can change nothing in it.
func Confirmed(d *draft.Draft, owners []draft.Owner) bool {
	return slices.ContainsFunc(d.Consents, func(k *applicationv1.DraftContent_Consent) bool { return confirmedBy(k, owners) })
}

// WaitingFor are the aliases of those who all have to submit and have not confirmed, as far as the answers decide it.
func (d *Drafted) WaitingFor() []string {
	var waiting []string
	for _, c := range d.Assessed.Cases {
		for _, alias := range c.Together {
			has := slices.ContainsFunc(d.Consents, func(k *applicationv1.DraftContent_Consent) bool { return k.GetConfirmation().GetAlias() == alias })
			if !has && !slices.Contains(waiting, alias) {
				waiting = append(waiting, alias)
			}
		}
	}
	return waiting
}

// PrincipalOwner is under what the drafts of a person or an enterprise stand, by the keyed digest of their number.
func PrincipalOwner(digest string) draft.Owner { return draft.Owner("principal/" + digest) }

// with are those with whom a draft is to be submitted: the other applicants of its joint matters.
func with(d *draft.Draft, together map[string][]string, persons map[string]string) []draft.Owner {
	var others []draft.Owner
	for _, aliases := range together {
		for _, alias := range aliases {
			if owner := PrincipalOwner(persons[alias]); persons[alias] != "" && owner != d.Owner && !slices.Contains(others, owner) {
				others = append(others, owner)
			}
		}
	}
	slices.Sort(others)
	return others
}

// reshare names those with whom a draft that is shared is to be submitted, after its answers have changed.
func (e *Engine) reshare(d *draft.Draft) error {
	if len(d.With) == 0 {
		return nil
	}
	reading, err := e.Reading(d)
	if err != nil {
		return err
	}
	selection := reading.Selection
	a := e.assess(selection, d.Record.GetAnswers(), e.setting(e.cfg.Place, nil))
	d.With = with(d, together(a.Assessment), e.persons(selection, a.Record))
	return nil
}

// digests are those of the bundles of a selection, in order.
func digests(selection *catalog.Selection) []string {
	var all []string
	for _, b := range selection.Bundles {
		all = append(all, b.Digest)
	}
	return all
}

// documents are what a draft brings for materials. The promise to supply what is tolerated is one of its own kind.
func documents(d *draft.Draft) application.Documents {
	brought := application.Documents{Files: d.Files, Tolerate: d.Tolerated}
	for _, p := range d.Promises {
		if slices.Contains(d.Tolerated, p.GetMaterial()) {
			p = proto.CloneOf(p)
			p.Material = ""
		}
		brought.Promises = append(brought.Promises, p)
	}
	return brought
}

// agentSection is the library's section with the agent of an application.
const agentSection = "agent"

// persons are the keyed digests of those whose application it is, by alias: who applies, whom it is about, and an
// agent. Others who stand in the form (an employer, the head of a household) do not get to see it, nor does somebody in a
// section that is not asked, if the record is closed.
func (e *Engine) persons(selection *catalog.Selection, record forms.Record) map[string]string {
	found := map[string]string{}
	for _, b := range selection.Bundles {
		for _, s := range b.Sections {
			if !slices.Contains(b.Applicants, s.Alias) && s.Alias != b.Subject && s.ID != agentSection {
				continue
			}
			if number, ok := numberOf(record, s.Subject()); ok {
				found[s.Alias] = e.PersonDigest(number)
			}
		}
	}
	return found
}

// isAgent reports whether a person stands in a form as the agent of a bundle's applicant.
func isAgent(b *catalog.Bundle, persons map[string]string, person string) bool {
	return slices.ContainsFunc(b.Sections, func(s *catalog.Section) bool { return s.ID == agentSection && persons[s.Alias] == person })
}
