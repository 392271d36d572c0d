package diag_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/diag"
	bundlev1 "github.com/siyiban/onething/proto/gen/onething/bundle/v1"
)

// Whatever a file holds, it is read whole or refused at a place; nothing of it is silently left out.
func TestReadYAML_Refused(t *testing.T) {
	t.Parallel()
	const first = "library: facts\n"
	tests := []struct {
		name, text string
		want       []string
	}{
		{name: "one document", text: first},
		{name: "one document, with its marks", text: "---\n" + first + "...\n"},
		{name: "a second document", text: first + "---\nlibrary: sections\n", want: []string{"2:1 yaml-documents"}},
		{name: "a second document that is no YAML", text: first + "---\nlibrary: [sections\n", want: []string{"3:10 yaml-brackets"}},
		{name: "an empty second document", text: first + "---\n", want: []string{"2:1 yaml-documents"}},
		{name: "aliases that expand to very much", text: "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n",
			want: []string{"1:4 yaml-alias", "2:4 yaml-alias", "3:4 yaml-alias", "4:5 yaml-alias", "4:9 yaml-alias"}},
		{name: "an alias of itself", text: "library: &a [*a]\n", want: []string{"1:10 yaml-alias"}},
		{name: "a merge key", text: "<<: { library: facts }\n", want: []string{"1:1 yaml-alias"}},
		{name: "mappings inside each other without end", text: strings.Repeat("{a: ", 20000), want: []string{"1:1 yaml-syntax"}},
		{name: "lists inside each other without end", text: strings.Repeat("[", 20000) + strings.Repeat("]", 20000), want: []string{"1:1 yaml-syntax"}},
		{name: "indented without end", text: strings.Repeat("- ", 20000) + "a", want: []string{"1:1 yaml-syntax"}},
		{name: "UTF-16", text: "\xff\xfel\x00i\x00b\x00", want: []string{"1:1 yaml-encoding"}},
		{name: "a NUL", text: "library: \x00facts\n", want: []string{"1:10 yaml-encoding"}},
		{name: "a lone carriage return", text: "library: facts\rfacts: []\r", want: []string{"1:15 yaml-line-end"}},
		{name: "Windows line ends", text: "library: facts\r\nfacts: []\r\n"},
		{name: "a byte too large", text: first + strings.Repeat("#", diag.MaxFile-len(first)+1), want: []string{"1:1 yaml-size"}},
		{name: "as large as may be", text: first + strings.Repeat("#", diag.MaxFile-len(first))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, found := diag.ReadYAML("a.yaml", []byte(tt.text), &bundlev1.Library{}, nil)
			var got []string
			for _, d := range found {
				got = append(got, fmt.Sprintf("%d:%d %s", d.Span.Start.Line, d.Span.Start.Column, d.Code))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s\n%v", diff, found)
			}
		})
	}
}
