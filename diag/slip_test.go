package diag_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/diag"
	bundlev1 "github.com/siyiban/onething/proto/gen/onething/bundle/v1"
)

// What somebody types who has never seen YAML, with a Chinese input method: each is found where it was typed and nothing
// beside it, and the hint says what to type instead.
func TestReadYAML_Slips(t *testing.T) {
	t.Parallel()
	const (
		space   = "switch the input method to half-width and type the space again"
		colon   = "switch the input method to half-width and write `:` with a space behind it"
		quotes  = "put the whole text in quotes: '…'"
		tab     = "delete it and type spaces, two for each step inwards; let the editor write spaces for tabs"
		columns = "lines that belong together begin at one column: here with "
	)
	half := func(sign string) string { return "switch the input method to half-width and write `" + sign + "`" }
	for _, tt := range []struct {
		name, text string
		want       []string // line:column code | hint
	}{
		{name: "a tab before a key", text: "name:\n\tzh: 甲\n", want: []string{"2:1 yaml-tab | " + tab}},
		{name: "a tab before an item", text: "form:\n\t- { section: a }\n", want: []string{"2:1 yaml-tab | " + tab}},
		{name: "a tab after spaces", text: "name:\n  \tzh: 甲\nlead:a\n", want: []string{"2:3 yaml-tab | " + tab, "3:5 yaml-space | write `lead: ` and then the value"}},
		{name: "a tab behind the colon is a space", text: "level:\tCOUNTY\n"},
		{name: "a full-width colon", text: "level：COUNTY\nlead: a\n", want: []string{"1:6 yaml-full-width | " + colon}},
		{name: "a full-width colon behind a space", text: "lead: a\nlevel ：COUNTY\n", want: []string{"2:7 yaml-full-width | " + colon}},
		{name: "a full-width colon of an item", text: "own:\n  - field：a\n    kind: BOOL\n", want: []string{"2:10 yaml-full-width | " + colon}},
		{name: "a full-width colon in brackets", text: "name: { zh：甲 }\n", want: []string{"1:11 yaml-full-width | " + colon}},
		{name: "full-width colons everywhere", text: "bundle：a\nlevel：COUNTY\nname: { zh：甲 }\n",
			want: []string{"1:7 yaml-full-width | " + colon, "2:6 yaml-full-width | " + colon, "3:11 yaml-full-width | " + colon}},
		{name: "a full-width semicolon", text: "level；COUNTY\nlead: a\n", want: []string{"1:6 yaml-full-width | " + colon}},
		{name: "an equals sign", text: "level = COUNTY\nlead: a\n", want: []string{"1:7 yaml-space | write `level: ` and then the value"}},
		{name: "no colon at all", text: "bundle: a\nlevel COUNTY\nlead: a\n", want: []string{"2:1 yaml-space | write a key, `: ` and its value; a text over several lines stands further in than its key"}},
		{name: "a full-width space before a key", text: "name: { zh: 甲 }\n　　lead: a\n", want: []string{"2:1 yaml-full-width | " + space}},
		{name: "full-width spaces before a whole block", text: "own:\n　　- field: a\n　　　　kind: BOOL\n", want: []string{"2:1 yaml-full-width | " + space, "3:1 yaml-full-width | " + space}},
		{name: "a no-break space before a key", text: "name:\n\u00a0\u00a0zh: 甲\n", want: []string{"2:1 yaml-full-width | " + space}},
		{name: "a full-width space behind the colon", text: "level:　COUNTY\nlead: a\n", want: []string{"1:7 yaml-full-width | " + space}},
		{name: "a full-width space behind the dash", text: "applicant:\n  -　owner\nlead:a\n", want: []string{"2:4 yaml-full-width | " + space, "3:5 yaml-space | write `lead: ` and then the value"}},
		{name: "a full-width comma between keys", text: "form:\n  - { section: a，as: b }\n", want: []string{"2:17 yaml-full-width | " + half(",")}},
		{name: "full-width commas between keys", text: "form:\n  - { section: a， as：b， note: c }\n", want: []string{"2:17 yaml-full-width | " + half(","), "2:21 yaml-full-width | " + colon, "2:23 yaml-full-width | " + half(",")}},
		{name: "full-width braces", text: "form:\n  - ｛ section: a }\n", want: []string{"2:5 yaml-full-width | " + half("{")}},
		{name: "a full-width brace at the end", text: "name: { zh: 甲｝\nlead: a\n", want: []string{"1:14 yaml-full-width | " + half("}")}},
		{name: "Chinese brackets of a list", text: "applicant: 【owner】\n", want: []string{"1:12 yaml-full-width | " + half("[")}},
		{name: "a full-width dash", text: "applicant:\n  － owner\nlead:a\n", want: []string{"2:3 yaml-full-width | " + half("-"), "3:5 yaml-space | write `lead: ` and then the value"}},
		{name: "Chinese quotes around a word", text: "level: “COUNTY”\n", want: []string{"1:8 yaml-kind | write `COUNTY`"}},
		{name: "a Chinese quote at the end", text: "name: { zh: \"甲” }\nlead: a\n", want: []string{"1:15 yaml-full-width | " + half(`"`)}},
		{name: "Chinese brackets in a text are right, also beside a mistake", text: "name: { zh: 【甲】乙 }\nnote: 【甲】\nlevel: county\n", want: []string{"3:8 yaml-kind | write `COUNTY`"}},
		{name: "Chinese quotes in a text are right", text: "name: { zh: “甲”：乙，丙 }\n"},
		{name: "no space behind the colon", text: "bundle: a\nlevel:COUNTY\nlead: a\n", want: []string{"2:6 yaml-space | write `level: ` and then the value"}},
		{name: "no space behind the colon before brackets", text: "bundle: a\nname:{ zh: 甲 }\n", want: []string{"2:5 yaml-space | write `name: ` and then the value"}},
		{name: "no space behind the colon in brackets", text: "name: { zh:甲 }\n", want: []string{"1:11 yaml-space | write `zh: ` and then the value"}},
		{name: "no space behind the dash", text: "form:\n  -{ section: a }\n", want: []string{"2:3 yaml-space | write `- `, with a space"}},
		{name: "an item behind its key", text: "applicant: - owner\n", want: []string{"1:12 yaml-indent | write it on the next line, two spaces further in than the key, or the list as `[ … ]`"}},
		{name: "one space too many", text: "own:\n  - field: a\n     kind: BOOL\n", want: []string{"3:6 yaml-indent | " + columns + "4 spaces, as line 2"}},
		{name: "one space too few", text: "own:\n  - field: a\n   kind: BOOL\n", want: []string{"3:4 yaml-indent | " + columns + "4 spaces, as line 2"}},
		{name: "as far in as the dash", text: "own:\n  - field: a\n  kind: BOOL\n", want: []string{"3:3 yaml-indent | " + columns + "no space, as line 1, or with 4 spaces, as line 2"}},
		{name: "a dash too far out", text: "own:\n  - field: a\n- field: b\n", want: []string{"3:1 yaml-indent | " + columns + "2 spaces, as line 2"}},
		{name: "a block of lines too far in is told once", text: "own:\n  - field: a\n      kind: BOOL\n      note: x\n  - field: b\n", want: []string{"3:7 yaml-indent | " + columns + "4 spaces, as line 2, or with no space, as line 1"}},
		{name: "a key that begins too far out", text: "own:\n  - field: a\nkind: BOOL\n", want: []string{"3:1 yaml-unknown-key | it belongs to `field` of line 2: begin this line with 4 spaces"}},
		{name: "a key that begins too far in", text: "own:\n  - field: a\n    options:\n      - id: b\n        kind: CHOICE\n", want: []string{"5:9 yaml-unknown-key | it belongs to `field` of line 2: begin this line with 4 spaces"}},
		{name: "a key in capitals", text: "Lead: a\n", want: []string{"1:1 yaml-unknown-key | write it in small letters: `lead`"}},
		{name: "a colon in a text", text: "own:\n  - field: a\n    note: 注意: 甲\n", want: []string{"3:13 yaml-quotes | " + quotes}},
		{name: "a colon in a text in brackets", text: "name: { zh: 注意: 甲 }\n", want: []string{"1:15 yaml-quotes | " + quotes}},
		{name: "a hash in a text in brackets", text: "name: { zh: 甲 #乙 }\n", want: []string{"1:15 yaml-quotes | " + quotes}},
		{name: "a comma in a text in brackets", text: "name: { zh: 甲,乙 }\n", want: []string{"1:15 yaml-unknown-key | inside `{ … }` a comma begins the next key: put a text that holds one in quotes"}},
		{name: "a choice in a rule in brackets", text: "form:\n  - { section: a, when: own.a ? own.b : own.c }\n", want: []string{"2:31 yaml-quotes | " + quotes}},
		{name: "a list in a rule in brackets", text: "form:\n  - { section: a, when: own.a in [1] }\n", want: []string{"2:34 yaml-quotes | " + quotes}},
		{name: "a negation", text: "own:\n  - { field: a, when: !own.b }\n", want: []string{"2:23 yaml-tag | put the whole rule in quotes: \"!…\""}},
		{name: "a negation of more", text: "own:\n  - field: a\n    when: !own.b && own.c\n", want: []string{"3:11 yaml-tag | put the whole rule in quotes: \"!…\""}},
		{name: "a sign at the beginning", text: "name: { zh: %甲 }\n", want: []string{"1:13 yaml-quotes | " + quotes}},
		{name: "a star at the beginning", text: "own:\n  - field: a\n    note: *重要\n", want: []string{"3:11 yaml-quotes | " + quotes}},
		{name: "a quote that is not closed", text: "name: { zh: \"甲 }\nlead: a\n", want: []string{"1:13 yaml-quotes | write `\"` at the end of the text too"}},
		{name: "more behind a quote", text: "own:\n  - field: a\n    when: \"own.b\" && own.c\n", want: []string{"3:19 yaml-quotes | put the whole text in quotes; inside '…' a quote is written twice"}},
		{name: "a pattern in double quotes", text: "own:\n  - { field: a, pattern: \"^\\d+$\" }\n", want: []string{"2:28 yaml-quotes | write the text in single quotes: '…'; there a backslash is a backslash"}},
		{name: "a brace that is not closed", text: "form:\n  - { section: a\n  - { section: b }\n", want: []string{"2:5 yaml-brackets | write `}` where it ends"}},
		{name: "a bracket that is not closed", text: "form:\n  - { section: a, note: [x }\n", want: []string{"2:28 yaml-brackets | close that one first, with `]`"}},
		{name: "a brace too many", text: "name: { zh: 甲 }}\n", want: []string{"1:16 yaml-brackets | take it away, or open the bracket before"}},
		{name: "brackets over lines", text: "name: { zh: 甲,\n  en: [a, b }\n", want: []string{"2:13 yaml-brackets | close that one first, with `]`"}},
		{name: "no list", text: "applicant: owner\n", want: []string{"1:12 yaml-kind | write `[owner]`, or a line with `- ` for each"}},
		{name: "a list of one", text: "lead: [a]\n", want: []string{"1:7 yaml-kind | take the brackets or the `- ` away"}},
		{name: "no dash", text: "own:\n    field: a\n    kind: BOOL\n", want: []string{"2:5 yaml-kind | begin each item with `- `"}},
		{name: "a text without a language", text: "name: 甲\n", want: []string{"1:7 yaml-kind | write `{ zh: 甲 }`"}},
		{name: "a word where keys stand", text: "promised: 5\n", want: []string{"1:11 yaml-kind | write `{ working_days: 5 }`"}},
		{name: "a number in words", text: "promised: { working_days: 三天 }\n", want: []string{"1:27 yaml-kind | write digits only, as in 3"}},
		{name: "a number with its unit", text: "promised: { working_days: 3天 }\n", want: []string{"1:27 yaml-kind | write digits only, as in 3"}},
		{name: "yes in Chinese", text: "steps:\n  - essential: 是\n", want: []string{"2:16 yaml-kind | write `true`"}},
		{name: "yes in English", text: "steps:\n  - essential: yes\n", want: []string{"2:16 yaml-kind | write `true`"}},
		{name: "neither yes nor no", text: "steps:\n  - essential: 也许\n", want: []string{"2:16 yaml-kind | write `true` or `false`"}},
		{name: "a word in small letters", text: "level: county\n", want: []string{"1:8 yaml-kind | write `COUNTY`"}},
		{name: "a word in Chinese", text: "level: 县级\n", want: []string{"1:8 yaml-kind | write `COUNTY`"}},
		{name: "a word that is none", text: "level: 乡级\n", want: []string{"1:8 yaml-kind | write one of PROVINCIAL, MUNICIPAL, COUNTY"}},
		{name: "a kind in Chinese", text: "own:\n  - { field: a, kind: 整数 }\n", want: []string{"2:23 yaml-kind | write `INT`"}},
		{name: "a kind that is none", text: "own:\n  - { field: a, kind: 甲 }\n", want: []string{"2:23 yaml-kind | write one of TEXT, BOOL, INT, DECIMAL, MONEY, DATE, CHOICE, CHOICES, CITIZEN_NUMBER, USCC, PHONE, ADDRESS, BANK_ACCOUNT, PLATE, FILE, LIST"}},
		{name: "a limit in words", text: "steps:\n  - promised: 7个工作日\n", want: []string{"2:15 yaml-kind | write `{ working_days: 7 }`"}},
		{name: "a fee without its key", text: "steps:\n  - fee: 80元\n", want: []string{"2:10 yaml-kind | write `{ amount: yuan(80) }`"}},
		{name: "one step before, without brackets", text: "steps:\n  - after: food\n", want: []string{"2:12 yaml-kind | write `[food]`, or a line with `- ` for each"}},
		{name: "a promise without more", text: "materials:\n  - promise: true\n", want: []string{"2:14 yaml-kind | write `{ key: value }` with some of when, verify, text, if_false, note"}},
		{name: "a word cut short", text: "level: PROV\n", want: []string{"1:8 yaml-kind | did you mean `PROVINCIAL`?"}},
		{name: "a key twice", text: "lead: a\nlead: b\n", want: []string{"2:1 yaml-duplicate-key | keep one of them"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, found := diag.ReadYAML("a.yaml", []byte(tt.text), &bundlev1.Bundle{}, nil)
			var got []string
			for _, d := range found.Sorted() {
				got = append(got, fmt.Sprintf("%d:%d %s | %s", d.Span.Start.Line, d.Span.Start.Column, d.Code, d.Hint))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s\n%v", diff, found)
			}
		})
	}
}
