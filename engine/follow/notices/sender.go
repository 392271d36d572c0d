package notices

import (
	"context"
	"time"
)

// Message is a notice on its way.
type Message struct {
	ID         string // idempotency key: the same at every attempt
	Kind       string
	To         Recipient
	Department string
	Alias      string    // of the applicant, where several have to apply together
	Number     string    // of the application
	At         time.Time // when happened what it tells
	Now        time.Time // of this attempt

	// Phone and Mail are where it goes: of the applicant, as the record has it, or of an office. Either may be empty.
	Phone string
	Mail  []string

	Subject, Text string
}

// Sender sends messages by one way. It is safe for concurrent use.
type Sender interface {
	// Send returns nil once the receiver has taken the message. The error is a [*Failure], which says nothing that a
	// receiver has written: that may name a person.
	Send(ctx context.Context, m Message) error
}

// Failure is why a message was not taken.
type Failure struct {
	// Code is a word and perhaps a number: `http 503`.
	Code string
	// Permanent: it will never be.
	Permanent bool
	// After is how long the receiver asks to be left alone.
	After time.Duration
}

// Error returns the code.
func (f *Failure) Error() string { return f.Code }
