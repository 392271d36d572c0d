package main

import (
	"context"

	"github.com/siyiban/onething/examples/intake"
)

// retirementScene is a retirement whose conditions and amount the plugin decides. A man born in December 1965 retires at
// 60 years and 3 months. With the demonstration's base of 9,000 yuan, an index of 1 and 30 years paid, the basic part is
// 9000 × (1 + 1) / 2 × 30 × 1 % = 2700.00; 150,000 yuan over 137.3, the divisor between 139 at 60 and 132 at 61, are
// 1092.50 (国发〔2005〕38号).
func retirementScene() scene {
	return scene{
		title: "企业职工退休（插件核定养老金）",
		play: func(ctx context.Context, st *stage) (*intake.Filing, error) {
			filing, err := st.file(ctx, brief{
				who: "retiree", bundles: []string{"retirement"},
				answers: intake.Answers{
					"form.retiree.name": "孙建平", "form.retiree.id_no": "321323196512200334", "form.retiree.birth": "1965-12-20",
					"form.retiree.phone": "13812345621", "form.retiree.hukou": "here",
					"form.retiree.live_addr": map[string]any{"region": "321323", "text": "众兴街道淮海路 9 号"},
					"form.retirement.kind":   "statutory", "form.retirement.retire_date": "2026-03-20", "form.retirement.first_work": "1985-07-01",
					"form.retirement.archive": "employer",
					"form.employer.name":      "泗阳县桃源示范纺织有限公司", "form.employer.uscc": "91321323MA1X2Y3K4K", "form.employer.contact": nil,
					"form.employer.phone": "0527-85210001", "form.employer.in_county": true,
					"form.insurance.pension_type": "employee", "form.insurance.medical_type": "employee", "form.insurance.medical_months": 288,
					"form.housing_fund.account": "3213230012345", "form.housing_fund.months": 120, "form.housing_fund.balance": "86000.00", "form.housing_fund.loan": false,
					"form.pension_account.holder": "孙建平", "form.pension_account.bank": "农村商业银行众兴支行",
					"form.pension_account.account": "6230660000556677889", "form.pension_account.is_sscard": true,
					"own.retirement.worker": "male", "own.retirement.keep_medical": true, "own.retirement.withdraw_fund": true,
				},
				prefilled: []string{"form.insurance.pay_months", "form.retirement.deemed_months", "own.retirement.account_balance", "own.retirement.average_index"},
				uploads:   []string{"personnel_file.retiree", "id_card.retiree", "social_card_account.retiree"},
			})
			if err != nil {
				return nil, err
			}
			if err := st.accept(ctx, filing, "retirement"); err != nil {
				return nil, err
			}
			st.tomorrow()
			insurer := st.as("officer-medical_insurance")
			return filing, st.work(ctx, filing, map[string]desk{
				"retirement.identity": {st.as("officer-public_security"), intake.Answers{"confirmed": true}},
				"retirement.medical":  {insurer, intake.Answers{"short_months": 12}},
				"retirement.backpay":  {insurer, intake.Answers{"amount": "7344.00"}},
				"retirement.fund":     {st.as("officer-housing_fund"), intake.Answers{"amount": "86000.00"}},
				"retirement.elder":    {st.as("officer-civil_affairs"), intake.Answers{"number": "LN3213232600031"}},
			}, over)
		},
		want: []string{
			"application COMPLETED",
			"retirement COMPLETED GRANTED",
			"retirement.identity APPROVED confirmed=true",
			"retirement.audit APPROVED age_months=723 deemed_months=0 paid_months=360 required_months=180 retire_date=2026-03-20 statutory_date=2026-03-20",
			"retirement.pension APPROVED account=1092.50 basic=2700.00 monthly=3792.50 paid_from=2026-04-01 transition=0.00",
			"retirement.medical APPROVED short_months=12",
			"retirement.backpay APPROVED amount=7344.00",
			"retirement.fund APPROVED amount=86000.00",
			"retirement.elder APPROVED number=LN3213232600031",
		},
	}
}
