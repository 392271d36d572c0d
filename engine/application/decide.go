// Package application is the life of an application as a pure function: [Decide] says which events a command
// causes, [Evolve] what an event makes of the state. A file per chapter of the domain holds both sides of it.
//
// Decide begins with what the law has made of the time that has passed, as if a follower had come in time; only
// then it looks at the command. A refusal is what the settled state says; since it never comes with events, what
// had lapsed is not recorded by it: whoever gets a refusal may give [Lapse] to record that, and loses nothing if
// not, because the next command settles it again from the same dates.
package application

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// World is everything outside the application that a decision may depend on.
type World struct {
	Now    time.Time            // in the office's time zone
	Actor  *applicationv1.Actor // who gives the command, already authenticated
	Person string               // keyed digest of the person who acts; goes into the personal part
	// Selection is the bundles of the application, as published on its day of receipt.
	Selection *catalog.Selection
	Calendar  *calendar.Calendar
	Place     string // of the office, six digits; read by Submit only
	Number    string // of the application, allocated beforehand; read by Submit only
	// Facts are known of persons from elsewhere, by facts.<alias>.<fact>; one that is absent is not known.
	Facts map[forms.Path]kind.Value
	// Record is the current revision.
	Record forms.Record
	// Results are those of decided tasks, by bundle and results.<step>.<field>.
	Results map[string]map[forms.Path]kind.Value
	// Findings are those that the checks have given, with their texts, for the notice.
	Findings []*applicationv1.Finding
	// Plugins are the hooks of each active plugin, by its id.
	Plugins map[string][]string
	// Draw is what samples of promises are drawn from: of the application, known to nobody outside, and the same each time.
	Draw []byte
	// CorrectionDays are the working days that the office gives for a correction; 0: 10.
	CorrectionDays int
}

// Decide returns the events that cmd causes on s, or an error, never both. An error is a [*refusal.Refusal], or it
// says that the World does not fit the application. It is pure: equal arguments, equal events, byte for byte.
func Decide(s State, cmd Command, w World) ([]*applicationv1.Event, error) {
	if err := w.fits(s); err != nil {
		return nil, err
	}
	// What was shown is what is stored: expected versions are compared before anything is settled.
	if err := checkExpected(s, cmd); err != nil {
		return nil, err
	}
	d := &decision{w: w, s: s, today: kind.DateOf(w.Now), record: w.Record, results: map[string]map[forms.Path]kind.Value{}}
	for bundle, values := range w.Results {
		d.results[bundle] = maps.Clone(values)
	}
	if err := d.settle(); err != nil {
		return nil, err
	}
	if err := d.do(cmd); err != nil {
		return nil, err
	}
	return d.events, nil
}

// decision is one run of Decide: the events so far, and the state after them.
type decision struct {
	w       World
	s       State
	today   kind.Date
	record  forms.Record
	results map[string]map[forms.Path]kind.Value
	events  []*applicationv1.Event
}

func (d *decision) do(cmd Command) error {
	if _, first := cmd.(Submit); !first && d.s.Number == "" {
		return refusal.New(refusal.NotFound, "没有这件申请", "there is no such application")
	}
	switch c := cmd.(type) {
	case Submit:
		return d.submit(c)
	case RecordCheck:
		return d.recordCheck(c)
	case Accept:
		return d.accept(c)
	case NotifyCorrection:
		return d.notifyCorrection(c)
	case Refuse:
		return d.refuse(c)
	case Correct:
		return d.correct(c)
	case Move:
		return d.move(c)
	case Supply:
		return d.supply(c)
	case Withdraw:
		return d.withdraw(c)
	case ClaimTask:
		return d.claim(c)
	case ReleaseTask:
		return d.release(c)
	case DecideTask:
		return d.decideTask(c)
	case RecordDecision:
		return d.recordDecision(c)
	case RecordIssue:
		return d.recordIssue(c)
	case RecordFailure:
		return d.recordFailure(c)
	case AskCorrection:
		return d.askCorrection(c)
	case PauseTask:
		return d.pause(c)
	case ResumeTask:
		return d.resume(c)
	case ExtendTask:
		return d.extendTask(c)
	case ExtendCase:
		return d.extendCase(c)
	case ExtendTolerance:
		return d.extendTolerance(c)
	case VerifyPromise:
		return d.verifyPromise(c)
	case RepairPromise:
		return d.repairPromise(c)
	case RecordRevocation:
		return d.recordRevocation(c)
	case MakeDocuments:
		d.makeDocuments(c)
		return nil
	case ServeDocument:
		return d.serveDocument(c)
	case Lapse:
		return nil // has been settled
	case SettleDates:
		d.settleDates(true)
		return nil
	}
	return fmt.Errorf("decide: no such command: %T", cmd)
}

// fits says what is missing of the world for this application.
func (w World) fits(s State) error {
	if w.Selection == nil || w.Calendar == nil || w.Actor == nil {
		return errors.New("decide: selection, calendar and actor have to be given")
	}
	for _, c := range s.Cases {
		if b := w.Selection.Bundle(c.Bundle); b == nil || b.Digest != c.Digest {
			return fmt.Errorf("decide: the bundle %s of the application is not at hand as it was published", c.Bundle)
		}
	}
	return nil
}

// checkExpected compares the version that the caller was shown.
func checkExpected(s State, cmd Command) error {
	var expected, current int64
	ofCase := func(bundle string, version int64) {
		if c := s.Case(bundle); c != nil {
			expected, current = version, c.Version
		}
	}
	ofTask := func(number string, version int64) {
		if t := s.Task(number); t != nil {
			expected, current = version, t.Version
		}
	}
	switch c := cmd.(type) {
	case Accept:
		ofCase(c.Bundle, c.Expected)
	case Refuse:
		ofCase(c.Bundle, c.Expected)
	case NotifyCorrection:
		expected, current = s.shown(c.Expected), s.Version
	case Correct:
		expected, current = s.shown(c.Expected), s.Version
	case Move:
		expected, current = s.shown(c.Expected), s.Version
	case ClaimTask:
		ofTask(c.Task, c.Expected)
	case DecideTask:
		ofTask(c.Task, c.Expected)
	case AskCorrection:
		ofTask(c.Task, c.Expected)
	case PauseTask:
		ofTask(c.Task, c.Expected)
	case ResumeTask:
		ofTask(c.Task, c.Expected)
	case ExtendTask:
		ofTask(c.Task, c.Expected)
	case ExtendCase:
		ofCase(c.Bundle, c.Expected)
	case ExtendTolerance:
		ofCase(c.Bundle, c.Expected)
	case Submit, RecordCheck, Supply, Withdraw, ReleaseTask, RecordDecision, RecordIssue, RecordFailure, VerifyPromise, RepairPromise, RecordRevocation, MakeDocuments, ServeDocument, Lapse, SettleDates:
	}
	if expected == 0 || expected == current {
		return nil
	}
	r := stale("所见内容已经变化，请重新读取", "what was shown has changed since; read it again")
	r.CurrentVersion = current
	return r
}

func stale(zh, en string) *refusal.Refusal { return refusal.New(refusal.Stale, zh, en) }

// by records an event of the caller.
func (d *decision) by(e *applicationv1.Event) {
	e.Actor = d.w.Actor
	if d.w.Person != "" {
		if e.Personal == nil {
			e.Personal = &applicationv1.Personal{}
		}
		e.Personal.Actor = d.w.Person
	}
	d.add(e)
}

// follows records an event that the engine causes: what has lapsed, or what follows from another event.
func (d *decision) follows(e *applicationv1.Event) {
	e.Actor = &applicationv1.Actor{Role: applicationv1.Role_ROLE_ENGINE}
	d.add(e)
}

func (d *decision) add(e *applicationv1.Event) {
	e.At = timestamppb.New(d.w.Now)
	d.events = append(d.events, e)
	d.s = Evolve(d.s, e)
}

// bundle returns the bundle of a case; [World.fits] has made sure that it is there.
func (d *decision) bundle(id string) *catalog.Bundle { return d.w.Selection.Bundle(id) }
