package engine

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/person"
	"github.com/siyiban/onething/engine/seal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	personv1 "github.com/siyiban/onething/proto/gen/onething/person/v1"
)

// lookupType is the type of the events in their envelopes.
const lookupType = "onething.person.v1.LookedUp"

// lookupStream is the stream of the look-ups about whoever has a keyed digest. Its name is a digest of that, as a ledger's.
func (e *Engine) lookupStream(digest string) string {
	return "lookups/" + hex.EncodeToString(e.cfg.Keys.Digest("lookups", []byte(digest)))
}

// Looking says whose look-ups are recorded.
type Looking struct {
	// Application or draft for which the plugin was called, and its number; a draft has none.
	Application, Number string
	// Actor is the plugin.
	Actor *applicationv1.Actor
	// Hook that was called, as `check`.
	Hook string
}

// RecordLookups records look-ups of shared data before their answers are used: with the application, and with the person or
// the enterprise that was looked up by number, in one commit. A call that is repeated looks up again, and both times are
// recorded.
func (e *Engine) RecordLookups(ctx context.Context, l Looking, lookups []person.Lookup) error {
	for part := range slices.Chunk(lookups, maxLookups) {
		if err := e.recordLookups(ctx, l, part); err != nil {
			return fmt.Errorf("record look-ups: %w", err)
		}
	}
	return nil
}

// maxLookups is how many look-ups are one commit: each may be about another person, and a commit has 64 streams.
const maxLookups = 60

func (e *Engine) recordLookups(ctx context.Context, l Looking, lookups []person.Lookup) error {
	about := map[string][]person.Lookup{}
	for _, lookup := range lookups {
		if number := lookup.Subject(); number != "" {
			stream := e.lookupStream(e.PersonDigest(number))
			about[stream] = append(about[stream], lookup)
		}
	}
	at, id := e.cfg.Now(), uuid.NewString()
	for {
		first, err := e.lookedUp(ctx, l, at, sight(l.Application), lookups)
		if err != nil {
			return err
		}
		appends := []commitlog.Append{first}
		for _, stream := range slices.Sorted(maps.Keys(about)) {
			a, err := e.lookedUp(ctx, l, at, stream, about[stream])
			if err != nil {
				return err
			}
			appends = append(appends, a)
		}
		_, err = e.cfg.Log.Append(ctx, commitlog.Commit{RequestID: id, Digest: e.cfg.Keys.Digest("command", []byte(id)), At: at, Appends: appends})
		if !errors.Is(err, commitlog.ErrConflict) {
			return err
		}
	}
}

// lookedUp is what is appended to one stream.
func (e *Engine) lookedUp(ctx context.Context, l Looking, at time.Time, stream string, lookups []person.Lookup) (commitlog.Append, error) {
	a := commitlog.Append{Stream: stream}
	for event, err := range e.cfg.Log.Read(ctx, stream, 0) {
		if err != nil {
			return a, err
		}
		a.Expected = event.Version
	}
	for i, lookup := range lookups {
		event := &personv1.LookedUp{At: timestamppb.New(at), Actor: l.Actor, Application: l.Application, Number: l.Number, Hook: l.Hook,
			Source: lookup.Source, Answered: lookup.Answered, Found: lookup.Found, Refused: lookup.Refused}
		place := seal.Place{Stream: stream, Version: a.Expected + uint64(i) + 1, Type: lookupType}
		stored, err := e.sealed(ctx, seal.ForApplication(l.Application), place, event, &personv1.LookedFor{Key: lookup.Key, Purpose: lookup.Purpose})
		if err != nil {
			return a, err
		}
		a.Events = append(a.Events, stored)
	}
	return a, nil
}

// LookedUp is one look-up as it was recorded.
type LookedUp struct {
	*personv1.LookedUp
	Purpose string // empty: the application was forgotten
}

// LookupsAbout returns the look-ups about whoever has a keyed digest, the latest first.
func (e *Engine) LookupsAbout(ctx context.Context, digest string) ([]LookedUp, error) {
	return e.lookups(ctx, e.lookupStream(digest))
}

// LookupsFor returns the look-ups that were made for an application or a draft, the latest first.
func (e *Engine) LookupsFor(ctx context.Context, application string) ([]LookedUp, error) {
	return e.lookups(ctx, sight(application))
}

func (e *Engine) lookups(ctx context.Context, stream string) ([]LookedUp, error) {
	var all []LookedUp
	for event, err := range e.cfg.Log.Read(ctx, stream, 0) {
		if err != nil {
			return nil, fmt.Errorf("read look-ups: %w", err)
		}
		if event.Type != lookupType { // who saw values stands there as well
			continue
		}
		l := LookedUp{LookedUp: &personv1.LookedUp{}}
		if err := proto.Unmarshal(event.Public, l.LookedUp); err != nil {
			return nil, fmt.Errorf("read look-ups, version %d: %w", event.Version, err)
		}
		content, err := e.cfg.Keys.OpenEvent(ctx, seal.KeyID(event.Key), seal.Place{Stream: stream, Version: event.Version, Type: event.Type}, event.Personal, event.Commitment)
		switch {
		case errors.Is(err, seal.ErrNoKey): // forgotten
		case err != nil:
			return nil, fmt.Errorf("open look-ups, version %d: %w", event.Version, err)
		default:
			sought := &personv1.LookedFor{}
			if err := proto.Unmarshal(content, sought); err != nil {
				return nil, fmt.Errorf("read look-ups, version %d: %w", event.Version, err)
			}
			l.Purpose = sought.GetPurpose()
		}
		all = append(all, l)
	}
	slices.Reverse(all)
	return all, nil
}
