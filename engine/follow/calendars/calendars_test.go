package calendars_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/follow"
	"github.com/siyiban/onething/engine/follow/calendars"
	"github.com/siyiban/onething/engine/refusal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

const stream = "registry/calendar"

// office has open applications and takes commands.
type office struct {
	open []string
	fail map[string]error // of an application
	done []string         // application and request
	at   uint64           // position that was waited for
}

func (o *office) Open(_ context.Context, position uint64, token string, size int) ([]string, string, error) {
	o.at = position
	from, _ := strconv.Atoi(token)
	to := min(from+size, len(o.open))
	next := ""
	if to < len(o.open) {
		next = strconv.Itoa(to)
	}
	return o.open[from:to], next, nil
}

func (o *office) Do(_ context.Context, id, request string, actor *applicationv1.Actor, command application.Command) error {
	if _, ok := command.(application.SettleDates); !ok || actor.GetRole() != applicationv1.Role_ROLE_ENGINE {
		return errors.New("another command or actor")
	}
	if err := o.fail[id]; err != nil {
		return err
	}
	o.done = append(o.done, id+" "+request)
	return nil
}

func newHandler(t testing.TB, o *office) *calendars.Handler {
	t.Helper()
	h, err := calendars.New(calendars.Config{Engine: o, Applications: o, Stream: stream})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestDigest(t *testing.T) {
	t.Parallel()
	h := newHandler(t, &office{})
	for _, tt := range []struct {
		name   string
		append commitlog.Append
		want   []follow.Item
	}{
		{"a calendar", commitlog.Append{Stream: stream, Expected: 6, Events: make([]commitlog.Event, 1)}, []follow.Item{{Key: stream, Stream: stream, Payload: []byte("7")}}},
		{"a bundle", commitlog.Append{Stream: "registry/catalog", Events: make([]commitlog.Event, 1)}, nil},
		{"an application", commitlog.Append{Stream: "application/a", Events: make([]commitlog.Event, 1)}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := h.Digest(t.Context(), tt.append)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWork(t *testing.T) {
	t.Parallel()
	many := make([]string, 1203) // three pages
	for i := range many {
		many[i] = strconv.Itoa(i)
	}
	broken := errors.New("disk")
	for _, tt := range []struct {
		name   string
		office office
		failed bool
		done   int
	}{
		{name: "every page", office: office{open: many}, done: 1203},
		{name: "none is open", office: office{}},
		{name: "one that fails keeps no other", office: office{open: many, fail: map[string]error{"3": broken}}, failed: true, done: 1202},
		{name: "one that is over meanwhile", office: office{open: many, fail: map[string]error{"700": refusal.New(refusal.NotFound, "没有", "none")}}, done: 1202},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := tt.office
			err := newHandler(t, &o).Work(t.Context(), follow.Item{Key: stream, Stream: stream, Payload: []byte("7"), Position: 42})
			if (err != nil) != tt.failed || tt.failed && !errors.Is(err, broken) {
				t.Errorf("error %v", err)
			}
			if len(o.done) != tt.done {
				t.Errorf("%d were done, want %d", len(o.done), tt.done)
			}
			if o.at != 42 {
				t.Errorf("asked for what was open at %d", o.at)
			}
			for _, d := range o.done {
				if d[len(d)-len(" calendar/7"):] != " calendar/7" {
					t.Fatalf("request of %q", d)
				}
			}
			if slices.Sort(o.done); len(slices.Compact(o.done)) != tt.done {
				t.Error("one was done twice")
			}
		})
	}
}

func TestNew_RefusesAHole(t *testing.T) {
	t.Parallel()
	for _, c := range []calendars.Config{{}, {Engine: &office{}, Applications: &office{}}, {Engine: &office{}, Stream: stream}, {Applications: &office{}, Stream: stream}} {
		if _, err := calendars.New(c); err == nil {
			t.Errorf("opened with %+v", c)
		}
	}
}
