package engine

import (
	"strings"
	"sync"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// blanks remembers what selections of bundles come to over no answers, so that a call works out only what its answers
// make a difference to. It holds nothing of anybody. It is safe for concurrent use.
type blanks struct {
	mu      sync.Mutex
	inForce *registry.InForce
	today   kind.Date
	held    int // bundles
	known   map[string]*Assessed
}

// maxBlanks bounds the bundles of all selections that are remembered.
const maxBlanks = 2000

// of returns the assessment of no answers for bundles, or for all that are in force on a day at a place if none is named.
func (b *blanks) of(f *registry.InForce, ids []string, today kind.Date, place string) (*Assessed, error) {
	key := place + " " + strings.Join(ids, " ")
	b.mu.Lock()
	if b.inForce != f || b.today != today || b.held > maxBlanks {
		b.inForce, b.today, b.held, b.known = f, today, 0, map[string]*Assessed{}
	}
	blank := b.known[key]
	b.mu.Unlock()
	if blank != nil {
		return blank, nil
	}
	if len(ids) == 0 {
		for _, p := range f.All(today, place) {
			ids = append(ids, p.ID)
		}
	}
	selection, err := f.Select(ids, today, place)
	if err != nil {
		return nil, err
	}
	blank = blankOf(selection, guide.Setting{Today: today, Place: place, Calendar: f.Calendar})
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.inForce == f && b.today == today && b.known[key] == nil {
		b.known[key] = blank
		b.held += len(ids)
	}
	return blank, nil
}

func blankOf(selection *catalog.Selection, setting guide.Setting) *Assessed {
	return newAssessed(selection, nil, forms.Record{}, nil, guide.Assess(selection, forms.Record{}, setting))
}
