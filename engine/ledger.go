package engine

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/person"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	personv1 "github.com/siyiban/onething/proto/gen/onething/person/v1"
)

// ledgerStream is the ledger of whoever has a keyed digest. Its name is a digest of that, so that a ledger cannot be
// connected with what else is kept of the person without the key.
func (e *Engine) ledgerStream(digest string) string {
	return "ledger/" + hex.EncodeToString(e.cfg.Keys.Digest("ledger", []byte(digest)))
}

// ledger reads the standing of a person or an enterprise, and the version of its stream.
func (e *Engine) ledger(ctx context.Context, digest string) (l person.Ledger, version uint64, err error) {
	for event, err := range e.cfg.Log.Read(ctx, e.ledgerStream(digest), 0) {
		if err != nil {
			return person.Ledger{}, 0, fmt.Errorf("read ledger: %w", err)
		}
		message := &personv1.LedgerEvent{}
		if err := proto.Unmarshal(event.Public, message); err != nil {
			return person.Ledger{}, 0, fmt.Errorf("read ledger, version %d: %w", event.Version, err)
		}
		l, version = person.Evolve(l, message), event.Version
	}
	return l, version, nil
}

// barred says whether somebody may neither promise nor have a material follow, because an earlier promise was false.
func (e *Engine) barred(ctx context.Context, digest string) (bool, error) {
	if digest == "" {
		return false, nil
	}
	l, _, err := e.ledger(ctx, digest)
	return l.Barred(), err
}

// maySign refuses the promise of somebody who is barred, for whomever it is given.
func (e *Engine) maySign(ctx context.Context, signer string) error {
	barred, err := e.barred(ctx, signer)
	if err == nil && barred {
		err = refusal.New(refusal.PromiseRefused, "您有尚未修复的不实承诺记录，不适用告知承诺和容缺受理", "an earlier promise of yours was false and is not repaired: you can neither promise nor supply later").
			Else("请提交材料，或先办理信用修复", "hand the material in, or have the record repaired first")
	}
	return err
}

// ledgerFacts makes [guide.CreditFact] true, whatever its source says, of the persons and enterprises of a record who are on our
// own ledger.
func (e *Engine) ledgerFacts(ctx context.Context, selection *catalog.Selection, record forms.Record, known map[forms.Path]kind.Value) error {
	read := map[string]bool{} // the same alias is the same person in every bundle
	for _, b := range selection.Bundles {
		fact := b.Facts()[guide.CreditFact]
		if fact == nil {
			continue
		}
		for _, s := range b.Sections {
			number, ok := numberOf(record, s.Subject())
			if s.About != fact.Of || !ok || read[s.Alias] {
				continue
			}
			read[s.Alias] = true
			barred, err := e.barred(ctx, e.PersonDigest(number))
			if err != nil {
				return err
			}
			if barred {
				known[forms.Path("facts."+s.Alias+"."+guide.CreditFact)] = kind.Bool(true)
			}
		}
	}
	return nil
}

// besides are the appends to ledgers that events of an application cause: they are one commit with them.
func (e *Engine) besides(ctx context.Context, d *Dossier, events []*applicationv1.Event) ([]commitlog.Append, error) {
	changes := map[string][]*personv1.LedgerEvent{}
	for _, event := range events {
		promise := &personv1.FalsePromise{Application: d.State.ID}
		repaired := event.GetPromiseRepaired()
		switch verified := event.GetPromiseVerified(); {
		case repaired != nil:
			promise.Bundle, promise.Material = repaired.GetBundle(), repaired.GetMaterial()
		case verified != nil && !verified.GetHolds():
			promise.Bundle, promise.Material = verified.GetBundle(), verified.GetMaterial()
		default:
			continue
		}
		signer, principals := d.promisors(promise.GetBundle(), promise.GetMaterial())
		bound := principals
		if signer != "" && !slices.Contains(principals, signer) {
			bound = append(slices.Clip(principals), signer)
		}
		for i, who := range bound {
			entry := &personv1.LedgerEvent{At: event.GetAt(), Actor: event.GetActor(),
				Kind: &personv1.LedgerEvent_Listed{Listed: &personv1.Listed{Promise: promise, Agent: i >= len(principals)}}}
			if repaired != nil {
				entry.Kind = &personv1.LedgerEvent_Repaired{Repaired: &personv1.Repaired{Promise: promise}}
			}
			changes[who] = append(changes[who], entry)
		}
	}
	var appends []commitlog.Append
	for who, entries := range changes {
		_, version, err := e.ledger(ctx, who)
		if err != nil {
			return nil, err
		}
		a := commitlog.Append{Stream: e.ledgerStream(who), Expected: version}
		for _, entry := range entries {
			event, err := commitlog.Public(entry)
			if err != nil {
				return nil, err
			}
			a.Events = append(a.Events, event)
		}
		appends = append(appends, a)
	}
	slices.SortFunc(appends, func(a, b commitlog.Append) int { return cmp.Compare(a.Stream, b.Stream) })
	return appends, nil
}

// promisors are who signed a promise, and for whom: an applicant who signed is bound alone; who signed for others, as their
// agent or for an enterprise, binds those whom the case is about.
func (d *Dossier) promisors(bundle, material string) (signer string, principals []string) {
	signed := d.signed(bundle, material)
	b := d.Selection.Bundle(bundle)
	if signed == nil || b == nil {
		return "", nil
	}
	signer = signed.GetSigner()
	for _, alias := range b.Applicants {
		if who := d.Persons[alias]; who != "" && !slices.Contains(principals, who) {
			principals = append(principals, who)
		}
	}
	if slices.Contains(principals, signer) {
		return signer, []string{signer}
	}
	return signer, principals
}

// signed is the promise in place of a material of a case, as it was signed last; nil if there is none.
func (d *Dossier) signed(bundle, material string) (signed *applicationv1.SignedPromise) {
	c := d.State.Case(bundle)
	if c == nil {
		return nil
	}
	m := c.Material(material)
	for _, event := range d.Events {
		for _, s := range event.GetPersonal().GetPromises() {
			if m != nil && s.GetMaterial() == m.Shared {
				signed = s
			}
		}
	}
	return signed
}

// Signed is the promise in place of a material of a case, as it was signed, and whether that was for somebody else; nil if
// there is none.
func (d *Dossier) Signed(bundle, material string) (signed *applicationv1.SignedPromise, byAgent bool) {
	if signed = d.signed(bundle, material); signed == nil {
		return nil, false
	}
	signer, principals := d.promisors(bundle, material)
	return signed, !slices.Contains(principals, signer)
}

// Named is what names the persons or enterprises that a material is about, or those who apply where it is about nobody: their
// names and numbers, and nothing else.
func (d *Dossier) Named(bundle, material string) forms.Record {
	b := d.Selection.Bundle(bundle)
	aliases := b.Applicants
	if m := b.Material(catalog.Unnumbered(material)); m != nil && m.Of != "" {
		aliases = []string{m.Of}
	}
	var record forms.Record
	for _, alias := range aliases {
		s := b.Section(alias)
		if s == nil {
			continue
		}
		for _, p := range []forms.Path{s.Subject(), forms.Path("form." + alias + ".name")} {
			if v, _ := d.Record.Get(p); v != nil {
				record = record.With(p, v)
			}
		}
	}
	return record
}
