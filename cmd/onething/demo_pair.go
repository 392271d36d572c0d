package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/siyiban/onething/examples/intake"
)

// pairScene is one application for two matters that came in the same month: a grandfather has died and a child is born.
// The forms share agent and delivery. The police's plugin finds in `check` that the registration is cancelled already,
// so the clerk does not accept that case; the birth goes on, and the plugin of the social security card rejects in
// `decide`, because the register says that the child has a card.
func pairScene() scene {
	return scene{
		title: "两件事一次办：新生儿出生与公民身后（一件不予受理，一步插件不予办理）",
		play: func(ctx context.Context, st *stage) (*intake.Filing, error) {
			filing, err := st.file(ctx, brief{
				who: "resident2", bundles: []string{"newborn", "after_death"},
				answers: intake.Answers{
					"form.mother.name": "林若溪", "form.mother.id_no": "321323199311050222", "form.mother.birth": "1993-11-05",
					"form.mother.phone": "13812345631", "form.mother.hukou": "here", "form.mother.live_addr": nil,
					"form.father.name": "陈志远", "form.father.id_no": "32132319910722001X", "form.father.birth": "1991-07-22",
					"form.father.phone": "13812345632", "form.father.hukou": "here", "form.father.live_addr": nil,
					"form.newborn.name": "陈念安", "form.newborn.gender": "male", "form.newborn.birth_date": "2026-03-05",
					"form.newborn.birth_place": "in_county", "form.newborn.hospital": "县人民医院", "form.newborn.cert_no": nil,
					"form.household_register.kind": "family", "form.household_register.station": nil,
					"form.agent.is_agent": false, "form.delivery.method": "counter",
					"own.newborn.single_parent": false, "own.newborn.wedlock": "married", "own.newborn.agreed": true,
					"own.newborn.insured": false, "own.newborn.insure_year": 2026, "own.newborn.card_bank": "icbc",
					"form.decedent.name": "陈德林", "form.decedent.id_no": "321323195003120112", "form.decedent.death_date": "2026-03-08",
					"form.decedent.place": "medical", "form.decedent.cremated": "done",
					"form.heir.name": "陈志远", "form.heir.id_no": "32132319910722001X", "form.heir.relation": "child",
					"form.heir.count": 1, "form.heir.agreed": nil, "form.heir.will": false,
					"form.payee.holder": "陈志远", "form.payee.bank": "农村商业银行来安支行", "form.payee.account": "6230660000778899001", "form.payee.is_sscard": nil,
					"own.after_death.other_funeral": false, "own.after_death.fund_account": nil, "own.after_death.cards": []any{},
					"own.after_death.has_vehicle": false, "own.after_death.has_licence": false,
				},
				prefilled: []string{"form.decedent.status", "form.household_register.addr", "form.household_register.head_id", "form.household_register.head_name"},
				uploads: []string{"id_card.mother", "id_card.father", "marriage_certificate.mother", "household_book",
					"death_certificate.decedent", "id_card.heir", "kinship_proof.heir", "household_book.decedent"},
			})
			if err != nil {
				return nil, err
			}
			shown, err := st.reviewable(ctx, filing, "after_death")
			if err != nil {
				return nil, err
			}
			if found := against(shown.GetFindings()); !slices.Equal(found, []string{"already_cancelled"}) {
				return nil, fmt.Errorf("%v stand against after_death, not already_cancelled", found)
			}
			if err := st.as("clerk").Refuse(ctx, shown.GetCase(), "逝者户口已于此前注销，其余待遇请凭注销证明向县人力资源和社会保障局单独申请"); err != nil {
				return nil, err
			}
			if err := st.accept(ctx, filing, "newborn"); err != nil {
				return nil, err
			}
			hospital := st.as("officer-health")
			return filing, st.work(ctx, filing, map[string]desk{
				"newborn.certificate": {hospital, intake.Answers{"number": "X321323002"}},
				"newborn.vaccination": {hospital, intake.Answers{"file_no": "3213230020260002"}},
				"newborn.insurance":   {st.as("officer-medical_insurance"), intake.Answers{"insured_no": "3213230000260305"}},
				"newborn.premium":     {st.as("officer-tax"), intake.Answers{"amount": "400.00"}},
			}, over)
		},
		want: []string{
			"application COMPLETED",
			"newborn COMPLETED PARTLY_GRANTED",
			"newborn.certificate APPROVED number=X321323002",
			"newborn.vaccination APPROVED file_no=3213230020260002",
			"newborn.household APPROVED id_no=321323202603050018 registered_on=2026-03-20 surname_of=随父姓",
			"newborn.insurance APPROVED insured_no=3213230000260305",
			"newborn.premium APPROVED amount=400.00",
			"newborn.card REJECTED !card_exists",
			"newborn.allowance SKIPPED",
			"after_death NOT_ACCEPTED !already_cancelled !reason",
		},
	}
}
