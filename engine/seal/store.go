package seal

import (
	"container/list"
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"github.com/siyiban/onething/engine/durable"
	aead "github.com/tink-crypto/tink-go/v2/aead/subtle"
	streaming "github.com/tink-crypto/tink-go/v2/streamingaead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Errors of a store, for [errors.Is].
var (
	// ErrNoKey is returned for a key that was never made or has been destroyed; a store does not tell them apart.
	ErrNoKey = errors.New("seal: no such key")
	// ErrCorrupt is returned for sealed bytes that were changed, cut off, or sealed under another key or for another
	// place, and for a key file that was changed.
	ErrCorrupt = errors.New("seal: sealed bytes do not open")
	// ErrWrongKey is returned by [Open] if the key-encryption key is not the one of the store.
	ErrWrongKey = errors.New("seal: wrong key-encryption key")
	// ErrInvalid is returned for a key id that no key can have.
	ErrInvalid = errors.New("seal: invalid key id")
)

// KeyID names a key. It is public: it stands beside what the key has sealed.
type KeyID string

// MaxKeyID is the most bytes of a key id; an envelope of the log has no room for more.
const MaxKeyID = 200

// ForApplication returns the id of the key of an application, which its draft has already.
func ForApplication(id string) KeyID { return KeyID("application/" + id) }

// ForPerson returns the id of the key of what is kept per person. The person's id is a random one, never a citizen
// number or its digest.
func ForPerson(id string) KeyID { return KeyID("person/" + id) }

// storeSecret is the id under which a store keeps the secret of its digests. It is no id that a caller may use.
const storeSecret KeyID = ""

const (
	keySize = 32
	// version is the first byte of key files, of sealed bytes and of sealed streams.
	version = 1
	// nonceAndTag is what AES-GCM adds to a plaintext.
	nonceAndTag = aead.AESGCMIVSize + aead.AESGCMTagSize
	// DefaultCache is how many unwrapped keys are held in memory unless [Config] says otherwise; one takes about 1 KiB.
	DefaultCache = 4096
)

// Config says where keys lie and what wraps them.
type Config struct {
	// Dir is the folder of the keys, made if it does not exist. It holds nothing else, is not the log's, and one process
	// opens it at a time.
	Dir string
	// KeyEncryption wraps the keys. It is the operator's: a keyset read with [ReadKeyset], or a client of a service that
	// keeps it.
	KeyEncryption tink.AEAD
	// ReadOnly opens a store that has to be there, and changes nothing in it.
	ReadOnly bool
	// Cache is how many unwrapped keys are held in memory; zero is [DefaultCache].
	Cache int
}

// Store keeps keys, and seals and opens under them. It is safe for concurrent use.
type Store struct {
	folder    *durable.Folder
	wrap      tink.AEAD
	secret    []byte
	making    [256]sync.Mutex // by the first byte of a key's file name: one maker or destroyer at a time
	mu        sync.Mutex      // guards what follows
	cached    map[KeyID]*list.Element
	recent    *list.List // of *cachedKey, the latest first
	limit     int
	destroyed uint64 // how many times a key was destroyed, so that none is put back by one who read it before
}

type cachedKey struct {
	id  KeyID
	key *key
}

// key is an unwrapped key, ready for use.
type key struct {
	bytes  tink.AEAD
	stream *streaming.AESGCMHKDF
}

// Open opens the keys in a folder, and makes an empty store if there is none. Its error wraps [ErrWrongKey] if the
// key-encryption key does not fit, and [ErrCorrupt] if there are keys without the store's secret.
func Open(c Config) (*Store, error) {
	if c.Dir == "" || c.KeyEncryption == nil || c.Cache < 0 {
		return nil, errors.New("open key store: folder and key-encryption key have to be set, and the cache not negative")
	}
	if c.Cache == 0 {
		c.Cache = DefaultCache
	}
	open := durable.Open
	if c.ReadOnly {
		open = durable.OpenReadOnly
	}
	folder, err := open(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("open key store: %w", err)
	}
	s := &Store{
		folder: folder,
		wrap:   c.KeyEncryption,
		cached: make(map[KeyID]*list.Element),
		recent: list.New(),
		limit:  c.Cache,
	}
	if s.secret, err = s.openSecret(); err != nil {
		return nil, errors.Join(fmt.Errorf("open key store %s: %w", c.Dir, err), folder.Close())
	}
	return s, nil
}

func (s *Store) openSecret() ([]byte, error) {
	secret, err := s.unwrap(storeSecret)
	switch {
	case errors.Is(err, ErrCorrupt):
		return nil, fmt.Errorf("%w, or a spoilt secret: %w", ErrWrongKey, err)
	case !errors.Is(err, ErrNoKey):
		return secret, err
	}
	// A new secret beside old keys would find nobody any more.
	if empty, err := s.folder.Empty(); err != nil {
		return nil, err
	} else if !empty {
		return nil, fmt.Errorf("%w: the folder holds files but not the store's secret", ErrCorrupt)
	}
	if err := s.make(storeSecret); err != nil {
		return nil, err
	}
	return s.unwrap(storeSecret)
}

// CopyTo copies the keys, wrapped as they are, and the store's secret to another folder, and returns how many files, when
// they are on disk. A key that is destroyed meanwhile is left out.
func (s *Store) CopyTo(ctx context.Context, dir string, room durable.Space) (int, error) {
	n, err := s.folder.CopyTo(ctx, dir, room)
	if err != nil {
		return n, fmt.Errorf("copy keys: %w", err)
	}
	return n, nil
}

// FileOf returns the file of a key within the folder.
func FileOf(id KeyID) string {
	name := fileName(id)
	return name[:2] + "/" + name
}

// Close closes the store.
func (s *Store) Close() error { return s.folder.Close() }

// Create makes a key, unless there is one with that id, and returns when it is on disk. The error wraps [ErrInvalid] for
// an id that no key can have.
func (s *Store) Create(ctx context.Context, id KeyID) error {
	if err := check(ctx, id); err != nil {
		return err
	}
	name := fileName(id)
	lock := s.lock(name)
	lock.Lock()
	defer lock.Unlock()
	err := s.folder.Confirm(name)
	if errors.Is(err, fs.ErrNotExist) {
		err = s.make(id)
	}
	if err != nil {
		return fmt.Errorf("create key %s: %w", id, err)
	}
	return nil
}

// make writes a new key.
func (s *Store) make(id KeyID) error {
	secret := make([]byte, keySize)
	_, _ = rand.Read(secret) // never fails
	wrapped, err := s.wrap.Encrypt(secret, wrapping(id))
	if err != nil {
		return fmt.Errorf("wrap: %w", err)
	}
	file, err := s.folder.Create()
	if err != nil {
		return err
	}
	defer file.Discard()
	if _, err := file.Write(append([]byte{version}, wrapped...)); err != nil {
		return err
	}
	return file.Keep(fileName(id))
}

// Destroy destroys a key, and returns when that is on disk: nothing that it has sealed can be opened any more. It is no
// error if there is none.
//
// It reaches this folder, not backups of it, and not what the disk may still hold of a removed file: there the key is
// wrapped, and safe as long as the key-encryption key is.
func (s *Store) Destroy(ctx context.Context, id KeyID) error {
	if err := check(ctx, id); err != nil {
		return err
	}
	name := fileName(id)
	lock := s.lock(name)
	lock.Lock()
	defer lock.Unlock()
	err := s.folder.Remove(name)
	// Forgotten even if removing failed halfway: it is read again if it is still there.
	s.mu.Lock()
	s.destroyed++
	if e, ok := s.cached[id]; ok {
		s.recent.Remove(e)
		delete(s.cached, id)
	}
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("destroy key %s: %w", id, err)
	}
	return nil
}

// Digest returns the keyed digest of data, 32 bytes (HMAC-SHA-256), under a key that is derived from the store's secret
// for one purpose: the same data has unrelated digests for two purposes. It is the same for the life of the store.
func (s *Store) Digest(purpose string, data []byte) []byte {
	mac := hmac.New(sha256.New, derive(s.secret, "digest "+purpose))
	mac.Write(data)
	return mac.Sum(nil)
}

// key returns a key that exists.
func (s *Store) key(ctx context.Context, id KeyID) (*key, error) {
	if err := check(ctx, id); err != nil {
		return nil, err
	}
	s.mu.Lock()
	if e, ok := s.cached[id]; ok {
		s.recent.MoveToFront(e)
		k := e.Value.(*cachedKey).key //nolint:forcetypeassert // the list holds nothing else
		s.mu.Unlock()
		return k, nil
	}
	before := s.destroyed
	s.mu.Unlock()

	secret, err := s.unwrap(id)
	if err != nil {
		return nil, err
	}
	k := &key{}
	if k.bytes, err = aead.NewAESGCM(derive(secret, "bytes")); err != nil {
		return nil, err
	}
	if k.stream, err = streaming.NewAESGCMHKDF(derive(secret, "stream"), "SHA256", keySize, segment, 0); err != nil {
		return nil, err
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.cached[id]; ok || s.destroyed != before {
		return k, nil
	}
	s.cached[id] = s.recent.PushFront(&cachedKey{id: id, key: k})
	if oldest := s.recent.Back(); s.recent.Len() > s.limit {
		s.recent.Remove(oldest)
		delete(s.cached, oldest.Value.(*cachedKey).id) //nolint:forcetypeassert // the list holds nothing else
	}
	return k, nil
}

// unwrap reads a key from its file.
func (s *Store) unwrap(id KeyID) ([]byte, error) {
	file, err := s.folder.Open(fileName(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrNoKey, id)
	}
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", id, err)
	}
	defer func() { _ = file.Close() }() // nothing was written
	// A wrapped key has some hundred bytes, whatever wraps it; more than this is no key.
	wrapped, err := io.ReadAll(io.LimitReader(file, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", id, err)
	}
	if len(wrapped) == 0 || wrapped[0] != version {
		return nil, fmt.Errorf("%w: file of key %s", ErrCorrupt, id)
	}
	secret, err := s.wrap.Decrypt(wrapped[1:], wrapping(id))
	if err != nil || len(secret) != keySize {
		return nil, fmt.Errorf("%w: file of key %s", ErrCorrupt, id)
	}
	return secret, nil
}

// lock returns the lock of a key file, whose name begins with two digits of its digest.
func (s *Store) lock(name string) *sync.Mutex {
	b, _ := hex.DecodeString(name[:2]) // it was encoded by fileName
	return &s.making[b[0]]
}

func check(ctx context.Context, id KeyID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if n := len(id); n == 0 || n > MaxKeyID {
		return fmt.Errorf("%w: %d bytes, wants 1 to %d", ErrInvalid, n, MaxKeyID)
	}
	return nil
}

// fileName returns the name of a key's file: an id may hold what a file name may not.
func fileName(id KeyID) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// wrapping is the associated data of a wrapped key, so that a key file that is renamed does not open.
func wrapping(id KeyID) []byte { return AssociatedData("onething key", string(id)) }

// derive returns a key of its own for one use of a secret.
func derive(secret []byte, use string) []byte {
	k, err := hkdf.Expand(sha256.New, secret, "onething "+use, keySize)
	if err != nil {
		// Only for a length that SHA-256 cannot give, or a secret too short for FIPS mode; both are constants.
		panic(fmt.Sprintf("seal: derive a key: %v", err))
	}
	return k
}
