package notices

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/formula"
	"github.com/siyiban/onething/forms/kind"
	noticev1 "github.com/siyiban/onething/proto/gen/onething/notice/v1"
)

// Codes of the findings in a file of templates, documented in docs/diagnostics.md beside those of formulas.
const (
	CodeUnknown = "notice-unknown" // no such notice, or not to them
	CodeTwice   = "notice-twice"   // two templates of one notice
	CodeText    = "notice-text"    // says nothing, or too much
)

// Bounds of a text, in code points.
const (
	maxSubject = 120
	maxText    = 4000
)

//go:embed templates.yaml
var defaults []byte

// key is what a template is of.
type key struct {
	kind string
	to   Recipient
}

// kinds are the notices, with the names that each may use beside number and matter.
func kinds() map[key][]string {
	return map[key][]string{
		{"accepted", Applicant}:         {"day", "date"},
		{"not_accepted", Applicant}:     {"elsewhere"},
		{"correction", Applicant}:       {"notice", "date", "step", "department"},
		{"paused", Applicant}:           {"notice", "procedure", "day", "days", "step", "department"},
		{"resumed", Applicant}:          {"day", "date", "step", "department"},
		{"extended", Applicant}:         {"notice", "days", "date", "item", "step", "department", "material"},
		{"reminder", Applicant}:         {"clock", "date", "item", "material", "step", "department"},
		{"tolerance_lapsed", Applicant}: {"then", "date", "material"},
		{"result_issued", Applicant}:    {"date", "step", "department"},
		{"promise_false", Applicant}:    {"material"},
		{"revoked", Applicant}:          {"step", "department"},
		{"case_ended", Applicant}:       {"outcome"},
		{"case_waiting", Clerk}:         {"date"},
		{"warning", Clerk}:              {"clock", "colour", "date"},
		{"warning", Officer}:            {"clock", "colour", "date", "item", "task", "step", "department", "material"},
		{"task_opened", Officer}:        {"date", "task", "step", "department", "purpose"},
		{"promise_false", Officer}:      {"material", "task", "step", "department"},
	}
}

// fields are the names with their kinds. Those of a person are for applicants only: an office reads them where its sight
// is recorded.
func fields(k key, names []string) []*forms.Field {
	options := map[string][]forms.Option{
		"procedure": {option("hearing", "听证"), option("tender", "招标"), option("auction", "拍卖"), option("inspection", "检验"), option("testing", "检测"),
			option("quarantine", "检疫"), option("appraisal", "鉴定"), option("expert_review", "专家评审"), option("publicity", "公示")},
		"outcome": {option("granted", "全部办结"), option("partly_granted", "部分办结"), option("rejected", "未获批准"), option("expired", "逾期未补正，办理终止"),
			option("ended", "逾期未补交材料，办理终止")},
		"clock": {option("notice", "受理审查"), option("correction", "补正"), option("promised", "承诺时限"), option("statutory", "法定时限"),
			option("tolerance", "容缺补交"), option("suspension", "暂停期间补交"), option("verification", "承诺核查")},
		"colour":  {option("yellow", "黄色"), option("red", "红色")},
		"then":    {option("remind", "请尽快补交"), option("suspend", "办理暂停"), option("end", "办理终止")},
		"purpose": {option("revoke", "撤销"), option("correct", "责令改正")},
	}
	types := map[string]kind.Kind{"day": kind.KindDate, "date": kind.KindDate, "days": kind.KindInt, "elsewhere": kind.KindBool, "phone": kind.KindPhone}
	all := append([]string{"number", "matter"}, names...)
	if k.to == Applicant {
		all = append(all, "name", "phone")
	}
	var list []*forms.Field
	for _, name := range all {
		f := &forms.Field{ID: name, Kind: kind.KindText, Options: options[name]}
		if t, ok := types[name]; ok {
			f.Kind = t
		}
		if f.Options != nil {
			f.Kind = kind.KindChoice
		}
		list = append(list, f)
	}
	return list
}

func option(id, zh string) forms.Option { return forms.Option{ID: id, Name: forms.Text{ZH: zh}} }

// Templates are the compiled templates. They are immutable.
type Templates struct {
	all map[key]template
}

type template struct {
	subject, text *formula.Template
	off           bool
}

// DefaultTemplates are those that an installation begins with, as their file stands.
func DefaultTemplates() []byte { return defaults }

// LoadTemplates compiles a file of templates; those that it does not give are the default ones, and without a file all
// are. It reports everything that is wrong, each with its place.
func LoadTemplates(file string, text []byte) (*Templates, diag.List) {
	t, found := compile("templates.yaml", defaults)
	if len(found) > 0 || text == nil {
		return t, found
	}
	own, found := compile(file, text)
	if found.Err() != nil {
		return nil, found.Sorted()
	}
	maps.Copy(t.all, own.all)
	return t, found
}

func compile(file string, text []byte) (*Templates, diag.List) {
	var read noticev1.Templates
	source, found := diag.ReadYAML(file, text, &read, nil)
	if found.Err() != nil {
		return nil, found.Sorted()
	}
	t := &Templates{all: map[key]template{}}
	known := kinds()
	for i, m := range read.GetNotices() {
		path := fmt.Sprintf("notices[%d]", i)
		report := func(member, code, message, hint string) {
			found = append(found, diag.Diagnostic{Span: source.At(m, member), Severity: diag.Error, Code: code, Path: strings.Trim(path+"."+member, "."), Message: message, Hint: hint})
		}
		k := key{m.GetNotice(), Recipient(m.GetTo())}
		names, ok := known[k]
		if !ok {
			unknown(known, k, report)
			continue
		}
		if _, twice := t.all[k]; twice {
			report("notice", CodeTwice, fmt.Sprintf("the notice %s to %s stands here twice", k.kind, k.to), "keep one of them")
			continue
		}
		if m.GetOff() {
			t.all[k] = template{off: true}
			continue
		}
		if m.GetSubject() == "" || strings.ContainsAny(m.GetSubject(), "\n\r") || len([]rune(m.GetSubject())) > maxSubject {
			report("subject", CodeText, fmt.Sprintf("a subject is one line of at most %d characters", maxSubject), "")
		}
		if m.GetText() == "" || len([]rune(m.GetText())) > maxText {
			report("text", CodeText, fmt.Sprintf("a text has at most %d characters, and one at least", maxText), "a notice that is not to be sent has off: true")
		}
		env, err := formula.NewEnv(forms.Scope{This: fields(k, names)})
		if err != nil { // two fields of one name: kinds says so
			report("", CodeUnknown, err.Error(), "")
			continue
		}
		text := func(member string) *formula.Template {
			compiled, faults := env.CompileText(source.Scalar(m, member, path+"."+member))
			found = append(found, faults...)
			if compiled == nil {
				return nil
			}
			for _, p := range compiled.Reads() {
				if !strings.HasPrefix(string(p), "this.") {
					report(member, CodeUnknown, fmt.Sprintf("a notice does not know %s", p), "it says the same at every attempt; a date that it may name is this.date")
				}
			}
			return compiled
		}
		t.all[k] = template{subject: text("subject"), text: text("text")}
	}
	if found.Err() != nil {
		return nil, found.Sorted()
	}
	return t, found
}

// unknown reports a notice that does not exist.
func unknown(known map[key][]string, k key, report func(member, code, message, hint string)) {
	var names, recipients []string
	for there := range known {
		names = append(names, there.kind)
		if there.kind == k.kind {
			recipients = append(recipients, string(there.to))
		}
	}
	slices.Sort(names)
	slices.Sort(recipients)
	if len(recipients) > 0 {
		report("to", CodeUnknown, fmt.Sprintf("the notice %s is not for %q", k.kind, k.to), "it is for "+strings.Join(recipients, " or "))
		return
	}
	hint := "the notices are " + strings.Join(slices.Compact(names), ", ")
	if near := diag.Nearest(k.kind, names); near != "" {
		hint = "did you mean " + near + "?"
	}
	report("notice", CodeUnknown, fmt.Sprintf("there is no notice %q", k.kind), hint)
}

// sends says whether a notice is sent at all.
func (t *Templates) sends(kind string, to Recipient) bool {
	template, ok := t.all[key{kind, to}]
	return ok && !template.off
}

// render writes a notice; false: it is not sent. A template gets the values that it names, and no other.
func (t *Templates) render(kind string, to Recipient, f facts) (subject, text string, ok bool) {
	if !t.sends(kind, to) {
		return "", "", false
	}
	template := t.all[key{kind, to}]
	subject = strings.Map(func(r rune) rune { // a header is one line, whatever an applicant is called
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, template.subject.Render(named{template.subject.Reads(), f}))
	return subject, strings.TrimSpace(template.text.Render(named{template.text.Reads(), f})), true
}

// named are the values that a template names.
type named struct {
	paths []forms.Path
	facts facts
}

// State implements [forms.Env].
func (n named) State(p forms.Path) forms.State {
	if value, ok := n.facts[strings.TrimPrefix(string(p), "this.")]; ok && slices.Contains(n.paths, p) {
		return forms.State{Status: forms.Known, Value: value}
	}
	return forms.State{Status: forms.Blank}
}

// AddWorkingDays implements [forms.Env]: a notice counts no days.
func (named) AddWorkingDays(d kind.Date, _ int) (kind.Date, int, bool) { return d, d.Year, false }

// WorkingDaysBetween implements [forms.Env].
func (named) WorkingDaysBetween(a, _ kind.Date) (int, int, bool) { return 0, a.Year, false }
