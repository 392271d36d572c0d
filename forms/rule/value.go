package rule

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// The types of values that CEL does not have. Names with a slash cannot be spelt in a path.
var (
	dateType     = types.NewOpaqueType("rule/date")
	moneyType    = types.NewOpaqueType("rule/money")
	decimalType  = types.NewOpaqueType("rule/decimal")
	citizenType  = types.NewOpaqueType("rule/citizen")
	addressType  = types.NewOpaqueType("rule/address")
	regionType   = types.NewOpaqueType("rule/region")
	fileType     = types.NewOpaqueType("rule/file")
	calendarType = types.NewOpaqueType("rule/calendar")
)

// The beginnings of the names of object types: answers with options, elements of a list.
const (
	choicePrefix  = "choice/"
	choicesPrefix = "choices/"
	rowPrefix     = "row/"
)

// choiceType returns the type of answers to questions with these options: two answers can be compared if
// their options are the same, in the same order.
func choiceType(prefix string, options []forms.Option) *types.Type {
	ids := make([]string, len(options))
	for i, o := range options {
		ids[i] = o.ID
	}
	return types.NewObjectType(prefix + strings.Join(ids, "/"))
}

// words says in plain words what kind of thing a type is, with its article.
func words(t *types.Type) string {
	switch t.Kind() {
	case types.BoolKind:
		return "a yes or no"
	case types.IntKind, types.UintKind:
		return "a number"
	case types.StringKind:
		return "a text"
	case types.ListKind:
		if elem := t.Parameters()[0]; elem.Kind() != types.StructKind && elem.Kind() != types.DynKind && elem.Kind() != types.TypeParamKind {
			return "a list of " + plural(elem)
		}
		return "a list"
	case types.StructKind:
		switch name := t.TypeName(); {
		case strings.HasPrefix(name, choicePrefix):
			return "a choice"
		case strings.HasPrefix(name, choicesPrefix):
			return "a multiple choice"
		default:
			return "an element of a list"
		}
	}
	switch t.TypeName() {
	case dateType.TypeName():
		return "a date"
	case moneyType.TypeName():
		return "an amount of money"
	case decimalType.TypeName():
		return "a decimal number"
	case citizenType.TypeName():
		return "a citizen number"
	case addressType.TypeName():
		return "an address"
	case regionType.TypeName():
		return "a region"
	case fileType.TypeName():
		return "a file"
	}
	return "something of another kind"
}

func plural(t *types.Type) string {
	switch word := words(t); word {
	case "a yes or no":
		return "yes or no"
	case "an amount of money":
		return "amounts of money"
	case "an address":
		return "addresses"
	default:
		_, noun, _ := strings.Cut(word, " ")
		return noun + "s"
	}
}

// value is an answer whose kind CEL does not have.
type value struct {
	typ *types.Type
	v   kind.Value
}

// errNotNative is the answer to conversions: values of rules stay in rules.
var errNotNative = errors.New("rule: a value of a rule has no other form")

func (v value) ConvertToNative(reflect.Type) (any, error) { return nil, errNotNative }
func (v value) ConvertToType(ref.Type) ref.Val            { return types.WrapErr(errNotNative) }
func (v value) Type() ref.Type                            { return v.typ }
func (v value) Value() any                                { return v.v }

// Equal compares values of one kind, and a decimal number with a whole one.
func (v value) Equal(other ref.Val) ref.Val {
	switch o := other.(type) {
	case value:
		return types.Bool(v.v.Equal(o.v))
	case types.Int:
		if d, ok := v.v.(kind.Decimal); ok {
			return types.Bool(d.Cmp(whole(o)) == 0)
		}
	}
	return types.MaybeNoSuchOverloadErr(other)
}

// Get returns whether the option with the id is chosen.
func (v value) Get(index ref.Val) ref.Val {
	id, _ := index.(types.String)
	switch answer := v.v.(type) {
	case kind.Choice:
		return types.Bool(string(answer) == string(id))
	case kind.Choices:
		return types.Bool(slices.Contains(answer, string(id)))
	default:
		return types.MaybeNoSuchOverloadErr(index)
	}
}

// element is a row of a list. A cell that its row does not hold is unknown, one that is nil is blank.
type element struct {
	typ   *types.Type
	run   *run
	row   *rowFields
	path  string // for example form.heirs[0]
	cells kind.Row
}

func (e element) ConvertToNative(reflect.Type) (any, error) { return nil, errNotNative }
func (e element) ConvertToType(ref.Type) ref.Val            { return types.WrapErr(errNotNative) }
func (e element) Equal(other ref.Val) ref.Val               { return types.MaybeNoSuchOverloadErr(other) }
func (e element) Type() ref.Type                            { return e.typ }
func (e element) Value() any                                { return e.cells }

// Get returns what is known of a cell.
func (e element) Get(index ref.Val) ref.Val {
	id, _ := index.(types.String)
	cell := e.row.byID[string(id)]
	if cell == nil {
		return types.MaybeNoSuchOverloadErr(index)
	}
	v, answered := e.cells[cell.field.ID]
	switch {
	case !answered:
		return e.run.unknown(forms.Cause{Kind: forms.CauseAnswer, Path: forms.Path(e.path + "." + cell.field.ID)})
	case v == nil:
		return cell.blank()
	}
	return e.run.load(cell, e.path+"."+cell.field.ID, v)
}

// errBlank is what comes of reading a blank answer. The guards that are required at load keep it from being
// seen by anything but `has`.
var errBlank = errors.New("rule: a blank answer was read")

// isBlank reports whether a value is what a blank answer reads as.
func isBlank(err *types.Err) bool { return errors.Is(err.Unwrap(), errBlank) }

// errKind is the answer to a value of another kind than its field's.
var errKind = errors.New("rule: a value is not of its field's kind")

// blank returns what a blank answer reads as.
func (v *variable) blank() ref.Val {
	switch {
	case v.typ.Kind() == types.ListKind:
		return types.NewRefValList(types.DefaultTypeAdapter, nil)
	case v.field != nil && v.field.Kind == kind.KindChoices:
		return value{v.typ, kind.Choices{}}
	}
	return types.WrapErr(errBlank)
}

// load turns an answer into a value of the type of its variable; path is where it stands.
func (r *run) load(v *variable, path string, answer kind.Value) ref.Val {
	if answer == nil {
		return v.blank()
	}
	if v.field != nil && answer.Kind() != v.field.Kind || v.typ == dateType && answer.Kind() != kind.KindDate {
		return types.WrapErr(errKind)
	}
	if v.typ == regionType {
		return region(answer)
	}
	switch a := answer.(type) {
	case kind.Bool:
		return types.Bool(a)
	case kind.Int:
		return types.Int(a)
	case kind.Text:
		return types.String(a)
	case kind.Phone:
		return types.String(a)
	case kind.Plate:
		return types.String(a)
	case kind.BankAccount:
		return types.String(a)
	case kind.USCC:
		return types.String(a)
	case kind.List:
		rows := make([]ref.Val, len(a))
		for i, cells := range a {
			rows[i] = element{typ: v.row.typ, run: r, row: v.row, path: fmt.Sprintf("%s[%d]", path, i), cells: cells}
		}
		return types.NewRefValList(types.DefaultTypeAdapter, rows)
	default:
		return value{v.typ, answer}
	}
}

// region returns the region that is given by its code, or as that of an address.
func region(given kind.Value) ref.Val {
	switch v := given.(type) {
	case kind.Text:
		return value{regionType, v}
	case kind.Address:
		return value{regionType, kind.Text(v.Region)}
	default:
		return types.WrapErr(errKind)
	}
}
