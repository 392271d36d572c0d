package engine

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"maps"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// resultTemplate is what a result looks like where its department brings no document of its own.
const resultTemplate = `<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>{{.Title}}</title>
<style>body{font-family:serif;max-width:40em;margin:2em auto;line-height:1.8}h1{text-align:center}table{border-collapse:collapse;width:100%}
th,td{border:1px solid #444;padding:.3em .6em;text-align:left;font-weight:normal}footer{text-align:right;margin-top:2em}</style></head>
<body><h1>{{.Title}}</h1><p>编号：{{.Number}}</p><table>{{range .Rows}}<tr><th scope="row">{{.Name}}</th><td>{{.Value}}</td></tr>{{end}}</table>
<footer>{{.Department}}<br>{{.Day}}</footer></body></html>
`

// row is a value of a result as people read it.
type row struct{ Name, Value string }

// documents gives each result that goes out with the events a document, where its step yields one and its department
// has brought none: officers, plugins without the hook `issue`, and steps that are approved by rule. made are those that
// an earlier try has kept already.
func (e *Engine) documents(ctx context.Context, d *Dossier, events []*applicationv1.Event, made map[string]*applicationv1.MaterialFile) error {
	brought := map[string]bool{}
	for material := range d.Files {
		brought[material] = true
	}
	results := map[string]map[string]*structpb.Value{} // by task and field
	collect := func(event *applicationv1.Event) {
		number := event.GetTaskDecided().GetTask() + event.GetResultIssued().GetTask() // one of them
		if number == "" {
			return
		}
		if results[number] == nil {
			results[number] = map[string]*structpb.Value{}
		}
		maps.Copy(results[number], event.GetPersonal().GetResult().GetAnswers())
	}
	for _, event := range d.Events {
		collect(event)
	}
	state := d.State
	for _, event := range events {
		state = application.Evolve(state, event)
		collect(event)
		for _, f := range event.GetPersonal().GetFiles() {
			brought[f.GetMaterial()] = true
		}
		issued := event.GetResultIssued()
		name := application.ResultFile(issued.GetTask())
		if issued.GetDocument() == "" || brought[name] {
			continue
		}
		task := state.Task(issued.GetTask())
		page, err := resultPage(d.Selection.Bundle(task.Bundle).Step(task.Step), task.Number, results[task.Number], e.Today().Format())
		if err != nil {
			return err
		}
		key := name + string(page)
		if made[key] == nil {
			file, err := e.PutFile(ctx, d.State.ID, &applicationv1.MaterialFile{Material: name, Name: issued.GetDocument() + ".html", MediaType: "text/html; charset=utf-8"},
				bytes.NewReader(page), int64(len(page)))
			if err != nil {
				return err
			}
			made[key] = file
		}
		if event.Personal == nil {
			event.Personal = &applicationv1.Personal{}
		}
		event.Personal.Files = append(event.Personal.Files, made[key])
	}
	return nil
}

// resultPage renders a result from its values.
func resultPage(step *catalog.Step, number string, result map[string]*structpb.Value, day string) ([]byte, error) {
	var rows []row
	for _, f := range step.Result {
		given := result[f.ID].AsInterface()
		if given == nil {
			continue
		}
		value, fault := f.Spec().Parse(given)
		if fault != nil {
			return nil, fmt.Errorf("result page: %s is not readable", f.Path)
		}
		rows = append(rows, row{f.Name.ZH, printedValue(f.Field, value)})
	}
	page, err := template.New("result").Parse(resultTemplate)
	if err != nil {
		return nil, fmt.Errorf("result page: %w", err)
	}
	var out bytes.Buffer
	if err := page.Execute(&out, map[string]any{"Title": step.Name.ZH, "Number": number, "Rows": rows, "Department": step.Department.Name.ZH, "Day": day}); err != nil {
		return nil, fmt.Errorf("result page: %w", err)
	}
	return out.Bytes(), nil
}

// printedValue is a value as people read it.
func printedValue(f *forms.Field, v kind.Value) string {
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
			names = append(names, printedValue(f, kind.Choice(id)))
		}
		return strings.Join(names, "、")
	case kind.List:
		var rows []string
		for _, cells := range v {
			var row []string
			for _, cell := range f.Row {
				if value := cells[cell.ID]; value != nil {
					row = append(row, cell.Name.ZH+" "+printedValue(cell, value))
				}
			}
			rows = append(rows, strings.Join(row, "，"))
		}
		return strings.Join(rows, "；")
	default:
		return fmt.Sprint(kind.Encode(v))
	}
}
