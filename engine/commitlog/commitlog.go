package commitlog

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"google.golang.org/protobuf/proto"
)

// Errors of a log, for [errors.Is]. Each is wrapped with what was asked.
var (
	// ErrConflict is returned for an append that expects another version than the stream has.
	ErrConflict = errors.New("commitlog: version conflict")
	// ErrRequestReused is returned for a request id under which another command was committed.
	ErrRequestReused = errors.New("commitlog: request id used for another command")
	// ErrInvalid is returned for a commit that breaks a bound of the schema, or a stream or request id that cannot
	// exist. The text says which.
	ErrInvalid = errors.New("commitlog: invalid commit")
	// ErrTooLarge is returned for a commit or an event with more bytes than the schema allows.
	ErrTooLarge = errors.New("commitlog: commit too large")
	// ErrNoSpace is returned while the disk has too little room to write safely. Nothing was written; appends are
	// accepted again when there is room.
	ErrNoSpace = errors.New("commitlog: no space left")
	// ErrStopped is returned after a write failed: what is on disk behind the last acknowledged commit is not known,
	// and nothing is appended until the log is opened again.
	ErrStopped = errors.New("commitlog: stopped after a failed write")
	// ErrReadOnly is returned by an append to a log that was opened to be read only.
	ErrReadOnly = errors.New("commitlog: opened to be read only")
	// ErrFormat is returned for a store or a commit in a format that this program does not know.
	ErrFormat = errors.New("commitlog: unknown format")
	// ErrCorrupt is returned for stored bytes that are no commit, or not the one that should be there.
	ErrCorrupt = errors.New("commitlog: corrupt")
	// ErrAhead is returned to a follower whose position is beyond the end of the log: it has seen commits that this
	// log does not have, so the log was restored or is another one.
	ErrAhead = errors.New("commitlog: position is beyond the end of the log")
	// ErrClosed is returned after the log was closed.
	ErrClosed = errors.New("commitlog: closed")
)

// Log is an append-only log of commits; the package comment says what it promises. It is safe for concurrent use.
type Log interface {
	// Append commits c and returns where, after it is on disk. For a request id that was committed before it returns
	// the receipt of then. Epoch and position of c must be zero, since the log gives them; the version of an event
	// may be zero or the one that it gets.
	//
	// Errors: [ErrInvalid], [ErrTooLarge], [ErrConflict], [ErrRequestReused], [ErrNoSpace], [ErrStopped],
	// [ErrReadOnly], [ErrClosed], and the error of ctx. Where ctx ended or the log was stopped, the commit may be there or not: the
	// caller asks again with the same request id.
	Append(ctx context.Context, c Commit) (Receipt, error)

	// Lookup returns the receipt and the command's digest of the commit that was made under a request id, whose scope
	// is stream; false if there is none.
	Lookup(ctx context.Context, stream, requestID string) (Receipt, []byte, bool, error)

	// Read returns the events of a stream with a version greater than after, in order, up to those that were
	// acknowledged when Read reached its end. A stream that does not exist has no events. An error ends the sequence.
	Read(ctx context.Context, stream string, after uint64) iter.Seq2[Event, error]

	// Follow returns the commits after a position, in order, and waits for new ones. It ends with the consumer,
	// or with an error as its last element: that of ctx, [ErrClosed], [ErrStopped] when all that is acknowledged has
	// been returned, or [ErrAhead]. It takes no lock while the consumer works, so a slow one delays nobody.
	//
	// A cursor is the Epoch and Position of the last commit that the consumer has dealt with.
	Follow(ctx context.Context, after uint64) iter.Seq2[Commit, error]
}

// Commit is the atomic, ordered unit of the log; its stored form is onething.log.v1.Commit, where each part is
// described and bounded.
type Commit struct {
	// Epoch and Position are given by the log.
	Epoch, Position uint64
	// RequestID is the caller's id of the command, unique within the stream of the first append.
	RequestID string
	// Digest is the keyed digest of the command.
	Digest []byte
	// At is when the command was decided. It is stored in UTC.
	At time.Time
	// Appends are what is appended to which stream, each stream once.
	Appends []Append
}

// Append is what a commit adds to one stream.
type Append struct {
	// Stream is the name of the stream.
	Stream string
	// Expected is the version that the stream has before; 0 begins it.
	Expected uint64
	// Events are at least one.
	Events []Event
}

// Event is one event in its envelope.
type Event struct {
	// Version is the version of the stream with this event.
	Version uint64
	// Type is the full name of the message in Public.
	Type string
	// Public is what everyone who may read the log can read.
	Public []byte
	// Metadata says who caused the event; it is public.
	Metadata []byte
	// Key is the id of the key that sealed Personal; it, Personal and Commitment are all set or all empty.
	Key string
	// Personal is the sealed personal part, and Commitment the salted commitment to its content.
	Personal, Commitment []byte
}

// Public returns an event that holds a message in its public part, and nothing else.
func Public(m proto.Message) (Event, error) {
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return Event{}, fmt.Errorf("marshal event: %w", err)
	}
	return Event{Type: string(m.ProtoReflect().Descriptor().FullName()), Public: text}, nil
}

// Receipt says where a commit was made.
type Receipt struct {
	// Epoch and Position are the place in the log.
	Epoch, Position uint64
	// Versions are the versions of the commit's streams after it.
	Versions map[string]uint64
}

// Receipt returns the receipt of a commit that was made.
func (c Commit) Receipt() Receipt {
	r := Receipt{Epoch: c.Epoch, Position: c.Position, Versions: make(map[string]uint64, len(c.Appends))}
	for _, a := range c.Appends {
		r.Versions[a.Stream] = a.Last()
	}
	return r
}

// Last returns the version of the stream after the append.
func (a Append) Last() uint64 { return a.Expected + uint64(len(a.Events)) }
