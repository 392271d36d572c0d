package capability_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/siyiban/onething/plugins/capability"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

func TestLog(t *testing.T) {
	t.Parallel()
	many := map[string]int64{}
	for i := range 9 {
		many[fmt.Sprint("n", i)] = 1
	}
	tests := []struct {
		name    string
		request *pluginv1.LogRequest
		refused string
		line    string
	}{
		{"with numbers", &pluginv1.LogRequest{Code: "counted", Numbers: map[string]int64{"rows": 3, "millis": -20}}, "",
			"level=INFO msg=\"plugin says\" plugin=bank/ledger version=1.2.0 hook=decide application=A-T-1 code=counted numbers.millis=-20 numbers.rows=3\n"},
		{"without", &pluginv1.LogRequest{Code: "counted"}, "", "level=INFO msg=\"plugin says\" plugin=bank/ledger version=1.2.0 hook=decide application=A-T-1 code=counted\n"},
		{"a code that is not listed", &pluginv1.LogRequest{Code: "other"}, "bad_request", ""},
		{"a telephone number", &pluginv1.LogRequest{Code: "counted", Numbers: map[string]int64{"n": 13800000000}}, "bad_request", ""},
		{"a billion", &pluginv1.LogRequest{Code: "counted", Numbers: map[string]int64{"n": 1_000_000_000}}, "bad_request", ""},
		{"minus a billion", &pluginv1.LogRequest{Code: "counted", Numbers: map[string]int64{"n": -1_000_000_000}}, "bad_request", ""},
		{"a name that is a text", &pluginv1.LogRequest{Code: "counted", Numbers: map[string]int64{"张三": 1}}, "bad_request", ""},
		{"a long name", &pluginv1.LogRequest{Code: "counted", Numbers: map[string]int64{strings.Repeat("n", 41): 1}}, "bad_request", ""},
		{"many numbers", &pluginv1.LogRequest{Code: "counted", Numbers: many}, "bad_request", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder
			var lines []capability.Line
			drop := func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			}
			c := capability.New(capability.Config{
				Application: func(task string) string { return "A-" + task }, Lines: func(l capability.Line) { lines = append(lines, l) },
				Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: drop})),
			}).Begin(manifestOf(capability.Log), []string{capability.Log}, decideRequest())
			same(t, "refused", test.refused, call(t, c, capability.Log, test.request, new(pluginv1.LogResponse)).GetRefused())
			same(t, "log", test.line, log.String())
			var want []capability.Line
			if test.refused == "" {
				want = []capability.Line{{Plugin: "bank/ledger", Version: "1.2.0", Department: "bank", Hook: "decide", Application: "A-T-1", Code: "counted", Numbers: test.request.GetNumbers()}}
			}
			same(t, "lines", want, lines)
		})
	}
}
