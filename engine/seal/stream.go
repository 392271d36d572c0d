package seal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	streaming "github.com/tink-crypto/tink-go/v2/streamingaead/subtle"
)

const (
	// segment is the size of a sealed segment: what is held in memory of a stream, twice.
	segment = 1 << 20
	// streamHeader is what stands before the first segment: our version, and Tink's length byte, salt and nonce prefix.
	streamHeader = 1 + 1 + keySize + streaming.AESGCMHKDFNoncePrefixSizeInBytes
)

// SealedSize returns how many bytes [Store.SealReader] makes of n.
func SealedSize(n int64) int64 {
	const tag = streaming.AESGCMHKDFTagSizeInBytes
	// Tink's header, without our version, is part of the first segment. An empty last segment is never added to a full one.
	segments := int64(1)
	if rest := n - (segment - tag - (streamHeader - 1)); rest > 0 {
		segments += (rest + segment - tag - 1) / (segment - tag)
	}
	return streamHeader + n + segments*tag
}

// SealReader returns a reader of what plain holds, sealed under a key that exists and bound to associated data. It holds
// some segments of 1 MiB in memory, never the whole. The error wraps [ErrNoKey] if there is no such key; the reader's
// errors are those of plain.
func (s *Store) SealReader(ctx context.Context, id KeyID, plain io.Reader, associated []byte) (io.Reader, error) {
	k, err := s.key(ctx, id)
	if err != nil {
		return nil, err
	}
	r := &sealingReader{plain: plain}
	r.sealed.WriteByte(version)
	if r.into, err = k.stream.NewEncryptingWriter(&r.sealed, associated); err != nil {
		return nil, fmt.Errorf("seal a stream under %s: %w", id, err)
	}
	return r, nil
}

type sealingReader struct {
	plain  io.Reader
	into   io.WriteCloser // seals into sealed
	sealed bytes.Buffer
	chunk  [32 << 10]byte
	err    error // what is returned when sealed has been read
}

func (r *sealingReader) Read(p []byte) (int, error) {
	for r.sealed.Len() == 0 && r.err == nil {
		n, err := r.plain.Read(r.chunk[:])
		if _, failed := r.into.Write(r.chunk[:n]); failed != nil {
			err = failed
		} else if errors.Is(err, io.EOF) {
			// Only now: a stream whose source failed stays without an end, and does not open.
			if failed := r.into.Close(); failed != nil {
				err = failed
			}
		}
		r.err = err
	}
	if r.sealed.Len() == 0 {
		return 0, r.err
	}
	return r.sealed.Read(p)
}

// OpenReader returns a reader of what [Store.SealReader] has sealed with the same key and the same associated data. What
// it returns has been verified, segment by segment; that nothing is cut off is known at the end only. The error wraps
// [ErrNoKey] if there is no such key, any more; the reader's errors are those of sealed, and [ErrCorrupt] if it does not
// open.
func (s *Store) OpenReader(ctx context.Context, id KeyID, sealed io.Reader, associated []byte) (io.Reader, error) {
	k, err := s.key(ctx, id)
	if err != nil {
		return nil, err
	}
	r := &openingReader{id: id}
	r.source.from = sealed
	var first [1]byte
	if _, err := io.ReadFull(&r.source, first[:]); err != nil || first[0] != version {
		return nil, r.cause()
	}
	if r.opened, err = k.stream.NewDecryptingReader(&r.source, associated); err != nil {
		return nil, r.cause()
	}
	return r, nil
}

type openingReader struct {
	id     KeyID
	source faithfulReader
	opened io.Reader
	err    error // once there was one, nothing else follows
}

func (r *openingReader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.opened.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = r.cause()
	}
	r.err = err
	return n, err
}

// cause returns why the stream cannot be opened: its source failed, or it is corrupt.
func (r *openingReader) cause() error {
	if r.source.err != nil {
		return r.source.err
	}
	return fmt.Errorf("%w: stream under key %s", ErrCorrupt, r.id)
}

// faithfulReader remembers the error of a reader, which Tink does not always hand on.
type faithfulReader struct {
	from io.Reader
	err  error
}

func (r *faithfulReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}
