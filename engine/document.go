package engine

import (
	"bytes"
	"context"
	"fmt"
	"html/template"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// resultPage is what a result looks like where its department brings no document of its own.
const resultPage = `<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>{{.Title}}</title>
<style>body{font-family:serif;max-width:40em;margin:2em auto;line-height:1.8}h1{text-align:center}table{border-collapse:collapse;width:100%}
th,td{border:1px solid #444;padding:.3em .6em;text-align:left;font-weight:normal}footer{text-align:right;margin-top:2em}</style></head>
<body><h1>{{.Title}}</h1><p>编号：{{.Number}}</p><table>{{range .Rows}}<tr><th scope="row">{{.Name}}</th><td>{{.Value}}</td></tr>{{end}}</table>
<footer>{{.Department}}<br>{{.Day}}</footer></body></html>
`

// row is a value of a result as people read it.
type row struct{ Name, Value string }

// ResultDocument renders the document of an approval from the values of its result, and keeps it. Nil if the step yields
// none, or a value is not readable: then the decision is refused anyway.
func (e *Engine) ResultDocument(ctx context.Context, d *Dossier, number string, result map[string]*structpb.Value) (*applicationv1.MaterialFile, error) {
	task := d.State.Task(number)
	step := d.Selection.Bundle(task.Bundle).Step(task.Step)
	if step.Document == "" {
		return nil, nil
	}
	var rows []row
	for _, f := range step.Result {
		given := result[f.ID]
		if given == nil || given.AsInterface() == nil {
			continue
		}
		value, fault := f.Spec().Parse(given.AsInterface())
		if fault != nil {
			return nil, nil
		}
		rows = append(rows, row{f.Name.ZH, printedValue(value)})
	}
	page, err := template.New("result").Parse(resultPage)
	if err != nil {
		return nil, fmt.Errorf("result page: %w", err)
	}
	var out bytes.Buffer
	if err := page.Execute(&out, map[string]any{"Title": step.Name.ZH, "Number": task.Number, "Rows": rows, "Department": step.Department.Name.ZH, "Day": e.Today().Format()}); err != nil {
		return nil, fmt.Errorf("result page: %w", err)
	}
	return e.PutFile(ctx, d.State.ID, &applicationv1.MaterialFile{Material: application.ResultFile(number), Name: step.Document + ".html", MediaType: "text/html; charset=utf-8"}, &out, int64(out.Len()))
}

// printedValue is a value as people read it.
func printedValue(v kind.Value) string {
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
	default:
		return fmt.Sprint(kind.Encode(v))
	}
}
