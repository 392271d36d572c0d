package formula

import (
	"slices"

	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// Kinds of intermediate values, beside those of fields.
const (
	kindRegion kind.Kind = 0x80 + iota // the region of the office, region("3213")
	kindRow                            // an element of a list
	kindNumber                         // of a parameter: INT or DECIMAL
	kindString                         // of a parameter: anything that is a text
)

// typ is what the checker knows of a value. The zero typ is that of something that was reported already.
type typ struct {
	kind    kind.Kind
	options []forms.Option // of CHOICE and CHOICES; nil in a wanted type: any
	elem    *typ           // of LIST
	size    int            // of LIST: the most elements it can have
	filled  bool           // of LIST: has an element at least

	row    []*forms.Field // of an element: its fields
	path   forms.Path     // of an element: the list's
	checks []string       // of an element: conjuncts that hold for it
}

func (t typ) valid() bool { return t.kind != 0 }

func (t typ) String() string {
	switch t.kind {
	case kindRegion:
		return "region"
	case kindRow:
		return "an element"
	case kindNumber:
		return "INT or DECIMAL"
	case kindString:
		return "TEXT"
	case kind.KindList:
		if t.elem != nil && t.elem.kind != kindRow {
			return "list of " + t.elem.String()
		}
		return "LIST"
	default:
		return t.kind.String()
	}
}

// maxElements is the most elements that a list of a record has.
const maxElements = 500

// ofField returns the type of a field's value.
func ofField(f *forms.Field, path forms.Path) typ {
	t := typ{kind: f.Kind}
	switch f.Kind {
	case kind.KindChoice, kind.KindChoices:
		t.options = f.Options
	case kind.KindList:
		list := listOf(f.Row, path)
		list.filled = f.Filled && len(f.Conditions) == 0
		return list
	}
	return t
}

// listOf returns the type of a list of elements with the fields.
func listOf(fields []*forms.Field, path forms.Path) typ {
	return typ{kind: kind.KindList, size: maxElements, elem: &typ{kind: kindRow, row: fields, path: path}}
}

func isText(k kind.Kind) bool {
	switch k {
	case kind.KindText, kind.KindPhone, kind.KindPlate, kind.KindBankAccount, kind.KindUSCC:
		return true
	}
	return false
}

func isOrdered(k kind.Kind) bool {
	return k == kind.KindInt || k == kind.KindDecimal || k == kind.KindMoney || k == kind.KindDate
}

func isAmount(k kind.Kind) bool {
	return k == kind.KindInt || k == kind.KindDecimal || k == kind.KindMoney
}

// isScalar reports whether values of the kind can be compared and collected.
func isScalar(k kind.Kind) bool {
	switch k {
	case kind.KindBool, kind.KindCitizenNumber, kind.KindAddress, kind.KindChoice, kindRegion:
		return true
	}
	return isText(k) || isOrdered(k)
}

// printable reports whether a text can hold a value of the kind.
func printable(k kind.Kind) bool { return isScalar(k) && k != kindRegion || k == kind.KindChoices }

// unify returns the type of a value that is one of two, false if they do not agree.
func unify(a, b typ) (typ, bool) {
	switch {
	case a.kind != b.kind:
		return typ{kind: kind.KindText}, isText(a.kind) && isText(b.kind)
	case a.kind == kind.KindChoice, a.kind == kind.KindChoices:
		return a, sameOptions(a.options, b.options)
	case a.kind == kind.KindList:
		elem, ok := unify(*a.elem, *b.elem)
		return typ{kind: kind.KindList, elem: &elem, size: max(a.size, b.size), filled: a.filled && b.filled}, ok
	case a.kind == kindRow:
		a.checks = slices.DeleteFunc(slices.Clone(a.checks), func(check string) bool {
			return !slices.Contains(b.checks, check)
		})
		return a, a.path == b.path
	default:
		return a, true
	}
}

// sameOptions reports whether two lists have the same options; of nil nothing is known.
func sameOptions(a, b []forms.Option) bool {
	return a == nil || b == nil ||
		slices.EqualFunc(a, b, func(x, y forms.Option) bool { return x.ID == y.ID })
}
