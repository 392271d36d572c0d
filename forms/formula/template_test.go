package formula

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

func TestTemplate(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"plain", "各股东认缴额之和", "各股东认缴额之和"},
		{"empty", "", ""},
		{"backslash without a brace", `a\b`, `a\b`},
		{"money", "共 {own.income}。", "共 1,200.00 元。"},
		{"date", "{form.mother.born}生", "2000年2月29日生"},
		{"yes and no", "{own.single}{!own.single}", "是否"},
		{"choice", "{own.wedlock}", "选项married"},
		{"choices", "{own.lost}", "选项card"},
		{"int", "{own.n}件", "7件"},
		{"decimal", "{own.rate}", "1.1"},
		{"text", "股东 {form.mother.name} 的身份证明", "股东 张三 的身份证明"},
		{"address", "{form.mother.hukou}", "众兴镇某路1号"},
		{"citizen number", "{form.mother.id_no}", "11010519491231002X"},
		{"formula", "还差 {own.income - yuan(0.01)}", "还差 1,199.99 元"},
		{"escaped", `\{own.n}`, "{own.n}"},
		{"escaped and not", `\{{own.n}}`, "{7}"},
		{"quotes with a brace", `{own.single ? "}" : "{"}`, "}"},
		{"blank", "{own.note}", "——"},
		{"computed from a blank", "{own.sum + yuan(1)}", "——"},
		{"guarded blank", `{given(own.note, "无")}`, "无"},
		{"empty text", `{given(own.note, "")}`, "——"},
		{"fault", "{div(1, own.n - 7)}", "——"},
	}
	e := newEnv(t, scope())
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tmpl, diags := e.CompileText(scalar(test.text))
			if tmpl == nil {
				t.Fatal(diags)
			}
			if got := tmpl.Render(filled()); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	t.Run("unknown", func(t *testing.T) {
		t.Parallel()
		tmpl, _ := e.CompileText(scalar("共 {own.income} 和 {own.fee}，{own.income}"))
		if got, want := tmpl.Render(record{"own.test.fee": kind.Money(5)}), "共 —— 和 0.05 元，——"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if diff := cmp.Diff([]forms.Path{"own.test.income", "own.test.fee"}, tmpl.Reads()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCompileText_Findings(t *testing.T) {
	t.Parallel()
	e := newEnv(t, scope())
	for _, test := range []struct {
		name, text, code string
		from, to         int
	}{
		{"field", "共 {own.incom} 元", CodeUnknownField, 3, 12},
		{"not closed", "共 {own.income", CodeSyntax, 2, 3},
		{"nothing", "共 {} 元", CodeSyntax, 2, 4},
		{"region", "{place}", CodeType, 1, 6},
		{"list", "{form.company.owners}", CodeType, 1, 20},
		{"a file", "{own.proof}", CodeType, 1, 10},
		{"syntax", "汉字 {own.n +}", CodeSyntax, 10, 11},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tmpl, diags := e.CompileText(scalar(test.text))
			if tmpl != nil || len(diags) == 0 {
				t.Fatal("compiled")
			}
			if want := scalar(test.text).Span(test.from, test.to); diags[0].Span != want || diags[0].Code != test.code {
				t.Errorf("got %s at %+v, want %s at %+v", diags[0].Code, diags[0].Span, test.code, want)
			}
		})
	}
	t.Run("every finding", func(t *testing.T) {
		t.Parallel()
		if _, diags := e.CompileText(scalar("{own.a} {own.b} {}")); len(diags) != 3 {
			t.Errorf("got %v", diags)
		}
	})
}
