package document

import (
	"slices"

	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// served makes the record that a document was served (送达回证): which one, on whom, how and when.
func (m *maker) served(e *applicationv1.DocumentServed) {
	i := slices.IndexFunc(m.made, func(d *Document) bool { return d.Number == e.GetNumber() })
	if i < 0 {
		return
	}
	document := m.made[i]
	way := map[string]string{"ELECTRONIC": "电子送达", "DIRECT": "直接送达", "POST": "邮寄送达", "LEFT": "留置送达"}[e.GetWay()]
	to := document.To
	if to == "" {
		to = m.applicants(m.bundles()...)
	}
	receiver := m.event.GetPersonal().GetReceiver()
	if receiver == "" && e.GetWay() == "ELECTRONIC" {
		receiver = "受送达人登录系统确认收到"
	}
	rows := []Row{{"送达文书", "《" + document.Title() + "》" + document.Number}, {"受送达人", to}, {"送达方式", way}, {"送达日期", date(e.GetOn())},
		{"送达机关", m.setting.Office}, {"签收人", receiver}}
	if note := m.event.GetPersonal().GetReason(); note != "" {
		rows = append(rows, Row{"备注", note})
	}
	if e.GetWay() != "ELECTRONIC" {
		rows = append(rows, Row{"受送达人签名或者盖章", "\n\n"}, Row{"送达人签名", "\n\n"}) // room for them
	}
	d := &Document{Kind: Service, Office: m.setting.Office, Bundle: document.Bundle, Task: document.Task, Material: document.Material, Blocks: []Block{{Rows: rows}}}
	m.issue(d, m.state.Number)
}
