// Command survivors is the plugin hrss/survivors: it works out the funeral grant and the lump sum that the scheme of
// enterprise employees pays after a death. README.md says what it decides and what it leaves to an officer.
package main

import (
	"github.com/siyiban/onething/examples/plugins/civil"
	"github.com/siyiban/onething/examples/plugins/notice"
	plugin "github.com/siyiban/onething/sdk/go"
)

// A WebAssembly reactor runs package variables and never main.
var _ = plugin.Serve(survivors())

func main() {}

func survivors() plugin.Plugin {
	return plugin.Plugin{Prefill: prefill, Check: check, Decide: decide, Issue: issue}
}

// Paths and parameters.
const (
	pathDead     = "form.decedent.name"
	pathDeadID   = "form.decedent.id_no"
	pathDied     = "form.decedent.death_date"
	pathStatus   = "form.decedent.status"
	pathHeir     = "form.heir.name"
	pathHeirID   = "form.heir.id_no"
	pathRelation = "form.heir.relation"
	pathHolder   = "form.payee.holder"
	pathBank     = "form.payee.bank"
	pathAccount  = "form.payee.account"
	pathOther    = "own.other_funeral"
	paramIncome  = "urban_income_month"

	purpose      = "核发丧葬补助金和抚恤金"
	basisGrants  = "人社部发〔2021〕18号"
	basisFuneral = "社会保险法 第四十九条"
	basisScheme  = "社会保险法 第十七条"
)

// sourceAccount is the shared data of contribution accounts, by citizen number: name; state, one of the states below;
// paid_months, with the deemed ones; received_months, of pension; work_injury and other_funeral, where it knows.
const sourceAccount = "pension_account"

// States of an account.
const (
	stateContributing = "contributing"
	stateInterrupted  = "interrupted"
	stateRetired      = "retired"
	stateSettled      = "settled" // the survivors have been paid
)

// Insured states of the decedent, as the form's options have them.
const (
	statusEmployed = "employed"
	statusRetired  = "retired"
	statusResident = "resident"
	statusNone     = "none"
)

// claim is what the form says.
type claim struct {
	dead               string
	deadID, heirID     plugin.CitizenNumber
	died               plugin.Date
	status, relation   string
	heir, holder, bank string
	account            string
	otherFuneral       bool
}

// readClaim reads the form; every answer that is not there becomes a doubt.
func readClaim(call *plugin.Call) (claim, []plugin.Finding) {
	var c claim
	var doubts []plugin.Finding
	need := func(path string, ok bool) {
		if !ok {
			doubts = append(doubts, missing(path))
		}
	}
	var ok bool
	for _, text := range []struct {
		path string
		to   *string
	}{{pathDead, &c.dead}, {pathHeir, &c.heir}, {pathHolder, &c.holder}, {pathBank, &c.bank}, {pathAccount, &c.account}} {
		*text.to, ok = call.Text(text.path)
		need(text.path, ok)
	}
	c.deadID, ok = call.CitizenNumber(pathDeadID)
	need(pathDeadID, ok)
	c.heirID, ok = call.CitizenNumber(pathHeirID)
	need(pathHeirID, ok)
	c.died, ok = call.Date(pathDied)
	need(pathDied, ok)
	c.status, ok = call.Choice(pathStatus)
	need(pathStatus, ok)
	c.relation, ok = call.Choice(pathRelation)
	need(pathRelation, ok)
	c.otherFuneral, ok = call.Bool(pathOther)
	need(pathOther, ok)
	return c, doubts
}

// faults are what the form says that cannot be right, or that a person has to judge. Answers that are not there are not
// faults.
func (c claim) faults(today plugin.Date) []plugin.Finding {
	var found []plugin.Finding
	if !c.died.IsZero() && today.Before(c.died) {
		found = append(found, correct("died_later", pathDied, "死亡日期晚于申请日，请核对", "The date of death is after the day of application"))
	}
	if !c.died.IsZero() && c.died.Before(inForce()) {
		found = append(found, note("before_rules", pathDied, "2021年9月1日前死亡的，按原规定办理，由经办人核定", "For a death before 2021-09-01 the rules of that time hold"))
	}
	for _, p := range []struct {
		path   string
		number plugin.CitizenNumber
	}{{pathDeadID, c.deadID}, {pathHeirID, c.heirID}} {
		if _, ok := civil.ReadNumber(p.number); p.number != "" && !ok {
			found = append(found, correct("number_wrong", p.path, "公民身份号码有误，请核对", "The citizen number is wrong"))
		}
	}
	if c.deadID != "" && c.deadID == c.heirID {
		found = append(found, correct("heir_is_decedent", pathHeirID, "经办遗属与逝者的公民身份号码相同，请核对", "Survivor and decedent have the same number"))
	}
	if c.holder != "" && c.heir != "" && c.holder != c.heir {
		found = append(found, correct("holder_differs", pathHolder, "收款账户户名须为经办遗属本人，请更正", "The account must be the survivor's own"))
	}
	switch c.relation {
	case "", "spouse", "child", "parent":
	default:
		found = append(found, note("relation_other", pathRelation, "经办人不是逝者的配偶、子女或者父母，由经办人核实领取资格", "Not spouse, child or parent: an officer looks who may receive"))
	}
	if c.status == statusResident {
		found = append(found, note("local_scheme", pathStatus, "城乡居民养老保险的丧葬补助按本地规定，由经办人核定", "The residents' scheme pays by local rules"))
	}
	return found
}

// account is what the contribution account says.
type account struct {
	plugin.Entry
	state string
}

func lookUp(call *plugin.Call, number plugin.CitizenNumber, why string) (account, error) {
	entry, err := call.SharedData(sourceAccount, string(number), why)
	if err != nil {
		return account{}, err
	}
	state, _ := entry.Values.Text("state")
	return account{Entry: entry, state: state}, nil
}

// refusal is why the scheme pays nothing, as far as the account settles it; nil if it does not.
func (a account) refusal(c claim) *plugin.Finding {
	switch {
	case a.Found && a.state == stateSettled:
		return &plugin.Finding{Code: "already_paid", Severity: plugin.Obstacle, Path: pathDeadID, Basis: basisGrants,
			TextZH: "该参保人的遗属待遇已经领取，不能重复申领", TextEN: "The grants for this person have been paid"}
	case a.Answered && !a.Found && c.status == statusNone:
		return &plugin.Finding{Code: "not_insured", Severity: plugin.Obstacle, Path: pathStatus, Basis: basisScheme,
			TextZH: "逝者未参加企业职工基本养老保险，不享受遗属待遇", TextEN: "The decedent was not insured in this scheme"}
	}
	return nil
}

// doubts are what keeps the account from settling the claim.
func (a account) doubts(c claim) []plugin.Finding {
	if !a.Answered {
		return []plugin.Finding{note("source_silent", "", "养老保险参保账户暂时无法查询，由经办人核实", "The contribution account does not answer; an officer looks it up")}
	}
	if !a.Found {
		return []plugin.Finding{note("account_not_found", pathDeadID, "本省没有逝者的养老保险账户，由经办人核实参保地", "No account in this province; an officer finds out where the contributions are")}
	}
	var found []plugin.Finding
	if name, _ := a.Values.Text("name"); name != c.dead {
		found = append(found, note("decedent_name", pathDead, "逝者姓名与养老保险账户不一致，由经办人核实", "The name differs from the account"))
	}
	employed := a.state == stateContributing || a.state == stateInterrupted
	if c.status == statusEmployed && !employed || c.status == statusRetired && a.state != stateRetired || c.status == statusNone {
		found = append(found, note("status_differs", pathStatus, "逝者生前参保身份与养老保险账户不一致，由经办人核实", "The insured state differs from the account"))
	}
	if injury, known := a.Values.Bool("work_injury"); known && injury {
		found = append(found, note("work_injury", "", "因工死亡的，由工伤保险支付待遇，由经办人核实", "After a fatal work injury the injury scheme pays"))
	}
	if other, known := a.Values.Bool("other_funeral"); known && other != c.otherFuneral {
		found = append(found, note("other_funeral_differs", pathOther, "工伤、失业保险丧葬补助金的申报与记录不一致，由经办人核实", "What the form says of other funeral grants differs from the record"))
	}
	return found
}

// check tells the survivor what stands in the way before an officer has to.
func check(call *plugin.Call) ([]plugin.Finding, error) {
	c, _ := readClaim(call)
	found := c.faults(call.Today())
	if _, ok := civil.ReadNumber(c.deadID); !ok {
		return found, nil
	}
	a, err := lookUp(call, c.deadID, purpose)
	if err != nil {
		return nil, err
	}
	if refusal := a.refusal(c); refusal != nil {
		return append(found, *refusal), nil
	}
	if !a.Answered || c.dead != "" && c.status != "" {
		found = append(found, a.doubts(c)...)
	}
	return found, nil
}

// decide pays what the rules give for the months that the account says; the form says who died and who receives.
func decide(call *plugin.Call) (plugin.Decision, error) {
	c, doubts := readClaim(call)
	doubts = append(doubts, c.faults(call.Today())...)
	if len(doubts) > 0 {
		return plugin.Undetermined(doubts[0], doubts[1:]...), nil
	}
	a, err := lookUp(call, c.deadID, purpose)
	if err != nil {
		return plugin.Decision{}, err
	}
	if refusal := a.refusal(c); refusal != nil {
		return plugin.Reject(*refusal), nil
	}
	doubts = a.doubts(c)
	paid, ok := a.Values.Int("paid_months")
	if len(doubts) == 0 && (!ok || paid < 0 || paid > mostMonths) {
		doubts = append(doubts, note("months_missing", "", "养老保险账户没有缴费年限，由经办人核定", "The account does not say the months paid"))
	}
	received, ok := a.Values.Int("received_months")
	retired := c.status == statusRetired
	if len(doubts) == 0 && retired && (!ok || received < 0 || received > mostMonths) {
		doubts = append(doubts, note("received_missing", "", "养老保险账户没有已领取养老金的月数，由经办人核定", "The account does not say the months of pension received"))
	}
	base, doubt := incomeOf(call, c.died)
	if doubt != nil {
		doubts = append(doubts, *doubt)
	}
	if len(doubts) > 0 {
		return plugin.Undetermined(doubts[0], doubts[1:]...), nil
	}

	twelfths := lumpTwelfths(int(paid), retired, int(received))
	g := grants(int64(base), twelfths, c.otherFuneral)
	result := plugin.Values{
		"funeral_grant": plugin.Money(g.Funeral),
		"lump_sum":      plugin.Money(g.LumpSum),
		"total":         plugin.Money(g.Total),
		"lump_months":   plugin.Text(monthsText(twelfths)),
	}
	if c.otherFuneral {
		f := note("one_funeral_grant", pathOther, "丧葬补助金已由工伤或者失业保险支付，本险种不再支付", "Another scheme pays the funeral grant")
		f.Basis = basisFuneral
		return plugin.Approve(result, f), nil
	}
	return plugin.Approve(result), nil
}

// incomeOf returns the income that the grants after a death on a day are reckoned with: the one published for that year.
func incomeOf(call *plugin.Call, died plugin.Date) (plugin.Money, *plugin.Finding) {
	parameters, earlier := call.Parameters, died.Year != call.Today().Year
	if earlier {
		parameters = call.ParametersOn(died)
	}
	base, ok := parameters.Money(paramIncome)
	var doubt plugin.Finding
	switch {
	case ok && base > 0 && base <= mostBase:
		return base, nil
	case earlier:
		doubt = note("parameter_year", pathDied, "死亡发生在以前年度，该年度的基数未公布，由经办人核定", "The death was in an earlier year, whose base is not published")
	default:
		doubt = note("parameter_missing", "", "上一年度全省城镇居民月人均可支配收入尚未公布，由经办人核定", "The parameter "+paramIncome+" is not published")
	}
	return 0, &doubt
}

// Bounds beyond which a figure is an error of the record: a lifetime of months, and an income in fen.
const (
	mostMonths = 100 * 12
	mostBase   = 10_000_000_00
)

// prefill proposes the insured state to whoever has given the decedent's number and the name that the account has.
func prefill(call *plugin.Call) (plugin.Values, error) {
	name, named := call.Text(pathDead)
	number, numbered := call.CitizenNumber(pathDeadID)
	if !named || !numbered {
		return nil, nil
	}
	a, err := lookUp(call, number, "预填遗属待遇申请")
	if err != nil {
		return nil, err
	}
	if holder, _ := a.Values.Text("name"); !a.Found || holder != name {
		return nil, nil
	}
	switch a.state {
	case stateContributing, stateInterrupted:
		return plugin.Values{pathStatus: plugin.Choice(statusEmployed)}, nil
	case stateRetired:
		return plugin.Values{pathStatus: plugin.Choice(statusRetired)}, nil
	}
	return nil, nil
}

// issue is the statement of the grants.
func issue(call *plugin.Call) (plugin.Document, error) {
	funeral, _ := call.Result.Money("funeral_grant")
	lump, _ := call.Result.Money("lump_sum")
	total, _ := call.Result.Money("total")
	months, _ := call.Result.Text("lump_months")
	c, _ := readClaim(call)
	return notice.Document("遗属待遇支付单", []notice.Line{
		{Label: "逝者姓名", Text: c.dead},
		{Label: "死亡日期", Text: civil.Chinese(c.died)},
		{Label: "丧葬补助金", Text: funeral.String() + " 元"},
		{Label: "抚恤金", Text: lump.String() + " 元"},
		{Label: "抚恤金发放月数", Text: months},
		{Label: "合计", Text: total.String() + " 元"},
		{Label: "领取人", Text: c.heir},
		{Label: "开户银行", Text: c.bank},
		{Label: "收款账号", Text: maskAccount(c.account)},
	}, "依照"+basisGrants+"核定，支付给上述账户。对核定有异议的，可以依法申请行政复议或者提起行政诉讼。"), nil
}

// maskAccount keeps the last four digits, by which the receiver knows the account.
func maskAccount(number string) string {
	if len(number) <= 4 {
		return number
	}
	return "尾号" + number[len(number)-4:]
}

func note(code, path, zh, en string) plugin.Finding {
	return plugin.Finding{Code: code, Severity: plugin.Note, Path: path, TextZH: zh, TextEN: en, Basis: basisGrants}
}

func correct(code, path, zh, en string) plugin.Finding {
	return plugin.Finding{Code: code, Severity: plugin.Correct, Path: path, TextZH: zh, TextEN: en}
}

// missing is the doubt about an answer that the decision needs and does not have.
func missing(path string) plugin.Finding {
	return note("input_missing", path, "缺少核定所需的信息，由经办人核实", "Information that the decision needs is missing")
}
