package application

import (
	"slices"

	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// Document is a document (文书) that was made of an event.
type Document struct {
	Number   string // 文号
	Kind     string
	Event    int64 // version of the application with that event
	Bundle   string
	Task     string
	Material string // as the form merges it
	On       kind.Date
	Way      string // in which it was served; empty: not yet
	ServedOn kind.Date
}

// The ways of service (送达).
const (
	ServedElectronically = "ELECTRONIC" // the applicant took it over the API
	ServedDirectly       = "DIRECT"     // handed over at the counter
	ServedByPost         = "POST"
	ServedByLeaving      = "LEFT" // 留置送达
)

// DocumentFile is the material under which a document's file of a format (html, pdf) is kept.
func DocumentFile(number, format string) string { return "document/" + number + "." + format }

// Document returns the document with the number, nil if there is none.
func (s State) Document(number string) *Document {
	i := slices.IndexFunc(s.Documents, func(d Document) bool { return d.Number == number })
	if i < 0 {
		return nil
	}
	return &s.Documents[i]
}

// makeDocuments records documents that were made of events; one that is there already is not made again.
func (d *decision) makeDocuments(cmd MakeDocuments) {
	for _, made := range cmd.Documents {
		if d.s.Document(made.Public.GetNumber()) != nil {
			continue
		}
		d.by(&applicationv1.Event{Kind: &applicationv1.Event_DocumentMade{DocumentMade: made.Public}, Personal: &applicationv1.Personal{Files: made.Files}})
	}
}

func (s *State) documentMade(e *applicationv1.DocumentMade) {
	on, _ := kind.ParseDate(e.GetOn())
	s.Documents = append(s.Documents, Document{Number: e.GetNumber(), Kind: e.GetDocument(), Event: e.GetEvent(), Bundle: e.GetBundle(), Task: e.GetTask(), Material: e.GetMaterial(), On: on})
}

// serveDocument records that a document was served. An applicant takes it electronically; who serves it otherwise says on
// whom and when.
func (d *decision) serveDocument(cmd ServeDocument) error {
	document := d.s.Document(cmd.Number)
	switch {
	case document == nil:
		return refusal.New(refusal.NotFound, "没有这份文书", "there is no such document")
	case slices.Contains([]string{"SERVICE", "PROMISE", "TOLERANCE_PROMISE"}, document.Kind):
		return refusal.New(refusal.Invalid, "该文书无须送达", "a promise and a record of service are not served")
	case document.Way != "":
		return refusal.New(refusal.WrongState, "该文书已经送达", "the document was served already")
	}
	on := cmd.On
	if on.IsZero() {
		on = d.today
	}
	switch cmd.Way {
	case ServedElectronically:
	case ServedDirectly, ServedByPost, ServedByLeaving:
		if cmd.Receiver == "" {
			return refusal.New(refusal.Invalid, "须写明签收人或者见证人", "say who received it, or who was a witness")
		}
	default:
		return refusal.New(refusal.Invalid, "送达方式不正确", "there is no such way of service")
	}
	if on.After(d.today) || on.Before(document.On) {
		return refusal.New(refusal.Invalid, "送达日期不能早于文书日期或晚于今天", "a document is served between its day and today")
	}
	d.by(&applicationv1.Event{Kind: &applicationv1.Event_DocumentServed{DocumentServed: &applicationv1.DocumentServed{Number: cmd.Number, Way: cmd.Way, On: on.String()}},
		Personal: &applicationv1.Personal{Receiver: cmd.Receiver, Reason: cmd.Note}})
	return nil
}

func (s *State) documentServed(e *applicationv1.DocumentServed) {
	if document := s.Document(e.GetNumber()); document != nil {
		document.Way = e.GetWay()
		document.ServedOn, _ = kind.ParseDate(e.GetOn())
	}
}
