package badgerlog

import (
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
)

// logger hands Badger's lines on and counts the errors among them. Badger reports a failed sync of its value log as a
// line only, so an error line during a write is a failed write.
type logger struct {
	to     *slog.Logger
	errors atomic.Int64
}

func (l *logger) Errorf(format string, args ...any) {
	l.errors.Add(1)
	l.to.Error(line(format, args))
}

func (l *logger) Warningf(format string, args ...any) { l.to.Warn(line(format, args)) }
func (l *logger) Infof(format string, args ...any)    { l.to.Debug(line(format, args)) }

// Debugf drops what Badger writes several times for each commit.
func (l *logger) Debugf(string, ...any) {}

func line(format string, args []any) string {
	return "badger: " + strings.TrimSpace(fmt.Sprintf(format, args...))
}
