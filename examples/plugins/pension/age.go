package main

import (
	"github.com/siyiban/onething/examples/plugins/civil"
	plugin "github.com/siyiban/onething/sdk/go"
)

// category is whose row of the annexes of 国务院关于渐进式延迟法定退休年龄的办法 applies. Which of the two women's rows it
// is, is a fact of the post (管理技术岗 or 工人岗), and never follows from the sex.
type category int

const (
	male     category = iota + 1 // 男职工
	female55                     // 原法定退休年龄五十五周岁的女职工
	female50                     // 原法定退休年龄五十周岁的女职工
)

// row is a line of the annexes, in months: the age before the reform, after how many months of birth the postponement
// grows by one month, and the most that it grows to.
type row struct {
	old, step, most int
}

func (c category) row() row {
	switch c {
	case female55:
		return row{old: 55 * 12, step: 4, most: 36}
	case female50:
		return row{old: 50 * 12, step: 2, most: 60}
	default:
		return row{old: 60 * 12, step: 4, most: 36}
	}
}

// The reform postpones who reaches the old age from January 2025 on (办法 art. 1), and lets them retire at most three
// years before or after the statutory age (art. 3).
const (
	reformYear   = 2025
	choiceMonths = 36
)

// statutory is what the 办法 says of a day of birth.
type statutory struct {
	Delay int         // months of postponement
	Age   int         // statutory age in months
	Day   plugin.Date // the statutory age is reached
	// Earliest and Latest bound the flexible choice; both are zero for whom the reform does not concern.
	Earliest, Latest plugin.Date
}

// statutoryAge follows the algorithm of 办法 art. 1 and 3: the postponement begins with one month and grows by one
// with each step; nobody may retire before the old age, nor more than three years before the statutory one.
func statutoryAge(c category, born plugin.Date) statutory {
	r := c.row()
	oldDay := civil.AddMonths(born, r.old)
	since := (oldDay.Year-reformYear)*12 + oldDay.Month - 1
	if since < 0 {
		return statutory{Age: r.old, Day: oldDay}
	}
	delay := min(since/r.step+1, r.most)
	age := r.old + delay
	return statutory{
		Delay:    delay,
		Age:      age,
		Day:      civil.AddMonths(born, age),
		Earliest: civil.AddMonths(born, max(r.old, age-choiceMonths)),
		Latest:   civil.AddMonths(born, age+choiceMonths),
	}
}

// requiredMonths is the least number of months paid, actual and deemed, for a pension that begins in the year (办法
// art. 2 and annex): 15 years until 2029, then half a year more each year, up to 20 years.
func requiredMonths(year int) int {
	return min(20*12, 15*12+6*max(0, year-2029))
}

// post is a kind of special post of 国发〔1978〕104号, whose early retirement the 办法 keeps.
type post int

const (
	postUnknown post = iota // the form does not say which
	postHeavy               // 高空、特别繁重体力劳动
	postHot                 // 井下、高温
	postHarmful             // 其他有害身体健康的工作
)

// years is how many full years a kind of post needs; known is false where the answer depends on a kind that is not
// said, which is so between the lowest and the highest of the three.
func (p post) enough(years int) (enough, known bool) {
	const heavy, hot, harmful = 10, 9, 8
	switch p {
	case postHeavy:
		return years >= heavy, true
	case postHot:
		return years >= hot, true
	case postHarmful:
		return years >= harmful, true
	default:
		return years >= heavy, years >= heavy || years < harmful
	}
}

// specialDay is the day from which the holder of a special post may retire: men at 55, women at 45.
func specialDay(c category, born plugin.Date) plugin.Date {
	if c == male {
		return civil.AddMonths(born, 55*12)
	}
	return civil.AddMonths(born, 45*12)
}

// way is how somebody retires.
type way int

const (
	atAge   way = iota // 法定年龄退休
	early              // 弹性提前
	late               // 弹性延迟
	special            // 特殊工种提前
	illness            // 病退, since 2025 病残津贴
)

// plan is what somebody asks for.
type plan struct {
	Category category
	Born     plugin.Date
	Way      way
	Retire   plugin.Date // chosen day; its month counts
	Months   int         // paid, actual and deemed
	Post     post        // special only
	Years    int         // full years in that post, special only
}

// fault says why a plan cannot be granted, or not by a machine. It is the code of a finding.
type fault string

const (
	tooEarly    fault = "too_early"     // before the month from which this way is open
	tooLate     fault = "too_late"      // after the last month of the flexible choice
	notEarly    fault = "not_early"     // flexible early, but the statutory age is reached
	notLate     fault = "not_late"      // flexible late, but the month is the statutory one or before it
	noChoice    fault = "no_choice"     // the old age was reached before the reform
	monthsShort fault = "months_short"  // fewer months than the year requires
	yearsShort  fault = "years_short"   // fewer years in the special post
	kindUnclear fault = "post_unclear"  // enough years for one kind of post and not for another
	byIllness   fault = "illness_route" // replaced by 病残津贴: an officer's matter
)

// audit is the answer to a plan. A plan without faults is granted.
type audit struct {
	Statutory statutory
	Opens     plugin.Date // day from which the chosen way is open; zero if it has none
	Required  int         // months
	Age       int         // months of age in the chosen month
	Faults    []fault
}

// assess judges a plan. It collects every fault, never only the first. The law counts ages in months, so a month is a
// whole: only the month of the chosen day matters. Which year's minimum counts is in 人社部发〔2024〕94号 art. 7: for an
// early retirement the chosen year, at the age or later the year of the statutory age.
func assess(p plan) audit {
	s := statutoryAge(p.Category, p.Born)
	a := audit{Statutory: s, Age: monthOf(p.Retire) - monthOf(p.Born)}
	chosen, year := monthOf(p.Retire), s.Day.Year
	switch p.Way {
	case atAge:
		a.Opens = s.Day
	case early:
		year = p.Retire.Year
		a.Opens = s.Earliest
		switch {
		case s.Earliest.IsZero():
			a.Faults = append(a.Faults, noChoice)
		case chosen >= monthOf(s.Day):
			a.Faults = append(a.Faults, notEarly)
		}
	case late:
		switch {
		case s.Latest.IsZero():
			a.Faults = append(a.Faults, noChoice)
		case chosen <= monthOf(s.Day):
			a.Faults = append(a.Faults, notLate)
		case chosen > monthOf(s.Latest):
			a.Faults = append(a.Faults, tooLate)
		}
	case special:
		year = p.Retire.Year
		a.Opens = specialDay(p.Category, p.Born)
		switch enough, known := p.Post.enough(p.Years); {
		case !known:
			a.Faults = append(a.Faults, kindUnclear)
		case !enough:
			a.Faults = append(a.Faults, yearsShort)
		}
	case illness:
		a.Faults = append(a.Faults, byIllness)
		return a
	}
	if !a.Opens.IsZero() && chosen < monthOf(a.Opens) {
		a.Faults = append(a.Faults, tooEarly)
	}
	a.Required = requiredMonths(year)
	if p.Months < a.Required {
		a.Faults = append(a.Faults, monthsShort)
	}
	return a
}

// monthOf numbers the months of all years.
func monthOf(d plugin.Date) int { return d.Year*12 + d.Month }

// paidFrom is the first day of the month after retirement, from which the pension is paid: 94号 art. 9.
func paidFrom(retire plugin.Date) plugin.Date {
	return civil.AddMonths(plugin.Date{Year: retire.Year, Month: retire.Month, Day: 1}, 1)
}
