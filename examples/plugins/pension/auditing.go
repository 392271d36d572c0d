package main

import (
	"strconv"

	"github.com/siyiban/onething/examples/plugins/civil"
	"github.com/siyiban/onething/examples/plugins/notice"
	plugin "github.com/siyiban/onething/sdk/go"
)

// Paths of the audit.
const (
	pathBirth        = "form.retiree.birth"
	pathWorker       = "own.worker"
	pathSpecialKind  = "own.special_kind"
	pathSpecialYears = "own.special_post"
	pathWay          = "form.retirement.kind"
	pathRetire       = "form.retirement.retire_date"
	pathDeemed       = "form.retirement.deemed_months"
	pathPaid         = "form.insurance.pay_months"

	purposeAudit = "审核退休条件"
	basisAge     = "国务院关于渐进式延迟法定退休年龄的办法 第一条"
	basisChoice  = "国务院关于渐进式延迟法定退休年龄的办法 第三条"
	basisMonths  = "国务院关于渐进式延迟法定退休年龄的办法 第二条"
	basisSpecial = "国发〔1978〕104号 第一条"
	basisIllness = "人社部发〔2024〕72号"
)

// request is what the form asks for.
type request struct {
	plan
	name         string
	number       plugin.CitizenNumber
	paid, deemed int64
}

// readRequest reads the form; every answer that the decision needs and that is not there, or that the plugin does not
// know, becomes a doubt. Deemed months that are left blank are none, as the form's help says.
func readRequest(call *plugin.Call) (request, []plugin.Finding) {
	var r request
	var doubts []plugin.Finding
	need := func(path string, ok bool) {
		if !ok {
			doubts = append(doubts, missing(path))
		}
	}
	var ok bool
	r.name, ok = call.Text(pathName)
	need(pathName, ok)
	r.number, ok = call.CitizenNumber(pathNumber)
	need(pathNumber, ok)
	r.Born, ok = call.Date(pathBirth)
	need(pathBirth, ok)
	worker, _ := call.Choice(pathWorker)
	r.Category, ok = categoryOf(worker)
	need(pathWorker, ok)
	kind, _ := call.Choice(pathWay)
	r.Way, ok = wayOf(kind)
	need(pathWay, ok)
	r.Retire, ok = call.Date(pathRetire)
	need(pathRetire, ok)
	r.paid, ok = call.Int(pathPaid)
	need(pathPaid, ok && r.paid >= 0)
	r.deemed, _ = call.Int(pathDeemed)
	need(pathDeemed, r.deemed >= 0)
	if r.Way == special {
		years, answered := call.Int(pathSpecialYears)
		need(pathSpecialYears, answered && years >= 0)
		kind, _ := call.Choice(pathSpecialKind)
		r.Post, r.Years = postOf(kind), int(years)
	}
	r.Months = int(r.paid + r.deemed)
	return r, doubts
}

func categoryOf(worker string) (category, bool) {
	switch worker {
	case "male":
		return male, true
	case "female_55":
		return female55, true
	case "female_50":
		return female50, true
	}
	return 0, false
}

func wayOf(kind string) (way, bool) {
	switch kind {
	case "statutory":
		return atAge, true
	case "early":
		return early, true
	case "late":
		return late, true
	case "special_post":
		return special, true
	case "illness":
		return illness, true
	}
	return 0, false
}

func postOf(kind string) post {
	switch kind {
	case "heavy":
		return postHeavy
	case "underground":
		return postHot
	case "harmful":
		return postHarmful
	}
	return postUnknown
}

// doubts compares the form with the citizen number. Somebody registered anew may rightly differ; the audit then goes by
// identity card and the oldest record in the file (劳社部发〔1999〕8号), which an officer reads.
func (r request) doubts() []plugin.Finding {
	var found []plugin.Finding
	n, ok := civil.ReadNumber(r.number)
	switch {
	case r.number == "":
	case !ok:
		found = append(found, plugin.Finding{Code: "number_wrong", Severity: plugin.Correct, Path: pathNumber, Basis: "GB 11643-1999",
			TextZH: "公民身份号码有误，请核对", TextEN: "The citizen number is wrong"})
	default:
		if !r.Born.IsZero() && n.Birth != r.Born {
			found = append(found, note("birth_differs", pathBirth, "出生日期与身份号码不一致，由经办人按身份证与档案最先记载认定",
				"The date of birth differs from the number; the audit decides by identity card and file"))
		}
		if r.Category != 0 && n.Male != (r.Category == male) {
			found = append(found, note("worker_differs", pathWorker, "退休年龄类别与身份号码的性别不一致，由经办人核实", "The category does not fit the sex in the number"))
		}
	}
	return found
}

// compare holds the form against the account. What the account does not say, and the decision rests on, is a doubt too.
func (r request) compare(a account) []plugin.Finding {
	var found []plugin.Finding
	if a.paid == nil || *a.paid != r.paid {
		found = append(found, plugin.Finding{Code: "months_differ", Severity: plugin.Correct, Path: pathPaid, Basis: basisMonths,
			TextZH: "累计缴费月数与参保账户不一致，请核对参保缴费记录", TextEN: "The months paid differ from the account"})
	}
	if r.deemed > 0 && (a.deemed == nil || *a.deemed != r.deemed) {
		found = append(found, note("deemed_unaudited", pathDeemed, "视同缴费月数尚未认定或者与认定不一致，由经办人审核档案", "The deemed months are not, or differently, established; an officer reads the file"))
	}
	if r.Category != male && a.post != postName(r.Category) {
		found = append(found, note("post_unverified", pathWorker, "女职工退休岗位（管理技术岗或者工人岗）须由经办人按档案与劳动合同认定", "Which post a woman held is established from file and contract"))
	}
	if r.Way == special && (a.specialYears == nil || *a.specialYears < int64(r.Years) || postOf(a.specialPostKinds) != r.Post) {
		found = append(found, note("special_unverified", pathSpecialYears, "特殊工种年限尚无备案记录，由经办人审核岗位证明", "The years in special posts are not on record; an officer reads the proof"))
	}
	return found
}

func postName(c category) string {
	if c == female55 {
		return "managing"
	}
	return "worker"
}

// checkAudit tells the applicant what stands in the way before an officer has to.
func checkAudit(call *plugin.Call) ([]plugin.Finding, error) {
	r, gaps := readRequest(call)
	found := r.doubts()
	if len(gaps) == 0 {
		for _, f := range assess(r.plan).Faults {
			found = append(found, faultFinding(f, r))
		}
	}
	if _, ok := civil.ReadNumber(r.number); !ok || r.name == "" {
		return found, nil
	}
	a, doubt, err := lookUp(call, r.number, r.name, purposeAudit)
	switch {
	case err != nil:
		return nil, err
	case doubt != nil:
		found = append(found, *doubt)
	case a.state == stateRetired:
		found = append(found, alreadyRetired())
	case len(gaps) == 0:
		found = append(found, r.compare(*a)...)
	}
	return found, nil
}

// stateRetired is the state of an account whose holder draws a pension.
const stateRetired = "retired"

// decideAudit approves a plan without faults whose facts the account bears out, refuses one that the law does not
// allow, and leaves the rest to an officer.
func decideAudit(call *plugin.Call) (plugin.Decision, error) {
	r, doubts := readRequest(call)
	if doubts = append(doubts, r.doubts()...); len(doubts) > 0 {
		return undetermined(doubts)
	}
	acc, doubt, err := lookUp(call, r.number, r.name, purposeAudit)
	switch {
	case err != nil:
		return plugin.Decision{}, err
	case doubt != nil:
		return plugin.Undetermined(*doubt), nil
	case acc.state == stateRetired:
		return plugin.Reject(alreadyRetired()), nil
	}
	if doubts := r.compare(*acc); len(doubts) > 0 {
		return undetermined(doubts)
	}

	a := assess(r.plan)
	var refusals []plugin.Finding
	for _, f := range a.Faults {
		finding := faultFinding(f, r)
		if finding.Severity == plugin.Obstacle {
			refusals = append(refusals, finding)
		} else {
			doubts = append(doubts, finding)
		}
	}
	switch {
	case len(refusals) > 0:
		return plugin.Reject(refusals[0], refusals[1:]...), nil
	case len(doubts) > 0:
		return undetermined(doubts)
	}
	return plugin.Approve(plugin.Values{
		"retire_date":     r.Retire,
		"age_months":      plugin.Int(a.Age),
		"statutory_date":  a.Statutory.Day,
		"required_months": plugin.Int(a.Required),
		"paid_months":     plugin.Int(r.paid),
		"deemed_months":   plugin.Int(r.deemed),
	}), nil
}

func alreadyRetired() plugin.Finding {
	return plugin.Finding{Code: "already_retired", Severity: plugin.Obstacle, Path: pathNumber, Basis: "社会保险法 第十六条",
		TextZH: "参保账户显示已领取基本养老金，无需再次申请", TextEN: "A pension is being paid already"}
}

// faultFinding explains a fault. An obstacle is what the law refuses; what the applicant can put right without another
// plan is to be corrected, and what needs judgement is a note.
func faultFinding(f fault, r request) plugin.Finding {
	a := assess(r.plan)
	finding := plugin.Finding{Code: string(f), Severity: plugin.Obstacle, Path: pathRetire, Basis: basisChoice}
	switch f {
	case tooEarly:
		finding.TextZH = "拟退休日期早于" + chineseMonth(a.Opens) + "，请选择该月或以后的日期"
		finding.TextEN = "The date is before " + a.Opens.String()[:7] + ", the first month of this way of retiring"
		finding.Basis = r.Way.basis()
	case tooLate:
		finding.TextZH = "拟退休日期晚于弹性延迟的最后月份" + chineseMonth(a.Statutory.Latest)
		finding.TextEN = "The date is after " + a.Statutory.Latest.String()[:7] + ", the last month of a late retirement"
	case notEarly:
		finding.Severity = plugin.Correct
		finding.TextZH = "拟退休月份不早于法定退休月份" + chineseMonth(a.Statutory.Day) + "，请改选法定年龄退休或者更正日期"
		finding.TextEN = "This is not before the statutory month " + a.Statutory.Day.String()[:7]
	case notLate:
		finding.Severity = plugin.Correct
		finding.TextZH = "拟退休月份不晚于法定退休月份" + chineseMonth(a.Statutory.Day) + "，请改选法定年龄退休或者更正日期"
		finding.TextEN = "This is not after the statutory month " + a.Statutory.Day.String()[:7]
	case noChoice:
		finding.Path = pathWay
		finding.TextZH = "2025年1月前已达到原法定退休年龄，不适用弹性退休"
		finding.TextEN = "The former age was reached before 2025, so there is no flexible choice"
	case monthsShort:
		finding.Path, finding.Basis = pathPaid, basisMonths
		finding.TextZH = "累计缴费" + strconv.Itoa(r.Months) + "个月，不足最低缴费" + strconv.Itoa(a.Required) + "个月；可以延长缴费或者按规定一次性缴费"
		finding.TextEN = strconv.Itoa(r.Months) + " months are paid, " + strconv.Itoa(a.Required) + " are required"
	case yearsShort:
		finding.Path, finding.Basis = pathSpecialYears, basisSpecial
		finding.TextZH = "从事特殊工种年限不足：高空、特别繁重体力劳动满10年，井下、高温满9年，其他有害健康工种满8年"
		finding.TextEN = "Too few years in special posts: 10, 9 or 8 by the kind of post"
	case kindUnclear:
		finding.Severity, finding.Path, finding.Basis = plugin.Note, pathSpecialKind, basisSpecial
		finding.TextZH, finding.TextEN = "特殊工种类别未填写，由经办人按岗位证明认定", "The kind of special post is not said; an officer decides by the proof"
	case byIllness:
		finding.Severity, finding.Path, finding.Basis = plugin.Note, pathWay, basisIllness
		finding.TextZH, finding.TextEN = "2025年1月1日起病退改为病残津贴，由经办人转办", "An allowance for illness has replaced this way since 2025"
	}
	return finding
}

// basis is the provision that says from when a way of retiring is open.
func (w way) basis() string {
	if w == atAge {
		return basisAge
	}
	if w == special {
		return basisSpecial
	}
	return basisChoice
}

func chineseMonth(d plugin.Date) string {
	return strconv.Itoa(d.Year) + "年" + strconv.Itoa(d.Month) + "月"
}

// proposeAudit fills in what the account says of the months.
func (a account) proposeAudit() plugin.Values {
	proposals := plugin.Values{}
	if a.paid != nil {
		proposals[pathPaid] = plugin.Int(*a.paid)
	}
	if a.deemed != nil {
		proposals[pathDeemed] = plugin.Int(*a.deemed)
	}
	return proposals
}

// issueAudit is the approval of the retirement.
func issueAudit(call *plugin.Call) (plugin.Document, error) {
	name, _ := call.Text(pathName)
	number, _ := call.CitizenNumber(pathNumber)
	retire, _ := call.Result.Date("retire_date")
	statutory, _ := call.Result.Date("statutory_date")
	age, _ := call.Result.Int("age_months")
	paid, _ := call.Result.Int("paid_months")
	deemed, _ := call.Result.Int("deemed_months")
	required, _ := call.Result.Int("required_months")
	return notice.Document("企业职工退休核准表", []notice.Line{
		{Label: "姓名", Text: name},
		{Label: "公民身份号码", Text: string(number)},
		{Label: "核准退休日期", Text: civil.Chinese(retire)},
		{Label: "退休时年龄", Text: strconv.FormatInt(age/12, 10) + "岁" + strconv.FormatInt(age%12, 10) + "个月"},
		{Label: "法定退休日期", Text: civil.Chinese(statutory)},
		{Label: "实际缴费月数", Text: strconv.FormatInt(paid, 10)},
		{Label: "视同缴费月数", Text: strconv.FormatInt(deemed, 10)},
		{Label: "最低缴费月数", Text: strconv.FormatInt(required, 10)},
	}, "依照《国务院关于渐进式延迟法定退休年龄的办法》核准，基本养老金从"+civil.Chinese(paidFrom(retire))+"起发给。"), nil
}
