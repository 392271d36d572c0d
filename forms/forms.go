// Package forms is what can be asked: fields, sections, the form of one or several bundles, and the record of
// its answers. It holds data; what is visible or required is decided by rules and given to it.
package forms

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/siyiban/onething/forms/kind"
)

// Path names something that an expression can read:
//
//	form.<alias>.<field>      an answer or derived value of a section
//	own.<bundle>.<field>      an answer or derived value of one bundle only; rules write own.<field>
//	facts.<alias>.<fact>      what the engine knows of a person from elsewhere
//	params.<param>            a published value, in force on the day of receipt
//	results.<step>.<field>    a result of a step
//	today, place              the day of receipt, the region of the office
//
// An answer to a LIST, or to a section that is repeated, is one value under one path. A cell of it is named by the
// number of its row, counted from 0: form.heirs[0].agreed.
type Path string

// Root returns the first segment of the path.
func (p Path) Root() string {
	root, _, _ := strings.Cut(string(p), ".")
	return root
}

// Cell splits the path of a cell into its list, row and field; ok is false for every other path.
func (p Path) Cell() (list Path, row int, field string, ok bool) {
	open, end := strings.IndexByte(string(p), '['), strings.LastIndex(string(p), "].")
	if open < 0 || end < open {
		return "", 0, "", false
	}
	row, err := strconv.Atoi(string(p[open+1 : end]))
	if err != nil || row < 0 {
		return "", 0, "", false
	}
	return p[:open], row, string(p[end+2:]), true
}

// CellOf returns the path of a cell of the list.
func (p Path) CellOf(row int, field string) Path {
	return Path(string(p) + "[" + strconv.Itoa(row) + "]." + field)
}

// Segments returns the parts of the path between the dots.
func (p Path) Segments() []string { return strings.Split(string(p), ".") }

// Text is a text per language; Chinese is always there.
type Text struct{ ZH, EN string }

// In returns the text in a language ("zh", "en"), and in Chinese where there is none.
func (t Text) In(language string) string {
	if language == "en" && t.EN != "" {
		return t.EN
	}
	return t.ZH
}

// About says whom a section or a material is about.
type About int

// Whom a section is about. The person behind an alias is the section's first citizen number or credit code.
const (
	AboutNobody About = iota
	AboutPerson
	AboutEnterprise
	AboutAccount
)

// Option is one option of a CHOICE or CHOICES field.
type Option struct {
	ID   string
	Name Text
}

// Field is a question, a derived value or a named condition of a form.
type Field struct {
	Path    Path // empty for the fields of a row
	ID      string
	Kind    kind.Kind
	Name    Text
	Help    Text
	Options []Option
	Row     []*Field // fields of an element, of LIST
	Filled  bool     // of LIST: has an element at least wherever it is asked
	Pattern *regexp.Regexp
	Unit    string
	Scale   int
	Basis   string
	Derived bool // has `derive` or `is`: computed, never asked

	// Required is true if the field is never blank where Conditions hold: `required: true`, a rule, or derived.
	Required bool
	// Conditions are the canonical conjuncts (see [Conjuncts]) that must be in force for the field to be
	// asked, and, if `required` is a rule, to be required: the field's and its section's `when`, and that rule.
	Conditions []string
}

// Spec is what parsing a value needs of the field.
func (f *Field) Spec() kind.Spec {
	spec := kind.Spec{Kind: f.Kind, Scale: f.Scale, Pattern: f.Pattern}
	for _, o := range f.Options {
		spec.Options = append(spec.Options, o.ID)
	}
	for _, cell := range f.Row {
		if spec.Row == nil {
			spec.Row = map[string]kind.Spec{}
		}
		spec.Row[cell.ID] = cell.Spec()
	}
	return spec
}

// Option returns the option with the id.
func (f *Field) Option(id string) (Option, bool) {
	for _, o := range f.Options {
		if o.ID == id {
			return o, true
		}
	}
	return Option{}, false
}

// Section is a section of the library in use, under its alias.
type Section struct {
	Alias     string // the `<alias>` of its paths
	ID        string // id in the library
	Name      Text
	About     About
	Fields    []*Field
	Repeated  bool   // form.<alias> is a list of elements with these fields
	Filled    bool   // of a repeated one: has an element at least, and is always asked
	Condition string // the section's `when`, for messages
}

// Subject returns the path of the section's first citizen number or credit code: the person or enterprise
// behind the alias; "" if there is none.
func (s *Section) Subject() Path {
	for _, f := range s.Fields {
		if f.Kind == kind.KindCitizenNumber || f.Kind == kind.KindUSCC {
			return f.Path
		}
	}
	return ""
}

// Scope is what an expression may name at its place in a bundle.
type Scope struct {
	Bundle  string              // id; its own fields have the prefix own.<Bundle>
	Form    []*Section          // root form
	Own     []*Field            // root own
	Facts   map[string][]*Field // root facts: by alias
	Params  []*Field            // root params
	Results map[string][]*Field // root results: by step; only steps that are settled at this place
	// ResultGuards are, by step, the canonical conjuncts of the step's `when`: a result of such a step is
	// absent where they do not hold.
	ResultGuards map[string][]string

	// This are the fields behind `this`, nil where it means nothing.
	This []*Field
	// ThisPath is the path behind `this`: form.<alias> of a section. Empty if `this` is an element of a list,
	// whose values [Env] gives under `this.<field>`.
	ThisPath Path
}

// Status says what is known of a value.
type Status int

// The states of a value.
const (
	Unknown Status = iota // not answered, or not known yet; Causes say why
	Blank                 // left empty, hidden, or not given
	Known
)

// State is what is known of one value.
type State struct {
	Status Status
	Value  kind.Value // of Known
	Causes []Cause    // of Unknown, sorted, each once
}

// CauseKind says why something is not known.
type CauseKind int

// Why something is not known. All but an answer are a clerk's matter, never a refusal.
const (
	CauseAnswer    CauseKind = iota + 1 // not answered: ask
	CauseFact                           // its source is silent
	CauseParameter                      // not yet published
	CauseCalendar                       // the calendar of a needed year is not yet published
	CauseResult                         // a step has not yet given it
	CauseFault                          // a formula could not be computed
)

// Cause is one reason for which something is not known. Path is the answer, fact, parameter or result; for a
// calendar it is "calendar.<year>".
type Cause struct {
	Kind CauseKind
	Path Path
}

// Env gives the values that an expression reads. Implementations are consulted during one evaluation by one
// goroutine.
type Env interface {
	// State returns what is known of a path. `this` is resolved before: a section's fields come by their path,
	// an element's by `this.<field>`.
	State(Path) State
	// AddWorkingDays and WorkingDaysBetween count working days of published calendars; if a year that is
	// needed is not published, ok is false and year says which.
	AddWorkingDays(d kind.Date, n int) (due kind.Date, year int, ok bool)
	WorkingDaysBetween(a, b kind.Date) (n, year int, ok bool)
}

// Conjuncts splits a rule at its outermost `&&` and returns each part in canonical form: without outer
// parentheses and without spaces but between two words, with double quotes, and with `this.` replaced by this
// (for example "form.mother"). Two conditions are the same if they are written the same way; nothing cleverer
// is tried, so that a configurator can see why a guard counts.
func Conjuncts(rule string, this Path) []string { return conjuncts(canonical(rule, this)) }

func conjuncts(text string) []string {
	for stripped := strip(text); stripped != text; stripped = strip(text) {
		text = stripped
	}
	parts := split(text)
	if len(parts) == 1 {
		if text == "" || text == "true" {
			return nil
		}
		return parts
	}
	var all []string
	for _, part := range parts {
		all = append(all, conjuncts(part)...)
	}
	return all
}

// canonical removes spaces outside of quotes, makes all quotes double and replaces `this.`.
func canonical(rule string, this Path) string {
	var b strings.Builder
	last, space := ' ', false // the last code point written; whether spaces were left out after it
	write := func(r rune) {
		b.WriteRune(r)
		last, space = r, false
	}
	for i := 0; i < len(rule); {
		r, width := utf8.DecodeRuneInString(rule[i:])
		switch {
		case r == '"' || r == '\'':
			end := quoted(rule, i)
			b.WriteString(requote(rule[i:end], byte(r)))
			last, space, width = '"', false, end-i
		case unicode.IsSpace(r):
			space = true
		case isWord(r) && (space || !isWord(last)):
			if space && isWord(last) {
				b.WriteByte(' ')
			}
			if this != "" && last != '.' && strings.HasPrefix(rule[i:], "this.") {
				b.WriteString(string(this))
				last, space, width = 's', false, len("this")
				break
			}
			write(r)
		default:
			write(r)
		}
		i += width
	}
	return b.String()
}

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// quoted returns the end of the quoted text that begins at i.
func quoted(text string, i int) int {
	quote := text[i]
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case quote:
			return i + 1
		}
	}
	return len(text)
}

// requote puts a quoted text into double quotes.
func requote(text string, quote byte) string {
	if quote == '"' || len(text) < 2 {
		return text
	}
	inner := strings.ReplaceAll(text[1:len(text)-1], `\'`, `'`)
	return `"` + strings.ReplaceAll(inner, `"`, `\"`) + `"`
}

// strip removes one pair of parentheses around the whole text.
func strip(text string) string {
	if len(text) < 2 || text[0] != '(' || text[len(text)-1] != ')' {
		return text
	}
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i = quoted(text, i) - 1
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 && i < len(text)-1 {
				return text
			}
		}
	}
	return text[1 : len(text)-1]
}

// split cuts at the outermost `&&`; a text with an outermost `||` or `?` is one part.
func split(text string) []string {
	var parts []string
	depth, from := 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			i = quoted(text, i) - 1
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			depth--
		case depth == 0 && (c == '?' || strings.HasPrefix(text[i:], "||")):
			return []string{text}
		case depth == 0 && strings.HasPrefix(text[i:], "&&"):
			parts = append(parts, text[from:i])
			i++
			from = i + 1
		}
	}
	return append(parts, text[from:])
}
