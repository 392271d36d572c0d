package witness

import (
	"maps"
	"slices"

	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// search is a walk through a tree: at each point the first thing for which the goal waits is given each of its values. It
// goes in waves, by the number of values that are not those of the start.
type search struct {
	domain *Domain
	goal   Goal
	budget int
	whole  bool // nothing was left out so far
	starts []Start
	seen   map[step]*point
}

// node is a way from a start to a point. What its last step gives is put into the record when its turn comes.
type node struct {
	like    int // the start, as a place among them
	above   *node
	path    forms.Path
	value   kind.Value
	point   *point
	record  forms.Record
	setting guide.Setting
}

// point is what is given so far, by whichever start: what is asked for next, "" if that is nothing, and its values.
type point struct {
	asks   forms.Path
	values []kind.Value
	again  bool // reached before
}

// step is the last step on the way to a point: a value that is given, or the setting in which nothing is given yet.
type step struct {
	above           *point
	path            forms.Path
	value           any // as a key of maps
	today, accepted kind.Date
	place           string
	calendar        *calendar.Calendar
}

// root is a start in a setting. What is known of persons and steps is given when it is asked for, as answers are.
func root(like int, setting guide.Setting) *node {
	setting.Facts, setting.Settled = nil, nil
	return &node{like: like, setting: setting}
}

// reach goes to the point of a node and evaluates the goal there, unless another start has led there before.
func (s *search) reach(n *node) (p *point, found bool) {
	last := step{today: n.setting.Today, accepted: n.setting.Accepted, place: n.setting.Place, calendar: n.setting.Calendar}
	if n.above != nil {
		last = step{above: n.above.point, path: n.path, value: key(n.value)}
		n.record, n.setting = n.above.record, n.above.setting
		switch n.path.Root() {
		case "facts":
			n.setting.Facts = with(n.setting.Facts, n.path, n.value)
		case "results":
			n.setting.Settled = s.settle(n)
		default:
			n.record = n.record.With(n.path, n.value)
		}
	}
	if n.point = s.seen[last]; n.point != nil {
		n.point.again = true
		return n.point, false
	}
	n.point = &point{}
	s.seen[last] = n.point
	o, found := s.judge(n.record, n.setting)
	if o.Truth == rule.Unknown {
		s.ask(n, o.Causes)
	}
	return n.point, found
}

// judge asks whether a record is one that is looked for, as long as the budget lasts.
func (s *search) judge(record forms.Record, setting guide.Setting) (o rule.Outcome, found bool) {
	if s.budget--; s.budget < 0 {
		return rule.Outcome{Truth: rule.False}, false
	}
	o = s.goal(record, setting)
	return o, o.Truth == rule.True && !s.domain.faulty(record, setting)
}

// ask notes the first of the causes that can be given. The others come up again.
func (s *search) ask(n *node, causes []forms.Cause) {
	open := false
	for _, c := range causes {
		switch c.Kind {
		case forms.CauseAnswer:
			if _, answered := n.record.Get(c.Path); answered {
				continue // left blank where it must not be: no such record is filed
			}
		case forms.CauseFact:
		case forms.CauseResult:
			s.whole = false // a plugin's answer is not divided by the literals of this bundle alone
		default: // a parameter or calendar that is not published, a fault
			open = true
			continue
		}
		values, all := s.domain.values(c.Path, n.record, n.setting)
		if len(values) == 0 && c.Kind != forms.CauseAnswer {
			open = true
			continue
		}
		s.whole = s.whole && all
		n.point.asks, n.point.values = c.Path, values
		return
	}
	s.whole = s.whole && !open
}

// below are the nodes that give what is asked for: near with the start's own value, or the first if it has none, far with
// another one. Where another start has been before, it has left the far ones already.
func (s *search) below(n *node, p *point) (near *node, far []*node) {
	if p.asks == "" {
		return nil, nil
	}
	own, given := s.own(n.like, p.asks)
	values := p.values
	if !given && len(values) > 0 {
		own, values, given = values[0], values[1:], true
	}
	if given {
		near = &node{like: n.like, above: n, path: p.asks, value: own}
	}
	if !p.again {
		for _, v := range values {
			far = append(far, &node{like: n.like, above: n, path: p.asks, value: v})
		}
	}
	return near, far
}

// own is the value that a start has for a path: of a list, as many rows, whose cells are asked for one by one. A row that
// it does not have is like its last one.
func (s *search) own(like int, p forms.Path) (kind.Value, bool) {
	start := s.starts[like]
	switch p.Root() {
	case "facts":
		v, known := start.Setting.Facts[p]
		return v, known
	case "results":
		ended, known := start.Setting.Settled[s.bundle(p)][p.Segments()[1]]
		return ended.Result[p], known
	}
	if list, row, field, ok := p.Cell(); ok {
		given, _ := start.Record.Get(list)
		rows, _ := given.(kind.List)
		if len(rows) == 0 {
			return nil, false
		}
		v, answered := rows[min(row, len(rows)-1)][field]
		return v, answered
	}
	v, answered := start.Record.Get(p)
	if rows, ok := v.(kind.List); ok {
		return kind.List(slices.Repeat([]kind.Row{{}}, len(rows))), true
	}
	return v, answered
}

// bundle is the id of the bundle with the step of a result.
func (s *search) bundle(result forms.Path) string {
	for _, b := range s.domain.bundles {
		if b.Step(result.Segments()[1]) != nil {
			return b.ID
		}
	}
	return ""
}

// settle returns the steps that have ended with one more result. The others of its step are the start's, or not given.
func (s *search) settle(n *node) map[string]map[string]guide.Settlement {
	b, id := s.bundle(n.path), n.path.Segments()[1]
	ended, before := n.setting.Settled[b][id]
	if !before {
		ended = s.starts[n.like].Setting.Settled[b][id]
	}
	return with(n.setting.Settled, b, with(n.setting.Settled[b], id, guide.Settlement{Approved: true, Result: with(ended.Result, n.path, n.value)}))
}

func with[K comparable, V any](m map[K]V, key K, v V) map[K]V {
	m = maps.Clone(m)
	if m == nil {
		m = map[K]V{}
	}
	m[key] = v
	return m
}

// witness is the start of a node with what the node gives.
func (s *search) witness(n *node) Witness {
	start := s.starts[n.like]
	w := Witness{Like: n.like, Record: over(start.Record, n.record), Setting: n.setting}
	w.Changed = w.Record.Diff(start.Record)
	change := func(p forms.Path, differs bool) {
		if differs {
			w.Changed = append(w.Changed, p)
		}
	}
	change("today", w.Setting.Today != start.Setting.Today)
	change("place", w.Setting.Place != start.Setting.Place)
	w.Setting.Facts, w.Setting.Settled = maps.Clone(start.Setting.Facts), maps.Clone(start.Setting.Settled)
	for p, v := range n.setting.Facts {
		was, known := start.Setting.Facts[p]
		change(p, !known || !was.Equal(v))
		w.Setting.Facts = with(w.Setting.Facts, p, v)
	}
	for b, steps := range n.setting.Settled {
		for id, ended := range steps {
			was := start.Setting.Settled[b][id].Result
			for p, v := range ended.Result {
				change(p, was[p] == nil && v != nil || was[p] != nil && !was[p].Equal(v))
			}
			w.Setting.Settled = with(w.Setting.Settled, b, with(w.Setting.Settled[b], id, ended))
		}
	}
	slices.Sort(w.Changed)
	return w
}

// over lays answers over a record. Of a list it takes as many rows as are answered, each over the record's own, or over
// its last one.
func over(record, answers forms.Record) forms.Record {
	for p, v := range answers.All() {
		was, _ := record.Get(p)
		rows, _ := was.(kind.List)
		list, ok := v.(kind.List)
		if !ok || len(rows) == 0 {
			record = record.With(p, v)
			continue
		}
		laid := make(kind.List, len(list))
		for i, row := range list {
			laid[i] = maps.Clone(rows[min(i, len(rows)-1)])
			maps.Copy(laid[i], row)
		}
		record = record.With(p, laid)
	}
	return record
}
