package keyvalue

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	keyvaluev1 "github.com/siyiban/onething/proto/gen/onething/keyvalue/v1"
)

// holding is a store that was written once.
func holding(values map[string]string) State {
	w := &keyvaluev1.Written{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		w.Put = append(w.Put, &keyvaluev1.Entry{Key: key, Value: []byte(values[key])})
	}
	return Evolve(State{}, w)
}

func TestDecide(t *testing.T) {
	t.Parallel()
	s := holding(map[string]string{"a": "1", "ab": "2", "b": "3"})
	put := map[string][]byte{"a": []byte("2"), "gone": nil, "new": {}}
	tests := []struct {
		name    string
		changes Changes
		err     error
	}{
		{"blindly", Changes{Written: put}, nil},
		{"what was read is so still", Changes{Read: map[string]uint64{"a": 1, "none": 0}, Written: put}, nil},
		{"what was read has another version", Changes{Read: map[string]uint64{"a": 2}, Written: put}, ErrChanged},
		{"what was not there is there", Changes{Read: map[string]uint64{"b": 0}, Written: put}, ErrChanged},
		{"what was there is gone", Changes{Read: map[string]uint64{"none": 1}, Written: put}, ErrChanged},
		{"the list is the same", Changes{Listed: []Listed{{Prefix: "a", Limit: 5, Keys: []string{"a", "ab"}}}, Written: put}, nil},
		{"the list was cut off at the same key", Changes{Listed: []Listed{{Prefix: "a", Limit: 1, Keys: []string{"a"}}}, Written: put}, nil},
		{"the list has a key more", Changes{Listed: []Listed{{Prefix: "a", Limit: 5, Keys: []string{"a"}}}, Written: put}, ErrChanged},
		{"the list has a key less", Changes{Listed: []Listed{{Limit: 9, Keys: []string{"a", "aa", "ab", "b"}}}, Written: put}, ErrChanged},
		{"too large", Changes{Written: map[string][]byte{"large": make([]byte, MaxBytes)}}, ErrFull},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			actor := &applicationv1.Actor{Role: applicationv1.Role_ROLE_PLUGIN, Id: "bank/pay"}
			now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
			event, written, err := Decide(s, test.changes, World{Now: now, Actor: actor, Application: "A"})
			if !errors.Is(err, test.err) {
				t.Fatalf("Decide() = %v, want %v", err, test.err)
			}
			if err != nil {
				return
			}
			want := &keyvaluev1.Event{At: timestamppb.New(now), Actor: actor, Application: "A", Put: 2, Removed: 1}
			if diff := cmp.Diff(want, event, protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
			after := Evolve(s, written)
			value, version := after.Get("a")
			if string(value) != "2" || version != 2 || after.Version() != 2 || !slices.Equal(after.Keys("", "", 9), []string{"a", "ab", "b", "new"}) {
				t.Errorf("after it: %q of version %d, %v", value, version, after.Keys("", "", 9))
			}
			if value, version := s.Get("a"); string(value) != "1" || version != 1 || s.Version() != 1 {
				t.Errorf("what was there before was changed: %q, %d", value, version)
			}
		})
	}
}

// A store that is over its bound already, because the bound was lowered, can be made smaller.
func TestDecide_AFullStoreCanShrink(t *testing.T) {
	t.Parallel()
	s := holding(map[string]string{"a": strings.Repeat("x", MaxBytes), "b": "1"})
	if _, _, err := Decide(s, Changes{Written: map[string][]byte{"b": nil}}, World{}); err != nil {
		t.Error(err)
	}
}

// TestState_AsAMap holds states against maps, the older ones too.
func TestState_AsAMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		key := rapid.StringMatching(`[abc]{1,4}`)
		states, models := []State{{}}, []map[string]string{{}}
		for i := range rapid.IntRange(1, 60).Draw(rt, "events") {
			s, model := states[len(states)-1], maps.Clone(models[len(models)-1])
			w := &keyvaluev1.Written{}
			for range rapid.IntRange(1, 3).Draw(rt, "writes") {
				if k := key.Draw(rt, "key"); rapid.Bool().Draw(rt, "put") {
					w.Put = append(w.Put, &keyvaluev1.Entry{Key: k, Value: []byte(fmt.Sprint(i))})
				} else {
					w.Removed = append(w.Removed, k)
				}
			}
			for _, e := range w.GetPut() {
				model[e.GetKey()] = string(e.GetValue())
			}
			for _, k := range w.GetRemoved() {
				delete(model, k)
			}
			states, models = append(states, Evolve(s, w)), append(models, model)
		}
		for i, s := range states {
			size := 0
			for k, v := range models[i] {
				size += len(k) + len(v)
				if got, _ := s.Get(k); string(got) != v {
					rt.Fatalf("state %d has %q under %s, want %q", i, got, k, v)
				}
			}
			if s.Bytes() != size || s.Version() != uint64(i) {
				rt.Fatalf("state %d has %d bytes in version %d, want %d", i, s.Bytes(), s.Version(), size)
			}
			prefix, after, limit := key.Draw(rt, "prefix"), key.Draw(rt, "after"), rapid.IntRange(1, 6).Draw(rt, "limit")
			prefix = prefix[:rapid.IntRange(0, len(prefix)).Draw(rt, "length")]
			want := slices.DeleteFunc(slices.Sorted(maps.Keys(models[i])), func(k string) bool { return !strings.HasPrefix(k, prefix) || k <= after })
			if got := s.Keys(prefix, after, limit); !slices.Equal(got, want[:min(len(want), limit)]) {
				rt.Fatalf("state %d lists %v for %q after %q, want %v", i, got, prefix, after, want)
			}
		}
	})
}
