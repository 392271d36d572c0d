package store

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tink-crypto/tink-go/v2/tink"
	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine/blob"
	"github.com/siyiban/onething/engine/bundledraft"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/badgerlog"
	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/durable"
	"github.com/siyiban/onething/engine/follow/notices"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/engine/view"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

// Restoring says what is restored, and where.
type Restoring struct {
	// From is a folder that [Backup] has written, To one that does not exist yet or is empty.
	From string
	To   Folder
	// KeyEncryption unwraps the keys.
	KeyEncryption tink.AEAD
	// Despite makes the folder whatever is told of it, as long as there is a log: when there is no better backup.
	Despite bool
	Now     func() time.Time
	Logger  *slog.Logger
}

// Restore makes a data folder of a backup, and holds it against the backup: every file against its digest, every commit
// against what stands before it, and the views that are made of the log, list by list, against what the views showed when
// the backup was made. What does not hold is told to report, and then the folder is not made, unless Despite is set.
//
// The log begins a new epoch with a commit that leaves out serial numbers: those behind the backup may have been given out.
func Restore(ctx context.Context, r Restoring, report func(Fault)) (Manifest, error) {
	m, err := ReadManifest(r.From)
	if err != nil {
		return m, err
	}
	if err := r.To.vacant(); err != nil {
		return m, err
	}
	// Made beside the folder, so that nobody serves half of it.
	half := r.To + ".restoring"
	if err := os.RemoveAll(string(half)); err != nil {
		return m, err
	}
	if err := durable.Mkdir(string(half)); err != nil {
		return m, err
	}
	faults := 0
	tell := func(f Fault) {
		faults++
		report(f)
	}
	err = r.fill(ctx, m, half, tell)
	if err == nil && (faults == 0 || r.Despite) {
		err = r.compare(ctx, m, half, tell)
	}
	if err != nil || faults > 0 && !r.Despite {
		return m, errors.Join(err, os.RemoveAll(string(half)))
	}
	if err := half.note(Format); err != nil {
		return m, err
	}
	if err := os.Remove(string(r.To)); err != nil && !errors.Is(err, os.ErrNotExist) { // it is empty
		return m, err
	}
	if err := os.Rename(string(half), string(r.To)); err != nil {
		return m, err
	}
	return m, durable.Sync(filepath.Dir(string(r.To)))
}

// fill makes the parts that a backup holds.
func (r Restoring) fill(ctx context.Context, m Manifest, to Folder, tell func(Fault)) error {
	const remedy = "the backup is damaged: use another one"
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		if err := hold(filepath.Join(r.From, name), m.Files[name]); err != nil {
			tell(Fault{File: name, Fault: commitlog.Fault{Err: err}, Remedy: remedy})
		}
	}
	for _, name := range []string{logFile, draftsFile, bundleDraftsFile} {
		if m.Files[name] == "" {
			tell(Fault{File: name, Fault: commitlog.Fault{Err: fmt.Errorf("%w: the backup does not name it", ErrCorrupt)}, Remedy: remedy})
		}
	}
	keys, err := durable.OpenReadOnly(Folder(r.From).Keys())
	if err != nil {
		return err
	}
	n, err := keys.CopyTo(ctx, to.Keys(), durable.Space{})
	if err := errors.Join(err, keys.Close()); err != nil {
		return err
	}
	if n != m.Keys {
		tell(Fault{File: "keys", Fault: commitlog.Fault{Err: fmt.Errorf("%w: %d of %d keys are there", ErrCorrupt, n, m.Keys)}, Remedy: remedy})
	}
	blobs, err := blob.OpenReadOnly(Folder(r.From).Blobs())
	if err != nil {
		return err
	}
	n, err = blobs.CopyTo(ctx, to.Blobs(), durable.Space{}) // compare holds them against their digests
	if err := errors.Join(err, blobs.Close()); err != nil {
		return err
	}
	if n != m.Blobs {
		tell(Fault{File: "blobs", Fault: commitlog.Fault{Err: fmt.Errorf("%w: %d of %d files are there", ErrCorrupt, n, m.Blobs)}, Remedy: remedy})
	}
	if err := read(filepath.Join(r.From, draftsFile), func(file io.Reader) error {
		return draft.Restore(draft.Config{Dir: to.Drafts(), Logger: r.Logger}, file)
	}); err != nil {
		return err
	}
	if err := read(filepath.Join(r.From, bundleDraftsFile), func(file io.Reader) error {
		return bundledraft.Restore(bundledraft.Config{Dir: to.BundleDrafts(), Logger: r.Logger}, file)
	}); err != nil {
		return err
	}
	if m.Files[noticesFile] != "" {
		if err := read(filepath.Join(r.From, noticesFile), func(file io.Reader) error {
			return notices.RestoreList(notices.ListConfig{Dir: to.Notices(), Logger: r.Logger}, file)
		}); err != nil {
			return err
		}
	}
	// The same backup may be restored twice, so the next epoch is not enough: it would be that of the first time.
	epoch := max(m.Epoch+1, uint64(max(r.Now().Unix(), 0)))
	return read(filepath.Join(r.From, logFile), func(file io.Reader) error {
		return badgerlog.Restore(badgerlog.Config{Dir: to.Log(), Logger: r.Logger}, epoch, commits(bufio.NewReaderSize(file, 1<<20), m.Position))
	})
}

// skipped is how many serial numbers are left out: more than an office gives out in a day, since numbers hold the day.
const skipped = 100_000

// skipNumbers appends the first commit of the new epoch.
func (r Restoring) skipNumbers(ctx context.Context, to Folder) (err error) {
	log, err := badgerlog.Open(badgerlog.Config{Dir: to.Log(), Logger: r.Logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	var state registry.State
	version := uint64(0)
	for e, err := range log.Read(ctx, registry.StreamNumbers, 0) {
		event := &registryv1.Event{}
		if err == nil {
			err = proto.Unmarshal(e.Public, event)
		}
		if err != nil {
			return err
		}
		state, version = registry.Evolve(state, event), e.Version
	}
	events, err := registry.Decide(state, registry.ReserveNumbers{N: skipped}, registry.World{Now: r.Now(), Actor: "restore"})
	if err != nil {
		return err
	}
	epoch, _ := log.Head()
	commit := commitlog.Commit{RequestID: fmt.Sprintf("restore/%d", epoch), At: r.Now(), Appends: []commitlog.Append{{Stream: registry.StreamNumbers, Expected: version}}}
	digest := sha256.Sum256([]byte(commit.RequestID)) // nothing of a person is in it
	commit.Digest = digest[:]
	for _, event := range events {
		stored, err := commitlog.Public(event)
		if err != nil {
			return err
		}
		commit.Appends[0].Events = append(commit.Appends[0].Events, stored)
	}
	_, err = log.Append(ctx, commit)
	return err
}

// compare makes the views of a restored log and holds them against the backup, and verifies the whole folder.
func (r Restoring) compare(ctx context.Context, m Manifest, to Folder, tell func(Fault)) error {
	if err := r.views(ctx, m, to, tell); err != nil {
		return err
	}
	if err := r.skipNumbers(ctx, to); err != nil {
		return err
	}
	_, err := Verify(ctx, Verification{Folder: to, KeyEncryption: r.KeyEncryption, Temporary: string(to), Now: r.Now, Logger: r.Logger}, tell)
	return err
}

func (r Restoring) views(ctx context.Context, m Manifest, to Folder, tell func(Fault)) (err error) {
	log, err := badgerlog.Open(badgerlog.Config{Dir: to.Log(), ReadOnly: true, Logger: r.Logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	if _, head := log.Head(); head != m.Position {
		tell(Fault{File: logFile, Fault: commitlog.Fault{Position: head, Err: fmt.Errorf("%w: the log ends here, the backup was made at %d", ErrCorrupt, m.Position)}, Remedy: "use another backup"})
		return nil
	}
	keys, err := seal.Open(seal.Config{Dir: to.Keys(), KeyEncryption: r.KeyEncryption, ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, keys.Close()) }()
	views, err := view.Open(view.Config{Dir: to.Views(), Log: log, Keys: keys, Logger: r.Logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, views.Close()) }()
	if err := views.Until(ctx, m.Views.Position); err != nil {
		return err
	}
	have, err := views.Sum()
	if err != nil {
		return err
	}
	if have.Format == m.Views.Format { // views of another program are made in another way
		for _, list := range slices.Sorted(maps.Keys(m.Views.Lists)) {
			if have.Lists[list] != m.Views.Lists[list] {
				tell(Fault{File: "views", Fault: commitlog.Fault{Position: m.Views.Position, Err: fmt.Errorf("%w: list %s: %d entries, and %d when the backup was made, or others", ErrCorrupt, list, have.Lists[list].Entries, m.Views.Lists[list].Entries)},
					Remedy: "use another backup, and run `onething log verify` on the store that this one was made of"})
			}
		}
		for list := range have.Lists {
			if _, ok := m.Views.Lists[list]; !ok {
				tell(Fault{File: "views", Fault: commitlog.Fault{Position: m.Views.Position, Err: fmt.Errorf("%w: list %s was empty when the backup was made", ErrCorrupt, list)}, Remedy: "use another backup"})
			}
		}
	}
	return views.Until(ctx, m.Position)
}

// hold returns an error that wraps [ErrCorrupt] unless a file has a digest.
func hold(name, want string) error {
	return read(name, func(file io.Reader) error {
		sum := sha256.New()
		if _, err := io.Copy(sum, file); err != nil {
			return err
		}
		if digestOf(sum) != want {
			return fmt.Errorf("%w: it has another digest than when it was written", ErrCorrupt)
		}
		return nil
	})
}

func read(name string, f func(io.Reader) error) error {
	file, err := os.Open(name) //nolint:gosec // the folder is the operator's
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	return f(file)
}

// commits reads the commits of a backup.
func commits(r *bufio.Reader, n uint64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for range n {
			size, err := binary.ReadUvarint(r)
			if err == nil && size > commitlog.MaxCommit {
				err = fmt.Errorf("%w: commit of %d bytes", ErrCorrupt, size)
			}
			var stored []byte
			if err == nil {
				stored = make([]byte, size)
				_, err = io.ReadFull(r, stored)
			}
			if !yield(stored, err) || err != nil {
				return
			}
		}
		if _, err := r.ReadByte(); !errors.Is(err, io.EOF) {
			yield(nil, fmt.Errorf("%w: there is more than %d commits", ErrCorrupt, n))
		}
	}
}
