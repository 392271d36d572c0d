package calendar

import (
	"fmt"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms/kind"
	bundlev1 "github.com/siyiban/onething/proto/gen/onething/bundle/v1"
)

// Parse reads a file of published calendars (message onething.bundle.v1.Holidays). It reports everything that is wrong
// with the file, each with its place; the calendar is nil if that holds an error.
func Parse(file string, src []byte) (*Calendar, diag.List) {
	var holidays bundlev1.Holidays
	source, found := diag.ReadYAML(file, src, &holidays, nil)
	if found.Err() != nil {
		return nil, found.Sorted()
	}
	p := parser{source: source, marks: map[kind.Date]mark{}, found: found}
	c := &Calendar{years: map[int]*year{}, names: map[kind.Date]string{}}
	if len(holidays.GetYears()) == 0 {
		p.report(source.At(&holidays, "years"), "calendar-no-years", "years", "a calendar has at least one year", "")
	}
	for i, y := range holidays.GetYears() {
		path := fmt.Sprintf("years[%d]", i)
		if _, twice := c.years[int(y.GetYear())]; twice {
			p.report(source.At(y, "year"), "calendar-year-twice", path+".year", fmt.Sprintf("the year %d stands here twice", y.GetYear()), "keep one of them")
			continue
		}
		if plain := p.year(y, path); plain != nil {
			c.years[int(y.GetYear())] = plain
		}
	}
	// A notice may reach back into the December before it, so the marks go in when all years are there.
	for day, m := range p.marks {
		y, published := c.years[day.Year]
		if !published {
			continue // of the December before the first year
		}
		y.days[place(day)] = m.kind
		if m.kind == holiday {
			c.names[day] = m.name
		}
	}
	if p.found.Err() != nil {
		return nil, p.found.Sorted()
	}
	return c, p.found.Sorted()
}

// The bounds of what a year's notice can say, and of the years there can be one for.
const (
	firstYear = 1949
	lastYear  = 9999
	maxMarks  = 40 // holidays, and working weekends, of one notice
)

// parser collects the exceptions of all years.
type parser struct {
	source *diag.Source
	marks  map[kind.Date]mark
	found  diag.List
}

// mark is what a notice makes of a day.
type mark struct {
	kind dayKind
	name string
	span diag.Span
}

func (p *parser) report(span diag.Span, code, path, message, hint string, related ...diag.Related) {
	p.found = append(p.found, diag.Diagnostic{Span: span, Severity: diag.Error, Code: code, Path: path, Message: message, Hint: hint, Related: related})
}

// year marks the exceptions of y and returns its plain weeks, nil if there is no such year.
func (p *parser) year(y *bundlev1.HolidayYear, path string) *year {
	if y.GetYear() < firstYear || y.GetYear() > lastYear {
		p.report(p.source.At(y, "year"), "calendar-year", path+".year", fmt.Sprintf("a year from %d to %d is wanted", firstYear, lastYear), "")
		return nil
	}
	if len(y.GetHolidays()) == 0 {
		p.report(p.source.At(y, ""), "calendar-not-published", path+".holidays", "a year without holidays is not published yet",
			"leave the year out until its notice is out")
	}
	if len(y.GetHolidays()) > maxMarks || len(y.GetWorkdays()) > maxMarks {
		at := p.source.At(y, "holidays")
		if len(y.GetHolidays()) <= maxMarks {
			at = p.source.At(y, "workdays")
		}
		p.report(at, "calendar-too-many", path, fmt.Sprintf("a year has at most %d holidays and %d workdays", maxMarks, maxMarks), "")
		return nil
	}
	for i, h := range y.GetHolidays() {
		p.holiday(int(y.GetYear()), h, fmt.Sprintf("%s.holidays[%d]", path, i))
	}
	for i, text := range y.GetWorkdays() {
		at, path := p.source.Element(y, "workdays", i), fmt.Sprintf("%s.workdays[%d]", path, i)
		day, ok := p.date(int(y.GetYear()), text, at, path)
		switch {
		case !ok:
		case !isWeekend(day):
			p.report(at, "calendar-workday", path, day.String()+" is no Saturday or Sunday, it is a working day anyway", "remove it")
		default:
			p.mark(day, mark{kind: workingWeekend, span: at}, path)
		}
	}
	plain := &year{notice: y.GetSource().GetTitle()}
	for day, ok := kind.NewDate(int(y.GetYear()), 1, 1); ok && day.Year == int(y.GetYear()); day, ok = day.AddDays(1) {
		if isWeekend(day) {
			plain.days[place(day)] = weekend
		}
	}
	return plain
}

func (p *parser) holiday(year int, h *bundlev1.Holiday, path string) {
	if h.GetName() == "" {
		p.report(p.source.At(h, ""), "calendar-name", path+".name", "a holiday has a name", "")
	}
	from, ok := p.date(year, h.GetFrom(), p.source.At(h, "from"), path+".from")
	to, okTo := p.date(year, h.GetTo(), p.source.At(h, "to"), path+".to")
	if !ok || !okTo {
		return
	}
	if to.Before(from) {
		p.report(p.source.At(h, "to"), "calendar-order", path+".to", fmt.Sprintf("the last day %s is before the first day %s", to, from), "")
		return
	}
	for n := range kind.DaysBetween(from, to) + 1 {
		day, _ := from.AddDays(n)
		if !p.mark(day, mark{kind: holiday, name: h.GetName(), span: p.source.At(h, "from")}, path) {
			return
		}
	}
}

// date reads a day that the notice of the year may speak of: one of the year or of the December before.
func (p *parser) date(year int, text string, at diag.Span, path string) (kind.Date, bool) {
	day, ok := kind.ParseDate(text)
	if !ok {
		p.report(at, "calendar-date", path, "a date is wanted, written YYYY-MM-DD", "")
		return kind.Date{}, false
	}
	if day.Year != year && (day.Year != year-1 || day.Month != 12) {
		p.report(at, "calendar-date-year", path, fmt.Sprintf("%s is neither in %d nor in the December before", day, year), "put it under its own year")
		return kind.Date{}, false
	}
	return day, true
}

// mark notes what becomes of a day, and refuses a second word on it.
func (p *parser) mark(day kind.Date, m mark, path string) bool {
	if first, twice := p.marks[day]; twice {
		p.report(m.span, "calendar-day-twice", path, day.String()+" is named twice", "keep one of them", diag.Related{Span: first.span, Message: "the first one"})
		return false
	}
	p.marks[day] = m
	return true
}
