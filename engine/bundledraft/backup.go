package bundledraft

import (
	"fmt"
	"io"

	"github.com/siyiban/onething/engine/durable/badgerdb"
)

// Backup writes all drafts at one moment, while they are used. [Restore] reads it.
func (s *Store) Backup(w io.Writer) error {
	if err := s.db.Backup(w); err != nil {
		return fmt.Errorf("back up bundle drafts: %w", err)
	}
	return nil
}

// Restore makes a store in a folder that has none, of what [Store.Backup] has written. Of the config it uses Dir, Logger
// and Space.
func Restore(c Config, r io.Reader) error {
	if err := badgerdb.Restore(badgerdb.Config{Dir: c.Dir, Sync: true, Logger: c.Logger, Space: c.Space}, r); err != nil {
		return fmt.Errorf("restore bundle drafts %s: %w", c.Dir, err)
	}
	return nil
}

// Verify reads every draft and its text, and returns how many there are.
func (s *Store) Verify() (int, error) {
	if err := s.db.All(func(_, _ []byte) error { return nil }); err != nil {
		return 0, fmt.Errorf("read bundle drafts: %w", err)
	}
	all, err := s.List()
	return len(all), err
}
