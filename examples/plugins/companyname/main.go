// Command companyname is the plugin approval/company_name: it checks the form of an enterprise's name before an officer
// does. README.md says what it finds and what it leaves to an officer.
package main

import (
	"strings"
	"unicode"
	"unicode/utf8"

	plugin "github.com/siyiban/onething/sdk/go"
)

// A WebAssembly reactor runs package variables and never main.
var _ = plugin.Serve(companyName())

func main() {}

func companyName() plugin.Plugin { return plugin.Plugin{Check: check} }

const (
	pathName = "form.company.name"
	pathKind = "form.company.kind"

	regulation = "企业名称登记管理规定"
)

// endings are the forms of organisation with which a name may end, by the kind of the enterprise. The longer stands first.
func endings(kind string) []string {
	switch kind {
	case "llc":
		return []string{"有限责任公司", "有限公司"}
	case "joint_stock":
		return []string{"股份有限公司", "股份公司"}
	default:
		return nil
	}
}

// national are the words that need the State Council's approval in front of a name.
func national() []string { return []string{"中国", "中华", "中央", "全国", "国家"} }

func check(call *plugin.Call) ([]plugin.Finding, error) {
	name, named := call.Text(pathName)
	kind, known := call.Choice(pathKind)
	if !named {
		return nil, nil
	}
	var found []plugin.Finding
	add := func(severity plugin.Severity, code, article, zh, en string) {
		found = append(found, plugin.Finding{Code: code, Severity: severity, Path: pathName, TextZH: zh, TextEN: en, Basis: regulation + " " + article})
	}
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.Is(unicode.Han, r) && !strings.ContainsRune("（）()", r) }) {
		add(plugin.Correct, "not_chinese", "第五条", "企业名称应当使用规范汉字，请更正", "A name is written in Chinese characters")
	}
	for _, word := range national() {
		switch i := strings.Index(name, word); {
		case i == 0:
			add(plugin.Obstacle, "national_in_front", "第十二条", "名称冠以“"+word+"”须经国务院批准，请更正或者提交批准文件", "In front of a name this needs the State Council's approval")
		case i > 0:
			add(plugin.Note, "national_inside", "第十二条", "名称中间含有“"+word+"”，只能作为行业限定语，由登记机关核实", "Inside a name this may only say what the trade is")
		}
	}
	stem, fits := name, true
	if ends := endings(kind); known && ends != nil {
		fits = false
		for _, end := range ends {
			if rest, ok := strings.CutSuffix(name, end); ok {
				stem, fits = rest, true
				break
			}
		}
		// 股份有限公司 ends with 有限公司 too, and is another form.
		if kind == "llc" && strings.HasSuffix(name, "股份有限公司") {
			fits = false
		}
	}
	if !fits {
		add(plugin.Correct, "form_differs", "第十条", "名称中的组织形式与企业类型不符，请更正", "The form of organisation in the name is not that of the enterprise")
	} else if utf8.RuneCountInString(stem) < 2 {
		add(plugin.Correct, "too_short", "第八条", "字号应当由两个以上汉字组成，请更正", "The name proper has two characters at least")
	}
	return found, nil
}
