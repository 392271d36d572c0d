package engine

import (
	"slices"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/engine/sieve"
	"github.com/siyiban/onething/forms"
)

// Verdicts answers what could be applied for: the verdict on every matter that is in force today at the place, and the
// rules that fail, without what [Engine.Assess] says beside them. Nothing is looked up and nothing is kept. Answers that
// cannot be read are left out and returned as faults.
func (e *Engine) Verdicts(place string, answers map[string]*structpb.Value) ([]sieve.Judgement, []forms.Violation) {
	if place == "" {
		place = e.cfg.Place
	}
	offer := e.offer(place)
	record, unreadable := forms.Decode(answers, offer.field)
	row := offer.sieve.Row()
	setting := e.setting(place, nil)
	row.Load(record, &setting)
	return row.Judge(), unreadable
}

// offer is what is in force on a day at a place.
type offer struct {
	sieve  *sieve.Sieve
	fields map[forms.Path]*forms.Field
}

func (o *offer) field(p forms.Path) *forms.Field { return o.fields[p] }

// maxOffers bounds the places whose offers are remembered.
const maxOffers = 32

func (e *Engine) offer(place string) *offer {
	inForce, today := e.InForce(), e.Today()
	o, _ := e.offers.of(inForce, today, place, maxOffers, func() (*offer, int, error) { return newOffer(inForce.All(today, place)), 1, nil })
	return o
}

// newOffer prepares bundles. Where two of them ask the same question with other options or columns, any of them can be
// answered here: each looks at what it knows.
func newOffer(published []*registry.Published) *offer {
	o := &offer{fields: map[forms.Path]*forms.Field{}}
	bundles := make([]*catalog.Bundle, len(published))
	for i, v := range published {
		bundles[i] = v.Bundle
		for _, p := range v.Paths() {
			f := v.Field(p).Field
			if known := o.fields[p]; known != nil {
				f = widened(known, f)
			}
			o.fields[p] = f
		}
	}
	o.sieve = sieve.New(bundles...)
	return o
}

// widened is a field with the options and columns of another beside its own.
func widened(f, other *forms.Field) *forms.Field {
	wide := *f
	for _, option := range other.Options {
		if _, ok := f.Option(option.ID); !ok {
			wide.Options = append(slices.Clip(wide.Options), option)
		}
	}
	for _, cell := range other.Row {
		if !slices.ContainsFunc(f.Row, func(c *forms.Field) bool { return c.ID == cell.ID }) {
			wide.Row = append(slices.Clip(wide.Row), cell)
		}
	}
	return &wide
}
