package engine_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/seal"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// requests are the messages with a request id, by name.
func requests(t testing.TB) []protoreflect.MessageType {
	t.Helper()
	var all []protoreflect.MessageType
	protoregistry.GlobalTypes.RangeMessages(func(m protoreflect.MessageType) bool {
		if m.Descriptor().FullName().Parent() == "onething.api.v1" && m.Descriptor().Fields().ByName("request_id") != nil {
			all = append(all, m)
		}
		return true
	})
	slices.SortFunc(all, func(a, b protoreflect.MessageType) int {
		return strings.Compare(string(a.Descriptor().FullName()), string(b.Descriptor().FullName()))
	})
	if len(all) < 20 {
		t.Fatalf("only %d kinds of request", len(all))
	}
	return all
}

func newKeys(t testing.TB) *seal.Store {
	t.Helper()
	keyset := filepath.Join(t.TempDir(), "keyset.json")
	if err := seal.GenerateKeyset(keyset); err != nil {
		t.Fatal(err)
	}
	aead, err := seal.ReadKeyset(keyset)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Open(seal.Config{Dir: filepath.Join(t.TempDir(), "keys"), KeyEncryption: aead})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keys.Close() })
	return keys
}

// Two requests have one digest only if the same person asks for the same thing in the same words, however they are
// written.
func FuzzRequestDigest(f *testing.F) {
	kinds, keys := requests(f), newKeys(f)
	kind := func(m proto.Message) uint8 {
		return uint8(slices.Index(kinds, m.ProtoReflect().Type()))
	}
	const id = "6f1c2a34-8f5e-4a0e-9d5b-0c2f6f1f2a11"
	add := func(by string, a proto.Message, with string, b proto.Message) {
		first, err := proto.Marshal(a)
		if err != nil {
			f.Fatal(err)
		}
		second, err := proto.Marshal(b)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(by, kind(a), first, with, kind(b), second)
	}
	task := strings.Repeat("3", 24)
	add("officer", &apiv1.ClaimTaskRequest{RequestId: id, Task: task}, "officer", &apiv1.ReleaseTaskRequest{RequestId: id, Task: task})
	add("officer", &apiv1.ClaimTaskRequest{RequestId: id, Task: task}, "another", &apiv1.ClaimTaskRequest{RequestId: id, Task: task})
	add("officer", &apiv1.ClaimTaskRequest{RequestId: id, Task: task, Minutes: 5}, "officer", &apiv1.ClaimTaskRequest{RequestId: id, Task: task})
	add("a", &apiv1.ClaimTaskRequest{RequestId: "b"}, "a\x00", &apiv1.ClaimTaskRequest{RequestId: "b"})
	f.Fuzz(func(t *testing.T, by string, a uint8, first []byte, with string, b uint8, second []byte) {
		one, other := kinds[int(a)%len(kinds)].New().Interface(), kinds[int(b)%len(kinds)].New().Interface()
		if proto.Unmarshal(first, one) != nil || proto.Unmarshal(second, other) != nil {
			return
		}
		digest := func(by string, m proto.Message) []byte {
			d, err := engine.RequestDigest(keys, engine.Request{ID: id, Subject: by, Content: m})
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		words := func(m proto.Message) []byte {
			w, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			return w
		}
		same := by == with && proto.MessageName(one) == proto.MessageName(other) && bytes.Equal(words(one), words(other))
		if got := bytes.Equal(digest(by, one), digest(with, other)); got != same {
			t.Errorf("%s by %q and %s by %q: one digest %t", proto.MessageName(one), by, proto.MessageName(other), with, got)
		}
		if len(one.ProtoReflect().GetUnknown()) > 0 {
			return
		}
		written, err := protojson.Marshal(one)
		if err != nil {
			return
		}
		read := one.ProtoReflect().New().Interface()
		if err := protojson.Unmarshal(written, read); err != nil || !proto.Equal(one, read) {
			return
		}
		if !bytes.Equal(digest(by, one), digest(by, read)) {
			t.Errorf("%s in JSON has another digest", proto.MessageName(one))
		}
	})
}
