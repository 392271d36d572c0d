package main

import (
	"context"
	"fmt"

	"github.com/siyiban/onething/examples/intake"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// employmentScene is a first job, with one correction notice: another photo, and the first day of work.
func employmentScene() scene {
	const bundle = "first_employment"
	return scene{
		title: "初次就业（一次性告知补正）",
		play: func(ctx context.Context, st *stage) (*intake.Filing, error) {
			filing, err := st.file(ctx, brief{
				who: "graduate", bundles: []string{bundle},
				answers: intake.Answers{
					"form.applicant.name": "沈佳宁", "form.applicant.id_no": "321323200401150521", "form.applicant.birth": "2004-01-15",
					"form.applicant.phone": "13812345611", "form.applicant.hukou": "here", "form.applicant.live_addr": nil,
					"form.education_record.school": "淮阴师范学院", "form.education_record.level": "bachelor", "form.education_record.major": "汉语言文学",
					"form.education_record.grad_date": "2025-06-30", "form.education_record.diploma_no": nil,
					"form.employment.kind": "employed", "form.employment.start": "2026-02-03", "form.employment.contract": "fixed",
					"form.employment.post": "文员", "form.employment.wage": "6800.00",
					"form.employer.name": "泗阳县桃源示范纺织有限公司", "form.employer.uscc": "91321323MA1X2Y3K4K", "form.employer.contact": "李敏",
					"form.employer.phone": "0527-85210001", "form.employer.in_county": true,
					"form.insurance.pension_type": "none", "form.insurance.medical_type": "resident",
					"own.first_employment.archive_need": true, "own.first_employment.party_member": false, "own.first_employment.fund_open": true,
				},
				uploads: []string{"id_card.applicant", "diploma.applicant", "labor_contract.applicant", "id_photo.applicant"},
			})
			if err != nil {
				return nil, err
			}
			shown, err := st.reviewable(ctx, filing, bundle)
			if err != nil {
				return nil, err
			}
			_, err = st.as("clerk").Notify(ctx, shown.GetCase(),
				&apiv1.CorrectionItem{Bundle: bundle, Path: "form.employment.start", Text: "就业起始日期与劳动合同（2026年3月2日）不一致，请核对"},
				&apiv1.CorrectionItem{Bundle: bundle, Path: "materials.id_photo", Text: "证件照不清晰，请重新上传"})
			if err != nil {
				return nil, err
			}
			told, err := filing.Until(ctx, func(a *apiv1.Application) (bool, error) { return a.GetState() == "TO_BE_CORRECTED", nil })
			if err != nil {
				return nil, err
			}
			if n := len(told.GetCorrection().GetItems()); n != 2 {
				return nil, fmt.Errorf("the notice has %d items, not 2", n)
			}

			st.tomorrow()
			photo, err := upload(ctx, filing, "id_photo.applicant")
			if err != nil {
				return nil, err
			}
			if err := filing.Correct(ctx, intake.Answers{"form.employment.start": "2026-03-02"}, map[string]string{"id_photo.applicant": photo}); err != nil {
				return nil, err
			}
			if err := st.accept(ctx, filing, bundle); err != nil {
				return nil, err
			}
			labour := st.as("officer-hrss")
			return filing, st.work(ctx, filing, map[string]desk{
				bundle + ".register":  {labour, intake.Answers{"number": "JY32132326000117"}},
				bundle + ".contract":  {labour, intake.Answers{"filing_no": "YG32132326000117"}},
				bundle + ".insurance": {labour, intake.Answers{"personal_no": "3213230001170521"}},
				bundle + ".archive":   {labour, intake.Answers{"file_no": "DA32132326000044"}},
				bundle + ".medical":   {st.as("officer-medical_insurance"), intake.Answers{"covered_from": "2026-04-01"}},
				bundle + ".fund":      {st.as("officer-housing_fund"), intake.Answers{"account": "3213230061170521"}},
			}, over)
		},
		want: []string{
			"application COMPLETED",
			"first_employment COMPLETED GRANTED",
			"first_employment.register APPROVED number=JY32132326000117",
			"first_employment.contract APPROVED filing_no=YG32132326000117",
			"first_employment.insurance APPROVED personal_no=3213230001170521",
			"first_employment.medical APPROVED covered_from=2026-04-01",
			"first_employment.fund APPROVED account=3213230061170521",
			"first_employment.archive APPROVED file_no=DA32132326000044",
			"first_employment.settlement SKIPPED",
		},
	}
}
