package registry

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/refusal"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

// Policy says of which bundles a version needs a second person before it is in force. The zero Policy asks for none.
type Policy struct {
	All    bool
	Levels []string // PROVINCIAL, MUNICIPAL, COUNTY
	Places []string // regions: of bundles that hold there, or in a part of it
}

// ParsePolicy reads a policy: `all`, a level (`provincial`, `municipal`, `county`), or a region of 2, 4, 6, 9 or 12 digits,
// any number of them. The error names every word that is none of these.
func ParsePolicy(words []string) (Policy, error) {
	var p Policy
	var faults []error
	for _, word := range words {
		switch word = strings.TrimSpace(word); {
		case word == "all":
			p.All = true
		case slices.Contains([]string{"provincial", "municipal", "county"}, word):
			p.Levels = append(p.Levels, strings.ToUpper(word))
		case word != "" && strings.Trim(word, "0123456789") == "" && slices.Contains([]int{2, 4, 6, 9, 12}, len(word)):
			p.Places = append(p.Places, word)
		default:
			faults = append(faults, fmt.Errorf("%q is neither all, provincial, municipal, county, nor a region of 2, 4, 6, 9 or 12 digits", word))
		}
	}
	return p, errors.Join(faults...)
}

// Asks reports whether a version of a bundle needs a second person.
func (p Policy) Asks(b *catalog.Bundle) bool {
	return p.All || slices.Contains(p.Levels, b.Level) || slices.ContainsFunc(p.Places, func(region string) bool {
		return strings.HasPrefix(b.Place, region) || strings.HasPrefix(region, b.Place)
	})
}

// Proposal is a version that needs a second person.
type Proposal struct {
	Number       int // from 1, over all bundles
	Bundle       string
	Base         int // number of the last version when it was proposed
	Digest       string
	Library      string
	Text         []byte // bundle.yaml
	At           time.Time
	By           string // opaque id of who proposed it
	Reason       string
	RolledBackTo int
	// Draft is the draft from which it was proposed, at a revision; empty: none.
	Draft         string
	DraftRevision int64
	Moving        registryv1.Moving // what it will mean for applications under way

	Closed    time.Time // zero: it is open
	ClosedBy  string
	Rejection string // why it was rejected
	Version   int    // that came of it; 0: none
}

// Outdated reports whether an open proposal can no longer be approved, because another version of its bundle, or another
// library, came into force: what it would change is not what its author saw.
func (s State) Outdated(p Proposal) bool {
	return p.Closed.IsZero() && (p.Base != len(s.Bundles[p.Bundle]) || p.RolledBackTo == 0 && p.Library != s.Library)
}

// propose turns a version that would be published into a proposal, if the policy asks for a second person. The level and
// place that count are the new ones and those of the version before, so that a version cannot free itself.
func propose(s State, p *registryv1.BundlePublished, b *catalog.Bundle, w World) (*registryv1.BundleProposed, error) {
	asked := w.SecondPerson.Asks(b)
	if versions := s.Bundles[b.ID]; !asked && len(versions) > 0 {
		before, err := s.compile(b.ID, versions[len(versions)-1], w)
		if err != nil {
			return nil, err
		}
		asked = w.SecondPerson.Asks(before)
	}
	if !asked {
		return nil, nil
	}
	for _, open := range s.Proposals {
		if open.Bundle == b.ID && open.Closed.IsZero() && !s.Outdated(open) {
			return nil, refusal.New(refusal.WrongState, fmt.Sprintf("该事项已有待复核的版本（第 %d 号）", open.Number),
				fmt.Sprintf("proposal %d of this bundle waits for a second person", open.Number)).
				Else("请先复核或撤回", "approve or reject it first")
		}
	}
	return &registryv1.BundleProposed{Proposal: int32(len(s.Proposals) + 1), Bundle: p.GetBundle(), Base: p.GetNumber() - 1, Digest: p.GetDigest(), Library: p.GetLibrary(),
		Files: p.GetFiles(), Reason: p.GetReason(), RolledBackTo: p.GetRolledBackTo(), Draft: p.GetDraft(), DraftRevision: p.GetDraftRevision(), Moving: p.GetMoving()}, nil
}

// compile compiles a published version.
func (s State) compile(id string, v Version, w World) (*catalog.Bundle, error) {
	library, err := w.Compiled.Library(s.Libraries[v.Library])
	if err != nil {
		return nil, fmt.Errorf("published library %s: %w", v.Library, err)
	}
	b, err := w.Compiled.Bundle(library, catalog.BundleFile(id), v.Text)
	if err != nil {
		return nil, fmt.Errorf("published bundle %s, version %d: %w", id, v.Number, err)
	}
	return b, nil
}

// open returns a proposal that waits.
func (s State) open(number int) (Proposal, error) {
	if number < 1 || number > len(s.Proposals) {
		return Proposal{}, refusal.New(refusal.NotFound, "没有这份待复核的版本", "there is no such proposal")
	}
	p := s.Proposals[number-1]
	if !p.Closed.IsZero() {
		return p, refusal.New(refusal.WrongState, "该版本已经复核", "the proposal was approved or rejected already")
	}
	return p, nil
}

// Proposed compiles a proposal.
func Proposed(s State, p Proposal, w World) (*catalog.Bundle, error) {
	return s.compile(p.Bundle, Version{Number: p.Base + 1, Library: p.Library, Text: p.Text}, w)
}

// approve publishes a proposal as the second person.
func approve(s State, c ApproveProposal, w World) (*registryv1.BundlePublished, error) {
	p, err := s.open(c.Proposal)
	if err != nil {
		return nil, err
	}
	if p.By == w.Actor {
		return nil, refusal.New(refusal.SecondPerson, "提出人不能复核自己提出的版本", "whoever has proposed a version cannot approve it").
			Else("请由另一名配置人员复核", "let another configurator look at it")
	}
	if s.Outdated(p) {
		return nil, refusal.New(refusal.WrongState, "提出之后已有新版本或新的公共库生效", "another version or library came into force after it was proposed").
			Else("请退回，由提出人重新提出", "reject it, and let its author propose it again")
	}
	// Plugins may have gone since; the rest compiled then and compiles now.
	b, err := Proposed(s, p, w)
	if err != nil {
		return nil, err
	}
	if err := notInstalled(s, b, catalog.BundleFile(p.Bundle), p.Text, w).Err(); err != nil {
		return nil, err
	}
	return &registryv1.BundlePublished{Bundle: p.Bundle, Number: int32(p.Base + 1), Digest: p.Digest, Library: p.Library,
		Files: []*registryv1.File{{Name: "bundle.yaml", Content: p.Text}}, Reason: p.Reason, RolledBackTo: int32(p.RolledBackTo), Proposal: int32(p.Number), Author: p.By,
		Draft: p.Draft, DraftRevision: p.DraftRevision, Moving: p.Moving}, nil
}

// reject ends a proposal; its author takes it back with this.
func reject(s State, c RejectProposal) (*registryv1.ProposalRejected, error) {
	p, err := s.open(c.Proposal)
	if err != nil {
		return nil, err
	}
	return &registryv1.ProposalRejected{Proposal: int32(p.Number), Reason: c.Reason}, nil
}

// proposed is a state with one more proposal.
func (s State) proposed(e *registryv1.Event, p *registryv1.BundleProposed) State {
	added := Proposal{Number: int(p.GetProposal()), Bundle: p.GetBundle(), Base: int(p.GetBase()), Digest: p.GetDigest(), Library: p.GetLibrary(),
		At: e.GetAt().AsTime(), By: e.GetActor(), Reason: p.GetReason(), RolledBackTo: int(p.GetRolledBackTo()),
		Draft: p.GetDraft(), DraftRevision: p.GetDraftRevision(), Moving: moving(p.GetMoving())}
	if len(p.GetFiles()) > 0 {
		added.Text = p.GetFiles()[0].GetContent()
	}
	s.Proposals = append(slices.Clone(s.Proposals), added)
	return s
}

// closed is a state with one proposal fewer that waits.
func (s State) closed(e *registryv1.Event, number, version int, rejection string) State {
	if number < 1 || number > len(s.Proposals) {
		return s
	}
	s.Proposals = slices.Clone(s.Proposals)
	p := &s.Proposals[number-1]
	p.Closed, p.ClosedBy, p.Rejection, p.Version = e.GetAt().AsTime(), e.GetActor(), rejection, version
	return s
}
