package layout_test

import (
	"io/fs"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine/layout"
	"github.com/siyiban/onething/examples"
)

func TestFormat(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("长", 70)
	for _, test := range []struct{ name, in, want string }{
		{"line ends, trailing spaces, blank lines", "\n\na: 1  \r\n\r\n\r\n\r\nb: 2\t\n\n\n", "a: 1\n\nb: 2\n"},
		{"what fits stands in brackets", "a:\n    b:\n       c: 1\n    d:\n    - 2\n    - x\n", "a: { b: { c: 1 }, d: [2, x] }\n"},
		{"what does not fit stands in lines", "a: { b: " + long + ", c: { d: 甲, e: " + long + " } }\n", "a:\n  b: " + long + "\n  c: { d: 甲, e: " + long + " }\n"},
		{"a Chinese character takes two columns", "a: { b: " + strings.Repeat("长", 75) + " }\n", "a: { b: " + strings.Repeat("长", 75) + " }\n"},
		{"one column too many", "a: { b: " + strings.Repeat("长", 75) + "x }\n", "a:\n  b: " + strings.Repeat("长", 75) + "x\n"},
		{"a list of mappings stands in lines", "a: [{ b: 1,c: 2 },   { d: 3 } ]\n", "a:\n  - { b: 1, c: 2 }\n  - { d: 3 }\n"},
		{"but not inside of brackets", "a: {b: [ {c: 1} ]}\n", "a: { b: [{ c: 1 }] }\n"},
		{"a list stands in by two", "a:\n- b: " + long + "\n  c: " + long + "\n-   d: 3\n", "a:\n  - b: " + long + "\n    c: " + long + "\n  - { d: 3 }\n"},
		{"a list in a list", "a:\n- - x\n  - z\n", "a:\n  - [x, z]\n"},
		{"empty collections", "a: { }\nb: [ ]\n", "a: {}\nb: []\n"},
		{"nothing", "a:\nb: ~\nc: {d: , e}\n", "a: null\nb: null\nc: { d: null, e: null }\n"},
		{"everything in brackets", "{ a: 1, b: [2] }\n", "a: 1\nb: [2]\n"},

		{"keys in the schema's order", "lead: x\nbundle: w\nsteps:\n  - needs: { materials: [m], fields: [f] }\n    id: s\nform: [{ as: a, section: b }]\n",
			"bundle: w\nlead: x\nform:\n  - { section: b, as: a }\nsteps:\n  - { id: s, needs: { fields: [f], materials: [m] } }\n"},
		{"the schema's order below a key of the author's", "bundle: w\nform:\n  - section: b\n    set: { z: { help: { zh: 甲 }, required: true }, c: { max: 1, min: 0 } }\n",
			"bundle: w\nform:\n  - { section: b, set: { z: { required: true, help: { zh: 甲 } }, c: { min: 0, max: 1 } } }\n"},
		{"names of the author's keep their order", "tests:\n  - { test: t, record: { own: { z: 1, a: 2 }, form: {} }, like: u, but: { own.z: 1, own.a: 2 } }\n",
			"tests:\n  - { test: t, like: u, but: { own.z: 1, own.a: 2 }, record: { own: { z: 1, a: 2 }, form: {} } }\n"},
		{"keys that nobody knows come last", "bundle: w\nzz: 1\nname: { zh: 甲 }\n", "bundle: w\nname: { zh: 甲 }\nzz: 1\n"},
		{"a file of another kind keeps its order", "b: 1\na: 2\n", "b: 1\na: 2\n"},

		{"quotes where none are needed", "a: 'x y'\nb: \"甲：乙\"\nc: { d: \"x\", 'e': 'f.g' }\n", "a: x y\nb: 甲：乙\nc: { d: x, e: f.g }\n"},
		{"quotes where YAML would read something else", "a: 'true'\nb: '12'\nc: 'null'\nd: ''\ne: '0x1f'\nf: 'no'\n'g': ' x'\n", "a: \"true\"\nb: \"12\"\nc: \"null\"\nd: \"\"\ne: \"0x1f\"\nf: \"no\"\ng: \" x\"\n"},
		{"quotes for what means something to YAML", "a: '!x'\nb: 'x: y'\nc: 'x #y'\nd: '- x'\ne: 'x:'\nf: '[x'\ng: '%x'\n", "a: \"!x\"\nb: \"x: y\"\nc: \"x #y\"\nd: \"- x\"\ne: \"x:\"\nf: \"[x\"\ng: \"%x\"\n"},
		{"more of them in brackets", "a: { b: 'x, y', c: 'x?', d: 'f(x)' }\ne: 'x, y'\nf: x?\n", "a: { b: \"x, y\", c: \"x?\", d: f(x) }\ne: x, y\nf: x?\n"},
		{"a plain text that goes into brackets", "a:\n  b: x, y\n", "a: { b: \"x, y\" }\n"},
		{"single quotes around double ones and backslashes", "a: \"x == \\\"y\\\" # z\"\nb: \"- \\\\d\"\nc: '- it''s \"x\"'\n", "a: 'x == \"y\" # z'\nb: '- \\d'\nc: '- it''s \"x\"'\n"},
		{"double quotes around what does not print", "a: \"x\\ny\\tz \\u200b\"\n", "a: \"x\\ny\\tz \\u200b\"\n"},
		{"words that older YAML takes for yes or no", "a: yes\nb: n\n", "a: \"yes\"\nb: \"n\"\n"},
		{"dates are plain", "a: '2026-03-16'\nb: 2026-03-16\n", "a: 2026-03-16\nb: 2026-03-16\n"},
		{"a quoted text over lines", "a: \"x\n\n\n   y  \n  z\"\nb: 1\n", "a: \"x\\n\\ny z\"\nb: 1\n"},
		{"a plain text over lines", "a: x\n  y\n  z   # of a\nb: 1\n", "a: x y z # of a\nb: 1\n"},

		{"a comment above stays above", "a: 1\n# of b\n# and more\nb: 2\n", "a: 1\n# of b\n# and more\nb: 2\n"},
		{"comments go where their key goes", "# head\nlead: x   # of lead\n# of bundle\nbundle: w\n", "# head\n# of bundle\nbundle: w\nlead: x # of lead\n"},
		{"what has a comment inside stands in lines", "a:\n  b: 1\n  # of c\n  c: 2\n", "a:\n  b: 1\n  # of c\n  c: 2\n"},
		{"comments inside of brackets", "a: [b, # of b\n  # of c\n  c\n  # the end\n  ]   # of a\n", "a: # of a\n  - b # of b\n  # of c\n  - c\n  # the end\n"},
		{"comments beside each other stand in one column", "a:\n- b # 1\n- ccc    # 2\n- d\n- e     # 3\n", "a:\n  - b   # 1\n  - ccc # 2\n  - d\n  - e # 3\n"},
		{"but not for a long line", "a:\n- b    # 1\n- " + strings.Repeat("c", 60) + " # 2\n", "a:\n  - b # 1\n  - " + strings.Repeat("c", 60) + " # 2\n"},
		{"a comment at the end of a list stays in it", "a:\n  - b: 1\n  # - c: 2\n\n# of d\nd: 3\n", "a:\n  - { b: 1 }\n  # - c: 2\n\n# of d\nd: 3\n"},
		{"a comment at the end", "a: 1\n\n# the end\n", "a: 1\n\n# the end\n"},
		{"a comment behind an opening key", "a: # of a\n  b: 1\n", "a: { b: 1 } # of a\n"},
		{"a comment behind a dash", "a:\n  - # of the item\n    b: 1\n    # of c\n    c: 2\n", "a:\n  # of the item\n  - b: 1\n    # of c\n    c: 2\n"},
		{"a comment in front, and a blank line", "# head\n\na: 1\n", "# head\n\na: 1\n"},
		{"a hash that is none", "a: x#y\nb: 'x #y'   # z\n", "a: x#y\nb: \"x #y\" # z\n"},

		{"a text is left alone", "a: |\n    x  y \n\n\n    z\nb: Mother's {  card\n", "a: |\n  x  y \n\n\n  z\nb: Mother's {  card\n"},
		{"a text with an own way in", "a:\n    - |4\n          x\n        y\n", "a:\n  - |2\n      x\n    y\n"},
		{"a text that keeps its end", "a: |+\n    x\n\n\nb: 1\n", "a: |+\n  x\n\n\nb: 1\n"},
		{"a list at the top is no bundle", "- a\n- b\n", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, found := layout.Format("a.yaml", []byte(test.in))
			if test.want == "" {
				if found.Err() == nil {
					t.Errorf("taken: %q", got)
				}
				return
			}
			if found.Err() != nil {
				t.Fatal(found)
			}
			if string(got) != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// remarks are the comments of a text that look so, sorted.
func remarks(like *regexp.Regexp, text []byte) []string {
	var all []string
	for _, r := range like.FindAllString(string(text), -1) {
		all = append(all, strings.TrimSpace(r))
	}
	slices.Sort(all)
	return all
}

// fataler is a test, or a round of one.
type fataler interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// message is what a text says.
func message(t fataler, name string, text []byte) *structpb.Struct {
	t.Helper()
	m := &structpb.Struct{}
	if _, found := diag.ReadYAML(name, text, m, nil); found.Err() != nil {
		t.Fatalf("%s: %v\n%s", name, found, text)
	}
	return m
}

// afterHash is a comment, or whatever else stands behind a `#`.
var afterHash = regexp.MustCompile(`(?m)(?:^|[ \t])#.*$`)

// same fails if a text is not brought into the style, or loses something on the way.
func same(t fataler, name string, in []byte, comment *regexp.Regexp) (once []byte) {
	t.Helper()
	once, found := layout.Format(name, in)
	if found.Err() != nil {
		t.Fatalf("%s: %v\n%s", name, found, in)
	}
	if twice, found := layout.Format(name, once); found.Err() != nil || string(once) != string(twice) {
		t.Errorf("%s: twice is not once: %v\n%s\nthen\n%s", name, found, once, twice)
	}
	if before, after := remarks(comment, in), remarks(comment, once); !slices.Equal(before, after) {
		t.Errorf("%s: a comment is lost: %q, then %q", name, before, after)
	}
	if !proto.Equal(message(t, name, in), message(t, name, once)) {
		t.Errorf("%s: it reads otherwise:\n%s\nthen\n%s", name, in, once)
	}
	return once
}

// disorder writes a text as somebody without a formatter might: everything twice as far in, and other line ends.
func disorder(text string) string {
	text = strings.ReplaceAll(text, "\n\n", "\n\n\n\n")
	text = strings.ReplaceAll(text, "\n", "  \r\n")
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		n := len(line) - len(strings.TrimLeft(line, " "))
		if strings.HasPrefix(line[n:], "- ") {
			line = line[:n] + "-   " + line[n+2:]
		}
		lines[i] = strings.Repeat(" ", n) + line
	}
	return strings.Join(lines, "\n")
}

// scramble writes what a text says without its comments and blank lines; with a source of chance in another order of keys
// where the schema gives one, in other quotes and other brackets.
func scramble(t testing.TB, text []byte, random *rand.Rand) []byte {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	var visit func(n *yaml.Node, inFlow, ordered bool)
	visit = func(n *yaml.Node, inFlow, ordered bool) {
		n.HeadComment, n.LineComment, n.FootComment = "", "", ""
		if random != nil && n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" {
			n.Style = []yaml.Style{0, yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle}[random.IntN(3)]
		}
		if random != nil && n.Kind != yaml.ScalarNode {
			if n.Style = 0; inFlow || random.IntN(3) == 0 {
				n.Style, inFlow = yaml.FlowStyle, true
			}
			if n.Kind == yaml.MappingNode && ordered && len(n.Content) > 2 && random.IntN(2) == 0 {
				n.Content = append(slices.Clone(n.Content[2:]), n.Content[:2]...)
			}
		}
		for i, c := range n.Content {
			below := ordered
			if n.Kind == yaml.MappingNode && i%2 == 1 {
				below = ordered && !slices.Contains([]string{"record", "but", "facts", "results", "due", "set"}, n.Content[i-1].Value)
			}
			visit(c, inFlow, below)
		}
	}
	visit(document.Content[0], false, true)
	scrambled, err := yaml.Marshal(&document)
	if err != nil {
		t.Fatal(err)
	}
	return scrambled
}

// exampleFiles are the files of the examples by name.
func exampleFiles(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := fs.WalkDir(examples.Tree(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name], err = fs.ReadFile(examples.Tree(), name)
		return err
	})
	if err != nil || len(files) < 200 {
		t.Fatal(len(files), err)
	}
	return files
}

// The examples are written in the style.
func TestFormat_ExamplesAreWritten(t *testing.T) {
	t.Parallel()
	for name, text := range exampleFiles(t) {
		if got, found := layout.Format(name, text); string(got) != string(text) {
			t.Errorf("%s is not in the style: run `onething fmt examples` %v", name, found)
		}
	}
}

// From any other way of writing them, the examples come to the one style. Some are enough: it takes long.
func TestFormat_Examples(t *testing.T) {
	t.Parallel()
	files := exampleFiles(t)
	for i, name := range slices.Sorted(maps.Keys(files)) {
		if i%4 > 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := files[name]
			want := same(t, name, text, afterHash)
			if got := same(t, name, []byte(disorder(string(text))), afterHash); string(got) != string(want) {
				t.Errorf("from disorder it becomes\n%s", cmp.Diff(string(want), string(got)))
			}
			bare, found := layout.Format(name, scramble(t, text, nil))
			if found.Err() != nil {
				t.Fatal(found)
			}
			if got := same(t, name, scramble(t, text, rand.New(rand.NewPCG(1, uint64(len(text))))), afterHash); string(got) != string(bare) {
				t.Errorf("scrambled it becomes\n%s", cmp.Diff(string(bare), string(got)))
			}
		})
	}
}

func FuzzFormat(f *testing.F) {
	for _, seed := range []string{"a: 1\n", "a:\n- b: |\n    x\n  c: {d: [e,'f']} # g\n", "a: \"x\n\n y\"\n#\n", "a:\n  -\n    b: 1\n  - - c\n",
		"bundle: x\nsteps: # s\n- id: y # z\n  # w\nlead: 'no'\n", "a: >-\n  x\n\n   y\n# z\nb: [c,\n # d\n e]\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once, found := layout.Format("a.yaml", []byte(text))
		if found.Err() != nil {
			return
		}
		if string(once) != string(same(t, "a.yaml", once, afterHash)) {
			t.Fatalf("%q becomes %q, then another", text, once)
		}
		if !proto.Equal(message(t, "a.yaml", []byte(text)), message(t, "a.yaml", once)) {
			t.Fatalf("%q becomes %q, which reads otherwise", text, once)
		}
	})
}
