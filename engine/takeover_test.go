package engine_test

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/draft"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

// A promise binds by the words that were signed: where a version asks for other words, or for none, what was signed goes
// with the draft's old version, and the rest stays.
func TestTakeOver_WhatWasSigned(t *testing.T) {
	t.Parallel()
	const verify = "promise: { verify: { by: civil_affairs, working_days: 20 } }"
	const marriage, summary = "marriage_certificate.mother", "discharge_summary.mother"
	for _, tt := range []struct {
		name, old, changed string
		want               []string // what is still signed
	}{
		{"other words elsewhere", "新生儿出生未满 12 个月", "新生儿未满 12 个月", []string{marriage, summary}},
		{"other words to promise", verify, "promise: { text: { zh: 本人承诺已登记结婚, en: I promise that we are married }, verify: { by: civil_affairs, working_days: 20 } }", []string{summary}},
		{"no promise", verify, "", []string{summary}},
		{"another document to follow", "{ use: discharge_summary, of: mother,", "{ use: discharge_summary, name: { zh: 分娩出院小结, en: Summary of the delivery }, of: mother,", []string{marriage}},
		{"a document that may not follow", "class: SECONDARY, tolerate: { working_days: 10, then: SUSPEND, suspended: { working_days: 20 } } }", "class: SECONDARY }", []string{marriage}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := open(t, t.TempDir(), nil)
			owners := []draft.Owner{owner}
			begun := h.draft(t)
			yes := structpb.NewBoolValue(true)
			_, d, err := h.SaveDraft(t.Context(), owners, begun.ID, begun.Revision, request("claim", "allowance"), map[string]*structpb.Value{"own.newborn.insured": yes, "own.newborn.claim": yes}, nil)
			if err != nil {
				t.Fatal(err)
			}
			for key, tolerate := range map[string]bool{marriage: false, summary: true} {
				m, err := d.MaterialOf(key)
				if err != nil {
					t.Fatal(key, err)
				}
				text := m.Promise
				if tolerate {
					text = catalog.ToleratePromise(m.Name)
				}
				if _, _, err := h.Promise(t.Context(), owners, d.ID, request("sign/"+key, key), key, tolerate, text.ZH, "周晓岚"); err != nil {
					t.Fatal(key, err)
				}
			}
			h.publishing(t, registryv1.Moving_MOVING_DRAFTS, tt.old, tt.changed)
			d, err = h.Draft(t.Context(), owners, d.ID)
			if err != nil {
				t.Fatal(err)
			}
			_, saved, err := h.SaveDraft(t.Context(), owners, d.ID, d.Revision, request("save", "phone"), map[string]*structpb.Value{"form.mother.phone": structpb.NewStringValue("13812345699")}, nil)
			if err != nil {
				t.Fatal(err)
			}
			var signed []string
			for _, p := range saved.Promises {
				signed = append(signed, p.GetMaterial())
			}
			if slices.Sort(signed); !slices.Equal(signed, slices.Sorted(slices.Values(tt.want))) {
				t.Errorf("still signed: %v, want %v", signed, tt.want)
			}
			if tolerated := slices.Contains(saved.Tolerated, summary); tolerated != slices.Contains(tt.want, summary) {
				t.Errorf("may follow: %t", tolerated)
			}
			if v := h.InForce().On("newborn", h.Today(), h.Place()); saved.Versions[0] != v.Digest || len(saved.Moves) != 1 || saved.Moves[0].GetTo() != v.Digest {
				t.Errorf("taken over to %v by %v", saved.Versions, saved.Moves)
			}
		})
	}
}
