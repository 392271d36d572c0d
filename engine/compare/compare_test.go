package compare_test

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/siyiban/onething/engine/bundletest"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/compare"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/examples"
	"github.com/siyiban/onething/examples/holidays"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// planted is a change of a real bundle: the file, what stands there, what is put in its place, and the whole report as
// `TOPIC KIND item`, with `!` if it breaks applications under way and `*` for each witness.
type planted struct {
	name, bundle, file string
	edits              []string // old, new, old, new, …
	want               []string
}

func table() []planted {
	return []planted{
		// Rules.
		{"a period is shorter", "newborn", "", []string{"today) < 12", "today) < 6"}, []string{"RULES TIGHTENED infant*"}},
		{"a period is longer by a month", "newborn", "", []string{"today) < 12", "today) < 13"}, []string{"RULES LOOSENED infant*"}},
		{"the last day counts no longer", "newborn", "", []string{"form.newborn.birth_date <= today", "form.newborn.birth_date < today"}, []string{"RULES TIGHTENED not_future*"}},
		{"a number is lower by one", "big_event", "", []string{"form.event.people >= 1000", "form.event.people >= 999"}, []string{"RULES LOOSENED is_large*"}},
		{"an upper bound includes itself", "big_event", "", []string{"form.event.people < 5000", "form.event.people <= 5000"}, []string{"RULES LOOSENED within_the_county*"}},
		{"a ratio", "big_event", "", []string{"own.guards * 100 >=", "own.guards * 50 >="}, []string{"RULES TIGHTENED enough_guards*"}},
		{"a period before an event", "big_event", "", []string{"add_days(today, 20)", "add_days(today, 21)"}, []string{"RULES TIGHTENED early_enough*"}},
		{"a rule concerns more", "big_event", "", []string{"- id: stage_is_insured\n    when: own.stage\n", "- id: stage_is_insured\n"}, []string{"RULES TIGHTENED stage_is_insured*"}},
		{"a rule concerns others", "newborn", "", []string{`when: "!own.single_parent"` + "\n    require: own.agreed", `when: "!own.single_parent && own.wedlock.unmarried"` + "\n    require: own.agreed"}, []string{"RULES LOOSENED name*"}},
		{"one way less", "newborn", "", []string{`      - { when: "!own.single_parent", require: form.father.hukou.here, because: { zh: 父亲户籍在本县, en: The father is registered in this county } }` + "\n", ""},
			[]string{"QUESTIONS REMOVED form.father.hukou", "RULES TIGHTENED parent_local*"}},
		{"over every element", "employee_hire", "", []string{`age(e.birth, today) >= 16`, `age(e.birth, today) >= 17`}, []string{"RULES TIGHTENED of_age*"}},
		{"tightened for some, loosened for others", "newborn", "", []string{"form.household_register.addr.within(place)", `form.household_register.addr.within(region("110101"))`}, []string{"RULES BOTH local**"}},
		{"a rule is gone", "big_event", "", []string{`  - id: early_enough
    require: form.event.start >= add_days(today, 20)
    because: { zh: 活动开始日期距申请日不少于 20 日, en: The event begins at least 20 days after the application }
    remedy: { zh: 请推迟活动日期, en: Please hold the event later }
    basis: 大型群众性活动安全管理条例 第十三条
`, ""}, []string{"RULES REMOVED early_enough*"}},
		{"a rule is new", "big_event", "", []string{"eligibility:\n", "eligibility:\n  - { id: short, require: \"days_between(form.event.start, form.event.end) <= 10\", because: { zh: 活动不超过 10 日 } }\n"}, []string{"RULES ADDED short*"}},
		{"a failing rule means something else", "big_event", "", []string{"otherwise: ELSEWHERE\n    basis: 大型群众性活动安全管理条例 第十二条", "otherwise: REFUSE\n    basis: 大型群众性活动安全管理条例 第十二条"}, []string{"RULES CHANGED within_the_county"}},
		{"a published value", "newborn", "library/parameters.yaml", []string{"until: 2026-12-31, value: 90", "until: 2026-12-31, value: 60"}, []string{"RULES TIGHTENED cover*"}},

		// Questions.
		{"a question more", "newborn", "", []string{"  - field: agreed\n", "  - { field: twins, kind: BOOL, name: { zh: 是否双胞胎 }, required: true }\n  - field: agreed\n",
			"- own.wedlock                # officer", "- own.twins\n        - own.wedlock                # officer"}, []string{"QUESTIONS ADDED own.twins", "ROUTING ADDED household"}},
		{"an option is gone", "newborn", "", []string{"      - { id: ccb, zh: 建设银行, en: Construction Bank }\n", ""}, []string{"QUESTIONS REMOVED own.card_bank.ccb!"}},
		{"an option is new", "newborn", "", []string{"      - { id: ccb,", "      - { id: boc, zh: 中国银行 }\n      - { id: ccb,"}, []string{"QUESTIONS ADDED own.card_bank.boc"}},
		{"an answer of another kind", "newborn", "", []string{"- field: insure_year\n    kind: INT\n", "- field: insure_year\n    kind: DECIMAL\n", "    min: year_of(form.newborn.birth_date)\n    max: year_of(today) + 1\n    default: year_of(form.newborn.birth_date)\n", ""}, []string{"QUESTIONS CHANGED own.insure_year!"}},
		{"has to be answered no longer", "newborn", "library/sections_persons.yaml", []string{"        name: { zh: 性别, en: Sex }\n        required: true\n        options:\n          - { id: male, zh: 男, en: Male }\n          - { id: female, zh: 女, en: Female }\n      - { field: birth_date, kind",
			"        name: { zh: 性别, en: Sex }\n        options:\n          - { id: male, zh: 男, en: Male }\n          - { id: female, zh: 女, en: Female }\n      - { field: birth_date, kind"}, []string{"QUESTIONS LOOSENED form.newborn.gender*"}},
		{"asked of fewer", "newborn", "", []string{"{ section: contact_delivery, as: delivery }", "{ section: contact_delivery, as: delivery, when: own.insured }"}, nil}, // filled in below: every field of the section
		{"a bound", "newborn", "", []string{"max: year_of(today) + 1", "max: year_of(today)"}, []string{"QUESTIONS TIGHTENED own.insure_year*"}},

		// Materials.
		{"a material is gone", "big_event", "", []string{"  - { material: programme, name: { zh: 演员名单与节目清单, en: Performers and programme }, source: [APPLICANT], basis: 营业性演出管理条例实施细则 }\n", "", "      materials:\n        - programme # officer: what is performed by whom\n", ""}, []string{"MATERIALS REMOVED programme!", "ROUTING REMOVED show"}},
		{"asked of more", "big_event", "", []string{"en: Policy of the liability insurance }\n    when: own.insured\n", "en: Policy of the liability insurance }\n"}, []string{"MATERIALS TIGHTENED insurance_policy*"}},
		{"of another class, not tolerated", "newborn", "", []string{"of: mother, class: SECONDARY, tolerate: { working_days: 10, then: SUSPEND, suspended: { working_days: 20 } } }", "of: mother }"}, []string{"MATERIALS TIGHTENED discharge_summary", "MATERIALS TIGHTENED discharge_summary", "ROUTING ADDED allowance", "ROUTING REMOVED allowance"}},
		{"a shorter tolerance", "newborn", "", []string{"tolerate: { working_days: 10,", "tolerate: { working_days: 5,"}, []string{"MATERIALS SHORTER discharge_summary"}},
		{"no promise any more", "newborn", "", []string{"    promise: { verify: { by: civil_affairs, working_days: 20 } }\n", ""}, []string{"MATERIALS TIGHTENED marriage_certificate"}},
		{"another source", "employee_hire", "", []string{"when: own.rehire\n    source: [SHARED_DATA, APPLICANT]", "when: own.rehire\n    source: [APPLICANT]"}, []string{"MATERIALS CHANGED leaving_certificates"}},

		// Steps.
		{"a step applies to fewer", "newborn", "", []string{"    when: own.allowance\n", "    when: own.allowance && !own.single_parent\n"}, []string{"QUESTIONS LOOSENED form.mother_account.holder*", "QUESTIONS LOOSENED form.mother_account.bank*", "QUESTIONS LOOSENED form.mother_account.account*",
			"MATERIALS LOOSENED discharge_summary*", "ROUTING LOOSENED allowance*", "DATES SHORTER newborn*"}},
		{"another department", "newborn", "", []string{"    department: tax\n", "    department: medical_insurance\n"}, []string{"ROUTING CHANGED premium"}},
		{"another order", "newborn", "", []string{"    plugin: hrss/social_security_card\n    after: [household]", "    plugin: hrss/social_security_card\n    after: [household, insurance]"}, []string{"ROUTING CHANGED card", "DATES LONGER newborn*"}},
		{"a step ends the case", "big_event", "", []string{"    essential: true\n", ""}, []string{"ROUTING CHANGED safety"}},
		{"a shorter promised limit", "newborn", "", []string{"promised: { working_days: 5 }", "promised: { working_days: 3 }"}, []string{"DATES SHORTER card*", "DATES SHORTER newborn*"}},
		{"a longer statutory limit", "big_event", "", []string{"    promised: { working_days: 5 }\n    statutory: { working_days: 20 }", "    promised: { working_days: 5 }\n    statutory: { working_days: 30 }"}, []string{"DATES LONGER stage"}},
		{"a limit by cases", "newborn", "", []string{"promised: { working_days: 5 }", "promised: [{ when: own.card_bank.rural, working_days: 2 }, { working_days: 5 }]"}, []string{"DATES CHANGED card*", "DATES SHORTER newborn*"}},
		{"a fee", "newborn", "", []string{"    promised: { working_days: 5 }\n", "    promised: { working_days: 5 }\n    fee: [{ when: own.single_parent, amount: yuan(0) }, { amount: yuan(20) }]\n"}, []string{"FEES CHANGED card*"}},
		{"a result is gone", "newborn", "", []string{"        - { field: guardian, kind: TEXT, name: { zh: 监护人, en: Guardian } }\n", ""}, []string{"RESULTS REMOVED card.guardian!"}},

		// Wording and layout.
		{"a reason", "newborn", "", []string{"because: { zh: 新生儿出生未满 12 个月, en", "because: { zh: 孩子出生还未满 12 个月, en"}, []string{"TEXTS CHANGED infant"}},
		{"the question in other words", "newborn", "", []string{"name: { zh: 生育情形, en", "name: { zh: 父母的婚姻情形, en"}, []string{"TEXTS CHANGED own.wedlock"}},
		{"a label, a help and a basis", "newborn", "", []string{"{ id: rural, zh: 农村商业银行,", "{ id: rural, zh: 农商行,", "以后可以更换", "以后可更换", "户口登记条例 第七条\n  - id: infant", "户口登记条例第七条\n  - id: infant"}, []string{"TEXTS CHANGED own.card_bank", "TEXTS CHANGED own.card_bank.rural", "TEXTS CHANGED not_future"}},
		{"a note and a comment", "newborn", "", []string{"note: 示范数据，上线前由当地主管部门核定", "note: 示范数据", "# officer: title of the file", "# officer: for the file"}, nil},
		{"spaces and quotes in a rule", "newborn", "", []string{"require: months_between(form.newborn.birth_date, today) < 12", `require: '( months_between(form.newborn.birth_date,today)<12 )'`}, nil},
		{"a rule the other way round", "newborn", "", []string{"months_between(form.newborn.birth_date, today) < 12", "12 > months_between(form.newborn.birth_date, today)"}, []string{"RULES REWRITTEN infant"}},
		{"sides exchanged", "newborn", "", []string{"has(form.newborn.cert_no) || form.newborn.birth_place.in_county", "form.newborn.birth_place.in_county || has(form.newborn.cert_no)"}, []string{"RULES REWRITTEN certificate"}},
	}
}

// version is a bundle as it stands, or as it stands after a change.
func version(t testing.TB, p planted, after bool) *catalog.Bundle {
	t.Helper()
	file := p.file
	if file == "" {
		file = bundleFile(p.bundle)
	}
	read, err := readExamples()
	if err != nil {
		t.Fatal(err)
	}
	files, library := read.files, read.library
	text := files[bundleFile(p.bundle)]
	if after {
		changed := files[file]
		for i := 0; i < len(p.edits); i += 2 {
			if !strings.Contains(changed, p.edits[i]) {
				t.Fatalf("%s does not hold %q", file, p.edits[i])
			}
			changed = strings.Replace(changed, p.edits[i], p.edits[i+1], 1)
		}
		if p.file == "" {
			text = changed
		} else if library, err = parseLibrary(files, file, changed); err != nil {
			t.Fatal(err)
		}
	}
	b, found := catalog.ParseBundle(library, bundleFile(p.bundle), []byte(text))
	if found.Err() != nil {
		t.Fatal(found)
	}
	return b
}

func bundleFile(id string) string { return "bundles/" + id + "/bundle.yaml" }

// readExamples reads the examples' library and bundles once.
var readExamples = sync.OnceValues(func() (*exampleTree, error) {
	tree, files := examples.Tree(), map[string]string{}
	for _, pattern := range []string{"library/*.yaml", "bundles/*/bundle.yaml"} {
		names, err := fs.Glob(tree, pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			text, err := fs.ReadFile(tree, name)
			if err != nil {
				return nil, err
			}
			files[name] = string(text)
		}
	}
	library, err := parseLibrary(files, "", "")
	return &exampleTree{files, library}, err
})

type exampleTree struct {
	files   map[string]string
	library *catalog.Library
}

// parseLibrary is the library of the examples with another text in one of its files.
func parseLibrary(files map[string]string, file, text string) (*catalog.Library, error) {
	library := map[string][]byte{}
	for name, as := range files {
		if name == file {
			as = text
		}
		if path.Dir(name) == "library" {
			library[path.Base(name)] = []byte(as)
		}
	}
	l, found := catalog.ParseLibrary(library)
	return l, found.Err()
}

func published(t testing.TB) *calendar.Calendar {
	t.Helper()
	days, found := calendar.Parse(holidays.File, holidays.Source())
	if found.Err() != nil {
		t.Fatal(found)
	}
	return days
}

// seeds are the tests of a bundle.
func seeds(t testing.TB, b *catalog.Bundle, days *calendar.Calendar) []compare.Seed {
	t.Helper()
	text, err := fs.ReadFile(examples.Tree(), bundletest.File(b.ID))
	if err != nil {
		t.Fatal(err)
	}
	tests, found := bundletest.Read(b, bundletest.File(b.ID), text, days)
	if found.Err() != nil {
		t.Fatal(found)
	}
	var all []compare.Seed
	for _, test := range tests {
		all = append(all, compare.Seed{Name: test.ID, Record: test.Record, Setting: test.Setting})
	}
	return all
}

func said(c compare.Change) string {
	line := fmt.Sprintf("%s %s %s", c.Topic, c.Kind, c.Item)
	if c.Breaks != "" {
		line += "!"
	}
	return line + strings.Repeat("*", len(c.Witnesses))
}

// Each change that is planted in a real bundle is told, with a true witness if it is one of judgement; nothing else is
// told beside it.
func TestBundles_PlantedChanges(t *testing.T) {
	t.Parallel()
	days := published(t)
	for _, p := range table() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			old, after := version(t, p, false), version(t, p, true)
			r, err := compare.Bundles(old, after, seeds(t, old, days), guide.Setting{Today: kind.MustDate("2026-03-16"), Place: "321323", Calendar: days})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range r.Changes {
				got = append(got, said(c))
				for _, w := range c.Witnesses {
					checkWitness(t, old, after, c, w)
				}
			}
			want := p.want
			if p.name == "asked of fewer" {
				for _, f := range after.Section("delivery").Fields {
					if f.ID == "method" || f.ID == "addr" || f.ID == "receiver" || f.ID == "phone" {
						want = append(want, "QUESTIONS LOOSENED form.delivery."+f.ID+"*")
					}
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
			}
		})
	}
}

// checkWitness assesses a witness anew, apart from the search, and holds what both versions say against what is told.
func checkWitness(t reporter, old, after *catalog.Bundle, c compare.Change, w compare.Witness) {
	t.Helper()
	assess := func(b *catalog.Bundle) *guide.Assessment {
		selection, err := catalog.Select(b)
		if err != nil {
			t.Fatal(err)
		}
		message, err := w.Record.Encode()
		if err != nil {
			t.Fatal(err)
		}
		record, _ := forms.Decode(message.GetAnswers(), selection.Field)
		return guide.Assess(selection, record, w.Setting)
	}
	a, b := assess(old), assess(after)
	if w.Before != a.Cases[0].Verdict || w.After != b.Cases[0].Verdict {
		t.Errorf("%s: the verdicts are %s and %s, told are %s and %s", said(c), a.Cases[0].Verdict, b.Cases[0].Verdict, w.Before, w.After)
	}
	if w.Old == w.New {
		t.Errorf("%s: both versions say %s", said(c), w.Old)
	}
	if was, is := answer(a, c, w.Old), answer(b, c, w.New); was != w.Old || is != w.New {
		t.Errorf("%s: %q, then %q; told is %q, then %q", said(c), was, is, w.Old, w.New)
	}
}

type reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
}

// answer is what an assessment answers to the question to which somebody is told the answer.
func answer(a *guide.Assessment, c compare.Change, told string) string {
	matter := a.Cases[0]
	decide := func(truth rule.Truth, yes, no string) string {
		return map[rule.Truth]string{rule.True: yes, rule.False: no, rule.Unknown: "not known"}[truth]
	}
	field := func() *guide.Field {
		p := forms.Path(strings.Replace(c.Item, "own.", "own."+matter.Bundle.ID+".", 1))
		i := slices.IndexFunc(a.Fields, func(f *guide.Field) bool { return f.Path == p || strings.HasPrefix(string(p), string(f.Path)+".") })
		if i < 0 {
			return &guide.Field{Field: &forms.Field{}, Shown: rule.False}
		}
		return a.Fields[i]
	}
	material := func(of func(*guide.Material) rule.Truth, yes, no string) string {
		is := rule.False
		for _, m := range matter.Materials {
			if catalog.Unnumbered(m.ID) == c.Item {
				is = max(is, of(m))
			}
		}
		return decide(is, yes, no)
	}
	where := func(asked rule.Truth, answer string) string {
		if asked != rule.True {
			return "does not arise"
		}
		return answer
	}
	step := matter.Step(c.Item)
	switch told {
	case "fine", "fails":
		fails := slices.ContainsFunc(matter.Rules, func(r guide.Rule) bool { return r.ID == c.Item && r.Outcome.Truth == rule.False }) ||
			slices.ContainsFunc(a.Faults, func(v forms.Violation) bool { return v.Rule == c.Item })
		return map[bool]string{true: "fails", false: "fine"}[fails]
	case "asked", "not asked":
		if c.Topic == compare.Materials {
			return material(func(m *guide.Material) rule.Truth { return m.Asked.Truth }, "asked", "not asked")
		}
		return decide(field().Shown, "asked", "not asked")
	case "has to be answered", "may be left blank":
		return where(field().Shown, decide(field().Required, "has to be answered", "may be left blank"))
	case "offered", "not offered":
		offered := slices.Contains(field().Options, c.Item[strings.LastIndexByte(c.Item, '.')+1:])
		return where(field().Shown, map[bool]string{true: "offered", false: "not offered"}[offered])
	case "taken", "refused":
		refused := slices.ContainsFunc(a.Faults, func(v forms.Violation) bool { return v.Path == field().Path && v.Rule == "" })
		return where(field().Shown, map[bool]string{true: "refused", false: "taken"}[refused])
	case "may be supplied later", "has to be there":
		return material(func(m *guide.Material) rule.Truth { return m.Tolerable.Truth }, "may be supplied later", "has to be there")
	case "a promise will do", "no promise":
		return material(func(m *guide.Material) rule.Truth { return m.Promisable.Truth }, "a promise will do", "no promise")
	case "applies", "does not apply":
		return decide(step.Applies.Truth, "applies", "does not apply")
	}
	switch {
	case step == nil:
		return fmt.Sprintf("%d working days", matter.Total.Max)
	case c.Topic == compare.Fees:
		return where(step.Applies.Truth, fmt.Sprintf("%d.%02d yuan", step.Fee.Max/100, step.Fee.Max%100))
	case len(step.Limit) == 1:
		return where(step.Applies.Truth, fmt.Sprintf("%d working days", step.Limit[0].N))
	}
	return "not known"
}

// Without a test to start from, records are made up.
func TestBundles_WithoutSeeds(t *testing.T) {
	t.Parallel()
	days := published(t)
	for _, p := range table()[:3] {
		old, after := version(t, p, false), version(t, p, true)
		r, err := compare.Bundles(old, after, nil, guide.Setting{Today: kind.MustDate("2026-03-16"), Place: "321323", Calendar: days})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Changes) != 1 || said(r.Changes[0]) != p.want[0] {
			t.Errorf("%s: %v", p.name, r.Changes)
		}
	}
}
