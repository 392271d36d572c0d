package bundletest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine/bundletest"
	"github.com/siyiban/onething/engine/catalog"
)

const library = `library: sections
sections:
  - section: person
    name: { zh: 人 }
    about: PERSON
    fields:
      - { field: id_no, kind: CITIZEN_NUMBER, name: { zh: 号码 }, required: true }
      - { field: age, kind: INT, name: { zh: 年龄 }, required: true, max: 150 }
`

const matter = `bundle: matter
name: { zh: 事 }
level: COUNTY
lead: office
applicant: [me]
form:
  - { section: person, as: me }
own:
  - { field: rich, kind: BOOL, name: { zh: 富 }, required: true }
  - { field: number, kind: TEXT, derive: 'given(results.first.number, "")' }
checks:
  - { id: plausible, require: form.me.age >= 0, because: { zh: 年龄不为负 } }
eligibility:
  - { id: adult, require: form.me.age >= 18, because: { zh: 成年 }, remedy: { zh: 等 } }
  - { id: hint, otherwise: WARN, require: form.me.age < 100, because: { zh: 不满百岁 } }
materials:
  - { material: proof, name: { zh: 证明 }, source: [APPLICANT], class: SECONDARY, when: own.rich, tolerate: { working_days: 2 }, promise: { verify: { by: office, working_days: 5 } } }
steps:
  - { id: first, name: { zh: 一 }, department: office, needs: { fields: [me], materials: [proof] }, promised: { working_days: 2 },
      result: { fields: [{ field: number, kind: TEXT, name: { zh: 号 } }] } }
  - { id: second, name: { zh: 二 }, department: office, after: [first], when: own.rich, needs: { fields: [me.id_no] }, promised: { working_days: 1 }, fee: { amount: yuan(12.5) } }
  - { id: third, name: { zh: 三 }, department: office, after: [first], when: own.number == "x", needs: { fields: [me.id_no] }, promised: { working_days: 0 } }
`

const usual = `tests:
  - test: usual
    today: 2026-03-16
    place: "321323"
    facts: { me: { credit_restricted: false } }
    record: { form: { me: { id_no: "321323199604120423", age: 30 } }, own: { rich: true } }
    expect: %s
`

func newTree(t testing.TB, tests string) (fstest.MapFS, map[string]*catalog.Bundle) {
	t.Helper()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	tree := fstest.MapFS{
		"library/sections.yaml":      file(library),
		"library/departments.yaml":   file("library: departments\ndepartments: [{ department: office, name: { zh: 局 } }]\n"),
		"library/facts.yaml":         file("library: facts\nfacts: [{ fact: credit_restricted, of: PERSON, kind: BOOL, name: { zh: 失信 }, source: list }]\n"),
		"bundles/matter/bundle.yaml": file(matter),
	}
	if tests != "" {
		tree["bundles/matter/tests.yaml"] = file(tests)
	}
	c, found := catalog.Load(tree)
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return tree, c.Bundles
}

// run returns the findings in one line each, warnings left out unless they are asked for.
func run(t *testing.T, tests string, warnings bool) []string {
	t.Helper()
	tree, bundles := newTree(t, tests)
	report := bundletest.Run(tree, bundles["matter"], newCalendar(t), nil)
	all := slices.Concat(report.Found, report.Unreached)
	for _, result := range report.Results {
		all = append(all, result.Failures...)
	}
	var lines []string
	for _, d := range all.Sorted() {
		if d.Severity == diag.Error || warnings {
			line := fmt.Sprintf("%d:%d %s: %s", d.Span.Start.Line, d.Span.Start.Column, d.Code, d.Message)
			if d.Hint != "" {
				line += " | " + d.Hint
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// Every expectation that is not met is told where it is written; those that are not written are not compared.
func TestRun_Expectations(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		expect string
		want   []string
	}{
		{name: "nothing", expect: `{}`},
		{name: "all that holds", expect: `{ verdict: ELIGIBLE, fails: [], undecided: [], warns: [], faults: [], steps: [second, first], undecided_steps: [third], materials: [proof],
      tolerable: [proof], promisable: [proof], shown: [form.me.id_no, form.me.age, own.rich], required: [own.rich, form.me.id_no, form.me.age], total: { working_days: 3 },
      due: { first: 2026-03-18, second: 2026-03-19 }, fee: "12.50" }`},
		{name: "verdict", expect: `{ verdict: UNDECIDED }`, want: []string{"7:24 test-failed: test usual: verdict is ELIGIBLE, expected UNDECIDED"}},
		{name: "fails", expect: `{ fails: [adult] }`, want: []string{"7:22 test-failed: test usual: fails came out without adult"}},
		{name: "undecided", expect: `{ undecided: [adult, hint] }`, want: []string{"7:26 test-failed: test usual: undecided came out without adult, hint"}},
		{name: "warns", expect: `{ warns: [hint] }`, want: []string{"7:22 test-failed: test usual: warns came out without hint"}},
		{name: "faults", expect: `{ faults: [plausible] }`, want: []string{"7:23 test-failed: test usual: faults came out without plausible"}},
		{name: "steps", expect: `{ steps: [first, third] }`, want: []string{"7:22 test-failed: test usual: steps came out without third and with second"}},
		{name: "undecided steps", expect: `{ undecided_steps: [second] }`, want: []string{"7:32 test-failed: test usual: undecided_steps came out without second and with third"}},
		{name: "materials", expect: `{ materials: [] }`, want: []string{"7:26 test-failed: test usual: materials came out with proof"}},
		{name: "tolerable and promisable", expect: `{ tolerable: [], promisable: [] }`,
			want: []string{"7:26 test-failed: test usual: tolerable came out with proof", "7:42 test-failed: test usual: promisable came out with proof"}},
		{name: "shown and required", expect: `{ shown: [own.rich], required: [] }`, want: []string{
			"7:22 test-failed: test usual: shown came out with form.me.id_no, form.me.age",
			"7:44 test-failed: test usual: required came out with form.me.id_no, form.me.age, own.rich"}},
		{name: "asks", expect: `{ asks: own.rich }`, want: []string{"7:21 test-failed: test usual: asks is nothing, expected own.rich"}},
		{name: "total", expect: `{ total: { working_days: 2 } }`, want: []string{"7:22 test-failed: test usual: total is 3, expected 2"}},
		{name: "total in months", expect: `{ total: { months: 2 } }`, want: []string{"7:22 test-value: test usual: a total is in working days"}},
		{name: "due", expect: `{ due: { second: 2026-03-20, other: 2026-03-20 } }`, want: []string{
			"7:30 test-failed: test usual: the step second is due 2026-03-19, expected 2026-03-20", "7:49 test-path: test usual: the bundle has no step `other`"}},
		{name: "fee", expect: `{ fee: "12.5" }`},
		{name: "another fee", expect: `{ fee: "13" }`, want: []string{"7:20 test-failed: test usual: fee is 1250 fen, expected 1300 fen"}},
		{name: "no fee", expect: `{ fee: "much" }`, want: []string{"7:20 test-value: test usual: this is no amount in yuan"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, run(t, fmt.Sprintf(usual, tt.expect), false)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// A test starts from another one, changed; what is wrong with a test itself is told where it is written.
func TestRun_Changes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		line string // a test after the usual one, in line 8
		want []string
	}{
		{name: "an answer", line: `{ test: t, like: usual, but: { form.me.age: 17 }, expect: { verdict: NOT_ELIGIBLE, fails: [adult] } }`},
		{name: "of the one before", line: `{ test: t, like: u, but: { own.rich: false }, expect: { fails: [adult], materials: [] } }
  - { test: u, like: usual, but: { form.me.age: 17, own.rich: true }, expect: { fails: [adult], materials: [proof] } }`},
		{name: "an answer taken away", line: `{ test: t, like: usual, without: [own.rich], expect: { undecided_steps: [second, third], asks: own.rich } }`},
		{name: "a fact taken away", line: `{ test: t, like: usual, without: [facts.me.credit_restricted], expect: { verdict: ELIGIBLE, tolerable: [], materials: [proof] } }`},
		{name: "a blank answer is an answer", line: `{ test: t, like: usual, but: { form.me.age: null }, expect: { verdict: UNDECIDED, asks: form.me.age } }`},
		{name: "a result", line: `{ test: t, like: usual, but: { results.first.number: x }, expect: { steps: [first, second, third], undecided_steps: [] } }`},
		{name: "a step that gave nothing", line: `{ test: t, like: usual, results: { first: { number: null } }, expect: { steps: [first, second], undecided_steps: [] } }`},
		{name: "another day", line: `{ test: t, like: usual, today: 2026-04-03, expect: { due: { first: 2026-04-08 } } }`},
		{name: "a day that is not known", line: `{ test: t, like: usual, today: 2026-12-31, expect: { due: { first: 2027-01-05 } } }`,
			want: []string{"8:72 test-failed: test t: when the step first is due is not known, expected 2027-01-05"}},
		{name: "a step that does not apply", line: `{ test: t, like: usual, but: { own.rich: false }, expect: { due: { second: 2026-03-19 } } }`,
			want: []string{"8:80 test-failed: test t: the step second does not apply, expected it to be due 2026-03-19"}},
		{name: "an answer that cannot be read", line: `{ test: t, like: usual, but: { form.me.id_no: "321323199604120424", form.me.age: -1 }, expect: { faults: [form.me.id_no, plausible] } }`},
		{name: "a field that is not there", line: `{ test: t, like: usual, but: { form.me.agee: 17 }, expect: {} }`,
			want: []string{"8:50 test-path: the bundle has no answer `form.me.agee` | did you mean `form.me.age`?"}},
		{name: "a derived field", line: `{ test: t, like: usual, but: { own.number: "1" }, expect: {} }`, want: []string{"8:48 test-path: the bundle has no answer `own.number`"}},
		{name: "a fact that is not there", line: `{ test: t, like: usual, but: { facts.me.credit: true }, expect: {} }`, want: []string{"8:53 test-path: the bundle has no fact `facts.me.credit`"}},
		{name: "a fact of another kind", line: `{ test: t, like: usual, but: { facts.me.credit_restricted: 1 }, expect: {} }`, want: []string{"8:64 test-value: `facts.me.credit_restricted` is no BOOL"}},
		{name: "a result that is not there", line: `{ test: t, like: usual, results: { first: { numbr: x } }, expect: {} }`, want: []string{"8:56 test-path: the bundle has no result `results.first.numbr`"}},
		{name: "a result of another kind", line: `{ test: t, like: usual, results: { first: { number: 1 } }, expect: {} }`, want: []string{"8:57 test-value: `results.first.number` is no TEXT"}},
		{name: "nothing to take away", line: `{ test: t, like: usual, without: [own.rch], expect: {} }`, want: []string{"8:39 test-path: there is no `own.rch` to take away | did you mean `own.rich`?"}},
		{name: "another root", line: `{ test: t, like: usual, record: { params: { x: 1 } }, expect: {} }`, want: []string{"8:37 test-path: a record has `form` and `own`, not `params`"}},
		{name: "like none", line: `{ test: t, like: usul, expect: {} }`, want: []string{"8:22 test-like: there is no test `usul` to start from | did you mean `usual`?"}},
		{name: "like itself", line: `{ test: t, like: t, expect: {} }`, want: []string{"8:22 test-like: there is no test `t` to start from"}},
		{name: "twice", line: `{ test: usual, today: 2026-03-16, expect: {} }`, want: []string{"8:13 test-duplicate: the test `usual` stands here twice | give one of them another id"}},
		{name: "yes in Chinese", line: `{ test: t, like: usual, but: { own.rich: 是 }, expect: {} }`, want: []string{"8:46 test-value: `own.rich` cannot be read as BOOL | write `true`"}},
		{name: "a number that must be a text", line: `{ test: t, like: usual, but: { form.me.id_no: 7 }, expect: {} }`, want: []string{"8:51 test-value: `form.me.id_no` cannot be read as CITIZEN_NUMBER | put the number in quotes"}},
		{name: "also where the test says that there are no faults", line: `{ test: t, like: usual, but: { form.me.id_no: 7 }, expect: { faults: [] } }`, want: []string{"8:51 test-value: `form.me.id_no` cannot be read as CITIZEN_NUMBER | put the number in quotes"}},
		{name: "an answer that cannot be read, and another like it", line: `{ test: t, like: usual, but: { own.rich: yes }, expect: {} }
  - { test: u, like: t, expect: {} }`, want: []string{"8:46 test-value: `own.rich` cannot be read as BOOL | write `true`"}},
		{name: "an answer that cannot be read and is expected to be", line: `{ test: t, like: usual, but: { form.me.id_no: 甲 }, expect: { faults: [form.me.id_no] } }
  - { test: u, like: t, expect: {} }`},
		{name: "a word that is none", line: `{ test: t, like: usual, expect: { verdict: YES } }`, want: []string{"8:48 schema: this is none of the words that may stand here | write one of ELIGIBLE, NOT_ELIGIBLE, NOT_NEEDED, ELSEWHERE, UNDECIDED"}},
		{name: "no day", line: `{ test: t, expect: {} }`, want: []string{"8:5 test-value: the test needs a day of receipt | add `today: 2026-03-16`"}},
		{name: "no such day", line: `{ test: t, today: 2026-02-30, expect: {} }`, want: []string{"8:23 test-value: the test needs a day of receipt | add `today: 2026-03-16`"}},
		{name: "no such day, and others like it", line: `{ test: t, today: 2026-02-30, expect: {} }
  - { test: u, like: t, expect: {} }
  - { test: v, like: u, expect: {} }`, want: []string{"8:23 test-value: the test needs a day of receipt | add `today: 2026-03-16`"}},
		{name: "no day, and another like it", line: `{ test: t, expect: {} }
  - { test: u, like: t, expect: {} }`, want: []string{"8:5 test-value: the test needs a day of receipt | add `today: 2026-03-16`"}},
		{name: "a row that is not there, and others like it", line: `{ test: t, like: usual, but: { "own.shares[3].name": x }, expect: {} }
  - { test: u, like: t, expect: {} }
  - { test: v, like: u, expect: {} }`, want: []string{"8:34 test-path: there is no such row in `own.shares` | rows are counted from 0"}},
		{name: "no expectation", line: `{ test: t, like: usual }`, want: []string{"8:5 schema: the key `expect` is required"}},
		{name: "another key", line: `{ test: t, like: usual, expects: {}, expect: {} }`, want: []string{"8:29 yaml-unknown-key: there is no key `expects` here | did you mean `expect`?"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, run(t, fmt.Sprintf(usual, "{}")+"  - "+tt.line+"\n", false)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// A ring of tests that are like one another ends.
func TestRead_Ring(t *testing.T) {
	t.Parallel()
	got := run(t, "tests:\n  - { test: a, like: b, expect: {} }\n  - { test: b, like: a, expect: {} }\n", false)
	if len(got) == 0 || !strings.Contains(got[0], "test-like") {
		t.Errorf("got %q", got)
	}
}

func TestRun_Unreached(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       []string
	}{
		{name: "no tests", want: []string{"1:1 test-missing: the bundle `matter` has no tests | add a record that is eligible, and one for each rule that fails"}},
		{name: "rules that never fail", text: fmt.Sprintf(usual, "{}"), want: []string{
			"1:1 test-unreached: no test makes the rule `adult` fail", "1:1 test-unreached: no test makes the rule `hint` fail",
			"1:1 test-unreached: the step `third` applies in no test"}},
		{name: "all are reached", text: fmt.Sprintf(usual, "{}") + `  - { test: poor, like: usual, but: { form.me.age: 17 }, expect: {} }
  - { test: old, like: usual, but: { form.me.age: 100, results.first.number: x }, expect: {} }
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, run(t, tt.text, true)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// A cell of a list is read like any answer; so is a list of a test that another one is like.
func TestRun_UnreadableCell(t *testing.T) {
	t.Parallel()
	tree, _ := newTree(t, "")
	tree["bundles/matter/bundle.yaml"].Data = []byte(strings.Replace(matter, "own:\n", "own:\n  - { field: shares, kind: LIST, name: { zh: 股 }, row: [{ field: amount, kind: MONEY, name: { zh: 额 } }] }\n", 1) +
		"  - { id: fourth, name: { zh: 四 }, department: office, needs: { fields: [own.shares] }, promised: { working_days: 0 } }\n")
	tree["bundles/matter/tests.yaml"] = &fstest.MapFile{Data: []byte(fmt.Sprintf(usual, "{}") + "  - { test: t, like: usual, but: { own.shares: [{ amount: 1 }, { amount: 一百 }] }, expect: {} }\n" +
		"  - { test: u, like: t, expect: {} }\n")}
	loaded, found := catalog.Load(tree)
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	report := bundletest.Run(tree, loaded.Bundles["matter"], newCalendar(t), nil)
	var got []string
	for _, d := range report.Found {
		got = append(got, fmt.Sprintf("%d:%d %s: %s | %s", d.Span.Start.Line, d.Span.Start.Column, d.Code, d.Message, d.Hint))
	}
	if diff := cmp.Diff([]string{"8:74 test-value: `own.shares[1].amount` cannot be read as MONEY | write it otherwise, or expect it: `faults: [own.shares[1].amount]`"}, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
