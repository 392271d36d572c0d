package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tink-crypto/tink-go/v2/tink"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/siyiban/onething/engine/blob"
	"github.com/siyiban/onething/engine/bundledraft"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/badgerlog"
	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/fold"
	"github.com/siyiban/onething/engine/follow"
	"github.com/siyiban/onething/engine/follow/notices"
	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/engine/view"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	keyvaluev1 "github.com/siyiban/onething/proto/gen/onething/keyvalue/v1"
	personv1 "github.com/siyiban/onething/proto/gen/onething/person/v1"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

// Fault is something that is wrong in a data folder.
type Fault struct {
	// File is the file or folder, within the data folder.
	File string
	commitlog.Fault
	// Remedy is what to do.
	Remedy string
}

// String says where and what; the remedy is apart.
func (f Fault) String() string { return f.File + ": " + f.Fault.String() }

// Counts are how much was looked at.
type Counts struct{ Commits, Events, Blobs, Drafts, BundleDrafts, Notices, Entries int }

// Verification says what is verified, and where there is room to work.
type Verification struct {
	Folder Folder
	// KeyEncryption unwraps the keys.
	KeyEncryption tink.AEAD
	// Followers are the names of the followers that the server has.
	Followers []string
	// Temporary is a folder in which the views are made once more; empty: that of the system. What is made is removed.
	Temporary string
	// Now is the clock.
	Now    func() time.Time
	Logger *slog.Logger
}

// Verify walks a data folder that no server has open and that was closed, and tells report everything that is wrong: what
// the log, the files and the drafts hold against their checksums and digests, versions and positions without gap, events
// that are what they say, a key for all that is sealed and a file for all that names one, and the views entry by entry
// against views that are made of the log once more. It opens everything to be read only and changes nothing. The error says
// why it could not look: that of ctx, or one that [badgerlog.NotClosed] knows.
func Verify(ctx context.Context, v Verification, report func(Fault)) (Counts, error) {
	w := walk{Verification: v, report: report, seen: map[seal.KeyID]bool{}}
	if err := v.Folder.Readable(); err != nil {
		return w.Counts, err
	}
	defer w.close()
	if err := w.open(); err != nil || w.log == nil {
		return w.Counts, err
	}
	err := w.log.Verify(ctx, func(c commitlog.Commit) error { return w.commit(ctx, c) }, func(f commitlog.Fault) {
		w.fault("log", f, "restore the last backup (`onething restore`); commits before and behind it can still be read here")
	})
	for _, part := range []func(context.Context) error{w.files, w.drafts, w.bundleDrafts, w.notices, w.follow, w.views} {
		if err == nil {
			err = part(ctx)
		}
	}
	return w.Counts, err
}

// walk is one walk through a folder.
type walk struct {
	Verification
	Counts
	report func(Fault)

	log     *badgerlog.Log
	keys    *seal.Store
	blobs   *blob.Dir
	seen    map[seal.KeyID]bool // keys that are missing, each told once
	closers []func() error
}

func (w *walk) close() {
	for _, closer := range slices.Backward(w.closers) {
		_ = closer() // nothing was written
	}
}

func (w *walk) fault(file string, f commitlog.Fault, remedy string) {
	w.report(Fault{File: file, Fault: f, Remedy: remedy})
}

// cannot tells that a part cannot be opened, unless that is for the caller to see to.
func (w *walk) cannot(file string, err error, remedy string) error {
	if badgerlog.NotClosed(err) || strings.Contains(err.Error(), "Another process") {
		return err
	}
	w.fault(file, commitlog.Fault{Err: err}, remedy)
	return nil
}

// open opens what the log is held against. A log or keys that cannot be opened are told, and end the walk.
func (w *walk) open() error {
	l, err := badgerlog.Open(badgerlog.Config{Dir: w.Folder.Log(), ReadOnly: true, Logger: w.Logger})
	if err != nil {
		return w.cannot("log", err, "put the missing or spoilt file back, or restore the last backup (`onething restore`)")
	}
	w.closers = append(w.closers, l.Close)
	if w.keys, err = seal.Open(seal.Config{Dir: w.Folder.Keys(), KeyEncryption: w.KeyEncryption, ReadOnly: true}); err != nil {
		return w.cannot("keys", err, "hand in the key-encryption key of this store, and put the folder back from a backup")
	}
	w.closers = append(w.closers, w.keys.Close)
	if w.blobs, err = blob.OpenReadOnly(w.Folder.Blobs()); err != nil {
		return w.cannot("blobs", err, "put the folder back from a backup")
	}
	w.closers = append(w.closers, w.blobs.Close)
	w.log = l
	return nil
}

// commit looks at the events of a commit.
func (w *walk) commit(ctx context.Context, c commitlog.Commit) error {
	w.Commits++
	for _, a := range c.Appends {
		for i := range a.Events {
			w.Events++
			e := &a.Events[i]
			at := commitlog.Fault{Position: c.Position, Stream: a.Stream, Version: e.Version}
			if err := w.event(ctx, at, a.Stream, e); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

const undecodable = "if a newer program has written it, use that; else restore the last backup (`onething restore`)"

func (w *walk) event(ctx context.Context, at commitlog.Fault, stream string, e *commitlog.Event) error {
	tell := func(err error, file, remedy string) {
		at.Err = err
		w.fault(file, at, remedy)
	}
	kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(e.Type))
	if err != nil {
		tell(fmt.Errorf("event of the type %s, which this program does not know", e.Type), "log", undecodable)
		return nil //nolint:nilerr // it is told
	}
	public := kind.New().Interface()
	if proto.Unmarshal(e.Public, public) != nil {
		tell(fmt.Errorf("the public part is no %s", e.Type), "log", undecodable)
	}
	w.named(ctx, public, at)
	if proto.Unmarshal(e.Metadata, &applicationv1.Actor{}) != nil && strings.HasPrefix(stream, fold.Stream("")) {
		tell(errors.New("the metadata names no actor"), "log", undecodable)
	}
	if e.Key == "" {
		return nil
	}
	id := seal.KeyID(e.Key)
	content, err := w.keys.OpenEvent(ctx, id, seal.Place{Stream: stream, Version: e.Version, Type: e.Type}, e.Personal, e.Commitment)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, seal.ErrNoKey):
		if !w.seen[id] {
			w.seen[id] = true
			tell(fmt.Errorf("the key %s of its personal part is missing", id), "keys/"+seal.FileOf(id), "put the file back from a backup; without it what it has sealed stays unreadable")
		}
	case err != nil:
		tell(err, "log", "if its key file is spoilt (keys/"+seal.FileOf(id)+"), put that back from a backup; else restore the last backup (`onething restore`)")
	default:
		personal := personalOf(e.Type)
		if proto.Unmarshal(content, personal) != nil {
			tell(errors.New("the personal part is none"), "log", undecodable)
			return nil //nolint:nilerr // it is told
		}
		w.named(ctx, personal, at)
	}
	return nil
}

// personalOf is an empty personal part of an event of a type.
func personalOf(event string) proto.Message {
	switch event {
	case string((&keyvaluev1.Event{}).ProtoReflect().Descriptor().FullName()):
		return &keyvaluev1.Written{}
	case string((&personv1.LookedUp{}).ProtoReflect().Descriptor().FullName()):
		return &personv1.LookedFor{}
	default:
		return &applicationv1.Personal{}
	}
}

// named looks for the files that a message names.
func (w *walk) named(ctx context.Context, m proto.Message, at commitlog.Fault) {
	if file, ok := m.(*applicationv1.MaterialFile); ok && file.GetBlob() != "" {
		if _, err := w.blobs.Stat(ctx, blob.Digest(file.GetBlob())); err != nil {
			at.Err = err
			w.fault(blobFile(file.GetBlob()), at, "put the file back from a backup; it is named for its SHA-256")
		}
		return
	}
	if pushed, ok := m.(*registryv1.PluginPushed); ok {
		if _, err := w.blobs.Stat(ctx, blob.Digest(pushed.GetDigest())); err != nil {
			at.Err = err
			w.fault(blobFile(pushed.GetDigest()), at, "push the plugin's file again, or put it back from a backup; it is named for its SHA-256")
		}
		return
	}
	m.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		message := func(kind protoreflect.FieldDescriptor) bool { return kind.Message() != nil }
		switch {
		case field.IsList() && message(field):
			for i := range value.List().Len() {
				w.named(ctx, value.List().Get(i).Message().Interface(), at)
			}
		case field.IsMap() && message(field.MapValue()):
			value.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
				w.named(ctx, v.Message().Interface(), at)
				return true
			})
		case !field.IsList() && !field.IsMap() && message(field):
			w.named(ctx, value.Message().Interface(), at)
		}
		return true
	})
}

func blobFile(digest string) string {
	if len(digest) < 2 {
		return "blobs"
	}
	return "blobs/" + digest[:2] + "/" + digest
}

// files holds every file against its digest.
func (w *walk) files(ctx context.Context) error {
	for digest, err := range w.blobs.All() {
		if err != nil {
			w.fault("blobs", commitlog.Fault{Err: err}, "put the folder back from a backup")
			return nil
		}
		w.Blobs++
		if err := w.file(ctx, digest); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			w.fault(blobFile(string(digest)), commitlog.Fault{Err: err}, "put the file back from a backup; it is named for its SHA-256")
		}
	}
	return nil
}

func (w *walk) file(ctx context.Context, digest blob.Digest) error {
	r, err := w.blobs.Get(ctx, digest)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	return errors.Join(err, r.Close())
}

func (w *walk) drafts(ctx context.Context) error {
	const remedy = "what is told of a draft is lost with it; `onething restore` brings back those of the last backup"
	s, err := draft.Open(ctx, draft.Config{Dir: w.Folder.Drafts(), ReadOnly: true, Keys: w.keys, Submitted: Submitted(w.log), Now: w.Now, Logger: w.Logger})
	if err != nil {
		return w.cannot("drafts", err, remedy)
	}
	w.closers = append(w.closers, s.Close)
	w.Drafts, err = s.Verify(ctx, func(id string, err error) {
		w.fault("drafts", commitlog.Fault{Err: fmt.Errorf("draft %s: %w", id, err)}, remedy)
	})
	return w.unless(ctx, err, "drafts", remedy)
}

func (w *walk) bundleDrafts(ctx context.Context) error {
	const remedy = "remove the folder: what was not published is lost, and `onething restore` brings back that of the last backup"
	s, err := bundledraft.Open(bundledraft.Config{Dir: w.Folder.BundleDrafts(), ReadOnly: true, Now: w.Now, Logger: w.Logger})
	if err != nil {
		return w.cannot("bundle-drafts", err, remedy)
	}
	w.closers = append(w.closers, s.Close)
	w.BundleDrafts, err = s.Verify()
	return w.unless(ctx, err, "bundle-drafts", remedy)
}

func (w *walk) notices(context.Context) error {
	const remedy = "remove the folder: what happens from then on is told, and `onething restore` brings back the list of the last backup"
	if absent(w.Folder.Notices()) { // nobody is told
		return nil
	}
	var err error
	if w.Notices, err = notices.Verify(w.Folder.Notices(), w.Logger); err != nil {
		return w.cannot("notices", err, remedy)
	}
	return nil
}

// unless tells an error, unless ctx has ended.
func (w *walk) unless(ctx context.Context, err error, file, remedy string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		w.fault(file, commitlog.Fault{Err: err}, remedy)
	}
	return nil
}

func (w *walk) follow(ctx context.Context) error {
	for _, name := range w.Followers {
		file := "follow/" + name
		const remedy = "remove the folder: the follower makes its list again at the next start"
		if absent(w.Folder.Follower(name)) {
			continue
		}
		list, err := follow.Verify(w.Folder.Follower(name), w.Logger)
		if err != nil {
			if err := w.cannot(file, err, remedy); err != nil {
				return err
			}
			continue
		}
		w.witness(ctx, file, list.Cursor)
	}
	return nil
}

const lost = "commits that were acknowledged are gone: restore the last backup (`onething restore`)"

// witness holds what somebody has seen of the log against what there is, and reports whether it is there.
func (w *walk) witness(ctx context.Context, file string, at commitlog.Cursor) bool {
	if err := Seen(ctx, w.log, file, at); err != nil {
		w.fault("log", commitlog.Fault{Position: at.Position, Err: err}, lost)
		return false
	}
	return true
}

// views makes the views once more and compares them.
func (w *walk) views(ctx context.Context) error {
	const remedy = "remove the folder: the views are made again at the next start"
	if absent(w.Folder.Views()) {
		return nil
	}
	c := view.Config{Dir: w.Folder.Views(), Log: w.log, Keys: w.keys, ReadOnly: true, Logger: w.Logger}
	live, err := view.Open(c)
	if err != nil {
		return w.cannot("views", err, remedy)
	}
	w.closers = append(w.closers, live.Close)
	at, err := live.Cursor()
	if err != nil {
		return w.unless(ctx, err, "views", remedy)
	}
	if !w.witness(ctx, "views", at) {
		return nil
	}
	temporary, err := os.MkdirTemp(w.Temporary, "onething-views-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temporary) }()
	fresh, err := live.Rebuild(ctx, filepath.Join(temporary, "views"))
	if err != nil {
		return w.unless(ctx, err, "views", "mend the log first")
	}
	defer func() { _ = fresh.Close() }()
	tell := func(d view.Difference) {
		w.fault("views", commitlog.Fault{Stream: fold.Stream(d.Application), Err: fmt.Errorf("list %s: %s", d.List, d.Text)}, remedy)
	}
	w.Entries, err = live.Differences(fresh, tell)
	return w.unless(ctx, err, "views", remedy)
}

// absent reports whether there is no folder: what can be made again is made at the next start.
func absent(folder string) bool {
	_, err := os.Stat(folder)
	return errors.Is(err, fs.ErrNotExist)
}

// Seen returns an error that wraps [commitlog.ErrCorrupt] if somebody has seen a commit that the log does not have, or
// another one in its place: then the log has lost what it acknowledged. who says who.
func Seen(ctx context.Context, log *badgerlog.Log, who string, at commitlog.Cursor) error {
	if at.Position == 0 {
		return nil
	}
	if _, head := log.Head(); at.Position > head {
		return fmt.Errorf("%w: the log ends at position %d, and %s has seen position %d of epoch %d", commitlog.ErrCorrupt, head, who, at.Position, at.Epoch)
	}
	for c, err := range log.Follow(ctx, at.Position-1) {
		if err != nil {
			return err
		}
		if c.Epoch != at.Epoch {
			return fmt.Errorf("%w: position %d is of epoch %d, and %s has seen it in epoch %d", commitlog.ErrCorrupt, at.Position, c.Epoch, who, at.Epoch)
		}
		break
	}
	return nil
}

// Submitted reports whether a draft was filed: then the log has its stream.
func Submitted(log commitlog.Log) func(context.Context, string) (bool, error) {
	return func(ctx context.Context, id string) (bool, error) {
		for _, err := range log.Read(ctx, fold.Stream(id), 0) {
			return err == nil, err
		}
		return false, nil
	}
}
