package commitlog

import (
	"fmt"

	logv1 "github.com/siyiban/onething/proto/gen/onething/log/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Format is the format that this program writes, and the highest that it reads.
const Format = 1

// Field numbers of onething.log.v1.Commit that [Body.Stored] writes itself.
const (
	formatField   = 1
	epochField    = 2
	positionField = 3
)

// maxStamp is the most that format, epoch and position take: three tags of one byte, and three varints.
const maxStamp = 3 + 3*10

// Body is the stored form of a commit but for what the log gives it. It is made in the goroutine of the caller, so that
// a backend's one writer has little left to do.
type Body []byte

// Encode checks c, as a caller hands it to [Log.Append], and returns its body.
func Encode(c Commit) (Body, error) {
	if c.Epoch != 0 || c.Position != 0 {
		return nil, fmt.Errorf("%w: epoch and position are the log's to give", ErrInvalid)
	}
	if err := check(&c); err != nil {
		return nil, err
	}
	m := logv1.Commit{
		RequestId:  c.RequestID,
		Digest:     c.Digest,
		RecordedAt: timestamppb.New(c.At),
		Appends:    make([]*logv1.Append, len(c.Appends)),
	}
	for i, a := range c.Appends {
		stored := &logv1.Append{Stream: a.Stream, ExpectedVersion: a.Expected, Events: make([]*logv1.Envelope, len(a.Events))}
		for j, e := range a.Events {
			stored.Events[j] = &logv1.Envelope{
				Version:    a.Expected + uint64(j) + 1,
				Type:       e.Type,
				Public:     e.Public,
				Metadata:   e.Metadata,
				Key:        e.Key,
				Personal:   e.Personal,
				Commitment: e.Commitment,
			}
		}
		m.Appends[i] = stored
	}
	if n := proto.Size(&m) + maxStamp; n > MaxCommit {
		return nil, fmt.Errorf("%w: commit has %d bytes, at most %d", ErrTooLarge, n, MaxCommit)
	}
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(&m)
	if err != nil {
		return nil, fmt.Errorf("encode commit: %w", err)
	}
	return body, nil
}

// Stored returns the bytes that are stored for the commit at a position: the encoded onething.log.v1.Commit, its fields
// in the order of their numbers.
func (b Body) Stored(epoch, position uint64) []byte {
	out := make([]byte, 0, maxStamp+len(b))
	for _, f := range [...]struct {
		number protowire.Number
		value  uint64
	}{{formatField, Format}, {epochField, epoch}, {positionField, position}} {
		out = protowire.AppendTag(out, f.number, protowire.VarintType)
		out = protowire.AppendVarint(out, f.value)
	}
	return append(out, b...)
}

// Decode returns the commit that is stored as the given bytes; it keeps none of them. Its errors wrap [ErrFormat] for a
// format that this program does not know, and [ErrCorrupt] for bytes that no log has stored.
func Decode(stored []byte) (Commit, error) {
	var m logv1.Commit
	if err := proto.Unmarshal(stored, &m); err != nil {
		// A newer format may not even parse as this one, but it says so in the same place.
		if format, ok := formatOf(stored); ok && format > Format {
			return Commit{}, fmt.Errorf("%w: commit has format %d, this program knows %d", ErrFormat, format, Format)
		}
		return Commit{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	switch {
	case m.GetFormat() > Format:
		return Commit{}, fmt.Errorf("%w: commit has format %d, this program knows %d", ErrFormat, m.GetFormat(), Format)
	case len(stored) > MaxCommit:
		return Commit{}, fmt.Errorf("%w: %d bytes, at most %d", ErrCorrupt, len(stored), MaxCommit)
	case m.GetFormat() == 0 || m.GetEpoch() == 0 || m.GetPosition() == 0:
		return Commit{}, fmt.Errorf("%w: commit without format, epoch or position", ErrCorrupt)
	case m.GetRecordedAt().CheckValid() != nil:
		return Commit{}, fmt.Errorf("%w: %w", ErrCorrupt, m.GetRecordedAt().CheckValid())
	}
	c := Commit{
		Epoch:     m.GetEpoch(),
		Position:  m.GetPosition(),
		RequestID: m.GetRequestId(),
		Digest:    m.GetDigest(),
		At:        m.GetRecordedAt().AsTime(),
		Appends:   make([]Append, len(m.GetAppends())),
	}
	for i, a := range m.GetAppends() {
		c.Appends[i] = Append{Stream: a.GetStream(), Expected: a.GetExpectedVersion(), Events: make([]Event, len(a.GetEvents()))}
		for j, e := range a.GetEvents() {
			if e.GetVersion() == 0 {
				return Commit{}, fmt.Errorf("%w: event without version", ErrCorrupt)
			}
			c.Appends[i].Events[j] = Event{
				Version:    e.GetVersion(),
				Type:       e.GetType(),
				Public:     e.GetPublic(),
				Metadata:   e.GetMetadata(),
				Key:        e.GetKey(),
				Personal:   e.GetPersonal(),
				Commitment: e.GetCommitment(),
			}
		}
	}
	if err := check(&c); err != nil {
		return Commit{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return c, nil
}

// formatOf returns the format of stored bytes that could not be decoded, which every format writes first.
func formatOf(stored []byte) (uint64, bool) {
	number, wire, n := protowire.ConsumeTag(stored)
	if n < 0 || number != formatField || wire != protowire.VarintType {
		return 0, false
	}
	format, n := protowire.ConsumeVarint(stored[n:])
	return format, n >= 0
}
