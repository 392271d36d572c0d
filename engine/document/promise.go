package document

import (
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// promises makes the promises that were signed: in place of a material (告知承诺, 国办发〔2020〕42号), and to supply what may
// follow (容缺). The text is the one that was shown and signed, word for word.
func (m *maker) promises(signed []*applicationv1.SignedPromise) {
	for _, p := range signed {
		d := &Document{Kind: TolerancePromise, Material: p.GetMaterial()}
		rows := []Row{{"办件编号", m.state.Number}, {"承诺人", m.applicants(m.bundles()...)}}
		if p.GetMaterial() != "" {
			d.Kind = Promise
			rows = append(rows, Row{"以承诺替代的材料", m.shared(p.GetMaterial())})
		}
		at := p.GetAt().AsTime().In(m.setting.Location)
		rows = append(rows, Row{"签署时间", m.setting.day(at).Format() + " " + at.Format("15:04:05")}, Row{"正文的 SHA-256 摘要", p.GetDigest()})
		d.Blocks = []Block{{Paragraphs: []string{p.GetText()}}, {Heading: "签署记录", Rows: rows}}
		if d.Kind == Promise {
			d.Blocks = append(d.Blocks, Block{Paragraphs: []string{"本承诺由承诺人自愿作出。行政机关将在事后核查；承诺不实的，依法终止办理、责令限期整改、撤销决定或者予以处罚，并记入信用记录。（国办发〔2020〕42号）"}})
		}
		d.Sign = []string{"承诺人：" + m.applicants(m.bundles()...) + "（电子签署）", m.setting.day(at).Format()}
		m.issue(d, m.state.Number)
	}
}
