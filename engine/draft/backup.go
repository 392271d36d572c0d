package draft

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine/durable/badgerdb"
	"github.com/siyiban/onething/engine/seal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// Backup writes all drafts, sealed as they are, at one moment, while they are used. [Restore] reads it.
func (s *Store) Backup(w io.Writer) error {
	if err := s.db.Backup(w); err != nil {
		return fmt.Errorf("back up drafts: %w", err)
	}
	return nil
}

// Restore makes a store in a folder that has none, of what [Store.Backup] has written. Of the config it uses Dir, Logger
// and Space.
func Restore(c Config, r io.Reader) error {
	if err := badgerdb.Restore(badgerdb.Config{Dir: c.Dir, Sync: true, Logger: c.Logger, Space: c.Space}, r); err != nil {
		return fmt.Errorf("restore drafts %s: %w", c.Dir, err)
	}
	return nil
}

// Verify reads every draft, opens what is sealed, and tells report what is wrong with which one: of a draft that is being
// deleted the key is gone after the draft, so a draft without a key is wrong. An error means that not all could be read.
// It returns how many there are.
func (s *Store) Verify(ctx context.Context, report func(id string, err error)) (int, error) {
	n := 0
	err := s.db.All(func(key, value []byte) error {
		if err := ctx.Err(); err != nil || key[0] != draftPrefix {
			return err
		}
		n++
		id := string(key[1:])
		stored := &applicationv1.StoredDraft{}
		if err := proto.Unmarshal(value, stored); err != nil {
			report(id, errors.New("it is no draft")) // the cause may quote it
			return nil                               //nolint:nilerr // it is told
		}
		d := header(id, stored)
		plain, err := s.config.Keys.Open(ctx, seal.ForApplication(id), stored.GetSealed(), d.associated())
		if err == nil && proto.Unmarshal(plain, &applicationv1.DraftContent{}) != nil {
			err = errors.New("its content is no draft")
		}
		if err != nil {
			report(id, err)
		}
		return nil
	})
	if err != nil {
		return n, fmt.Errorf("read drafts: %w", err)
	}
	return n, nil
}
