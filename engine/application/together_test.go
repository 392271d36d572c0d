package application_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/refusal"
)

// Who all have to submit is decided on the record as it is filed, and only they.
func TestDecide_Together(t *testing.T) {
	t.Parallel()
	run(t, []scene{
		{name: "a joint case is received when all have confirmed", when: apply("lease", confirmed("tenant", "owner")),
			then: []string{"submitted, notice by 03-23; confirmed by tenant,owner; lease ELIGIBLE"},
			check: func(p *play) {
				if diff := cmp.Diff([]string{"tenant", "owner"}, p.state.Confirmed); diff != "" {
					p.Errorf("confirmed (-want +got):\n%s", diff)
				}
				c := p.lastly[0].GetPersonal().GetConfirmed()
				if len(c) != 2 || c[0].GetActor() != "k-tenant" || c[1].GetActor() != "k-owner" {
					p.Errorf("who confirmed: %v", c)
				}
			}},
		{name: "a section that is asked brings another one who has to confirm", when: apply("lease", answer("own.lease.guaranteed", true), confirmed("tenant", "owner", "guarantor")),
			then: []string{"submitted, notice by 03-23; confirmed by tenant,owner,guarantor; lease ELIGIBLE"}},
		{name: "whoever need not confirm is not on the record", when: apply("lease", confirmed("tenant", "owner", "guarantor")),
			then: []string{"submitted, notice by 03-23; confirmed by tenant,owner; lease ELIGIBLE"},
			check: func(p *play) {
				if n := len(p.lastly[0].GetPersonal().GetConfirmed()); n != 2 {
					p.Errorf("%d have confirmed, want 2", n)
				}
			}},
		{name: "where the rule does not hold, any one may submit", when: apply("lease", answer("own.lease.by_court", true)),
			then: []string{"submitted, notice by 03-23; lease ELIGIBLE"}},
		{name: "beside a joint case, another one is filed with it", when: apply("badge lease", confirmed("owner", "tenant")),
			then: []string{"submitted, notice by 03-23; confirmed by owner,tenant; badge ELIGIBLE; lease ELIGIBLE"}},
		{name: "one who confirmed may take it back afterwards", given: []act{apply("lease", confirmed("owner", "tenant"))}, when: withdraw("lease"), then: []string{"withdrawn lease"}},
		{name: "a correction may not make a case joint", given: []act{apply("lease", answer("own.lease.by_court", true))}, when: correct(answer("own.lease.by_court", false)), but: refusal.WrongState},
		{name: "a correction may not bind one more", given: []act{apply("lease", confirmed("owner", "tenant"))}, when: correct(answer("own.lease.guaranteed", true), answer("form.guarantor.id_no", "321323199001010030")), but: refusal.WrongState},
		{name: "a correction may not put another one in the place of who confirmed", given: []act{apply("lease", confirmed("owner", "tenant"))},
			when: correct(answer("form.tenant.id_no", "321323199001010030")), but: refusal.WrongState, wrong: []string{"confirmed form.tenant.id_no"}},
		{name: "a case that is over does not keep the others from being corrected", given: []act{apply("badge lease", confirmed("owner", "tenant")), withdraw("lease")},
			when: correct(answer("own.badge.urgent", true), answer("form.tenant.id_no", "321323199001010030")), then: []string{"corrected to 2, notice by 03-23; paths form.tenant.id_no,own.badge.urgent; badge ELIGIBLE"}},
	})
}

// As long as somebody has not confirmed, nothing happens; and that is only told where nothing else is wrong.
func TestDecide_TogetherWaits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		changes []paper
		waits   []string
	}{
		{"for everybody", nil, []string{"owner", "tenant"}},
		{"for the other one", []paper{confirmed("tenant")}, []string{"owner"}},
		{"for one more, who is asked", []paper{confirmed("owner", "tenant"), answer("own.lease.guaranteed", true)}, []string{"guarantor"}},
		{"not while a material is missing", []paper{confirmed("tenant"), without("card.owner")}, nil},
		{"not while an answer is missing", []paper{confirmed("tenant"), unanswered("form.tenant.id_no")}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t)
			apply("lease", tt.changes...)(p)
			if p.err == nil || len(p.events) > 0 {
				t.Fatalf("it was filed: %v", p.says(p.events))
			}
			var waits *application.UnconfirmedError
			if errors.As(p.err, &waits) != (tt.waits != nil) {
				t.Fatalf("got %v", p.err)
			}
			if waits != nil {
				if diff := cmp.Diff(tt.waits, waits.Aliases); diff != "" {
					t.Errorf("waits for (-want +got):\n%s", diff)
				}
			}
		})
	}
}
