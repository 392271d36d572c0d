package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

// offer publishes a version of the newborn's bundle to which cases may move.
func (h *house) offer(t testing.TB, old, changed string) {
	t.Helper()
	h.publishing(t, registryv1.Moving_MOVING_CONSENT, old, changed)
}

// publishing publishes a version of the newborn's bundle that says something otherwise.
func (h *house) publishing(t testing.TB, moving registryv1.Moving, old, changed string) {
	t.Helper()
	versions := h.InForce().State.Bundles["newborn"]
	text := string(versions[len(versions)-1].Text)
	if !strings.Contains(text, old) {
		t.Fatalf("the bundle has no %q", old)
	}
	text = strings.Replace(text, old, changed, 1)
	if _, err := h.Publish(t.Context(), fmt.Sprint("publish ", len(versions)+1), "author", registry.PublishBundle{Name: "bundles/newborn/bundle.yaml", Text: []byte(text), Reason: "why", Moving: moving}); err != nil {
		t.Fatal(err)
	}
}

// moveTo moves a newborn's case as its applicant.
func (h *house) moveTo(t testing.TB, id string, changes map[string]*structpb.Value) *engine.Dossier {
	t.Helper()
	answer, err := h.Move(t.Context(), engine.Moving{Application: id, Bundle: "newborn", Changes: changes}, engine.Call{Request: request("move", id), Actor: &applicationv1.Actor{Role: applicationv1.Role_ROLE_APPLICANT}})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Dossier
}

// A plugin that serves a step only in the new version checks a case that has moved to it.
func TestMove_ToAnotherPlugin(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), func(c *engine.Config) {
		c.Hooks = func(plugin string) []string {
			if plugin == "hrss/pension" {
				return []string{"check", "decide"}
			}
			return nil
		}
	})
	id := h.fileFor(t, "principal/1")
	h.offer(t, "plugin: hrss/social_security_card", "plugin: hrss/pension")
	if checks := h.moveTo(t, id, nil).State.Case("newborn").Awaited(); len(checks) != 1 {
		t.Errorf("awaited checks: %v", checks)
	}
}

// credit is a source that knows of some whether they stand on the credit list, by number.
type credit map[string]bool

func (c credit) Fact(_ context.Context, _, _, number string) (kind.Value, kind.Date, bool, error) {
	listed, known := c[number]
	return kind.Bool(listed), kind.Date{}, known, nil
}

// What was known of somebody who is not named any more does not count for who is named with the move.
func TestMove_NamesSomebodyElse(t *testing.T) {
	t.Parallel()
	const father, other, fact = "321323199408030316", "321323199408030332", "facts.father.credit_restricted"
	for _, tt := range []struct {
		name   string
		source credit
		want   kind.Value
	}{
		{"who is listed", credit{father: false, other: true}, kind.Bool(true)},
		{"of whom the source is silent", credit{father: false}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := open(t, t.TempDir(), func(c *engine.Config) { c.Facts = tt.source })
			id := h.fileFor(t, "principal/1")
			h.offer(t, "新生儿出生未满 12 个月", "新生儿未满 12 个月")
			before, err := h.Load(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if before.Facts[fact] != kind.Bool(false) {
				t.Fatalf("known: %v", before.Facts)
			}
			after := h.moveTo(t, id, map[string]*structpb.Value{"form.father.id_no": structpb.NewStringValue(other)})
			if known := after.Facts[fact]; known != tt.want {
				t.Errorf("known of who is named now: %v, want %v", known, tt.want)
			}
		})
	}
}
