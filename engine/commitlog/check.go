package commitlog

import (
	"fmt"
	"math"
	"unicode/utf8"
)

// Bounds of a commit, in bytes unless they count something. onething.log.v1 states the same ones; a test compares them.
const (
	MaxCommit     = 4 << 20
	MaxAppends    = 64
	MaxEvents     = 1024 // in one append
	MaxStream     = 200
	MaxRequestID  = 128
	MinDigest     = 16
	MaxDigest     = 64
	MaxType       = 200
	MaxPublic     = 1 << 20
	MaxPersonal   = 1 << 20
	MaxMetadata   = 16 << 10
	MaxKey        = 200
	CommitmentLen = 32
)

// check returns an error that wraps [ErrInvalid] or [ErrTooLarge] if c cannot be stored. It looks at everything but the
// size of the whole.
func check(c *Commit) error {
	if err := CheckRequestID(c.RequestID); err != nil {
		return err
	}
	if n := len(c.Digest); n < MinDigest || n > MaxDigest {
		return fmt.Errorf("%w: digest has %d bytes, wants %d to %d", ErrInvalid, n, MinDigest, MaxDigest)
	}
	// The range of google.protobuf.Timestamp, without the zero time, which is a forgotten one.
	if year := c.At.UTC().Year(); c.At.IsZero() || year < 1 || year > 9999 {
		return fmt.Errorf("%w: no usable time of recording", ErrInvalid)
	}
	if n := len(c.Appends); n == 0 || n > MaxAppends {
		return fmt.Errorf("%w: %d appends, wants 1 to %d", ErrInvalid, n, MaxAppends)
	}
	for i := range c.Appends {
		a := &c.Appends[i]
		if err := CheckStream(a.Stream); err != nil {
			return err
		}
		for _, b := range c.Appends[:i] {
			if a.Stream == b.Stream {
				return fmt.Errorf("%w: stream %s is appended to twice", ErrInvalid, a.Stream)
			}
		}
		if n := len(a.Events); n == 0 || n > MaxEvents {
			return fmt.Errorf("%w: %d events for stream %s, wants 1 to %d", ErrInvalid, n, a.Stream, MaxEvents)
		}
		if a.Expected > math.MaxUint64-MaxEvents {
			return fmt.Errorf("%w: expected version %d of stream %s cannot exist", ErrInvalid, a.Expected, a.Stream)
		}
		for j := range a.Events {
			e := &a.Events[j]
			if err := checkEvent(e, a.Expected+uint64(j)+1); err != nil {
				return fmt.Errorf("%w (event %d of stream %s)", err, j+1, a.Stream)
			}
		}
	}
	return nil
}

func checkEvent(e *Event, version uint64) error {
	switch {
	case e.Version != 0 && e.Version != version:
		return fmt.Errorf("%w: event says version %d and would be version %d", ErrInvalid, e.Version, version)
	case !isType(e.Type):
		return fmt.Errorf("%w: type is no name of a message of at most %d bytes", ErrInvalid, MaxType)
	case len(e.Public) > MaxPublic:
		return fmt.Errorf("%w: public part has %d bytes, at most %d", ErrTooLarge, len(e.Public), MaxPublic)
	case len(e.Metadata) > MaxMetadata:
		return fmt.Errorf("%w: metadata has %d bytes, at most %d", ErrTooLarge, len(e.Metadata), MaxMetadata)
	case len(e.Personal) > MaxPersonal:
		return fmt.Errorf("%w: personal part has %d bytes, at most %d", ErrTooLarge, len(e.Personal), MaxPersonal)
	case len(e.Key) > MaxKey || !utf8.ValidString(e.Key):
		return fmt.Errorf("%w: key id is no text of at most %d bytes", ErrInvalid, MaxKey)
	case len(e.Commitment) != 0 && len(e.Commitment) != CommitmentLen:
		return fmt.Errorf("%w: commitment has %d bytes, wants %d", ErrInvalid, len(e.Commitment), CommitmentLen)
	case (e.Key == "") != (len(e.Personal) == 0) || (e.Key == "") != (len(e.Commitment) == 0):
		return fmt.Errorf("%w: key, personal part and commitment are not all set or all empty", ErrInvalid)
	}
	return nil
}

// CheckStream returns an error that wraps [ErrInvalid] if no stream can have that name.
func CheckStream(name string) error {
	if n := len(name); n == 0 || n > MaxStream {
		return fmt.Errorf("%w: stream name has %d bytes, wants 1 to %d", ErrInvalid, n, MaxStream)
	}
	for i := range len(name) {
		if b := name[i]; !isAlphanumeric(b) && (i == 0 || !isMark(b)) {
			return fmt.Errorf("%w: stream name has byte %#02x at %d", ErrInvalid, b, i)
		}
	}
	return nil
}

// CheckRequestID returns an error that wraps [ErrInvalid] if no command can have that request id.
func CheckRequestID(id string) error {
	if n := len(id); n == 0 || n > MaxRequestID || !utf8.ValidString(id) {
		return fmt.Errorf("%w: request id of %d bytes is no text of 1 to %d", ErrInvalid, n, MaxRequestID)
	}
	return nil
}

func isType(s string) bool {
	if s == "" || len(s) > MaxType || !isAlphanumeric(s[0]) || '0' <= s[0] && s[0] <= '9' {
		return false
	}
	for i := range len(s) {
		if b := s[i]; !isAlphanumeric(b) && b != '_' && b != '.' {
			return false
		}
	}
	return true
}

func isAlphanumeric(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
}

func isMark(b byte) bool {
	switch b {
	case '.', '_', ':', '@', '/', '-':
		return true
	}
	return false
}
