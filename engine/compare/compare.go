// Package compare says what changes between two versions of a bundle, in the words of the domain: what is asked, how
// is judged, which materials, steps, dates and fees, and what of it breaks applications under way. A rule, condition or
// formula that is written otherwise counts as changed in judgement only if a record is found that gets another answer.
// It is pure.
package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// Topic is what a change is about.
type Topic string

// The topics, in the order of a report.
const (
	Matter    Topic = "MATTER" // who may file, where, when, who leads and accepts
	Questions Topic = "QUESTIONS"
	Rules     Topic = "RULES" // eligibility, plausibility, conditions of steps
	Materials Topic = "MATERIALS"
	Routing   Topic = "ROUTING" // steps, departments, order, when, what a step needs
	Dates     Topic = "DATES"
	Fees      Topic = "FEES"
	Results   Topic = "RESULTS"
	Texts     Topic = "TEXTS" // wording only
)

// Topics returns the topics in the order of a report.
func Topics() []Topic {
	return []Topic{Matter, Questions, Rules, Materials, Routing, Dates, Fees, Results, Texts}
}

// Kind is how something changes.
type Kind string

// The kinds of change.
const (
	Added     Kind = "ADDED"
	Removed   Kind = "REMOVED"
	Tightened Kind = "TIGHTENED" // less is accepted, or more is demanded
	Loosened  Kind = "LOOSENED"
	Both      Kind = "BOTH" // tightened for some, loosened for others
	Shorter   Kind = "SHORTER"
	Longer    Kind = "LONGER"
	Changed   Kind = "CHANGED"
	Rewritten Kind = "REWRITTEN" // written otherwise; no record was found that gets another answer
)

// Change is one change.
type Change struct {
	Topic Topic
	Kind  Kind
	// Item names what changes as a bundle does: `infant`, `form.mother.phone`, `household`.
	Item string
	Name string // its Chinese name or reason
	What string // the change in words
	// Breaks says what of applications under way has no meaning in the new version; "" if nothing.
	Breaks string
	// Witnesses are records that get another answer: one, or of [Both] one for each way.
	Witnesses []Witness
}

// Witness is a record that gets another answer in the new version.
type Witness struct {
	// Like is the seed that it starts from; Changed are the paths that differ from it: answers, facts, results, and
	// `today` and `place`.
	Like    string
	Changed []forms.Path
	Record  forms.Record
	Setting guide.Setting
	// Old and New are the answers, Before and After the verdicts on the case.
	Old, New      string
	Before, After guide.Verdict
}

// Seed is a record to start the search from: a test of either version, or an application that was filed.
type Seed struct {
	Name    string
	Record  forms.Record
	Setting guide.Setting
}

// Report is everything that changes between two versions of a bundle.
type Report struct {
	Old, New *catalog.Bundle
	Changes  []Change // by topic, then in the order of the bundle
}

// Breaking returns the changes that break applications under way.
func (r *Report) Breaking() []Change {
	var breaking []Change
	for _, c := range r.Changes {
		if c.Breaks != "" {
			breaking = append(breaking, c)
		}
	}
	return breaking
}

// Bundles compares two versions of one bundle. Witnesses are searched from the seeds; without any, from records that the
// versions accept on the day and at the place of fallback.
func Bundles(old, new *catalog.Bundle, seeds []Seed, fallback guide.Setting) (*Report, error) { //nolint:revive // old and new are the words for it
	c := &comparison{old: old, new: new}
	var err error
	if c.search, err = newSearch(old, new, seeds, fallback); err != nil {
		return nil, err
	}
	c.matter()
	c.questions()
	c.rules()
	c.materials()
	c.steps()
	c.totals()
	slices.SortStableFunc(c.changes, func(a, b Change) int {
		return slices.Index(Topics(), a.Topic) - slices.Index(Topics(), b.Topic)
	})
	return &Report{Old: old, New: new, Changes: c.changes}, nil
}

type comparison struct {
	old, new *catalog.Bundle
	search   *search
	changes  []Change
}

func (c *comparison) add(change Change) { c.changes = append(c.changes, change) }

// changed adds a change if two values differ, said as `what from a to b`.
func changed[T comparable](c *comparison, topic Topic, item, name, what string, a, b T) {
	if a != b {
		c.add(Change{Topic: topic, Kind: Changed, Item: item, Name: name, What: fmt.Sprintf("%s: %s → %s", what, show(a), show(b))})
	}
}

func show(v any) string {
	switch v := v.(type) {
	case string:
		if v == "" {
			return "none"
		}
		return v
	case bool:
		return map[bool]string{true: "yes", false: "no"}[v]
	case kind.Date:
		if v.IsZero() {
			return "open"
		}
		return v.String()
	}
	return fmt.Sprint(v)
}

// text reports another wording.
func (c *comparison) text(item, what string, a, b forms.Text) {
	if a != b {
		said := fmt.Sprintf("%s: %s → %s", what, show(a.ZH), show(b.ZH))
		if a.ZH == b.ZH {
			said = fmt.Sprintf("%s: %s → %s", what, show(a.EN), show(b.EN))
		}
		c.add(Change{Topic: Texts, Kind: Changed, Item: item, What: said})
	}
}

// words reports another wording in one language.
func (c *comparison) words(item, what, a, b string) {
	c.text(item, what, forms.Text{ZH: a}, forms.Text{ZH: b})
}

func (c *comparison) matter() {
	a, b := c.old, c.new
	c.text(b.ID, "name", a.Name, b.Name)
	c.words(b.ID, "basis", a.Basis, b.Basis)
	c.words(b.ID, "life stage", a.LifeStage, b.LifeStage)
	c.words(b.ID, "keywords", strings.Join(a.Keywords, "、"), strings.Join(b.Keywords, "、"))
	changed(c, Matter, b.ID, b.Name.ZH, "level", a.Level, b.Level)
	changed(c, Matter, b.ID, b.Name.ZH, "lead", departmentID(a.Lead), departmentID(b.Lead))
	changed(c, Matter, b.ID, b.Name.ZH, "place", a.Place, b.Place)
	changed(c, Matter, b.ID, b.Name.ZH, "in force from", a.From, b.From)
	changed(c, Matter, b.ID, b.Name.ZH, "in force until", a.Until, b.Until)
	changed(c, Matter, b.ID, b.Name.ZH, "subject", a.Subject, b.Subject)
	changed(c, Matter, b.ID, b.Name.ZH, "all applicants submit", together(a), together(b))
	changed(c, Matter, b.ID, b.Name.ZH, "an agent may file", !a.NoAgent, !b.NoAgent)
	changed(c, Matter, b.ID, b.Name.ZH, "accepted by the engine", a.ByEngine, b.ByEngine)
	gone, come := differ(a.Applicants, b.Applicants)
	for _, alias := range gone {
		c.add(Change{Topic: Matter, Kind: Removed, Item: alias, What: "may no longer file", Breaks: "an application may have been filed by `" + alias + "`"})
	}
	for _, alias := range come {
		c.add(Change{Topic: Matter, Kind: Added, Item: alias, What: "may file"})
	}
	c.days(b.ID, b.Name.ZH, "promised joint limit", optional(a.Promised), optional(b.Promised))
	c.days(b.ID, b.Name.ZH, "statutory joint limit", optional(&a.Statutory), optional(&b.Statutory))
	for id, d := range departments(b) {
		if before := departments(a)[id]; before != nil {
			c.text(id, "name of the department", before.Name, d.Name)
		}
	}
}

// together says when all applicants have to submit.
func together(b *catalog.Bundle) string {
	if b.Together == nil {
		return "never"
	}
	if b.Together.When == nil {
		return "always"
	}
	return "if `" + canonical(b.Together.When) + "`"
}

func departmentID(d *catalog.Department) string {
	if d == nil {
		return ""
	}
	return d.ID
}

func departments(b *catalog.Bundle) map[string]*catalog.Department {
	all := map[string]*catalog.Department{}
	for _, d := range b.Departments() {
		all[d.ID] = d
	}
	return all
}

// differ returns what only the first list holds, and what only the second does.
func differ(a, b []string) (gone, come []string) {
	for _, x := range a {
		if !slices.Contains(b, x) {
			gone = append(gone, x)
		}
	}
	for _, x := range b {
		if !slices.Contains(a, x) {
			come = append(come, x)
		}
	}
	return gone, come
}

// canonical is a rule without what says nothing: spaces, the style of quotes, outer parentheses.
func canonical(r *rule.Rule) string {
	if r == nil {
		return ""
	}
	return strings.Join(forms.Conjuncts(r.Text(), ""), " && ")
}

func written(r *rule.Rule) string {
	if r == nil {
		return "always"
	}
	return "`" + strings.Join(strings.Fields(r.Text()), " ") + "`"
}

// short is a path as bundles write it.
func (c *comparison) short(p forms.Path) string { return short(c.new, p) }

func short(b *catalog.Bundle, p forms.Path) string {
	if field, own := strings.CutPrefix(string(p), "own."+b.ID+"."); own {
		return "own." + field
	}
	return string(p)
}

// judged adds a change of a condition whose two answers are found by search: strict is the answer that demands more,
// or accepts less. Nothing is added if both versions are the same to the last word; if they are only written
// otherwise, that is said.
func (c *comparison) judged(change Change, q question, strict, mild string) {
	if !q.changed() {
		return
	}
	tight, loose := c.search.turned(q, mild, strict), c.search.turned(q, strict, mild)
	switch {
	case tight != nil && loose != nil:
		change.Kind, change.Witnesses = Both, []Witness{*tight, *loose}
	case tight != nil:
		change.Kind, change.Witnesses = Tightened, []Witness{*tight}
	case loose != nil:
		change.Kind, change.Witnesses = Loosened, []Witness{*loose}
	case !q.rewritten:
		return // what it reads is computed otherwise, which is told there, and makes no difference here
	default:
		change.Kind = Rewritten
	}
	c.add(change)
}

func days(d catalog.Days) string {
	unit := map[catalog.Unit]string{catalog.WorkingDays: "working days", catalog.CalendarDays: "days", catalog.Months: "months", catalog.Years: "years"}[d.Unit]
	if d.N == 1 {
		unit = strings.TrimSuffix(unit, "s")
	}
	return fmt.Sprintf("%d %s", d.N, unit)
}
