package view

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"github.com/dgraph-io/badger/v4"

	"github.com/siyiban/onething/engine/commitlog"
)

// Sum is what the views hold at a position, in brief: two views of the same log at the same position have equal sums.
type Sum struct {
	commitlog.Cursor
	// Format is that of the views: sums of different formats do not compare.
	Format int
	// Lists are the kinds of list: `person`, `review`, `number`, `open`, `officers`, `all`, and `application` for what is
	// held of each one.
	Lists map[string]ListSum
}

// ListSum is what the lists of a kind hold.
type ListSum struct {
	Entries int
	Digest  string // SHA-256 over keys and values in their order, in hexadecimal digits
}

// Sum sums up what the views hold, in one snapshot.
func (v *Views) Sum() (Sum, error) {
	sum := Sum{Lists: map[string]ListSum{}}
	hashes := map[string]hash.Hash{}
	counts := map[string]int{}
	err := v.each(func(key, value []byte) error {
		if key[0] == cursorPrefix {
			at, err := parseCursor(value)
			sum.Cursor, sum.Format = at.Cursor, int(at.format)
			return err
		}
		kind, _ := describe(key)
		if hashes[kind] == nil {
			hashes[kind] = sha256.New()
		}
		counts[kind]++
		for _, part := range [][]byte{key, value} {
			hashes[kind].Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
			hashes[kind].Write(part)
		}
		return nil
	})
	for kind, h := range hashes {
		sum.Lists[kind] = ListSum{Entries: counts[kind], Digest: hex.EncodeToString(h.Sum(nil))}
	}
	if err != nil {
		return Sum{}, fmt.Errorf("sum up views: %w", err)
	}
	return sum, nil
}

// Difference is an entry that one of two views has and the other has not, or has otherwise.
type Difference struct {
	// List is the kind of list, as in [Sum], and Application whose entry it is.
	List, Application string
	// Text says what differs.
	Text string
}

// Differences compares the views with others, entry by entry, in the order of the keys, and returns how many there are.
func (v *Views) Differences(fresh *Views, each func(Difference)) (entries int, err error) {
	tell := func(key []byte, text string) {
		list, application := describe(key)
		each(Difference{List: list, Application: application, Text: text})
	}
	err = v.db.View(func(one *badger.Txn) error {
		return fresh.db.View(func(other *badger.Txn) error {
			a, b := one.NewIterator(badger.DefaultIteratorOptions), other.NewIterator(badger.DefaultIteratorOptions)
			defer a.Close()
			defer b.Close()
			a.Rewind()
			b.Rewind()
			for a.Valid() || b.Valid() {
				entries++
				order := 0
				switch {
				case !a.Valid():
					order = 1
				case !b.Valid():
					order = -1
				default:
					order = bytes.Compare(a.Item().Key(), b.Item().Key())
				}
				switch {
				case order < 0:
					tell(a.Item().Key(), "it stands there, and the log does not put it there")
					a.Next()
				case order > 0:
					tell(b.Item().Key(), "the log puts it there, and it does not stand there")
					b.Next()
				default:
					have, err := a.Item().ValueCopy(nil)
					if err != nil {
						return err
					}
					want, err := b.Item().ValueCopy(nil)
					if err != nil {
						return err
					}
					if !bytes.Equal(have, want) {
						tell(a.Item().Key(), "it holds something else than the log says")
					}
					a.Next()
					b.Next()
				}
			}
			return nil
		})
	})
	return entries, err
}

// each calls f with everything that is stored, in the order of the keys, in one snapshot.
func (v *Views) each(f func(key, value []byte) error) error {
	return v.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.DefaultIteratorOptions)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			if err := it.Item().Value(func(value []byte) error { return f(it.Item().Key(), value) }); err != nil {
				return err
			}
		}
		return nil
	})
}

// describe says of which kind of list a key is, and of which application.
func describe(key []byte) (list, application string) {
	switch {
	case key[0] == entryPrefix:
		return "application", string(key[1:])
	case key[0] == listPrefix && len(key) >= 3 && len(key) >= 3+int(binary.BigEndian.Uint16(key[1:])):
		n := 3 + int(binary.BigEndian.Uint16(key[1:]))
		list, _, _ = strings.Cut(string(key[3:n]), "/")
		parts := bytes.Split(key[n:], []byte{0})
		if len(parts) == 3 {
			application = string(parts[1])
		}
		return list, application
	}
	return "store", ""
}
