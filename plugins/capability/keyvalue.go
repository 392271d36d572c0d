package capability

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// Bounds of what a call does in a store.
const (
	// maxKeyValueBytes is the size of a request.
	maxKeyValueBytes = maxValueBytes + 4<<10
	// maxValueBytes is the size of a value.
	maxValueBytes = 64 << 10
	// maxWrites and maxWrittenBytes bound what one call writes, keys and values: it has to fit into one event.
	maxWrites       = 100
	maxWrittenBytes = 512 << 10
	// MaxStoreBytes is the size of a department's whole store, keys and values.
	MaxStoreBytes = 16 << 20
	// Keys of a LIST.
	defaultListed = 100
	maxListed     = 1000
)

var errNoStores = errors.New("this host has no stores")

// Stores are the departments' stores.
type Stores interface {
	// Snapshot returns what a department has stored as of now. What is committed later does not change it.
	Snapshot(ctx context.Context, department string) (Snapshot, error)
}

// Snapshot is a department's store at one moment.
type Snapshot interface {
	// Get returns the value under a key and the version with which it was written; version 0: there is none. The value
	// is not to be changed.
	Get(key string) (value []byte, version uint64)
	// Keys returns the keys that begin with a prefix, in order, after a key, at most limit.
	Keys(prefix, after string, limit int) []string
	// Bytes is the size of all keys and values.
	Bytes() int
}

// Writes are what a call wrote into its department's store, and what it had read there before: they hold only if what
// was read is still so.
type Writes struct {
	// Department whose store it is.
	Department string
	// Read are the keys that were read, with the version of each value; 0: there was none.
	Read map[string]uint64
	// Listed are the lists that were read.
	Listed []Listed
	// Written are the new values by key; nil: the key was removed.
	Written map[string][]byte
}

// Listed is a list of keys that a call has read.
type Listed struct {
	// Prefix, After and Limit are what was asked for.
	Prefix, After string
	Limit         int
	// Keys is what the store had.
	Keys []string
}

// buffer is what a call has read and written. The zero buffer has done nothing.
type buffer struct {
	snapshot Snapshot
	read     map[string]uint64
	listed   []Listed
	written  map[string][]byte
	count    int // of operations that wrote
	size     int // of what is in written
}

// Writes returns what the call wrote; nil if it wrote nothing. It takes effect when the engine commits it.
func (c *Call) Writes() *Writes {
	if len(c.store.written) == 0 {
		return nil
	}
	return &Writes{Department: c.manifest.GetDepartment(), Read: c.store.read, Listed: c.store.listed, Written: c.store.written}
}

func refuseKeyValue(why string) *pluginv1.KeyValueResponse {
	return &pluginv1.KeyValueResponse{Refused: why}
}

// keyValue does one operation in the store of the plugin's department.
func (c *Call) keyValue(ctx context.Context, q *pluginv1.KeyValueRequest) *pluginv1.KeyValueResponse {
	if !c.may(KeyValue) {
		return refuseKeyValue(RefusedNotGranted)
	}
	if !sensibleKeyValue(q) {
		return refuseKeyValue(RefusedBadRequest)
	}
	b := &c.store
	writes := q.GetOperation() == pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_PUT || q.GetOperation() == pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_DELETE
	if writes && c.request.GetHook() == pluginv1.Hook_HOOK_PREFILL {
		return refuseKeyValue(RefusedReadOnly)
	}
	if err := c.openStore(ctx); err != nil {
		c.set.config.Logger.WarnContext(ctx, "a department's store cannot be read", "department", c.manifest.GetDepartment(), "error", err)
		return refuseKeyValue(RefusedUnavailable)
	}
	switch q.GetOperation() {
	case pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_GET:
		value, found := b.get(q.GetKey())
		return &pluginv1.KeyValueResponse{Found: found, Value: value}
	case pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_LIST:
		limit := int(cmp.Or(q.GetLimit(), defaultListed))
		return &pluginv1.KeyValueResponse{Keys: b.list(q.GetKey(), q.GetAfter(), limit)}
	case pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_PUT:
		return b.write(q.GetKey(), append([]byte{}, q.GetValue()...))
	default: // DELETE
		return b.write(q.GetKey(), nil)
	}
}

// sensibleKeyValue reports whether a request is within its bounds, and holds nothing that its operation does not have.
func sensibleKeyValue(q *pluginv1.KeyValueRequest) bool {
	if len(q.GetKey()) > maxKeyBytes || len(q.GetAfter()) > maxKeyBytes || !plain(q.GetKey()) || !plain(q.GetAfter()) {
		return false
	}
	value, listing := len(q.GetValue()) > 0, q.GetAfter() != "" || q.GetLimit() != 0
	switch q.GetOperation() {
	case pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_GET, pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_DELETE:
		return q.GetKey() != "" && !value && !listing
	case pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_PUT:
		return q.GetKey() != "" && len(q.GetValue()) <= maxValueBytes && !listing
	case pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_LIST:
		return !value && q.GetLimit() <= maxListed
	default:
		return false
	}
}

// openStore takes the snapshot that the whole call reads.
func (c *Call) openStore(ctx context.Context) error {
	b := &c.store
	if b.snapshot != nil {
		return nil
	}
	b.read, b.written = map[string]uint64{}, map[string][]byte{}
	if c.set.config.KeyValue == nil {
		return errNoStores
	}
	snapshot, err := c.set.config.KeyValue.Snapshot(ctx, c.manifest.GetDepartment())
	if err != nil {
		return err
	}
	b.snapshot = snapshot
	return nil
}

// get returns what the call sees under a key: what it wrote itself, else what the snapshot has.
func (b *buffer) get(key string) (value []byte, found bool) {
	if value, own := b.written[key]; own {
		return value, value != nil
	}
	value, version := b.snapshot.Get(key)
	b.read[key] = version
	return value, version != 0
}

// list returns the keys that the call sees.
func (b *buffer) list(prefix, after string, limit int) []string {
	asked := limit + len(b.written) // of which the call may have removed as many
	held := b.snapshot.Keys(prefix, after, asked)
	b.listed = append(b.listed, Listed{Prefix: prefix, After: after, Limit: asked, Keys: held})
	keys := slices.DeleteFunc(slices.Clone(held), func(key string) bool { _, own := b.written[key]; return own })
	for key, value := range b.written {
		// Beyond the last key of a list that was cut off, the snapshot may have others before it.
		cut := len(held) == asked && key > held[len(held)-1]
		if value != nil && strings.HasPrefix(key, prefix) && key > after && !cut {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys[:min(len(keys), limit)]
}

// write keeps a new value, nil to remove the key, until the call ends.
func (b *buffer) write(key string, value []byte) *pluginv1.KeyValueResponse {
	size := b.size + len(key) + len(value)
	if old, again := b.written[key]; again {
		size -= len(key) + len(old)
	}
	if b.count == maxWrites || size > maxWrittenBytes || value != nil && b.bytesWith(key, value) > MaxStoreBytes {
		return refuseKeyValue(RefusedFull)
	}
	b.count++
	b.written[key], b.size = value, size
	return &pluginv1.KeyValueResponse{}
}

// bytesWith is the size that the store would have with what was written and one value more.
func (b *buffer) bytesWith(key string, value []byte) int {
	after := maps.Clone(b.written)
	after[key] = value
	size := b.snapshot.Bytes()
	for key, value := range after {
		if old, version := b.snapshot.Get(key); version != 0 {
			size -= len(key) + len(old)
		}
		if value != nil {
			size += len(key) + len(value)
		}
	}
	return size
}
