package main

import (
	"context"

	"github.com/siyiban/onething/examples/intake"
)

// afterDeathScene is a death in a family whose grants the plugin works out: the month's base of 5,750 yuan twice, and
// for a pensioner of 35 years paid and more than 17 years received the least lump sum, nine months
// (人社部发〔2021〕18号).
func afterDeathScene() scene {
	return scene{
		title: "公民身后（插件核定遗属待遇）",
		play: func(ctx context.Context, st *stage) (*intake.Filing, error) {
			filing, err := st.file(ctx, brief{
				who: "survivor", bundles: []string{"after_death"},
				answers: intake.Answers{
					"form.decedent.name": "吴长庚", "form.decedent.id_no": "321323194806070193", "form.decedent.death_date": "2026-03-10",
					"form.decedent.place": "medical", "form.decedent.cremated": "pending",
					"form.heir.name": "吴秀梅", "form.heir.id_no": "321323197402260648", "form.heir.relation": "child",
					"form.heir.count": 3, "form.heir.agreed": true, "form.heir.will": false,
					"form.payee.holder": "吴秀梅", "form.payee.bank": "农村商业银行众兴支行", "form.payee.account": "6230660000334455667", "form.payee.is_sscard": nil,
					"form.agent.is_agent": false, "form.delivery.method": "electronic",
					"own.after_death.other_funeral": false, "own.after_death.fund_account": nil, "own.after_death.cards": []any{},
					"own.after_death.has_vehicle": false, "own.after_death.has_licence": false,
				},
				prefilled: []string{"form.decedent.status"},
				uploads:   []string{"death_certificate.decedent", "id_card.heir", "kinship_proof.heir", "household_book.decedent", "heirs_agreement.decedent"},
			})
			if err != nil {
				return nil, err
			}
			if err := st.accept(ctx, filing, "after_death"); err != nil {
				return nil, err
			}
			return filing, st.work(ctx, filing, map[string]desk{
				"after_death.certificate": {st.as("officer-health"), intake.Answers{"number": "SW32132326000208"}},
				"after_death.cremation":   {st.as("officer-civil_affairs"), intake.Answers{"cremated_on": "2026-03-18"}},
				"after_death.medical":     {st.as("officer-medical_insurance"), intake.Answers{"refund": "1286.40"}},
			}, over)
		},
		want: []string{
			"application COMPLETED",
			"after_death COMPLETED GRANTED",
			"after_death.certificate APPROVED number=SW32132326000208",
			"after_death.cremation APPROVED cremated_on=2026-03-18",
			"after_death.household APPROVED cancelled_on=2026-03-20",
			"after_death.survivors APPROVED funeral_grant=11500.00 lump_months=9 lump_sum=51750.00 total=63250.00",
			"after_death.medical APPROVED refund=1286.40",
			"after_death.fund SKIPPED",
			"after_death.card SKIPPED",
			"after_death.vehicle SKIPPED",
		},
	}
}
