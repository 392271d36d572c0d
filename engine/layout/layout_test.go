package layout_test

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/layout"
	"github.com/siyiban/onething/examples"
)

func TestFormat(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, in, want string }{
		{"line ends, trailing spaces, blank lines", "\n\na: 1  \r\n\r\n\r\n\r\nb: 2\t\n\n\n", "a: 1\n\nb: 2\n"},
		{"a list stands in by two", "a:\n- b: 1\n  c: 2\n-   d: 3\n    e: 4\n", "a:\n  - b: 1\n    c: 2\n  - d: 3\n    e: 4\n"},
		{"a block stands in by two", "a:\n    b:\n       c: 1\n    # of d\n    d: 2\n", "a:\n  b:\n    c: 1\n  # of d\n  d: 2\n"},
		{"spaces in flow", "a: {b: [ c,d ],  e:   f}   # as it is\n", "a: { b: [c, d], e: f }   # as it is\n"},
		{"a flow over lines keeps its lines", "a:\n- {b: 1,\n   c: \"x ,  y\"}\n", "a:\n  - { b: 1,\n     c: \"x ,  y\" }\n"},
		{"a text is left alone", "a: |\n    x  y \n\n\n    z\nb: Mother's {  card\n", "a: |\n    x  y \n\n\n    z\nb: Mother's {  card\n"},
		{"a text moves with its key", "- a\n-   b: |\n      x\n        y\n    c: 1\n", ""},
		{"comments stay aligned", "a: 1     # one\nbcd: 2   # two\n", "a: 1     # one\nbcd: 2   # two\n"},
		{"empty collections", "a: { }\nb: [ ]\n", "a: {}\nb: []\n"},
		{"an apostrophe opens nothing", "a: { en: Mother's card,zh: 卡 }\n", "a: { en: Mother's card, zh: 卡 }\n"},
		{"a quoted text over lines", "a: \"x\n\n\n   y  \n  z\"\nb: 1\n", "a: \"x\n\n\n   y  \n  z\"\nb: 1\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, found := layout.Format("a.yaml", []byte(test.in))
			if test.want == "" { // a list at the top is no bundle
				if found.Err() == nil {
					t.Errorf("taken: %q", got)
				}
				return
			}
			if found.Err() != nil {
				t.Fatal(found)
			}
			if string(got) != test.want {
				t.Errorf("got\n%q\nwant\n%q", got, test.want)
			}
		})
	}
}

var afterHash = regexp.MustCompile(`(?m)(?:^|\s)#.*$`)

// remarks are the comments of a text, with whatever else follows a `#`.
func remarks(text []byte) []string {
	var all []string
	for _, r := range afterHash.FindAllString(string(text), -1) {
		all = append(all, strings.TrimSpace(r))
	}
	slices.Sort(all)
	return all
}

// disorder writes a text as somebody without a formatter might.
func disorder(text string) string {
	text = strings.ReplaceAll(text, "\n\n", "\n\n\n\n")
	text = strings.ReplaceAll(text, "\n", "  \r\n")
	lines := strings.Split(text, "\n")
	for i, line := range lines { // everything twice as far in
		n := len(line) - len(strings.TrimLeft(line, " "))
		if strings.HasPrefix(line[n:], "- ") {
			line = line[:n] + "-   " + line[n+2:]
		}
		lines[i] = strings.Repeat(" ", n) + line
	}
	return strings.Join(lines, "\n")
}

// Over all examples, as they stand and in disorder: twice is once, every comment is kept, and nothing reads otherwise.
func TestFormat_Examples(t *testing.T) {
	t.Parallel()
	tree := examples.Tree()
	files := map[string][]byte{}
	names, err := fs.Glob(tree, "library/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if files[path.Base(name)], err = fs.ReadFile(tree, name); err != nil {
			t.Fatal(err)
		}
	}
	library, found := catalog.ParseLibrary(files)
	if found.Err() != nil {
		t.Fatal(found)
	}
	n := 0
	err = fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n++
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		for _, in := range []string{string(text), disorder(string(text))} {
			once, found := layout.Format(name, []byte(in))
			if found.Err() != nil {
				t.Errorf("%s: %v", name, found)
				continue
			}
			twice, found := layout.Format(name, once)
			if found.Err() != nil || string(once) != string(twice) {
				t.Errorf("%s: twice is not once: %v", name, found)
			}
			if !slices.Equal(remarks([]byte(in)), remarks(once)) {
				t.Errorf("%s: a comment is lost", name)
			}
			switch path.Base(name) {
			case "tests.yaml":
				a, _, _ := catalog.ReadTests(name, text)
				b, _, _ := catalog.ReadTests(name, once)
				if !proto.Equal(a, b) {
					t.Errorf("%s: the tests read otherwise", name)
				}
			case "bundle.yaml":
				a, _ := catalog.ParseBundle(library, name, text)
				b, found := catalog.ParseBundle(library, name, once)
				if found.Err() != nil || a == nil || len(a.Paths()) != len(b.Paths()) || len(a.Decisions()) != len(b.Decisions()) {
					t.Errorf("%s: the bundle reads otherwise: %v", name, found)
					break
				}
				for i, d := range a.Decisions() {
					if d.Rule.Text() != b.Decisions()[i].Rule.Text() {
						t.Errorf("%s: %s reads otherwise", name, d.What)
					}
				}
			}
		}
		return nil
	})
	if err != nil || n < 20 {
		t.Fatal(n, err)
	}
}

func FuzzFormat(f *testing.F) {
	for _, seed := range []string{"a: 1\n", "a:\n- b: |\n    x\n  c: {d: [e,'f']} # g\n", "a: \"x\n\n y\"\n#\n", "a:\n  -\n    b: 1\n  - - c\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once, found := layout.Format("a.yaml", []byte(text))
		if found.Err() != nil {
			return
		}
		twice, found := layout.Format("a.yaml", once)
		if found.Err() != nil {
			t.Fatalf("%q becomes %q, which is refused: %v", text, once, found)
		}
		if string(once) != string(twice) {
			t.Fatalf("%q becomes %q, then %q", text, once, twice)
		}
	})
}
