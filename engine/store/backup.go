package store

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/siyiban/onething/engine/blob"
	"github.com/siyiban/onething/engine/bundledraft"
	"github.com/siyiban/onething/engine/commitlog/badgerlog"
	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/durable"
	"github.com/siyiban/onething/engine/follow/notices"
	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/engine/view"
)

// BackupFormat is the format of a backup that this program writes, and the highest that it reads.
const BackupFormat = 1

// Files of a backup. Keys and blobs lie in it as in a data folder.
const (
	manifestFile     = "backup.json"
	logFile          = "log.commits"
	draftsFile       = "drafts.badger"
	bundleDraftsFile = "bundle-drafts.badger"
	noticesFile      = "notices.badger"
)

// Manifest says what a backup holds. It is written last: a folder without it is no backup.
type Manifest struct {
	// Format is that of the backup, Store that of the data folder.
	Format, Store int
	// At is when the backup was begun.
	At time.Time
	// Epoch and Position are those of the log. All commits up to the position are in the backup.
	Epoch, Position uint64
	// Views are what the views showed at a position up to that one.
	Views view.Sum
	// Files are the SHA-256 of the files, by name; those of blobs are their names.
	Files map[string]string
	// Keys and Blobs count files.
	Keys, Blobs int
}

// Parts are the open parts of a data folder, in a server or in nobody else.
type Parts struct {
	Log          *badgerlog.Log
	Keys         *seal.Store
	Blobs        *blob.Dir
	Drafts       *draft.Store
	BundleDrafts *bundledraft.Store
	Views        *view.Views
	// Notices is nil where nobody is told.
	Notices *notices.List
	// Room is how much is left free where the backup is written: it may be the disk of the store, whose parts need it.
	Room durable.Space
}

// Backup copies everything that cannot be made again into a folder that does not exist yet or is empty, while a server
// uses it, and returns when it is on disk. The key-encryption key is not in it.
//
// The order makes it whole. Drafts come first, then the log, so that an application that is filed meanwhile is in the
// log, in the drafts, or in both (then it counts as filed), never in neither. Keys come after what they have sealed, and
// files after what names them: both are made before, and a key that was destroyed in between is not in the backup, as it
// should be. The error wraps [ErrNotEmpty], [durable.ErrNoSpace], or is that of a part.
func Backup(ctx context.Context, p Parts, to string, at time.Time) (Manifest, error) {
	m := Manifest{Format: BackupFormat, Store: Format, At: at.UTC(), Files: map[string]string{}}
	if err := Folder(to).vacant(); err != nil {
		return m, err
	}
	if err := durable.Mkdir(to); err != nil {
		return m, fmt.Errorf("back up: %w", err)
	}
	var err error
	write := func(name string, content func(io.Writer) error) {
		if err == nil {
			m.Files[name], err = writeFile(filepath.Join(to, name), p.Room, content)
		}
	}
	write(draftsFile, p.Drafts.Backup)
	write(bundleDraftsFile, p.BundleDrafts.Backup)
	if p.Notices != nil { // before the log, by which is told what is not on it
		write(noticesFile, p.Notices.Backup)
	}
	if err == nil { // before the log, which therefore has what they show
		m.Views, err = p.Views.Sum()
	}
	write(logFile, func(w io.Writer) error {
		m.Epoch, m.Position = p.Log.Head()
		for stored, err := range p.Log.Stored(ctx, m.Position) {
			if err == nil {
				_, err = w.Write(binary.AppendUvarint(nil, uint64(len(stored))))
			}
			if err == nil {
				_, err = w.Write(stored)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		m.Keys, err = p.Keys.CopyTo(ctx, Folder(to).Keys(), p.Room)
	}
	if err == nil {
		m.Blobs, err = p.Blobs.CopyTo(ctx, Folder(to).Blobs(), p.Room)
	}
	if err != nil {
		return m, fmt.Errorf("back up to %s: %w", to, err)
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, err
	}
	if err := durable.WriteNew(filepath.Join(to, manifestFile), append(text, '\n')); err != nil {
		return m, fmt.Errorf("back up to %s: %w", to, err)
	}
	return m, nil
}

// writeFile writes a file, returns its SHA-256 when it is on disk, and counts on the folder being synced later.
func writeFile(name string, room durable.Space, content func(io.Writer) error) (digest string, err error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the folder is the operator's
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	sum := sha256.New()
	checked := writer(func(b []byte) (int, error) {
		if err := room.Check(filepath.Dir(name)); err != nil {
			return 0, err
		}
		return file.Write(b)
	})
	buffered := bufio.NewWriterSize(io.MultiWriter(checked, sum), 1<<20)
	if err := content(buffered); err != nil {
		return "", err
	}
	if err := buffered.Flush(); err != nil {
		return "", err
	}
	return digestOf(sum), file.Sync()
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

func digestOf(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// ReadManifest reads what a backup holds. The error wraps [ErrNewer] for one of a newer program, and [ErrCorrupt] for a
// folder that is no whole backup.
func ReadManifest(from string) (Manifest, error) {
	var m Manifest
	text, err := os.ReadFile(filepath.Join(from, manifestFile)) //nolint:gosec // the folder is the operator's
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("%w: %s is no backup, or one that was interrupted: it has no %s", ErrCorrupt, from, manifestFile)
	}
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("%w: %s: %w", ErrCorrupt, filepath.Join(from, manifestFile), err)
	}
	if m.Format > BackupFormat || m.Store > Format {
		return m, fmt.Errorf("%w: the backup %s has format %d of a store of format %d, this program knows %d and %d", ErrNewer, from, m.Format, m.Store, BackupFormat, Format)
	}
	if m.Format < 1 {
		return m, fmt.Errorf("%w: %s has no format", ErrCorrupt, filepath.Join(from, manifestFile))
	}
	return m, nil
}
