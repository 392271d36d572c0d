package follow

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/siyiban/onething/engine/commitlog"
)

// Prefixes of the keys; the package comment says what stands under each.
const (
	cursorPrefix = 'z'
	itemPrefix   = 'i'
	queuePrefix  = 'q'
	parkedPrefix = 'p'
)

// stored is an item as it lies in the list.
type stored struct {
	Item
	// Next is when it is tried, and Tries how often it was begun.
	Next  time.Time
	Tries int
}

// parked says why a stream is parked.
type parked struct {
	Reason string
	// Blocked is true if a commit of it cannot be digested: then none is from After on, until it is taken up again. Of a
	// stream whose work failed the commits are digested, and the work waits.
	Blocked bool
	After   uint64
}

func itemKey(key string) []byte      { return append([]byte{itemPrefix}, key...) }
func parkedKey(stream string) []byte { return append([]byte{parkedPrefix}, stream...) }

// laneKey is what the keys of a lane's queue begin with.
func laneKey(lane string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{queuePrefix}, uint16(len(lane))), lane...)
}

func (s *stored) queueKey() []byte {
	return append(binary.BigEndian.AppendUint64(laneKey(s.Lane), stamp(s.Next)), s.Key...)
}

// stamp is the first whole millisecond that is not before a time, so that nothing is done too early; for one before 1970,
// such as the zero time, it is 0.
func stamp(t time.Time) uint64 {
	return uint64(max(t.Add(time.Millisecond-time.Nanosecond).UnixMilli(), 0))
}

// lookup calls f with the value of a key, and reports whether there is one.
func lookup(txn *badger.Txn, key []byte, f func([]byte) error) (bool, error) {
	item, err := txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, item.Value(f)
}

func loadItem(txn *badger.Txn, key string) (s stored, ok bool, err error) {
	ok, err = lookup(txn, itemKey(key), func(b []byte) error { return json.Unmarshal(b, &s) })
	return s, ok, err
}

func loadParked(txn *badger.Txn, stream string) (p parked, ok bool, err error) {
	ok, err = lookup(txn, parkedKey(stream), func(b []byte) error { return json.Unmarshal(b, &p) })
	return p, ok, err
}

// put puts an item in place of the one of its key. The same work again leaves the one that is there, with its attempts
// and its time.
func put(txn *badger.Txn, item Item, position uint64) error {
	before, ok, err := loadItem(txn, item.Key)
	if err != nil {
		return err
	}
	if ok {
		if !item.Cancel && before.same(item) {
			return nil
		}
		if err := remove(txn, &before); err != nil {
			return err
		}
	}
	if item.Cancel {
		return nil
	}
	item.Position = position // work that was made anew while it was done stays
	return save(txn, &stored{Item: item, Next: item.Due})
}

func save(txn *badger.Txn, s *stored) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return errors.Join(txn.Set(itemKey(s.Key), b), txn.Set(s.queueKey(), nil))
}

func remove(txn *badger.Txn, s *stored) error {
	return errors.Join(txn.Delete(itemKey(s.Key)), txn.Delete(s.queueKey()))
}

// release lets the work of a stream begin when it is due, however often it failed.
func release(txn *badger.Txn, stream string) error {
	var waiting []stored
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{itemPrefix}})
	for it.Rewind(); it.Valid(); it.Next() {
		var s stored
		if err := it.Item().Value(func(b []byte) error { return json.Unmarshal(b, &s) }); err != nil {
			it.Close()
			return err
		}
		if s.Stream == stream {
			waiting = append(waiting, s)
		}
	}
	it.Close()
	for _, s := range waiting {
		if err := remove(txn, &s); err != nil {
			return err
		}
		s.Next, s.Tries = s.Due, 0
		if err := save(txn, &s); err != nil {
			return err
		}
	}
	return nil
}

func park(txn *badger.Txn, stream string, p parked) error {
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return txn.Set(parkedKey(stream), b)
}

func (s *stored) same(item Item) bool {
	return s.Lane == item.Lane && s.Stream == item.Stream && string(s.Payload) == string(item.Payload)
}

func loadCursor(txn *badger.Txn) (at commitlog.Cursor, err error) {
	_, err = lookup(txn, []byte{cursorPrefix}, func(b []byte) error {
		if len(b) != 16 {
			return fmt.Errorf("cursor of %d bytes", len(b))
		}
		at = commitlog.Cursor{Epoch: binary.BigEndian.Uint64(b), Position: binary.BigEndian.Uint64(b[8:])}
		return nil
	})
	return at, err
}

func saveCursor(txn *badger.Txn, at commitlog.Cursor) error {
	b := binary.BigEndian.AppendUint64(nil, at.Epoch)
	return txn.Set([]byte{cursorPrefix}, binary.BigEndian.AppendUint64(b, at.Position))
}
