package capability_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/plugins/capability"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

func TestReplay(t *testing.T) {
	t.Parallel()
	recorded, _ := beginStore(pluginv1.Hook_HOOK_DECIDE, stored{"a": "1"})
	getA := &pluginv1.KeyValueRequest{Operation: kvGet, Key: "a"}
	putA := &pluginv1.KeyValueRequest{Operation: kvPut, Key: "a", Value: []byte("2")}
	lookUp := &pluginv1.SharedDataRequest{Source: "register", Key: "1", Purpose: "核对"}
	do(t, recorded, getA)
	do(t, recorded, putA)
	call(t, recorded, capability.SharedData, lookUp, new(pluginv1.SharedDataResponse))
	call(t, recorded, capability.Log, &pluginv1.LogRequest{Code: "counted"}, new(pluginv1.LogResponse)) // not granted: the guest saw that
	if n := len(recorded.Transcript()); n != 4 {
		t.Fatalf("%d calls recorded", n)
	}

	type step struct {
		function string
		request  proto.Message
	}
	whole := []step{{capability.KeyValue, getA}, {capability.KeyValue, putA}, {capability.SharedData, lookUp}, {capability.Log, &pluginv1.LogRequest{Code: "counted"}}}
	tests := []struct {
		name  string
		steps []step
		want  string
	}{
		{"the same", whole, ""},
		{"less", whole[:2], "host call 3, shared_data, was recorded and is not made"},
		{"another order", []step{whole[1], whole[0]}, "host call 1, key_value, is not what was recorded"},
		{"another function", []step{whole[2]}, "host call 1, shared_data, is not what was recorded"},
		{"more", append(whole[:4:4], whole[0]), "host call 5, key_value, is not what was recorded"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := capability.Replay(recorded.Transcript())
			for i, s := range test.steps {
				message, err := proto.Marshal(s.request)
				if err != nil {
					t.Fatal(err)
				}
				answer := r.Call(t.Context(), s.function, message)
				switch {
				case test.want == "":
					same(t, "answer", recorded.Transcript()[i].GetResponse(), answer)
				case r.Diverged() == test.want && s.function == capability.KeyValue && test.name == "another order":
					if !strings.Contains(string(answer), capability.RefusedNotRecorded) {
						t.Errorf("call %d is answered although the one before it was another: %q", i, answer)
					}
				}
			}
			same(t, "diverged", test.want, r.Diverged())
		})
	}
	// Headers in another order are the same request.
	var texts [2][]byte
	for i, order := range [][]string{{"Accept", "X-A"}, {"X-A", "Accept"}} {
		texts[i] = protowire.AppendTag(nil, 1, protowire.BytesType)
		texts[i] = protowire.AppendString(texts[i], "GET")
		for _, name := range order {
			entry := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), name)
			entry = protowire.AppendString(protowire.AppendTag(entry, 2, protowire.BytesType), name+"!")
			texts[i] = protowire.AppendBytes(protowire.AppendTag(texts[i], 3, protowire.BytesType), entry)
		}
	}
	ordered := capability.Replay([]*pluginv1.HostCall{{Function: capability.HTTP, Request: texts[0], Response: []byte("answer")}})
	same(t, "answer to the same headers", "answer", string(ordered.Call(t.Context(), capability.HTTP, texts[1])))
	r := capability.Replay(nil)
	same(t, "what was not recorded", "not_recorded", do(t, r, getA).GetRefused())
	same(t, "nor this", "not_recorded", call(t, r, capability.SharedData, lookUp, new(pluginv1.SharedDataResponse)).GetRefused())
	same(t, "nor this", "not_recorded", get(t, r, "https://ledger.example.cn/").GetRefused())
}
