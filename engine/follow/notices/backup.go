package notices

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/siyiban/onething/engine/durable/badgerdb"
)

// Backup writes the whole list, as it is at one moment, while it is used. [RestoreList] reads it.
func (l *List) Backup(w io.Writer) error {
	if err := l.db.Backup(w); err != nil {
		return fmt.Errorf("back up list of notices: %w", err)
	}
	return nil
}

// RestoreList makes a list in a folder that has none, of what [List.Backup] has written. Of the config it uses Dir, Logger and
// Space.
func RestoreList(c ListConfig, r io.Reader) error {
	if err := badgerdb.Restore(badgerdb.Config{Dir: c.Dir, Sync: true, Logger: c.Logger, Space: c.Space}, r); err != nil {
		return fmt.Errorf("restore list of notices %s: %w", c.Dir, err)
	}
	return nil
}

// Verify reads the whole list of notices of a server that is stopped, changes nothing, and returns how many there are.
func Verify(dir string, logger *slog.Logger) (n int, err error) {
	db, err := badgerdb.Open(badgerdb.Config{Dir: dir, ReadOnly: true, Logger: logger})
	if err != nil {
		return 0, fmt.Errorf("open list of notices: %w", err)
	}
	defer func() { _ = db.Close() }() // nothing was written
	err = db.All(func(key, value []byte) error {
		if key[0] != noticePrefix {
			return nil
		}
		n++
		var notice Notice
		if json.Unmarshal(value, &notice) != nil || notice.ID != string(key[1:]) {
			return errors.New("an entry is no notice")
		}
		return nil
	})
	if err != nil {
		return n, fmt.Errorf("read list of notices: %w", err)
	}
	return n, nil
}
