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
	"github.com/siyiban/onething/engine/person"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	personv1 "github.com/siyiban/onething/proto/gen/onething/person/v1"
)

// creditFact is the library's fact that bars from promise and tolerance. Beside what its source says, our own ledger makes
// it true.
const creditFact = "credit_restricted"

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

// ledgerFacts makes true what our own ledger knows of the persons and enterprises of a record.
func (e *Engine) ledgerFacts(ctx context.Context, selection *catalog.Selection, record forms.Record, known map[forms.Path]kind.Value) error {
	for _, b := range selection.Bundles {
		for id, fact := range b.Facts() {
			if id != creditFact {
				continue
			}
			for _, s := range b.Sections {
				number, ok := numberOf(record, s.Subject())
				if s.About != fact.Of || !ok {
					continue
				}
				barred, err := e.barred(ctx, e.PersonDigest(number))
				if err != nil {
					return err
				}
				if barred {
					known[forms.Path("facts."+s.Alias+"."+id)] = kind.Bool(true)
				}
			}
		}
	}
	return nil
}

// besides are the appends to ledgers that events of an application cause: they are one commit with them.
func (e *Engine) besides(ctx context.Context, d *Dossier, events []*applicationv1.Event) ([]commitlog.Append, error) {
	changes := map[string][]*personv1.LedgerEvent{}
	for _, event := range events {
		entry := &personv1.LedgerEvent{At: event.GetAt(), Actor: event.GetActor()}
		switch k := event.GetKind().(type) {
		case *applicationv1.Event_PromiseVerified:
			if k.PromiseVerified.GetHolds() {
				continue
			}
			promise := &personv1.FalsePromise{Application: d.State.ID, Bundle: k.PromiseVerified.GetBundle(), Material: k.PromiseVerified.GetMaterial()}
			signer, principals := d.promisors(promise)
			for _, who := range principals {
				entry := proto.CloneOf(entry)
				entry.Kind = &personv1.LedgerEvent_Listed{Listed: &personv1.Listed{Promise: promise}}
				changes[who] = append(changes[who], entry)
			}
			if signer != "" && !slices.Contains(principals, signer) {
				entry.Kind = &personv1.LedgerEvent_Listed{Listed: &personv1.Listed{Promise: promise, Agent: true}}
				changes[signer] = append(changes[signer], entry)
			}
		case *applicationv1.Event_PromiseRepaired:
			promise := &personv1.FalsePromise{Application: d.State.ID, Bundle: k.PromiseRepaired.GetBundle(), Material: k.PromiseRepaired.GetMaterial()}
			signer, principals := d.promisors(promise)
			entry.Kind = &personv1.LedgerEvent_Repaired{Repaired: &personv1.Repaired{Promise: promise}}
			if signer != "" && !slices.Contains(principals, signer) {
				principals = append(principals, signer)
			}
			for _, who := range principals {
				changes[who] = append(changes[who], entry)
			}
		}
	}
	var appends []commitlog.Append
	for who, entries := range changes {
		_, version, err := e.ledger(ctx, who)
		if err != nil {
			return nil, err
		}
		a := commitlog.Append{Stream: e.ledgerStream(who), Expected: version}
		for i, entry := range entries {
			public, err := proto.MarshalOptions{Deterministic: true}.Marshal(entry)
			if err != nil {
				return nil, fmt.Errorf("marshal ledger: %w", err)
			}
			a.Events = append(a.Events, commitlog.Event{Version: version + uint64(i) + 1, Type: string(entry.ProtoReflect().Descriptor().FullName()), Public: public})
		}
		appends = append(appends, a)
	}
	slices.SortFunc(appends, func(a, b commitlog.Append) int { return cmp.Compare(a.Stream, b.Stream) })
	return appends, nil
}

// promisors are who signed a promise, and for whom: an applicant who signed is bound alone; who signed for others, as their
// agent or for an enterprise, binds those whom the case is about.
func (d *Dossier) promisors(promise *personv1.FalsePromise) (signer string, principals []string) {
	signed := d.signed(promise.GetBundle(), promise.GetMaterial())
	b := d.Selection.Bundle(promise.GetBundle())
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
	signer, principals := d.promisors(&personv1.FalsePromise{Bundle: bundle, Material: material})
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
