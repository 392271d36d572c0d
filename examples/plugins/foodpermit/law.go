package main

import "slices"

// need is a document or a facility that has to be there: any of the options fulfils it.
type need struct {
	any []string
	zh  string
}

func one(id, zh string) need { return need{[]string{id}, zh} }

// documents are those with which a permit is applied for. A business licence that the office can verify online is not
// asked for; who sells from machines adds where each stands, how the permit is shown, and how risks are kept in check.
func documents(licenceOnline, vending bool) []need {
	needed := []need{one("application", "食品经营许可申请书")}
	if !licenceOnline {
		needed = append(needed, one("licence", "营业执照或者其他主体资格证明文件"))
	}
	needed = append(needed, one("layout", "主要设备设施、经营布局、操作流程等文件"), one("rules", "食品安全规章制度目录清单"))
	if vending {
		needed = append(needed, one("vending_plan", "每台自动设备的放置地点、许可证展示方法和食品安全风险管控方案"))
	}
	return needed
}

// recordOnly reports whether nothing but prepacked food is sold: that is recorded, and not permitted.
func recordOnly(kind string, items []string) bool {
	return kind == "retail" && len(items) > 0 && !slices.ContainsFunc(items, func(item string) bool { return item != "prepacked" })
}

// rawCanteen reports whether a canteen makes raw dishes.
func rawCanteen(kind string, items []string) bool {
	return kind == "canteen" && slices.Contains(items, "raw")
}

// facilities are what the items need together, each once, in the order in which the items come in the form.
func facilities(items []string) []need {
	var needed []need
	for _, item := range []string{"prepacked", "bulk", "special", "hot", "cold", "raw", "half", "pastry", "cold_pastry", "drink"} {
		if !slices.Contains(items, item) {
			continue
		}
		for _, n := range facilitiesOf(item) {
			if !slices.ContainsFunc(needed, func(m need) bool { return slices.Equal(m.any, n.any) }) {
				needed = append(needed, n)
			}
		}
	}
	// A room of its own does what an area of its own does: who needs the room is not asked for the area too.
	if slices.ContainsFunc(needed, func(n need) bool { return slices.Equal(n.any, []string{"special_room"}) }) {
		needed = slices.DeleteFunc(needed, func(n need) bool { return len(n.any) > 1 })
	}
	return needed
}

// facilitiesOf are what one item needs. Other items have no list: officers look at them.
func facilitiesOf(item string) []need {
	var (
		kitchen  = one("kitchen", "与就餐规模相适应的加工操作场所")
		washing  = one("washing", "清洗、消毒、保洁设施")
		waste    = one("waste", "废弃物存放设施")
		cold     = one("cold_storage", "冷藏冷冻设施")
		room     = one("special_room", "专间")
		area     = need{[]string{"special_area", "special_room"}, "专用操作区或者专间"}
		covered  = one("covered_containers", "散装食品防尘防蝇遮盖设施和专用取用工具")
		showcase = one("special_shelf", "特殊食品专柜或者专区")
	)
	switch item {
	case "bulk":
		return []need{covered}
	case "special":
		return []need{showcase}
	case "hot", "pastry":
		return []need{kitchen, washing, waste}
	case "half":
		return []need{kitchen, washing, waste, cold}
	case "cold":
		return []need{kitchen, washing, waste, cold, area}
	case "raw", "cold_pastry":
		return []need{kitchen, washing, waste, cold, room}
	case "drink":
		return []need{washing, waste, area}
	default:
		return nil
	}
}
