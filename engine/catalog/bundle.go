// Package catalog turns the YAML of configurators into immutable bundles: sections resolved, rules and formulas
// compiled once, every finding with its file, line and column. Nothing downstream sees YAML, a message of the
// bundle language, or uncompiled text.
package catalog

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/formula"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// Bundle is one matter, loaded: immutable, and safe for concurrent use.
type Bundle struct {
	ID         string
	Name       forms.Text
	Level      string // PROVINCIAL, MUNICIPAL or COUNTY
	Lead       *Department
	Place      string // region where it holds; "" everywhere
	From       kind.Date
	Until      kind.Date // zero: without end
	Basis      string
	Applicants []string  // aliases that may submit
	Together   *Together // nil: any of them may
	NoAgent    bool
	Subject    string // alias whom it is about
	ByEngine   bool   // a case without findings is accepted by the engine
	Promised   *Days  // joint limit; nil: the longest way through the steps that apply
	Statutory  Days   // joint limit of the law (行政许可法 42)
	LifeStage  string
	Keywords   []string

	Sections    []*Section // in the order of the form
	Own         []*Field
	Checks      []*Rule // plausibility, those of the sections included
	Eligibility []*Rule
	Materials   []*Material
	Steps       []*Step // in the order of the bundle

	// Digest is a SHA-256, in hex, over the bundle's file and the library items that it pins.
	Digest string
	// Pins are the digests of those items, by `section/<id>`, `material/<id>` and so on.
	Pins map[string]string

	fields    map[forms.Path]*Field
	order     []forms.Path
	places    map[string]diag.Span // of what later findings are about, see advice.go
	index     map[forms.Path]int   // place of a field in order
	influence *Influence
	library   *Library
}

// Together says that all applicants whose section is asked have to submit (共同申请).
type Together struct {
	When *rule.Rule // nil: always
}

// Section is a section in use.
type Section struct {
	*forms.Section
	When   *rule.Rule // nil: always
	Fields []*Field
}

// Field is a field in use, with its rules and formulas; those that are nil are not given.
type Field struct {
	*forms.Field
	Section     *Section // nil: the bundle's own
	When        []*rule.Rule
	RequireRule *rule.Rule // `required` as a rule
	Min, Max    *formula.Formula
	Default     *formula.Formula
	Derive      *formula.Formula
	Is          *rule.Rule
	OptionWhen  map[string]*rule.Rule
	// Row are the fields of an element, of LIST and of a repeated section, as far as the bundle needs them. Their
	// paths are empty; what they read of their own element is named `this.<field>`.
	Row []*Field
}

// Cell returns the field of an element with the id, nil if there is none.
func (f *Field) Cell(id string) *Field {
	i := slices.IndexFunc(f.Row, func(cell *Field) bool { return cell.ID == id })
	if i < 0 {
		return nil
	}
	return f.Row[i]
}

// Rule is a condition with its reason.
type Rule struct {
	ID        string
	When      *rule.Rule // nil: concerns every record
	Require   *rule.Rule
	AnyOf     []Way
	Examine   *Examine
	Because   Text
	Remedy    Text
	Otherwise Otherwise
	For       []string // steps that it gates; empty: the case
	// Each is the path of a repeated section whose check this is: it is judged for every element, as `this`.
	Each  forms.Path
	Basis string
}

// Way is one of several ways to meet a rule.
type Way struct {
	When    *rule.Rule
	Require *rule.Rule
	Because Text
}

// Examine says who judges a condition on the spot, and in which step; no step: at pre-review.
type Examine struct {
	By   *Department
	Step string
}

// Otherwise says what a failing rule means. Higher ranks decide before lower ones.
type Otherwise int

// What a failing rule means, in the order of their rank.
const (
	Warn Otherwise = iota + 1
	Refuse
	NotNeeded
	Elsewhere
)

// String is the word of the bundle language.
func (o Otherwise) String() string {
	return [...]string{"", "WARN", "REFUSE", "NOT_NEEDED", "ELSEWHERE"}[o]
}

// Text is a text with formulas in it, per language. The texts as written serve where there is no record.
type Text struct {
	forms.Text
	zh, en *formula.Template
}

// Render fills the text with the values of a record; a language that is not given falls back to Chinese.
func (t Text) Render(env forms.Env) forms.Text {
	var text forms.Text
	if t.zh != nil {
		text.ZH = t.zh.Render(env)
	}
	if t.en != nil {
		text.EN = t.en.Render(env)
	}
	return text
}

func (t Text) reads() []forms.Path {
	var paths []forms.Path
	for _, template := range []*formula.Template{t.zh, t.en} {
		if template != nil {
			paths = append(paths, template.Reads()...)
		}
	}
	return paths
}

// Unit is what a limit counts.
type Unit int

// The units of a limit.
const (
	WorkingDays Unit = iota + 1
	CalendarDays
	Months
	Years // of validity only
)

// Days is a length of time.
type Days struct {
	N    int
	Unit Unit
}

// String is the word for the unit in the bundle language.
func (u Unit) String() string { return [...]string{"", "working_days", "days", "months", "years"}[u] }

// Material is a document that the bundle asks for.
type Material struct {
	ID   string // in this bundle
	Key  string // under which it is uploaded: the same key is the same document, over all bundles
	Name forms.Text
	Of   string // alias whose document it is
	// Per is the path of a list, for a material that is asked for each of its elements; the name may then hold values
	// of the element, see Title.
	Per   forms.Path
	Title Text
	// OneOf are documents of which any one will do; empty: the material itself.
	OneOf        []Alternative
	When         *rule.Rule
	Secondary    bool // 次要
	Required     bool
	Sources      []string // E_CERTIFICATE, SHARED_DATA, APPLICANT, STEP, FORM, in order
	Certificates []string
	Formats      []string // file extensions
	Sample       string   // file name of a sample
	Valid        *Days    // after it was issued; nil: without end
	Originals    int      // that a counter wants to see, on paper
	Copies       int      // that a counter keeps, on paper
	Tolerate     *Tolerate
	Promise      *Promise
	Basis        string
}

// Alternative is one of several documents of which any one will do.
type Alternative struct {
	Key     string // under which it is uploaded
	Name    forms.Text
	Formats []string
}

// Numbered returns the id or key of a material for one element of a list, counted from 0: `shareholder_id[2]`.
func Numbered(id string, row int) string { return id + "[" + strconv.Itoa(row) + "]" }

// Unnumbered returns the id of a material without the number of an element.
func Unnumbered(id string) string {
	base, _, _ := strings.Cut(id, "[")
	return base
}

// Tolerate says that a secondary material may follow (容缺).
type Tolerate struct {
	When        *rule.Rule
	WorkingDays int
	Then        string // REMIND, SUSPEND or END
	Suspended   int    // working days
}

// Promise says that a promise may stand in for a material (告知承诺).
type Promise struct {
	When        *rule.Rule
	By          *Department
	WorkingDays int
	Sample      int        // percent
	Text        forms.Text // empty: the office's, see [DefaultPromise]
	IfFalse     string     // REVOKE or CORRECT
}

// Step is what one department does.
type Step struct {
	ID          string
	Name        forms.Text
	Department  *Department
	Plugin      string // "": an officer's queue
	When        *rule.Rule
	Essential   bool
	After       []After
	Conditions  []*Rule
	AutoApprove *rule.Rule
	Fields      []forms.Path // that it needs: answers and derived values, in the order of the form
	// Columns are, by the path of a list that it needs in part, the fields of an element that it needs.
	Columns    map[forms.Path][]string
	Results    []forms.Path // results.<step>.<field> that it needs
	Materials  []Need
	Result     []*Field
	Document   string
	Valid      *Days
	Promised   []Limit
	Statutory  []Limit
	Silence    bool // the law takes silence for approval
	AtOnce     bool // the clock starts with acceptance
	Fee        []Fee
	NotCounted []NotCounted
	Basis      string
}

// After is a step before another.
type After struct {
	Step string
	On   string // APPROVED, SETTLED or PROMISED
}

// Need is a material that a step needs.
type Need struct {
	Material          *Material
	BeforeExamination bool // else before the result
}

// Limit is one case of a limit; the first whose When holds counts.
type Limit struct {
	When *rule.Rule
	Days Days
}

// Fee is one case of a fee.
type Fee struct {
	When   *rule.Rule
	Amount *formula.Formula
}

// NotCounted is a foreseeable pause.
type NotCounted struct {
	Kind string
	Days int
}

// Field returns the field at a path, also that of a cell; nil if the bundle has none.
func (b *Bundle) Field(p forms.Path) *Field {
	if list, _, field, ok := p.Cell(); ok {
		if f := b.fields[list]; f != nil {
			return f.Cell(field)
		}
		return nil
	}
	return b.fields[p]
}

// Narrow returns a value as the step is given it: of a list that it needs in part, only the cells that it needs.
func (s *Step) Narrow(p forms.Path, v kind.Value) kind.Value {
	columns, partly := s.Columns[p]
	list, ok := v.(kind.List)
	if !partly || !ok {
		return v
	}
	narrowed := make(kind.List, len(list))
	for i, row := range list {
		narrowed[i] = kind.Row{}
		for _, id := range columns {
			if cell, answered := row[id]; answered {
				narrowed[i][id] = cell
			}
		}
	}
	return narrowed
}

// Paths returns the paths of all fields in the order of the form, derived ones included.
func (b *Bundle) Paths() []forms.Path { return b.order }

// Step returns the step with the id, nil if there is none.
func (b *Bundle) Step(id string) *Step {
	i := slices.IndexFunc(b.Steps, func(s *Step) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	return b.Steps[i]
}

// Material returns the material with the id in this bundle, also if the id has the number of an element; nil if there
// is none.
func (b *Bundle) Material(id string) *Material {
	id = Unnumbered(id)
	i := slices.IndexFunc(b.Materials, func(m *Material) bool { return m.ID == id })
	if i < 0 {
		return nil
	}
	return b.Materials[i]
}

// Section returns the section under an alias, nil if there is none.
func (b *Bundle) Section(alias string) *Section {
	i := slices.IndexFunc(b.Sections, func(s *Section) bool { return s.Alias == alias })
	if i < 0 {
		return nil
	}
	return b.Sections[i]
}

// Before returns the steps that are settled when the step opens: those after which it comes, and before them.
func (b *Bundle) Before(step *Step) []*Step {
	seen := map[string]bool{}
	var visit func(*Step)
	visit = func(s *Step) {
		for _, a := range s.After {
			if earlier := b.Step(a.Step); earlier != nil && !seen[a.Step] {
				seen[a.Step] = true
				visit(earlier)
			}
		}
	}
	visit(step)
	var before []*Step
	for _, s := range b.Steps {
		if seen[s.ID] {
			before = append(before, s)
		}
	}
	return before
}

// Departments returns the departments of the steps, each once, in the order of the steps.
func (b *Bundle) Departments() []*Department {
	var departments []*Department
	for _, s := range b.Steps {
		if !slices.Contains(departments, s.Department) {
			departments = append(departments, s.Department)
		}
	}
	return departments
}

// Parameters returns the published values that the bundle's library holds.
func (b *Bundle) Parameters() Parameters { return b.library.Parameters }

// Facts returns the facts that may be known about a kind of person, by id.
func (b *Bundle) Facts() map[string]*Fact { return maps.Clone(b.library.Facts) }
