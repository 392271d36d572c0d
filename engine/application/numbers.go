package application

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siyiban/onething/forms/kind"
)

// The printable numbers are digits only, so that they can be dictated on the telephone:
//
//	application   place(6) date(8) serial(6)                          check   21 digits
//	case          the same 20 digits, ordinal of the case(2)          check   23
//	notice        the same 20 digits, ordinal of the notice(4)        check   25
//	task          the same 20 digits, case(2), ordinal of the task(3) check   26
//
// The check digit is ISO 7064 MOD 11,10 (GB/T 17710): it finds every wrong digit and nearly every two that were
// exchanged. Serials come from a store and are given once; ordinals count what an application has, so none is
// ever used again.
const (
	baseLength        = 20
	applicationLength = baseLength + 1
	caseLength        = baseLength + 2 + 1
	noticeLength      = baseLength + 4 + 1
	taskLength        = baseLength + 2 + 3 + 1
)

// NumberKind says what a number names.
type NumberKind string

// What a number names.
const (
	NumberOfApplication NumberKind = "APPLICATION"
	NumberOfCase        NumberKind = "CASE"
	NumberOfTask        NumberKind = "TASK"
	NumberOfNotice      NumberKind = "NOTICE"
)

// Number is a printable number, taken apart.
type Number struct {
	Kind        NumberKind
	Application string    // number of the application that it belongs to
	Place       string    // region of the office, six digits
	Date        kind.Date // day of receipt
	Serial      int
	Case        int // ordinal, of a case or a task
	Ordinal     int // of a task within its case, or of a notice
}

// NewNumber returns the number of an application: the place of its office (six digits), its day of receipt, and a
// serial from 1 to 999999 that is given once for that place and day.
func NewNumber(place string, received kind.Date, serial int) (string, error) {
	if len(place) != 6 || !digits(place) {
		return "", fmt.Errorf("number of an application: place %q has not six digits", place)
	}
	if received.IsZero() || serial < 1 || serial > 999_999 {
		return "", fmt.Errorf("number of an application: day %s or serial %d is out of range", received, serial)
	}
	return checked(place + strings.ReplaceAll(received.String(), "-", "") + fmt.Sprintf("%06d", serial)), nil
}

// ParseNumber takes a number apart; ok is false if it is none: a wrong length, check digit or date.
func ParseNumber(number string) (n Number, ok bool) {
	if len(number) < applicationLength || !digits(number) || checked(number[:len(number)-1]) != number {
		return Number{}, false
	}
	switch len(number) {
	case applicationLength:
		n.Kind = NumberOfApplication
	case caseLength:
		n.Kind, n.Case = NumberOfCase, value(number[20:22])
	case noticeLength:
		n.Kind, n.Ordinal = NumberOfNotice, value(number[20:24])
	case taskLength:
		n.Kind, n.Case, n.Ordinal = NumberOfTask, value(number[20:22]), value(number[22:25])
	default:
		return Number{}, false
	}
	n.Application = checked(number[:baseLength])
	n.Place, n.Serial = number[:6], value(number[14:20])
	n.Date, ok = kind.ParseDate(number[6:10] + "-" + number[10:12] + "-" + number[12:14])
	return n, ok
}

// caseNumber is the number of the n-th case of an application, from 1.
func caseNumber(application string, n int) string {
	return checked(application[:baseLength] + fmt.Sprintf("%02d", n))
}

// noticeNumber is the number of the n-th notice of an application, from 1.
func noticeNumber(application string, n int) string {
	return checked(application[:baseLength] + fmt.Sprintf("%04d", n))
}

// taskNumber is the number of the n-th task of a case, from 1.
func taskNumber(caseNumber string, n int) string {
	return checked(caseNumber[:baseLength+2] + fmt.Sprintf("%03d", n))
}

// nextNotice is the number of the notice that goes out next.
func (s State) nextNotice() string { return noticeNumber(s.Number, s.Notices+1) }

// nextTask is the number of the task of a case that opens next.
func (s State) nextTask(c *Case) string {
	n := 1
	for _, t := range slices.Concat(s.Tasks, s.FollowUps) {
		if t.Bundle == c.Bundle {
			n++
		}
	}
	return taskNumber(c.Number, n)
}

// checked returns the digits with their check digit, ISO 7064 MOD 11,10.
func checked(text string) string {
	p := 10
	for _, c := range []byte(text) {
		p = (p + int(c-'0')) % 10
		if p == 0 {
			p = 10
		}
		p = p * 2 % 11
	}
	return text + string(rune('0'+(11-p)%10))
}

func digits(text string) bool {
	return strings.Trim(text, "0123456789") == ""
}

func value(text string) (n int) {
	for _, c := range []byte(text) {
		n = 10*n + int(c-'0')
	}
	return n
}
