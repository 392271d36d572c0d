package diag

import (
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode"

	"golang.org/x/text/width"
	"google.golang.org/protobuf/encoding/protojson"
)

// MaxPrinted is how many findings a [Printer] prints before it says only how many more there are.
const MaxPrinted = 50

// Printer prints findings for people: place, severity, code and message in one line, then the line of the file with a
// caret under what is meant, a hint, related places, and what the code means.
type Printer struct {
	// Files are the files that findings name; one that cannot be read is left out.
	Files fs.FS
	// All prints more than [MaxPrinted].
	All bool
	// Says returns what a code means in the reader's language, empty if it does not know; nil: nobody has to be told.
	Says func(code string) string
}

// Print prints findings by file and place.
func (p Printer) Print(w io.Writer, list List) error {
	sorted := list.Sorted()
	read := map[string][]string{}
	for i, d := range sorted {
		if i == MaxPrinted && !p.All {
			_, err := fmt.Fprintf(w, "… and %d more (--all prints them)\n", len(sorted)-i)
			return err
		}
		said := ""
		if p.Says != nil {
			said = p.Says(d.Code)
		}
		if _, err := io.WriteString(w, format(d, lines(p.Files, read, d.Span.File), said)); err != nil {
			return err
		}
	}
	return nil
}

func lines(files fs.FS, read map[string][]string, name string) []string {
	if known, ok := read[name]; ok || files == nil {
		return known
	}
	if text, err := fs.ReadFile(files, name); err == nil {
		read[name] = strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")
	} else {
		read[name] = nil
	}
	return read[name]
}

func format(d Diagnostic, file []string, said string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: %s[%s]: %s\n", d.Span.File, d.Span.Start.Line, d.Span.Start.Column, d.Severity, d.Code, d.Message)
	if n := d.Span.Start.Line; n >= 1 && n <= len(file) && strings.TrimSpace(file[n-1]) != "" {
		number := fmt.Sprintf(" %d | ", n)
		line := []rune(file[n-1])
		from := min(max(1, d.Span.Start.Column)-1, len(line))
		to := len(line)
		if d.Span.End.Line <= n {
			to = min(max(d.Span.End.Column-1, from+1), len(line))
		}
		fmt.Fprintf(&b, "%s%s\n", number, string(line))
		fmt.Fprintf(&b, "%s| %s%s\n", strings.Repeat(" ", len(number)-2), blank(line[:from]), carets(line[from:max(from, to)]))
	}
	if d.Hint != "" {
		fmt.Fprintf(&b, " hint: %s\n", d.Hint)
	}
	if said != "" {
		fmt.Fprintf(&b, " 说明: %s\n", said)
	}
	for _, r := range d.Related {
		fmt.Fprintf(&b, " see:  %s:%d:%d: %s\n", r.Span.File, r.Span.Start.Line, r.Span.Start.Column, r.Message)
	}
	return b.String()
}

// blank is as wide as the text: tabs stay, a wide character becomes the ideographic space.
func blank(text []rune) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return r
		case unicode.In(r, unicode.Mn, unicode.Me):
			return -1
		case wide(r):
			return '\u3000'
		}
		return ' '
	}, string(text))
}

// carets is as wide as the text.
func carets(text []rune) string {
	if len(text) == 0 {
		return "^"
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me):
			return -1
		case wide(r):
			return '\uFF3E' // a caret as wide as a Chinese character
		}
		return '^'
	}, string(text))
}

func wide(r rune) bool {
	k := width.LookupRune(r).Kind()
	return k == width.EastAsianWide || k == width.EastAsianFullwidth
}

// PrintJSON prints findings one JSON object a line, as the message onething.diag.v1.Diagnostic.
func PrintJSON(w io.Writer, list List) error {
	for _, d := range list.Sorted() {
		line, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(d.Proto())
		if err != nil {
			return fmt.Errorf("print finding: %w", err)
		}
		if _, err := fmt.Fprintf(w, "%s\n", line); err != nil {
			return err
		}
	}
	return nil
}

// Columns is how many columns a text takes where it is read: a Chinese character takes two.
func Columns(text string) int {
	n := 0
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me):
		case wide(r):
			n += 2
		default:
			n++
		}
	}
	return n
}
