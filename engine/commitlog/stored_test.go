package commitlog_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"buf.build/go/protovalidate"
	"github.com/google/go-cmp/cmp"
	"github.com/siyiban/onething/engine/commitlog"
	logv1 "github.com/siyiban/onething/proto/gen/onething/log/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func commit(change ...func(*commitlog.Commit)) commitlog.Commit {
	c := commitlog.Commit{
		RequestID: "0190f3a2-0000-7000-8000-000000000001",
		Digest:    bytes.Repeat([]byte{7}, 32),
		At:        time.Date(2026, 3, 2, 1, 30, 0, 5, time.UTC),
		Appends: []commitlog.Append{
			{Stream: "application/a", Expected: 3, Events: []commitlog.Event{
				{Version: 4, Type: "onething.application.v1.Event", Public: []byte("p"), Metadata: []byte("m"), Key: "application/a",
					Personal: []byte("sealed"), Commitment: bytes.Repeat([]byte{9}, 32)},
				{Version: 5, Type: "onething.application.v1.Event", Public: []byte("q")},
			}},
			{Stream: "person/1", Events: []commitlog.Event{{Version: 1, Type: "T"}}},
		},
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

func stored(tb testing.TB, c commitlog.Commit) []byte {
	tb.Helper()
	body, err := commitlog.Encode(c)
	if err != nil {
		tb.Fatal(err)
	}
	return body.Stored(2, 300)
}

func TestStored_RoundTrip(t *testing.T) {
	t.Parallel()
	want := commit()
	b := stored(t, want)
	got, err := commitlog.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	want.Epoch, want.Position = 2, 300
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
	clear(b)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the commit shares memory with its stored bytes (-want +got):\n%s", diff)
	}
	wantReceipt := commitlog.Receipt{Epoch: 2, Position: 300, Versions: map[string]uint64{"application/a": 5, "person/1": 1}}
	if diff := cmp.Diff(wantReceipt, got.Receipt()); diff != "" {
		t.Errorf("receipt (-want +got):\n%s", diff)
	}
}

// The bytes of format 1 are what evidence was made of: they never change.
func TestStored_Golden(t *testing.T) {
	t.Parallel()
	c := commit()
	c.Appends = c.Appends[1:]
	const want = "0801" + "1002" + "18ac02" + // format, epoch, position
		"2224303139306633613" + "22d303030302d373030302d383030302d303030303030303030303031" + // request id
		"2a20" + "0707070707070707070707070707070707070707070707070707070707070707" + // digest
		"3208" + "0898d093cd06" + "1005" + // recorded at, 1772415000 s and 5 ns
		"3a11" + "0a08706572736f6e2f31" + "1a05" + "0801" + "120154" // append
	if got := fmt.Sprintf("%x", stored(t, c)); got != want {
		t.Errorf("stored bytes\n got %s\nwant %s", got, want)
	}
}

// The stored form is the message of the schema in its canonical encoding, although two hands write it.
func TestStored_IsTheSchema(t *testing.T) {
	t.Parallel()
	var m logv1.Commit
	b := stored(t, commit())
	if err := proto.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	again, err := proto.MarshalOptions{Deterministic: true}.Marshal(&m)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, b) {
		t.Errorf("stored\n%x, canonical\n%x", b, again)
	}
	if m.GetFormat() != commitlog.Format || m.GetEpoch() != 2 || m.GetPosition() != 300 {
		t.Errorf("format %d, epoch %d, position %d", m.GetFormat(), m.GetEpoch(), m.GetPosition())
	}
}

// Each bound of the code is that of the schema: what stands at it is valid in both, what stands beyond it in neither.
func TestBounds_AreThoseOfTheSchema(t *testing.T) {
	t.Parallel()
	event := func(f func(*commitlog.Event)) func(*commitlog.Commit) {
		return func(c *commitlog.Commit) { f(&c.Appends[0].Events[0]) }
	}
	stream := func(s string) func(*commitlog.Commit) {
		return func(c *commitlog.Commit) { c.Appends[0].Stream = s }
	}
	appends := func(n int) func(*commitlog.Commit) {
		return func(c *commitlog.Commit) {
			c.Appends = c.Appends[:1]
			for i := range n - 1 {
				c.Appends = append(c.Appends, commitlog.Append{Stream: fmt.Sprint("s", i), Events: []commitlog.Event{{Type: "T"}}})
			}
		}
	}
	events := func(n int) func(*commitlog.Commit) {
		return func(c *commitlog.Commit) {
			c.Appends[1].Events = nil
			for range n {
				c.Appends[1].Events = append(c.Appends[1].Events, commitlog.Event{Type: "T"})
			}
		}
	}
	x := func(n int) string { return strings.Repeat("x", n) }
	for _, test := range []struct {
		name   string
		change func(*commitlog.Commit)
		valid  bool
	}{
		{"as it is", func(*commitlog.Commit) {}, true},
		{"request id at the bound", func(c *commitlog.Commit) { c.RequestID = x(commitlog.MaxRequestID) }, true},
		{"request id beyond", func(c *commitlog.Commit) { c.RequestID = x(commitlog.MaxRequestID + 1) }, false},
		{"request id in bytes, not letters", func(c *commitlog.Commit) { c.RequestID = strings.Repeat("办", 43) }, false},
		{"no request id", func(c *commitlog.Commit) { c.RequestID = "" }, false},
		{"shortest digest", func(c *commitlog.Commit) { c.Digest = make([]byte, commitlog.MinDigest) }, true},
		{"shorter digest", func(c *commitlog.Commit) { c.Digest = make([]byte, commitlog.MinDigest-1) }, false},
		{"longest digest", func(c *commitlog.Commit) { c.Digest = make([]byte, commitlog.MaxDigest) }, true},
		{"longer digest", func(c *commitlog.Commit) { c.Digest = make([]byte, commitlog.MaxDigest+1) }, false},
		{"most appends", appends(commitlog.MaxAppends), true},
		{"more appends", appends(commitlog.MaxAppends + 1), false},
		{"no appends", func(c *commitlog.Commit) { c.Appends = nil }, false},
		{"stream twice", func(c *commitlog.Commit) { c.Appends[1].Stream = c.Appends[0].Stream }, false},
		{"most events", events(commitlog.MaxEvents), true},
		{"more events", events(commitlog.MaxEvents + 1), false},
		{"no events", events(0), false},
		{"longest stream name", stream(x(commitlog.MaxStream)), true},
		{"longer stream name", stream(x(commitlog.MaxStream + 1)), false},
		{"no stream name", stream(""), false},
		{"every mark in a stream name", stream("a.b_c:d@e/f-0"), true},
		{"a mark first", stream("/a"), false},
		{"another mark", stream("a b"), false},
		{"Chinese stream name", stream("办件"), false},
		{"longest type", event(func(e *commitlog.Event) { e.Type = x(commitlog.MaxType) }), true},
		{"longer type", event(func(e *commitlog.Event) { e.Type = x(commitlog.MaxType + 1) }), false},
		{"type with a digit first", event(func(e *commitlog.Event) { e.Type = "1T" }), false},
		{"type with an underscore first", event(func(e *commitlog.Event) { e.Type = "_T" }), false},
		{"longest public part", event(func(e *commitlog.Event) { e.Public = make([]byte, commitlog.MaxPublic) }), true},
		{"longer public part", event(func(e *commitlog.Event) { e.Public = make([]byte, commitlog.MaxPublic+1) }), false},
		{"longest personal part", event(func(e *commitlog.Event) { e.Personal = make([]byte, commitlog.MaxPersonal) }), true},
		{"longer personal part", event(func(e *commitlog.Event) { e.Personal = make([]byte, commitlog.MaxPersonal+1) }), false},
		{"longest metadata", event(func(e *commitlog.Event) { e.Metadata = make([]byte, commitlog.MaxMetadata) }), true},
		{"longer metadata", event(func(e *commitlog.Event) { e.Metadata = make([]byte, commitlog.MaxMetadata+1) }), false},
		{"longest key id", event(func(e *commitlog.Event) { e.Key = x(commitlog.MaxKey) }), true},
		{"longer key id", event(func(e *commitlog.Event) { e.Key = x(commitlog.MaxKey + 1) }), false},
		{"shorter commitment", event(func(e *commitlog.Event) { e.Commitment = e.Commitment[1:] }), false},
		{"longer commitment", event(func(e *commitlog.Event) { e.Commitment = make([]byte, commitlog.CommitmentLen+1) }), false},
		{"no key", event(func(e *commitlog.Event) { e.Key = "" }), false},
		{"no personal part", event(func(e *commitlog.Event) { e.Personal = nil }), false},
		{"no commitment", event(func(e *commitlog.Event) { e.Commitment = nil }), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := commit(test.change)
			_, err := commitlog.Encode(c)
			if (err == nil) != test.valid {
				t.Errorf("code: %v, want valid %t", err, test.valid)
			}
			if err := protovalidate.Validate(message(c)); (err == nil) != test.valid {
				t.Errorf("schema: %v, want valid %t", err, test.valid)
			}
		})
	}
}

// message builds the schema's message of a commit without the code under test.
func message(c commitlog.Commit) *logv1.Commit {
	m := &logv1.Commit{Format: 1, Epoch: 1, Position: 1, RequestId: c.RequestID, Digest: c.Digest, RecordedAt: timestamppb.New(c.At)}
	for _, a := range c.Appends {
		s := &logv1.Append{Stream: a.Stream, ExpectedVersion: a.Expected}
		for j, e := range a.Events {
			s.Events = append(s.Events, &logv1.Envelope{Version: a.Expected + uint64(j) + 1, Type: e.Type, Public: e.Public,
				Metadata: e.Metadata, Key: e.Key, Personal: e.Personal, Commitment: e.Commitment})
		}
		m.Appends = append(m.Appends, s)
	}
	return m
}

func TestDecode_Refuses(t *testing.T) {
	t.Parallel()
	change := func(f func(*logv1.Commit)) []byte {
		m := message(commit())
		f(m)
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	whole := stored(t, commit())
	for _, test := range []struct {
		name   string
		stored []byte
		want   error
	}{
		{"nothing", nil, commitlog.ErrCorrupt},
		{"cut off", whole[:len(whole)-1], commitlog.ErrCorrupt},
		{"no format", change(func(m *logv1.Commit) { m.Format = 0 }), commitlog.ErrCorrupt},
		{"newer format", change(func(m *logv1.Commit) { m.Format = 2 }), commitlog.ErrFormat},
		{"newer format of another shape", append([]byte{8, 2}, protowire.AppendTag(nil, 2, protowire.EndGroupType)...), commitlog.ErrFormat},
		{"no epoch", change(func(m *logv1.Commit) { m.Epoch = 0 }), commitlog.ErrCorrupt},
		{"no position", change(func(m *logv1.Commit) { m.Position = 0 }), commitlog.ErrCorrupt},
		{"no time", change(func(m *logv1.Commit) { m.RecordedAt = nil }), commitlog.ErrCorrupt},
		{"no request id", change(func(m *logv1.Commit) { m.RequestId = "" }), commitlog.ErrCorrupt},
		{"a version left out", change(func(m *logv1.Commit) { m.Appends[0].Events[1].Version = 6 }), commitlog.ErrCorrupt},
		{"no version", change(func(m *logv1.Commit) { m.Appends[0].Events[1].Version = 0 }), commitlog.ErrCorrupt},
		{"no event", change(func(m *logv1.Commit) { m.Appends[0].Events = nil }), commitlog.ErrCorrupt},
		{"too large", append(bytes.Clone(whole), protowire.AppendBytes(protowire.AppendTag(nil, 99, protowire.BytesType),
			make([]byte, commitlog.MaxCommit))...), commitlog.ErrCorrupt},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if c, err := commitlog.Decode(test.stored); !errors.Is(err, test.want) {
				t.Errorf("decoded %+v, %v; want %v", c, err, test.want)
			}
		})
	}
}

// FuzzDecode feeds the decoder with what a disk might give back. Whatever it accepts is a commit that can be encoded
// again to the same one.
func FuzzDecode(f *testing.F) {
	f.Add(stored(f, commit()))
	f.Add([]byte{8, 1, 16, 1, 24, 1})
	f.Add([]byte{8, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := commitlog.Decode(b)
		if err != nil {
			if !errors.Is(err, commitlog.ErrCorrupt) && !errors.Is(err, commitlog.ErrFormat) {
				t.Fatalf("untyped error: %v", err)
			}
			return
		}
		fresh := c
		fresh.Epoch, fresh.Position = 0, 0
		body, err := commitlog.Encode(fresh)
		if err != nil {
			t.Fatalf("a decoded commit is refused: %v", err)
		}
		again, err := commitlog.Decode(body.Stored(c.Epoch, c.Position))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, again, cmp.Comparer(bytes.Equal)); diff != "" {
			t.Errorf("decoded again (-first +second):\n%s", diff)
		}
	})
}
