package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/siyiban/onething/engine/durable"
)

// Errors of a store, for [errors.Is].
var (
	// ErrNotFound is returned for a digest under which nothing is stored.
	ErrNotFound = errors.New("blob: not found")
	// ErrCorrupt is returned by a reader whose bytes are not those of the digest.
	ErrCorrupt = errors.New("blob: corrupt")
	// ErrTooLarge is returned for a blob with more bytes than its limit. Nothing of it is stored.
	ErrTooLarge = errors.New("blob: too large")
	// ErrNoSpace is returned by Put while the disk has too little room. Nothing was stored.
	ErrNoSpace = durable.ErrNoSpace
	// ErrInvalid is returned for a text that is no digest.
	ErrInvalid = errors.New("blob: invalid digest")
)

// Digest is the address of a blob: the SHA-256 of its stored bytes, as 64 lower-case hexadecimal digits.
type Digest string

// Ref names a stored blob.
type Ref struct {
	// Digest is its address.
	Digest Digest
	// Size is how many bytes are stored.
	Size int64
}

// Store stores blobs. [Dir] is one; a bucket of an object store fits the same three methods.
type Store interface {
	// Put stores what r holds, of at most limit bytes, and returns when it is on disk. To store the same bytes again is
	// to store them once. The error wraps [ErrTooLarge] or [ErrNoSpace], or is that of r or ctx; then nothing is stored.
	Put(ctx context.Context, r io.Reader, limit int64) (Ref, error)
	// Get returns a blob, for the caller to close. Its bytes are verified while they are read: where they are not those
	// that were stored, the last read returns an error that wraps [ErrCorrupt] in place of [io.EOF], so what was read
	// before is not to be trusted until the end. The error of Get wraps [ErrNotFound] or [ErrInvalid].
	Get(ctx context.Context, d Digest) (io.ReadCloser, error)
	// Stat returns what Get would, without reading it. Its errors are those of Get.
	Stat(ctx context.Context, d Digest) (Ref, error)
}

// check returns an error that wraps [ErrInvalid] for a text that is no digest.
func (d Digest) check() error {
	b, err := hex.DecodeString(string(d))
	if err != nil || len(b) != sha256.Size || hex.EncodeToString(b) != string(d) {
		return fmt.Errorf("%w: wants %d lower-case hexadecimal digits", ErrInvalid, 2*sha256.Size)
	}
	return nil
}
