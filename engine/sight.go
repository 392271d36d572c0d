package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/google/uuid"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// Needs is what a step is given of an application: the least that it can do with.
type Needs struct {
	Record    forms.Record // answers and derived values
	Results   map[forms.Path]kind.Value
	Materials []*application.Material
	files     []string
}

// File reports whether a file with the digest is among the step's materials, or the answer to a question that it needs.
func (n *Needs) File(digest string) bool { return slices.Contains(n.files, digest) }

// filesIn are the digests of the files that an answer names.
func filesIn(v kind.Value) []string {
	switch v := v.(type) {
	case kind.File:
		return []string{string(v)}
	case kind.List:
		var files []string
		for _, row := range v {
			for _, cell := range row {
				files = append(files, filesIn(cell)...)
			}
		}
		return files
	default:
		return nil
	}
}

// CaseFile reports whether a file with the digest is a material of a case, or the answer to a question of its bundle.
func (d *Dossier) CaseFile(c *application.Case, digest string) bool {
	for _, m := range c.Materials {
		if d.Files[m.Shared].GetBlob() == digest {
			return true
		}
	}
	b := d.Selection.Bundle(c.Bundle)
	for p, v := range d.Record.All() {
		if b.Field(p) != nil && slices.Contains(filesIn(v), digest) {
			return true
		}
	}
	return false
}

// Needs returns what the step of a task is given.
func (e *Engine) Needs(d *Dossier, task *application.Task) *Needs {
	return e.needs(d, d.Selection.Bundle(task.Bundle), task.Step)
}

func (e *Engine) needs(d *Dossier, b *catalog.Bundle, stepID string) *Needs {
	step := b.Step(stepID)
	n := &Needs{Results: map[forms.Path]kind.Value{}}
	assessed := application.Assess(d.State, d.world(e, Call{}))
	values := forms.Record{}
	for _, f := range assessed.Fields {
		if !slices.Contains(step.Fields, f.Path) {
			continue
		}
		value := f.Value(d.Record)
		if _, answered := d.Record.Get(f.Path); answered || value != nil {
			values = values.With(f.Path, step.Narrow(f.Path, value))
			n.files = append(n.files, filesIn(value)...)
		}
	}
	n.Record = values
	for _, p := range step.Results {
		if v := d.Results[b.ID][p]; v != nil {
			n.Results[p] = v
		}
	}
	if c := d.State.Case(b.ID); c != nil {
		for _, need := range step.Materials {
			for _, m := range c.MaterialsOf(need.Material.ID) {
				n.Materials = append(n.Materials, m)
				if file := d.Files[m.Shared]; file != nil {
					n.files = append(n.files, file.GetBlob())
				}
			}
		}
	}
	return n
}

// sight is the stream of who looked at an application.
func sight(application string) string { return "sights/" + application }

// RecordSight records that somebody saw values of an application, before they see them. It is kept in a stream of its
// own, so that looking changes no version of the application.
func (e *Engine) RecordSight(ctx context.Context, d *Dossier, actor *applicationv1.Actor, what string) error {
	return e.recordSight(ctx, d.State.ID, actor, what, uuid.NewString())
}

// recordSight records a sight under a request id: a repeated request is one sight.
func (e *Engine) recordSight(ctx context.Context, of string, actor *applicationv1.Actor, what, id string) error {
	seen := &applicationv1.Seen{At: timestamppb.New(e.cfg.Now()), Actor: actor, What: what}
	stored, err := commitlog.Public(seen)
	if err != nil {
		return fmt.Errorf("record sight: %w", err)
	}
	for {
		version := uint64(0)
		for event, err := range e.cfg.Log.Read(ctx, sight(of), 0) {
			if err != nil {
				return fmt.Errorf("record sight: %w", err)
			}
			version = event.Version
		}
		_, err := e.cfg.Log.Append(ctx, commitlog.Commit{RequestID: id, Digest: e.cfg.Keys.Digest("command", []byte(what)), At: e.cfg.Now(),
			Appends: []commitlog.Append{{Stream: sight(of), Expected: version, Events: []commitlog.Event{stored}}}})
		if !errors.Is(err, commitlog.ErrConflict) {
			return err
		}
	}
}
