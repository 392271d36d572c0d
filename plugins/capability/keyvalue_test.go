package capability_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/siyiban/onething/plugins/capability"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// stored is a department's store: values by key, each written with version 7.
type stored map[string]string

func (s stored) Get(key string) ([]byte, uint64) {
	value, ok := s[key]
	if !ok {
		return nil, 0
	}
	return []byte(value), 7
}

func (s stored) Keys(prefix, after string, limit int) []string {
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(s)) {
		if strings.HasPrefix(key, prefix) && key > after && len(keys) < limit {
			keys = append(keys, key)
		}
	}
	return keys
}

func (s stored) Bytes() (size int) {
	for key, value := range s {
		size += len(key) + len(value)
	}
	return size
}

// stores have a store for each department, and count how often one was read.
type stores struct {
	by   map[string]stored
	read int
}

func (s *stores) Snapshot(_ context.Context, department string) (capability.Snapshot, error) {
	s.read++
	if s.by[department] == nil {
		return nil, errors.New("the log is closed")
	}
	return s.by[department], nil
}

const (
	kvGet    = pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_GET
	kvPut    = pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_PUT
	kvDelete = pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_DELETE
	kvList   = pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_LIST
)

// beginStore begins a call of a plugin of the bank's whose store holds something.
func beginStore(hook pluginv1.Hook, held stored) (*capability.Call, *stores) {
	behind := &stores{by: map[string]stored{"bank": held}}
	return capability.New(capability.Config{KeyValue: behind}).Begin(manifestOf(capability.KeyValue), []string{capability.KeyValue}, &pluginv1.Request{Hook: hook}), behind
}

func do(t testing.TB, c capability.Session, q *pluginv1.KeyValueRequest) *pluginv1.KeyValueResponse {
	t.Helper()
	return call(t, c, capability.KeyValue, q, new(pluginv1.KeyValueResponse))
}

func TestKeyValue_ReadsItsOwnWrites(t *testing.T) {
	t.Parallel()
	c, behind := beginStore(pluginv1.Hook_HOOK_DECIDE, stored{"a": "1", "b": "2", "other": "3"})
	steps := []struct {
		request *pluginv1.KeyValueRequest
		want    *pluginv1.KeyValueResponse
	}{
		{&pluginv1.KeyValueRequest{Operation: kvGet, Key: "a"}, &pluginv1.KeyValueResponse{Found: true, Value: []byte("1")}},
		{&pluginv1.KeyValueRequest{Operation: kvGet, Key: "none"}, &pluginv1.KeyValueResponse{}},
		{&pluginv1.KeyValueRequest{Operation: kvPut, Key: "a", Value: []byte("10")}, &pluginv1.KeyValueResponse{}},
		{&pluginv1.KeyValueRequest{Operation: kvGet, Key: "a"}, &pluginv1.KeyValueResponse{Found: true, Value: []byte("10")}},
		{&pluginv1.KeyValueRequest{Operation: kvPut, Key: "ab"}, &pluginv1.KeyValueResponse{}},
		{&pluginv1.KeyValueRequest{Operation: kvGet, Key: "ab"}, &pluginv1.KeyValueResponse{Found: true}},
		{&pluginv1.KeyValueRequest{Operation: kvDelete, Key: "b"}, &pluginv1.KeyValueResponse{}},
		{&pluginv1.KeyValueRequest{Operation: kvGet, Key: "b"}, &pluginv1.KeyValueResponse{}},
		{&pluginv1.KeyValueRequest{Operation: kvList}, &pluginv1.KeyValueResponse{Keys: []string{"a", "ab", "other"}}},
		{&pluginv1.KeyValueRequest{Operation: kvList, Key: "a", After: "a"}, &pluginv1.KeyValueResponse{Keys: []string{"ab"}}},
		{&pluginv1.KeyValueRequest{Operation: kvList, Limit: 1}, &pluginv1.KeyValueResponse{Keys: []string{"a"}}},
	}
	for i, step := range steps {
		same(t, fmt.Sprint("step ", i), step.want, do(t, c, step.request))
	}
	same(t, "snapshots", 1, behind.read)
	same(t, "recorded", len(steps), len(c.Transcript()))
	w := c.Writes()
	same(t, "department", "bank", w.Department)
	same(t, "read", map[string]uint64{"a": 7, "none": 0}, w.Read)
	same(t, "written", map[string][]byte{"a": []byte("10"), "ab": {}, "b": nil}, w.Written)
	if len(w.Listed) != 3 || !slices.Equal(w.Listed[1].Keys, []string(nil)) || !slices.Equal(w.Listed[0].Keys, []string{"a", "b", "other"}) {
		t.Errorf("listed %+v", w.Listed)
	}
	if w.Written["ab"] == nil || w.Written["b"] != nil {
		t.Error("an empty value and a removed key are one")
	}
}

func TestKeyValue_Refusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		hook    pluginv1.Hook
		request *pluginv1.KeyValueRequest
		want    string
	}{
		{"prefill reads", pluginv1.Hook_HOOK_PREFILL, &pluginv1.KeyValueRequest{Operation: kvGet, Key: "a"}, ""},
		{"prefill writes", pluginv1.Hook_HOOK_PREFILL, &pluginv1.KeyValueRequest{Operation: kvPut, Key: "a"}, "read_only"},
		{"prefill removes", pluginv1.Hook_HOOK_PREFILL, &pluginv1.KeyValueRequest{Operation: kvDelete, Key: "a"}, "read_only"},
		{"check writes", pluginv1.Hook_HOOK_CHECK, &pluginv1.KeyValueRequest{Operation: kvPut, Key: "a"}, ""},
		{"no operation", pluginv1.Hook_HOOK_CHECK, &pluginv1.KeyValueRequest{Key: "a"}, "bad_request"},
		{"an unknown operation", pluginv1.Hook_HOOK_CHECK, &pluginv1.KeyValueRequest{Operation: 9, Key: "a"}, "bad_request"},
		{"no key", pluginv1.Hook_HOOK_CHECK, &pluginv1.KeyValueRequest{Operation: kvGet}, "bad_request"},
		{"a long key", pluginv1.Hook_HOOK_CHECK, &pluginv1.KeyValueRequest{Operation: kvGet, Key: strings.Repeat("k", 201)}, "bad_request"},
		{"a key of two lines", pluginv1.Hook_HOOK_CHECK, &pluginv1.KeyValueRequest{Operation: kvPut, Key: "a\nb"}, "bad_request"},
		{"a large value", pluginv1.Hook_HOOK_CHECK, &pluginv1.KeyValueRequest{Operation: kvPut, Key: "a", Value: make([]byte, 64<<10+1)}, "bad_request"},
		{"the largest value", pluginv1.Hook_HOOK_CHECK, &pluginv1.KeyValueRequest{Operation: kvPut, Key: "a", Value: make([]byte, 64<<10)}, ""},
		{"GET with a value", pluginv1.Hook_HOOK_CHECK, &pluginv1.KeyValueRequest{Operation: kvGet, Key: "a", Value: []byte("x")}, "bad_request"},
		{"PUT with a limit", pluginv1.Hook_HOOK_CHECK, &pluginv1.KeyValueRequest{Operation: kvPut, Key: "a", Limit: 1}, "bad_request"},
		{"a long list", pluginv1.Hook_HOOK_CHECK, &pluginv1.KeyValueRequest{Operation: kvList, Limit: 1001}, "bad_request"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, _ := beginStore(test.hook, stored{})
			same(t, "refused", test.want, do(t, c, test.request).GetRefused())
			if test.want != "" && c.Writes() != nil {
				t.Error("a refused request wrote")
			}
		})
	}
	c := capability.New(capability.Config{KeyValue: &stores{}}).Begin(manifestOf(capability.KeyValue), []string{capability.KeyValue}, &pluginv1.Request{})
	same(t, "a store that cannot be read", "unavailable", do(t, c, &pluginv1.KeyValueRequest{Operation: kvGet, Key: "a"}).GetRefused())
	c = capability.New(capability.Config{}).Begin(manifestOf(capability.KeyValue), []string{capability.KeyValue}, &pluginv1.Request{})
	same(t, "a host without stores", "unavailable", do(t, c, &pluginv1.KeyValueRequest{Operation: kvGet, Key: "a"}).GetRefused())
}

func TestKeyValue_Full(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 64<<10)
	t.Run("writes of a call", func(t *testing.T) {
		t.Parallel()
		c, _ := beginStore(pluginv1.Hook_HOOK_DECIDE, stored{})
		for i := range 101 {
			want := ""
			if i == 100 {
				want = "full"
			}
			same(t, fmt.Sprint("write ", i), want, do(t, c, &pluginv1.KeyValueRequest{Operation: kvPut, Key: "same"}).GetRefused())
		}
	})
	t.Run("bytes of a call", func(t *testing.T) {
		t.Parallel()
		c, _ := beginStore(pluginv1.Hook_HOOK_DECIDE, stored{})
		for i, want := range []string{"", "", "", "", "", "", "", "full"} {
			same(t, fmt.Sprint("write ", i), want, do(t, c, &pluginv1.KeyValueRequest{Operation: kvPut, Key: fmt.Sprint("k", i), Value: []byte(large)}).GetRefused())
		}
		same(t, "the same key again", "", do(t, c, &pluginv1.KeyValueRequest{Operation: kvPut, Key: "k0", Value: []byte(large)}).GetRefused())
		same(t, "a smaller one", "", do(t, c, &pluginv1.KeyValueRequest{Operation: kvPut, Key: "k8", Value: []byte("x")}).GetRefused())
	})
	t.Run("the whole store", func(t *testing.T) {
		t.Parallel()
		held := stored{}
		for i := range 255 {
			held[fmt.Sprintf("k%03d", i)] = large
		}
		left := 16<<20 - held.Bytes() // less than one large value more
		c, _ := beginStore(pluginv1.Hook_HOOK_DECIDE, held)
		same(t, "one more", "full", do(t, c, &pluginv1.KeyValueRequest{Operation: kvPut, Key: "more", Value: []byte(large)}).GetRefused())
		same(t, "what fits", "", do(t, c, &pluginv1.KeyValueRequest{Operation: kvPut, Key: "m", Value: []byte(large[:left-1])}).GetRefused())
		same(t, "a byte more", "full", do(t, c, &pluginv1.KeyValueRequest{Operation: kvPut, Key: "n"}).GetRefused())
		same(t, "in place of another", "", do(t, c, &pluginv1.KeyValueRequest{Operation: kvPut, Key: "k001", Value: []byte(large)}).GetRefused())
		same(t, "removed", "", do(t, c, &pluginv1.KeyValueRequest{Operation: kvDelete, Key: "k002"}).GetRefused())
		same(t, "after that", "", do(t, c, &pluginv1.KeyValueRequest{Operation: kvPut, Key: "n", Value: []byte("x")}).GetRefused())
	})
}

// TestKeyValue_AsAMap holds a call against a map that is changed at once, whatever it does.
func TestKeyValue_AsAMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		key := rapid.StringMatching(`[ab]{1,3}`)
		held, model := stored{}, map[string]string{}
		for _, k := range rapid.SliceOfN(key, 0, 12).Draw(rt, "held") {
			held[k], model[k] = k, k
		}
		c, _ := beginStore(pluginv1.Hook_HOOK_DECIDE, held)
		for range rapid.IntRange(1, 30).Draw(rt, "operations") {
			k := key.Draw(rt, "key")
			switch rapid.IntRange(0, 3).Draw(rt, "operation") {
			case 0:
				v := rapid.StringMatching(`[xy]{0,2}`).Draw(rt, "value")
				do(t, c, &pluginv1.KeyValueRequest{Operation: kvPut, Key: k, Value: []byte(v)})
				model[k] = v
			case 1:
				do(t, c, &pluginv1.KeyValueRequest{Operation: kvDelete, Key: k})
				delete(model, k)
			case 2:
				v, ok := model[k]
				if got := do(t, c, &pluginv1.KeyValueRequest{Operation: kvGet, Key: k}); got.GetFound() != ok || string(got.GetValue()) != v {
					rt.Fatalf("GET %s = %v, want %q, %t", k, got, v, ok)
				}
			case 3:
				prefix, limit := k[:rapid.IntRange(0, len(k)).Draw(rt, "prefix")], rapid.IntRange(1, 5).Draw(rt, "limit")
				after := rapid.SampledFrom([]string{"", "a", "ab", "b"}).Draw(rt, "after")
				want := stored(model).Keys(prefix, after, limit)
				got := do(t, c, &pluginv1.KeyValueRequest{Operation: kvList, Key: prefix, After: after, Limit: uint32(limit)}).GetKeys()
				if !slices.Equal(got, want) {
					rt.Fatalf("LIST %q after %q, %d = %v, want %v", prefix, after, limit, got, want)
				}
			}
		}
		after := map[string]string(maps.Clone(held))
		if w := c.Writes(); w != nil {
			for k, v := range w.Written {
				if delete(after, k); v != nil {
					after[k] = string(v)
				}
			}
		}
		if !maps.Equal(after, model) {
			rt.Fatalf("what is written makes %v, want %v", after, model)
		}
	})
}
