package fold_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/badgerlog"
	"github.com/siyiban/onething/engine/fold"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

func TestStates(t *testing.T) {
	t.Parallel()
	log, err := badgerlog.Open(badgerlog.Config{Dir: filepath.Join(t.TempDir(), "log"), Logger: slog.New(slog.DiscardHandler), MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	for i, e := range []*applicationv1.Event{
		{Kind: &applicationv1.Event_Submitted{Submitted: &applicationv1.Submitted{Number: "1", Cases: []*applicationv1.SubmittedCase{{Bundle: "newborn"}}}}},
		nil, // cannot be read
		{Kind: &applicationv1.Event_Withdrawn{Withdrawn: &applicationv1.Withdrawn{Bundle: "newborn"}}},
	} {
		public := []byte{0xff}
		if e != nil {
			if public, err = proto.Marshal(e); err != nil {
				t.Fatal(err)
			}
		}
		_, err := log.Append(t.Context(), commitlog.Commit{RequestID: fmt.Sprint(i), Digest: bytes.Repeat([]byte{1}, 32), At: time.Unix(1, 0), Appends: []commitlog.Append{{
			Stream: fold.Stream("a"), Expected: uint64(i), Events: []commitlog.Event{{Type: "onething.application.v1.Event", Public: public}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	states := fold.New(log)
	// Also backwards, and twice: what is remembered is not taken for what was asked.
	for _, version := range []uint64{3, 1, 2, 0, 3, 1} {
		s, err := states.At(t.Context(), "a", version)
		if err != nil {
			t.Fatal(err)
		}
		want := map[uint64]application.CaseState{1: application.PreReview, 2: application.PreReview, 3: application.Withdrawn}[version]
		got := application.CaseState("")
		if len(s.Cases) > 0 {
			got = s.Cases[0].State
		}
		if s.ID != "a" || s.Version != int64(version) || got != want {
			t.Errorf("at version %d: %s at version %d is %q, want %q", version, s.ID, s.Version, got, want)
		}
	}
	if _, err := states.At(t.Context(), "a", 4); !errors.Is(err, commitlog.ErrCorrupt) {
		t.Errorf("a version that does not exist: %v", err)
	}
	if id, ok := fold.ID("application/a"); !ok || id != "a" {
		t.Errorf("got %q, %v", id, ok)
	}
	if _, ok := fold.ID("registry/catalog"); ok {
		t.Error("another kind of stream is an application's")
	}
}
