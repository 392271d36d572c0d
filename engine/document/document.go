// Package document makes the documents (文书) of an application from its events: what the law asks an office to give in
// writing, each with its number, its legal basis and the derivation of its dates. It is pure: the same events give the
// same documents, and a document the same bytes, as HTML for print ([HTML]) and as PDF ([Printer]).
package document

import (
	"time"

	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// Kind is what a document is.
type Kind string

// The kinds of documents.
const (
	Acceptance       Kind = "ACCEPTANCE"        // 受理通知书
	Tolerance        Kind = "TOLERANCE"         // 容缺受理通知书
	Refusal          Kind = "REFUSAL"           // 不予受理通知书
	Correction       Kind = "CORRECTION"        // 补正告知书, 一次性告知
	Procedure        Kind = "PROCEDURE"         // 特别程序告知书
	Extension        Kind = "EXTENSION"         // 延期告知书
	TolerancePromise Kind = "TOLERANCE_PROMISE" // 容缺受理承诺书
	Promise          Kind = "PROMISE"           // 告知承诺书
	Result           Kind = "RESULT"            // 办理结果通知书
	Rejection        Kind = "REJECTION"         // 不予批准决定书
	Service          Kind = "SERVICE"           // 送达回证
)

// Kinds returns all kinds, in the order in which an application may meet them.
func Kinds() []Kind {
	return []Kind{Promise, TolerancePromise, Acceptance, Tolerance, Refusal, Correction, Procedure, Extension, Result, Rejection, Service}
}

// Title is the name of a kind of document in Chinese, as it stands over the document.
func (k Kind) Title() string { title, _ := k.words(); return title }

// English is the name of a kind of document in English.
func (k Kind) English() string {
	return map[Kind]string{
		Acceptance: "Notice of acceptance", Tolerance: "Notice of acceptance with materials to follow", Refusal: "Notice of non-acceptance",
		Correction: "Notice of correction", Procedure: "Notice of a special procedure", Extension: "Notice of extension",
		TolerancePromise: "Promise to supply materials", Promise: "Promise in place of a material", Result: "Notice of the result",
		Rejection: "Decision not to approve", Service: "Record of service",
	}[k]
}

// words are the title of a kind and the word that its numbers begin with.
func (k Kind) words() (title, prefix string) {
	words := map[Kind][2]string{
		Acceptance: {"受理通知书", "受理"}, Tolerance: {"容缺受理通知书", "容受"}, Refusal: {"不予受理通知书", "不受"}, Correction: {"补正告知书", "补告"},
		Procedure: {"特别程序告知书", "特程"}, Extension: {"延期告知书", "延告"}, TolerancePromise: {"容缺受理承诺书", "容诺"}, Promise: {"告知承诺书", "承诺"},
		Result: {"办理结果通知书", "结果"}, Rejection: {"不予批准决定书", "不批"}, Service: {"送达回证", "送达"},
	}[k]
	return words[0], words[1]
}

// Document is a document before it is rendered.
type Document struct {
	Kind   Kind
	Number string // 文号
	Office string // who issues it, over the title; empty: the applicant, of a promise
	To     string // whom it addresses; empty: nobody
	Blocks []Block
	Sign   []string // lines at its foot
	// Counted says, behind the document, how its dates were counted.
	Counted []Count
	At      time.Time
	// Event is the version of the application with the event that it is made of.
	Event int64
	// Bundle, Task and Material are what it is about; empty: the application.
	Bundle, Task, Material string
}

// Title is the title of the document.
func (d *Document) Title() string { return d.Kind.Title() }

// Block is a part of a document: a heading, and of what follows whatever is there, in this order.
type Block struct {
	Heading    string
	Paragraphs []string
	Rows       []Row
	Items      []string // numbered
}

// Count is the derivation of a date: which days counted, which did not, and why.
type Count struct {
	Name  string // of the date, with the date
	Lines []string
}

// Row is a row of a table of names and values.
type Row struct{ Name, Value string }

// Setting is what a document depends on beside the application.
type Setting struct {
	// Office is the name of the office that receives applications.
	Office string
	// Location is the time zone of the office.
	Location *time.Location
}

// day is a time as a day of the office.
func (s Setting) day(t time.Time) kind.Date { return kind.DateOf(t.In(s.Location)) }

// Public is the document as the event [applicationv1.DocumentMade] names it.
func (d *Document) Public() *applicationv1.DocumentMade {
	return &applicationv1.DocumentMade{Number: d.Number, Document: string(d.Kind), Event: d.Event, Bundle: d.Bundle, Task: d.Task, Material: d.Material, On: kind.DateOf(d.At).String()}
}
