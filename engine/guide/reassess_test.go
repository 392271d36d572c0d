package guide_test

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/examples"
	"github.com/siyiban/onething/forms"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// What is worked out again after an answer has changed is what is worked out from nothing, to the last word; and what it
// was before stays as it was.
func TestReassess(t *testing.T) {
	t.Parallel()
	every(t, func(t *rapid.T, m *matter) {
		record, setting := m.draw(t)
		reassesses(t, m.selection, m, m.thin(t, record), setting)
	})
}

// So it is where several bundles share questions, lists and documents.
func TestReassess_Several(t *testing.T) {
	t.Parallel()
	for tree, ids := range map[string][]string{
		"../../examples":                  examples.Matters(),
		"../bundletest/testdata/language": {"partners", "audit"},
	} {
		t.Run(ids[0], func(t *testing.T) {
			t.Parallel()
			matters := newMattersOf(t, tree, ids...)
			var bundles []*catalog.Bundle
			for _, m := range matters {
				bundles = append(bundles, m.bundle)
			}
			selection, err := catalog.Select(bundles...)
			if err != nil {
				t.Fatal(err)
			}
			rapid.Check(t, func(t *rapid.T) {
				i := rapid.IntRange(0, len(matters)-1).Draw(t, "matter")
				record, setting := matters[i].draw(t)
				for _, m := range matters {
					other, _ := m.draw(t)
					record = m.thin(t, other).Merge(record)
				}
				reassesses(t, selection, matters[i], record, setting)
			})
		})
	}
}

func reassesses(t *rapid.T, selection *catalog.Selection, m *matter, record forms.Record, setting guide.Setting) {
	if rapid.Bool().Draw(t, "the sources are silent") {
		setting.Facts = nil
	}
	kept := guide.Assess(selection, record, setting)
	for range rapid.IntRange(1, 5).Draw(t, "edits") {
		held := whole(t, kept)
		for range rapid.IntRange(1, 3).Draw(t, "at once") {
			record = m.edit(t, record)
		}
		before := kept
		kept = guide.Reassess(before, record)
		fresh := guide.Assess(selection, record, setting)
		if !reflect.DeepEqual(exported(fresh), exported(kept)) {
			t.Fatalf("worked out again it is another (-anew +again):\n%s", cmp.Diff(whole(t, fresh), whole(t, kept), protocmp.Transform()))
		}
		if after := whole(t, before); !proto.Equal(held, after) {
			t.Fatalf("what it was before has changed (-was +is):\n%s", cmp.Diff(held, after, protocmp.Transform()))
		}
	}
}

// exported is what of an assessment anybody sees.
func exported(a *guide.Assessment) []any {
	return []any{a.Cases, a.Fields, a.Materials, a.Faults, a.Next}
}

func whole(t *rapid.T, a *guide.Assessment) *apiv1.Assessment {
	message, err := a.Message()
	if err != nil {
		t.Fatal(err)
	}
	return message
}
