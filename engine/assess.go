package engine

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// Assessed is an assessment of answers as they came. It is immutable.
type Assessed struct {
	*guide.Assessment
	Selection *catalog.Selection
	Record    forms.Record // what could be read of the answers
	// Unreadable are answers that are of the wrong kind, or that the form does not know; they are among the faults too.
	Unreadable []forms.Violation
	// LeftOut are matters that were asked about with all others and do not go with them: see [registry.InForce.Together].
	LeftOut []string

	answers map[string]*structpb.Value
	typed   *guide.Assessment // of what could be read
}

// Query asks the guide what applies, for answers and for changes of them.
type Query struct {
	Bundles []string // that are in force today; none: all of them that go together
	Place   string   // region of the office; "": the engine's
	Answers map[string]*structpb.Value
	Changes map[string]*structpb.Value
	Cleared []string // answers that are taken back
	// Session is a name that nobody can guess, under which whoever asks will ask again soon. What the answers come to is
	// then held in memory for two minutes, so that the next answer is cheap; it makes no other difference. "": nothing of
	// the answers is kept.
	Session string
}

// Assess answers what applies before and after the changes. Nothing is looked up about anybody: facts are not known.
func (e *Engine) Assess(q Query) (before, after *Assessed, err error) {
	if q.Place == "" {
		q.Place = e.cfg.Place
	}
	blank, err := e.blank(q.Bundles, q.Place)
	if err != nil {
		return nil, nil, err
	}
	before = blank
	if q.Session != "" {
		if known := e.sessions.of(q.Session, blank, e.cfg.Now()); known != nil {
			before = known
		}
	}
	before = before.to(q.Answers)
	after = before.With(q.Changes, q.Cleared)
	if q.Session != "" {
		e.sessions.hold(q.Session, blank, after, e.cfg.Now())
	}
	return before, after, nil
}

// maxBlanks bounds the bundles of all selections whose blank assessments are remembered.
const maxBlanks = 2000

// blank is the assessment of no answers for bundles that are in force today, so that a call works out only what its answers
// make a difference to.
func (e *Engine) blank(ids []string, place string) (*Assessed, error) {
	inForce, today := e.InForce(), e.Today()
	return e.blanks.of(inForce, today, place+" "+strings.Join(ids, " "), maxBlanks, func() (*Assessed, int, error) {
		var selection *catalog.Selection
		var left []string
		var err error
		if len(ids) == 0 {
			selection, left, err = inForce.Together(today, place)
		} else {
			selection, err = inForce.Select(ids, today, place)
		}
		if err != nil {
			return nil, 0, err
		}
		setting := guide.Setting{Today: today, Place: place, Calendar: inForce.Calendar}
		blank := newAssessed(selection, nil, forms.Record{}, nil, guide.Assess(selection, forms.Record{}, setting))
		blank.LeftOut = left
		return blank, len(selection.Bundles), nil
	})
}

func (e *Engine) setting(place string, facts map[forms.Path]kind.Value) guide.Setting {
	return guide.Setting{Today: e.Today(), Place: place, Calendar: e.InForce().Calendar, Facts: facts}
}

func (e *Engine) assess(selection *catalog.Selection, answers map[string]*structpb.Value, setting guide.Setting) *Assessed {
	record, unreadable := forms.Decode(answers, selection.Field)
	return newAssessed(selection, answers, record, unreadable, guide.Assess(selection, record, setting))
}

func newAssessed(selection *catalog.Selection, answers map[string]*structpb.Value, record forms.Record, unreadable []forms.Violation, typed *guide.Assessment) *Assessed {
	a := &Assessed{Assessment: typed, Selection: selection, Record: record, Unreadable: unreadable, answers: answers, typed: typed}
	if len(unreadable) > 0 { // the typed one may be shared
		told := *typed
		told.Faults = slices.Concat(typed.Faults, unreadable)
		a.Assessment = &told
	}
	return a
}

// With is the assessment after answers have changed, and others were taken back: the same as of all answers together, but
// only what they make a difference to is worked out again.
func (a *Assessed) With(changes map[string]*structpb.Value, cleared []string) *Assessed {
	if len(changes) == 0 && len(cleared) == 0 {
		return a
	}
	answers := maps.Clone(a.answers)
	if answers == nil {
		answers = map[string]*structpb.Value{}
	}
	maps.Copy(answers, changes)
	taken := maps.Clone(changes)
	var gone []forms.Path
	for _, p := range cleared {
		delete(answers, p)
		delete(taken, p)
		gone = append(gone, forms.Path(p))
	}
	read, unreadable := forms.Decode(taken, a.Selection.Field)
	for p := range taken {
		gone = append(gone, forms.Path(p)) // what could not be read takes the place of what was there
	}
	record := a.Record.Without(gone...).Merge(read)
	for _, v := range a.Unreadable {
		if !slices.Contains(gone, a.answerOf(v.Path)) {
			unreadable = append(unreadable, v)
		}
	}
	slices.SortStableFunc(unreadable, func(x, y forms.Violation) int { return cmp.Compare(x.Path, y.Path) })
	changed := newAssessed(a.Selection, answers, record, unreadable, guide.Reassess(a.typed, record))
	changed.LeftOut = a.LeftOut
	return changed
}

// to is the assessment of other answers.
func (a *Assessed) to(answers map[string]*structpb.Value) *Assessed {
	changes := map[string]*structpb.Value{}
	for p, v := range answers {
		if known, ok := a.answers[p]; !ok || !proto.Equal(known, v) {
			changes[p] = v
		}
	}
	var cleared []string
	for p := range a.answers {
		if _, ok := answers[p]; !ok {
			cleared = append(cleared, p)
		}
	}
	return a.With(changes, cleared)
}

// Change is what changed between two assessments; before is nil where nothing is known yet.
func Change(before, after *Assessed) (*apiv1.AssessmentChange, error) {
	if before == nil {
		return guide.Change(nil, after.Assessment)
	}
	return guide.Change(before.Assessment, after.Assessment)
}

// answerOf returns the path of the answer that a path is in: a cell of a list, a part of an address, or the answer itself.
func (a *Assessed) answerOf(p forms.Path) forms.Path {
	for end := len(p); end > 0; end = strings.LastIndexAny(string(p[:end]), ".[") {
		if _, ok := a.answers[string(p[:end])]; ok {
			return p[:end]
		}
	}
	return p
}

// Assessment is the assessment of an application's record as it is now, for whoever hands out derived values.
func (e *Engine) Assessment(d *Dossier) *guide.Assessment {
	return application.Assess(d.State, d.world(e, Call{}))
}

// facts looks up what is known about the persons and enterprises of a record, each alias by its number. A source that
// fails is silent: its facts are unknown, which is a clerk's matter and keeps nobody from filing.
func (e *Engine) facts(ctx context.Context, selection *catalog.Selection, record forms.Record) (map[forms.Path]kind.Value, error) {
	known := map[forms.Path]kind.Value{}
	if e.cfg.Facts != nil {
		if err := e.ask(ctx, selection, record, known); err != nil {
			return nil, err
		}
	}
	return known, e.ledgerFacts(ctx, selection, record, known)
}

// ask asks the sources of facts.
func (e *Engine) ask(ctx context.Context, selection *catalog.Selection, record forms.Record, known map[forms.Path]kind.Value) error {
	for _, b := range selection.Bundles {
		for id, fact := range b.Facts() {
			for _, s := range b.Sections {
				p := forms.Path("facts." + s.Alias + "." + id)
				if _, done := known[p]; done || s.About != fact.Of {
					continue
				}
				number, ok := numberOf(record, s.Subject())
				if !ok {
					continue
				}
				value, asOf, answered, err := e.cfg.Facts.Fact(ctx, fact.Source, id, number)
				if ended := ctx.Err(); ended != nil {
					return ended
				}
				switch {
				case err != nil:
					e.cfg.Logger.Warn("source of facts is silent", "source", fact.Source, "fact", id, "error", err)
				case answered && !e.fresh(fact, asOf):
					e.cfg.Logger.Warn("source of facts is out of date", "source", fact.Source, "fact", id)
				case answered:
					known[p] = value
				}
			}
		}
	}
	return nil
}

// fresh reports whether what holds as of a day is not older than a fact may be. In a year whose calendar is not published
// nobody can say.
func (e *Engine) fresh(fact *catalog.Fact, asOf kind.Date) bool {
	if fact.Fresh == nil || asOf.IsZero() {
		return true
	}
	last := e.InForce().Calendar.Due(calendar.Clock{Start: asOf, Limit: guide.Limit(*fact.Fresh)})
	return last.Known && !last.Date.Before(e.Today())
}

// numberOf is the citizen number or social credit code that stands at a path.
func numberOf(record forms.Record, p forms.Path) (string, bool) {
	value, _ := record.Get(p)
	switch v := value.(type) {
	case kind.CitizenNumber:
		return string(v), true
	case kind.USCC:
		return string(v), true
	default:
		return "", false
	}
}
