package diag

import (
	"fmt"
	"slices"
	"strings"
)

// level is a list or mapping that the current line stands in.
type level struct {
	column int // of its dashes or keys, from 0
	list   bool
	line   int  // where its last dash or key stands
	open   bool // that one has nothing behind it on its line: something may stand further in
}

// maxLevels is how deep lists and mappings are followed.
const maxLevels = 100

// place holds the column of a dash or key against the lines before it.
func (s *slipScanner) place(n, column int, list, open, sure bool) {
	here := level{column: column, list: list, line: n, open: open}
	if s.first.line != n { // the first of its line
		s.before, s.last, s.earlier, s.first = s.levels, s.first, s.before, here
	}
	if !sure {
		return
	}
	if levels, ok := fit(s.levels, here); ok {
		s.levels, s.odd = levels, false
		s.lost = len(levels) > maxLevels
		return
	}
	if s.odd { // it goes on as the line that was told
		return
	}
	// The line is left out, unless the one before it stands in too little.
	same := func(l level) bool { return l.column == column && l.list == list }
	if levels, ok := fit(s.earlier, here); ok && s.last.column < column && slices.ContainsFunc(s.earlier, same) {
		s.levels = levels
		s.indent(s.last, s.earlier, fmt.Sprintf("this line stands in by %s, and the next one by %s as those before it", count(s.last.column), count(column)))
		return
	}
	s.odd = true
	what := "this line"
	if list {
		what = "this `-`"
	}
	why := "and no line before it by as many"
	if i := slices.IndexFunc(s.levels, func(l level) bool { return l.column == column && !l.open }); i >= 0 && s.levels[i].list != list {
		why = "where keys stand and no list"
		if s.levels[i].list {
			why = "where items of a list begin with `- `"
		}
	}
	s.indent(here, s.levels, fmt.Sprintf("%s stands in by %s, %s", what, count(column), why))
}

func (s *slipScanner) indent(l level, levels []level, message string) {
	s.add(l.line, l.column, max(name(s.lines[l.line], l.column), l.column+1), "yaml-indent", message, fits(levels, l.column, l.list))
}

// fit is what a dash or key stands in after it; false if it stands where none can.
func fit(levels []level, here level) ([]level, bool) {
	n := len(levels)
	for n > 0 && levels[n-1].column > here.column {
		n--
	}
	// A list may stand in by as much as the key that it belongs to.
	if !here.list && n > 1 && levels[n-1].list && levels[n-1].column == here.column && levels[n-2].column == here.column {
		n--
	}
	if n == 0 {
		return []level{here}, true
	}
	top, outer := levels[n-1], slices.Clip(levels[:n-1])
	switch {
	case top.column == here.column && top.list == here.list:
		return append(outer, here), true
	case top.list && top.line == here.line, // behind its own dash
		top.open && (top.column < here.column || top.column == here.column && here.list && !top.list):
		top.open = false
		return append(outer, top, here), true
	}
	return nil, false
}

func count(spaces int) string {
	switch spaces {
	case 0:
		return "no space"
	case 1:
		return "1 space"
	}
	return fmt.Sprintf("%d spaces", spaces)
}

// fits names the columns that a line may have instead, the nearest first.
func fits(levels []level, column int, list bool) string {
	levels = slices.DeleteFunc(slices.Clone(levels), func(l level) bool { return l.list != list || l.column == column })
	slices.SortStableFunc(levels, func(a, b level) int {
		return max(a.column-column, column-a.column) - max(b.column-column, column-b.column)
	})
	var fits []string
	for i, l := range levels[:min(2, len(levels))] {
		if i > 0 && max(levels[0].column-column, column-levels[0].column) == 1 {
			break // it can only be that one
		}
		fits = append(fits, fmt.Sprintf("%s, as line %d", count(l.column), l.line+1))
	}
	if len(fits) == 0 {
		return "lines that belong together begin at one column: count the spaces at the beginning of this one"
	}
	return "lines that belong together begin at one column: here with " + strings.Join(fits, ", or with ")
}
