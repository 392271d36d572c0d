package bundletest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// What may stand at a field, and what a bundle may change of a section in its use, does what the language says, on both
// sides of each bound.
func TestLanguage_Fields(t *testing.T) {
	t.Parallel()
	const needs = `
steps: [{ id: do, name: { zh: 办 }, department: approval, promised: { working_days: 1 }, needs: { fields: [me.name, own.f] } }]`
	for _, line := range []idiom{
		{"bounds of INT", `own: [{ field: f, kind: INT, name: { zh: 数 }, min: "2", max: "3" }]` + needs, `
  - { test: below, like: base, but: { own.f: 1 }, expect: { faults: [own.f] } }
  - { test: least, like: base, but: { own.f: 2 }, expect: { faults: [] } }
  - { test: most, like: base, but: { own.f: 3 }, expect: { faults: [] } }
  - { test: above, like: base, but: { own.f: 4 }, expect: { faults: [own.f] } }
  - { test: blank, like: base, but: { own.f: null }, expect: { faults: [] } }`, nil},
		{"bounds and digits of DECIMAL", `own: [{ field: f, kind: DECIMAL, name: { zh: 数 }, scale: 3, min: "decimal(1.005)", max: "decimal(2)" }]` + needs, `
  - { test: below, like: base, but: { own.f: "1.004" }, expect: { faults: [own.f] } }
  - { test: least, like: base, but: { own.f: "1.005" }, expect: { faults: [] } }
  - { test: above, like: base, but: { own.f: "2.001" }, expect: { faults: [own.f] } }
  - { test: a_digit_too_many, like: base, but: { own.f: "1.0061" }, expect: { faults: [own.f] } }`, nil},
		{"two digits of DECIMAL unless it says otherwise", `own: [{ field: f, kind: DECIMAL, name: { zh: 数 } }]` + needs, `
  - { test: two, like: base, but: { own.f: "1.25" }, expect: { faults: [] } }
  - { test: three, like: base, but: { own.f: "1.255" }, expect: { faults: [own.f] } }`, nil},
		{"bounds of MONEY", `own: [{ field: f, kind: MONEY, name: { zh: 钱 }, min: yuan(1), max: yuan(2) }]` + needs, `
  - { test: below, like: base, but: { own.f: "0.99" }, expect: { faults: [own.f] } }
  - { test: least, like: base, but: { own.f: "1" }, expect: { faults: [] } }
  - { test: above, like: base, but: { own.f: "2.01" }, expect: { faults: [own.f] } }`, nil},
		{"bounds of DATE, that may depend on today", `own: [{ field: f, kind: DATE, name: { zh: 日 }, min: 'date("2026-01-01")', max: today }]` + needs, `
  - { test: before, like: base, but: { own.f: 2025-12-31 }, expect: { faults: [own.f] } }
  - { test: first, like: base, but: { own.f: 2026-01-01 }, expect: { faults: [] } }
  - { test: today, like: base, but: { own.f: 2026-03-16 }, expect: { faults: [] } }
  - { test: tomorrow, like: base, but: { own.f: 2026-03-17 }, expect: { faults: [own.f] } }`, nil},
		{"length and pattern of TEXT, in characters and whole", `own: [{ field: f, kind: TEXT, name: { zh: 字 }, min: "2", max: "3", pattern: '\p{Han}+' }]` + needs, `
  - { test: short, like: base, but: { own.f: 中 }, expect: { faults: [own.f] } }
  - { test: least, like: base, but: { own.f: 中文 }, expect: { faults: [] } }
  - { test: long, like: base, but: { own.f: 中文文字 }, expect: { faults: [own.f] } }
  - { test: another, like: base, but: { own.f: 中x }, expect: { faults: [own.f] } }`, nil},
		{"count of CHOICES", `own: [{ field: f, kind: CHOICES, name: { zh: 选 }, min: "1", max: "2", options: [{ id: a, zh: 甲 }, { id: b, zh: 乙 }, { id: c, zh: 丙 }] }]` + needs, `
  - { test: none, like: base, but: { own.f: [] }, expect: { faults: [own.f] } }
  - { test: one, like: base, but: { own.f: [a] }, expect: { faults: [] } }
  - { test: three, like: base, but: { own.f: [a, b, c] }, expect: { faults: [own.f] } }`, nil},
		{"count of LIST, and bounds of its cells", `own: [{ field: f, kind: LIST, name: { zh: 列 }, min: "1", max: "2", row: [{ field: n, kind: INT, name: { zh: 数 }, required: true, max: "9" }, { field: why, kind: TEXT, name: { zh: 因 }, required: true, when: this.n > 5 }] }]` + needs, `
  - { test: none, like: base, but: { own.f: [] }, expect: { faults: [own.f] } }
  - { test: one, like: base, but: { own.f: [{ n: 1 }] }, expect: { faults: [] } }
  - { test: three, like: base, but: { own.f: [{ n: 1 }, { n: 2 }, { n: 3 }] }, expect: { faults: [own.f] } }
  - { test: a_cell, like: base, but: { own.f: [{ n: 1 }, { n: 10, why: 多 }] }, expect: { faults: ["own.f[1].n"] } }`, func(t *testing.T, s *spoken) {
			cells := s.field(t, "a_cell", "own.line.f").Rows
			if cells[0][1].Shown != rule.False || cells[1][1].Shown != rule.True || cells[1][1].Required != rule.True {
				t.Errorf("the reason is shown %s where it is not asked, and %s where it is", cells[0][1].Shown, cells[1][1].Shown)
			}
		}},
		{"repeat", `form: [{ section: person, as: me, set: { relation: { when: "false" } } }, { section: person, as: heirs, repeat: { min: 1, max: 2 } }]
steps: [{ id: do, name: { zh: 办 }, department: approval, promised: { working_days: 1 }, needs: { fields: [me.name, heirs.name] } }]`, `
  - { test: none, like: base, but: { form.heirs: [] }, expect: { faults: [form.heirs] } }
  - { test: two, like: base, but: { form.heirs: [{ name: 甲 }, { name: 乙 }] }, expect: { faults: [] } }
  - { test: three, like: base, but: { form.heirs: [{ name: 甲 }, { name: 乙 }, { name: 丙 }] }, expect: { faults: [form.heirs] } }`, nil},
		{"default is a proposal, and no rule sees it", `own: [{ field: f, kind: INT, name: { zh: 数 }, required: true, default: "3 + 4" }]
eligibility: [{ id: r, require: own.f > 5, because: { zh: 够 }, remedy: { zh: 加 } }]` + needs, `
  - { test: open, like: base, expect: { verdict: UNDECIDED, undecided: [r], asks: own.f } }
  - { test: taken_over, like: base, but: { own.f: 7 }, expect: { verdict: ELIGIBLE } }
  - { test: another, like: base, but: { own.f: 5 }, expect: { fails: [r] } }`, func(t *testing.T, s *spoken) {
			if f := s.field(t, "open", "own.line.f"); f.Proposal != kind.Int(7) {
				t.Errorf("proposed is %v", f.Proposal)
			}
			if f := s.field(t, "taken_over", "own.line.f"); f.Proposal != nil {
				t.Errorf("where it is answered, %v is proposed", f.Proposal)
			}
		}},
		{"derive and is are computed and never asked", `own: [{ field: n, kind: INT, name: { zh: 数 }, required: true }, { field: f, kind: INT, name: { zh: 倍 }, derive: own.n * 2 }, { field: big, kind: BOOL, is: own.f > 9 }]
eligibility: [{ id: r, require: own.big, because: { zh: 够大 }, remedy: { zh: 加 } }]` + needs, `
  - { test: open, like: base, expect: { undecided: [r], asks: own.n, shown: [form.me.name, own.n] } }
  - { test: five, like: base, but: { own.n: 5 }, expect: { fails: [], shown: [form.me.name, own.n] } }
  - { test: four, like: base, but: { own.n: 4 }, expect: { fails: [r] } }`, func(t *testing.T, s *spoken) {
			if f := s.field(t, "five", "own.line.f"); f.Derived != kind.Int(10) {
				t.Errorf("computed is %v", f.Derived)
			}
		}},
		{"set: what a use of a section may change", `
form:
  - section: person
    as: me
    set:
      relation: { options: [child, other], when: own.asks, help: { zh: 与户主的关系 } }
      phone: { required: own.calls }
      birth: { min: 'date("1900-01-01")', max: 'date("2008-03-16")', default: 'date("2000-01-01")' }
      agreed: { required: false }
own: [{ field: asks, kind: BOOL, name: { zh: 问关系 }, required: true }, { field: calls, kind: BOOL, name: { zh: 电话 }, required: true }]
steps: [{ id: do, name: { zh: 办 }, department: approval, promised: { working_days: 1 }, needs: { fields: [me.name, me.relation, me.phone, me.birth, me.agreed] } }]`, `
  - { test: all, like: base, but: { own.asks: true, own.calls: true, form.me.relation: child, form.me.birth: 2008-03-16 }, expect: { faults: [],
      shown: [form.me.name, form.me.relation, form.me.phone, form.me.birth, form.me.agreed, own.asks, own.calls], required: [form.me.name, form.me.relation, form.me.phone, form.me.birth, own.asks, own.calls] } }
  - { test: neither, like: base, but: { own.asks: false, own.calls: false }, expect: { shown: [form.me.name, form.me.phone, form.me.birth, form.me.agreed, own.asks, own.calls], required: [form.me.name, form.me.birth, own.asks, own.calls] } }
  - { test: an_option_that_is_left_out, like: all, but: { form.me.relation: spouse }, expect: { faults: [form.me.relation] } }
  - { test: too_young, like: all, but: { form.me.birth: 2008-03-17 }, expect: { faults: [form.me.birth] } }
  - { test: too_old, like: all, but: { form.me.birth: 1899-12-31 }, expect: { faults: [form.me.birth] } }`, func(t *testing.T, s *spoken) {
			if diff := cmp.Diff([]string{"child", "other"}, s.field(t, "all", "form.me.relation").Options); diff != "" {
				t.Errorf("options (-want +got):\n%s", diff)
			}
			if f := s.field(t, "neither", "form.me.birth"); f.Proposal == nil || !f.Proposal.Equal(kind.MustDate("2000-01-01")) {
				t.Errorf("proposed is %v", f.Proposal)
			}
			if help := s.field(t, "all", "form.me.relation").Help; help != (forms.Text{ZH: "与户主的关系"}) {
				t.Errorf("beside it stands %v", help)
			}
		}},
	} {
		t.Run(line.words, func(t *testing.T) {
			t.Parallel()
			s := speak(t, line)
			if line.check != nil {
				line.check(t, s)
			}
		})
	}
}
