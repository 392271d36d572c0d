package witness_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/witness"
)

var seed = flag.Uint64("seed", 1, "where mistakes are planted")

// places is at how many places each mistake is planted.
const places = 3

// mistake is a change of one line, after which one thing is wrong there.
type mistake struct {
	name, code string
	find       string // regular expression
	to         string // what stands there instead; a line more where it has a line end
	// without is what must not stand in the bundle, because the mistake would be two there; with, what must. $1 is what
	// the expression found.
	without, with string
	under         string // the bundle's key under which the line must stand
	once          string // what must not stand in the rest of its item
	near          int    // how many lines from the changed one the finding may stand
	ahead         string // a line that is put before the item instead, and is the one that counts
}

func mistakes() []mistake {
	const (
		rule = `^(    require: `
		age  = rule + `"?)age\((form\.\w+\.\w+), today\) >= (\d+)("?)$`
		weak = "  - { id: zz_rule, require: \"age(${2}, today) "
		rest = "\", because: { zh: 满 3 岁 }, remedy: { zh: 再来 } }"
	)
	return []mistake{
		{name: "lead misspelt", code: "department-unknown", find: `^lead: (\w+)`, to: `lead: ${1}x`},
		{name: "department of a step misspelt", code: "department-unknown", find: `^(    department: \w+)`, to: `${1}x`},
		{name: "examiner misspelt", code: "department-unknown", find: `(examine: \{ by: \w+)`, to: `${1}x`},
		{name: "verifier misspelt", code: "department-unknown", find: `(verify: \{ by: \w+)`, to: `${1}x`},
		{name: "section misspelt", code: "section-unknown", find: `^(  - \{ section: \w+)`, to: `${1}x`},
		{name: "applicant misspelt", code: "alias-unknown", find: `^applicant: \[(\w+)`, to: `applicant: [${1}x`},
		{name: "subject misspelt", code: "alias-unknown", find: `^subject: (\w+)`, to: `subject: ${1}x`},
		{name: "whose document misspelt", code: "alias-unknown", find: `^(  - \{ use: \w+.*, of: \w+)`, to: `${1}x`},
		{name: "alias dropped", code: "alias-missing", find: `^(  - \{ section: person_identity), as: \w+`, to: `${1}`},
		{name: "alias twice", code: "alias-duplicate", find: `^(  - \{ section: \w+, as: \w+)(.*)$`, to: "${1}${2}\n${1} }", near: 1},
		{name: "material misspelt", code: "material-unknown", find: `^(  - \{ use: \w+)`, to: `${1}x`},
		{name: "step before misspelt", code: "step-unknown", find: `^(    after: \[\w+)`, to: `${1}x`},
		{name: "step that is gated misspelt", code: "step-unknown", find: `(for: \[\w+)`, to: `${1}x`},
		{name: "need misspelt", code: "need-unknown", find: `^(        - own\.\w+)`, to: `${1}x`},
		{name: "own field in a rule misspelt", code: "rule-unknown-field", find: rule + `own\.\w+)`, to: `${1}q`},
		{name: "field in a rule misspelt", code: "rule-unknown-field", find: rule + `form\.\w+\.\w+)([^(\w].*)$`, to: `${1}q${2}`},
		{name: "alias in a rule misspelt", code: "rule-unknown-field", find: rule + `form\.\w+)`, to: `${1}q`},
		{name: "option in a rule misspelt", code: "rule-unknown-option", find: rule + `own\.\w+\.\w+)$`, to: `${1}q`},
		{name: "option of a section misspelt", code: "rule-unknown-option", find: rule + `form\.\w+\.\w+\.[a-z]\w+)$`, to: `${1}q`},
		{name: "choice instead of its option", code: "rule-bare-choice", find: rule + `own\.\w+)\.[a-z]\w+$`, to: `${1}`},
		{name: "parameter misspelt", code: "rule-unknown-parameter", find: `(require: [^{}]*params\.\w+)`, to: `${1}q`},
		{name: "parameter in a text misspelt", code: "formula-unknown-field", find: `(zh: "[^"]*\{params\.\w+)\}`, to: `${1}q}`},
		{name: "function misspelt", code: "rule-unknown-function", find: age, to: `${1}agee(${2}, today) >= ${3}${4}`},
		{name: "amount where a number is wanted", code: "rule-type", find: age, to: `${1}age(${2}, today) >= yuan(${3})${4}`},
		{name: "division", code: "rule-forbidden", find: age, to: `${1}age(${2}, today) >= ${3} / 2${4}`},
		{name: "half a rule", code: "rule-syntax", find: rule + `own\.\w+)$`, to: `${1} &&`},
		{name: "guard dropped", code: "rule-unguarded-blank", find: `(require: [^{}]*)has\(([\w.]+)\) && ([^{}]*)`, to: `${1}${3}`, with: `${2}`, once: `when:`},
		{name: "level that is none", code: "yaml-kind", find: `^level: \w+`, to: `level: VILLAGE`},
		{name: "kind that is none", code: "yaml-kind", find: `kind: BOOL\b`, to: `kind: BOOLE`},
		{name: "class that is none", code: "yaml-kind", find: `class: SECONDARY`, to: `class: SECOND`},
		{name: "key misspelt", code: "yaml-unknown-key", find: `^lead:`, to: `led:`},
		{name: "key of a rule misspelt", code: "yaml-unknown-key", find: `^    remedy: `, to: `    remdy: `, under: "eligibility", once: `otherwise: ELSEWHERE`},
		{name: "key twice", code: "yaml-duplicate-key", find: `^(lead: \w+)$`, to: "${1}\n${1}", near: 1},
		{name: "an anchor", code: "yaml-alias", find: `^lead: `, to: `lead: &a `},
		{name: "a tag", code: "yaml-tag", find: `^lead: `, to: `lead: !!str `},
		{name: "a bell", code: "yaml-encoding", find: `^(name: \{ zh: )`, to: "${1}\a"},
		{name: "own field twice", code: "id-duplicate", find: `^(  - \{ field: \w+, kind: BOOL, .*, required: true \})$`, to: "${1}\n${1}", near: 1},
		{name: "rule twice", code: "id-duplicate", find: `^(  - id: (\w+))$`, under: "eligibility", to: "  - { id: ${2}, examine: { by: health }, because: { zh: 甲 }, remedy: { zh: 乙 } }\n${1}", near: 1},
		{name: "id that is a word of the languages", code: "id-reserved", find: `^  - id: \w+$`, under: "eligibility", to: `  - id: for`},
		{name: "tolerance of a primary material", code: "tolerate-primary", find: `class: SECONDARY, (tolerate|.*, tolerate)`, to: `${1}`},
		{name: "suspension without end", code: "tolerate-suspended", find: `, suspended: \{ working_days: \d+ \}`, to: ``},
		{name: "tolerance longer than the matter", code: "tolerate-long", find: `tolerate: \{ working_days: \d+`, to: `tolerate: { working_days: 200`},
		{name: "tolerance with a letter in its number", code: "yaml-kind", find: `tolerate: \{ working_days: (\d+)`, to: `tolerate: { working_days: ${1}o`},
		{name: "limit without length", code: "limit", find: `^    promised: \{ working_days: \d+ \}$`, to: `    promised: {}`},
		{name: "limit longer than the law's", code: "limit-statutory", find: `^    promised: \{ working_days: (\d+) \}$`, to: "    promised: { working_days: 4${1} }\n    statutory: { working_days: 3 }", without: `(?m)^(    statutory|promised):`},
		{name: "whole longer than the law's", code: "limit-statutory", find: `^(lead: \w+)$`, to: "${1}\npromised: { working_days: 2000 }", without: `(?m)^(promised|statutory):`, near: 1},
		{name: "whole shorter than its steps", code: "limit-total", find: `^(lead: \w+)$`, to: "${1}\npromised: { working_days: 0 }", without: `(?m)^promised:|tolerate:`, near: 1},
		{name: "step after itself", code: "step-cycle", find: `^(  - id: (\w+))$`, to: "${1}\n    after: [${2}]", under: "steps", once: `after:`, near: 1},
		{name: "own field that nobody reads", code: "field-unused", find: `^own:$`, to: "own:\n  - { field: zz_extra, kind: BOOL, name: { zh: 多余 } }", near: 1},
		{name: "material that no step needs", code: "material-unused", find: `^materials:$`, to: "materials:\n  - { material: zz_extra, name: { zh: 多余 }, source: [APPLICANT] }", near: 1},
		{name: "material without a source", code: "material-incomplete", find: `^(  - \{ material: \w+, name: \{[^{}]*\}), source: \[[^\]]*\]`, to: `${1}`, without: `one_of`},
		{name: "material from no step", code: "material-source", find: `^(  - \{ material: \w+, name: \{[^{}]*\}, source: )\[APPLICANT\]`, to: `${1}[STEP]`},
		{name: "remedy dropped", code: "remedy-missing", find: `^    remedy: \{[^{}]*\}$`, under: "eligibility", to: `    note: 略`, once: `otherwise|note:`, near: 4},
		{name: "list misspelt", code: "list-unknown", find: `(per: \w+\.\w+)`, to: `${1}x`},
		{name: "no such day", code: "date", find: `^(lead: \w+)$`, to: "${1}\nin_force: { from: 2026-02-30 }", without: `(?m)^in_force`, near: 1},
		{name: "over", code: "in-force-over", find: `^(lead: \w+)$`, to: "${1}\nin_force: { from: 2025-12-01, until: 2025-12-31 }", without: `(?m)^in_force`, near: 1},
		{name: "pattern that is none", code: "pattern", find: `pattern: '`, to: `pattern: '(`},
		{name: "bounds of yes or no", code: "field-bounds", find: `^(  - \{ field: \w+, kind: BOOL, )`, to: `${1}min: "1", `},
		{name: "row of yes or no", code: "row", find: `^(  - \{ field: \w+, kind: BOOL, )`, to: `${1}row: [{ field: a, kind: INT, name: { zh: 甲 } }], `},
		{name: "plugin of another department", code: "plugin-department", find: `^    plugin: \w+/`, to: `    plugin: elsewhere/`},
		{name: "pattern of a date", code: "field-key", find: `^(  - \{ field: \w+, kind: DATE, )(name)`, to: `${1}pattern: x, ${2}`},
		{name: "digits of a whole number", code: "field-key", find: `^(  - \{ field: \w+, kind: INT, )(name)`, to: `${1}scale: 3, ${2}`},
		{name: "proposal of what is computed", code: "field-key", find: `^(  - \{ field: \w+, kind: BOOL, )(is: )`, to: `${1}default: "true", ${2}`},
		{name: "silence about no limit", code: "silence-limit", find: `^    (department: \w+)$`, to: "    ${1}\n    silence: APPROVED", once: `statutory:`, near: 1},
		{name: "variant", code: "unsupported", find: `^(lead: \w+)$`, to: "${1}\nextends: { bundle: a, number: 1 }", near: 1},
		{name: "together alone", code: "together-alone", find: `^(applicant: \[\w+\])$`, to: "${1}\ntogether: true", near: 1},
		{name: "rule that always holds", code: "rule-constant", find: age, to: `${1}age(${2}, today) >= 0${4}`},
		{name: "rule that reads nothing and holds", code: "rule-constant", find: age, to: `${1}1 < 2${4}`},
		{name: "rule that reads nothing and fails", code: "rule-constant", find: age, to: `${1}2 < 1${4}`},
		{name: "material for nobody", code: "rule-constant", find: `^(  - \{ material: \w+, name: \{[^{}]*\}, )(source)`, to: `${1}when: "false", ${2}`},
		{name: "rule that never holds", code: "rule-constant", find: age, to: `${1}age(${2}, today) >= ${3} && age(${2}, today) < ${3}${4}`},
		{name: "rule in the shadow of another", code: "rule-shadowed", find: age, under: "eligibility", once: `when:`, ahead: weak + `>= 3` + rest},
		{name: "rule against another", code: "rule-contradiction", find: age, under: "eligibility", once: `when:`, near: 2, without: `today\) <`, ahead: weak + `< 3` + rest},
		{name: "step that applies to nobody", code: "step-never", find: `^    when: (own\.\w+)$`, to: `    when: "${1} && !${1}"`, under: "steps", without: `results`},
		{name: "a tab", code: "yaml-tab", find: `^    (department: \w+)$`, to: "\t${1}"},
		{name: "a full-width colon", code: "yaml-full-width", find: `^(    department): `, to: `${1}：`},
		{name: "a full-width colon in braces", code: "yaml-full-width", find: `(because: \{ zh): `, to: `${1}：`},
		{name: "a full-width comma in braces", code: "yaml-full-width", find: `^(  - \{ section: \w+), as`, to: `${1}，as`},
		{name: "a full-width brace", code: "yaml-full-width", find: `^(    promised: )\{`, to: `${1}｛`},
		{name: "full-width spaces", code: "yaml-full-width", find: `^    (department: \w+)$`, to: `　　${1}`},
		{name: "Chinese quotes around a rule in braces", code: "yaml-full-width", find: `(\{ field: \w+, kind: BOOL, is: )"([^"]*[\[,][^"]*)"`, to: `${1}“${2}”`},
		{name: "Chinese quotes around a rule", code: "rule-syntax", find: `^(    when: )(own\.\w+)$`, to: `${1}“${2}”`, under: "steps", without: `results:`},
		{name: "no space behind a colon", code: "yaml-space", find: `^(    department:) `, to: `${1}`},
		{name: "no space behind a colon in braces", code: "yaml-space", find: `(because: \{ zh:) `, to: `${1}`},
		{name: "no space behind a dash", code: "yaml-space", find: `^(  -) (\{ use: )`, to: `${1}${2}`},
		{name: "a space too many", code: "yaml-indent", find: `^(    department: \w+)$`, to: ` ${1}`},
		{name: "a space too few", code: "yaml-indent", find: `^ (   department: \w+)$`, to: `${1}`},
		{name: "as far in as the dash", code: "yaml-indent", find: `^  (  department: \w+)$`, to: `${1}`},
		{name: "not in at all", code: "yaml-indent", find: `^    (department: \w+)$`, to: `${1}`},
		{name: "negation without quotes", code: "yaml-tag", find: `(when: )"(!own\.\w+)"`, to: `${1}${2}`},
		{name: "negation of more without quotes", code: "yaml-tag", find: `((?:when|require): )"(!own\.[^",]*&&[^",]*)"`, to: `${1}${2}`},
		{name: "a quote that is not closed", code: "yaml-quotes", find: `(because: \{ zh: "[^"]*)"`, to: `${1}`},
		{name: "a brace that is not closed", code: "yaml-brackets", find: `^(  - \{ use: .*) \}$`, to: `${1}`},
		{name: "a colon in a text", code: "yaml-quotes", find: `(because: \{ zh: )(\p{Han})`, to: `${1}注意: ${2}`},
		{name: "yes in Chinese", code: "rule-syntax", find: `required: true`, to: `required: 是`},
		{name: "yes in English", code: "rule-syntax", find: `required: true`, to: `required: yes`},
		{name: "an essential step in Chinese", code: "yaml-kind", find: `^    essential: true$`, to: `    essential: 是`},
		{name: "days in words", code: "yaml-kind", find: `(working_days: )\d+`, to: `${1}三天`},
		{name: "a text without its language", code: "yaml-kind", find: `because: \{ zh: (\p{Han}+), en: [^"{}]* \}`, to: `because: ${1}`},
	}
}

// Each mistake, planted in a bundle of the examples, is found at its line under its code, and nothing else is. A failure
// is repeated with its seed.
func TestCheck_Planted(t *testing.T) {
	t.Parallel()
	library, texts := readTree(t)
	setting := newSetting(t)
	kinds := 0
	for i, m := range mistakes() {
		kinds++
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			planted := m.plant(t, texts, rand.New(rand.NewPCG(*seed, uint64(i))))
			if len(planted) == 0 {
				t.Fatal("there is no place for it")
			}
			for _, p := range planted {
				b, found := catalog.ParseBundle(library, p.file, []byte(p.text))
				if b != nil {
					found = append(found, witness.Check(b, setting)...)
				}
				right := len(found) > 0
				for _, d := range found {
					right = right && d.Code == m.code && d.Span.File == p.file && d.Span.Start.Line >= p.line-m.near && d.Span.Start.Line <= p.line+m.near
				}
				if !right {
					var all strings.Builder
					for _, d := range found {
						fmt.Fprintf(&all, "  %s:%d: %s: %s\n", d.Span.File, d.Span.Start.Line, d.Code, d.Message)
					}
					t.Errorf("planted %s at %s:%d (-seed %d), found:\n%s  the line: %s", m.code, p.file, p.line, *seed, all.String(), strings.Split(p.text, "\n")[p.line-1])
				}
			}
		})
	}
	if kinds < 40 {
		t.Errorf("only %d kinds of mistake", kinds)
	}
}

// planted is a bundle's file with a mistake at a line.
type planted struct {
	file, text string
	line       int
}

// plant makes the mistake at some of the places where it can be made.
func (m mistake) plant(t *testing.T, texts map[string]string, random *rand.Rand) []planted {
	t.Helper()
	find := regexp.MustCompile(m.find)
	var all []planted
	for _, file := range slices.Sorted(maps.Keys(texts)) {
		lines := strings.Split(texts[file], "\n")
		for i, line := range lines {
			at := find.FindStringSubmatchIndex(line)
			if at == nil {
				continue
			}
			expand := func(s string) string { return string(find.ExpandString(nil, s, line, at)) }
			rest := strings.Join(slices.Delete(slices.Clone(lines), i, i+1), "\n")
			if m.without != "" && regexp.MustCompile(expand(m.without)).MatchString(rest+"\n"+line) {
				continue
			}
			if m.under != "" && key(lines[:i]) != m.under || m.once != "" && regexp.MustCompile(m.once).MatchString(item(lines, i)) {
				continue
			}
			if m.ahead != "" {
				begin := i - strings.Count(beginning(lines, i), "\n")
				text := strings.Join(slices.Concat(lines[:begin], []string{expand(m.ahead)}, lines[begin:]), "\n")
				all = append(all, planted{file, text, begin + 1})
				continue
			}
			changed := line[:at[0]] + expand(m.to) + line[at[1]:]
			if changed == line || m.with != "" && !strings.Contains(changed, expand(m.with)) {
				continue
			}
			text := strings.Join(slices.Concat(lines[:i], []string{changed}, lines[i+1:]), "\n")
			all = append(all, planted{file, text, i + 1})
		}
	}
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(places, len(all))]
}

// key is the bundle's key under which the next line stands.
func key(lines []string) string {
	for _, line := range slices.Backward(lines) {
		if word, _, ok := strings.Cut(line, ":"); ok && word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz_") == "" {
			return word
		}
	}
	return ""
}

// begins reports whether a line begins an item of one of the bundle's lists.
func begins(line string) bool { return strings.HasPrefix(line, "  - ") || line != "" && line[0] != ' ' }

// beginning are the lines of an item up to one of them.
func beginning(lines []string, at int) string {
	from := at
	for from > 0 && !begins(lines[from]) {
		from--
	}
	return strings.Join(lines[from:at+1], "\n")
}

// item are the lines of the item of a list in which a line stands.
func item(lines []string, at int) string {
	from, to := at, at+1
	for from > 0 && !begins(lines[from]) {
		from--
	}
	for to < len(lines) && !begins(lines[to]) {
		to++
	}
	return strings.Join(lines[from:to], "\n")
}

// readTree returns the library of the examples and the texts of the bundles by file.
func readTree(t *testing.T) (*catalog.Library, map[string]string) {
	t.Helper()
	files := map[string][]byte{}
	names, err := filepath.Glob("../../examples/library/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if files[path.Base(name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	library, found := catalog.ParseLibrary(files)
	if len(found) > 0 {
		t.Fatal(found)
	}
	texts := map[string]string{}
	names, err = filepath.Glob("../../examples/bundles/*/bundle.yaml")
	if err != nil || len(names) == 0 {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[strings.TrimPrefix(filepath.ToSlash(name), "../../examples/")] = string(text)
	}
	return library, texts
}
