package draft

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/dgraph-io/badger/v4"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/engine/seal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// Prefixes of the keys; the package comment says what stands under each.
const (
	draftPrefix    = 'd'
	ownerPrefix    = 'o'
	expiryPrefix   = 'x'
	creationPrefix = 'c'
	orphanPrefix   = 'k'
)

// idLen is the length of an id, a UUID as text.
const idLen = 36

func draftKey(id string) []byte           { return append([]byte{draftPrefix}, id...) }
func orphanKey(id string) []byte          { return append([]byte{orphanPrefix}, id...) }
func creationKey(digest []byte) []byte    { return append([]byte{creationPrefix}, digest...) }
func milliseconds(t time.Time) uint64     { return uint64(t.UnixMilli()) }
func withID(key []byte, id string) []byte { return append(key, id...) }

// ownersKey is what the keys of an owner's drafts begin with.
func ownersKey(owner Owner) []byte {
	return append([]byte{ownerPrefix, byte(len(owner))}, owner...) // MaxOwner fits a byte
}

// ownerKeys are the places of a draft in the lists of its owner and of those with whom it is to be submitted.
func ownerKeys(d *Draft) [][]byte {
	var keys [][]byte
	for _, owner := range append([]Owner{d.Owner}, d.With...) {
		keys = append(keys, withID(binary.BigEndian.AppendUint64(ownersKey(owner), ^milliseconds(d.Saved)), d.ID))
	}
	return keys
}

func expiryKey(d *Draft) []byte {
	return withID(binary.BigEndian.AppendUint64([]byte{expiryPrefix}, milliseconds(d.Expires)), d.ID)
}

// associated binds the sealed content to its draft and revision.
func (d *Draft) associated() []byte {
	return seal.AssociatedData("draft", d.ID, strconv.FormatInt(d.Revision, 10))
}

// message returns a draft with its sealed content as it is stored.
func (d *Draft) message(sealed []byte) ([]byte, error) {
	var with []string
	for _, owner := range d.With {
		with = append(with, string(owner))
	}
	b, err := proto.Marshal(&applicationv1.StoredDraft{
		Owner: string(d.Owner), With: with, Revision: d.Revision, Sealed: sealed, Creation: d.creation,
		CreatedAt: timestamppb.New(d.Created), SavedAt: timestamppb.New(d.Saved), ExpiresAt: timestamppb.New(d.Expires),
	})
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return b, nil
}

// header returns a draft without its content.
func header(id string, m *applicationv1.StoredDraft) *Draft {
	d := &Draft{
		ID: id, Owner: Owner(m.GetOwner()), Revision: m.GetRevision(), creation: m.GetCreation(),
		Created: m.GetCreatedAt().AsTime(), Saved: m.GetSavedAt().AsTime(), Expires: m.GetExpiresAt().AsTime(),
	}
	for _, owner := range m.GetWith() {
		d.With = append(d.With, Owner(owner))
	}
	return d
}

// Page asks for a part of a list.
type Page struct {
	// Size is how many at most, from 1.
	Size int
	// Token is where the part before ended; empty: from the beginning.
	Token string
}

// List returns an owner's drafts, those to be submitted with others among them, the last saved first, and the token of the next part, empty if there is none. A draft
// that is saved between two parts moves to the front, where the second part does not look any more.
func (s *Store) List(ctx context.Context, owner Owner, page Page) ([]*Draft, string, error) {
	if owner == "" || len(owner) > MaxOwner || page.Size < 1 {
		return nil, "", fmt.Errorf("list drafts: %w: owner of %d bytes, page of %d", ErrInvalid, len(owner), page.Size)
	}
	prefix := ownersKey(owner)
	seek := prefix
	if page.Token != "" {
		after, err := base64.RawURLEncoding.DecodeString(page.Token)
		if err != nil || len(after) != 8+idLen {
			return nil, "", fmt.Errorf("list drafts: %w: page token", ErrInvalid)
		}
		seek = append(append(slices.Clip(prefix), after...), 0)
	}
	var drafts []*Draft
	var last []byte
	err := s.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: prefix})
		defer it.Close()
		for it.Seek(seek); it.Valid(); it.Next() {
			if len(drafts) == page.Size {
				return nil
			}
			place := it.Item().KeyCopy(nil)[len(prefix):]
			id := string(place[8:])
			stored, err := storedIn(txn, id)
			if err != nil {
				return err
			}
			if !s.config.Now().Before(stored.GetExpiresAt().AsTime()) {
				continue
			}
			if submitted, err := s.config.Submitted(ctx, id); err != nil {
				return err
			} else if submitted {
				continue
			}
			switch d, err := s.open(ctx, id, stored); {
			case errors.Is(err, ErrNotFound):
			case err != nil:
				return fmt.Errorf("draft %s: %w", id, err)
			default:
				drafts, last = append(drafts, d), place
			}
		}
		last = nil
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("list drafts: %w", err)
	}
	return drafts, base64.RawURLEncoding.EncodeToString(last), nil
}

// stored returns what is stored of a draft.
func (s *Store) stored(id string) (m *applicationv1.StoredDraft, err error) {
	err = s.db.View(func(txn *badger.Txn) error {
		m, err = storedIn(txn, id)
		return err
	})
	return m, err
}

func storedIn(txn *badger.Txn, id string) (*applicationv1.StoredDraft, error) {
	item, err := txn.Get(draftKey(id))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	m := &applicationv1.StoredDraft{}
	return m, item.Value(func(b []byte) error { return proto.Unmarshal(b, m) })
}

// creation returns the draft that a request began, and the digest of what it asked; no id if there is none.
func (s *Store) creation(key []byte) (id string, digest []byte, err error) {
	err = s.db.View(func(txn *badger.Txn) error {
		item, err := txn.Get(key)
		if errors.Is(err, badger.ErrKeyNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		b, err := item.ValueCopy(nil)
		if err == nil && len(b) < idLen {
			err = errors.New("index of creations is damaged")
		}
		if err != nil {
			return err
		}
		id, digest = string(b[:idLen]), b[idLen:]
		return nil
	})
	return id, digest, err
}

// expired returns the drafts that have expired, the first one first.
func (s *Store) expired(now time.Time) ([]string, error) {
	return s.scan(expiryPrefix, func(key []byte) (string, bool) {
		return string(key[9:]), binary.BigEndian.Uint64(key[1:9]) <= milliseconds(now)
	})
}

// orphans returns the ids whose keys are to be destroyed.
func (s *Store) orphans() ([]string, error) {
	return s.scan(orphanPrefix, func(key []byte) (string, bool) { return string(key[1:]), true })
}

// scan collects the ids of keys under a prefix, until one is not wanted.
func (s *Store) scan(prefix byte, id func(key []byte) (string, bool)) ([]string, error) {
	var ids []string
	err := s.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{prefix}})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			next, wanted := id(it.Item().Key())
			if !wanted {
				return nil
			}
			ids = append(ids, next)
		}
		return nil
	})
	return ids, err
}

// Count returns how many drafts are kept: those that have expired or were submitted count until they are swept.
func (s *Store) Count() (int, error) {
	ids, err := s.scan(draftPrefix, func([]byte) (string, bool) { return "", true })
	return len(ids), err
}

// batch is how many drafts are found in one transaction; none is open while a consumer works.
const batch = 64

// All yields every draft that can be used, in no order: one that has expired or was submitted is left out, and one that is
// changed meanwhile may be as it was before. Few of them are in memory at a time.
func (s *Store) All(ctx context.Context) iter.Seq2[*Draft, error] {
	return func(yield func(*Draft, error) bool) {
		seek := []byte{draftPrefix}
		for {
			var ids []string
			err := s.db.View(func(txn *badger.Txn) error {
				it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{draftPrefix}})
				defer it.Close()
				for it.Seek(seek); it.Valid() && len(ids) < batch; it.Next() {
					ids = append(ids, string(it.Item().Key()[1:]))
				}
				return nil
			})
			if err != nil {
				yield(nil, fmt.Errorf("read drafts: %w", err))
				return
			}
			for _, id := range ids {
				d, err := s.load(ctx, id)
				if errors.Is(err, ErrNotFound) {
					continue
				}
				if err != nil {
					err = fmt.Errorf("read draft %s: %w", id, err)
				}
				if !yield(d, err) || err != nil {
					return
				}
			}
			if len(ids) < batch {
				return
			}
			seek = append(draftKey(ids[len(ids)-1]), 0)
		}
	}
}
