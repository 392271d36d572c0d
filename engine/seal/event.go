package seal

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strconv"

	logv1 "github.com/siyiban/onething/proto/gen/onething/log/v1"
	"google.golang.org/protobuf/proto"
)

// saltSize is the size of the salt of a commitment.
const saltSize = 32

// Place is where an event stands in the log; its personal part opens nowhere else.
type Place struct {
	// Stream is the name of the stream.
	Stream string
	// Version is the version of the stream with the event.
	Version uint64
	// Type is the type of the event, as in its envelope.
	Type string
}

func (p Place) associated() []byte {
	return AssociatedData("event", p.Stream, strconv.FormatUint(p.Version, 10), p.Type)
}

// SealEvent seals the personal part of an event, and returns it with the commitment to its content, both as they stand
// in the envelope.
func (s *Store) SealEvent(ctx context.Context, id KeyID, at Place, content []byte) (personal, commitment []byte, err error) {
	commitment, salt := Commit(content)
	plain, err := proto.MarshalOptions{Deterministic: true}.Marshal(&logv1.Personal{Salt: salt, Content: content})
	if err != nil {
		return nil, nil, fmt.Errorf("encode personal part: %w", err)
	}
	if personal, err = s.Seal(ctx, id, plain, at.associated()); err != nil {
		return nil, nil, err
	}
	return personal, commitment, nil
}

// OpenEvent returns the content of the personal part of an event. The error wraps [ErrNoKey] if the key was destroyed,
// and [ErrCorrupt] if the part does not open here or is not what the commitment says.
func (s *Store) OpenEvent(ctx context.Context, id KeyID, at Place, personal, commitment []byte) ([]byte, error) {
	plain, err := s.Open(ctx, id, personal, at.associated())
	if err != nil {
		return nil, err
	}
	var m logv1.Personal
	if err := proto.Unmarshal(plain, &m); err != nil {
		// Without the cause, which may quote what it could not read.
		return nil, fmt.Errorf("%w: personal part of version %d of %s", ErrCorrupt, at.Version, at.Stream)
	}
	if !Verify(commitment, m.GetSalt(), m.GetContent()) {
		return nil, fmt.Errorf("%w: commitment of version %d of %s is to something else", ErrCorrupt, at.Version, at.Stream)
	}
	return m.GetContent(), nil
}

// Commit returns a commitment to content and the random salt that it was made with, 32 bytes each. Who has only the
// commitment learns nothing; who has content and salt can prove that it was this content and no other.
func Commit(content []byte) (commitment, salt []byte) {
	salt = make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails
	return commit(content, salt), salt
}

// Verify reports whether commitment was made to content with salt.
func Verify(commitment, salt, content []byte) bool {
	return len(salt) == saltSize && hmac.Equal(commitment, commit(content, salt))
}

func commit(content, salt []byte) []byte {
	mac := hmac.New(sha256.New, salt)
	mac.Write(content)
	return mac.Sum(nil)
}
