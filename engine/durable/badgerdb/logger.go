package badgerdb

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
)

// Logger hands Badger's lines on, and remembers whether one of them says that something was not written: Badger tells of a
// failed sync of a value log, a table that it cannot write and a compaction that failed in a line only, and goes on.
type Logger struct {
	To     *slog.Logger
	failed atomic.Bool
	unread atomic.Int64
}

// Failed reports whether something was not written since the store was opened. What can be written later proves nothing about
// it: the system may have dropped it and forgotten that it did.
func (l *Logger) Failed() bool { return l.failed.Load() }

// Unread counts the lines about something that could not be read: a backup of Badger's leaves that out, and says so in a line only.
func (l *Logger) Unread() int64 { return l.unread.Load() }

// Errorf implements [badger.Logger].
func (l *Logger) Errorf(format string, args ...any) {
	// Not the errors about something that could not be read: whoever reads is told.
	reading := []string{"Unable to read:", "Key:", "Key [", "Invalid read:"}
	if !slices.ContainsFunc(reading, func(begin string) bool { return strings.HasPrefix(format, begin) }) {
		l.failed.Store(true)
	} else {
		l.unread.Add(1)
	}
	l.To.Error(line(format, args))
}

// Warningf implements [badger.Logger].
func (l *Logger) Warningf(format string, args ...any) {
	if strings.Contains(format, "Compact FAILED") {
		l.failed.Store(true)
	}
	if strings.HasPrefix(format, "While reading key:") {
		l.unread.Add(1)
	}
	l.To.Warn(line(format, args))
}

// Infof implements [badger.Logger].
func (l *Logger) Infof(format string, args ...any) { l.To.Debug(line(format, args)) }

// Debugf implements [badger.Logger]. It drops what Badger writes several times for each commit.
func (l *Logger) Debugf(string, ...any) {}

func line(format string, args []any) string {
	return "badger: " + strings.TrimSpace(fmt.Sprintf(format, args...))
}
