package compare_test

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/compare"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms/kind"
)

var figure = regexp.MustCompile(`\b\d+\b`)

// changes are ways to judge otherwise: a figure that is higher by one, a bound that includes itself or does no longer, one
// thing instead of both.
func changes(requires string) []string {
	var all []string
	for _, at := range figure.FindAllStringIndex(requires, -1) {
		n, err := strconv.Atoi(requires[at[0]:at[1]])
		if err == nil && !strings.HasSuffix(requires[:at[0]], `region("`) {
			all = append(all, requires[:at[0]]+strconv.Itoa(n+1)+requires[at[1]:])
		}
	}
	for _, pair := range [][2]string{{">=", ">"}, {"<=", "<"}, {" > ", " >= "}, {" < ", " <= "}, {"&&", "||"}, {"||", "&&"}, {"today", "add_days(today, 1)"}} {
		if strings.Contains(requires, pair[0]) {
			all = append(all, strings.Replace(requires, pair[0], pair[1], 1))
		}
	}
	return all
}

// Whatever rule of whatever matter judges otherwise, a record shows it, and both versions say of the record what is told.
func TestBundles_AnyRule(t *testing.T) {
	t.Parallel()
	read, err := readExamples()
	if err != nil {
		t.Fatal(err)
	}
	days := published(t)
	var all []planted
	for _, file := range slices.Sorted(maps.Keys(read.files)) {
		if path.Dir(file) == "library" {
			continue
		}
		b, found := catalog.ParseBundle(read.library, file, []byte(read.files[file]))
		if found.Err() != nil {
			t.Fatal(found)
		}
		for _, r := range slices.Concat(b.Eligibility, b.Checks) {
			if r.Require == nil || r.Require.Span().File != file { // judged by an officer, or the library's
				continue
			}
			if strings.Contains(r.Require.Text(), "size(") && strings.Contains(r.Require.Text(), "*") {
				continue // lists as long as that are not made
			}
			line := strings.Split(read.files[file], "\n")[r.Require.Span().Start.Line-1]
			for _, changed := range changes(r.Require.Text()) {
				if strings.Contains(line, r.Require.Text()) {
					all = append(all, planted{name: r.ID, bundle: b.ID, edits: []string{line, strings.Replace(line, r.Require.Text(), changed, 1)}})
				}
			}
		}
	}
	if len(all) < 500 {
		t.Fatalf("only %d changes", len(all))
	}
	rapid.Check(t, func(rt *rapid.T) {
		p := all[rapid.IntRange(0, len(all)-1).Draw(rt, "change")]
		old := version(t, p, false)
		after, found := catalog.ParseBundle(read.library, bundleFile(p.bundle), []byte(strings.Replace(read.files[bundleFile(p.bundle)], p.edits[0], p.edits[1], 1)))
		if found.Err() != nil {
			return // `||` where both had to be: a blank is read without a guard
		}
		r, err := compare.Bundles(old, after, seeds(t, old, days), guide.Setting{Today: kind.MustDate("2026-03-16"), Place: "321323", Calendar: days})
		if err != nil {
			rt.Fatal(err)
		}
		told := false
		for _, c := range r.Changes {
			told = told || c.Item == p.name && len(c.Witnesses) > 0
			for _, w := range c.Witnesses {
				checkWitness(rt, old, after, c, w)
			}
		}
		if !told {
			rt.Errorf("%s: %s\ninstead of\n%s\nshows nothing", p.bundle, p.edits[1], p.edits[0])
		}
	})
}
