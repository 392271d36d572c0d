package documents_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/fold"
	"github.com/siyiban/onething/engine/follow"
	"github.com/siyiban/onething/engine/follow/documents"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// made are the requests under which documents were to be made.
type made []string

// MakeDocuments implements [documents.Engine].
func (m *made) MakeDocuments(_ context.Context, id, requestID string) error {
	*m = append(*m, id+" "+requestID)
	return nil
}

func TestHandler(t *testing.T) {
	t.Parallel()
	accepted := &applicationv1.Event{Kind: &applicationv1.Event_Accepted{Accepted: &applicationv1.Accepted{Bundle: "b"}}}
	written := &applicationv1.Event{Kind: &applicationv1.Event_DocumentMade{DocumentMade: &applicationv1.DocumentMade{Number: "n"}}}
	claimed := &applicationv1.Event{Kind: &applicationv1.Event_TaskClaimed{TaskClaimed: &applicationv1.TaskClaimed{Task: "1"}}}
	for _, test := range []struct {
		name   string
		stream string
		events []*applicationv1.Event
		want   made
	}{
		{"one of several events gives rise to a document", fold.Stream("a"), []*applicationv1.Event{claimed, accepted, claimed}, made{"a documents/9"}},
		{"two do, in one piece of work", fold.Stream("a"), []*applicationv1.Event{accepted, accepted, accepted}, made{"a documents/9"}},
		{"none does", fold.Stream("a"), []*applicationv1.Event{claimed, claimed, claimed}, nil},
		{"what was made makes nothing", fold.Stream("a"), []*applicationv1.Event{written, written, written}, nil},
		{"another kind of stream", "calendar", []*applicationv1.Event{accepted, accepted, accepted}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var done made
			h, err := documents.New(&done)
			if err != nil {
				t.Fatal(err)
			}
			a := commitlog.Append{Stream: test.stream, Expected: 6}
			for i, e := range test.events {
				public, err := proto.Marshal(e)
				if err != nil {
					t.Fatal(err)
				}
				a.Events = append(a.Events, commitlog.Event{Version: uint64(7 + i), Public: public})
			}
			items, err := h.Digest(t.Context(), a)
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range items {
				if err := h.Work(t.Context(), item); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(test.want, done); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := documents.New(nil); err == nil {
		t.Error("a follower that stands on nothing")
	}
}

// An event that cannot be read parks its stream; it is not passed over.
func TestHandler_Unreadable(t *testing.T) {
	t.Parallel()
	h, err := documents.New(new(made))
	if err != nil {
		t.Fatal(err)
	}
	var items []follow.Item
	if items, err = h.Digest(t.Context(), commitlog.Append{Stream: fold.Stream("a"), Events: []commitlog.Event{{Version: 1, Public: []byte{0xff}}}}); err == nil {
		t.Errorf("digested to %v", items)
	}
}
