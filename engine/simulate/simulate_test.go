package simulate_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/simulate"
	"github.com/siyiban/onething/examples/holidays"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

const (
	sections    = "library: sections\nsections:\n  - section: person\n    name: { zh: 人 }\n    about: PERSON\n    fields: [{ field: id_no, kind: CITIZEN_NUMBER, name: { zh: 公民身份号码 }, required: true }]\n"
	departments = "library: departments\ndepartments:\n  - { department: market, name: { zh: 市场局 } }\n  - { department: police, name: { zh: 公安局 } }\n"
	pass        = `bundle: pass
name: { zh: 通行证 }
level: COUNTY
lead: market
applicant: [holder]
form: [{ section: person, as: holder }]
own:
  - { field: age, kind: INT, name: { zh: 年龄 }, required: true, min: "0", max: "150" }
  - { field: local, kind: BOOL, name: { zh: 本地 }, required: true }
  - { field: remark, kind: TEXT, name: { zh: 备注 } }
checks:
  - { id: possible, require: own.age < 140, because: { zh: 年龄可信 } }
eligibility:
  - { id: adult, require: own.age >= 18, because: { zh: 年满 18 周岁 }, remedy: { zh: 成年后申请 } }
materials:
  - { material: photo, name: { zh: 照片 }, source: [APPLICANT] }
  - { material: proof, name: { zh: 证明 }, source: [SHARED_DATA, APPLICANT], when: own.local }
steps:
  - id: check
    name: { zh: 审核 }
    department: police
    needs: { fields: [holder.id_no, own.age], materials: [photo] }
    promised: { working_days: 2 }
  - id: print
    name: { zh: 制证 }
    department: market
    after: [check]
    needs: { fields: [own.local, own.remark], materials: [proof] }
    promised: { working_days: 3 }
`
)

func version(t testing.TB, edits ...string) *catalog.Bundle {
	t.Helper()
	library, found := catalog.ParseLibrary(map[string][]byte{"sections.yaml": []byte(sections), "departments.yaml": []byte(departments)})
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	text := pass
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(text, edits[i]) {
			t.Fatalf("the bundle has no %q", edits[i])
		}
		text = strings.ReplaceAll(text, edits[i], edits[i+1])
	}
	b, found := catalog.ParseBundle(library, catalog.BundleFile("pass"), []byte(text))
	if err := found.Err(); err != nil {
		t.Fatalf("%v", found)
	}
	return b
}

func answers(t testing.TB, given map[string]any) map[string]*structpb.Value {
	t.Helper()
	encoded := map[string]*structpb.Value{}
	for p, v := range given {
		value, err := structpb.NewValue(v)
		if err != nil {
			t.Fatal(err)
		}
		encoded[p] = value
	}
	return encoded
}

func setting(t testing.TB) guide.Setting {
	t.Helper()
	days, found := calendar.Parse(holidays.File, holidays.Source())
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return guide.Setting{Today: kind.Date{Year: 2026, Month: 3, Day: 16}, Place: "321323", Calendar: days}
}

// whole are all answers, none of which may show in what is said.
func whole() map[string]any {
	return map[string]any{"form.holder.id_no": "321323199001010014", "own.pass.age": 44, "own.pass.local": true, "own.pass.remark": "秘密"}
}

// says is an effect in a line.
func says(e simulate.Effect) string {
	said := fmt.Sprintf("%s %v→%v", e.Kind, e.Before, e.After)
	if e.Move != "" {
		said += " " + string(e.Move)
	}
	for _, r := range e.Reasons {
		said += fmt.Sprintf("; %s %s", r.Code, r.Item)
		if r.Name.ZH != "" {
			said += " " + r.Name.ZH
		}
	}
	return said
}

// asking is an edit with a question more.
var asking = []string{"  - { field: remark,", "  - { field: size, kind: INT, name: { zh: 身高 }, required: true }\n  - { field: remark,", "fields: [own.local,", "fields: [own.size, own.local,"}

func TestDraft(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		without []string
		but     map[string]any
		bare    bool // without the photo
		edits   []string
		want    string
	}{
		{name: "nothing", want: "UNCHANGED ELIGIBLE→ELIGIBLE"},
		{name: "other words", edits: []string{"zh: 年满 18 周岁", "zh: 须成年"}, want: "UNCHANGED ELIGIBLE→ELIGIBLE"},
		{name: "a rule that fails", edits: []string{"own.age >= 18", "own.age >= 60"}, want: "VERDICT ELIGIBLE→NOT_ELIGIBLE; RULE_FAILS adult 年满 18 周岁"},
		{name: "a rule that fails no more", but: map[string]any{"own.pass.age": 17}, edits: []string{"own.age >= 18", "own.age >= 16"}, want: "VERDICT NOT_ELIGIBLE→ELIGIBLE; RULE_HOLDS adult 年满 18 周岁"},
		{name: "a rule that fails in both", but: map[string]any{"own.pass.age": 12}, edits: []string{"own.age >= 18", "own.age >= 16"}, want: "UNCHANGED NOT_ELIGIBLE→NOT_ELIGIBLE"},
		{name: "a question more", edits: asking, want: "ASKS ELIGIBLE→ELIGIBLE; ANSWER_MISSING own.pass.size 身高"},
		{name: "a question more that decides", edits: append([]string{"own.age >= 18,", "own.age >= 18 && own.size > 3,"}, asking...), want: "ASKS ELIGIBLE→UNDECIDED; ANSWER_MISSING own.pass.size 身高; RULE_OPEN adult 年满 18 周岁"},
		{name: "a question that may be left blank", edits: []string{"  - { field: remark,", "  - { field: size, kind: INT, name: { zh: 身高 } }\n  - { field: remark,", "fields: [own.local,", "fields: [own.size, own.local,"}, want: "UNCHANGED ELIGIBLE→ELIGIBLE"},
		{name: "what was missing before is not told", without: []string{"own.pass.local"}, edits: []string{"zh: 本地", "zh: 本市"}, want: "UNCHANGED ELIGIBLE→ELIGIBLE"},
		{name: "an answer that is gone", edits: []string{"  - { field: remark, kind: TEXT, name: { zh: 备注 } }\n", "", ", own.remark]", "]"}, want: "OTHERWISE ELIGIBLE→ELIGIBLE; ANSWER_GONE own.pass.remark 备注"},
		{name: "an answer of another kind", edits: []string{"field: remark, kind: TEXT, name: { zh: 备注 }", "field: remark, kind: INT, name: { zh: 备注 }, required: true"}, want: "ASKS ELIGIBLE→ELIGIBLE; ANSWER_GONE own.pass.remark 备注; ANSWER_MISSING own.pass.remark 备注"},
		{name: "an answer out of bounds", edits: []string{`max: "150"`, `max: "40"`}, want: "ASKS ELIGIBLE→ELIGIBLE; ANSWER_FAULT own.pass.age 年龄"},
		{name: "what is not plausible", edits: []string{"own.age < 140", "own.age < 40"}, want: "ASKS ELIGIBLE→ELIGIBLE; ANSWER_FAULT possible 年龄可信"},
		{name: "a material more", edits: []string{"  - { material: proof,", "  - { material: form, name: { zh: 表 }, source: [APPLICANT] }\n  - { material: proof,", "materials: [proof]", "materials: [proof, form]"}, want: "ASKS ELIGIBLE→ELIGIBLE; MATERIAL_MISSING form 表"},
		{name: "a material more that is there", edits: []string{"material: photo, name: { zh: 照片 }", "material: photo, name: { zh: 照片 }, when: own.local"}, but: map[string]any{"own.pass.local": false}, want: "OTHERWISE ELIGIBLE→ELIGIBLE; MATERIAL_GONE photo 照片"},
		{name: "a material more that comes by itself", edits: []string{", when: own.local }", " }"}, but: map[string]any{"own.pass.local": false}, want: "OTHERWISE ELIGIBLE→ELIGIBLE; MATERIAL_ASKED proof 证明"},
		{name: "a step more", edits: []string{"  - id: print\n", "  - id: tell\n    name: { zh: 告知 }\n    department: police\n    needs: { fields: [own.age] }\n    promised: { working_days: 1 }\n  - id: print\n"}, want: "OTHERWISE ELIGIBLE→ELIGIBLE; STEP_APPLIES tell 告知"},
		{name: "a step less, and a limit", edits: []string{"    after: [check]\n", "    after: [check]\n    when: own.age > 60\n"}, want: "OTHERWISE ELIGIBLE→ELIGIBLE; LIMIT_CHANGES pass 通行证; MATERIAL_GONE proof 证明; STEP_GONE print 制证"},
		{name: "a fee", edits: []string{"    promised: { working_days: 3 }\n", "    promised: { working_days: 3 }\n    fee: { amount: yuan(5) }\n"}, want: "OTHERWISE ELIGIBLE→ELIGIBLE; FEE_CHANGES pass 通行证"},
		{name: "everything at once", edits: append([]string{"own.age >= 18", "own.age >= 60", "    promised: { working_days: 3 }\n", "    promised: { working_days: 4 }\n"}, asking...),
			want: "VERDICT ELIGIBLE→NOT_ELIGIBLE; ANSWER_MISSING own.pass.size 身高; LIMIT_CHANGES pass 通行证; RULE_FAILS adult 年满 18 周岁"},
		{name: "nothing answered yet", without: []string{"form.holder.id_no", "own.pass.age", "own.pass.local", "own.pass.remark"}, bare: true, edits: []string{"own.age >= 18", "own.age >= 60"}, want: "UNCHANGED UNDECIDED→UNDECIDED"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			given := whole()
			maps.Copy(given, tt.but)
			for _, p := range tt.without {
				delete(given, p)
			}
			encoded := answers(t, given)
			old, err := catalog.Select(version(t))
			if err != nil {
				t.Fatal(err)
			}
			got := simulate.Draft(old, version(t, tt.edits...), func(s *catalog.Selection) forms.Record {
				r, _ := forms.Decode(encoded, s.Field)
				return r
			}, setting(t), func(key string) bool { return !tt.bare && key == "own.pass.photo" })
			if diff := cmp.Diff(tt.want, says(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, value := range []string{"321323199001010014", "44", "秘密"} {
				if strings.Contains(says(got), value) {
					t.Errorf("it says a value: %s", says(got))
				}
			}
		})
	}
}

// filed is an application for a pass, accepted where it says so.
func filed(t testing.TB, accepted bool) (application.State, application.World) {
	t.Helper()
	selection, err := catalog.Select(version(t))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 16, 9, 0, 0, 0, time.FixedZone("CST", 8*60*60))
	w := application.World{Now: at, Actor: &applicationv1.Actor{Role: applicationv1.Role_ROLE_APPLICANT}, Selection: selection, Calendar: setting(t).Calendar, Place: "321323"}
	if w.Number, err = application.NewNumber("321323", kind.DateOf(at), 7); err != nil {
		t.Fatal(err)
	}
	record, _ := forms.Decode(answers(t, whole()), selection.Field)
	s := application.State{ID: "a"}
	commands := []application.Command{application.Submit{Record: record, Documents: application.Documents{Files: []*applicationv1.MaterialFile{{Material: "own.pass.photo", Name: "a.pdf", Blob: "b"}}}}}
	if accepted {
		commands = append(commands, application.Accept{Bundle: "pass", OverrideReason: "是"})
	}
	for _, c := range commands {
		events, err := application.Decide(s, c, w)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			s = application.Evolve(s, e)
			if r := e.GetPersonal().GetRecord(); r != nil {
				w.Record, _ = forms.Decode(r.GetAnswers(), selection.Field)
			}
		}
	}
	return s, w
}

func TestCase(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		accepted bool
		edits    []string
		want     string
	}{
		{name: "the version that it has", want: "UNCHANGED ELIGIBLE→ELIGIBLE"},
		{name: "other words", edits: []string{"zh: 年满 18 周岁", "zh: 须成年"}, want: "UNCHANGED ELIGIBLE→ELIGIBLE MOVES"},
		{name: "other words, accepted", accepted: true, edits: []string{"zh: 年满 18 周岁", "zh: 须成年"}, want: "UNCHANGED ELIGIBLE→ELIGIBLE MOVES"},
		{name: "a question more", edits: asking, want: "ASKS ELIGIBLE→ELIGIBLE MOVES_WITH; ANSWER_MISSING own.pass.size 身高"},
		{name: "a material more", edits: []string{"  - { material: proof,", "  - { material: form, name: { zh: 表 }, source: [APPLICANT] }\n  - { material: proof,", "materials: [proof]", "materials: [proof, form]"}, want: "ASKS ELIGIBLE→ELIGIBLE MOVES_WITH; MATERIAL_MISSING form 表"},
		{name: "a rule that fails", edits: []string{"own.age >= 18", "own.age >= 60"}, want: "VERDICT ELIGIBLE→NOT_ELIGIBLE STAYS; RULE_FAILS adult 年满 18 周岁"},
		{name: "a step that is under way", accepted: true, edits: []string{"    promised: { working_days: 2 }", "    promised: { working_days: 1 }"}, want: "OTHERWISE ELIGIBLE→ELIGIBLE STAYS; LIMIT_CHANGES pass 通行证; STEP_BEGUN check 审核"},
		{name: "a limit that is shorter", accepted: true, edits: []string{"    promised: { working_days: 3 }", "    promised: { working_days: 1 }"}, want: "OTHERWISE ELIGIBLE→ELIGIBLE MOVES; LIMIT_CHANGES pass 通行证"},
		{name: "a limit that is longer", accepted: true, edits: []string{"    promised: { working_days: 3 }", "    promised: { working_days: 4 }"}, want: "OTHERWISE ELIGIBLE→ELIGIBLE STAYS; LIMIT_CHANGES pass 通行证; PROMISE_WORSE due"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, w := filed(t, tt.accepted)
			if diff := cmp.Diff(tt.want, says(simulate.Case(s, w, version(t, tt.edits...)))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A sum holds each kind and each reason once, however many effects there are.
func TestSum(t *testing.T) {
	t.Parallel()
	var sum simulate.Sum
	if sum.Changes() {
		t.Error("nothing changes something")
	}
	because := func(codes ...simulate.Code) (all []simulate.Reason) {
		for _, c := range codes {
			all = append(all, simulate.Reason{Code: c, Item: "x"})
		}
		return all
	}
	for range 3 {
		sum.Add(simulate.Effect{Kind: simulate.Otherwise, Move: simulate.Moves, Reasons: because(simulate.StepGone)}, false)
	}
	if sum.Changes() {
		t.Error("what asks nothing of anybody changes something")
	}
	sum.Add(simulate.Effect{Kind: simulate.Asks, Reasons: because(simulate.AnswerMissing, simulate.StepGone)}, true)
	want := []simulate.Counted{{Reason: because(simulate.StepGone)[0], N: 4}, {Reason: because(simulate.AnswerMissing)[0], N: 1}}
	if diff := cmp.Diff(want, sum.Reasons()); diff != "" || sum.Applications.Total != 3 || sum.Drafts.Total != 1 || sum.Applications.Moves[simulate.Moves] != 3 || sum.Drafts.Kinds[simulate.Asks] != 1 || !sum.Changes() {
		t.Errorf("%+v\n%s", sum, diff)
	}
}
