package diag_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/siyiban/onething/diag"
	bundlev1 "github.com/siyiban/onething/proto/gen/onething/bundle/v1"
)

// Each code point of a scalar stands in the file where the scalar says it does, however the text is written.
func TestScalar_Positions(t *testing.T) {
	t.Parallel()
	words := []string{"own", "甲", "乙丙", "a.b", "\"q\"", "it's", "&&", "||", "x", "→", "\\", "𠮷"}
	for _, style := range []string{"plain", "plain, several lines", "single", "double", "double, escaped", "double, several lines", "literal", "folded"} {
		t.Run(style, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				var lines [][]string
				for i := range rapid.IntRange(1, 4).Draw(t, "lines") {
					if i > 0 && !strings.Contains(style, "lines") && style != "literal" && style != "folded" {
						break
					}
					line := rapid.SliceOfN(rapid.SampledFrom(words), 1, 5).Draw(t, "words")
					if strings.HasPrefix(style, "plain") {
						line[0] = "own"
					}
					lines = append(lines, line)
				}
				indent := strings.Repeat("\n", rapid.IntRange(0, 2).Draw(t, "empty lines")) + "\n" + strings.Repeat(" ", rapid.IntRange(4, 8).Draw(t, "indent"))
				text := "bundle: 甲" + "\nname: { zh: 中文 }\nnote: " + written(style, lines, indent) + "\nlead: x\n"
				message := &bundlev1.Bundle{}
				source, found := diag.ReadYAML("f.yaml", []byte(text), message, func(_ *yaml.Node, _ proto.Message) bool { return false })
				if err := found.Err(); err != nil {
					t.Fatalf("%v:\n%s", found, text)
				}
				scalar := source.Scalar(message, "note", "note")
				if scalar.Text != message.GetNote() {
					t.Fatalf("the text is %q, the value %q", scalar.Text, message.GetNote())
				}
				check(t, text, scalar)
			})
		})
	}
}

// written is a text of several lines of words in a style of YAML; indent is what stands between two lines.
func written(style string, lines [][]string, indent string) string {
	joined := make([]string, len(lines))
	for i, line := range lines {
		joined[i] = strings.Join(line, " ")
	}
	switch style {
	case "plain", "plain, several lines":
		return strings.Join(joined, indent)
	case "single":
		return "'" + strings.ReplaceAll(joined[0], "'", "''") + "'"
	case "literal":
		return "|" + indent + strings.Join(joined, indent)
	case "folded":
		return ">-" + indent + strings.Join(joined, indent)
	}
	var quoted []string
	for _, line := range joined {
		var b strings.Builder
		for _, r := range line {
			switch {
			case r == '"' || r == '\\':
				b.WriteString("\\" + string(r))
			case style == "double, escaped" && r > 0xffff:
				fmt.Fprintf(&b, "\\U%08x", r)
			case style == "double, escaped" && r > 0x7f:
				fmt.Fprintf(&b, "\\u%04x", r)
			case style == "double, escaped" && r == 'x':
				b.WriteString("\\x78")
			default:
				b.WriteRune(r)
			}
		}
		quoted = append(quoted, b.String())
	}
	return "\"" + strings.Join(quoted, indent) + "\""
}

// check looks at the file wherever the scalar says that a code point stands.
func check(t *rapid.T, text string, scalar diag.Scalar) {
	var file [][]rune
	for line := range strings.SplitSeq(text, "\n") {
		file = append(file, []rune(line))
	}
	for i, want := range []rune(scalar.Text) {
		at := scalar.Span(i, i+1).Start
		line := file[at.Line-1]
		if at.Column > len(line) {
			if want != '\n' && want != ' ' {
				t.Fatalf("%q, code point %d of %q, is said to stand behind line %d:\n%s", want, i, scalar.Text, at.Line, text)
			}
			continue
		}
		rest := string(line[at.Column-1:])
		right := strings.HasPrefix(rest, string(want)) || strings.HasPrefix(rest, "\\"+string(want)) ||
			strings.HasPrefix(rest, fmt.Sprintf("\\u%04x", want)) || strings.HasPrefix(rest, fmt.Sprintf("\\U%08x", want)) || strings.HasPrefix(rest, fmt.Sprintf("\\x%02x", want))
		if !right {
			t.Fatalf("%q, code point %d of %q, is said to stand at %d:%d, where %q stands:\n%s", want, i, scalar.Text, at.Line, at.Column, rest, text)
		}
	}
}

// Whatever stands in a file, reading it ends, and what is found has a place.
func FuzzReadYAML(f *testing.F) {
	for _, text := range []string{"", "bundle: a", "note: |\n\n\n  a\n", "note: |2\n   a\n  b", "note: >-\n\n a\n\n\n  b", "note: \"a\\\n  b\"", "note: 'a\n\n  b'", "note: |+\n", "note: >\n  a\r\n  b\r\n",
		"note: \"\\x41\\u4e00\\U00020bb7\\n\"", "- a\n- b", "? a\n: b", "name: { zh: 中, en: \"x\" }", "name：a\n\tzh: b", "name: {zh：[c, \"d”", "- - -a\n  －b: 'x\n", "name: !d &e *f", "form:\n  - {section：a，as: d｝\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		message := &bundlev1.Bundle{}
		source, found := diag.ReadYAML("f.yaml", text, message, nil)
		for _, d := range found {
			if at := d.Span.Start; at.Line < 1 || at.Line > bytes.Count(text, []byte("\n"))+2 || at.Column < 1 || d.Code == "" || d.Message == "" {
				t.Errorf("a finding without place, code or message: %+v", d)
			}
		}
		if found.Err() == nil {
			source.Scalar(message, "note", "note").Whole()
			source.Path(message, "name.zh")
		}
	})
}

// A block scalar may begin with empty lines, and its first line may be indented further than the others.
func TestScalar_Blocks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		offset     int
		want       diag.Position
	}{
		{"empty lines first", "note: |\n\n\n  甲x\n", 3, diag.Position{Line: 4, Column: 4}},
		{"empty lines first, folded", "note: >-\n\n  甲x\n", 2, diag.Position{Line: 3, Column: 4}},
		{"given indentation", "note: |2\n    甲\n  x\n", 4, diag.Position{Line: 3, Column: 3}},
		{"more indented lines, folded", "note: >-\n  甲\n    乙\n  x\n", 6, diag.Position{Line: 4, Column: 3}},
		{"carriage returns", "note: |\r\n  甲\r\n  x\r\n", 2, diag.Position{Line: 3, Column: 3}},
		{"spaces before a fold", "note: 甲  \n  x\n", 2, diag.Position{Line: 2, Column: 3}},
		{"an escaped line end", "note: \"甲\\\n  x\"\n", 1, diag.Position{Line: 2, Column: 3}},
		{"an escaped line feed", "note: \"甲\\nx\"\n", 2, diag.Position{Line: 1, Column: 11}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			message := &bundlev1.Bundle{}
			source, found := diag.ReadYAML("f.yaml", []byte(tt.text), message, nil)
			if err := found.Err(); err != nil {
				t.Fatal(err)
			}
			scalar := source.Scalar(message, "note", "note")
			if r := []rune(scalar.Text)[tt.offset]; r != 'x' {
				t.Fatalf("code point %d of %q is %q", tt.offset, scalar.Text, r)
			}
			if got := scalar.Span(tt.offset, tt.offset+1).Start; got != tt.want {
				t.Errorf("x stands at %v, expected %v", got, tt.want)
			}
		})
	}
}
