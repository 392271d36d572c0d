package engine

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/keyvalue"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/engine/seal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// maxTries bounds how often a command is decided anew because something else was committed in between.
const maxTries = 8

// Call is a command for an application.
type Call struct {
	Application string
	Request     Request
	Actor       *applicationv1.Actor
	Person      string // keyed digest of the person who acts; sealed with the events
	// Allowed refuses a caller who may not do this to this application; nil lets everybody.
	Allowed func(*Dossier) error
	// Command makes the command of what is there.
	Command func(context.Context, *Dossier) (application.Command, error)
	// Keep keeps the files that the command brings, and returns the command with them; nil: it brings none. It is called
	// only if the command would be taken, so that a refused one leaves nothing behind.
	Keep func(context.Context, *Dossier, application.Command) (application.Command, error)
	// Writes are what a plugin's call, whose answer the command is, wrote into its department's store: they are one commit with
	// the command's events, or nothing. Do fails with [keyvalue.ErrChanged] if what the call had read is not so any more.
	Writes *keyvalue.Changes

	made map[string]*applicationv1.MaterialFile // documents that an earlier try has kept
}

// Answer is what a command came to.
type Answer struct {
	Position uint64
	// Version is that of the application after the command's commit.
	Version int64
	// Dossier is the application as it is after the command; of a repeated request, as it is now.
	Dossier *Dossier
}

// Do gives a command: was its request id committed? Then that answer. Else it is decided on the state as it is and
// committed; if something came in between, it is decided again. What has lapsed is committed also where the command is
// refused.
func (e *Engine) Do(ctx context.Context, c Call) (*Answer, error) {
	digest, err := e.requestDigest(c.Request)
	if err != nil {
		return nil, err
	}
	stream := Stream(c.Application)
	c.made = map[string]*applicationv1.MaterialFile{}
	for try := 0; ; try++ {
		if answer, err := e.answered(ctx, c, digest); answer != nil || err != nil {
			return answer, err
		}
		d, err := e.Load(ctx, c.Application)
		if err != nil {
			return nil, err
		}
		if c.Allowed != nil {
			if err := c.Allowed(d); err != nil {
				return nil, err
			}
		}
		command, err := c.Command(ctx, d)
		if err != nil {
			return nil, err
		}
		answer, err := e.decide(ctx, c, digest, stream, d, command, d.world(e, c))
		if !errors.Is(err, commitlog.ErrConflict) || try == maxTries {
			return answer, err
		}
	}
}

// requestDigest is the keyed digest of a request; one without content (a follower's) stands for its id alone.
func (e *Engine) requestDigest(r Request) ([]byte, error) {
	if r.Content == nil {
		return e.cfg.Keys.Digest("command", []byte(r.ID)), nil
	}
	return e.digest(r)
}

// answered returns the answer of a request that was committed before; nil if it was not.
func (e *Engine) answered(ctx context.Context, c Call, digest []byte) (*Answer, error) {
	receipt, committed, found, err := e.cfg.Log.Lookup(ctx, Stream(c.Application), c.Request.ID)
	switch {
	case err != nil:
		return nil, fmt.Errorf("look up request: %w", err)
	case !found:
		return nil, nil
	case !bytes.Equal(committed, digest):
		return nil, commitlog.ErrRequestReused
	}
	d, err := e.Load(ctx, c.Application)
	if err != nil {
		return nil, err
	}
	if c.Allowed != nil {
		if err := c.Allowed(d); err != nil {
			return nil, err
		}
	}
	return &Answer{Position: receipt.Position, Version: version(receipt, c.Application), Dossier: d}, nil
}

func version(r commitlog.Receipt, id string) int64 {
	return int64(r.Versions[Stream(id)])
}

// decide decides a command and commits its events. No calendar is published between the two: whatever is committed
// behind a calendar was decided with it, so that its follower has to look only at what was open before.
func (e *Engine) decide(ctx context.Context, c Call, digest []byte, stream string, d *Dossier, command application.Command, w application.World) (*Answer, error) {
	e.deciding.RLock()
	defer e.deciding.RUnlock()
	w.Calendar = e.InForce().Calendar
	events, err := application.Decide(d.State, command, w)
	if err == nil && c.Keep != nil {
		if command, err = c.Keep(ctx, d, command); err != nil {
			return nil, err
		}
		events, err = application.Decide(d.State, command, w)
	}
	if err != nil {
		if _, refused := errors.AsType[*refusal.Refusal](err); refused {
			err = errors.Join(err, e.lapse(ctx, stream, d, w))
		}
		return nil, err
	}
	if len(events) == 0 {
		return &Answer{Version: d.State.Version, Dossier: d}, nil
	}
	return e.commit(ctx, c, digest, stream, d, events)
}

// lapse commits what has lapsed by now on its own, because the command behind it was refused.
func (e *Engine) lapse(ctx context.Context, stream string, d *Dossier, w application.World) error {
	w.Actor, w.Person = engineActor(), ""
	events, err := application.Decide(d.State, application.Lapse{}, w)
	if err != nil || len(events) == 0 {
		return err
	}
	id := fmt.Sprintf("lapse/%d", d.State.Version)
	c := Call{Application: d.State.ID, Request: Request{ID: id}, Actor: w.Actor}
	_, err = e.commit(ctx, c, e.cfg.Keys.Digest("command", []byte(id)), stream, d, events)
	if errors.Is(err, commitlog.ErrConflict) || errors.Is(err, commitlog.ErrRequestReused) {
		return nil // somebody else has settled it
	}
	return err
}

func engineActor() *applicationv1.Actor {
	return &applicationv1.Actor{Role: applicationv1.Role_ROLE_ENGINE, Id: "engine"}
}

// commit gives results their documents, seals the personal parts and appends the events.
func (e *Engine) commit(ctx context.Context, c Call, digest []byte, stream string, d *Dossier, events []*applicationv1.Event) (*Answer, error) {
	if c.made == nil {
		c.made = map[string]*applicationv1.MaterialFile{}
	}
	if err := e.documents(ctx, d, events, c.made); err != nil {
		return nil, err
	}
	appended := commitlog.Append{Stream: stream, Expected: uint64(d.State.Version)}
	for i, event := range events {
		sealed, err := e.seal(ctx, c, stream, appended.Expected+uint64(i)+1, event)
		if err != nil {
			return nil, err
		}
		appended.Events = append(appended.Events, sealed)
	}
	besides, err := e.besides(ctx, d, events)
	if err != nil {
		return nil, err
	}
	written, done, err := e.write(ctx, c)
	if err != nil {
		return nil, err
	}
	// Without the caller's deadline: while a commit may still come, nobody may be told that it failed, and a draft's key
	// may not go.
	receipt, err := e.cfg.Log.Append(context.WithoutCancel(ctx), commitlog.Commit{RequestID: c.Request.ID, Digest: digest, At: e.cfg.Now(), Appends: slices.Concat([]commitlog.Append{appended}, besides, written)})
	done()
	if err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	after, err := e.Load(ctx, c.Application)
	if err != nil {
		return nil, err
	}
	return &Answer{Position: receipt.Position, Version: version(receipt, c.Application), Dossier: after}, nil
}

// seal splits an event into its public part and its sealed personal part.
func (e *Engine) seal(ctx context.Context, c Call, stream string, at uint64, event *applicationv1.Event) (commitlog.Event, error) {
	public := proto.CloneOf(event)
	personal := public.GetPersonal()
	public.Personal = nil
	stored, err := commitlog.Public(public)
	if personal != nil && proto.Size(personal) > 0 {
		stored, err = e.sealed(ctx, seal.ForApplication(c.Application), seal.Place{Stream: stream, Version: at, Type: eventType}, public, personal)
	}
	if err != nil {
		return stored, err
	}
	stored.Version = at
	if stored.Metadata, err = (proto.MarshalOptions{Deterministic: true}).Marshal(public.GetActor()); err != nil {
		return stored, fmt.Errorf("marshal actor: %w", err)
	}
	return stored, nil
}

// PersonDigest is the keyed digest by which a person or an enterprise is found, of the citizen number or social credit
// code in canonical form.
func (e *Engine) PersonDigest(number string) string {
	return hex.EncodeToString(e.cfg.Keys.Digest("person", []byte(number)))
}

// UploadedAll returns the descriptions of files that were uploaded for materials of an application, by material.
func (e *Engine) UploadedAll(ctx context.Context, application string, digests map[string]string) ([]*applicationv1.MaterialFile, error) {
	var files []*applicationv1.MaterialFile
	for _, material := range slices.Sorted(maps.Keys(digests)) {
		file, err := e.Uploaded(ctx, application, material, digests[material])
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// Uploaded returns the description of a file that was uploaded for a material of an application, after reading it
// whole: it is there, it is this application's, and it is for this material.
func (e *Engine) Uploaded(ctx context.Context, application, material, digest string) (*applicationv1.MaterialFile, error) {
	file, content, err := e.OpenFile(ctx, application, digest)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	if file.Size, err = io.Copy(io.Discard, content); err != nil {
		return nil, fmt.Errorf("read file: %w", err)
	}
	if file.GetMaterial() != material {
		return nil, ErrNotFound
	}
	return file, nil
}
