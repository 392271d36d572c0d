package engine

import (
	"context"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// Assessed is an assessment of answers as they came.
type Assessed struct {
	*guide.Assessment
	Selection *catalog.Selection
	Record    forms.Record // what could be read of the answers
	// Unreadable are answers that are of the wrong kind, or that the form does not know; they are among the faults too.
	Unreadable []forms.Violation
}

// Assess answers what applies for bundles that are in force today; for all of them, if none is named. Nothing is looked
// up about anybody and nothing is kept: facts are not known.
func (e *Engine) Assess(ids []string, place string, answers map[string]*structpb.Value) (*Assessed, error) {
	if place == "" {
		place = e.cfg.Place
	}
	if len(ids) == 0 {
		for _, b := range e.InForce().All(e.Today(), place) {
			ids = append(ids, b.ID)
		}
	}
	selection, err := e.InForce().Select(ids, e.Today(), place)
	if err != nil {
		return nil, err
	}
	return e.assess(selection, answers, e.setting(place, nil)), nil
}

func (e *Engine) setting(place string, facts map[forms.Path]kind.Value) guide.Setting {
	return guide.Setting{Today: e.Today(), Place: place, Calendar: e.InForce().Calendar, Facts: facts}
}

func (e *Engine) assess(selection *catalog.Selection, answers map[string]*structpb.Value, setting guide.Setting) *Assessed {
	record, unreadable := forms.Decode(answers, selection.Field)
	a := guide.Assess(selection, record, setting)
	a.Faults = append(a.Faults, unreadable...)
	return &Assessed{Assessment: a, Selection: selection, Record: record, Unreadable: unreadable}
}

// Assessment is the assessment of an application's record as it is now, for whoever hands out derived values.
func (e *Engine) Assessment(d *Dossier) *guide.Assessment {
	return application.Assess(d.State, d.world(e, Call{}))
}

// facts looks up what is known about the persons and enterprises of a record, each alias by its number. A source that
// fails is silent: its facts are unknown, which is a clerk's matter and keeps nobody from filing.
func (e *Engine) facts(ctx context.Context, selection *catalog.Selection, record forms.Record) (map[forms.Path]kind.Value, error) {
	known := map[forms.Path]kind.Value{}
	if e.cfg.Facts == nil {
		return known, nil
	}
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
					return nil, ended
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
	return known, nil
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
