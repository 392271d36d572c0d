package bundletest_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// idiom is a line of that table: in words, so, and what it makes of records on both sides.
type idiom struct {
	words string
	// bundle is what is written for it; a form with the applicant, and a step, are there if it has none of its own.
	bundle string
	// tests are of tests.yaml, each like the test `base`, which has the day and the applicant.
	tests string
	check func(*testing.T, *spoken)
}

// idioms are the lines of the language's table "How do I say …", in its order.
func idioms() []idiom {
	return []idiom{
		{"X 的，须 Y", `
own: [{ field: shop, kind: BOOL, name: { zh: 是否开店 }, required: true }, { field: area, kind: DECIMAL, name: { zh: 面积 }, required: true, when: own.shop }]
eligibility: [{ id: r, when: own.shop, require: own.area >= 10, because: { zh: 开店的，面积不少于 10 平方米 }, remedy: { zh: 换大店 } }]`, `
  - { test: large_enough, like: base, but: { own.shop: true, own.area: "10" }, expect: { verdict: ELIGIBLE, fails: [] } }
  - { test: too_small, like: base, but: { own.shop: true, own.area: "9.99" }, expect: { verdict: NOT_ELIGIBLE, fails: [r] } }
  - { test: no_shop, like: base, but: { own.shop: false }, expect: { verdict: ELIGIBLE, fails: [], asks: nothing } }
  - { test: not_known, like: base, but: { own.shop: true }, expect: { verdict: UNDECIDED, undecided: [r], asks: own.area } }`, nil},

		{"one of several reasons is enough", `
own: [{ field: owned, kind: BOOL, name: { zh: 是否自有 }, required: true }, { field: rented, kind: BOOL, name: { zh: 是否租用 }, required: true }]
eligibility: [{ id: r, because: { zh: 有住处 }, remedy: { zh: 先租房 }, any_of: [{ require: own.owned, because: { zh: 自有 } }, { when: "!own.owned", require: own.rented, because: { zh: 租用 } }] }]`, `
  - { test: the_one, like: base, but: { own.owned: true, own.rented: false }, expect: { verdict: ELIGIBLE, fails: [] } }
  - { test: the_other, like: base, but: { own.owned: false, own.rented: true }, expect: { verdict: ELIGIBLE, fails: [] } }
  - { test: neither, like: base, but: { own.owned: false, own.rented: false }, expect: { verdict: NOT_ELIGIBLE, fails: [r] } }
  - { test: one_is_enough_while_the_other_is_open, like: base, but: { own.owned: true }, expect: { verdict: ELIGIBLE, undecided: [] } }`,
			func(t *testing.T, s *spoken) { // each way is explained
				r := s.assess(t, "the_other").Cases[0].Rules[0]
				if len(r.Ways) != 2 || r.Ways[0].Outcome.Truth != rule.False || r.Ways[1].Outcome.Truth != rule.True || r.Ways[1].Because.ZH != "租用" {
					t.Errorf("ways: %+v", r.Ways)
				}
			}},

		{"不属于申请范围, 不用办 / 到别处办", `
own: [{ field: done, kind: BOOL, name: { zh: 是否已办 }, required: true }, { field: away, kind: BOOL, name: { zh: 是否在外地 }, required: true }]
eligibility:
  - { id: n, require: "!own.done", otherwise: NOT_NEEDED, because: { zh: 尚未办理 }, remedy: { zh: 不必再办 } }
  - { id: e, require: "!own.away", otherwise: ELSEWHERE, because: { zh: 在本地 }, remedy: { zh: 请到外地 } }`, `
  - { test: ours, like: base, but: { own.done: false, own.away: false }, expect: { verdict: ELIGIBLE } }
  - { test: not_needed, like: base, but: { own.done: true, own.away: false }, expect: { verdict: NOT_NEEDED, fails: [n] } }
  - { test: elsewhere, like: base, but: { own.done: false, own.away: true }, expect: { verdict: ELSEWHERE, fails: [e] } }
  - { test: elsewhere_comes_first, like: base, but: { own.done: true, own.away: true }, expect: { verdict: ELSEWHERE, fails: [n, e] } }`, nil},

		{"a hint, no hurdle; the form contradicts itself", `
form: [{ section: person, as: me }, { section: event }]
own: [{ field: risky, kind: BOOL, name: { zh: 是否有风险 }, required: true }]
checks: [{ id: c, require: form.event.start <= form.event.end, because: { zh: 开始不晚于结束 } }]
eligibility: [{ id: w, require: "!own.risky", otherwise: WARN, because: { zh: 没有风险 } }]
steps: [{ id: do, name: { zh: 办 }, department: approval, promised: { working_days: 1 }, needs: { fields: [me.name, event.start, event.end] } }]`, `
  - { test: right, like: base, but: { own.risky: false, form.event.start: 2026-04-01, form.event.end: 2026-04-02 }, expect: { verdict: ELIGIBLE, warns: [], faults: [] } }
  - { test: a_hint, like: right, but: { own.risky: true }, expect: { verdict: ELIGIBLE, fails: [], warns: [w], faults: [] } }
  - { test: a_contradiction, like: right, but: { form.event.end: 2026-03-31 }, expect: { verdict: ELIGIBLE, warns: [], faults: [c] } }
  - { test: a_hint_is_not_asked_for, like: right, without: [own.risky], expect: { verdict: ELIGIBLE, undecided: [], asks: nothing } }`, nil},

		{"an officer judges on the spot", `
own: [{ field: loud, kind: BOOL, name: { zh: 是否有音响 }, required: true }]
eligibility: [{ id: r, when: own.loud, examine: { by: police, step: do }, because: { zh: 现场合格 }, remedy: { zh: 整改 } }]`, `
  - { test: to_be_looked_at, like: base, but: { own.loud: true }, expect: { verdict: ELIGIBLE, fails: [], undecided: [] } }
  - { test: nothing_to_look_at, like: base, but: { own.loud: false }, expect: { verdict: ELIGIBLE } }`,
			func(t *testing.T, s *spoken) {
				for test, want := range map[string]int{"to_be_looked_at": 1, "nothing_to_look_at": 0} {
					if open := s.ready(t, test, "do").Open; len(open) != want {
						t.Errorf("%s: %d conditions are put before the officer, want %d", test, len(open), want)
					}
				}
			}},

		{"if not, only the subsidy falls away", `
own: [{ field: paid, kind: BOOL, name: { zh: 是否已领 }, required: true }]
eligibility: [{ id: r, require: "!own.paid", for: [subsidy], because: { zh: 未领过补贴 }, remedy: { zh: 不能再领 } }]
steps:
  - { id: do, name: { zh: 办 }, department: approval, promised: { working_days: 1 }, needs: { fields: [me.name] } }
  - { id: subsidy, name: { zh: 补贴 }, department: approval, promised: { working_days: 1 }, needs: { fields: [me.name] } }`, `
  - { test: not_paid, like: base, but: { own.paid: false }, expect: { verdict: ELIGIBLE, fails: [], steps: [do, subsidy] } }
  - { test: paid, like: base, but: { own.paid: true }, expect: { verdict: ELIGIBLE, fails: [r], steps: [do] } }
  - { test: open, like: base, expect: { verdict: ELIGIBLE, undecided: [r], steps: [do], undecided_steps: [subsidy], asks: own.paid } }`, nil},

		{"the same condition in many places", `
own:
  - { field: owned, kind: BOOL, name: { zh: 是否自有 }, required: true }
  - { field: rented, kind: BOOL, name: { zh: 是否租用 }, required: true }
  - { field: housed, kind: BOOL, is: own.owned || own.rented }
eligibility: [{ id: r, require: own.housed, because: { zh: 有住处 }, remedy: { zh: 找住处 } }]
steps:
  - { id: do, name: { zh: 办 }, department: approval, promised: { working_days: 1 }, needs: { fields: [me.name] } }
  - { id: visit, name: { zh: 上门 }, department: police, when: own.housed, promised: { working_days: 1 }, needs: { fields: [me.name] } }`, `
  - { test: housed, like: base, but: { own.owned: false, own.rented: true }, expect: { verdict: ELIGIBLE, steps: [do, visit], shown: [form.me.name, own.owned, own.rented] } }
  - { test: not_housed, like: base, but: { own.owned: false, own.rented: false }, expect: { verdict: NOT_ELIGIBLE, fails: [r], steps: [do] } }`, nil},

		{"年满 60 周岁 / 不满 60", `
own: [{ field: old, kind: BOOL, name: { zh: 按年满办理 }, required: true }]
eligibility:
  - { id: sixty, when: own.old, require: "age(form.me.birth, today) >= 60", because: { zh: 年满 60 周岁 }, remedy: { zh: 等 } }
  - { id: younger, when: "!own.old", require: "age(form.me.birth, today) < 60", because: { zh: 不满 60 周岁 }, remedy: { zh: 无 } }`, `
  - { test: sixty_today, like: base, but: { own.old: true, form.me.birth: 1966-03-16 }, expect: { fails: [] } }
  - { test: sixty_tomorrow, like: base, but: { own.old: true, form.me.birth: 1966-03-17 }, expect: { fails: [sixty] } }
  - { test: not_yet_sixty, like: base, but: { own.old: false, form.me.birth: 1966-03-17 }, expect: { fails: [] } }
  - { test: no_longer_younger, like: base, but: { own.old: false, form.me.birth: 1966-03-16 }, expect: { fails: [younger] } }
  - { test: born_on_a_leap_day, like: base, today: 2028-02-28, but: { own.old: true, form.me.birth: 1968-02-29 }, expect: { fails: [sixty] } }
  - { test: its_birthday_in_a_leap_year, like: base, today: 2028-02-29, but: { own.old: true, form.me.birth: 1968-02-29 }, expect: { fails: [] } }
  - { test: its_birthday_in_a_common_year, like: base, today: 2029-02-28, but: { own.old: false, form.me.birth: 1968-02-29 }, expect: { fails: [younger] } }`, nil},

		{"居住满 6 个月", `
own: [{ field: since, kind: DATE, name: { zh: 居住自 }, required: true }]
eligibility: [{ id: r, require: "add_months(own.since, 6) <= today", because: { zh: 居住满 6 个月 }, remedy: { zh: 等 } }]`, `
  - { test: six_months, like: base, but: { own.since: 2025-09-16 }, expect: { fails: [] } }
  - { test: a_day_short, like: base, but: { own.since: 2025-09-17 }, expect: { fails: [r] } }
  - { test: from_the_last_of_august, like: base, today: 2026-02-28, but: { own.since: 2025-08-31 }, expect: { fails: [] } }
  - { test: the_day_before, like: base, today: 2026-02-27, but: { own.since: 2025-08-31 }, expect: { fails: [r] } }`, nil},

		{"valid through the last day", `
form: [{ section: person, as: me }, { section: event }]
own: [{ field: valid_to, kind: DATE, name: { zh: 有效至 }, required: true }]
eligibility: [{ id: r, require: own.valid_to >= form.event.end, because: { zh: 证照有效至活动结束 }, remedy: { zh: 换证 } }]`, `
  - { test: to_the_day, like: base, but: { own.valid_to: 2026-04-20, form.event.end: 2026-04-20 }, expect: { fails: [] } }
  - { test: a_day_short, like: base, but: { own.valid_to: 2026-04-19, form.event.end: 2026-04-20 }, expect: { fails: [r] } }`, nil},

		{"file at least 20 working days before it begins", `
form: [{ section: person, as: me }, { section: event }]
eligibility: [{ id: r, require: "form.event.start >= add_working_days(today, 20)", because: { zh: 提前 20 个工作日 }, remedy: { zh: 改期 } }]`, `
  - { test: twenty, like: base, but: { form.event.start: 2026-04-14 }, expect: { fails: [] } }
  - { test: nineteen, like: base, but: { form.event.start: 2026-04-13 }, expect: { fails: [r] } }
  - { test: a_year_that_is_not_published, like: base, today: 2026-12-28, but: { form.event.start: 2027-06-01 }, expect: { verdict: UNDECIDED, undecided: [r], asks: nothing } }`, nil},

		{"within 30 days, or two months, after a day", `
own: [{ field: end, kind: DATE, name: { zh: 终止日 }, required: true }]
eligibility:
  - { id: days, require: "own.end <= today && days_between(own.end, today) <= 30", because: { zh: 30 日内 }, remedy: { zh: 无 } }
  - { id: months, require: "today <= add_months(own.end, 2)", because: { zh: 两个月内 }, remedy: { zh: 无 } }`, `
  - { test: thirty_days, like: base, but: { own.end: 2026-02-14 }, expect: { fails: [] } }
  - { test: thirty_one, like: base, but: { own.end: 2026-02-13 }, expect: { fails: [days] } }
  - { test: tomorrow, like: base, but: { own.end: 2026-03-17 }, expect: { fails: [days] } }
  - { test: two_months, like: base, but: { own.end: 2026-01-16 }, expect: { fails: [days] } }
  - { test: two_months_and_a_day, like: base, but: { own.end: 2026-01-15 }, expect: { fails: [days, months] } }`, nil},

		{"every one of them / at least one", `
own: [{ field: machines, kind: LIST, name: { zh: 设备 }, required: true, min: "1", row: [{ field: legal, kind: BOOL, name: { zh: 合法 }, required: true }, { field: secret, kind: BOOL, name: { zh: 涉密 }, required: true }] }]
eligibility:
  - { id: every, require: "own.machines.all(m, m.legal)", because: { zh: 均合法 }, remedy: { zh: 更换 } }
  - { id: some, require: "own.machines.exists(m, m.secret)", because: { zh: 至少一台涉密 }, remedy: { zh: 更换 } }`, `
  - { test: both, like: base, but: { own.machines: [{ legal: true, secret: true }, { legal: true, secret: false }] }, expect: { fails: [] } }
  - { test: one_is_not_legal, like: both, but: { "own.machines[1].legal": false }, expect: { fails: [every] } }
  - { test: none_is_secret, like: both, but: { "own.machines[0].secret": false }, expect: { fails: [some] } }
  - { test: one_that_is_not_legal_decides, like: base, but: { own.machines: [{ legal: false, secret: true }, {}] }, expect: { fails: [every], undecided: [] } }
  - { test: one_that_is_not_known_does_not, like: base, but: { own.machines: [{ legal: true, secret: true }, { secret: false }] }, expect: { fails: [], undecided: [every], asks: "own.machines[1].legal" } }`, nil},

		{"all of one kind agree, and there are some", `
form: [{ section: person, as: me, set: { relation: { when: "false" } } }, { section: person, as: heirs, repeat: {} }]
eligibility: [{ id: r, require: "size(form.heirs) > 0 && form.heirs.all(h, h.agreed)", because: { zh: 有继承人且均同意 }, remedy: { zh: 协商 } }]`, `
  - { test: all_agree, like: base, but: { form.heirs: [{ agreed: true }, { agreed: true }] }, expect: { fails: [] } }
  - { test: one_does_not, like: base, but: { form.heirs: [{ agreed: true }, { agreed: false }] }, expect: { fails: [r] } }
  - { test: there_is_none, like: base, but: { form.heirs: [] }, expect: { fails: [r] } }`, nil},

		{"total over a list", `
form: [{ section: person, as: me }, { section: shareholders }]
eligibility: [{ id: r, require: "sum(form.shareholders.list.map(s, s.capital)) >= yuan(1000)", because: { zh: 出资不少于 1000 元 }, remedy: { zh: 增资 } }]`, `
  - { test: enough, like: base, but: { form.shareholders.list: [{ capital: "600" }, { capital: "400" }] }, expect: { fails: [] } }
  - { test: a_fen_short, like: base, but: { form.shareholders.list: [{ capital: "600" }, { capital: "399.99" }] }, expect: { fails: [r] } }`, nil},

		{"填写了户号", `
own: [{ field: water_no, kind: TEXT, name: { zh: 户号 } }]
steps:
  - { id: do, name: { zh: 办 }, department: approval, promised: { working_days: 1 }, needs: { fields: [me.name] } }
  - { id: water, name: { zh: 水 }, department: police, when: has(own.water_no), promised: { working_days: 1 }, needs: { fields: [own.water_no] } }`, `
  - { test: given, like: base, but: { own.water_no: "1" }, expect: { steps: [do, water] } }
  - { test: left_blank, like: base, but: { own.water_no: null }, expect: { steps: [do], undecided_steps: [] } }
  - { test: not_answered, like: base, expect: { steps: [do], undecided_steps: [water], asks: own.water_no } }`, nil},

		{"at least one item chosen; contains X", `
own: [{ field: items, kind: CHOICES, name: { zh: 事项 }, options: [{ id: x, zh: 甲 }, { id: y, zh: 乙 }] }]
eligibility:
  - { id: some, require: size(own.items) >= 1, because: { zh: 至少选一项 }, remedy: { zh: 选择 } }
  - { id: with_x, when: size(own.items) >= 1, require: own.items.x, because: { zh: 含甲项 }, remedy: { zh: 选甲 } }`, `
  - { test: x_and_y, like: base, but: { own.items: [x, y] }, expect: { fails: [] } }
  - { test: only_y, like: base, but: { own.items: [y] }, expect: { fails: [with_x] } }
  - { test: none, like: base, but: { own.items: [] }, expect: { fails: [some] } }
  - { test: left_blank, like: base, but: { own.items: null }, expect: { fails: [some] } }`, nil},

		{"the year's published line or period", `
own: [{ field: income, kind: MONEY, name: { zh: 月收入 }, required: true }]
eligibility: [{ id: r, require: own.income < params.line, because: { zh: "收入低于 {params.line}" }, remedy: { zh: 无 } }]`, `
  - { test: below, like: base, but: { own.income: "849.99" }, expect: { fails: [] } }
  - { test: as_much, like: base, but: { own.income: "850" }, expect: { fails: [r] } }
  - { test: elsewhere_in_the_province, like: base, place: "320102", but: { own.income: "800" }, expect: { fails: [r] } }
  - { test: where_none_is_published, like: base, place: "440305", but: { own.income: "1" }, expect: { verdict: UNDECIDED, undecided: [r], asks: nothing } }
  - { test: in_a_year_that_is_missing, like: base, today: 2027-01-01, but: { own.income: "1" }, expect: { verdict: UNDECIDED, undecided: [r], asks: nothing } }`,
			func(t *testing.T, s *spoken) {
				if because := s.assess(t, "as_much").Cases[0].Rules[0].Because.ZH; because != "收入低于 850.00 元" {
					t.Errorf("the reason reads %q", because)
				}
			}},

		{"a question only if / mandatory only if", `
own:
  - { field: shop, kind: BOOL, name: { zh: 是否开店 }, required: true }
  - { field: area, kind: INT, name: { zh: 面积 }, required: true, when: own.shop }
  - { field: mail, kind: TEXT, name: { zh: 邮箱 }, required: own.shop }
steps: [{ id: do, name: { zh: 办 }, department: approval, promised: { working_days: 1 }, needs: { fields: [me.name, own.shop, own.area, own.mail] } }]`, `
  - { test: a_shop, like: base, but: { own.shop: true }, expect: { shown: [form.me.name, own.shop, own.area, own.mail], required: [form.me.name, own.shop, own.area, own.mail] } }
  - { test: no_shop, like: base, but: { own.shop: false }, expect: { shown: [form.me.name, own.shop, own.mail], required: [form.me.name, own.shop] } }`, nil},

		{"options only here, or after another answer", `
own:
  - { field: shop, kind: BOOL, name: { zh: 是否开店 }, required: true }
  - { field: way, kind: CHOICE, name: { zh: 方式 }, required: true, options: [{ id: post, zh: 邮寄 }, { id: local, zh: 本地, when: 'place.within(region("3213"))' }, { id: inside, zh: 到店, when: own.shop }] }
steps: [{ id: do, name: { zh: 办 }, department: approval, promised: { working_days: 1 }, needs: { fields: [me.name, own.shop, own.way] } }]`, `
  - { test: here, like: base, but: { own.shop: false, own.way: local }, expect: { faults: [] } }
  - { test: elsewhere, like: base, place: "320102", but: { own.shop: false, own.way: local }, expect: { faults: [own.way] } }
  - { test: in_the_shop, like: base, but: { own.shop: true, own.way: inside }, expect: { faults: [] } }
  - { test: in_no_shop, like: base, but: { own.shop: false, own.way: inside }, expect: { faults: [own.way] } }`,
			func(t *testing.T, s *spoken) {
				for test, want := range map[string][]string{"here": {"post", "local"}, "elsewhere": {"post"}, "in_the_shop": {"post", "local", "inside"}} {
					if diff := cmp.Diff(want, s.field(t, test, "own.line.way").Options); diff != "" {
						t.Errorf("%s: options (-want +got):\n%s", test, diff)
					}
				}
			}},

		{"same question in several bundles", `
own: [{ field: shop, kind: BOOL, name: { zh: 是否开店 }, required: true }]
steps: [{ id: do, name: { zh: 办 }, department: approval, promised: { working_days: 1 }, needs: { fields: [me.name, own.shop] } }]`, `
  - { test: usual, like: base, but: { own.shop: true }, expect: { faults: [] } }`,
			func(t *testing.T, s *spoken) { // asked once over both, but what is each one's own
				selection, err := catalog.Select(s.bundle, s.second)
				if err != nil {
					t.Fatal(err)
				}
				asked := map[forms.Path][]string{}
				for _, f := range guide.Assess(selection, s.tests["usual"].Record, s.tests["usual"].Setting).Fields {
					if f.Shown == rule.True {
						asked[f.Path] = f.NeededBy
					}
				}
				want := map[forms.Path][]string{"form.me.name": {"line.do", "second.do"}, "own.line.shop": {"line.do"}, "own.second.shop": {"second.do"}}
				if diff := cmp.Diff(want, asked); diff != "" {
					t.Errorf("asked, and by whom (-want +got):\n%s", diff)
				}
			}},

		{"ID card of each heir", `
form: [{ section: person, as: me, set: { relation: { when: "false" } } }, { section: person, as: heirs, repeat: {} }]
materials: [{ use: id_card, as: heir_id, per: form.heirs, of: heirs, name: { zh: "{this.name}的身份证" } }]
steps: [{ id: do, name: { zh: 办 }, department: approval, promised: { working_days: 1 }, needs: { fields: [me.name, heirs.name], materials: [heir_id] } }]`, `
  - { test: two, like: base, but: { form.heirs: [{ name: 甲 }, { name: 乙 }] }, expect: { materials: ["heir_id[0]", "heir_id[1]"] } }
  - { test: none, like: base, but: { form.heirs: [] }, expect: { materials: [] } }`,
			func(t *testing.T, s *spoken) {
				a := s.assess(t, "two")
				if m := a.Cases[0].Materials[1]; m.Name.ZH != "乙的身份证" || m.Key != "id_card.heirs[1]" {
					t.Errorf("the second one is %q, uploaded as %s", m.Name.ZH, m.Key)
				}
				if m := s.bundle.Material("heir_id"); m.Sample != "id_card.pdf" || *m.Valid != (catalog.Days{N: 10, Unit: catalog.Years}) || !slices.Equal(m.Certificates, []string{"id_card"}) {
					t.Errorf("of the library: sample %q, valid %v, certificates %v", m.Sample, m.Valid, m.Certificates)
				}
			}},

		{"deed or lease; any of several e-certificates", `
materials:
  - { material: home, name: { zh: 住所证明 }, one_of: [title_deed, lease] }
  - { material: permit, name: { zh: 许可证 }, source: [E_CERTIFICATE, APPLICANT], certificates: [food_licence, food_record] }
steps: [{ id: do, name: { zh: 办 }, department: approval, promised: { working_days: 1 }, needs: { fields: [me.name], materials: [home, permit] } }]`, `
  - { test: usual, like: base, expect: { materials: [home, permit] } }`,
			func(t *testing.T, s *spoken) {
				home, permit := s.bundle.Material("home"), s.bundle.Material("permit")
				if len(home.OneOf) != 2 || home.OneOf[0].Key != "title_deed" || home.OneOf[1].Key != "lease" || !slices.Equal(permit.Certificates, []string{"food_licence", "food_record"}) {
					t.Errorf("one of %v; one of the certificates %v", home.OneOf, permit.Certificates)
				}
				// The lease will do, and is what is on the record then.
				life := s.file(t, "usual", "lease")
				if m := life.state.Cases[0].Materials; m[0].Shared != "lease" || m[0].Origin != applicationv1.Origin_ORIGIN_APPLICANT || m[1].Origin != applicationv1.Origin_ORIGIN_E_CERTIFICATE {
					t.Errorf("on the record: %+v", m)
				}
			}},

		{"a licence that an earlier step may issue here", `
own: [{ field: fresh, kind: BOOL, name: { zh: 是否新办 }, required: true }]
materials: [{ material: licence, name: { zh: 许可证 }, source: [E_CERTIFICATE, STEP], certificates: [licence] }]
steps:
  - { id: grant, name: { zh: 发证 }, department: police, when: own.fresh, promised: { working_days: 1 }, needs: { fields: [me.name] }, result: { document: licence } }
  - { id: do, name: { zh: 办 }, department: approval, after: [grant], promised: { working_days: 1 }, needs: { fields: [me.name], materials: [licence] } }`, `
  - { test: issued_here, like: base, but: { own.fresh: true }, expect: { steps: [grant, do], materials: [licence] } }
  - { test: there_already, like: base, but: { own.fresh: false }, expect: { steps: [do], materials: [licence] } }`,
			func(t *testing.T, s *spoken) {
				if m := s.bundle.Material("licence"); !slices.Equal(m.Sources, []string{"E_CERTIFICATE", "STEP"}) || s.bundle.Step("grant").Document != "licence" {
					t.Errorf("from %v", m.Sources)
				}
			}},

		{"容缺 only for some, 承诺 only for some", `
own: [{ field: shop, kind: BOOL, name: { zh: 是否开店 }, required: true }]
materials:
  - { material: plan, name: { zh: 平面图 }, source: [APPLICANT], class: SECONDARY, tolerate: { when: own.shop, working_days: 1, then: REMIND } }
  - { material: vow, name: { zh: 声明 }, source: [APPLICANT], promise: { when: "!own.shop", verify: { by: police, working_days: 20 } } }
steps: [{ id: do, name: { zh: 办 }, department: approval, promised: { working_days: 1 }, needs: { fields: [me.name], materials: [plan, vow] } }]`, `
  - { test: a_shop, like: base, but: { own.shop: true }, expect: { materials: [plan, vow], tolerable: [plan], promisable: [] } }
  - { test: no_shop, like: base, but: { own.shop: false }, expect: { materials: [plan, vow], tolerable: [], promisable: [vow] } }`, nil},

		{"faster, or cheaper, for some; 公示 not counted", `
own: [{ field: shop, kind: BOOL, name: { zh: 是否开店 }, required: true }]
steps:
  - { id: do, name: { zh: 办 }, department: approval, promised: [{ when: own.shop, working_days: 1 }, { working_days: 3 }], fee: [{ when: own.shop, amount: yuan(0) }, { amount: yuan(60) }],
      not_counted: [{ kind: PUBLICITY, days: 7 }], needs: { fields: [me.name] } }`, `
  - { test: a_shop, like: base, but: { own.shop: true }, expect: { total: { working_days: 1 }, due: { do: 2026-03-17 }, fee: "0" } }
  - { test: no_shop, like: base, but: { own.shop: false }, expect: { total: { working_days: 3 }, due: { do: 2026-03-19 }, fee: "60" } }`,
			func(t *testing.T, s *spoken) {
				open := s.assess(t, "base").Cases[0] // a range while it is not decided
				if open.Total != (guide.Range{Min: 1, Max: 3}) || open.Fee != (guide.Range{Min: 0, Max: 6000}) || open.Due.Known {
					t.Errorf("not decided: %+v days, %+v fen, due known: %v", open.Total, open.Fee, open.Due.Known)
				}
				if n := s.bundle.Step("do").NotCounted; len(n) != 1 || n[0] != (catalog.NotCounted{Kind: "PUBLICITY", Days: 7}) {
					t.Errorf("not counted: %v", n)
				}
				// The days of the procedure are not the office's.
				life := s.file(t, "no_shop")
				life.do(t, application.PauseTask{Task: life.task(t, "do"), Procedure: "PUBLICITY", Days: 7, Reason: "公示"})
				life.pass(7)
				life.do(t, application.ResumeTask{Task: life.task(t, "do")})
				if due := life.state.TaskOf("line", "do").Due.GetDate(); due != "2026-03-26" {
					t.Errorf("after a week of publicity it is due %s", due)
				}
			}},

		{"starts when all three are done; lead closes last", `
steps:
  - { id: a, name: { zh: 甲 }, department: police, promised: { working_days: 1 }, needs: { fields: [me.name] } }
  - { id: b, name: { zh: 乙 }, department: police, promised: { working_days: 2 }, needs: { fields: [me.name] } }
  - { id: c, name: { zh: 丙 }, department: police, promised: { working_days: 3 }, needs: { fields: [me.name] } }
  - { id: close, name: { zh: 办结 }, department: approval, after: [a, b, c], promised: { working_days: 1 }, needs: { fields: [me.name] } }`, `
  - { test: usual, like: base, expect: { total: { working_days: 4 }, due: { a: 2026-03-17, b: 2026-03-18, c: 2026-03-19, close: 2026-03-20 } } }`,
			func(t *testing.T, s *spoken) {
				life := s.file(t, "usual")
				for _, step := range []string{"a", "b", "c"} {
					if open := life.open(); slices.Contains(open, "close") {
						t.Errorf("it is closed before %s is done: open are %v", step, open)
					}
					life.approve(t, step)
				}
				if diff := cmp.Diff([]string{"close"}, life.open()); diff != "" {
					t.Errorf("open (-want +got):\n%s", diff)
				}
			}},

		{"lead may close on promises; go on though rejected", `
steps:
  - { id: a, name: { zh: 甲 }, department: police, promised: { working_days: 1 }, needs: { fields: [me.name] } }
  - { id: close, name: { zh: 办结 }, department: approval, after: [{ step: a, on: PROMISED }], promised: { working_days: 1 }, needs: { fields: [me.name] } }
  - { id: log, name: { zh: 登记 }, department: approval, after: [{ step: a, on: SETTLED }], promised: { working_days: 1 }, needs: { fields: [me.name] } }
  - { id: use, name: { zh: 使用 }, department: approval, after: [a], promised: { working_days: 1 }, needs: { fields: [me.name] } }`, `
  - { test: usual, like: base, expect: { steps: [a, close, log, use] } }`,
			func(t *testing.T, s *spoken) {
				life := s.file(t, "usual")
				if diff := cmp.Diff([]string{"a", "close"}, life.open()); diff != "" {
					t.Errorf("open on a's promise (-want +got):\n%s", diff)
				}
				life.reject(t, "a")
				if diff := cmp.Diff([]string{"close", "log"}, life.open()); diff != "" {
					t.Errorf("open although a was rejected (-want +got):\n%s", diff)
				}
				life = s.file(t, "usual")
				life.approve(t, "a")
				if diff := cmp.Diff([]string{"close", "log", "use"}, life.open()); diff != "" {
					t.Errorf("open when a was approved (-want +got):\n%s", diff)
				}
			}},

		{"step only if the inspection said so", `
steps:
  - { id: inspect, name: { zh: 检查 }, department: police, promised: { working_days: 1 }, needs: { fields: [me.name] },
      result: { fields: [{ field: grade, kind: CHOICE, name: { zh: 等级 }, required: true, options: [{ id: good, zh: 好 }, { id: poor, zh: 差 }] }] } }
  - { id: mend, name: { zh: 整改 }, department: police, after: [inspect], when: results.inspect.grade.poor, promised: { working_days: 2 }, needs: { fields: [me.name] } }`, `
  - { test: poor, like: base, results: { inspect: { grade: poor } }, expect: { steps: [inspect, mend], total: { working_days: 3 } } }
  - { test: good, like: base, results: { inspect: { grade: good } }, expect: { steps: [inspect], undecided_steps: [], total: { working_days: 1 } } }
  - { test: not_yet, like: base, expect: { steps: [inspect], undecided_steps: [mend], asks: nothing } }`, nil},

		{"the applicant may choose a step; no officer needed", `
own: [{ field: post, kind: BOOL, name: { zh: 是否寄送 }, required: true }, { field: near, kind: BOOL, name: { zh: 是否本县 }, required: true, when: own.post }]
steps:
  - { id: do, name: { zh: 办 }, department: approval, promised: { working_days: 1 }, needs: { fields: [me.name] } }
  - { id: send, name: { zh: 寄送 }, department: approval, when: own.post, auto_approve: own.near, promised: { working_days: 1 }, needs: { fields: [me.name] } }`, `
  - { test: by_post_nearby, like: base, but: { own.post: true, own.near: true }, expect: { steps: [do, send] } }
  - { test: by_post_far_away, like: base, but: { own.post: true, own.near: false }, expect: { steps: [do, send] } }
  - { test: not_by_post, like: base, but: { own.post: false }, expect: { steps: [do] } }`,
			func(t *testing.T, s *spoken) {
				for test, want := range map[string]application.TaskState{"by_post_nearby": application.TaskApproved, "by_post_far_away": application.TaskOpen} {
					if task := s.file(t, test).state.TaskOf("line", "send"); task.State != want {
						t.Errorf("%s: the step is %s, want %s", test, task.State, want)
					}
				}
			}},
	}
}

// Each line of the table is said, and does what its words say, on both sides.
func TestLanguage_HowDoISay(t *testing.T) {
	t.Parallel()
	for _, line := range idioms() {
		t.Run(line.words, func(t *testing.T) {
			t.Parallel()
			s := speak(t, line)
			if line.check != nil {
				line.check(t, s)
			}
		})
	}
}

// The day of receipt is `today` of every rule from then on: a correction and a later step are judged as of it, however
// much later they come.
func TestLanguage_DayOfReceipt(t *testing.T) {
	t.Parallel()
	s := speak(t, idiom{bundle: `
own: [{ field: until, kind: DATE, name: { zh: 有效至 }, required: true }, { field: note, kind: TEXT, name: { zh: 说明 } }]
eligibility: [{ id: r, require: own.until >= today, because: { zh: 仍有效 }, remedy: { zh: 换证 } }]
steps:
  - { id: do, name: { zh: 办 }, department: approval, promised: { working_days: 1 }, needs: { fields: [me.name, own.note] } }
  - { id: after, name: { zh: 后办 }, department: police, after: [do], when: own.until >= today, promised: { working_days: 1 }, needs: { fields: [me.name] } }`, tests: `
  - { test: last_day, like: base, but: { own.until: 2026-03-16 }, expect: { verdict: ELIGIBLE, steps: [do, after] } }
  - { test: day_after, like: base, but: { own.until: 2026-03-15 }, expect: { fails: [r] } }`})
	life := s.file(t, "last_day")
	life.pass(9)
	life.do(t, application.Correct{Changes: forms.Record{}.With("own.line.note", kind.Text("补充"))})
	if c := life.state.Cases[0]; c.Verdict != "ELIGIBLE" || life.state.Revision != 2 {
		t.Errorf("corrected nine days later it is %s, revision %d", c.Verdict, life.state.Revision)
	}
	life.approve(t, "do")
	if diff := cmp.Diff([]string{"after"}, life.open()); diff != "" {
		t.Errorf("open (-want +got):\n%s", diff)
	}
}
