package badgerlog

import (
	"log/slog"
	"testing"

	"github.com/siyiban/onething/engine/commitlog/logtest"
)

func openLog(tb testing.TB, dir string) *Log {
	tb.Helper()
	l, err := Open(Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func TestLog(t *testing.T) {
	t.Parallel()
	logtest.Run(t, func(tb testing.TB, dir string) logtest.Log { return openLog(tb, dir) })
}
