// Package diag tells a configurator what is wrong with a file, where, and what to do: diagnostics with
// positions, shared by the loader, the command line and the API.
package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	diagv1 "github.com/siyiban/onething/proto/gen/onething/diag/v1"
)

// Position is a place in a file: line and column, both from 1, the column in code points.
type Position struct{ Line, Column int }

// Span is a stretch of a file. End is exclusive; a zero End means one code point.
type Span struct {
	File       string
	Start, End Position
}

// Severity says whether a file can be used in spite of the finding.
type Severity int

// The severities.
const (
	Error Severity = iota + 1
	Warning
)

// String is the word that is printed.
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Related is a place that contributed to a finding.
type Related struct {
	Span    Span
	Message string
}

// Diagnostic is one finding. Message says in one line what is wrong, Hint what to do; Code is stable and
// documented in docs/diagnostics.md. No value of an applicant stands in it.
type Diagnostic struct {
	Span     Span
	Severity Severity
	Code     string
	Path     string
	Message  string
	Hint     string
	Related  []Related
}

// Proto returns the diagnostic as the API and `--format json` show it.
func (d Diagnostic) Proto() *diagv1.Diagnostic {
	p := &diagv1.Diagnostic{
		File: d.Span.File, Start: d.Span.Start.proto(), End: d.Span.End.proto(),
		Severity: diagv1.Diagnostic_ERROR, Code: d.Code, Path: d.Path, Message: d.Message, Hint: d.Hint,
	}
	if d.Severity == Warning {
		p.Severity = diagv1.Diagnostic_WARNING
	}
	for _, r := range d.Related {
		p.Related = append(p.Related, &diagv1.Related{File: r.Span.File, Start: r.Span.Start.proto(), Message: r.Message})
	}
	return p
}

// FromProto returns a diagnostic as another program has told it.
func FromProto(p *diagv1.Diagnostic) Diagnostic {
	at := func(p *diagv1.Position) Position { return Position{Line: int(p.GetLine()), Column: int(p.GetColumn())} }
	d := Diagnostic{Span: Span{File: p.GetFile(), Start: at(p.GetStart()), End: at(p.GetEnd())}, Severity: Error, Code: p.GetCode(), Path: p.GetPath(),
		Message: p.GetMessage(), Hint: p.GetHint()}
	if p.GetSeverity() == diagv1.Diagnostic_WARNING {
		d.Severity = Warning
	}
	for _, r := range p.GetRelated() {
		d.Related = append(d.Related, Related{Span: Span{File: r.GetFile(), Start: at(r.GetStart())}, Message: r.GetMessage()})
	}
	return d
}

func (p Position) proto() *diagv1.Position {
	if p == (Position{}) {
		return nil
	}
	return &diagv1.Position{Line: int32(p.Line), Column: int32(p.Column)}
}

// List is every finding of a run. It is an error if it holds one of severity Error; use [List.Err].
type List []Diagnostic

// Err returns the list as an error if it holds an error, else nil.
func (l List) Err() error {
	if slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error }) {
		return l
	}
	return nil
}

// Error says the first finding and how many more there are.
func (l List) Error() string {
	if len(l) == 0 {
		return "no findings"
	}
	first := l[0]
	text := fmt.Sprintf("%s:%d:%d: %s[%s]: %s", first.Span.File, first.Span.Start.Line, first.Span.Start.Column,
		first.Severity, first.Code, first.Message)
	if len(l) > 1 {
		text += fmt.Sprintf(" (and %d more)", len(l)-1)
	}
	return text
}

// Sorted returns the list by file, line, column and code, each finding once.
func (l List) Sorted() List {
	sorted := slices.Clone(l)
	slices.SortStableFunc(sorted, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Span.File, b.Span.File),
			cmp.Compare(a.Span.Start.Line, b.Span.Start.Line),
			cmp.Compare(a.Span.Start.Column, b.Span.Start.Column),
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.CompactFunc(sorted, func(a, b Diagnostic) bool {
		return a.Span == b.Span && a.Code == b.Code && a.Message == b.Message
	})
}

// Nearest returns the candidate that name was most likely meant to be: at most two edits away, and nearer
// than any other; "" if there is none. It is what hints suggest.
func Nearest(name string, candidates []string) string {
	best, bestDistance, tie := "", 3, false
	for _, c := range candidates {
		if c == name {
			continue
		}
		d := distance(name, c)
		switch {
		case d < bestDistance:
			best, bestDistance, tie = c, d, false
		case d == bestDistance && d < 3:
			tie = tie || c != best
		}
	}
	if best == "" || tie && bestDistance > 1 || bestDistance >= len(name) {
		return ""
	}
	return best
}

// distance is the Levenshtein distance with transpositions (optimal string alignment).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if d := len(x) - len(y); d > 2 || d < -2 {
		return 3
	}
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}

// Scalar is a text that stands in a file, for example a rule inside YAML, and knows where each of its code
// points stands there: inside quotes, in a block scalar, under Chinese text.
type Scalar struct {
	Text string // the value, unescaped
	Path string // its path in the document, for example `eligibility[0].require`

	file  string
	start Position
	at    []Position // position of each code point of Text, and one more for its end; nil: one line from start
}

// NewScalar returns a text whose code points stand at the given positions; at has one more element than text
// has code points.
func NewScalar(file, path, text string, at []Position) Scalar {
	return Scalar{Text: text, Path: path, file: file, at: at}
}

// Inline returns a text that stands on one line from start on.
func Inline(file, path, text string, start Position) Scalar {
	return Scalar{Text: text, Path: path, file: file, start: start}
}

// Span returns where the code points from (inclusive) to (exclusive) of the text stand. Numbers outside the
// text are moved to its ends.
func (s Scalar) Span(from, to int) Span {
	from = max(0, from)
	return Span{File: s.file, Start: s.position(from), End: s.position(max(to, from+1))}
}

// Whole returns where the text stands.
func (s Scalar) Whole() Span { return s.Span(0, len([]rune(s.Text))) }

func (s Scalar) position(n int) Position {
	if s.at == nil {
		return Position{Line: max(1, s.start.Line), Column: max(1, s.start.Column) + n}
	}
	return s.at[min(n, len(s.at)-1)]
}

// Sub returns the code points from (inclusive) to (exclusive) as a text of its own.
func (s Scalar) Sub(from, to int) Scalar {
	runes := []rune(s.Text)
	from, to = min(max(0, from), len(runes)), min(max(0, to), len(runes))
	sub := Scalar{Text: string(runes[from:max(from, to)]), Path: s.Path, file: s.file}
	if s.at == nil {
		sub.start = s.position(from)
	} else {
		sub.at = s.at[from : max(from, to)+1]
	}
	return sub
}

// Offset converts a line (from 1) and column (from 0, code points) of the text, as compilers of expressions
// report them, into a number of code points from its beginning.
func (s Scalar) Offset(line, column int) int {
	rest, offset := s.Text, 0
	for ; line > 1; line-- {
		i := strings.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		offset += len([]rune(rest[:i])) + 1
		rest = rest[i+1:]
	}
	return offset + column
}
