package catalog_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine/catalog"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	sectionsFile    = "library/sections.yaml"
	materialsFile   = "library/materials.yaml"
	departmentsFile = "library/departments.yaml"
	factsFile       = "library/facts.yaml"
	parametersFile  = "library/parameters.yaml"
	matterFile      = "bundles/matter/bundle.yaml"
)

// files are a tree without a fault; each test makes one.
func files() map[string]string {
	return map[string]string{
		sectionsFile: `library: sections
sections:
  - section: person
    name: { zh: 身份 }
    about: PERSON
    fields:
      - { field: id_no, kind: CITIZEN_NUMBER, name: { zh: 号码 }, required: true }
      - { field: birth, kind: DATE, name: { zh: 出生 }, required: true, default: birth_date(this.id_no) }
      - { field: phone, kind: PHONE, name: { zh: 电话 } }
    checks:
      - { id: born, require: this.birth <= today, because: { zh: 已出生 } }
  - section: shop
    name: { zh: 店 }
    fields:
      - { field: addr, kind: ADDRESS, name: { zh: 地址 }, required: true }
      - { field: area, kind: INT, name: { zh: 面积 }, min: "1" }
`,
		materialsFile: `library: materials
materials:
  - { material: id_card, name: { zh: 身份证 }, about: PERSON, source: [E_CERTIFICATE, APPLICANT], certificates: [id_card] }
`,
		departmentsFile: `library: departments
departments:
  - { department: market, name: { zh: 市场局 } }
  - { department: police, name: { zh: 公安局 } }
`,
		factsFile: `library: facts
facts:
  - { fact: credit_restricted, of: PERSON, kind: BOOL, name: { zh: 失信 }, source: credit_list }
`,
		parametersFile: `library: parameters
parameters:
  - param: base
    kind: MONEY
    name: { zh: 基数 }
    values:
      - { from: 2025-01-01, until: 2025-12-31, value: 850 }
      - { from: 2026-01-01, until: 2026-12-31, value: 900 }
`,
		matterFile: `bundle: matter
name: { zh: 开店一件事 }
level: COUNTY
lead: market
applicant: [owner]
form:
  - { section: person, as: owner }
  - { section: shop, when: own.opens }
own:
  - { field: opens, kind: BOOL, name: { zh: 是否开店 }, required: true }
  - { field: kind, kind: CHOICE, name: { zh: 类别 }, required: true, options: [{ id: food, zh: 餐饮 }, { id: goods, zh: 百货 }] }
  - { field: income, kind: MONEY, name: { zh: 收入 }, required: true }
  - { field: big, kind: BOOL, is: own.opens && own.kind.food }
  - { field: number, kind: TEXT, derive: 'given(results.licence.number, "")' }
eligibility:
  - { id: adult, require: "age(form.owner.birth, today) >= 18", because: { zh: 成年 }, remedy: { zh: 成年后再来 } }
  - { id: poor, when: own.opens, require: own.income < params.base, because: { zh: "收入低于 {params.base}" }, remedy: { zh: 等 } }
materials:
  - { use: id_card, of: owner }
  - { material: plan, name: { zh: 平面图 }, source: [APPLICANT], class: SECONDARY, when: own.big, tolerate: { working_days: 2, then: REMIND } }
steps:
  - id: licence
    name: { zh: 执照 }
    department: market
    when: own.opens
    needs: { fields: [owner, shop.addr], materials: [id_card, plan] }
    promised: { working_days: 1 }
    result: { fields: [{ field: number, kind: TEXT, name: { zh: 编号 }, required: true }] }
  - id: seal
    name: { zh: 刻章 }
    department: police
    after: [licence]
    when: own.opens
    needs: { fields: [owner.id_no, own.number], results: [licence.number] }
    promised: [{ when: own.big, working_days: 1 }, { working_days: 2 }]
    fee: { amount: yuan(60) }
`,
	}
}

// edit is a change of one file: the text old, which stands there once, becomes new.
type edit struct{ file, old, new string }

func in(file, old, text string) edit { return edit{file, old, text} }

// matterAt changes the bundle.
func matterAt(old, text string) edit { return edit{matterFile, old, text} }

func newTree(t *testing.T, edits ...edit) fstest.MapFS {
	t.Helper()
	all := files()
	for _, e := range edits {
		if n := strings.Count(all[e.file], e.old); n != 1 {
			t.Fatalf("%q stands %d times in %s", e.old, n, e.file)
		}
		all[e.file] = strings.Replace(all[e.file], e.old, e.new, 1)
	}
	tree := fstest.MapFS{}
	for name, text := range all {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return tree
}

const (
	adult = `"age(form.owner.birth, today) >= 18"`
	poor  = `own.income < params.base,`
)

// rooms makes the bundle's own income a list with the row.
func rooms(row string) edit {
	return matterAt("field: income, kind: MONEY, name: { zh: 收入 }, required: true", "field: rooms, kind: LIST, name: { zh: 房间 }, row: "+row)
}

const room = "[{ field: area, kind: INT, name: { zh: 面积 }, required: true }]"

// Each finding with its place, the line of the file, a caret under what is meant, and what to do: as a configurator
// sees it. The golden file is reviewed like code.
func TestLoad_Errors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		edits []edit
	}{
		{"nothing wrong", nil},

		// Text that is no YAML, or YAML that is not read.
		{"no YAML", []edit{matterAt("level: COUNTY", "level: [COUNTY")}},
		{"a rule with a colon, not quoted", []edit{matterAt(poor, "own.big ? own.opens : own.big,")}},
		{"a rule that begins with !, not quoted", []edit{matterAt("is: own.opens && own.kind.food", "is: !own.opens")}},
		{"a lone carriage return", []edit{matterAt("lead: market", "lead:\rmarket")}},
		{"a line separator", []edit{matterAt("开店一件事", "开店\u2028一件事")}},
		{"a control character", []edit{matterAt("开店一件事", "开店\x07一件事")}},
		{"a byte order mark", []edit{matterAt("bundle: matter", "\uFEFFbundle: matter")}},
		{"not UTF-8", []edit{matterAt("一件事", "一\xff件事")}},
		{"a tab", []edit{matterAt("level: COUNTY", "level:\n\tCOUNTY")}},
		{"an alias", []edit{matterAt("name: { zh: 开店一件事 }", "name: &n { zh: 开店一件事 }"), matterAt("name: { zh: 平面图 }", "name: *n")}},
		{"a merge key", []edit{matterAt("name: { zh: 平面图 }", "<<: { name: { zh: 平面图 } }")}},
		{"a tag", []edit{matterAt("lead: market", "lead: !!str market")}},
		{"a second document", []edit{matterAt("    fee: { amount: yuan(60) }\n", "---\nbundle: other\n")}},
		{"a key twice", []edit{matterAt("lead: market", "lead: market\nlead: police")}},
		{"a key twice under Chinese text", []edit{matterAt("name: { zh: 平面图 }", "name: { zh: 平面图, zh: 图 }")}},
		{"empty", []edit{{factsFile, files()[factsFile], " \n"}}},
		{"only a comment", []edit{{factsFile, files()[factsFile], "# nothing\n"}}},
		{"nested too deeply", []edit{matterAt("lead: market", "lead: "+strings.Repeat("[", 40)+strings.Repeat("]", 40))}},

		// Keys and kinds.
		{"an unknown key", []edit{matterAt("lead: market", "led: market")}},
		{"an unknown key, nothing near", []edit{matterAt("promised: { working_days: 1 }\n", "promised: { fortnights: 1 }\n")}},
		{"a wrong kind", []edit{matterAt("applicant: [owner]", "applicant: { a: b }")}},
		{"a number that is none", []edit{matterAt("promised: { working_days: 1 }\n", "promised: { working_days: soon }\n")}},
		{"an unknown word", []edit{matterAt("level: COUNTY", "level: VILLAGE")}},
		{"a required key is missing", []edit{matterAt("lead: market\n", "")}},
		{"an id with capitals", []edit{matterAt("field: opens,", "field: Opens,")}},
		{"a day with slashes", []edit{matterAt("lead: market", "lead: market\nin_force: { from: 2026/1/1 }")}},
		{"a region that is none", []edit{matterAt("lead: market", "lead: market\nplace: 泗阳县")}},
		{"a plugin without its department", []edit{matterAt("- id: licence", "- id: licence\n    plugin: licence")}},
		{"required in Chinese, of an own field, a result and a use", []edit{matterAt("name: { zh: 收入 }, required: true", "name: { zh: 收入 }, required: 是"),
			matterAt("name: { zh: 编号 }, required: true", "name: { zh: 编号 }, required: Yes"), matterAt("as: owner }", "as: owner, set: { phone: { required: 不是 } } }")}},
		{"a department, a section and a material by their names", []edit{matterAt("lead: market", "lead: 市场局"), matterAt("section: shop", "section: 店铺"), matterAt("use: id_card", "use: 居民身份证")}},
		{"a key without a value", []edit{matterAt("lead: market\n", "lead:\n")}},
		{"a rule of no kind", []edit{matterAt("require: "+adult+", ", "")}},
		{"a rule of two kinds", []edit{matterAt("require: "+adult, "require: "+adult+", examine: { by: market }")}},
		{"an applicant who is several", []edit{matterAt("as: owner }", "as: owner }\n  - { section: person, as: partners, repeat: { min: 1, max: 2 } }"), matterAt("applicant: [owner]", "applicant: [owner, partners]")}},
		{"the only applicant is several", []edit{matterAt("as: owner }", "as: owner, repeat: { min: 1, max: 2 } }")}},
		{"a repeat that is none", []edit{matterAt("as: owner }", "as: owner, repeat: { least: 1 } }")}},

		// What belongs to the language and is not read yet.
		{"extends", []edit{matterAt("lead: market", "lead: market\nextends: { bundle: other, number: 1 }")}},
		{"ease", []edit{matterAt("lead: market", "lead: market\nease: { own: [{ field: way, kind: BOOL, name: { zh: 路 } }] }")}},

		// Lists.
		{"a list without a row", []edit{rooms("[]")}},
		{"a row of no list", []edit{matterAt("kind: MONEY, name", "kind: MONEY, row: [{ field: a, kind: INT, name: { zh: 甲 } }], name")}},
		{"a list in a list", []edit{rooms("[{ field: a, kind: LIST, name: { zh: 甲 }, row: [{ field: b, kind: INT, name: { zh: 乙 } }] }]")}},
		{"a repeated section with a list", []edit{in(sectionsFile, "kind: PHONE, name: { zh: 电话 }", "kind: LIST, name: { zh: 电话 }, row: [{ field: no, kind: PHONE, name: { zh: 号 } }]"),
			matterAt("as: owner }", "as: owner }\n  - { section: person, as: partners, repeat: { max: 3 } }")}},
		{"a cell twice", []edit{rooms("[{ field: a, kind: INT, name: { zh: 甲 } }, { field: a, kind: INT, name: { zh: 乙 } }]")}},
		{"a rule with a comma, not quoted", []edit{rooms(room), matterAt(poor, "own.rooms.all(r, r.area > 10),")}},
		{"a cell that is not there", []edit{rooms(room), matterAt(poor, `"own.rooms.all(r, r.areas > 10)",`)}},
		{"a cell outside of its list", []edit{rooms(room), matterAt(poor, "own.rooms.area > 10,")}},
		{"a cell that may be blank", []edit{rooms("[{ field: area, kind: INT, name: { zh: 面积 } }]"), matterAt(poor, `"own.rooms.all(r, r.area > 10)",`)}},
		{"a cell that is hidden", []edit{rooms("[{ field: large, kind: BOOL, name: { zh: 大 }, required: true }, { field: area, kind: INT, name: { zh: 面积 }, when: this.large, required: true }]"),
			matterAt(poor, `"own.rooms.all(r, r.area > 10)",`)}},
		{"cells in a ring", []edit{rooms("[{ field: a, kind: BOOL, name: { zh: 甲 }, required: true, when: has(this.b) }, { field: b, kind: BOOL, name: { zh: 乙 }, required: true, when: has(this.a) }]"),
			matterAt(poor, `"own.rooms.exists(r, has(r.a))",`)}},
		{"a cell that nobody reads", []edit{rooms("[{ field: area, kind: INT, name: { zh: 面积 }, required: true }, { field: colour, kind: TEXT, name: { zh: 颜色 } }]"), matterAt(poor, `"own.rooms.all(r, r.area > 10)",`)}},
		{"the smallest of what may be empty", []edit{rooms(room), matterAt(poor, `"smallest(own.rooms.map(r, r.area)) > 10",`)}},
		{"a material for each of no list", []edit{matterAt("source: [APPLICANT], class", "source: [APPLICANT], per: form.owners, class")}},
		{"a material named by a cell that is not there", []edit{rooms(room), matterAt(poor, `"own.rooms.all(r, r.area > 10)",`),
			matterAt("material: plan, name: { zh: 平面图 }, source: [APPLICANT], class", `material: plan, name: { zh: "{this.colour}的平面图" }, per: own.rooms, source: [APPLICANT], class`)}},
		{"a need of a cell that is not there", []edit{rooms(room), matterAt(poor, `"own.rooms.all(r, r.area > 10)",`), matterAt("fields: [owner, shop.addr]", "fields: [owner, shop.addr, own.rooms.colour]")}},
		{"a need of a list and of its cell", []edit{rooms(room), matterAt(poor, "own.opens,"), matterAt("fields: [owner, shop.addr]", "fields: [owner, shop.addr, own.rooms, own.rooms.area]")}},
		{"either-or of what the library lacks", []edit{matterAt("source: [APPLICANT], class", "one_of: [id_card, id_crd], class")}},
		{"either-or of a library material", []edit{matterAt("use: id_card, of: owner", "use: id_card, one_of: [id_card], of: owner")}},

		// Names that are not there.
		{"section", []edit{matterAt("section: shop", "section: shp")}},
		{"alias missing", []edit{matterAt("section: person, as: owner", "section: person")}},
		{"alias twice", []edit{matterAt("{ section: shop, when: own.opens }", "{ section: shop, as: owner, when: own.opens }")}},
		{"applicant", []edit{matterAt("applicant: [owner]", "applicant: [ownr]")}},
		{"subject", []edit{matterAt("applicant: [owner]", "applicant: [owner]\nsubject: child")}},
		{"lead", []edit{matterAt("lead: market", "lead: markt")}},
		{"department", []edit{matterAt("department: police", "department: polise")}},
		{"examined by nobody", []edit{matterAt("require: "+adult, "examine: { by: helth, step: seel }")}},
		{"material of the library", []edit{matterAt("use: id_card, of: owner", "use: id_crad, of: owner")}},
		{"whose material", []edit{matterAt("use: id_card, of: owner", "use: id_card, of: ownr")}},
		{"need of a field", []edit{matterAt("fields: [owner, shop.addr]", "fields: [owner, shop.adr]")}},
		{"need of an alias", []edit{matterAt("fields: [owner, shop.addr]", "fields: [ownr, shop.addr]")}},
		{"need of an own field", []edit{matterAt("fields: [owner.id_no, own.number]", "fields: [owner.id_no, own.nunber]")}},
		{"need twice", []edit{matterAt("fields: [owner, shop.addr]", "fields: [owner, owner.phone, shop.addr]")}},
		{"need of a material", []edit{matterAt("materials: [id_card, plan]", "materials: [id_card, plann]")}},
		{"need of a result", []edit{matterAt("results: [licence.number]", "results: [licence.numbr]")}},
		{"need of a result of no step", []edit{matterAt("results: [licence.number]", "results: [license.number]")}},
		{"after no step", []edit{matterAt("after: [licence]", "after: [lisence]")}},
		{"for no step", []edit{matterAt("when: own.opens, require: own.income", "for: [seals], when: own.opens, require: own.income")}},
		{"set of a field that is not there", []edit{matterAt("as: owner }", "as: owner, set: { phon: { required: true } } }")}},
		{"set of options that are not there", []edit{in(sectionsFile, "kind: PHONE, name: { zh: 电话 }", "kind: CHOICE, name: { zh: 电话 }, options: [{ id: a, zh: 甲 }]"), matterAt("as: owner }", "as: owner, set: { phone: { options: [b] } } }")}},

		// Ids.
		{"own field twice", []edit{matterAt("{ field: big, kind", "{ field: opens, kind")}},
		{"option twice", []edit{matterAt("{ id: goods, zh: 百货 }", "{ id: food, zh: 百货 }")}},
		{"rule twice", []edit{matterAt("id: poor", "id: adult")}},
		{"step twice", []edit{matterAt("- id: seal", "- id: licence")}},
		{"material twice", []edit{matterAt("material: plan,", "material: id_card,")}},
		{"document twice", []edit{matterAt("- { use: id_card, of: owner }", "- { use: id_card, of: owner }\n  - { use: id_card, as: again, of: owner }")}},
		{"section twice in the library", []edit{in(sectionsFile, "section: shop", "section: person")}},
		{"department twice in the library", []edit{in(departmentsFile, "department: police", "department: market")}},
		{"reserved ids", []edit{matterAt("id: goods", "id: in"), matterAt("id: poor", "id: for")}},
		{"folder", []edit{matterAt("bundle: matter", "bundle: other")}},
		{"a list in the wrong library", []edit{in(factsFile, "facts:\n", "departments: [{ department: gas, name: { zh: 燃气 } }]\nfacts:\n")}},

		// Rules and formulas, wherever they stand.
		{"rule: field", []edit{matterAt(adult, `"age(form.owner.birht, today) >= 18"`)}},
		{"rule: option", []edit{matterAt("own.opens && own.kind.food", "own.opens && own.kind.foot")}},
		{"rule: alias", []edit{matterAt(adult, `"age(form.ownr.birth, today) >= 18"`)}},
		{"rule: fact", []edit{matterAt(poor, "facts.owner.credit_restrictd,")}},
		{"rule: parameter", []edit{matterAt(poor, "own.income < params.bas,")}},
		{"rule: kinds", []edit{matterAt(poor, "own.income < 850,")}},
		{"rule: blank", []edit{matterAt(poor, `form.owner.phone == "1",`)}},
		{"rule: blank if hidden", []edit{matterAt("when: own.opens, require: own.income < params.base", "require: form.shop.addr.within(place)")}},
		{"rule: a fact where a question is shown", []edit{matterAt("section: shop, when: own.opens", "section: shop, when: facts.owner.credit_restricted")}},
		{"rule: a result in eligibility", []edit{matterAt(poor, `results.licence.number == "1",`)}},
		{"rule: this in a bundle", []edit{matterAt(poor, "this.income < params.base,")}},
		{"rule: form in a section", []edit{in(sectionsFile, "require: this.birth <= today", "require: form.owner.birth <= today")}},
		{"rule: empty", []edit{matterAt(poor, `"",`)}},
		{"rule after Chinese text on its line", []edit{matterAt(`when: own.opens, require: own.income < params.base, because: { zh: "收入低于 {params.base}" }, remedy: { zh: 等 } }`,
			"because: { zh: 收入不高者可以申请 }, remedy: { zh: 等一等吧 }, when: own.opens, require: own.incom < params.base }")}},
		{"rule in double quotes with escapes", []edit{matterAt(poor, `"\u006fwn.kind.food && \"a\" == \"b\" && own.incom < params.base",`)}},
		{"rule in single quotes", []edit{matterAt(poor, `'own.opens && "it''s" == "it''s" && own.incom < params.base',`)}},
		{"rule over several lines", []edit{matterAt("is: own.opens && own.kind.food }", "is: own.opens &&\n      own.kind.food &&\n      own.openss }")}},
		{"rule in a literal block under Chinese text", []edit{matterAt("- { field: big, kind: BOOL, is: own.opens && own.kind.food }",
			"- field: big\n    kind: BOOL\n    name: { zh: 是否为大型餐饮 }\n    is: |\n      own.opens\n      && own.kind.fod")}},
		{"rule in a folded block", []edit{matterAt("- { field: big, kind: BOOL, is: own.opens && own.kind.food }",
			"- field: big\n    kind: BOOL\n    is: >-\n      own.opens\n      && own.kind.food\n\n      && own.kid.food")}},
		{"rule in a quoted text over several lines", []edit{matterAt("is: own.opens && own.kind.food }", "is: \"own.opens\n      && own.kind.food\n      && own.openss\" }")}},
		{"formula: field", []edit{in(sectionsFile, "birth_date(this.id_no)", "birth_date(this.id_n)")}},
		{"formula: kind", []edit{matterAt("amount: yuan(60)", `amount: "60"`)}},
		{"formula in a text", []edit{matterAt("收入低于 {params.base}", "收入低于 {params.bas}")}},
		{"formula in a name", []edit{matterAt("name: { zh: 平面图 }", `name: { zh: "{own.income}" }`)}},
		{"bounds of a kind without", []edit{matterAt("kind: BOOL, name: { zh: 是否开店 }", "kind: BOOL, min: \"1\", name: { zh: 是否开店 }")}},
		{"a pattern of a number", []edit{in(sectionsFile, `min: "1" }`, `min: "1", pattern: 'x' }`)}},
		{"digits of a whole number", []edit{in(sectionsFile, `min: "1" }`, `min: "1", scale: 3 }`)}},
		{"a unit of a yes or no", []edit{matterAt("kind: BOOL, name: { zh: 是否开店 }", "kind: BOOL, unit: 米, name: { zh: 是否开店 }")}},
		{"a proposal for what is computed", []edit{matterAt("is: own.opens && own.kind.food", "is: own.opens && own.kind.food, required: true, default: 'true'")}},
		{"bounds of what is computed", []edit{matterAt("derive: 'given(results.licence.number, \"\")'", "derive: 'given(results.licence.number, \"\")', max: \"3\", pattern: x")}},
		{"pattern", []edit{in(sectionsFile, `min: "1" }`, `min: "1" }`+"\n      - { field: code, kind: TEXT, name: { zh: 码 }, pattern: '(a' }")}},

		// Order of steps and of results.
		{"steps in a ring", []edit{matterAt("    department: market\n    when", "    department: market\n    after: [seal]\n    when")}},
		{"a step after itself", []edit{matterAt("after: [licence]", "after: [seal]"), matterAt(", own.number], results: [licence.number]", "]")}},
		{"fields in a ring: when", []edit{matterAt("name: { zh: 类别 }, required: true", "name: { zh: 类别 }, required: true, when: has(own.income)"),
			matterAt("own.opens && own.kind.food", "own.opens && has(own.kind) && own.kind.food"),
			matterAt("name: { zh: 收入 }, required: true", "name: { zh: 收入 }, required: has(own.kind)"), matterAt(poor, "has(own.income),")}},
		{"fields in a ring: default", []edit{in(sectionsFile, "name: { zh: 电话 } }", "name: { zh: 电话 }, when: has(this.mail) }\n      - { field: mail, kind: TEXT, name: { zh: 邮箱 }, default: 'has(this.phone) ? \"a\" : \"b\"' }")}},
		{"fields in a ring: derive", []edit{matterAt("is: own.opens && own.kind.food", "is: own.small && own.kind.food"), matterAt("  - { field: number", "  - { field: small, kind: BOOL, is: \"!own.big\" }\n  - { field: number")}},
		{"a result before its step", []edit{matterAt("    after: [licence]\n", "")}},
		{"a result before its step, through a derived value", []edit{matterAt(poor, `own.number == "1" && own.income < params.base,`)}},
		{"a step that needs its own result", []edit{matterAt("fields: [owner, shop.addr]", "fields: [owner, shop.addr, own.number]")}},
		{"a result of a step that may not apply", []edit{matterAt("    after: [licence]\n    when: own.opens\n", "    after: [licence]\n")}},
		{"a result with a default", []edit{matterAt("{ zh: 编号 }, required: true", `{ zh: 编号 }, default: '"1"'`)}},

		// Materials, limits, fees.
		{"tolerate on a primary material", []edit{matterAt("class: SECONDARY, ", "")}},
		{"a suspension without length", []edit{matterAt("then: REMIND", "then: SUSPEND")}},
		{"a material without a source", []edit{matterAt("source: [APPLICANT], class", "class")}},
		{"silence about no limit", []edit{matterAt("    department: police\n", "    department: police\n    silence: APPROVED\n")}},
		{"the law's limit for a partner", []edit{in(departmentsFile, "name: { zh: 公安局 }", "name: { zh: 公安局 }, kind: PARTNER"), matterAt("    department: police\n", "    department: police\n    statutory: { working_days: 9 }\n")}},
		{"a document of somebody who has none", []edit{matterAt("use: id_card, of: owner", "use: id_card, of: shop")}},
		{"one of several, of somebody who has none", []edit{matterAt("{ use: id_card, of: owner }", "{ material: id_card, name: { zh: 证件 }, one_of: [id_card], of: shop }")}},
		{"certificates from no source of them", []edit{matterAt("source: [APPLICANT], class", "source: [APPLICANT], certificates: [plan], class")}},
		{"a department's code that is none", []edit{in(departmentsFile, "name: { zh: 公安局 }", "name: { zh: 公安局 }, uscc: 11321323MB0000000X")}},
		{"together with nobody", []edit{matterAt("applicant: [owner]", "applicant: [owner]\ntogether: own.opens")}},
		{"together with somebody who has no number", []edit{matterAt("applicant: [owner]", "applicant: [owner, shop]\ntogether: true")}},
		{"together, by a rule that is wrong", []edit{matterAt("applicant: [owner]", "applicant: [owner, mate]\ntogether: own.open"), matterAt("  - { section: shop", "  - { section: person, as: mate }\n  - { section: shop")}},
		{"together, by a fact", []edit{matterAt("applicant: [owner]", "applicant: [owner, mate]\ntogether: facts.owner.credit_restricted"), matterAt("  - { section: shop", "  - { section: person, as: mate }\n  - { section: shop")}},
		{"cases without a last one", []edit{matterAt("{ working_days: 2 }]", "{ when: own.opens, working_days: 2 }]")}},
		{"a case that is never reached", []edit{matterAt("[{ when: own.big, working_days: 1 }", "[{ working_days: 1 }")}},
		{"a fee with a condition only", []edit{matterAt("fee: { amount: yuan(60) }", "fee: { when: own.big, amount: yuan(60) }")}},
		{"a limit of nothing", []edit{matterAt("promised: { working_days: 1 }\n", "promised: {}\n")}},
		{"sent elsewhere without where", []edit{matterAt("remedy: { zh: 成年后再来 }", "otherwise: ELSEWHERE")}},
		{"no such day", []edit{matterAt("lead: market", "lead: market\nin_force: { from: 2026-02-30 }")}},
		{"ends before it begins", []edit{matterAt("lead: market", "lead: market\nin_force: { from: 2026-02-01, until: 2026-01-31 }")}},
		{"a parameter of another kind", []edit{in(parametersFile, "value: 900", "value: much")}},
		{"parameters that overlap", []edit{in(parametersFile, "from: 2026-01-01", "from: 2025-12-31")}},
		{"a parameter of no day", []edit{in(parametersFile, "from: 2026-01-01", "from: 2026-13-01")}},

		// What nobody needs.
		{"an own field that nobody reads", []edit{matterAt("  - { field: number", "  - { field: extra, kind: BOOL, name: { zh: 多余 } }\n  - { field: number")}},
		{"a material that nobody needs", []edit{matterAt("materials: [id_card, plan]", "materials: [id_card]")}},

		// All of them in one run, each cause once.
		{"several in one bundle", []edit{matterAt("own.opens && own.kind.food", "own.opens && own.kind.foot"), matterAt(adult, `"age(form.owner.birht, today) >= 18"`),
			matterAt("materials: [id_card, plan]", "materials: [id_card, plann]"), matterAt("amount: yuan(60)", "amount: yuan(sixty)")}},
		{"several in one rule", []edit{matterAt(poor, "own.incom < params.bas && own.kind.foot,")}},
		{"several in several files", []edit{in(departmentsFile, "department: police", "department: market"), in(parametersFile, "value: 900", "value: much"), matterAt("level: COUNTY", "levle: COUNTY")}},
		{"a section that is missing tells nothing of what reads it", []edit{matterAt("section: shop, when", "section: shp, as: shop, when")}},
		{"a library with an error tells of bundles only what is theirs", []edit{in(materialsFile, "source: [E_CERTIFICATE, APPLICANT]", "source: [E_CERT]")}},
	}
	var golden strings.Builder
	for _, tt := range tests {
		tree := newTree(t, tt.edits...)
		_, found := catalog.Load(tree)
		fmt.Fprintf(&golden, "=== %s\n", tt.name)
		if err := (diag.Printer{Files: tree, All: true}).Print(&golden, found); err != nil {
			t.Fatal(err)
		}
		if len(tt.edits) > 0 && len(found) == 0 {
			t.Errorf("%s: nothing is found", tt.name)
		}
	}
	const name = "testdata/errors.golden"
	if *update {
		if err := os.WriteFile(name, []byte(golden.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(golden.String(), "\n")); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
