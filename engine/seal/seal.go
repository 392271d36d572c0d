package seal

import (
	"context"
	"encoding/binary"
	"fmt"
)

// Seal seals plaintext under a key that exists, bound to associated data: see [AssociatedData]. The result is 29 bytes
// longer. The error wraps [ErrNoKey] if there is no such key.
func (s *Store) Seal(ctx context.Context, id KeyID, plaintext, associated []byte) ([]byte, error) {
	k, err := s.key(ctx, id)
	if err != nil {
		return nil, err
	}
	sealed, err := k.bytes.Encrypt(plaintext, associated)
	if err != nil {
		return nil, fmt.Errorf("seal under %s: %w", id, err)
	}
	return append([]byte{version}, sealed...), nil
}

// Open opens what [Store.Seal] has sealed with the same key and the same associated data. The error wraps [ErrNoKey] if
// there is no such key, any more, and [ErrCorrupt] if the bytes do not open.
func (s *Store) Open(ctx context.Context, id KeyID, sealed, associated []byte) ([]byte, error) {
	k, err := s.key(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(sealed) < 1+nonceAndTag || sealed[0] != version {
		return nil, fmt.Errorf("%w: under key %s", ErrCorrupt, id)
	}
	plaintext, err := k.bytes.Decrypt(sealed[1:], associated)
	if err != nil {
		return nil, fmt.Errorf("%w: under key %s", ErrCorrupt, id)
	}
	return plaintext, nil
}

// AssociatedData returns what binds sealed bytes to their place: first a word for the kind of place, then what tells one
// of its kind from the others, for example "draft", its id and its revision. Different parts give different bytes,
// wherever one ends and the next begins.
func AssociatedData(parts ...string) []byte {
	var b []byte
	for _, p := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	return b
}
