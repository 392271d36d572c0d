package main

import (
	"testing"

	"github.com/siyiban/onething/examples/plugins/guest"
	plugin "github.com/siyiban/onething/sdk/go"
	"github.com/siyiban/onething/sdk/go/plugintest"
)

func cases() []plugintest.Case {
	check := func(name, kind string, findings ...string) plugintest.Case {
		answers := plugin.Values{pathName: plugin.Text(name)}
		if kind != "" {
			answers[pathKind] = plugin.Choice(kind)
		}
		return plugintest.Case{
			Name: kind + " " + name, Hook: plugin.HookCheck, Bundle: "company_setup", Step: "reg", Today: "2026-03-16", Place: "321323",
			Answers: answers, Want: plugintest.Want{Findings: findings},
		}
	}
	all := []plugintest.Case{
		check("泗阳县青禾农业科技有限公司", "llc"),
		check("泗阳县青禾农业科技有限责任公司", "llc"),
		check("江苏青禾农业股份有限公司", "joint_stock"),
		check("江苏青禾农业股份公司", "joint_stock"),
		check("青禾（泗阳）食品有限公司", "llc"),
		check("泗阳县青禾农业股份有限公司", "llc", "form_differs@"+pathName),
		check("泗阳县青禾农业有限公司", "joint_stock", "form_differs"),
		check("泗阳县青禾农业", "llc", "form_differs"),
		check("青有限公司", "llc", "too_short"),
		check("青禾有限公司", "llc"),
		check("有限公司", "llc", "too_short"),
		check("中国青禾有限公司", "llc", "national_in_front"),
		check("国家青禾有限公司", "llc", "national_in_front"),
		check("青禾中国茶业有限公司", "llc", "national_inside"),
		check("青禾Tech有限公司", "llc", "not_chinese"),
		check("青禾 有限公司", "llc", "not_chinese"),
		check("中华A公司", "llc", "not_chinese", "national_in_front", "form_differs"),
		check("青禾合作社", "cooperative"),
		check("青", "", "too_short"),
		check("青禾有限公司", ""),
	}
	return append(all, plugintest.Case{Name: "no name", Hook: plugin.HookCheck, Bundle: "company_setup", Step: "reg", Today: "2026-03-16"})
}

func TestCompanyName(t *testing.T) {
	t.Parallel()
	plugintest.Run(t, companyName(), cases())
}

// The packed guest answers as the native plugin does.
func TestGuest(t *testing.T) {
	t.Parallel()
	guest.Same(t, companyName(), cases())
}
