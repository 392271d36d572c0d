package document

import (
	"slices"
	"strconv"

	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// correctionNotified makes the one notice of all that is to be corrected (行政许可法 32).
func (m *maker) correctionNotified(e *applicationv1.CorrectionNotified) {
	said := "您（单位）于" + m.state.Received.Format() + "提出的申请（办件编号" + m.state.Number + "），经审查，申请材料不齐全或者不符合法定形式。根据《中华人民共和国行政许可法》第三十二条第一款第四项的规定，" +
		"现将需要补正的全部内容一次告知如下，请于" + due(e.GetDue()) + "前补正。"
	d := &Document{Kind: Correction, Office: m.setting.Office, To: m.applicants(e.GetBundles()...), Blocks: []Block{
		{Paragraphs: []string{said}}, {Heading: "需要补正的内容", Items: m.toCorrect()},
		{Paragraphs: []string{"补正后，本机关自收到补正材料之日起重新审查。逾期未补正的，本次申请的办理终止，您（单位）可以重新申请。期限的计算附后。"}}}}
	d.count("补正期限", e.GetDue())
	if len(e.GetBundles()) == 1 {
		d.Bundle = e.GetBundles()[0]
	}
	m.issue(d, e.GetNumber())
}

// correctionAsked makes the notice of a department that asks for what could not have been known before.
func (m *maker) correctionAsked(e *applicationv1.CorrectionAsked) {
	t, step := m.task(e.GetTask())
	name, department := m.stepName(t, step)
	blocks := []Block{
		{Paragraphs: []string{"在办理" + m.matter(t.Bundle) + "的" + name + "环节（任务编号" + t.Number + "）时，发现受理时无法预见、需要补正的内容，现告知如下，请于" + due(e.GetDue()) + "前补正。"}},
		{Heading: "需要补正的内容", Items: m.toCorrect()}}
	if reason := m.event.GetPersonal().GetReason(); reason != "" {
		blocks = append(blocks, Block{Heading: "受理时未能告知的原因", Paragraphs: []string{reason}})
	}
	blocks = append(blocks, Block{Paragraphs: []string{"补正所需时间不计入办理期限。逾期未补正的，本机关依据现有材料作出决定。期限的计算附后。"}})
	d := &Document{Kind: Correction, Office: department, To: m.applicants(t.Bundle), Blocks: blocks, Bundle: t.Bundle, Task: t.Number}
	d.count("补正期限", e.GetDue())
	m.issue(d, e.GetNotice())
}

// toCorrect is the list of a notice.
func (m *maker) toCorrect() []string {
	var items []string
	several := m.severalBundles()
	for _, f := range m.event.GetPersonal().GetFindings() {
		text := f.GetText().GetZh()
		if text == "" {
			text = f.GetCode()
		}
		if place := m.place(f.GetBundle(), f.GetPath()); place != "" {
			text = place + "：" + text
		}
		if remedy := f.GetRemedy().GetZh(); remedy != "" {
			text += "。办法：" + remedy
		}
		if f.GetDepartment() != "" {
			text += "（" + m.department(f.GetDepartment()) + "）"
		}
		if several {
			text = m.matter(f.GetBundle()) + text
		}
		items = append(items, text)
	}
	return items
}

// severalBundles reports whether the findings of the event are about several cases.
func (m *maker) severalBundles() bool {
	findings := m.event.GetPersonal().GetFindings()
	return slices.ContainsFunc(findings, func(f *applicationv1.Finding) bool { return f.GetBundle() != findings[0].GetBundle() })
}

// procedureNames are the special procedures of 行政许可法 45, and a publicity period.
func procedureName(procedure string) string {
	name := map[string]string{"HEARING": "听证", "TENDER": "招标", "AUCTION": "拍卖", "INSPECTION": "检验", "TESTING": "检测", "QUARANTINE": "检疫",
		"APPRAISAL": "鉴定", "EXPERT_REVIEW": "专家评审", "PUBLICITY": "公示"}[procedure]
	if name == "" {
		return procedure
	}
	return name
}

// paused makes the notice of a special procedure, with the time that it needs (行政许可法 45).
func (m *maker) paused(e *applicationv1.TaskPaused) {
	t, step := m.task(e.GetTask())
	name, department := m.stepName(t, step)
	procedure := procedureName(e.GetProcedure())
	said := "您（单位）申请的" + m.matter(t.Bundle) + "，在" + name + "环节（任务编号" + t.Number + "）依法需要进行" + procedure + "。根据《中华人民共和国行政许可法》第四十五条的规定，" +
		procedure + "所需时间不计算在办理期限内，现将所需时间书面告知。"
	rows := []Row{{"特别程序", procedure}, {"开始日期", date(e.GetFrom())}, {"所需时间", strconv.Itoa(int(e.GetDays())) + "日（预计）"}}
	if reason := m.event.GetPersonal().GetReason(); reason != "" {
		rows = append(rows, Row{"理由", reason})
	}
	rows = append(rows, Row{"承诺办结日期", due(e.GetDue()) + "，程序结束后重新计算"})
	if e.GetStatutory() != nil {
		rows = append(rows, Row{"法定办结日期", due(e.GetStatutory()) + "，程序结束后重新计算"})
	}
	d := &Document{Kind: Procedure, Office: department, To: m.applicants(t.Bundle), Bundle: t.Bundle, Task: t.Number, Blocks: []Block{
		{Paragraphs: []string{said}}, {Rows: rows}}}
	d.count("承诺办结日期", e.GetDue())
	d.count("法定办结日期", e.GetStatutory())
	m.issue(d, e.GetNotice())
}

// extended makes the notice that a limit was extended, with the reason (行政许可法 42), or that a material may follow later.
func (m *maker) extended(e *applicationv1.Extended) {
	d := &Document{Kind: Extension, Office: m.setting.Office, Bundle: e.GetBundle(), Task: e.GetTask()}
	c := m.state.Case(e.GetBundle())
	if c == nil {
		return
	}
	d.To = m.applicants(c.Bundle)
	number := c.Number
	law := "不能在规定期限内办结。根据《中华人民共和国行政许可法》第四十二条的规定，"
	rows := []Row{{"延长", strconv.Itoa(int(e.GetDays())) + "个工作日"}}
	var said string
	switch {
	case e.GetMaterial() != "":
		said = "您（单位）申请的" + m.matter(c.Bundle) + "（联办件编号" + c.Number + "）已容缺受理，经批准，“" + m.material(c.Bundle, e.GetMaterial()) + "”的补交期限予以延长。"
		rows = append(rows, Row{"延长后的补交期限", due(e.GetDue())})
		d.count("延长后的补交期限", e.GetDue())
	case e.GetTask() != "":
		t, step := m.task(e.GetTask())
		var name string
		name, d.Office = m.stepName(t, step)
		number = t.Number
		said = "您（单位）申请的" + m.matter(c.Bundle) + "的" + name + "环节（任务编号" + t.Number + "），" + law + "经本行政机关负责人批准，延长办理期限，现将延长期限的理由告知。"
	default:
		said = "您（单位）申请的" + m.matter(c.Bundle) + "（联办件编号" + c.Number + "），" + law + "经本级人民政府负责人批准，延长办理期限，现将延长期限的理由告知。"
	}
	if e.GetMaterial() == "" {
		for _, limit := range []struct {
			name string
			due  *applicationv1.Due
		}{{"延长后的承诺办结日期", e.GetDue()}, {"延长后的法定办结日期", e.GetStatutory()}} {
			if limit.due != nil {
				rows = append(rows, Row{limit.name, due(limit.due)})
				d.count(limit.name, limit.due)
			}
		}
	}
	if reason := m.event.GetPersonal().GetReason(); reason != "" {
		rows = append(rows, Row{"理由", reason})
	}
	if e.GetNotice() != "" {
		number = e.GetNotice()
	}
	d.Blocks = []Block{{Paragraphs: []string{said}}, {Rows: rows}}
	m.issue(d, number)
}
