package api_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/siyiban/onething/engine/api"
)

// The server is healthy while it can answer; a part of it whose work waits for an operator is not, and calls go on.
func TestHealth(t *testing.T) {
	t.Parallel()
	var ready error
	var logged strings.Builder
	server := httptest.NewServer(api.New(api.Config{Logger: slog.New(slog.NewTextHandler(&logged, nil)), Clock: time.Now,
		Ready: func(context.Context) error { return ready },
		Parts: map[string]func(context.Context) error{
			"follow/steps":     func(context.Context) error { return errors.New("streams are parked: 2") },
			"follow/deadlines": func(context.Context) error { return nil },
		}}))
	t.Cleanup(server.Close)
	ask := func(service string) string {
		answer, err := server.Client().Post(server.URL+"/grpc.health.v1.Health/Check", "application/json", strings.NewReader(`{"service": "`+service+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var body strings.Builder
		if err := answer.Write(&body); err != nil {
			t.Fatal(err)
		}
		switch text := body.String(); {
		case strings.Contains(text, "NOT_SERVING"):
			return "NOT_SERVING"
		case strings.Contains(text, "SERVING"):
			return "SERVING"
		case strings.Contains(text, "not_found"):
			return "not_found"
		default:
			return text
		}
	}
	for _, tt := range []struct {
		name, service string
		ready         error
		want          string
	}{
		{"the server", "", nil, "SERVING"},
		{"a service", "onething.api.v1.IntakeService", nil, "SERVING"},
		{"a part that works", "follow/deadlines", nil, "SERVING"},
		{"a part with parked streams", "follow/steps", nil, "NOT_SERVING"},
		{"no such part", "follow/nobody", nil, "not_found"},
		{"a server that takes no writes", "", errors.New("no space left"), "NOT_SERVING"},
		{"its services neither", "onething.api.v1.IntakeService", errors.New("no space left"), "NOT_SERVING"},
		{"its parts work on", "follow/deadlines", errors.New("no space left"), "SERVING"},
	} {
		ready = tt.ready
		if got := ask(tt.service); got != tt.want {
			t.Errorf("%s is %s, want %s", tt.name, got, tt.want)
		}
	}
	if !strings.Contains(logged.String(), "streams are parked: 2") {
		t.Error("the operator is not told why")
	}
}
