package observe

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Checks say, by name, why a server is not as it should be; nil if it is. Their errors hold no personal data and no id.
type Checks map[string]func(context.Context) error

// Look asks each check.
func (c Checks) Look(ctx context.Context) map[string]error {
	causes := make(map[string]error, len(c))
	for name, look := range c {
		causes[name] = look(ctx)
	}
	return causes
}

// ServeHTTP answers with a line for each check: 200 if all pass, else 503 with the causes.
func (c Checks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	causes := c.Look(r.Context())
	var text strings.Builder
	status := http.StatusOK
	for _, name := range slices.Sorted(maps.Keys(causes)) {
		if cause := causes[name]; cause != nil {
			status = http.StatusServiceUnavailable
			fmt.Fprintf(&text, "[-]%s: %v\n", name, cause)
		} else {
			fmt.Fprintf(&text, "[+]%s ok\n", name)
		}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprint(w, text.String())
}

// Herald says in the log when a check begins to fail and when it passes again, once each.
type Herald struct {
	Logger *slog.Logger

	mu     sync.Mutex
	failed map[string]bool
}

// Tell compares what the checks have found with what was told before.
func (h *Herald) Tell(ctx context.Context, causes map[string]error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failed == nil {
		h.failed = map[string]bool{}
	}
	for _, name := range slices.Sorted(maps.Keys(causes)) {
		switch cause := causes[name]; {
		case cause != nil && !h.failed[name]:
			h.Logger.LogAttrs(ctx, slog.LevelError, "not ready", slog.String("check", name), slog.String("cause", cause.Error()))
		case cause == nil && h.failed[name]:
			h.Logger.LogAttrs(ctx, slog.LevelInfo, "ready again", slog.String("check", name))
		}
		h.failed[name] = causes[name] != nil
	}
}
