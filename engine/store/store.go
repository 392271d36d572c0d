// Package store is the data folder of one server as a whole: where which part lies, which format it has, the walk that
// finds what is wrong in it, its backup while it is used, and what is made of a backup.
//
// The parts know nothing of one another. What holds between them is held here: that a key is there for what is sealed, a
// file for what names one, that the views are what the log says, and that nobody has seen a commit that the log has not.
package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/siyiban/onething/engine/durable"
)

// Format is the format of the folder that this program writes, and the highest that it reads. The log, its commits, keys,
// sealed bytes and views have formats of their own; this one is of the folder: which parts there are, and where.
//
// 0 is a folder of before it was noted; 1 notes it.
const Format = 1

// Errors of a data folder, for [errors.Is].
var (
	// ErrNewer is returned for a folder or a backup in a newer format.
	ErrNewer = errors.New("store: newer than this program")
	// ErrCorrupt is returned for a file that is not what was written.
	ErrCorrupt = errors.New("store: corrupt")
	// ErrNotEmpty is returned for a folder in which something is to be made, and which holds something already.
	ErrNotEmpty = errors.New("store: the folder is not empty")
)

// Folder is the path of a data folder.
type Folder string

func (f Folder) in(name ...string) string {
	return filepath.Join(append([]string{string(f)}, name...)...)
}

// Log is where the log lies.
func (f Folder) Log() string { return f.in("log") }

// Keys is where the keys lie.
func (f Folder) Keys() string { return f.in("keys") }

// Blobs is where the files lie.
func (f Folder) Blobs() string { return f.in("blobs") }

// Drafts is where the applicants' drafts lie.
func (f Folder) Drafts() string { return f.in("drafts") }

// BundleDrafts is where versions of bundles lie that are being written.
func (f Folder) BundleDrafts() string { return f.in("bundle-drafts") }

// Views is where the views lie.
func (f Folder) Views() string { return f.in("views") }

// Follower is where the list of work of a follower lies.
func (f Folder) Follower(name string) string { return f.in("follow", name) }

// Notices is where the list of notices lies.
func (f Folder) Notices() string { return f.in("notices") }

// Compiled is where compiled plugins lie.
func (f Folder) Compiled() string { return f.in("compiled") }

// DevelopmentKey is the key-encryption key of a store in development; in production it lies elsewhere.
func (f Folder) DevelopmentKey() string { return f.in("key-encryption-key.json") }

// Socket is where a running server takes its operator's commands.
func (f Folder) Socket() string { return f.in("operator.sock") }

const (
	formatFile = "format"
	formatText = "onething store "
)

// Readable returns an error that wraps [ErrNewer] if this program cannot read the folder, before anything in it is opened.
// A folder that does not exist or is empty is readable.
func (f Folder) Readable() error {
	have, err := f.format()
	if err == nil && have > Format {
		err = fmt.Errorf("%w: %s has format %d, this program knows %d: use the program that wrote it, or a newer one", ErrNewer, f, have, Format)
	}
	return err
}

// format reads the format that is noted; 0 if none is.
func (f Folder) format() (int, error) {
	text, err := os.ReadFile(f.in(formatFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	number, ok := strings.CutPrefix(string(text), formatText)
	have, err := strconv.Atoi(strings.TrimSuffix(number, "\n"))
	if !ok || err != nil || have < 1 {
		return 0, fmt.Errorf("%w: %s does not say which format the store has: put back a line %q, with the format of the program that wrote it", ErrCorrupt, f.in(formatFile), formatText+strconv.Itoa(Format))
	}
	return have, nil
}

// Upgrade brings a folder of an older format to that of this program, and notes the format in a new one. Only one process
// may have the folder: whoever calls it has opened the log.
func (f Folder) Upgrade() error {
	have, err := f.format()
	if err != nil || have == Format {
		return err
	}
	if have > Format {
		return f.Readable()
	}
	// From 0 to 1 there is nothing to do but to note it. The next format goes here, one step at a time.
	return f.note(Format)
}

func (f Folder) note(format int) error {
	if err := durable.WriteNew(f.in(formatFile), []byte(formatText+strconv.Itoa(format)+"\n")); err != nil {
		return fmt.Errorf("note the format of %s: %w", f, err)
	}
	return nil
}

// vacant returns an error that wraps [ErrNotEmpty] unless the folder is empty or does not exist.
func (f Folder) vacant() error {
	entries, err := os.ReadDir(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%w: %s", ErrNotEmpty, f)
	}
	return err
}
