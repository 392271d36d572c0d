package document

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// issued makes the notice of a result: the decision, and the values that the step has given.
func (m *maker) issued(e *applicationv1.ResultIssued) {
	t, step := m.task(e.GetTask())
	name, department := m.stepName(t, step)
	said := "您（单位）申请的" + m.matter(t.Bundle) + "，其中" + name + "环节（任务编号" + t.Number + "）经审查，符合法定条件、标准，决定予以办理。"
	if slices.Contains(t.Reasons, "silence") {
		said = "您（单位）申请的" + m.matter(t.Bundle) + "，其中" + name + "环节（任务编号" + t.Number + "）逾期未作出决定，依法视为同意。"
	}
	d := &Document{Kind: Result, Office: department, To: m.applicants(t.Bundle), Bundle: t.Bundle, Task: t.Number, Blocks: []Block{{Paragraphs: []string{said}}}}
	rows := []Row{{"办件编号", m.state.Number}}
	if step != nil {
		rows = append(rows, resultRows(step, m.results[t.Number])...)
	}
	if e.GetValidUntil() != "" {
		rows = append(rows, Row{"有效期至", date(e.GetValidUntil())})
	}
	if step != nil && step.Basis != "" {
		rows = append(rows, Row{"办理依据", step.Basis})
	}
	d.Blocks = append(d.Blocks, Block{Heading: "办理结果", Rows: rows})
	m.issue(d, t.Number)
}

// decided makes the decision that a step is not approved, with its reasons and the applicant's rights (行政许可法 38).
func (m *maker) decided(e *applicationv1.TaskDecided) {
	t, step := m.task(e.GetTask())
	if m.state.Task(e.GetTask()) == nil || !GivesRise(m.event) || t.Purpose != "" { // what follows a false promise is no decision on the application
		return
	}
	name, department := m.stepName(t, step)
	said := "您（单位）申请的" + m.matter(t.Bundle) + "，其中" + name + "环节（任务编号" + t.Number + "）经审查，因下列理由，根据《中华人民共和国行政许可法》第三十八条第二款的规定，决定不予批准。"
	blocks := []Block{{Paragraphs: []string{said}}, {Heading: "理由", Items: m.why()}}
	if step != nil && step.Basis != "" {
		blocks = append(blocks, Block{Rows: []Row{{"办理依据", step.Basis}}})
	}
	m.issue(&Document{Kind: Rejection, Office: department, To: m.applicants(t.Bundle), Bundle: t.Bundle, Task: t.Number, Blocks: append(blocks, rights("决定"))}, t.Number)
}

// resultRows are the values of a result, by the names that its step gives them. One that cannot be read is left out: it was
// checked when it was given.
func resultRows(step *catalog.Step, result map[string]*structpb.Value) []Row {
	var rows []Row
	for _, f := range step.Result {
		given := result[f.ID].AsInterface()
		if given == nil {
			continue
		}
		if value, fault := f.Spec().Parse(given); fault == nil {
			rows = append(rows, Row{f.Name.ZH, printed(f.Field, value)})
		}
	}
	return rows
}

// printed is a value as people read it.
func printed(f *forms.Field, v kind.Value) string {
	switch v := v.(type) {
	case kind.Date:
		return v.Format()
	case kind.Money:
		return v.Format()
	case kind.Bool:
		if v {
			return "是"
		}
		return "否"
	case kind.Address:
		return v.Text
	case kind.Choice:
		if o, ok := f.Option(string(v)); ok {
			return o.Name.ZH
		}
		return string(v)
	case kind.Choices:
		var names []string
		for _, id := range v {
			names = append(names, printed(f, kind.Choice(id)))
		}
		return strings.Join(names, "、")
	case kind.List:
		var rows []string
		for _, cells := range v {
			var row []string
			for _, cell := range f.Row {
				if value := cells[cell.ID]; value != nil {
					row = append(row, cell.Name.ZH+" "+printed(cell, value))
				}
			}
			rows = append(rows, strings.Join(row, "，"))
		}
		return strings.Join(rows, "；")
	default:
		return fmt.Sprint(kind.Encode(v))
	}
}
