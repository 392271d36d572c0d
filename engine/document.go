package engine

import (
	"bytes"
	"context"
	"slices"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/document"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// The formats in which a document is kept.
const (
	formatHTML = "html"
	formatPDF  = "pdf"
)

// mediaHTML is the media type of a document as a page.
const mediaHTML = "text/html; charset=utf-8"

// defaultOffice is what documents call the office where it has no name.
const defaultOffice = "政务服务中心"

// documentSetting is what documents depend on beside the application.
func (e *Engine) documentSetting() document.Setting {
	office := e.cfg.Office
	if office == "" {
		office = defaultOffice
	}
	return document.Setting{Office: office, Location: e.cfg.Now().Location()}
}

// documents gives each result that goes out with the events a document, where its step yields one and its department
// has brought none: officers, plugins without the hook `issue`, and steps that are approved by rule. A later step may need
// it as a material, so it is there with the result, and not made afterwards as other documents are. made are those that an
// earlier try has kept already.
func (e *Engine) documents(ctx context.Context, d *Dossier, events []*applicationv1.Event, made map[string]*applicationv1.MaterialFile) error {
	brought := map[string]bool{}
	for material := range d.Files {
		brought[material] = true
	}
	results := map[int64]*applicationv1.Event{} // by version
	for n, event := range events {
		for _, f := range event.GetPersonal().GetFiles() {
			brought[f.GetMaterial()] = true
		}
		if issued := event.GetResultIssued(); issued.GetDocument() != "" && !brought[application.ResultFile(issued.GetTask())] {
			results[d.State.Version+int64(n)+1] = event
		}
	}
	if len(results) == 0 {
		return nil
	}
	for _, x := range document.All(slices.Concat(d.Events, events), d.Selection, e.documentSetting()) {
		event := results[x.Event]
		if event == nil {
			continue
		}
		page, err := document.HTML(x)
		if err != nil {
			return err
		}
		name := application.ResultFile(x.Task)
		key := name + string(page)
		if made[key] == nil {
			description := &applicationv1.MaterialFile{Material: name, Name: event.GetResultIssued().GetDocument() + ".html", MediaType: mediaHTML}
			if made[key], err = e.PutFile(ctx, d.State.ID, description, bytes.NewReader(page), int64(len(page))); err != nil {
				return err
			}
		}
		if event.Personal == nil {
			event.Personal = &applicationv1.Personal{}
		}
		event.Personal.Files = append(event.Personal.Files, made[key])
	}
	return nil
}

// MakeDocuments makes the documents of an application that its events give rise to and that are not there yet: it renders
// them, keeps them sealed, and commits that they were made, under a request id. They are of committed events only, so a
// command that is refused leaves none behind. Of an application whose key was destroyed there are none.
func (e *Engine) MakeDocuments(ctx context.Context, id, requestID string) error {
	d, err := e.Load(ctx, id)
	if err != nil {
		return err
	}
	if d.Forgotten {
		return nil
	}
	var command application.MakeDocuments
	for _, x := range document.All(d.Events, d.Selection, e.documentSetting()) {
		if d.State.Document(x.Number) != nil {
			continue
		}
		files, err := e.keepDocument(ctx, id, x)
		if err != nil {
			return err
		}
		command.Documents = append(command.Documents, application.MadeDocument{Public: x.Public(), Files: files})
	}
	if len(command.Documents) == 0 {
		return nil
	}
	actor := engineActor()
	actor.Id = "documents"
	_, err = e.Do(ctx, Call{Application: id, Request: Request{ID: requestID}, Actor: actor,
		Command: func(context.Context, *Dossier) (application.Command, error) { return command, nil }})
	return err
}

// keepDocument renders a document in both formats and keeps it.
func (e *Engine) keepDocument(ctx context.Context, id string, x *document.Document) ([]*applicationv1.MaterialFile, error) {
	page, err := document.HTML(x)
	if err != nil {
		return nil, err
	}
	printer, err := e.printer()
	if err != nil {
		return nil, err
	}
	sheet, err := printer.PDF(x)
	if err != nil {
		return nil, err
	}
	var files []*applicationv1.MaterialFile
	for _, f := range []struct {
		format, media string
		content       []byte
	}{{formatHTML, mediaHTML, page}, {formatPDF, "application/pdf", sheet}} {
		file, err := e.PutFile(ctx, id, &applicationv1.MaterialFile{Material: application.DocumentFile(x.Number, f.format), Name: x.Number + "." + f.format, MediaType: f.media},
			bytes.NewReader(f.content), int64(len(f.content)))
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// DocumentFiles are the files of a document: the page for print, and the PDF.
func (d *Dossier) DocumentFiles(number string) (page, sheet *applicationv1.MaterialFile) {
	return d.Files[application.DocumentFile(number, formatHTML)], d.Files[application.DocumentFile(number, formatPDF)]
}

// CaseDocument reports whether a document is about a case, or about the application as a whole.
func CaseDocument(bundle string) func(application.Document) bool {
	return func(x application.Document) bool { return x.Bundle == bundle || x.Bundle == "" }
}

// TaskDocument reports whether a document is a task's: about it, or a promise in place of a material that its step needs.
func (e *Engine) TaskDocument(d *Dossier, task *application.Task) func(application.Document) bool {
	needs := e.Needs(d, task)
	return func(x application.Document) bool {
		return x.Task == task.Number || x.Material != "" && slices.ContainsFunc(needs.Materials, func(m *application.Material) bool { return m.Shared == x.Material })
	}
}

// HasDocumentFile reports whether a file with the digest is one of some documents.
func (d *Dossier) HasDocumentFile(digest string, of func(application.Document) bool) bool {
	return slices.ContainsFunc(d.State.Documents, func(x application.Document) bool {
		page, sheet := d.DocumentFiles(x.Number)
		return of(x) && (page.GetBlob() == digest || sheet.GetBlob() == digest)
	})
}
