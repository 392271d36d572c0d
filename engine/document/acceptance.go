package document

import (
	"strconv"
	"strings"

	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// accepted makes the notice of acceptance of a case (行政许可法 32); with materials to follow that of tolerance.
func (m *maker) accepted(e *applicationv1.Accepted) {
	c := m.state.Case(e.GetBundle())
	if c == nil {
		return
	}
	d := &Document{Kind: Acceptance, Office: m.setting.Office, To: m.applicants(c.Bundle), Bundle: c.Bundle}
	said := "您（单位）于" + m.state.Received.Format() + "提出的" + m.matter(c.Bundle) + "申请，"
	switch {
	case e.GetBy() == applicationv1.Accepted_BY_SILENCE:
		said += "因本机关未在五个工作日内一次告知需要补正的全部内容，根据《中华人民共和国行政许可法》第三十二条第一款第四项的规定，自收到申请材料之日起即为受理。"
	case len(e.GetTolerances()) > 0:
		d.Kind = Tolerance
		said += "经审查，主要材料齐全、符合法定形式，下列次要材料暂缺。根据您（单位）签署的《容缺受理承诺书》，决定予以容缺受理，请在规定期限内补交。"
	default:
		said += "经审查，申请事项属于本机关职权范围，申请材料齐全、符合法定形式，根据《中华人民共和国行政许可法》第三十二条第一款第五项的规定，决定予以受理。"
	}
	d.Blocks = append(d.Blocks, Block{Paragraphs: []string{said}}, Block{Rows: m.acceptedRows(e)})
	if len(e.GetTolerances()) > 0 {
		d.Blocks = append(d.Blocks, m.toFollow(e))
	}
	if received := m.receivedMaterials(c.Bundle); len(received) > 0 {
		d.Blocks = append(d.Blocks, Block{Heading: "已收材料", Items: received})
	}
	d.Blocks = append(d.Blocks, Block{Paragraphs: []string{"办理期限自受理之日的次日起算；补正、特别程序所需时间依法不计入，届时另行书面告知。期限的计算附后。"}})
	for _, t := range e.GetTolerances() {
		d.count("“"+m.material(c.Bundle, t.GetMaterial())+"”补交期限", t.GetDue())
	}
	d.count("承诺办结日期", e.GetDue())
	d.count("法定办结日期", e.GetStatutory())
	m.issue(d, c.Number)
}

// acceptedRows is what was accepted, by whom it is done, and when.
func (m *maker) acceptedRows(e *applicationv1.Accepted) []Row {
	c, b := m.state.Case(e.GetBundle()), m.selection.Bundle(e.GetBundle())
	rows := []Row{{"办件编号", m.state.Number}, {"联办件编号", c.Number}, {"受理日期", date(e.GetAsOf())}}
	if b != nil {
		rows = append([]Row{{"申请事项", b.Name.ZH}}, rows...)
		var steps []string
		for _, id := range c.Steps {
			if step := b.Step(id); step != nil {
				steps = append(steps, step.Name.ZH+"（"+step.Department.Name.ZH+"）")
			}
		}
		rows = append(rows, Row{"办理环节", strings.Join(steps, "；")})
		if b.Basis != "" {
			rows = append(rows, Row{"办理依据", b.Basis})
		}
	}
	rows = append(rows, Row{"承诺办结日期", due(e.GetDue())}, Row{"法定办结日期", due(e.GetStatutory())})
	if fee := kind.Money(e.GetFeeFen()); fee != 0 {
		rows = append(rows, Row{"收费", fee.Format() + "（以缴费通知为准）"})
	} else {
		rows = append(rows, Row{"收费", "不收费"})
	}
	return rows
}

// toFollow is what has to be supplied, by when, and what happens if it is not.
func (m *maker) toFollow(e *applicationv1.Accepted) Block {
	var items []string
	for _, t := range e.GetTolerances() {
		name := m.material(e.GetBundle(), t.GetMaterial())
		consequence := map[string]string{
			"REMIND":  "逾期未补交的，再次提醒；补交前不出具办理结果",
			"SUSPEND": "逾期未补交的，中止办理" + strconv.Itoa(int(t.GetSuspended())) + "个工作日，仍未补交的终止办理",
			"END":     "逾期未补交的，终止办理",
		}[t.GetThen()]
		items = append(items, name+"：请于"+due(t.GetDue())+"前补交；"+consequence+"。")
	}
	return Block{Heading: "须补交的材料", Items: items, Paragraphs: []string{"材料的形式：原件的扫描件或者照片，以办事指南所列格式为准。审查同时进行，补交并核对后方可出具办理结果。因不可抗力不能按期补交的，请在障碍消除后及时说明。"}}
}

// receivedMaterials are the materials of a case that are there, with where they came from.
func (m *maker) receivedMaterials(bundle string) []string {
	var items []string
	for _, x := range m.state.Case(bundle).Materials {
		from := map[applicationv1.Origin]string{
			applicationv1.Origin_ORIGIN_E_CERTIFICATE: "电子证照", applicationv1.Origin_ORIGIN_SHARED_DATA: "数据共享", applicationv1.Origin_ORIGIN_APPLICANT: "申请人提交",
			applicationv1.Origin_ORIGIN_STEP: "前序环节出具", applicationv1.Origin_ORIGIN_FORM: "由申请表生成", applicationv1.Origin_ORIGIN_PROMISE: "以告知承诺替代",
		}[x.Origin]
		if from != "" {
			items = append(items, m.material(bundle, x.ID)+"（"+from+"）")
		}
	}
	return items
}

// notAccepted makes the notice that a case was not accepted, with its reasons and remedies.
func (m *maker) notAccepted(e *applicationv1.NotAccepted) {
	c := m.state.Case(e.GetBundle())
	if c == nil {
		return
	}
	said := "您（单位）于" + m.state.Received.Format() + "提出的" + m.matter(c.Bundle) + "申请（联办件编号" + c.Number + "），"
	heading := "理由"
	if e.GetElsewhere() {
		said += "依法不属于本机关职权范围，根据《中华人民共和国行政许可法》第三十二条第一款第二项的规定，决定不予受理。请向有关行政机关申请。"
		heading = "说明"
	} else {
		said += "经审查，存在下列不符合受理条件的情形，根据《中华人民共和国行政许可法》第三十二条的规定，决定不予受理。"
	}
	d := &Document{Kind: Refusal, Office: m.setting.Office, To: m.applicants(c.Bundle), Bundle: c.Bundle, Blocks: []Block{
		{Paragraphs: []string{said}}, {Heading: heading, Items: m.why()}, {Paragraphs: []string{"条件具备后，您（单位）可以重新申请。"}}, rights("通知书")}}
	m.issue(d, c.Number)
}

// why are the reasons that the event gives: what was found, with its basis and remedy, and what a person wrote.
func (m *maker) why() []string {
	var items []string
	for _, f := range m.event.GetPersonal().GetFindings() {
		text := f.GetText().GetZh()
		if text == "" {
			text = f.GetCode()
		}
		if basis := f.GetBasis(); basis != "" {
			text += "（依据：" + basis + "）"
		}
		if remedy := f.GetRemedy().GetZh(); remedy != "" {
			text += "。办法：" + remedy
		}
		items = append(items, text)
	}
	if reason := m.event.GetPersonal().GetReason(); reason != "" {
		items = append(items, reason)
	}
	return items
}
