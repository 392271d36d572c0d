package badgerdb

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/siyiban/onething/engine/durable"
)

// closedFile lists what a store consisted of when it was closed: a line for each file with its size, and the SHA-256 of
// the manifest. Badger makes an empty store where the manifest is missing or cut off, and removes the tables that it does
// not find in it.
const closedFile = "CLOSED"

const manifestFile = "MANIFEST"

// Begin holds the files of a store against what [End] has noted, and against the checksums of the tables, and forgets the
// note if the store is to be written. The error wraps [ErrDamaged] and names the file. A store that was not closed has no
// note: then what its write-ahead log holds counts, and only what cannot be is refused. A folder that does not exist or is
// empty is a store that is to be made.
func Begin(dir string, readOnly bool) error {
	have, err := listing(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	note, err := os.ReadFile(filepath.Join(dir, closedFile)) //nolint:gosec // the folder is the operator's
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for line := range strings.Lines(string(note)) {
		name, was, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch is, there := have[name]; {
		case !there:
			return fmt.Errorf("%w: %s is missing; put it back, or restore the last backup", ErrDamaged, filepath.Join(dir, name))
		case is != was:
			return fmt.Errorf("%w: %s is not as it was when the store was closed (%s, was %s); put it back, or restore the last backup", ErrDamaged, filepath.Join(dir, name), is, was)
		}
	}
	if _, there := have[manifestFile]; !there && len(have) > 0 {
		return fmt.Errorf("%w: %s is missing; put it back, or restore the last backup", ErrDamaged, filepath.Join(dir, manifestFile))
	}
	if err := checkTables(dir); err != nil || note == nil {
		return err
	}
	if err := checkLastValues(dir); err != nil || readOnly {
		return err
	}
	if err := os.Remove(filepath.Join(dir, closedFile)); err != nil {
		return err
	}
	return durable.Sync(dir)
}

// Alive returns an error unless the file system of a store that is open takes writes, as [durable.Alive] says. Whoever has
// written asks before it acknowledges.
func Alive(dir string) error { return durable.Alive(filepath.Join(dir, manifestFile)) }

// End notes what a store consists of that was closed after it was written.
func End(dir string) error {
	have, err := listing(dir)
	if err != nil {
		return err
	}
	var note bytes.Buffer
	for name, is := range have {
		fmt.Fprintf(&note, "%s %s\n", name, is)
	}
	if err := durable.WriteNew(filepath.Join(dir, closedFile), note.Bytes()); err != nil {
		return fmt.Errorf("note that the store is closed: %w", err)
	}
	return nil
}

// listing describes the files of Badger's in a folder that matter.
func listing(dir string) (map[string]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	have := map[string]string{}
	for _, entry := range entries {
		name := entry.Name()
		switch filepath.Ext(name) {
		case ".sst", ".vlog", ".mem":
			info, err := entry.Info()
			if errors.Is(err, fs.ErrNotExist) { // another process has the store
				continue
			}
			if err != nil {
				return nil, err
			}
			have[name] = fmt.Sprint(info.Size())
		case "":
			if name != manifestFile {
				continue
			}
			content, err := os.ReadFile(filepath.Join(dir, name)) //nolint:gosec // the folder is the operator's
			if err != nil {
				return nil, err
			}
			sum := sha256.Sum256(content)
			have[name] = hex.EncodeToString(sum[:])
		}
	}
	return have, nil
}
