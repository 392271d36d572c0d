// Package registry is what is in force: the library, the bundles and their versions, the calendar, the plugins with
// their grants, and the serial numbers that were given out. Each change is an event of one of its streams, decided
// and folded here; folders and the embedded calendar seed an empty store once, then the streams rule.
package registry

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/refusal"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

// Streams of the registry in the log. Serial numbers have one of their own, because every application reserves some.
const (
	StreamCatalog  = "registry/catalog"
	StreamCalendar = "registry/calendar"
	StreamPlugins  = "registry/plugins"
	StreamNumbers  = "registry/numbers"
)

// Streams returns the streams of the registry.
func Streams() []string { return []string{StreamCatalog, StreamCalendar, StreamPlugins, StreamNumbers} }

// State is what is in force: what all events so far have made of it. It is immutable.
type State struct {
	// Library is the digest of the library in force; Libraries are all that were published, as files by name.
	Library   string
	Libraries map[string]map[string][]byte
	Bundles   map[string][]Version // by bundle, the oldest first
	Proposals []Proposal           // all that were made, by number
	Calendar  File
	Plugins   map[string]Plugin
	// PluginKeys are those that may sign plugins, and those that once might, in the order in which they were first trusted.
	PluginKeys []PluginKey
	// Numbers is the last serial number that was given out or lost.
	Numbers uint64
}

// Version is a published version of a bundle.
type Version struct {
	Number  int
	Digest  string
	Library string // digest of the library that it was published with
	Text    []byte // bundle.yaml
	At      time.Time
	By      string // opaque id of who published it, or proposed it
	Reason  string
	// RolledBackTo is the number of the version that it repeats; 0: none.
	RolledBackTo int
	// Proposal is the number of the proposal that it comes of; 0: none. ApprovedBy is the opaque id of the second person.
	Proposal   int
	ApprovedBy string
	// Moving is what it means for applications under way, and MovingReason why, as applicants are told.
	Moving       registryv1.Moving
	MovingReason string
}

// File is an original file with its digest.
type File struct {
	Name    string
	Content []byte
	Digest  string
}

// World is everything outside the registry that a decision may depend on.
type World struct {
	Now   time.Time
	Actor string // opaque id of who gives the command
	// Offered are the plugins, by id, that a bundle may name beside those of which a version is active.
	Offered map[string]bool
	// Development takes plugins that nobody has signed, and a version again with another content.
	Development bool
	// SecondPerson says which versions need one.
	SecondPerson Policy
	// Compiled is what is compiled already; what is published is remembered there. It may be nil, and changes no decision.
	Compiled *catalog.Compiled
}

// Decide returns the events that a command causes; none if it changes nothing. Findings in what is published come
// back as a [diag.List]. It is pure.
func Decide(s State, command Command, w World) ([]*registryv1.Event, error) {
	event := &registryv1.Event{At: timestamppb.New(w.Now), Actor: w.Actor}
	switch c := command.(type) {
	case PublishLibrary:
		if _, err := w.Compiled.Library(c.Files); err != nil {
			return nil, err
		}
		digest := catalog.DigestFiles(c.Files)
		if digest == s.Library {
			return nil, nil
		}
		published := &registryv1.LibraryPublished{Digest: digest}
		for _, name := range slices.Sorted(maps.Keys(c.Files)) {
			published.Files = append(published.Files, &registryv1.File{Name: name, Content: c.Files[name]})
		}
		event.Kind = &registryv1.Event_LibraryPublished{LibraryPublished: published}
	case PublishBundle:
		published, b, err := publishBundle(s, c, w)
		if published == nil {
			return nil, err
		}
		if err := publishOrPropose(event, s, published, b, w); err != nil {
			return nil, err
		}
	case RollBackBundle:
		published, b, err := rollBack(s, c, w)
		if published == nil {
			return nil, err
		}
		if err := publishOrPropose(event, s, published, b, w); err != nil {
			return nil, err
		}
	case ChooseMoving:
		if chosen, err := chooseMoving(event, s, c, w); !chosen {
			return nil, err
		}
	case ApproveProposal:
		published, err := approve(s, c, w)
		if err != nil {
			return nil, err
		}
		event.Kind = &registryv1.Event_BundlePublished{BundlePublished: published}
	case RejectProposal:
		rejected, err := reject(s, c)
		if err != nil {
			return nil, err
		}
		event.Kind = &registryv1.Event_ProposalRejected{ProposalRejected: rejected}
	case PublishCalendar:
		if _, found := calendar.Parse(c.Name, c.Text); found.Err() != nil {
			return nil, found
		}
		if bytes.Equal(s.Calendar.Content, c.Text) {
			return nil, nil
		}
		event.Kind = &registryv1.Event_CalendarPublished{CalendarPublished: &registryv1.CalendarPublished{
			File: &registryv1.File{Name: c.Name, Content: c.Text}, Digest: digestOf(c.Text)}}
	case PushPlugin, ActivatePlugin, RollBackPlugin, ShadowPlugin, StopPlugin, GrantPlugin, TrustPluginKey, RevokePluginKey:
		events, err := decidePlugin(s, command, w)
		for _, e := range events {
			e.At, e.Actor = event.GetAt(), event.GetActor()
		}
		return events, err
	case ReserveNumbers:
		if c.N == 0 {
			return nil, nil
		}
		event.Kind = &registryv1.Event_NumbersReserved{NumbersReserved: &registryv1.NumbersReserved{Upto: s.Numbers + c.N}}
	}
	return []*registryv1.Event{event}, nil
}

// Check says what each part of a bundle has that is wrong, against the library in force, warnings too. The bundle is nil
// if it cannot be compiled.
func Check(s State, name string, text []byte, w World) (*catalog.Bundle, diag.List, error) {
	library, err := w.Compiled.Library(s.Libraries[s.Library])
	if err != nil {
		return nil, nil, fmt.Errorf("library in force: %w", err)
	}
	b, found := catalog.ParseBundle(library, name, text)
	if b != nil {
		found = append(append(found, catalog.Misplaced(name, b.ID)...), notInstalled(s, b, name, text, w)...)
	}
	return b, found, nil
}

// notInstalled are the plugins of a bundle that nobody has installed.
func notInstalled(s State, b *catalog.Bundle, name string, text []byte, w World) diag.List {
	var found diag.List
	for _, step := range b.Steps {
		if step.Plugin != "" && !w.Offered[step.Plugin] && s.Plugins[step.Plugin].Digest == "" {
			found = append(found, diag.Diagnostic{Span: named(name, text, step.Plugin), Severity: diag.Error,
				Code: "plugin-missing", Message: fmt.Sprintf("the step `%s` is served by the plugin `%s`, which is not installed", step.ID, step.Plugin),
				Hint: "push and activate it with `onething plugin push` and `activate`, or leave `plugin` out for an officer's queue"})
		}
	}
	return found
}

// publishOrPropose puts a version into an event: in force, or for a second person.
func publishOrPropose(event *registryv1.Event, s State, published *registryv1.BundlePublished, b *catalog.Bundle, w World) error {
	proposed, err := propose(s, published, b, w)
	switch {
	case err != nil:
		return err
	case proposed != nil:
		event.Kind = &registryv1.Event_BundleProposed{BundleProposed: proposed}
	default:
		event.Kind = &registryv1.Event_BundlePublished{BundlePublished: published}
	}
	return nil
}

// publishBundle compiles a bundle against the library in force; nil if it says what the last version says.
func publishBundle(s State, c PublishBundle, w World) (*registryv1.BundlePublished, *catalog.Bundle, error) {
	library, err := w.Compiled.Library(s.Libraries[s.Library])
	if err != nil {
		return nil, nil, fmt.Errorf("library in force: %w", err)
	}
	b, err := w.Compiled.Bundle(library, c.Name, c.Text)
	if err != nil {
		return nil, nil, err
	}
	if err := append(catalog.Misplaced(c.Name, b.ID), notInstalled(s, b, c.Name, c.Text, w)...).Err(); err != nil {
		return nil, nil, err
	}
	versions := s.Bundles[b.ID]
	if c.Draft != "" || c.Expected != 0 {
		if err := expected(versions, c.Expected); err != nil {
			return nil, nil, err
		}
	}
	if n := len(versions); n > 0 && versions[n-1].Digest == b.Digest {
		return nil, nil, nil
	}
	return &registryv1.BundlePublished{Bundle: b.ID, Number: int32(len(versions) + 1), Digest: b.Digest, Library: s.Library,
		Files: []*registryv1.File{{Name: "bundle.yaml", Content: c.Text}}, Reason: c.Reason, Draft: c.Draft, DraftRevision: c.DraftRevision, Moving: moving(c.Moving)}, b, nil
}

// expected compares the number of the last version with the one that was shown.
func expected(versions []Version, shown int) error {
	if shown == len(versions) {
		return nil
	}
	r := refusal.New(refusal.Stale, "该事项已发布新版本，请重新读取", "another version was published meanwhile; read it again")
	r.CurrentVersion = int64(len(versions))
	return r
}

// rollBack repeats a version; nil if it is the last one.
func rollBack(s State, c RollBackBundle, w World) (*registryv1.BundlePublished, *catalog.Bundle, error) {
	versions := s.Bundles[c.Bundle]
	if c.Number < 1 || c.Number > len(versions) {
		return nil, nil, refusal.New(refusal.NotFound, "没有这个版本", "there is no such version")
	}
	if c.Expected != 0 {
		if err := expected(versions, c.Expected); err != nil {
			return nil, nil, err
		}
	}
	v := versions[c.Number-1]
	if v.Digest == versions[len(versions)-1].Digest {
		return nil, nil, nil
	}
	b, err := s.compile(c.Bundle, v, w)
	if err != nil {
		return nil, nil, err
	}
	return again(c.Bundle, v, len(versions)+1, c.Reason, c.Moving), b, nil
}

// again is a version once more, under another number.
func again(bundle string, v Version, number int, reason string, means registryv1.Moving) *registryv1.BundlePublished {
	return &registryv1.BundlePublished{Bundle: bundle, Number: int32(number), Digest: v.Digest, Library: v.Library,
		Files: []*registryv1.File{{Name: "bundle.yaml", Content: v.Text}}, Reason: reason, RolledBackTo: int32(v.Number), Moving: moving(means)}
}

// named is where a bundle names a plugin.
func named(name string, text []byte, plugin string) diag.Span {
	before, _, _ := bytes.Cut(text, []byte("plugin: "+plugin))
	if len(before) == len(text) { // written in another way
		before = nil
	}
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	return diag.Span{File: name, Start: diag.Position{Line: bytes.Count(before, []byte("\n")) + 1, Column: utf8.RuneCount(line) + 1}}
}

// Evolve returns what is in force after an event. It is total.
func Evolve(s State, e *registryv1.Event) State {
	switch k := e.GetKind().(type) {
	case *registryv1.Event_LibraryPublished:
		files := map[string][]byte{}
		for _, f := range k.LibraryPublished.GetFiles() {
			files[f.GetName()] = f.GetContent()
		}
		s.Libraries = maps.Clone(s.Libraries)
		if s.Libraries == nil {
			s.Libraries = map[string]map[string][]byte{}
		}
		s.Library = k.LibraryPublished.GetDigest()
		s.Libraries[s.Library] = files
	case *registryv1.Event_BundlePublished:
		p := k.BundlePublished
		v := Version{Number: int(p.GetNumber()), Digest: p.GetDigest(), Library: p.GetLibrary(), At: e.GetAt().AsTime(), By: e.GetActor(), Reason: p.GetReason(), RolledBackTo: int(p.GetRolledBackTo())}
		if v.Moving = moving(p.GetMoving()); v.Moving != registryv1.Moving_MOVING_PIN {
			v.MovingReason = v.Reason
		}
		if v.Proposal = int(p.GetProposal()); v.Proposal > 0 {
			v.By, v.ApprovedBy = p.GetAuthor(), e.GetActor()
			s = s.closed(e, v.Proposal, v.Number, "")
		}
		if len(p.GetFiles()) > 0 {
			v.Text = p.GetFiles()[0].GetContent()
		}
		s = s.withVersions(p.GetBundle(), append(slices.Clone(s.Bundles[p.GetBundle()]), v))
	case *registryv1.Event_MovingChosen:
		s = s.movingChosen(k.MovingChosen)
	case *registryv1.Event_BundleProposed:
		s = s.proposed(e, k.BundleProposed)
	case *registryv1.Event_ProposalRejected:
		s = s.closed(e, int(k.ProposalRejected.GetProposal()), 0, k.ProposalRejected.GetReason())
	case *registryv1.Event_CalendarPublished:
		p := k.CalendarPublished
		s.Calendar = File{Name: p.GetFile().GetName(), Content: p.GetFile().GetContent(), Digest: p.GetDigest()}
	case *registryv1.Event_NumbersReserved:
		s.Numbers = max(s.Numbers, k.NumbersReserved.GetUpto())
	default:
		return s.evolvePlugin(e)
	}
	return s
}

func (s State) withVersions(bundle string, versions []Version) State {
	s.Bundles = maps.Clone(s.Bundles)
	if s.Bundles == nil {
		s.Bundles = map[string][]Version{}
	}
	s.Bundles[bundle] = versions
	return s
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
