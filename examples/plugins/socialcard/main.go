// Command socialcard is the plugin hrss/social_security_card: it issues a person's first social security card.
// README.md says what it decides and what it leaves to an officer.
package main

import (
	"github.com/siyiban/onething/examples/plugins/civil"
	"github.com/siyiban/onething/examples/plugins/notice"
	plugin "github.com/siyiban/onething/sdk/go"
)

// A WebAssembly reactor runs package variables and never main.
var _ = plugin.Serve(socialcard())

func main() {}

func socialcard() plugin.Plugin {
	return plugin.Plugin{Check: check, Decide: decide, Issue: issue}
}

// Paths and parameters.
const (
	pathNumber   = "results.household.id_no"
	pathName     = "form.newborn.name"
	pathBorn     = "form.newborn.birth_date"
	pathMother   = "form.mother.name"
	pathMotherID = "form.mother.id_no"
	pathFather   = "form.father.name"
	pathFatherID = "form.father.id_no"
	pathMethod   = "form.delivery.method"
	pathAddress  = "form.delivery.addr"
	pathReceiver = "form.delivery.receiver"
	pathPhone    = "form.delivery.phone"
	paramYears   = "social_card_valid_years"

	purpose       = "核实是否已持有社会保障卡"
	basisCard     = "社会保险法 第五十八条；人社部发〔2011〕47号"
	basisGuardian = "民法典 第二十七条"
)

// sourceCards is the shared data of cards, by citizen number: state, one of the states below.
const sourceCards = "social_security_card"

// Ways of delivery, as the form's options have them.
const (
	byCounter    = "counter"
	byPost       = "post"
	electronical = "electronic"
)

// delivery is how the card comes to the holder.
type delivery struct {
	method, receiver, phone string
	address                 plugin.Address
}

// readDelivery reads it; a card that is posted needs an address, a receiver and a telephone.
func readDelivery(call *plugin.Call) (delivery, []plugin.Finding) {
	var d delivery
	d.method, _ = call.Choice(pathMethod)
	if d.method != byPost {
		if d.method != byCounter && d.method != electronical {
			return d, []plugin.Finding{missing(pathMethod)}
		}
		return d, nil
	}
	var found []plugin.Finding
	need := func(path string, ok bool) {
		if !ok {
			found = append(found, plugin.Finding{Code: "post_incomplete", Severity: plugin.Correct, Path: path,
				TextZH: "选择邮政寄递的，请填写寄递地址、收件人和收件电话", TextEN: "Delivery by post needs an address, a receiver and a telephone"})
		}
	}
	var ok bool
	d.address, ok = call.Address(pathAddress)
	need(pathAddress, ok && d.address.Text != "")
	d.receiver, ok = call.Text(pathReceiver)
	need(pathReceiver, ok && d.receiver != "")
	d.phone, ok = call.Text(pathPhone)
	need(pathPhone, ok && d.phone != "")
	return d, found
}

// text is the delivery as the result has it. A card is a thing: who asks for electronic delivery gets the electronic
// card at once, and the card itself at the counter.
func (d delivery) text() string {
	switch d.method {
	case byPost:
		return "邮政寄递：" + d.receiver + "，" + d.address.Text
	case electronical:
		return "电子社保卡即时签发，实体卡窗口领取"
	default:
		return "窗口领取"
	}
}

func electronicNote() plugin.Finding {
	return note("card_at_counter", pathMethod, "实体社会保障卡不能电子送达，电子社保卡签发后请到窗口领取实体卡", "The card itself is collected at the counter; the electronic card comes at once")
}

// parents are whom the form names as mother and father, those who are complete.
type person struct {
	name       string
	number     plugin.CitizenNumber
	numberPath string
}

func readParents(call *plugin.Call) []person {
	var parents []person
	for _, p := range []struct{ name, number string }{{pathMother, pathMotherID}, {pathFather, pathFatherID}} {
		name, named := call.Text(p.name)
		number, numbered := call.CitizenNumber(p.number)
		if named && numbered {
			parents = append(parents, person{name, number, p.number})
		}
	}
	return parents
}

// guardian is the first parent who is of age, the mother before the father. The finding says why there is none.
func guardian(parents []person, on plugin.Date) (string, *plugin.Finding) {
	if len(parents) == 0 {
		return "", &plugin.Finding{Code: "guardian_missing", Severity: plugin.Correct, Path: pathMother, Basis: basisGuardian,
			TextZH: "未成年人申领社会保障卡须由监护人代办，请填写监护人姓名和公民身份号码", TextEN: "A minor's card is applied for by a guardian; name one"}
	}
	for _, p := range parents {
		n, ok := civil.ReadNumber(p.number)
		if !ok {
			return "", &plugin.Finding{Code: "guardian_number", Severity: plugin.Correct, Path: p.numberPath, Basis: "GB 11643-1999",
				TextZH: "监护人公民身份号码有误，请核对", TextEN: "The guardian's citizen number is wrong"}
		}
		if capacityOf(n.Birth, on) == actsAlone {
			return p.name, nil
		}
	}
	f := note("guardian_minor", parents[0].numberPath, "父母未满十八周岁，由经办人核实监护人", "The parents are under age; an officer finds the guardian")
	f.Basis = basisGuardian
	return "", &f
}

// check tells the applicant what stands in the way. The child's number comes from the household step, so cards are
// looked up only where it is there already.
func check(call *plugin.Call) ([]plugin.Finding, error) {
	d, found := readDelivery(call)
	if d.method == "" {
		found = nil
	}
	if d.method == electronical {
		found = append(found, electronicNote())
	}
	if born, ok := call.Date(pathBorn); ok && capacityOf(born, call.Today()) == needsGuardian {
		if _, doubt := guardian(readParents(call), call.Today()); doubt != nil {
			found = append(found, *doubt)
		}
	}
	number, ok := call.CitizenNumber(pathNumber)
	if !ok {
		return found, nil
	}
	entry, err := call.SharedData(sourceCards, string(number), purpose)
	switch {
	case err != nil:
		return nil, err
	case !entry.Answered:
		found = append(found, silent())
	case entry.Found:
		found = append(found, hasCard(entry))
	}
	return found, nil
}

// decide issues the card to a person who has none, for whom somebody of full age acts.
func decide(call *plugin.Call) (plugin.Decision, error) {
	var doubts []plugin.Finding
	need := func(path string, ok bool) {
		if !ok {
			doubts = append(doubts, missing(path))
		}
	}
	number, ok := call.CitizenNumber(pathNumber)
	need(pathNumber, ok)
	name, ok := call.Text(pathName)
	need(pathName, ok && name != "")
	born, dated := call.Date(pathBorn)
	need(pathBorn, dated)
	d, found := readDelivery(call)
	doubts = append(doubts, found...)
	if n, ok := civil.ReadNumber(number); number != "" && dated && (!ok || n.Birth != born) {
		doubts = append(doubts, note("number_differs", pathBorn, "出生日期与公民身份号码不一致，由经办人核实", "The date of birth differs from the number"))
	}

	var who string
	if dated {
		switch capacityOf(born, call.Today()) {
		case needsGuardian:
			var doubt *plugin.Finding
			if who, doubt = guardian(readParents(call), call.Today()); doubt != nil {
				doubts = append(doubts, *doubt)
			}
		case mayNeedGuardian:
			doubts = append(doubts, note("guardian_unclear", pathBorn, "十六周岁以上的未成年人是否以自己的劳动收入为主要生活来源，由经办人核实", "At 16 or 17 an officer asks whether the person lives on own work"))
		case actsAlone:
		}
	}
	years, ok := call.Parameters.Int(paramYears)
	if !ok || years < 1 || years > mostYears {
		doubts = append(doubts, note("parameter_missing", "", "社会保障卡有效年限尚未公布，由经办人确定", "The parameter "+paramYears+" is not published"))
	}
	if len(doubts) > 0 {
		return plugin.Undetermined(doubts[0], doubts[1:]...), nil
	}

	entry, err := call.SharedData(sourceCards, string(number), purpose)
	if err != nil {
		return plugin.Decision{}, err
	}
	if !entry.Answered {
		return plugin.Undetermined(silent()), nil
	}
	if entry.Found {
		if f := hasCard(entry); f.Severity == plugin.Obstacle {
			return plugin.Reject(f), nil
		}
		return plugin.Undetermined(hasCard(entry)), nil
	}
	result := plugin.Values{
		"issued_on":   call.Today(),
		"valid_until": validUntil(call.Today(), int(years)),
		"delivery":    plugin.Text(d.text()),
	}
	if who != "" {
		result["guardian"] = plugin.Text(who)
	}
	if d.method == electronical {
		return plugin.Approve(result, electronicNote()), nil
	}
	return plugin.Approve(result), nil
}

// hasCard says what the card that is there already means: a valid or lost one rules out a first card, any other is an
// officer's question.
func hasCard(entry plugin.Entry) plugin.Finding {
	state, _ := entry.Values.Text("state")
	switch state {
	case "active":
		return plugin.Finding{Code: "card_exists", Severity: plugin.Obstacle, Path: pathNumber, Basis: basisCard,
			TextZH: "已持有有效的社会保障卡，每人只发一张，不能再次首发", TextEN: "There is a valid card already"}
	case "lost":
		return plugin.Finding{Code: "card_lost", Severity: plugin.Obstacle, Path: pathNumber, Basis: basisCard,
			TextZH: "社会保障卡已挂失，请申请补领，不适用首次制发", TextEN: "The card was reported lost; apply for a replacement"}
	default:
		return note("card_unclear", pathNumber, "曾经制发社会保障卡且状态不明，由经办人核实", "There has been a card; an officer finds out its state")
	}
}

// issue is the notice that goes with the card.
func issue(call *plugin.Call) (plugin.Document, error) {
	name, _ := call.Text(pathName)
	number, _ := call.CitizenNumber(pathNumber)
	issued, _ := call.Result.Date("issued_on")
	until, _ := call.Result.Date("valid_until")
	who, _ := call.Result.Text("guardian")
	way, _ := call.Result.Text("delivery")
	return notice.Document("社会保障卡首次制发通知单", []notice.Line{
		{Label: "持卡人", Text: name},
		{Label: "社会保障号码", Text: string(number)},
		{Label: "监护人", Text: who},
		{Label: "制发日期", Text: civil.Chinese(issued)},
		{Label: "有效期至", Text: civil.Chinese(until)},
		{Label: "领取方式", Text: way},
	}, "社会保障卡的社保功能自领取之日起可以使用，金融账户须由本人或者监护人到合作银行激活。"), nil
}

func silent() plugin.Finding {
	return note("source_silent", "", "社会保障卡信息暂时无法查询，由经办人核实", "The register of cards does not answer; an officer looks it up")
}

func note(code, path, zh, en string) plugin.Finding {
	return plugin.Finding{Code: code, Severity: plugin.Note, Path: path, TextZH: zh, TextEN: en, Basis: basisCard}
}

// missing is the doubt about an answer that the decision needs and does not have.
func missing(path string) plugin.Finding {
	return note("input_missing", path, "缺少制卡所需的信息，由经办人核实", "Information that the decision needs is missing")
}
