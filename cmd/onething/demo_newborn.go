package main

import (
	"context"

	"github.com/siyiban/onething/examples/intake"
)

// newbornScene is a birth, with a promise in place of the marriage certificate, the discharge summary to follow, and the
// enrolment in medical insurance by the department's own system.
func newbornScene() scene {
	return scene{
		title: "新生儿出生（告知承诺、容缺受理、部门系统办理）",
		play: func(ctx context.Context, st *stage) (*intake.Filing, error) {
			filing, err := st.file(ctx, brief{
				who: "resident", bundles: []string{"newborn"},
				answers: intake.Answers{
					"form.mother.name": "周雨桐", "form.mother.id_no": "321323199304180029", "form.mother.birth": "1993-04-18",
					"form.mother.phone": "13812345601", "form.mother.hukou": "here",
					"form.mother.live_addr": map[string]any{"region": "321323", "text": "众兴街道桃源路 18 号"},
					"form.father.name":      "许文博", "form.father.id_no": "321323199205160030", "form.father.birth": "1992-05-16",
					"form.father.phone": "13812345602", "form.father.hukou": "here", "form.father.live_addr": nil,
					"form.newborn.name": "许安然", "form.newborn.gender": "female", "form.newborn.birth_date": "2026-03-02",
					"form.newborn.birth_place": "in_county", "form.newborn.hospital": "县妇幼保健院", "form.newborn.cert_no": nil,
					"form.household_register.kind": "family", "form.household_register.station": nil,
					"form.mother_account.holder": "周雨桐", "form.mother_account.bank": "农村商业银行众兴支行",
					"form.mother_account.account": "6230660000112233445", "form.mother_account.is_sscard": true,
					"form.agent.is_agent": false, "form.delivery.method": "counter",
					"own.newborn.single_parent": false, "own.newborn.wedlock": "married", "own.newborn.agreed": true,
					"own.newborn.insured": true, "own.newborn.claim": true, "own.newborn.insure_year": 2026, "own.newborn.card_bank": "rural",
				},
				prefilled: []string{"form.household_register.addr", "form.household_register.head_id", "form.household_register.head_name"},
				uploads:   []string{"id_card.mother", "id_card.father", "household_book"},
				promises:  []string{"marriage_certificate.mother"},
				tolerated: []string{"discharge_summary.mother"},
			})
			if err != nil {
				return nil, err
			}
			if err := st.accept(ctx, filing, "newborn"); err != nil {
				return nil, err
			}
			st.tomorrow()
			hospital, insurer := st.as("officer-health"), st.as("officer-medical_insurance")
			err = st.work(ctx, filing, map[string]desk{
				"newborn.certificate": {hospital, intake.Answers{"number": "X321323001"}},
				"newborn.vaccination": {hospital, intake.Answers{"file_no": "3213230020260001"}},
				"newborn.insurance":   {st.system("medical_insurance"), intake.Answers{"insured_no": "3213230000260302"}},
				"newborn.premium":     {st.as("officer-tax"), intake.Answers{"amount": "400.00"}},
				// Decided now, issued once the discharge summary is there.
				"newborn.allowance": {insurer, intake.Answers{"days": 128, "amount": "23466.67"}},
			}, allBut("newborn.allowance", "DECIDED"))
			if err != nil {
				return nil, err
			}
			st.tomorrow()
			digest, err := upload(ctx, filing, "discharge_summary.mother")
			if err != nil {
				return nil, err
			}
			if err := filing.Supply(ctx, "discharge_summary.mother", digest); err != nil {
				return nil, err
			}
			return filing, st.work(ctx, filing, nil, over)
		},
		want: []string{
			"application COMPLETED",
			"newborn COMPLETED GRANTED",
			"newborn.certificate APPROVED number=X321323001",
			"newborn.vaccination APPROVED file_no=3213230020260001",
			"newborn.household APPROVED id_no=321323202603020046 registered_on=2026-03-16 surname_of=随父姓",
			"newborn.insurance APPROVED insured_no=3213230000260302",
			"newborn.premium APPROVED amount=400.00",
			"newborn.card APPROVED delivery=窗口领取 guardian=周雨桐 issued_on=2026-03-16 valid_until=2036-03-16",
			"newborn.allowance APPROVED amount=23466.67 days=128",
		},
	}
}
